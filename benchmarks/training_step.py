"""How long one step of training takes, beside PyTorch in eager mode; see README.md."""

import os

# Read once, when NumPy and PyTorch are loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"

import contextlib
import platform
import statistics
import time

import numpy as np
import torch

import torchlite as nn
from torchlite.kernels import blas

SIZES = {"10-10-1, batch 100": (10, 10, 1, 100), "784-256-10, batch 64": (784, 256, 10, 64)}
LEARNING_RATE = 0.01
ROUNDS = 40
SECONDS_A_TURN = 0.05


def torchlite_step(net, x, y, first_grad_input):
    net = net.clone()
    net.getParameters()
    if not first_grad_input:
        net[0].gradInput = None
    criterion = nn.MSECriterion()

    def step():
        output = net.forward(x)
        loss = criterion.forward(output, y)
        net.zeroGradParameters()
        net.backward(x, criterion.backward(output, y))
        net.updateParameters(LEARNING_RATE)
        return loss

    return step


def pytorch_step(net, x, y, first_grad_input, by_hand):
    x, y = torch.tensor(x, requires_grad=first_grad_input), torch.tensor(y)
    l1, l2 = (torch.nn.Linear(*layer.weight.shape[::-1]) for layer in (net[0], net[2]))
    theirs = torch.nn.Sequential(l1, torch.nn.ReLU(), l2)
    parameters = list(theirs.parameters())
    with torch.no_grad():
        for parameter, start in zip(parameters, net.parameters()[0], strict=True):
            parameter.copy_(torch.tensor(start))
    criterion = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(parameters, LEARNING_RATE)

    def backward():
        loss = criterion(theirs(x), y)
        optimizer.zero_grad()
        x.grad = None
        loss.backward()
        return loss.detach()

    def step():
        loss = backward()
        optimizer.step()
        return loss

    def step_by_hand():
        loss = backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter.sub_(parameter.grad, alpha=LEARNING_RATE)
        return loss

    return step_by_hand if by_hand else step


def contenders(sizes, first_grad_input):
    """Training steps of the same network on the same data, and what each is to run inside of."""
    inputs, hidden, outputs, batch = sizes
    nn.manualSeed(0)
    net = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs)).float()
    draw = np.random.default_rng(0).standard_normal
    x, y = draw((batch, inputs), np.float32), draw((batch, outputs), np.float32)
    data = net, x, y, first_grad_input
    return {
        "torchlite, SciPy": (torchlite_step(*data), lambda: blas.using("scipy")),
        "torchlite, NumPy": (torchlite_step(*data), lambda: blas.using("numpy")),
        "PyTorch, its SGD": (pytorch_step(*data, by_hand=False), contextlib.nullcontext),
        "PyTorch, by hand": (pytorch_step(*data, by_hand=True), contextlib.nullcontext),
    }


def turn(step):
    """The median time of a step, in microseconds."""
    times = []
    end = time.perf_counter() + SECONDS_A_TURN
    while time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times)


def measure(steps):
    """The shortest turn of every contender, who take turns."""
    losses = [[float(step()) for _ in range(5)] for step, _ in steps.values()]
    np.testing.assert_allclose(losses, losses[:1] * len(losses), rtol=1e-5)
    turns = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, (step, surroundings) in steps.items():
            with surroundings():
                turns[name].append(turn(step))
    return {name: min(times) for name, times in turns.items()}


def row(name, cells):
    print(f"| {name} |", *(f"{cell} |" for cell in cells))


def main():
    torch.set_num_threads(1)
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, PyTorch {torch.__version__}"
    )
    print()
    columns = {
        f"{title}{' and dx' if first_grad_input else ''}": measure(
            contenders(sizes, first_grad_input)
        )
        for title, sizes in SIZES.items()
        for first_grad_input in (False, True)
    }
    row("microseconds a step", columns)
    row("---", ["--:"] * len(columns))
    names = list(next(iter(columns.values())))
    for name in names:
        row(name, [f"{column[name]:.0f}" for column in columns.values()])
    for ours in names[:2]:
        for theirs in names[2:]:
            ratios = [f"{column[ours] / column[theirs]:.2f}" for column in columns.values()]
            row(f"{ours} / {theirs}", ratios)


if __name__ == "__main__":
    main()
