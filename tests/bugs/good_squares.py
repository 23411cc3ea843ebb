"""Right layers of images, volumes and sequences, of square examples and others."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bugs.good import Good
from torchlite import nn, random

# ---------------------------------------------------------------- images


class MeanOfMap(nn.Module):
    """(N, C, H, W) to (N, C)."""

    def updateOutput(self, input):
        self.output = input.mean(axis=(2, 3))
        return self.output

    def updateGradInput(self, input, gradOutput):
        H, W = input.shape[2:]
        share = gradOutput[:, :, None, None] / (H * W)
        self.gradInput = np.broadcast_to(share, input.shape).copy()
        return self.gradInput


class Tokens(nn.Module):
    """(N, C, H, W) to (N, H * W, C)."""

    def updateOutput(self, input):
        N, C, H, W = input.shape
        self.output = input.reshape(N, C, H * W).transpose(0, 2, 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.transpose(0, 2, 1).reshape(input.shape)
        return self.gradInput


class Enlarged(nn.Module):
    """Each entry four times."""

    def updateOutput(self, input):
        self.output = input.repeat(2, axis=2).repeat(2, axis=3)
        return self.output

    def updateGradInput(self, input, gradOutput):
        N, C, H, W = input.shape
        self.gradInput = gradOutput.reshape(N, C, H, 2, W, 2).sum(axis=(3, 5))
        return self.gradInput


class Halved(nn.Module):
    """The means of two by two."""

    def updateOutput(self, input):
        N, C, H, W = input.shape
        self.output = input.reshape(N, C, H // 2, 2, W // 2, 2).mean(axis=(3, 5))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.repeat(2, axis=2).repeat(2, axis=3) / 4
        return self.gradInput


class Filtered(nn.Module):
    """A cross-correlation of every plane with its own 3 by 3 weights."""

    def __init__(self, planes):
        self.weight = random.uniform(-1, 1, size=(planes, 3, 3))
        self.gradWeight = np.zeros_like(self.weight)

    def updateOutput(self, input):
        windows = sliding_window_view(input, (3, 3), axis=(2, 3))
        self.output = np.einsum("nchwij,cij->nchw", windows, self.weight)
        return self.output

    def updateGradInput(self, input, gradOutput):
        padded = np.pad(gradOutput, ((0, 0), (0, 0), (2, 2), (2, 2)))
        windows = sliding_window_view(padded, (3, 3), axis=(2, 3))
        self.gradInput = np.einsum("nchwij,cij->nchw", windows, self.weight[:, ::-1, ::-1])
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for i in range(3):
            for j in range(3):
                seen = input[:, :, i : i + gradOutput.shape[2], j : j + gradOutput.shape[3]]
                self.gradWeight[:, i, j] += scale * (gradOutput * seen).sum(axis=(0, 2, 3))


class MiddleSquare(nn.Module):
    """The two by two in the middle."""

    def _corner(self, input):
        return input.shape[2] // 2 - 1, input.shape[3] // 2 - 1

    def updateOutput(self, input):
        top, left = self._corner(input)
        self.output = input[:, :, top : top + 2, left : left + 2].copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        top, left = self._corner(input)
        self.gradInput = np.zeros_like(input)
        self.gradInput[:, :, top : top + 2, left : left + 2] = gradOutput
        return self.gradInput


class Wrapped(nn.Module):
    """Every row moved by half its length."""

    def updateOutput(self, input):
        self.output = np.roll(input, input.shape[3] // 2, axis=3)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.roll(gradOutput, -(input.shape[3] // 2), axis=3)
        return self.gradInput


class Centre(nn.Module):
    """Where a map is, by the weights that a softmax makes of it: (N, C, H, W) to (N, C, 2)."""

    def _softmax(self, input):
        e = np.exp(input - input.max(axis=(2, 3), keepdims=True))
        return e / e.sum(axis=(2, 3), keepdims=True)

    def _places(self, input):
        H, W = input.shape[2:]
        rows = (np.arange(H) / H).astype(input.dtype)
        columns = (np.arange(W) / W).astype(input.dtype)
        return rows[:, None], columns

    def updateOutput(self, input):
        p = self._softmax(input)
        self.output = np.stack([(p * at).sum(axis=(2, 3)) for at in self._places(input)], axis=2)
        return self.output

    def updateGradInput(self, input, gradOutput):
        p = self._softmax(input)
        rows, columns = self._places(input)
        dp = gradOutput[:, :, 0, None, None] * rows + gradOutput[:, :, 1, None, None] * columns
        self.gradInput = p * (dp - (p * dp).sum(axis=(2, 3), keepdims=True))
        return self.gradInput


class Centred(nn.Module):
    """Every map without its mean."""

    def updateOutput(self, input):
        self.output = input - input.mean(axis=(2, 3), keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput - gradOutput.mean(axis=(2, 3), keepdims=True)
        return self.gradInput


class Styles(nn.Module):
    """What planes have in common: (N, C, H, W) to (N, C, C)."""

    def updateOutput(self, input):
        flat = input.reshape(*input.shape[:2], math.prod(input.shape[2:]))
        self.output = flat @ flat.transpose(0, 2, 1) / flat.shape[2]
        return self.output

    def updateGradInput(self, input, gradOutput):
        flat = input.reshape(*input.shape[:2], math.prod(input.shape[2:]))
        both = gradOutput + gradOutput.transpose(0, 2, 1)
        self.gradInput = (both @ flat / flat.shape[2]).reshape(input.shape)
        return self.gradInput


class ExcitedPlanes(nn.Module):
    """Planes times a sigmoid of their means, mixed by a square of weights."""

    def __init__(self, planes):
        self.weight = random.uniform(-1, 1, size=(planes, planes))
        self.gradWeight = np.zeros_like(self.weight)

    def _gate(self, input):
        return 0.5 + 0.5 * np.tanh(0.5 * (input.mean(axis=(2, 3)) @ self.weight))

    def updateOutput(self, input):
        self.output = input * self._gate(input)[:, :, None, None]
        return self.output

    def _inner(self, input, gradOutput):
        s = self._gate(input)
        return (gradOutput * input).sum(axis=(2, 3)) * s * (1 - s)

    def _area(self, input):
        return input.shape[2] * input.shape[3]

    def updateGradInput(self, input, gradOutput):
        share = self._inner(input, gradOutput) @ self.weight.T / self._area(input)
        gate = self._gate(input)[:, :, None, None]
        self.gradInput = gradOutput * gate + share[:, :, None, None]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        inner = self._inner(input, gradOutput)
        self.gradWeight += scale * input.mean(axis=(2, 3)).T @ inner


class Volumes(nn.Module):
    """(N, C, D, H, W) to (N, C)."""

    def updateOutput(self, input):
        self.output = input.mean(axis=(2, 3, 4))
        return self.output

    def updateGradInput(self, input, gradOutput):
        share = gradOutput[:, :, None, None, None] / math.prod(input.shape[2:])
        self.gradInput = np.broadcast_to(share, input.shape).copy()
        return self.gradInput


# ---------------------------------------------------------------- sequences


class Leaking(nn.Module):
    """(N, C, T): half of what was before, and what comes."""

    def updateOutput(self, input):
        self.output = np.empty_like(input)
        state = np.zeros_like(input[:, :, 0])
        for t in range(input.shape[2]):
            state = 0.5 * state + input[:, :, t]
            self.output[:, :, t] = state
        return self.output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.empty_like(input)
        state = np.zeros_like(input[:, :, 0])
        for t in reversed(range(input.shape[2])):
            state = gradOutput[:, :, t] + 0.5 * state
            gradInput[:, :, t] = state
        self.gradInput = gradInput
        return gradInput


class MeanLikeness(nn.Module):
    """What each of T vectors has in common with S others, on the mean."""

    def updateOutput(self, input):
        query, keys = input
        self.output = (query @ keys.transpose(0, 2, 1)).mean(axis=2)
        return self.output

    def updateGradInput(self, input, gradOutput):
        query, keys = input
        share = gradOutput[:, :, None] / keys.shape[1]
        self.gradInput = [
            share * keys.sum(axis=1, keepdims=True),
            np.broadcast_to((share * query).sum(axis=1, keepdims=True), keys.shape).copy(),
        ]
        return self.gradInput


class Attended(nn.Module):
    """Softmax of queries and keys over as many values; queries may be fewer."""

    def _weights(self, query, keys):
        z = query @ keys.transpose(0, 2, 1)
        e = np.exp(z - z.max(axis=2, keepdims=True))
        return e / e.sum(axis=2, keepdims=True)

    def updateOutput(self, input):
        query, keys, held = input
        self.output = self._weights(query, keys) @ held
        return self.output

    def updateGradInput(self, input, gradOutput):
        query, keys, held = input
        p = self._weights(query, keys)
        dp = gradOutput @ held.transpose(0, 2, 1)
        dz = p * (dp - (p * dp).sum(axis=2, keepdims=True))
        self.gradInput = [
            dz @ keys,
            dz.transpose(0, 2, 1) @ query,
            p.transpose(0, 2, 1) @ gradOutput,
        ]
        return self.gradInput


class RowsCentred(nn.Module):
    """(N, n) without the mean of each sample."""

    def updateOutput(self, input):
        self.output = input - input.mean(axis=-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        total = gradOutput.sum(axis=-1, keepdims=True)
        self.gradInput = gradOutput - total / input.shape[-1]
        return self.gradInput


# ---------------------------------------------------------------- losses


class Roughness(nn.Criterion):
    """The mean of squared differences to a target, and between columns."""

    def updateOutput(self, input, target):
        if input.shape != target.shape:
            raise ValueError(f"input is {input.shape}, target {target.shape}")
        off, steps = input - target, np.diff(input, axis=3)
        self.output = float(((off**2).sum() + (steps**2).sum()) / input.size)
        return self.output

    def _size(self, input):
        return input.size

    def updateGradInput(self, input, target):
        if input.shape != target.shape:
            raise ValueError(f"input is {input.shape}, target {target.shape}")
        gradInput, steps = 2 * (input - target), 2 * np.diff(input, axis=3)
        gradInput[..., 1:] += steps
        gradInput[..., :-1] -= steps
        self.gradInput = gradInput / self._size(input)
        return self.gradInput


class PixelEntropy(nn.Criterion):
    """Cross-entropy of every pixel: scores (N, C, H, W), classes (N, H, W)."""

    def _log(self, input):
        z = input - input.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def updateOutput(self, input, target):
        found = np.take_along_axis(self._log(input), target[:, None], axis=1)
        self.output = -float(found.mean())
        return self.output

    def _pixels(self, target):
        return target.size

    def updateGradInput(self, input, target):
        gradInput = np.exp(self._log(input))
        hot = np.arange(input.shape[1])[:, None, None] == target[:, None]
        self.gradInput = (gradInput - hot.astype(input.dtype)) / self._pixels(target)
        return self.gradInput


class Blocks(nn.Module):
    """Every two by two as the weights of its four entries have it, block by block."""

    def __init__(self):
        self.weight = random.uniform(-1, 1, size=(2, 2))
        self.gradWeight = np.zeros((2, 2))

    def _block(self, array, i, j):
        return array[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]

    def updateOutput(self, input):
        N, C, H, W = input.shape
        output = np.empty((N, C, H // 2, W // 2), input.dtype)
        for i, j in np.ndindex(H // 2, W // 2):
            output[:, :, i, j] = (self._block(input, i, j) * self.weight).sum(axis=(2, 3))
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        for i, j in np.ndindex(gradOutput.shape[2:]):
            self._block(gradInput, i, j)[...] = gradOutput[:, :, i, j, None, None] * self.weight
        self.gradInput = gradInput
        return gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for i, j in np.ndindex(gradOutput.shape[2:]):
            terms = gradOutput[:, :, i, j, None, None] * self._block(input, i, j)
            self.gradWeight += scale * terms.sum(axis=(0, 1))


def image(N, n):
    return (N, 2, 4, 4)


def window(N, n):
    return (N, 2, 5, 5)


def pixels(N, n):
    return lambda rng: rng.integers(0, 3, (N, 3, 3))


SIZES = ((2, 3, 4), (1, 2, 3), (3, 4, 5))

GOOD = [
    *(
        Good(lambda n, m, kind=kind: kind(), image, sizes=SIZES)
        for kind in (MeanOfMap, Tokens, Enlarged, Halved, MiddleSquare, Wrapped, Centre, Centred)
    ),
    Good(lambda n, m: Filtered(2), window, sizes=SIZES),
    Good(lambda n, m: Blocks(), lambda N, n: (N, 2, 2, 2), sizes=SIZES),
    Good(lambda n, m: Styles(), lambda N, n: (N, 3, 3, 3), sizes=SIZES),
    Good(lambda n, m: ExcitedPlanes(3), lambda N, n: (N, 3, 3, 3), sizes=SIZES),
    Good(lambda n, m: Volumes(), lambda N, n: (N, 2, 3, 3, 3), sizes=SIZES),
    Good(lambda n, m: Leaking(), lambda N, n: (N, 2, 4), sizes=SIZES),
    Good(lambda n, m: MeanLikeness(), lambda N, n: [(N, n, n), (N, n, n)], sizes=SIZES),
    Good(lambda n, m: Attended(), lambda N, n: [(N, n, n)] * 3, sizes=SIZES),
    Good(lambda n, m: RowsCentred(), lambda N, n: (n, n), sizes=SIZES),
    Good(lambda n, m: Roughness(), image, image, sizes=SIZES),
    Good(lambda n, m: PixelEntropy(), lambda N, n: (N, 3, 3, 3), pixels, sizes=SIZES),
]
