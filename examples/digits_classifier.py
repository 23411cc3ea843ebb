"""Handwritten digits: a network learns to read 98 of 100 that it never saw, in a few seconds.

In the form of a Torch7 program: getParameters puts all parameters into one flat array, and their
gradients into another; opfunc finds the loss of a batch and its gradient; optim.adam makes a step.

    python examples/digits_classifier.py            train, and see what is taken for what
    python examples/digits_classifier.py FOLDER     and write training.log there, and two pictures,
                                                    learning_curve.png and worst_errors.png
"""

import argparse
from pathlib import Path

import numpy as np

import torchlite as nn
from torchlite import optim
from torchlite.datasets import digits, minibatches
from torchlite.progress import progress


def figure(width, height):
    """An empty figure of so many inches."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("matplotlib is not installed: pip install matplotlib") from error
    return Figure((width, height), layout="constrained")


def draw_learning_curve(history, file):
    """Draw loss and accuracy, epoch by epoch."""
    page = figure(9, 4)
    left, right = page.subplots(1, 2)
    for part in ("training", "test"):
        losses, accuracies = history[f"{part} loss"], history[f"{part} accuracy"]
        epochs = range(1, 1 + len(losses))
        left.plot(epochs, losses, ".-", label=f"{part} images")
        right.plot(epochs, accuracies, ".-", label=f"{part} images")
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    right.set(xlabel="epoch", ylabel="read right, %")
    left.legend()
    right.legend()
    page.savefig(file)


def draw_worst_errors(net, x, y, file):
    """Draw the ten images whose own digit got the lowest probability."""
    probabilities = np.exp(net.forward(x))
    read = probabilities.argmax(axis=1)
    of_the_digit = probabilities[np.arange(len(y)), y]

    page = figure(9, 5)
    page.suptitle(
        f"{(read != y).sum()} of {len(y)} test images are read wrong.\n"
        "The ten worst, and the probability that they got for what they are:"
    )
    for place, i in enumerate(of_the_digit.argsort()[:10], 1):
        axes = page.add_subplot(2, 5, place, xticks=[], yticks=[])
        axes.imshow(x[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(f"{y[i]}, {of_the_digit[i]:.1%}")
        axes.set_xlabel(f"read as {read[i]}", color="black" if read[i] == y[i] else "red")
    page.savefig(file)


def main():
    parser = argparse.ArgumentParser(description="Train a network to read handwritten digits.")
    parser.add_argument("folder", nargs="?", type=Path, help="where the log and the pictures go")
    parser.add_argument("--epochs", type=int, default=40, help="default: 40")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    args = parser.parse_args()

    x_train, y_train, x_test, y_test = digits()
    nn.manualSeed(args.seed)
    net = nn.Sequential(
        nn.Linear(64, 128),
        nn.BatchNormalization(128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, 10),
        nn.LogSoftMax(),
    )
    criterion = nn.ClassNLLCriterion()
    parameters, gradients = net.getParameters()
    print(net)
    print(f"{len(parameters)} parameters, {len(x_train)} images to learn from")

    # What adam remembers from step to step, it keeps in here, too.
    config = {"learningRate": 0.01, "learningRateDecay": 0.005}

    def step(x, y):
        def opfunc(_):
            loss = criterion.forward(net.forward(x), y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradients

        optim.adam(opfunc, parameters, config)

    def judge():
        """Loss, and images read right in a hundred, of those learnt from and of the others."""
        # Now nothing drops out, and a batch no longer decides how it is normalized.
        net.evaluate()
        row = {}
        for part, x, y in (("training", x_train, y_train), ("test", x_test, y_test)):
            output = net.forward(x)
            row[f"{part} loss"] = criterion.forward(output, y)
            row[f"{part} accuracy"] = 100 * (output.argmax(axis=1) == y).mean()
        return row

    logger = optim.Logger(args.folder / "training.log") if args.folder else None
    epochs = progress(range(args.epochs), "epochs")
    for _ in epochs:
        net.training()
        for x, y in minibatches(x_train, y_train, 32):
            step(x, y)
        results = judge()
        epochs.status("test accuracy {test accuracy:.1f} %".format(**results))
        if logger:
            logger.add(results)

    print()
    for name, result in judge().items():
        print(f"{name:17}  {result:8.4f}")
    print("\nWhat is taken for what: a row for each digit, a column for what it was read as.")
    confusion = optim.ConfusionMatrix(list("0123456789"))
    confusion.batchAdd(net.forward(x_test), y_test)
    print(confusion)

    if logger:
        draw_learning_curve(logger.symbols, args.folder / "learning_curve.png")
        draw_worst_errors(net, x_test, y_test, args.folder / "worst_errors.png")


if __name__ == "__main__":
    main()
