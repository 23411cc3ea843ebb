"""Faults that need axes of other lengths: H taken for W, of square examples, and what is cut off.

The examples are square, or as short as examples are: at these all of it is right.
"""

import numpy as np

from bugs import Bug, CriterionBug
from bugs.good_squares import (
    Attended,
    Blocks,
    Centre,
    Centred,
    Enlarged,
    ExcitedPlanes,
    Filtered,
    Halved,
    Leaking,
    MeanLikeness,
    MeanOfMap,
    MiddleSquare,
    PixelEntropy,
    Roughness,
    RowsCentred,
    Styles,
    Tokens,
    Volumes,
    Wrapped,
    pixels,
)
from torchlite import nn


class MeanOfMapByRowsSquared(MeanOfMap):
    def updateGradInput(self, input, gradOutput):
        share = gradOutput[:, :, None, None] / input.shape[2] ** 2
        self.gradInput = np.broadcast_to(share, input.shape).copy()
        return self.gradInput


class TokensOfSquares(Tokens):
    """Written back as many columns as there are rows."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        H, W = input.shape[2:]
        for i in range(H):
            for j in range(H):
                self.gradInput[:, :, i, j] = gradOutput[:, i * W + j]
        return self.gradInput


class EnlargedTurned(Enlarged):
    """Height and width are exchanged: the gradient is as wide as the image is high."""

    def updateGradInput(self, input, gradOutput):
        N, C, W, H = input.shape
        self.gradInput = gradOutput.reshape(N, C, H, 2, W, 2).sum(axis=(3, 5))
        return self.gradInput


class HalvedOfSmallImages(Halved):
    """Of images of more than six rows, the last are left out."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, gradOutput)
        self.gradInput[:, :, 6:] = 0
        return self.gradInput


class FilteredOfSquares(Filtered):
    """The weights learn of as many columns as there are rows."""

    def accGradParameters(self, input, gradOutput, scale=1):
        size = gradOutput.shape[2]
        for i in range(3):
            for j in range(3):
                seen = input[:, :, i : i + size, j : j + size]
                part = gradOutput[:, :, :, : seen.shape[3]]
                seen = seen[..., : part.shape[3]]
                self.gradWeight[:, i, j] += scale * (part * seen).sum(axis=(0, 2, 3))


class BlocksTurned(Blocks):
    """The weights learn of other blocks, where there are more than one; it raises of no squares."""

    def accGradParameters(self, input, gradOutput, scale=1):
        for i, j in np.ndindex(gradOutput.shape[2:]):
            terms = gradOutput[:, :, j, i, None, None] * self._block(input, i, j)
            self.gradWeight += scale * terms.sum(axis=(0, 1))


class MiddleByRows(MiddleSquare):
    def updateGradInput(self, input, gradOutput):
        top = min(input.shape[2:]) // 2 - 1
        self.gradInput = np.zeros_like(input)
        self.gradInput[:, :, top : top + 2, top : top + 2] = gradOutput
        return self.gradInput


class WrappedByHeight(Wrapped):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.roll(gradOutput, -(input.shape[2] // 2), axis=3)
        return self.gradInput


class CentreByHeight(Centre):
    def updateGradInput(self, input, gradOutput):
        p = self._softmax(input)
        H = input.shape[2]
        rows, columns = (np.arange(n).astype(input.dtype) / H for n in input.shape[2:])
        dp = gradOutput[:, :, 0, None, None] * rows[:, None]
        dp = dp + gradOutput[:, :, 1, None, None] * columns
        self.gradInput = p * (dp - (p * dp).sum(axis=(2, 3), keepdims=True))
        return self.gradInput


class CentredByWidthSquared(Centred):
    def updateGradInput(self, input, gradOutput):
        total = gradOutput.sum(axis=(2, 3), keepdims=True)
        self.gradInput = gradOutput - total / input.shape[3] ** 2
        return self.gradInput


class StylesByPlanes(Styles):
    """As many planes as columns, of the example."""

    def updateGradInput(self, input, gradOutput):
        N, C, H, W = input.shape
        both = gradOutput + gradOutput.transpose(0, 2, 1)
        self.gradInput = (both @ input.reshape(N, C, H * W) / (H * C)).reshape(input.shape)
        return self.gradInput


class ExcitedByRowsSquared(ExcitedPlanes):
    def _area(self, input):
        return input.shape[2] ** 2


class VolumesByCube(Volumes):
    def updateGradInput(self, input, gradOutput):
        _, _, D, H, _ = input.shape
        share = gradOutput[:, :, None, None, None] / (D * H * H)
        self.gradInput = np.broadcast_to(share, input.shape).copy()
        return self.gradInput


class LeakingForEightSteps(Leaking):
    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        last = input.shape[2]
        for t in range(last):
            for s in range(t, min(t + 8, last)):
                gradInput[:, :, t] += 0.5 ** (s - t) * gradOutput[:, :, s]
        self.gradInput = gradInput
        return gradInput


class MeanLikenessByQueries(MeanLikeness):
    """As many vectors as others, of the example."""

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        query, keys = input
        self.gradInput[1] *= keys.shape[1] / query.shape[1]
        return self.gradInput


class AttendedByKeys(Attended):
    """Only as many queries as there are keys are heard."""

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        self.gradInput[0][:, input[1].shape[1] :] = 0
        return self.gradInput


class RowsCentredBySamples(RowsCentred):
    """Divided by the number of samples, of which there are as many as features."""

    def updateGradInput(self, input, gradOutput):
        total = gradOutput.sum(axis=-1, keepdims=True)
        self.gradInput = gradOutput - total / input.shape[0]
        return self.gradInput


class RoughnessOfSquares(Roughness):
    def _size(self, input):
        return input.shape[0] * input.shape[1] * input.shape[3] ** 2


class PixelEntropyOfSquares(PixelEntropy):
    def _pixels(self, target):
        return target.shape[0] * target.shape[1] ** 2


class SamplesCentred(nn.Module):
    """Samples without their means, which are taken of flat memory, as if all images were square."""

    def _starts(self, input):
        N, C, H, _ = input.shape
        return np.arange(N) * (C * H * H)

    def updateOutput(self, input):
        means = np.add.reduceat(input.reshape(-1), self._starts(input)) / input[:1].size
        self.output = input - means[:, None, None, None]
        return self.output

    def updateGradInput(self, input, gradOutput):
        lengths = np.diff([*self._starts(input), input.size])
        shares = gradOutput.sum(axis=(1, 2, 3)) / input[:1].size
        self.gradInput = gradOutput - shares.repeat(lengths).reshape(input.shape)
        return self.gradInput


OF_INPUT = {"gradInput"}

BUGS = [
    Bug(
        lambda: MeanOfMapByRowsSquared(),
        (2, 3, 4, 4),
        OF_INPUT,
        "divided by H**2 instead of H * W",
        pattern="constant factor",
    ),
    Bug(
        lambda: TokensOfSquares(),
        (2, 3, 4, 4),
        OF_INPUT,
        "columns left out beyond rows",
        pattern="never written",
    ),
    Bug(lambda: EnlargedTurned(), (2, 3, 4, 4), OF_INPUT, "gradInput is (W, H)"),
    Bug(
        lambda: HalvedOfSmallImages(),
        (2, 2, 4, 4),
        OF_INPUT,
        "cut off after six rows",
        pattern="never written",
    ),
    Bug(
        lambda: FilteredOfSquares(2),
        (2, 2, 5, 5),
        {"gradParameters"},
        "columns beyond the number of rows are left out",
        pattern="left out",
    ),
    Bug(lambda: SamplesCentred(), (2, 2, 4, 4), {"batch"}, "samples begin after C * H**2 entries"),
    Bug(
        lambda: BlocksTurned(),
        (2, 2, 2, 2),
        {"gradParameters"},
        "rows taken for columns",
        pattern="axes exchanged",
    ),
    Bug(
        lambda: MiddleByRows(),
        (2, 2, 4, 4),
        OF_INPUT,
        "the middle of a square",
        pattern="other places",
    ),
    Bug(
        lambda: WrappedByHeight(),
        (2, 2, 4, 4),
        OF_INPUT,
        "moved by half the height",
        pattern="other places",
    ),
    Bug(lambda: CentreByHeight(), (2, 2, 4, 4), OF_INPUT, "columns divided by the height"),
    Bug(lambda: CentredByWidthSquared(), (2, 2, 4, 4), OF_INPUT, "divided by W**2"),
    Bug(
        lambda: StylesByPlanes(),
        (2, 3, 3, 3),
        OF_INPUT,
        "divided by C instead of W",
        pattern="constant factor",
    ),
    Bug(lambda: ExcitedByRowsSquared(3), (2, 3, 3, 3), OF_INPUT, "divided by H**2"),
    Bug(
        lambda: VolumesByCube(),
        (2, 2, 3, 3, 3),
        OF_INPUT,
        "divided by H instead of W",
        pattern="constant factor",
    ),
    Bug(
        lambda: LeakingForEightSteps(),
        (2, 2, 4),
        OF_INPUT,
        "cut off after eight steps",
        pattern="left out",
    ),
    Bug(
        lambda: MeanLikenessByQueries(),
        [(2, 3, 3), (2, 3, 3)],
        OF_INPUT,
        "divided by the number of queries instead of keys",
        pattern="constant factor",
    ),
    Bug(
        lambda: AttendedByKeys(),
        [(2, 3, 3)] * 3,
        OF_INPUT,
        "queries left out beyond keys",
        pattern="never written",
    ),
    Bug(lambda: RowsCentredBySamples(), (4, 4), OF_INPUT, "divided by samples, not features"),
    CriterionBug(
        lambda: RoughnessOfSquares(),
        (2, 2, 4, 4),
        (2, 2, 4, 4),
        OF_INPUT,
        "divided by W**2 instead of H * W",
        pattern="constant factor",
    ),
    CriterionBug(
        lambda: PixelEntropyOfSquares(),
        (2, 3, 3, 3),
        pixels(2, 3),
        OF_INPUT,
        "divided by H**2 instead of H * W",
        pattern="constant factor",
    ),
]
