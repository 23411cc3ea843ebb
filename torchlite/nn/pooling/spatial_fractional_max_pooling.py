"""SpatialFractionalMaxPooling."""

from torchlite.nn.pooling._pooling import FractionalMaxPooling

__all__ = ["SpatialFractionalMaxPooling"]


class SpatialFractionalMaxPooling(FractionalMaxPooling):
    """The largest entry of windows that lie at random, and so many of them as are asked for.

    Maths
    -----
    ::

        size = gradOutput.shape[-2:]
        samples = randomSamples[..., ::-1].reshape(*input.shape[:-2], 2)
        windows = fractional_places(samples, input.shape[-2:], size, (poolSizeH, poolSizeW))
        output, places = max_at(input, windows, 2)
        gradInput = scatter(gradOutput, places, input.shape[-2:])

    All of them stand in torchlite.kernels.maxima, each defined by a few lines. Along each
    dimension, with u from randomSamples and alpha = (size - poolSize) / (out - 1), window o
    starts at floor((o + u) * alpha) - floor(u * alpha), and the last one where it ends with the
    image.

    Shapes
    ------
    input (C, H, W) or (N, C, H, W); output (C, outH, outW) or (N, C, outH, outW). Along each
    dimension size >= out + poolSize - 1.

    Parameters
    ----------
    poolSizeW, poolSizeH
        Width and height of the windows, at least 2.
    outW, outH
        Width and height of the output. Or ratios, all more than 0 and less than 1: the
        output is then so much smaller than the input, rounded down. They stand in ratioW, ratioH.

    Attributes
    ----------
    randomSamples
        (N, C, 2), for W, H: what the last forward drew, from 0 to 1, from which the windows
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
    >>> layer = nn.SpatialFractionalMaxPooling(2, 2, 2, 1)
    >>> x = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.0, 0.0, 0.0, 0.0]]])
    >>> layer.forward(x)
    array([[[2., 5.]]])

    Reference
    ---------
    Torch7, nn/SpatialFractionalMaxPooling.lua. Graham, Fractional max-pooling, 2014.
    """

    poolSizeW: int
    poolSizeH: int

    def __init__(
        self,
        poolSizeW: int,
        poolSizeH: int,
        outW: float,
        outH: float,
    ) -> None:
        self._set_fractions((poolSizeW, poolSizeH), (outW, outH))
