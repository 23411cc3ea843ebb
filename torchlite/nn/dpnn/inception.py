"""Inception."""

from collections.abc import Mapping
from typing import Any

from torchlite.errors import DTypeError, SettingError
from torchlite.nn import checks
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.containers.depth_concat import DepthConcat
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.convolution.spatial_convolution import SpatialConvolution
from torchlite.nn.module import Module
from torchlite.nn.normalization.spatial_batch_normalization import SpatialBatchNormalization
from torchlite.nn.pooling.spatial_max_pooling import SpatialMaxPooling
from torchlite.nn.transfer.relu import ReLU

__all__ = ["Inception"]

_NEEDED = ("inputSize", "outputSize", "reduceSize")
_DEFAULTS = {
    "reduceStride": (),
    "transfer": None,
    "batchNorm": False,
    "padding": True,
    "kernelSize": (5, 3),
    "kernelStride": (1, 1),
    "poolSize": 3,
    "poolStride": 1,
    "pool": None,
}


class Inception(Decorator):
    """Convolutions of several sizes side by side, each behind one of 1 x 1 that reduces the planes.

    It is a network: a `DepthConcat` of a `Sequential` for each size, one for a pooling, and one
    for a convolution of 1 x 1 alone.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    The columns of modules[0], with n sizes of kernels and [bn] a batch normalization if asked for::

        conv(1) to reduceSize[i], [bn], transfer,
            conv(kernelSize[i]) to outputSize[i], [bn], transfer
        pool, conv(1) to reduceSize[n], [bn], transfer
        conv(1) to reduceSize[n + 1], [bn], transfer

    Shapes
    ------
    input (inputSize, H, W) or (N, inputSize, H, W); output: the columns' planes, one after the
    other, of the size of the largest column.

    Parameters
    ----------
    config
        A dict: the planes `inputSize`; the lists `outputSize` and `kernelSize` ([5, 3] without
        it), with an entry for each size; the list `reduceSize`, with two more (without the last
        there is no last column, and without the one before no convolution after the pooling); the
        lists `reduceStride` and `kernelStride` (1); `transfer`, a module of which each place gets a
        clone (ReLU); `batchNorm` (False); `padding`, whether convolutions keep the size (True);
        `poolSize` (3) and `poolStride` (1), or `pool`, a module.

    Conventions
    -----------
    Remembers its forward, as all containers do. The default pooling has no padding; its smaller
    images are centred among zeros.

    Raises
    ------
    SettingError, DTypeError
        config lacks a key, or has one of another name; a setting does not fit.
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> config = {"inputSize": 3, "outputSize": [4, 6], "reduceSize": [2, 2, 1, 2]}
    >>> net = nn.Inception(config)
    >>> net.forward(np.ones((2, 3, 8, 8))).shape
    (2, 13, 8, 8)

    Reference
    ---------
    dpnn, Inception.lua. Szegedy and others, Going deeper with convolutions, 2015.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        columns = DepthConcat(-3)
        for column in self._columns(self._checked(config)):
            columns.add(Sequential(*column))
        super().__init__(columns)

    def _checked(self, config: Any) -> dict[str, Any]:
        """Return the config with its defaults."""
        if not isinstance(config, Mapping):
            raise checks.misbuilt(DTypeError, self, "config", "a dict", type(config).__name__)
        known = (*_NEEDED, *_DEFAULTS)
        for key in config:
            if key not in known:
                expected = f"keys of {', '.join(known)}"
                raise checks.misbuilt(SettingError, self, "config", expected, repr(key))
        for key in _NEEDED:
            if key not in config:
                raise checks.misbuilt(SettingError, self, "config", f"a dict with {key!r}", "none")
        set_ = {key: value for key, value in config.items() if value is not None}
        whole: dict[str, Any] = {**_DEFAULTS, **set_}
        for key in ("outputSize", "reduceSize", "kernelSize", "kernelStride", "reduceStride"):
            if not isinstance(whole[key], (list, tuple)):
                got = type(whole[key]).__name__
                raise checks.misbuilt(DTypeError, self, f"config[{key!r}]", "a list", got)
        for key, fewest in (("outputSize", "kernelSize"), ("reduceSize", "kernelSize")):
            if len(whole[key]) < len(whole[fewest]):
                expected = f"at least {len(whole[fewest])} long, as {fewest}"
                got = str(len(whole[key]))
                raise checks.misbuilt(SettingError, self, f"config[{key!r}]", expected, got)
        for key in ("transfer", "pool"):
            if not isinstance(whole[key], (Module, type(None))):
                got = type(whole[key]).__name__
                raise checks.misbuilt(DTypeError, self, f"config[{key!r}]", "a Module", got)
        return whole

    @staticmethod
    def _columns(config: dict[str, Any]) -> list[list[Module]]:
        inputs, reduce = config["inputSize"], config["reduceSize"]
        kernels = config["kernelSize"]
        n = len(kernels)

        def entry(key: str, i: int) -> Any:
            values = config[key]
            return values[i] if i < len(values) else None

        def behind(planes: int) -> list[Module]:
            norm: list[Module] = [SpatialBatchNormalization(planes)] if config["batchNorm"] else []
            transfer = config["transfer"]
            return [*norm, ReLU() if transfer is None else transfer.clone()]

        def reduced(i: int) -> list[Module]:
            stride = entry("reduceStride", i) or 1
            conv = SpatialConvolution(inputs, reduce[i], 1, 1, stride, stride)
            return [conv, *behind(reduce[i])]

        columns: list[list[Module]] = []
        for i, size in enumerate(kernels):
            stride = entry("kernelStride", i) or 1
            planes = config["outputSize"][i]
            pad = size // 2 if config["padding"] else 0
            conv = SpatialConvolution(reduce[i], planes, size, size, stride, stride, pad, pad)
            columns.append([*reduced(i), conv, *behind(planes)])
        pool = config["pool"]
        if pool is None:
            size, stride = config["poolSize"], config["poolStride"]
            pool = SpatialMaxPooling(size, size, stride, stride)
        columns.append([pool, *(reduced(n) if entry("reduceSize", n) else [])])
        if entry("reduceSize", n + 1):
            columns.append(reduced(n + 1))
        return columns
