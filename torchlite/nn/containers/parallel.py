"""Parallel."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.checks import whole
from torchlite.nn.containers._joined import Joined
from torchlite.nn.dims import position
from torchlite.nn.entries import at
from torchlite.nn.module import Module

__all__ = ["Parallel"]


class Parallel(Joined):
    """Each module on its own slice of the input, the outputs one after the other.

    Maths
    -----
    ::

        inputs = [np.take(input, i, inputDimension) for i in range(len(modules))]
        outputs = [module.updateOutput(part) for module, part in zip(modules, inputs)]
        output = np.concatenate(outputs, outputDimension)
        ends = np.cumsum([array.shape[outputDimension] for array in outputs])
        gradOutputs = np.split(gradOutput, ends[:-1], outputDimension)
        gradInputs = [
            module.updateGradInput(part, gradient)
            for module, part, gradient in zip(modules, inputs, gradOutputs)
        ]
        gradInput = np.stack(gradInputs, inputDimension)

    Shapes
    ------
    input: any, with a slice for each module along inputDimension; output: that of the modules,
    with the sum of the lengths along outputDimension.

    Parameters
    ----------
    inputDimension
        Of the input, counted from 0 or from the end if negative.
    outputDimension
        Of the modules' outputs, which do not have the input's dimension any more.
    modules
        The modules; `add` appends others.

    Attributes
    ----------
    inputs, outputs
        After a forward: what each module was given, a view of the input, and what it returned.
    gradOutputs
        After `updateGradInput`: the gradient of each output, by position: views of gradOutput.

    Conventions
    -----------
    Remembers its forward; an error makes it forget. Where the `gradInput` of a module is None,
    the gradient of the input is left out and None returned.

    Raises
    ------
    StateError
        input is not that of the last forward; there are no modules.
    ShapeError, DTypeError
        There are more slices than modules, or fewer; the outputs do not fit together; gradOutput
        does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Parallel(0, 0, nn.Identity(), nn.ReLU())
    >>> x = np.array([[-1.0, 2.0], [-3.0, 4.0]])
    >>> net.forward(x)
    array([-1.,  2.,  0.,  4.])
    >>> net.backward(x, np.array([10.0, 20.0, 30.0, 40.0]))
    array([[10., 20.],
           [ 0., 40.]])

    Reference
    ---------
    Torch7, nn/Parallel.lua, which leaves modules without a slice unused.
    """

    _along = "outputDimension"

    def __init__(self, inputDimension: int, outputDimension: int, *modules: Module) -> None:
        self.inputDimension = whole(self, "inputDimension", inputDimension)
        self.outputDimension = whole(self, "outputDimension", outputDimension)
        super().__init__(*modules)

    def _deal(self, input: Array) -> list[Array]:
        checks.must_be_array(self, "updateOutput", "input", input)
        axis = position(self, "updateOutput", input, self.inputDimension)
        n = len(self.modules)
        if input.shape[axis] != n:
            expected = f"of length {n} along dimension {axis}, a slice for each module"
            raise checks.misshapen(self, "updateOutput", "input", expected, input)
        return [at(input, axis, i) for i in range(n)]

    def _join_back(self, input: Array, gradInputs: list[Any]) -> Any:
        return np.stack(gradInputs, self.inputDimension)
