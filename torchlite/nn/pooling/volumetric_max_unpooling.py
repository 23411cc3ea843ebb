"""VolumetricMaxUnpooling."""

from torchlite.nn.pooling._pooling import Unpooling
from torchlite.nn.pooling.volumetric_max_pooling import VolumetricMaxPooling

__all__ = ["VolumetricMaxUnpooling"]


class VolumetricMaxUnpooling(Unpooling):
    """Puts every entry where the maximum stood that a max pooling took there, and zeros elsewhere.

    Maths
    -----
    ::

        output = scatter(input, indices, gradOutput.shape[-3:])
        gradInput = gather(gradOutput, indices, 3)

    Here indices are those of the maxima of the pooling, whose input was as large. Both functions
    stand in torchlite.kernels.maxima, each defined by a few lines: with k = indices[n, c, o],
    output[n, c] at place k is input[n, c, o].

    Shapes
    ------
    input: as the output of the pooling; output: as its input, (C, T, H, W) or (N, C, T, H, W).

    Parameters
    ----------
    poolingModule
        A VolumetricMaxPooling with strides as wide as its windows, which stands before this layer
        in the network.

    Attributes
    ----------
    pooling
        That module, which stays where it stands: it is no part of this one, and in a copy of the
        network this refers to its copy.
    indices
        Those of the pooling in the last forward.

    Conventions
    -----------
    A forward takes the indices and the size of the input from the last forward of the pooling, and
    remembers them together with its input; a backward needs those. So the pooling, as a module that
    remembers, may stand only once in a network.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; poolingModule is of another class.
    SettingError
        The strides of poolingModule are not as wide as its windows.
    StateError
        The pooling has seen no input, or a backward is of another input than the last forward's;
        the pooling stands twice in a network.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> pool = nn.VolumetricMaxPooling(1, 2, 1)
    >>> net = nn.Sequential(pool, nn.MulConstant(10), nn.VolumetricMaxUnpooling(pool))
    >>> x = np.array([[[[1.0, 5.0, 4.0, 2.0]]]])
    >>> net.forward(x)
    array([[[[ 0., 50., 40.,  0.]]]])
    >>> net.backward(x, np.array([[[[1.0, 2.0, 3.0, 4.0]]]]))
    array([[[[ 0., 20., 30.,  0.]]]])

    Reference
    ---------
    Torch7, nn/VolumetricMaxUnpooling.lua. Zeiler and others, Adaptive deconvolutional networks,
    2011.
    """

    _axes = ("T", "H", "W")

    def __init__(self, poolingModule: VolumetricMaxPooling) -> None:
        self._refer_to(poolingModule, VolumetricMaxPooling)
