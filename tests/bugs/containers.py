"""Containers, as users would write them."""

import numpy as np

from bugs import Bug
from bugs.good import Chain, Fan, Residual, Square
from torchlite import nn
from torchlite.errors import StateError

# ---------------------------------------------------------------- after Sequential


class ChainSkipsFirstModule(Chain):
    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        for module, seen, gradient in zip(
            self.modules[:0:-1], self._path[-2:0:-1], self._gradients[:-1], strict=True
        ):
            module.accGradParameters(seen, gradient, scale)


class ChainDropsScale(Chain):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput)


class ChainScalesGradOutputs(Chain):
    """Scales what goes back to the earlier modules, and then each of them does."""

    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        for i, (module, seen, gradient) in enumerate(
            zip(self.modules[::-1], self._path[-2::-1], self._gradients, strict=True)
        ):
            module.accGradParameters(seen, gradient * scale**i, scale)


class ChainCallsBackward(Chain):
    """The modules' own backward, and nothing left for accGradParameters."""

    def updateGradInput(self, input, gradOutput):
        self._check(input)
        for module, seen in zip(self.modules[::-1], self._path[-2::-1], strict=True):
            gradOutput = module.backward(seen, gradOutput)
        self.gradInput = gradOutput
        return gradOutput

    def accGradParameters(self, input, gradOutput, scale=1):
        pass


class ChainCallsBackwardAndAccumulates(Chain):
    """The gradient is counted twice."""

    def updateGradInput(self, input, gradOutput):
        self._check(input)
        gradients = [gradOutput]
        for module, seen in zip(self.modules[::-1], self._path[-2::-1], strict=True):
            gradients.append(module.backward(seen, gradients[-1]))
        self.gradInput = gradients.pop()
        self._gradients = gradients
        return self.gradInput


class ChainGivesItsInputToAll(Chain):
    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        for module, gradient in zip(self.modules[::-1], self._gradients, strict=True):
            module.accGradParameters(input, gradient, scale)


class ChainGivesGradOutputToAll(Chain):
    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        for module, seen in zip(self.modules, self._path, strict=False):
            module.accGradParameters(seen, gradOutput, scale)


class ChainUsesModulesOutputs(Chain):
    """Goes back along what the modules gave last, whatever input says."""

    def _check(self, input):
        self._path = [input, *(module.output for module in self.modules)]


class ChainIsNotCareful(Chain):
    """Goes back along the last path, whatever input says."""

    def _check(self, input):
        pass


class ChainIgnoresNone(Chain):
    """Computes the gradient of its input although the first module says that nobody needs it."""

    def updateGradInput(self, input, gradOutput):
        first = self.modules[0]
        wanted, first.gradInput = first.gradInput, np.zeros(0)
        super().updateGradInput(input, gradOutput)
        if wanted is None:
            first.gradInput = None
        return self.gradInput


class ChainStopsAtNone(Chain):
    """With gradInput = None of its own, it leaves its modules without gradients."""

    def updateGradInput(self, input, gradOutput):
        self._check(input)
        if self.gradInput is None:
            self._gradients = [gradOutput * 0 for _ in self.modules]
            return None
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        if self.gradInput is not None:
            super().accGradParameters(input, gradOutput, scale)


class ChainUpdatesEachModule(Chain):
    def updateParameters(self, learningRate):
        for module in self.modules:
            module.updateParameters(learningRate)
        return self


class ChainListsSharedTwice(Chain):
    def parameters(self):
        lists = [module.parameters() for module in self.modules]
        return [p for pair in lists for p in pair[0]], [g for pair in lists for g in pair[1]]

    def updateParameters(self, learningRate):
        for parameter, gradient in zip(*self.parameters(), strict=True):
            parameter -= learningRate * gradient
        return self


class ChainForgetsLastParameters(Chain):
    def parameters(self):
        lists = [module.parameters() for module in self.modules[:-1]]
        return [p for pair in lists for p in pair[0]], [g for pair in lists for g in pair[1]]


class ChainZeroesFirstModule(Chain):
    def zeroGradParameters(self):
        self.modules[0].zeroGradParameters()
        return self


class ChainKeepsModesToItself(Chain):
    def training(self):
        vars(self)["train"] = True
        return self

    def evaluate(self):
        vars(self)["train"] = False
        return self


class ChainEvaluatesOnlyFirst(Chain):
    def evaluate(self):
        vars(self)["train"] = False
        self.modules[0].evaluate()
        return self


class ChainLeavesHalfOfGradients(Chain):
    """A module that raises leaves those behind it accumulated."""

    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        if not self._gradients or not np.array_equal(gradOutput, self._gradients[0]):
            raise StateError("gradOutput is not that of the last updateGradInput")
        for module, seen, gradient in zip(
            self.modules[::-1], self._path[-2::-1], self._gradients, strict=True
        ):
            module.accGradParameters(seen, gradient, scale)


class ChainOutputNotKept(Chain):
    def updateOutput(self, input):
        before = self.output
        output = super().updateOutput(input)
        self.output = before
        return output


class ChainCloneSharesModules(Chain):
    def clone(self, *names):
        twin = type(self)(*self.modules)
        twin.train = self.train
        return twin


class ChainAccUpdatesNothing(Chain):
    def accUpdateGradParameters(self, input, gradOutput, lr):
        self.updateParameters(lr)


class SequentialBackwards(nn.Sequential):
    """Runs its modules in the opposite order, with all gradients consistent."""

    def _reversed(self, method, *arguments):
        self.modules.reverse()
        try:
            return method(*arguments)
        finally:
            self.modules.reverse()

    def updateOutput(self, input):
        return self._reversed(super().updateOutput, input)

    def updateGradInput(self, input, gradOutput):
        return self._reversed(super().updateGradInput, input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        return self._reversed(super().accGradParameters, input, gradOutput, scale)


class SequentialSkipsBackward(nn.Sequential):
    def backward(self, input, gradOutput, scale=1):
        return self.updateGradInput(input, gradOutput)


class SequentialAccumulatesTwice(nn.Sequential):
    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self.modules[-1].accGradParameters(self.activations[-2], gradOutput, scale)


class SequentialForgetsLast(nn.Sequential):
    """A network without its last module, with all gradients consistent."""

    def _shortened(self, method, *arguments):
        last = self.modules.pop()
        try:
            return method(*arguments)
        finally:
            self.modules.append(last)

    def updateOutput(self, input):
        return self._shortened(super().updateOutput, input)

    def updateGradInput(self, input, gradOutput):
        return self._shortened(super().updateGradInput, input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        return self._shortened(super().accGradParameters, input, gradOutput, scale)


# ---------------------------------------------------------------- side by side


class FanKeepsLastGradient(Fan):
    def updateGradInput(self, input, gradOutput):
        self._check(input)
        for module, gradient in zip(self.modules, gradOutput, strict=True):
            self.gradInput = module.updateGradInput(input, gradient)
        return self.gradInput


class FanSumsIntoFirst(Fan):
    """The first module's gradInput, which may be gradOutput itself, becomes the sum."""

    def updateGradInput(self, input, gradOutput):
        self._check(input)
        gradients = zip(self.modules, gradOutput, strict=True)
        parts = [module.updateGradInput(input, gradient) for module, gradient in gradients]
        for part in parts[1:]:
            parts[0] += part
        self.gradInput = parts[0]
        return self.gradInput


class FanSkipsLastModule(Fan):
    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        for module, gradient in list(zip(self.modules, gradOutput, strict=True))[:-1]:
            module.accGradParameters(input, gradient, scale)


class FanGivesAllTheFirstGradient(Fan):
    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        for module in self.modules:
            module.accGradParameters(input, gradOutput[0], scale)


class FanScalesFirstModuleOnly(Fan):
    def accGradParameters(self, input, gradOutput, scale=1):
        self._check(input)
        for i, (module, gradient) in enumerate(zip(self.modules, gradOutput, strict=True)):
            module.accGradParameters(input, gradient, 1 if i else scale)


# ---------------------------------------------------------------- around one


class ResidualForgetsShortcut(Residual):
    def updateGradInput(self, input, gradOutput):
        return nn.Sequential.updateGradInput(self, input, gradOutput)


class ResidualAddsIntoOutput(Residual):
    """Spoils what the last module keeps as its output, or gave as a view."""

    def updateOutput(self, input):
        self.output = nn.Sequential.updateOutput(self, input)
        self.output += input
        return self.output


class ResidualAddsIntoGradInput(Residual):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = nn.Sequential.updateGradInput(self, input, gradOutput)
        self.gradInput += gradOutput
        return self.gradInput


class Wrapper(nn.Container):
    """Passes everything on to its one module."""

    def updateOutput(self, input):
        self.output = self.modules[0].updateOutput(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.modules[0].updateGradInput(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.modules[0].accGradParameters(input, gradOutput, scale)


class WrapperKeepsOtherModule(Wrapper):
    """Holds on to the module that it was made of, which a clone replaces."""

    def __init__(self, module):
        super().__init__(module)
        self._call = lambda input: module.updateOutput(input)

    def updateOutput(self, input):
        self.output = self._call(input)
        return self.output


def net(kind):
    return kind(nn.Linear(3, 4), Square(), nn.Linear(4, 2))


def tied(kind):
    linear = nn.Linear(3, 3)
    return kind(linear, Square(), linear.clone("weight", "bias", "gradWeight", "gradBias"))


BUGS = [
    Bug(
        lambda: net(ChainSkipsFirstModule),
        (5, 3),
        {"gradParameters"},
        "the first module gets no gradients",
        pattern="never written",
    ),
    Bug(
        lambda: net(ChainDropsScale),
        (5, 3),
        {"scale"},
        "scale is not passed on",
        pattern="scale ignored",
    ),
    Bug(
        lambda: net(ChainScalesGradOutputs),
        (5, 3),
        {"scale"},
        "the deeper a module, the more often scale is applied",
        pattern="scale applied three times",
    ),
    Bug(
        lambda: net(ChainCallsBackward),
        (5, 3),
        {"split"},
        "updateGradInput accumulates",
    ),
    Bug(
        lambda: net(ChainCallsBackwardAndAccumulates),
        (5, 3),
        {"split"},
        "updateGradInput accumulates, and accGradParameters again",
    ),
    Bug(
        lambda: ChainGivesItsInputToAll(nn.Linear(3, 3), Square(), nn.Linear(3, 3)),
        (5, 3),
        {"gradParameters"},
        "every module gets the chain's input",
    ),
    Bug(
        lambda: ChainGivesGradOutputToAll(nn.Linear(3, 3), Square(), nn.Linear(3, 3)),
        (5, 3),
        {"gradParameters"},
        "every module gets the chain's gradOutput",
    ),
    Bug(
        lambda: net(ChainUsesModulesOutputs),
        (5, 3),
        {"interleave"},
        "the modules' last outputs belong to another input",
    ),
    Bug(
        lambda: net(ChainIsNotCareful),
        (5, 3),
        {"interleave"},
        "the last path belongs to another input",
    ),
    Bug(lambda: net(ChainIgnoresNone), (5, 3), {"none"}, "computes what nobody needs"),
    Bug(
        lambda: net(ChainStopsAtNone),
        (5, 3),
        {"none"},
        "its modules get no gradients when nobody needs its gradInput",
    ),
    Bug(
        lambda: tied(ChainUpdatesEachModule),
        (5, 3),
        {"update"},
        "shared parameters are updated twice",
    ),
    Bug(
        lambda: tied(ChainListsSharedTwice),
        (5, 3),
        {"update"},
        "shared parameters are listed, and updated, twice",
    ),
    Bug(
        lambda: net(ChainForgetsLastParameters),
        (5, 3),
        {"update"},
        "the last module's parameters are not listed",
    ),
    Bug(
        lambda: net(ChainZeroesFirstModule),
        (5, 3),
        {"zero"},
        "only the first module's gradients are zeroed",
        pattern="not 0 afterwards",
    ),
    Bug(
        lambda: net(ChainKeepsModesToItself),
        (5, 3),
        {"modes"},
        "modes are not passed on",
    ),
    Bug(
        lambda: net(ChainEvaluatesOnlyFirst),
        (5, 3),
        {"modes"},
        "evaluation mode reaches the first module only",
    ),
    Bug(
        lambda: net(ChainLeavesHalfOfGradients),
        (5, 3),
        {"exceptions"},
        "an error halfway leaves half of the gradients",
    ),
    Bug(lambda: net(ChainOutputNotKept), (5, 3), {"split"}, "self.output stays the old one"),
    Bug(lambda: net(ChainCloneSharesModules), (5, 3), {"clone"}, "a clone has the same modules"),
    Bug(
        lambda: net(ChainAccUpdatesNothing),
        (5, 3),
        {"accUpdate"},
        "the gradients so far are applied, not this call's",
    ),
    Bug(
        lambda: SequentialBackwards(nn.Linear(3, 3), Square()),
        (5, 3),
        {"container"},
        "the modules run in the opposite order",
    ),
    Bug(
        lambda: net(SequentialSkipsBackward),
        (5, 3),
        {"split"},
        "backward does half the work",
    ),
    Bug(
        lambda: net(SequentialAccumulatesTwice),
        (5, 3),
        {"gradParameters"},
        "the last module accumulates twice",
        pattern="doubled",
    ),
    Bug(
        lambda: SequentialForgetsLast(nn.Linear(3, 4), Square()),
        (5, 3),
        {"container"},
        "the last module does not take part",
    ),
    Bug(
        lambda: FanKeepsLastGradient(nn.Linear(3, 4), Square()),
        (5, 3),
        {"gradInput"},
        "the last module's gradient instead of the sum",
        pattern="all outputs but 0",
    ),
    Bug(
        lambda: FanSumsIntoFirst(nn.Identity(), Square()),
        (5, 3),
        {"mutation"},
        "gradOutput becomes the sum",
    ),
    Bug(
        lambda: FanSkipsLastModule(nn.Linear(3, 4), nn.Linear(3, 2)),
        (5, 3),
        {"gradParameters"},
        "the last module gets no gradients",
        pattern="never written",
    ),
    Bug(
        lambda: FanGivesAllTheFirstGradient(nn.Linear(3, 4), nn.Linear(3, 4)),
        (5, 3),
        {"gradParameters"},
        "every module gets the first one's gradOutput",
        pattern="another parameter",
    ),
    Bug(
        lambda: FanScalesFirstModuleOnly(nn.Linear(3, 4), nn.Linear(3, 2)),
        (5, 3),
        {"scale"},
        "scale reaches the first module only",
        pattern="scale ignored",
    ),
    Bug(
        lambda: ResidualForgetsShortcut(nn.Linear(3, 3)),
        (5, 3),
        {"gradInput"},
        "nothing goes back along the shortcut",
        pattern="shortcut",
    ),
    Bug(
        lambda: ResidualAddsIntoOutput(nn.Identity()),
        (5, 3),
        {"mutation"},
        "what the module gave, its input here, becomes the sum",
    ),
    Bug(
        lambda: ResidualAddsIntoGradInput(nn.Identity()),
        (5, 3),
        {"mutation"},
        "what the module gave, gradOutput here, becomes the sum",
    ),
    Bug(
        lambda: WrapperKeepsOtherModule(nn.Linear(3, 4)),
        (5, 3),
        {"gradInput", "gradParameters"},
        "a clone still runs the module of the original",
    ),
]
