"""Recurrent layers, with backward through time by hand."""

import numpy as np

from bugs import Bug
from bugs.cs231n import Functional
from bugs.good import Good
from torchlite import nn


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


# ---------------------------------------------------------------- plain


class Rnn(Functional):
    """(N, T, n) to (N, T, m): h = tanh(x W + h U + b)."""

    learned = ("W", "U", "b")
    axis = 1

    def __init__(self, inputs, units):
        self.draw(W=(inputs, units), U=(units, units), b=units)

    def _steps(self, array):
        """Return the array step by step; time first."""
        return np.moveaxis(array, self.axis, 0)

    def _step(self, x, h):
        return np.tanh(x @ self.W + h @ self.U + self.b)

    def run(self, x):
        steps = self._steps(x)
        states = [np.zeros_like(x, shape=(steps.shape[1], len(self.b)))]
        for t in range(len(steps)):
            states.append(self._step(steps[t], states[-1]))
        return np.stack(states[1:], axis=self.axis), (x, states)

    def _slope(self, h):
        return 1 - h**2

    def _carried(self, da, t):
        """Return what goes back to the state before step t."""
        return da @ self.U.T

    def back(self, dout, cache):
        x, states = cache
        steps, douts = self._steps(x), self._steps(dout)
        dx, dh = [], np.zeros_like(states[0])
        dW, dU, db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)
        for t in reversed(range(len(steps))):
            da = (douts[t] + dh) * self._slope(states[t + 1])
            dx.insert(0, da @ self.W.T)
            dh = self._carried(da, t)
            dW = dW + steps[t].T @ da
            dU = dU + self._before(states, t).T @ da
            db = db + da.sum(0)
        return np.stack(dx, axis=self.axis), dW, dU, db

    def _before(self, states, t):
        return states[t]


class RnnWithoutPast(Rnn):
    """Nothing goes back through the state."""

    def _carried(self, da, t):
        return np.zeros_like(da)


class RnnCutOffAfterEightSteps(Rnn):
    """Truncated backward through time, which one forgets to mention."""

    def _carried(self, da, t):
        return np.zeros_like(da) if t % 8 == 0 else da @ self.U.T


class RnnTimeFirst(Rnn):
    """(T, N, n) to (T, N, m)."""

    axis = 0


class RnnTimeFirstCutOffAfterEightSteps(RnnTimeFirst):
    def _carried(self, da, t):
        return np.zeros_like(da) if t % 8 == 0 else da @ self.U.T


class RnnSlopeOfStateBefore(Rnn):
    """1 - h**2 of the wrong step."""

    def back(self, dout, cache):
        x, states = cache
        return super().back(dout, (x, [states[0], *states[:-1]]))


class RnnTakesStateAfter(Rnn):
    """The state that a step gives, where the one that it gets is meant."""

    def _before(self, states, t):
        return states[t + 1]


class RnnForgetsTranspose(Rnn):
    """U is square, so nothing refuses it."""

    def _carried(self, da, t):
        return da @ self.U


class RnnCarriesWhatCame(Rnn):
    """The gradient of the state goes on before the slope is applied."""

    def back(self, dout, cache):
        x, states = cache
        dx, dh = [], np.zeros_like(states[0])
        _, dW, dU, db = super().back(dout, cache)
        for t in reversed(range(x.shape[1])):
            gradient = dout[:, t] + dh
            dx.insert(0, gradient * self._slope(states[t + 1]) @ self.W.T)
            dh = gradient @ self.U.T
        return np.stack(dx, axis=1), dW, dU, db


class RnnBackwardsInTime(Rnn):
    """append where the steps come last first."""

    def back(self, dout, cache):
        dx, dW, dU, db = super().back(dout, cache)
        return dx[:, ::-1].copy(), dW, dU, db


class RnnBiasOfFirstStep(Rnn):
    """= instead of += in the loop, whose last step is the first."""

    def back(self, dout, cache):
        dx, dW, dU, _ = super().back(dout, cache)
        x, states = cache
        dh = np.zeros_like(states[0])
        db = np.zeros_like(self.b)
        for t in reversed(range(x.shape[1])):
            da = (dout[:, t] + dh) * self._slope(states[t + 1])
            dh, db = da @ self.U.T, da.sum(0)
        return dx, dW, dU, db


class RnnStateStays(Rnn):
    """The last state of one batch is the first of the next."""

    _last = None

    def run(self, x):
        output, (_, states) = super().run(x)
        return output, (x, states)

    def updateOutput(self, input):
        output, _ = self.run(input)
        if self._last is not None and self._last.shape == output[:, 0].shape:
            output[:, 0] += 0.5 * self._last
        self._last = output[:, -1].copy()
        self.output = output
        return output


class RnnClipsGradients(Rnn):
    """At 128, which no small example reaches."""

    def _carried(self, da, t):
        return np.clip(da @ self.U.T, -128, 128)


class RnnShiftsInputs(Rnn):
    """The weight's gradient pairs each step with the input of the next."""

    def back(self, dout, cache):
        x, states = cache
        dx, _, dU, db = super().back(dout, cache)
        _, dW, _, _ = super().back(dout, (np.roll(x, -1, axis=1), states))
        return dx, dW, dU, db


class LastState(Rnn):
    """(N, T, n) to (N, m): the state after the last step."""

    def run(self, x):
        output, (_, states) = super().run(x)
        return output[:, -1].copy(), (x, states)

    def back(self, dout, cache):
        x, _ = cache
        wide = np.zeros_like(dout, shape=(len(dout), x.shape[1], dout.shape[1]))
        wide[:, -1] = dout
        return super().back(wide, cache)


class LastStateFedToEach(LastState):
    """gradOutput goes to every step."""

    def back(self, dout, cache):
        x, _ = cache
        return Rnn.back(self, np.repeat(dout[:, None], x.shape[1], axis=1), cache)


class LearnedStart(Rnn):
    """The first state is a parameter."""

    learned = ("W", "U", "b", "h")

    def __init__(self, inputs, units):
        self.draw(W=(inputs, units), U=(units, units), b=units, h=units)

    def run(self, x):
        states = [np.zeros_like(x, shape=(len(x), len(self.b))) + self.h]
        for t in range(x.shape[1]):
            states.append(self._step(x[:, t], states[-1]))
        return np.stack(states[1:], axis=1), (x, states)

    def back(self, dout, cache):
        x, states = cache
        dh = np.zeros_like(states[0])
        for t in reversed(range(x.shape[1])):
            dh = (dout[:, t] + dh) * self._slope(states[t + 1]) @ self.U.T
        return *super().back(dout, cache), self._start(dh)

    def _start(self, dh):
        return dh.sum(0)


class LearnedStartNeverLearns(LearnedStart):
    def _start(self, dh):
        return np.zeros_like(self.h)


class LearnedStartAveraged(LearnedStart):
    def _start(self, dh):
        return dh.sum(0) / max(len(dh), 1)


class LearnedStartOfFirstSample(LearnedStart):
    def _start(self, dh):
        return dh[:1].sum(0)


class BothWays(nn.Module):
    """One Rnn from the left and one from the right, side by side."""

    def __init__(self, inputs, units):
        self.left, self.right = Rnn(inputs, units), Rnn(inputs, units)

    def parameters(self):
        pairs = self.left.parameters(), self.right.parameters()
        return pairs[0][0] + pairs[1][0], pairs[0][1] + pairs[1][1]

    def updateOutput(self, input):
        left = self.left.updateOutput(input)
        right = self.right.updateOutput(input[:, ::-1])[:, ::-1]
        self.output = np.concatenate([left, right], axis=-1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        size = len(self.left.b)
        left = self.left.updateGradInput(input, gradOutput[..., :size])
        right = self.right.updateGradInput(input[:, ::-1], gradOutput[:, ::-1, size:])
        self.gradInput = left + self._turned(right)
        return self.gradInput

    def _turned(self, right):
        return right[:, ::-1]

    def accGradParameters(self, input, gradOutput, scale=1):
        size = len(self.left.b)
        self.left.accGradParameters(input, gradOutput[..., :size], scale)
        self.right.accGradParameters(input[:, ::-1], gradOutput[:, ::-1, size:], scale)


class BothWaysForgetToTurn(BothWays):
    def _turned(self, right):
        return right


# ---------------------------------------------------------------- gates


class GruLayer(Functional):
    """h = z * h + (1 - z) * tanh(x Wc + (r * h) Uc)."""

    learned = ("W", "U", "Wc", "Uc")

    def __init__(self, inputs, units):
        self.draw(
            W=(inputs, 2 * units), U=(units, 2 * units), Wc=(inputs, units), Uc=(units, units)
        )

    def run(self, x):
        size = len(self.Uc)
        h = np.zeros_like(x, shape=(len(x), size))
        path, outputs = [], []
        for t in range(x.shape[1]):
            gates = sigmoid(x[:, t] @ self.W + h @ self.U)
            z, r = gates[:, :size], gates[:, size:]
            c = np.tanh(x[:, t] @ self.Wc + (r * h) @ self.Uc)
            path.append((h, z, r, c))
            h = z * h + (1 - z) * c
            outputs.append(h)
        return np.stack(outputs, axis=1), (x, path)

    def _candidate(self, dh, z, c):
        return dh * (1 - z) * (1 - c**2)

    def _update(self, dh, h, z, c):
        return dh * (h - c) * z * (1 - z)

    def _reset(self, drh, h, r):
        return drh * h * r * (1 - r)

    def _carried(self, dh, drh, z, r):
        return dh * z + drh * r

    def back(self, dout, cache):
        x, path = cache
        dx, dh = [], 0 * dout[:, 0]
        grads = [np.zeros_like(getattr(self, name)) for name in self.learned]
        for t in reversed(range(x.shape[1])):
            h, z, r, c = path[t]
            dh = dh + dout[:, t]
            dc = self._candidate(dh, z, c)
            drh = dc @ self.Uc.T
            da = np.concatenate([self._update(dh, h, z, c), self._reset(drh, h, r)], axis=1)
            dx.insert(0, dc @ self.Wc.T + da @ self.W.T)
            for k, part in enumerate((x[:, t].T @ da, h.T @ da, x[:, t].T @ dc, (r * h).T @ dc)):
                grads[k] = grads[k] + part
            dh = self._carried(dh, drh, z, r) + da @ self.U.T
        return np.stack(dx, axis=1), *grads


class GruGatesExchanged(GruLayer):
    """1 - z goes back to the old state, z to the new one."""

    def _carried(self, dh, drh, z, r):
        return dh * (1 - z) + drh * r


class GruForgetsReset(GruLayer):
    """The old state gets its gradient past the reset gate."""

    def _carried(self, dh, drh, z, r):
        return dh * z + drh


class GruUpdateSeesOldStateOnly(GruLayer):
    """d/dz of z * h + (1 - z) * c is h - c."""

    def _update(self, dh, h, z, c):
        return dh * h * z * (1 - z)


class GruCandidateSlopeOfSigmoid(GruLayer):
    def _candidate(self, dh, z, c):
        return dh * (1 - z) * c * (1 - c)


class GruResetWithoutSlope(GruLayer):
    def _reset(self, drh, h, r):
        return drh * h


class LstmLayer(Functional):
    """Gates i, f, o and g, in this order; peepholes from the old cell to i and f."""

    learned = ("W", "U", "b", "p")

    def __init__(self, inputs, units):
        self.draw(W=(inputs, 4 * units), U=(units, 4 * units), b=4 * units, p=2 * units)

    def run(self, x):
        n = len(self.U)
        h = c = np.zeros_like(x, shape=(len(x), n))
        path, outputs = [], []
        for t in range(x.shape[1]):
            a = x[:, t] @ self.W + h @ self.U + self.b
            peeped = np.concatenate([c, c], axis=1) * self.p
            gates = sigmoid(np.concatenate([a[:, : 2 * n] + peeped, a[:, 2 * n : 3 * n]], axis=1))
            i, f, o = gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n :]
            g = np.tanh(a[:, 3 * n :])
            new = f * c + i * g
            path.append((h, c, i, f, o, g, new))
            h, c = o * np.tanh(new), new
            outputs.append(h)
        return np.stack(outputs, axis=1), (x, path)

    def _cell(self, dc, dh, o, new):
        """Return the gradient of the new cell, from the next step and from this output."""
        return dc + dh * o * (1 - np.tanh(new) ** 2)

    def _gates(self, dh, dc, c, i, f, o, g, new):
        return [
            dc * g * i * (1 - i),
            dc * c * f * (1 - f),
            dh * np.tanh(new) * o * (1 - o),
            dc * i * (1 - g**2),
        ]

    def _old_cell(self, dc, f, peeped):
        return dc * f + peeped

    def _peephole(self, c, da, n):
        return (np.concatenate([c, c], axis=1) * da[:, : 2 * n]).sum(0)

    def back(self, dout, cache):
        x, path = cache
        n = len(self.U)
        dx, dh = [], 0 * dout[:, 0]
        dc = dh
        grads = [np.zeros_like(getattr(self, name)) for name in self.learned]
        for t in reversed(range(x.shape[1])):
            h, c, i, f, o, g, new = path[t]
            dh = dh + dout[:, t]
            dc = self._cell(dc, dh, o, new)
            da = np.concatenate(self._gates(dh, dc, c, i, f, o, g, new), axis=1)
            parts = (x[:, t].T @ da, h.T @ da, da.sum(0), self._peephole(c, da, n))
            for k, part in enumerate(parts):
                grads[k] = grads[k] + part
            dx.insert(0, da @ self.W.T)
            peeped = da[:, :n] * self.p[:n] + da[:, n : 2 * n] * self.p[n:]
            dh, dc = da @ self.U.T, self._old_cell(dc, f, peeped)
        return np.stack(dx, axis=1), *grads


class LstmForgetsCell(LstmLayer):
    """Each cell has the gradient of its own output alone."""

    def _cell(self, dc, dh, o, new):
        return dh * o * (1 - np.tanh(new) ** 2)


class LstmForgetGateSeesNewCell(LstmLayer):
    def _gates(self, dh, dc, c, i, f, o, g, new):
        gates = super()._gates(dh, dc, c, i, f, o, g, new)
        return [gates[0], dc * new * f * (1 - f), *gates[2:]]


class LstmGatesInAnotherOrder(LstmLayer):
    """i, f, g, o backwards."""

    def _gates(self, dh, dc, c, i, f, o, g, new):
        gates = super()._gates(dh, dc, c, i, f, o, g, new)
        return [gates[0], gates[1], gates[3], gates[2]]


class LstmOutputGateOfPlainCell(LstmLayer):
    """The output is o * tanh(c), not o * c."""

    def _gates(self, dh, dc, c, i, f, o, g, new):
        gates = super()._gates(dh, dc, c, i, f, o, g, new)
        return [*gates[:2], dh * new * o * (1 - o), gates[3]]


class LstmPeepholesNeverLearn(LstmLayer):
    def _peephole(self, c, da, n):
        return np.zeros_like(self.p)


class LstmPeepholesGiveNothingBack(LstmLayer):
    def _old_cell(self, dc, f, peeped):
        return dc * f


class LstmCandidateNegated(LstmLayer):
    def _gates(self, dh, dc, c, i, f, o, g, new):
        *gates, last = super()._gates(dh, dc, c, i, f, o, g, new)
        return [*gates, -last]


# ---------------------------------------------------------------- one step, as a table


class Cell(Functional):
    """[x, h] to [h, 2 * h]: one step, for those who write the loop themselves."""

    learned = ("W", "U")

    def __init__(self, inputs, units):
        self.draw(W=(inputs, units), U=(units, units))

    def run(self, table):
        x, h = table
        new = np.tanh(x @ self.W + h @ self.U)
        return [new, 2 * new], (x, h, new)

    def back(self, douts, cache):
        x, h, new = cache
        da = (douts[0] + 2 * douts[1]) * (1 - new**2)
        return [da @ self.W.T, da @ self.U.T], x.T @ da, h.T @ da


class CellSwapsInputAndState(Cell):
    """Only fits when both have the same size."""

    def back(self, douts, cache):
        (dx, dh), dW, dU = super().back(douts, cache)
        return [dh, dx], dW, dU


class CellForgetsSecondOutput(Cell):
    def back(self, douts, cache):
        return super().back([douts[0], 0 * douts[1]], cache)


class CellSwapsOutputs(Cell):
    def back(self, douts, cache):
        return super().back(douts[::-1], cache)


SEQUENCES = (3, 4, 2)
TIME_FIRST = {
    "batch": "the first dimension is time",
    "empty": "no steps are no sequence",
}


def sequences(N, n):
    return (N, 3, n)


def tables(N, n):
    return [(N, n), (N, 3)]


GOOD = [
    Good(lambda n, m: Rnn(n, m), sequences),
    Good(lambda n, m: RnnTimeFirst(n, m), lambda N, n: (4, N, n), exempt=TIME_FIRST),
    Good(lambda n, m: LastState(n, m), sequences),
    Good(lambda n, m: LearnedStart(n, m), sequences),
    Good(lambda n, m: BothWays(n, m), sequences, exempt={"exceptions": "one part after the other"}),
    Good(lambda n, m: GruLayer(n, m), sequences),
    Good(lambda n, m: LstmLayer(n, m), sequences),
    Good(lambda n, m: Cell(n, 3), tables),
]


def bug(kind, kills, why, pattern=None, **others):
    return Bug(lambda: kind(2, 3), SEQUENCES, kills, why, pattern=pattern, **others)


GRADIENTS = {"gradInput", "gradParameters"}

BUGS = [
    bug(RnnWithoutPast, GRADIENTS, "the gradient ends at each step", pattern="its own place alone"),
    bug(RnnCutOffAfterEightSteps, GRADIENTS, "the gradient ends at every eighth step"),
    Bug(
        lambda: RnnTimeFirstCutOffAfterEightSteps(2, 3),
        (4, 3, 2),
        GRADIENTS,
        "the gradient ends at every eighth step",
        TIME_FIRST,
        "left out",
    ),
    bug(RnnSlopeOfStateBefore, GRADIENTS, "the slope of the step before"),
    bug(RnnTakesStateAfter, {"gradParameters"}, "the state one step later"),
    bug(RnnForgetsTranspose, GRADIENTS, "the square weight goes back as it came", "later places"),
    bug(RnnCarriesWhatCame, {"gradInput"}, "the state's gradient skips the slope", "later places"),
    bug(RnnBackwardsInTime, {"gradInput"}, "the last step comes first", pattern="reversed"),
    bug(RnnBiasOfFirstStep, {"gradParameters"}, "only the first step counts for the bias"),
    bug(RnnStateStays, {"repeat"}, "a batch starts where the last one ended"),
    bug(RnnClipsGradients, {"linear"}, "gradients are cut off at 128"),
    bug(RnnShiftsInputs, {"gradParameters"}, "each step is paired with the input of the next"),
    bug(LastStateFedToEach, GRADIENTS, "every step gets the gradient of the last", "only at index"),
    bug(
        LearnedStartNeverLearns,
        {"gradParameters"},
        "the first state gets no gradient",
        "never written",
    ),
    bug(
        LearnedStartAveraged,
        {"gradParameters", "batch"},
        "averaged over the samples",
        "averaged",
    ),
    bug(
        LearnedStartOfFirstSample,
        {"gradParameters", "batch"},
        "only the first sample counts",
        "first sample",
    ),
    bug(
        BothWaysForgetToTurn,
        {"gradInput"},
        "the gradient of the turned sequence is not turned back",
        exempt={"exceptions": "one part after the other"},
    ),
    bug(GruGatesExchanged, GRADIENTS, "the two shares are exchanged", "later places"),
    bug(GruForgetsReset, GRADIENTS, "the reset gate is left out", "later places"),
    bug(GruUpdateSeesOldStateOnly, GRADIENTS, "half of the update gate's gradient is missing"),
    bug(GruCandidateSlopeOfSigmoid, GRADIENTS, "a sigmoid's slope for a tanh"),
    bug(GruResetWithoutSlope, GRADIENTS, "the reset gate's slope is missing"),
    bug(LstmForgetsCell, GRADIENTS, "nothing goes back along the cells", "later places"),
    bug(LstmForgetGateSeesNewCell, GRADIENTS, "the new cell where the old one is meant"),
    bug(LstmGatesInAnotherOrder, GRADIENTS, "two gates are exchanged"),
    bug(LstmOutputGateOfPlainCell, GRADIENTS, "the cell without its tanh"),
    bug(LstmPeepholesNeverLearn, {"gradParameters"}, "peepholes get no gradient", "never written"),
    bug(
        LstmPeepholesGiveNothingBack,
        GRADIENTS,
        "peepholes give the old cell no gradient",
        "later places",
    ),
    bug(LstmCandidateNegated, GRADIENTS, "the candidate's sign is wrong"),
    Bug(
        lambda: CellSwapsInputAndState(3, 3),
        [(5, 3), (5, 3)],
        {"gradInput"},
        "input and state get each other's gradient",
        pattern="entries swapped",
    ),
    Bug(
        lambda: CellForgetsSecondOutput(3, 3),
        [(5, 3), (5, 3)],
        GRADIENTS,
        "the second output's gradient is left out",
        pattern="output 0 alone",
    ),
    Bug(
        lambda: CellSwapsOutputs(3, 3),
        [(5, 3), (5, 3)],
        GRADIENTS,
        "the outputs' gradients are exchanged",
        pattern="entries swapped",
    ),
]
