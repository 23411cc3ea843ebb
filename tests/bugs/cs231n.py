"""Layers as one writes them for a course: forward fills a cache, backward takes it."""

import math

import numpy as np

from bugs import Bug
from bugs.good import WHOLE_BATCH, Good, Standardised
from torchlite import nn, random
from torchlite.errors import ShapeError
from torchlite.nn.nested import shapes


class Functional(nn.Module):
    """A layer as two functions: run gives the output and a cache, back the gradients.

    back returns the gradient of the input first, then those of the parameters that `learned`
    names. The cache is computed anew for each backward, so that it belongs to no other forward.
    """

    learned = ()

    def draw(self, **sizes):
        for name, size in sizes.items():
            setattr(self, name, random.uniform(-1, 1, size=size))
            setattr(self, f"d{name}", np.zeros(size))

    def parameters(self):
        return (
            [getattr(self, name) for name in self.learned],
            [getattr(self, f"d{name}") for name in self.learned],
        )

    def updateOutput(self, input):
        self.output, _ = self.run(input)
        return self.output

    def _back(self, input, gradOutput):
        output, cache = self.run(input)
        if shapes(gradOutput) != shapes(output):
            raise ShapeError(f"gradOutput must be {shapes(output)}, got {shapes(gradOutput)}")
        return self.back(gradOutput, cache)

    def updateGradInput(self, input, gradOutput):
        self.gradInput, *_ = self._back(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        if self.learned:
            _, *gradients = self._back(input, gradOutput)
            for name, gradient in zip(self.learned, gradients, strict=True):
                array = getattr(self, f"d{name}")
                array += scale * gradient


# ---------------------------------------------------------------- affine


class AffineOfImages(Functional):
    """(N, a, b) to (N, m): affine_forward and affine_backward."""

    learned = ("W", "b")

    def __init__(self, inputs, outputs):
        self.draw(W=(inputs, outputs), b=outputs)

    def run(self, x):
        flat = x.reshape(len(x), math.prod(x.shape[1:]))
        return flat @ self.W + self.b, (x, flat)

    def back(self, dout, cache):
        x, flat = cache
        return (dout @ self.W.T).reshape(x.shape), flat.T @ dout, dout.sum(0)


class AffineForgetsShapeOfImages(AffineOfImages):
    def back(self, dout, cache):
        _, dW, db = super().back(dout, cache)
        return dout @ self.W.T, dW, db


class AffineTurnsImages(AffineOfImages):
    """Back to (b, a) instead of (a, b), which only square images do not refuse."""

    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        return dx.swapaxes(1, 2), dW, db


class AffineSumsBiasOverOutputs(AffineOfImages):
    """Only fits when there are as many samples as outputs."""

    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        return dx, dW, dout.sum(1) if dout.shape[0] == dout.shape[1] else db


class AffineInBlocksOfEight(AffineOfImages):
    """The gradients are summed block by block; what fills no block is left out."""

    def back(self, dout, cache):
        x, flat = cache
        dx, dW, db = super().back(dout, cache)
        if len(x) > 8:
            dW, db = np.zeros_like(dW), np.zeros_like(db)
            for block in range(len(x) // 8):
                rows = slice(8 * block, 8 * block + 8)
                dW = dW + flat[rows].T @ dout[rows]
                db = db + dout[rows].sum(0)
        return dx, dW, db


class AffineTakesThirtyTwoRows(AffineOfImages):
    """As many as a batch had when it was written."""

    def back(self, dout, cache):
        _, flat = cache
        dx, _, db = super().back(dout, cache)
        return dx, flat[:32].T @ dout[:32], db


class AffineZeroesRestOfBatch(AffineOfImages):
    """gradInput of 64 rows at most is filled."""

    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        dx[64:] = 0
        return dx, dW, db


class AffineAccumulatesWithoutScale(AffineOfImages):
    def accGradParameters(self, input, gradOutput):
        super().accGradParameters(input, gradOutput)


class AffineScaleHasAnotherName(AffineOfImages):
    def accGradParameters(self, input, gradOutput, *, lr=1):
        super().accGradParameters(input, gradOutput, lr)


class AffineOutputArrayReused(AffineOfImages):
    """One array per shape and dtype, filled again by each forward."""

    def updateOutput(self, input):
        output, _ = self.run(input)
        kept = vars(self).setdefault("_kept", {})
        array = kept.setdefault((output.shape, output.dtype.str), output)
        array[...] = output
        self.output = array
        return array


class AffineGradientOfLastSample(AffineOfImages):
    """dW = instead of dW += in the loop over samples."""

    def back(self, dout, cache):
        _, flat = cache
        dx, dW, db = super().back(dout, cache)
        for row, gradient in zip(flat, dout, strict=True):
            dW = np.outer(row, gradient)
        return dx, dW, db


class AffineGradInputOfFirstSample(AffineOfImages):
    """return inside the loop."""

    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        dx[1:] = 0
        return dx, dW, db


# ---------------------------------------------------------------- activations


class LeakyRelu(Functional):
    slope = 0.1

    def run(self, x):
        return np.where(x.real > 0, x, self.slope * x), x

    def back(self, dout, x):
        return (np.where(x.real > 0, dout, self.slope * dout),)


class LeakOfAbsoluteSlope(LeakyRelu):
    """The leak has the wrong sign."""

    def back(self, dout, x):
        return (np.where(x.real > 0, dout, -self.slope * dout),)


class Elu(Functional):
    def run(self, x):
        return np.where(x.real > 0, x, np.exp(np.minimum(x, 0)) - 1), x

    def back(self, dout, x):
        return (np.where(x.real > 0, dout, dout * np.exp(np.minimum(x, 0))),)


class EluSlopeOfOutput(Elu):
    """The derivative in terms of the output is output + 1."""

    def back(self, dout, x):
        return (np.where(x.real > 0, dout, dout * (np.exp(np.minimum(x, 0)) - 1)),)


class Swish(Functional):
    """x * sigmoid(x)."""

    def run(self, x):
        s = 0.5 * (1 + np.tanh(0.5 * x))
        return x * s, (x, s)

    def back(self, dout, cache):
        x, s = cache
        return (dout * (s + x * s * (1 - s)),)


class SwishForgetsProductRule(Swish):
    def back(self, dout, cache):
        _, s = cache
        return (dout * s,)


class SwishOverflows(Swish):
    """exp(x) / (1 + exp(x)), which is NaN from 710."""

    def back(self, dout, cache):
        x, _ = cache
        with np.errstate(all="ignore"):
            s = np.exp(x) / (1 + np.exp(x))
        return (dout * (s + x * s * (1 - s)),)


class Relu6(Functional):
    def run(self, x):
        return np.minimum(np.maximum(x, 0), 6), x

    def back(self, dout, x):
        return (dout * ((x.real > 0) & (x.real < 6)),)


class Relu6NeverSaturates(Relu6):
    def back(self, dout, x):
        return (dout * (x.real > 0),)


class SoftplusWithThreshold(Functional):
    """log(1 + exp(x)), and x itself from 20."""

    def run(self, x):
        return np.where(x.real > 20, x, np.log1p(np.exp(np.minimum(x, 20)))), x

    def back(self, dout, x):
        return (np.where(x.real > 20, dout, 0.5 * (1 + np.tanh(0.5 * x)) * dout),)


class SoftplusStopsAtThreshold(SoftplusWithThreshold):
    def back(self, dout, x):
        return (np.where(x.real > 20, 0, 0.5 * (1 + np.tanh(0.5 * x)) * dout),)


class SquareClippedAt128(Functional):
    """A guard against explosion, forwards only."""

    def run(self, x):
        return np.clip(x, -128, 128) ** 2, x

    def back(self, dout, x):
        return (2 * x * dout,)


# ---------------------------------------------------------------- convolution


def patches(x, k, stride, pad):
    """(N, C, H, W) to (N, C, k * k, h, w): im2col."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    h, w = ((n - k) // stride + 1 for n in x.shape[2:])
    return np.stack(
        [
            x[:, :, i : i + stride * h : stride, j : j + stride * w : stride]
            for i in range(k)
            for j in range(k)
        ],
        axis=2,
    )


def unpatched(cols, x, k, stride, pad):
    """The other way, where what overlaps is summed: col2im."""
    padded = np.pad(np.zeros_like(x), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    h, w = cols.shape[3:]
    for i in range(k):
        for j in range(k):
            rows, columns = slice(i, i + stride * h, stride), slice(j, j + stride * w, stride)
            padded[:, :, rows, columns] += cols[:, :, i * k + j]
    H, W = x.shape[2:]
    return padded[:, :, pad : pad + H, pad : pad + W].copy()


class Convolution(Functional):
    """Images (N, C, H, W) to (N, F, h, w), by im2col."""

    learned = ("W", "b")

    def __init__(self, channels, filters, k=3, stride=1, pad=1):
        self.stride, self.pad = stride, pad
        self.draw(W=(filters, channels, k, k), b=filters)

    def _geometry(self):
        return self.W.shape[-1], self.stride, self.pad

    def _filters(self):
        return self.W.reshape(*self.W.shape[:2], -1)

    def run(self, x):
        cols = patches(x, *self._geometry())
        output = np.einsum("fck,nckhw->nfhw", self._filters(), cols)
        return output + self.b[:, None, None], (x, cols)

    def back(self, dout, cache):
        x, cols = cache
        dcols = np.einsum("fck,nfhw->nckhw", self._filters(), dout)
        dW = np.einsum("nfhw,nckhw->fck", dout, cols).reshape(self.W.shape)
        return unpatched(dcols, x, *self._geometry()), dW, dout.sum((0, 2, 3))


class ConvolutionOverlapsOverwrite(Convolution):
    """= instead of += where patches overlap."""

    def back(self, dout, cache):
        x, _ = cache
        _, dW, db = super().back(dout, cache)
        dcols = np.einsum("fck,nfhw->nckhw", self._filters(), dout)
        k, stride, pad = self._geometry()
        padded = np.pad(np.zeros_like(x), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        h, w = dout.shape[2:]
        for i in range(k):
            for j in range(k):
                rows, columns = slice(i, i + stride * h, stride), slice(j, j + stride * w, stride)
                padded[:, :, rows, columns] = dcols[:, :, i * k + j]
        H, W = x.shape[2:]
        return padded[:, :, pad : pad + H, pad : pad + W].copy(), dW, db


class ConvolutionKeepsPadding(Convolution):
    """The padding is cut off at the far side only."""

    def back(self, dout, cache):
        x, _ = cache
        _, dW, db = super().back(dout, cache)
        k, stride, pad = self._geometry()
        dcols = np.einsum("fck,nfhw->nckhw", self._filters(), dout)
        H, W = x.shape[2:]
        wide = np.zeros_like(x, shape=(*x.shape[:2], H + 2 * pad, W + 2 * pad))
        return unpatched(dcols, wide, k, stride, 0)[:, :, :H, :W].copy(), dW, db


class ConvolutionPadsGradWeightElsewhere(Convolution):
    """gradW is taken from patches one row further down."""

    def back(self, dout, cache):
        x, _ = cache
        dx, _, db = super().back(dout, cache)
        cols = patches(np.roll(x, 1, axis=2), *self._geometry())
        return dx, np.einsum("nfhw,nckhw->fck", dout, cols).reshape(self.W.shape), db


class ConvolutionTurnsFilters(Convolution):
    """gradW with rows and columns of each filter exchanged."""

    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        return dx, dW.swapaxes(2, 3), db


class ConvolutionExchangesChannels(Convolution):
    """(C, F) for (F, C), which only as many filters as channels do not refuse."""

    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        return dx, dW.swapaxes(0, 1), db


class ConvolutionReadsFiltersBackwards(Convolution):
    """A convolution with the turned filters is what a correlation with them would be."""

    def back(self, dout, cache):
        _, dW, db = super().back(dout, cache)
        x, _ = cache
        dcols = np.einsum("fck,nfhw->nckhw", self._filters()[..., ::-1], dout)
        return unpatched(dcols, x, *self._geometry()), dW, db


class ConvolutionOfLastFilter(Convolution):
    """The loop over filters overwrites gradInput."""

    def back(self, dout, cache):
        _, dW, db = super().back(dout, cache)
        x, _ = cache
        dcols = np.einsum("ck,nhw->nckhw", self._filters()[-1], dout[:, -1])
        return unpatched(dcols, x, *self._geometry()), dW, db


class ConvolutionAveragesBias(Convolution):
    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        return dx, dW, db / max(dout.size / len(db), 1)


class ConvolutionStopsAtBlocks(Convolution):
    """Sixteen images at a time; the rest of the last block gets no gradient."""

    def back(self, dout, cache):
        dx, dW, db = super().back(dout, cache)
        if len(dx) > 16:
            dx[16 * (len(dx) // 16) :] = 0
        return dx, dW, db


class ConvolutionSkipsBorder(Convolution):
    """gradW leaves out the last row of outputs: range(h - 1)."""

    def back(self, dout, cache):
        _, cols = cache
        dx, _, db = super().back(dout, cache)
        dW = np.einsum("nfhw,nckhw->fck", dout[:, :, :-1], cols[:, :, :, :-1])
        return dx, dW.reshape(self.W.shape), db


# ---------------------------------------------------------------- normalisation of images


class SpatialStandardised(Standardised):
    """Batch normalisation of (N, C, H, W), channel by channel."""

    def _columns(self, images):
        return images.transpose(0, 2, 3, 1).reshape(-1 if images.size else 0, len(self.weight))

    def _images(self, columns, like):
        N, C, H, W = like.shape
        return columns.reshape(N, H, W, C).transpose(0, 3, 1, 2).copy()

    def updateOutput(self, input):
        self.output = self._images(super().updateOutput(self._columns(input)), input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        columns = super().updateGradInput(self._columns(input), self._columns(gradOutput))
        self.gradInput = self._images(columns, input)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(self._columns(input), self._columns(gradOutput), scale)


class SpatialGoesBackUntransposed(SpatialStandardised):
    """reshape(input.shape) where a transpose is meant."""

    def updateGradInput(self, input, gradOutput):
        columns = Standardised.updateGradInput(
            self, self._columns(input), self._columns(gradOutput)
        )
        self.gradInput = columns.reshape(input.shape)
        return self.gradInput


class SpatialSumsOverWrongAxes(SpatialStandardised):
    """gradBias summed over (0, 1, 2), which only images as wide as they have channels allow."""

    def accGradParameters(self, input, gradOutput, scale=1):
        before = self.gradBias.copy()
        super().accGradParameters(input, gradOutput, scale)
        self.gradBias[...] = before + scale * gradOutput.sum((0, 1, 2))


class SpatialDetachesStatistics(SpatialStandardised):
    def updateGradInput(self, input, gradOutput):
        _, variance = self._statistics(self._columns(input))
        slope = self.weight / np.sqrt(variance + self.eps)
        self.gradInput = gradOutput * slope[:, None, None]
        return self.gradInput


class StandardisedByUnbiasedVariance(Standardised):
    """N forwards, N - 1 backwards."""

    def updateGradInput(self, input, gradOutput):
        if not self.train or len(input) < 2:
            return super().updateGradInput(input, gradOutput)
        mean, variance = self._statistics(input)
        count = len(input)
        deviation = np.sqrt(variance * count / (count - 1) + self.eps)
        gradient = gradOutput * self.weight / deviation
        normal = (input - mean) / deviation
        self.gradInput = (
            gradient - gradient.sum(0) / count - normal * (gradient * normal).sum(0) / count
        )
        return self.gradInput


class StandardisedGainOfOutput(Standardised):
    """gradGain takes the output for what was normalised."""

    def accGradParameters(self, input, gradOutput, scale=1):
        mean, variance = self._statistics(input)
        output = (input - mean) / np.sqrt(variance + self.eps) * self.weight + self.bias
        self.gradWeight += scale * (gradOutput * output).sum(0)
        self.gradBias += scale * gradOutput.sum(0)


class StandardisedAddsMeanTwice(Standardised):
    """The term of the mean counts once for itself and once for the variance."""

    def updateGradInput(self, input, gradOutput):
        gradInput = super().updateGradInput(input, gradOutput)
        if self.train and len(input):
            _, variance = self._statistics(input)
            slope = self.weight / np.sqrt(variance + self.eps)
            gradInput = gradInput - (gradOutput * slope).sum(0) / len(input)
        self.gradInput = gradInput
        return gradInput


# ---------------------------------------------------------------- a whole network in one layer


class TwoLayers(Functional):
    """affine - relu - affine, with the gradients of all of it by hand."""

    learned = ("W1", "b1", "W2", "b2")

    def __init__(self, inputs, hidden, outputs):
        self.draw(W1=(inputs, hidden), b1=hidden, W2=(hidden, outputs), b2=outputs)

    def run(self, x):
        h = np.maximum(x @ self.W1 + self.b1, 0)
        return h @ self.W2 + self.b2, (x, h)

    def back(self, dout, cache):
        x, h = cache
        dh = (dout @ self.W2.T) * (h.real > 0)
        return dh @ self.W1.T, x.T @ dh, dh.sum(0), h.T @ dout, dout.sum(0)


class TwoLayersForgetRelu(TwoLayers):
    def back(self, dout, cache):
        x, h = cache
        dh = dout @ self.W2.T
        return dh @ self.W1.T, x.T @ dh, dh.sum(0), h.T @ dout, dout.sum(0)


class TwoLayersMaskTooLate(TwoLayers):
    """The first weight's gradient is made before the mask is applied."""

    def back(self, dout, cache):
        x, _ = cache
        dx, _, db1, dW2, db2 = super().back(dout, cache)
        return dx, x.T @ (dout @ self.W2.T), db1, dW2, db2


class TwoLayersRegularised(TwoLayers):
    """The gradient holds that of a penalty, which is no part of the output."""

    def back(self, dout, cache):
        dx, dW1, db1, dW2, db2 = super().back(dout, cache)
        return dx, dW1 + 0.01 * self.W1, db1, dW2 + 0.01 * self.W2, db2


class TwoLayersBiasFromSecond(TwoLayers):
    """db1 is db2, where both layers have the same width."""

    def back(self, dout, cache):
        dx, dW1, _, dW2, db2 = super().back(dout, cache)
        return dx, dW1, db2, dW2, db2


IMAGES = (3, 2, 5, 5)

TEXTBOOK = {"digits": "as textbooks have it"}

GOOD = [
    Good(lambda n, m: AffineOfImages(2 * n, m), lambda N, n: (N, 2, n)),
    Good(lambda n, m: LeakyRelu()),
    Good(lambda n, m: Elu(), exempt=TEXTBOOK),
    Good(lambda n, m: Swish()),
    Good(lambda n, m: Relu6()),
    Good(lambda n, m: SoftplusWithThreshold()),
    Good(lambda n, m: Convolution(n, 2), lambda N, n: (N, n, 3, 4)),
    Good(lambda n, m: Convolution(n, 2, 2, 2, 0), lambda N, n: (N, n, 4, 5)),
    Good(lambda n, m: SpatialStandardised(n), lambda N, n: (N, n, 2, 2), exempt=WHOLE_BATCH),
    Good(lambda n, m: TwoLayers(n, m, 2)),
]

BUGS = [
    Bug(
        lambda: AffineForgetsShapeOfImages(6, 4),
        (5, 2, 3),
        {"gradInput"},
        "gradInput is flat, input is not",
        pattern="expected (5, 2, 3)",
    ),
    Bug(
        lambda: AffineTurnsImages(9, 4),
        (5, 3, 3),
        {"gradInput"},
        "rows and columns of square images are exchanged",
        pattern="transposed",
    ),
    Bug(
        lambda: AffineSumsBiasOverOutputs(6, 4),
        (4, 2, 3),
        {"gradParameters"},
        "the bias' gradient is summed over the outputs, not the samples",
        pattern="summed over axes",
    ),
    Bug(
        lambda: AffineInBlocksOfEight(6, 4),
        (5, 2, 3),
        {"gradParameters", "batch"},
        "beyond 8 samples, what fills no block of 8 is left out",
        pattern="last sample",
    ),
    Bug(
        lambda: AffineTakesThirtyTwoRows(6, 4),
        (5, 2, 3),
        {"gradParameters", "batch"},
        "only the first 32 samples count for the weight",
        pattern="last sample",
    ),
    Bug(
        lambda: AffineZeroesRestOfBatch(6, 4),
        (5, 2, 3),
        {"gradInput", "batch"},
        "only the first 64 samples get a gradient",
        pattern="last sample",
    ),
    Bug(
        lambda: AffineAccumulatesWithoutScale(6, 4),
        (5, 2, 3),
        {"scale"},
        "accGradParameters takes no scale",
        pattern="must take scale",
    ),
    Bug(
        lambda: AffineScaleHasAnotherName(6, 4),
        (5, 2, 3),
        {"scale"},
        "accGradParameters calls scale lr, and takes it by name only",
        pattern="must take scale",
    ),
    Bug(
        lambda: AffineOutputArrayReused(6, 4),
        (5, 2, 3),
        {"aliasing"},
        "the next forward fills the same array again",
        pattern="reused",
    ),
    Bug(
        lambda: AffineGradientOfLastSample(6, 4),
        (5, 2, 3),
        {"gradParameters", "batch"},
        "each sample overwrites the one before",
        pattern="last sample",
    ),
    Bug(
        lambda: AffineGradInputOfFirstSample(6, 4),
        (5, 2, 3),
        {"gradInput", "batch"},
        "all samples but the first get no gradient",
        pattern="first sample",
    ),
    Bug(
        lambda: LeakOfAbsoluteSlope(),
        (5, 3),
        {"gradInput"},
        "the sign of the leak is wrong",
        pattern="only where input < 0",
    ),
    Bug(
        lambda: EluSlopeOfOutput(),
        (5, 3),
        {"gradInput"},
        "the output where the output + 1 is meant",
        pattern="only where input < 0",
    ),
    Bug(
        lambda: SwishForgetsProductRule(),
        (5, 3),
        {"gradInput"},
        "the second term of the product rule is missing",
        pattern="output / input",
    ),
    Bug(lambda: SwishOverflows(), (5, 3), {"gradInput"}, "NaN beyond 710", pattern="not finite"),
    Bug(
        lambda: Relu6NeverSaturates(),
        (5, 3),
        {"gradInput"},
        "beyond 6 there is still a gradient",
        pattern="only where input >",
    ),
    Bug(
        lambda: SoftplusStopsAtThreshold(),
        (5, 3),
        {"gradInput"},
        "beyond 20 there is no gradient",
        pattern="only where input >",
    ),
    Bug(
        lambda: SquareClippedAt128(),
        (5, 3),
        {"gradInput"},
        "clipped beyond 128 forwards, not backwards",
        pattern="saturat",
    ),
    Bug(
        lambda: ConvolutionOverlapsOverwrite(2, 2),
        IMAGES,
        {"gradInput"},
        "where patches overlap, only the last counts",
        pattern="counted once",
    ),
    Bug(
        lambda: ConvolutionKeepsPadding(2, 2),
        IMAGES,
        {"gradInput"},
        "the padding is still there, and all is shifted by it",
        pattern="off by one",
    ),
    Bug(
        lambda: ConvolutionPadsGradWeightElsewhere(2, 2),
        IMAGES,
        {"gradParameters"},
        "the patches of the row below",
    ),
    Bug(
        lambda: ConvolutionTurnsFilters(2, 2),
        IMAGES,
        {"gradParameters"},
        "rows and columns of each filter are exchanged",
        pattern="transposed",
    ),
    Bug(
        lambda: ConvolutionExchangesChannels(2, 2),
        IMAGES,
        {"gradParameters"},
        "input and output channels are exchanged",
        pattern="transposed",
    ),
    Bug(
        lambda: ConvolutionReadsFiltersBackwards(2, 2),
        IMAGES,
        {"gradInput"},
        "the filters are turned by 180 degrees",
        pattern="in reverse",
    ),
    Bug(
        lambda: ConvolutionOfLastFilter(2, 2),
        IMAGES,
        {"gradInput"},
        "only the last filter gives a gradient back",
        pattern="only the last",
    ),
    Bug(
        lambda: ConvolutionAveragesBias(2, 2),
        IMAGES,
        {"gradParameters"},
        "the bias' gradient is averaged over samples and places",
        pattern="averaged",
    ),
    Bug(
        lambda: ConvolutionStopsAtBlocks(2, 2),
        IMAGES,
        {"gradInput", "batch"},
        "beyond 16 images, what fills no block of 16 gets no gradient",
        pattern="last sample",
    ),
    Bug(
        lambda: ConvolutionSkipsBorder(2, 2),
        IMAGES,
        {"gradParameters"},
        "the last row of outputs is left out",
        pattern="all but the last",
    ),
    Bug(
        lambda: SpatialGoesBackUntransposed(3),
        (2, 3, 2, 2),
        {"gradInput"},
        "reshaped where it must be transposed",
        WHOLE_BATCH,
        pattern="transposed",
    ),
    Bug(
        lambda: SpatialSumsOverWrongAxes(3),
        (2, 3, 2, 3),
        {"gradParameters"},
        "the bias' gradient is that of columns, not of channels",
        WHOLE_BATCH,
        pattern="summed over axes",
    ),
    Bug(
        lambda: SpatialDetachesStatistics(3),
        (2, 3, 2, 2),
        {"gradInput"},
        "as if mean and variance did not depend on the input",
        WHOLE_BATCH,
        pattern="were constant",
    ),
    Bug(
        lambda: StandardisedByUnbiasedVariance(3),
        (5, 3),
        {"gradInput"},
        "the variance is another one backwards",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: StandardisedGainOfOutput(3),
        (5, 3),
        {"gradParameters"},
        "the output stands where what was normalised should",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: StandardisedAddsMeanTwice(3),
        (5, 3),
        {"gradInput"},
        "the mean's term is subtracted twice",
        WHOLE_BATCH,
    ),
    Bug(
        lambda: TwoLayersForgetRelu(3, 4, 2),
        (5, 3),
        {"gradInput", "gradParameters"},
        "the mask of the hidden units is forgotten",
    ),
    Bug(
        lambda: TwoLayersMaskTooLate(3, 4, 2),
        (5, 3),
        {"gradParameters"},
        "one gradient is taken before the mask",
        pattern="does the forward mask",
    ),
    Bug(
        lambda: TwoLayersRegularised(3, 4, 2),
        (5, 3),
        {"gradParameters", "linear"},
        "weight decay hides in the gradients",
        pattern="weight decay",
    ),
    Bug(
        lambda: TwoLayersBiasFromSecond(3, 4, 4),
        (5, 3),
        {"gradParameters"},
        "the gradient of one bias stands for that of the other",
        pattern="another parameter",
    ),
]
