"""What layers have in common that are networks of other layers."""

from typing import Any

from torchlite.errors import TorchliteError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.containers.sequential import Sequential


class OneLayer(Sequential):
    """A Sequential that is one layer from outside: what does not fit is refused in its own name."""

    _validates = True

    def updateOutput(self, input: Array) -> Array:
        """Run the modules in order, keep every activation, return the last."""
        try:
            return super().updateOutput(input)
        except TorchliteError as error:
            raise checks.in_the_name_of(self, error.layer, error) from None

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        """Run the modules' updateGradInput from the last to the first."""
        try:
            return super().updateGradInput(input, gradOutput)
        except TorchliteError as error:
            raise checks.in_the_name_of(self, error.layer, error) from None


class Network(Sequential):
    """A Sequential that is one layer from outside, for samples (n,) and batches of them, (N, n).

    One sample goes through its modules as a batch of one. What does not fit is refused in its own
    name: a member says in `_must_fit` which input does; gradOutput must be like the output.
    """

    _validates = True

    def updateOutput(self, input: Array) -> Array:
        """Run the modules in order, keep every activation, return the last."""
        self._must_fit(input)
        output = super().updateOutput(_batch(input))
        if input.ndim == 1:
            output = self.output = output[0]
        return output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        """Run the modules' updateGradInput from the last to the first."""
        self._path_of("updateGradInput", input)
        shape, dtype = self.output.shape, self.output.dtype
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, dtype)
        gradInput = super().updateGradInput(_batch(input), _batch(gradOutput))
        if gradInput is not None and input.ndim == 1:
            gradInput = self.gradInput = gradInput[0]
        return gradInput

    def _must_fit(self, input: Array) -> None:
        """Raise unless the input fits."""
        raise NotImplementedError

    def _steps(self, input: Array, gradOutput: Array) -> tuple[Any, Any, Any, Any]:
        return super()._steps(_batch(input), _batch(gradOutput))

    def _path_of(self, method: str, input: Array) -> list[Array]:
        return super()._path_of(method, _batch(input))


def _batch(rows: Array) -> Array:
    """Return a sample as a batch of one, and all else as it is."""
    return rows[None] if getattr(rows, "ndim", None) == 1 else rows
