"""BiSequencerLM."""

from typing import Any, ClassVar, Self

import numpy as np

from torchlite.nn import checks, table_checks
from torchlite.nn._remembering import Remembering
from torchlite.nn.container import locate
from torchlite.nn.entries import total_gradient
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, map_arrays, same, shapes
from torchlite.nn.recurrent._both_ways import BothWays, directions, listed, step_merge
from torchlite.nn.recurrent.sequencer import Sequencer

__all__ = ["BiSequencerLM"]


class BiSequencerLM(BothWays, Remembering):
    """Two modules on a sequence, so that each step sees what is before it and what is behind it.

    Maths
    -----
    With ahead, back and merge its modules, and zeros in the places of what there is not::

        ahead, back = modules[0].updateOutput(input[:-1]), modules[1].updateOutput(input[1:])
        before = [np.zeros_like(ahead[0]), *ahead]
        behind = [*back, np.zeros_like(back[-1])]
        output = modules[2].updateOutput([[a, b] for a, b in zip(before, behind)])
        gradients = modules[2].updateGradInput(
            [[a, b] for a, b in zip(before, behind)], gradOutput
        )
        gradAhead = modules[0].updateGradInput(input[:-1], [a for a, b in gradients[1:]])
        gradBack = modules[1].updateGradInput(input[1:], [b for a, b in gradients[:-1]])
        between = [a + b for a, b in zip(gradAhead[1:], gradBack[:-1])]
        gradInput = [gradAhead[0], *between, gradBack[-1]]

    Shapes
    ------
    input: a table of what both modules take, of at least two steps; output: a table of what merge
    makes of what they return.

    Parameters
    ----------
    forward
        What runs from the first step on, but for the last one: a module of steps or of sequences.
    backward
        What runs from the last step back, but for the first one; None: a copy of forward, whose
        parameters are drawn.
    merge
        A module that makes one array of a table of two, at every step; an integer n is JoinTable(0,
        n), features side by side of samples of n dimensions. None: 1.

    Attributes
    ----------
    modules
        Forward, run over sequences; a ReverseUnreverse of backward; a Sequencer of merge.
    inputs, outputs, gradOutputs
        After a forward and a backward: of each of the modules.

    Conventions
    -----------
    Remembers its forward. Every sequence starts anew, unless `remember(mode)` says otherwise, for
    forward alone.

    Raises
    ------
    ShapeError, DTypeError
        input is no table of two steps or more; gradOutput is not like output.
    StateError
        input (or gradOutput) is not that of the last forward (or `updateGradInput`).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> ahead, back = (nn.LinearRNN(1, 1, nn.Identity()) for _ in range(2))
    >>> for weight, bias in (ahead.parameters()[0], back.parameters()[0]):
    ...     weight[:], bias[:] = [[1, 1]], 0
    >>> net = nn.BiSequencerLM(ahead, back)
    >>> net.forward([np.array([[1.0]]), np.array([[10.0]]), np.array([[100.0]])])
    [array([[  0., 110.]]), array([[  1., 100.]]), array([[11.,  0.]])]

    Reference
    ---------
    torch/rnn and Element-Research/rnn, BiSequencerLM.lua.
    """

    _validates = True
    _runs_steps = True
    exempt: ClassVar[Any] = {"batch": "a step sees the others"}
    transient = (*Remembering.transient, "inputs", "outputs", "_input", "_gradOutput")
    inputs: Any = ()
    outputs: Any = ()
    _input: Any = None
    _gradOutput: Any = None

    def __init__(self, forward: Module, backward: Module | None = None, merge: Any = None) -> None:
        super().__init__(*directions(forward, backward), Sequencer(step_merge(merge)))

    def _directions(self) -> Any:
        return self.modules[:2]

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Say where samples do not count: (T, N) by step, (N,) always, or False. Return self."""
        mask = checks.mask(self, zeroMask)
        steps = mask is not False and mask.ndim == 2
        self.modules[0].setZeroMask(mask[:-1] if steps else mask)
        self.modules[1].setZeroMask(mask[1:] if steps else mask)
        self.modules[2].setZeroMask(mask)
        return self

    def updateOutput(self, input: Any) -> Any:
        """Run both modules, each but for the step at its end, and merge."""
        self._forget()
        table_checks.must_be_table(self, "updateOutput", "input", input)
        if len(input) < 2:
            expected = "a table of at least 2 steps"
            raise checks.misshapen(self, "updateOutput", "input", expected, input)
        inputs: list[Any] = [input[:-1], input[1:]]
        position = 0
        try:
            ahead = self.modules[0].updateOutput(inputs[0])
            position = 1
            back = self.modules[1].updateOutput(inputs[1])
            before = [map_arrays(np.zeros_like, ahead[0]), *ahead]
            behind = [*back, map_arrays(np.zeros_like, back[-1])]
            inputs.append([list(pair) for pair in zip(before, behind, strict=True)])
            position = 2
            output = self.modules[2].updateOutput(inputs[2])
        except Exception as error:
            locate(error, self, position, f"input {shapes(inputs[position])}")
            raise
        self.inputs, self.outputs, self._input = inputs, [ahead, back, output], input
        self.output = output
        return output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Go back through merge, and then through both modules."""
        method = "updateGradInput"
        self._must_remember(method, self._input, input)
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        gradOutputs = [None, None, gradOutput]
        position = 2
        try:
            gradients = self.modules[2].updateGradInput(self.inputs[2], gradOutput)
            gradOutputs[:2] = [a for a, _ in gradients[1:]], [b for _, b in gradients[:-1]]
            position = 0
            ahead = self.modules[0].updateGradInput(self.inputs[0], gradOutputs[0])
            position = 1
            back = self.modules[1].updateGradInput(self.inputs[1], gradOutputs[1])
        except Exception as error:
            self._lost(error, gradOutputs, position)
            raise
        self.gradOutputs, self._gradOutput = gradOutputs, gradOutput
        if self.gradInput is None:
            return None
        if ahead is None or back is None:
            self.gradInput = EMPTY
            return None
        between = zip(ahead[1:], back[:-1], input[1:-1], strict=True)
        self.gradInput = [ahead[0], *(total_gradient([a, b], x) for a, b, x in between), back[-1]]
        return self.gradInput

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        self._must_remember("accGradParameters", self._input, input)
        known = self._gradOutput
        self._must_have_gone_back(known is not None and same(known, gradOutput))
        return (2, 0, 1), self.modules, self.inputs, self.gradOutputs

    def _forget(self) -> None:
        self.inputs = self.outputs = self.gradOutputs = ()
        self._input = self._gradOutput = None

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        return f"gradOutput {shapes(gradOutputs[position])}"

    def __repr__(self) -> str:
        names = ("(  fwd  )", "(  bwd  )", "( merge )")
        return listed(self, zip(names, self.modules, strict=False))
