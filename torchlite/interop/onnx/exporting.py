"""A network run once with Values in the place of arrays: what its layers add is the graph."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import torchlite
from torchlite import random
from torchlite.errors import DTypeError, SettingError, StateError, fault
from torchlite.interop.onnx import (
    containers,
    convolution,
    dpnn,
    normalization,
    pooling,
    recurrent,
    resampling,
    simple,
    table,
    transfer,
)
from torchlite.interop.onnx.graph import (
    BATCHES,
    Graph,
    UnsayableError,
    Value,
    named,
    probe_of,
    zipped,
)
from torchlite.interop.onnx.rules import entry_of
from torchlite.nn import checks
from torchlite.nn.dims import resized
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, leaves, map_arrays
from torchlite.nn.stateful import arrays_in, shadowed
from torchlite.nn.tree import Place, walk
from torchlite.serial.atomic import Path, replacing

__all__ = ["CHAPTERS", "OPSETS", "export"]

# Where the rules are.
CHAPTERS = (
    containers, convolution, dpnn, normalization, pooling, recurrent, resampling, simple, table,
    transfer
)  # fmt: skip
OPSETS = range(13, 24)
_INSTALL = "pip install onnx"
_DTYPES = ("float32", "float64")
# What a file in this format can hold.
_LARGEST = 2**31 - 1


def export(
    net: Module,
    path: Path,
    input_shape: Any,
    opset: int = 17,
    dtype: Any = "float32",
    batch: int | None = 0,
) -> None:
    """Write a network, in evaluation mode, as an ONNX file.

    Parameters
    ----------
    net
        The network. It stays what it is: a copy is run.
    path
        Where to; what is there is replaced once all is written.
    input_shape
        The shape of an input, with any number for the batch; a list of them for a table, and a dict
        for one with keys. An array in the place of a shape is an example: where an input is not of
        numbers but of ids, or where a layer takes some values alone. Others are tried on zeros.
    opset
        The version of ONNX's operators, from 13 to 23.
    dtype
        "float32", or "float64", for which onnxruntime lacks many operators.
    batch
        The dimension of every input whose size stays free; None: none does.

    Conventions
    -----------
    Inputs and outputs are called "input" and "output", entries of tables "input_0", "input_1_0"
    and so on; the free size is "N". Parameters have the names that `serial.save_parameters` gives
    them, and are there once if they are shared.

    Raises
    ------
    ImportError
        onnx is not installed.
    StateError
        ONNX cannot say some of the layers: all of them are named, and why. Nothing is written.
    ShapeError, DTypeError
        The network does not take such an input. Nothing is written.
    SettingError
        There is no such opset or dtype, or the inputs have no such dimension; there are more
        parameters than a file can hold.
    OSError
        Writing failed. The file is what it was.

    Example
    -------
    See docs/onnx.md.
    """
    _must_be_sayable(net, opset, dtype, batch)
    try:
        import onnx
    except ImportError as error:
        raise ImportError(f"ONNX files need the package onnx: {_INSTALL}") from error
    dtype = np.dtype(dtype)
    input = _inputs(input_shape, dtype, batch)
    # What a clone need not have.
    problems = {
        f"{place.path} {type(place.module).__name__}".lstrip(): "it has a start state"
        for place in walk(net)
        if getattr(place.module, "startState", None) is not None
    }
    # Torch7's files may have gradients that nothing was ever written to.
    ready = net.clone().zeroGradParameters().evaluate().type(dtype)
    graph, given, output = _traced(ready, input, opset, problems)
    size = sum(array.nbytes for array in graph.constants.values())
    if size > _LARGEST:
        expected = f"of at most {_LARGEST:,} bytes of parameters, which is what a file can hold"
        raise fault(SettingError, "export", "net", expected, f"{size:,}")
    model = _model(graph, given, output)
    onnx.checker.check_model(model)
    with replacing(path) as file:
        file.write(model.SerializeToString())


def _must_be_sayable(net: Any, opset: Any, dtype: Any, batch: Any) -> None:
    if not isinstance(net, Module):
        raise fault(DTypeError, "export", "net", "a Module", type(net).__name__)
    if type(opset) is not int or opset not in OPSETS:
        expected = f"one of {OPSETS[0]} to {OPSETS[-1]}"
        raise fault(SettingError, "export", "opset", expected, repr(opset))
    if checks.dtype_meant(dtype) not in map(np.dtype, _DTYPES):
        raise fault(SettingError, "export", "dtype", " or ".join(_DTYPES), repr(dtype))
    if batch is not None and (type(batch) is not int or batch < 0):
        expected = "a dimension, counted from 0, or None"
        raise fault(SettingError, "export", "batch", expected, repr(batch))


def _inputs(input_shape: Any, dtype: Any, batch: int | None, name: str = "input") -> Any:
    """Return the Values of the inputs."""
    if isinstance(input_shape, list):
        return [_inputs(s, dtype, batch, f"{name}_{i}") for i, s in enumerate(input_shape)]
    if isinstance(input_shape, dict):
        return {k: _inputs(s, dtype, batch, f"{name}_{k}") for k, s in input_shape.items()}
    example = input_shape
    if not is_array(example):
        if not isinstance(example, tuple) or not all(_is_whole(n) and n >= 0 for n in example):
            expected = "a tuple, a list or dict of such, or arrays in their place"
            hint = (
                "a tuple is a shape, a list is a table of several" if _is_whole(example) else None
            )
            raise fault(SettingError, "export", "input_shape", expected, repr(example), hint=hint)
        example = np.zeros(example, dtype)
    elif example.dtype.kind == "f":
        example = example.astype(dtype)
    if batch is None:
        return Value(name, (example, example))
    if batch >= example.ndim:
        expected = f"of more than {batch} dimensions"
        hint, got = "batch=None leaves no size free", str(example.shape)
        raise fault(SettingError, "export", "input_shape", expected, got, hint=hint)
    if not example.shape[batch]:
        example = np.zeros(resized(example, batch, 1), example.dtype)
    samples = [np.arange(n) % example.shape[batch] for n in BATCHES]
    first, second = (np.take(example, which, batch) for which in samples)
    return Value(name, (first, second))


def _is_whole(value: Any) -> bool:
    """Tell whether it is an integer."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


# ---------------------------------------------------------------- the run


def _traced(
    net: Module, input: Any, opset: int, problems: dict[str, str]
) -> tuple[Graph, list[Value], Any]:
    """Return the graph of a network, and the Values that go in and come out.

    problems: what is known of its layers that ONNX cannot say.
    """
    places: dict[int, Place] = {}
    owners: dict[int, str] = {}
    for place in walk(net):
        places.setdefault(id(place.module), place)
        kept = {k: v for k, v in vars(place.module).items() if k not in place.module.transient}
        for keys, array in arrays_in(kept):
            owners.setdefault(id(array), ".".join([_dotted(place), *map(str, keys)]).lstrip("."))
    graph = Graph(opset, owners, _run)
    given = leaves(input)
    for value in given:
        graph.fresh(value.name)
    state = random.getRNGState()
    try:
        with shadowed(_shadows(graph, places.values(), problems)), np.errstate(all="ignore"):
            output = net.updateOutput(input)
    except Exception as error:
        # Whatever comes of a layer that cannot be said, it is the reason.
        if not problems:
            if any(a != b for value in given for a, b in value.sizes):
                tried = " and ".join(map(str, BATCHES))
                error.add_note(f"  in export, which tries batches of {tried}: N")
            if isinstance(error, DTypeError):
                error.add_note("  in export, where an input of ids is given as an array of them")
            raise
    finally:
        random.setRNGState(state)
    if problems:
        lines = "".join(f"\n  {where}: {why}" for where, why in problems.items())
        expected, got = "of layers that ONNX can say", f"{len(problems)} that it cannot{lines}"
        raise fault(StateError, "export", "net", expected, got)
    return graph, given, output


def _dotted(place: Place) -> str:
    """Return a path as names have it: "[0][1]" is "0.1"."""
    return re.sub(r"\[(.*?)\]", r".\1", place.path).lstrip(".")


def _shadows(
    graph: Graph, places: Any, problems: dict[str, str]
) -> Iterator[tuple[Module, dict[str, Callable[..., Any]]]]:
    """Yield what stands before the updateOutput of each layer that does not hand on by its own."""
    for place in places:
        if isinstance(place.module, Module):
            entry = entry_of(type(place.module))
            if entry.say or entry.refused:
                yield place.module, {"updateOutput": _shadow(graph, place, entry, problems)}


def _shadow(
    graph: Graph, place: Place, entry: Any, problems: dict[str, str]
) -> Callable[[Any], Any]:
    layer = place.module
    original = layer.updateOutput

    def shadow(input: Any) -> Any:
        if not all(isinstance(value, Value) for value in leaves(input)):
            return original(input)
        with graph.inside(_dotted(place)):
            try:
                if entry.refused:
                    raise UnsayableError(entry.but)
                return graph.run(layer, input)
            except UnsayableError as problem:
                where = f"{place.path} {type(layer).__name__}".lstrip()
                problems.setdefault(where, str(problem))
                # So that whatever comes behind is named, too.
                return map_arrays(_nameless, _tried(layer, input))

    return shadow


def _nameless(value: Any) -> Any:
    return value.named("?")


def _tried(layer: Module, input: Any) -> Any:
    """Return nameless Values of the output, by what the layer itself makes of both batches."""
    probes = probe_of(input, 0), probe_of(input, 1)
    first = layer.updateOutput(probes[0])
    alike = all(a is b for a, b in zip(*map(leaves, probes), strict=True))
    return zipped(first, first if alike else layer.updateOutput(probes[1]))


def _run(graph: Graph, layer: Module, input: Any) -> Any:
    """Return what a layer makes of Values, by the rule of its class."""
    entry = entry_of(type(layer))
    if entry.composed:
        return entry.say(graph, layer, input)
    output = _tried(layer, input)
    dtypes = [value.dtype for value in leaves(input)]
    graph.dtype = next((dtype for dtype in dtypes if dtype.kind == "f"), None)
    return named(output, entry.say(graph, layer, input, output))


# ---------------------------------------------------------------- the file


def _model(graph: Graph, given: list[Value], output: Any) -> Any:
    """Return the model of a graph."""
    from onnx import helper, numpy_helper

    outputs = list(_called(graph, output, "output"))
    made = helper.make_graph(
        graph.nodes,
        "torchlite",
        list(map(_declared, given)),
        list(map(_declared, outputs)),
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", graph.opset)]
    return helper.make_model(
        made,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="torchlite",
        producer_version=torchlite.__version__,
    )


def _called(graph: Graph, table: Any, name: str) -> Iterator[Value]:
    """Yield the Values of a table by names that say where in it they stand."""
    if isinstance(table, (list, tuple)):
        table = dict(enumerate(table))
    if isinstance(table, dict):
        for key, entry in table.items():
            yield from _called(graph, entry, f"{name}_{key}")
    else:
        yield table.named(graph.node("Identity", table, called=graph.fresh(name)))


def _declared(value: Value) -> Any:
    """Return the type and shape of an input or output, as the file declares them."""
    from onnx import helper

    shape = [a if a == b else "N" if (a, b) == BATCHES else None for a, b in value.sizes]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype))
    return helper.make_tensor_value_info(value.name, kind, shape)
