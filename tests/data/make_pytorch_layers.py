"""Writes pytorch_layers.npz: what PyTorch computes where it has the same layer.

    pip install torch==2.13.0
    python tests/data/make_pytorch_layers.py

Each row names a layer, how PyTorch and torchlite make it, and the shape of its input. Input,
gradOutput and parameters are odd multiples of 1/16; parameters are in the order of torchlite's
`parameters()`, which is PyTorch's.
"""

from pathlib import Path

import numpy as np

from torchlite import nn

FILE = Path(__file__).with_name("pytorch_layers.npz")


def over_time(t, planes, made, width, step=1):
    """Return a convolution of frames, one in each row, as one of an image that is as wide."""

    class Frames(t.Conv2d):
        def forward(self, input):
            return super().forward(input[:, None])[..., 0].mT

    return Frames(1, made, (width, planes), (step, 1))


# name: (what PyTorch makes of torch.nn, what torchlite makes, shape of the input)
LAYERS = {
    "Linear": (lambda t: t.Linear(3, 2), lambda: nn.Linear(3, 2), (5, 3)),
    "Linear_one_sample": (lambda t: t.Linear(3, 2), lambda: nn.Linear(3, 2), (3,)),
    "Linear_without_bias": (
        lambda t: t.Linear(3, 2, bias=False),
        lambda: nn.Linear(3, 2, False),
        (5, 3),
    ),
    "Bilinear": (lambda t: t.Bilinear(3, 2, 4), lambda: nn.Bilinear(3, 2, 4), [(5, 3), (5, 2)]),
    "BatchNormalization": (
        lambda t: t.BatchNorm1d(3),
        lambda: nn.BatchNormalization(3),
        (5, 3),
    ),
    "BatchNormalization_evaluate": (
        lambda t: t.BatchNorm1d(3).eval(),
        lambda: nn.BatchNormalization(3).evaluate(),
        (5, 3),
    ),
    "LayerNormalization": (
        lambda t: t.LayerNorm(4, eps=0),
        lambda: nn.LayerNormalization(4, 0, 0),
        (5, 4),
    ),
    "PReLU": (lambda t: t.PReLU(), lambda: nn.PReLU(), (5, 3)),
    "PReLU_planes": (lambda t: t.PReLU(3), lambda: nn.PReLU(3), (5, 3)),
    "ReLU": (lambda t: t.ReLU(), lambda: nn.ReLU(), (5, 3)),
    "ReLU6": (lambda t: t.ReLU6(), lambda: nn.ReLU6(), (5, 3)),
    "Tanh": (lambda t: t.Tanh(), lambda: nn.Tanh(), (5, 3)),
    "Sigmoid": (lambda t: t.Sigmoid(), lambda: nn.Sigmoid(), (5, 3)),
    "ELU": (lambda t: t.ELU(0.5), lambda: nn.ELU(0.5), (5, 3)),
    "LeakyReLU": (lambda t: t.LeakyReLU(0.25), lambda: nn.LeakyReLU(0.25), (5, 3)),
    "SoftPlus": (lambda t: t.Softplus(2, 1e9), lambda: nn.SoftPlus(2), (5, 3)),
    "SoftSign": (lambda t: t.Softsign(), lambda: nn.SoftSign(), (5, 3)),
    "LogSigmoid": (lambda t: t.LogSigmoid(), lambda: nn.LogSigmoid(), (5, 3)),
    "HardTanh": (lambda t: t.Hardtanh(-2, 1), lambda: nn.HardTanh(-2, 1), (5, 3)),
    "HardShrink": (lambda t: t.Hardshrink(1), lambda: nn.HardShrink(1), (5, 3)),
    "SoftShrink": (lambda t: t.Softshrink(1), lambda: nn.SoftShrink(1), (5, 3)),
    "TanhShrink": (lambda t: t.Tanhshrink(), lambda: nn.TanhShrink(), (5, 3)),
    "Threshold": (lambda t: t.Threshold(1, -3), lambda: nn.Threshold(1, -3), (5, 3)),
    "SoftMax": (lambda t: t.Softmax(1), lambda: nn.SoftMax(), (5, 3)),
    "LogSoftMax": (lambda t: t.LogSoftmax(1), lambda: nn.LogSoftMax(), (5, 3)),
    "SoftMin": (lambda t: t.Softmin(1), lambda: nn.SoftMin(), (5, 3)),
    "SpatialSoftMax": (lambda t: t.Softmax2d(), lambda: nn.SpatialSoftMax(), (2, 3, 2, 4)),
    "GatedLinearUnit": (lambda t: t.GLU(1), lambda: nn.GatedLinearUnit(1), (5, 4)),
    "Identity": (lambda t: t.Identity(), lambda: nn.Identity(), (5, 3)),
    "Unsqueeze": (lambda t: t.Unflatten(1, (1, 3)), lambda: nn.Unsqueeze(1), (5, 3)),
    "Reshape": (lambda t: t.Flatten(1), lambda: nn.Reshape(6, True), (5, 2, 3)),
    "Padding": (
        lambda t: t.ConstantPad1d((0, 2), 0.5),
        lambda: nn.Padding(1, 2, None, 0.5),
        (5, 3),
    ),
    "Dropout_evaluate": (
        lambda t: t.Dropout().eval(),
        lambda: nn.Dropout().evaluate(),
        (5, 3),
    ),
    "SpatialConvolution": (
        lambda t: t.Conv2d(2, 3, (2, 3)),
        lambda: nn.SpatialConvolution(2, 3, 3, 2),
        (2, 2, 4, 4),
    ),
    "SpatialConvolution_strided": (
        lambda t: t.Conv2d(2, 2, (3, 2), (2, 1), (1, 0), bias=False),
        lambda: nn.SpatialConvolution(2, 2, 2, 3, 1, 2, 0, 1).noBias(),
        (2, 2, 4, 4),
    ),
    "SpatialConvolutionMM": (
        lambda t: t.Conv2d(2, 3, 2, 2, 1),
        lambda: nn.SpatialConvolutionMM(2, 3, 2, 2, 2, 2, 1),
        (2, 4, 4),
    ),
    "SpatialFullConvolution": (
        lambda t: t.ConvTranspose2d(2, 3, (2, 3)),
        lambda: nn.SpatialFullConvolution(2, 3, 3, 2),
        (2, 2, 2, 1),
    ),
    "SpatialFullConvolution_strided": (
        lambda t: t.ConvTranspose2d(2, 2, (3, 2), (2, 3), (1, 1), (1, 2), bias=False),
        lambda: nn.SpatialFullConvolution(2, 2, 2, 3, 3, 2, 1, 1, 2, 1).noBias(),
        (2, 3, 2),
    ),
    "SpatialDilatedConvolution": (
        lambda t: t.Conv2d(2, 3, (2, 3), (1, 2), (0, 1), (3, 2)),
        lambda: nn.SpatialDilatedConvolution(2, 3, 3, 2, 2, 1, 1, 0, 2, 3),
        (1, 2, 5, 5),
    ),
    "SpatialDepthWiseConvolution": (
        lambda t: t.Conv2d(3, 3, (2, 3), (2, 1), (0, 1), groups=3),
        lambda: nn.SpatialDepthWiseConvolution(3, 1, 3, 2, 1, 2, 1, 0),
        (1, 3, 5, 4),
    ),
    "TemporalConvolution": (
        lambda t: over_time(t, 2, 3, 2),
        lambda: nn.TemporalConvolution(2, 3, 2),
        (2, 5, 2),
    ),
    "TemporalConvolution_strided": (
        lambda t: over_time(t, 3, 2, 3, 2),
        lambda: nn.TemporalConvolution(3, 2, 3, 2),
        (1, 8, 3),
    ),
    "TemporalRowConvolution": (
        lambda t: t.Conv1d(3, 3, 2, 2, groups=3),
        lambda: nn.TemporalRowConvolution(3, 2, 2, True),
        (2, 3, 6),
    ),
    "VolumetricConvolution": (
        lambda t: t.Conv3d(2, 2, (2, 1, 3), (1, 2, 1), (1, 0, 1)),
        lambda: nn.VolumetricConvolution(2, 2, 2, 3, 1, 1, 1, 2, 1, 1, 0),
        (2, 2, 2, 3, 2),
    ),
    "VolumetricDilatedConvolution": (
        lambda t: t.Conv3d(1, 2, (2, 1, 2), 1, (1, 0, 1), (3, 1, 2), bias=False),
        lambda: nn.VolumetricDilatedConvolution(1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 3, 2, 1).noBias(),
        (1, 1, 3, 2, 3),
    ),
    "VolumetricFullConvolution": (
        lambda t: t.ConvTranspose3d(2, 1, (2, 1, 3), (1, 2, 2), (1, 0, 1), (0, 1, 0)),
        lambda: nn.VolumetricFullConvolution(2, 1, 2, 3, 1, 1, 2, 2, 1, 1, 0, 0, 0, 1),
        (1, 2, 3, 2, 2),
    ),
    "SpatialMaxPooling": (
        lambda t: t.MaxPool2d((2, 3), (2, 1), (1, 1)),
        lambda: nn.SpatialMaxPooling(3, 2, 1, 2, 1, 1),
        (2, 2, 4, 4),
    ),
    "SpatialMaxPooling_ceil": (
        lambda t: t.MaxPool2d(2, ceil_mode=True),
        lambda: nn.SpatialMaxPooling(2, 2).ceil(),
        (4, 3, 5),
    ),
    "SpatialAveragePooling": (
        lambda t: t.AvgPool2d(3, 2, 1, ceil_mode=True),
        lambda: nn.SpatialAveragePooling(3, 3, 2, 2, 1, 1).ceil(),
        (2, 2, 4, 4),
    ),
    "SpatialAveragePooling_without_pads": (
        lambda t: t.AvgPool2d((2, 3), 1, (1, 1), count_include_pad=False),
        lambda: nn.SpatialAveragePooling(3, 2, 1, 1, 1, 1).setCountExcludePad(),
        (3, 4, 4),
    ),
    "SpatialBatchNormalization": (
        lambda t: t.BatchNorm2d(2),
        lambda: nn.SpatialBatchNormalization(2),
        (3, 2, 2, 4),
    ),
    "SpatialBatchNormalization_evaluate": (
        lambda t: t.BatchNorm2d(2).eval(),
        lambda: nn.SpatialBatchNormalization(2).evaluate(),
        (3, 2, 2, 4),
    ),
    "VolumetricBatchNormalization": (
        lambda t: t.BatchNorm3d(2),
        lambda: nn.VolumetricBatchNormalization(2),
        (3, 2, 2, 2, 2),
    ),
    "SpatialZeroPadding": (
        lambda t: t.ZeroPad2d((1, -1, 2, 0)),
        lambda: nn.SpatialZeroPadding(1, -1, 2, 0),
        (2, 3, 4),
    ),
    "SpatialReflectionPadding": (
        lambda t: t.ReflectionPad2d((3, 2, 1, 0)),
        lambda: nn.SpatialReflectionPadding(3, 2, 1, 0),
        (1, 1, 3, 4),
    ),
    "SpatialReplicationPadding": (
        lambda t: t.ReplicationPad2d((2, 1, 1, 0)),
        lambda: nn.SpatialReplicationPadding(2, 1, 1, 0),
        (2, 3, 4),
    ),
    "VolumetricReplicationPadding": (
        lambda t: t.ReplicationPad3d((2, 1, 1, 0, 1, 0)),
        lambda: nn.VolumetricReplicationPadding(2, 1, 1, 0, 1, 0),
        (1, 2, 2, 2),
    ),
    "SpatialDilatedMaxPooling": (
        lambda t: t.MaxPool2d((2, 3), (1, 2), (1, 1), (2, 1)),
        lambda: nn.SpatialDilatedMaxPooling(3, 2, 2, 1, 1, 1, 1, 2),
        (2, 2, 4, 4),
    ),
    "SpatialAdaptiveMaxPooling": (
        lambda t: t.AdaptiveMaxPool2d((2, 3)),
        lambda: nn.SpatialAdaptiveMaxPooling(3, 2),
        (2, 2, 3, 5),
    ),
    "SpatialAdaptiveAveragePooling": (
        lambda t: t.AdaptiveAvgPool2d((2, 3)),
        lambda: nn.SpatialAdaptiveAveragePooling(3, 2),
        (2, 2, 3, 5),
    ),
    "SpatialLPPooling": (
        lambda t: t.LPPool2d(2, (1, 2), (1, 2)),
        lambda: nn.SpatialLPPooling(2, 2, 2, 1),
        (2, 2, 3, 4),
    ),
    "VolumetricMaxPooling": (
        lambda t: t.MaxPool3d((2, 1, 2), (1, 2, 2), (1, 0, 1), ceil_mode=True),
        lambda: nn.VolumetricMaxPooling(2, 2, 1, 1, 2, 2, 1, 1, 0).ceil(),
        (2, 2, 2, 2, 3),
    ),
    "VolumetricDilatedMaxPooling": (
        lambda t: t.MaxPool3d((2, 1, 2), 1, (1, 0, 0), (2, 1, 2)),
        lambda: nn.VolumetricDilatedMaxPooling(2, 2, 1, 1, 1, 1, 1, 0, 0, 2, 2, 1),
        (2, 3, 2, 3),
    ),
    "VolumetricAveragePooling": (
        lambda t: t.AvgPool3d((1, 2, 2), (1, 1, 2)),
        lambda: nn.VolumetricAveragePooling(1, 2, 2, 1, 2, 1),
        (2, 2, 2, 2, 4),
    ),
    "SpatialUpSamplingNearest": (
        lambda t: t.UpsamplingNearest2d(scale_factor=2),
        lambda: nn.SpatialUpSamplingNearest(2),
        (1, 2, 2, 2),
    ),
    "SpatialUpSamplingBilinear": (
        lambda t: t.UpsamplingBilinear2d(size=(5, 4)),
        lambda: nn.SpatialUpSamplingBilinear({"oheight": 5, "owidth": 4}),
        (1, 2, 2, 3),
    ),
    "UpSampling": (
        lambda t: t.Upsample(scale_factor=2),
        lambda: nn.UpSampling(2),
        (1, 2, 1, 2, 2),
    ),
    "UpSampling_linear": (
        lambda t: t.Upsample((3, 4, 2), mode="trilinear", align_corners=True),
        lambda: nn.UpSampling({"odepth": 3, "oheight": 4, "owidth": 2}, "linear"),
        (1, 2, 2, 3, 3),
    ),
    "PixelShuffle": (lambda t: t.PixelShuffle(2), lambda: nn.PixelShuffle(2), (2, 8, 2, 2)),
    "SpatialCrossMapLRN": (
        lambda t: t.LocalResponseNorm(3, 2, 0.75, 1.5),
        lambda: nn.SpatialCrossMapLRN(3, 2, 0.75, 1.5),
        (2, 4, 2, 2),
    ),
    "SpatialCrossMapLRN_wide": (
        lambda t: t.LocalResponseNorm(7, 0.5, 0.6, 2),
        lambda: nn.SpatialCrossMapLRN(7, 0.5, 0.6, 2),
        (2, 3, 2, 2),
    ),
}


def odd(rng, shape):
    if isinstance(shape, list):
        return [odd(rng, entry) for entry in shape]
    return (2 * rng.permutation(np.arange(-32, 32))[: np.prod(shape)] + 1).reshape(shape) / 16


def main():
    try:
        import torch
    except ImportError as error:
        raise SystemExit("PyTorch is needed: pip install torch==2.13.0") from error
    rng = np.random.default_rng(0)
    stored = {"made_with": np.array(f"PyTorch {torch.__version__.partition('+')[0]}")}
    for name, (make, _, shape) in LAYERS.items():
        layer = make(torch.nn).double()
        arrays = odd(rng, shape if isinstance(shape, list) else [shape])
        inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
        with torch.no_grad():
            for i, parameter in enumerate(layer.parameters()):
                parameter.copy_(torch.tensor(odd(rng, tuple(parameter.shape))))
                stored[f"{name}/parameter{i}"] = parameter.numpy().copy()
        output = layer(*inputs)
        gradOutput = odd(rng, tuple(output.shape))
        output.backward(torch.tensor(gradOutput))
        stored |= {f"{name}/output": output.detach().numpy(), f"{name}/gradOutput": gradOutput}
        for i, tensor in enumerate(inputs):
            stored[f"{name}/input{i}"] = arrays[i]
            stored[f"{name}/gradInput{i}"] = tensor.grad.numpy()
        for i, parameter in enumerate(layer.parameters()):
            stored[f"{name}/gradient{i}"] = parameter.grad.numpy()
    np.savez_compressed(FILE, **stored)


if __name__ == "__main__":
    main()
