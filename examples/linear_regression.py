"""Linear regression by gradient descent: what happens in one step of training, in eight parts.

The program of "Torch NN Tutorial 4: Backward Propagation (part 1)", 2017, which prints the same
digits in Torch7: https://github.com/ckmarkoh/torch_nn_tutorials

    python examples/linear_regression.py
"""

import numpy as np

import torchlite as nn
from torchlite import random


def show(array):
    """Print an array as Torch7 does: one row a line, whole numbers as such, others rounded."""
    whole = (array == array.round()).all()
    for row in array.reshape(len(array), -1):
        print(*(f"{number:2.0f}" if whole else f"{number:7.4f}" for number in row))


# The stream of random numbers is Torch7's. Loading Torch7's nn takes its first four numbers.
nn.manualSeed(0)
random.uniform(size=4)

print("The training data come from y = 2 x + 1, so w = 2 and b = 1 are what is to be learnt. x:")
x = np.linspace(1, 3, 3).reshape(3, 1)
y = x * 2 + 1
show(x)
print("y:")
show(y)

print("\n1. Initialize w and b. At random:")
l1 = nn.Linear(1, 1)
show(l1.weight)
show(l1.bias)
print(f"to all their digits {l1.weight[0, 0]:.17g} and {l1.bias[0]:.17g}")

print("\n2. What follows is one round of the loop over the epochs.")
c1 = nn.MSECriterion()

print("\n3. y_ = w x + b, forward through the layer:")
y_ = l1.forward(x)
show(y_)

print("\n4. J = (y_ - y)^2, forward through the criterion, which takes the mean over the data:")
j = c1.forward(y_, y)
print(f"{j:.14g}")

print("\n5. dJ/dw = 0 and dJ/db = 0, because backward adds to what is there:")
l1.zeroGradParameters()
show(l1.gradWeight)
show(l1.gradBias)

print("\n6. dJ/dy_ = 2 (y_ - y) / 3, backward through the criterion:")
dj_dy_ = c1.backward(y_, y)
show(dj_dy_)

print("\n7. dJ/dw = dJ/dy_ x and dJ/db = dJ/dy_, summed over the data, backward through the layer:")
l1.backward(x, dj_dy_)
show(l1.gradWeight)
show(l1.gradBias)

print("\n8. w = w - 0.02 dJ/dw and b = b - 0.02 dJ/db:")
l1.updateParameters(0.02)
show(l1.weight)
show(l1.bias)

print("\nParts 3 to 8 again, 500 times:")
for i in range(1, 501):
    y_ = l1.forward(x)
    j = c1.forward(y_, y)
    l1.zeroGradParameters()
    dj_dy_ = c1.backward(y_, y)
    l1.backward(x, dj_dy_)
    l1.updateParameters(0.02)
    if i % 50 == 0:
        print(f"i:{i} loss:{j:.14g} weight:{l1.weight[0, 0]:.14g} bias:{l1.bias[0]:.14g}")
