"""Normalize."""

import math
from typing import Any

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.buffers import broadcasting
from torchlite.kernels.functions import largest
from torchlite.kernels.sums import inner, sum_along
from torchlite.kernels.weak import GONE, weakly
from torchlite.nn import checks
from torchlite.nn.checks import constant, finite_at_least_0, misbuilt
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY

__all__ = ["Normalize"]

# Sums of squares that are less have lost digits in float32.
_SMALL = 1e-24


class Normalize(Module):
    """Divides each sample by its p-norm.

    Maths
    -----
    For a finite p::

        norm = (np.sum(np.abs(input) ** p, -1, keepdims=True) + eps) ** (1 / p)
        output = input / norm
        slope = np.sign(output) * np.abs(output) ** (p - 1)
        gradInput = (gradOutput - slope * np.sum(gradOutput * output, -1, keepdims=True)) / norm

    For p = inf, norm = abs(input).max() + eps, and slope is the sign of the entry with the largest
    absolute value (the first of several), 0 elsewhere. slope is the derivative of norm.

    Shapes
    ------
    input (n,) or (N, n); output: the same.

    Parameters
    ----------
    p
        A number greater than 0, or inf.
    eps
        What keeps a sample of zeros from division by 0.

    Conventions
    -----------
    The slope at 0 is 0, for p <= 1 too. Powers are taken of what has been divided by the largest
    absolute value, so that they do not overflow. Where Torch7 adds eps to the derivative as well
    (p < 2 and p = inf), this is the derivative. Remembers nothing, in effect: where the `input` of
    the backward is the very array of the last forward, its norms and output are used, otherwise
    they are computed anew. So do not write to these arrays in between.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Normalize(2)
    >>> x = np.array([3.0, 4.0])
    >>> layer.forward(x).round(6)
    array([0.6, 0.8])
    >>> layer.backward(x, np.array([5.0, 0.0])).round(6)
    array([ 0.64, -0.48])

    Reference
    ---------
    Torch7, nn/Normalize.lua.
    """

    transient = (*Module.transient, "_known")
    # The input of the last forward, its norms and the output.
    _known: Any = (GONE, EMPTY, EMPTY)

    def __init__(self, p: float, eps: float = 1e-10) -> None:
        if not constant(self, "p", p) > 0:
            raise misbuilt(SettingError, self, "p", "greater than 0", repr(p))
        self.p = float(p)
        self.eps = finite_at_least_0(self, "eps", eps)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {"maths": "it is said of a finite p"} if self.p == math.inf else {}

    def updateOutput(self, input: Array) -> Array:
        self._must_fit("updateOutput", input)
        # The last one makes room for the next.
        self.output, self._known = EMPTY, Normalize._known
        norm, output = self._divided(input)
        self._known = weakly(input), norm, output
        self.output = output
        return output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit("updateGradInput", input)
        checks.must_match(self, "updateGradInput", input, gradOutput)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        source, norm, output = self._known
        if source() is not input:
            norm, output = self._divided(input)
        with broadcasting(input, -1):
            gradInput = self._slope(input, output) * inner(gradOutput, output)[..., None]
            np.subtract(gradOutput, gradInput, out=gradInput)
            gradInput /= norm
        self.gradInput = gradInput
        return gradInput

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_be_floating(self, method, "input", input)
        if input.ndim > 2 or not input.shape[-1]:
            expected = "(n,) or (N, n) with n of at least 1"
            raise checks.misshapen(self, method, "input", expected, input)

    def _divided(self, input: Array) -> tuple[Array, Array]:
        """Return the norm of each sample, as a column, and the samples divided by theirs."""
        norm = self._norm(input)
        with broadcasting(input, -1):
            return norm, input / norm

    def _norm(self, input: Array) -> Array:
        """Return the norm of each sample, as a column."""
        if self.p == 2 and input.dtype.kind == "f":
            with np.errstate(over="ignore"):
                squares = inner(input, input)[..., None] + self.eps
            if squares.size and squares.min() > _SMALL and squares.max() < math.inf:
                return np.sqrt(squares)
        p, magnitude = self.p, _magnitude(input)
        floor = self.eps if p == math.inf else self.eps ** (1 / p)
        floor = max(floor, float(np.finfo(input.dtype).tiny))
        if p == math.inf:
            return np.take_along_axis(magnitude, _largest(magnitude), -1) + floor
        # (sum(magnitude ** p) + floor ** p) ** (1 / p), in numbers that are at most 1.
        scale = largest(magnitude.real, -1, floor)
        magnitude /= scale
        magnitude **= p
        total = sum_along(magnitude, -1, keepdims=True) + (floor / scale) ** p
        return scale * total ** (1 / p)

    def _slope(self, input: Array, output: Array) -> Array:
        """Return the derivative of the norm by each entry."""
        if self.p == 2:
            return output
        sign = np.sign(input.real)
        if self.p == math.inf:
            slope, where = np.zeros_like(input), _largest(_magnitude(input))
            np.put_along_axis(slope, where, np.take_along_axis(sign, where, -1), -1)
            return slope
        slope = np.where(sign == 0, 1, _magnitude(output)) ** (self.p - 1)
        slope *= sign
        return slope

    def __repr__(self) -> str:
        p = f"{self.p:.0f}" if self.p.is_integer() else f"{self.p:f}"
        return f"{type(self).__name__}({p})"


def _magnitude(values: Array) -> Array:
    # Of complex numbers abs is not differentiable: the sign of the real part makes them positive.
    return np.abs(values) if values.dtype.kind == "f" else np.sign(values.real) * values


def _largest(magnitude: Array) -> Array:
    return np.argmax(magnitude.real, -1, keepdims=True)
