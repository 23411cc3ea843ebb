"""XOR with L-BFGS: two dozen looks at the loss, where gradient descent takes over a hundred.

L-BFGS learns from its steps how the loss is curved, and goes to where the bottom of a valley so
curved would be. All it takes is opfunc, which finds the loss and its gradient.

    python examples/xor_lbfgs.py
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import optim

parser = argparse.ArgumentParser(description="Learn XOR with L-BFGS.")
parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
nn.manualSeed(parser.parse_args().seed)

x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])
net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
criterion = nn.MSECriterion()
parameters, gradients = net.getParameters()
start = parameters.copy()


def opfunc(_):
    # What comes in are the network's own parameters, where the optimizer has changed them.
    loss = criterion.forward(net.forward(x), y)
    net.zeroGradParameters()
    net.backward(x, criterion.backward(net.output, y))
    return loss, gradients


# L-BFGS finds a direction. How far to go in it, a line search tries out.
config = {"maxIter": 100, "lineSearch": optim.lswolfe}
_, losses, evaluations = optim.lbfgs(opfunc, parameters, config)

print("iteration      loss")
for i, loss in enumerate(losses):
    print(f"{i:9}  {loss:.2e}")

print("\na  b  a xor b  net(a, b)")
for (a, b), (wanted,), (output,) in zip(x, y, net.forward(x), strict=True):
    print(f"{a:.0f}  {b:.0f}  {wanted:7.0f}  {output:z9.4f}")

parameters[:] = start
config = {"learningRate": 0.3}
steps, loss = 0, losses[0]
while loss > 1e-4 and steps < 1000:
    _, (loss,) = optim.sgd(opfunc, parameters, config)
    steps += 1
print(f"\nL-BFGS came to a loss of {losses[-1]:.0e} with {evaluations} evaluations,")
print(f"gradient descent, from the same start, to one of {loss:.0e} with {steps}.")
