"""Simple layers in ONNX."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import BATCHES, Graph, UnsayableError, Value, zipped
from torchlite.interop.onnx.rules import composed, passing, rule
from torchlite.interop.onnx.table import unit_rows
from torchlite.kernels.functions import units

__all__ = ["INT64", "STOCHASTIC", "product"]

STOCHASTIC = "it draws random numbers in evaluation mode, too"

# What ONNX calls this dtype.
INT64 = 7

passing(nn.Identity)


@composed(
    nn.CategoricalEntropy,
    nn.Contiguous,
    nn.GradientReversal,
    nn.L1Penalty,
    nn.PrintSize,
    nn.ZeroGrad,
)
def as_it_is(g: Graph, layer: Any, input: Any) -> Any:
    return input


# ---------------------------------------------------------------- with parameters


@rule(nn.Linear, nn.LinearWeightNorm)
def linear(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return product(g, input, layer.weight, layer.bias)


@rule(nn.PartialLinear)
def partial_linear(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    bias = None if layer.bias is None else layer.bias[0, layer.partition]
    return product(g, input, layer.weight[layer.partition], bias)


def product(g: Graph, input: Value, weight: Any, bias: Any) -> Any:
    """Return the name of the rows times weight.T, plus bias."""
    return g.batched(input, 1, lambda rows: g.node("Gemm", rows, weight, bias, transB=1))


@rule(nn.Add, nn.CAdd, nn.CMul, nn.Mul)
def componentwise(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    (parameter,), _ = layer.parameters()
    rows = input.made(lambda probe: layer._rows("updateOutput", probe, parameter))
    op = "Add" if layer.bias is parameter else "Mul"
    if layer.scalar:
        parameter = parameter.reshape(-1)
    made = g.node(op, rows.named(g.reshape(input, rows)), parameter)
    return g.reshape(rows.named(made), output)


@rule(nn.Bilinear)
def bilinear(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    made = g.node("Einsum", input[0], layer.weight, input[1], equation="ni,oij,nj->no")
    return made if layer.bias is None else g.node("Add", made, layer.bias)


@rule(nn.Cosine)
def cosine(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    directions = units(layer.weight, 1)[0]
    return g.node("MatMul", unit_rows(g, input), np.ascontiguousarray(directions.T))


@rule(nn.Euclidean, nn.WeightedEuclidean)
def distances(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    differences = g.node("Sub", g.node("Unsqueeze", input, [-2]), layer.weight.T)
    if isinstance(layer, nn.WeightedEuclidean):
        differences = g.node("Mul", differences, layer.diagCov.T)
    return g.reduce("ReduceL2", differences, -1)


@rule(nn.Kmeans)
def kmeans(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    rows = g.node("Reshape", input, [-1, 1, layer.weight.shape[1]])
    differences = g.node("Sub", rows, layer.weight)
    squares = g.reduce("ReduceSum", g.node("Mul", differences, differences), -1)
    return g.node("ArgMin", squares, axis=1, keepdims=0)


@rule(nn.LookupTable, nn.LookupTableMaskZero)
def lookup_table(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    # All rows are shortened once, which is what happens to a row when it is used.
    layer.renorm(np.arange(len(layer.weight)) + layer._least)
    ids = g.node("Sub", input, np.array(layer._least, input.dtype)) if layer._least else input
    return g.node("Gather", layer.weight, ids, axis=0)


@rule(nn.SparseLinear)
def sparse_linear(g: Graph, layer: Any, input: Any, output: Value) -> Any:
    def rows(pairs: Value) -> str:
        places, values = (g.slice(pairs, -1, i, i + 1) for i in (0, 1))
        keys = g.node("Squeeze", g.node("Cast", places, to=INT64), [-1])
        return _picked(g, layer, layer.weight.T, keys, values)

    return rows(input) if isinstance(input, Value) else _stacked(g, map(rows, input))


@rule(nn.IndexLinear, but="input of keys, values and sizes")
def index_linear(g: Graph, layer: Any, input: Any, output: Value) -> Any:
    if len(input) > 2:
        raise UnsayableError("where a sample ends, its sizes tell")

    def row(keys: Value, values: Value) -> str:
        column = g.node("Unsqueeze", values, [-1])
        shift = np.array(layer.keysOffset, keys.dtype)
        return _picked(g, layer, layer.weight, g.node("Add", keys, shift), column)

    return row(*input) if isinstance(input[0], Value) else _stacked(g, map(row, *input))


def _picked(g: Graph, layer: Any, weight: Any, keys: str, values: str) -> str:
    """Return the name of the sums of some rows of weight times the values of each, plus bias."""
    terms = g.node("Mul", g.node("Gather", weight, keys, axis=0), values)
    return str(g.node("Add", g.reduce("ReduceSum", terms, -2), layer.bias))


def _stacked(g: Graph, rows: Iterable[str]) -> str:
    """Return the name of the batch of several rows."""
    return str(g.node("Concat", *(g.node("Unsqueeze", row, [0]) for row in rows), axis=0))


# ---------------------------------------------------------------- drawn in training


@rule(nn.Dropout, nn.SpatialDropout, nn.VolumetricDropout, but="stochasticInference")
def dropout(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    if layer._drops():
        raise UnsayableError(STOCHASTIC)
    return input.name if layer.v2 else g.node("Mul", input, 1 - layer.p)


rule(nn.SpatialRegionDropout, nn.TotalDropout)(dropout)


@rule(nn.WhiteNoise)
def white_noise(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Add", input, layer.mean)


# ---------------------------------------------------------------- entries moved


@rule(nn.Collapse, nn.Reshape, nn.Squeeze, nn.Unsqueeze, nn.View)
def reshaping(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.reshape(input, output)


@rule(nn.Constant)
def constant(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    value = layer.value.real.astype(input.dtype)
    return g.node("Expand", value, g.lengths(output, input))


@rule(nn.Convert)
def convert(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    batch = input.made(lambda p: p.reshape(layer._shapes("updateOutput", p)[0]))
    moved = g.node("Transpose", batch.named(g.reshape(input, batch)), perm=layer._order)
    arranged = batch.made(lambda probe: np.transpose(probe, layer._order)).named(moved)
    if layer._first:
        picked = g.pick(arranged, 1, 0)
        arranged = arranged.made(lambda probe: probe[:, 0]).named(picked)
    whole = output.made(lambda probe: probe.astype(input.dtype))
    return g.cast(whole.named(g.reshape(arranged, whole)), output.dtype).name


@rule(nn.Copy)
def copy(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.cast(input, output.dtype).name


@rule(nn.Index)
def index(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    return g.node("Gather", *input, axis=layer.dimension % input[0].ndim)


@composed(nn.MaskedSelect)
def masked_select(g: Graph, layer: Any, input: list[Value]) -> Any:
    array, mask = (g.node("Reshape", entry, [-1]) for entry in input)
    # How many entries there are, nobody knows before.
    first, second = (np.zeros(n, input[0].dtype) for n in BATCHES)
    return zipped(first, second).named(g.node("Compress", array, mask))


@rule(nn.Narrow)
def narrow(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    *before, part = input.both(lambda probe: layer._plan("updateOutput", probe))
    return g.slice(input, len(before), part.start, part.stop)


@rule(nn.OneHot)
def one_hot(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    values = np.array([0, 1], output.dtype)
    return g.node("OneHot", input, np.array(layer.outputSize, "int64"), values, axis=-1)


@rule(nn.Padding)
def padding(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    axis, start = input.both(lambda probe: layer._plan("updateOutput", probe))
    (size,), added = input.fixed(axis), abs(layer.pad)
    pads = [(0, added if at == axis else 0) for at in range(input.ndim)]
    padded = g.pad(input, pads, np.array(layer.value, input.dtype))
    if start == size or not added:
        return padded
    order = [*range(start), *range(size, size + added), *range(start, size)]
    return g.node("Gather", padded, order, axis=axis)


@rule(nn.Replicate)
def replicate(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    axis = input.both(lambda probe: layer._plan("updateOutput", probe))
    shape = [1] * output.ndim
    shape[axis] = layer.nfeatures
    return g.node("Expand", g.node("Unsqueeze", input, [axis]), shape)


@rule(nn.Select)
def select(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.pick(input, layer.dimension % input.ndim, layer.index)


@rule(nn.Transpose)
def transpose(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Transpose", input, perm=layer._plan("updateOutput", input))


# ---------------------------------------------------------------- computed with


@rule(nn.Max)
def largest(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return reduced(g, "ReduceMax", layer, input, output)


@rule(nn.Min)
def smallest(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return reduced(g, "ReduceMin", layer, input, output)


@rule(nn.Sum)
def total(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return reduced(g, "ReduceMean" if layer.sizeAverage else "ReduceSum", layer, input, output)


def reduced(g: Graph, op: str, layer: Any, input: Value, output: Value) -> str:
    """Return the name of what a layer makes of one dimension."""
    axis = input.both(lambda probe: layer._plan("updateOutput", probe))
    return g.reduce(op, input, axis, keepdims=output.ndim == input.ndim)


@rule(nn.MM)
def matrices(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    a, b = input
    return g.node("MatMul", turned(g, a, layer.transA), turned(g, b, layer.transB))


@rule(nn.MV)
def matrix_vector(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    matrix, vector = input
    column = g.node("Unsqueeze", vector, [-1])
    return g.node("Squeeze", g.node("MatMul", turned(g, matrix, layer.trans), column), [-1])


def turned(g: Graph, matrices: Value, transposed: bool) -> Any:
    """Return the name of matrices, transposed if that is wanted."""
    if not transposed:
        return matrices.name
    lead = range(matrices.ndim - 2)
    return g.node("Transpose", matrices, perm=[*lead, matrices.ndim - 1, matrices.ndim - 2])


@rule(nn.Normalize)
def normalize(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    tiny = float(np.finfo(input.dtype).tiny)
    if layer.p == np.inf:
        largest = g.reduce("ReduceMax", g.node("Abs", input), -1, keepdims=True)
        return g.node("Div", input, g.node("Add", largest, max(layer.eps, tiny)))
    powers = g.node("Pow", g.node("Abs", input), layer.p)
    total = g.node("Add", g.reduce("ReduceSum", powers, -1, True), max(layer.eps, tiny))
    return g.node("Div", input, g.node("Pow", total, 1 / layer.p))
