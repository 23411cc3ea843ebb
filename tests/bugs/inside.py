"""Layers that write to what the layers inside them returned: their output, or their gradInput."""

import numpy as np

from bugs import Bug
from bugs.good_inside import Block, Branches, Steps
from torchlite import nn


class BlockAddsInPlace(Block):
    def updateOutput(self, input):
        output = self.act.forward(self.fc.forward(input))
        output += input
        self.output = output
        return output


class BlockAddsGradientInPlace(Block):
    def updateGradInput(self, input, gradOutput):
        inner = self.act.updateGradInput(self.fc.forward(input), gradOutput)
        gradInput = self.fc.updateGradInput(input, inner)
        gradInput += gradOutput
        self.gradInput = gradInput
        return gradInput


class BlockScalesItsLayersOutput(nn.Module):
    """Takes the layer's output for an array of its own."""

    def __init__(self, n, m):
        self.fc = nn.Linear(n, m)

    def parameters(self):
        return self.fc.parameters()

    def updateOutput(self, input):
        self.fc.forward(input)
        self.fc.output *= 0.5
        self.output = self.fc.output.copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self.fc.updateGradInput(input, 0.5 * gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.fc.accGradParameters(input, gradOutput, 0.5 * scale)


class BranchesAddedToTheFirst(Branches):
    def updateOutput(self, input):
        first, *others = (branch.forward(input) for branch in self.branches)
        for other in others:
            first += other
        self.output = first
        return first


class BranchesGradientsAddedToTheFirst(Branches):
    def updateGradInput(self, input, gradOutput):
        first, *others = (b.updateGradInput(input, gradOutput) for b in self.branches)
        for other in others:
            np.add(first, other, out=first)
        self.gradInput = first
        return first


class RectifiedInPlace(nn.Sequential):
    """A linear map of which all that is negative is made 0 where it stands."""

    def updateOutput(self, input):
        output = super().updateOutput(input)
        np.maximum(output, 0, out=output)
        self.output = output
        return output

    def _inner(self, input, gradOutput):
        return gradOutput * (super().updateOutput(input) > 0)

    def updateGradInput(self, input, gradOutput):
        self.gradInput = super().updateGradInput(input, self._inner(input, gradOutput))
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self.modules[0].accGradParameters(input, self._inner(input, gradOutput), scale)

    def backward(self, input, gradOutput, scale=1):
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput, scale)
        return self.gradInput


class StepsInTheCellsOutput(Steps):
    """The state is made where the cell left its output."""

    def _states(self, input):
        states = [np.zeros_like(input[:, 0])]
        for t in range(input.shape[1]):
            state = self.cell.forward(states[-1])
            state += input[:, t]
            states.append(np.tanh(state, out=state))
        return states


SHAPE = (5, 3)

BUGS = [
    Bug(lambda: BlockAddsInPlace(3), SHAPE, {"mutation"}, "the tanh's output is written to"),
    Bug(
        lambda: BlockAddsGradientInPlace(3),
        SHAPE,
        {"mutation"},
        "the linear map's gradInput is written to",
    ),
    Bug(
        lambda: BlockScalesItsLayersOutput(3, 4),
        SHAPE,
        {"mutation"},
        "the linear map's output is halved where it stands",
    ),
    Bug(
        lambda: BranchesAddedToTheFirst(3, 4),
        SHAPE,
        {"mutation"},
        "the first branch's output is written to",
    ),
    Bug(
        lambda: BranchesGradientsAddedToTheFirst(3, 4),
        SHAPE,
        {"mutation"},
        "the first branch's gradInput is written to",
    ),
    Bug(
        lambda: RectifiedInPlace(nn.Linear(3, 4)),
        SHAPE,
        {"mutation"},
        "the linear map's output is written to",
    ),
    Bug(
        lambda: StepsInTheCellsOutput(3),
        (2, 4, 3),
        {"mutation"},
        "the cell's output is written to at every step",
    ),
]
