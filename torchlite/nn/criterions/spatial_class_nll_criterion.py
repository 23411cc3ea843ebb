"""SpatialClassNLLCriterion."""

from torchlite.nn.criterions.class_nll_criterion import ClassNLLCriterion

__all__ = ["SpatialClassNLLCriterion"]


class SpatialClassNLLCriterion(ClassNLLCriterion):
    """The negative log-likelihood of the right class of every pixel.

    Maths
    -----
    For a batch::

        n, h, w = np.nonzero(target != ignoreIndex)
        t = target[n, h, w]
        weight = weights[t] if np.ndim(weights) else np.ones(len(t))
        total_weight = weight.sum()
        divisor = (total_weight or 1) if sizeAverage else 1
        output = -(weight * input[n, t, h, w]).sum() / divisor
        gradInput = np.zeros(input.shape)
        gradInput[n, t, h, w] = -weight / divisor

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); target integers (H, W) or (N, H, W); output: a number;
    gradInput as input.

    Conventions
    -----------
    Parameters, attributes, conventions and errors are those of ClassNLLCriterion; Torch7's has
    no ignoreIndex and takes batches only.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.SpatialClassNLLCriterion()
    >>> x = np.array([[[-1.0, -2.0]], [[-3.0, -4.0]]])
    >>> criterion.forward(x, np.array([[0, 1]]))
    2.5
    >>> criterion.backward(x, np.array([[0, 1]]))
    array([[[-0.5,  0. ]],
           [[ 0. , -0.5]]])

    Reference
    ---------
    Torch7, nn/SpatialClassNLLCriterion.lua.
    """

    _dims = 3
