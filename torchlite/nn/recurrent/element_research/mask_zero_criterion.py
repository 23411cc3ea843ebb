"""MaskZeroCriterion."""

from typing import Any

from torchlite.nn import checks
from torchlite.nn.recurrent._masking import found
from torchlite.nn.recurrent._masking_criterion import MaskingCriterion

__all__ = ["MaskZeroCriterion"]


class MaskZeroCriterion(MaskingCriterion):
    """A criterion of the samples that are not nothing but zeros: the others have no loss.

    Maths
    -----
    ::

        kept = ~blank_rows(input, input.ndim - nInputDim)
        output = criterion.forward(input[kept], target[kept]) if kept.any() else 0
        gradInput = np.zeros_like(input)
        gradInput[kept] = criterion.backward(input[kept], target[kept]) if kept.any() else 0

    An average is one over the samples that count.

    Shapes
    ------
    input and target: what the criterion takes of a batch, arrays or tables of arrays with the
    samples first; gradInput as input. The first array of the input tells what is masked.

    Parameters
    ----------
    criterion
        A Criterion.
    nInputDim
        How many dimensions one sample of the first array has.

    Conventions
    -----------
    Where no sample counts, the loss is 0. Remembers what the criterion does.

    Raises
    ------
    ShapeError, DTypeError
        input is no batch of such samples; criterion is no Criterion.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.recurrent.element_research.MaskZeroCriterion(nn.MSECriterion(), 1)
    >>> x, y = np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])
    >>> criterion.forward(x, y)
    4.0

    Reference
    ---------
    Element-Research/rnn, MaskZeroCriterion.lua.
    """

    def __init__(self, criterion: Any, nInputDim: int) -> None:
        super().__init__(criterion)
        self.nInputDim = checks.at_least(self, "nInputDim", nInputDim, 0)

    def _masks(self, method: str, input: Any) -> Any:
        mask = found(self, method, input, self.nInputDim)
        if not mask.ndim:
            expected = f"a batch, of samples that are {self.nInputDim}-D"
            raise checks.misshapen(self, method, "input", expected, input)
        return mask
