"""CMaxTable."""

import numpy as np

from torchlite.nn.table._extreme import Extreme

__all__ = ["CMaxTable"]


class CMaxTable(Extreme):
    """The largest of arrays, entry by entry.

    Maths
    -----
    ::

        output = np.max(input, axis=0)
        winner = np.argmax(input, axis=0)
        gradInput = [np.where(winner == i, gradOutput, 0) for i in range(len(input))]

    Shapes
    ------
    input: a table of arrays, all of one shape; output: that shape.

    Conventions
    -----------
    Remembers nothing. Of equal entries the first gets all of the gradient. NaN in gives NaN out,
    where Torch7 passes over that of any array but the first.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CMaxTable()
    >>> x = [np.array([1.0, 2.0]), np.array([10.0, 2.0])]
    >>> layer.forward(x)
    array([10.,  2.])
    >>> layer.backward(x, np.array([3.0, 4.0]))
    [array([0., 4.]), array([3., 0.])]

    Reference
    ---------
    Torch7, nn/CMaxTable.lua.
    """

    _ufunc = np.maximum
    _winner = staticmethod(np.argmax)
