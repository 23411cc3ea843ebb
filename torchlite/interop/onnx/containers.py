"""Containers in ONNX. Most hand Values on to what is inside, as they hand on arrays."""

from functools import partial
from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, UnsayableError, Value, zipped
from torchlite.interop.onnx.rules import composed, passing, refused
from torchlite.nn.nested import map_arrays

__all__: list[str] = []

passing(
    nn.ConcatTable,
    nn.JustElement,
    nn.JustTable,
    nn.ParallelTable,
    nn.Sequential,
    nn.SpatialContrastiveNormalization,
    nn.SpatialLPPooling,
    nn.WeightNorm,
    nn.gModule,
)
refused("a loss is what a network is trained by", nn.ModuleFromCriterion)


@composed(nn.Decorator, nn.GPU, nn.NaN, nn.Profile)
def inside(g: Graph, layer: Any, input: Any) -> Any:
    return layer.modules[0].updateOutput(input)


@composed(nn.Bottle)
def bottle(g: Graph, layer: Any, input: Value) -> Any:
    rows = input.made(lambda probe: layer._deal(probe)[0])
    output = layer.modules[0].updateOutput(rows.named(g.reshape(input, rows)))
    pairs = zip(input.probes, output.probes, strict=True)
    whole = zipped(*(layer._join(given, [made]) for given, made in pairs))
    return whole.named(g.reshape(output, whole))


@composed(nn.Concat)
def concat(g: Graph, layer: Any, input: Any) -> Any:
    outputs = [module.updateOutput(input) for module in layer.modules]
    return g.run(nn.JoinTable(layer.dimension), outputs)


@composed(nn.DepthConcat)
def depth_concat(g: Graph, layer: Any, input: Any) -> Any:
    outputs = [module.updateOutput(input) for module in layer.modules]
    axis = layer.dimension % outputs[0].ndim

    def margins(probes: Any) -> Any:
        shape, windows = layer._windows(list(probes))
        return [
            [
                (0, 0) if at == axis else (own.start, whole - own.stop)
                for at, (own, whole) in enumerate(zip(window, shape, strict=True))
            ]
            for window in windows
        ]

    pads, same = map(margins, zip(*(output.probes for output in outputs), strict=True))
    if pads != same:
        raise UnsayableError("how many zeros it adds depends on the batch")
    grown = [
        output.made(partial(np.pad, pad_width=each)).named(g.pad(output, each))
        for output, each in zip(outputs, pads, strict=True)
    ]
    return g.run(nn.JoinTable(axis), grown)


@composed(nn.DontCast)
def dont_cast(g: Graph, layer: Any, input: Any) -> Any:
    def cast(table: Any, dtype: Any) -> Any:
        def one(value: Any) -> Any:
            return g.cast(value, dtype) if value.dtype.kind == "f" else value

        return map_arrays(one, table)

    if layer.castin:
        input = cast(input, layer._inside())
    output = layer.modules[0].updateOutput(input)
    return cast(output, layer._dtype) if layer.castout else output


@composed(nn.MapTable)
def map_table(g: Graph, layer: Any, input: Any) -> Any:
    # A module of its own that an entry has not got yet would be a clone of the first.
    own = 0 if layer.shared else len(layer.modules)
    return [layer.modules[i if i < own else 0].updateOutput(entry) for i, entry in enumerate(input)]


@composed(nn.Parallel)
def parallel(g: Graph, layer: Any, input: Value) -> Any:
    parts = g.run(nn.SplitTable(layer.inputDimension), input)
    outputs = [module.updateOutput(part) for module, part in zip(layer.modules, parts, strict=True)]
    return g.run(nn.JoinTable(layer.outputDimension), outputs)


@composed(nn.LayerNormalization, nn.Maxout)
def network(g: Graph, layer: Any, input: Value) -> Any:
    if input.ndim > 1:
        return nn.Sequential.updateOutput(layer, input)
    output = nn.Sequential.updateOutput(layer, g.run(nn.Unsqueeze(0), input))
    return g.run(nn.Select(0, 0), output)
