"""What the modules that are made of one gated cell have in common."""

import math
import operator
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.masks import blank_rows
from torchlite.nn import checks, table_checks
from torchlite.nn.initial import drawn
from torchlite.nn.module import Module
from torchlite.nn.nested import shapes
from torchlite.nn.recurrent._gates import Cell, GRUCell, LSTMCell, Step
from torchlite.nn.recurrent._masks import told
from torchlite.nn.stateful import restored

__all__ = ["Gated", "GatedStep", "OfGRU", "OfLSTM"]


class Gated(Module):
    """The parameters of a cell, and the mask that its rows may have.

    Attributes
    ----------
    weight, gradWeight
        (inputsize + outputsize, columns): the rows that meet the input, then those that meet h; a
        block of hiddensize columns for each gate.
    bias, gradBias
        (columns,).
    weightO, gradWeightO
        The projection, (hiddensize, outputsize); None without one.
    maskzero, v1
        Whether rows may be masked, and whether the mask is found: see `maskZero`.
    zeroMask
        The mask that was told last, as booleans; False: no row is masked.
    """

    _validates = True
    # What its maths are, of the parameters.
    _kind: ClassVar[type[Cell]]

    weightO: Any = None
    gradWeightO: Any = None
    maskzero: bool = False
    v1: bool = False
    zeroMask: Any = None

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int | None = None) -> None:
        inputsize = checks.size(self, "inputsize", inputsize)
        hiddensize = checks.size(self, "hiddensize", hiddensize)
        if outputsize is not None:
            outputsize = checks.size(self, "outputsize", outputsize)
            self.weightO = np.zeros((hiddensize, outputsize))
            self.gradWeightO = np.zeros((hiddensize, outputsize))
        rows = inputsize + (hiddensize if outputsize is None else outputsize)
        columns = self._kind.blocks * hiddensize
        self.weight: Array = np.zeros((rows, columns))
        self.gradWeight: Array = np.zeros((rows, columns))
        self.bias: Array = np.zeros(columns)
        self.gradBias: Array = np.zeros(columns)
        self.reset()

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        broken = {}
        if self.maskzero:
            broken["nan"] = "what is masked is zero, whatever stood there"
            broken["maths"] = "Maths is of rows that all count"
            if not self.v1:
                broken |= dict.fromkeys(("batch", "empty"), "the mask is of these rows")
        return broken

    def _cell(self) -> Cell:
        """Return the maths, of the parameters as they are now."""
        return self._kind(self.weight, self.bias, self.weightO)

    @property
    def inputsize(self) -> int:
        """How wide x is."""
        return self._cell().inputsize

    @property
    def hiddensize(self) -> int:
        """How many cells there are: how wide each gate is."""
        return self._cell().hiddensize

    @property
    def outputsize(self) -> int:
        """How wide h is."""
        return self._cell().outputsize

    @property
    def _multiply_adds(self) -> int:
        """How many multiply-adds its products take for a row of input, at one step."""
        return sum(array.size for array in (self.weight, self.weightO) if array is not None)

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """Return weight, bias and the projection, and their gradients."""
        parameters, gradients = [self.weight, self.bias], [self.gradWeight, self.gradBias]
        if self.weightO is not None:
            parameters.append(self.weightO)
            gradients.append(self.gradWeightO)
        return parameters, gradients

    def gradients(self) -> tuple[Array, Array, Any]:
        """Return the gradients as cells accumulate them: None without a projection."""
        return self.gradWeight, self.gradBias, self.gradWeightO

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight, then weightO; the bias is 0, that of the second gate 1. Return self.

        They are drawn from N(0, stdv); without stdv from N(0, 1 / sqrt(n)) with n = inputsize +
        hiddensize for the weight, hiddensize + outputsize for weightO.
        """
        cell = self._cell()
        wanted = None if stdv is None else checks.deviation(self, stdv)
        with restored(self.parameters()[0]):
            self.bias[...] = 0
            self.bias[cell.hiddensize : 2 * cell.hiddensize] = 1
            for parameter, size in (
                (self.weight, cell.inputsize),
                (self.weightO, cell.outputsize),
            ):
                if parameter is not None:
                    n = size + cell.hiddensize
                    deviation = 1 / math.sqrt(n or 1) if wanted is None else wanted
                    parameter[...] = drawn(random.normal, parameter, 0, deviation)
        return self

    # ---------------------------------------------------------------- masks

    def maskZero(self, v1: bool = False) -> Self:
        """Let rows be masked: those that `setZeroMask` tells before a forward. Return self.

        With v1 the mask is found: the rows of the input that are nothing but zeros.
        """
        self.maskzero, self.v1 = True, bool(v1)
        return self

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Say which rows are masked, True or 1 where one is, or False: none is. Return self."""
        self.zeroMask = checks.mask(self, zeroMask)
        return self

    def _mask_of(self, x: Array) -> Any:
        """Return the mask of the rows of an input; None if all of them count."""
        if not self.maskzero:
            return None
        if self.v1:
            return blank_rows(x, x.ndim - 1)
        mask = told(self, "updateOutput")
        if mask is not None and mask.shape != x.shape[:-1]:
            expected = f"({', '.join(map(str, mask.shape))}, {self.inputsize})"
            why = f" like the mask {shapes(mask)}"
            raise checks.misshapen(self, "updateOutput", "input", expected, x, why=why)
        return mask

    def __repr__(self) -> str:
        cell = self._cell()
        sizes = [cell.inputsize, cell.hiddensize, cell.outputsize]
        if self.weightO is None:
            del sizes[1]
        return f"{type(self).__name__}({' -> '.join(map(str, sizes))})"


class OfLSTM(Gated):
    """The parameters of an LSTM's cell, with a projection if outputsize is given."""

    _kind = LSTMCell


class OfGRU(Gated):
    """The parameters of a GRU's cell."""

    _kind = GRUCell

    def __init__(self, inputsize: int, outputsize: int) -> None:
        super().__init__(inputsize, checks.size(self, "outputsize", outputsize))


class GatedStep(Gated):
    """One step of a cell, from an input and a state to the next state.

    Conventions
    -----------
    Remembers nothing, in effect: where `input` holds the very arrays of the last forward, what
    that found is used, otherwise it is computed anew. So write neither to these arrays nor to the
    parameters in between. It takes batches only. In masked rows the output is 0, and so are the
    gradients, whatever stands there.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        Rows may be masked, and no mask was told.
    """

    _validates = True
    transient = (*Gated.transient, "_given", "_made")
    # The arrays of the last forward's input, with the mask that it went by, and its step.
    _given: Any = ()
    _made: Any = None

    def updateOutput(self, input: Sequence[Array]) -> Any:
        cell = self._must_fit("updateOutput", input)
        step = cell.step(input[0], input[1:], self._mask_of(input[0]))
        self._given, self._made = self._key(input), step
        self.output = self._joined(step.after)
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Any) -> list[Array]:
        step = self._gone_back("updateGradInput", input, gradOutput)
        self.gradInput = [self._cell().gradInput(step.gradGates), *step.gradBefore]
        return self.gradInput

    def accGradParameters(self, input: Sequence[Array], gradOutput: Any, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        step = self._gone_back("accGradParameters", input, gradOutput)
        self._cell().accumulate(self.gradients(), scale, [step])

    def _gone_back(self, method: str, input: Sequence[Array], gradOutput: Any) -> Step:
        """Return the step of an input, with its gradients."""
        cell = self._must_fit(method, input)
        gradAfter = self._split(method, "gradOutput", gradOutput)
        for i, (array, size) in enumerate(zip(gradAfter, cell.sizes, strict=True)):
            argument = f"gradOutput[{i}]" if len(gradAfter) > 1 else "gradOutput"
            shape, dtype = (len(input[0]), size), self.weight.dtype
            table_checks.must_be_like(self, method, argument, array, shape, dtype)
            if method == "accGradParameters":
                for given in input:
                    checks.must_accumulate(self, given, array, self.weight.dtype)
        step, key = self._made, self._key(input)
        if len(key) != len(self._given) or not all(map(operator.is_, key, self._given)):
            step = cell.step(input[0], input[1:], self._mask_of(input[0]))
        return cell.step_back(step, gradAfter)

    def _key(self, input: Sequence[Array]) -> tuple[Any, ...]:
        """Return the objects that the step of an input depends on, beside the parameters."""
        return (*input, self.zeroMask if self.maskzero else None, self.v1)

    def _must_fit(self, method: str, input: Any) -> Cell:
        """Raise unless input is x and a state, in rows; return the cell."""
        cell = self._cell()
        sizes = [cell.inputsize, *cell.sizes]
        table_checks.must_be_table(self, method, "input", input, len(sizes))
        for i, array in enumerate(input):
            argument, dtype = f"input[{i}]", self.weight.dtype
            if type(array) is not np.ndarray or array.dtype != dtype:
                checks.must_be_array(self, method, argument, array)
                checks.must_have_precision(self, method, argument, array, dtype)
        n = len(input[0]) if input[0].ndim else 0
        if [array.shape for array in input] != [(n, size) for size in sizes]:
            expected = "[" + ", ".join(f"(N, {size})" for size in sizes) + "]"
            hint = "a batch of one: array[None]" if input[0].ndim == 1 else None
            raise checks.misshapen(self, method, "input", expected, input, hint)
        return cell

    # How the arrays of a state are handed in and out.

    def _joined(self, state: list[Array]) -> Any:
        return state if self._kind.states > 1 else state[0]

    def _split(self, method: str, argument: str, state: Any) -> Sequence[Array]:
        if self._kind.states == 1:
            return [state]
        table_checks.must_be_table(self, method, argument, state, self._kind.states)
        return state
