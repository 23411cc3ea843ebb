"""VolumetricFractionalMaxPooling."""

from torchlite.nn.pooling._pooling import FractionalMaxPooling

__all__ = ["VolumetricFractionalMaxPooling"]


class VolumetricFractionalMaxPooling(FractionalMaxPooling):
    """The largest entry of windows that lie at random, and so many of them as are asked for.

    Maths
    -----
    ::

        size = gradOutput.shape[-3:]
        samples = randomSamples[..., ::-1].reshape(*input.shape[:-3], 3)
        kernel = (poolSizeH, poolSizeW, poolSizeT)
        windows = fractional_places(samples, input.shape[-3:], size, kernel)
        output, places = max_at(input, windows, 3)
        gradInput = scatter(gradOutput, places, input.shape[-3:])

    All of them stand in torchlite.kernels.maxima, each defined by a few lines. Along each
    dimension, with u from randomSamples and alpha = (size - poolSize) / (out - 1), window o
    starts at floor((o + u) * alpha) - floor(u * alpha), and the last one where it ends with the
    image.

    Shapes
    ------
    input (C, H, W, T) or (N, C, H, W, T); output (C, outH, outW, outT) or
    (N, C, outH, outW, outT). Along each dimension size >= out + poolSize - 1. Time is the last
    dimension, as in Torch7, unlike in other layers for volumes.

    Parameters
    ----------
    poolSizeT, poolSizeW, poolSizeH
        Duration, width and height of the windows, at least 2.
    outT, outW, outH
        Duration, width and height of the output. Or ratios, all more than 0 and less than 1: the
        output is then so much smaller than the input, rounded down. They stand in ratioT, ratioW
        and ratioH.

    Attributes
    ----------
    randomSamples
        (N, C, 3), for T, W, H: what the last forward drew, from 0 to 1, from which the windows
        follow. One sample counts as N = 1.
    indices
        Where in its plane each maximum of the last forward stands, counted in C order from 0.
    newRandomPool
        Whether windows stay as they are: set by `fixPoolingRegions()`.

    Conventions
    -----------
    Every forward draws new windows for each plane of each sample, in evaluation, too, and
    remembers where the maxima stood together with its input; a backward needs them. Of several
    equal entries the first gets the gradient. NaN in gives NaN out, and gets the gradient.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or the input is too small.
    SettingError
        Ratios are not between 0 and 1.
    StateError
        A backward of another input than the last forward's.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import random
    >>> random.manualSeed(1)
    >>> layer = nn.VolumetricFractionalMaxPooling(2, 2, 2, 2, 1, 1)
    >>> x = np.array([[[[1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.0, 0.0, 0.0, 0.0]]] * 2])
    >>> layer.forward(x)
    array([[[[2., 5.]]]])

    Reference
    ---------
    Torch7, nn/VolumetricFractionalMaxPooling.lua. Graham, Fractional max-pooling, 2014.
    """

    _axes = ("H", "W", "T")
    _printed = ("T", "W", "H")
    poolSizeT: int
    poolSizeW: int
    poolSizeH: int

    def __init__(
        self,
        poolSizeT: int,
        poolSizeW: int,
        poolSizeH: int,
        outT: float,
        outW: float,
        outH: float,
    ) -> None:
        self._set_fractions((poolSizeT, poolSizeW, poolSizeH), (outT, outW, outH))
