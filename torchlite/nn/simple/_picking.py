"""What the layers have in common that pick a part of the input."""

from typing import Any

import numpy as np

from torchlite.nn.simple._shaping import Shaping


class Picking(Shaping):
    """A part of the input: a member says which, as an index of slices and integers.

    Conventions
    -----------
    Remembers nothing. The output is a view of the input.
    """

    def _shape(self, input: Any, part: Any) -> tuple[int, ...]:
        shape: tuple[int, ...] = input[part].shape
        return shape

    def _function(self, input: Any, part: Any) -> Any:
        return input[part]

    def _gradient(self, input: Any, gradOutput: Any, part: Any) -> Any:
        gradInput = np.zeros_like(gradOutput, shape=input.shape)
        gradInput[part] = gradOutput
        return gradInput
