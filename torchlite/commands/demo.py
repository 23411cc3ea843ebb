"""Train a network to read handwritten digits, then look at its gradients, layer by layer."""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

import torchlite as nn
from torchlite.datasets import digits, minibatches
from torchlite.progress import progress

__all__ = ["add_arguments", "network", "run", "targets"]

BATCH = 16
LEARNING_RATE = 2.0

WHAT_NEXT = """\
  other weights, less training      {python} -m torchlite demo --seed 1 --epochs 5
  one step, taken apart by hand     {python} examples/step_by_hand.py
  where gradients come from         {python} examples/linear_regression.py
  inside a network of your own, after net.forward(x) and net.backward(x, gradOutput)
      net.activations                       the input, and what every layer made of it
      net[0].gradInput, net[0].gradWeight   the gradients that the first layer found"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: 0)"
    )
    parser.add_argument(
        "--epochs",
        type=_at_least_1,
        default=25,
        help="how often to go through the training images (default: 25)",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="no colour and no progress bar; the default when output is no terminal",
    )


def run(args: argparse.Namespace) -> int:
    plain = args.plain or not (sys.stdout.isatty() and sys.stderr.isatty())

    def heading(text: str) -> str:
        return f"\n{text}" if plain else f"\n\033[1m{text}\033[0m"

    x_train, y_train, x_test, y_test = digits()
    nn.manualSeed(args.seed)
    net = network()
    print(f"{len(x_train)} handwritten digits to learn from, {len(x_test)} others for the test.")
    print(net)

    print(heading("training"))
    accuracy = 0.0
    epochs = progress(range(1, args.epochs + 1), "epochs", show=not plain)
    for epoch in epochs:
        loss = _train(net, x_train, y_train)
        accuracy = _accuracy(net, x_test, y_test)
        # On a terminal the bar stands in this line: go back to its beginning and wipe it off.
        wipe = "" if plain else "\r\033[K"
        print(f"{wipe}epoch {epoch:2}  loss {loss:.4f}  test accuracy {accuracy:.1f} %")
        epochs.status(f"test accuracy {accuracy:.1f} %")

    print(heading(f"one batch of {BATCH} images: shapes and norms, layer by layer"))
    print(_gradients(net, x_train[:BATCH], y_train[:BATCH]))
    print(_checked(net))

    print(heading("what to try next"))
    print(WHAT_NEXT.format(python=_python()))
    print(heading(f"test accuracy: {accuracy:.1f} %"))
    return 0


def network() -> nn.Sequential:
    net = nn.Sequential(
        nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 40), nn.ReLU(), nn.Linear(40, 10)
    )
    # With all parameters in one array, and all gradients in another, an update is one operation.
    net.getParameters()
    return net


def targets(labels: Any) -> Any:
    """Return a row for every label: 1 at the position of the digit, 0 elsewhere."""
    return np.eye(10)[labels]


def _train(net: nn.Sequential, images: Any, labels: Any) -> float:
    """Go through the images once, descending along the gradient; return the mean loss."""
    criterion = nn.MSECriterion()
    losses: list[float] = []
    for x, y in minibatches(images, targets(labels), BATCH):
        output = net.forward(x)
        losses.append(criterion.forward(output, y))
        net.zeroGradParameters()
        net.backward(x, criterion.backward(output, y))
        net.updateParameters(LEARNING_RATE)
    return sum(losses) / len(losses)


def _accuracy(net: nn.Sequential, images: Any, labels: Any) -> float:
    """Return how many images in a hundred get the highest output for their own digit."""
    return 100 * float((net.forward(images).argmax(axis=1) == labels).mean())


def _gradients(net: nn.Sequential, images: Any, labels: Any) -> str:
    """Send a batch forward and back; return a table of what every layer then holds."""
    criterion = nn.MSECriterion()
    output = net.forward(images)
    net.zeroGradParameters()
    net.backward(images, criterion.backward(output, targets(labels)))
    rows = [("at", "layer", "output", "norm", "gradInput", "norm", "gradWeight", "gradBias")]
    for position, layer in enumerate(net):
        rows.append(
            (
                f"[{position}]",
                repr(layer),
                str(layer.output.shape),
                _norm(layer.output),
                str(layer.gradInput.shape),
                _norm(layer.gradInput),
                _norm(layer.gradWeight),
                _norm(layer.gradBias),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _checked(net: nn.Sequential) -> str:
    """Compare the gradients of every layer, on the last batch, with numeric derivatives."""
    # Here, because the checker takes as long to load as all that comes before the training.
    from torchlite.testing import check_module

    for layer, x, slope in zip(net, net.activations, net.gradOutputs, strict=False):
        check_module(layer, x, gradOutput=slope, only=("gradInput", "gradParameters"))
    return f"numeric check: the gradients of all {len(net)} layers are the derivatives"


def _norm(array: Any) -> str:
    return "-" if array is None else f"{np.linalg.norm(array):.2g}"


def _python() -> str:
    """Return how to call this Python from here: that of a virtual environment by its path."""
    here, python = Path.cwd(), Path(sys.executable)
    return str(python.relative_to(here)) if python.is_relative_to(here) else "python"


def _at_least_1(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number
