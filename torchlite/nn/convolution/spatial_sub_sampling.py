"""SpatialSubSampling."""

from torchlite.nn.convolution._sub_sampling import SubSampling

__all__ = ["SpatialSubSampling"]


class SpatialSubSampling(SubSampling):
    """The sum of every window of an image, times a weight for each plane, plus a bias.

    Maths
    -----
    ::

        oH, oW = (input.shape[-2] - kH) // dH + 1, (input.shape[-1] - kW) // dW + 1
        sums = sum_windows(input, (kH, kW), (dH, dW), (0, 0), (oH, oW))
        each = weight[:, None, None]
        output = sums * each + bias[:, None, None]
        gradInput = sum_windows_back(
            gradOutput * each, input.shape[-2:], (kH, kW), (dH, dW), (0, 0)
        )
        gradWeight += scale * (gradOutput * sums).sum((0, 2, 3))
        gradBias += scale * gradOutput.sum((0, 2, 3))

    sum_windows and its gradient stand in torchlite.kernels.means, each defined by an explicit sum:
    sums[n, c, y, x] is input[n, c, y * dH : y * dH + kH, x * dW : x * dW + kW].sum().

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output (nInputPlane, oH, oW) or
    (N, nInputPlane, oH, oW), where oH = (H - kH) // dH + 1 and oW = (W - kW) // dW + 1.

    Parameters
    ----------
    nInputPlane
        An integer of at least 1.
    kW, kH
        Width and height of the windows.
    dW, dH
        How far they are apart.

    Attributes
    ----------
    weight, gradWeight, bias, gradBias
        (nInputPlane,); bias and gradBias are None after noBias().

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kW * kH), the weight first;
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
    >>> layer = nn.SpatialSubSampling(1, 2, 1)
    >>> layer.weight[:], layer.bias[:] = 2, 10
    >>> x = np.array([[[1.0, 0.0, 3.0]]])
    >>> layer.forward(x)
    array([[[12., 16.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0]]]))
    array([[[ 2., 22., 20.]]])
    >>> layer.gradWeight
    array([31.])

    Reference
    ---------
    Torch7, nn/SpatialSubSampling.lua.
    """

    nInputPlane: int
    kW: int
    kH: int
    dW: int
    dH: int

    def __init__(self, nInputPlane: int, kW: int, kH: int, dW: int = 1, dH: int = 1) -> None:
        self._build((nInputPlane,), (kH, kW), (dH, dW))
