"""View."""

import math
from typing import Any, Self

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn._shaping import OfSamples
from torchlite.nn.dims import leading, sizes
from torchlite.nn.simple._reshaping import Reshaping

__all__ = ["View"]


class View(OfSamples, Reshaping):
    """Gives the input another shape, row by row, of which one size may be left open.

    Maths
    -----
    Without numInputDims::

        rest = input.size // numElements
        output = input.reshape(size if -1 in size or rest == 1 else (rest, *size))
        gradInput = gradOutput.reshape(input.shape)

    With it, of a batch: `output = input.reshape(len(input), *size)`.

    Shapes
    ------
    input: any with as many entries as size says; output: size. Where there are more entries, and
    no -1 to take them up, the output has a dimension more, in front.

    Parameters
    ----------
    size
        The new shape, as numbers or as one list of them. One may be -1: what is left over.

    Attributes
    ----------
    numElements
        How many entries size says, apart from -1.
    numInputDims
        How many dimensions a sample has; those before are the batch's, and become one. None: there
        is no batch but the one that the number of entries tells.
    guesses
        Whether an input that can be one sample as well as a batch of one is taken for a sample, as
        Torch7 takes it: what comes from a .t7 file does.

    Conventions
    -----------
    Remembers nothing. Results are views of input and gradOutput, or copies where their entries do
    not lie row by row. An input that can be one sample as well as a batch of one needs
    `setNumInputDims`. Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or input fits in two ways.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.ones((5, 2, 3))
    >>> nn.View(6).forward(x).shape, nn.View(3, -1).forward(x).shape
    ((5, 6), (3, 10))
    >>> layer = nn.View(-1).setNumInputDims(2)
    >>> layer.forward(x).shape, layer.forward(x[0]).shape
    ((5, 6), (6,))

    Reference
    ---------
    Torch7, nn/View.lua.
    """

    guesses: bool = False

    def __init__(self, *size: Any) -> None:
        self.resetSize(*size)

    def resetSize(self, *size: Any) -> Self:
        """Say another shape. Return self."""
        new = sizes(self, size)
        if any(n < 1 and n != -1 for n in new) or new.count(-1) > 1:
            raise ShapeError(
                f"{type(self).__name__}: size must be of positive numbers and at most one -1, "
                f"got {new}",
                layer=self,
                argument="size",
                expected="positive numbers and at most one -1",
                got=str(new),
            )
        self.size = new
        self.numElements = abs(math.prod(new))
        return self

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        unclear = {"batch": "without numInputDims a batch of one can be read in two ways"}
        return unclear if self.numInputDims is None and -1 not in self.size else {}

    def _plan(self, method: str, input: Array) -> tuple[int, ...]:
        size, first = self.size, leading(self, method, input, self.numInputDims)
        batch, entries = math.prod(input.shape[:first]), math.prod(input.shape[first:])
        rest, left = divmod(entries, self.numElements)
        if left:
            raise self._misfit(method, input, first)
        if -1 in size:
            size, rest = tuple(rest if n == -1 else n for n in size), 1
        elif rest == len(input) == 1 and self.numInputDims is None and not self.guesses:
            raise self._twofold(method, input)
        return size if rest == 1 and not first else (batch * rest, *size)

    def _misfit(self, method: str, input: Array, first: int) -> ShapeError:
        samples = "samples with " if first else ""
        expected = f"of {samples}{self.numElements} entries, or a multiple"
        return checks.misshapen(self, method, "input", expected, input)

    def _twofold(self, method: str, input: Array) -> ShapeError:
        n, expected = input.ndim, "a sample or a batch, and not both"
        hint = f"setNumInputDims({n}) makes {self.size} of it, setNumInputDims({n - 1}) "
        return checks.misshapen(self, method, "input", expected, input, f"{hint}{(1, *self.size)}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.size))})"
