"""Sequencer."""

from typing import Any, ClassVar

import numpy as np

from torchlite.errors import StateError
from torchlite.kernels.arrays import Number
from torchlite.nn import checks, table_checks
from torchlite.nn._through_time import recurrents
from torchlite.nn.container import locate
from torchlite.nn.entries import at
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, is_array, same, shapes
from torchlite.nn.recurrent._recurrent import AbstractRecurrent
from torchlite.nn.recurrent._sequencer import AbstractSequencer, running
from torchlite.nn.recurrent.recursor import Recursor

__all__ = ["Sequencer"]


class Sequencer(AbstractSequencer):
    """A module, run on every step of a sequence.

    Maths
    -----
    ::

        steps = [modules[0].updateOutput(x) for x in input]
        output = steps if isinstance(input, (list, tuple)) else np.stack(steps)
        back = zip(input[::-1], gradOutput[::-1], strict=True)
        gradients = [modules[0].updateGradInput(x, g) for x, g in back][::-1]
        gradInput = gradients if isinstance(input, (list, tuple)) else np.stack(gradients)

    Shapes
    ------
    input: steps first, what the module takes (T, ...), or a list of that; output: the same of what
    it returns. Where the module makes tables, output is a list.

    Parameters
    ----------
    module
        The module. One that is not made for steps stands in a `Recursor`.

    Attributes
    ----------
    inputs, outputs
        After a forward: of each step what the module was given, and what it returned. What is
        recurrent inside has its own `steps`.
    gradOutputs
        After `updateGradInput`: of each step the gradient of its output.

    Conventions
    -----------
    `updateGradInput` goes through all steps from the last to the first, then `accGradParameters`
    does. Both need a forward of the same input, and may be repeated. Every sequence starts anew,
    unless `remember` says otherwise.

    Raises
    ------
    ShapeError, DTypeError
        input has no steps, or gradOutput is not like output.
    StateError
        input (or gradOutput) is not that of the last forward (or `updateGradInput`).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Sequencer(nn.LinearRNN(1, 1, nn.Identity()))
    >>> weight, bias = net.parameters()[0]
    >>> weight[:], bias[:] = [[1, 2]], 0
    >>> x = np.array([[1.0], [1.0], [1.0]])
    >>> net.forward(x)
    array([[1.],
           [3.],
           [7.]])
    >>> net.backward(x, np.array([[0.0], [0.0], [1.0]]))
    array([[4.],
           [2.],
           [1.]])

    Reference
    ---------
    torch/rnn and Element-Research/rnn, Sequencer.lua.
    """

    _validates = True
    exempt: ClassVar[Any] = {
        "batch": "the first dimension is that of steps, which go on from one another",
        "empty": "a sequence has at least one step",
    }
    transient = (*AbstractSequencer.transient, "inputs", "outputs", "_input", "_gradOutput")
    inputs: Any = ()
    outputs: Any = ()
    _input: Any = None
    _gradOutput: Any = None

    def __init__(self, module: Module) -> None:
        super().__init__(module if isinstance(module, AbstractRecurrent) else Recursor(module))

    def updateOutput(self, input: Any) -> Any:
        """Start a sequence, and run the module on every step of it."""
        inputs = self._steps_of("updateOutput", "input", input)
        module: Any = self.modules[0]
        outputs: list[Any] = []
        self._must_have_rows(module.zeroMask, len(inputs))
        self._begin()
        try:
            with running(module, len(inputs)):
                outputs.extend(module.updateOutput(step) for step in inputs)
        except Exception as error:
            step = min(len(outputs), len(inputs) - 1)
            story = f"step {step} of {len(inputs)}, input {shapes(inputs[step])}"
            locate(error, self, 0, story)
            raise
        self.output = self._joined(input, outputs)
        self.inputs, self.outputs, self._input = inputs, outputs, input
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Run updateGradInput on every step, from the last to the first."""
        method = "updateGradInput"
        self._must_remember(method, self._input, input)
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        gradOutputs, gradInputs = self._steps_of(method, "gradOutput", gradOutput), list[Any]()
        module = self.modules[0]
        for rnn in recurrents(module):
            rnn._back = rnn.step
        steps = list(zip(self.inputs, gradOutputs, strict=True))
        try:
            for step in reversed(steps):
                gradInputs.append(module.updateGradInput(*step))
        except Exception as error:
            self._lost(error, gradOutputs, len(steps) - 1 - len(gradInputs))
            raise
        self.gradOutputs, self._gradOutput = gradOutputs, gradOutput
        if self.gradInput is None:
            return None
        complete = all(gradInput is not None for gradInput in gradInputs)
        gradInput = self._joined_back(input, gradInputs[::-1]) if complete else None
        self.gradInput = EMPTY if gradInput is None else gradInput
        return gradInput

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        self._must_remember("accGradParameters", self._input, input)
        known = self._gradOutput
        self._must_have_gone_back(known is not None and same(known, gradOutput))
        count = len(self.inputs)
        return range(count - 1, -1, -1), self.modules * count, self.inputs, self.gradOutputs

    def _accumulate(self, steps: tuple[Any, Any, Any, Any], scale: Number) -> None:
        for rnn in recurrents(self.modules[0]):
            rnn._summed = rnn.step
        super()._accumulate(steps, scale)

    def _steps_of(self, method: str, argument: str, sequence: Any) -> list[Any]:
        """Return the steps of a sequence; raise if there are none."""
        if not isinstance(sequence, (list, tuple)):
            checks.must_be_movable(self, method, argument, sequence)
        if not len(sequence):
            expected = "a sequence of at least 1 step"
            raise checks.misshapen(self, method, argument, expected, sequence)
        if is_array(sequence):
            return [at(sequence, 0, step) for step in range(len(sequence))]
        return list(sequence)

    def _must_have_rows(self, mask: Any, steps: int) -> None:
        """Raise unless a mask has a row for each step, or is the same for all."""
        if is_array(mask) and mask.ndim == 2 and len(mask) != steps:
            raise StateError(
                f"{type(self).__name__}.updateOutput: the mask has {len(mask)} rows, and the "
                f"sequence {steps} steps",
                layer=self,
                method="updateOutput",
                argument="zeroMask",
                expected=f"{steps} rows",
                got=f"{len(mask)} rows",
                hint="setZeroMask(mask) before the sequence, (T, N), or setZeroMask(False)",
            )

    def _joined(self, input: Any, steps: list[Any]) -> Any:
        """Return what was made step by step as one: an array if the input is one."""
        return np.stack(steps) if is_array(input) and all(map(is_array, steps)) else steps

    def _joined_back(self, input: Any, gradInputs: list[Any]) -> Any:
        """Return the gradient of input, from those of the inputs of all steps."""
        return self._joined(input, gradInputs)

    def _forget(self) -> None:
        self.inputs = self.outputs = self.gradOutputs = ()
        self._input = self._gradOutput = None

    def _lost(self, error: BaseException, gradOutputs: Any, position: int | None) -> None:
        self._forget()
        if position is not None:
            locate(error, self, 0, self._backward_story(gradOutputs, position))

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        return f"step {position} of {len(gradOutputs)}, gradOutput {shapes(gradOutputs[position])}"

    def __repr__(self) -> str:
        return f"{type(self).__name__} @ {self.modules[0]!r}"
