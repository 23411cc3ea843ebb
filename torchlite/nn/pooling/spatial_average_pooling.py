"""SpatialAveragePooling."""

from torchlite.nn.pooling._pooling import AveragePooling

__all__ = ["SpatialAveragePooling"]


class SpatialAveragePooling(AveragePooling):
    """The mean of every window of each plane.

    Maths
    -----
    ::

        size = pooled_size(input.shape[-2:], (kH, kW), (dH, dW), (padH, padW), (1, 1), ceil_mode)
        windows = (kH, kW), (dH, dW), (padH, padW)
        output = mean_windows(input, *windows, size, count_include_pad)
        gradInput = mean_windows_back(gradOutput, input.shape[-2:], *windows, count_include_pad)

    mean_windows and mean_windows_back stand in torchlite.kernels.means, each defined by a few
    lines: output[n, c, y, x] is the mean of input[n, c, y * dH - padH + i, x * dW - padW + j] with
    i < kH and j < kW, where what is outside the image is 0.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = (H + 2 * padH - kH) // dH + 1 and oW = (W + 2 * padW - kW) // dW + 1. After `ceil()` the
    quotients are rounded up, but no window starts behind the image.

    Parameters
    ----------
    kW, kH
        Width and height of the windows.
    dW, dH
        How far they are apart: 1 if it is not given, unlike that of SpatialMaxPooling.
    padW, padH
        How many zeros stand at each side of the image: at most half of kW and kH.

    Attributes
    ----------
    ceil_mode
        Whether a last window that reaches beyond the padded image counts: set by `ceil()` and
        `floor()`.
    count_include_pad
        Whether zeros of the padding count in the mean (what lies beyond it never does): set by
        `setCountIncludePad()` and `setCountExcludePad()`.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.
    SettingError
        The padding is wider than half a window.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialAveragePooling(2, 1)
    >>> x = np.array([[[1.0, 5.0, 2.0]]])
    >>> layer.forward(x)
    array([[[3. , 3.5]]])
    >>> layer.backward(x, np.array([[[2.0, 20.0]]]))
    array([[[ 1., 11., 10.]]])

    Reference
    ---------
    Torch7, nn/SpatialAveragePooling.lua.
    """

    kW: int
    kH: int
    dW: int
    dH: int
    padW: int
    padH: int

    def __init__(
        self, kW: int, kH: int, dW: int = 1, dH: int = 1, padW: int = 0, padH: int = 0
    ) -> None:
        self._build((kH, kW), (dH, dW), (padH, padW))
