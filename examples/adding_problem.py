"""Why gates exist: an LSTM and a plain recurrence add two numbers that lie far back.

A sequence has pairs, a number between 0 and 1 and a mark. Two numbers are marked, one in each half;
after the last pair the network is to say their sum. Who always says 1 is wrong by 1/6 in the mean
square, and the plain recurrence does not learn more than that: on its way back through time the
gradient is multiplied by one matrix, step after step, and is gone long before it meets the marked
numbers. In an LSTM it goes back through the cell, where it is multiplied by forget gates, which
learn to be open.

    python examples/adding_problem.py

Each line of the drawings is a step of the sequence, with the length of the gradient of the state
that the step began with: ten times less is as much shorter, wherever it is.
(S. Hochreiter and J. Schmidhuber, Long short-term memory, 1997, experiment 4.)
"""

import argparse
import math

import numpy as np

import torchlite as nn
from torchlite import optim, random
from torchlite.progress import progress

# The bars of the drawings begin here, and have so many signs for a factor of ten.
FAINTEST, SIGNS = 1e-10, 5


def draw(count, length):
    """Return sequences, steps first, and the sums that are to be found."""
    numbers = random.uniform(size=(length, count))
    marks = np.zeros((length, count))
    half, each = length // 2, np.arange(count)
    marks[random.random(0, half - 1, size=count).astype(int), each] = 1
    marks[random.random(half, length - 1, size=count).astype(int), each] = 1
    return np.stack([numbers, marks], 2), (numbers * marks).sum(0)[:, None]


def adder(cell, size):
    """Return a network that runs a cell over sequences, and makes a number of its last output."""
    return nn.Sequential(nn.Sequencer(cell), nn.Select(0, -1), nn.Linear(size, 1))


def gradient_by_step(net):
    """Return the length of the gradient of the state before each step of the last backward."""
    steps = net[0].modules[0].steps
    return [math.sqrt(sum((g**2).sum() for g in step.gradBefore)) for step in steps]


def picture(lengths, rows=10):
    """Yield a line for some of the steps: its number, and a bar as long as the gradient's power."""
    for t in range(0, len(lengths), max(1, len(lengths) // rows)):
        powers = math.log10(max(lengths[t], FAINTEST) / FAINTEST)
        yield f"  step {t:3} {lengths[t]:8.1e} {'#' * round(SIGNS * powers)}".rstrip()


def train(net, length, updates):
    """Teach a network; return its error on new sequences, and the gradient by step at both ends."""
    criterion = nn.MSECriterion()
    parameters, gradParameters = net.getParameters()
    config, state, drawn = {"learningRate": 0.01}, {}, []
    shown = progress(range(updates), "updates")
    for update in shown:
        x, y = draw(32, length)

        def opfunc(_, x=x, y=y):
            net.zeroGradParameters()
            loss = criterion.forward(net.forward(x), y)
            net.backward(x, criterion.backward(net.output, y))
            net.gradParamClip(1)
            return loss, gradParameters

        _, (loss,) = optim.adam(opfunc, parameters, config, state)
        if update in (0, updates - 1):
            drawn.append(gradient_by_step(net))
        shown.status(f"loss {loss:.4f}")
        if (update + 1) % 100 == 0:
            print(f"update {update + 1:4}  loss {loss:.4f}")
    x, y = draw(1000, length)
    return criterion.forward(net.evaluate().forward(x), y), *drawn


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--updates", type=int, default=800)
    parser.add_argument("--size", type=int, default=24)
    options = parser.parse_args()
    if options.length < 2 or options.updates < 1:
        parser.error("--length: at least 2, a number in each half; --updates: at least 1")

    for name, make in (
        ("plain recurrence", lambda size: nn.LinearRNN(2, size, nn.Tanh())),
        ("LSTM", lambda size: nn.RecLSTM(2, size)),
    ):
        nn.manualSeed(1)
        net = adder(make(options.size), options.size)
        print(f"\n{name}: {net[0].modules[0]}")
        error, first, last = train(net, options.length, options.updates)
        print(f"{name} is wrong by {error:.4f}, in the mean square; who says 1, by {1 / 6:.4f}")
        for when, lengths in (("first", first), ("last", last)):
            print(f"the gradient by step, in the {when} update:")
            print("\n".join(picture(lengths)))


if __name__ == "__main__":
    main()
