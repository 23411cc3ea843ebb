"""Paddings and resamplings in ONNX."""

from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, Value
from torchlite.interop.onnx.rules import rule

__all__ = ["linear"]


@rule(nn.SpatialReflectionPadding)
def reflected(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return padded(g, "reflect", layer, input)


@rule(nn.SpatialReplicationPadding, nn.VolumetricReplicationPadding)
def replicated(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return padded(g, "edge", layer, input)


@rule(nn.SpatialZeroPadding)
def zeros(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return padded(g, "constant", layer, input)


def padded(g: Graph, mode: str, layer: Any, input: Value) -> str:
    """Return the name of the images with something around, or less of them."""
    pads = [*[(0, 0)] * (input.ndim - len(layer._axes)), *layer._pads()]
    more = [(max(0, before), max(0, behind)) for before, behind in pads]
    made = g.pad(input, more, mode=mode)
    for axis, (before, behind) in enumerate(pads):
        if min(before, behind) < 0:
            stop = sum(input.fixed(axis)) + sum(more[axis]) + min(0, behind)
            made = g.slice(made, axis, max(0, -before), stop)
    return made


@rule(nn.PixelShuffle)
def pixel_shuffle(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    r, (planes, height, width) = layer.upscaleFactor, output.fixed(-3, -2, -1)

    # DepthToSpace would say it of floats alone.
    def say(images: Any) -> str:
        blocks = g.node("Reshape", images, [0, planes, r, r, height // r, width // r])
        moved = g.node("Transpose", blocks, perm=[0, 1, 4, 2, 5, 3])
        return str(g.node("Reshape", moved, [0, planes, height, width]))

    return g.batched(input, 3, say)


@rule(nn.SpatialUpSamplingBilinear, nn.SpatialUpSamplingNearest, nn.UpSampling)
def up_sampling(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    axes = range(2 - input.ndim if isinstance(layer, nn.UpSampling) else -2, 0)
    if layer.mode == "nearest" and input.dtype.kind != "f":
        made: Any = input
        for axis in axes:
            places = np.repeat(np.arange(*input.fixed(axis)), layer.scale_factor)
            made = g.node("Gather", made, places, axis=axis)
        return made
    scales = np.array([1, 1, *(layer.scale_factor or 1 for _ in axes)], "float32")
    batch = [v if v.ndim > len(axes) + 1 else v.made(lambda p: p[None]) for v in (output, input)]

    def say(images: Any) -> str:
        if layer.mode == "nearest":
            options: Any = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            return str(g.node("Resize", images, None, scales, mode="nearest", **options))
        sizes = g.lengths(batch[0], batch[1].named(g._name_of(images)))
        return linear(g, images, sizes)

    return g.batched(input, len(axes) + 1, say)


def linear(g: Graph, images: Any, sizes: str) -> str:
    """Return the name of images made larger or smaller, linear between their entries."""
    corners: Any = {"coordinate_transformation_mode": "align_corners"}
    return str(g.node("Resize", images, None, None, sizes, mode="linear", **corners))
