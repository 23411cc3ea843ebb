"""What containers have in common that go back the way their forward went."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn.container import Container
from torchlite.nn.nested import same, shapes


class Remembering(Container):
    """A container that remembers what its modules were given.

    Attributes
    ----------
    gradOutputs
        After `updateGradInput`: the gradient of each module's output, by position.
    """

    transient = (*Container.transient, "gradOutputs")
    gradOutputs: Any = ()

    def _forget(self) -> None:
        """Forget the last forward, and the last updateGradInput."""
        raise NotImplementedError

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        """Tell what led back to position; gradOutputs by position."""
        raise NotImplementedError

    def _recall(self, method: str, remembered: Any, input: Any) -> None:
        """Raise unless input is the remembered one, that of the last forward (None: none)."""
        if remembered is None or not (remembered is input or same(remembered, input)):
            known = None if remembered is None else f"input {shapes(remembered)}"
            hint = "call forward(input) first: a backward goes back along its path"
            name = type(self).__name__
            raise checks.unremembered(name, self, method, "input", known, input, hint)

    def _accumulate(
        self, positions: Any, modules: Any, inputs: Any, gradOutputs: Any, scale: Any
    ) -> None:
        """Run the modules' accGradParameters; if one fails, leave all gradients as they were."""
        before = self._snapshot()
        position = 0
        try:
            for position in positions:
                modules[position].accGradParameters(inputs[position], gradOutputs[position], scale)
        except BaseException as error:
            self._restore(before)
            self._forget()
            checks.locate(error, self, position, self._backward_story(gradOutputs, position))
            raise
