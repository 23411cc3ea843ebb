"""Which class of PyTorch says what a class of torchlite says, and by what settings."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from torchlite import nn
from torchlite.kernels.arrays import Array
from torchlite.nn.nested import is_array

__all__ = [
    "BUFFERS",
    "COMPOSED",
    "PAIRS",
    "Held",
    "Pair",
    "UnsaidError",
    "arrays_of",
    "biases_added",
    "own_parameters",
    "pair_of",
    "settle",
]


class UnsaidError(Exception):
    """What PyTorch or torchlite has no words for, and why."""


class Pair(NamedTuple):
    """A class of torchlite and the class of torch.nn that computes the same.

    Attributes
    ----------
    ours, theirs
        The names.
    there
        Returns by what settings theirs says a layer, or None if it cannot.
    back
        Returns the arguments by which ours says a torch module; raises UnsaidError if it cannot.
    """

    ours: str
    theirs: str
    there: Callable[[Any], dict[str, Any] | None]
    back: Callable[[Any], tuple[Any, ...]]


def _plain(ours: str, theirs: str, settings: str = "", arguments: str | None = None) -> Pair:
    """Return a pair whose settings are called `settings` there; here arguments, if otherwise."""
    names = settings.split()
    held = names if arguments is None else arguments.split()
    return Pair(
        ours,
        theirs,
        lambda layer: dict(zip(names, (getattr(layer, name) for name in held), strict=True)),
        lambda module: tuple(getattr(module, name) for name in names),
    )


# ---------------------------------------------------------------- settings of windows


def _numbers(layer: Any, prefix: str, axes: str) -> tuple[int, ...]:
    return tuple(getattr(layer, prefix + axis, prefix == "dilation") + 0 for axis in axes)


def _given(module: Any, name: str, axes: str) -> tuple[int, ...]:
    """Return a setting of a torch module as one number for each axis, the width first.

    Torch7 has width, height in images, and time, width, height in volumes.
    """
    value = getattr(module, name)
    each = tuple(value) if isinstance(value, (tuple, list)) else (value,) * len(axes)
    if any(not isinstance(n, int) for n in each):
        raise UnsaidError(f"{name} is {value!r}")
    return each[::-1] if len(each) == 2 else (each[0], *each[:0:-1])


def _no(module: Any, **wanted: Any) -> None:
    """Raise unless a torch module has these settings."""
    for name, value in wanted.items():
        if getattr(module, name) != value:
            raise UnsaidError(f"{name} is {getattr(module, name)!r}")


def _convolution(layer: Any, axes: str) -> dict[str, Any]:
    return {
        "in_channels": layer.nInputPlane,
        "out_channels": layer.nOutputPlane,
        "kernel_size": _numbers(layer, "k", axes),
        "stride": _numbers(layer, "d", axes),
        "padding": _numbers(layer, "pad", axes),
        "dilation": _numbers(layer, "dilation", axes),
        "bias": layer.bias is not None,
    }


def _padding(module: Any, axes: str) -> tuple[int, ...]:
    _no(module, padding_mode="zeros")
    if module.padding == "valid":
        return (0,) * len(axes)
    if module.padding != "same":
        return _given(module, "padding", axes)
    reach = zip(_given(module, "dilation", axes), _given(module, "kernel_size", axes), strict=True)
    both = [d * (k - 1) for d, k in reach]
    if any(n % 2 for n in both):
        raise UnsaidError("padding is 'same' around windows of an even size")
    return tuple(n // 2 for n in both)


def _windows(module: Any, axes: str) -> tuple[int, ...]:
    kernel, stride = _given(module, "kernel_size", axes), _given(module, "stride", axes)
    return (*kernel, *stride, *_padding(module, axes))


def _convolved(axes: str, dilated: bool = False) -> Callable[[Any], tuple[Any, ...]]:
    def back(module: Any) -> tuple[Any, ...]:
        _no(module, groups=1)
        dilation = _given(module, "dilation", axes)
        if not dilated and set(dilation) != {1}:
            raise UnsaidError(f"dilation is {module.dilation!r}")
        planes = module.in_channels, module.out_channels
        return (*planes, *_windows(module, axes), *(dilation if dilated else ()))

    return back


def _depth_wise(module: Any) -> tuple[Any, ...]:
    planes = module.in_channels
    if module.groups != planes:
        raise UnsaidError(f"groups is {module.groups}, neither 1 nor in_channels = {planes}")
    _no(module, dilation=(1, 1))
    return (planes, module.out_channels // planes, *_windows(module, "HW"))


def _full_there(axes: str) -> Callable[[Any], dict[str, Any]]:
    def there(layer: Any) -> dict[str, Any]:
        settings = _convolution(layer, axes)
        del settings["dilation"]
        return settings | {"output_padding": _numbers(layer, "adj", axes)}

    return there


def _full_back(axes: str) -> Callable[[Any], tuple[Any, ...]]:
    def back(module: Any) -> tuple[Any, ...]:
        _no(module, groups=1, dilation=(1,) * len(axes))
        planes = module.in_channels, module.out_channels
        return (*planes, *_windows(module, axes), *_given(module, "output_padding", axes))

    return back


def _maxima_there(axes: str) -> Callable[[Any], dict[str, Any]]:
    def there(layer: Any) -> dict[str, Any]:
        return {
            "kernel_size": _numbers(layer, "k", axes),
            "stride": _numbers(layer, "d", axes),
            "padding": _numbers(layer, "pad", axes),
            "dilation": _numbers(layer, "dilation", axes),
            "ceil_mode": layer.ceil_mode,
        }

    return there


def _pooled(module: Any, axes: str) -> tuple[int, ...]:
    names = "kernel_size", "stride", "padding"
    return tuple(n for name in names for n in _given(module, name, axes))


def _maxima_back(axes: str, dilated: bool = False) -> Callable[[Any], tuple[Any, ...]]:
    def back(module: Any) -> tuple[Any, ...]:
        _no(module, return_indices=False)
        dilation = _given(module, "dilation", axes)
        if not dilated and set(dilation) != {1}:
            raise UnsaidError(f"dilation is {module.dilation!r}")
        return (*_pooled(module, axes), *(dilation if dilated else ()))

    return back


def _means_there(axes: str) -> Callable[[Any], dict[str, Any]]:
    def there(layer: Any) -> dict[str, Any]:
        settings = _maxima_there(axes)(layer)
        del settings["dilation"]
        return settings | {"count_include_pad": layer.count_include_pad}

    return there


def _means_back(axes: str) -> Callable[[Any], tuple[Any, ...]]:
    def back(module: Any) -> tuple[Any, ...]:
        _no(module, divisor_override=None)
        windows = _pooled(module, axes)
        return windows if axes == "HW" else windows[:6]

    return back


def _adaptive(ours: str, theirs: str) -> Pair:
    return Pair(
        ours,
        theirs,
        lambda layer: {"output_size": (layer.H, layer.W)},
        lambda module: _given(module, "output_size", "HW"),
    )


def _padded(ours: str, theirs: str, sides: str) -> Pair:
    names = sides.split()
    return Pair(
        ours,
        theirs,
        lambda layer: {"padding": tuple(getattr(layer, name) for name in names)},
        lambda module: tuple(module.padding),
    )


# ---------------------------------------------------------------- settings of other layers


def _batch_norm(ours: str, theirs: str) -> Pair:
    def back(module: Any) -> tuple[Any, ...]:
        _no(module, track_running_stats=True)
        if module.momentum is None:
            raise UnsaidError("momentum is None: an average over all batches")
        if (module.weight is None) is not (module.bias is None):
            raise UnsaidError("it has a weight without a bias, or a bias without a weight")
        return module.num_features, module.eps, module.momentum, module.affine

    def there(layer: Any) -> dict[str, Any]:
        return {
            "num_features": layer.running_mean.size,
            "eps": layer.eps,
            "momentum": layer.momentum,
            "affine": layer.weight is not None,
        }

    return Pair(ours, theirs, there, back)


def _layer_norm_there(layer: Any) -> dict[str, Any]:
    # There eps is added to the mean of the squares, here to their sum.
    n = layer.modules[0].modules[1].modules[1].nfeatures
    eps = layer.modules[2].eps / n
    return {"normalized_shape": n, "eps": eps, "elementwise_affine": len(layer.modules) > 4}


def _layer_norm_back(module: Any) -> tuple[Any, ...]:
    if len(module.normalized_shape) != 1:
        raise UnsaidError(f"normalized_shape is {tuple(module.normalized_shape)!r}")
    if (module.weight is None) is not (module.bias is None):
        raise UnsaidError("it has a weight without a bias")
    (n,) = module.normalized_shape
    return n, 0, module.eps * n, module.weight is not None


def _embedding_there(layer: Any) -> dict[str, Any] | None:
    return {
        "num_embeddings": len(layer.weight),
        "embedding_dim": layer.weight.shape[1],
        "padding_idx": None if layer.paddingValue < 0 else layer.paddingValue,
        "max_norm": layer.maxNorm,
        "norm_type": layer.normType,
        "scale_grad_by_freq": layer.shouldScaleGradByFreq,
    }


def _embedding_back(module: Any) -> tuple[Any, ...]:
    _no(module, sparse=False)
    rows, width = module.weight.shape
    return rows, width, module.padding_idx, module.max_norm, module.norm_type


def _soft_there(layer: Any) -> dict[str, Any] | None:
    # Without a dimension PyTorch warns of what it takes.
    return None if layer.dim is None else {"dim": layer.dim}


def _soft_plus_back(module: Any) -> tuple[Any, ...]:
    if module.threshold < 20:
        raise UnsaidError(f"threshold is {module.threshold!r}: it is no smooth function")
    return (module.beta,)


def _up_sampled_back(module: Any) -> Any:
    """Return what says to which size a module samples up."""
    if module.size is not None:
        size = module.size if isinstance(module.size, tuple) else (module.size,) * 2
        return dict(zip(("odepth", "oheight", "owidth")[-len(size) :], size, strict=True))
    factors = module.scale_factor
    factors = set(factors) if isinstance(factors, tuple) else {factors}
    factor = factors.pop()
    if factors or factor != int(factor):
        raise UnsaidError(f"scale_factor is {module.scale_factor!r}")
    return int(factor)


def _up_sampled_nearest_back(module: Any) -> tuple[Any, ...]:
    _no(module, size=None)
    return (_up_sampled_back(module),)


def _up_sample_back(module: Any) -> tuple[Any, ...]:
    if module.mode not in ("nearest", "bilinear", "trilinear"):
        raise UnsaidError(f"mode is {module.mode!r}")
    target, linear = _up_sampled_back(module), module.mode != "nearest"
    if linear and not module.align_corners:
        raise UnsaidError("align_corners is not True")
    if not linear and isinstance(target, dict):
        raise UnsaidError(f"size is {module.size!r} in the mode 'nearest'")
    return target, "linear" if linear else "nearest"


def _lp_pooled_back(module: Any) -> tuple[Any, ...]:
    _no(module, ceil_mode=False)
    stride = "kernel_size" if module.stride is None else "stride"
    windows = *_given(module, "kernel_size", "HW"), *_given(module, stride, "HW")
    return 1, module.norm_type, *windows


def _local_response_back(module: Any) -> tuple[Any, ...]:
    if module.size % 2 == 0:
        raise UnsaidError(f"size is {module.size!r}, which is even")
    return module.size, module.alpha, module.beta, module.k


# ---------------------------------------------------------------- all of them

# The first row of a torch class that can say a module says it, unless the module says which one.
PAIRS = (
    _plain("Identity", "Identity"),
    Pair(
        "Linear",
        "Linear",
        lambda layer: {
            "in_features": layer.weight.shape[1],
            "out_features": len(layer.weight),
            "bias": layer.bias is not None,
        },
        lambda module: (module.in_features, module.out_features, module.bias is not None),
    ),
    Pair(
        "LinearNoBias",
        "Linear",
        lambda layer: {
            "in_features": layer.weight.shape[1],
            "out_features": len(layer.weight),
            "bias": False,
        },
        lambda module: (module.in_features, module.out_features),
    ),
    Pair("LookupTable", "Embedding", _embedding_there, _embedding_back),
    _plain("ReLU", "ReLU"),
    _plain("ReLU6", "ReLU6"),
    _plain("Tanh", "Tanh"),
    _plain("Sigmoid", "Sigmoid"),
    _plain("ELU", "ELU", "alpha"),
    _plain("LeakyReLU", "LeakyReLU", "negative_slope", "negval"),
    _plain("RReLU", "RReLU", "lower upper"),
    _plain("HardTanh", "Hardtanh", "min_val max_val"),
    _plain("Clamp", "Hardtanh", "min_val max_val"),
    _plain("HardShrink", "Hardshrink", "lambd", "lambda_"),
    _plain("SoftShrink", "Softshrink", "lambd", "lambda_"),
    _plain("TanhShrink", "Tanhshrink"),
    _plain("Threshold", "Threshold", "threshold value", "threshold val"),
    _plain("SoftSign", "Softsign"),
    _plain("LogSigmoid", "LogSigmoid"),
    # Beyond 40 nothing is left of what torch leaves out.
    Pair(
        "SoftPlus",
        "Softplus",
        lambda layer: {"beta": layer.beta, "threshold": 40},
        _soft_plus_back,
    ),
    Pair(
        "PReLU",
        "PReLU",
        lambda layer: {"num_parameters": layer.weight.size},
        lambda module: (module.num_parameters if module.num_parameters > 1 else 0,),
    ),
    Pair("SoftMax", "Softmax", _soft_there, lambda module: (module.dim,)),
    Pair("LogSoftMax", "LogSoftmax", _soft_there, lambda module: (module.dim,)),
    Pair("SoftMin", "Softmin", _soft_there, lambda module: (module.dim,)),
    Pair("SpatialSoftMax", "Softmax2d", lambda layer: {}, lambda module: ()),
    Pair("SpatialLogSoftMax", "LogSoftmax", lambda layer: {"dim": -3}, lambda module: ()),
    _plain("GatedLinearUnit", "GLU", "dim"),
    Pair(
        "Dropout",
        "Dropout",
        lambda layer: (
            {"p": layer.p}
            if layer.v2 and not layer.stochastic_inference and not layer.mono
            else None
        ),
        lambda module: (module.p,),
    ),
    _batch_norm("BatchNormalization", "BatchNorm1d"),
    _batch_norm("SpatialBatchNormalization", "BatchNorm2d"),
    _batch_norm("VolumetricBatchNormalization", "BatchNorm3d"),
    Pair("LayerNormalization", "LayerNorm", _layer_norm_there, _layer_norm_back),
    Pair(
        "SpatialCrossMapLRN",
        "LocalResponseNorm",
        lambda layer: {name: getattr(layer, name) for name in ("size", "alpha", "beta", "k")},
        _local_response_back,
    ),
    Pair("SpatialConvolution", "Conv2d", lambda m: _convolution(m, "HW"), _convolved("HW")),
    Pair("SpatialConvolutionMM", "Conv2d", lambda m: _convolution(m, "HW"), _convolved("HW")),
    Pair(
        "SpatialDilatedConvolution",
        "Conv2d",
        lambda m: _convolution(m, "HW"),
        _convolved("HW", dilated=True),
    ),
    Pair(
        "SpatialDepthWiseConvolution",
        "Conv2d",
        lambda m: _convolution(m, "HW") | {"groups": m.nInputPlane},
        _depth_wise,
    ),
    Pair("VolumetricConvolution", "Conv3d", lambda m: _convolution(m, "THW"), _convolved("THW")),
    Pair(
        "VolumetricDilatedConvolution",
        "Conv3d",
        lambda m: _convolution(m, "THW"),
        _convolved("THW", dilated=True),
    ),
    Pair("SpatialFullConvolution", "ConvTranspose2d", _full_there("HW"), _full_back("HW")),
    Pair("VolumetricFullConvolution", "ConvTranspose3d", _full_there("THW"), _full_back("THW")),
    Pair("SpatialMaxPooling", "MaxPool2d", _maxima_there("HW"), _maxima_back("HW")),
    Pair(
        "SpatialDilatedMaxPooling",
        "MaxPool2d",
        _maxima_there("HW"),
        _maxima_back("HW", dilated=True),
    ),
    Pair("VolumetricMaxPooling", "MaxPool3d", _maxima_there("THW"), _maxima_back("THW")),
    Pair(
        "VolumetricDilatedMaxPooling",
        "MaxPool3d",
        _maxima_there("THW"),
        _maxima_back("THW", dilated=True),
    ),
    Pair("SpatialAveragePooling", "AvgPool2d", _means_there("HW"), _means_back("HW")),
    Pair("VolumetricAveragePooling", "AvgPool3d", _means_there("THW"), _means_back("THW")),
    _adaptive("SpatialAdaptiveMaxPooling", "AdaptiveMaxPool2d"),
    _adaptive("SpatialAdaptiveAveragePooling", "AdaptiveAvgPool2d"),
    Pair(
        "SpatialLPPooling",
        "LPPool2d",
        lambda layer: {
            "norm_type": layer.pnorm,
            "kernel_size": (layer.kH, layer.kW),
            "stride": (layer.dH, layer.dW),
        },
        _lp_pooled_back,
    ),
    _padded("SpatialZeroPadding", "ZeroPad2d", "pad_l pad_r pad_t pad_b"),
    _padded("SpatialReflectionPadding", "ReflectionPad2d", "pad_l pad_r pad_t pad_b"),
    _padded("SpatialReplicationPadding", "ReplicationPad2d", "pad_l pad_r pad_t pad_b"),
    _padded(
        "VolumetricReplicationPadding",
        "ReplicationPad3d",
        "pleft pright ptop pbottom pfront pback",
    ),
    _plain("PixelShuffle", "PixelShuffle", "upscale_factor", "upscaleFactor"),
    Pair(
        "SpatialUpSamplingNearest",
        "UpsamplingNearest2d",
        lambda layer: {"scale_factor": layer.scale_factor},
        _up_sampled_nearest_back,
    ),
    Pair(
        "SpatialUpSamplingBilinear",
        "UpsamplingBilinear2d",
        lambda layer: (
            {"scale_factor": layer.scale_factor}
            if layer.scale_factor
            else {"size": (layer.oheight, layer.owidth)}
        ),
        lambda module: (_up_sampled_back(module),),
    ),
    # PyTorch's takes images or volumes, and Torch7's both.
    Pair("UpSampling", "Upsample", lambda layer: None, _up_sample_back),
    Pair(
        "Bilinear",
        "Bilinear",
        # PyTorch's takes two inputs, and no table.
        lambda layer: None,
        lambda m: (m.in1_features, m.in2_features, m.out_features, m.bias is not None),
    ),
)


def pair_of(layer: Any) -> tuple[Pair, dict[str, Any]] | None:
    """Return the pair that says a layer, and the settings there; None if there is none."""
    for pair in PAIRS:
        if type(layer) is getattr(nn, pair.ours):
            settings = pair.there(layer)
            if settings is not None:
                return pair, settings
    return None


def settle(layer: Any, module: Any) -> None:
    """Give a new layer those settings of a torch module that its constructor does not take."""
    if getattr(module, "ceil_mode", False):
        layer.ceil()
    if type(layer) is nn.VolumetricAveragePooling:
        layer.padT, layer.padW, layer.padH = _given(module, "padding", "THW")
    if not getattr(module, "count_include_pad", True):
        layer.setCountExcludePad()
    if getattr(module, "scale_grad_by_freq", False):
        layer.scaleGradByFreq()
    if getattr(module, "bias", layer.bias) is None and layer.bias is not None:
        layer.noBias()


# ---------------------------------------------------------------- arrays


class Held(NamedTuple):
    """Numbers of a layer as PyTorch has them in one tensor.

    Attributes
    ----------
    parts
        Views of the layer's arrays. Their entries, one after the other, are in PyTorch's order.
    shape
        The shape there.
    """

    parts: tuple[Array, ...]
    shape: tuple[int, ...]

    def values(self) -> Array:
        """Return a copy as PyTorch has it."""
        return np.concatenate([part.reshape(-1) for part in self.parts]).reshape(self.shape)

    def fill(self, values: Array) -> None:
        """Write what PyTorch has to where it belongs."""
        ends = np.cumsum([part.size for part in self.parts])[:-1]
        for part, own in zip(self.parts, np.split(values.reshape(-1), ends), strict=True):
            part[...] = own.reshape(part.shape)


# What is no parameter there.
BUFFERS = frozenset({"running_mean", "running_var", "bias_hh_l0"})


def arrays_of(layer: Any) -> dict[str, Held]:
    """Return the parameters and running statistics of a layer by PyTorch's names."""
    if isinstance(layer, nn.SeqLSTM):
        return _arrays_of_lstm(layer)
    kind = type(layer)
    if kind is nn.LayerNormalization:
        gain, shift = layer.modules[-2:]
        held = {"weight": gain.weight, "bias": shift.bias} if len(layer) > 4 else {}
    else:
        running = {name: getattr(layer, name, None) for name in ("running_mean", "running_var")}
        held = {name: getattr(layer, name) for name in own_parameters(layer)} | running
    found = {k: Held((array,), array.shape) for k, array in held.items() if array is not None}
    if kind is nn.SpatialConvolutionMM:
        each = layer.nOutputPlane, layer.nInputPlane, layer.kH, layer.kW
        found["weight"] = Held((layer.weight,), each)
    elif kind is nn.TemporalConvolution:
        frames = layer.weight.reshape(layer.outputFrameSize, layer.kW, layer.inputFrameSize)
        view = frames.swapaxes(1, 2)
        found["weight"] = Held((view,), view.shape)
    elif kind is nn.SpatialDepthWiseConvolution:
        # All kernels of a plane stand together there, here the first ones of all planes.
        each = layer.depthwiseMultiplier, layer.nInputPlane, layer.kH, layer.kW
        view = layer.weight.reshape(each).swapaxes(0, 1)
        found["weight"] = Held((view,), (layer.nOutputPlane, 1, layer.kH, layer.kW))
        if layer.bias is not None:
            found["bias"] = Held((layer.bias.T,), (layer.nOutputPlane,))
    return found


def _arrays_of_lstm(layer: Any) -> dict[str, Held]:
    inputs, hidden, outputs = layer.inputsize, layer.hiddensize, layer.outputsize
    # Input, forget, candidate, output: the last two stand the other way round here.
    blocks = [slice(n * hidden, (n + 1) * hidden) for n in (0, 1, 3, 2)]

    def rows(part: Array, width: int) -> Held:
        return Held(tuple(part[:, block].T for block in blocks), (4 * hidden, width))

    found = {
        "weight_ih_l0": rows(layer.weight[:inputs], inputs),
        "weight_hh_l0": rows(layer.weight[inputs:], outputs),
        "bias_ih_l0": Held(tuple(layer.bias[block] for block in blocks), (4 * hidden,)),
        # There are two, which are added: one of them is enough.
        "bias_hh_l0": Held((np.zeros_like(layer.bias),), (4 * hidden,)),
    }
    if layer.weightO is not None:
        found["weight_hr_l0"] = Held((layer.weightO.T,), (outputs, hidden))
    return found


def biases_added(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return arrays by PyTorch's names, the second bias of an LSTM added to the first."""
    added = dict(arrays)
    for name, array in arrays.items():
        first, last, behind = name.rpartition("bias_hh_l")
        other = f"{first}bias_ih_l{behind}"
        if last and other in arrays and array.shape == arrays[other].shape:
            added[other] = arrays[other] + array
    return added


def own_parameters(layer: Any) -> dict[str, str]:
    """Return the names of the parameters that stand in a layer itself, and of their gradients."""
    names = {id(value): name for name, value in vars(layer).items() if is_array(value)}
    parameters, gradients = layer.parameters()
    return {
        names[id(parameter)]: names[id(gradient)]
        for parameter, gradient in zip(parameters, gradients, strict=True)
        if id(parameter) in names
    }


# ---------------------------------------------------------------- what torchlite builds of several


def _over_columns(layer: Any) -> Any:
    """Return a network in which a layer of images sees one row of (C, T) or (N, C, T)."""
    return nn.Sequential(nn.Unsqueeze(1, 2), layer, nn.Squeeze(1, 3))


def _line(module: Any, name: str) -> int:
    return _given(module, name, "W")[0]


def _convolved_columns(module: Any, then: list[Any]) -> Any:
    _no(module, groups=1, padding_mode="zeros")
    (padding,) = _padding(module, "W")
    planes = module.in_channels, module.out_channels
    windows = _line(module, "kernel_size"), 1, _line(module, "stride"), 1, padding, 0
    dilation = _line(module, "dilation")
    if dilation == 1:
        return _over_columns(nn.SpatialConvolution(*planes, *windows))
    return _over_columns(nn.SpatialDilatedConvolution(*planes, *windows, dilation, 1))


def _pooled_columns(kind: Any) -> Callable[[Any, list[Any]], Any]:
    def back(module: Any, then: list[Any]) -> Any:
        for name in ("return_indices", "ceil_mode"):
            if getattr(module, name, False):
                raise UnsaidError(f"{name} is True")
        if not getattr(module, "count_include_pad", True):
            raise UnsaidError("count_include_pad is False")
        if getattr(module, "dilation", 1) not in (1, (1,)):
            raise UnsaidError(f"dilation is {module.dilation!r}")
        sizes = (_line(module, name) for name in ("kernel_size", "stride", "padding"))
        kernel, stride, padding = sizes
        return _over_columns(kind(kernel, 1, stride, 1, padding, 0))

    return back


# What stands between Flatten and the layer that says how many entries a sample has.
_EACH_ENTRY = {
    "Dropout", "ELU", "Hardshrink", "Hardtanh", "Identity", "LeakyReLU", "LogSigmoid", "RReLU",
    "ReLU", "ReLU6", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink",
    "Threshold",
}  # fmt: skip


def _flattened(module: Any, then: list[Any]) -> Any:
    _no(module, start_dim=1, end_dim=-1)
    for other in then:
        name = type(other).__name__
        if name in ("Linear", "BatchNorm1d"):
            n = other.in_features if name == "Linear" else other.num_features
            return nn.Reshape(n, True)
        if name not in _EACH_ENTRY:
            break
    raise UnsaidError("no Linear after it says how many entries a sample has")


def _unflattened(module: Any, then: list[Any]) -> Any:
    _no(module, dim=1)
    size = tuple(module.unflattened_size)
    if math.prod(size) < 1:
        raise UnsaidError(f"unflattened_size is {size}")
    return nn.Reshape(*size, True)


def _dropped_planes(kind: Any) -> Callable[[Any, list[Any]], Any]:
    def back(module: Any, then: list[Any]) -> Any:
        layer = kind(module.p)
        layer.v2 = True
        return layer

    return back


def _recurrent(module: Any, then: list[Any]) -> Any:
    _no(module, bias=True)
    both, sizes = module.bidirectional, (module.hidden_size, module.proj_size or None)
    layers: list[Any] = []
    inputs = module.input_size
    for n in range(module.num_layers):
        if both:
            layers.append(nn.SeqBLSTM(inputs, *sizes, nn.JoinTable(2)))
        else:
            layers.append(nn.SeqLSTM(inputs, *sizes))
            layers[-1].batchfirst = module.batch_first
        inputs = (1 + both) * (module.proj_size or module.hidden_size)
        if module.dropout and n < module.num_layers - 1:
            layers.append(nn.Dropout(module.dropout))
    if both and module.batch_first:
        layers = [nn.Transpose((0, 1)), *layers, nn.Transpose((0, 1))]
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


# By the name of a torch class, what makes layers of a module and of those that come after it.
COMPOSED: dict[str, Callable[[Any, list[Any]], Any]] = {
    "AvgPool1d": _pooled_columns(nn.SpatialAveragePooling),
    "Conv1d": _convolved_columns,
    "Dropout2d": _dropped_planes(nn.SpatialDropout),
    "Dropout3d": _dropped_planes(nn.VolumetricDropout),
    "Flatten": _flattened,
    "LSTM": _recurrent,
    "MaxPool1d": _pooled_columns(nn.SpatialMaxPooling),
    "Unflatten": _unflattened,
}
