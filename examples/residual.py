"""A residual network: what it is good for to add a block's input to its output.

A residual block finds f(x) + x, where f is a few layers: what is to be added to its input, not what
is to come in its place. On the way back, the sum hands its gradient on to both sides. What comes
through f has been changed by f's weights, block for block a little more; what comes past f has not.
Two networks of twelve blocks, 26 Linear layers deep, are trained, with these sums and without.
(He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2015.)

    python examples/residual.py
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite.datasets import digits, minibatches

WIDTH = 32
BLOCKS = 12


def block(residual):
    f = nn.Sequential(
        nn.Linear(WIDTH, WIDTH),
        nn.BatchNormalization(WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.BatchNormalization(WIDTH),
    )
    if residual:
        f = nn.Sequential(nn.ConcatTable(f, nn.Identity()), nn.CAddTable())
    return f.add(nn.ReLU())


def network(residual):
    net = nn.Sequential(nn.Linear(64, WIDTH), nn.BatchNormalization(WIDTH), nn.ReLU())
    for _ in range(BLOCKS):
        net.add(block(residual))
    return net.add(nn.Linear(WIDTH, 10)).add(nn.LogSoftMax())


criterion = nn.ClassNLLCriterion()


def backpropagate(net, x, y):
    """Go forward and backward through the network; return the loss."""
    loss = criterion.forward(net.forward(x), y)
    net.zeroGradParameters()
    net.backward(x, criterion.backward(net.output, y))
    return loss


parser = argparse.ArgumentParser(description="Train deep networks, with sums and without.")
parser.add_argument("--epochs", type=int, default=8, help="default: 8")
parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
args = parser.parse_args()

x_train, y_train, x_test, y_test = digits()
print("A residual block:", block(residual=True))
for residual in (True, False):
    nn.manualSeed(args.seed)
    net = network(residual)
    print(f"\n{BLOCKS} blocks {'with' if residual else 'without'} the sum")

    backpropagate(net, x_train, y_train)
    first, *_, last = net.gradOutputs[3:-2]
    growth = np.linalg.norm(first) / np.linalg.norm(last)
    print(f"from the last block to the first, the gradient grows {growth:.0f} times as large")

    for epoch in range(1, args.epochs + 1):
        # In training, BatchNormalization goes by the batch, otherwise by what it saw in training.
        net.training()
        losses = []
        for x, y in minibatches(x_train, y_train, 32):
            losses.append(backpropagate(net, x, y))
            net.updateParameters(0.05)
        net.evaluate()
        accuracy = 100 * (net.forward(x_test).argmax(axis=1) == y_test).mean()
        print(f"epoch {epoch}  loss {np.mean(losses):.3f}  test accuracy {accuracy:.1f} %")
