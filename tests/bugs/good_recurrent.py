"""Right recurrent layers: cells over a step, and whole sequences with backward through time."""

import math

import numpy as np

from bugs.good import Good, odd
from torchlite import nn, random


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


class RnnCell(nn.Module):
    """[x, h] to tanh(x Wx + h Wh + b)."""

    def __init__(self, n, h):
        self.Wx = random.normal(0, 0.5, size=(n, h))
        self.Wh = random.normal(0, 0.5, size=(h, h))
        self.b = np.zeros(h)
        self.dWx, self.dWh, self.db = np.zeros((n, h)), np.zeros((h, h)), np.zeros(h)

    def parameters(self):
        return [self.Wx, self.Wh, self.b], [self.dWx, self.dWh, self.db]

    def updateOutput(self, input):
        x, h = input
        self.output = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
        return self.output

    def _da(self, input, gradOutput):
        x, h = input
        return gradOutput * (1 - np.tanh(x @ self.Wx + h @ self.Wh + self.b) ** 2)

    def updateGradInput(self, input, gradOutput):
        da = self._da(input, gradOutput)
        self.gradInput = [da @ self.Wx.T, da @ self.Wh.T]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        da = self._da(input, gradOutput)
        self.dWx += scale * input[0].T @ da
        self.dWh += scale * input[1].T @ da
        self.db += scale * da.sum(0)


class LstmCell(nn.Module):
    """[x, h, c] to [h, c]; gates in the order i, f, o, g."""

    def __init__(self, n, h):
        self.W = random.normal(0, 1 / math.sqrt(n + h), size=(n + h, 4 * h))
        self.b = np.zeros(4 * h)
        self.b[h : 2 * h] = 1
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def parameters(self):
        return [self.W, self.b], [self.dW, self.db]

    def _gates(self, input):
        x, h, c = input
        a = np.concatenate([x, h], axis=1) @ self.W + self.b
        i, f, o, g = np.split(a, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        return i, f, o, g, f * c + i * g

    def updateOutput(self, input):
        _, _, o, _, c = self._gates(input)
        self.output = [o * np.tanh(c), c]
        return self.output

    def _back(self, input, gradOutput):
        i, f, o, g, c = self._gates(input)
        dh, dc = gradOutput
        t = np.tanh(c)
        dc = dc + dh * o * (1 - t**2)
        da = np.concatenate(
            [
                dc * g * i * (1 - i),
                dc * input[2] * f * (1 - f),
                dh * t * o * (1 - o),
                dc * i * (1 - g**2),
            ],
            axis=1,
        )
        return da, dc * f

    def updateGradInput(self, input, gradOutput):
        da, dc = self._back(input, gradOutput)
        dxh = da @ self.W.T
        n = input[0].shape[1]
        self.gradInput = [dxh[:, :n].copy(), dxh[:, n:].copy(), dc]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        da, _ = self._back(input, gradOutput)
        self.dW += scale * np.concatenate(input[:2], axis=1).T @ da
        self.db += scale * da.sum(axis=0)


class GruCell(nn.Module):
    """[x, h] to h, with the reset before the product, a dictionary of weights."""

    def __init__(self, n, h):
        self.p = {}
        for gate in "zrn":
            self.p["W" + gate] = random.uniform(-0.5, 0.5, size=(n, h))
            self.p["U" + gate] = random.uniform(-0.5, 0.5, size=(h, h))
            self.p["b" + gate] = random.uniform(-0.5, 0.5, size=h)
        self.g = {name: np.zeros_like(value) for name, value in self.p.items()}

    def parameters(self):
        return list(self.p.values()), list(self.g.values())

    def _gates(self, x, h):
        p = self.p
        z = sigmoid(x @ p["Wz"] + h @ p["Uz"] + p["bz"])
        r = sigmoid(x @ p["Wr"] + h @ p["Ur"] + p["br"])
        n = np.tanh(x @ p["Wn"] + (r * h) @ p["Un"] + p["bn"])
        return z, r, n

    def updateOutput(self, input):
        x, h = input
        z, _, n = self._gates(x, h)
        self.output = (1 - z) * n + z * h
        return self.output

    def _back(self, input, gradOutput):
        x, h = input
        z, r, n = self._gates(x, h)
        dn = gradOutput * (1 - z) * (1 - n * n)
        dz = gradOutput * (h - n) * z * (1 - z)
        drh = dn @ self.p["Un"].T
        dr = drh * h * r * (1 - r)
        dh = gradOutput * z + drh * r
        return z, r, dz, dr, dn, dh

    def updateGradInput(self, input, gradOutput):
        _, _, dz, dr, dn, dh = self._back(input, gradOutput)
        p = self.p
        dx = dz @ p["Wz"].T + dr @ p["Wr"].T + dn @ p["Wn"].T
        self.gradInput = [dx, dh + dz @ p["Uz"].T + dr @ p["Ur"].T]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        x, h = input
        _, r, dz, dr, dn, _ = self._back(input, gradOutput)
        for gate, da, state in (("z", dz, h), ("r", dr, h), ("n", dn, r * h)):
            self.g["W" + gate] += scale * x.T @ da
            self.g["U" + gate] += scale * state.T @ da
            self.g["b" + gate] += scale * da.sum(0)


class Rnn(nn.Module):
    """(N, T, n) to (N, T, h)."""

    def __init__(self, n, h):
        self.Wx = random.normal(0, 0.5, size=(n, h))
        self.Wh = random.normal(0, 0.5, size=(h, h))
        self.b = random.normal(0, 0.5, size=h)
        self.grads = [np.zeros_like(p) for p in (self.Wx, self.Wh, self.b)]

    def parameters(self):
        return [self.Wx, self.Wh, self.b], self.grads

    def _states(self, x):
        h = [np.zeros((len(x), len(self.b)), x.dtype)]
        for t in range(x.shape[1]):
            h.append(np.tanh(x[:, t] @ self.Wx + h[-1] @ self.Wh + self.b))
        return h

    def updateOutput(self, input):
        self.output = np.stack(self._states(input)[1:], axis=1)
        return self.output

    def _through_time(self, x, dh):
        h = self._states(x)
        das, carried = [], 0
        for t in range(x.shape[1] - 1, -1, -1):
            da = (dh[:, t] + carried) * (1 - h[t + 1] ** 2)
            das.insert(0, da)
            carried = da @ self.Wh.T
        return h, das

    def updateGradInput(self, input, gradOutput):
        _, das = self._through_time(input, gradOutput)
        self.gradInput = np.stack([da @ self.Wx.T for da in das], axis=1)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        h, das = self._through_time(input, gradOutput)
        dWx, dWh, db = self.grads
        for t, da in enumerate(das):
            dWx += scale * input[:, t].T @ da
            dWh += scale * h[t].T @ da
            db += scale * da.sum(0)


class LastState(Rnn):
    """Only the last state comes out: (N, T, n) to (N, h)."""

    def updateOutput(self, input):
        self.output = self._states(input)[-1]
        return self.output

    def _through_time(self, x, dh):
        every = np.zeros((len(x), x.shape[1], dh.shape[1]), dh.dtype)
        every[:, -1] = dh
        return super()._through_time(x, every)


class TimeFirst(Rnn):
    """(T, N, n) to (T, N, h): samples lie along the second dimension."""

    def updateOutput(self, input):
        self.output = np.stack(self._states(input.swapaxes(0, 1))[1:], axis=0)
        return self.output

    def updateGradInput(self, input, gradOutput):
        super().updateGradInput(input.swapaxes(0, 1), gradOutput.swapaxes(0, 1))
        self.gradInput = self.gradInput.swapaxes(0, 1).copy()
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input.swapaxes(0, 1), gradOutput.swapaxes(0, 1), scale)


class WithFirstState(Rnn):
    """[x, h0]: the first state is an input too."""

    def updateOutput(self, input):
        x, h0 = input
        hs, h = [], h0
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.Wx + h @ self.Wh + self.b)
            hs.append(h)
        self.output = np.stack(hs, 1)
        return self.output

    def _steps(self, input, gradOutput):
        x, h0 = input
        hs = [h0]
        for t in range(x.shape[1]):
            hs.append(np.tanh(x[:, t] @ self.Wx + hs[-1] @ self.Wh + self.b))
        dh = np.zeros_like(h0)
        for t in reversed(range(x.shape[1])):
            da = (dh + gradOutput[:, t]) * (1 - hs[t + 1] ** 2)
            dh = da @ self.Wh.T
            yield t, da, hs[t], dh

    def updateGradInput(self, input, gradOutput):
        dx = np.empty_like(input[0])
        dh = gradOutput
        for t, da, _, carried in self._steps(input, gradOutput):
            dx[:, t] = da @ self.Wx.T
            dh = carried
        self.gradInput = [dx, dh]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for t, da, h, _ in self._steps(input, gradOutput):
            self.grads[0] += scale * input[0][:, t].T @ da
            self.grads[1] += scale * h.T @ da
            self.grads[2] += scale * da.sum(0)


class Lstm(nn.Module):
    """(N, T, n) to (N, T, h), all gates in one product."""

    def __init__(self, n, h):
        self.size = h
        bound = 1 / math.sqrt(h)
        self.Wx = random.uniform(-bound, bound, size=(n, 4 * h))
        self.Wh = random.uniform(-bound, bound, size=(h, 4 * h))
        self.b = np.zeros(4 * h)
        self.dWx, self.dWh, self.db = (np.zeros_like(p) for p in (self.Wx, self.Wh, self.b))

    def parameters(self):
        return [self.Wx, self.Wh, self.b], [self.dWx, self.dWh, self.db]

    def _run(self, x):
        N, T, _ = x.shape
        h = c = np.zeros((N, self.size), x.dtype)
        tape = []
        for t in range(T):
            a = x[:, t] @ self.Wx + h @ self.Wh + self.b
            ai, af, ao, ag = np.split(a, 4, axis=1)
            i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
            new = f * c + i * g
            tape.append((h, c, i, f, o, g, new))
            c, h = new, o * np.tanh(new)
        return tape

    def updateOutput(self, input):
        self.output = np.stack([o * np.tanh(c) for *_, o, _, c in self._run(input)], axis=1)
        return self.output

    def _back(self, x, gradOutput):
        tape = self._run(x)
        dh = dc = 0
        das = []
        for t in range(x.shape[1])[::-1]:
            _, c0, i, f, o, g, c = tape[t]
            dh = dh + gradOutput[:, t]
            tc = np.tanh(c)
            dc = dc + dh * o * (1 - tc * tc)
            da = np.hstack(
                (
                    dc * g * i * (1 - i),
                    dc * c0 * f * (1 - f),
                    dh * tc * o * (1 - o),
                    dc * i * (1 - g * g),
                )
            )
            das.append(da)
            dh, dc = da @ self.Wh.T, dc * f
        return tape, das[::-1]

    def updateGradInput(self, input, gradOutput):
        _, das = self._back(input, gradOutput)
        self.gradInput = np.stack(das, axis=1) @ self.Wx.T
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        tape, das = self._back(input, gradOutput)
        for t, da in enumerate(das):
            self.dWx += scale * (input[:, t].T @ da)
            self.dWh += scale * (tape[t][0].T @ da)
            self.db += scale * da.sum(axis=0)


class Gru(nn.Module):
    """Over time by a cell that is a part."""

    def __init__(self, n, h):
        self.cell = GruCell(n, h)
        self.size = h

    def parameters(self):
        return self.cell.parameters()

    def _states(self, x):
        h = [np.zeros((len(x), self.size), x.dtype)]
        for t in range(x.shape[1]):
            h.append(self.cell.updateOutput([x[:, t], h[-1]]))
        return h

    def updateOutput(self, input):
        self.output = np.stack(self._states(input)[1:], axis=1)
        return self.output

    def _walk(self, x, gradOutput):
        h = self._states(x)
        dh = np.zeros_like(h[0])
        for t in reversed(range(x.shape[1])):
            pair, grad = [x[:, t], h[t]], dh + gradOutput[:, t]
            dx, dh = self.cell.updateGradInput(pair, grad)
            yield t, pair, grad, dx

    def updateGradInput(self, input, gradOutput):
        gradInput = np.zeros_like(input)
        for t, _, _, dx in self._walk(input, gradOutput):
            gradInput[:, t] = dx
        self.gradInput = gradInput
        return gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        for _, pair, grad, _ in self._walk(input, gradOutput):
            self.cell.accGradParameters(pair, grad, scale)


class Bidirectional(nn.Module):
    """One network forwards, one backwards in time; their states side by side."""

    def __init__(self, n, h):
        self.there, self.back = Rnn(n, h), Rnn(n, h)

    def parameters(self):
        a, b = self.there.parameters(), self.back.parameters()
        return a[0] + b[0], a[1] + b[1]

    def updateOutput(self, input):
        there = self.there.updateOutput(input)
        back = self.back.updateOutput(input[:, ::-1])[:, ::-1]
        self.output = np.concatenate([there, back], axis=2)
        return self.output

    def _halves(self, gradOutput):
        a, b = np.split(gradOutput, 2, axis=2)
        return a, b[:, ::-1]

    def updateGradInput(self, input, gradOutput):
        a, b = self._halves(gradOutput)
        there = self.there.updateGradInput(input, a)
        self.gradInput = there + self.back.updateGradInput(input[:, ::-1], b)[:, ::-1]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        a, b = self._halves(gradOutput)
        self.there.accGradParameters(input, a, scale)
        self.back.accGradParameters(input[:, ::-1], b, scale)


class Independent(nn.Module):
    """IndRNN: relu(w x + u h), feature by feature."""

    def __init__(self, n):
        self.w, self.u = random.uniform(0, 1, size=n), random.uniform(0, 1, size=n)
        self.dw, self.du = np.zeros(n), np.zeros(n)

    def parameters(self):
        return [self.w, self.u], [self.dw, self.du]

    def _states(self, x):
        h = [np.zeros_like(x[:, 0])]
        for t in range(x.shape[1]):
            h.append(np.maximum(self.w * x[:, t] + self.u * h[-1], 0))
        return h

    def updateOutput(self, input):
        self.output = np.stack(self._states(input)[1:], axis=1)
        return self.output

    def _back(self, x, gradOutput):
        h = self._states(x)
        da = np.zeros_like(gradOutput)
        d = np.zeros_like(h[0])
        for t in reversed(range(x.shape[1])):
            da[:, t] = (gradOutput[:, t] + d) * (h[t + 1] > 0)
            d = da[:, t] * self.u
        return h, da

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._back(input, gradOutput)[1] * self.w
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        h, da = self._back(input, gradOutput)
        self.dw += scale * (da * input).sum((0, 1))
        self.du += scale * (da * np.stack(h[:-1], axis=1)).sum((0, 1))


class LeakyIntegrator(nn.Module):
    """h = a h + (1 - a) x with one learned a in (0, 1), kept as its logit, of no dimension."""

    def __init__(self):
        self.logit, self.gradLogit = np.array(0.5), np.array(0.0)

    def parameters(self):
        return [self.logit], [self.gradLogit]

    def _states(self, x):
        a = sigmoid(self.logit)
        h = [np.zeros_like(x[:, 0])]
        for t in range(x.shape[1]):
            h.append(a * h[-1] + (1 - a) * x[:, t])
        return a, h

    def updateOutput(self, input):
        self.output = np.stack(self._states(input)[1][1:], axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        a = sigmoid(self.logit)
        gradInput = np.empty_like(input)
        d = np.zeros_like(input[:, 0])
        for t in reversed(range(input.shape[1])):
            d = d * a + gradOutput[:, t]
            gradInput[:, t] = (1 - a) * d
        self.gradInput = gradInput
        return gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        a, h = self._states(input)
        d, total = np.zeros_like(input[:, 0]), 0
        for t in reversed(range(input.shape[1])):
            d = d * a + gradOutput[:, t]
            total = total + (d * (h[t] - input[:, t])).sum()
        self.gradLogit += scale * a * (1 - a) * total


class CharRnn(nn.Module):
    """Ids (N, T) to scores (N, T, V), as in min-char-rnn: one-hot, tanh, linear."""

    def __init__(self, V, H):
        self.Wxh = random.normal(0, 0.5, size=(H, V))
        self.Whh = random.normal(0, 0.5, size=(H, H))
        self.Why = random.normal(0, 0.5, size=(V, H))
        self.bh, self.by = np.zeros((H, 1)), np.zeros((V, 1))
        self.grads = [np.zeros_like(p) for p in self._params()]

    def _params(self):
        return [self.Wxh, self.Whh, self.Why, self.bh, self.by]

    def parameters(self):
        return self._params(), self.grads

    def _run(self, ids):
        h = np.zeros_like(self.bh)
        hs, ys = [h], []
        for i in ids:
            h = np.tanh(self.Wxh[:, i : i + 1] + self.Whh @ h + self.bh)
            hs.append(h)
            ys.append(self.Why @ h + self.by)
        return hs, ys

    def updateOutput(self, input):
        output = np.zeros((*input.shape, len(self.by)), self.by.dtype)
        for n, ids in enumerate(input):
            for t, y in enumerate(self._run(ids)[1]):
                output[n, t] = y[:, 0]
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        dWxh, dWhh, dWhy, dbh, dby = self.grads
        for ids, dys in zip(input, gradOutput, strict=True):
            hs, _ = self._run(ids)
            dhnext = np.zeros_like(self.bh)
            for t in reversed(range(len(ids))):
                dy = dys[t][:, None]
                dWhy += scale * (dy @ hs[t + 1].T)
                dby += scale * dy
                draw = (1 - hs[t + 1] ** 2) * (self.Why.T @ dy + dhnext)
                dbh += scale * draw
                dWxh[:, ids[t]] += scale * draw[:, 0]
                dWhh += scale * (draw @ hs[t].T)
                dhnext = self.Whh.T @ draw


class MinimalGated(nn.Module):
    """One gate; made of two linear layers that are parts."""

    def __init__(self, n):
        self.gate, self.candidate = nn.Linear(2 * n, n), nn.Linear(2 * n, n)

    def parameters(self):
        a, b = self.gate.parameters(), self.candidate.parameters()
        return a[0] + b[0], a[1] + b[1]

    def _step(self, x, h):
        both = np.concatenate([x, h], 1)
        f = sigmoid(self.gate.updateOutput(both))
        gated = np.concatenate([x, f * h], 1)
        c = np.tanh(self.candidate.updateOutput(gated))
        return both, f, gated, c, (1 - f) * h + f * c

    def updateOutput(self, input):
        self.output = self._step(*input)[-1]
        return self.output

    def _back(self, input, gradOutput):
        x, h = input
        both, f, gated, c, _ = self._step(x, h)
        n = x.shape[1]
        dc = gradOutput * f * (1 - c**2)
        dgated = self.candidate.updateGradInput(gated, dc)
        dfh = dgated[:, n:]
        df = (gradOutput * (c - h) + dfh * h) * f * (1 - f)
        dboth = self.gate.updateGradInput(both, df)
        dx = dgated[:, :n] + dboth[:, :n]
        dh = gradOutput * (1 - f) + dfh * f + dboth[:, n:]
        return both, gated, df, dc, dx, dh

    def updateGradInput(self, input, gradOutput):
        self.gradInput = list(self._back(input, gradOutput)[-2:])
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        both, gated, df, dc, _, _ = self._back(input, gradOutput)
        self.gate.accGradParameters(both, df, scale)
        self.candidate.accGradParameters(gated, dc, scale)


def sequence(N, n):
    return (N, 4, n)


def single(N, n):
    return lambda rng: odd(rng, (N, 3, n)).astype("float32")


def cell(h):
    return lambda N, n: [(N, n), (N, h)]


def chars(N, n):
    return lambda rng: rng.integers(0, n, (N, 5))


TIME = dict.fromkeys(("batch", "empty"), "the first dimension is time")
LARGE = ((2, 3, 4), (4, 8, 16), (8, 16, 64))

GOOD = [
    Good(lambda n, m: RnnCell(n, 2), cell(2)),
    Good(lambda n, m: LstmCell(n, 2), lambda N, n: [(N, n), (N, 2), (N, 2)]),
    Good(
        lambda n, m: LstmCell(n, 64),
        lambda N, n: [(N, n), (N, 64), (N, 64)],
        sizes=((2, 4, 4), (4, 16, 4), (8, 64, 4)),
        label="64",
    ),
    Good(lambda n, m: GruCell(n, 3), cell(3)),
    Good(lambda n, m: Rnn(n, m), sequence),
    Good(lambda n, m: Rnn(n, m).float(), single, label="float32"),
    Good(lambda n, m: Rnn(n, m), lambda N, n: (N, 20, n), label="long"),
    Good(lambda n, m: LastState(n, m), sequence),
    Good(lambda n, m: TimeFirst(n, m), lambda N, n: (4, N, n), exempt=TIME),
    Good(lambda n, m: WithFirstState(n, 2), lambda N, n: [(N, 3, n), (N, 2)]),
    Good(lambda n, m: Lstm(n, m), sequence),
    Good(lambda n, m: Lstm(n, m), sequence, sizes=LARGE, label="64"),
    Good(lambda n, m: Lstm(n, m).float(), single, label="float32"),
    Good(lambda n, m: Gru(n, m), sequence),
    Good(lambda n, m: Bidirectional(n, m), sequence),
    Good(lambda n, m: Independent(n), sequence),
    Good(lambda n, m: LeakyIntegrator(), sequence),
    Good(lambda n, m: CharRnn(n, m), chars),
    Good(lambda n, m: MinimalGated(n), lambda N, n: [(N, n), (N, n)]),
]
