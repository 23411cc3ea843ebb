"""Train a network to read handwritten digits, then look at its gradients, layer by layer.

It ends with a digit that it never saw, and what it says of it; --html writes a page of how it came
to say so. Exit status: 0, or 2 where the page cannot be written.
"""

import argparse
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

import torchlite as nn
from torchlite.commands import _terminal
from torchlite.commands._given import refused
from torchlite.datasets import digits, minibatches
from torchlite.progress import progress

__all__ = ["add_arguments", "network", "run", "targets"]

BATCH = 16
EPOCHS = 25
LEARNING_RATE = 2.0

# What there is to try, and the command; that of an example where there are examples.
WHAT_NEXT = {
    "other weights": "{python} -m torchlite demo --seed 1 --epochs 5",
    "watch one learn": "{python} -m torchlite play",
    "every call, as a page": "{python} -m torchlite trace --html steps.html",
    "a layer of your own": "{python} -m torchlite check --help",
    "one step, by hand": "{python} {examples}/step_by_hand.py",
    "one gradient": "{python} {examples}/linear_regression.py",
    "in a network of yours": "net.activations, net[0].gradInput, net[0].gradWeight",
}
# Paper, pencil and ink, in five shades.
SHADES, PLAIN_SHADES = " ░▒▓█", ".-+*#"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: 0)"
    )
    parser.add_argument(
        "--epochs",
        type=_at_least_1,
        default=EPOCHS,
        help=f"how often to go through the training images (default: {EPOCHS})",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="no colour and no progress bar; the default when output is no terminal",
    )
    parser.add_argument("--html", metavar="FILE", help="write the last digit's page for a browser")
    parser.epilog = "example: torchlite demo --epochs 5"


def run(args: argparse.Namespace) -> int:
    plain = args.plain or _terminal.bare() or not sys.stderr.isatty()

    def heading(text: str) -> str:
        text = _terminal.wrapped(text)
        return f"\n\033[1m{text}\033[0m" if _terminal.styled() and not plain else f"\n{text}"

    x_train, y_train, x_test, y_test = digits()
    nn.manualSeed(args.seed)
    net = network()
    say = f"{len(x_train)} handwritten digits to learn from, {len(x_test)} others for the test."
    print(_terminal.wrapped(say))
    print(_terminal.wrapped(repr(net), "     "))

    print(heading("training"))
    epoch, accuracy = 0, _accuracy(net, x_test, y_test)
    width = _terminal.columns()
    epochs = progress(range(1, args.epochs + 1), "epochs", show=not plain)
    try:
        for epoch in epochs:
            loss = _train(net, x_train, y_train)
            accuracy = _accuracy(net, x_test, y_test)
            # On a terminal the bar stands in this line: go back to its beginning and wipe it off.
            wipe = "" if plain else "\r\033[K"
            line = f"epoch {epoch:2}  loss {loss:.4f}  test accuracy {accuracy:.1f} %"
            print(wipe + (line if len(line) <= width else line.replace("test accuracy", "test")))
            epochs.status(f"test accuracy {accuracy:.1f} %")
    except KeyboardInterrupt as stop:
        stop.add_note(f"in epoch {epoch} of {args.epochs}, at a test accuracy of {accuracy:.1f} %")
        raise

    print(heading(f"one batch of {BATCH} images: shapes and norms, layer by layer"))
    print(_gradients(net, x_train[:BATCH], y_train[:BATCH]))
    print(_terminal.wrapped(_checked(net)))

    print(heading("what to try next"))
    print(_what_next())

    print(heading("a digit that it never saw, and what it says of it"))
    print(_shown(net, x_test[0], y_test[0]))
    if args.html:
        try:
            _page(net, x_test[:1], y_test[:1], args.html)
        except OSError as error:
            return refused("demo", error)
        way = args.html
    else:
        way = f"{_terminal.python()} -m torchlite demo{_as_now(args)} --html digit.html"
    print(f"every number on the way, as a page:\n  {way}")
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
    # Here, as below: what comes before must not wait for it.
    from torchlite.stepping.text import columns

    parts = columns(rows, _terminal.columns())
    return "\n\n".join("\n".join(lines) for lines in parts)


def _checked(net: nn.Sequential) -> str:
    """Compare the gradients of every layer, on the last batch, with numeric derivatives."""
    # Here, because the checker takes as long to load as all that comes before the training.
    from torchlite.testing import check_module

    for layer, x, slope in zip(net, net.activations, net.gradOutputs, strict=False):
        check_module(layer, x, gradOutput=slope, only=("gradInput", "gradParameters"))
    return f"numeric check: the gradients of all {len(net)} layers are the derivatives"


def _shown(net: nn.Sequential, image: Any, label: int) -> str:
    """Draw an image, and beside it a bar for each output."""
    shades = _terminal.signs(SHADES, PLAIN_SHADES)
    picture = ["".join(2 * shades[int(4 * pixel)] for pixel in row) for row in image.reshape(8, 8)]
    output = net.forward(image)
    widest = min(30, _terminal.columns() - 28)
    bars = [
        f"{digit} {amount:z5.2f} {shades[-1] * round(widest * min(max(amount, 0.0), 1.0))}"
        for digit, amount in enumerate(output)
    ]
    lines = zip_longest(picture, bars, fillvalue=" " * 16)
    said = f"it says {output.argmax()}, and it is a {label}"
    return "\n".join([f"  {left}  {right}".rstrip() for left, right in lines] + [said])


def _page(net: nn.Sequential, images: Any, labels: Any, file: str) -> None:
    """Write a page with every call of a forward and backward of these images."""
    from torchlite.stepping import trace

    net.zeroGradParameters()
    trace(net, images, nn.MSECriterion(), targets(labels)).to_html(file)


def _as_now(args: argparse.Namespace) -> str:
    """Return the options with which the same network is trained."""
    seed = f" --seed {args.seed}" if args.seed else ""
    return f"{seed} --epochs {args.epochs}" if args.epochs != EPOCHS else seed


def _what_next() -> str:
    """Return what there is to try here: a wheel has no examples."""
    examples, python = Path(nn.__file__).parents[1] / "examples", _terminal.python()
    rows = {
        what: command.format(python=python, examples=_terminal.from_here(examples))
        for what, command in WHAT_NEXT.items()
        if "{examples}" not in command or (examples / Path(command).name).is_file()
    }
    longest = max(map(len, rows))
    lines = [f"  {what.ljust(longest)}  {command}" for what, command in rows.items()]
    if max(map(len, lines)) > _terminal.columns():
        # Commands are to be copied as they are.
        lines = [
            f"  {what}\n" + (line if python in line else _terminal.wrapped(line, "    "))
            for what, line in ((what, f"    {command}") for what, command in rows.items())
        ]
    return "\n".join(lines)


def _norm(array: Any) -> str:
    return "-" if array is None else f"{np.linalg.norm(array):.2g}"


def _at_least_1(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number
