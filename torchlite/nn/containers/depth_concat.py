"""DepthConcat."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn import checks, table_checks
from torchlite.nn.containers.concat import Concat

__all__ = ["DepthConcat"]


class DepthConcat(Concat):
    """Concat of outputs of different sizes: the smaller ones are centred among zeros.

    Maths
    -----
    All sizes but that along dimension grow to the largest::

        outputs = [module.updateOutput(input) for module in modules]
        sizes = np.array([image.shape for image in outputs])
        gaps = sizes.max(0) - sizes
        gaps[:, dimension] = 0
        margins = np.stack([gaps // 2, gaps - gaps // 2], -1)
        output = np.concatenate(list(map(np.pad, outputs, margins)), dimension)

    A backward hands out gradOutput without the margins, and sums the gradInputs.

    Shapes
    ------
    input: what all modules take; output: along the dimension the sum of the outputs' lengths,
    elsewhere the longest of them.

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
    As those of Concat. Where an odd number of zeros is added, there is one more at the end.

    Raises
    ------
    StateError
        input is not that of the last forward; there are no modules.
    ShapeError, DTypeError
        The outputs do not have the same number of dimensions; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.DepthConcat(0, nn.Identity(), nn.Narrow(1, 0, 1))
    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> net.forward(x)
    array([[1., 2., 3.],
           [0., 1., 0.]])
    >>> net.backward(x, np.array([[10.0, 20.0, 30.0], [4.0, 5.0, 6.0]]))
    array([[15., 20., 30.]])

    Reference
    ---------
    Torch7, nn/DepthConcat.lua, whose backward takes no notice of scale. Szegedy et al., Going
    deeper with convolutions (2015).
    """

    def _join(self, input: Any, outputs: list[Array]) -> Array:
        shape, windows = self._windows(outputs)
        dtype = np.result_type(*(output.dtype for output in outputs))
        joined = np.zeros_like(outputs[0], dtype=dtype, shape=shape)
        for output, window in zip(outputs, windows, strict=True):
            joined[window] = output
        return joined

    def _deal_back(self, method: str, gradOutput: Array) -> list[Array]:
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        return [gradOutput[window] for window in self._windows(self.outputs)[1]]

    def _windows(self, outputs: list[Array]) -> tuple[tuple[int, ...], list[tuple[slice, ...]]]:
        """Return the shape of all outputs together, and where in it each one stands."""
        table_checks.must_be_arrays(self, "updateOutput", "outputs", outputs, movable=True)
        ndim = outputs[0].ndim
        axis = self.dimension if self.dimension >= 0 else self.dimension + ndim
        if not 0 <= axis < ndim or any(output.ndim != ndim for output in outputs):
            expected = f"arrays of as many dimensions, with dimension {self.dimension}"
            raise checks.misshapen(self, "updateOutput", "outputs", expected, outputs)
        shape = [
            max(lengths) for lengths in zip(*(output.shape for output in outputs), strict=True)
        ]
        shape[axis] = 0
        windows = []
        for output in outputs:
            starts = [(whole - own) // 2 for whole, own in zip(shape, output.shape, strict=True)]
            starts[axis] = shape[axis]
            shape[axis] += output.shape[axis]
            windows.append(
                tuple(slice(s, s + own) for s, own in zip(starts, output.shape, strict=True))
            )
        return tuple(shape), windows
