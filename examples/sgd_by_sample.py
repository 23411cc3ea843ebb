"""Stochastic gradient descent, sample by sample, and the exercises that go with it.

The program of the lecture "PyTorch Tutorial 04: Back Propagation", which prints the same digits in
PyTorch. There, l.backward() goes through the graph that the forward left behind; here, criterion
and layer are asked one after the other.

    python examples/sgd_by_sample.py
"""

import numpy as np

import torchlite as nn


def tensor(*numbers):
    """An array of float32, as PyTorch's tensors are."""
    return np.array(numbers, np.float32)


def layer(weights, bias=None):
    """A Linear with one output and the weights given."""
    linear = nn.Linear(len(weights), 1, bias=bias is not None).float()
    linear.weight[:] = weights
    if bias is not None:
        linear.bias[:] = bias
    return linear


criterion = nn.MSECriterion()


def accumulate(model, x, y):
    """Step through loss = (model(x) - y)^2; add its gradients to the model's, return it."""
    y_pred = model.updateOutput(x)
    loss = criterion.updateOutput(y_pred, y)
    dloss_dy = criterion.updateGradInput(y_pred, y)
    model.accGradParameters(x, dloss_dy)
    return loss


print("Exercise 4-1: y_pred = x w, with x = 2, y = 4, w = 1")
model = layer([1])
accumulate(model, tensor(2), tensor(4))
print("\tdloss/dr = 2 r = dloss/dy_pred:", criterion.gradInput.item())
print("\tdloss/dw = dloss/dy_pred x:", model.gradWeight.item())

print("Exercise 4-2: y_pred = x w + b, with x = 1, y = 2, w = 1, b = 2")
model = layer([1], bias=2)
accumulate(model, tensor(1), tensor(2))
print("\tdloss/dy_pred:", criterion.gradInput.item())
print("\tdloss/dw:", model.gradWeight.item())
print("\tdloss/db:", model.gradBias.item())

print("The linear model, y_pred = x w")
x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
model = layer([1])

print("predict (before training)", 4, model.forward(tensor(4)).item())

for epoch in range(100):
    for x, y in zip(x_data, y_data, strict=True):
        loss = accumulate(model, tensor(x), tensor(y))
        print("\tgrad:", x, y, model.gradWeight.item())
        model.updateParameters(0.01)
        model.zeroGradParameters()

    print("progress:", epoch, loss)

print("predict (after training)", 4, model.forward(tensor(4)).item())

# A quadratic model is a linear one of the features x^2 and x.
print("Exercise 4-3: y_pred = w1 x^2 + w2 x + b, with x = 2, y = 4, w1 = w2 = b = 1")
model = layer([1, 1], bias=1)
accumulate(model, tensor(2**2, 2), tensor(4))
dloss_dw1, dloss_dw2 = model.gradWeight[0]
print("\tdloss/dw1 = 2 (y_pred - y) x^2:", dloss_dw1.item())
print("\tdloss/dw2 = 2 (y_pred - y) x:", dloss_dw2.item())
print("\tdloss/db = 2 (y_pred - y):", model.gradBias.item())

print("Exercise 4-4: the quadratic model, trained on the same data")
model.zeroGradParameters()
for epoch in range(100):
    for x, y in zip(x_data, y_data, strict=True):
        loss = accumulate(model, tensor(x**2, x), tensor(y))
        model.updateParameters(0.01)
        model.zeroGradParameters()
    if epoch % 20 == 19:
        print("progress:", epoch, loss)
print("predict (after training)", 4, model.forward(tensor(4**2, 4)).item())
