"""LSTM."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_rows
from torchlite.nn.containers.parallel_table import ParallelTable
from torchlite.nn.module import Module
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._long_memory import LongMemory
from torchlite.nn.simple.c_mul import CMul
from torchlite.nn.simple.linear import Linear

__all__ = ["LSTM"]


class LSTM(LongMemory):
    """A long short-term memory whose gates see the cell through peepholes, called once a step.

    Maths
    -----
    Of the first step and p = 0; later h and c are what the step before left, and gradNext what the
    step after wants of them, beside gradOutput. Each gate has a map of the input, one of h and,
    with cell2gate, a vector p, the weight of its peephole::

        h = c = np.zeros((*input.shape[:-1], outputSize))
        f, i, z, o = [
            input @ gate.modules[0].weight.T + gate.modules[0].bias + h @ gate.modules[1].weight.T
            for gate in modules
        ]
        pf, pi, po = [modules[k].modules[2].weight if cell2gate else 0 for k in (0, 1, 3)]
        f, i = 1 / (1 + np.exp(-f - pf * c)), 1 / (1 + np.exp(-i - pi * c))
        z = np.tanh(z)
        c1 = f * c + i * z
        o = 1 / (1 + np.exp(-o - po * c1))
        output = o * np.tanh(c1)

        gradNext = [np.zeros_like(output), np.zeros_like(c1)]
        dh = gradOutput + gradNext[0]
        do = dh * np.tanh(c1) * o * (1 - o)
        dc = gradNext[1] + dh * o * (1 - np.tanh(c1) ** 2) + po * do
        df, di, dz = dc * c * f * (1 - f), dc * z * i * (1 - i), dc * i * (1 - z**2)
        pairs = list(zip((df, di, dz, do), modules))
        gradInput = sum(da @ gate.modules[0].weight for da, gate in pairs)
        gradBefore = [
            sum(da @ gate.modules[1].weight for da, gate in pairs),
            dc * f + pf * df + pi * di,
        ]

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0; outputSize None: inputSize.
    rho
        Taken for torch/rnn's sake, which does not use it: `maxBPTTstep(rho)`.
    cell2gate
        False leaves out the peepholes.
    p
        The probability to leave out an entry of what each of the eight maps is given, in training:
        the same entries at all steps of a sequence.
    mono
        Whether all samples of a batch leave out the same entries.

    Attributes
    ----------
    forgetGate, inputGate, hiddenLayer, outputGate
        The `modules`: of each a table of Linear, Linear without bias and, of the three gates, CMul.
    noise
        The factors of what each map is given, of the input and of h, gate by gate in this order,
        drawn at the first step of a sequence.
    steps
        The steps that a backward can go back through: of each `input`, [h, c] `before` and `after`,
        and `gates`, a dict of f, i, z, o and noise.

    Conventions
    -----------
    A hidden state is [h, c]. The gates f and i see c as it was, o as it has become. Parameters are
    drawn gate by gate: input, forget, hidden, output.

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
    >>> net = nn.LSTM(1, 1)
    >>> for parameter in net.parameters()[0]:
    ...     parameter[:] = 0
    >>> net.hiddenLayer[0].bias[:] = np.arctanh(0.5)
    >>> h = [net.forward(np.array([7.0])) for step in range(3)]
    >>> [step.after[1].item() for step in net.steps]
    [0.25, 0.375, 0.4375]

    Reference
    ---------
    torch/rnn, LSTM.lua. Graves, Mohamed and Hinton, Speech recognition with deep recurrent neural
    networks, 2013.
    """

    _validates = True

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: Any = None,
        cell2gate: bool = True,
        p: float = 0,
        mono: bool = False,
    ) -> None:
        self.cell2gate = bool(cell2gate)
        super().__init__(inputSize, inputSize if outputSize is None else outputSize, p, mono)

    def _made(self) -> Sequence[Module]:
        inputGate, forgetGate, hiddenLayer, outputGate = map(self._gate, (True, True, False, True))
        return [forgetGate, inputGate, hiddenLayer, outputGate]

    def _gate(self, sees_cell: bool) -> Module:
        n, m = self.inputSize, self.outputSize
        gate = ParallelTable(Linear(n, m), self._without_bias(m, m))
        return gate.add(CMul(m)) if sees_cell and self.cell2gate else gate

    @property
    def forgetGate(self) -> Module:
        """What forgets."""
        return self.modules[0]

    @property
    def inputGate(self) -> Module:
        """What lets in."""
        return self.modules[1]

    @property
    def hiddenLayer(self) -> Module:
        """The candidate."""
        return self.modules[2]

    @property
    def outputGate(self) -> Module:
        """What lets out."""
        return self.modules[3]

    @property
    def _peepholes(self) -> Any:
        if not self.cell2gate:
            return super()._peepholes
        return [self.modules[k].modules[2].weight for k in (0, 1, 3)]

    def _links(self) -> Sequence[Linear]:
        return [link for gate in self.modules for link in gate.modules[:2]]

    def _given_to_gates(self, noise: Any, x: Array, h: Array) -> Sequence[Array]:
        return [self._map(noise, [k], x) + self._map(noise, [k + 1], h) for k in (0, 2, 4, 6)]

    def _given_back(self, noise: Any, gradients: Sequence[Array]) -> tuple[Array, Array]:
        da = np.concatenate(gradients, -1)
        return self._map_back(noise, [0, 2, 4, 6], da), self._map_back(noise, [1, 3, 5, 7], da)

    def _increments(self, step: Step) -> list[tuple[Array, Array]]:
        df, di, dz, do = step.gradGates.values()
        da, noise = np.concatenate([df, di, dz, do], -1), step.gates["noise"]
        (h, c), c1 = step.before, step.after[1]
        seen = [(0, df * c), (1, di * c), (3, do * c1)] if self.cell2gate else []
        return [
            *self._sums(noise, [0, 2, 4, 6], step.input, da),
            *self._sums(noise, [1, 3, 5, 7], h, da),
            *((self.modules[k].modules[2].gradWeight, _sum(rows)) for k, rows in seen),
        ]


def _sum(rows: Array) -> Array:
    """Return the sum of rows, or the one that there is."""
    return sum_rows(rows) if rows.ndim > 1 else rows
