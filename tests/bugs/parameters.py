"""Layers that treat their parameters wrongly: update, identity, zero, parameters(), flat, modes."""

import numpy as np

from bugs import Bug
from bugs.good import Affine, Gain, rows
from torchlite import nn, random

# ---------------------------------------------------------------- identity


class GradientsReboundByAccumulating(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight = self.gradWeight + scale * (rows(gradOutput).T @ rows(input))
        self.gradBias = self.gradBias + scale * rows(gradOutput).sum(0)


class GradientsReboundByZero(Affine):
    def zeroGradParameters(self):
        self.gradWeight = np.zeros_like(self.gradWeight)
        self.gradBias = np.zeros_like(self.gradBias)
        return self


class ParametersReboundByUpdate(Affine):
    def updateParameters(self, learningRate):
        self.weight = self.weight - learningRate * self.gradWeight
        self.bias = self.bias - learningRate * self.gradBias
        return self


class BiasReboundByForward(Affine):
    def updateOutput(self, input):
        self.bias = self.bias.copy()
        return super().updateOutput(input)


class GradientsReboundByUpdateGradInput(Affine):
    def updateGradInput(self, input, gradOutput):
        self.gradWeight = self.gradWeight.copy()
        return super().updateGradInput(input, gradOutput)


class ParametersReboundByReset(Affine):
    def reset(self, stdv=None):
        self.weight = random.normal(0, stdv or 1, size=self.weight.shape)
        self.bias = np.zeros_like(self.bias)
        return self


# ---------------------------------------------------------------- update


class UpdateForgetsBias(Affine):
    def updateParameters(self, learningRate):
        self.weight -= learningRate * self.gradWeight
        return self


class UpdateClimbs(Affine):
    def updateParameters(self, learningRate):
        self.weight += learningRate * self.gradWeight
        self.bias += learningRate * self.gradBias
        return self


class UpdateDividesBySize(Affine):
    def updateParameters(self, learningRate):
        return super().updateParameters(learningRate / len(self.weight))


class UpdateZeroesGradients(Affine):
    def updateParameters(self, learningRate):
        super().updateParameters(learningRate)
        return self.zeroGradParameters()


class UpdateTakesZeroRateForMissing(Affine):
    def updateParameters(self, learningRate):
        return super().updateParameters(learningRate or 0.01)


class UpdateReturnsNothing(Affine):
    def updateParameters(self, learningRate):
        super().updateParameters(learningRate)


class UpdateMissesCachedTranspose(Affine):
    """The way back uses a copy of the weight from before the first update."""

    _kept = None

    def updateGradInput(self, input, gradOutput):
        if self._kept is None or self._kept.dtype != self.weight.dtype:
            self._kept = self.weight.copy()
        self.gradInput = gradOutput @ self._kept
        return self.gradInput


class OnlyUpdateRefreshesCache(Affine):
    """Whoever writes to the weight by another way than updateParameters is not heard."""

    _kept = None

    def updateOutput(self, input):
        if self._kept is None or self._kept.dtype != self.weight.dtype:
            self._kept = self.weight.T.copy()
        self.output = input @ self._kept + self.bias
        return self.output

    def updateParameters(self, learningRate):
        self._kept = None
        return super().updateParameters(learningRate)


# ---------------------------------------------------------------- parameters()


class ParametersOmitBias(Affine):
    def parameters(self):
        return [self.weight], [self.gradWeight]


class ParametersAreCopies(Affine):
    def parameters(self):
        return [self.weight.copy(), self.bias.copy()], [self.gradWeight, self.gradBias]


class GradientsAreCopies(Affine):
    def parameters(self):
        return [self.weight, self.bias], [self.gradWeight.copy(), self.gradBias.copy()]


class ParametersInAnotherOrderThanGradients(Gain):
    """A gain and an offset of one shape, so that nothing refuses the exchange."""

    def __init__(self, size):
        super().__init__(size)
        self.bias = np.linspace(-1, 1, size)
        self.gradBias = np.zeros(size)

    def updateOutput(self, input):
        self.output = input * self.weight + self.bias
        return self.output

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self.gradBias += scale * rows(gradOutput).sum(0)

    def parameters(self):
        return [self.weight, self.bias], [self.gradBias, self.gradWeight]


class ParametersAreOneList(Affine):
    def parameters(self):
        return [self.weight, self.bias, self.gradWeight, self.gradBias]


class GradientsStartAsRubbish(Affine):
    def __init__(self, inputSize, outputSize):
        super().__init__(inputSize, outputSize)
        self.gradWeight[...] = 7


# ---------------------------------------------------------------- zero


class ZeroMultiplies(Affine):
    def zeroGradParameters(self):
        self.gradWeight *= 0
        self.gradBias *= 0
        return self


class ZeroForgetsBias(Affine):
    def zeroGradParameters(self):
        self.gradWeight.fill(0)
        return self


class ZeroSubtracts(Affine):
    def zeroGradParameters(self):
        self.gradWeight -= self.gradWeight
        self.gradBias -= self.gradBias
        return self


class ZeroReturnsNothing(Affine):
    def zeroGradParameters(self):
        super().zeroGradParameters()


class ZeroTouchesParameters(Affine):
    def zeroGradParameters(self):
        self.bias.fill(0)
        return super().zeroGradParameters()


# ---------------------------------------------------------------- accUpdateGradParameters


class AccUpdateIgnoresRate(Affine):
    def accUpdateGradParameters(self, input, gradOutput, lr):
        super().accUpdateGradParameters(input, gradOutput, 1)


class AccUpdateLeavesGradients(Affine):
    def accUpdateGradParameters(self, input, gradOutput, lr):
        self.zeroGradParameters()
        self.accGradParameters(input, gradOutput)
        self.updateParameters(lr)


class AccUpdateAddsOldGradients(Affine):
    def accUpdateGradParameters(self, input, gradOutput, lr):
        kept = [gradient.copy() for gradient in self.parameters()[1]]
        self.accGradParameters(input, gradOutput)
        self.updateParameters(lr)
        for gradient, values in zip(self.parameters()[1], kept, strict=True):
            gradient[...] = values


class AccUpdateForgetsBias(Affine):
    def accUpdateGradParameters(self, input, gradOutput, lr):
        self.weight -= lr * (rows(gradOutput).T @ rows(input))


class BackwardUpdateUpdatesFirst(Affine):
    def backwardUpdate(self, input, gradOutput, lr):
        self.accUpdateGradParameters(input, gradOutput, lr)
        return self.updateGradInput(input, gradOutput)


# ---------------------------------------------------------------- getParameters


class FlatIsCopy(Affine):
    def getParameters(self):
        return tuple(
            np.concatenate([array.ravel() for array in side]) for side in self.parameters()
        )


class FlatIsNewEachTime(Affine):
    def getParameters(self):
        flat, gradFlat = (
            np.concatenate([array.ravel() for array in side]) for side in self.parameters()
        )
        cut = self.weight.size
        self.weight = flat[:cut].reshape(self.weight.shape)
        self.gradWeight = gradFlat[:cut].reshape(self.weight.shape)
        self.bias, self.gradBias = flat[cut:], gradFlat[cut:]
        return flat, gradFlat


class FlatForgetsBias(Affine):
    def getParameters(self):
        return self.weight.reshape(-1), self.gradWeight.reshape(-1)


class Slot:
    """A box around an array."""

    def __init__(self, array):
        self.array = array


class FlatMissesBoxedArrays(nn.Module):
    """Its arrays are held by objects in which torchlite does not look for them."""

    def __init__(self, size):
        self.slots = [Slot(np.linspace(-1, 1, size)), Slot(np.linspace(0, 1, size))]
        self.gradSlots = [Slot(np.zeros(size)), Slot(np.zeros(size))]

    def parameters(self):
        return [slot.array for slot in self.slots], [slot.array for slot in self.gradSlots]

    def updateOutput(self, input):
        gain, bias = self.parameters()[0]
        self.output = input * gain.astype(input.dtype) + bias.astype(input.dtype)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.parameters()[0][0].astype(input.dtype)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        gradGain, gradBias = self.parameters()[1]
        gradGain += scale * rows(input * gradOutput).sum(0)
        gradBias += scale * rows(gradOutput).sum(0)


# ---------------------------------------------------------------- modes and gradInput = None


class EvaluateForgetsItself(Affine):
    def evaluate(self):
        return self


class EvaluateReturnsNothing(Affine):
    def evaluate(self):
        super().evaluate()


class ForwardSwitchesToTraining(Affine):
    def updateOutput(self, input):
        self.train = True
        return super().updateOutput(input)


class EvaluateHalvesWeights(Affine):
    """Once more at each call, though training() undoes one."""

    def evaluate(self):
        self.weight *= 0.5
        return super().evaluate()

    def training(self):
        self.weight *= 2
        return super().training()


class EvaluationRaises(Affine):
    def updateOutput(self, input):
        super().updateOutput(input)
        if not self.train:
            self.output = self.output * self.runningMean
        return self.output


class BackwardIgnoresNone(Affine):
    def backward(self, input, gradOutput, scale=1):
        gradInput = self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return gradInput


class BackwardWithNoneSkipsGradients(Affine):
    def backward(self, input, gradOutput, scale=1):
        if self.gradInput is None:
            return None
        return super().backward(input, gradOutput, scale)


class BackwardForgetsNone(Affine):
    """Computes nothing, as it should, but wants to the next time."""

    def backward(self, input, gradOutput, scale=1):
        gradInput = super().backward(input, gradOutput, scale)
        if gradInput is None:
            self.gradInput = np.zeros(0)
        return gradInput


BUGS = [
    Bug(
        lambda: GradientsReboundByAccumulating(3, 4),
        (5, 3),
        {"identity"},
        "new gradient arrays at each accumulation",
    ),
    Bug(
        lambda: GradientsReboundByZero(3, 4),
        (5, 3),
        {"identity"},
        "zeroing makes new gradient arrays",
    ),
    Bug(
        lambda: ParametersReboundByUpdate(3, 4),
        (5, 3),
        {"identity"},
        "updating makes new parameter arrays",
    ),
    Bug(lambda: BiasReboundByForward(3, 4), (5, 3), {"identity"}, "forward makes a new bias array"),
    Bug(
        lambda: GradientsReboundByUpdateGradInput(3, 4),
        (5, 3),
        {"identity"},
        "updateGradInput makes a new gradWeight array",
    ),
    Bug(
        lambda: ParametersReboundByReset(3, 4),
        (5, 3),
        {"identity"},
        "reset makes new parameter arrays",
    ),
    Bug(lambda: UpdateForgetsBias(3, 4), (5, 3), {"update"}, "the bias stays"),
    Bug(lambda: UpdateClimbs(3, 4), (5, 3), {"update"}, "adds instead of subtracting"),
    Bug(lambda: UpdateDividesBySize(3, 4), (5, 3), {"update"}, "the learning rate is divided"),
    Bug(lambda: UpdateZeroesGradients(3, 4), (5, 3), {"update"}, "the gradients are gone after it"),
    Bug(
        lambda: UpdateTakesZeroRateForMissing(3, 4),
        (5, 3),
        {"update"},
        "a learning rate of 0 counts as 0.01",
    ),
    Bug(lambda: UpdateReturnsNothing(3, 4), (5, 3), {"update"}, "returns None instead of self"),
    Bug(
        lambda: UpdateMissesCachedTranspose(3, 4),
        (5, 3),
        {"update"},
        "after an update the gradient of the input still uses the old weight",
    ),
    Bug(
        lambda: OnlyUpdateRefreshesCache(3, 4),
        (5, 3),
        {"flat", "gradParameters"},
        "a weight written to through the flat view is not seen",
        pattern="does the forward use this parameter",
    ),
    Bug(lambda: ParametersOmitBias(3, 4), (5, 3), {"update"}, "parameters() is not complete"),
    Bug(
        lambda: ParametersAreCopies(3, 4),
        (5, 3),
        {"update", "identity"},
        "what parameters() returns is not what the layer uses",
    ),
    Bug(
        lambda: GradientsAreCopies(3, 4),
        (5, 3),
        {"identity"},
        "the gradients that parameters() returns are no longer written to",
    ),
    Bug(
        lambda: ParametersInAnotherOrderThanGradients(3),
        (5, 3),
        {"gradParameters"},
        "each parameter stands beside the other one's gradient",
        pattern="another parameter",
    ),
    Bug(
        lambda: ParametersAreOneList(3, 4),
        (5, 3),
        {"update"},
        "parameters and gradients in one list",
    ),
    Bug(
        lambda: GradientsStartAsRubbish(3, 4),
        (5, 3),
        {"zero"},
        "gradients do not start at zero",
    ),
    Bug(lambda: ZeroMultiplies(3, 4), (5, 3), {"zero"}, "0 * NaN is NaN"),
    Bug(
        lambda: ZeroForgetsBias(3, 4),
        (5, 3),
        {"zero"},
        "gradBias stays",
        pattern="not 0 afterwards",
    ),
    Bug(lambda: ZeroSubtracts(3, 4), (5, 3), {"zero"}, "inf - inf is NaN"),
    Bug(lambda: ZeroReturnsNothing(3, 4), (5, 3), {"zero"}, "returns None instead of self"),
    Bug(lambda: ZeroTouchesParameters(3, 4), (5, 3), {"zero"}, "the bias is zeroed, too"),
    Bug(
        lambda: AccUpdateIgnoresRate(3, 4),
        (5, 3),
        {"accUpdate"},
        "the learning rate is always 1",
    ),
    Bug(
        lambda: AccUpdateLeavesGradients(3, 4),
        (5, 3),
        {"accUpdate"},
        "the gradients so far are lost",
    ),
    Bug(
        lambda: AccUpdateAddsOldGradients(3, 4),
        (5, 3),
        {"accUpdate"},
        "the gradients so far take part in the update",
    ),
    Bug(lambda: AccUpdateForgetsBias(3, 4), (5, 3), {"accUpdate"}, "the bias stays"),
    Bug(
        lambda: BackwardUpdateUpdatesFirst(3, 4),
        (5, 3),
        {"accUpdate"},
        "the gradient of the input is taken after the update",
    ),
    Bug(lambda: FlatIsCopy(3, 4), (5, 3), {"flat"}, "the flat array is not the parameters'"),
    Bug(lambda: FlatIsNewEachTime(3, 4), (5, 3), {"flat"}, "a second call kills the first view"),
    Bug(lambda: FlatForgetsBias(3, 4), (5, 3), {"flat"}, "the bias is not in it"),
    Bug(
        lambda: FlatMissesBoxedArrays(3),
        (5, 3),
        {"flat"},
        "arrays in a box are not replaced by views of the flat one",
    ),
    Bug(lambda: EvaluateForgetsItself(3, 4), (5, 3), {"modes"}, "evaluate() does nothing"),
    Bug(lambda: EvaluateReturnsNothing(3, 4), (5, 3), {"modes"}, "evaluate() returns None"),
    Bug(
        lambda: ForwardSwitchesToTraining(3, 4),
        (5, 3),
        {"modes"},
        "a forward ends the evaluation mode",
    ),
    Bug(
        lambda: EvaluateHalvesWeights(3, 4),
        (5, 3),
        {"modes"},
        "evaluate() changes the weight, each time it is called",
    ),
    Bug(
        lambda: EvaluationRaises(3, 4),
        (5, 3),
        {"modes"},
        "a forward in evaluation mode meets an attribute that is not there",
    ),
    Bug(
        lambda: BackwardIgnoresNone(3, 4),
        (5, 3),
        {"none"},
        "computes a gradient that nobody needs",
    ),
    Bug(
        lambda: BackwardWithNoneSkipsGradients(3, 4),
        (5, 3),
        {"none"},
        "without a gradient of the input, none of the parameters either",
    ),
    Bug(
        lambda: BackwardForgetsNone(3, 4),
        (5, 3),
        {"none"},
        "gradInput = None does not last",
    ),
]
