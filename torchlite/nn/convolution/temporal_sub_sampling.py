"""TemporalSubSampling."""

from torchlite.nn._windowed import Frames
from torchlite.nn.convolution._sub_sampling import SubSampling

__all__ = ["TemporalSubSampling"]


class TemporalSubSampling(Frames, SubSampling):
    """The sum of every kW frames of a sequence, times a weight for each feature, plus a bias.

    Maths
    -----
    ::

        x = input.swapaxes(-1, -2)
        out = ((x.shape[-1] - kW) // dW + 1,)
        sums = sum_windows(x, (kW,), (dW,), (0,), out).swapaxes(-1, -2)
        output = sums * weight + bias
        gradient = gradOutput.swapaxes(-1, -2)
        found = sum_windows_back(gradient * weight[:, None], x.shape[-1:], (kW,), (dW,), (0,))
        gradInput = found.swapaxes(-1, -2)
        gradWeight += scale * (gradOutput * sums).sum((0, 1))
        gradBias += scale * gradOutput.sum((0, 1))

    sum_windows and its gradient stand in torchlite.kernels.means, each defined by an explicit sum:
    sums[n, t] is input[n, t * dW : t * dW + kW].sum(0).

    Shapes
    ------
    input (T, inputFrameSize) or (N, T, inputFrameSize); output (oT, inputFrameSize) or
    (N, oT, inputFrameSize), where oT = (T - kW) // dW + 1.

    Parameters
    ----------
    inputFrameSize
        How many features a frame has, an integer of at least 1.
    kW
        How many frames a window has.
    dW
        How far the windows are apart.

    Attributes
    ----------
    weight, gradWeight, bias, gradBias
        (inputFrameSize,); bias and gradBias are None after noBias().

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kW), the weight first;
    `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv.
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.TemporalSubSampling(2, 2)
    >>> layer.weight[:], layer.bias[:] = [1, 2], [10, 20]
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    >>> layer.forward(x)
    array([[11., 22.],
           [12., 22.]])
    >>> layer.backward(x, np.array([[1.0, 1.0], [10.0, 10.0]]))
    array([[ 1.,  2.],
           [11., 22.],
           [10., 20.]])
    >>> layer.gradWeight
    array([21., 11.])

    Reference
    ---------
    Torch7, nn/TemporalSubSampling.lua.
    """

    inputFrameSize: int
    kW: int
    dW: int

    _counts = ("inputFrameSize",)

    def __init__(self, inputFrameSize: int, kW: int, dW: int = 1) -> None:
        self._build((inputFrameSize,), (kW,), (dW,))
