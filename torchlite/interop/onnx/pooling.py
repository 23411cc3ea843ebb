"""Pooling in ONNX."""

from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, UnsayableError, Value, zipped
from torchlite.interop.onnx.rules import composed, refused, rule
from torchlite.kernels.means import adaptive_means
from torchlite.kernels.windows import adaptive_windows

__all__ = ["mean"]

refused(
    "it draws its windows at random, in evaluation mode, too",
    nn.SpatialFractionalMaxPooling,
    nn.VolumetricFractionalMaxPooling,
)


def _behind(layer: Any, input: Value, output: Value) -> list[int]:
    """Return with how much padding behind the image its windows are those of the output.

    That is what a rounding up is: ONNX's own differs in where the last window may start.
    """
    axes = range(-len(layer._kernel), 0)
    each = zip(
        input.fixed(*axes),
        output.fixed(*axes),
        layer._kernel,
        layer._stride,
        layer._padding,
        layer._dilation,
        strict=True,
    )
    return [max(0, (m - 1) * s + (k - 1) * d + 1 - n - p) for n, m, k, s, p, d in each]


@rule(
    nn.SpatialDilatedMaxPooling,
    nn.SpatialMaxPooling,
    nn.VolumetricDilatedMaxPooling,
    nn.VolumetricMaxPooling,
)
def max_pooling(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    pads = [*layer._padding, *_behind(layer, input, output)]

    def say(images: Any) -> str:
        made = g.node(
            "MaxPool",
            images,
            kernel_shape=layer._kernel,
            strides=layer._stride,
            pads=pads,
            dilations=layer._dilation,
        )
        # For an unpooling that refers to it.
        g.pooled[id(layer)] = input, g.nodes[-1]
        return str(made)

    return g.batched(input, len(pads) // 2 + 1, say)


@rule(nn.TemporalMaxPooling)
def frames(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    input.fixed(-2)
    images = g.node("Unsqueeze", input, [*range(4 - input.ndim)])
    kernel, strides = layer._kernel, layer._stride
    made = g.node("MaxPool", images, kernel_shape=kernel, strides=strides)
    return g.node("Squeeze", made, [*range(4 - input.ndim)])


@composed(nn.SpatialMaxUnpooling, nn.VolumetricMaxUnpooling)
def unpooling(g: Graph, layer: Any, input: Value) -> Any:
    pooling = layer.pooling
    if id(pooling) not in g.pooled:
        raise UnsayableError("its pooling does not stand before it")
    pooled, node = g.pooled[id(pooling)]
    probes = []
    for which in (0, 1):
        pooling.updateOutput(pooled.probes[which])
        probes.append(layer.updateOutput(input.probes[which]))
    output = zipped(*probes)
    if len(node.output) < 2:
        node.output.append(g.fresh(f"{node.output[0]}.indices"))

    # The indices count through the whole batch.
    zeros = g.zeros(g.lengths(output, pooled), input.dtype)
    flat = (g.node("Reshape", each, [-1]) for each in (zeros, node.output[1], input))
    filled = g.node("ScatterElements", *flat, axis=0)
    return output.named(g.node("Reshape", filled, g.lengths(output, pooled)))


@rule(nn.SpatialAveragePooling, nn.VolumetricAveragePooling)
def average_pooling(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    before, behind = layer._padding, _behind(layer, input, output)
    around = zip(before, behind, strict=True)
    # Of a last window, what lies behind the padding does not count, though padding does.
    beyond = layer.count_include_pad and any(b > p for p, b in around)

    def say(images: Any) -> str:
        pads = [*before, *behind]
        if beyond:
            images = g.pad(images, [(0, 0), (0, 0), *((p, p) for p in before)])
            rest = [max(0, b - p) for p, b in zip(before, behind, strict=True)]
            pads = [*(0 for _ in before), *rest]
        counted = int(layer.count_include_pad and not beyond)
        return mean(g, images, layer._kernel, layer._stride, pads, counted)

    return g.batched(input, len(before) + 1, say)


def mean(
    g: Graph, images: Any, kernel: Any, strides: Any, pads: Any = None, counted: int = 0
) -> str:
    """Return the name of the means of windows."""
    options = {"kernel_shape": kernel, "strides": strides, "count_include_pad": counted}
    return str(g.node("AveragePool", images, pads=pads or [0, 0] * len(kernel), **options))


@rule(nn.SpatialAdaptiveAveragePooling, nn.SpatialAdaptiveMaxPooling)
def adaptive(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    size, out = input.fixed(-2, -1), output.fixed(-2, -1)
    means = isinstance(layer, nn.SpatialAdaptiveAveragePooling)
    if not any(n % m for n, m in zip(size, out, strict=True)):
        kernel = [n // m for n, m in zip(size, out, strict=True)]

        def say(images: Any) -> str:
            if means:
                return mean(g, images, kernel, kernel)
            return str(g.node("MaxPool", images, kernel_shape=kernel, strides=kernel))

        return g.batched(input, 3, say)
    if means:
        rows, columns = (
            adaptive_means(np.eye(n, dtype=input.dtype), (m,))
            for n, m in zip(size, out, strict=True)
        )
        return g.node("MatMul", g.node("MatMul", np.ascontiguousarray(rows.T), input), columns)
    made: Any = input
    for axis, n, m in zip((-2, -1), size, out, strict=True):
        parts = [
            g.reduce("ReduceMax", g.slice(made, axis, start, end), axis, keepdims=True)
            for start, end in adaptive_windows(n, m)
        ]
        made = g.node("Concat", *parts, axis=axis)
    return made


@rule(nn.FeatureLPPooling)
def features(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    axis = int(layer.batch_mode)
    input.fixed(axis)

    def image(array: Any) -> Any:
        return array.reshape(*array.shape[:axis] or (1,), 1, array.shape[axis], -1)

    images = g.reshape(input, input.made(image))
    kernel, strides, _ = layer._windows()
    means = mean(g, g.node("Pow", images, layer.power), kernel, strides)
    sums = g.node("Mul", means, float(layer.width))
    powers = g.node("Pow", sums, 1 / layer.power)
    return g.reshape(output.made(image).named(powers), output)


@rule(nn.TemporalDynamicKMaxPooling)
def largest(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    input.fixed(-2)
    k = [*output.fixed(-2)]
    _, found = g.node("TopK", input, k, outputs=2, axis=-2)
    in_order, _ = g.node("TopK", found, k, outputs=2, axis=-2, largest=0)
    return g.node("GatherElements", input, in_order, axis=-2)
