"""Inside a module: zeroGradParameters, the two halves of backward, updateParameters.

The program of "Torch NN Tutorial 6: Backward Propagation", 2017, which prints the same digits in
Torch7: https://github.com/ckmarkoh/torch_nn_tutorials. The tutorial reads the source of nn.Module
and nn.Linear; here they are torchlite/nn/module.py and torchlite/nn/simple/linear.py.

    python examples/module_internals.py
"""

import numpy as np

import torchlite as nn
from torchlite import random


def show(array):
    """Print an array as Torch7 does: one row a line, whole numbers as such, others rounded."""
    whole = (array == array.round()).all()
    for row in array.reshape(len(array), -1):
        print(*(f"{number:2.0f}" if whole else f"{number:7.4f}" for number in row))


def start():
    """Torch7's stream of random numbers, of which loading Torch7's nn takes the first four."""
    nn.manualSeed(0)
    random.uniform(size=4)


start()
l1 = nn.Linear(1, 1)
l2 = nn.Linear(2, 3)

print("1. zeroGradParameters: parameters() lists weight and bias, and then what becomes zero.")
parameters, gradients = l2.parameters()
l2.zeroGradParameters()
for gradient in gradients:
    show(gradient)

print("\n2. backward: updateGradInput, then accGradParameters. For y = W x + b, with W and dJ/dy")
dj_dy = np.array([1.0, 2.0, 3.0])
show(l2.weight)
show(dj_dy)

print("\nupdateGradInput finds dJ/dx = W^T dJ/dy. Of x only the shape matters:")
x = np.array([1.0, 1.0])
show(l2.updateGradInput(x, dj_dy))
print("Two samples, one a row, give two rows:")
show(l2.updateGradInput(np.array([x, x]), np.array([dj_dy, 10 * dj_dy])))

print("\naccGradParameters finds dJ/dW = dJ/dy x^T and dJ/db = dJ/dy. With x = (4, 5):")
x = np.array([4.0, 5.0])
l2.accGradParameters(x, dj_dy)
show(l2.gradWeight)
show(l2.gradBias)
print("It adds to what is there. The same again, with scale 2:")
l2.accGradParameters(x, dj_dy, 2)
show(l2.gradWeight)
show(l2.gradBias)
print("It adds up the gradients of several samples. Both, after zeroGradParameters, at once:")
l2.zeroGradParameters()
l2.accGradParameters(np.array([x, x]), np.array([dj_dy, 2 * dj_dy]))
show(l2.gradWeight)
show(l2.gradBias)

print("\nNobody needs the dJ/dx of a network's first layer. gradInput = None says so:")
l2.zeroGradParameters()
l2.gradInput = None
print("updateGradInput returns", l2.updateGradInput(x, dj_dy))
print("backward returns", l2.backward(x, dj_dy), "and finds the other two all the same:")
show(l2.gradWeight)
show(l2.gradBias)

# From here on as in the course's notebook, where no l1 came first and took two numbers.
start()
l2 = nn.Linear(2, 3)

print("\n3. updateParameters: W = W - 0.02 dJ/dW and b = b - 0.02 dJ/db. Before:")
show(l2.weight)
show(l2.bias)
print("and after:")
l2.backward(x, dj_dy)
l2.updateParameters(0.02)
show(l2.weight)
show(l2.bias)
