"""Normalizations in ONNX."""

from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, Value
from torchlite.interop.onnx.rules import rule

__all__: list[str] = []


@rule(nn.BatchNormalization, nn.SpatialBatchNormalization, nn.VolumetricBatchNormalization)
def batch_normalization(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    weight = np.ones_like(layer.running_mean) if layer.weight is None else layer.weight
    bias = np.zeros_like(layer.running_mean) if layer.bias is None else layer.bias
    parameters = weight, bias, layer.running_mean, layer.running_var

    def say(batch: Any) -> str:
        return str(g.node("BatchNormalization", batch, *parameters, epsilon=layer.eps))

    return g.batched(input, 1 + len(layer._axes), say)


@rule(nn.SpatialCrossMapLRN)
def across_maps(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    settings = {"alpha": layer.alpha, "beta": layer.beta, "bias": layer.k}
    options: Any = {name: float(value) for name, value in settings.items()}
    return g.batched(input, 3, lambda images: g.node("LRN", images, size=layer.size, **options))


@rule(nn.SpatialSubtractiveNormalization)
def subtractive(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    mean = g.node("Div", _sums(g, layer, input, input), _inside(layer, input))
    return g.node("Sub", input, mean)


@rule(nn.SpatialDivisiveNormalization)
def divisive(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    squares = g.node("Mul", input, input)
    roots = g.node("Sqrt", _sums(g, layer, input, squares))
    deviation = g.node("Div", roots, _inside(layer, input))
    small = g.node("LessOrEqual", deviation, layer.threshold)
    return g.node("Div", input, g.node("Where", small, layer.thresval, deviation))


def _inside(layer: Any, input: Value) -> Any:
    """Return how much of the window around each entry lies inside the image."""
    return layer._inside(np.zeros((1, *input.fixed(-2, -1)), input.dtype))


def _sums(g: Graph, layer: Any, input: Value, images: Any) -> str:
    """Return the name of the weighted sum of all planes around each entry: one plane."""
    weight, pads = layer._weight(input.probes[0]), layer._padding * 2
    planes = g.reduce("ReduceSum", images, -3, keepdims=True)
    if input.ndim > 3:
        return str(g.node("Conv", planes, weight, pads=pads))
    one = g.node("Unsqueeze", planes, [0])
    return str(g.node("Squeeze", g.node("Conv", one, weight, pads=pads), [0]))
