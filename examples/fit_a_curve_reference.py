"""What PyTorch makes of the curve: writes `fit_a_curve.npz`, with which fit_a_curve.py compares.

    pip install scikit-learn torch==2.13.0
    python examples/fit_a_curve_reference.py

Two networks, Linear(1, 10) - Linear(10, 1) and Linear(1, 10) - ReLU - Linear(10, 1), start from the
same weights, drawn as Torch7's Linear draws them, from U(-1/sqrt(in), 1/sqrt(in)). Both take 50
steps of gradient descent on all the data, with learning rate 0.01 and the mean squared error, in
float64. The file holds

    x, y           (100, 1)  make_regression(100, n_features=1, noise=10, random_state=3)
    hidden_weight  (10, 1)   the weights at the start, matrices (out, in)
    hidden_bias    (10,)
    output_weight  (1, 10)
    output_bias    (1,)
    linear_losses  (50,)     the loss before each step, without ReLU
    relu_losses    (50,)     and with it
    made_with      (2,)      the versions, "PyTorch 2.13.0" first

The task is that of Chun-Cheng Lin's tutorial "AI基礎-Backpropagation" (2024).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("fit_a_curve.npz")
WEIGHTS = ("hidden_weight", "hidden_bias", "output_weight", "output_bias")
MISSING = "fit_a_curve_reference.py needs: pip install scikit-learn torch==2.13.0"


def data() -> tuple[np.ndarray, np.ndarray]:
    """100 points of a noisy line, x and y both (100, 1)."""
    try:
        from sklearn.datasets import make_regression
    except ImportError as error:
        raise ImportError(MISSING) from error
    x, y = make_regression(100, n_features=1, n_targets=1, noise=10, random_state=3)
    return x, y.reshape(100, 1)


def initial_weights() -> list[np.ndarray]:
    """The arrays that WEIGHTS names, the same at every call."""
    # NumPy promises that this generator's numbers stay; default_rng's may change.
    uniform = np.random.RandomState(3).uniform
    hidden, output = 1.0, 1 / np.sqrt(10)
    return [
        uniform(-hidden, hidden, (10, 1)),
        uniform(-hidden, hidden, 10),
        uniform(-output, output, (1, 10)),
        uniform(-output, output, 1),
    ]


def losses_by_pytorch(
    x: np.ndarray, y: np.ndarray, weights: Sequence[np.ndarray], relu: bool
) -> list[float]:
    """The loss before each of the 50 steps; `weights` are the arrays that WEIGHTS names."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(MISSING) from error
    hidden, output = torch.nn.Linear(1, 10), torch.nn.Linear(10, 1)
    layers = [hidden, torch.nn.ReLU(), output] if relu else [hidden, output]
    network = torch.nn.Sequential(*layers).double()
    with torch.no_grad():
        for parameter, start in zip(network.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(start))

    inputs, targets = torch.tensor(x), torch.tensor(y)
    criterion = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    losses = []
    for _ in range(50):
        loss = criterion(network(inputs), targets)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


def main() -> None:
    x, y = data()
    weights = initial_weights()
    linear = losses_by_pytorch(x, y, weights, relu=False)
    relu = losses_by_pytorch(x, y, weights, relu=True)

    import sklearn
    import torch

    made_with = [
        f"PyTorch {torch.__version__.split('+')[0]}",
        f"scikit-learn {sklearn.__version__}",
    ]
    start = dict(zip(WEIGHTS, weights, strict=True))
    np.savez(FILE, x=x, y=y, **start, linear_losses=linear, relu_losses=relu, made_with=made_with)
    print(f"{FILE.name}: loss {linear[0]:.2f} -> {linear[-1]:.2f} without ReLU,", end=" ")
    print(f"{relu[0]:.2f} -> {relu[-1]:.2f} with it ({', '.join(made_with)})")


if __name__ == "__main__":
    main()
