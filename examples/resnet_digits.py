"""A residual network of images, as fb.resnet.torch builds it, and the same layers without the sums.

A basic block adds what two convolutions find to what came in. Where it halves the image and doubles
the planes, the shortcut does so, too: an average of every 2 by 2 pixels, and planes of zeros (the
shortcut "type A"). Deep plain networks lose what the image was; with the sums depth does no harm.
(He, Zhang, Ren and Sun: Deep residual learning for image recognition, 2015; S. Gross and M. Wilber:
https://github.com/facebookarchive/fb.resnet.torch, models/resnet.lua.)

    python examples/resnet_digits.py
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import optim
from torchlite.datasets import digits, minibatches
from torchlite.nn import init

PLANES = 8


def convolution(planes_in, planes, stride=1):
    """3 by 3, which BatchNormalization follows: a bias would be subtracted again."""
    return nn.SpatialConvolution(planes_in, planes, 3, 3, stride, stride, 1, 1).noBias()


def shortcut(planes_in, planes, stride):
    if planes_in == planes:
        return nn.Identity()
    return nn.Sequential(
        nn.SpatialAveragePooling(1, 1, stride, stride),
        nn.Concat(1, nn.Identity(), nn.MulConstant(0)),
    )


def basic_block(planes_in, planes, stride, residual):
    block = nn.Sequential(
        convolution(planes_in, planes, stride),
        nn.SpatialBatchNormalization(planes),
        nn.ReLU(),
        convolution(planes, planes),
        nn.SpatialBatchNormalization(planes),
    )
    if residual:
        both = nn.ConcatTable(block, shortcut(planes_in, planes, stride))
        block = nn.Sequential(both, nn.CAddTable())
    return block.add(nn.ReLU())


def network(depth, residual):
    """Of 4 * depth + 2 layers with weights: a convolution, the blocks and a Linear."""
    net = nn.Sequential(convolution(1, PLANES), nn.SpatialBatchNormalization(PLANES), nn.ReLU())
    for _ in range(depth):
        net.add(basic_block(PLANES, PLANES, 1, residual))
    net.add(basic_block(PLANES, 2 * PLANES, 2, residual))
    for _ in range(depth - 1):
        net.add(basic_block(2 * PLANES, 2 * PLANES, 1, residual))
    net.add(nn.SpatialAveragePooling(4, 4)).add(nn.View(2 * PLANES))
    net.add(nn.Linear(2 * PLANES, 10)).add(nn.LogSoftMax())
    net.apply(init.each(nn.SpatialConvolution, init.kaiming, gain="relu", fan="out"))
    init.constant(net[-2], "bias", 0)
    return net.float()


criterion = nn.ClassNLLCriterion()


def step(net, x, y, config):
    """One step of training; return the loss."""
    parameters, gradients = net.getParameters()

    def opfunc(_):
        loss = criterion.forward(net.forward(x), y)
        net.zeroGradParameters()
        net.backward(x, criterion.backward(net.output, y))
        return loss, gradients

    _, losses = optim.sgd(opfunc, parameters, config)
    return losses[0]


def main():
    parser = argparse.ArgumentParser(description="Train networks of images, residual and plain.")
    parser.add_argument("--depth", type=int, default=6, help="blocks of a size; default: 6")
    parser.add_argument("--epochs", type=int, default=6, help="default: 6")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    args = parser.parse_args()

    x_train, y_train, x_test, y_test = digits(np.float32)
    x_train, x_test = x_train.reshape(-1, 1, 8, 8), x_test.reshape(-1, 1, 8, 8)
    print("A basic block:", basic_block(PLANES, 2 * PLANES, 2, residual=True))
    for residual in (True, False):
        nn.manualSeed(args.seed)
        net = network(args.depth, residual)
        parameters, _ = net.getParameters()
        net[0].gradInput = None
        config = {
            "learningRate": 0.05,
            "momentum": 0.9,
            "dampening": 0,
            "nesterov": True,
            "weightDecay": 1e-4,
        }
        print(
            f"\n{'residual' if residual else 'plain'}: {4 * args.depth + 2} layers, "
            f"{len(parameters)} parameters"
        )
        for epoch in range(1, args.epochs + 1):
            net.training()
            batches = minibatches(x_train, y_train, 64)
            loss = np.mean([step(net, x, y, config) for x, y in batches])
            net.evaluate()
            accuracy = 100 * (net.forward(x_test).argmax(axis=1) == y_test).mean()
            print(f"epoch {epoch}  loss {loss:.3f}  test accuracy {accuracy:.1f} %")


if __name__ == "__main__":
    main()
