"""RecurrentAttention."""

from typing import Any, ClassVar

import numpy as np

from torchlite.kernels.arrays import Number
from torchlite.nn import checks, table_checks
from torchlite.nn._through_time import recurrents
from torchlite.nn.container import locate
from torchlite.nn.entries import first_array, total_gradient
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, is_floating, map_arrays, same, shapes
from torchlite.nn.recurrent._both_ways import listed
from torchlite.nn.recurrent._recurrent import AbstractRecurrent
from torchlite.nn.recurrent._sequencer import AbstractSequencer, running
from torchlite.nn.recurrent.recursor import Recursor

__all__ = ["RecurrentAttention"]


class RecurrentAttention(AbstractSequencer):
    """A recurrent module that looks at one input again and again, each time where it chooses.

    Maths
    -----
    With h zeros at first::

        h, actions, output = np.zeros_like(input, shape=(len(input), *hiddenSize)), [], []
        for step in range(nStep):
            actions = [*actions, modules[1].updateOutput(h)]
            h = modules[0].updateOutput([input, actions[step]])
            output = [*output, h]
        gradH, gradInput = np.zeros_like(h), np.zeros_like(input)
        for step in reversed(range(nStep)):
            gradH = gradH + gradOutput[step]
            seen = output[step - 1] if step else np.zeros_like(h)
            gradAction = np.zeros_like(actions[step])
            gradSeen = modules[1].updateGradInput(seen, gradAction)
            gradients = modules[0].updateGradInput([input, actions[step]], gradH)
            gradInput, gradH = gradInput + gradients[0], gradSeen

    Actions are samples: no gradient of the loss comes to them, only a reward.

    Shapes
    ------
    input: what rnn takes beside an action, an array or a table, with the samples first; output: a
    table of (N, *hiddenSize), one entry a step.

    Parameters
    ----------
    rnn
        What takes [input, action] and returns h.
    action
        What takes h, zeros at first, and returns an action: its last layer draws (Reinforce...),
        and learns by `reinforce(reward)`.
    nStep
        How many steps there are.
    hiddenSize
        The size of h of one sample, a list of integers.

    Attributes
    ----------
    actions
        After a forward: the actions, by step.
    forwardActions
        True: output is a table of [h, action], one a step, and gradOutput likewise: then the
        gradient of an action is what gradOutput says. Set it after construction.
    inputs, gradOutputs
        After a forward, and an `updateGradInput`: what rnn was given at each step, and the gradient
        of h at each step.

    Conventions
    -----------
    Remembers its forward. Every forward starts anew.

    Raises
    ------
    ShapeError, DTypeError
        rnn returns no (N, *hiddenSize); gradOutput is not like output.
    StateError
        input (or gradOutput) is not that of the last forward (or `updateGradInput`).

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> rnn = nn.Recursor(nn.Sequential(nn.CAddTable(), nn.Identity()))
    >>> net = nn.RecurrentAttention(rnn, nn.MulConstant(2), 3, [1])
    >>> net.forward(np.array([[1.0]]))
    [array([[1.]]), array([[3.]]), array([[7.]])]
    >>> net.actions
    [array([[0.]]), array([[2.]]), array([[6.]])]

    Reference
    ---------
    torch/rnn and Element-Research/rnn, RecurrentAttention.lua. Mnih et al., Recurrent models of
    visual attention, 2014.
    """

    _validates = True
    exempt: ClassVar[Any] = dict.fromkeys(
        ("gradInput", "gradParameters"), "actions are samples, to which no gradient comes"
    )
    transient = (
        *AbstractSequencer.transient,
        *("actions", "inputs", "outputs", "_gradActions", "_input", "_gradOutput"),
    )
    actions: Any = ()
    inputs: Any = ()
    outputs: Any = ()
    forwardActions: bool = False
    _gradActions: Any = ()
    _input: Any = None
    _gradOutput: Any = None

    def __init__(self, rnn: Module, action: Module, nStep: int, hiddenSize: Any) -> None:
        super().__init__(_of_steps(rnn), _of_steps(action))
        self.nStep = checks.at_least(self, "nStep", nStep, 1)
        sizes = hiddenSize if isinstance(hiddenSize, (list, tuple)) else [hiddenSize]
        self.hiddenSize = tuple(checks.size(self, "hiddenSize", size) for size in sizes)

    def _begin(self) -> None:
        self.forget()
        self._mode = self.train

    def updateOutput(self, input: Any) -> Any:
        """Act on what was seen last, and look, step after step."""
        rnn, action = self.modules
        first = first_array(input)
        checks.must_be_movable(self, "updateOutput", "input", first)
        dtype = first.dtype if is_floating(first) else self.type()
        start = np.zeros_like(first, shape=(len(first), *self.hiddenSize), dtype=dtype)
        self._begin()
        hidden, actions, inputs, outputs = start, list[Any](), list[Any](), list[Any]()
        try:
            with running(rnn, self.nStep), running(action, self.nStep):
                for _ in range(self.nStep):
                    actions.append(action.updateOutput(hidden))
                    inputs.append([input, actions[-1]])
                    hidden = rnn.updateOutput(inputs[-1])
                    if shapes(hidden) != shapes(start):
                        expected = f"{shapes(start)}, by hiddenSize"
                        raise checks.misshapen(rnn, "updateOutput", "output", expected, hidden)
                    outputs.append(hidden)
        except Exception as error:
            step, acted = len(outputs), len(actions) > len(outputs)
            given = inputs[-1] if acted else hidden
            locate(error, self, 0 if acted else 1, self._story(step, "input", given))
            raise
        self.actions, self.inputs, self.outputs, self._input = actions, inputs, outputs, input
        self.output = outputs
        if self.forwardActions:
            self.output = [list(pair) for pair in zip(outputs, actions, strict=True)]
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Go back from the last step to the first, at each through the action and then rnn."""
        method = "updateGradInput"
        self._must_remember(method, self._input, input)
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        rnn, action = self.modules
        for recurrent in (*recurrents(rnn), *recurrents(action)):
            recurrent._back = recurrent.step
        if self.forwardActions:
            gradHiddens, gradActions = ([pair[i] for pair in gradOutput] for i in (0, 1))
        else:
            gradHiddens = list(gradOutput)
            gradActions = [map_arrays(np.zeros_like, act) for act in self.actions]
        gradInputs: list[Any] = []
        step, position = self.nStep - 1, 1
        try:
            for step in range(self.nStep - 1, -1, -1):
                position = 1
                gradHidden = action.updateGradInput(self._seen(step), gradActions[step])
                if step and gradHidden is not None:
                    pair = [gradHiddens[step - 1], gradHidden]
                    gradHiddens[step - 1] = total_gradient(pair, self.outputs[step - 1])
                position = 0
                gradients = rnn.updateGradInput(self.inputs[step], gradHiddens[step])
                gradInputs.append(None if gradients is None else gradients[0])
        except Exception as error:
            self._forget()
            locate(error, self, position, self._story(step, "gradOutput", gradOutput[step]))
            raise
        self.gradOutputs, self._gradActions = gradHiddens, gradActions
        self._gradOutput = gradOutput
        if self.gradInput is None:
            return None
        complete = all(gradient is not None for gradient in gradInputs)
        whole = total_gradient(gradInputs, input) if complete else None
        self.gradInput = EMPTY if whole is None else whole
        return whole

    def _seen(self, step: int) -> Any:
        """Return what the action of a step was given."""
        return self.outputs[step - 1] if step else np.zeros_like(self.outputs[0])

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        self._must_remember("accGradParameters", self._input, input)
        known = self._gradOutput
        self._must_have_gone_back(known is not None and same(known, gradOutput))
        count = self.nStep
        inputs = [*self.inputs, *map(self._seen, range(count))]
        modules = [self.modules[0]] * count + [self.modules[1]] * count
        gradOutputs = [*self.gradOutputs, *self._gradActions]
        return range(2 * count - 1, -1, -1), modules, inputs, gradOutputs

    def _accumulate(self, steps: tuple[Any, Any, Any, Any], scale: Number) -> None:
        for module in self.modules:
            for recurrent in recurrents(module):
                recurrent._summed = recurrent.step
        super()._accumulate(steps, scale)

    def _forget(self) -> None:
        self.actions = self.inputs = self.outputs = self.gradOutputs = self._gradActions = ()
        self._input = self._gradOutput = None

    def _lost(self, error: BaseException, gradOutputs: Any, position: int | None) -> None:
        self._forget()
        if position is not None:
            which, step = divmod(position, self.nStep)
            story = self._story(step, "gradOutput", gradOutputs[position])
            locate(error, self, which, story)

    def _story(self, step: int, argument: str, value: Any) -> str:
        return f"step {step} of {self.nStep}, {argument} {shapes(value)}"

    def __repr__(self) -> str:
        return listed(self, zip(("action ", "rnn     "), self.modules[::-1], strict=False))


def _of_steps(module: Module) -> Module:
    return module if isinstance(module, AbstractRecurrent) else Recursor(module)
