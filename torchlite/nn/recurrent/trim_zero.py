"""TrimZero."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.nested import leaves, map_arrays
from torchlite.nn.recurrent._masks import must_lead
from torchlite.nn.recurrent.element_research.mask_zero import MaskZero

__all__ = ["TrimZero"]


class TrimZero(MaskZero):
    """A module that sees only the samples that are not nothing but zeros; the others give zero.

    Maths
    -----
    Of a batch with one sample or more that counts::

        kept = ~blank_rows(input, 1)
        outputs = modules[0].updateOutput(input[kept])
        output = np.zeros_like(input, shape=(len(input), *outputs.shape[1:]))
        output[kept] = outputs
        gradInput = np.zeros_like(input)
        gradInput[kept] = modules[0].updateGradInput(input[kept], gradOutput[kept])

    blank_rows(array, lead) is True where the entries, by the first lead dimensions, hold nothing
    but zeros (ids: -1). These are the numbers of MaskZero, in less time.

    Shapes
    ------
    Those of the module, which takes batches of any size. Of an input that is a table, the first
    array tells what is left out; all of its arrays have as many samples.

    Parameters
    ----------
    module
        The module.
    nInputDim
        How many dimensions one sample of the first array has; with one more it is a batch.
    silent
        True to take a recurrent module without a warning, as MaskZero does.

    Attributes
    ----------
    mask
        The mask of the last forward.

    Conventions
    -----------
    Remembers its forward. A sample alone, and a batch in which no sample counts, go through the
    module as they are. Random numbers are drawn for the samples that count alone.

    Raises
    ------
    StateError
        input is not that of the last forward.
    ShapeError, DTypeError
        input has another number of dimensions; an array has not as many samples.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.TrimZero(nn.AddConstant(1), 1)
    >>> net.forward(np.array([[1.0, 2.0], [0.0, 0.0]]))
    array([[2., 3.],
           [0., 0.]])
    >>> net.inputs
    [array([[1., 2.]])]

    Reference
    ---------
    Element-Research/rnn, TrimZero.lua.
    """

    def _deal(self, input: Any) -> list[Any]:
        dealt = super()._deal(input)
        return [self._trimmed("updateOutput", "input", input)] if self._trims() else dealt

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        return self._whole(outputs[0]) if self._trims() else super()._join(input, outputs)

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        if not self._trims():
            return super()._deal_back(method, gradOutput)
        return [self._trimmed(method, "gradOutput", gradOutput)]

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return self._whole(gradInputs[0]) if self._trims() else gradInputs[0]

    def _trims(self) -> bool:
        """Tell whether the last forward left samples out: a batch of which some counted."""
        mask: Any = self.mask
        return bool(mask.ndim and mask.any() and not mask.all())

    def _trimmed(self, method: str, argument: str, table: Any) -> Any:
        for array in leaves(table):
            must_lead(self, method, argument, array, self.mask)
        return map_arrays(lambda array: array[~self.mask], table)

    def _whole(self, table: Any) -> Any:
        """Return arrays of all samples, given those of the samples that counted."""

        def one(rows: Array) -> Array:
            array = np.zeros_like(rows, shape=(len(self.mask), *rows.shape[1:]))
            array[~self.mask] = rows
            return array

        return map_arrays(one, table)
