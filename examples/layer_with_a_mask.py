"""A layer of one's own that must remember its forward: it drops whole samples of a batch.

Most layers depend on their arguments alone. This one draws a mask in its forward, and its backward
is right only for the input that the mask was drawn for. It says so in two class attributes: then
torchlite does not let one instance stand in two places of a network, and leaves the mask out of
copies and files. The checker tells whether it kept its word.

    python examples/layer_with_a_mask.py
"""

import numpy as np

import torchlite as nn
from torchlite import random
from torchlite.errors import StateError
from torchlite.testing import check_module


class DropSamples(nn.Module):
    """Set whole samples to 0, each with probability 1/2, while training.

    Maths
    -----
    In training mode::

        output = input * mask
        gradInput = gradOutput * mask
    """

    remembers = True
    transient = ("mask", "masked")
    # What the last forward drew, and the input that it was for.
    mask = masked = None

    def updateOutput(self, input):
        # First what may fail, then what remains of it.
        mask = np.ones_like(input)
        if self.train:
            mask[...] = random.bernoulli(0.5, size=(len(input), 1))
        self.output = input * mask
        self.mask, self.masked = mask, input
        return self.output

    def updateGradInput(self, input, gradOutput):
        if self.masked is None or not np.array_equal(input, self.masked):
            raise StateError("DropSamples: input is not that of the last forward")
        self.gradInput = gradOutput * self.mask
        return self.gradInput


nn.manualSeed(5)
x = np.arange(8.0).reshape(4, 2)
layer = DropSamples()
print("output")
print(layer.forward(x))
print("gradInput")
print(layer.backward(x, np.ones((4, 2))))

print("In evaluation nothing is dropped:", np.array_equal(layer.evaluate().forward(x), x))

print("A copy has no mask:", layer.clone().mask)

net = nn.Sequential(nn.Linear(2, 2), layer)
try:
    net.add(layer)
except StateError as error:
    print(str(error).splitlines()[0])

try:
    layer.backward(x + 1, np.ones((4, 2)))
except StateError as error:
    print(error)

batches = {"batch": "a mask for each sample", "empty": "no sample, no mask", "duck": "it draws"}
print(len(check_module(DropSamples(), shape=(4, 2), exempt=batches).passed), "properties hold")
