"""Right layers that hold others, and add to what these return without writing to it."""

import numpy as np

from bugs.good import Good
from torchlite import nn


class Block(nn.Module):
    """A linear map and a tanh, which are added to the input."""

    def __init__(self, n):
        self.fc = nn.Linear(n, n)
        self.act = nn.Tanh()

    def parameters(self):
        return self.fc.parameters()

    def updateOutput(self, input):
        self.output = input + self.act.forward(self.fc.forward(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        inner = self.act.updateGradInput(self.fc.forward(input), gradOutput)
        self.gradInput = gradOutput + self.fc.updateGradInput(input, inner)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        inner = self.act.updateGradInput(self.fc.forward(input), gradOutput)
        self.fc.accGradParameters(input, inner, scale)


class BlockOfCopies(Block):
    """Adds to copies."""

    def updateOutput(self, input):
        output = self.act.forward(self.fc.forward(input)).copy()
        output += input
        self.output = output
        return output

    def updateGradInput(self, input, gradOutput):
        inner = self.act.updateGradInput(self.fc.forward(input), gradOutput)
        gradInput = np.array(self.fc.updateGradInput(input, inner))
        gradInput += gradOutput
        self.gradInput = gradInput
        return gradInput


class BlockPassedOn(Block):
    """Returns what its last layer returned."""

    def updateOutput(self, input):
        self.output = self.act.forward(self.fc.forward(input))
        return self.output

    def updateGradInput(self, input, gradOutput):
        inner = self.act.updateGradInput(self.fc.forward(input), gradOutput)
        self.gradInput = self.fc.updateGradInput(input, inner)
        return self.gradInput


class Branches(nn.Module):
    """The sum of two maps, added up in an array of its own."""

    def __init__(self, n, m):
        self.branches = [nn.Linear(n, m), nn.Linear(n, m)]

    def parameters(self):
        pairs = [branch.parameters() for branch in self.branches]
        return [p for pair in pairs for p in pair[0]], [g for pair in pairs for g in pair[1]]

    def updateOutput(self, input):
        total = 0
        for branch in self.branches:
            total = total + branch.forward(input)
        self.output = total
        return total

    def updateGradInput(self, input, gradOutput):
        total = np.zeros_like(input)
        for branch in self.branches:
            total += branch.updateGradInput(input, gradOutput)
        self.gradInput = total
        return total

    def accGradParameters(self, input, gradOutput, scale=1):
        for branch in self.branches:
            branch.accGradParameters(input, gradOutput, scale)


class BufferSeen(nn.Module):
    """Looks at an array of its own, row by row, through a layer that returns what it is given."""

    def __init__(self):
        self.view = nn.Identity()

    def _doubled(self, array):
        doubled, row = np.empty_like(array), np.empty_like(array[:1])
        for i in range(len(array)):
            row[...] = array[i]
            doubled[i] = 2 * self.view.forward(row)[0]
        return doubled

    def updateOutput(self, input):
        self.output = self._doubled(input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._doubled(gradOutput)
        return self.gradInput


class Scratch(nn.Module):
    """Doubles in an array of its own, which each call fills anew: made for one caller."""

    _held = None
    transient = ("_held",)

    def updateOutput(self, input):
        if self._held is None or self._held.shape != input.shape or self._held.dtype != input.dtype:
            self._held = np.empty_like(input)
        np.multiply(input, 2, out=self._held)
        self.output = self._held
        return self.output


class FourTimes(nn.Module):
    """Copies what a layer with one array returns, twice."""

    def __init__(self):
        self.twice = Scratch()

    def updateOutput(self, input):
        once = self.twice.updateOutput(input).copy()
        self.output = self.twice.updateOutput(once).copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 4 * gradOutput
        return self.gradInput


class Steps(nn.Module):
    """One cell at every step of (N, T, n): h = tanh(x + W h)."""

    def __init__(self, n):
        self.cell = nn.Linear(n, n)

    def parameters(self):
        return self.cell.parameters()

    def _states(self, input):
        states = [np.zeros_like(input[:, 0])]
        for t in range(input.shape[1]):
            states.append(np.tanh(input[:, t] + self.cell.forward(states[-1])))
        return states

    def _through(self, input, gradOutput, acc):
        states, gradInput = self._states(input), np.empty_like(input)
        dh = np.zeros_like(states[0])
        for t in reversed(range(input.shape[1])):
            gradInput[:, t] = (gradOutput[:, t] + dh) * (1 - states[t + 1] ** 2)
            acc(states[t], gradInput[:, t])
            dh = self.cell.updateGradInput(states[t], gradInput[:, t])
        return gradInput

    def updateOutput(self, input):
        self.output = np.stack(self._states(input)[1:], axis=1)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = self._through(input, gradOutput, lambda h, d: None)
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        self._through(
            input, gradOutput, lambda h, d: self.cell.accGradParameters(h, d.copy(), scale)
        )


GOOD = [
    Good(lambda n, m: Block(n)),
    Good(lambda n, m: BlockOfCopies(n)),
    Good(lambda n, m: BlockPassedOn(n)),
    Good(lambda n, m: Branches(n, m)),
    Good(lambda n, m: BufferSeen()),
    Good(lambda n, m: FourTimes()),
    Good(lambda n, m: Steps(n), lambda N, n: (N, 4, n)),
    Good(lambda n, m: nn.Sequential(Block(n), Branches(n, m), nn.ReLU()), label="blocks"),
]
