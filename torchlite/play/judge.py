"""Which answers are right, where outputs and targets say so."""

from typing import Any

import numpy as np

from torchlite import nn
from torchlite.kernels.arrays import Array
from torchlite.nn.nested import is_array

__all__ = ["Judge"]


class Judge:
    """How the outputs of a network are read: by what the targets are.

    Attributes
    ----------
    reads
        "class" where the largest output of a sample is its answer (targets are whole numbers, or
        rows with one 1), "half" where an output above a half means 1, "logit" where a positive one
        does, as the criterion takes it, "sign" where a positive one means 1 and a negative one -1;
        None where targets are no classes. An output that is no number is no answer: -1.

    Example
    -------
    >>> target = np.array([0, 1, 1])
    >>> judge = Judge(target)
    >>> judge.reads, judge.right(np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]]), target)
    ('class', array([ True,  True, False]))
    """

    def __init__(self, target: Any, criterion: Any = None) -> None:
        self.reads = _reads(target)
        if self.reads == "half" and isinstance(criterion, nn.MultiLabelSoftMarginCriterion):
            self.reads = "logit"

    def answers(self, output: Any) -> Array | None:
        """Return the class that each output means, or None where they mean none."""
        if self.reads is None or not is_array(output) or output.dtype.kind != "f":
            return None
        if self.reads == "class":
            if output.ndim != 2:
                return None
            return np.where(np.isnan(output).any(1), -1, output.argmax(1))
        if output.size != len(output):
            return None
        flat = output.reshape(len(output))
        return np.where(np.isnan(flat), -1, flat > (0.5 if self.reads == "half" else 0))

    def classes(self, target: Array) -> Array:
        """Return the class of each target."""
        if self.reads == "class" and target.ndim == 2:
            return target.argmax(1)
        classes: Array = target if self.reads == "class" else target > 0
        return classes.reshape(len(target)).astype(int)

    def right(self, output: Any, target: Any) -> Array | None:
        """Tell of each sample whether its answer is right."""
        answers = self.answers(output)
        if answers is None:
            return None
        classes = self.classes(target)
        return answers == classes if answers.shape == classes.shape else None

    def leaning(self, output: Any) -> tuple[Array, Array] | None:
        """Return which class each output means, and from 0 to 1 how clearly."""
        answers = self.answers(output)
        if answers is None:
            return None
        if self.reads != "class":
            flat = output.reshape(len(output))
            if self.reads != "sign":
                flat = 2 * flat - 1 if self.reads == "half" else np.tanh(flat / 2)
            clear = np.minimum(np.abs(flat), 1)
        else:
            best, even = _shares(output).max(0), 1 / output.shape[1]
            clear = (best - even) / (1 - even) if output.shape[1] > 1 else best
        # What is no answer has no colour.
        return np.maximum(answers, 0), np.nan_to_num(clear)


def _reads(target: Any) -> str | None:
    if not is_array(target) or not target.ndim or not target.size:
        return None
    if target.dtype.kind in "iu":
        return "class" if target.ndim == 1 and target.min() >= 0 else None
    if target.dtype.kind != "f":
        return None
    found = set(np.unique(target).tolist())
    if target.ndim == 2 and target.shape[1] > 1:
        return "class" if found <= {0, 1} and (target.sum(1) == 1).all() else None
    if target.size != len(target) or len(found) < 2:
        return None
    return "half" if found <= {0, 1} else "sign" if found <= {-1, 1} else None


def _shares(output: Array) -> Array:
    """Return outputs that may be scores, logarithms of shares, or shares, as shares: a row a class.

    NumPy goes along few long rows far faster than along many short ones.
    """
    rows = np.ascontiguousarray(output.T)
    if (rows >= 0).all() and np.allclose(rows.sum(0), 1):
        return rows
    shares: Array = np.exp(rows - rows.max(0))
    return shares / shares.sum(0)
