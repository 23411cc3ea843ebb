"""What the recurrent modules have in common whose maths are those of a gated step."""

from typing import Any

from torchlite.kernels.arrays import Number
from torchlite.nn import checks
from torchlite.nn.recurrent._gated import GatedStep
from torchlite.nn.recurrent._gates import Step
from torchlite.nn.recurrent._recurrent import AbstractRecurrent


class Celled(AbstractRecurrent):
    """A gated step, called once a step; modules[0] has its parameters and its maths."""

    _validates = True

    def __init__(self, step: GatedStep) -> None:
        self._hold(step)

    @property
    def _gated(self) -> Any:
        return self.modules[0]

    @property
    def _multiply_adds(self) -> int:
        return int(self._gated._multiply_adds)

    @property
    def _sizes(self) -> list[Any]:
        return [(size,) for size in self._gated._cell().sizes]

    def _may_be_state(self, state: list[Any]) -> bool:
        return super()._may_be_state(state) and state[0].ndim == 2

    def _batch_of(self, input: Any) -> tuple[int, ...]:
        step = self._gated
        n, dtype = step.inputsize, step.weight.dtype
        checks.must_be_typed(self, "updateOutput", input, dtype)
        if input.ndim != 2 or input.shape[1] != n:
            hint = "a batch of one: input[None]" if input.ndim == 1 else self._over_steps(input)
            raise checks.misshapen(self, "updateOutput", "input", f"(N, {n})", input, hint)
        return (len(input),)

    def _take(self, input: Any, before: list[Any]) -> Step:
        return self._gated._cell().step(input, before)

    def _go_back(self, step: Step, gradAfter: list[Any]) -> Any:
        cell = self._gated._cell()
        back = cell.step_back(step, gradAfter)
        step.gradAfter, step.gradBefore = back.gradAfter, back.gradBefore
        step.gradGates = back.gradGates
        return cell.gradInput(step.gradGates)

    def _accumulate(self, step: Step, scale: Number) -> None:
        gated = self._gated
        checks.must_accumulate(self, step.input, step.gradGates, gated.weight.dtype)
        gated._cell().accumulate(gated.gradients(), scale, [step])

    def __repr__(self) -> str:
        return repr(self._gated).replace(type(self._gated).__name__, type(self).__name__, 1)
