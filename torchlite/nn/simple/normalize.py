"""Normalize."""

import math

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.functions import largest
from torchlite.kernels.sums import sum_along
from torchlite.nn import checks
from torchlite.nn.checks import constant, finite_at_least_0, misbuilt
from torchlite.nn.module import Module

__all__ = ["Normalize"]


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
    (p < 2 and p = inf), this is the derivative. Remembers nothing.

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
        self.output = input / self._norm(input)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit("updateGradInput", input)
        checks.must_match(self, "updateGradInput", input, gradOutput)
        norm = self._norm(input)
        output = input / norm
        along = sum_along(gradOutput * output, -1, keepdims=True)
        gradInput = gradOutput - self._slope(input, output) * along
        gradInput /= norm
        self.gradInput = gradInput
        return gradInput

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_be_floating(self, method, "input", input)
        if input.ndim > 2 or not input.shape[-1]:
            expected = "(n,) or (N, n) with n of at least 1"
            raise checks.misshapen(self, method, "input", expected, input)

    def _norm(self, input: Array) -> Array:
        """Return the norm of each sample, as a column."""
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
