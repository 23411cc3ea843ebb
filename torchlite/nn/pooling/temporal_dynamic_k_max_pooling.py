"""TemporalDynamicKMaxPooling."""

import math

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.kernels.maxima import largest, scatter
from torchlite.nn import checks
from torchlite.nn.nested import EMPTY
from torchlite.nn.pooling._pooling import Maxima, must_be_frames

__all__ = ["TemporalDynamicKMaxPooling"]


class TemporalDynamicKMaxPooling(Maxima):
    """The largest entries of each feature over time, in their order.

    Maths
    -----
    ::

        k = max(minK, int(np.ceil(factor * input.shape[-2])))
        indices = largest(input, k)
        output = np.take_along_axis(input, indices, -2)
        gradInput = np.zeros_like(input)
        np.put_along_axis(gradInput, indices, gradOutput, -2)

    largest stands in torchlite.kernels.maxima: the frames of the k largest entries of each feature,
    in the order of time.

    Shapes
    ------
    input (T, F) or (N, T, F); output (k, F) or (N, k, F), where k = max(minK, ceil(factor * T)).

    Parameters
    ----------
    minK
        How many entries are taken at least.
    factor
        Which share of T is taken, from 0 to 1, if that is more.

    Attributes
    ----------
    indices
        After a forward: at which frame each entry of the output stands.

    Conventions
    -----------
    Of several equal entries the first are taken. NaN counts as larger than all numbers: NaN in
    gives NaN out. Complex numbers are ordered by their real parts. A backward uses indices if its
    input is the very array that they come from, and otherwise finds those of its input itself; so
    do not write to that array in between.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or input has fewer frames than minK.
    SettingError
        factor is not from 0 to 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.TemporalDynamicKMaxPooling(2)
    >>> x = np.array([[3.0, 1.0], [2.0, 2.0], [5.0, 7.0]])
    >>> layer.forward(x)
    array([[3., 2.],
           [5., 7.]])
    >>> layer.backward(x, np.array([[10.0, 20.0], [30.0, 40.0]]))
    array([[10.,  0.],
           [ 0., 20.],
           [30., 40.]])

    Reference
    ---------
    Torch7, nn/TemporalDynamicKMaxPooling.lua. Kalchbrenner and others, A convolutional neural
    network for modelling sentences, 2014.
    """

    def __init__(self, minK: int, factor: float = 0) -> None:
        self.minK = checks.at_least(self, "minK", minK, 1)
        self.factor = checks.constant(self, "factor", factor)
        if not 0 <= self.factor <= 1:
            raise checks.misbuilt(SettingError, self, "factor", "from 0 to 1", repr(factor))

    def _check(self, method: str, input: Array) -> tuple[int, ...]:
        must_be_frames(self, method, input, self.minK)
        frames, features = input.shape[-2:]
        return max(self.minK, math.ceil(self.factor * frames)), features

    def _maxima(self, input: Array, out: tuple[int, ...]) -> tuple[Array, Array]:
        indices = largest(input, out[0])
        return np.take_along_axis(input, indices, -2), indices

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        out = self._check_back("updateGradInput", input, gradOutput)
        indices, features = self._indices_of(input, out), input.shape[-1]
        places = indices * features + like(np.arange(features), input)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        self.gradInput = scatter(gradOutput, places, input.shape[-2:], True)
        return self.gradInput

    def __repr__(self) -> str:
        return type(self).__name__
