"""Attention, alone and in a layer with its projections."""

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional
from bugs.good import Dropped, Good
from torchlite import nn


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


class Attention(Functional):
    """[q, k, v], each (N, T, d), to (N, T, d)."""

    def _scores(self, q, k):
        return q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5

    def run(self, table):
        q, k, v = table
        p = softmax(self._scores(q, k))
        return p @ v, (q, k, v, p)

    def _scores_back(self, p, dp):
        return p * (dp - (p * dp).sum(-1, keepdims=True))

    def _scale_back(self, q):
        return q.shape[-1] ** 0.5

    def _projected(self, ds, q, k):
        return ds @ k, ds.swapaxes(-1, -2) @ q

    def back(self, dout, cache):
        q, k, v, p = cache
        ds = self._scores_back(p, dout @ v.swapaxes(-1, -2)) / self._scale_back(q)
        dq, dk = self._projected(ds, q, k)
        return ([dq, dk, p.swapaxes(-1, -2) @ dout],)


class AttentionScaledForwardsOnly(Attention):
    def _scale_back(self, q):
        return 1


class AttentionSoftMaxIsDiagonal(Attention):
    def _scores_back(self, p, dp):
        return p * (1 - p) * dp


class AttentionForgetsCrossTerm(Attention):
    """p * dp, and nothing of the other scores."""

    def _scores_back(self, p, dp):
        return p * dp


class AttentionKeysAndValuesExchanged(Attention):
    def back(self, dout, cache):
        ((dq, dk, dv),) = super().back(dout, cache)
        return ([dq, dv, dk],)


class AttentionForgetsTransposeOfScores(Attention):
    """As many queries as keys, so nothing refuses it."""

    def _projected(self, ds, q, k):
        return ds @ k, ds @ q


class AttentionValuesOfTransposedWeights(Attention):
    def back(self, dout, cache):
        *_, p = cache
        ((dq, dk, _),) = super().back(dout, cache)
        return ([dq, dk, p @ dout],)


class CausalAttention(Attention):
    """No query sees what comes after it."""

    hidden = 1

    def _scores(self, q, k):
        scores = super()._scores(q, k)
        return np.where(np.triu(np.ones(scores.shape[-2:], bool), self.hidden), -1e9, scores)


class CausalForgetsMaskBackwards(CausalAttention):
    """The weights are computed again on the way back, without the mask."""

    def back(self, dout, cache):
        q, k, v, _ = cache
        return super().back(dout, (q, k, v, softmax(Attention._scores(self, q, k))))


class CausalMaskOffByOneBackwards(CausalAttention):
    """On the way back each query does not see its own place, either."""

    def back(self, dout, cache):
        q, k, v, p = cache
        unseen = np.triu(np.ones(p.shape[-2:], bool))
        return super().back(dout, (q, k, v, np.where(unseen, 0, p)))


class AttentionOfBatch(Attention):
    """The weights are normalised over the samples: the first axis for the last, consistently."""

    def run(self, table):
        q, k, v = table
        scores = self._scores(q, k)
        powers = np.exp(scores - scores.max(axis=0, keepdims=True, initial=-np.inf))
        p = powers / powers.sum(0, keepdims=True)
        return p @ v, (q, k, v, p)

    def _scores_back(self, p, dp):
        return p * (dp - (p * dp).sum(0, keepdims=True))


class SelfAttention(Functional):
    """(N, T, n) to (N, T, n), with several heads."""

    learned = ("Wq", "Wk", "Wv", "Wo")

    def __init__(self, size, heads):
        self.heads = heads
        self.draw(**dict.fromkeys(self.learned, (size, size)))

    def _split(self, x):
        """(N, T, n) to (N, heads, T, n / heads)."""
        return x.reshape(*x.shape[:2], self.heads, x.shape[2] // self.heads).swapaxes(1, 2)

    def _merged(self, x):
        return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3])

    def run(self, x):
        q, k, v = (self._split(x @ W) for W in (self.Wq, self.Wk, self.Wv))
        p = softmax(q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5)
        context = self._merged(p @ v)
        return context @ self.Wo, (x, q, k, v, p, context)

    def _merged_back(self, dcontext):
        return self._split(dcontext)

    def _input_back(self, dq, dk, dv):
        return dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T

    def _output_weight_back(self, context, x, dout):
        return np.einsum("bti,btj->ij", context, dout)

    def back(self, dout, cache):
        x, q, k, v, p, context = cache
        d = self._merged_back(dout @ self.Wo.T)
        dp = d @ v.swapaxes(-1, -2)
        ds = p * (dp - (p * dp).sum(-1, keepdims=True)) / q.shape[-1] ** 0.5
        parts = ds @ k, ds.swapaxes(-1, -2) @ q, p.swapaxes(-1, -2) @ d
        dq, dk, dv = map(self._merged, parts)
        weights = [np.einsum("bti,btj->ij", x, part) for part in (dq, dk, dv)]
        return self._input_back(dq, dk, dv), *weights, self._output_weight_back(context, x, dout)


class HeadsSplitWithoutTranspose(SelfAttention):
    """(N, T, n) goes back to (N, heads, T, n / heads) by reshape alone."""

    def _merged_back(self, dcontext):
        N, T, n = dcontext.shape
        return dcontext.reshape(N, self.heads, T, n // self.heads)


class SelfAttentionForgetsKeys(SelfAttention):
    """The input is queries, keys and values; as keys it gets no gradient."""

    def _input_back(self, dq, dk, dv):
        return dq @ self.Wq.T + dv @ self.Wv.T


class OutputWeightOfInput(SelfAttention):
    def _output_weight_back(self, context, x, dout):
        return np.einsum("bti,btj->ij", x, dout)


class OutputWeightOfFirstSample(SelfAttention):
    def _output_weight_back(self, context, x, dout):
        return np.einsum("bti,btj->ij", context[:1], dout[:1])


class QueryAndKeyWeightsExchanged(SelfAttention):
    def back(self, dout, cache):
        dx, dWq, dWk, dWv, dWo = super().back(dout, cache)
        return dx, dWk, dWq, dWv, dWo


class Rotary(Functional):
    """Turns pairs of columns by an angle that grows with the position."""

    def _angles(self, x):
        angles = np.arange(x.shape[1], dtype=x.real.dtype, like=x.real)[:, None]
        return np.cos(angles), np.sin(angles)

    def _turned(self, x, cosine, sine):
        half = x.shape[-1] // 2
        a, b = x[..., :half], x[..., half:]
        return np.concatenate([a * cosine - b * sine, a * sine + b * cosine], axis=-1)

    def run(self, x):
        cosine, sine = self._angles(x)
        return self._turned(x, cosine, sine), (cosine, sine)

    def back(self, dout, cache):
        cosine, sine = cache
        return (self._turned(dout, cosine, -sine),)


class RotaryTurnsTheSameWay(Rotary):
    def back(self, dout, cache):
        return (self._turned(dout, *cache),)


class RotaryCountsFromOne(Rotary):
    """Backwards the positions are one further."""

    def back(self, dout, cache):
        wide = np.concatenate([dout[:, :1], dout], axis=1)
        cosine, sine = self._angles(wide)
        return (self._turned(dout, cosine[1:], -sine[1:]),)


class Positions(Functional):
    """Adds a learned row to each position."""

    learned = ("P",)

    def __init__(self, length, size):
        self.draw(P=(length, size))

    def run(self, x):
        return x + self.P[: x.shape[1]], x

    def _position_back(self, dout):
        dP = np.zeros_like(self.P)
        dP[: dout.shape[1]] += dout.sum(0)
        return dP

    def back(self, dout, x):
        return dout, self._position_back(dout)


class PositionsOfLastSample(Positions):
    """dP[...] = row, for each row of the batch."""

    def _position_back(self, dout):
        dP = np.zeros_like(self.P)
        for gradient in dout:
            dP[: len(gradient)] = gradient
        return dP


class PositionsOffByOne(Positions):
    """Backwards the first position is 1."""

    def _position_back(self, dout):
        return np.roll(super()._position_back(dout), 1, axis=0)


class AdditiveAttention(Functional):
    """(N, T, n) to (N, n): a mean weighted by what a small network says of each step."""

    learned = ("W", "v")

    def __init__(self, size, units):
        self.draw(W=(size, units), v=units)

    def run(self, x):
        h = np.tanh(x @ self.W)
        p = softmax(h @ self.v)
        return (p[..., None] * x).sum(1), (x, h, p)

    def _weights_back(self, dout, x, p):
        dp = (dout[:, None] * x).sum(-1)
        return p * (dp - (p * dp).sum(-1, keepdims=True))

    def back(self, dout, cache):
        x, h, p = cache
        ds = self._weights_back(dout, x, p)
        da = ds[..., None] * self.v * (1 - h**2)
        dx = p[..., None] * dout[:, None] + da @ self.W.T
        return dx, np.einsum("bti,btj->ij", x, da), np.einsum("bt,btj->j", ds, h)


class AdditiveWeightsAreConstant(AdditiveAttention):
    """The mean's gradient, as if its weights were given."""

    def back(self, dout, cache):
        _, *weights = super().back(dout, cache)
        _, _, p = cache
        return p[..., None] * dout[:, None], *weights


class AdditiveForgetsCrossTerm(AdditiveAttention):
    def _weights_back(self, dout, x, p):
        return p * (dout[:, None] * x).sum(-1)


class AttentionDropsWithNumPy(nn.Module):
    """Drops values by np.random, and keeps its mask."""

    _mask = None

    def updateOutput(self, input):
        self._mask = np.ones_like(input)
        if self.train:
            self._mask = 2 * (np.random.random(input.shape) < 0.5).astype(input.dtype)
        self.output = input * self._mask
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self._mask
        return self.gradInput


class DroppedByDefaultGenerator(Dropped):
    """A generator of its own, made once."""

    def __init__(self, keep=0.5):
        super().__init__(keep)
        self._generator = np.random.default_rng(3)

    def _draw(self, input):
        draws = self._generator.random(input.shape) < self.keep
        return np.asarray(draws, input.dtype, like=input) / self.keep


class DroppedWithLastMask(Dropped):
    """Each backward takes the mask of the forward before the last."""

    _before = None

    def updateOutput(self, input):
        before = self._mask
        super().updateOutput(input)
        self._before = self._mask if before is None or before.shape != input.shape else before
        return self.output

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input, gradOutput)
        if self._mask is not None:
            self.gradInput = gradOutput * self._before
        return self.gradInput


QKV = [(2, 3, 4)] * 3
NUMPY = {"duck": "it makes NumPy arrays of its own"}


def qkv(N, n):
    return [(N, 3, n), (N, 4, n), (N, 4, 2)]


def sequences(N, n):
    return (N, 3, 2 * n)


GOOD = [
    Good(lambda n, m: Attention(), qkv),
    Good(lambda n, m: CausalAttention(), qkv, exempt=NUMPY),
    Good(lambda n, m: SelfAttention(2 * n, 2), sequences),
    Good(lambda n, m: Rotary(), sequences),
    Good(lambda n, m: Positions(4, 2 * n), sequences),
    Good(lambda n, m: AdditiveAttention(2 * n, m), sequences),
]


BUGS = [
    Bug(
        lambda: AttentionScaledForwardsOnly(),
        QKV,
        {"gradInput"},
        "scores are not divided by the root of 4 on the way back",
        pattern="doubled",
    ),
    Bug(
        lambda: AttentionSoftMaxIsDiagonal(),
        QKV,
        {"gradInput"},
        "each score gets its own weight's gradient alone",
        pattern="cross term",
    ),
    Bug(
        lambda: AttentionForgetsCrossTerm(),
        QKV,
        {"gradInput"},
        "the term of the other scores is missing",
        pattern="cross term",
    ),
    Bug(
        lambda: AttentionKeysAndValuesExchanged(),
        QKV,
        {"gradInput"},
        "keys get the gradient of values",
        pattern="entries swapped",
    ),
    Bug(
        lambda: AttentionForgetsTransposeOfScores(),
        [(2, 3, 4)] * 3,
        {"gradInput"},
        "the scores' gradient is not transposed for the keys",
    ),
    Bug(
        lambda: AttentionValuesOfTransposedWeights(),
        [(2, 3, 4)] * 3,
        {"gradInput"},
        "the weights are not transposed for the values",
        pattern="transposed",
    ),
    Bug(
        lambda: CausalForgetsMaskBackwards(),
        QKV,
        {"gradInput"},
        "no mask on the way back",
        NUMPY,
    ),
    Bug(
        lambda: CausalMaskOffByOneBackwards(),
        QKV,
        {"gradInput"},
        "the mask is shifted by one on the way back",
        NUMPY,
    ),
    Bug(lambda: AttentionOfBatch(), QKV, {"batch"}, "the weights are normalised over the samples"),
    Bug(
        lambda: HeadsSplitWithoutTranspose(4, 2),
        (2, 3, 4),
        {"gradInput", "gradParameters"},
        "heads are reshaped where they must be transposed",
    ),
    Bug(
        lambda: SelfAttentionForgetsKeys(4, 2),
        (2, 3, 4),
        {"gradInput"},
        "one of the three uses of the input is forgotten",
    ),
    Bug(
        lambda: OutputWeightOfInput(4, 2),
        (2, 3, 4),
        {"gradParameters"},
        "the input where the context is meant",
    ),
    Bug(
        lambda: OutputWeightOfFirstSample(4, 2),
        (2, 3, 4),
        {"gradParameters", "batch"},
        "only the first sample counts",
        pattern="first sample",
    ),
    Bug(
        lambda: QueryAndKeyWeightsExchanged(4, 2),
        (2, 3, 4),
        {"gradParameters"},
        "the weight of queries gets the gradient of that of keys",
        pattern="another parameter",
    ),
    Bug(
        lambda: RotaryTurnsTheSameWay(),
        (2, 3, 4),
        {"gradInput"},
        "turned once more instead of back",
        pattern="transposed",
    ),
    Bug(
        lambda: RotaryCountsFromOne(),
        (2, 3, 4),
        {"gradInput"},
        "turned back by the angle of the next position",
    ),
    Bug(
        lambda: PositionsOfLastSample(3, 4),
        (2, 3, 4),
        {"gradParameters", "batch"},
        "each sample overwrites the one before",
        {"duck": "it loops over arrays"},
        pattern="last sample",
    ),
    Bug(
        lambda: PositionsOffByOne(3, 4),
        (2, 3, 4),
        {"gradParameters"},
        "each position gets the gradient of the one before",
        pattern="off by one",
    ),
    Bug(
        lambda: AdditiveWeightsAreConstant(4, 3),
        (2, 3, 4),
        {"gradInput"},
        "as if the weights did not depend on the input",
    ),
    Bug(
        lambda: AdditiveForgetsCrossTerm(4, 3),
        (2, 3, 4),
        {"gradInput", "gradParameters"},
        "the term of the other steps is missing",
        pattern="cross term",
    ),
    Bug(
        lambda: AttentionDropsWithNumPy(),
        (2, 3, 4),
        {"repeat"},
        "np.random knows nothing of manualSeed",
        {"interleave": "it keeps its mask", **NUMPY},
        pattern="torchlite.random",
    ),
    Bug(
        lambda: DroppedByDefaultGenerator(),
        (5, 3),
        {"repeat"},
        "a generator of its own knows nothing of manualSeed",
        pattern="torchlite.random",
    ),
    Bug(
        lambda: DroppedWithLastMask(),
        (5, 3),
        {"interleave"},
        "the mask of the forward before",
        pattern="mask",
    ),
]
