"""What the criterions have in common that leave masked samples out."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.nested import leaves, map_arrays
from torchlite.nn.recurrent._around import Around
from torchlite.nn.recurrent._masks import must_lead


class MaskingCriterion(Around):
    """A criterion of the samples that count.

    A member says which samples are masked.
    """

    def updateOutput(self, input: Any, target: Any) -> Any:
        kept = self._kept("updateOutput", input, target)
        if kept is None:
            self.output = self.criterion.updateOutput(input, target)
        elif kept.any():
            chosen, wanted = _rows(input, kept), _rows(target, kept)
            self.output = self.criterion.updateOutput(chosen, wanted)
        else:
            self.output = 0.0
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        kept = self._kept("updateGradInput", input, target)
        if kept is None:
            self.gradInput = self.criterion.updateGradInput(input, target)
            return self.gradInput
        gradInput = map_arrays(np.zeros_like, input)
        if kept.any():
            chosen, wanted = _rows(input, kept), _rows(target, kept)
            of_rows = self.criterion.updateGradInput(chosen, wanted)
            for array, rows in zip(leaves(gradInput), leaves(of_rows), strict=True):
                array[kept] = rows
        self.gradInput = gradInput
        return gradInput

    def _kept(self, method: str, input: Any, target: Any) -> Any:
        """Return which samples count, None if all of them do; raise where these are others."""
        mask = self._masks(method, input)
        if mask is None:
            return None
        for argument, table in (("input", input), ("target", target)):
            for array in leaves(table):
                must_lead(self, method, argument, array, mask)
        return ~mask

    def _masks(self, method: str, input: Any) -> Any:
        """Return which samples are masked, or None if all of them count."""
        raise NotImplementedError


def _rows(table: Any, kept: Array) -> Any:
    return map_arrays(lambda array: array[kept], table)
