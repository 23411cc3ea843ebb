"""GRU."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from torchlite.errors import StateError
from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import sigmoid
from torchlite.nn import checks, table_checks
from torchlite.nn.module import Module
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._linked import Linked
from torchlite.nn.simple.linear import Linear

__all__ = ["GRU"]


class GRU(Linked):
    """A gated recurrent unit of Linear layers, called once a step.

    Maths
    -----
    Of the first step and p = 0; later h is what the step before left, and gradNext what the step
    after wants of it, beside gradOutput::

        i2g, o2g, i2k, o2k = modules
        h = np.zeros((*input.shape[:-1], outputSize))
        ru = 1 / (1 + np.exp(-(input @ i2g.weight.T + i2g.bias + h @ o2g.weight.T)))
        r, u = np.split(ru, 2, -1)
        k = np.tanh(input @ i2k.weight.T + i2k.bias + (r * h) @ o2k.weight.T)
        output = (1 - u) * k + u * h

        gradNext = np.zeros_like(output)
        dh = gradOutput + gradNext
        dk = dh * (1 - u) * (1 - k**2)
        q = dk @ o2k.weight
        d_ru = np.concatenate([q * h * r * (1 - r), dh * (h - k) * u * (1 - u)], -1)
        gradInput = d_ru @ i2g.weight + dk @ i2k.weight
        gradBefore = dh * u + d_ru @ o2g.weight + q * r

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.
    rho
        Taken for torch/rnn's sake, which does not use it: `maxBPTTstep(rho)`.
    p
        The probability to leave out an entry of what each of six maps is given, in training: the
        same entries at all steps of a sequence. With p = 0 there are four.
    mono
        Whether all samples of a batch leave out the same entries.

    Attributes
    ----------
    modules
        Linear layers, those of h without bias. With p = 0: input to r and u, h to r and u, input to
        k, r * h to k. Otherwise: input to r, input to u, h to r, h to u, input to k, r * h to k.
    noise
        The factors of what each map is given, drawn in this order at the first step of a sequence.
    steps
        The steps that a backward can go back through: of each `input`, [h] `before` and `after`,
        and `gates`, a dict of r, u, k and noise.

    Conventions
    -----------
    A hidden state is h. The reset gate acts before the product with h, as in RecGRU, whose maths
    are the same.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or has another batch than the step before.
    SettingError
        p is less than 0, or not less than 1.
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.GRU(1, 1)
    >>> for parameter in net.parameters()[0]:
    ...     parameter[:] = 0
    >>> net.modules[2].bias[:] = np.arctanh(0.5)
    >>> x = np.array([7.0])
    >>> [net.forward(x).item() for step in range(3)]
    [0.25, 0.375, 0.4375]

    Reference
    ---------
    torch/rnn, GRU.lua. Cho and others, Learning phrase representations using RNN encoder-decoder,
    2014. Gal, A theoretically grounded application of dropout in recurrent neural networks, 2015.
    """

    _validates = True

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        rho: Any = None,
        p: float = 0,
        mono: bool = False,
    ) -> None:
        super().__init__(inputSize, outputSize, p, mono)

    def _made(self) -> Sequence[Module]:
        n, m = self.inputSize, self.outputSize
        gates = [m, m] if self.p else [2 * m]
        return [
            *(Linear(n, size) for size in gates),
            *(self._without_bias(m, size) for size in gates),
            Linear(n, m),
            self._without_bias(m, m),
        ]

    def _numbers(self) -> tuple[Sequence[int], ...]:
        """Return the numbers of the maps: x to r and u, h to r and u, x to k, r * h to k."""
        n = len(self.modules) // 2 - 1
        return range(n), range(n, 2 * n), [2 * n], [2 * n + 1]

    def _take(self, input: Array, before: list[Any]) -> Step:
        (h,), noise = before, self._noise_for(input)
        x_ru, h_ru, x_k, h_k = self._numbers()
        ru = sigmoid(self._map(noise, x_ru, input) + self._map(noise, h_ru, h))
        r, u = np.split(ru, 2, -1)
        k = np.tanh(self._map(noise, x_k, input) + self._map(noise, h_k, r * h))
        gates = {"r": r, "u": u, "k": k, "noise": noise}
        return Step(input, before, gates, [(1 - u) * k + u * h])

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Array:
        r, u, k, noise = step.gates.values()
        (h,), (dh,) = step.before, gradAfter
        x_ru, h_ru, x_k, h_k = self._numbers()
        dk = dh * (1 - u) * (1 - k * k)
        q = self._map_back(noise, h_k, dk)
        d_ru = np.concatenate([q * h * r * (1 - r), dh * (h - k) * u * (1 - u)], -1)
        step.gradAfter, step.gradGates = gradAfter, {"ru": d_ru, "k": dk}
        step.gradBefore = [dh * u + self._map_back(noise, h_ru, d_ru) + q * r]
        return self._map_back(noise, x_ru, d_ru) + self._map_back(noise, x_k, dk)

    def _increments(self, step: Step) -> list[tuple[Array, Array]]:
        r, _, _, noise = step.gates.values()
        x, (h,), (d_ru, dk) = step.input, step.before, step.gradGates.values()
        x_ru, h_ru, x_k, h_k = self._numbers()
        return [
            *self._sums(noise, x_ru, x, d_ru),
            *self._sums(noise, h_ru, h, d_ru),
            *self._sums(noise, x_k, x, dk),
            *self._sums(noise, h_k, r * h, dk),
        ]

    def migrate(self, params: Sequence[Array]) -> Self:
        """Copy the six parameters of a GRU with p = 0 into the nine of one with dropout."""
        n, own = self.outputSize, self.parameters()[0]
        if not self.p:
            raise StateError(
                f"{checks.title(self)}.migrate: it leaves out nothing, and has six parameters",
                layer=self,
                method="migrate",
                hint="nn.GRU(inputSize, outputSize, None, p) has nine",
            )
        table_checks.must_be_arrays(self, "migrate", "params", params, 6)
        weight, bias, of_h, *of_k = params
        parts = [weight[:n], bias[:n], weight[n:], bias[n:], of_h[:n], of_h[n:], *of_k]
        if [part.shape for part in parts] != [parameter.shape for parameter in own]:
            expected = "the parameters of a GRU of these sizes"
            raise checks.misshapen(self, "migrate", "params", expected, params)
        for parameter, values in zip(own, parts, strict=True):
            parameter[...] = values
        return self
