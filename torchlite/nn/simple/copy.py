"""Copy."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.precision import to_precision

__all__ = ["Copy"]


class Copy(Module):
    """Copies its input to another dtype, and gradOutput back.

    Maths
    -----
    ::

        output = input.astype(outtype)
        gradInput = gradOutput.astype(intype)

    Shapes
    ------
    input: any; output: the same.

    Parameters
    ----------
    intype, outtype
        What `np.dtype` takes, or Torch7's name ("torch.FloatTensor"), if it means float32, float64,
        complex64 or complex128. None: float64.
    forceCopy
        Whether to copy also where both dtypes are the same. Otherwise inputs of any floating dtype
        are then passed on.
    dontCast
        Whether to keep both dtypes when the layer, or a network around it, is cast. Otherwise both
        become what it is cast to.

    Conventions
    -----------
    A complex input stays complex, in the precision of outtype. Integers and booleans keep their
    dtype, as they do when a network is cast. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input is not of intype's precision; gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Copy("float64", "float32")
    >>> x = np.array([1.0, 2.0])
    >>> layer.forward(x)
    array([1., 2.], dtype=float32)
    >>> layer.backward(x, np.array([3.0, 4.0], dtype="float32"))
    array([3., 4.])

    Reference
    ---------
    Torch7, nn/Copy.lua.
    """

    def __init__(
        self,
        intype: Any = None,
        outtype: Any = None,
        forceCopy: bool = False,
        dontCast: bool = False,
    ) -> None:
        self.intype = checks.floating_dtype(self, "intype", intype)
        self.outtype = checks.floating_dtype(self, "outtype", outtype)
        self.forceCopy = forceCopy
        self.dontCast = dontCast

    def updateOutput(self, input: Array) -> Array:
        dtypes = self._dtypes("updateOutput", input)
        self.output = input if dtypes is None else to_precision(input, dtypes[1], copy=True)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        dtypes = self._dtypes("updateGradInput", input)
        intype, outtype = dtypes or (input.dtype, input.dtype)
        checks.must_be_gradient(self, "updateGradInput", gradOutput, input.shape, outtype)
        gradOutput = checks.carried(gradOutput, input, input.shape)
        self.gradInput = (
            gradOutput if dtypes is None else to_precision(gradOutput, intype, copy=True)
        )
        return self.gradInput

    def _dtypes(self, method: str, input: Array) -> tuple[Any, Any] | None:
        """Return between which dtypes to copy, None where input is only passed on; or raise."""
        checks.must_be_movable(self, method, "input", input)
        if self.intype == self.outtype and not self.forceCopy:
            return None
        if checks.is_integral(input):
            return input.dtype, input.dtype
        checks.must_have_precision(self, method, "input", input, self.intype)
        return self.intype, self.outtype

    @property
    def _dtype(self) -> Any:
        return self.outtype

    def _retyped(self, dtype: Any) -> list[tuple[Any, Any, Any]]:
        return [] if self.dontCast else [(vars(self), k, dtype) for k in ("intype", "outtype")]
