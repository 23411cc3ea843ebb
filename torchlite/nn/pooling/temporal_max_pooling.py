"""TemporalMaxPooling."""

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.pooling._pooling import MaxPooling, must_be_frames

__all__ = ["TemporalMaxPooling"]


class TemporalMaxPooling(MaxPooling):
    """The largest entry of each feature in every window of time.

    Maths
    -----
    ::

        T, F = input.shape[-2:]
        windows = (kW, 1), (dW, 1), (0, 0), (1, 1)
        output, places = max_windows(input, *windows, pooled_size((T, F), *windows))
        gradInput = scatter(gradOutput, places, (T, F))

    max_windows and scatter stand in torchlite.kernels.maxima, each defined by a few lines:
    output[n, t, f] is the largest of input[n, t * dW + i, f] with i < kW.

    Shapes
    ------
    input (T, F) or (N, T, F); output (oT, F) or (N, oT, F), where oT = (T - kW) // dW + 1.

    Parameters
    ----------
    kW
        How many frames a window has.
    dW
        How far windows are apart; if it is not given, as far as they are wide.

    Attributes
    ----------
    indices
        After a forward: where in its sample each maximum stands, t * F + f.

    Conventions
    -----------
    Of several equal entries the first gets the gradient. NaN in gives NaN out, and gets the
    gradient. Complex numbers are ordered by their real parts. A backward uses indices if its input
    is the very array that they come from, and otherwise finds those of its input itself: nothing
    needs to be remembered, but do not write to that array in between.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.TemporalMaxPooling(2)
    >>> x = np.array([[1.0, 8.0], [5.0, 7.0], [2.0, 0.0], [2.0, 9.0]])
    >>> layer.forward(x)
    array([[5., 8.],
           [2., 9.]])
    >>> layer.backward(x, np.array([[10.0, 20.0], [30.0, 40.0]]))
    array([[ 0., 20.],
           [10.,  0.],
           [30.,  0.],
           [ 0., 40.]])

    Reference
    ---------
    Torch7, nn/TemporalMaxPooling.lua.
    """

    def __init__(self, kW: int, dW: int | None = None) -> None:
        self.kW = checks.at_least(self, "kW", kW, 1)
        self.dW = checks.at_least(self, "dW", self.kW if dW is None else dW, 1)

    # A sample is a plane of frames and features, in which windows are one feature wide.
    @property
    def _kernel(self) -> tuple[int, ...]:
        return self.kW, 1

    @property
    def _stride(self) -> tuple[int, ...]:
        return self.dW, 1

    @property
    def _padding(self) -> tuple[int, ...]:
        return 0, 0

    def _check(self, method: str, input: Array) -> tuple[int, ...]:
        must_be_frames(self, method, input, self.kW)
        return self._windows_of(input.shape[-2:])

    def __repr__(self) -> str:
        return type(self).__name__
