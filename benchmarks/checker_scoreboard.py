"""How many of the wrong layers in tests/bugs are found: by numeric checking as usually done, and by
the checker.

    python benchmarks/checker_scoreboard.py

The usual way: central differences with a step of 1e-6 in float64, gradOutput all ones, and a
gradient is wrong where it is off by more than 1e-5 + 1e-3 * |expected|; first for the gradient of
the input alone, then for those of the parameters too. A layer that raises counts as found.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import bugs
from bugs.good import odd

from torchlite import nn, random
from torchlite.nn.nested import is_floating, leaves, map_arrays
from torchlite.testing import ContractViolation, check_criterion, check_module

STEP = 1e-6


def draw(rng, shape):
    if callable(shape):
        return shape(rng)
    return [draw(rng, entry) for entry in shape] if isinstance(shape, list) else odd(rng, shape)


def total(layer, input, target):
    """Return the sum of all outputs, or the loss."""
    random.manualSeed(0)
    if isinstance(layer, nn.Criterion):
        return float(layer.forward(input, target))
    return sum(float(output.sum()) for output in leaves(layer.forward(input)))


def differs(layer, input, target, array, gradient):
    """Tell whether gradient is off from the central differences by the entries of array."""
    expected = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        before = array[index]
        ends = []
        for step in (STEP, -STEP):
            array[index] = before + step
            ends.append(total(layer, input, target))
        array[index] = before
        expected[index] = (ends[0] - ends[1]) / (2 * STEP)
    return not np.allclose(gradient, expected, 1e-3, 1e-5)


def found_numerically(bug, parameters):
    """Tell whether the usual check finds the bug."""
    rng = np.random.default_rng(0)
    random.manualSeed(1)
    layer, input = bug.make(), draw(rng, bug.input)
    target = draw(rng, bug.target) if hasattr(bug, "target") else None
    total(layer, input, target)
    if isinstance(layer, nn.Criterion):
        gradInput = layer.backward(input, target)
    else:
        layer.zeroGradParameters()
        gradInput = layer.backward(input, map_arrays(np.ones_like, layer.output))
    pairs = [
        (a, g) for a, g in zip(leaves(input), leaves(gradInput), strict=True) if is_floating(a)
    ]
    if parameters and not isinstance(layer, nn.Criterion):
        pairs += zip(*layer.parameters(), strict=True)
    kept = [(array, np.copy(gradient)) for array, gradient in pairs]
    return any(differs(layer, input, target, array, gradient) for array, gradient in kept)


def found_by_checker(bug):
    rng = np.random.default_rng(0)
    random.manualSeed(1)
    try:
        if hasattr(bug, "target"):
            input, target = draw(rng, bug.input), draw(rng, bug.target)
            check_criterion(bug.make, input, target, exempt=bug.exempt, level="strict")
        elif callable(bug.input):
            check_module(bug.make, bug.input(rng), exempt=bug.exempt, level="strict")
        else:
            check_module(bug.make, shape=bug.input, exempt=bug.exempt, level="strict")
    except ContractViolation:
        return True
    return False


def score(found):
    """Return how many bugs of the corpus are found."""
    hits = 0
    for bug in bugs.corpus():
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                hits += found(bug)
        except Exception:
            hits += 1
    return hits


def main():
    count = len(bugs.corpus())
    print("| check | found | of |\n|---|--:|--:|")
    for name, found in (
        ("input gradient, central differences", lambda bug: found_numerically(bug, False)),
        (
            "input and parameter gradients, central differences",
            lambda b: found_numerically(b, True),
        ),
        ("`torchlite.testing`", found_by_checker),
    ):
        print(f"| {name} | {score(found)} | {count} |")


if __name__ == "__main__":
    main()
