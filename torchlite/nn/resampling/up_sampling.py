"""UpSampling."""

from collections.abc import Mapping
from typing import Any

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.resampling._resampling import UpSampled

__all__ = ["UpSampling"]


class UpSampling(UpSampled):
    """Batches of images or volumes at a larger size: in blocks, or linear between their entries.

    Maths
    -----
    ::

        size = input.shape[2:]
        scale = (scale_factor,) * len(size)
        wanted = (odepth, oheight, owidth)[-len(size):]
        out = [m or n * scale_factor for m, n in zip(wanted, size)]
        linear = mode == "linear"
        output = upsample_linear(input, out) if linear else upsample_nearest(input, scale)
        gradInput = (
            upsample_linear_back(gradOutput, size)
            if linear
            else upsample_nearest_back(gradOutput, scale)
        )

    All four stand in torchlite.kernels.resampling, each defined by a few lines: see
    `SpatialUpSamplingNearest` and `SpatialUpSamplingBilinear`.

    Shapes
    ------
    input (N, C, H, W) or (N, C, T, H, W); output (N, C, oH, oW) or (N, C, oT, oH, oW), where
    oT = T * scale_factor, oH = H * scale_factor and oW = W * scale_factor, or what is given.

    Parameters
    ----------
    params
        How much larger the output is, at least 1; or its size, for 'linear' alone, as
        {"oheight": oH, "owidth": oW}, for volumes, and for them alone, also "odepth": oT.
    mode
        'nearest', or 'linear' (also 'bilinear' or 'trilinear').

    Attributes
    ----------
    scale_factor, odepth, oheight, owidth
        As above; None where they are not given.
    mode
        'nearest' or 'linear'.

    Conventions
    -----------
    Remembers nothing. In the mode 'nearest' it takes integers and booleans, too, which have no
    gradient.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; params is not a positive integer, and no dict of sizes.
    SettingError
        There is no such mode, or it takes no sizes.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.array([[[[1.0, 2.0]]]])
    >>> nn.UpSampling(2).forward(x)
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    >>> nn.UpSampling({"oheight": 1, "owidth": 3}, "linear").forward(x)
    array([[[[1. , 1.5, 2. ]]]])

    Reference
    ---------
    Torch7, nn/UpSampling.lua.
    """

    def __init__(self, params: int | Mapping[str, int], mode: str = "nearest") -> None:
        if mode not in ("nearest", "linear", "bilinear", "trilinear"):
            expected = "'nearest', 'linear', 'bilinear' or 'trilinear'"
            raise checks.misbuilt(SettingError, self, "mode", expected, repr(mode))
        self.mode = "nearest" if mode == "nearest" else "linear"
        if self.mode == "nearest" and isinstance(params, Mapping):
            hint, got = "the mode 'linear' takes sizes", repr(dict(params))
            raise checks.misbuilt(SettingError, self, "params", "a scale factor", got, hint)
        self._set_target(params, "odepth")

    def _images(self) -> str:
        if self.scale_factor is not None:
            return "(N, C, H, W) or (N, C, T, H, W)"
        return "(N, C, H, W)" if self.odepth is None else "(N, C, T, H, W)"

    def _plan(self, method: str, input: Array) -> Any:
        of_images = self.odepth is None
        of_volumes = self.scale_factor is not None or not of_images
        if not (input.ndim == 4 and of_images) and not (input.ndim == 5 and of_volumes):
            raise checks.misshapen(self, method, "input", self._images(), input)
        if 0 in input.shape[2:]:
            expected = f"{self._images()} with entries in every plane"
            raise checks.misshapen(self, method, "input", expected, input)
        if self.mode == "linear":
            checks.must_be_floating(self, method, "input", input)
        return self._size(input.shape[2:])

    def __repr__(self) -> str:
        sizes = filter(None, (self.odepth, self.oheight, self.owidth))
        wanted = f"{self.scale_factor}x" if self.scale_factor else "x".join(map(str, sizes))
        return f"{type(self).__name__}({wanted}, {self.mode})"
