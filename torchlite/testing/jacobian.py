"""Torch7's nn.Jacobian: the classic tools, for tests that come from there.

`check_module` finds more and says more; these compute the same numbers as Torch7's.
"""

import os
import pickle
import tempfile
from typing import Any

import numpy as np

from torchlite import random
from torchlite.errors import SettingError, fault
from torchlite.kernels.arrays import Array
from torchlite.nn.module import Module

__all__ = [
    "backward",
    "forward",
    "testAllUpdate",
    "testIO",
    "testJacobian",
    "testJacobianParameters",
    "testJacobianUpdateParameters",
]


def _draw(array: Array, low: float, high: float) -> None:
    array[...] = random.uniform(low, high, size=array.shape)


def forward(
    module: Module, input: Any, param: Array | None = None, perturbation: float = 1e-6
) -> Array:
    """Return the Jacobian by central differences: entry [i, j] is d output[j] / d param[i].

    param is the array by which to differentiate, the input itself without it; it is restored.
    """
    param = input if param is None else param
    entries = param.reshape(-1)
    if not np.shares_memory(entries, param):
        raise fault(SettingError, "jacobian.forward", "param", "contiguous", "a view with gaps")
    rows = []
    for i in range(entries.size):
        before = entries[i]
        entries[i] = before - perturbation
        below = module.forward(input).copy()
        entries[i] = before + perturbation
        above = module.forward(input).copy()
        entries[i] = before
        rows.append(((above - below) / (2 * perturbation)).reshape(-1))
    return np.stack(rows)


def backward(module: Module, input: Any, param: Array | None = None, dparam: Any = None) -> Array:
    """Return the Jacobian by the module's own backward, one output entry at a time.

    With param (a parameter) and dparam (its gradient), the Jacobian by the parameter.
    """
    output = module.forward(input)
    columns = []
    for j in range(output.size):
        gradOutput = np.zeros_like(output)
        gradOutput.reshape(-1)[j] = 1
        module.zeroGradParameters()
        gradInput = module.updateGradInput(input, gradOutput)
        module.accGradParameters(input, gradOutput)
        columns.append((gradInput if param is None else dparam).reshape(-1).copy())
    return np.stack(columns, axis=1)


def testJacobian(
    module: Module,
    input: Any,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float = 1e-6,
) -> float:
    """Draw the input from U(minval, maxval); return the largest error of gradInput.

    Example
    -------
    >>> import torchlite as nn
    >>> testJacobian(nn.Linear(3, 2), np.zeros((4, 3))) < 1e-5
    True
    """
    _draw(input, minval, maxval)
    off = forward(module, input, perturbation=perturbation) - backward(module, input)
    return float(np.abs(off).max())


def testJacobianParameters(
    module: Module,
    input: Any,
    param: Array,
    dparam: Array,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float = 1e-6,
) -> float:
    """Draw input and param from U(minval, maxval); return the largest error of dparam."""
    _draw(input, minval, maxval)
    _draw(param, minval, maxval)
    off = forward(module, input, param, perturbation) - backward(module, input, param, dparam)
    return float(np.abs(off).max())


def testJacobianUpdateParameters(
    module: Module,
    input: Any,
    param: Array,
    minval: float = -2,
    maxval: float = 2,
    perturbation: float = 1e-6,
) -> float:
    """Return the largest error of what accUpdateGradParameters with lr = 1 does to param."""
    _draw(input, minval, maxval)
    _draw(param, minval, maxval)
    output = module.forward(input)
    columns = []
    for j in range(output.size):
        gradOutput = np.zeros_like(output)
        gradOutput.reshape(-1)[j] = 1
        before = param.copy()
        module.updateGradInput(input, gradOutput)
        module.accUpdateGradParameters(input, gradOutput, 1)
        columns.append((before - param).reshape(-1))
        param[...] = before
        module.forward(input)
    off = forward(module, input, param, perturbation) - np.stack(columns, axis=1)
    return float(np.abs(off).max())


def testAllUpdate(module: Module, input: Any, weight: str, gradWeight: str) -> dict[str, float]:
    """Compare ways to update the named parameter; return the largest error of each.

    The ways: accGradParameters then updateParameters, accUpdateGradParameters, and each of them
    with two clones that share the parameter, under Torch7's names.
    """
    module = module.clone()
    _draw(input, -2, 2)
    lr = random.uniform(0.1, 1)
    gradOutput = random.normal(size=module.forward(input).shape)

    def update(way: Any) -> Any:
        one = module.clone()
        start = getattr(one, weight).copy()
        way(one)
        return getattr(one, weight) - start

    def accumulate(part: Module) -> None:
        part.forward(input)
        part.zeroGradParameters()
        part.updateGradInput(input, gradOutput)
        part.accGradParameters(input, gradOutput)

    def accGrad(one: Module) -> None:
        accumulate(one)
        one.updateParameters(lr)

    def accUpdate(one: Module) -> None:
        one.forward(input)
        one.backwardUpdate(input, gradOutput, lr)

    def accGradShared(one: Module) -> None:
        parts = [one, one.clone(weight)]
        for part in parts:
            accumulate(part)
        for part in parts:
            part.updateParameters(lr)

    def accUpdateShared(one: Module) -> None:
        # The second starts from where the first was, as in Torch7.
        start = getattr(one, weight).copy()
        for part in (one, one.clone(weight)):
            now = getattr(one, weight).copy()
            getattr(one, weight)[...] = start
            accUpdate(part)
            getattr(one, weight)[...] += now - start

    once = update(accGrad)
    accumulated = module.clone()
    accumulate(accumulated)
    expected = -lr * getattr(accumulated, gradWeight)
    return {
        "accGradParameters": float(np.abs(once - expected).max()),
        "accUpdateGradParameters": float(np.abs(update(accUpdate) - expected).max()),
        "accGradParameters [shared]": float(np.abs(update(accGradShared) - 2 * expected).max()),
        "accUpdateGradParameters [shared]": float(
            np.abs(update(accUpdateShared) - 2 * expected).max()
        ),
    }


def testIO(
    module: Module, input: Any, minval: float = -2, maxval: float = 2
) -> tuple[float, float]:
    """Write the module to a file, read it, and return the errors of forward and backward."""
    _draw(input, minval, maxval)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "module.pickle")
        with open(path, "wb") as file:
            pickle.dump(module.clearState(), file)
        with open(path, "rb") as file:
            read: Module = pickle.load(file)
    output, again = module.forward(input), read.forward(input)
    gradOutput = random.normal(size=output.shape)
    ours = module.updateGradInput(input, gradOutput)
    theirs = read.updateGradInput(input, gradOutput)
    return float(np.abs(output - again).max()), float(np.abs(ours - theirs).max())
