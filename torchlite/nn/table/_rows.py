"""What the layers have in common that compare two arrays row by row."""

from collections.abc import Sequence

from torchlite.kernels.arrays import Array
from torchlite.nn import checks, table_checks
from torchlite.nn.module import Module


class Rows(Module):
    """A number for each pair of rows: a member is its formula, for two batches of rows.

    Shapes
    ------
    input: a table of two arrays, (n,) or (N, n), of one shape; output: (1,) or (N,).

    Conventions
    -----------
    Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input is no such table; gradOutput does not fit.
    """

    def updateOutput(self, input: Sequence[Array]) -> Array:
        a, b = self._batches("updateOutput", input)
        self.output = self._function(a, b)
        return self.output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        a, b = self._batches("updateGradInput", input)
        table_checks.must_be_like(
            self, "updateGradInput", "gradOutput", gradOutput, a.shape[:1], a.dtype
        )
        gradients = self._gradients(a, b, gradOutput[:, None])
        self.gradInput = [gradient.reshape(input[0].shape) for gradient in gradients]
        return self.gradInput

    def _batches(self, method: str, input: Sequence[Array]) -> tuple[Array, Array]:
        """Return the two arrays, one sample as a batch of one."""
        table_checks.must_be_alike(self, method, "input", input, 2)
        a, b = input
        if a.ndim == 1:
            return a[None], b[None]
        if a.ndim == 2:
            return a, b
        expected = "a table of two arrays (n,) or (N, n)"
        raise checks.misshapen(self, method, "input", expected, input)

    def _function(self, a: Array, b: Array) -> Array:
        """Return a number for each of the rows."""
        raise NotImplementedError

    def _gradients(self, a: Array, b: Array, gradOutput: Array) -> tuple[Array, Array]:
        """Return the gradients of both; gradOutput is a column."""
        raise NotImplementedError
