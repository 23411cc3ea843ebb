"""MaskZeroCriterion."""

from typing import Any, Self

from torchlite.nn import checks
from torchlite.nn.recurrent._masking import found
from torchlite.nn.recurrent._masking_criterion import MaskingCriterion
from torchlite.nn.recurrent._masks import told

__all__ = ["MaskZeroCriterion"]


class MaskZeroCriterion(MaskingCriterion):
    """A criterion of the samples that count: the others have no loss, and no gradient.

    Maths
    -----
    With a mask::

        kept = ~(blank_rows(input, 1) if v1 else zeroMask)
        output = criterion.forward(input[kept], target[kept]) if kept.any() else 0
        gradInput = np.zeros_like(input)
        gradInput[kept] = criterion.backward(input[kept], target[kept]) if kept.any() else 0

    An average is one over the samples that count.

    Shapes
    ------
    input and target: what the criterion takes of a batch, arrays or tables of arrays with the
    samples first; gradInput as input. The mask is (N,).

    Parameters
    ----------
    criterion
        A Criterion.
    v1
        True: the mask is not told but found: where the sample has nothing but zeros in the first
        array of the input.

    Attributes
    ----------
    zeroMask
        What `setZeroMask(mask)` has set, True or 1 where a sample does not count; False: every
        sample counts. Without v1 a forward wants one of the two. It holds until another is set.

    Conventions
    -----------
    Where no sample counts, the loss is 0. Remembers what the criterion does.

    Raises
    ------
    StateError
        No mask was told.
    ShapeError, DTypeError, SettingError
        The mask does not fit the input or the target, or is none; criterion is no Criterion.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.MaskZeroCriterion(nn.MSECriterion())
    >>> criterion = criterion.setZeroMask(np.array([False, True]))
    >>> x, y = np.array([[1.0, 2.0], [7.0, 8.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])
    >>> criterion.forward(x, y)
    4.0
    >>> criterion.backward(x, y)
    array([[-2., -2.],
           [ 0.,  0.]])

    Reference
    ---------
    torch/rnn, MaskZeroCriterion.lua.
    """

    zeroMask: Any = None

    def __init__(self, criterion: Any, v1: bool = False) -> None:
        super().__init__(criterion)
        self.v1 = bool(v1)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {} if self.v1 else {"nan": "what is masked counts nowhere, whatever stood there"}

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Say which samples do not count, (N,), or False: all of them do. Return self."""
        zeroMask = checks.mask(self, zeroMask, (1,))
        super().setZeroMask(zeroMask)
        self.zeroMask = zeroMask
        return self

    def _masks(self, method: str, input: Any) -> Any:
        return found(self, method, input) if self.v1 else told(self, method)
