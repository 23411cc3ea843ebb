"""SpatialLPPooling."""

from torchlite.nn import checks
from torchlite.nn._network import OneLayer
from torchlite.nn.pooling.spatial_average_pooling import SpatialAveragePooling
from torchlite.nn.transfer.mul_constant import MulConstant
from torchlite.nn.transfer.power import Power
from torchlite.nn.transfer.sqrt import Sqrt
from torchlite.nn.transfer.square import Square

__all__ = ["SpatialLPPooling"]


class SpatialLPPooling(OneLayer):
    """The p-norm of every window of each plane.

    It is a network, as in Torch7: modules[0] takes the powers, modules[1] the means of the windows,
    modules[2] makes sums of them, modules[3] takes the roots.

    Maths
    -----
    ::

        out = windowed_size(input.shape[-2:], (kH, kW), (dH, dW), (0, 0), (1, 1))
        sums = sum_windows(input**pnorm, (kH, kW), (dH, dW), (0, 0), out)
        output = sums ** (1 / pnorm)
        slopes = gradOutput * sums ** (1 / pnorm - 1)
        spread = sum_windows_back(slopes, input.shape[-2:], (kH, kW), (dH, dW), (0, 0))
        gradInput = spread * input ** (pnorm - 1)

    sum_windows and sum_windows_back stand in torchlite.kernels.means, each defined by a few lines.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, oH, oW) or (N, C, oH, oW), where
    oH = (H - kH) // dH + 1 and oW = (W - kW) // dW + 1.

    Parameters
    ----------
    nInputPlane
        The number of planes, which does not matter.
    pnorm
        The exponent, positive.
    kW, kH
        Width and height of the windows.
    dW, dH
        How far they are apart; if it is not given, as far as they are wide and high.

    Conventions
    -----------
    No absolute values are taken: where pnorm is odd, terms cancel, and where it is no integer, a
    negative entry gives NaN. Where a norm is 0, its gradient is 0 (but for pnorm 1, a mere sum);
    for a pnorm below 1, so is that of an entry that is 0. Remembers its forward, as every
    `Sequential`.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.
    SettingError
        pnorm is not positive.
    StateError
        A backward of another input than the last forward's.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialLPPooling(1, 2, 2, 1)
    >>> x = np.array([[[3.0, 4.0, 0.0, 2.0]]])
    >>> layer.forward(x)
    array([[[5., 2.]]])
    >>> layer.backward(x, np.array([[[10.0, 1.0]]]))
    array([[[6., 8., 0., 1.]]])

    Reference
    ---------
    Torch7, nn/SpatialLPPooling.lua.
    """

    kW: int
    kH: int
    dW: int
    dH: int

    def __init__(
        self,
        nInputPlane: int,
        pnorm: float,
        kW: int,
        kH: int,
        dW: int | None = None,
        dH: int | None = None,
    ) -> None:
        checks.size(self, "nInputPlane", nInputPlane)
        checks.positive_number(self, "pnorm", pnorm)
        self.pnorm = pnorm
        strides = kW if dW is None else dW, kH if dH is None else dH
        for name, value in zip(("kW", "kH", "dW", "dH"), (kW, kH, *strides), strict=True):
            setattr(self, name, checks.at_least(self, name, value, 1))
        means = SpatialAveragePooling(self.kW, self.kH, self.dW, self.dH)
        super().__init__(
            Square() if pnorm == 2 else Power(pnorm),
            means,
            MulConstant(means.kW * means.kH),
            Sqrt() if pnorm == 2 else Power(1 / pnorm),
        )
