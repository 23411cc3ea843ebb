"""A siamese network: two towers with the same weights learn how far apart digits are.

A tower makes an image a point in space, and the network says how far two images' points are apart.
It is never told which digit it sees, only whether two images show the same one: the points of such
a pair are drawn together, others are driven apart until MARGIN lies between them.
(Hadsell, Chopra and LeCun: Dimensionality reduction by learning an invariant mapping, 2006.)

    python examples/siamese.py
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import optim, random
from torchlite.datasets import digits, minibatches
from torchlite.progress import progress

MARGIN = 2


def pairs(x, y):
    """Put each image beside one of the same digit, and beside any one.

    Return the table of both sides, and for each pair 1 (the same digit) or -1 (different ones).
    """
    same = np.empty_like(y)
    for digit in range(10):
        (own,) = np.nonzero(y == digit)
        same[own] = own[random.randperm(len(own))]
    left = np.tile(np.arange(len(y)), 2)
    right = np.concatenate([same, random.randperm(len(y))])
    return [x[left], x[right]], np.where(y[left] == y[right], 1.0, -1.0)


def main():
    parser = argparse.ArgumentParser(description="Train a siamese network on pairs of digits.")
    parser.add_argument("--epochs", type=int, default=20, help="default: 20")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    args = parser.parse_args()

    x_train, y_train, x_test, y_test = digits()
    nn.manualSeed(args.seed)
    tower = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 8))
    # The twin has arrays in common with the tower: both add to the same gradients.
    twin = tower.clone("weight", "bias", "gradWeight", "gradBias")
    net = nn.Sequential(nn.ParallelTable(tower, twin), nn.PairwiseDistance(2))
    criterion = nn.HingeEmbeddingCriterion(MARGIN)
    parameters, gradients = net.getParameters()
    config = {"learningRate": 0.003}
    print(net)
    print(f"{len(parameters)} parameters, which both towers share")

    def step(x, y):
        def opfunc(_):
            loss = criterion.forward(net.forward(x), y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradients

        optim.adam(opfunc, parameters, config)

    x_pairs, y_pairs = pairs(x_test, y_test)

    def report(when):
        distances = net.forward(x_pairs)
        told = np.where(distances < MARGIN / 2, 1, -1)
        points, known = tower.forward(x_test), tower.forward(x_train)
        nearest = np.linalg.norm(points[:, None] - known, axis=2).argmin(axis=1)
        print(f"\n{when} training, on test images")
        print(f"distance between images of the same digit  {distances[y_pairs == 1].mean():.2f}")
        print(f"and of different ones                      {distances[y_pairs == -1].mean():.2f}")
        print(f"same or different, told right              {100 * (told == y_pairs).mean():.1f} %")
        right = 100 * (y_train[nearest] == y_test).mean()
        print(f"the nearest training image is of the digit {right:.1f} %")

    report("before")
    epochs = progress(range(args.epochs), "epochs")
    for _ in epochs:
        for x, y in minibatches(*pairs(x_train, y_train), 32):
            step(x, y)
        epochs.status(f"loss {criterion.forward(net.forward(x_pairs), y_pairs):.3f}")
    report("after")


if __name__ == "__main__":
    main()
