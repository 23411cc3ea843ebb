"""MuFuRu."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import absolute, sigmoid
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._linked import Linked
from torchlite.nn.simple.linear import Linear

__all__ = ["MuFuRu"]

# What may become of the state s and a new value v.
_OPS: dict[str, Callable[[Array, Array], Array]] = {
    "keep": lambda s, v: s,
    "replace": lambda s, v: v,
    "mul": lambda s, v: s * v,
    "diff": lambda s, v: s - v,
    "forget": lambda s, v: 0 * s,
    "sqrt_diff": lambda s, v: np.sqrt(absolute(s - v)) / 4,
    "max": lambda s, v: np.where(v.real > s.real, v, s),
    "min": lambda s, v: np.where(v.real < s.real, v, s),
}
# How a gradient g of what has become of them goes back to s and v.
_BACK: dict[str, Callable[[Array, Array, Array], tuple[Any, Any]]] = {
    "keep": lambda s, v, g: (g, 0),
    "replace": lambda s, v, g: (0, g),
    "mul": lambda s, v, g: (g * v, g * s),
    "diff": lambda s, v, g: (g, -g),
    "forget": lambda s, v, g: (0, 0),
    "sqrt_diff": lambda s, v, g: _of_root(s - v, g),
    "max": lambda s, v, g: _dealt(v.real > s.real, g),
    "min": lambda s, v, g: _dealt(v.real < s.real, g),
}


class MuFuRu(Linked):
    """A multi-function recurrent unit: gates choose what becomes of the state, called once a step.

    Maths
    -----
    Of the first step; later s is the output of the step before, and gradNext what the step after
    wants of it, beside gradOutput. v is the new value, P how much of each function goes into the
    output::

        of_x, of_s, to_v, to_p = modules
        s = np.zeros((len(input), outputSize))
        r = 1 / (1 + np.exp(-(input @ of_x.weight.T + of_x.bias + s @ of_s.weight.T + of_s.bias)))
        a = np.concatenate([input, r * s], -1) @ to_v.weight.T + to_v.bias
        v = 1 / (1 + np.exp(-a))
        b = np.concatenate([input, s], -1) @ to_p.weight.T + to_p.bias
        e = np.exp(b.reshape(len(input), len(ops), outputSize))
        P = e / e.sum(1, keepdims=True)
        made = {
            "keep": s, "replace": v, "mul": s * v, "diff": s - v, "forget": 0 * s,
            "sqrt_diff": abs(s - v) ** 0.5 / 4, "max": np.maximum(s, v), "min": np.minimum(s, v),
        }
        output = sum(P[:, k] * made[op] for k, op in enumerate(ops))

    Shapes
    ------
    input (N, inputSize); output (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.
    ops
        A list of the functions: "keep" s, "replace" by v, "mul", "diff", "forget", "sqrt_diff",
        "max" and "min"; None: all of them.
    rho
        Taken for torch/rnn's sake, which does not use it: `maxBPTTstep(rho)`.

    Attributes
    ----------
    ops
        The names of the functions.
    modules
        Linear layers: of the input and of s, to r; to v; to P, row k * outputSize + j being that of
        function k and entry j.
    steps
        The steps that a backward can go back through: of each `input`, [s] `before` and `after`,
        and `gates`, a dict of r, v and P, (N, len(ops), outputSize).

    Conventions
    -----------
    A hidden state is s. It takes batches only. Where s = v, max and min hand their gradient to s,
    and sqrt_diff none.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or has another batch than the step before.
    SettingError
        A function has another name, or there is none.
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.MuFuRu(1, 1, ["keep", "replace"])
    >>> for parameter in net.parameters()[0]:
    ...     parameter[:] = 0
    >>> net
    MuFuRu(1 -> 1) { keep replace }
    >>> x = np.array([[7.0]])
    >>> [net.forward(x).item() for step in range(3)]
    [0.25, 0.375, 0.4375]

    Reference
    ---------
    torch/rnn and Element-Research/rnn, MuFuRu.lua. Weissenborn and Rocktäschel, MuFuRU: the
    multi-function recurrent unit, 2016.
    """

    _validates = True

    def __init__(
        self, inputSize: int, outputSize: int, ops: Sequence[str] | None = None, rho: Any = None
    ) -> None:
        self.ops = list(_OPS if ops is None else ops)
        if not self.ops or not {*self.ops} <= {*_OPS}:
            expected = f"a list of some of {', '.join(map(repr, _OPS))}"
            raise checks.misbuilt(SettingError, self, "ops", expected, repr(ops))
        super().__init__(inputSize, outputSize)

    def _made(self) -> Sequence[Module]:
        n, m = self.inputSize, self.outputSize
        return [Linear(n, m), Linear(m, m), Linear(n + m, m), Linear(n + m, len(self.ops) * m)]

    def _batch_of(self, input: Any) -> tuple[int, ...]:
        batch = super()._batch_of(input)
        if not batch:
            hint = "a batch of one: input[None]"
            expected = f"(N, {self.inputSize})"
            raise checks.misshapen(self, "updateOutput", "input", expected, input, hint)
        return batch

    def _take(self, input: Array, before: list[Any]) -> Step:
        (s,) = before
        r = sigmoid(self._map((), [0], input) + self._map((), [1], s))
        v = sigmoid(self._map((), [2], np.concatenate([input, r * s], -1)))
        b = self._map((), [3], np.concatenate([input, s], -1))
        b = b.reshape(len(input), len(self.ops), self.outputSize)
        e = np.exp(b - b.real.max(1, keepdims=True))
        P = e / sum_along(e, 1, keepdims=True)
        output = sum(P[:, k] * _OPS[op](s, v) for k, op in enumerate(self.ops))
        return Step(input, before, {"r": r, "v": v, "P": P}, [output])

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Array:
        r, v, P = step.gates.values()
        (s,), (g,), n = step.before, gradAfter, self.inputSize
        gradP, ds, dv = [], 0, 0
        for k, op in enumerate(self.ops):
            by_s, by_v = _BACK[op](s, v, g * P[:, k])
            ds, dv = ds + by_s, dv + by_v
            gradP.append(g * _OPS[op](s, v))
        dP = np.stack(gradP, 1)
        db = (P * (dP - sum_along(P * dP, 1, keepdims=True))).reshape(
            len(s), len(self.ops) * self.outputSize
        )
        da = dv * v * (1 - v)
        back_a, back_b = self._map_back((), [2], da), self._map_back((), [3], db)
        d_rs = back_a[:, n:]
        dr = d_rs * s * r * (1 - r)
        step.gradAfter, step.gradGates = gradAfter, {"r": dr, "v": da, "P": db}
        step.gradBefore = [ds + d_rs * r + back_b[:, n:] + self._map_back((), [1], dr)]
        return back_a[:, :n] + back_b[:, :n] + self._map_back((), [0], dr)

    def _increments(self, step: Step) -> list[tuple[Array, Array]]:
        r, *_ = step.gates.values()
        (s,), x, (dr, da, db) = step.before, step.input, step.gradGates.values()
        return [
            *self._sums((), [0], x, dr),
            *self._sums((), [1], s, dr),
            *self._sums((), [2], np.concatenate([x, r * s], -1), da),
            *self._sums((), [3], np.concatenate([x, s], -1), db),
        ]

    def __repr__(self) -> str:
        return f"{super().__repr__()} {{ {' '.join(self.ops)} }}"


def _of_root(difference: Array, gradient: Array) -> tuple[Array, Array]:
    size = np.abs(difference)
    apart = size > 0
    inverse = np.where(apart, gradient / (8 * np.sqrt(np.where(apart, size, 1))), 0)
    by_s = np.sign(difference.real) * inverse
    return by_s, -by_s


def _dealt(to_v: Array, gradient: Array) -> tuple[Array, Array]:
    return gradient * ~to_v, gradient * to_v
