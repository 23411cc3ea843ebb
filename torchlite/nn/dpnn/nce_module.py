"""NCEModule."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.errors import SettingError, ShapeError
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addat, addmm, product
from torchlite.kernels.like import like
from torchlite.kernels.sums import inner, sum_all, sum_along, sum_rows
from torchlite.nn import checks, table_checks
from torchlite.nn.initial import drawn, uniform
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, same, shapes
from torchlite.nn.stateful import restored

__all__ = ["NCEModule"]


class NCEModule(Module):
    """A linear map to very many classes that is trained on the target and k classes of noise alone.

    With `NCECriterion` the model learns to tell the two apart, for which no other class is needed.

    Maths
    -----
    With noise the classes drawn by the probabilities Pn = unigrams::

        Pmt = exp((x * weight[target]).sum(1) + bias[target]) / Z
        Pms = exp(x @ weight[noise].T + bias[noise]) / Z
        output = [Pmt, Pms, Pn[target], Pn[noise] for each sample]

    and a backward is that of these, in which Z is constant. In evaluation with `normalized` output
    is the softmax, or with `logsoftmax` its logarithm, of x @ weight.T + bias.

    Shapes
    ------
    input: a list of x (N, inputSize) and target (N,), integers; output: a list of arrays (N,),
    (N, k), (N,), (N, k), or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0, and 1.
    k
        How many classes of noise are drawn.
    unigrams
        (outputSize,), how often each class is to be drawn: a copy that adds up to 1 is kept.
    Z
        What the exponentials are divided by. Not above 0: it becomes outputSize times their mean in
        the first forward.

    Attributes
    ----------
    weight, gradWeight, bias, gradBias
        (outputSize, inputSize), (outputSize,).
    Z
        (1,), as above.
    unigrams
        As above, in float64 whatever the layer's dtype.
    batchnoise
        True: the same k classes for all samples; False: k for each. It may be set.
    normalized, logsoftmax
        What an evaluation gives, see Maths; False at first. They may be set.
    sampleidx
        The classes of the last forward: (k + N,), the noise and the targets, or without batchnoise
        (N, 1 + k), the target first.

    Conventions
    -----------
    Weight is drawn as that of Linear, and bias is -log(outputSize), so that the probabilities begin
    with a sum near 1; `reset(stdv)` draws both from U(-stdv, stdv). The noise is drawn by Walker's
    alias method, in evaluation, too, unless `normalized`: first all places, then whether to keep
    them. A forward remembers the noise and its input; a backward needs them. Classes count from 0,
    and have no gradient: in its place stand zeros of their dtype.

    Raises
    ------
    ShapeError, DTypeError
        input, gradOutput or unigrams does not fit.
    SettingError
        unigrams has a negative number, or no finite sum above 0.
    IndexError
        A target is no class.
    StateError
        A backward of another input than the last forward's.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.NCEModule(2, 4, 3, np.ones(4), 1)
    >>> layer.weight[:] = 0
    >>> x = [np.ones((5, 2)), np.zeros(5, int)]
    >>> [p.shape for p in layer.forward(x)], layer.output[0][0], layer.output[2][0]
    ([(5,), (5, 3), (5,), (5, 3)], np.float64(0.25), np.float64(0.25))
    >>> layer.evaluate().normalized = True
    >>> layer.forward(x)[0]
    array([0.25, 0.25, 0.25, 0.25])

    Reference
    ---------
    torch/rnn, NCEModule.lua. Mnih and Teh, A fast and simple algorithm for training neural
    probabilistic language models, 2012.
    """

    _validates = True
    remembers = True
    transient = (*Module.transient, "sampleidx", "_input", "_made", "_alias")
    _caches = (*Module._caches, "_alias")
    _uncast = ("unigrams",)
    sampleidx: Any = EMPTY
    # The input of the last forward, and what came of it: noise, Pmt and Pms; or the probabilities.
    _input: Any = None
    _made: Any = ()
    _alias: Any = None

    def __init__(
        self, inputSize: int, outputSize: int, k: int, unigrams: Array, Z: float = -1
    ) -> None:
        outputSize = checks.at_least(self, "outputSize", outputSize, 1)
        self.k = checks.at_least(self, "k", k, 1)
        checks.must_be_array(self, "__init__", "unigrams", unigrams)
        if unigrams.shape != (outputSize,):
            got = shapes(unigrams)
            raise checks.misbuilt(ShapeError, self, "unigrams", f"({outputSize},)", got)
        values = unigrams.astype(np.float64)
        total = sum_all(values)
        if not ((values >= 0).all() and 0 < total < np.inf):
            expected = "at least 0, with a finite sum above 0"
            raise checks.misbuilt(SettingError, self, "unigrams", expected, str(unigrams))
        self.unigrams: Array = values / total
        self.Z: Array = np.array([checks.constant(self, "Z", Z)], np.float64)
        self.batchnoise = True
        self.normalized = False
        self.logsoftmax = False
        inputSize = checks.size(self, "inputSize", inputSize)
        self.weight: Array = np.zeros((outputSize, inputSize))
        self.gradWeight: Array = np.zeros((outputSize, inputSize))
        self.bias: Array = np.zeros(outputSize)
        self.gradBias: Array = np.zeros(outputSize)
        self.reset()

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        broken: dict[str, str] = {}
        if self.train or not self.normalized:
            broken["batch"] = "the noise is drawn for the batch, in evaluation, too"
        if not self.Z.real.item() > 0:
            estimated = ("repeat", "update", "gradInput", "gradParameters", "accumulate", "flat")
            broken |= dict.fromkeys((*estimated, "interleave"), "the first forward estimates Z")
        return broken

    def updateOutput(self, input: Sequence[Array]) -> Any:
        x, target = self._parts("updateOutput", input)
        self._input = None
        if self.normalized and not self.train:
            self.output = self._probabilities(x)
            self._made = (self.output,)
        else:
            noise = self._noise(x)
            Pmt, Pms = self._likelihoods(x, target, noise)
            Pnt, Pns = (self.unigrams[classes].astype(x.dtype) for classes in (target, noise))
            self.output = [Pmt, Pms, Pnt, np.broadcast_to(Pns, Pms.shape).copy()]
            self._made = noise, Pmt, Pms
            if self.batchnoise:
                self.sampleidx = np.concatenate([noise, target])
            else:
                self.sampleidx = np.concatenate([target.reshape(-1, 1), noise], 1)
        self._input = input
        return self.output

    def _likelihoods(self, x: Array, target: Array, noise: Array) -> tuple[Array, Array]:
        weight, bias = self.weight, self.bias
        Pmt = np.exp(inner(x, weight[target]) + bias[target])
        if self.batchnoise:
            Pms = np.exp(product(x, weight[noise].T) + bias[noise])
        else:
            Pms = np.exp(inner(x[:, None], weight[noise]) + bias[noise])
        Z = self.Z.real.item()
        if not Z > 0 and len(x):
            every = Pms if self.batchnoise else np.concatenate([Pmt.reshape(-1, 1), Pms], 1)
            Z = sum_all(every.real).item() / every.size * len(weight)
            self.Z[0] = Z
        return Pmt / Z, Pms / Z

    def _noise(self, x: Array) -> Array:
        """Draw the classes of noise: (k,), or (N, k) without batchnoise."""
        other, share = self.alias_tables()
        size = (self.k,) if self.batchnoise else (len(x), self.k)
        places = random.random(1, len(share), out=np.empty(size, np.int64)) - 1
        keep = random.uniform(size=size) <= share[places]
        return like(np.where(keep, places, other[places]), x)

    def alias_tables(self) -> tuple[Array, Array]:
        """Return what noise is drawn by: for each class another one, and its own share of the two.

        A class is drawn evenly, and kept with the probability of its share, or else exchanged.
        """
        if self._alias is None:
            unigrams = self.unigrams
            self._alias = _alias_tables([unigrams[i].item() for i in range(len(unigrams))])
        other, share = self._alias
        return other, share

    def _probabilities(self, x: Array) -> Array:
        linear = product(x, self.weight.T) + self.bias
        linear = linear - linear.real.max(axis=1, keepdims=True)
        total = sum_along(np.exp(linear), 1, keepdims=True)
        return linear - np.log(total) if self.logsoftmax else np.exp(linear) / total

    def updateGradInput(self, input: Sequence[Array], gradOutput: Any) -> Any:
        _, target = self._parts_back("updateGradInput", input, gradOutput)
        weight = self.weight
        if len(self._made) == 1:
            gradX = product(self._gradLinear(gradOutput), weight)
        else:
            noise, gradTarget, gradNoise = self._gradLinears(gradOutput)
            gradX = gradTarget[:, None] * weight[target]
            if self.batchnoise:
                gradX += product(gradNoise, weight[noise])
            else:
                gradX += sum_along(gradNoise[:, :, None] * weight[noise], 1)
        self.gradInput = [gradX, np.zeros_like(input[1])]
        return self.gradInput

    def accGradParameters(self, input: Sequence[Array], gradOutput: Any, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        x, target = self._parts_back("accGradParameters", input, gradOutput)
        if len(self._made) == 1:
            gradLinear = self._gradLinear(gradOutput)
            increment = scale * sum_rows(gradLinear)
            addmm(self.gradWeight, scale, gradLinear.T, x)
            self.gradBias += increment
            return
        noise, gradTarget, gradNoise = self._gradLinears(gradOutput)
        if self.batchnoise:
            by_weight, by_bias = product(gradNoise.T, x), sum_rows(gradNoise)
        else:
            by_weight = (gradNoise[:, :, None] * x[:, None]).reshape(-1, x.shape[1])
            by_bias = gradNoise.reshape(-1)
        classes = np.concatenate([noise.reshape(-1), target])
        rows = np.concatenate([by_weight, gradTarget[:, None] * x])
        entries = np.concatenate([by_bias, gradTarget])
        addat(self.gradWeight, scale, classes, rows)
        addat(self.gradBias.reshape(-1, 1), scale, classes, entries.reshape(-1, 1))

    def _gradLinears(self, gradOutput: Any) -> tuple[Array, Array, Array]:
        """Return the noise, and the gradients of what the exponentials were taken of."""
        noise, Pmt, Pms = self._made
        return noise, gradOutput[0] * Pmt, gradOutput[1] * Pms

    def _gradLinear(self, gradOutput: Array) -> Array:
        (output,) = self._made
        if self.logsoftmax:
            return gradOutput - np.exp(output) * sum_along(gradOutput, 1, keepdims=True)
        return output * (gradOutput - sum_along(gradOutput * output, 1, keepdims=True))

    def _parts(self, method: str, input: Any) -> tuple[Array, Array]:
        """Return x and the targets."""
        table_checks.must_be_table(self, method, "input", input, 2)
        x, target = input
        outputSize, inputSize = self.weight.shape
        checks.must_be_floating(self, method, "input[0]", x, self.weight.dtype)
        if x.ndim != 2 or x.shape[1] != inputSize:
            raise checks.misshapen(self, method, "input[0]", f"(N, {inputSize})", x)
        target = checks.integers(self, method, "input[1]", target, outputSize, "classes")
        if target.shape != x.shape[:1]:
            raise checks.misshapen(self, method, "input[1]", f"({len(x)},)", target)
        return x, target

    def _parts_back(self, method: str, input: Any, gradOutput: Any) -> tuple[Array, Array]:
        x, target = self._parts(method, input)
        if self._input is None or not (input is self._input or same(input, self._input)):
            known = None if self._input is None else f"input {shapes(self._input)}"
            hint = "call forward(input) first: the noise is drawn there"
            name = checks.title(self)
            raise checks.unremembered(name, self, method, "input", known, input, hint)
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        if method == "accGradParameters":
            for gradient in (
                gradOutput[:2] if isinstance(gradOutput, (list, tuple)) else [gradOutput]
            ):
                checks.must_accumulate(self, x, gradient, self.weight.dtype)
        return x, target

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight from U(-s, s) with s = 1 / sqrt(inputSize), and set bias to -log(outputSize).

        With stdv both are drawn from U(-stdv, stdv).
        """
        weight, bias = self.weight, self.bias
        if stdv is None:
            uniform(self, None, weight.shape[1], weight)
            bias.fill(-math.log(len(bias)))
            return self
        stdv = checks.deviation(self, stdv)
        with restored((weight, bias)):
            for parameter in (weight, bias):
                parameter[...] = drawn(random.uniform, parameter, -stdv, stdv)
        return self

    def __repr__(self) -> str:
        outputSize, inputSize = self.weight.shape
        return f"{type(self).__name__}({inputSize} -> {outputSize})"


def _alias_tables(probabilities: list[float]) -> tuple[Array, Array]:
    """Return Walker's tables, paired in the order of torchx."""
    n = len(probabilities)
    share = [n * p for p in probabilities]
    other = [0] * n
    small = [i for i, s in enumerate(share) if s < 1]
    large = [i for i, s in enumerate(share) if s >= 1]
    paired = set()
    while small and large:
        one, rich = small.pop(), large.pop()
        other[one] = rich
        paired.add(one)
        share[rich] -= 1 - share[one]
        (small if share[rich] < 1 else large).append(rich)
    most = max(share)
    if most > 1:
        share = [s / most for s in share]
    for i in set(range(n)) - paired:
        share[i] = 1
    return np.array(other), np.array(share)
