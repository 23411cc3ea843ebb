"""ConcatTable."""

from torchlite.nn.containers._branches import Branches

__all__ = ["ConcatTable"]


class ConcatTable(Branches):
    """All modules on the same input: a table of their outputs.

    Maths
    -----
    ::

        output = [module.updateOutput(input) for module in modules]
        gradInputs = [
            module.updateGradInput(input, gradient)
            for module, gradient in zip(modules, gradOutput)
        ]
        gradInput = sum(gradInputs)

    Shapes
    ------
    input: what all modules take, a table too; output: a table with the output of each. The
    gradInputs of tables are summed entry by entry.

    Attributes
    ----------
    inputs, outputs
        After a forward: what each module was given (the input), and what it returned.
    gradOutputs
        After `updateGradInput`: the gradient of each output, by position.

    Conventions
    -----------
    Remembers its forward; an error makes it forget. The gradInput is fresh. Where the `gradInput`
    of a module is None, the gradient of the input is left out and None returned. Integers and
    booleans of the input get zeros of their dtype.

    Raises
    ------
    StateError
        input is not that of the last forward; there are no modules.
    ShapeError, DTypeError
        gradOutput is no table with an entry for each module.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.ConcatTable(nn.Identity(), nn.ReLU())
    >>> x = np.array([-1.0, 2.0])
    >>> net.forward(x)
    [array([-1.,  2.]), array([0., 2.])]
    >>> net.backward(x, [np.array([10.0, 20.0]), np.array([3.0, 4.0])])
    array([10., 24.])
    >>> net
    ConcatTable {
      input
        |`-> (0): Identity
         `-> (1): ReLU
         ... -> output
    }

    Reference
    ---------
    Torch7, nn/ConcatTable.lua.
    """
