"""What the page trains if nothing else is given: two spirals, XOR, handwritten digits."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from torchlite import nn, random
from torchlite.datasets import digits as images
from torchlite.kernels.arrays import Array

__all__ = ["PROBLEMS", "RAISED", "Problem", "digits", "spirals", "xor"]

# What a user's code may raise without ending more than itself; Ctrl-C ends the program.
RAISED = (Exception, SystemExit)

# A network, a criterion, and all inputs and targets.
Made = tuple[Any, Any, Any, Any]


class Problem(NamedTuple):
    """A network with its data, and what a run of it begins with.

    Attributes
    ----------
    name
        What the page calls it.
    make
        Returns (net, criterion, input, target): the first dimension of input and target counts
        samples. What it draws comes from `torchlite.random`, so that a seed decides a run.
    words
        A sentence for the page.
    optimizer, learning_rate, batch
        The settings that the page begins with.
    """

    name: str
    make: Callable[[], Made]
    words: str = ""
    optimizer: str = "adam"
    learning_rate: float = 0.01
    batch: int = 16


def spirals(samples: int = 200) -> Made:
    """Return a network for two spirals, one inside the other, samples points in all.

    Example
    -------
    >>> net, criterion, input, target = spirals()
    >>> input.shape, target.shape, net.forward(input).shape
    ((200, 2), (200,), (200, 2))
    """
    net = nn.Sequential(
        nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2), nn.LogSoftMax()
    )
    target = np.arange(samples) % 2
    along = np.linspace(0.25, 1, samples)
    angle = 1.75 * 2 * np.pi * along + np.pi * target
    points = 5 * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
    return net, nn.ClassNLLCriterion(), points + random.normal(0, 0.1, size=points.shape), target


def xor(samples: int = 200) -> Made:
    """Return a network for points of which one class has coordinates of different signs.

    Example
    -------
    >>> net, criterion, input, target = xor()
    >>> bool((target == (input[:, 0] * input[:, 1] < 0)).all())
    True
    """
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), nn.LogSoftMax())
    sides = np.stack([np.arange(samples) % 2, np.arange(samples) // 2 % 2], 1) * 2 - 1
    points: Array = sides * random.uniform(1, 5, size=sides.shape)
    return net, nn.ClassNLLCriterion(), points, (sides[:, 0] != sides[:, 1]).astype(np.int64)


def digits() -> Made:
    """Return a network that reads the handwritten digits of `torchlite.datasets`.

    Example
    -------
    >>> net, criterion, input, target = digits()
    >>> input.shape, net.forward(input[:5]).shape
    ((1437, 8, 8), (5, 10))
    """
    data = images()
    net = nn.Sequential(
        nn.Reshape(64), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), nn.LogSoftMax()
    )
    return net, nn.ClassNLLCriterion(), data.x_train.reshape(-1, 8, 8), data.y_train


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem("spirals", spirals, "Which of two spirals is a point on?", batch=32),
        Problem("xor", xor, "Do the coordinates of a point differ in sign?", learning_rate=0.03),
        Problem("digits", digits, "Which digit did somebody write?", batch=32),
    )
}
