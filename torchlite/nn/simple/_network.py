"""What layers have in common that are networks of other layers."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn.containers.sequential import Sequential


class Network(Sequential):
    """A Sequential that is one layer from outside: it refuses what does not fit in its own name.

    A member says in `_check` which input does; gradOutput must be like the output.
    """

    def updateOutput(self, input: Any) -> Any:
        """Run the modules in order, keep every activation, return the last."""
        self._check(input)
        return super().updateOutput(input)

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Run the modules' updateGradInput from the last to the first."""
        output = self._path_of("updateGradInput", input)[-1]
        shape, dtype = output.shape, output.dtype
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, dtype)
        return super().updateGradInput(input, gradOutput)

    def _check(self, input: Any) -> None:
        """Raise unless the input fits."""
        raise NotImplementedError
