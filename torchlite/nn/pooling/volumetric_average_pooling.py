"""VolumetricAveragePooling."""

from torchlite.nn.pooling._pooling import AveragePooling

__all__ = ["VolumetricAveragePooling"]


class VolumetricAveragePooling(AveragePooling):
    """The mean of every window of each volume.

    Maths
    -----
    ::

        size = pooled_size(
            input.shape[-3:], (kT, kH, kW), (dT, dH, dW), (0, 0, 0), (1, 1, 1), ceil_mode
        )
        windows = (kT, kH, kW), (dT, dH, dW), (0, 0, 0)
        output = mean_windows(input, *windows, size)
        gradInput = mean_windows_back(gradOutput, input.shape[-3:], *windows)

    mean_windows and mean_windows_back stand in torchlite.kernels.means, each defined by a few
    lines: output[n, c, t, y, x] is the mean of input[n, c, t * dT + l, y * dH + i, x * dW + j] with
    l < kT, i < kH and j < kW.

    Shapes
    ------
    input (C, T, H, W) or (N, C, T, H, W); output (C, oT, oH, oW) or (N, C, oT, oH, oW), where
    oT = (T - kT) // dT + 1, oH = (H - kH) // dH + 1 and oW = (W - kW) // dW + 1. After `ceil()` the
    quotients are rounded up, but no window starts behind the volume, and what lies there does not
    count.

    Parameters
    ----------
    kT, kW, kH
        Duration, width and height of the windows.
    dT, dW, dH
        How far they are apart; what is not given is as the window.

    Attributes
    ----------
    ceil_mode
        Whether a last window that reaches beyond the volume counts: set by `ceil()` and `floor()`.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.VolumetricAveragePooling(1, 2, 1, 1, 1, 1)
    >>> x = np.array([[[[1.0, 5.0, 2.0]]]])
    >>> layer.forward(x)
    array([[[[3. , 3.5]]]])
    >>> layer.backward(x, np.array([[[[2.0, 20.0]]]]))
    array([[[[ 1., 11., 10.]]]])

    Reference
    ---------
    Torch7, nn/VolumetricAveragePooling.lua.
    """

    _axes = ("T", "H", "W")
    _printed = ("T", "W", "H")
    kT: int
    kW: int
    kH: int
    dT: int
    dW: int
    dH: int
    padT: int
    padW: int
    padH: int

    def __init__(
        self,
        kT: int,
        kW: int,
        kH: int,
        dT: int | None = None,
        dW: int | None = None,
        dH: int | None = None,
    ) -> None:
        self._build((kT, kH, kW), (dT, dH, dW), (0, 0, 0))
