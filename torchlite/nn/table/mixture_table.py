"""MixtureTable."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array, Table
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks, table_checks
from torchlite.nn.checks import whole
from torchlite.nn.dims import position
from torchlite.nn.entries import at, total
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array

__all__ = ["MixtureTable"]


class MixtureTable(Module):
    """A sum of experts, each weighted by its gate.

    Maths
    -----
    Of a batch, each gate times all numbers that its expert has for the sample::

        gates, experts = input
        table, axis = isinstance(experts, list), dim or 1
        each = experts if table else np.moveaxis(experts, axis, 0)
        output = sum((gate * expert.T).T for gate, expert in zip(gates.T, each))
        products = [(gradOutput * expert).reshape(len(gates), -1) for expert in each]
        by_gates = np.stack([product.sum(1) for product in products], 1)
        by_experts = [(gate * gradOutput.T).T for gate in gates.T]
        gradInput = [by_gates, by_experts if table else np.stack(by_experts, axis)]

    Shapes
    ------
    input: a table of gates, (n,) or (N, n), and n experts, which are a table of n arrays of one
    shape (N first, for a batch), or one array with the experts along `dim`; output: the shape of
    one expert.

    Parameters
    ----------
    dim
        Where the experts lie in the array of all, counted from 0 or from the end if negative.
        None: first of all for one sample, after the batch's dimension for a batch.

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.MixtureTable()
    >>> gates = np.array([0.25, 0.75])
    >>> x = [gates, [np.array([4.0, 8.0]), np.array([8.0, 0.0])]]
    >>> layer.forward(x)
    array([7., 2.])
    >>> layer.backward(x, np.array([1.0, 1.0]))
    [array([12.,  8.]), [array([0.25, 0.25]), array([0.75, 0.75])]]
    >>> layer.forward([gates, np.array([[4.0, 8.0], [8.0, 0.0]])])
    array([7., 2.])

    Reference
    ---------
    Torch7, nn/MixtureTable.lua.
    """

    def __init__(self, dim: int | None = None) -> None:
        self.dim = None if dim is None else whole(self, "dim", dim)

    def updateOutput(self, input: Table) -> Array:
        gates, experts, _ = self._opened("updateOutput", input)
        self.output = total([_gate(gates, i, expert) * expert for i, expert in enumerate(experts)])
        return self.output

    def updateGradInput(self, input: Table, gradOutput: Array) -> list[Any]:
        gates, experts, axis = self._opened("updateGradInput", input)
        first = experts[0]
        table_checks.must_be_like(
            self, "updateGradInput", "gradOutput", gradOutput, first.shape, first.dtype
        )
        sample = tuple(range(gates.ndim - 1, first.ndim))
        by_gates = np.stack([sum_along(gradOutput * expert, sample) for expert in experts], -1)
        by_experts: Any = [_gate(gates, i, first) * gradOutput for i in range(len(experts))]
        if axis is not None:
            by_experts = np.stack(by_experts, axis)
        self.gradInput = [by_gates, by_experts]
        return self.gradInput

    def _opened(self, method: str, input: Table) -> tuple[Any, list[Any], int | None]:
        """Return the gates, the experts one by one, and their axis if they came in one array."""
        table_checks.must_be_table(self, method, "input", input, 2)
        gates, experts = input
        checks.must_be_floating(self, method, "input[0]", gates)
        if gates.ndim > 2:
            raise checks.misshapen(self, method, "input[0]", "(n,) or (N, n)", gates)
        axis = None
        if is_array(experts):
            axis = position(self, method, experts, gates.ndim - 1 if self.dim is None else self.dim)
            experts = [at(experts, axis, i) for i in range(experts.shape[axis])]
        table_checks.must_be_alike(self, method, "input[1]", experts)
        *samples, n = gates.shape
        if len(experts) != n or experts[0].shape[: len(samples)] != (*samples,):
            expected = f"{n} experts" + (f" of {samples[0]} samples" if samples else "")
            raise checks.misshapen(self, method, "input[1]", expected, input[1])
        return gates, experts, axis


def _gate(gates: Array, i: int, expert: Array) -> Array:
    """Return the gate of expert i, of one number a sample, to multiply it with."""
    lead = gates.shape[:-1]
    return gates[..., i].reshape(lead + (1,) * (expert.ndim - len(lead)))
