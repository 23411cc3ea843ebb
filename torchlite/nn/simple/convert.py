"""Convert."""

import math
from typing import Any

import numpy as np

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.precision import to_precision
from torchlite.nn.simple.transpose import inverse

__all__ = ["Convert"]

# Layouts of which "b" takes the first of the other dimension.
_PAIRS = ("bt", "tb", "bf", "fb")


class Convert(Module):
    """Brings arrays from one layout, said in letters, to another, and to the layer's dtype.

    Maths
    -----
    From "bchw" to "bf"::

        output = input.reshape(len(input), -1)
        gradInput = gradOutput.reshape(input.shape)

    Shapes
    ------
    input: a batch in the layout of inputShape, or one sample: the same without b; output: likewise
    in that of outputShape.

    Parameters
    ----------
    inputShape, outputShape
        A letter for each dimension, of which b is the batch's (put in front if it is missing).
        None: anything, and the same.

        ========================  ===================================================
        the same letters          the dimensions in that order
        "..." to "bf"             all features of a sample in one row
        "b" to "bt"               a dimension of size 1 behind
        "bf" or "fb" to "b"       without f, which must be of size 1
        "bt" or "tb" to "b"       the first t
        ========================  ===================================================

    Conventions
    -----------
    The output is of the layer's dtype (complex input stays complex), gradInput of the input's.
    Results may be views of input and gradOutput. To "bf", a batch dimension that is not in front
    is swapped with the one that is. One sample in the layout "b" is (1,). Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        There is no such conversion; input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.ones((5, 3, 2, 4))
    >>> nn.Convert("bchw", "bf").forward(x).shape, nn.Convert("chw", "hwc").forward(x).shape
    ((5, 24), (5, 2, 4, 3))
    >>> nn.Convert().float().forward(x).dtype
    dtype('float32')

    Reference
    ---------
    Torch7, nn/Convert.lua.
    """

    def __init__(self, inputShape: str | None = None, outputShape: str | None = None) -> None:
        source = self.inputShape = _with_batch(inputShape or "b*")
        target = self.outputShape = _with_batch(outputShape or source)
        self._first = target == "b" and source in _PAIRS
        permuted = sorted(source) == sorted(target)
        joined = (target == "bf" and "*" not in source) or (source, target) == ("b", "bt")
        if len(set(source)) < len(source) or not (permuted or joined or self._first):
            raise ShapeError(
                f"{type(self).__name__}: there is no conversion from {source!r} to {target!r}",
                layer=self,
                method="__init__",
                argument="outputShape",
                got=repr(target),
            )
        order = list(source)
        b = source.index("b")
        order[0], order[b] = order[b], order[0]
        if permuted:
            order = list(target)
        self._order = [source.index(letter) for letter in order]

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        said = self.inputShape == "b*" or (self._order[0] == 0 and self.outputShape in {"bf", "bt"})
        return {} if said else {"maths": "it is said of other letters"}

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_floating(self, "updateOutput", "input", input)
        batch, _, shape = self._shapes("updateOutput", input)
        output = np.transpose(input.reshape(batch), self._order)
        if self._first:
            output = output[:, 0]
        self.output = to_precision(output.reshape(shape), self._dtype)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        checks.must_be_floating(self, "updateGradInput", "input", input)
        _, arranged, shape = self._shapes("updateGradInput", input)
        checks.must_be_gradient(self, "updateGradInput", gradOutput, shape, self._dtype)
        if self._first:
            gradient = np.zeros_like(gradOutput, shape=arranged)
            gradient[:, 0] = gradOutput
        else:
            gradient = gradOutput.reshape(arranged)
        gradient = np.transpose(gradient, inverse(self._order))
        self.gradInput = to_precision(gradient.reshape(input.shape), input.dtype)
        return self.gradInput

    def _shapes(self, method: str, input: Array) -> tuple[Any, Any, Any]:
        """Return the shapes of the batch, of its dimensions in the new order, of the output."""
        source, target = self.inputShape, self.outputShape
        if source == "b*":
            batch = [len(input), math.prod(input.shape[1:])]
            return batch, batch, input.shape
        sample = source.replace("b", "")
        if input.ndim not in (len(source), len(sample)):
            expected = f"{len(source)}-D ({source}) or {len(sample)}-D ({sample})"
            raise checks.misshapen(self, method, "input", expected, input)
        batch = list(input.shape)
        if input.ndim == len(sample):
            batch.insert(source.index("b"), 1)
        arranged = [batch[i] for i in self._order]
        if self._first and "f" in source and arranged[1] != 1:
            raise checks.misshapen(self, method, "input", "of size 1 in f", input)
        shape = list(arranged)
        if len(target) <= 2:
            shape = [arranged[0], math.prod(arranged[1:])][: len(target)]
        if input.ndim == len(sample) and len(target) > 1:
            del shape[target.index("b")]
        return batch, arranged, tuple(shape)


def _with_batch(letters: str) -> str:
    """Return the letters of a layout, b among them."""
    return letters if "b" in letters else f"b{letters}"
