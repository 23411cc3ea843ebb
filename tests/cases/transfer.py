"""Transfer functions."""

import numpy as np

from cases import Case
from torchlite import nn


def positive(rng):
    """Odd multiples of 1/16, where roots and logarithms are at home."""
    return (2 * rng.integers(2, 32, (5, 3)) + 1) / 16


def image(layer, **options):
    """A row of one image: three planes, not three samples."""
    return Case(layer, input=(3, 2, 4), **options)


CASES = [
    Case(lambda: nn.Abs(), input=(5, 3)),
    Case(lambda: nn.AddConstant(-1.5), input=(5, 3)),
    Case(lambda: nn.AddConstant(np.array([1.0, -2.0, 0.5])), input=(5, 3), name="vector"),
    Case(lambda: nn.Clamp(-0.75, 2), input=(5, 3)),
    Case(lambda: nn.CReLU(1), input=(5, 3)),
    Case(lambda: nn.CReLU(3), input=(2, 3, 4, 2), name="images"),
    Case(lambda: nn.CReLU(1), input=(4,), name="one sample"),
    Case(lambda: nn.ELU(), input=(5, 3)),
    Case(lambda: nn.ELU(0.4), input=(2, 3, 4), name="alpha"),
    Case(lambda: nn.Exp(), input=(5, 3)),
    Case(lambda: nn.GatedLinearUnit(), input=(5, 6)),
    Case(lambda: nn.GatedLinearUnit(1), input=(3, 4, 5), name="dim"),
    Case(lambda: nn.HardShrink(), input=(5, 3)),
    Case(lambda: nn.HardTanh(), input=(5, 3)),
    Case(lambda: nn.LeakyReLU(), input=(5, 3)),
    Case(lambda: nn.LeakyReLU(-0.2), input=(2, 3, 4), name="negative slope"),
    Case(lambda: nn.Log(), input=positive),
    Case(lambda: nn.LogSigmoid(), input=(5, 3)),
    Case(lambda: nn.LogSoftMax(), input=(5, 3)),
    Case(lambda: nn.LogSoftMax(), input=(4,), name="one sample"),
    Case(lambda: nn.LogSoftMax(), input=(2, 3, 2, 4), name="images"),
    Case(lambda: nn.LogSoftMax(-1), input=(2, 5, 4), name="dim"),
    image(lambda: nn.LogSoftMax(), name="image"),
    Case(lambda: nn.MulConstant(-2.5), input=(5, 3)),
    Case(lambda: nn.Power(3), input=(5, 3)),
    Case(lambda: nn.Power(0.5), input=positive, name="root"),
    Case(lambda: nn.Power(0), input=(5, 3), name="flat"),
    Case(lambda: nn.PReLU(), input=(5, 3)),
    Case(lambda: nn.PReLU(3), input=(5, 3), name="planes"),
    Case(lambda: nn.PReLU(3), input=(2, 3, 2, 4), name="images"),
    Case(lambda: nn.ReLU(), input=(5, 3)),
    Case(lambda: nn.ReLU(True), input=(5, 3), name="inplace"),
    Case(lambda: nn.ReLU6(), input=(5, 3)),
    Case(lambda: nn.RReLU(), input=(5, 3)),
    Case(
        lambda: nn.RReLU(0.25, 0.5).evaluate(),
        input=(5, 3),
        name="evaluate",
    ),
    Case(lambda: nn.SAdd(2.5, True), (4, 3)),
    Case(lambda: nn.Sigmoid(), input=(5, 3)),
    Case(lambda: nn.SoftMax(), input=(5, 3)),
    Case(lambda: nn.SoftMax(), input=(4,), name="one sample"),
    Case(lambda: nn.SoftMax(), input=(2, 3, 2, 4), name="images"),
    Case(lambda: nn.SoftMax(0), input=(5, 3), name="dim"),
    image(lambda: nn.SoftMax(), name="image"),
    Case(lambda: nn.SoftMin(), input=(5, 3)),
    Case(lambda: nn.SoftMin(2), input=(2, 5, 4), name="dim"),
    Case(lambda: nn.SoftPlus(), input=(5, 3), formula=lambda mp, x: mp.log(1 + mp.exp(x))),
    Case(lambda: nn.SoftPlus(2.5), input=(2, 3, 4), name="beta"),
    Case(lambda: nn.SoftShrink(), input=(5, 3)),
    Case(lambda: nn.SoftSign(), input=(5, 3)),
    Case(lambda: nn.SpatialLogSoftMax(), input=(2, 3, 2, 4)),
    image(lambda: nn.SpatialLogSoftMax(), name="image"),
    Case(lambda: nn.SpatialSoftMax(), input=(2, 3, 2, 4)),
    image(lambda: nn.SpatialSoftMax(), name="image"),
    Case(lambda: nn.Sqrt(), input=positive),
    Case(lambda: nn.Square(), input=(5, 3)),
    Case(lambda: nn.Tanh(), input=(5, 3)),
    Case(lambda: nn.TanhShrink(), input=(5, 3)),
    Case(lambda: nn.Threshold(), input=(5, 3)),
    Case(lambda: nn.Threshold(0.5, -2), input=(2, 3, 4), name="value"),
]
