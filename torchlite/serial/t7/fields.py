"""What Torch7's classes call what torchlite's hold: a row a class, where the two differ.

The rule needs no row: a field of Torch7 is the attribute of the same name, an argument of the
constructor the field of the same name, and every other array has the shape that the constructor
gives it. A row says what is otherwise.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from torchlite import nn
from torchlite.kernels.arrays import Array
from torchlite.nn.stateful import Stateful, parts
from torchlite.serial.t7 import nngraph
from torchlite.serial.t7.plain import shown
from torchlite.serial.t7.values import Object, Storage
from torchlite.serial.values import RefusalError

__all__ = [
    "OTHERWISE",
    "PLAIN",
    "ROWS",
    "WORKSPACE",
    "Fields",
    "Row",
    "array_of",
    "type_of",
    "undrawn",
]

# By name; when they are read, "class" is the name of Torch7's class.
Fields = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """What is otherwise in one class.

    Attributes
    ----------
    arguments
        How constructor arguments follow from the fields, for those that no field names.
    renamed
        By attribute, the field that holds it.
    one_based
        Attributes that hold positions, which Torch7 counts from one.
    from_end
        Those of them that Torch7, too, counts from the end where they are negative.
    labels
        Those of them for which Torch7's 0 says that there is none, here -1.
    settings
        Attributes that no argument of the constructor sets.
    hidden
        Attributes that Torch7 does not have.
    ours
        Settings that Torch7 does not have, and the value at which it does the same.
    made
        Fields that Torch7's constructor makes and torchlite does not need: values, or functions
        of the module and its dtype. They are written, and not read.
    left_out
        Fields that Torch7 leaves out at this value.
    sizes
        The fields whose product is the size of the weight.
    version
        The class version that Torch7 writes.
    read
        Brings the fields of a file up to date, in place.
    write
        Changes the fields of a module that is written, in place.
    build
        Makes the module of its fields, in the place of the constructor.
    finish
        Sets what the rest leaves open; returns a module that is to stand in its place, or None.
    """

    arguments: Mapping[str, Callable[[Fields], Any]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    one_based: tuple[str, ...] = ()
    from_end: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    ours: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, Any] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()
    version: int = 1
    read: Callable[[Fields], None] | None = None
    write: Callable[[Any, Fields], None] | None = None
    build: Callable[[Fields], Stateful] | None = None
    finish: Callable[[Any, Fields], Stateful | None] | None = None


# ---------------------------------------------------------------- what rows are made of


def _tensor(module: Any, dtype: Any) -> Any:
    return np.zeros(0, dtype)


def _indices(module: Any, dtype: Any) -> Any:
    return np.zeros(0, "int64")


def _table(module: Any, dtype: Any) -> Any:
    return []


def _pair(module: Any, dtype: Any) -> Any:
    return [np.zeros(0, dtype), np.zeros(0, dtype)]


def _zeros(*shape: int) -> Callable[[Any, Any], Any]:
    return lambda module, dtype: np.zeros(shape, dtype)


def _sizes(*numbers: int) -> Callable[[Any, Any], Any]:
    return lambda module, dtype: _storage(numbers)


def _storage(numbers: Any, dtype: str = "int64") -> Any:
    return Storage(np.array(numbers, dtype))


def _length(name: str, axis: int) -> Callable[[Fields], int]:
    """Return a function that says how long an array is."""

    def length(fields: Fields) -> int:
        array = array_of(fields, name)
        if array.ndim <= axis:
            problem = f"must have {axis + 1} dimensions, got {array.shape}"
            raise RefusalError(name, problem)
        return int(array.shape[axis])

    return length


def array_of(fields: Fields, name: str) -> Array:
    """Return a field that must be there and be an array."""
    value = fields.get(name)
    if not isinstance(value, np.ndarray):
        got = "is missing" if value is None else f"must be a tensor, got {shown(value)}"
        raise RefusalError(name, got)
    return value


def _whole_numbers(fields: Fields, name: str) -> Array:
    """Return a tensor of positions, which Torch7 often keeps as floating numbers."""
    array = array_of(fields, name)
    with np.errstate(invalid="ignore"):
        whole = array.astype("int64")
    if not np.array_equal(whole, array):
        raise RefusalError(name, "must hold whole numbers")
    return whole


def _kind(fields: Fields) -> Any:
    """Return torchlite's class of the object that is read."""
    return getattr(nn, fields["class"].rpartition(".")[2])


def _has(name: str) -> Callable[[Fields], bool]:
    return lambda fields: fields.get(name) is not None


def _shape_of(name: str) -> Callable[[Fields], Any]:
    return lambda fields: array_of(fields, name).shape


def _with_bias(**sizes: tuple[str, int]) -> Mapping[str, Callable[[Fields], Any]]:
    lengths = {argument: _length(*where) for argument, where in sizes.items()}
    return {**lengths, "bias": _has("bias")}


# ---------------------------------------------------------------- convolutions


def _padding(fields: Fields) -> None:
    """Old files say one padding for both directions, and have weights of two dimensions."""
    if fields.get("padding") is not None:
        fields["padW"] = fields["padH"] = fields.pop("padding")
    for name in ("padW", "padH"):
        if fields.get(name) is None:
            fields[name] = 0
    if fields.get("groups", 1) != 1:
        raise RefusalError("groups", "torchlite has no convolution in groups")


def _spatial(*sizes: str, **more: Any) -> Row:
    return Row(sizes=sizes, **{"read": _padding, **more})


_PLANES = ("nOutputPlane", "nInputPlane", "kH", "kW")
_VOLUMES = ("nOutputPlane", "nInputPlane", "kT", "kH", "kW")
_UNFOLDED = {"finput": _tensor, "fgradInput": _tensor}


def _old_depth_wise(fields: Fields) -> None:
    _padding(fields)
    if fields.get("depthwiseMultiplier") is None:
        fields["depthwiseMultiplier"] = fields["nOutputPlane"]
        fields.pop("nOutputPlane")


def _connections(fields: Fields) -> Any:
    table = _whole_numbers(fields, "connTable")
    if table.size:
        outputs = int(table[..., -1].max())
        if fields.get("bias") is not None and array_of(fields, "bias").size != outputs:
            raise RefusalError("connTable", f"names {outputs} planes, and there are others in bias")
    return table - 1


def _count_connections(module: Any, fields: Fields) -> None:
    fields["connTable"] = (module.connTable + 1).astype(module.weight.dtype)


_MAP = Row(
    arguments={"conMatrix": _connections},
    hidden=("connTable",),
    write=_count_connections,
)


# ---------------------------------------------------------------- normalization


def _old_statistics(fields: Fields) -> None:
    deviation = fields.pop("running_std", None)
    if deviation is not None and fields.get("running_var") is None:
        if not isinstance(deviation, np.ndarray) or not isinstance(fields.get("eps"), (int, float)):
            raise RefusalError("running_std", "must be a tensor, and eps a number")
        with np.errstate(all="ignore"):
            fields["running_var"] = (deviation**-2.0 - fields["eps"]).astype(deviation.dtype)
    if fields.get("affine") is None:
        fields["affine"] = fields.get("weight") is not None


_BATCH = Row(
    arguments={"nOutput": _length("running_mean", 0)},
    version=2,
    read=_old_statistics,
    settings=("train",),
)


# Of one that is the same in both directions, the square is made.
_WIDEST = 1000


def _kernel_of(module: Any) -> Any:
    return module.kernel.astype(module.type())


def _neighbourhood(fields: Fields) -> Stateful:
    kind = _kind(fields)
    kernel = array_of(fields, "kernel").astype("float64")
    if kernel.ndim == 1 and kernel.size > _WIDEST:
        raise RefusalError("kernel", f"must be at most {_WIDEST} long, got {kernel.size}")
    values = {
        name: fields[name]
        for name in ("nInputPlane", "threshold", "thresval")
        if isinstance(fields.get(name), (int, float))
    }
    made: Any = kind(kernel=kernel, **values)
    # Its sum is 1 already; dividing by it again would change the last digits.
    own = np.outer(kernel, kernel) if kernel.ndim == 1 else kernel
    for part in made.modules or [made]:
        if np.allclose(part.kernel, own, rtol=1e-3):
            part.kernel = own
    return made


def _mean_estimator(module: Any, *first: Any) -> Any:
    """Return what Torch7 takes the means of a neighbourhood with."""
    high, wide = module.kernel.shape
    n, dtype = module.nInputPlane, module.type()
    sums = undrawn(nn.SpatialConvolution)(n, 1, wide, high).type(dtype)
    sums.weight[...] = module.kernel
    left, top = wide // 2, high // 2
    padding = nn.SpatialZeroPadding(left, left, top, top)
    return nn.Sequential(*first, padding, sums, nn.Replicate(n, 0, 3)).type(dtype)


def _write_neighbourhood(module: Any, fields: Fields) -> None:
    dtype = module.type()
    fields["kernel"] = _kernel_of(module)
    fields["meanestimator"] = _mean_estimator(module)
    fields["divider"] = nn.CDivTable().type(dtype)
    fields["coef"] = np.zeros((1, 1, 1), dtype)
    if isinstance(module, nn.SpatialDivisiveNormalization):
        estimator = _mean_estimator(module, nn.Square())
        fields["stdestimator"] = estimator.add(nn.Sqrt().type(dtype))
        fields["normalizer"] = nn.CDivTable().type(dtype)
        thresholder = nn.Threshold(module.threshold, module.thresval)
        fields["thresholder"] = thresholder.type(dtype)
    else:
        fields["subtractor"] = nn.CSubTable().type(dtype)


def _write_contrastive(module: Any, fields: Fields) -> None:
    subtractive, divisive = fields.pop("modules")
    fields["normalizer"] = nn.Sequential(subtractive, divisive).type(module.type())
    fields["kernel"] = _kernel_of(divisive)
    for name in ("nInputPlane", "threshold", "thresval"):
        fields[name] = getattr(divisive, name)


_NEIGHBOURHOOD = Row(
    build=_neighbourhood, hidden=("kernel",), made={"coef": None}, write=_write_neighbourhood
)


# ---------------------------------------------------------------- weight norm, partial linear


def _rows_first(module: Any) -> tuple[int, ...]:
    """Return the shape of the weight with its outputs first."""
    return tuple(np.moveaxis(module.modules[0].weight, module.outputDim, 0).shape)


def _weight_norm_fields(fields: Fields) -> None:
    for name in ("v", "gradV"):
        value = fields.get(name)
        if isinstance(value, np.ndarray) and value.ndim > 2:
            fields[name] = value.reshape(len(value), -1)
    for name in ("g", "gradG"):
        value = fields.get(name)
        if isinstance(value, np.ndarray) and value.ndim == 1:
            fields[name] = value[:, None]


def _write_weight_norm(module: Any, fields: Fields) -> None:
    shape = _rows_first(module)
    fields["viewIn"] = _storage(module.v.shape)
    fields["viewOut"] = _storage(shape)
    fields["weightSize"] = _storage(module.modules[0].weight.shape)
    fields["otherDims"] = module.v.shape[1]
    fields["_norm"] = np.zeros_like(module.g)
    fields["_scale"] = np.zeros_like(module.g)
    if module.bias is not None:
        fields["bias"], fields["gradBias"] = module.bias, module.gradBias
    inside = module.modules[0]
    fields["weight"], fields["gradWeight"] = inside.weight, inside.gradWeight


def _partial_linear(fields: Fields) -> None:
    network = fields.pop("network", None)
    try:
        table = network.modules[0].modules[1]
        fields["weight"], fields["gradWeight"] = table.weight, table.gradWeight
    except (AttributeError, LookupError, TypeError):
        problem = "must be a Sequential of a ParallelTable with a LookupTable, and an MM"
        raise RefusalError("network", problem) from None
    for name in ("allcolumns", "inputsize", "outputsize"):
        fields.pop(name, None)


def _set_partition(module: Any, fields: Fields) -> None:
    module.setPartition(_whole_numbers(fields, "partition") - 1)


def _write_partial_linear(module: Any, fields: Fields) -> None:
    dtype = module.weight.dtype
    outputs, inputs = module.weight.shape
    table = undrawn(nn.LookupTable)(outputs, inputs).type(dtype)
    table.weight, table.gradWeight = fields.pop("weight"), fields.pop("gradWeight")
    pair = nn.ParallelTable(nn.Identity(), table)
    fields["network"] = nn.Sequential(pair, nn.MM(False, True)).type(dtype)
    fields["inputsize"], fields["outputsize"] = inputs, outputs
    fields["allcolumns"] = np.arange(1, outputs + 1, dtype=dtype)
    fields["partition"] = (module.partition + 1).astype(dtype)


# ---------------------------------------------------------------- networks that are one layer


def _modules(fields: Fields, *kinds: Any) -> list[Any]:
    """Return the modules, which must be of these kinds; Module stands for any."""
    modules = fields.get("modules")
    if not (
        isinstance(modules, list)
        and len(modules) == len(kinds)
        and all(map(isinstance, modules, kinds))
    ):
        names = ", ".join(kind.__name__ for kind in kinds)
        raise RefusalError("modules", f"must be {names}")
    return modules


def _network(kind: Any, modules: list[Any]) -> Any:
    made = kind.__new__(kind)
    nn.Sequential.__init__(made, *modules)
    return made


def _maxout(fields: Fields) -> Stateful:
    between = len(fields.get("modules") or ()) - 3
    kinds = nn.Linear, nn.View, *[nn.Module] * between, nn.Max
    made: Stateful = _network(nn.Maxout, _modules(fields, *kinds))
    return made


def _layer_normalization(fields: Fields) -> Stateful:
    kinds = nn.ConcatTable, nn.CSubTable, nn.Normalize, nn.MulConstant
    affine = (nn.CMul, nn.Add) if len(fields.get("modules") or ()) > len(kinds) else ()
    modules = _modules(fields, *kinds, *affine)
    mean: Any = modules[0].modules[1].modules if len(modules[0].modules) == 2 else ()
    if len(mean) != 2 or not isinstance(mean[1], nn.Replicate):
        raise RefusalError("modules", "must begin with a ConcatTable of Identity and the means")
    # Torch7's own takes the means of a batch for one sample.
    mean[1].dim, mean[1].ndim = 1, None
    made: Any = _network(nn.LayerNormalization, modules)
    made._bias = 0
    return made


def _lp_pooling(fields: Fields) -> Stateful:
    modules = fields.get("modules")
    # Old ones take sums at once: see _sums.
    if isinstance(modules, list) and len(modules) == 3 and isinstance(modules[1], nn.Sequential):
        fields["modules"] = [modules[0], *modules[1].modules, modules[2]]
    modules = _modules(fields, nn.Module, nn.SpatialAveragePooling, nn.MulConstant, nn.Module)
    power, means = modules[0], modules[1]
    made: Any = _network(nn.SpatialLPPooling, modules)
    made.pnorm = power.pow if isinstance(power, nn.Power) else 2
    for name in ("kW", "kH", "dW", "dH"):
        setattr(made, name, getattr(means, name))
    return made


def _write_crelu(module: Any, fields: Fields) -> None:
    both = nn.ConcatTable(nn.Identity(), nn.MulConstant(-1))
    modules = nn.Sequential(both, nn.JoinTable(1), nn.ReLU(module.inplace)).type(module.type())
    fields["modules"] = list(modules)


def _decorator(fields: Fields) -> Stateful:
    """Return a network that is one layer, and joins the planes of one image, too."""
    kind = _kind(fields)
    (module,) = _modules(fields, nn.Module)
    made = kind.__new__(kind)
    nn.Decorator.__init__(made, module)
    for part in parts([module]):
        # Torch7's own takes batches alone.
        if isinstance(part, nn.Concat) and part.dimension == 1:
            part.dimension = -3
    return made


def _of_batches(module: Any) -> Any:
    """Return a network of the same arrays that joins planes as Torch7 does, of batches."""
    made = copy.copy(module)
    if isinstance(made, nn.Concat):
        made.dimension = 1
    if isinstance(made, nn.Container):
        made.modules = [_of_batches(part) for part in made.modules]
    return made


def _write_decorator(module: Any, fields: Fields) -> None:
    fields["modules"] = [_of_batches(module.modules[0])]
    fields["module"] = fields["modules"][0]


def _write_fire(module: Any, fields: Fields) -> None:
    _write_decorator(module, fields)
    squeeze, activation, both, _ = module.modules[0].modules
    fields["nInputPlane"], fields["s1x1"] = squeeze.nInputPlane, squeeze.nOutputPlane
    fields["e1x1"], fields["e3x3"] = (conv.nOutputPlane for conv in both.modules)
    fields["activation"] = type(activation).__name__


# ---------------------------------------------------------------- others


def _tree(fields: Fields) -> Stateful:
    children = _whole_numbers(fields, "childIds").reshape(-1) - 1
    spans = _whole_numbers(fields, "parentChildren")
    if spans.ndim != 2 or spans.shape[1] != 2:
        raise RefusalError("parentChildren", f"must be (n, 2), got {spans.shape}")
    spans = np.where(spans[:, :1] > 0, spans, 0)
    counts = spans[:, 1]
    if not (spans.min(initial=0) >= 0 and counts.max(initial=0) <= len(children) == counts.sum()):
        raise RefusalError("parentChildren", "must say of all children where they begin")
    if _length("weight", 0)(fields) != len(children):
        raise RefusalError("weight", f"must have {len(children)} rows, one for each of childIds")
    hierarchy = {
        parent: children[start - 1 : start - 1 + count]
        for parent, (start, count) in enumerate(spans.tolist())
        if start
    }
    order = sorted(hierarchy, key=lambda parent: spans[parent, 0])
    root = fields.get("rootId", 1)
    if type(root) is not int:
        raise RefusalError("rootId", f"must be a whole number, got {shown(root)}")
    made = undrawn(nn.SoftMaxTree)(
        _length("weight", 1)(fields), {parent: hierarchy[parent] for parent in order}, root - 1
    )
    if made.childIds != children.tolist():
        raise RefusalError(
            "childIds", "must be the children of parentChildren, one after the other"
        )
    return made


def _write_tree(module: Any, fields: Fields) -> None:
    children, parents = np.array(module.childIds), np.array(module.parentIds)
    spans = np.full((parents.max() + 1, 2), -1)
    of_child = np.full((children.max() + 1, 2), -1)
    for row, (child, parent) in enumerate(zip(children, parents, strict=True)):
        if spans[parent, 0] < 0:
            spans[parent] = row + 1, 0
        spans[parent, 1] += 1
        of_child[child] = parent + 1, spans[parent, 1]
    inner = list(dict.fromkeys(module.parentIds))
    depths: dict[int, tuple[int, int]] = {module.rootId: (1, int(spans[module.rootId, 1]))}
    below = [module.rootId]
    for node in below:
        start, count = spans[node] if node < len(spans) else (-1, 0)
        for child in children[start - 1 : start - 1 + count].tolist() if start > 0 else ():
            if child in inner:
                path, family = depths[node]
                depths[child] = path + 1, family + int(spans[child, 1])
                below.append(child)
    fields |= {
        "inputSize": module.weight.shape[1],
        "rootId": module.rootId + 1,
        "childIds": (children + 1).astype("int32"),
        "parentIds": (np.array(inner) + 1).astype("int32"),
        "parentChildren": spans.astype("int32"),
        "childParent": of_child.astype("int32"),
        "nChildNode": len(children),
        "nParentNode": len(inner),
        "minNodeId": int(min(children.min(), parents.min())) + 1,
        "maxNodeId": int(max(children.max(), parents.max())) + 1,
        "maxParentId": len(spans),
        "maxChildId": len(of_child),
        "maxFamily": int(spans[:, 1].max()),
        "maxDept": max(path for path, _ in depths.values()),
        "maxFamilyPath": max(family for _, family in depths.values()),
    }


def _keep_unigrams(module: Any, fields: Fields) -> None:
    # Divided by their sum again, they would change in the last digits.
    module.unigrams = array_of(fields, "unigrams").astype("float64")


def _write_nce(module: Any, fields: Fields) -> None:
    other, share = module.alias_tables()
    tables = {"J": other + 1, "q": share, "dpnn_parameters": ["J", "q"]}
    fields["unigrams"] = module.unigrams
    fields["aliasmultinomial"] = Object("torch.AliasMultinomial", tables)


def _write_entropy(module: Any, fields: Fields) -> None:
    dtype = module.type()
    share = nn.MulConstant(1)
    logarithm = nn.Sequential(nn.AddConstant(0.000001), nn.Log())
    fields["module"] = nn.Sequential(
        nn.Sum(0),
        share,
        nn.ConcatTable(nn.Identity(), logarithm),
        nn.CMulTable(),
        nn.Sum(),
        nn.MulConstant(-1),
    ).type(dtype)
    fields["modules"], fields["_mul"] = [fields["module"]], share
    fields["minusOne"] = np.array([-module.scale], dtype)


def _glimpse(fields: Fields) -> Stateful:
    sizes: list[Any] = [fields.get(name) for name in ("height", "width", "depth", "scale")]
    return nn.SpatialGlimpse(sizes[:2], *sizes[2:])


def _write_glimpse(module: Any, fields: Fields) -> None:
    if module.scale == 2:
        fields["module"] = nn.SpatialAveragePooling(2, 2, 2, 2).type(module.type())
        fields["modules"] = [fields["module"]]


def _guess(module: Any, fields: Fields) -> None:
    module.guesses = True


def _narrow(fields: Fields) -> None:
    if fields.get("fromEnd") is not None:
        fields["index"] = fields.pop("fromEnd")
        return
    index, length = fields.get("index"), fields.get("length")
    # Torch7 takes a negative index for: all before the last entries.
    if isinstance(index, int) and isinstance(length, int) and index < 0:
        if length < 0:
            raise RefusalError("length", "must be positive where index is negative")
        fields["index"], fields["length"] = 1, -length - 1


def _write_narrow(module: Any, fields: Fields) -> None:
    if module.index < 0:
        fields["fromEnd"] = fields.pop("index")


def _write_dont_cast(module: Any, fields: Fields) -> None:
    # Torch7 looks for it in the constructor only.
    if module.castin or module.castout:
        fields.setdefault("moduleType", type_of(module.modules[0].type()))


def _write_convert(module: Any, fields: Fields) -> None:
    source, target = module.inputShape, module.outputShape
    fields["inputBatchDim"] = source.index("b") + 1
    fields["outputBatchDim"] = target.index("b") + 1
    everything = source == "b*"
    fields["nInputDim"] = -1 if everything else len(source)
    fields["nOutputDim"] = -1 if everything else len(target)
    fields["transposition"] = everything or sorted(source) == sorted(target)


def _dtype_of(name: str) -> Callable[[Fields], Any]:
    def dtype(fields: Fields) -> Any:
        value = fields.get(name)
        return value.dtype if isinstance(value, np.ndarray) else None

    return dtype


def _copy_fields(fields: Fields) -> None:
    # Torch7 says it by a function, torchlite in so many words.
    passes_on = fields.pop("updateOutput", None) is not None
    fields.pop("updateGradInput", None)
    fields.setdefault("forceCopy", not passes_on)


def _write_copy(module: Any, fields: Fields) -> None:
    fields["gradInput"] = np.zeros(0, module.intype)
    fields["output"] = np.zeros(0, module.outtype)


def _index_linear(fields: Fields) -> None:
    if fields.get("normalize"):
        raise RefusalError("normalize", "torchlite has no IndexLinear that normalizes")
    # Torch7's is of the last update, or nothing.
    gradient: Any = fields.get("gradWeight")
    if np.shape(gradient) != array_of(fields, "weight").shape:
        fields.pop("gradWeight", None)


def _write_index_linear(module: Any, fields: Fields) -> None:
    fields["offset"] = fields.pop("keysOffset") - 1


def _targets(params: Fields) -> Any:
    """Return the sizes, or the factor, that an image is to have afterwards."""
    names = ("odepth", "oheight", "owidth")
    given = {name: params[name] for name in names if params.get(name) is not None}
    return params["scale_factor"] if params.get("scale_factor") is not None else given


def _pooled_to(letter: str) -> Callable[[Fields], Any]:
    def wanted(fields: Fields) -> Any:
        value = fields.get(f"out{letter}")
        return fields.get(f"ratio{letter}") if value is None else value

    return wanted


def _average(fields: Fields) -> None:
    if fields.get("mode") == "CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING":
        fields["count_include_pad"] = False


def _sums(module: Any, fields: Fields) -> Stateful | None:
    """Of nn's first versions, which do not divide, return sums of windows."""
    if fields.get("divide") or not fields["class"].startswith("nn."):
        return None
    factor = nn.MulConstant(module.kW * module.kH)
    return nn.Sequential(module, factor).type(module.type())


def _write_criterion_weights(module: Any, fields: Fields) -> None:
    fields["weights"] = _storage(module.weights, "float64")


def _map_table(fields: Fields) -> Stateful:
    modules = fields.get("modules") or []
    module = fields.get("module")
    if module is None and modules:
        module = modules[0]
    shared = fields.get("shared") is not False
    made = nn.MapTable(module, shared)
    if not shared:
        made.modules += modules[1:]
    return made


def _write_map_table(module: Any, fields: Fields) -> None:
    if module.modules:
        fields["module"] = module.modules[0]
    fields["sharedparams"] = ["weight", "bias", "gradWeight", "gradBias"]


def _weighted_sum(fields: Fields) -> Stateful:
    kind = _kind(fields)
    made: Any = kind(fields.get("repeatTarget") is True) if kind is _PARALLEL else kind()
    criterions, weights = fields.get("criterions"), fields.get("weights")
    weights = weights.tolist() if isinstance(weights, np.ndarray) else weights
    weights = weights if isinstance(weights, list) else []
    if not isinstance(criterions, list) or len(criterions) != len(weights):
        raise RefusalError("weights", "must be a number for each criterion")
    for criterion, weight in zip(criterions, weights, strict=True):
        # Torch7's weights are all floats; a whole one is whole again.
        made.add(criterion, int(weight) if weight == weight // 1 else weight)
    return made


_PARALLEL = nn.ParallelCriterion


def _cross_entropy(fields: Fields) -> Stateful:
    made = nn.CrossEntropyCriterion()
    for name, kind in (("lsm", nn.LogSoftMax), ("nll", nn.ClassNLLCriterion)):
        if not isinstance(fields.get(name), kind):
            raise RefusalError(name, f"must be a {kind.__name__}")
        setattr(made, name, fields[name])
    if isinstance(fields.get("sizeAverage"), bool):
        made.sizeAverage = fields["sizeAverage"]
    return made


def _write_cross_entropy(module: Any, fields: Fields) -> None:
    fields["sizeAverage"] = module.sizeAverage


def _simplex(fields: Fields) -> int:
    n, corners = fields.get("nClasses"), array_of(fields, "simplex")
    if corners.shape != (n, n):
        raise RefusalError("simplex", f"must be ({shown(n)}, {shown(n)}), got {corners.shape}")
    return len(corners)


def type_of(dtype: Any) -> str:
    """Return the name of Torch7's tensors of float32 or float64."""
    if str(dtype) not in _TYPES:
        raise RefusalError("", f"Torch7 has no modules of {dtype}")
    return _TYPES[str(dtype)]


_TYPES = {"float64": "torch.DoubleTensor", "float32": "torch.FloatTensor"}


@cache
def undrawn(kind: Any) -> Any:
    """Return what makes instances of a class without drawing their first parameters."""
    bare: Any = type(kind.__name__, (kind,), {"reset": lambda self, stdv=None: self})

    def make(*arguments: Any, **more: Any) -> Any:
        made = bare(*arguments, **more)
        made.__class__ = kind
        return made

    return make


_INPUTS = {"gradInput": _table}
_TWO_INPUTS = {"gradInput": _pair}
_ALONG = Row(one_based=("dimension",), from_end=("dimension",))
_LAMBDA = Row(renamed={"lambda_": "lambda"})
_SOFT_MAX = Row(one_based=("dim",), ours={"dim": None})
_CENTRES = {"inputSize": _length("weight", 0), "outputSize": _length("weight", 1)}
_POOLING = Row(settings=("ceil_mode",), made={"indices": _indices})
_CLASSES = Row(
    labels=("ignoreIndex",),
    made={
        "output_tensor": _zeros(1),
        "total_weight_tensor": lambda module, dtype: np.ones(1, dtype),
        "target": lambda module, dtype: np.zeros(1, "int64"),
    },
)
_ONE_MODULE = Row(arguments={"module": lambda fields: _modules(fields, nn.Module)[0]})


def _with(row: Row, **more: Any) -> Row:
    return replace(row, **more)


def _write_sequences(module: Any, fields: Fields) -> None:
    mask = getattr(module, "zeroMask", None)
    if mask is not None:
        fields["zeroMask"] = mask if mask is False else mask.astype("uint8")
    if getattr(module, "_remember", "neither") != "neither":
        fields["_remember"] = module._remember


def _set_sequences(made: Any, fields: Fields) -> None:
    if fields.get("zeroMask") is not None:
        made.setZeroMask(fields["zeroMask"])
    if hasattr(made, "_remember") and fields.get("_remember") is not None:
        made.remember(fields["_remember"])


# Classes that Torch7 makes of other modules than torchlite does.
OTHERWISE = frozenset({"FastLSTM", "GRU", "LSTM", "MuFuRu", "Recurrent"})

# What modules and criterions of sequences have beside their arguments.
_SEQUENCES = Row(hidden=("zeroMask",), write=_write_sequences, finish=_set_sequences)


def _made_of(name: str, *inside: str, masked: bool = False, **settings: Any) -> Row:
    """Return the row of a class that is the modules inside, of these classes, and settings.

    settings say how each is read: a type, or tuple for sizes, which may be nested.
    """

    def build(fields: Fields) -> Stateful:
        kind = getattr(nn, name)
        made: Any = kind.__new__(kind)
        made.modules = []
        for module in _modules(fields, *(getattr(nn, each) for each in inside)):
            nn.Container.insert(made, module)
        for setting, wanted in settings.items():
            value = given = fields.get(setting)
            if given is None:
                raise RefusalError(setting, "is missing")
            if wanted is tuple:
                value = _sizes_of(given)
            if value is None or (wanted is not tuple and type(value) is not wanted):
                raise RefusalError(setting, f"cannot be {shown(given)}")
            vars(made)[setting] = value
        return made

    return replace(_SEQUENCES, build=build, settings=("maskzero", "v1") if masked else ())


def _sizes_of(value: Any) -> Any:
    """Return the sizes of an array as a tuple, of a table of arrays as a list of these."""
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    entries = value if isinstance(value, list) else [value]
    if any(isinstance(entry, list) for entry in entries):
        return [_sizes_of(entry) for entry in entries]
    sound = all(type(entry) is int and entry >= 0 for entry in entries)
    return tuple(entries) if sound else None


def _held(name: str) -> Callable[[Any, Any], Any]:
    return lambda module, dtype: getattr(module, name)


def _gated(blocks: int, *names: str) -> Row:
    """Return the row of a gated cell, whose sizes are the constructor's arguments of these names.

    The last one, where it is a third, says how wide a projection is.
    """

    def hidden(fields: Fields) -> int:
        return _length("bias", 0)(fields) // blocks

    def projected(fields: Fields) -> int | None:
        return None if fields.get("weightO") is None else _length("weightO", 1)(fields)

    def inputs(fields: Fields) -> int:
        return _length("weight", 0)(fields) - (projected(fields) or hidden(fields))

    return replace(
        _SEQUENCES,
        arguments=dict(zip(names, (inputs, hidden, projected), strict=False)),
        settings=("maskzero", "v1"),
        made={name: _held(name) for name in names},
    )


def _dropout(fields: Fields) -> bool:
    return not fields.get("v2")


_NOISE = Row(
    renamed={"stochasticInference": "stochastic_inference"},
    settings=("train",),
    made={"noise": _tensor},
)

# What these take over from the class of which they are a kind.
_DROPPED = Row(
    settings=("train",), hidden=("v2", "inplace", "stochastic_inference", "lazy", "mono")
)
_REWARD = Row(settings=("sizeAverage",), made=_TWO_INPUTS)


def _four(module: Any, dtype: Any) -> Any:
    return [np.zeros(0, dtype) for _ in range(4)]


_FOUR_INPUTS = {"gradInput": _four}
_FIRE = ("nInputPlane", "s1x1", "e1x1", "e3x3")
_TREE = (
    "inputSize", "parentChildren", "childParent", "nChildNode", "nParentNode", "minNodeId",
    "maxNodeId", "maxParentId", "maxChildId", "maxFamily", "maxDept", "maxFamilyPath",
)  # fmt: skip

PLAIN = Row()

ROWS: Mapping[str, Row] = {
    # containers
    "Bottle": _with(
        _ONE_MODULE,
        made={
            "dimDelta": lambda module, dtype: module.nInputDim - module.nOutputDim,
            "inShape": lambda module, dtype: np.zeros(module.nInputDim, dtype),
            "outShape": lambda module, dtype: np.zeros(module.nOutputDim, dtype),
        },
    ),
    "Concat": Row(one_based=("dimension",), made={"outputSize": _sizes()}),
    "ConcatTable": Row(made={"output": _table}),
    "Decorator": _ONE_MODULE,
    "DepthConcat": Row(one_based=("dimension",), made={"outputSize": _sizes()}),
    "DontCast": _with(_ONE_MODULE, write=_write_dont_cast),
    "GPU": _ONE_MODULE,
    "MapTable": Row(
        build=_map_table,
        made={"output": _table, "gradInput": _table, "module": None, "sharedparams": None},
        write=_write_map_table,
    ),
    "NaN": _ONE_MODULE,
    "Parallel": Row(one_based=("inputDimension", "outputDimension")),
    "ParallelTable": Row(made={"output": _table, "gradInput": _table}),
    "Profile": _with(
        _ONE_MODULE,
        made={"module": lambda module, dtype: module.modules[0]}
        | dict.fromkeys(("numFwds", "numBwds", "summedFwdTime", "summedBwdTime"), 0),
    ),
    "WeightNorm": _with(
        _ONE_MODULE,
        one_based=("outputDim",),
        made=dict.fromkeys(
            ("bias", "gradBias", "weight", "gradWeight", "viewIn", "viewOut", "weightSize")
        )
        | dict.fromkeys(("otherDims", "_norm", "_scale")),
        read=_weight_norm_fields,
        write=_write_weight_norm,
    ),
    # transfer functions
    "CReLU": Row(made={"modules": _table}, write=_write_crelu),
    "Clamp": Row(renamed={"min_value": "min_val", "max_value": "max_val"}),
    "GatedLinearUnit": Row(
        one_based=("dim",),
        left_out={"dim": -1},
        made={"sigmoid": lambda module, dtype: nn.Sigmoid().type(dtype)},
    ),
    "HardShrink": _LAMBDA,
    "HardTanh": Row(renamed={"min_value": "min_val", "max_value": "max_val"}),
    "LogSigmoid": Row(made={"buffer": _tensor}),
    "LogSoftMax": _SOFT_MAX,
    "PReLU": Row(made={"gradWeightBuf": _tensor, "gradWeightBuf2": _tensor}),
    "Power": Row(renamed={"p": "pow"}),
    "RReLU": Row(made={"noise": _tensor}, settings=("train",)),
    "ReLU": Row(made={"threshold": 0, "val": 0}),
    "ReLU6": Row(hidden=("min_val", "max_val")),
    "SoftMax": _SOFT_MAX,
    "SoftMin": _SOFT_MAX,
    "SoftPlus": Row(made={"threshold": 20}),
    "SoftShrink": _LAMBDA,
    "SpatialLogSoftMax": Row(hidden=("dim",)),
    "SpatialSoftMax": Row(hidden=("dim",)),
    "Sqrt": Row(renamed={"b": "eps"}),
    "Threshold": Row(renamed={"th": "threshold", "v": "val"}),
    # simple layers
    "Add": Row(
        arguments={"inputSize": _length("bias", 0)},
        made={"_ones": lambda module, dtype: np.ones(1, dtype)},
    ),
    "Bilinear": Row(
        arguments=_with_bias(
            inputSize1=("weight", 1), inputSize2=("weight", 2), outputSize=("weight", 0)
        ),
        made=_TWO_INPUTS,
    ),
    "CAdd": Row(
        arguments={"size": _shape_of("bias")},
        made={"size": lambda module, dtype: _storage(module.bias.shape)},
    ),
    "CMul": Row(
        arguments={"size": _shape_of("weight")},
        made={"size": lambda module, dtype: _storage(module.weight.shape)},
    ),
    "Convert": Row(
        made=dict.fromkeys(
            ("inputBatchDim", "outputBatchDim", "nInputDim", "nOutputDim", "transposition")
        )
        | {"modules": _table},
        write=_write_convert,
    ),
    "Copy": Row(
        arguments={"intype": _dtype_of("gradInput"), "outtype": _dtype_of("output")},
        hidden=("intype", "outtype"),
        read=_copy_fields,
        write=_write_copy,
    ),
    "Cosine": Row(
        arguments={"inputSize": _length("weight", 1), "outputSize": _length("weight", 0)}
    ),
    "Dropout": _with(
        _NOISE,
        arguments={"v1": _dropout},
        settings=("train", "v2"),
        made={"noise": _tensor, "flag": lambda module, dtype: True if module.lazy else None},
        left_out={"inplace": False, "lazy": False, "mono": False},
    ),
    "Euclidean": Row(arguments=_CENTRES, made={"fastBackward": True}),
    "GradientReversal": _with(_LAMBDA, version=2),
    "Index": Row(one_based=("dimension",), made=_TWO_INPUTS),
    "IndexLinear": Row(
        arguments={
            "inputSize": _length("weight", 0),
            "outputSize": _length("weight", 1),
            "keysOffset": lambda fields: fields.get("offset", -1) + 1,
            **dict.fromkeys(("weight", "bias", "normalize"), lambda fields: None),
        },
        made={
            "inputSize": lambda module, dtype: module.weight.shape[0],
            "outputSize": lambda module, dtype: module.weight.shape[1],
            "normalize": 0,
            "weightDecay": 0,
            "gradWeightBuffer": _tensor,
            "valuesBuffer": _tensor,
            "normalizedValues": _tensor,
            "running": lambda module, dtype: {
                "cumSumSizes": [],
                "keys": [],
                "gradWeight": [],
                "counter": 1,
            },
            "sizesCache": _table,
            "cumSumSizesCache": _table,
            "offset": None,
        },
        read=_index_linear,
        write=_write_index_linear,
    ),
    "Kmeans": Row(
        arguments={"k": _length("weight", 0), "dim": _length("weight", 1)},
        made={
            "k": lambda module, dtype: module.weight.shape[0],
            "dim": lambda module, dtype: module.weight.shape[1],
            "loss": 0,
            "clusterSampleCount": lambda module, dtype: np.zeros(len(module.weight), dtype),
        },
    ),
    "LayerNormalization": Row(build=_layer_normalization),
    "Linear": Row(arguments=_with_bias(inputSize=("weight", 1), outputSize=("weight", 0))),
    "LinearWeightNorm": Row(
        arguments=_with_bias(inputSize=("v", 1), outputSize=("v", 0)),
        made={
            "inputSize": lambda module, dtype: module.v.shape[1],
            "outputSize": lambda module, dtype: module.v.shape[0],
            "weight": _tensor,
            "norm": _tensor,
            "scale": _tensor,
            "dirty": True,
        },
    ),
    "LookupTable": Row(
        arguments={"nIndex": _length("weight", 0), "nOutput": _length("weight", 1)},
        labels=("paddingValue",),
        settings=("shouldScaleGradByFreq",),
        made={"size": None},
        left_out={"normType": 2, "shouldScaleGradByFreq": False},
        version=4,
    ),
    "MM": Row(made=_TWO_INPUTS),
    "MV": Row(made=_TWO_INPUTS),
    "MaskedSelect": Row(
        made={
            "_maskIndices": _indices,
            "_maskIndexBuffer": _indices,
            "_maskIndexBufferCPU": lambda module, dtype: np.zeros(0, "float32"),
            "_gradBuffer": _tensor,
            "_gradMask": lambda module, dtype: np.zeros(0, "uint8"),
        }
    ),
    "Max": _ALONG,
    "Maxout": Row(build=_maxout),
    "Mean": _with(_ALONG, settings=("squeeze",), made={"sizeAverage": True}),
    "Min": _ALONG,
    "Narrow": Row(
        renamed={"offset": "index"},
        one_based=("dimension", "index"),
        from_end=("dimension",),
        read=_narrow,
        write=_write_narrow,
    ),
    "Padding": Row(one_based=("dim", "index"), made={"outputSize": _sizes()}),
    "Normalize": Row(made={"norm": None}),
    "PartialLinear": Row(
        arguments=_with_bias(inputsize=("weight", 1), outputsize=("weight", 0)),
        hidden=("partition",),
        read=_partial_linear,
        finish=_set_partition,
        write=_write_partial_linear,
    ),
    "PixelShuffle": Row(
        made={"upscaleFactorSquared": lambda module, dtype: module.upscaleFactor**2}
    ),
    "Replicate": Row(renamed={"nFeature": "nfeatures"}, one_based=("dim",)),
    "Reshape": Row(
        made={"batchsize": lambda module, dtype: _storage([0, *module.size])},
        hidden=("guesses",),
        finish=_guess,
        write=lambda module, fields: fields.update(size=_storage(module.size)),
    ),
    "Select": Row(one_based=("dimension", "index"), from_end=("dimension", "index")),
    "SparseLinear": Row(
        arguments={"inputSize": _length("weight", 1), "outputSize": _length("weight", 0)},
        made={"weightDecay": 0, "sparseUpdate": 0, **_INPUTS},
    ),
    "SpatialDropout": _NOISE,
    "Squeeze": Row(one_based=("dim",)),
    "Sum": _ALONG,
    "Transpose": Row(one_based=("permutations",), settings=("numInputDims",)),
    "Unsqueeze": Row(one_based=("pos",)),
    "View": Row(
        settings=("numInputDims",),
        hidden=("guesses",),
        finish=_guess,
        write=lambda module, fields: fields.update(size=_storage(module.size)),
    ),
    "VolumetricDropout": _NOISE,
    "WeightedEuclidean": Row(arguments=_CENTRES, made={"fastBackward": True}),
    "WhiteNoise": Row(made={"noise": _tensor}),
    # layers for tables
    "CAddTable": Row(made=_INPUTS, left_out={"inplace": False}),
    "CAddTensorTable": Row(made=_INPUTS),
    "CDivTable": Row(made=_INPUTS),
    "CMaxTable": Row(
        made={**_INPUTS, **dict.fromkeys(("maxIdx", "mask", "maxVals", "gradMaxVals"), _tensor)}
    ),
    "CMinTable": Row(
        made={**_INPUTS, **dict.fromkeys(("minIdx", "mask", "minVals", "gradMaxVals"), _tensor)}
    ),
    "CMulTable": Row(made=_INPUTS),
    "CSubTable": Row(made=_INPUTS),
    "CosineDistance": Row(made=_TWO_INPUTS),
    "CriterionTable": Row(made={"gradInput": _table}),
    "DotProduct": Row(made=_TWO_INPUTS),
    "FlattenTable": Row(made={"output": _table, "input_map": _table, **_INPUTS}),
    "JoinTable": _with(_ALONG, made={"size": _sizes(), **_INPUTS}),
    "MixtureTable": Row(
        one_based=("dim",),
        made={
            "size": _sizes(),
            "size2": _sizes(),
            "batchSize": 0,
            "backwardSetup": False,
            **_INPUTS,
        },
    ),
    "NarrowTable": Row(one_based=("offset",), made={"output": _table, **_INPUTS}),
    "PairwiseDistance": Row(renamed={"p": "norm"}, made={"diff": _tensor, **_TWO_INPUTS}),
    "SelectTable": Row(one_based=("index",), from_end=("index",), made=_INPUTS),
    "SplitTable": _ALONG,
    "ZipTable": Row(made={"output": _table, **_INPUTS}),
    "ZipTableOneToMany": Row(made={"output": _table, "gradInputEl": _tensor, **_INPUTS}),
    # convolution
    "SpatialConvolution": _spatial(*_PLANES),
    "SpatialConvolutionLocal": _spatial("oH", "oW", *_PLANES, made=_UNFOLDED),
    "SpatialConvolutionMM": _spatial(*_PLANES),
    "SpatialConvolutionMap": _MAP,
    "SpatialDepthWiseConvolution": _spatial(
        "depthwiseMultiplier", "nInputPlane", "kH", "kW", read=_old_depth_wise, version=2
    ),
    "SpatialDilatedConvolution": _spatial(*_PLANES),
    "SpatialFullConvolution": _spatial(*_PLANES, made={"ones": _tensor}),
    "SpatialFullConvolutionMap": _MAP,
    "SpatialSubSampling": Row(sizes=("nInputPlane",)),
    "TemporalConvolution": Row(sizes=("outputFrameSize", "inputFrameSize", "kW")),
    "TemporalRowConvolution": Row(sizes=("inputFrameSize", "kW")),
    "TemporalSubSampling": Row(sizes=("inputFrameSize",)),
    "VolumetricConvolution": _spatial(*_VOLUMES, made=_UNFOLDED),
    "VolumetricDilatedConvolution": _spatial(*_VOLUMES, made=_UNFOLDED),
    "VolumetricFullConvolution": _spatial(*_VOLUMES, made={"ones": _tensor, **_UNFOLDED}),
    # pooling
    "SpatialAveragePooling": Row(
        settings=("ceil_mode", "count_include_pad"),
        made={"divide": True},
        read=_average,
        finish=_sums,
    ),
    "SpatialDilatedMaxPooling": _POOLING,
    "SpatialFractionalMaxPooling": Row(
        arguments={"outW": _pooled_to("W"), "outH": _pooled_to("H")}, settings=("newRandomPool",)
    ),
    "SpatialLPPooling": Row(build=_lp_pooling, hidden=("pnorm",)),
    "SpatialMaxPooling": _POOLING,
    "SpatialMaxUnpooling": Row(renamed={"poolingModule": "pooling"}),
    "VolumetricAveragePooling": Row(
        settings=("ceil_mode",), ours={"padT": 0, "padW": 0, "padH": 0, "ceil_mode": False}
    ),
    "VolumetricDilatedMaxPooling": _with(_POOLING, version=2),
    "VolumetricFractionalMaxPooling": Row(
        arguments={letter: _pooled_to(letter[-1]) for letter in ("outT", "outW", "outH")},
        settings=("newRandomPool",),
    ),
    "VolumetricMaxPooling": _with(_POOLING, version=2),
    "VolumetricMaxUnpooling": Row(renamed={"poolingModule": "pooling"}),
    # normalization
    "BatchNormalization": _BATCH,
    "SpatialBatchNormalization": _BATCH,
    "SpatialContrastiveNormalization": Row(build=_neighbourhood, write=_write_contrastive),
    "SpatialDivisiveNormalization": _NEIGHBOURHOOD,
    "SpatialSubtractiveNormalization": _NEIGHBOURHOOD,
    "VolumetricBatchNormalization": _BATCH,
    # resampling
    "SpatialUpSamplingBilinear": Row(
        arguments={"params": _targets},
        made={"inputSize": _sizes(0, 0, 0, 0), "outputSize": _sizes(0, 0, 0, 0)},
    ),
    "SpatialUpSamplingNearest": Row(
        renamed={"scale": "scale_factor"},
        made={"inputSize": _sizes(0, 0, 0, 0), "outputSize": _sizes(0, 0, 0, 0)},
    ),
    "UpSampling": Row(
        arguments={"params": _targets},
        made={"inputSize": _sizes(0, 0, 0, 0, 0), "outputSize": _sizes(0, 0, 0, 0, 0)},
    ),
    # dpnn and nnx
    "ArgMax": Row(one_based=("dim",)),
    "CategoricalEntropy": Row(
        made={"sizeAverage": True} | dict.fromkeys(("module", "_mul", "minusOne")),
        write=_write_entropy,
    ),
    "FireModule": Row(
        build=_decorator,
        made=dict.fromkeys(("module", "squeeze", "expand", "activation", *_FIRE)),
        write=_write_fire,
    ),
    "Inception": Row(
        build=_decorator,
        made=dict.fromkeys(("module", "transfer", "pool")),
        write=_write_decorator,
    ),
    "LinearNoBias": Row(
        arguments={"inputSize": _length("weight", 1), "outputSize": _length("weight", 0)}
    ),
    "NCECriterion": Row(settings=("sizeAverage",), made=_FOUR_INPUTS),
    "NCEModule": Row(
        arguments={
            "inputSize": _length("weight", 1),
            "outputSize": _length("weight", 0),
            "Z": lambda fields: None,
        },
        settings=("batchnoise", "normalized", "logsoftmax"),
        hidden=("unigrams",),
        made={"output": _four, "aliasmultinomial": None, **_TWO_INPUTS},
        write=_write_nce,
        finish=_keep_unigrams,
        version=6,
    ),
    "ReverseTable": Row(made={"output": _table, **_INPUTS}),
    "SoftMaxTree": Row(
        build=_tree,
        hidden=("childIds", "parentIds", "rootId"),
        made={
            "accUpdate": False,
            "static": True,
            "updates": _table,
            "batchSize": 0,
            "_nodeBuffer": _tensor,
            "_multiBuffer": _tensor,
            "_gradInput": _tensor,
            "_gradTarget": _tensor,
            **_TWO_INPUTS,
            **dict.fromkeys(_TREE),
        },
        write=_write_tree,
    ),
    "SpatialFeatNormalization": Row(made={"noOfFeats": lambda module, dtype: len(module.mean)}),
    "SpatialGlimpse": Row(
        build=_glimpse,
        made={"module": None, **_TWO_INPUTS},
        write=_write_glimpse,
    ),
    "SpatialBinaryLogisticRegression": Row(settings=("sizeAverage",)),
    "SpatialRegionDropout": _with(_DROPPED, made={"noise": _tensor}),
    "TotalDropout": _DROPPED,
    "BinaryClassReward": _REWARD,
    "VRClassReward": _REWARD,
    # nngraph
    "JustElement": Row(made=_INPUTS),
    "JustTable": Row(made={"output": _table}),
    "ModuleFromCriterion": Row(made={"output": _zeros(1), **_TWO_INPUTS}),
    "gModule": Row(
        build=nngraph.read,
        hidden=("nodes",),
        made=dict.fromkeys(nngraph.FIELDS),
        write=nngraph.write,
    ),
    # sequences
    "BiSequencer": _made_of("BiSequencer", "Module"),
    "BiSequencerLM": _made_of("BiSequencerLM", "Module", "ReverseUnreverse", "Module"),
    "LinearRNN": _made_of("LinearRNN", "Module", masked=True, outputSize=tuple, nInputDim=int),
    "LookupRNN": _made_of("LookupRNN", "Module", masked=True, outputSize=tuple, nInputDim=int),
    "LookupTableMaskZero": Row(
        arguments={
            "nIndex": lambda fields: _length("weight", 0)(fields) - 1,
            "nOutput": _length("weight", 1),
        },
        hidden=("paddingValue",),
        settings=("shouldScaleGradByFreq",),
        left_out={"normType": 2, "shouldScaleGradByFreq": False},
    ),
    "MaskZero": replace(_SEQUENCES, arguments=_ONE_MODULE.arguments),
    "MaskZeroCriterion": _SEQUENCES,
    "NormStabilizer": _made_of("NormStabilizer"),
    "RecGRU": _made_of("RecGRU", "StepGRU", masked=True),
    "RecLSTM": _made_of("RecLSTM", "StepLSTM", masked=True),
    "Recurrence": _made_of("Recurrence", "Module", masked=True, outputSize=tuple, nInputDim=int),
    "RecurrentAttention": _made_of(
        "RecurrentAttention", "Module", "Module", nStep=int, hiddenSize=tuple
    ),
    "Recursor": _made_of("Recursor", "Module", masked=True),
    "Repeater": _made_of("Repeater", "Module", seqlen=int),
    "RepeaterCriterion": _SEQUENCES,
    "ReverseUnreverse": _ONE_MODULE,
    "SeqBGRU": _made_of("SeqBGRU", "Module"),
    "SeqBLSTM": _made_of("SeqBLSTM", "Module"),
    "SeqBRNN": _made_of("SeqBRNN", "Module", batchFirst=bool),
    "SeqGRU": _gated(3, "inputsize", "outputsize"),
    "SeqLSTM": _gated(4, "inputsize", "hiddensize", "outputsize"),
    "SeqLSTMP": _gated(4, "inputsize", "hiddensize", "outputsize"),
    "SeqReverseSequence": Row(one_based=("dim",), from_end=("dim",)),
    "Sequencer": _made_of("Sequencer", "Module"),
    "SequencerCriterion": _SEQUENCES,
    "StepGRU": _gated(3, "inputsize", "outputsize"),
    "StepLSTM": _gated(4, "inputsize", "hiddensize", "outputsize"),
    "TrimZero": _ONE_MODULE,
    "VariableLength": _ONE_MODULE,
    # criterions
    "ClassNLLCriterion": _CLASSES,
    "ClassSimplexCriterion": Row(
        arguments={"nClasses": _simplex},
        made={"_target": lambda module, dtype: np.zeros(module.nClasses, dtype)},
    ),
    "CosineEmbeddingCriterion": Row(made=_TWO_INPUTS),
    "CrossEntropyCriterion": Row(build=_cross_entropy, write=_write_cross_entropy),
    "L1Cost": Row(ours={"sizeAverage": False}),
    "L1HingeEmbeddingCriterion": Row(made=_TWO_INPUTS),
    "MarginRankingCriterion": Row(
        made={"gradInput": lambda module, dtype: [np.zeros(1, dtype), np.zeros(1, dtype)]}
    ),
    "MultiCriterion": Row(build=_weighted_sum, write=_write_criterion_weights),
    "MultiLabelMarginCriterion": Row(made={"isTarget": _tensor}),
    "MultiLabelSoftMarginCriterion": Row(
        made={"sigmoid": lambda module, dtype: nn.Sigmoid().type(dtype)}
    ),
    "ParallelCriterion": Row(build=_weighted_sum, made={"gradInput": _table}),
    "SpatialClassNLLCriterion": _with(_CLASSES, ours={"ignoreIndex": -100}),
    "WeightedMSECriterion": Row(renamed={"w": "weight"}),
}

# Results of earlier calls and places for them, of all classes and versions of nn, cudnn and cunn.
WORKSPACE = frozenset({
    "output", "gradInput", "output_tensor", "total_weight_tensor", "buffer", "buffer2", "buff1",
    "buff2", "centered", "std", "normalized", "save_mean", "save_std", "addBuffer", "noise",
    "indices", "finput", "fgradInput", "ones", "zeroScalar", "iheight", "iwidth", "itime",
    "oheight", "owidth", "otime", "normp", "cross", "diff", "outExpand", "grad", "w1", "w", "w22",
    "w32", "lastInput", "formatted_input", "sparseUpdate", "batchsize", "inputs", "batchSize",
    "copiedInput", "usePadding", "fHalf", "sHalf", "sHalfOut", "temp", "mininput", "scale",
    "paddedRatio", "accumRatio", "randomSamples", "totalOutputSize", "loss", "keys", "values",
    "sizes", "lkeys", "lvalues", "cumSumSizes", "updateKeys", "updateKeysBuffer", "isFlat",
    "noBatch", "localsums", "adjustedsums", "localstds", "adjustedstds", "thresholdedstds",
    "converter", "batchMode", "gradOutput", "gradWeightBuf", "expMinusX", "expMinusY",
    "sumExpMinusXY", "logSumExpMinusXY", "input", "target", "dimG", "table", "timer", "iSize",
    "oSize", "iDesc", "oDesc", "convDesc", "weightDesc", "biasDesc", "convDescData", "algType",
    "extraBuffer", "extraBufferSizeInBytes", "fwdAlgType", "bwdFilterAlgType", "bwdDataAlgType",
    "fmode", "bmode", "bwmode", "fastest_mode", "workspace_limit", "input_slice", "output_slice",
    "input_offset", "output_offset", "weight_offset", "scaleT", "poolDesc", "activDesc",
    "sBiasDesc", "bnMode", "nElem", "groups", "autotunerHash", "pad", "stride", "mode", "columns",
    "gradColumns", "w3", "zerokeys", "oldSizeAverage"
})  # fmt: skip
