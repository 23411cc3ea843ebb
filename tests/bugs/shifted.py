"""A softmax that subtracts one maximum for the whole batch."""

import numpy as np

from bugs import Bug
from torchlite import nn


class LogSoftMaxShiftedByBatch(nn.Module):
    def updateOutput(self, x):
        z = x - x.max()
        self.output = z - np.log(np.exp(z).sum(-1, keepdims=True))
        return self.output

    def updateGradInput(self, x, dout):
        e = np.exp(x - x.max(-1, keepdims=True))
        p = e / e.sum(-1, keepdims=True)
        self.gradInput = dout - p * dout.sum(-1, keepdims=True)
        return self.gradInput


BUGS = [
    Bug(LogSoftMaxShiftedByBatch, (5, 3), {"batch", "empty"}, "one maximum for the whole batch"),
]
