"""Fitting a curve: what a ReLU between two layers is good for, and whether PyTorch agrees.

The program of Chun-Cheng Lin's "AI basics: Backpropagation" (in Chinese, 2024). Two networks are
fitted to 100 noisy points: two linear layers, which can only make a straight line, and the same
two with a ReLU between them, which can bend it.

    python examples/fit_a_curve.py            print the loss of every step
    python examples/fit_a_curve.py FOLDER     and draw both fits, in linear.png and relu.png there

The points, the weights at the start and PyTorch's losses are in fit_a_curve.npz; what it holds and
how it was made is told in fit_a_curve_reference.py.
"""

import argparse
from pathlib import Path

import numpy as np

import torchlite as nn

REFERENCE = Path(__file__).with_name("fit_a_curve.npz")


def network(start, relu):
    """Linear(1, 10) and Linear(10, 1), with the weights that PyTorch started from."""
    l1 = nn.Linear(1, 10)
    l2 = nn.Linear(10, 1)
    l1.weight[:] = start["hidden_weight"]
    l1.bias[:] = start["hidden_bias"]
    l2.weight[:] = start["output_weight"]
    l2.bias[:] = start["output_bias"]
    return nn.Sequential(l1, nn.ReLU(), l2) if relu else nn.Sequential(l1, l2)


def train(net, x, y, steps=50, learningRate=0.01):
    """Descend along the gradient; return the loss before every step."""
    criterion = nn.MSECriterion()
    losses = []
    for _ in range(steps):
        # forward pass
        prediction = net.forward(x)
        losses.append(criterion.forward(prediction, y))

        # backward pass
        net.zeroGradParameters()
        net.backward(x, criterion.backward(prediction, y))
        net.updateParameters(learningRate)
    return losses


def draw(x, y, prediction, file):
    """Draw the points and what the network makes of them."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("matplotlib is not installed: pip install matplotlib") from error
    figure = Figure()
    axes = figure.subplots()
    order = x[:, 0].argsort()
    axes.scatter(x, y)
    axes.plot(x[order], prediction[order], color="C1")
    figure.savefig(file)


def main():
    parser = argparse.ArgumentParser(description="Fit a curve to 100 noisy points.")
    parser.add_argument("folder", nargs="?", type=Path, help="where the two pictures go")
    folder = parser.parse_args().folder

    with np.load(REFERENCE) as reference:
        x, y = reference["x"], reference["y"]
        linear, relu = network(reference, relu=False), network(reference, relu=True)
        by_pytorch = np.array([reference["linear_losses"], reference["relu_losses"]])
        pytorch = reference["made_with"][0]

    losses = np.array([train(linear, x, y), train(relu, x, y)])
    print("step  Linear-Linear  Linear-ReLU-Linear")
    for step, (straight, bent) in enumerate(losses.T, 1):
        print(f"{step:4}  {straight:13.6f}  {bent:18.6f}")
    difference = (abs(losses - by_pytorch) / by_pytorch).max()
    print(f"{pytorch} finds the same losses, to within {difference:.0e} of each.")

    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        draw(x, y, linear.forward(x), folder / "linear.png")
        draw(x, y, relu.forward(x), folder / "relu.png")


if __name__ == "__main__":
    main()
