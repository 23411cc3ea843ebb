"""ReLU6."""

from torchlite.nn.transfer.hard_tanh import HardTanh

__all__ = ["ReLU6"]


class ReLU6(HardTanh):
    """The positive part of every entry, up to 6.

    Maths
    -----
    ::

        output = np.clip(input, 0, 6)
        gradInput = gradOutput * ((input > 0) & (input < 6))

    Parameters
    ----------
    inplace
        Kept, and without effect.

    Conventions
    -----------
    The derivative at 0 and at 6 is 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> nn.ReLU6().forward(np.array([-1.0, 5.0, 7.0]))
    array([0., 5., 6.])

    Reference
    ---------
    Torch7, nn/ReLU6.lua. Krizhevsky, Convolutional deep belief networks on CIFAR-10 (2010).
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0, 6, inplace)
