"""ParallelTable."""

from typing import Any

from torchlite.nn import table_checks
from torchlite.nn.containers._branches import Branches

__all__ = ["ParallelTable"]


class ParallelTable(Branches):
    """Each module on its own entry of a table.

    Maths
    -----
    ::

        output = [module.updateOutput(entry) for module, entry in zip(modules, input)]
        steps = zip(modules, input, gradOutput)
        gradInput = [module.updateGradInput(entry, gradient) for module, entry, gradient in steps]

    Shapes
    ------
    input: a table with an entry for each module; output: a table with the output of each.

    Attributes
    ----------
    inputs, outputs
        After a forward: what each module was given, and what it returned.
    gradOutputs
        After `updateGradInput`: the gradient of each output, by position.

    Conventions
    -----------
    Remembers its forward; an error makes it forget. Where the `gradInput` of a module is None,
    the gradient of the input is left out and None returned.

    Raises
    ------
    StateError
        input is not that of the last forward; there are no modules.
    ShapeError, DTypeError
        input or gradOutput is no table with an entry for each module.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.ParallelTable(nn.Identity(), nn.ReLU())
    >>> x = [np.array([-1.0]), np.array([-2.0, 3.0])]
    >>> net.forward(x)
    [array([-1.]), array([0., 3.])]
    >>> net.backward(x, [np.array([10.0]), np.array([20.0, 30.0])])
    [array([10.]), array([ 0., 30.])]

    Reference
    ---------
    Torch7, nn/ParallelTable.lua, which takes no notice of entries for which there is no module.
    """

    def _deal(self, input: Any) -> list[Any]:
        table_checks.must_be_table(self, "updateOutput", "input", input, len(self.modules))
        return list(input)

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return gradInputs
