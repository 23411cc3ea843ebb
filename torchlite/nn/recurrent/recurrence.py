"""Recurrence."""

from typing import Any

from torchlite.errors import StateError
from torchlite.kernels.arrays import Number
from torchlite.nn import checks
from torchlite.nn.entries import first_array
from torchlite.nn.module import Module
from torchlite.nn.nested import shapes
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._recurrent import WrappingOne

__all__ = ["Recurrence"]


class Recurrence(WrappingOne):
    """A module that is given its own last output beside the input.

    Maths
    -----
    Of the first step of arrays; later h is the output of the step before, and gradNext the gradH of
    the step after::

        h = np.zeros((*input.shape[: input.ndim - nInputDim], *outputSize))
        output = modules[0].updateOutput([input, h])
        gradNext = np.zeros_like(output)
        gradInput, gradH = modules[0].updateGradInput([input, h], gradOutput + gradNext)

    Shapes
    ------
    input: an array, or a table of them, the first of which has nInputDim dimensions for one sample,
    one more for a batch; output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    module
        It takes [input, h], and returns what is like h.
    outputSize
        The size of a sample of h: an integer, a tuple of integers, or, where h is a table of
        arrays, a list of these.
    nInputDim
        How many dimensions the (first) array of a sample of input has.
    rho
        So many steps before the last one are kept in training: `maxBPTTstep(rho)`.

    Attributes
    ----------
    steps
        The steps that a backward can go back through: of each `input`, h (`before[0]`), output
        (`after[0]`) and, as `gates`, pairs of a part of the module and what the call left there.

    Conventions
    -----------
    There are no copies of the module: what it must remember of a step is put back when a backward
    comes to the step. A hidden state is h. What is recurrent in the module goes on from states of
    its own.

    Raises
    ------
    ShapeError, DTypeError
        input has other dimensions, or another batch than the step before; the module returns
        something else than h.
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Recurrence(nn.Sequential(nn.CAddTable(), nn.MulConstant(2)), 1, 1)
    >>> x = np.array([1.0])
    >>> net.forward(x), net.forward(x), net.forward(x)
    (array([2.]), array([6.]), array([14.]))
    >>> net.backward(x, np.ones(1)), net.backward(x, np.zeros(1)), net.backward(x, np.zeros(1))
    (array([2.]), array([4.]), array([8.]))

    Reference
    ---------
    torch/rnn and Element-Research/rnn, Recurrence.lua.
    """

    _validates = True

    def __init__(
        self, module: Module, outputSize: Any, nInputDim: int, rho: int | None = None
    ) -> None:
        self._hold(module)
        self.outputSize = _size(self, outputSize)
        self.nInputDim = checks.size(self, "nInputDim", nInputDim)
        if rho is not None:
            self.maxBPTTstep(rho)

    @property
    def _sizes(self) -> list[Any]:
        return [self.outputSize]

    def _batch_of(self, input: Any) -> tuple[int, ...]:
        first = first_array(input)
        checks.must_be_movable(self, "updateOutput", "input", first)
        n = self.nInputDim
        if not n <= first.ndim <= n + 1:
            expected = f"{n}-D, or {n + 1}-D for a batch"
            hint = self._over_steps(first) if n == 1 else None
            raise checks.misshapen(self, "updateOutput", "input", expected, input, hint)
        return tuple(first.shape[: first.ndim - n])

    def _take(self, input: Any, before: list[Any]) -> Step:
        output, left = self._call([input, before[0]])
        if shapes(output) != shapes(before[0]):
            raise checks.misshapen(
                self.modules[0], "updateOutput", "output", f"{shapes(before[0])} like h", output
            )
        return Step(input, before, left, [output])

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Any:
        step.gradAfter = gradAfter
        input = [step.input, step.before[0]]
        gradInput = self._call_back(step, input, gradAfter[0])
        if gradInput is None:
            raise StateError(
                f"{checks.title(self)}.updateGradInput: the module has no gradInput, but the step "
                "before needs that of h",
                layer=self,
                method="updateGradInput",
                argument="gradInput",
                hint="gradInput = None is for modules whose input nobody needs a gradient of",
            )
        step.gradBefore = [gradInput[1]]
        return gradInput[0]

    def _accumulate(self, step: Step, scale: Number) -> None:
        self._call_to_sum(step, [step.input, step.before[0]], step.gradAfter[0], scale)


def _size(layer: Any, size: Any) -> Any:
    """Return the size of a state: a tuple of integers, or a list of sizes."""
    entries = list(size) if isinstance(size, (list, tuple)) else [size]
    if any(isinstance(entry, (list, tuple)) for entry in entries):
        return [_size(layer, entry) for entry in entries]
    return tuple(checks.size(layer, "outputSize", entry) for entry in entries)
