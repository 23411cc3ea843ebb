"""Right layers with parts, with buffers, and of the sorts that belong nowhere else."""

import numpy as np

from bugs.good import Good, odd
from torchlite import nn, random
from torchlite.errors import StateError


class SlopePerChannel(nn.Module):
    """PReLU over (N, C, L): a slope for each channel."""

    def __init__(self, C):
        self.weight = np.full(C, 0.25)
        self.gradWeight = np.zeros(C)

    def updateOutput(self, input):
        self.output = np.maximum(input, 0) + self.weight[:, None] * np.minimum(input, 0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * np.where(input > 0, 1, self.weight[:, None])
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (gradOutput * np.minimum(input, 0)).sum((0, 2))


class LearnedMaxout(nn.Module):
    """The largest of k linear maps, all in one weight."""

    def __init__(self, n, m, k):
        self.weight = random.normal(0, 1, size=(k, n, m))
        self.bias = random.normal(0, 1, size=(k, 1, m))
        self.gradWeight, self.gradBias = np.zeros_like(self.weight), np.zeros_like(self.bias)

    def updateOutput(self, input):
        self.output = (input @ self.weight + self.bias).max(axis=0)
        return self.output

    def _share(self, input, gradOutput):
        z = input @ self.weight + self.bias
        chosen = z.argmax(axis=0)
        return np.stack([(chosen == k) * gradOutput for k in range(len(z))])

    def updateGradInput(self, input, gradOutput):
        dz = self._share(input, gradOutput)
        self.gradInput = (dz @ self.weight.swapaxes(1, 2)).sum(0)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        dz = self._share(input, gradOutput)
        self.gradWeight += scale * (input.T @ dz)
        self.gradBias += scale * dz.sum(1, keepdims=True)


class Highway(nn.Module):
    """t h + (1 - t) x, of two linear layers that are parts."""

    def __init__(self, n):
        self.h, self.t = nn.Linear(n, n), nn.Linear(n, n)

    def parameters(self):
        (a, da), (b, db) = self.h.parameters(), self.t.parameters()
        return a + b, da + db

    def _forward(self, x):
        h = np.tanh(self.h.updateOutput(x))
        t = 0.5 * (1 + np.tanh(0.5 * self.t.updateOutput(x)))
        return h, t

    def updateOutput(self, input):
        h, t = self._forward(input)
        self.output = t * h + (1 - t) * input
        return self.output

    def _inner(self, x, g):
        h, t = self._forward(x)
        return g * t * (1 - h * h), g * (h - x) * t * (1 - t), g * (1 - t)

    def updateGradInput(self, input, gradOutput):
        dh, dt, direct = self._inner(input, gradOutput)
        inner = self.h.updateGradInput(input, dh) + self.t.updateGradInput(input, dt)
        self.gradInput = direct + inner
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        dh, dt, _ = self._inner(input, gradOutput)
        self.h.accGradParameters(input, dh, scale)
        self.t.accGradParameters(input, dt, scale)


class Experts(nn.Module):
    """Linear experts, weighted by the softmax of a linear gate; parts in a list."""

    def __init__(self, n, m, count):
        self.gate = nn.Linear(n, count)
        self.experts = [nn.Linear(n, m) for _ in range(count)]

    def parameters(self):
        pairs = [part.parameters() for part in (self.gate, *self.experts)]
        return [p for ps, _ in pairs for p in ps], [g for _, gs in pairs for g in gs]

    def _forward(self, x):
        z = self.gate.updateOutput(x)
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True), np.stack([f.updateOutput(x) for f in self.experts], 1)

    def updateOutput(self, input):
        p, y = self._forward(input)
        self.output = (p[..., None] * y).sum(1)
        return self.output

    def _inner(self, x, g):
        p, y = self._forward(x)
        dp = (y * g[:, None]).sum(2)
        return p[..., None] * g[:, None], p * (dp - (p * dp).sum(1, keepdims=True))

    def updateGradInput(self, input, gradOutput):
        dy, dz = self._inner(input, gradOutput)
        total = self.gate.updateGradInput(input, dz)
        for k, expert in enumerate(self.experts):
            total = total + expert.updateGradInput(input, dy[:, k])
        self.gradInput = total
        return total

    def accGradParameters(self, input, gradOutput, scale=1):
        dy, dz = self._inner(input, gradOutput)
        self.gate.accGradParameters(input, dz, scale)
        for k, expert in enumerate(self.experts):
            expert.accGradParameters(input, dy[:, k], scale)


class Siamese(nn.Module):
    """[a, b] through the same layer, which is one part; the difference."""

    def __init__(self, n, m):
        self.branch = nn.Linear(n, m)

    def parameters(self):
        return self.branch.parameters()

    def updateOutput(self, input):
        a, b = input
        self.output = np.tanh(self.branch.updateOutput(a)) - np.tanh(self.branch.updateOutput(b))
        return self.output

    def _slopes(self, input, g):
        slopes = [1 - np.tanh(self.branch.updateOutput(x)) ** 2 for x in input]
        return g * slopes[0], -g * slopes[1]

    def updateGradInput(self, input, gradOutput):
        da, db = self._slopes(input, gradOutput)
        self.gradInput = [
            self.branch.updateGradInput(input[0], da),
            self.branch.updateGradInput(input[1], db),
        ]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for x, d in zip(input, self._slopes(input, gradOutput), strict=True):
            self.branch.accGradParameters(x, d, scale)


class TiedAutoencoder(nn.Module):
    """tanh(x W + b) W' + c: one weight, used twice."""

    def __init__(self, n, h):
        self.W = random.normal(0, 0.5, size=(n, h))
        self.b, self.c = np.zeros(h), np.zeros(n)
        self.grads = [np.zeros((n, h)), np.zeros(h), np.zeros(n)]

    def parameters(self):
        return [self.W, self.b, self.c], self.grads

    def updateOutput(self, input):
        self.output = np.tanh(input @ self.W + self.b) @ self.W.T + self.c
        return self.output

    def _inner(self, x, g):
        h = np.tanh(x @ self.W + self.b)
        return h, g @ self.W * (1 - h**2)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._inner(input, gradOutput)[1] @ self.W.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        h, da = self._inner(input, gradOutput)
        dW, db, dc = self.grads
        dW += scale * (input.T @ da + gradOutput.T @ h)
        db += scale * da.sum(0)
        dc += scale * gradOutput.sum(0)


class FourierFeatures(nn.Module):
    """cos and sin of a fixed random map, which is a buffer."""

    def __init__(self, n, m):
        self.frequencies = random.normal(0, 1, size=(n, m))

    def updateOutput(self, input):
        z = input @ self.frequencies
        self.output = np.concatenate([np.cos(z), np.sin(z)], axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        z = input @ self.frequencies
        c, s = np.split(gradOutput, 2, axis=1)
        self.gradInput = (s * np.cos(z) - c * np.sin(z)) @ self.frequencies.T
        return self.gradInput


class RadialBasis(nn.Module):
    """exp(-gamma |x - c|^2) for learned centres and widths."""

    def __init__(self, n, m):
        self.centres = random.normal(0, 1, size=(m, n))
        self.logGamma = np.full(m, -2.0)
        self.gradCentres, self.gradLogGamma = np.zeros((m, n)), np.zeros(m)

    def parameters(self):
        return [self.centres, self.logGamma], [self.gradCentres, self.gradLogGamma]

    def _forward(self, x):
        d = x[:, None] - self.centres[None]
        r = (d**2).sum(-1)
        return d, r, np.exp(-np.exp(self.logGamma) * r)

    def updateOutput(self, input):
        self.output = self._forward(input)[2]
        return self.output

    def updateGradInput(self, input, gradOutput):
        d, _, y = self._forward(input)
        self.gradInput = np.einsum("nm,nmi->ni", -2 * np.exp(self.logGamma) * y * gradOutput, d)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        d, r, y = self._forward(input)
        g = np.exp(self.logGamma) * y * gradOutput
        self.gradCentres += scale * 2 * np.einsum("nm,nmi->mi", g, d)
        self.gradLogGamma -= scale * (g * r).sum(0)


class LowRank(nn.Module):
    """A fixed linear map, in a buffer, plus A B of low rank that is learned."""

    def __init__(self, n, m, rank=2):
        self.fixed = random.normal(0, 1, size=(n, m))
        self.A, self.B = random.normal(0, 1, size=(n, rank)), np.zeros((rank, m))
        self.dA, self.dB = np.zeros_like(self.A), np.zeros_like(self.B)

    def parameters(self):
        return [self.A, self.B], [self.dA, self.dB]

    def updateOutput(self, input):
        self.output = input @ self.fixed + input @ self.A @ self.B
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.fixed.T + gradOutput @ self.B.T @ self.A.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.dA += scale * input.T @ (gradOutput @ self.B.T)
        self.dB += scale * (input @ self.A).T @ gradOutput


class Masked(nn.Module):
    """Linear with a fixed triangular mask: output i sees the inputs before i only."""

    def __init__(self, n):
        self.mask = np.triu(np.ones((n, n)), 1)
        self.weight = random.normal(0, 1, size=(n, n))
        self.gradWeight = np.zeros((n, n))
        self.bias, self.gradBias = random.normal(0, 1, size=n), np.zeros(n)

    def updateOutput(self, input):
        self.output = input @ (self.weight * self.mask) + self.bias
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ (self.weight * self.mask).T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * self.mask * (input.T @ gradOutput)
        self.gradBias += scale * gradOutput.sum(0)


class FactorisationMachine(nn.Module):
    """The sum over all pairs of <v_i, v_j> x_i x_j: (N, n) to (N,)."""

    def __init__(self, n, k):
        self.V = random.normal(0, 0.5, size=(n, k))
        self.dV = np.zeros((n, k))

    def parameters(self):
        return [self.V], [self.dV]

    def updateOutput(self, input):
        s, q = input @ self.V, input**2 @ self.V**2
        self.output = 0.5 * (s**2 - q).sum(1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        s = input @ self.V
        self.gradInput = gradOutput[:, None] * (s @ self.V.T - input * (self.V**2).sum(1))
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        s, g = input @ self.V, gradOutput[:, None]
        self.dV += scale * ((g * input).T @ s - (g * input**2).sum(0)[:, None] * self.V)


class Crossing(nn.Module):
    """x (x . w) + b + x, of a deep and cross network."""

    def __init__(self, n):
        self.weight, self.bias = random.normal(0, 1, size=n), np.zeros(n)
        self.gradWeight, self.gradBias = np.zeros(n), np.zeros(n)

    def updateOutput(self, input):
        self.output = input * (input @ self.weight)[:, None] + self.bias + input
        return self.output

    def updateGradInput(self, input, gradOutput):
        d = (gradOutput * input).sum(1)
        self.gradInput = gradOutput * (1 + (input @ self.weight)[:, None]) + np.outer(
            d, self.weight
        )
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * (gradOutput * input).sum(1) @ input
        self.gradBias += scale * gradOutput.sum(0)


class Squash(nn.Module):
    """Of capsules: x |x| / (1 + |x|^2), over the last dimension."""

    def updateOutput(self, input):
        r = np.sqrt((input**2).sum(-1, keepdims=True) + 1e-9)
        self.output = input * r / (1 + r**2)
        return self.output

    def updateGradInput(self, input, gradOutput):
        r = np.sqrt((input**2).sum(-1, keepdims=True) + 1e-9)
        along = (gradOutput * input).sum(-1, keepdims=True)
        slope = (1 - r**2) / (1 + r**2) ** 2 / r
        self.gradInput = gradOutput * r / (1 + r**2) + input * along * slope
        return self.gradInput


class Reflection(nn.Module):
    """Householder: x - 2 v (v . x) / |v|^2."""

    def __init__(self, n):
        self.weight, self.gradWeight = random.normal(0, 1, size=n), np.zeros(n)

    def updateOutput(self, input):
        v = self.weight
        self.output = input - 2 * np.outer(input @ v, v) / (v @ v)
        return self.output

    def updateGradInput(self, input, gradOutput):
        v = self.weight
        self.gradInput = gradOutput - 2 * np.outer(gradOutput @ v, v) / (v @ v)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        v = self.weight
        x, g, q = input @ v, gradOutput @ v, v @ v
        dv = -2 * (g @ input + x @ gradOutput) / q + 4 * (x * g).sum() * v / q**2
        self.gradWeight += scale * dv


class Circulant(nn.Module):
    """A circular convolution with a learned vector, by rolling."""

    def __init__(self, n):
        self.kernel, self.gradKernel = random.normal(0, 1, size=n), np.zeros(n)

    def parameters(self):
        return [self.kernel], [self.gradKernel]

    def updateOutput(self, input):
        out = np.zeros_like(input)
        for k, w in enumerate(self.kernel):
            out = out + w * np.roll(input, k, axis=1)
        self.output = out
        return out

    def updateGradInput(self, input, gradOutput):
        rolled = [w * np.roll(gradOutput, -k, axis=1) for k, w in enumerate(self.kernel)]
        self.gradInput = np.sum(rolled, axis=0)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for k in range(len(self.kernel)):
            self.gradKernel[k] += scale * (np.roll(input, k, axis=1) * gradOutput).sum()


class Monomials(nn.Module):
    """1, x, x^2, ... x^d side by side, then a linear map."""

    def __init__(self, n, d, m):
        self.d = d
        self.weight = random.normal(0, 0.5, size=(n * (d + 1), m))
        self.gradWeight = np.zeros_like(self.weight)

    def _powers(self, x):
        return np.concatenate([x**k for k in range(self.d + 1)], axis=1)

    def updateOutput(self, input):
        self.output = self._powers(input) @ self.weight
        return self.output

    def updateGradInput(self, input, gradOutput):
        parts = np.split(gradOutput @ self.weight.T, self.d + 1, axis=1)
        gradInput = np.zeros_like(input)
        for k in range(1, self.d + 1):
            gradInput += k * input ** (k - 1) * parts[k]
        self.gradInput = gradInput
        return gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * self._powers(input).T @ gradOutput


class MixtureHead(nn.Module):
    """An array to a table: softmax weights, means, and deviations by exp."""

    def __init__(self, n, k):
        self.linear = nn.Linear(n, 3 * k)

    def parameters(self):
        return self.linear.parameters()

    def _forward(self, x):
        a, mean, s = np.split(self.linear.updateOutput(x), 3, axis=1)
        e = np.exp(a - a.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True), mean.copy(), np.exp(s)

    def updateOutput(self, input):
        self.output = list(self._forward(input))
        return self.output

    def _inner(self, x, gradOutput):
        p, _, s = self._forward(x)
        dp, dmean, ds = gradOutput
        da = p * (dp - (p * dp).sum(1, keepdims=True))
        return np.concatenate([da, dmean, ds * s], axis=1)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.linear.updateGradInput(input, self._inner(input, gradOutput))
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.linear.accGradParameters(input, self._inner(input, gradOutput), scale)


class Coupling(nn.Module):
    """Of a flow: the second half is scaled and shifted by functions of the first."""

    def __init__(self, n):
        self.s, self.t = nn.Linear(n, n), nn.Linear(n, n)

    def parameters(self):
        (a, da), (b, db) = self.s.parameters(), self.t.parameters()
        return a + b, da + db

    def updateOutput(self, input):
        x, y = np.split(input, 2, axis=1)
        s = np.tanh(self.s.updateOutput(x))
        self.output = np.concatenate([x, y * np.exp(s) + self.t.updateOutput(x)], axis=1)
        return self.output

    def _inner(self, input, gradOutput):
        x, y = np.split(input, 2, axis=1)
        dx, dy = np.split(gradOutput, 2, axis=1)
        s = np.tanh(self.s.updateOutput(x))
        return x, dx, dy, dy * y * np.exp(s) * (1 - s * s), np.exp(s)

    def updateGradInput(self, input, gradOutput):
        x, dx, dy, ds, e = self._inner(input, gradOutput)
        dx = dx + self.s.updateGradInput(x, ds) + self.t.updateGradInput(x, dy)
        self.gradInput = np.concatenate([dx, dy * e], axis=1)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        x, _, dy, ds, _ = self._inner(input, gradOutput)
        self.s.accGradParameters(x, ds, scale)
        self.t.accGradParameters(x, dy, scale)


class GaussianNoise(nn.Module):
    """x times 1 + noise in training, from torchlite's stream; remembers what it drew."""

    noise = seen = None

    def updateOutput(self, input):
        if self.train:
            draws = 1 + 0.1 * random.normal(0, 1, size=input.shape)
            self.noise, self.seen = draws.astype(input.real.dtype), input
            self.output = input * self.noise
        else:
            self.output = input.copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        if not self.train:
            self.gradInput = gradOutput.copy()
        elif self.seen is input or np.array_equal(self.seen, input):
            self.gradInput = gradOutput * self.noise
        else:
            raise StateError("GaussianNoise: forward this input first")
        return self.gradInput


class WrappedWeightNorm(nn.Module):
    """A linear layer, which is a part, with the weight g v / |v|; it learns g, v and the bias.

    The weight and gradWeight of the part are scratch paper.
    """

    def __init__(self, n, m):
        self.linear = nn.Linear(n, m)
        self.v = self.linear.weight.copy()
        self.g = np.sqrt((self.v**2).sum(1, keepdims=True))
        self.gradV, self.gradG = np.zeros_like(self.v), np.zeros_like(self.g)

    def parameters(self):
        """Return g, v and the bias: not the weight of the part, which is made of them."""
        return (
            [self.g, self.v, self.linear.bias],
            [self.gradG, self.gradV, self.linear.gradBias],
        )

    def _write(self):
        length = np.sqrt((self.v**2).sum(1, keepdims=True))
        self.linear.weight[...] = self.g * self.v / length
        return length

    def updateOutput(self, input):
        self._write()
        self.output = self.linear.updateOutput(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self._write()
        self.gradInput = self.linear.updateGradInput(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        length = self._write()
        self.linear.gradWeight[...] = 0
        self.linear.accGradParameters(input, gradOutput, scale)
        unit = self.v / length
        along = (self.linear.gradWeight * unit).sum(1, keepdims=True)
        self.gradG += along
        self.gradV += self.g / length * (self.linear.gradWeight - along * unit)


class FineTuned(nn.Module):
    """A network that stays as it is, and a linear layer on top that learns."""

    def __init__(self, n, h, m):
        self.body = nn.Sequential(nn.Linear(n, h), nn.Tanh())
        self.head = nn.Linear(h, m)

    def parameters(self):
        """Return those of the head: the body is frozen."""
        return self.head.parameters()

    def updateOutput(self, input):
        self.output = self.head.updateOutput(self.body.forward(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        features = self.body.forward(input)
        inner = self.head.updateGradInput(features, gradOutput)
        self.gradInput = self.body.updateGradInput(input, inner)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.head.accGradParameters(self.body.forward(input), gradOutput, scale)


class ResidualBlock(nn.Module):
    """x + relu(x A + a) B, made of a Sequential that is a part."""

    def __init__(self, n, h):
        self.body = nn.Sequential(nn.Linear(n, h), nn.ReLU(), nn.Linear(h, n))

    def parameters(self):
        return self.body.parameters()

    def updateOutput(self, input):
        self.output = input + self.body.forward(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.body.forward(input)
        self.gradInput = gradOutput + self.body.updateGradInput(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.body.forward(input)
        self.body.updateGradInput(input, gradOutput)
        self.body.accGradParameters(input, gradOutput, scale)


def single(N, n):
    return lambda rng: odd(rng, (N, n)).astype("float32")


GOOD = [
    Good(lambda n, m: SlopePerChannel(n), lambda N, n: (N, n, 4)),
    Good(lambda n, m: LearnedMaxout(n, m, 3)),
    Good(lambda n, m: Highway(n)),
    Good(lambda n, m: Experts(n, m, 3)),
    Good(lambda n, m: Siamese(n, m), lambda N, n: [(N, n), (N, n)]),
    Good(lambda n, m: TiedAutoencoder(n, m)),
    Good(lambda n, m: TiedAutoencoder(n, m).float(), single, label="float32"),
    Good(lambda n, m: FourierFeatures(n, m)),
    Good(lambda n, m: RadialBasis(n, m)),
    Good(lambda n, m: LowRank(n, m)),
    Good(lambda n, m: Masked(n)),
    Good(lambda n, m: FactorisationMachine(n, m)),
    Good(lambda n, m: Crossing(n)),
    Good(lambda n, m: Squash()),
    Good(lambda n, m: Reflection(n)),
    Good(lambda n, m: Circulant(n)),
    Good(lambda n, m: Monomials(n, 3, m)),
    Good(lambda n, m: MixtureHead(n, 2)),
    Good(lambda n, m: Coupling(n), lambda N, n: (N, 2 * n)),
    Good(lambda n, m: GaussianNoise()),
    Good(lambda n, m: WrappedWeightNorm(n, m)),
    Good(lambda n, m: FineTuned(n, 4, m)),
    Good(lambda n, m: ResidualBlock(n, m)),
]
