"""TemporalRowConvolution."""

from torchlite.nn._windowed import Frames
from torchlite.nn.convolution._convolution import Convolution

__all__ = ["TemporalRowConvolution"]


class TemporalRowConvolution(Frames, Convolution):
    """Convolves each feature of a sequence by itself, over time.

    Maths
    -----
    ::

        geometry = (dW,), (0,), (1,)
        x = input if featFirst else input.swapaxes(-1, -2)
        made = conv(x, weight, *geometry) + bias[:, None]
        output = made if featFirst else made.swapaxes(-1, -2)
        gradient = gradOutput if featFirst else gradOutput.swapaxes(-1, -2)
        back = conv_transposed(gradient, weight, x.shape[-1:], *geometry, inputFrameSize)
        gradInput = back if featFirst else back.swapaxes(-1, -2)
        gradWeight += scale * conv_weight(x, gradient, (kW,), *geometry, inputFrameSize)
        gradBias += scale * gradient.sum((0, 2))

    conv and its kin stand in torchlite.kernels.convolution, each defined by an explicit sum:
    output[n, t, f] is input[n, t * dW : t * dW + kW, f] @ weight[f, 0] + bias[f].

    Shapes
    ------
    input (T, inputFrameSize) or (N, T, inputFrameSize); output (oT, inputFrameSize) or
    (N, oT, inputFrameSize), where oT = (T - kW) // dW + 1. With featFirst the features stand before
    the time in both: (inputFrameSize, T) or (N, inputFrameSize, T).

    Parameters
    ----------
    inputFrameSize
        How many features a frame has, an integer of at least 1.
    kW
        How many frames a window has.
    dW
        How far the windows are apart.
    featFirst
        Whether the features stand before the time.

    Attributes
    ----------
    weight, gradWeight
        (inputFrameSize, 1, kW).
    bias, gradBias
        (inputFrameSize,), or None without bias.

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
    >>> layer = nn.TemporalRowConvolution(2, 2)
    >>> layer.weight[:], layer.bias[:] = [[[1, 2]], [[3, 4]]], [10, 20]
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    >>> layer.forward(x)
    array([[11., 24.],
           [14., 23.]])
    >>> layer.backward(x, np.array([[1.0, 1.0], [10.0, 10.0]]))
    array([[ 1.,  3.],
           [12., 34.],
           [20., 40.]])
    >>> layer.gradWeight
    array([[[ 1., 20.]],
    <BLANKLINE>
           [[10.,  1.]]])

    Reference
    ---------
    Torch7, nn/TemporalRowConvolution.lua.
    """

    inputFrameSize: int
    kW: int
    dW: int
    featFirst: bool

    _counts = ("inputFrameSize",)

    def __init__(self, inputFrameSize: int, kW: int, dW: int = 1, featFirst: bool = False) -> None:
        self.featFirst = bool(featFirst)
        self._build((inputFrameSize,), (kW,), (dW,))

    @property
    def _planes_last(self) -> bool:
        return not self.featFirst

    @property
    def _groups(self) -> int:
        return self.inputFrameSize

    def _weight_shape(self) -> tuple[int, ...]:
        return (self.inputFrameSize, 1, self.kW)
