"""What is measured of the layers that look at windows of images: every case is a row of WINDOWS.

Layers are described so that every library can build them, kernels as (height, width):

- ("convolution", planes in, planes out, kernel, stride, padding), ("depthwise", planes, kernel)
- ("max", size, stride), ("average", size, stride), ("norm", planes), ("relu",)
- ("flatten", entries), ("linear", sizes in, sizes out)
- ("residual", layers ...), which adds what these find to what came in
"""

from dataclasses import dataclass, replace
from math import prod
from types import SimpleNamespace

__all__ = ["GROWTH_OF_WINDOWS", "PARTS", "WINDOWS", "Windows", "drawn"]

PARTS = "forward", "gradInput", "gradWeight"


@dataclass(frozen=True)
class Windows:
    """One piece of work.

    part
        - "forward", "gradInput", "gradWeight" (with the bias): that call of a convolution alone.
        - "both": forward, and backward for a given gradOutput. Several layers find the norm of
          gradInput: where a ReLU's input is 0 but for rounding, single entries go either way.
        - "training": a step with ClassNLLCriterion and a plain update.
    shape
        Of one image, planes first, or of the layer's frames: (features, frames).
    """

    title: str
    layers: tuple
    shape: tuple[int, ...]
    batch: int
    part: str
    work = "windows"
    layer = ""
    slow = False

    @property
    def name(self):
        return f"{self.title}: {self.part}"

    def tiny(self):
        """The same work on few images."""
        return replace(self, batch=min(self.batch, 2))


def convolutions(title, layer, shape, batch):
    return [Windows(f"{title}, batch {batch}", (layer,), shape, batch, part) for part in PARTS]


def convolution(planes_in, planes, kernel, size, batch, stride=1, padding=0):
    """Of square images, or of a sequence or a volume, as the kernel has dimensions."""
    dims = len(kernel)
    layer = ("convolution", planes_in, planes, kernel, stride, padding)
    windows, image = ("x".join([str(n)] * dims) for n in (kernel[0], size))
    strided = f" stride {stride}" if stride > 1 else ""
    title = f"{planes_in} -> {planes}, {windows}{strided}, of {image}"
    return convolutions(title, layer, (planes_in, *[size] * dims), batch)


def both(title, *layers, shape, batch):
    return Windows(f"{title}, batch {batch}", layers, shape, batch, "both")


LENET = (
    ("convolution", 1, 20, (5, 5), 1, 0),
    ("max", 2, 2),
    ("convolution", 20, 50, (5, 5), 1, 0),
    ("max", 2, 2),
    ("flatten", 800),
    ("linear", 800, 500),
    ("relu",),
    ("linear", 500, 10),
)
BLOCK = (
    (
        "residual",
        ("convolution", 64, 64, (3, 3), 1, 1),
        ("norm", 64),
        ("relu",),
        ("convolution", 64, 64, (3, 3), 1, 1),
        ("norm", 64),
    ),
    ("relu",),
)
IMAGES = {"shape": (64, 32, 32), "batch": 32}

WINDOWS = [
    *convolution(1, 20, (5, 5), 28, 64),
    *convolution(20, 50, (5, 5), 12, 64),
    *convolution(64, 64, (3, 3), 32, 32, padding=1),
    *convolution(256, 64, (1, 1), 14, 32),
    *convolution(3, 64, (7, 7), 112, 8, stride=2, padding=3),
    *convolution(64, 128, (5,), 128, 32),
    *convolution(8, 16, (3, 3, 3), 16, 8, padding=1),
    *convolutions("depthwise 64, 3x3, of 32x32", ("depthwise", 64, (3, 3)), (64, 32, 32), 32),
    both("max pooling 2x2, 64 of 32x32", ("max", 2, 2), **IMAGES),
    both("max pooling 3x3 stride 2, 64 of 32x32", ("max", 3, 2), **IMAGES),
    both("average pooling 2x2, 64 of 32x32", ("average", 2, 2), **IMAGES),
    both("SpatialBatchNormalization, 64 of 32x32", ("norm", 64), **IMAGES),
    both("ResNet's basic block, 64 of 32x32", *BLOCK, **IMAGES),
    *[Windows(f"LeNet of 28x28, batch {n}", LENET, (1, 28, 28), n, "training") for n in (1, 64)],
]


def _grown(planes=16, kernel=3, size=16, batch=16):
    layer = ("convolution", planes, planes, (kernel, kernel), 1, kernel // 2)
    title = f"{planes} planes, {kernel}x{kernel}, of {size}x{size}, batch {batch}"
    return both(title, layer, shape=(planes, size, size), batch=batch)


# How forward and backward of a convolution grow: by what, and the cases from small to large.
GROWTH_OF_WINDOWS = {
    "batch": {n: _grown(batch=n) for n in (1, 4, 16, 64, 256)},
    "planes, in and out": {n: _grown(planes=n) for n in (4, 16, 64, 256)},
    "height and width": {n: _grown(size=n) for n in (8, 16, 32, 64, 128)},
    "kernel": {n: _grown(kernel=n) for n in (1, 3, 5, 7, 9, 11)},
}


def drawn(case, draw, between, rng):
    """What all contenders begin with: weights and biases of the layers in turn, images, and g.

    g is the gradient of the output, of training the classes.
    """
    weights = list(_weights(case.layers, between))
    x = draw(case.batch, *case.shape)
    if case.part == "training":
        return SimpleNamespace(weights=weights, x=x, g=rng.integers(10, size=case.batch))
    shape = x.shape
    for layer in case.layers:
        shape = _output_shape(layer, shape)
    return SimpleNamespace(weights=weights, x=x, g=draw(*shape))


def _weights(layers, between):
    for kind, *sizes in layers:
        if kind == "residual":
            yield from _weights(sizes, between)
        elif kind in ("convolution", "depthwise", "linear"):
            planes_in, planes = sizes[:2] if kind != "depthwise" else (1, sizes[0])
            kernel = {"convolution": sizes[2:3], "depthwise": sizes[1:2]}.get(kind, [()])[0]
            bound = (planes_in * prod(kernel)) ** -0.5
            yield between(bound, planes, planes_in, *kernel), between(bound, planes)


def _output_shape(layer, shape):
    kind, *sizes = layer
    if kind == "convolution":
        _, planes, kernel, stride, padding = sizes
        image = zip(shape[2:], kernel, strict=True)
        return shape[0], planes, *((n + 2 * padding - k) // stride + 1 for n, k in image)
    if kind == "depthwise":
        return *shape[:2], *(n - k + 1 for n, k in zip(shape[2:], sizes[1], strict=True))
    if kind in ("max", "average"):
        return *shape[:2], *((n - sizes[0]) // sizes[1] + 1 for n in shape[2:])
    return shape
