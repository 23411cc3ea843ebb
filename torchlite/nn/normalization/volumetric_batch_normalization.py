"""VolumetricBatchNormalization."""

from torchlite.nn.normalization.batch_normalization import BatchNormalization

__all__ = ["VolumetricBatchNormalization"]


class VolumetricBatchNormalization(BatchNormalization):
    """Gives each plane mean 0 and variance 1 over the batch and its points, then weight and bias.

    Maths
    -----
    In evaluation the running numbers take the place of the batch's::

        axes, one = (0, 2, 3, 4), (-1, 1, 1, 1)
        save_mean = input.mean(axes) if train else running_mean
        centered = input - save_mean.reshape(one)
        variance = (centered**2).mean(axes) if train else running_var
        save_std = 1 / np.sqrt(variance + eps)
        factor = (save_std * weight).reshape(one)
        output = centered * factor + bias.reshape(one)
        slope = (gradOutput * centered).mean(axes) * save_std**2
        mixed = gradOutput.mean(axes).reshape(one) + centered * slope.reshape(one)
        gradInput = (gradOutput - train * mixed) * factor
        gradWeight += scale * (save_std * (gradOutput * centered).sum(axes))
        gradBias += scale * gradOutput.sum(axes)

    Shapes
    ------
    input (N, nOutput, T, H, W), in evaluation also (nOutput, T, H, W); output: the same.

    Parameters
    ----------
    nOutput
        The number of planes, at least 1.
    eps
        Is added to the variance.
    momentum
        The share of the new batch in the running statistics, from 0 to 1.
    affine
        False for a layer without weight and bias.

    Attributes
    ----------
    weight, gradWeight, bias, gradBias
        (nOutput,), or None if not affine.
    running_mean, running_var
        (nOutput,): what evaluation uses. At first 0 and 1; a forward in training makes them
        `momentum * new + (1 - momentum) * old`, where new is the batch's mean, and its variance
        with n - 1 instead of n in the denominator.
    save_mean, save_std
        The mean, and 1 / standard deviation, of the batch of the last forward in training.

    Conventions
    -----------
    As of `BatchNormalization`, for which every point of a plane is a row. A batch of one image has
    statistics, too: only one value a plane has none, and a forward in training then raises.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or holds one value a plane in training.
    SettingError
        eps or momentum is negative or not finite, or momentum is more than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.VolumetricBatchNormalization(1, 0, 0.3)
    >>> layer.weight[:], layer.bias[:] = 10, 1
    >>> layer.forward(np.array([[[[[1.0, 3.0, 3.0, 1.0]]]]]))
    array([[[[[-9., 11., 11., -9.]]]]])
    >>> layer.running_mean, layer.running_var
    (array([0.6]), array([1.1]))

    Reference
    ---------
    Torch7, nn/VolumetricBatchNormalization.lua. Ioffe and Szegedy, Batch normalization, 2015.
    """

    _axes = ("T", "H", "W")
