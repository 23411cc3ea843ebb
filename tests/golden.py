"""Torch7's own numbers (tests/data), and how torchlite is compared with them.

A case is one run of one Torch7 class: how it was made, what went in, what came out. `build` makes
the same thing in torchlite, `check` runs it and compares every number that the case holds:

    for chapter in golden.chapters():
        for case in golden.cases(chapter):
            golden.check(case)

Torch7 counts from one; `build` and `check` count from zero. What holds for one class only stands in
the tables below, and nowhere is anything said about a single case.
"""

import inspect
import json
import math
import re
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from typing import Any

import numpy as np

from torchlite import nn, random
from torchlite.nn.nested import same

DATA = Path(__file__).parent / "data"

# Files that tests of their own read; every other one holds cases of modules and criterions.
OTHERS = {
    "api",
    "graph",
    "hessian",
    "init",
    "optim",
    "random",
    "recurrent",
    "strings",
    "t7",
    "t7_models",
    "training",
}

# Allowed differences, relative to the largest number compared.
TOLERANCE = {"float64": 1e-12, "float32": 2e-6}

# Positions of the arguments that count from one, of constructors and of methods.
ONE_BASED_ARGUMENTS = {
    "ArgMax": [0],
    "ClassNLLCriterion": [2], "Concat": [0], "DepthConcat": [0], "GatedLinearUnit": [0],
    "Index": [0], "JoinTable": [0], "LookupTable": [2], "Max": [0], "Mean": [0], "Min": [0],
    "MixtureTable": [0], "Narrow": [0, 1], "NarrowTable": [0], "Padding": [0, 4],
    "Parallel": [0, 1], "Replicate": [1], "Select": [0, 1], "SelectTable": [0],
    "SeqReverseSequence": [0], "SpatialConvolutionMap": [0], "SpatialFullConvolutionMap": [0],
    "SplitTable": [0],
    "Squeeze": [0], "Sum": [0], "Transpose": [0, 1, 2, 3, 4, 5], "Unsqueeze": [0],
    "WeightNorm": [1],
}  # fmt: skip
ONE_BASED_CALLS = {"insert": [1], "remove": [0], "setPadding": [0], "setPartition": [0]}

# Where 0 among these is not an index before the first but says that there is none.
ZERO_IS_NONE = {"LookupTable"}

# By class, paths of Torch7 (patterns) that torchlite has elsewhere.
RENAMED = {
    "PartialLinear": {r"network\.modules\.0\.modules\.1\.weight": "weight"},
    # The clones share its parameters.
    "MapTable": {r"modules\.\d+": "modules.0"},
}

# What a case of a module or criterion says about itself, and what of it is compared. A case with
# any other field is refused.
SAID = {
    "id", "kind", "class", "lua", "args", "calls", "net", "fields", "dtype", "params", "train",
    "warmup", "seed", "input", "target", "gradOutput", "scale", "one_based", "noncontiguous",
    "tolerance", "note", "torch7_bug", "bug_note", "bug_fields", "no_backward", "no_gradInput",
    "nodes", "graph_inputs", "graph_outputs", "module_order", "tostring", "package",
}  # fmt: skip
COMPARED = {
    "output", "output2", "state", "gradInput", "gradParams", "gradParams2", "params2",
}  # fmt: skip

# What an in-place layer leaves of an array that it was given. Here it is as it was, as the rows of
# docs/differences.md say of "all with `inplace`" and of CAddTable.
IN_PLACE = {"input_after_forward": "input", "gradOutput_after_backward": "gradOutput"}

# By class and field, how far Torch7 is from the derivative, relative to the largest number.
INEXACT = {
    # It adds eps to a divisor in the gradient alone.
    "Normalize": {"gradInput": 1e-8},
    # It adds 1e-7 to every count.
    "Kmeans": dict.fromkeys(["gradParams.weight", "gradParams2.weight", "params2.weight"], 1e-7),
    # It adds 1e-12 to every length.
    "Cosine": dict.fromkeys(
        ["output", "gradInput", "gradParams.weight", "gradParams2.weight", "params2.weight"], 1e-11
    ),
}

# By class, a field of which torchlite has one more entry, of zeros (docs/differences.md).
COMPLETED = {"CriterionTable": "gradInput"}

# By class, parameters of which Torch7 has gradients that are no arrays.
NOT_DENSE = {"IndexLinear": ["weight"]}

# The attribute that holds the second result of a criterion's forward.
SECOND_OUTPUT = {
    "ClassNLLCriterion": "total_weight",
    "SpatialClassNLLCriterion": "total_weight",
}

DTYPES = {
    "torch.DoubleTensor": "float64", "torch.FloatTensor": "float32", "torch.LongTensor": "int64",
    "torch.IntTensor": "int32", "torch.ShortTensor": "int16", "torch.CharTensor": "int8",
    "torch.ByteTensor": "uint8",
}  # fmt: skip


# ---------------------------------------------------------------- reading


def chapters(folder: Path = DATA) -> list[str]:
    """Return the names of the files that hold cases of modules and criterions."""
    return sorted({path.stem for path in folder.glob("*.json")} - OTHERS)


def cases(chapter: str, folder: Path = DATA) -> list[dict[str, Any]]:
    """Return the cases of a chapter, every "@name" replaced by its array."""
    rows = json.loads((folder / f"{chapter}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{chapter}.npz", allow_pickle=False) as archive:
        arrays = dict(archive)

    def filled(value: Any, case: str) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            return arrays[f"{case}/{value[1:]}"]
        if isinstance(value, list):
            return [filled(entry, case) for entry in value]
        if isinstance(value, dict):
            return {key: filled(entry, case) for key, entry in value.items()}
        return value

    return [filled(row, row["id"]) for row in rows]


def missing(case: dict[str, Any]) -> set[str]:
    """Return the names of the case's classes that torchlite does not have."""
    return {name for name in _classes(case) if _find(name) is None}


def leaves(structure: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield (path, leaf) of a nested structure: "input.0", "input.1.0", ..."""
    if isinstance(structure, (list, tuple)):
        for i, entry in enumerate(structure):
            yield from leaves(entry, f"{path}.{i}")
    elif isinstance(structure, dict):
        for key, entry in structure.items():
            yield from leaves(entry, f"{path}.{key}")
    else:
        yield path, structure


def _classes(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("class"), str):
            yield value["class"]
        for key in ("args", "calls", "net", "table"):
            yield from _classes(value.get(key))
    elif isinstance(value, list):
        for entry in value:
            yield from _classes(entry)


def _find(name: str) -> Any:
    """Return the class of this name, or at this path inside nn; None without one."""
    found: Any = nn
    for part in name.removeprefix("nngraph.").split("."):
        found = getattr(found, part, None)
    return found


# ---------------------------------------------------------------- building


def build(case: dict[str, Any]) -> Any:
    """Make the module or criterion: constructor, calls, fields, dtype, parameters, mode."""
    named: dict[str, Any] = {}
    made = Named(case) if case.get("kind") == "graph" else _made(case.get("net", case), named)
    for field, value in case.get("fields", {}).items():
        attribute = f"{field}_" if iskeyword(field) else field
        assert hasattr(made, attribute), f"{_name(case)}: no attribute {attribute}"
        setattr(made, attribute, _value(value, named))
    made.type(_dtype(case))
    for path, value in case.get("params", {}).items():
        parameter = _attribute(made, path)
        assert parameter.shape == value.shape, (
            f"{_name(case)}: {path} has shape {parameter.shape}, Torch7's {value.shape}"
        )
        parameter[...] = value
    if "train" in case:
        (made.training if case["train"] else made.evaluate)()
    return made


class Named:
    """A gModule made of the nodes of a case, whose modules are attributes by the nodes' names."""

    def __init__(self, case: dict[str, Any]) -> None:
        nodes: dict[str, Any] = {}
        for row in case["nodes"]:
            given = [nodes[name] for name in row.get("inputs", ())]
            if row["op"] == "split":
                nodes.update(zip(row["ids"], nodes[row["of"]].split(row["n"]), strict=True))
            elif row["op"] == "nest":
                nodes[row["id"]] = nn.graph.nest(given)
            elif row["op"] == "input":
                nodes[row["id"]] = nn.Identity()()
            else:
                if row["op"] == "clone":
                    module = nodes[row["of"]].data.module.clone(*row["share"])
                else:
                    module = _made(row["module"], {})
                nodes[row["id"]] = module(given)
        inputs, outputs = (
            [nodes[name] for name in case[f"graph_{which}"]] for which in ("inputs", "outputs")
        )
        self.net = nn.gModule(inputs, outputs)
        self.names = {name: node.data.module for name, node in nodes.items()}

    def __getattr__(self, name: str) -> Any:
        return self.names[name] if name in self.names else getattr(self.net, name)


def _made(row: dict[str, Any], named: dict[str, Any]) -> Any:
    cls = _find(row["class"])
    assert cls is not None, f"torchlite has no {row['class']}"
    arguments = _zero_based_arguments(row["class"], row["args"], ONE_BASED_ARGUMENTS)
    made = cls(*_arguments(cls, arguments, named), **row.get("keywords", {}))
    if "name" in row:
        named[row["name"]] = made
    for method, *arguments in row.get("calls", ()):
        call = getattr(made, method)
        call(*_arguments(call, _zero_based_arguments(method, arguments, ONE_BASED_CALLS), named))
    return made


def _arguments(function: Any, arguments: list[Any], named: dict[str, Any]) -> list[Any]:
    """Return Python's arguments for those of Lua; nil means the default."""
    defaults = [parameter.default for parameter in inspect.signature(function).parameters.values()]
    return [
        defaults[i] if argument is None and i < len(defaults) and defaults[i] is not inspect._empty
        else _value(argument, named)
        for i, argument in enumerate(arguments)
    ]  # fmt: skip


def _value(value: Any, named: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_value(entry, named) for entry in value]
    if isinstance(value, str):
        return DTYPES.get(value, value)
    if not isinstance(value, dict):
        return value
    if "class" in value:
        return _made(value, named)
    if "ref" in value:
        return named[value["ref"]]
    if "tensor" in value:
        return np.array(value["tensor"], DTYPES[value["type"]])
    if "storage" in value:
        return tuple(value["storage"])
    if "table" in value:
        return {key: _value(entry, named) for key, entry in value["table"].items()}
    return float(value["number"])


def _zero_based_arguments(
    name: str, arguments: list[Any], places: dict[str, list[int]]
) -> list[Any]:
    def shifted(value: Any) -> Any:
        if isinstance(value, list):
            return [shifted(entry) for entry in value]
        if isinstance(value, dict) and "tensor" in value:
            return {"tensor": shifted(value["tensor"]), "type": "torch.LongTensor"}
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            return None if value == 0 and name in ZERO_IS_NONE else int(value) - 1
        return value

    one_based = places.get(name, ())
    return [shifted(value) if i in one_based else value for i, value in enumerate(arguments)]


def _dtype(case: dict[str, Any]) -> str:
    """Return the dtype to cast to; for DontCast, whose child keeps its own, that of the input."""
    if case["class"] == "DontCast":
        return next(leaf.dtype.name for _, leaf in leaves(case["input"], ""))
    return case["dtype"]


# ---------------------------------------------------------------- comparing


def check(case: dict[str, Any]) -> None:
    """Run the case; raise AssertionError at the first number that is not Torch7's."""
    unknown = case.keys() - SAID - COMPARED - IN_PLACE.keys()
    assert not unknown, f"{_name(case)}: nothing is known of {sorted(unknown)}"
    if case["kind"] == "criterion":
        _check_criterion(case)
    else:
        known = case["kind"] in ("module", "graph")
        assert known, f"{_name(case)} is of the kind {case['kind']}"
        _check_module(case)


def check_model(case: dict[str, Any], model: Any) -> None:
    """Compare a model that a file of Torch7's held with what Torch7 has computed with it."""
    # What should be 0, as the gradient of a bias before a normalization, is rounding alone.
    gradients = [np.abs(array).max() for array in case.get("gradParams", {}).values()]
    case = {"lua": case["class"], "largest": {"gradParams": max(gradients, default=0)}, **case}
    compare_attributes(case, "params", model)
    input = _fed(case, "input")
    _compare(case, "output_evaluate", model.evaluate().forward(input))
    if "output_train" not in case:
        return
    model.training().zeroGradParameters()
    if "seed" in case:
        random.manualSeed(case["seed"])
    _compare(case, "output_train", model.forward(input))
    gradInput = model.backward(input, _fed(case, "gradOutput"))
    if "no_gradInput" not in case:
        _compare(case, "gradInput", gradInput)
    _compare_gradients(case, "gradParams", model)
    compare_attributes(case, "buffers_after_train", model)


def _check_criterion(case: dict[str, Any]) -> None:
    criterion = build(case)
    input, target = _fed(case, "input"), _fed(case, "target")
    _compare(case, "output", criterion.forward(input, target))
    if "output2" in case:
        _compare(case, "output2", getattr(criterion, SECOND_OUTPUT[case["class"]]))
    if "no_backward" not in case:
        _compare(case, "gradInput", criterion.backward(input, target))


def _check_module(case: dict[str, Any]) -> None:
    module = build(case)
    for input in _fed(case, "warmup"):
        module.forward(input)
    input = _fed(case, "input")
    module.zeroGradParameters()
    if "seed" in case:
        random.manualSeed(case["seed"])
    _compare(case, "output", module.forward(input))
    compare_attributes(case, "state", module)
    if "no_backward" in case:
        return
    gradOutput = _fed(case, "gradOutput")
    gradInput = module.backward(input, gradOutput, case["scale"])
    if "no_gradInput" not in case:
        _compare(case, "gradInput", gradInput)
    _compare_gradients(case, "gradParams", module)
    if "gradParams2" in case:
        module.accGradParameters(input, gradOutput, 0.5)
        _compare_gradients(case, "gradParams2", module)
    module.updateParameters(0.1)
    compare_attributes(case, "params2", module)
    for field, given in IN_PLACE.items():
        if field in case:
            now, before = {"input": input, "gradOutput": gradOutput}[given], _fed(case, given)
            assert same(now, before), f"{_name(case)}: {given} was written to"


def compare_attributes(case: dict[str, Any], field: str, module: Any) -> None:
    """Compare what stands in the module with a field of the case: "params", "params2", "state"."""
    for path in case.get(field, ()):
        _compare(case, f"{field}.{path}", _attribute(module, path))


def _compare_gradients(case: dict[str, Any], field: str, module: Any) -> None:
    parameters, gradients = module.parameters()
    gradient_of = dict(zip(map(id, parameters), gradients, strict=True))
    compared = set()
    for path in case.get(field, ()):
        parameter = _attribute(module, path)
        assert id(parameter) in gradient_of, f"{_name(case)}: parameters() lacks {path}"
        _compare(case, f"{field}.{path}", gradient_of[id(parameter)])
        compared.add(id(parameter))
    compared |= {id(_attribute(module, path)) for path in NOT_DENSE.get(case["class"], ())}
    surplus = gradient_of.keys() - compared
    assert not surplus, f"{_name(case)}: parameters() has {len(surplus)} that Torch7 has not"


def _compare(case: dict[str, Any], path: str, got: Any) -> None:
    """Compare a result with the case's number, array or table of that path."""
    if any(_inside(path, bug) for bug in case.get("bug_fields", ())):
        return
    field, _, key = path.partition(".")
    expected = case[field][key] if key else case[field]
    if COMPLETED.get(case["class"]) == path:
        *got, last = got
        assert not np.any(last), f"{_name(case)}: {path}[-1] must be zeros, got {last!r}"
    _compare_nested(case, path, got, _zero_based(case, expected, path))


def _compare_nested(case: dict[str, Any], path: str, got: Any, expected: Any) -> None:
    if isinstance(expected, list):
        fits = isinstance(got, (list, tuple)) and len(got) == len(expected)
        assert fits, f"{_name(case)}: {path} must be a table of {len(expected)}, got {got!r}"
        for i, entry in enumerate(expected):
            _compare_nested(case, f"{path}.{i}", got[i], entry)
    elif isinstance(expected, dict):
        fits = isinstance(got, dict) and got.keys() == expected.keys()
        assert fits, f"{_name(case)}: {path} must be a dict of {list(expected)}, got {got!r}"
        for key, entry in expected.items():
            _compare_nested(case, f"{path}.{key}", got[key], entry)
    elif path.startswith("gradInput") and _is_index(case, "input" + path[len("gradInput") :]):
        # Indices and masks have no gradient: zeros like them stand in its place.
        zeros = np.zeros_like(dict(leaves(_fed(case, "input"), "gradInput"))[path])
        assert same(got, zeros), f"{_name(case)}: {path} must be {zeros!r}, got {got!r}"
    else:
        _compare_arrays(case, path, got, np.asarray(expected))


def _compare_arrays(case: dict[str, Any], path: str, got: Any, expected: Any) -> None:
    name = f"{_name(case)}: {path}"
    if not isinstance(got, (int, float)):
        assert isinstance(got, (np.ndarray, np.generic)), f"{name} must be an array, got {got!r}"
        right = expected.dtype.kind != "f" or got.dtype == expected.dtype
        assert right, f"{name} must be {expected.dtype}, got {got.dtype}"
    got = np.asarray(got)
    assert got.shape == expected.shape, f"{name} must have shape {expected.shape}, got {got.shape}"
    precision = "float32" if "float32" in (case["dtype"], expected.dtype.name) else "float64"
    inexact = INEXACT.get(case["class"], {}).get(path, 0)
    tolerance = max(TOLERANCE[precision], case.get("tolerance", 0), inexact)
    finite = np.isfinite(expected)
    largest = np.abs(expected[finite], dtype="float64").max(initial=0)
    allowed = tolerance * max(largest, case.get("largest", {}).get(path.partition(".")[0], 0))
    with np.errstate(invalid="ignore"):
        difference = np.abs(got - expected, dtype="float64")
    equal = (got == expected) | (np.isnan(got) & np.isnan(expected))
    wrong = ~(equal | (finite & (difference <= allowed)))
    if wrong.any():
        ranked = np.where(wrong, np.where(np.isnan(difference), math.inf, difference), -1)
        worst = np.unravel_index(ranked.argmax(), ranked.shape)
        raise AssertionError(
            f"{name}[{', '.join(map(str, worst))}]: got {got[worst]!r}, expected "
            f"{expected[worst]!r}, allowed is {allowed:.2g}; {wrong.sum()} of {wrong.size} differ"
        )


# ---------------------------------------------------------------- what a case says


def _name(case: dict[str, Any]) -> str:
    return f"{case['id']} ({case['lua']})"


def _fed(case: dict[str, Any], field: str) -> Any:
    """Return what is to be fed: counted from zero, read-only, in the layout Torch7 had."""

    def prepared(value: Any, path: str) -> Any:
        if isinstance(value, list):
            return [prepared(entry, f"{path}.{i}") for i, entry in enumerate(value)]
        if isinstance(value, dict):
            return {key: prepared(entry, f"{path}.{key}") for key, entry in value.items()}
        if not isinstance(value, np.ndarray):
            return value
        array = value.astype(bool) if value.dtype == np.uint8 else value.copy()
        if path in case.get("noncontiguous", ()):
            array = np.repeat(array, 2, 0)[::2] if array.ndim == 1 else array.copy(order="F")
        array.flags.writeable = False
        return array

    value = case.get(field, [])
    return prepared(_zero_based(case, value, "input" if field == "warmup" else field), field)


def _zero_based(case: dict[str, Any], value: Any, path: str) -> Any:
    """Return a value of the case with the indices in it counted from zero; 0 becomes -1."""
    if isinstance(value, list):
        return [_zero_based(case, entry, f"{path}.{i}") for i, entry in enumerate(value)]
    if isinstance(value, dict):
        return {key: _zero_based(case, entry, f"{path}.{key}") for key, entry in value.items()}
    for marked, column in _marks(case):
        if value is None or not _inside(path, marked):
            continue
        if not column:
            value = np.asarray(value).astype("int64")
            value = value - (value >= 0)
            return value if value.ndim else int(value)
        value = value.copy()
        indices = value[..., int(column)]
        indices -= indices >= 0
    return value


def _is_index(case: dict[str, Any], path: str) -> bool:
    """Tell whether the array of the case at this path holds indices or a mask."""
    if any(not column and _inside(path, marked) for marked, column in _marks(case)):
        return True
    value = dict(leaves(case["input"], "input")).get(path)
    return isinstance(value, np.ndarray) and value.dtype.kind in "iu"


def _marks(case: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for mark in case.get("one_based", ()):
        marked, _, column = mark.partition("#")
        yield marked, column


def _inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}.")


def _attribute(module: Any, path: str) -> Any:
    """Return what stands at a path such as "modules.0.weight"."""
    while path:
        for theirs, ours in RENAMED.get(type(module).__name__, {}).items():
            match = re.match(rf"{theirs}(?=\.|$)", path)
            if match:
                path = f"{ours}{path[match.end() :]}"
        name, _, path = path.partition(".")
        module = module[int(name)] if name.isdecimal() else getattr(module, name)
    return module
