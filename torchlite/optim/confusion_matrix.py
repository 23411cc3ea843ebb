"""ConfusionMatrix."""

import operator
from collections.abc import Sequence
from typing import Any, Self, TypeVar

import numpy as np

from torchlite.elsewhere import as_numpy
from torchlite.errors import DTypeError, SettingError, ShapeError, TorchliteError, fault
from torchlite.kernels.arrays import Array

__all__ = ["ConfusionMatrix"]

_Error = TypeVar("_Error", bound=TorchliteError)


class ConfusionMatrix:
    """Counts how often each class was taken for which.

    Maths
    -----
    With mat[target, prediction] the counts and right, rows and columns its diagonal and sums::

        valids = right / rows
        unionvalids = right / (rows + columns - right)
        totalValid = right.sum() / mat.sum()

    Parameters
    ----------
    nclasses
        How many classes, or a list of their names.
    classes
        The names.

    Attributes
    ----------
    mat, nclasses, classes
        The counts, (nclasses, nclasses); the number of classes; their names, or an empty list.
    valids, averageValid
        The share of each class that was recognised, and the mean of these.
    unionvalids, averageUnionValid
        The intersection over union of each class (the VOC measure), and the mean of these.
    totalValid
        The share of all samples that was recognised.

    Conventions
    -----------
    Classes count from 0. The target -1 is missing: such a sample is not counted. The shares are
    always those of the counts; those of a class that never was a target are NaN and left out of the
    means. valids and unionvalids are float32, as in Torch7.

    Raises
    ------
    ShapeError, DTypeError, SettingError
        An argument does not fit, or a class is out of range. Nothing has been counted then.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import optim
    >>> confusion = optim.ConfusionMatrix(["cat", "dog"])
    >>> confusion.add(np.array([0.9, 0.1]), 0)
    >>> confusion.batchAdd(np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 1]))
    >>> print(confusion)
    ConfusionMatrix:
    [[       1       0]   100.000%  [class: cat]
     [       1       1]]  50.000%   [class: dog]
     + average row correct: 75%
     + average rowUcol correct (VOC measure): 50%
     + global correct: 66.666666666667%

    Reference
    ---------
    Torch7, optim/ConfusionMatrix.lua.
    """

    def __init__(self, nclasses: int | Sequence[str], classes: Sequence[str] | None = None) -> None:
        if isinstance(nclasses, list | tuple):
            n, classes = len(nclasses), nclasses
        else:
            n = _whole("nclasses", nclasses)
        if n < 1:
            raise _misgiven(SettingError, "nclasses", "at least 1", str(n))
        self.nclasses = n
        self.classes = [str(name) for name in classes or ()]
        if self.classes and len(self.classes) != n:
            raise _misgiven(ShapeError, "classes", f"{n} names", str(len(self.classes)))
        self.mat = np.zeros((n, n), np.int64)

    def add(self, prediction: Any, target: Any) -> None:
        """Count one sample. Each of the two is a class, or an array of scores, one for each class.

        The highest score decides.
        """
        self._count(
            np.array([self._class("prediction", prediction)]),
            np.array([self._class("target", target)]),
        )

    def batchAdd(self, predictions: Any, targets: Any) -> None:
        """Count a batch. Each of the two is an array of classes, (N,) or (N, 1), or of scores.

        Scores are (N, nclasses); the highest decides.
        """
        chosen = [self._classes("predictions", predictions), self._classes("targets", targets)]
        if len(chosen[0]) != len(chosen[1]):
            raise _misgiven(ShapeError, "targets", f"{len(chosen[0])} long", str(len(chosen[1])))
        self._count(*chosen)

    def _class(self, argument: str, value: Any) -> int:
        if isinstance(value, np.ndarray) and value.ndim:
            if value.shape != (self.nclasses,):
                expected = f"a class or ({self.nclasses},)"
                raise _misgiven(ShapeError, argument, expected, str(value.shape))
            return int(value.argmax())
        return _whole(argument, value)

    def _classes(self, argument: str, array: Any) -> Array:
        if not isinstance(array, np.ndarray):
            got, hint = type(array).__name__, as_numpy(argument, array)
            raise _misgiven(DTypeError, argument, "a NumPy array", got, hint)
        if array.ndim == 2 and array.shape[1] == self.nclasses > 1:
            return array.argmax(axis=1)
        if array.ndim != 1 and not (array.ndim == 2 and array.shape[1] == 1):
            expected = f"(N,), (N, 1) or (N, {self.nclasses})"
            raise _misgiven(ShapeError, argument, expected, str(array.shape))
        if array.dtype.kind not in "iu":
            raise _misgiven(DTypeError, argument, "whole numbers", str(array.dtype))
        return array.reshape(-1)

    def _count(self, predictions: Array, targets: Array) -> None:
        present = targets != -1
        predictions, targets = predictions[present], targets[present]
        for argument, classes in ("prediction", predictions), ("target", targets):
            wrong = (classes < 0) | (classes >= self.nclasses)
            if wrong.any():
                missing = " or -1" if argument == "target" else ""
                expected = f"from 0 to {self.nclasses - 1}{missing}"
                raise _misgiven(
                    SettingError, f"a {argument}", expected, f"{classes[wrong.argmax()]}"
                )
        np.add.at(self.mat, (targets, predictions), 1)

    def zero(self) -> Self:
        """Forget all counts. Return self."""
        self.mat.fill(0)
        return self

    def updateValids(self) -> None:
        """Do nothing: the shares are those of the counts at any time. Torch7 needs it."""

    @property
    def valids(self) -> Array:
        return _divided(self.mat.diagonal(), self.mat.sum(1)).astype(np.float32)

    @property
    def unionvalids(self) -> Array:
        right = self.mat.diagonal()
        return _divided(right, self.mat.sum(1) + self.mat.sum(0) - right).astype(np.float32)

    @property
    def averageValid(self) -> float:
        return self._average(self.valids)

    @property
    def averageUnionValid(self) -> float:
        return self._average(self.unionvalids)

    @property
    def totalValid(self) -> float:
        return float(_divided(self.mat.trace(), self.mat.sum()))

    def _average(self, shares: Array) -> float:
        occurs = self.mat.sum(1) > 0
        return float(_divided(shares[occurs].sum(dtype=np.float64), occurs.sum()))

    def farFrr(self) -> tuple[Array, Array, Array, Array]:
        """Return false rejection and false acceptance rates: classFrrs, classFars, frrs, fars.

        Of each class, the share of its samples that was taken for another, and the mean, over
        the other classes, of their shares that were taken for it. In the first two, -1 stands for
        a class without samples; the last two leave it out.
        """
        rows = self.mat.sum(1)
        occurs = rows > 0
        shares = self.mat[occurs] / rows[occurs, None]
        own = shares[:, occurs].diagonal()
        frrs = 1 - own
        fars = _divided(shares[:, occurs].sum(0) - own, np.full(len(own), len(own) - 1))
        classFrrs, classFars = np.full(self.nclasses, -1.0), np.full(self.nclasses, -1.0)
        classFrrs[occurs], classFars[occurs] = frrs, fars
        return classFrrs, classFars, frrs, fars

    def __repr__(self) -> str:
        rows = []
        for t, (counts, valid) in enumerate(zip(self.mat, self.valids, strict=True)):
            bracket = "]] " if t == self.nclasses - 1 else "]  "
            name = f"\t[class: {self.classes[t]}]" if self.classes else ""
            line = "".join(f"{count:8d}" for count in counts)
            rows.append(f"[{line}{bracket} {100 * float(valid):2.3f}% {name}\n")
        return (
            f"ConfusionMatrix:\n[{' '.join(rows)}"
            f" + average row correct: {100 * self.averageValid:.14g}% \n"
            f" + average rowUcol correct (VOC measure): {100 * self.averageUnionValid:.14g}% \n"
            f" + global correct: {100 * self.totalValid:.14g}%"
        )


def _divided(numerator: Array, denominator: Array) -> Array:
    """Return a quotient, NaN for 0 / 0."""
    with np.errstate(invalid="ignore"):
        return np.true_divide(numerator, denominator)


def _whole(argument: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise _misgiven(DTypeError, argument, "a whole number", repr(value)) from None


def _misgiven(
    kind: type[_Error], argument: str, expected: str, got: str, hint: str | None = None
) -> _Error:
    return fault(kind, "ConfusionMatrix", argument, expected, got, hint=hint)
