"""Clamp."""

from torchlite.nn.transfer.hard_tanh import HardTanh

__all__ = ["Clamp"]


class Clamp(HardTanh):
    """Every entry, kept within two bounds: HardTanh without default bounds.

    Maths
    -----
    ::

        output = np.clip(input, min_val, max_val)
        gradInput = gradOutput * ((input > min_val) & (input < max_val))

    Parameters
    ----------
    min_value, max_value
        The bounds, min_value below max_value.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.Clamp(0, 2).forward(np.array([-1.0, 1.0, 3.0]))
    array([0., 1., 2.])

    Reference
    ---------
    Torch7, nn/Clamp.lua.
    """

    def __init__(self, min_value: float, max_value: float) -> None:
        super().__init__(min_value, max_value)
