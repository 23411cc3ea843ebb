"""The maths of a gated step, once: for a step alone, step by step, and for whole sequences.

A cell is functions of arrays. x is (N, D), the rows of input; a state is a list of what a step
hands to the next: [h, c] of an LSTM, [h] of a GRU, with h (N, R) and c (N, H). Of the rows of its
weight the first D meet x and the others h. What the gates' functions are given is called a; gates
is what they make of it, block by block side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, ClassVar

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import product
from torchlite.kernels.functions import sigmoid
from torchlite.kernels.masks import zeroed
from torchlite.kernels.sums import sum_rows

__all__ = ["Cell", "GRUCell", "LSTMCell", "Step", "add_all", "without"]


@dataclass(slots=True)
class Step:
    """What a step was given and what it made of it, there to be looked at.

    Attributes
    ----------
    input
        x.
    before, after
        The state that the step began with, and the one that it left behind: lists of arrays.
    gates
        The gates, block by block side by side: i, f, o, z of an LSTM, r, u, k of a GRU.
    mask
        The rows that were masked, as booleans; None without a mask.
    gradAfter, gradBefore
        After `updateGradInput`: the gradients of the two states.
    gradGates
        After `updateGradInput`: the gradient of what the gates' functions were given.
    given, gradOutput, gradInput
        Of a module that is called once a step: what it was given, in a forward and in a backward,
        and what the latter returned. A masked input has zeros in the masked rows of x.
    reward
        What layers that drew in this step are told in its backward, where steps are rewarded apart.
    """

    input: Any
    before: list[Any]
    gates: Any
    after: list[Any]
    mask: Any = None
    gradAfter: Any = None
    gradBefore: Any = None
    gradGates: Any = None
    given: Any = None
    gradOutput: Any = None
    gradInput: Any = None
    reward: Any = None


def without(array: Any, mask: Any) -> Any:
    """Return the array with zeros in the rows that are masked, whatever stands there.

    Shapes: array (N, M), mask (N,) of booleans or None.
    """
    return array if mask is None else zeroed(array, mask)


def add_all(made: Sequence[tuple[Array, Array]], scale: Number) -> None:
    """Add scale times each increment to its array: all are made, so what fails changed nothing."""
    if scale != 1:
        made = [(target, scale * increment) for target, increment in made]
    for target, increment in made:
        target += increment


class Cell:
    """What the two cells have in common: all but their formulas.

    Parameters
    ----------
    weight
        (D + R, G), of G columns of gates.
    bias
        (G,).
    weightO
        (H, R): what makes h of what the gates let out of c; None without projection.
    """

    # How many blocks of columns there are, and how many arrays a state has.
    blocks: ClassVar[int]
    states: ClassVar[int]

    def __init__(self, weight: Array, bias: Array, weightO: Any = None) -> None:
        self.weight = weight
        self.bias = bias
        self.weightO = weightO
        self.hiddensize: int = bias.shape[0] // self.blocks
        self.outputsize: int = self.hiddensize if weightO is None else weightO.shape[1]
        self.inputsize: int = weight.shape[0] - self.outputsize
        self.ofInput, self.ofHidden = weight[: self.inputsize], weight[self.inputsize :]
        # The way back goes through the transpose: a sequence copies it once.
        self.ofHiddenBack = self.ofHidden.T

    @property
    def sizes(self) -> list[int]:
        """How wide the arrays of a state are."""
        return [self.outputsize, self.hiddensize][: self.states]

    def zeros(self, rows: int, like: Array) -> list[Array]:
        """Return the state from which a sequence of so many rows starts."""
        return [np.zeros_like(like, shape=(rows, size)) for size in self.sizes]

    def products(self, x: Array) -> Array:
        """Return what the input adds to a, and the bias. The rows may be those of many steps."""
        a = product(x, self.ofInput)
        a += self.bias
        return a

    def forward(self, a: Array, before: Sequence[Array]) -> tuple[Array, list[Array]]:
        """Return the gates and the next state. Here a is what the input has added so far."""
        raise NotImplementedError

    def back(
        self,
        gates: Array,
        before: Sequence[Array],
        after: Sequence[Array],
        gradAfter: Sequence[Array],
    ) -> tuple[Array, list[Array]]:
        """Return the gradient of a, and that of the state before."""
        raise NotImplementedError

    def gradInput(self, gradGates: Array) -> Array:
        """Return the gradient of the input. The rows may be those of many steps."""
        return product(gradGates, self.ofInput.T)

    def accumulate_rows(
        self,
        gradients: Sequence[Any],
        scale: Number,
        x: Array,
        gates: Array,
        h: Array,
        last: Array,
        gradGates: Array,
        gradHidden: Any,
    ) -> None:
        """Add the gradients of weight, bias and weightO, each by one product over all rows.

        The rows may be those of many steps: x, gates, h of the state before, the last array of the
        state after, gradient of a, gradient of h of the state after.
        """
        gradWeight, gradBias, gradWeightO = gradients
        D = self.inputsize
        made = [
            (gradWeight[:D], product(x.T, gradGates)),
            (gradBias, sum_rows(gradGates)),
            *self._recurrent(gradWeight[D:], gates, h, gradGates),
        ]
        if self.weightO is not None:
            made.append((gradWeightO, product(self._let_out(gates, last).T, gradHidden)))
        add_all(made, scale)

    def _recurrent(
        self, gradient: Array, gates: Array, h: Array, gradGates: Array
    ) -> list[tuple[Array, Array]]:
        """Return what is to be added where in the gradient of the rows of weight that meet h."""
        raise NotImplementedError

    def _let_out(self, gates: Array, last: Array) -> Array:
        """Return what is projected: what the gates let out of the last array of the state."""
        raise NotImplementedError

    # ---------------------------------------------------------------- one step

    def step(self, x: Array, before: Sequence[Array], mask: Any = None) -> Step:
        """Take one step. A masked row counts nowhere: it makes zeros, and so the state anew."""
        x, *before = (without(array, mask) for array in (x, *before))
        gates, after = self.forward(self.products(x), before)
        return Step(x, before, gates, [without(array, mask) for array in after], mask)

    def step_back(self, step: Step, gradAfter: Sequence[Array]) -> Step:
        """Return a step with its gradients, given that of the state after it."""
        gradAfter = [without(array, step.mask) for array in gradAfter]
        gradGates, gradBefore = self.back(step.gates, step.before, step.after, gradAfter)
        return replace(step, gradAfter=gradAfter, gradBefore=gradBefore, gradGates=gradGates)

    def accumulate(self, gradients: Sequence[Any], scale: Number, steps: Sequence[Step]) -> None:
        """Add the gradients of weight, bias and weightO (None without) of steps gone back."""

        def rows(arrays: list[Any]) -> Any:
            return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

        self.accumulate_rows(
            gradients,
            scale,
            rows([step.input for step in steps]),
            rows([step.gates for step in steps]),
            rows([step.before[0] for step in steps]),
            rows([step.after[-1] for step in steps]),
            rows([step.gradGates for step in steps]),
            rows([step.gradAfter[0] for step in steps]),
        )

    def _blocks(self, a: Array, *sizes: int) -> list[Array]:
        """Return blocks of columns side by side, of so many blocks each."""
        ends = [n * self.hiddensize for n in accumulate((0, *sizes))]
        return [a[:, start:end] for start, end in pairwise(ends)]


class LSTMCell(Cell):
    """A long short-term memory, with a projection where there is a weightO, without peepholes.

    The columns of the weight: input gate i, forget gate f, output gate o, candidate z.
    """

    blocks = 4
    states = 2

    def forward(self, a: Array, before: Sequence[Array]) -> tuple[Array, list[Array]]:
        h, c = before
        gates = a + product(h, self.ofHidden)
        ifo, z = self._blocks(gates, 3, 1)
        ifo[...] = sigmoid(ifo)
        z[...] = np.tanh(z)
        i, f, _, _ = self._blocks(gates, 1, 1, 1, 1)
        c = f * c + i * z
        u = self._let_out(gates, c)
        return gates, [u if self.weightO is None else product(u, self.weightO), c]

    def back(
        self,
        gates: Array,
        before: Sequence[Array],
        after: Sequence[Array],
        gradAfter: Sequence[Array],
    ) -> tuple[Array, list[Array]]:
        dh, dc = gradAfter
        i, f, o, z = self._blocks(gates, 1, 1, 1, 1)
        t = np.tanh(after[1])
        du = dh if self.weightO is None else product(dh, self.weightO.T)
        dc = dc + du * o * (1 - t * t)
        di, df = dc * z * i * (1 - i), dc * before[1] * f * (1 - f)
        do, dz = du * t * o * (1 - o), dc * i * (1 - z * z)
        gradGates = np.concatenate([di, df, do, dz], axis=1)
        return gradGates, [product(gradGates, self.ofHiddenBack), dc * f]

    def _let_out(self, gates: Array, last: Array) -> Array:
        o: Array = gates[:, 2 * self.hiddensize : 3 * self.hiddensize]
        return o * np.tanh(last)

    def _recurrent(
        self, gradient: Array, gates: Array, h: Array, gradGates: Array
    ) -> list[tuple[Array, Array]]:
        return [(gradient, product(h.T, gradGates))]


class GRUCell(Cell):
    """A gated recurrent unit whose reset gate acts before the recurrent product.

    The columns of the weight: reset gate r, update gate u, candidate k.
    """

    blocks = 3
    states = 1

    def forward(self, a: Array, before: Sequence[Array]) -> tuple[Array, list[Array]]:
        (h,) = before
        of_ru, of_k = self._blocks(self.ofHidden, 2, 1)
        a_ru, a_k = self._blocks(a, 2, 1)
        ru = sigmoid(a_ru + product(h, of_ru))
        r, u = self._blocks(ru, 1, 1)
        k = np.tanh(a_k + product(r * h, of_k))
        return np.concatenate([ru, k], axis=1), [(1 - u) * k + u * h]

    def back(
        self,
        gates: Array,
        before: Sequence[Array],
        after: Sequence[Array],
        gradAfter: Sequence[Array],
    ) -> tuple[Array, list[Array]]:
        (h,), (dh,) = before, gradAfter
        r, u, k = self._blocks(gates, 1, 1, 1)
        end = 2 * self.hiddensize
        dk = dh * (1 - u) * (1 - k * k)
        # The gradient of r * h.
        q = product(dk, self.ofHiddenBack[end:])
        dr, du = q * h * r * (1 - r), dh * (h - k) * u * (1 - u)
        gradGates = np.concatenate([dr, du, dk], axis=1)
        through_ru = product(gradGates[:, :end], self.ofHiddenBack[:end])
        return gradGates, [dh * u + through_ru + q * r]

    def _recurrent(
        self, gradient: Array, gates: Array, h: Array, gradGates: Array
    ) -> list[tuple[Array, Array]]:
        of_ru, of_k = self._blocks(gradient, 2, 1)
        d_ru, dk = self._blocks(gradGates, 2, 1)
        (r,) = self._blocks(gates, 1)
        return [(of_ru, product(h.T, d_ru)), (of_k, product((r * h).T, dk))]
