"""SpatialLogSoftMax."""

from typing import ClassVar

from torchlite.nn.transfer.log_soft_max import LogSoftMax

__all__ = ["SpatialLogSoftMax"]


class SpatialLogSoftMax(LogSoftMax):
    """LogSoftMax over the planes, at every place of an image.

    Maths
    -----
    For input of shape (N, n, H, W)::

        shifted = input - input.max(1, keepdims=True)
        output = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
        gradInput = gradOutput - np.exp(output) * gradOutput.sum(1, keepdims=True)

    Shapes
    ------
    input: (n, H, W) or (N, n, H, W); output: the same.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = np.array([[[0.0, 7.0]], [[np.log(3), 7.0]]])
    >>> np.exp(nn.SpatialLogSoftMax().forward(x))
    array([[[0.25, 0.5 ]],
    <BLANKLINE>
           [[0.75, 0.5 ]]])

    Reference
    ---------
    Torch7, nn/SpatialLogSoftMax.lua.
    """

    _dims: ClassVar = {3: 0, 4: 1}
    _expected = "(n, H, W) or (N, n, H, W)"
    _hint = None

    def __init__(self) -> None:
        super().__init__()
