"""A network of two layers, stepped by hand, without one call of net.backward.

After net.forward(x) the network's activations are there to look at and to go on from. Every layer
is asked for the gradient of its input, which is what the layer before it needs, and for the
gradients of its parameters, whenever it is convenient.

    python examples/step_by_hand.py
"""

import numpy as np

import torchlite as nn
from torchlite import random

nn.manualSeed(0)
net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
l1, relu, l2 = net
criterion = nn.MSECriterion()

x = random.normal(size=(5, 4))
y = random.normal(size=(5, 2))

print(net)
loss = criterion.forward(net.forward(x), y)
print(f"loss {loss:.4f}")

print("\nWhat the forward left behind:")
before_l1, before_relu, before_l2, output = net.activations
for i, activation in enumerate(net.activations):
    print(f"activations[{i}]", activation.shape, "the input" if i == 0 else f"from {net[i - 1]}")

print("\nBack through the criterion and both layers, from gradOutput to gradInput:")
dloss_doutput = criterion.updateGradInput(output, y)
dloss_dbefore_l2 = l2.updateGradInput(before_l2, dloss_doutput)
dloss_dbefore_relu = relu.updateGradInput(before_relu, dloss_dbefore_l2)
dloss_dx = l1.updateGradInput(before_l1, dloss_dbefore_relu)
for layer in (criterion, l2, relu, l1):
    print(layer, layer.gradInput.shape)

print("\nThe gradients of the parameters, first layer first: any order will do.")
net.zeroGradParameters()
l1.accGradParameters(before_l1, dloss_dbefore_relu)
l2.accGradParameters(before_l2, dloss_doutput)
for layer in (l1, l2):
    print(f"{layer}: gradWeight {layer.gradWeight.shape}, gradBias {layer.gradBias.shape}")
    print(layer.gradWeight.round(4))

# The same by backward, on a copy.
twin = net.clone()
twin.zeroGradParameters()
twin.forward(x)
assert np.array_equal(twin.backward(x, dloss_doutput), dloss_dx)
for layer, other in zip(net, twin, strict=True):
    assert np.array_equal(layer.gradInput, other.gradInput)
for gradient, other in zip(net.parameters()[1], twin.parameters()[1], strict=True):
    assert np.array_equal(gradient, other)
print("\nnet.backward finds the same, to the last bit.")
