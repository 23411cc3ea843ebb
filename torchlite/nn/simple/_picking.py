"""What the layers have in common that pick a part of the input."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn._shaping import Shaping


class Picking(Shaping):
    """A part of the input: a member says which, as an index of slices and integers.

    Conventions
    -----------
    Remembers nothing. The output is a view of the input.
    """

    def _shape(self, input: Array, part: Any) -> tuple[int, ...]:
        shape: tuple[int, ...] = input[part].shape
        return shape

    def _function(self, input: Array, part: Any) -> Array:
        return input[part]

    def _gradient(self, input: Array, gradOutput: Array, part: Any) -> Array:
        gradInput = np.zeros_like(gradOutput, shape=input.shape)
        gradInput[part] = gradOutput
        return gradInput
