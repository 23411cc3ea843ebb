"""Right layers that keep what they computed for the next call with the same numbers."""

import numpy as np

from bugs.good import Good, fit
from torchlite import nn


class KeptTanh(nn.Module):
    """The tanh of the last input, kept for the next call with an equal one."""

    transient = ("_key", "_value")
    _key = _value = None

    def _known(self, x):
        return self._key.dtype == x.dtype and np.array_equal(self._key, x)

    def _tanh(self, x):
        if self._key is None or not self._known(x):
            self._key, self._value = x.copy(), np.tanh(x)
        return self._value.copy()

    def updateOutput(self, x):
        self.output = self._tanh(x)
        return self.output

    def updateGradInput(self, x, dout):
        self.gradInput = dout * (1 - self._tanh(x) ** 2)
        return self.gradInput


class KeptTanhReadOnly(KeptTanh):
    """Hands out what it keeps, which nobody can write to."""

    def _tanh(self, x):
        super()._tanh(x)
        self._value.flags.writeable = False
        return self._value


class SlopesKept(nn.Module):
    """The sine; gradInput of equal arguments is a copy of the last one."""

    transient = ("_seen", "_gradient")
    _seen = None

    def _known(self, x, dout):
        return self._seen is not None and all(
            a.dtype == b.dtype and np.array_equal(a, b)
            for a, b in zip(self._seen, (x, dout), strict=True)
        )

    def _kept_gradInput(self):
        return self._gradient.copy()

    def updateOutput(self, x):
        self.output = np.sin(x)
        return self.output

    def updateGradInput(self, x, dout):
        if not self._known(x, dout):
            self._seen, self._gradient = (x.copy(), dout.copy()), dout * np.cos(x)
        self.gradInput = self._kept_gradInput()
        return self.gradInput


class KeptLoss(nn.Criterion):
    """Half the sum of squares; its gradient is kept for equal arguments."""

    _seen = None

    def _known(self, input, target):
        return all(
            a.dtype == b.dtype and np.array_equal(a, b)
            for a, b in zip(self._seen, (input, target), strict=True)
        )

    def _kept_gradient(self):
        return self._gradient.copy()

    def updateOutput(self, input, target):
        fit(input, target)
        self.output = 0.5 * ((input - target) ** 2).sum().item()
        return self.output

    def updateGradInput(self, input, target):
        fit(input, target)
        if self._seen is None or not self._known(input, target):
            self._seen, self._gradient = (input.copy(), target.copy()), input - target
        self.gradInput = self._kept_gradient()
        return self.gradInput


class Places(nn.Module):
    """Adds sines of places to (N, T, D), of a table that is kept for each length and dtype."""

    def __init__(self):
        self._tables = {}

    def _table(self, x):
        _, T, D = x.shape
        return np.sin(np.arange(T)[:, None] / 10.0 ** np.arange(D)).astype(x.dtype)

    def updateOutput(self, x):
        self.output = x + self._table(x)
        return self.output

    def updateGradInput(self, x, dout):
        self.gradInput = dout.copy()
        return self.gradInput


class PlacesKept(Places):
    def _table(self, x):
        key = x.shape[1:], x.dtype
        if key not in self._tables:
            self._tables[key] = super()._table(x)
        return self._tables[key]


class PassesOn(nn.Module):
    """Hands on what it gets, both ways."""

    def updateOutput(self, x):
        self.output = x
        return x

    def updateGradInput(self, x, dout):
        self.gradInput = dout
        return dout


GOOD = [
    Good(lambda n, m: KeptTanh()),
    Good(lambda n, m: KeptTanhReadOnly()),
    Good(lambda n, m: SlopesKept()),
    Good(lambda n, m: KeptLoss(), target=lambda N, n: (N, n)),
    Good(lambda n, m: Places(), lambda N, n: (N, 3, n)),
    Good(lambda n, m: PlacesKept(), lambda N, n: (N, 3, n)),
    Good(lambda n, m: PassesOn()),
]
