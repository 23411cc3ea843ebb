"""Limits for the gradient."""

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.norms import norm, shorten
from torchlite.optim._method import Method, positive

__all__ = ["clip_by_norm", "clip_by_value"]

_CLIP_BY_NORM = Method("clip_by_norm", max_norm=positive(None))
_CLIP_BY_VALUE = Method("clip_by_value", limit=positive(None))


def clip_by_norm(gradParameters: Array, max_norm: float) -> float:
    """Shorten the gradient, in place, to the length max_norm. Return its length before.

    Maths
    -----
    ::

        norm = sqrt((gradParameters**2).sum())
        gradParameters *= min(1, max_norm / norm)

    Conventions
    -----------
    A gradient whose norm is infinite or NaN stays as it is: look at what is returned. Gradients
    whose squares are too large or too small for their dtype are no such ones.

    Raises
    ------
    DTypeError, SettingError
        gradParameters is not a float32 or float64 array, or max_norm not a number greater than 0.

    Example
    -------
    >>> gradParameters = np.array([6.0, 8.0])
    >>> clip_by_norm(gradParameters, 5)
    10.0
    >>> gradParameters
    array([3., 4.])

    Reference
    ---------
    Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks, 2013.
    """
    max_norm = _CLIP_BY_NORM.checked("max_norm", max_norm)
    _CLIP_BY_NORM.must_be_writeable("gradParameters", gradParameters)
    return shorten([gradParameters], max_norm)


def clip_by_value(gradParameters: Array, limit: float) -> float:
    """Move the entries of the gradient, in place, to between -limit and limit.

    Return its length before, as `clip_by_norm` does. NaN stays NaN.

    Raises
    ------
    DTypeError, SettingError
        gradParameters is not a float32 or float64 array, or limit not a number greater than 0.

    Example
    -------
    >>> gradParameters = np.array([3.0, -4.0])
    >>> clip_by_value(gradParameters, 3.5)
    5.0
    >>> gradParameters
    array([ 3. , -3.5])
    """
    limit = _CLIP_BY_VALUE.checked("limit", limit)
    _CLIP_BY_VALUE.must_be_writeable("gradParameters", gradParameters)
    length = norm([gradParameters])
    np.clip(gradParameters, -limit, limit, out=gradParameters)
    return length
