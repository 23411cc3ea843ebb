"""Right layers at sizes of real networks: saturating functions, softmax heads, recurrent cells."""

import math

import numpy as np

from bugs.good import Good, odd
from torchlite import nn, random


class Sigmoid(nn.Module):
    """Never exp of a positive number."""

    def _sigmoid(self, x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, e) / (1 + e)

    def updateOutput(self, input):
        self.output = self._sigmoid(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = self._sigmoid(input)
        self.gradInput = gradOutput * y * (1 - y)
        return self.gradInput


class SigmoidFromOutput(nn.Module):
    """Computes from its output if that is the input's, else anew."""

    _input = None

    def updateOutput(self, input):
        self._input = input
        self.output = (np.tanh(input / 2) + 1) / 2
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = self.output
        if input is not self._input:
            y = (np.tanh(input / 2) + 1) / 2
        self.gradInput = gradOutput * (1 - y) * y
        return self.gradInput


class Tanh(nn.Module):
    def updateOutput(self, input):
        self.output = np.tanh(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        y = np.tanh(input)
        self.gradInput = (1 - y) * (1 + y) * gradOutput
        return self.gradInput


class TanhOfSech(nn.Module):
    """The slope as 1 / cosh**2."""

    def updateOutput(self, input):
        self.output = np.tanh(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        e = np.exp(-2 * np.abs(input))
        self.gradInput = gradOutput * 4 * e / (1 + e) ** 2
        return self.gradInput


class SoftplusByLogaddexp(nn.Module):
    def updateOutput(self, input):
        self.output = np.logaddexp(input, 0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * (0.5 + 0.5 * np.tanh(0.5 * input))
        return self.gradInput


class LogSigmoid(nn.Module):
    def updateOutput(self, input):
        self.output = np.minimum(input, 0) - np.log1p(np.exp(-np.abs(input)))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * 0.5 * (1 - np.tanh(input / 2))
        return self.gradInput


class Exponential(nn.Module):
    def updateOutput(self, input):
        self.output = np.exp(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.exp(input) * gradOutput
        return self.gradInput


class Elu(nn.Module):
    def __init__(self, alpha=1.5):
        self.alpha = alpha

    def updateOutput(self, input):
        self.output = np.where(input > 0, input, self.alpha * np.expm1(np.minimum(input, 0)))
        return self.output

    def updateGradInput(self, input, gradOutput):
        slope = np.where(input > 0, 1, self.alpha * np.exp(np.minimum(input, 0)))
        self.gradInput = gradOutput * slope
        return self.gradInput


class Selu(nn.Module):
    alpha, scale = 1.6732632423543772, 1.0507009873554805

    def updateOutput(self, input):
        low = self.alpha * (np.exp(np.minimum(input, 0)) - 1)
        self.output = self.scale * (np.maximum(input, 0) + low)
        return self.output

    def updateGradInput(self, input, gradOutput):
        low = self.alpha * np.exp(np.minimum(input, 0))
        self.gradInput = self.scale * gradOutput * np.where(input > 0, 1, low)
        return self.gradInput


class GeluByTanh(nn.Module):
    c = math.sqrt(2 / math.pi)

    def updateOutput(self, input):
        t = np.tanh(self.c * (input + 0.044715 * input**3))
        self.output = 0.5 * input * (1 + t)
        return self.output

    def updateGradInput(self, input, gradOutput):
        t = np.tanh(self.c * (input + 0.044715 * input**3))
        inner = self.c * (1 + 3 * 0.044715 * input**2)
        self.gradInput = gradOutput * (0.5 * (1 + t) + 0.5 * input * (1 - t * t) * inner)
        return self.gradInput


class GeluByErf(nn.Module):
    """erf from the standard library, entry by entry."""

    def _erf(self, x):
        flat = [math.erf(v) for v in x.ravel()]
        return np.array(flat, dtype=x.dtype).reshape(x.shape)

    def updateOutput(self, input):
        self.output = 0.5 * input * (1 + self._erf(input / math.sqrt(2)))
        return self.output

    def updateGradInput(self, input, gradOutput):
        phi = np.exp(-0.5 * input * input) / math.sqrt(2 * math.pi)
        cdf = 0.5 * (1 + self._erf(input / math.sqrt(2)))
        self.gradInput = gradOutput * (cdf + input * phi)
        return self.gradInput


class Mish(nn.Module):
    """x * tanh(softplus(x))."""

    def _softplus(self, x):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def updateOutput(self, input):
        self.output = input * np.tanh(self._softplus(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        t = np.tanh(self._softplus(input))
        s = 0.5 * (1 + np.tanh(input / 2))
        self.gradInput = gradOutput * (t + input * (1 - t**2) * s)
        return self.gradInput


class SoftSign(nn.Module):
    def updateOutput(self, input):
        self.output = input / (1 + np.abs(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / (1 + np.abs(input)) ** 2
        return self.gradInput


class ArcTangent(nn.Module):
    def updateOutput(self, input):
        self.output = np.arctan(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput / (1 + input**2)
        return self.gradInput


class Bell(nn.Module):
    """exp(-x^2): almost nothing far out."""

    def updateOutput(self, input):
        self.output = np.exp(-(input**2))
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = -2 * input * np.exp(-(input**2)) * gradOutput
        return self.gradInput


class Sine(nn.Module):
    def updateOutput(self, input):
        self.output = np.sin(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.cos(input) * gradOutput
        return self.gradInput


class Gated(nn.Module):
    """The first half of the columns times the sigmoid of the second."""

    def updateOutput(self, input):
        a, b = np.split(input, 2, axis=1)
        self.output = a * 0.5 * (1 + np.tanh(b / 2))
        return self.output

    def updateGradInput(self, input, gradOutput):
        a, b = np.split(input, 2, axis=1)
        s = 0.5 * (1 + np.tanh(b / 2))
        self.gradInput = np.concatenate([gradOutput * s, gradOutput * a * s * (1 - s)], axis=1)
        return self.gradInput


class SoftmaxRows(nn.Module):
    """Its gradient by the Jacobian of every row."""

    def updateOutput(self, input):
        e = np.exp(input - input.max(1)[:, None])
        self.output = e / e.sum(1)[:, None]
        return self.output

    def updateGradInput(self, input, gradOutput):
        e = np.exp(input - input.max(1)[:, None])
        gradInput = np.empty_like(input)
        for i, p in enumerate(e / e.sum(1)[:, None]):
            gradInput[i] = (np.diag(p) - np.outer(p, p)) @ gradOutput[i]
        self.gradInput = gradInput
        return gradInput


class LogSoftmaxHead(nn.Module):
    """Linear and log-softmax in one."""

    def __init__(self, n, m):
        self.weight = random.normal(0, 1 / math.sqrt(n), size=(n, m))
        self.bias = np.zeros(m)
        self.gradWeight = np.zeros((n, m))
        self.gradBias = np.zeros(m)

    def _log(self, input):
        z = input @ self.weight + self.bias
        z = z - z.max(1, keepdims=True)
        return z - np.log(np.exp(z).sum(1, keepdims=True))

    def updateOutput(self, input):
        self.output = self._log(input)
        return self.output

    def _dz(self, input, gradOutput):
        return gradOutput - np.exp(self._log(input)) * gradOutput.sum(1, keepdims=True)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._dz(input, gradOutput) @ self.weight.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        dz = self._dz(input, gradOutput)
        self.gradWeight += scale * input.T @ dz
        self.gradBias += scale * dz.sum(0)


class TwoLayers(nn.Module):
    """tanh(x A + a) B + b, all by hand."""

    def __init__(self, n, hidden, m):
        self.A = random.normal(0, 1 / math.sqrt(n), size=(n, hidden))
        self.a = np.zeros(hidden)
        self.B = random.normal(0, 1 / math.sqrt(hidden), size=(hidden, m))
        self.b = np.zeros(m)
        self.grads = [np.zeros_like(p) for p in (self.A, self.a, self.B, self.b)]

    def parameters(self):
        return [self.A, self.a, self.B, self.b], list(self.grads)

    def updateOutput(self, input):
        self.output = np.tanh(input @ self.A + self.a) @ self.B + self.b
        return self.output

    def _inner(self, input, gradOutput):
        h = np.tanh(input @ self.A + self.a)
        return h, (gradOutput @ self.B.T) * (1 - h * h)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._inner(input, gradOutput)[1] @ self.A.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        h, inner = self._inner(input, gradOutput)
        news = input.T @ inner, inner.sum(0), h.T @ gradOutput, gradOutput.sum(0)
        for grad, new in zip(self.grads, news, strict=True):
            grad += scale * new


def head(n, m):
    return nn.Sequential(nn.Linear(n, m), nn.Sigmoid(), nn.Linear(m, 10), nn.LogSoftMax())


def single(N, n):
    return lambda rng: odd(rng, (N, n)).astype("float32")


WIDE = ((5, 3, 4), (16, 40, 4), (64, 128, 4))
HEADS = ((5, 3, 4), (16, 20, 10), (32, 100, 50))
EVEN = ((5, 4, 4), (16, 40, 4), (32, 64, 4))

GOOD = [
    *(
        Good(lambda n, m, kind=kind: kind(), sizes=WIDE)
        for kind in (
            *(Sigmoid, SigmoidFromOutput, Tanh, TanhOfSech, SoftplusByLogaddexp, LogSigmoid),
            *(Exponential, Elu, Selu, GeluByTanh, Mish, SoftSign, ArcTangent, Bell, Sine),
        )
    ),
    Good(lambda n, m: GeluByErf(), sizes=((5, 3, 4), (8, 8, 4), (16, 32, 4))),
    Good(lambda n, m: Gated(), sizes=EVEN),
    Good(lambda n, m: SoftmaxRows(), sizes=HEADS),
    Good(lambda n, m: LogSoftmaxHead(n, m), sizes=HEADS),
    Good(lambda n, m: TwoLayers(n, m, 10), sizes=HEADS),
    Good(lambda n, m: TwoLayers(n, m, 3).float(), single, sizes=HEADS, label="float32"),
    Good(lambda n, m: head(n, m), sizes=HEADS, label="log-softmax head"),
    *(
        Good(lambda n, m, kind=kind: kind(), sizes=WIDE, label="torchlite's")
        for kind in (nn.Sigmoid, nn.Tanh, nn.SoftPlus, nn.LogSigmoid, nn.Exp)
    ),
    Good(lambda n, m: nn.GatedLinearUnit(), sizes=EVEN),
    Good(lambda n, m: nn.LogSoftMax(), sizes=WIDE),
    Good(lambda n, m: nn.SoftMax(), sizes=WIDE),
]
