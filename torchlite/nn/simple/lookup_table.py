"""LookupTable."""

from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.errors import StateError
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addat
from torchlite.kernels.like import like
from torchlite.kernels.norms import renorm
from torchlite.nn import checks
from torchlite.nn.checks import positive_number
from torchlite.nn.module import Module

__all__ = ["LookupTable"]


class LookupTable(Module):
    """A table of vectors: each id of the input is replaced by its row.

    Maths
    -----
    ::

        output = weight[input]
        gradInput = np.zeros_like(input)
        kept = input != paddingValue
        np.add.at(gradWeight, input[kept], scale * gradOutput[kept])

    np.add.at is `gradWeight[input[kept]] += ...` for ids that may occur several times: all of them
    count.

    Shapes
    ------
    input (n,) or (N, n), of integers from 0 to nIndex - 1; output (n, nOutput) or (N, n, nOutput).

    Parameters
    ----------
    nIndex, nOutput
        The number of rows, and their length.
    paddingValue
        An id of which the row gets no gradient, or None (or -1) for none. Its row is looked up
        like any other: set it to 0 if it is to mean nothing.
    maxNorm
        If it is given, a forward shortens the rows that it looks up, in the weight itself, to
        at most this norm.
    normType
        Which norm: (abs(row) ** normType).sum() ** (1 / normType).

    Attributes
    ----------
    weight, gradWeight
        (nIndex, nOutput). gradWeight is None after `accUpdateOnly`.

    Conventions
    -----------
    The weight is drawn from N(0, 1); `reset(stdv)` takes N(0, stdv). Ids have no gradient:
    gradInput is zeros of their dtype, as in Torch7. Remembers nothing.

    Raises
    ------
    IndexError
        An id is not that of a row.
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        `accGradParameters` after `accUpdateOnly`.
    SettingError
        maxNorm or normType is not positive.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.LookupTable(3, 2)
    >>> layer.weight[:] = [[1, 2], [3, 4], [5, 6]]
    >>> ids = np.array([2, 0, 2])
    >>> layer.forward(ids)
    array([[5., 6.],
           [1., 2.],
           [5., 6.]])
    >>> layer.backward(ids, np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]))
    array([0, 0, 0])
    >>> layer.gradWeight
    array([[ 2., 20.],
           [ 0.,  0.],
           [ 4., 40.]])

    Reference
    ---------
    Torch7, nn/LookupTable.lua.
    """

    _validates = True
    shouldScaleGradByFreq: bool = False
    # The id of the first row.
    _least: Any = 0
    # A row belongs to an id that comes in.
    _norm_axes = (-1, 0)

    def __init__(
        self,
        nIndex: int,
        nOutput: int,
        paddingValue: int | None = None,
        maxNorm: float | None = None,
        normType: float = 2,
    ) -> None:
        shape = checks.size(self, "nIndex", nIndex), checks.size(self, "nOutput", nOutput)
        self.weight: Array = np.zeros(shape)
        self.gradWeight = np.zeros(shape)
        self.setPadding(paddingValue).setMaxNorm(maxNorm).setNormType(normType).reset()

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        broken = {}
        if self.paddingValue >= 0:
            broken["gradParameters"] = "the row of the padding gets no gradient"
        if self.shouldScaleGradByFreq:
            broken |= dict.fromkeys(
                ("gradParameters", "maths"), "gradients are divided by frequencies"
            )
        if self.maxNorm is not None:
            broken |= dict.fromkeys(
                ("mutation", "gradParameters", "dtype", "flat"),
                "the forward itself shortens rows of the weight",
            )
        return broken

    def updateOutput(self, input: Array) -> Array:
        ids = self._ids("updateOutput", input)
        self._shorten(ids)
        self.output = np.take(self.weight, ids, 0)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._ids_back("updateGradInput", input, gradOutput)
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        if self.gradWeight is None:
            raise StateError(
                f"{checks.title(self)}.accGradParameters: there is no gradWeight after "
                "accUpdateOnly()",
                layer=self,
                method="accGradParameters",
                hint="call accUpdateGradParameters or backwardUpdate",
            )
        ids = self._ids_back("accGradParameters", input, gradOutput)
        self._accumulate(self.gradWeight, scale, ids, gradOutput)

    def accUpdateGradParameters(self, input: Array, gradOutput: Array, lr: Number) -> None:
        """Subtract `lr` times this call's gradient from the rows looked up, and only from them."""
        lr = checks.number(self, "accUpdateGradParameters", "lr", lr)
        ids = self._ids_back("accUpdateGradParameters", input, gradOutput)
        self._accumulate(self.weight, -lr, ids, gradOutput)

    def _accumulate(self, target: Array, scale: Number, ids: Array, gradOutput: Array) -> None:
        ids = ids.reshape(-1)
        rows = gradOutput.reshape(-1, self.weight.shape[1])
        if self.shouldScaleGradByFreq:
            _, kind, counts = np.unique(ids, return_inverse=True, return_counts=True)
            rows = rows / counts.astype(rows.dtype)[kind][:, None]
        if self.paddingValue >= 0:
            counting = ids != self.paddingValue - self._least
            ids, rows = ids[counting], rows[counting]
        addat(target, scale, ids, rows)

    def renorm(self, input: Array) -> Self:
        """Shorten the rows looked up to maxNorm, in place, as a forward does. Return self."""
        self._shorten(self._ids("renorm", input))
        return self

    def _shorten(self, ids: Array) -> None:
        if self.maxNorm is None:
            return
        used = np.unique(ids)
        self.weight[used] = renorm(self.weight[used], self.maxNorm, self.normType)

    def reset(self, stdv: Any = None) -> Self:
        """Draw the weight from N(0, stdv), or N(0, 1)."""
        stdv = 1 if stdv is None else checks.deviation(self, stdv)
        draws = stdv * random.normal(size=self.weight.shape)
        self.weight[...] = like(draws, self.weight)
        return self

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """Return weight and gradWeight; nothing after `accUpdateOnly`."""
        return ([], []) if self.gradWeight is None else super().parameters()

    def accUpdateOnly(self) -> Self:
        """Do without gradWeight: only `accUpdateGradParameters` trains then. Return self."""
        self.gradWeight = None
        return self

    def scaleGradByFreq(self) -> Self:
        """Divide each row's gradient by how often its id occurs in the input. Return self."""
        self.shouldScaleGradByFreq = True
        return self

    def setPadding(self, paddingValue: int | None) -> Self:
        """Set the id that gets no gradient; None or -1 for none. Return self."""
        none = paddingValue is None or paddingValue == -1
        self.paddingValue = -1 if none else checks.size(self, "paddingValue", paddingValue)
        return self

    def setMaxNorm(self, maxNorm: float | None) -> Self:
        """Set the norm that no row looked up exceeds, or None. Return self."""
        self.maxNorm = None if maxNorm is None else positive_number(self, "maxNorm", maxNorm)
        return self

    def setNormType(self, normType: float) -> Self:
        """Set which norm is limited. Return self."""
        self.normType = positive_number(self, "normType", normType)
        return self

    def _ids(self, method: str, input: Array) -> Array:
        least = self._least
        ids = checks.integers(self, method, "input", input, len(self.weight) + least, "rows", least)
        if not 1 <= ids.ndim <= 2:
            raise checks.misshapen(self, method, "input", "(n,) or (N, n)", input)
        return ids - least if least else ids

    def _ids_back(self, method: str, input: Array, gradOutput: Array) -> Array:
        ids = self._ids(method, input)
        shape = (*ids.shape, self.weight.shape[1])
        checks.must_be_typed_back(self, method, input, gradOutput, shape, self.weight.dtype)
        return ids
