"""Layers whose results, clones or pickles hang together with what they should be free of."""

import copy
import threading
import weakref

import numpy as np

from bugs import Bug
from bugs.good import Affine, rows
from torchlite import nn

# ---------------------------------------------------------------- aliasing


class OutputBufferReused(Affine):
    def updateOutput(self, input):
        product = input @ self.weight.T + self.bias
        if (self.output.shape, self.output.dtype) == (product.shape, product.dtype):
            self.output[...] = product
        else:
            self.output = product
        return self.output


class OutputBufferReusedInEvaluation(OutputBufferReused):
    def updateOutput(self, input):
        if self.train:
            self.output = np.zeros(0)
        return super().updateOutput(input)


class GradInputBufferReused(Affine):
    def updateGradInput(self, input, gradOutput):
        product = gradOutput @ self.weight
        if (self.gradInput.shape, self.gradInput.dtype) == (product.shape, product.dtype):
            self.gradInput[...] = product
        else:
            self.gradInput = product
        return self.gradInput


class GradInputSpoilsOutput(nn.Module):
    """Saves an array by computing in the output."""

    def updateOutput(self, input):
        self.output = np.tanh(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        if self.output.shape != input.shape or not np.array_equal(self.output, np.tanh(input)):
            self.output = np.tanh(input)
        self.gradInput = self.output
        self.gradInput *= -self.output
        self.gradInput += 1
        self.gradInput *= gradOutput
        return self.gradInput


class OutputIsViewOfParameter(nn.Module):
    """The bias for every sample, without a copy."""

    def __init__(self, size):
        self.bias = np.linspace(-1, 1, size)
        self.gradBias = np.zeros(size)

    def updateOutput(self, input):
        self.output = np.broadcast_to(self.bias, input.shape)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(input)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradBias += scale * rows(gradOutput).sum(0)


BUFFERS = {}


class OutputBufferOfAllInstances(Affine):
    def updateOutput(self, input):
        product = input @ self.weight.T + self.bias
        self.output = BUFFERS.setdefault((product.shape, product.dtype), np.empty_like(product))
        self.output[...] = product
        return self.output


class AccGradParametersScalesGradInput(Affine):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        if self.gradInput is not None and self.gradInput.size:
            self.gradInput *= scale


# ---------------------------------------------------------------- clones


class CloneIsShallow(Affine):
    def clone(self, *names):
        return copy.copy(self)


class CloneSharesGradients(Affine):
    def clone(self, *names):
        return super().clone("gradWeight", "gradBias", *names)


class CloneIsItself(Affine):
    def __deepcopy__(self, memo):
        return self


class CloneForgetsBias(Affine):
    def clone(self, *names):
        twin = super().clone(*names)
        twin.bias = np.zeros_like(twin.bias)
        return twin


class CloneForgetsMode(Affine):
    def clone(self, *names):
        return super().clone(*names).training()


class CloneIsImpossible(Affine):
    def __init__(self, inputSize, outputSize):
        super().__init__(inputSize, outputSize)
        self.lock = threading.Lock()


class ArraysBelongToClass(nn.Module):
    weight = np.linspace(-1, 1, 3)
    gradWeight = np.zeros(3)

    def updateOutput(self, input):
        self.output = input * self.weight.astype(input.dtype)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.weight.astype(input.dtype)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight += scale * rows(input * gradOutput).sum(0)


class GradientsBelongToClass(Affine):
    _memory = np.zeros(4)

    @property
    def gradBias(self):
        return self._memory

    @gradBias.setter
    def gradBias(self, array):
        pass


# ---------------------------------------------------------------- pickles


class PickleForgetsBias(Affine):
    def __deepcopy__(self, memo):
        twin = copy.copy(self)
        vars(twin).update(copy.deepcopy(super().__getstate__(), memo))
        return twin

    def __getstate__(self):
        return {**super().__getstate__(), "bias": np.zeros_like(self.bias)}


class CopyForgetsGradients(Affine):
    def __getstate__(self):
        return {
            **super().__getstate__(),
            "gradWeight": np.zeros_like(self.gradWeight),
            "gradBias": np.zeros_like(self.gradBias),
        }


class PickleForgetsMode(Affine):
    def clone(self, *names):
        twin = super().clone(*names)
        twin.train = self.train
        return twin

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("train", None)
        return state


class PickleCarriesOutput(Affine):
    def __getstate__(self):
        return dict(vars(self))


INSTANCES = weakref.WeakValueDictionary()


def look_up(key):
    return INSTANCES[key]


class PickledByReference(Affine):
    """A pickle says where the layer is, not what."""

    def __deepcopy__(self, memo):
        twin = type(self)(self.weight.shape[1], self.weight.shape[0])
        vars(twin).update(copy.deepcopy(self.__getstate__(), memo))
        return twin

    def __reduce__(self):
        INSTANCES[id(self)] = self
        return look_up, (id(self),)


class PickleRoundsParameters(Affine):
    def __deepcopy__(self, memo):
        twin = copy.copy(self)
        vars(twin).update(copy.deepcopy(super().__getstate__(), memo))
        return twin

    def __getstate__(self):
        state = super().__getstate__()
        return {**state, "weight": state["weight"].astype(np.float32)}

    def __setstate__(self, state):
        vars(self).update(state)
        self.weight = self.weight.astype(self.bias.dtype)


# ---------------------------------------------------------------- sharing


class ShareCopies(Affine):
    def share(self, other, *names):
        for name in names:
            getattr(self, name)[...] = getattr(other, name)
        return self


class ShareForgetsBias(Affine):
    def share(self, other, *names):
        return super().share(other, *(name for name in names if "ias" not in name))


class CloneIgnoresNames(Affine):
    def clone(self, *names):
        return super().clone()


BUGS = [
    Bug(
        lambda: OutputBufferReused(3, 4),
        (5, 3),
        {"aliasing"},
        "the next forward writes over the last output",
        pattern="reused",
    ),
    Bug(
        lambda: OutputBufferReusedInEvaluation(3, 4),
        (5, 3),
        {"aliasing"},
        "in evaluation mode the next forward writes over the last output",
        pattern="reused",
    ),
    Bug(
        lambda: GradInputBufferReused(3, 4),
        (5, 3),
        {"aliasing"},
        "the next backward writes over the last gradInput",
    ),
    Bug(
        lambda: GradInputSpoilsOutput(),
        (5, 3),
        {"aliasing"},
        "the backward writes over the output",
    ),
    Bug(
        lambda: OutputIsViewOfParameter(3),
        (5, 3),
        {"aliasing"},
        "an update changes earlier outputs",
    ),
    Bug(
        lambda: OutputBufferOfAllInstances(3, 4),
        (5, 3),
        {"aliasing"},
        "one buffer for all forwards of all instances",
        pattern="reused",
    ),
    Bug(
        lambda: AccGradParametersScalesGradInput(3, 4),
        (5, 3),
        {"scale"},
        "accGradParameters scales the gradInput that was returned before it",
        pattern="the scale",
    ),
    Bug(lambda: CloneIsShallow(3, 4), (5, 3), {"clone"}, "a clone has the same arrays"),
    Bug(lambda: CloneSharesGradients(3, 4), (5, 3), {"clone"}, "a clone has the same gradients"),
    Bug(lambda: CloneIsItself(3, 4), (5, 3), {"clone"}, "a deep copy is the layer itself"),
    Bug(lambda: CloneForgetsBias(3, 4), (5, 3), {"clone"}, "a clone's bias is zero"),
    Bug(lambda: CloneForgetsMode(3, 4), (5, 3), {"clone"}, "a clone is in training mode"),
    Bug(lambda: CloneIsImpossible(3, 4), (5, 3), {"clone"}, "a lock cannot be copied"),
    Bug(
        lambda: ArraysBelongToClass(),
        (5, 3),
        {"clone"},
        "all instances have the same weight",
    ),
    Bug(
        lambda: GradientsBelongToClass(3, 4),
        (5, 3),
        {"clone"},
        "all instances have the same gradBias",
    ),
    Bug(lambda: PickleForgetsBias(3, 4), (5, 3), {"pickle"}, "the bias is pickled as zeros"),
    Bug(
        lambda: CopyForgetsGradients(3, 4),
        (5, 3),
        {"clone", "pickle"},
        "copies have no gradients",
    ),
    Bug(
        lambda: PickleForgetsMode(3, 4), (5, 3), {"pickle", "clone"}, "a pickle is in training mode"
    ),
    Bug(lambda: PickleCarriesOutput(3, 4), (5, 3), {"pickle", "clone"}, "results are pickled, too"),
    Bug(lambda: PickledByReference(3, 4), (5, 3), {"pickle"}, "unpickling gives the layer itself"),
    Bug(
        lambda: PickleRoundsParameters(3, 4),
        (5, 3),
        {"pickle"},
        "the weight is rounded to float32 on the way",
    ),
    Bug(lambda: ShareCopies(3, 4), (5, 3), {"sharing"}, "copies values instead of sharing arrays"),
    Bug(lambda: ShareForgetsBias(3, 4), (5, 3), {"sharing"}, "the bias is not shared"),
    Bug(lambda: CloneIgnoresNames(3, 4), (5, 3), {"sharing"}, "the clone shares nothing"),
]
