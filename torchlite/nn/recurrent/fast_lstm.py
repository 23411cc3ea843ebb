"""FastLSTM."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.module import Module
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._long_memory import LongMemory
from torchlite.nn.simple.linear import Linear

__all__ = ["FastLSTM"]


class FastLSTM(LongMemory):
    """A long short-term memory without peepholes, of two Linear layers, called once a step.

    Maths
    -----
    Of the first step and p = 0; later h and c are what the step before left, and gradNext what the
    step after wants of them, beside gradOutput::

        i2g, o2g = modules
        h = c = np.zeros((*input.shape[:-1], outputSize))
        i, z, f, o = np.split(input @ i2g.weight.T + i2g.bias + h @ o2g.weight.T, 4, -1)
        i, f, o = [1 / (1 + np.exp(-a)) for a in (i, f, o)]
        z = np.tanh(z)
        c1 = f * c + i * z
        output = o * np.tanh(c1)

        gradNext = [np.zeros_like(output), np.zeros_like(c1)]
        dh = gradOutput + gradNext[0]
        dc = gradNext[1] + dh * o * (1 - np.tanh(c1) ** 2)
        di, dz = dc * z * i * (1 - i), dc * i * (1 - z**2)
        df, do = dc * c * f * (1 - f), dh * np.tanh(c1) * o * (1 - o)
        da = np.concatenate([di, dz, df, do], -1)
        gradInput = da @ i2g.weight
        gradBefore = [da @ o2g.weight, dc * f]

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0; outputSize None: inputSize.
    rho
        Taken for torch/rnn's sake, which does not use it: `maxBPTTstep(rho)`.
    eps, momentum, affine
        Taken for torch/rnn's sake, whose class has a flag bn for batch normalization. There is none
        here.
    p
        The probability to leave out an entry of what each of eight maps is given, in training: the
        same entries at all steps of a sequence. With p = 0 there are two maps.
    mono
        Whether all samples of a batch leave out the same entries.

    Attributes
    ----------
    modules
        Linear layers, those of h without bias. With p = 0: input to i, z, f and o; h to these, side
        by side in that order. Otherwise: input to each of them, then h to each.
    i2g, o2g
        With p = 0, the two.
    noise
        The factors of what each map is given, drawn in this order at the first step of a sequence.
    steps
        The steps that a backward can go back through: of each `input`, [h, c] `before` and `after`,
        and `gates`, a dict of f, i, z, o and noise.

    Conventions
    -----------
    A hidden state is [h, c].

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
    >>> net = nn.FastLSTM(1, 1)
    >>> for parameter in net.parameters()[0]:
    ...     parameter[:] = 0
    >>> net.i2g.bias[1] = np.arctanh(0.5)
    >>> h = [net.forward(np.array([7.0])) for step in range(3)]
    >>> [step.after[1].item() for step in net.steps]
    [0.25, 0.375, 0.4375]

    Reference
    ---------
    torch/rnn, FastLSTM.lua, which loses p.
    """

    _validates = True

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: Any = None,
        eps: Any = None,
        momentum: Any = None,
        affine: Any = None,
        p: float = 0,
        mono: bool = False,
    ) -> None:
        super().__init__(inputSize, inputSize if outputSize is None else outputSize, p, mono)

    def _made(self) -> Sequence[Module]:
        n, m = self.inputSize, self.outputSize
        gates = [m] * 4 if self.p else [4 * m]
        return [
            *(Linear(n, size) for size in gates),
            *(self._without_bias(m, size) for size in gates),
        ]

    @property
    def i2g(self) -> Module:
        """The map of the input, where p = 0."""
        return self.modules[0]

    @property
    def o2g(self) -> Module:
        """The map of h, where p = 0."""
        return self.modules[1]

    def _numbers(self) -> tuple[Sequence[int], Sequence[int]]:
        """Return the numbers of the maps of x and of h."""
        n = len(self.modules) // 2
        return range(n), range(n, 2 * n)

    def _given_to_gates(self, noise: Any, x: Array, h: Array) -> Sequence[Array]:
        of_x, of_h = self._numbers()
        i, z, f, o = np.split(self._map(noise, of_x, x) + self._map(noise, of_h, h), 4, -1)
        return f, i, z, o

    def _given_back(self, noise: Any, gradients: Sequence[Array]) -> tuple[Array, Array]:
        of_x, of_h = self._numbers()
        f, i, z, o = gradients
        da = np.concatenate([i, z, f, o], -1)
        return self._map_back(noise, of_x, da), self._map_back(noise, of_h, da)

    def _increments(self, step: Step) -> list[tuple[Array, Array]]:
        of_x, of_h = self._numbers()
        f, i, z, o = step.gradGates.values()
        da, noise = np.concatenate([i, z, f, o], -1), step.gates["noise"]
        return [
            *self._sums(noise, of_x, step.input, da),
            *self._sums(noise, of_h, step.before[0], da),
        ]
