"""The layers of dpnn and nnx in ONNX."""

from itertools import groupby
from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, UnsayableError, Value
from torchlite.interop.onnx.pooling import mean
from torchlite.interop.onnx.resampling import linear
from torchlite.interop.onnx.rules import passing, rule
from torchlite.interop.onnx.simple import INT64, STOCHASTIC, product

__all__: list[str] = []

passing(nn.ReverseTable)


@rule(nn.ArgMax)
def arg_max(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    axis = input.both(lambda probe: layer._axis("updateOutput", probe))
    places = output.made(lambda probe: probe.astype("int64"))
    found = g.node("ArgMax", input, axis=axis, keepdims=int(output.ndim == input.ndim))
    return g.cast(places.named(found), output.dtype).name


@rule(nn.Clip)
def clip(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Clip", input, layer.minval, layer.maxval)


@rule(nn.NCEModule, but="the noise that it draws unless it is normalized")
def noise_contrastive(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    if not layer.normalized:
        raise UnsayableError("it draws noise, unless it is normalized")
    made = product(g, input[0], layer.weight, layer.bias)
    return g.node("LogSoftmax" if layer.logsoftmax else "Softmax", made, axis=1)


@rule(nn.SoftMaxTree)
def soft_max_tree(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    # Of each node, the rows on the way to the root from it; behind them one more, which is zeros.
    row_of = {child: row for row, child in enumerate(layer.childIds)}
    ways: dict[int, list[int]] = {child: [] for child in row_of}
    for child, way in ways.items():
        node = child
        while node != layer.rootId:
            way.append(row_of[node])
            node = layer.parentIds[row_of[node]]
    rows = np.full((1 + max(ways), max(map(len, ways.values()))), len(row_of))
    for child, way in ways.items():
        rows[child, : len(way)] = way
    sums, steps, start = product(g, input[0], layer.weight, layer.bias), [], 0
    for _, siblings in groupby(layer.parentIds):
        stop = start + len(list(siblings))
        steps.append(g.node("LogSoftmax", g.slice(sums, 1, start, stop), axis=1))
        start = stop
    gains = g.node("Pad", g.node("Concat", *steps, axis=1), [0, 0, 0, 1], 0.0)
    on_the_way = g.node("Gather", rows, input[1], axis=0)
    return g.reduce("ReduceSum", g.node("GatherElements", gains, on_the_way, axis=1), 1)


@rule(
    nn.ReinforceBernoulli,
    nn.ReinforceCategorical,
    nn.ReinforceGamma,
    nn.ReinforceNormal,
    but="stochastic",
)
def expectation(g: Graph, layer: Any, input: Any, output: Value) -> Any:
    if layer.stochastic:
        raise UnsayableError(STOCHASTIC)
    if isinstance(layer, nn.ReinforceGamma):
        return g.node("Mul", *layer._parts(input))
    return input[0].name if isinstance(input, list) else input.name


@rule(nn.SpatialFeatNormalization)
def features(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    centred = g.node("Sub", input, layer.mean[:, None, None])
    return g.node("Div", centred, layer.std[:, None, None])


@rule(nn.SpatialGlimpse)
def glimpse(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    if input[0].ndim == 3:
        batch = [entry.made(lambda p: p[None]) for entry in input]
        named = [each.named(g.reshape(v, each)) for each, v in zip(batch, input, strict=True)]
        return g.node("Squeeze", _glimpses(g, layer, *named), [0])
    return _glimpses(g, layer, *input)


def _glimpses(g: Graph, layer: Any, images: Value, places: Value) -> str:
    planes, *size = images.fixed(1, 2, 3)
    small = images.made(lambda p: np.zeros((len(p), planes, layer.height, layer.width), p.dtype))
    pieces = []
    for around in layer._sizes():
        pads = [((n - 1) // 2, (n - 1) // 2) for n in around]
        piece: Any = g.pad(images, [(0, 0), (0, 0), *pads])
        shape = [n + sum(pad) for n, pad in zip(size, pads, strict=True)]
        for axis, n in enumerate(around):
            room = float(shape[axis] - n)
            share = g.node("Div", g.node("Add", g.slice(places, 1, axis, axis + 1), 1.0), 2.0)
            first = g.node("Floor", g.node("Clip", g.node("Mul", share, room), 0.0, room))
            entries = g.node("Add", g.node("Cast", first, to=INT64), list(range(n)))
            shape[axis] = n
            index = g.node("Unsqueeze", entries, [1, 3 - axis])
            index = g.node("Expand", index, [1, planes, *shape])
            piece = g.node("GatherElements", piece, index, axis=2 + axis)
        if around == (layer.height, layer.width):
            pieces.append(piece)
        elif layer.scale == 2:
            factors = around[0] // layer.height, around[1] // layer.width
            pieces.append(mean(g, piece, factors, factors))
        else:
            pieces.append(linear(g, piece, g.lengths(small, images)))
    return str(g.node("Concat", *pieces, axis=1))
