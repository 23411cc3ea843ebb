"""Formulas evaluated in 50 digits: what a class that Torch7 lacks is compared with.

A row of tests/cases/ has the formula of its output:

    Case(
        lambda: nn.HardSigmoid(),
        input=(5, 3),
        formula=lambda mp, x: np.clip(x / 6 + mp.mpf(1) / 2, 0, 1),
    )

`mp` has the functions of mpmath, entry by entry; `x`, and after it the parameters or the target,
are arrays of its numbers, which NumPy adds, multiplies and compares. `check` compares the output,
and, with the differences of the formula, the gradients.
"""

from typing import Any

import mpmath
import numpy as np
from cases import Case

from torchlite import nn
from torchlite.nn.nested import leaves, map_arrays

# Of differences in 50 digits all but 1e-30 are right.
STEP = mpmath.mpf(10) ** -15
TOLERANCE = 1e-13


class Functions:
    """mpmath's functions, entry by entry."""

    def __getattr__(self, name: str) -> Any:
        return np.vectorize(getattr(mpmath.mp, name), otypes=[object])


def check(case: Case, seed: int = 0) -> None:
    """Run the row; raise AssertionError at the first array that is not its formula's."""
    rng = np.random.default_rng(seed)
    made, input = case.make(), case.draw(rng)
    with mpmath.workdps(50):
        if isinstance(made, nn.Criterion):
            given = [input] if case.target is None else [input, case.draw(rng, "target")]
            output = made.forward(*given)
            gradOutput = 1.0
            gradients = {"gradInput": (made.backward(*given), 0)}
        else:
            parameters, accumulated = made.parameters()
            given = [input, *parameters]
            output = made.forward(input)
            # What by definition is not the derivative is compared elsewhere.
            if "gradInput" in made.exempt:
                exact = [map_arrays(_exact, value) for value in given]
                _compare(f"{case.id}: output", output, case.formula(Functions(), *exact))
                return
            gradOutput = map_arrays(lambda a: (2 * rng.integers(-8, 8, a.shape) + 1) / 16, output)
            made.zeroGradParameters()
            gradients = {"gradInput": (made.backward(input, gradOutput), 0)}
            for i, gradient in enumerate(accumulated):
                gradients[f"gradient {i} of parameters()"] = (gradient, 1 + i)
        exact = [map_arrays(_exact, value) for value in given]

        def formula() -> Any:
            return case.formula(Functions(), *exact)

        def loss() -> Any:
            pairs = zip(leaves(gradOutput), leaves(formula()), strict=True)
            return sum((np.sum(_exact(a) * b) for a, b in pairs), mpmath.mpf(0))

        _compare(f"{case.id}: output", output, formula())
        for name, (gradient, position) in gradients.items():
            slopes = map_arrays(lambda a: _slopes(loss, a), exact[position])
            _compare(f"{case.id}: {name}", gradient, slopes)


def _exact(array: Any) -> Any:
    """Return an array's numbers in mpmath's; indices stay as they are."""
    if np.asarray(array).dtype.kind != "f":
        return array
    return np.vectorize(mpmath.mpf, otypes=[object])(array)


def _slopes(loss: Any, array: Any) -> Any:
    """Return what loss() grows by with every entry of an array that it reads."""
    slopes = np.zeros_like(array, dtype=float)
    if array.dtype == object:
        for i in np.ndindex(array.shape):
            value = array[i]
            array[i] = value + STEP
            above = loss()
            array[i] = value - STEP
            slopes[i] = (above - loss()) / (2 * STEP)
            array[i] = value
    return slopes


def _compare(name: str, got: Any, expected: Any) -> None:
    for ours, theirs in zip(leaves(got), leaves(expected), strict=True):
        theirs = np.asarray(theirs, dtype=float)
        assert np.shape(ours) == theirs.shape, f"{name} has shape {np.shape(ours)}"
        size = np.abs(theirs).max(initial=1)
        wrong = np.abs(ours - theirs).max(initial=0)
        assert wrong <= TOLERANCE * size, f"{name} is wrong by {wrong:.3g}, of {size:.3g}"
