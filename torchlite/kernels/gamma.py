"""The gamma distribution: numbers of it, and the derivative of its normaliser's logarithm."""

import math

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array

__all__ = ["digamma", "gamma_draws"]

# From here on the first terms of the series are all.
_FAR = 10
# Those of digamma(x) - log(x) + 1 / (2 x), in powers of 1 / x**2.
_SERIES = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12)


def digamma(x: Array) -> Array:
    """Return the derivative of log(gamma(x)), for x > 0.

    digamma(x) = digamma(x + 1) - 1 / x leads to where the asymptotic series is exact.

    Example
    -------
    >>> digamma(np.array([1.0, 2.0]))
    array([-0.57721566,  0.42278434])
    """
    result = np.zeros_like(x)
    for _ in range(_FAR):
        result = result - 1 / x
        x = x + 1
    inverse = 1 / (x * x)
    series = np.zeros_like(x)
    for factor in reversed(_SERIES):
        series = (series + factor) * inverse
    return result + np.log(x) - 0.5 / x + series


def gamma_draws(shape: Array) -> Array:
    """Return numbers of the gamma distributions of these shapes and scale 1, as a NumPy array.

    Drawn one after the other in C order, each as often as it takes (Marsaglia and Tsang): with d =
    shape - 1/3 and v = (1 + x / sqrt(9 d))**3 for a normal x, until v > 0 and log(1 - u) < x**2 / 2
    + d - d v + d log(v) for a uniform u; d v is the number. For a shape below 1 it is one of shape
    + 1, times (1 - u)**(1 / shape) for another uniform u.

    Example
    -------
    >>> random.manualSeed(1)
    >>> draws = gamma_draws(np.full(20_000, 3.0))
    >>> bool(abs(draws.mean() - 3) < 0.05), bool(abs(draws.var() - 3) < 0.1)
    (True, True)
    """
    draws = np.empty(shape.shape)
    for place in np.ndindex(shape.shape):
        draws[place] = _draw(shape[place].item())
    return draws


def _draw(shape: float) -> float:
    if shape < 1:
        return _draw(shape + 1) * (1 - random.uniform()) ** (1 / shape)
    d = shape - 1 / 3
    while True:
        x = random.normal()
        v = (1 + x / math.sqrt(9 * d)) ** 3
        if v > 0 and math.log(1 - random.uniform()) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v
