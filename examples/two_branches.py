"""A residual network of two branches, built of nodes: what one can see of it, and that it learns.

Each block adds three things: what came in, what a narrow branch makes of it, and what a wide one
does. A module called with a node makes a node, and `gModule` makes a network of them. Nothing is
listed twice: the skip is the node x itself. On the way back, x gets the sum of what its users send.
(S. Xie and others: Aggregated residual transformations for deep neural networks, 2017.)

    python examples/two_branches.py --dot block
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import optim
from torchlite.datasets import digits, minibatches
from torchlite.stepping import summary

WIDTH = 48


def branch(x, width):
    h = nn.ReLU()(nn.BatchNormalization(width)(nn.Linear(WIDTH, width)(x)))
    return nn.Linear(width, WIDTH)(h)


def block():
    x = nn.Identity()().annotate(name="x", description="what comes in")
    narrow = branch(x, 8).annotate(name="narrow")
    wide = branch(x, 64).annotate(name="wide")
    y = nn.CAddTable()([x, narrow, wide]).annotate(name="sum", graphAttributes={"color": "red"})
    return nn.gModule([x], [nn.ReLU()(y)])


def network(blocks):
    net = nn.Sequential(nn.Linear(64, WIDTH), nn.BatchNormalization(WIDTH), nn.ReLU())
    for _ in range(blocks):
        net.add(block())
    return net.add(nn.Linear(WIDTH, 10)).add(nn.LogSoftMax())


def main():
    parser = argparse.ArgumentParser(description="Train a network of blocks of two branches.")
    parser.add_argument("--blocks", type=int, default=3, help="default: 3")
    parser.add_argument("--epochs", type=int, default=10, help="default: 10")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    parser.add_argument("--dot", help="a file for Graphviz: block, block.dot, block.svg ...")
    args = parser.parse_args()

    nn.manualSeed(args.seed)
    one = block()
    print(summary(one, (32, WIDTH)))
    x = np.random.default_rng(args.seed).normal(size=(32, WIDTH))
    output = one.forward(x)
    one.backward(x, np.ones_like(output))
    narrow, wide, (skip, _, _) = (one[i].gradInput for i in (1, 5, 9))
    print("\nx is used by", [target for source, target, _ in one.edges if source == 0])
    for name, gradient in [("narrow", narrow), ("wide", wide), ("skip", skip)]:
        print(f"norm of what comes back by {name:6} {np.linalg.norm(gradient):6.2f}")
    print(f"norm of the gradient of x       {np.linalg.norm(one.gradOutputs[0]):6.2f}")
    print("which is the sum:", np.allclose(one.gradOutputs[0], narrow + wide + skip))
    if args.dot:
        nn.graph.dot(one.fg, "a block", args.dot)

    x_train, y_train, x_test, y_test = digits()
    net = network(args.blocks)
    criterion = nn.ClassNLLCriterion()
    parameters, gradients = net.getParameters()
    config = {"learningRate": 0.002}
    print(f"\n{args.blocks} blocks, {len(parameters)} parameters")
    for epoch in range(1, args.epochs + 1):
        net.training()
        losses = []
        for x, y in minibatches(x_train, y_train, 64):

            def opfunc(_, x=x, y=y):
                loss = criterion.forward(net.forward(x), y)
                net.zeroGradParameters()
                net.backward(x, criterion.backward(net.output, y))
                return loss, gradients

            losses.append(optim.adam(opfunc, parameters, config)[1][0])
        net.evaluate()
        accuracy = 100 * (net.forward(x_test).argmax(axis=1) == y_test).mean()
        print(f"epoch {epoch}  loss {np.mean(losses):.3f}  test accuracy {accuracy:.1f} %")


if __name__ == "__main__":
    main()
