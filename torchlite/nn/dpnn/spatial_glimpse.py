"""SpatialGlimpse."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.kernels.means import mean_windows, mean_windows_back
from torchlite.kernels.resampling import crop_or_pad, upsample_linear, upsample_linear_back
from torchlite.nn import checks, table_checks
from torchlite.nn.module import Module

__all__ = ["SpatialGlimpse"]


class SpatialGlimpse(Module):
    """Looks at images around given places: a small piece of each, and larger ones, made as small.

    Maths
    -----
    With a scale of 2, for images and places::

        images, places = input
        pieces = []
        for d in range(depth):
            k = (2**d, 2**d)
            g = (height * 2**d, width * 2**d)
            padded = crop_or_pad(images, [((n - 1) // 2, (n - 1) // 2) for n in g])
            room = np.array(padded.shape[2:]) - g
            at = np.floor(np.clip((places + 1) / 2 * room, 0, room)).astype(int)
            cut = [x[:, i : i + g[0], j : j + g[1]] for x, (i, j) in zip(padded, at)]
            pieces.append(mean_windows(np.stack(cut), k, k, (0, 0), (height, width)))
        output = np.concatenate(pieces, 1)

    So a piece is put among zeros where it reaches beyond the image. With another scale g is
    floor(size * scale**d), and `upsample_linear` makes the pieces as small as the first. gradInput
    takes all that back, and is zeros for the places.

    Shapes
    ------
    input: a list of images (N, C, H, W) and the places (N, 2) of their glimpses, y and x from -1 to
    1; output (N, depth * C, height, width), the small pieces first. Or one image (C, H, W) with its
    place (2,).

    Parameters
    ----------
    size
        Of the glimpse: a number, or [height, width].
    depth
        How many pieces there are.
    scale
        How much larger each is than the one before.

    Attributes
    ----------
    height, width, depth, scale
        As above.

    Conventions
    -----------
    A place beyond -1 and 1 is taken for that at the edge. Places have no gradient: what chooses
    them is trained by rewards, see `ReinforceNormal`. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    SettingError
        scale is less than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> image = np.arange(16.0).reshape(1, 4, 4)
    >>> nn.SpatialGlimpse(2, 2).forward([image, np.array([-1.0, -1.0])])
    array([[[0.  , 1.  ],
            [4.  , 5.  ]],
    <BLANKLINE>
           [[0.  , 0.75],
            [3.  , 7.5 ]]])

    Reference
    ---------
    torch/rnn, SpatialGlimpse.lua. Mnih and others, Recurrent models of visual attention, 2014.
    """

    def __init__(self, size: int | Sequence[int], depth: int = 3, scale: float = 2) -> None:
        height, width = size if isinstance(size, (list, tuple)) else (size, size)
        self.height = checks.at_least(self, "size", height, 1)
        self.width = checks.at_least(self, "size", width, 1)
        self.depth = checks.at_least(self, "depth", depth, 1)
        self.scale = checks.constant(self, "scale", scale)
        if not 1 <= self.scale < math.inf:
            raise checks.misbuilt(SettingError, self, "scale", "at least 1", repr(scale))

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {} if self.scale == 2 else {"maths": "it is said of a scale of 2"}

    def updateOutput(self, input: Sequence[Array]) -> Array:
        images, places = self._batch("updateOutput", input)
        pieces = []
        for g, pads, rows, columns in self._pieces(images, places):
            padded = crop_or_pad(images, pads)
            piece = np.take_along_axis(np.take_along_axis(padded, rows, 2), columns, 3)
            pieces.append(self._smaller(piece, g))
        output = np.concatenate(pieces, 1)
        self.output = output if input[0].ndim == 4 else output[0]
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        images, places = self._batch("updateGradInput", input)
        n, planes = images.shape[:2]
        shape = (n, self.depth * planes, self.height, self.width)
        whole = shape if input[0].ndim == 4 else shape[1:]
        checks.must_be_gradient(self, "updateGradInput", gradOutput, whole, images.dtype)
        gradients = gradOutput.reshape(n, self.depth, planes, self.height, self.width)
        gradImages = np.zeros_like(images, dtype=gradOutput.dtype)
        for d, (g, pads, rows, columns) in enumerate(self._pieces(images, places)):
            piece = self._smaller_back(gradients[:, d], g)
            size = [n + sum(pad) for n, pad in zip(images.shape[2:], pads, strict=True)]
            # The rows and columns of a piece are different ones: nothing is added twice.
            tall = np.zeros_like(piece, shape=(*piece.shape[:3], size[1]))
            np.put_along_axis(tall, np.broadcast_to(columns, piece.shape), piece, 3)
            padded = np.zeros_like(piece, shape=(*piece.shape[:2], *size))
            np.put_along_axis(padded, np.broadcast_to(rows, tall.shape), tall, 2)
            gradImages = gradImages + crop_or_pad(padded, [(-a, -b) for a, b in pads])
        gradInput = gradImages.reshape(input[0].shape)
        self.gradInput = [gradInput, np.zeros_like(input[1])]
        return self.gradInput

    def _pieces(self, images: Array, places: Array) -> Iterator[tuple[Any, Any, Array, Array]]:
        """Yield of each piece its size, what pads the images, and its rows and columns in those."""
        for g in self._sizes():
            pads = [((n - 1) // 2, (n - 1) // 2) for n in g]
            at = []
            for axis, n in enumerate(g):
                room = images.shape[2 + axis] + sum(pads[axis]) - n
                first = np.floor(((places[:, axis] + 1) / 2 * room).clip(0, room))
                entries = first.astype(np.intp)[:, None] + like(np.arange(n), images)
                at.append(entries[:, None, :, None] if axis == 0 else entries[:, None, None])
            yield g, pads, at[0], at[1]

    def _sizes(self) -> list[tuple[int, int]]:
        sizes = [(self.height, self.width)]
        for _ in range(1, self.depth):
            height, width = sizes[-1]
            sizes.append((math.floor(height * self.scale), math.floor(width * self.scale)))
        return sizes

    def _smaller(self, piece: Array, g: tuple[int, int]) -> Array:
        size = (self.height, self.width)
        if g == size:
            return piece
        if self.scale == 2:
            factors = (g[0] // self.height, g[1] // self.width)
            return mean_windows(piece, factors, factors, (0, 0), size)
        return upsample_linear(piece, size)

    def _smaller_back(self, gradient: Array, g: tuple[int, int]) -> Array:
        if g == (self.height, self.width):
            return gradient
        if self.scale == 2:
            factors = (g[0] // self.height, g[1] // self.width)
            return mean_windows_back(gradient, g, factors, factors, (0, 0))
        return upsample_linear_back(gradient, g)

    def _batch(self, method: str, input: Any) -> tuple[Array, Array]:
        """Return images and places as a batch."""
        table_checks.must_be_arrays(self, method, "input", input, 2)
        images, places = input
        if images.ndim not in (3, 4):
            raise checks.misshapen(self, method, "input[0]", "(C, H, W) or (N, C, H, W)", images)
        # Two rows, where a piece has an even number of them: one of its edges is not padded.
        least = tuple(
            max(2 - n % 2 for n in lengths) for lengths in zip(*self._sizes(), strict=True)
        )
        if images.shape[-2] < least[0] or images.shape[-1] < least[1]:
            expected = f"images of at least {least[0]} x {least[1]}"
            raise checks.misshapen(self, method, "input[0]", expected, images)
        if places.shape != (*images.shape[:-3], 2):
            raise checks.misshapen(self, method, "input[1]", str((*images.shape[:-3], 2)), places)
        if images.ndim == 3:
            images, places = images[None], places[None]
        return images, places.real
