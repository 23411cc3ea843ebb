"""SpatialSoftMax."""

from typing import ClassVar

from torchlite.nn.transfer.soft_max import SoftMax

__all__ = ["SpatialSoftMax"]


class SpatialSoftMax(SoftMax):
    """SoftMax over the planes, at every place of an image.

    Maths
    -----
    For input of shape (N, n, H, W)::

        e = np.exp(input - input.max(1, keepdims=True))
        output = e / e.sum(1, keepdims=True)
        gradInput = output * (gradOutput - (gradOutput * output).sum(1, keepdims=True))

    Shapes
    ------
    input: (n, H, W) or (N, n, H, W); output: the same.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.array([[[0.0, 7.0]], [[np.log(3), 7.0]]])
    >>> nn.SpatialSoftMax().forward(x)
    array([[[0.25, 0.5 ]],
    <BLANKLINE>
           [[0.75, 0.5 ]]])

    Reference
    ---------
    Torch7, nn/SpatialSoftMax.lua.
    """

    _dims: ClassVar = {3: 0, 4: 1}
    _expected = "(n, H, W) or (N, n, H, W)"
    _hint = None

    def __init__(self) -> None:
        super().__init__()
