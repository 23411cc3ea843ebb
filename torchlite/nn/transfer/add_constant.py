"""AddConstant."""

from typing import Any

from torchlite.errors import DTypeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.checks import constant
from torchlite.nn.nested import is_array, shapes
from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["AddConstant"]


class AddConstant(Pointwise):
    """Every entry plus a number, or every sample plus a vector.

    Maths
    -----
    ::

        output = input + constant_scalar
        gradInput = gradOutput

    Shapes
    ------
    input: any, of at least one dimension, or with a vector of n entries (n,) or (N, n); output:
    the same.

    Parameters
    ----------
    constant_scalar
        The number, or a vector, of which a copy is kept.
    inplace
        Kept, and without effect.

    Conventions
    -----------
    A vector is no parameter: it is not learned. `type` casts it. gradInput is a copy.

    Raises
    ------
    DTypeError
        constant_scalar is neither a number nor a vector.
    ShapeError
        The vector has another length than the samples.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.AddConstant(3).forward(np.array([1.0, -2.0]))
    array([4., 1.])
    >>> nn.AddConstant(np.array([10.0, 20.0])).forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[11., 22.],
           [13., 24.]])

    Reference
    ---------
    Torch7, nn/AddConstant.lua.
    """

    def __init__(self, constant_scalar: Any, inplace: bool = False) -> None:
        if not is_array(constant_scalar):
            self.constant_scalar = constant(self, "constant_scalar", constant_scalar)
        elif constant_scalar.ndim == 1 and constant_scalar.dtype in checks.FLOATING:
            self.constant_scalar = constant_scalar.copy()
        else:
            got = f"{constant_scalar.dtype} {shapes(constant_scalar)}"
            expected = "a number or a vector"
            raise checks.misbuilt(DTypeError, self, "constant_scalar", expected, got)
        self.inplace = inplace

    def _must_fit(self, method: str, input: Array) -> None:
        added = self.constant_scalar
        if is_array(added):
            checks.must_be_rows(self, method, input, added.shape[0], added.dtype)

    def _function(self, input: Array) -> Array:
        return input + self.constant_scalar

    def _gradient(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput.copy()
