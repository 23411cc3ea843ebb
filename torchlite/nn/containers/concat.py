"""Concat."""

from torchlite.nn.checks import whole
from torchlite.nn.containers._joined import Joined
from torchlite.nn.module import Module

__all__ = ["Concat"]


class Concat(Joined):
    """All modules on the same input, their outputs one after the other along a dimension.

    Maths
    -----
    ::

        outputs = [module.updateOutput(input) for module in modules]
        output = np.concatenate(outputs, dimension)
        ends = np.cumsum([array.shape[dimension] for array in outputs])
        gradOutputs = np.split(gradOutput, ends[:-1], dimension)
        gradInputs = [
            module.updateGradInput(input, gradient)
            for module, gradient in zip(modules, gradOutputs)
        ]
        gradInput = sum(gradInputs)

    Shapes
    ------
    input: what all modules take; output: that of the modules, whose outputs differ in the length
    of that dimension alone, with the sum of the lengths.

    Parameters
    ----------
    dimension
        Of the outputs, counted from 0 or from the end if negative. The batch's counts.
    modules
        The modules; `add` appends others.

    Attributes
    ----------
    inputs, outputs
        After a forward: what each module was given (the input), and what it returned.
    gradOutputs
        After `updateGradInput`: the gradient of each output, by position: views of gradOutput.

    Conventions
    -----------
    Remembers its forward; an error makes it forget. The gradInput is fresh. Where the `gradInput`
    of a module is None, the gradient of the input is left out and None returned. Integers and
    booleans of the input get zeros of their dtype; outputs of them join those of the same dtype.

    Raises
    ------
    StateError
        input is not that of the last forward; there are no modules.
    ShapeError, DTypeError
        The outputs do not fit together; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Concat(1, nn.Identity(), nn.ReLU())
    >>> x = np.array([[-1.0, 2.0]])
    >>> net.forward(x)
    array([[-1.,  2.,  0.,  2.]])
    >>> net.backward(x, np.array([[10.0, 20.0, 3.0, 4.0]]))
    array([[10., 24.]])

    Reference
    ---------
    Torch7, nn/Concat.lua, which leaves a module without gradInput out of the sum.
    """

    def __init__(self, dimension: int, *modules: Module) -> None:
        self.dimension = whole(self, "dimension", dimension)
        super().__init__(*modules)
