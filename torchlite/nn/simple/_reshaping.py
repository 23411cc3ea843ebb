"""What all layers have in common that give the same entries another shape."""

from torchlite.kernels.arrays import Array
from torchlite.nn._shaping import Shaping


class Reshaping(Shaping):
    """The same entries, row by row, in another shape: a member says which.

    Conventions
    -----------
    Remembers nothing. Results are views of input and gradOutput, or copies where their entries do
    not lie row by row.
    """

    def _shape(self, input: Array, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def _function(self, input: Array, shape: tuple[int, ...]) -> Array:
        return input.reshape(shape)

    def _gradient(self, input: Array, gradOutput: Array, shape: tuple[int, ...]) -> Array:
        return gradOutput.reshape(input.shape)
