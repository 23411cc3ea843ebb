"""What the long short-term memories have in common that are made of Linear layers."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import sigmoid
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._linked import Linked


class LongMemory(Linked):
    """A long short-term memory: a member says what its gates are given, and how that goes back.

    A hidden state is [h, c].
    """

    _validates = True
    _states: ClassVar[int] = 2
    # What of c the gates f, i and o see: vectors, or nothing.
    _peepholes: Any = (0, 0, 0)

    def _given_to_gates(self, noise: Any, x: Array, h: Array) -> Sequence[Array]:
        """Return what f, i, z and o are given, without the peepholes."""
        raise NotImplementedError

    def _given_back(self, noise: Any, gradients: Sequence[Array]) -> tuple[Array, Array]:
        """Return the gradients of x and h from those of what f, i, z and o were given."""
        raise NotImplementedError

    def _take(self, input: Array, before: list[Any]) -> Step:
        (h, c), noise = before, self._noise_for(input)
        pf, pi, po = self._peepholes
        f, i, z, o = self._given_to_gates(noise, input, h)
        f, i, z = sigmoid(f + pf * c), sigmoid(i + pi * c), np.tanh(z)
        c = f * c + i * z
        o = sigmoid(o + po * c)
        gates = {"f": f, "i": i, "z": z, "o": o, "noise": noise}
        return Step(input, before, gates, [o * np.tanh(c), c])

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Array:
        f, i, z, o, noise = step.gates.values()
        pf, pi, po = self._peepholes
        (_, c), (dh, dc), t = step.before, gradAfter, np.tanh(step.after[1])
        do = dh * t * o * (1 - o)
        dc = dc + dh * o * (1 - t * t) + po * do
        df, di, dz = dc * c * f * (1 - f), dc * z * i * (1 - i), dc * i * (1 - z * z)
        step.gradAfter, step.gradGates = gradAfter, {"f": df, "i": di, "z": dz, "o": do}
        gradInput, gradH = self._given_back(noise, [df, di, dz, do])
        step.gradBefore = [gradH, dc * f + pf * df + pi * di]
        return gradInput
