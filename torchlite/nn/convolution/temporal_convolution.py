"""TemporalConvolution."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.convolution import conv_weight
from torchlite.nn._windowed import Frames
from torchlite.nn.convolution._convolution import Convolution
from torchlite.nn.module import Module

__all__ = ["TemporalConvolution"]


class TemporalConvolution(Frames, Convolution):
    """A linear map of kW neighbouring frames of a sequence, at every place in it.

    Maths
    -----
    ::

        kernels = weight.reshape(outputFrameSize, kW, inputFrameSize).swapaxes(1, 2)
        x = input.swapaxes(-1, -2)
        output = conv(x, kernels, (dW,), (0,)).swapaxes(-1, -2) + bias
        gradient = gradOutput.swapaxes(-1, -2)
        found = conv_transposed(gradient, kernels, x.shape[-1:], (dW,), (0,))
        gradInput = found.swapaxes(-1, -2)
        found = conv_weight(x, gradient, (kW,), (dW,), (0,)).swapaxes(1, 2)
        gradWeight += scale * found.reshape(weight.shape)
        gradBias += scale * gradOutput.sum((0, 1))

    conv and its kin stand in torchlite.kernels.convolution, each defined by an explicit sum:
    output[n, t] is weight @ input[n, t * dW : t * dW + kW].reshape(-1) + bias.

    Shapes
    ------
    input (T, inputFrameSize) or (N, T, inputFrameSize); output (oT, outputFrameSize) or
    (N, oT, outputFrameSize), where oT = (T - kW) // dW + 1.

    Parameters
    ----------
    inputFrameSize, outputFrameSize
        How many numbers a frame has, integers of at least 1.
    kW
        How many frames a window has.
    dW
        How far the windows are apart.

    Attributes
    ----------
    weight, gradWeight
        (outputFrameSize, kW * inputFrameSize), the frames of a window one after the other.
    bias, gradBias
        (outputFrameSize,), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kW * inputFrameSize), the weight in C
    order first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv.
    Remembers nothing: the columns of the windows are made again in the backward, block by block.
    The weight says how large the windows are: kW and its kin are for reading.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.TemporalConvolution(2, 1, 2)
    >>> layer.weight[:], layer.bias[:] = [[1, 2, 3, 4]], 10
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    >>> layer.forward(x)
    array([[15.],
           [18.]])
    >>> layer.backward(x, np.array([[1.0], [10.0]]))
    array([[ 1.,  2.],
           [13., 24.],
           [30., 40.]])
    >>> layer.gradWeight
    array([[ 1., 10., 20.,  1.]])

    Reference
    ---------
    Torch7, nn/TemporalConvolution.lua.
    """

    inputFrameSize: int
    outputFrameSize: int
    kW: int
    dW: int

    _counts = ("inputFrameSize", "outputFrameSize")

    def __init__(self, inputFrameSize: int, outputFrameSize: int, kW: int, dW: int = 1) -> None:
        self._build((inputFrameSize, outputFrameSize), (kW,), (dW,))

    def _weight_shape(self) -> tuple[int, ...]:
        return (self.outputFrameSize, self.kW * self.inputFrameSize)

    def _kernels(self) -> Array:
        frames = self.weight.reshape(self.outputFrameSize, self.kW, self.inputFrameSize)
        return frames.swapaxes(1, 2)

    def _identity(self) -> Array:
        shares = np.zeros((self.outputFrameSize, self.kW, self.inputFrameSize))
        shares[:, (self.kW - 1) // 2] = 1 / self.inputFrameSize
        return shares.reshape(self.weight.shape)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        found = conv_weight(images, gradOutput, self._kernel, *self._geometry)
        return found.swapaxes(1, 2).reshape(self.weight.shape)

    __repr__ = Module.__repr__
