"""Convolutions in ONNX."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, Value
from torchlite.interop.onnx.rules import rule
from torchlite.kernels.windows import full_size, window_view

__all__: list[str] = []


def _images(g: Graph, layer: Any, input: Value, say: Callable[[Any], str]) -> str:
    """Return what say makes of a batch of images, planes first."""
    dims = len(layer._axes)
    input.fixed(*(range(-dims - 1, -1) if layer._planes_last else range(-dims, 0)))

    def turned(images: Any) -> Any:
        return g.node("Transpose", images, perm=[0, 2, 1]) if layer._planes_last else images

    return g.batched(input, dims + 1, lambda images: turned(say(turned(images))))


def _conv(g: Graph, layer: Any, images: Any, weight: Any, bias: Any, groups: int = 1) -> str:
    return str(
        g.node(
            "Conv",
            images,
            weight,
            bias,
            strides=layer._stride,
            pads=layer._padding * 2,
            dilations=layer._dilation,
            group=groups,
        )
    )


@rule(
    nn.SpatialConvolution,
    nn.SpatialConvolutionMM,
    nn.SpatialDepthWiseConvolution,
    nn.SpatialDilatedConvolution,
    nn.TemporalConvolution,
    nn.TemporalRowConvolution,
    nn.VolumetricConvolution,
    nn.VolumetricDilatedConvolution,
)
def convolution(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    weight, bias = layer._kernels(), layer._biases()
    return _images(g, layer, input, lambda x: _conv(g, layer, x, weight, bias, layer._groups))


@rule(nn.SpatialConvolutionMap)
def mapped(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    weight = _dense(layer, layer.connTable[:, ::-1], layer._planes[::-1])
    return _images(g, layer, input, lambda x: _conv(g, layer, x, weight, layer.bias))


def _dense(layer: Any, table: Any, planes: tuple[int, ...]) -> Any:
    """Return the kernels of all pairs of planes, zeros where there is no connection."""
    weight = np.zeros((*planes, *layer._kernel), layer.weight.dtype)
    np.add.at(weight, tuple(table.T), layer.weight)
    return weight


@rule(nn.SpatialSubSampling, nn.TemporalSubSampling)
def sub_sampling(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    planes = len(layer.weight)
    weight = np.broadcast_to(
        layer.weight.reshape(planes, 1, *(1 for _ in layer._axes)), (planes, 1, *layer._kernel)
    ).copy()
    return _images(g, layer, input, lambda x: _conv(g, layer, x, weight, layer.bias, planes))


@rule(nn.SpatialFullConvolution, nn.VolumetricFullConvolution)
def full(g: Graph, layer: Any, input: Any, output: Value) -> Any:
    return _full(g, layer, input[0] if isinstance(input, list) else input, output, layer.weight)


@rule(nn.SpatialFullConvolutionMap)
def full_mapped(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return _full(g, layer, input, output, _dense(layer, layer.connTable, layer._planes))


def _full(g: Graph, layer: Any, images: Value, output: Value, weight: Any) -> str:
    axes = range(-len(layer._axes), 0)
    windows = (layer._kernel, *layer._geometry, (0,) * len(axes))
    least = full_size(images.fixed(*axes), *windows)
    extra = [n - m for n, m in zip(output.fixed(*axes), least, strict=True)]

    def say(batch: Any) -> str:
        return str(
            g.node(
                "ConvTranspose",
                batch,
                weight,
                layer.bias,
                strides=layer._stride,
                pads=layer._padding * 2,
                dilations=layer._dilation,
                output_padding=extra,
            )
        )

    return g.batched(images, len(axes) + 1, say)


@rule(nn.SpatialConvolutionLocal)
def local(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    planes, made = layer._planes
    size = [n + 2 * p for n, p in zip((layer.iH, layer.iW), layer._padding, strict=True)]
    places = np.arange(planes * size[0] * size[1]).reshape(1, planes, *size)
    windows = window_view(places, layer._kernel, layer._stride, layer._dilation)
    # Where in a padded sample the entries stand: (windows, entries of each).
    index = windows.reshape(-1, layer.oH * layer.oW).T
    weight = layer.weight.reshape(*index.shape[:1], made, -1)
    border = [(0, 0), (0, 0), *((p, p) for p in layer._padding)]

    def say(images: Any) -> str:
        padded = g.pad(images, border)
        flat = g.node("Reshape", padded, [0, -1])
        entries = g.node("Gather", flat, index, axis=1)
        sums = g.node("Einsum", entries, weight, equation="npk,pmk->nmp")
        whole = g.node("Reshape", sums, [0, made, layer.oH, layer.oW])
        return str(whole if layer.bias is None else g.node("Add", whole, layer.bias))

    return g.batched(input, 3, say)
