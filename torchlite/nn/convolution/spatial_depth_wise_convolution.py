"""SpatialDepthWiseConvolution."""

from torchlite.kernels.arrays import Array
from torchlite.nn.convolution._convolution import Convolution

__all__ = ["SpatialDepthWiseConvolution"]


class SpatialDepthWiseConvolution(Convolution):
    """Convolves each plane of an image by itself, with kernels of its own.

    Maths
    -----
    ::

        kernels = weight.reshape(depthwiseMultiplier, nInputPlane, kH, kW)
        kernels = kernels.swapaxes(0, 1).reshape(nOutputPlane, 1, kH, kW)
        geometry = (dH, dW), (padH, padW), (1, 1)
        output = conv(input, kernels, *geometry) + bias.T.reshape(nOutputPlane, 1, 1)
        size = input.shape[-2:]
        gradInput = conv_transposed(gradOutput, kernels, size, *geometry, nInputPlane)
        found = conv_weight(input, gradOutput, (kH, kW), *geometry, nInputPlane)
        found = found.reshape(nInputPlane, depthwiseMultiplier, kH * kW).swapaxes(0, 1)
        gradWeight += scale * found.reshape(weight.shape)
        sums = gradOutput.sum((0, 2, 3)).reshape(nInputPlane, depthwiseMultiplier)
        gradBias += scale * sums.T

    conv and its kin stand in torchlite.kernels.convolution; with m kernels for each plane,
    output[n, c * m + i] is bias[i, c] plus the correlation of input[n, c] with
    weight.reshape(m, nInputPlane, kH, kW)[i, c].

    Shapes
    ------
    input (nInputPlane, H, W) or (N, nInputPlane, H, W); output (nOutputPlane, oH, oW) or
    (N, nOutputPlane, oH, oW), where nOutputPlane = nInputPlane * depthwiseMultiplier,
    oH = (H + 2 * padH - kH) // dH + 1 and oW = (W + 2 * padW - kW) // dW + 1.

    Parameters
    ----------
    nInputPlane
        An integer of at least 1.
    depthwiseMultiplier
        How many output planes are made of each input plane. They stand side by side.
    kW, kH
        Width and height of the windows.
    dW, dH
        How far they are apart.
    padW, padH
        How many zeros stand at each side of the image; padH is padW if it is not given.

    Attributes
    ----------
    nOutputPlane
        nInputPlane * depthwiseMultiplier.
    weight, gradWeight
        (depthwiseMultiplier, nInputPlane * kH * kW).
    bias, gradBias
        (depthwiseMultiplier, nInputPlane), or None without bias.

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(kW * kH * nInputPlane), the weight in
    C order first; `reset(stdv)` takes s = stdv * sqrt(3), which is the standard deviation stdv.
    Remembers nothing: the columns of the windows are made again in the backward, block by block.
    The weight says how large the windows are: kW and its kin are for reading.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or no window fits into the input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SpatialDepthWiseConvolution(2, 1, 2, 1)
    >>> layer.weight[:], layer.bias[:] = [[1, 2, 3, 4]], [[10, 20]]
    >>> x = np.array([[[1.0, 0.0, 3.0]], [[0.0, 1.0, 0.0]]])
    >>> layer.forward(x)
    array([[[11., 16.]],
    <BLANKLINE>
           [[24., 23.]]])
    >>> layer.backward(x, np.array([[[1.0, 10.0]], [[0.0, 1.0]]]))
    array([[[ 1., 12., 20.]],
    <BLANKLINE>
           [[ 0.,  3.,  4.]]])
    >>> layer.gradWeight
    array([[ 1., 30.,  1.,  0.]])

    Reference
    ---------
    Torch7, nn/SpatialDepthWiseConvolution.lua.
    """

    nInputPlane: int
    depthwiseMultiplier: int
    nOutputPlane: int
    kW: int
    kH: int
    dW: int
    dH: int
    padW: int
    padH: int

    _counts = ("nInputPlane", "depthwiseMultiplier")

    def __init__(
        self,
        nInputPlane: int,
        depthwiseMultiplier: int,
        kW: int,
        kH: int,
        dW: int = 1,
        dH: int = 1,
        padW: int = 0,
        padH: int | None = None,
    ) -> None:
        padding = self._paddings(padW, padH)
        self._build((nInputPlane, depthwiseMultiplier), (kH, kW), (dH, dW), padding)
        self.nOutputPlane = self.nInputPlane * self.depthwiseMultiplier

    @property
    def _planes(self) -> tuple[int, int]:
        return self.nInputPlane, self.nInputPlane * self.depthwiseMultiplier

    @property
    def _groups(self) -> int:
        return self.nInputPlane

    def _weight_shape(self) -> tuple[int, ...]:
        return (self.depthwiseMultiplier, self.nInputPlane * self.kH * self.kW)

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.depthwiseMultiplier, self.nInputPlane)

    def _kernels(self) -> Array:
        each = self.weight.reshape(*self._bias_shape(), self.kH, self.kW)
        return each.swapaxes(0, 1).reshape(-1, 1, self.kH, self.kW)

    def _biases(self) -> Array | None:
        return None if self.bias is None else self.bias.T.reshape(-1)

    def _weight_gradient(self, images: Array, gradOutput: Array) -> Array:
        return self._plane_by_plane(super()._weight_gradient(images, gradOutput))

    def _bias_gradient(self, gradOutput: Array) -> Array:
        return self._plane_by_plane(super()._bias_gradient(gradOutput))

    def _plane_by_plane(self, sums: Array) -> Array:
        """Return what stands input plane by input plane in the order of the parameters."""
        each = sums.reshape(self.nInputPlane, self.depthwiseMultiplier, -1)
        return each.swapaxes(0, 1).reshape(self.depthwiseMultiplier, -1)
