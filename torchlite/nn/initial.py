"""How parameters are drawn: by the layers themselves, and by nn.init."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.stateful import restored


def uniform(layer: Any, stdv: Any, size: int, *parameters: Array) -> None:
    """Fill the parameters in turn from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(size)."""
    if stdv is None:
        bound = 1 / math.sqrt(size or 1)
    else:
        bound = checks.deviation(layer, stdv) * math.sqrt(3)
    with restored(parameters):
        for parameter in parameters:
            parameter[...] = drawn(random.uniform, parameter, -bound, bound)


def drawn(distribution: Callable[..., Any], parameter: Array, *arguments: Any) -> Array:
    """Return numbers of torchlite.random's for every entry of a parameter, in C order."""
    # In the parameter's precision: Torch7 rounds the bounds of a float32 draw, too.
    draws = np.empty(parameter.shape, parameter.dtype.char.lower())
    return like(distribution(*arguments, out=draws), parameter)
