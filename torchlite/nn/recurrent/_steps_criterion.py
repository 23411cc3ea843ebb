"""What the criterions have in common that sum another one over the steps of a sequence."""

from typing import Any, Self

import numpy as np

from torchlite.errors import SettingError
from torchlite.nn import checks
from torchlite.nn.container import locate
from torchlite.nn.criterions.module_criterion import ModuleCriterion
from torchlite.nn.entries import at
from torchlite.nn.nested import is_array, map_arrays, shapes
from torchlite.nn.recurrent._around import Around
from torchlite.nn.recurrent._masks import for_one_step
from torchlite.nn.stateful import parts, restored


class StepsCriterion(Around):
    """A sum of what a criterion says of each step.

    A member says what the target of each step is.

    Attributes
    ----------
    zeroMask
        What `setZeroMask(mask)` has set, (T, N): each step tells the criterion inside its row.
        False: none.
    """

    zeroMask: Any = False

    def __init__(self, criterion: Any, sizeAverage: bool = False) -> None:
        super().__init__(criterion)
        if any(isinstance(part, ModuleCriterion) for part in parts([criterion])):
            expected = "one that remembers nothing"
            hint = "what its modules do, do in the network, step by step (nn.Sequencer)"
            raise checks.misbuilt(
                SettingError, self, "criterion", expected, checks.title(criterion), hint
            )
        self.sizeAverage = bool(sizeAverage)

    @property
    def exempt(self) -> dict[str, str]:
        """What a mask breaks."""
        own_rows = {"maths": "with a mask each step has its own row of it"}
        return {} if self.zeroMask is False else own_rows

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Say which samples do not count at which step, (T, N), or False. Return self."""
        self.zeroMask = checks.mask(self, zeroMask, (2,))
        if zeroMask is False:
            super().setZeroMask(False)
        return self

    def updateOutput(self, input: Any, target: Any) -> Any:
        losses = self._each("updateOutput", input, target)
        self.output = sum(losses, 0.0) / (len(losses) if self.sizeAverage else 1)
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        gradInput = self._each("updateGradInput", input, target)
        steps = len(gradInput)
        if self.sizeAverage:
            gradInput = map_arrays(lambda array: array / steps, gradInput)
        self.gradInput = np.stack(gradInput) if is_array(input) else gradInput
        return self.gradInput

    def _each(self, method: str, input: Any, target: Any) -> list[Any]:
        """Return what this method of the criterion gives at each step."""
        inputs = self._steps(method, "input", input)
        targets = self._targets(method, target, len(inputs))
        mask = self.zeroMask
        if mask is not False and len(mask) != len(inputs):
            expected, why = of_steps(len(mask)), f" like the mask {shapes(mask)}"
            raise checks.misshapen(self, method, "input", expected, input, why=why)
        results = []
        # A criterion with modules inside adds to their gradients, and a later step may fail.
        with restored(self._accumulated()):
            for step, pair in enumerate(zip(inputs, targets, strict=True)):
                try:
                    with for_one_step(self.criterion, mask, step):
                        results.append(getattr(self.criterion, method)(*pair))
                except Exception as error:
                    locate(error, self, step, f"input {shapes(pair[0])}")
                    raise
        return results

    def _steps(self, method: str, argument: str, sequence: Any) -> list[Any]:
        """Return the steps of a sequence: a table, or an array with the steps first."""
        if isinstance(sequence, (list, tuple)):
            steps = list(sequence)
        else:
            checks.must_be_array(self, method, argument, sequence)
            checks.must_have_dimensions(self, method, argument, sequence)
            steps = [at(sequence, 0, step) for step in range(len(sequence))]
        if not steps:
            raise checks.misshapen(self, method, argument, "at least 1 step", sequence)
        return steps

    def _targets(self, method: str, target: Any, count: int) -> list[Any]:
        """Return the target of each of so many steps."""
        raise NotImplementedError


def of_steps(count: int) -> str:
    """Return how errors describe a sequence of so many steps."""
    return f"a sequence of {count} step{'' if count == 1 else 's'}"
