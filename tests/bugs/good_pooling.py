"""Right pooling layers, and those that turn it round."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bugs.good import Good, odd
from torchlite import nn, random
from torchlite.errors import StateError


class MaxOverTime(nn.Module):
    """(N, T, n) to (N, n); the first of several largest has the gradient."""

    def updateOutput(self, input):
        self.output = input.max(axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        first = np.argmax(input, axis=1)
        gradInput = np.zeros_like(input)
        n, c = np.ogrid[: input.shape[0], : input.shape[2]]
        gradInput[n, first, c] = gradOutput
        self.gradInput = gradInput
        return gradInput


class GlobalMaximum(nn.Module):
    """The largest of every channel, shared among ties: (N, C, H, W) to (N, C)."""

    def updateOutput(self, input):
        self.output = input.max(axis=(2, 3))
        return self.output

    def updateGradInput(self, input, gradOutput):
        largest = (input == input.max(axis=(2, 3), keepdims=True)).astype(input.dtype)
        share = gradOutput / largest.sum(axis=(2, 3))
        self.gradInput = largest * share[:, :, None, None]
        return self.gradInput


class GlobalMean(nn.Module):
    """(N, C, H, W) to (N, C)."""

    def updateOutput(self, input):
        self.output = input.mean(axis=(2, 3))
        return self.output

    def updateGradInput(self, input, gradOutput):
        H, W = input.shape[2:]
        self.gradInput = np.tile(gradOutput[:, :, None, None] / (H * W), (1, 1, H, W))
        return self.gradInput


class OverlappingMaximum(nn.Module):
    """Windows of 3, stride 1, over (N, L): an entry may be the largest of three."""

    def updateOutput(self, input):
        self.output = sliding_window_view(input, 3, axis=1).max(axis=-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        place = sliding_window_view(input, 3, axis=1).argmax(axis=-1)
        place = place + np.arange(place.shape[1])
        gradInput = np.zeros_like(input)
        np.add.at(gradInput, (np.arange(len(input))[:, None], place), gradOutput)
        self.gradInput = gradInput
        return gradInput


class MaximumOfImages(nn.Module):
    """2 by 2, stride 2; remembers where, and for which input."""

    def __init__(self):
        self.seen = self.place = None

    def _patches(self, x):
        N, C, H, W = x.shape
        cut = x.reshape(N, C, H // 2, 2, W // 2, 2).transpose(0, 1, 2, 4, 3, 5)
        return cut.reshape(N, C, H // 2, W // 2, 4)

    def updateOutput(self, input):
        patches = self._patches(input)
        self.place = patches.argmax(axis=-1)[..., None]
        self.seen = input
        self.output = np.take_along_axis(patches, self.place, -1)[..., 0]
        return self.output

    def updateGradInput(self, input, gradOutput):
        if self.seen is not input and not np.array_equal(self.seen, input):
            raise StateError("MaximumOfImages: forward this input first")
        N, C, H, W = input.shape
        spread = np.zeros((N, C, H // 2, W // 2, 4), gradOutput.dtype)
        np.put_along_axis(spread, self.place, gradOutput[..., None], -1)
        spread = spread.reshape(N, C, H // 2, W // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5)
        self.gradInput = spread.reshape(input.shape)
        return self.gradInput


class MeanOfWindows(nn.Module):
    """Windows of k, stride s, over (N, C, L)."""

    def __init__(self, k=3, s=2):
        self.k, self.s = k, s

    def updateOutput(self, input):
        windows = sliding_window_view(input, self.k, axis=2)[:, :, :: self.s]
        self.output = windows.mean(axis=-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        for i in range(gradOutput.shape[2]):
            start = i * self.s
            gradInput[:, :, start : start + self.k] += gradOutput[:, :, i : i + 1] / self.k
        self.gradInput = gradInput
        return gradInput


class PaddedMean(nn.Module):
    """Windows of 3 with one zero at each end, which do not count."""

    def _counts(self, L):
        return np.convolve(np.ones(L), np.ones(3), "same")

    def updateOutput(self, input):
        padded = np.pad(input, ((0, 0), (1, 1)))
        sums = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
        self.output = sums / self._counts(input.shape[1]).astype(input.dtype)
        return self.output

    def updateGradInput(self, input, gradOutput):
        share = np.pad(
            gradOutput / self._counts(input.shape[1]).astype(gradOutput.dtype), ((0, 0), (1, 1))
        )
        self.gradInput = share[:, :-2] + share[:, 1:-1] + share[:, 2:]
        return self.gradInput


class Adaptive(nn.Module):
    """Means of k parts of nearly the same length: (N, L) to (N, k)."""

    def __init__(self, k):
        self.k = k

    def _ends(self, L):
        return [(i * L // self.k, -(-(i + 1) * L // self.k)) for i in range(self.k)]

    def updateOutput(self, input):
        ends = self._ends(input.shape[1])
        self.output = np.stack([input[:, a:b].mean(1) for a, b in ends], axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        for i, (a, b) in enumerate(self._ends(input.shape[1])):
            gradInput[:, a:b] += gradOutput[:, i, None] / (b - a)
        self.gradInput = gradInput
        return gradInput


class SmoothMaximum(nn.Module):
    """log of the mean of exp, over time."""

    def updateOutput(self, input):
        top = input.max(1, keepdims=True)
        self.output = (top + np.log(np.exp(input - top).mean(1, keepdims=True)))[:, 0]
        return self.output

    def updateGradInput(self, input, gradOutput):
        e = np.exp(input - input.max(1, keepdims=True))
        self.gradInput = gradOutput[:, None] * e / e.sum(1, keepdims=True)
        return self.gradInput


class PowerMean(nn.Module):
    """(mean |x|^3)^(1/3) over the last dimension; its slope at 0 is 0."""

    p = 3

    def updateOutput(self, input):
        self.output = (np.abs(input) ** self.p).mean(-1) ** (1 / self.p)
        return self.output

    def updateGradInput(self, input, gradOutput):
        size = np.abs(input)
        mean = (size**self.p).mean(-1, keepdims=True)
        slope = np.sign(input) * size ** (self.p - 1) / input.shape[-1]
        self.gradInput = (
            gradOutput[..., None] * slope / np.where(mean == 0, 1, mean) ** (1 - 1 / self.p)
        )
        return self.gradInput


class RootMeanSquare(nn.Module):
    """Over 2 neighbours; of two zeros the slope is 0."""

    def updateOutput(self, input):
        pairs = input.reshape(len(input), input.shape[1] // 2, 2)
        self.output = np.sqrt((pairs**2).mean(-1))
        return self.output

    def updateGradInput(self, input, gradOutput):
        pairs = input.reshape(len(input), input.shape[1] // 2, 2)
        root = np.sqrt((pairs**2).mean(-1))
        self.gradInput = (gradOutput / np.where(root == 0, 1, root) / 2)[..., None] * pairs
        self.gradInput = self.gradInput.reshape(input.shape)
        return self.gradInput


class MaskedMean(nn.Module):
    """[x, mask]: the mean over the steps whose mask is True."""

    def _share(self, mask, dtype):
        mask = mask.astype(dtype)
        return mask / np.maximum(mask.sum(1, keepdims=True), 1)

    def updateOutput(self, input):
        x, mask = input
        self.output = (x * self._share(mask, x.dtype)[..., None]).sum(1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        mask = input[1]
        dx = gradOutput[:, None] * self._share(mask, gradOutput.dtype)[..., None]
        self.gradInput = [dx, np.zeros_like(mask)]
        return self.gradInput


class MixedPool(nn.Module):
    """a * maximum + (1 - a) * mean with one learned a."""

    def __init__(self):
        self.weight = np.array([0.5])
        self.gradWeight = np.zeros(1)

    def updateOutput(self, input):
        a = self.weight[0]
        self.output = a * input.max(1) + (1 - a) * input.mean(1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        a = self.weight[0]
        gradInput = np.repeat(((1 - a) * gradOutput / input.shape[1])[:, None], input.shape[1], 1)
        first = input.argmax(1)[:, None]
        old = np.take_along_axis(gradInput, first, 1)
        np.put_along_axis(gradInput, first, old + a * gradOutput[:, None], 1)
        self.gradInput = gradInput
        return gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * ((input.max(1) - input.mean(1)) * gradOutput).sum()


class Upsampled(nn.Module):
    """Every pixel twice in both directions."""

    def updateOutput(self, input):
        self.output = input.repeat(2, axis=2).repeat(2, axis=3)
        return self.output

    def updateGradInput(self, input, gradOutput):
        N, C, H, W = input.shape
        self.gradInput = gradOutput.reshape(N, C, H, 2, W, 2).sum(axis=(3, 5))
        return self.gradInput


class LinearUpsampled(nn.Module):
    """Between two neighbours their mean: (N, L) to (N, 2 L - 1)."""

    def updateOutput(self, input):
        out = np.empty((len(input), 2 * input.shape[1] - 1), input.dtype)
        out[:, ::2] = input
        out[:, 1::2] = (input[:, 1:] + input[:, :-1]) / 2
        self.output = out
        return out

    def updateGradInput(self, input, gradOutput):
        g = gradOutput[:, ::2].copy()
        g[:, 1:] += gradOutput[:, 1::2] / 2
        g[:, :-1] += gradOutput[:, 1::2] / 2
        self.gradInput = g
        return g


class PixelShuffle(nn.Module):
    """(N, 4, H, W) to (N, 1, 2 H, 2 W)."""

    def updateOutput(self, input):
        N, _, H, W = input.shape
        out = input.reshape(N, 1, 2, 2, H, W).transpose(0, 1, 4, 2, 5, 3)
        self.output = out.reshape(N, 1, 2 * H, 2 * W)
        return self.output

    def updateGradInput(self, input, gradOutput):
        N, _, H, W = input.shape
        g = gradOutput.reshape(N, 1, H, 2, W, 2).transpose(0, 1, 3, 5, 2, 4)
        self.gradInput = g.reshape(input.shape)
        return self.gradInput


class Pyramid(nn.Module):
    """The maximum of all, of both halves, side by side: (N, L) to (N, 3)."""

    def _parts(self, L):
        return [slice(0, L), slice(0, L // 2), slice(L // 2, L)]

    def updateOutput(self, input):
        parts = self._parts(input.shape[1])
        self.output = np.stack([input[:, part].max(1) for part in parts], axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        rows = np.arange(len(input))
        for k, part in enumerate(self._parts(input.shape[1])):
            place = part.start + input[:, part].argmax(1)
            gradInput[rows, place] += gradOutput[:, k]
        self.gradInput = gradInput
        return gradInput


class LearnedPool(nn.Module):
    """A softmax over learned scores of the places, which weights them: (N, T, n) to (N, n)."""

    def __init__(self, T):
        self.scores = random.normal(0, 1, size=T)
        self.gradScores = np.zeros(T)

    def parameters(self):
        return [self.scores], [self.gradScores]

    def _weights(self):
        e = np.exp(self.scores - self.scores.max())
        return e / e.sum()

    def updateOutput(self, input):
        self.output = np.einsum("t,ntd->nd", self._weights(), input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._weights()[:, None] * gradOutput[:, None]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        w = self._weights()
        dw = np.einsum("ntd,nd->t", input, gradOutput)
        self.gradScores += scale * w * (dw - w @ dw)


def images(N, n):
    return (N, 2, 4, 4)


def tied_images(N, n):
    return lambda rng: rng.choice([-0.75, 0.5, 1.25], (N, 2, 4, 4))


def sequence(N, n):
    return (N, 5, n)


def tied_sequence(N, n):
    return lambda rng: rng.choice([-0.75, 0.5, 1.25], (N, 5, n))


def tied_rows(N, n):
    return lambda rng: rng.choice([-0.75, 0.5, 1.25], (N, n + 3))


def masked(N, n):
    return lambda rng: [odd(rng, (N, 4, n)), rng.random((N, 4)) < 0.7]


IMAGES = ((3, 3, 4), (1, 2, 3), (6, 4, 4))

GOOD = [
    Good(lambda n, m: MaxOverTime(), sequence),
    Good(lambda n, m: MaxOverTime(), tied_sequence, label="ties"),
    Good(lambda n, m: GlobalMaximum(), images, sizes=IMAGES),
    Good(lambda n, m: GlobalMaximum(), tied_images, sizes=IMAGES, label="ties"),
    Good(lambda n, m: GlobalMean(), images, sizes=IMAGES),
    Good(lambda n, m: OverlappingMaximum(), lambda N, n: (N, n + 3)),
    Good(lambda n, m: OverlappingMaximum(), tied_rows, label="ties"),
    Good(lambda n, m: MaximumOfImages(), images, sizes=IMAGES),
    Good(lambda n, m: MaximumOfImages(), tied_images, sizes=IMAGES, label="ties"),
    Good(lambda n, m: MeanOfWindows(), lambda N, n: (N, n, 7)),
    Good(lambda n, m: PaddedMean(), lambda N, n: (N, n + 2)),
    Good(lambda n, m: Adaptive(3), lambda N, n: (N, n + 4)),
    Good(lambda n, m: SmoothMaximum(), sequence),
    Good(lambda n, m: PowerMean()),
    Good(lambda n, m: RootMeanSquare(), lambda N, n: (N, 2 * n)),
    Good(lambda n, m: MaskedMean(), masked),
    Good(lambda n, m: MixedPool(), sequence),
    Good(lambda n, m: MixedPool(), tied_sequence, label="ties"),
    Good(lambda n, m: Upsampled(), lambda N, n: (N, n, 2, 3)),
    Good(lambda n, m: LinearUpsampled(), lambda N, n: (N, n + 1)),
    Good(lambda n, m: PixelShuffle(), lambda N, n: (N, 4, 2, n)),
    Good(lambda n, m: Pyramid(), lambda N, n: (N, n + 2)),
    Good(lambda n, m: LearnedPool(5), sequence),
]
