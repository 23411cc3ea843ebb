"""Right attention layers, and what stands around them in a transformer."""

import math

import numpy as np

from bugs.good import Good, odd
from torchlite import nn, random


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_back(p, dp, axis=-1):
    return p * (dp - (p * dp).sum(axis=axis, keepdims=True))


class DotProduct(nn.Module):
    """[q, k, v] to softmax(q k' / sqrt(d)) v."""

    def _weights(self, q, k):
        return softmax(q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1]))

    def updateOutput(self, input):
        q, k, v = input
        self.output = self._weights(q, k) @ v
        return self.output

    def updateGradInput(self, input, gradOutput):
        q, k, v = input
        p = self._weights(q, k)
        dv = p.swapaxes(-1, -2) @ gradOutput
        dz = softmax_back(p, gradOutput @ v.swapaxes(-1, -2)) / math.sqrt(q.shape[-1])
        self.gradInput = [dz @ k, dz.swapaxes(-1, -2) @ q, dv]
        return self.gradInput


class SelfAttention(nn.Module):
    """(N, T, n) to (N, T, n), with no parameters at all."""

    def updateOutput(self, input):
        p = softmax(np.einsum("ntd,nsd->nts", input, input))
        self.output = np.einsum("nts,nsd->ntd", p, input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        p = softmax(np.einsum("ntd,nsd->nts", input, input))
        dz = softmax_back(p, np.einsum("ntd,nsd->nts", gradOutput, input))
        self.gradInput = np.einsum("nts,ntd->nsd", p, gradOutput) + (dz + dz.swapaxes(1, 2)) @ input
        return self.gradInput


class SingleHead(nn.Module):
    """Queries, keys and values by three matrices."""

    causal = False

    def __init__(self, n, d):
        self.Wq, self.Wk, self.Wv = (random.normal(0, 0.5, size=(n, d)) for _ in range(3))
        self.dWq, self.dWk, self.dWv = (np.zeros((n, d)) for _ in range(3))

    def parameters(self):
        return [self.Wq, self.Wk, self.Wv], [self.dWq, self.dWk, self.dWv]

    def _weights(self, q, k):
        z = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        if self.causal:
            later = np.triu(np.ones(z.shape[-2:], bool), 1)
            z = np.where(later, -np.inf, z)
        return softmax(z)

    def _project(self, x):
        return x @ self.Wq, x @ self.Wk, x @ self.Wv

    def updateOutput(self, input):
        q, k, v = self._project(input)
        self.output = self._weights(q, k) @ v
        return self.output

    def _back(self, x, gradOutput):
        q, k, v = self._project(x)
        p = self._weights(q, k)
        dv = p.transpose(0, 2, 1) @ gradOutput
        dz = softmax_back(p, gradOutput @ v.transpose(0, 2, 1)) / math.sqrt(q.shape[-1])
        return dz @ k, dz.transpose(0, 2, 1) @ q, dv

    def updateGradInput(self, input, gradOutput):
        dq, dk, dv = self._back(input, gradOutput)
        self.gradInput = dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        grads = self._back(input, gradOutput)
        for total, grad in zip((self.dWq, self.dWk, self.dWv), grads, strict=True):
            total += scale * np.einsum("ntd,nte->de", input, grad)


class Causal(SingleHead):
    """No step sees a later one."""

    causal = True


class MultiHead(nn.Module):
    """All heads at once by einsum, with an output projection and biases."""

    def __init__(self, n, heads, d):
        self.W = random.normal(0, 0.5, size=(3, heads, n, d))
        self.b = np.zeros((3, heads, d))
        self.Wo = random.normal(0, 0.5, size=(heads, d, n))
        self.grads = [np.zeros_like(p) for p in (self.W, self.b, self.Wo)]

    def parameters(self):
        return [self.W, self.b, self.Wo], self.grads

    def _forward(self, x):
        qkv = np.einsum("btn,khnd->kbhtd", x, self.W) + self.b[:, None, :, None]
        q, k, v = qkv
        p = softmax(np.einsum("bhtd,bhsd->bhts", q, k) / math.sqrt(q.shape[-1]))
        return q, k, v, p, np.einsum("bhts,bhsd->bhtd", p, v)

    def updateOutput(self, input):
        self.output = np.einsum("bhtd,hdn->btn", self._forward(input)[-1], self.Wo)
        return self.output

    def _back(self, x, gradOutput):
        q, k, v, p, y = self._forward(x)
        dy = np.einsum("btn,hdn->bhtd", gradOutput, self.Wo)
        dv = np.einsum("bhts,bhtd->bhsd", p, dy)
        dz = softmax_back(p, np.einsum("bhtd,bhsd->bhts", dy, v)) / math.sqrt(q.shape[-1])
        dq, dk = np.einsum("bhts,bhsd->bhtd", dz, k), np.einsum("bhts,bhtd->bhsd", dz, q)
        return y, np.stack([dq, dk, dv])

    def updateGradInput(self, input, gradOutput):
        _, d = self._back(input, gradOutput)
        self.gradInput = np.einsum("kbhtd,khnd->btn", d, self.W)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        y, d = self._back(input, gradOutput)
        self.grads[0] += scale * np.einsum("btn,kbhtd->khnd", input, d)
        self.grads[1] += scale * d.sum((1, 3))
        self.grads[2] += scale * np.einsum("bhtd,btn->hdn", y, gradOutput)


class HeadByHead(nn.Module):
    """Multi-head as a list of single heads, which are parts, side by side."""

    def __init__(self, n, heads, d):
        self.heads = [SingleHead(n, d) for _ in range(heads)]

    def parameters(self):
        pairs = [head.parameters() for head in self.heads]
        return [p for pair in pairs for p in pair[0]], [g for pair in pairs for g in pair[1]]

    def updateOutput(self, input):
        self.output = np.concatenate([head.updateOutput(input) for head in self.heads], axis=-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        parts = np.split(gradOutput, len(self.heads), axis=-1)
        self.gradInput = sum(
            head.updateGradInput(input, part) for head, part in zip(self.heads, parts, strict=True)
        )
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        parts = np.split(gradOutput, len(self.heads), axis=-1)
        for head, part in zip(self.heads, parts, strict=True):
            head.accGradParameters(input, part, scale)


class Additive(nn.Module):
    """Bahdanau: [s, H] to the mean of H weighted by softmax(v' tanh(s W + H U))."""

    def __init__(self, n, a):
        self.W, self.U = random.normal(0, 0.5, size=(n, a)), random.normal(0, 0.5, size=(n, a))
        self.v = random.normal(0, 1, size=a)
        self.dW, self.dU, self.dv = np.zeros((n, a)), np.zeros((n, a)), np.zeros(a)

    def parameters(self):
        return [self.W, self.U, self.v], [self.dW, self.dU, self.dv]

    def _forward(self, s, H):
        t = np.tanh((s @ self.W)[:, None] + H @ self.U)
        return t, softmax(t @ self.v)

    def updateOutput(self, input):
        s, H = input
        _, p = self._forward(s, H)
        self.output = (p[..., None] * H).sum(1)
        return self.output

    def _back(self, input, gradOutput):
        s, H = input
        t, p = self._forward(s, H)
        de = softmax_back(p, np.einsum("nd,ntd->nt", gradOutput, H))
        return t, p, de, de[..., None] * self.v * (1 - t * t)

    def updateGradInput(self, input, gradOutput):
        _, p, _, da = self._back(input, gradOutput)
        dH = p[..., None] * gradOutput[:, None] + da @ self.U.T
        self.gradInput = [da.sum(1) @ self.W.T, dH]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        s, H = input
        t, _, de, da = self._back(input, gradOutput)
        self.dW += scale * s.T @ da.sum(1)
        self.dU += scale * np.einsum("ntd,nta->da", H, da)
        self.dv += scale * np.einsum("nt,nta->a", de, t)


class AttentionPool(nn.Module):
    """One learned query: (N, T, n) to (N, n), sample by sample."""

    def __init__(self, n):
        self.weight = random.normal(0, 0.5, size=n)
        self.gradWeight = np.zeros(n)

    def updateOutput(self, input):
        output = np.zeros((len(input), input.shape[2]), input.dtype)
        for i, x in enumerate(input):
            output[i] = softmax(x @ self.weight) @ x
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        for i, x in enumerate(input):
            p = softmax(x @ self.weight)
            de = softmax_back(p, x @ gradOutput[i])
            gradInput[i] = np.outer(p, gradOutput[i]) + np.outer(de, self.weight)
        self.gradInput = gradInput
        return gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        total = np.zeros_like(self.weight)
        for x, g in zip(input, gradOutput, strict=True):
            total += softmax_back(softmax(x @ self.weight), x @ g) @ x
        self.gradWeight += scale * total


class Padded(nn.Module):
    """[x, lengths]: self-attention that leaves out what lies behind the end of each sample."""

    def _weights(self, x, lengths):
        z = x @ x.swapaxes(1, 2)
        beyond = np.arange(x.shape[1])[None, None] >= lengths[:, None, None]
        return softmax(np.where(beyond, -1e9, z))

    def updateOutput(self, input):
        x, lengths = input
        self.output = self._weights(x, lengths) @ x
        return self.output

    def updateGradInput(self, input, gradOutput):
        x, lengths = input
        p = self._weights(x, lengths)
        dz = softmax_back(p, gradOutput @ x.swapaxes(1, 2))
        dx = p.swapaxes(1, 2) @ gradOutput + dz @ x + dz.swapaxes(1, 2) @ x
        self.gradInput = [dx, np.zeros_like(lengths)]
        return self.gradInput


class LinearAttention(nn.Module):
    """[q, k, v] with exp as feature map: phi(q) (phi(k)' v) / phi(q) sum phi(k)."""

    def _features(self, q, k):
        # Each feature of all keys may be divided by a number, and that of the queries multiplied.
        peaks = k.max(1, keepdims=True)
        q = q + peaks
        return np.exp(q - q.max(-1, keepdims=True)), np.exp(k - peaks)

    def updateOutput(self, input):
        q, k = self._features(*input[:2])
        v = input[2]
        top = q @ (k.swapaxes(1, 2) @ v)
        self.output = top / (q * k.sum(1, keepdims=True)).sum(-1, keepdims=True)
        return self.output

    def updateGradInput(self, input, gradOutput):
        q, k = self._features(*input[:2])
        v = input[2]
        kv, ks = k.swapaxes(1, 2) @ v, k.sum(1, keepdims=True)
        top, below = q @ kv, (q * ks).sum(-1, keepdims=True)
        dtop = gradOutput / below
        # Not by below**2, which overflows long before below does.
        dbelow = -(dtop * top).sum(-1, keepdims=True) / below
        dq = dtop @ kv.swapaxes(1, 2) + dbelow * ks
        dkv = q.swapaxes(1, 2) @ dtop
        dk = v @ dkv.swapaxes(1, 2) + (dbelow * q).sum(1, keepdims=True)
        self.gradInput = [dq * q, dk * k, k @ dkv]
        return self.gradInput


class DistanceBias(nn.Module):
    """Self-attention with a learned number for every distance in time, which is added."""

    def __init__(self, T):
        self.bias = random.normal(0, 1, size=2 * T - 1)
        self.gradBias = np.zeros(2 * T - 1)

    def _offsets(self, T):
        return np.arange(T)[:, None] - np.arange(T)[None] + T - 1

    def _weights(self, x):
        return softmax(x @ x.swapaxes(1, 2) + self.bias[self._offsets(x.shape[1])])

    def updateOutput(self, input):
        self.output = self._weights(input) @ input
        return self.output

    def _dz(self, x, gradOutput):
        p = self._weights(x)
        return p, softmax_back(p, gradOutput @ x.swapaxes(1, 2))

    def updateGradInput(self, input, gradOutput):
        p, dz = self._dz(input, gradOutput)
        self.gradInput = p.swapaxes(1, 2) @ gradOutput + (dz + dz.swapaxes(1, 2)) @ input
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        _, dz = self._dz(input, gradOutput)
        np.add.at(self.gradBias, self._offsets(input.shape[1]), scale * dz.sum(0))


class Rotary(nn.Module):
    """Turns pairs of features by an angle that grows with time."""

    def _turn(self, x, direction):
        T, n = x.shape[1:]
        angle = np.arange(T)[:, None] / 10 ** (np.arange(n // 2)[None] / max(n // 2, 1))
        c, s = np.cos(angle).astype(x.dtype), direction * np.sin(angle).astype(x.dtype)
        a, b = x[..., 0::2], x[..., 1::2]
        out = np.empty_like(x)
        out[..., 0::2], out[..., 1::2] = a * c - b * s, a * s + b * c
        return out

    def updateOutput(self, input):
        self.output = self._turn(input, 1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._turn(gradOutput, -1)
        return self.gradInput


class Positions(nn.Module):
    """Adds sines and cosines, kept in a buffer."""

    def __init__(self, n, longest=16):
        place = np.arange(longest)[:, None] / 100 ** (np.arange(n)[None] / n)
        self.table = np.where(np.arange(n) % 2, np.cos(place), np.sin(place))

    def updateOutput(self, input):
        self.output = input + self.table[: input.shape[1]]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        return self.gradInput


class LearnedPositions(nn.Module):
    """Adds a learned vector for every step; longer tables than sequences are fine."""

    def __init__(self, n, longest=6):
        self.weight = random.normal(0, 1, size=(longest, n))
        self.gradWeight = np.zeros((longest, n))

    def updateOutput(self, input):
        self.output = input + self.weight[: input.shape[1]]
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.copy()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight[: input.shape[1]] += scale * gradOutput.sum(0)


class FeedForward(nn.Module):
    """x + relu(x A) B, over the last dimension."""

    def __init__(self, n, hidden):
        self.A = random.normal(0, 0.5, size=(n, hidden))
        self.B = random.normal(0, 0.5, size=(hidden, n))
        self.gradA, self.gradB = np.zeros_like(self.A), np.zeros_like(self.B)

    def parameters(self):
        return [self.A, self.B], [self.gradA, self.gradB]

    def updateOutput(self, input):
        self.output = input + np.maximum(input @ self.A, 0) @ self.B
        return self.output

    def updateGradInput(self, input, gradOutput):
        mask = input @ self.A > 0
        self.gradInput = gradOutput + (gradOutput @ self.B.T * mask) @ self.A.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        a = input @ self.A
        da = gradOutput @ self.B.T * (a > 0)
        self.gradA += scale * np.tensordot(input, da, axes=([0, 1], [0, 1]))
        self.gradB += scale * np.tensordot(np.maximum(a, 0), gradOutput, axes=([0, 1], [0, 1]))


class SqueezeExcite(nn.Module):
    """Channels times a gate of their means: (N, C, H, W)."""

    def __init__(self, C, r):
        self.W1, self.W2 = random.normal(0, 1, size=(C, r)), random.normal(0, 1, size=(r, C))
        self.dW1, self.dW2 = np.zeros_like(self.W1), np.zeros_like(self.W2)

    def parameters(self):
        return [self.W1, self.W2], [self.dW1, self.dW2]

    def _gate(self, x):
        z = x.mean((2, 3))
        h = np.maximum(z @ self.W1, 0)
        return z, h, 0.5 * (1 + np.tanh(0.5 * (h @ self.W2)))

    def updateOutput(self, input):
        self.output = input * self._gate(input)[2][:, :, None, None]
        return self.output

    def _back(self, x, gradOutput):
        z, h, s = self._gate(x)
        ds = (gradOutput * x).sum((2, 3)) * s * (1 - s)
        return z, h, s, ds, ds @ self.W2.T * (h > 0)

    def updateGradInput(self, input, gradOutput):
        _, _, s, _, dh = self._back(input, gradOutput)
        dz = dh @ self.W1.T / (input.shape[2] * input.shape[3])
        self.gradInput = gradOutput * s[:, :, None, None] + dz[:, :, None, None]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        z, h, _, ds, dh = self._back(input, gradOutput)
        self.dW1 += scale * z.T @ dh
        self.dW2 += scale * h.T @ ds


def sequence(N, n):
    return (N, 4, n)


def single(N, n):
    return lambda rng: odd(rng, (N, 3, n)).astype("float32")


def three(N, n):
    return [(N, 3, n), (N, 5, n), (N, 5, 2)]


def with_lengths(N, n):
    return lambda rng: [odd(rng, (N, 4, n)), rng.integers(1, 5, N)]


GOOD = [
    Good(lambda n, m: DotProduct(), three),
    Good(lambda n, m: SelfAttention(), sequence),
    Good(lambda n, m: SingleHead(n, m), sequence),
    Good(lambda n, m: SingleHead(n, m).float(), single, label="float32"),
    Good(lambda n, m: SingleHead(n, m), lambda N, n: (N, 12, n), sizes=((4, 16, 16),), label="12"),
    Good(lambda n, m: Causal(n, m), sequence),
    Good(lambda n, m: MultiHead(n, 2, m), sequence),
    Good(lambda n, m: HeadByHead(n, 2, m), sequence),
    Good(lambda n, m: Additive(n, m), lambda N, n: [(N, n), (N, 4, n)]),
    Good(lambda n, m: AttentionPool(n), sequence),
    Good(lambda n, m: Padded(), with_lengths),
    Good(lambda n, m: LinearAttention(), lambda N, n: [(N, 3, n), (N, 4, n), (N, 4, 2)]),
    Good(lambda n, m: DistanceBias(4), sequence),
    Good(lambda n, m: Rotary(), lambda N, n: (N, 3, 2 * n)),
    Good(lambda n, m: Positions(n), sequence),
    Good(lambda n, m: LearnedPositions(n), sequence),
    Good(lambda n, m: FeedForward(n, 2 * m), sequence),
    Good(lambda n, m: SqueezeExcite(n, m), lambda N, n: (N, n, 2, 3)),
]
