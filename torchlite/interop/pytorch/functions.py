"""What layers compute that PyTorch has no class for, as functions of tensors.

Each takes the torch module that stands for the layer and an input. The module has the layer,
without its arrays and modules, as `of`; the parameters under their names; the modules inside as
`inside()`; and `like`, a tensor without entries, of the network's dtype.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS", "LIMITS", "THEIRS", "UNSAID", "beyond"]

# ---------------------------------------------------------------- dimensions and shapes


def _axis(x: Any, dim: int, dims: int | None = None, room: int = 0) -> int:
    """Return a dimension of samples that have dims dimensions, counted from the first of x."""
    return int(dim + x.ndim + room if dim < 0 else dim + (0 if dims is None else x.ndim - dims))


def _reshaped(m: Any, x: Any) -> Any:
    if getattr(m.of, "batchMode", None):
        return x.reshape(len(x), *m.of.size)
    # The layer knows the shape, and what does not fit.
    return x.reshape(m.of.forward(np.broadcast_to(np.False_, tuple(x.shape))).shape)


def _viewed(m: Any, x: Any) -> Any:
    dims, size = m.of.numInputDims, m.of.size
    first = 0 if dims is None else x.ndim - dims
    if -1 in size:
        return x.reshape(*[math.prod(x.shape[:first])][:first], *size)
    # Of a single sample the layer knows whether it is one.
    whole = not first and x.numel() == m.of.numElements
    return _reshaped(m, x) if whole else x.reshape(-1, *size)


def _moved(m: Any, x: Any) -> Any:
    """Return what a layer that only moves entries makes of them."""
    import torch

    numbers = np.arange(float(x.numel())).reshape(tuple(x.shape))
    places = torch.as_tensor(m.of.double().forward(numbers), device=x.device)
    return x.reshape(-1)[places.long()]


def _transposed(m: Any, x: Any) -> Any:
    for one, other in m.of.permutations:
        dims = m.of.numInputDims
        x = x.transpose(_axis(x, one, dims), _axis(x, other, dims))
    return x


def _narrowed(m: Any, x: Any) -> Any:
    size = x.shape[m.of.dimension]
    start = m.of.index % size
    length = m.of.length if m.of.length >= 0 else size + m.of.length + 1 - start
    return x.narrow(m.of.dimension, start, length)


def _replicated(m: Any, x: Any) -> Any:
    axis = _axis(x, m.of.dim, m.of.ndim, room=1)
    x = x.unsqueeze(axis)
    return x.expand(*x.shape[:axis], m.of.nfeatures, *x.shape[axis + 1 :])


def _padded(m: Any, x: Any) -> Any:
    axis = _axis(x, m.of.dim, m.of.nInputDim)
    start = m.of.index if m.of.pad < 0 else x.shape[axis] - m.of.index
    added = x.new_full((*x.shape[:axis], abs(m.of.pad), *x.shape[axis + 1 :]), m.of.value)
    before, behind = x.tensor_split([start], axis)
    return _joined([before, added, behind], axis)


def _constant(m: Any, x: Any) -> Any:
    value = x.new_tensor(m.of.value.real)
    dims = m.of.nInputDim
    return value.expand(*(() if dims is None else x.shape[: x.ndim - dims]), *value.shape).clone()


def _printed(m: Any, x: Any) -> Any:
    print(f"{m.of.prefix}:input\n{tuple(x.shape)}")
    return x


def _copied(m: Any, x: Any) -> Any:
    import torch

    if m.of.intype != m.of.outtype and x.is_floating_point():
        return x.to(torch.from_numpy(np.empty(0, m.of.outtype)).dtype)
    return x.clone() if m.of.forceCopy else x


def _largest_places(m: Any, x: Any) -> Any:
    of_batch = x.ndim > m.of.nInputDim
    places = x.argmax(_axis(x, m.of.dim, x.ndim - 1 if of_batch else None), keepdim=x.ndim == 1)
    return places if m.of.asLong else places.to(x.dtype)


def _joined(tensors: Any, axis: int) -> Any:
    import torch

    return torch.cat(list(tensors), axis)


# ---------------------------------------------------------------- gradients of their own


def _turned(x: Any, change: Callable[[Any], Any]) -> Any:
    """Return x, whose gradient is changed on the way back."""
    x = x.view_as(x)
    if x.requires_grad:
        x.register_hook(change)
    return x


def _clipped(m: Any, x: Any) -> Any:
    # The gradient passes as if nothing were clipped.
    return x.detach().clamp(m.of.minval, m.of.maxval) + (x - x.detach())


def _penalized(m: Any, x: Any) -> Any:
    weight = m.of.l1weight / (x.numel() if m.of.sizeAverage else 1)
    penalty = weight * x.detach().sign()
    return _turned(x, lambda g: g + penalty if m.of.provideOutput else penalty)


# ---------------------------------------------------------------- numbers


def _added(m: Any, x: Any) -> Any:
    constant = m.of.constant_scalar
    return x + (x.new_tensor(constant) if isinstance(constant, np.ndarray) else constant)


def _root(x: Any) -> Any:
    # Where the slope is infinite, it counts as 0.
    return x.where(x != 0, 1).sqrt().where(x != 0, 0)


def _soft(name: str, sign: int = 1) -> Callable[[Any, Any], Any]:
    def along(m: Any, x: Any) -> Any:
        dim = {1: 0, 2: 1, 3: 0, 4: 1}[x.ndim] if m.of.dim is None else m.of.dim
        return getattr(sign * x, name)(dim)

    return along


def _each(m: Any, x: Any, parameter: Any, operation: Callable[[Any, Any], Any]) -> Any:
    """Return what an operation makes of each entry and the parameter that belongs to it."""
    apart = parameter.numel() > 1 and x.ndim != parameter.ndim
    rows = x.reshape(len(x), *parameter.shape) if apart else x
    return operation(rows, parameter).reshape(x.shape)


def _distances(m: Any, x: Any) -> Any:
    differences = x[..., None, :] - m.weight.T
    if hasattr(m, "diagCov"):
        differences = m.diagCov.T * differences
    return _root((differences * differences).sum(-1))


def _units(x: Any) -> Any:
    length = _root((x * x).sum(-1, keepdim=True))
    return x / length.where(length != 0, 1)


def _dropped(together: int) -> Callable[[Any, Any], Any]:
    def dropped(m: Any, x: Any) -> Any:
        keep = 1 - m.of.p
        if not (m.training or m.of.stochastic_inference):
            return x if m.of.v2 else x * keep
        shape = (*x.shape[: x.ndim - together], *[1] * together)
        if getattr(m.of, "mono", False):
            shape = (1, *x.shape[1:])
        kept = x.new_full(shape, keep).bernoulli()
        return x * (kept / keep if m.of.v2 else kept)

    return dropped


def _noisy(m: Any, x: Any) -> Any:
    return x + m.of.mean + (m.of.std * x.detach().new_empty(x.shape).normal_() if m.training else 0)


def _sum(m: Any, x: Any) -> Any:
    axis = _axis(x, m.of.dimension, m.of.nInputDims)
    total = x.sum(axis, keepdim=_keeps(m, x))
    return total / x.shape[axis] if m.of.sizeAverage else total


def _keeps(m: Any, x: Any) -> bool:
    return not (m.of.squeeze and x.ndim > 1)


def _extreme(name: str) -> Callable[[Any, Any], Any]:
    def along(m: Any, x: Any) -> Any:
        axis = _axis(x, m.of.dimension, m.of.nInputDims)
        return getattr(x, name)(axis, keepdim=_keeps(m, x)).values

    return along


def _normalized(m: Any, x: Any) -> Any:
    p, eps = m.of.p, m.of.eps
    if p == math.inf:
        return x / (x.abs().max(-1, keepdim=True).values + eps)
    return x / ((x.abs() ** p).sum(-1, keepdim=True) + eps) ** (1 / p)


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    output = x @ weight.T
    return output if bias is None else output + bias


def _weight_normalized(m: Any, x: Any) -> Any:
    weight = m.v * (m.g / ((m.v * m.v).sum(1, keepdim=True) + m.of.eps).sqrt())
    return _linear(x, weight, m.bias)


def _partial(m: Any, x: Any) -> Any:
    rows = m.of.partition
    return _linear(x, m.weight[rows], None if m.bias is None else m.bias[0, rows])


def _bilinear(m: Any, x: Any) -> Any:
    import torch

    return torch.nn.functional.bilinear(x[0], x[1], m.weight, m.bias)


def _one_hot(m: Any, x: Any) -> Any:
    import torch

    return torch.nn.functional.one_hot(x.long(), m.of.outputSize).to(m.like.dtype)


# ---------------------------------------------------------------- tables


def _mixed(m: Any, x: Any) -> Any:
    gates, experts = x
    lead = gates.ndim - 1
    if not isinstance(experts, (list, tuple)):
        experts = experts.unbind(lead if m.of.dim is None else m.of.dim)
    each = zip(gates.unbind(-1), experts, strict=True)
    return sum(g.reshape(*g.shape, *[1] * (e.ndim - lead)) * e for g, e in each)


def _flat(x: Any) -> list[Any]:
    return [
        leaf for part in x for leaf in (_flat(part) if isinstance(part, (list, tuple)) else [part])
    ]


def _pairwise(m: Any, x: Any) -> Any:
    import torch

    a, b = (rows[None] if rows.ndim == 1 else rows for rows in x)
    return torch.linalg.vector_norm(a - b, m.of.norm, -1)


def _by_rows(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def rows(m: Any, x: Any) -> Any:
        a, b = (rows[None] if rows.ndim == 1 else rows for rows in x)
        return operation(a, b).sum(-1)

    return rows


def _extreme_entry(name: str) -> Callable[[Any, Any], Any]:
    def entries(m: Any, x: Any) -> Any:
        import torch

        return getattr(torch.stack(list(x)), name)(0).values

    return entries


# ---------------------------------------------------------------- containers


def _sequence(m: Any, x: Any) -> Any:
    for module in m.inside():
        x = module(x)
    return x


def _network(m: Any, x: Any) -> Any:
    return _sequence(m, x[None])[0] if x.ndim == 1 else _sequence(m, x)


def _only(m: Any, x: Any) -> Any:
    return m.inside()[0](x)


def _uncast(m: Any, x: Any) -> Any:
    (module,) = m.inside()
    inner = next((parameter.dtype for parameter in module.parameters()), m.like.dtype)
    output = module(_cast(x, inner) if m.of.castin else x)
    return _cast(output, m.like.dtype) if m.of.castout else output


def _cast(x: Any, dtype: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [_cast(part, dtype) for part in x]
    return x.to(dtype) if x.is_floating_point() else x


def _all(m: Any, x: Any) -> list[Any]:
    return [module(x) for module in m.inside()]


def _parallel(m: Any, x: Any) -> list[Any]:
    return [module(part) for module, part in zip(m.inside(), x, strict=True)]


def _mapped(m: Any, x: Any) -> list[Any]:
    return [_only(m, part) for part in x] if m.of.shared else _parallel(m, x)


def _depth_joined(m: Any, x: Any) -> Any:
    import torch

    outputs = _all(m, x)
    sizes = [max(lengths) for lengths in zip(*(y.shape for y in outputs), strict=True)]
    axis = m.of.dimension % len(sizes)
    for i, y in enumerate(outputs):
        pads: list[int] = []
        for dim, (own, whole) in enumerate(zip(y.shape, sizes, strict=True)):
            before = 0 if dim == axis else (whole - own) // 2
            pads = [before, 0 if dim == axis else whole - own - before, *pads]
        outputs[i] = torch.nn.functional.pad(y, pads)
    return _joined(outputs, axis)


def _bottled(m: Any, x: Any) -> Any:
    fused = x.shape[: max(x.ndim - m.of.nInputDim + 1, 0)]
    if len(fused) < 2:
        return _only(m, x)
    output = _only(m, x.reshape(math.prod(fused), *x.shape[len(fused) :]))
    return output.reshape(*fused, *output.shape[1:])


def _with_normed_weight(m: Any, x: Any) -> Any:
    import torch

    (module,) = m.inside()
    weight = m.g / ((m.v * m.v).sum(1, keepdim=True) + 1e-4).sqrt() * m.v
    rows = module.weight.movedim(m.of.outputDim, 0)
    weight = weight.reshape(rows.shape).movedim(0, m.of.outputDim)
    return torch.func.functional_call(module, {"weight": weight}, (x,))


def _graph(m: Any, x: Any) -> Any:
    values: list[Any] = [x]
    modules = m.inside()
    for node in m.of.nodes[1:]:
        before = [values[i] for i in node["inputs"]]
        value = before[0] if len(before) == 1 else before
        if node["module"] is not None:
            value = modules[node["module"]](value)
        elif node["selectindex"] is not None:
            value = value[node["selectindex"]]
        values.append(value)
    return values[-1]


# ---------------------------------------------------------------- sequences


def _lstm(m: Any, x: Any) -> Any:
    import torch

    names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0"
    weights = [getattr(m, name) for name in names if hasattr(m, name)]
    rows, hidden = x.shape[0 if m.of.batchfirst else 1], len(m.bias_ih_l0) // 4
    state = x.new_zeros(1, rows, m.weight_hh_l0.shape[1]), x.new_zeros(1, rows, hidden)
    return torch.lstm(x, state, weights, True, 1, 0.0, m.training, False, m.of.batchfirst)[0]


def _lstm_step(m: Any, x: Any) -> list[Any]:
    x, h, c = x
    i, f, o, z = (_joined([x, h], 1) @ m.weight + m.bias).chunk(4, 1)
    c = f.sigmoid() * c + i.sigmoid() * z.tanh()
    h = o.sigmoid() * c.tanh()
    return [h @ m.weightO if hasattr(m, "weightO") else h, c]


def _gru_step(m: Any, x: Any) -> Any:
    x, h = x
    of_x, of_h = m.weight.tensor_split([x.shape[1]])
    end = 2 * h.shape[1]
    a = x @ of_x + m.bias
    r, u = (a[:, :end] + h @ of_h[:, :end]).sigmoid().chunk(2, 1)
    k = (a[:, end:] + (r * h) @ of_h[:, end:]).tanh()
    return (1 - u) * k + u * h


def _gru(m: Any, x: Any) -> Any:
    import torch

    along = 1 if m.of.batchfirst else 0
    h = x.new_zeros(x.shape[1 - along], len(m.bias) // 3)
    outputs = []
    for step in x.unbind(along):
        h = _gru_step(m, [step, h])
        outputs.append(h)
    return torch.stack(outputs, along)


def _turned_round(x: Any) -> Any:
    return list(x)[::-1] if isinstance(x, (list, tuple)) else x.flip(0)


# ---------------------------------------------------------------- windows


def _over_time(name: str, *settings: str) -> Callable[[Any, Any], Any]:
    """Return a function of frames, one a row, that torch has for those that stand in columns."""

    def frames(m: Any, x: Any) -> Any:
        import torch

        arguments = [getattr(m.of, setting) for setting in settings]
        return getattr(torch.nn.functional, name)(x.mT, *arguments).mT

    return frames


def _temporal(m: Any, x: Any) -> Any:
    import torch

    return torch.nn.functional.conv1d(x.mT, m.weight, m.bias, m.of.dW).mT


def _by_row(m: Any, x: Any) -> Any:
    import torch

    first = m.of.featFirst
    groups = m.of.inputFrameSize
    y = torch.nn.functional.conv1d(x if first else x.mT, m.weight, m.bias, m.of.dW, groups=groups)
    return y if first else y.mT


def _sampled_frames(m: Any, x: Any) -> Any:
    output = _over_time("avg_pool1d", "kW", "dW")(m, x) * m.of.kW * m.weight
    return output if m.bias is None else output + m.bias


def _sampled(m: Any, x: Any) -> Any:
    import torch

    kernel, stride = (m.of.kH, m.of.kW), (m.of.dH, m.of.dW)
    sums = torch.nn.functional.avg_pool2d(x, kernel, stride, divisor_override=1)
    return _with_bias(m, sums * m.weight[:, None, None])


def _with_bias(m: Any, images: Any) -> Any:
    return images if m.bias is None else images + m.bias[:, None, None]


def _local(m: Any, x: Any) -> Any:
    import torch

    geometry = {"stride": (m.of.dH, m.of.dW), "padding": (m.of.padH, m.of.padW)}
    kernel = m.of.kH, m.of.kW
    batch = x if x.ndim == 4 else x[None]
    windows = torch.nn.functional.unfold(batch, kernel, **geometry)
    weight = m.weight.flatten(3).flatten(0, 1)
    output = torch.einsum("nkp,pok->nop", windows, weight).unflatten(2, (m.of.oH, m.of.oW))
    output = output if m.bias is None else output + m.bias
    return output if x.ndim == 4 else output[0]


def _by_table(name: str, back: bool) -> Callable[[Any, Any], Any]:
    def mapped(m: Any, x: Any) -> Any:
        import torch

        table = torch.as_tensor(m.of.connTable, device=x.device)
        planes, made = m.of.nInputPlane, m.of.nOutputPlane
        places = (table[:, 0], table[:, 1]) if back else (table[:, 1], table[:, 0])
        whole = m.weight.new_zeros(*((planes, made) if back else (made, planes)), m.of.kH, m.of.kW)
        whole = whole.index_put(places, m.weight, accumulate=True)
        stride = m.of.dH, m.of.dW
        return getattr(torch.nn.functional, name)(x, whole, m.bias, stride)

    return mapped


def _largest(m: Any, x: Any) -> Any:
    k = max(m.of.minK, math.ceil(m.of.factor * x.shape[-2]))
    return x.gather(-2, x.topk(k, -2).indices.sort(-2).values)


def _feature_pooled(m: Any, x: Any) -> Any:
    windows = x.unfold(1 if m.of.batch_mode else 0, m.of.width, m.of.stride)
    return (windows**m.of.power).sum(-1) ** (1 / m.of.power)


def _up_sampled(m: Any, x: Any) -> Any:
    import torch

    size = None if m.of.scale_factor else (m.of.odepth, m.of.oheight, m.of.owidth)[-(x.ndim - 2) :]
    linear = {4: "bilinear", 5: "trilinear"}[x.ndim]
    how: Any = {"mode": "nearest"}
    if m.of.mode == "linear":
        how = {"mode": linear, "align_corners": True}
    factor = m.of.scale_factor and float(m.of.scale_factor)
    return torch.nn.functional.interpolate(x, size, factor, **how)


def _neighbours(m: Any, x: Any) -> tuple[Any, Any]:
    """Return weighted sums around each place over all planes, and how much of them is inside."""
    import torch

    kernel = x.new_tensor(m.of.kernel)[None, None]
    padding = m.of.kernel.shape[0] // 2, m.of.kernel.shape[1] // 2

    def sums(images: Any) -> Any:
        return torch.nn.functional.conv2d(images, kernel, padding=padding)

    inside = m.of.nInputPlane * sums(x.new_ones(1, *x.shape[-2:]))
    return sums, inside


def _subtracted(m: Any, x: Any) -> Any:
    sums, inside = _neighbours(m, x)
    return x - sums(x.sum(-3, keepdim=True)) / inside


def _divided(m: Any, x: Any) -> Any:
    sums, inside = _neighbours(m, x)
    deviation = _root(sums((x * x).sum(-3, keepdim=True))) / inside
    return x / deviation.where(deviation > m.of.threshold, m.of.thresval)


# ---------------------------------------------------------------- all of them

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "Abs": lambda m, x: x.abs(),
    "Add": lambda m, x: _each(m, x, m.bias, lambda rows, bias: rows + bias),
    "AddConstant": _added,
    "ArgMax": _largest_places,
    "BiSequencer": _only,
    "Bilinear": _bilinear,
    "Bottle": _bottled,
    "CAdd": lambda m, x: _each(m, x, m.bias, lambda rows, bias: rows + bias),
    "CAddTable": lambda m, x: sum(x),
    "CAddTensorTable": lambda m, x: [x[0] + other for other in x[1]],
    "CDivTable": lambda m, x: x[0] / x[1],
    "CMaxTable": _extreme_entry("max"),
    "CMinTable": _extreme_entry("min"),
    "CMul": lambda m, x: _each(m, x, m.weight, lambda rows, weight: rows * weight),
    "CMulTable": lambda m, x: math.prod(x),
    "CReLU": lambda m, x: _joined([x.relu(), (-x).relu()], x.ndim - m.of.nInputDims),
    "CSubTable": lambda m, x: x[0] - x[1],
    "Clip": _clipped,
    "Collapse": lambda m, x: x.flatten(x.ndim - m.of.nInputDim),
    "Concat": lambda m, x: _joined(_all(m, x), m.of.dimension),
    "ConcatTable": _all,
    "Constant": _constant,
    "Contiguous": lambda m, x: x.contiguous(),
    "Convert": _moved,
    "Copy": _copied,
    "CopyGrad": lambda m, x: x,
    "Cosine": lambda m, x: _units(x) @ _units(m.weight).T,
    "CosineDistance": _by_rows(lambda a, b: _units(a) * _units(b)),
    "Decorator": _only,
    "DepthConcat": _depth_joined,
    "DontCast": _uncast,
    "DotProduct": _by_rows(lambda a, b: a * b),
    "Dropout": _dropped(0),
    "Euclidean": _distances,
    "Exp": lambda m, x: x.exp(),
    "FeatureLPPooling": _feature_pooled,
    "FireModule": _only,
    "FlattenTable": lambda m, x: _flat(x),
    "GPU": _only,
    "GradientReversal": lambda m, x: _turned(x, lambda g: -m.of.lambda_ * g),
    "Inception": _only,
    "Index": lambda m, x: x[0].index_select(m.of.dimension, x[1]),
    "JoinTable": lambda m, x: _joined(x, _axis(x[0], m.of.dimension, m.of.nInputDims)),
    "JustElement": lambda m, x: x[0],
    "JustTable": lambda m, x: [x],
    "L1Penalty": _penalized,
    "LinearWeightNorm": _weight_normalized,
    "Log": lambda m, x: x.log(),
    "LogSoftMax": _soft("log_softmax"),
    "MM": lambda m, x: (x[0].mT if m.of.transA else x[0]) @ (x[1].mT if m.of.transB else x[1]),
    "MV": lambda m, x: ((x[0].mT if m.of.trans else x[0]) @ x[1][..., None])[..., 0],
    "MapTable": _mapped,
    "MaskedSelect": lambda m, x: x[0][x[1]],
    "Max": _extreme("max"),
    "Maxout": _network,
    "Mean": _sum,
    "Min": _extreme("min"),
    "MixtureTable": _mixed,
    "Mul": lambda m, x: x * m.weight,
    "MulConstant": lambda m, x: x * m.of.constant_scalar,
    "NaN": _only,
    "Narrow": _narrowed,
    "NarrowTable": lambda m, x: list(x)[m.of.offset % len(x) :][: m.of.length],
    "Normalize": _normalized,
    "OneHot": _one_hot,
    "Padding": _padded,
    "PairwiseDistance": _pairwise,
    "Parallel": lambda m, x: _joined(
        _parallel(m, x.unbind(m.of.inputDimension)), m.of.outputDimension
    ),
    "ParallelTable": _parallel,
    "PartialLinear": _partial,
    "Power": lambda m, x: x**m.of.pow,
    "PrintSize": _printed,
    "Profile": _only,
    "Replicate": _replicated,
    "Reshape": _reshaped,
    "ReverseSequence": lambda m, x: _turned_round(x),
    "ReverseTable": lambda m, x: _turned_round(x),
    "ReverseUnreverse": lambda m, x: _turned_round(_only(m, _turned_round(x))),
    "Select": lambda m, x: x.select(m.of.dimension, m.of.index),
    "SAdd": lambda m, x: -(x + m.of.addend) if m.of.negate else x + m.of.addend,
    "SelectTable": lambda m, x: x[m.of.index],
    "SeqBGRU": _only,
    "SeqBLSTM": _only,
    "SeqBRNN": _only,
    "SeqGRU": _gru,
    "SeqLSTM": _lstm,
    "SeqLSTMP": _lstm,
    "SeqReverseSequence": lambda m, x: x.flip(m.of.dim),
    "SoftMax": _soft("softmax"),
    "SoftMin": _soft("softmax", -1),
    "SpatialContrastiveNormalization": _sequence,
    "SpatialConvolutionLocal": _local,
    "SpatialConvolutionMap": _by_table("conv2d", False),
    "SpatialDivisiveNormalization": _divided,
    "SpatialDropout": _dropped(2),
    "SpatialFullConvolutionMap": _by_table("conv_transpose2d", True),
    "SpatialSubSampling": _sampled,
    "SpatialSubtractiveNormalization": _subtracted,
    "SplitTable": lambda m, x: list(x.unbind(_axis(x, m.of.dimension, m.of.nInputDims))),
    "Sqrt": lambda m, x: _root(x),
    "Square": lambda m, x: x * x,
    "Squeeze": _reshaped,
    "StepGRU": _gru_step,
    "StepLSTM": _lstm_step,
    "Sum": _sum,
    "TemporalConvolution": _temporal,
    "TemporalDynamicKMaxPooling": _largest,
    "TemporalMaxPooling": _over_time("max_pool1d", "kW", "dW"),
    "TemporalRowConvolution": _by_row,
    "TemporalSubSampling": _sampled_frames,
    "Transpose": _transposed,
    "Unsqueeze": lambda m, x: x.unsqueeze(_axis(x, m.of.pos, m.of.numInputDims, room=1)),
    "UpSampling": _up_sampled,
    "View": _viewed,
    "VolumetricDropout": _dropped(3),
    "WeightNorm": _with_normed_weight,
    "WeightedEuclidean": _distances,
    "WhiteNoise": _noisy,
    "ZeroGrad": lambda m, x: _turned(x, lambda g: g.new_zeros(g.shape)),
    "ZipTable": lambda m, x: [list(column) for column in zip(*x, strict=True)],
    "ZipTableOneToMany": lambda m, x: [[x[0], other] for other in x[1]],
    "gModule": _graph,
}

_BATCHES = "one sample: PyTorch's takes batches"
_TABLES = "a table: PyTorch's takes the size to be in the call"
_SEQUENCES = "one that masks, or goes on from a state"
# Of classes that go there, what does not.
LIMITS = {
    "BatchNormalization": _BATCHES,
    "Dropout": "a lazy one",
    "LookupTable": "one after accUpdateOnly()",
    "PReLU": _BATCHES,
    "SeqGRU": _SEQUENCES,
    "SeqLSTM": _SEQUENCES,
    "SeqLSTMP": _SEQUENCES,
    "SpatialBatchNormalization": _BATCHES,
    "SpatialCrossMapLRN": _BATCHES,
    "SpatialFullConvolution": _TABLES,
    "SpatialUpSamplingBilinear": _BATCHES,
    "SpatialUpSamplingNearest": _BATCHES,
    "StepGRU": "one that masks",
    "StepLSTM": "one that masks",
    "VolumetricBatchNormalization": _BATCHES,
    "VolumetricFullConvolution": _TABLES,
}

_DRAWN = "its windows are drawn by torchlite.random"
_INDEXED = "it takes the places of maxima from another layer"
_INSIDE = "what is in it is called once a step, and remembers"
_STEPS = "it is called once a step, and remembers"
_REWARD = "its gradient is that of a reward, which comes from elsewhere"
_MASKS = "it masks"
_DROPS = "it drops as no layer of torch.nn does"
_SPARSE = "its input is lists of indices and values"
_CRITERION = "it computes a criterion, and torch.nn has losses of its own"
# Why others do not.
UNSAID = {
    "CriterionTable": _CRITERION,
    "BiSequencerLM": _INSIDE,
    "FastLSTM": _STEPS,
    "GRU": _STEPS,
    "IndexLinear": _SPARSE,
    "Kmeans": "its clusters move without gradients",
    "ModuleFromCriterion": _CRITERION,
    "CategoricalEntropy": "its gradient has that of an entropy of the whole batch",
    "LSTM": _STEPS,
    "LinearRNN": _STEPS,
    "LookupRNN": _STEPS,
    "LookupTableMaskZero": "its forward writes to its weight",
    "MaskZero": _MASKS,
    "MuFuRu": _STEPS,
    "NCEModule": "it draws noise by torchlite.random",
    "RecGRU": _STEPS,
    "RecLSTM": _STEPS,
    "Recurrence": _STEPS,
    "Recurrent": _STEPS,
    "RecurrentAttention": _INSIDE,
    "Recursor": _STEPS,
    "ReinforceBernoulli": _REWARD,
    "ReinforceCategorical": _REWARD,
    "ReinforceGamma": _REWARD,
    "ReinforceNormal": _REWARD,
    "Repeater": _INSIDE,
    "Sequencer": _INSIDE,
    "SparseLinear": _SPARSE,
    "SpatialFractionalMaxPooling": _DRAWN,
    "SpatialMaxUnpooling": _INDEXED,
    "SpatialRegionDropout": _DROPS,
    "TotalDropout": _DROPS,
    "TrimZero": _MASKS,
    "VariableLength": _MASKS,
    "VolumetricFractionalMaxPooling": _DRAWN,
    "VolumetricMaxUnpooling": _INDEXED,
}

# Why some of PyTorch's classes do not come here.
THEIRS = {
    "GRU": "its reset gate acts after the recurrent product, that of SeqGRU before it",
}


def beyond(layer: Any) -> str:
    """Return what a layer of a class that goes there has that does not, or ""."""
    if type(layer).__name__ == "LookupTable" and layer.gradWeight is None:
        return "after accUpdateOnly() it has no gradient"
    if getattr(layer, "lazy", False):
        return "it is lazy: it keeps its noise until a backward"
    if getattr(layer, "maskzero", False):
        return "it masks"
    if getattr(layer, "startState", None) is not None:
        return "it has a start state"
    if getattr(layer, "_remember", "neither") != "neither":
        return "it goes on from one sequence to the next"
    return ""
