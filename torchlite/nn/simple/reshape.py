"""Reshape."""

import math
from typing import Any

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.dims import sizes
from torchlite.nn.simple._reshaping import Reshaping

__all__ = ["Reshape"]


class Reshape(Reshaping):
    """Gives a sample, or every sample of a batch, another shape, row by row.

    Maths
    -----
    Of a batch::

        output = input.reshape(len(input), *size)
        gradInput = gradOutput.reshape(input.shape)

    Of one sample: output = input.reshape(size).

    Shapes
    ------
    input: any with as many entries as size says; output: size. Of a batch, each sample: output
    (N, *size).

    Parameters
    ----------
    size
        The new shape, as numbers or as one list of them.
    batchMode
        True: the first dimension of the input is the batch's. False: there is no batch. None: what
        the number of entries says. It may also be the last of the numbers, as in Lua.

    Attributes
    ----------
    nelement
        How many entries size says.
    guesses
        Whether an input that can be one sample as well as a batch of one is taken for a batch, as
        Torch7 takes it: what comes from a .t7 file does.

    Conventions
    -----------
    Remembers nothing. Results are views of input and gradOutput, or copies where their entries do
    not lie row by row. An input that can be one sample as well as a batch of one needs a batchMode.
    Integers and booleans pass, too; zeros of their dtype go back.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or input fits in two ways.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.Reshape(2, 3).forward(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    array([[1., 2., 3.],
           [4., 5., 6.]])
    >>> nn.Reshape(2, 3).forward(np.ones((5, 6))).shape
    (5, 2, 3)
    >>> nn.Reshape(4, True).forward(np.ones((1, 4))).shape
    (1, 4)

    Reference
    ---------
    Torch7, nn/Reshape.lua.
    """

    guesses: bool = False

    def __init__(self, *size: Any, batchMode: bool | None = None) -> None:
        if size and isinstance(size[-1], bool):
            *size, batchMode = size  # type: ignore[assignment]
        self.size = tuple(checks.size(self, "size", n) for n in sizes(self, tuple(size)))
        self.nelement = math.prod(self.size)
        self.batchMode = batchMode

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        unclear = {"batch": "without batchMode a batch of one can be read in two ways"}
        return unclear if self.batchMode is None else {}

    def _plan(self, method: str, input: Array) -> tuple[int, ...]:
        whole = self.batchMode is not True and input.size == self.nelement
        batch = self.batchMode is not False and input.size == len(input) * self.nelement
        if whole is batch and not (whole and self.guesses):
            raise self._misfit(method, input, fits=whole)
        return (len(input), *self.size) if batch else self.size

    def _misfit(self, method: str, input: Array, fits: bool) -> ShapeError:
        """Return the error of an input that fits in no way, or in both."""
        n, batch = self.nelement, (len(input), *self.size)
        if fits:
            expected = "a sample or a batch, and not both"
            hint = f"batchMode=True makes {batch} of it, batchMode=False {self.size}"
        else:
            readings = {
                None: f"a sample of {n} entries or a batch of them",
                True: f"a batch of samples of {n} entries",
                False: f"a sample of {n} entries",
            }
            expected, hint = readings[self.batchMode], None
        return checks.misshapen(self, method, "input", expected, input, hint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'x'.join(map(str, self.size))})"
