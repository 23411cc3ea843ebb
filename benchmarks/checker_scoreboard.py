"""How many of the wrong layers in tests/bugs are found, and how many of the right ones accused: by
numeric checking as usually done, by the checks of PyTorch, autograd and JAX, and by the checker.

    python benchmarks/checker_scoreboard.py [--only NAME] [--names] [--write]

The usual way: central differences with a step of 1e-6 in float64, gradOutput all ones, and a
gradient is wrong where it is off by more than 1e-5 + 1e-3 * |expected|; first for the gradient of
the input alone, then for those of the parameters too. To the other libraries a layer is a function
of its input and parameters whose backward is its own; their checks run with their own settings, in
float64, and are left out where they are not installed. A layer that raises counts as found, a right
one as accused. The checker requires everything of wrong layers (level="strict"), and of right ones
what it does by default.
"""

import argparse
import importlib.metadata
import importlib.util
import sys
import time
import warnings
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import bugs
from bugs.good import GOOD
from cases import draw

from torchlite import nn, random
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    scale_arrays,
)
from torchlite.testing import ContractViolation, check_criterion, check_module

STEP = 1e-6
PAGE = Path(__file__).parents[1] / "docs" / "checker.md"


class Function:
    """A layer, or criterion, as a function of the floating arrays of its input and parameters."""

    def __init__(self, row, parameters=True):
        rng = np.random.default_rng(0)
        random.manualSeed(1)
        self.layer = row.make().type("float64")
        self.input = cast_arrays(draw(rng, row.input), "float64")
        self.loss = isinstance(self.layer, nn.Criterion)
        target = getattr(row, "target", None)
        self.target = None if target is None else draw(rng, target)
        self.parameters = [] if self.loss or not parameters else self.layer.parameters()[0]
        self.floating = [i for i, array in enumerate(leaves(self.input)) if is_floating(array)]
        self.start = [leaves(self.input)[i].copy() for i in self.floating]
        self.start += [parameter.copy() for parameter in self.parameters]

    def _taken(self, arrays):
        """Put the arrays in their places; return the input."""
        every = leaves(copy_arrays(self.input))
        for i, array in zip(self.floating, arrays, strict=False):
            every[i] = np.array(array)
        rest = arrays[len(self.floating) :]
        for parameter, array in zip(self.parameters, rest, strict=True):
            parameter[...] = array
        return rebuilt(self.input, every)

    def _forward(self, input):
        random.manualSeed(0)
        return self.layer.forward(input, self.target) if self.loss else self.layer.forward(input)

    def __call__(self, *arrays):
        """Return the floating outputs, or the loss."""
        output = self._forward(self._taken(arrays))
        if self.loss:
            return [np.array(output, float)]
        return [array.copy() for array in leaves(output) if is_floating(array)]

    def backward(self, arrays, gradOutputs):
        """Return the gradients of the arrays for those of the outputs."""
        input = self._taken(arrays)
        output = self._forward(input)
        if self.loss:
            gradInput = self.layer.backward(input, self.target)
            gradInput = scale_arrays(gradInput, float(gradOutputs[0]))
        else:
            rest = iter(gradOutputs)
            gradOutput = map_arrays(
                lambda a: np.array(next(rest)) if is_floating(a) else np.zeros(a.shape), output
            )
            self.layer.zeroGradParameters()
            gradInput = self.layer.backward(input, gradOutput)
        found = [np.array(leaves(gradInput)[i]) for i in self.floating]
        if self.parameters:
            found += [gradient.copy() for gradient in self.layer.parameters()[1]]
        return found


def by_differences(row, parameters):
    """Tell whether the usual check complains."""
    function = Function(row, parameters)
    arrays = [array.copy() for array in function.start]
    got = function.backward(arrays, [np.ones_like(output) for output in function(*arrays)])
    for array, gradient in zip(arrays, got, strict=True):
        expected = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            before, ends = array[index], []
            for step in (STEP, -STEP):
                array[index] = before + step
                ends.append(sum(float(output.sum()) for output in function(*arrays)))
            array[index] = before
            expected[index] = (ends[0] - ends[1]) / (2 * STEP)
        if not np.allclose(gradient, expected, 1e-3, 1e-5):
            return True
    return False


def by_torch(row, fast):
    import torch

    function = Function(row)

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *tensors):
            ctx.save_for_backward(*tensors)
            outputs = function(*(tensor.detach().numpy() for tensor in tensors))
            return tuple(map(torch.from_numpy, outputs))

        @staticmethod
        def backward(ctx, *gradOutputs):
            arrays = [tensor.detach().numpy() for tensor in ctx.saved_tensors]
            found = function.backward(arrays, [g.numpy() for g in gradOutputs])
            return tuple(map(torch.from_numpy, found))

    if not function.start:
        return False
    tensors = [torch.from_numpy(array).requires_grad_() for array in function.start]
    return not torch.autograd.gradcheck(
        Wrapped.apply, tensors, raise_exception=False, fast_mode=fast
    )


def by_autograd(row):
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    function = Function(row)
    if not function.start:
        return False
    ends = np.cumsum([array.size for array in function.start])[:-1]

    def shaped(flat):
        parts = zip(np.split(flat, ends), function.start, strict=True)
        return [part.reshape(array.shape) for part, array in parts]

    def flat(arrays):
        return np.concatenate([array.reshape(-1) for array in arrays])

    @primitive
    def wrapped(numbers):
        return flat(function(*shaped(numbers)))

    def backward(answer, numbers):
        outputs = function(*shaped(numbers))
        places = np.cumsum([output.size for output in outputs])[:-1]

        def apply(gradient):
            parts = zip(np.split(np.array(gradient), places), outputs, strict=True)
            return flat(function.backward(shaped(numbers), [p.reshape(o.shape) for p, o in parts]))

        return apply

    defvjp(wrapped, backward)
    check_grads(wrapped, modes=["rev"], order=1)(flat(function.start))
    return False


def by_jax(row):
    import jax
    import jax.numpy as jnp
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    function = Function(row)
    if not function.start:
        return False

    @jax.custom_vjp
    def wrapped(*arrays):
        return [jnp.asarray(output) for output in function(*map(np.asarray, arrays))]

    def ahead(*arrays):
        return wrapped(*arrays), [np.asarray(array) for array in arrays]

    def back(arrays, gradOutputs):
        return tuple(
            map(jnp.asarray, function.backward(arrays, list(map(np.asarray, gradOutputs))))
        )

    wrapped.defvjp(ahead, back)
    check_grads(wrapped, tuple(map(jnp.asarray, function.start)), order=1, modes=["rev"])
    return False


# What the checker says of each layer that it accuses.
ANSWERS = {}


def by_checker(row):
    rng = np.random.default_rng(0)
    random.manualSeed(1)
    options = {"exempt": row.exempt, "level": row.level}
    try:
        if getattr(row, "target", None) is not None or isinstance(row.make(), nn.Criterion):
            input, target = draw(rng, row.input), row.target and draw(rng, row.target)
            check_criterion(row.make, input, target, **options)
        elif callable(row.input):
            check_module(row.make, row.input(rng), **options)
        else:
            check_module(row.make, shape=row.input, **options)
    except ContractViolation as violation:
        ANSWERS[row.name] = violation
        return True
    return False


CHECKS = {
    "input gradient, central differences": (None, lambda row: by_differences(row, False)),
    "input and parameter gradients, central differences": (
        None,
        lambda row: by_differences(row, True),
    ),
    "`torch.autograd.gradcheck`, fast": ("torch", lambda row: by_torch(row, True)),
    "`torch.autograd.gradcheck`": ("torch", lambda row: by_torch(row, False)),
    "`autograd.test_util.check_grads`": ("autograd", by_autograd),
    "`jax.test_util.check_grads`": ("jax", by_jax),
    "`torchlite.testing`": (None, by_checker),
}


def complains(check, row):
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), redirect_stdout(None):
            warnings.simplefilter("ignore")
            return bool(check(row))
    except Exception:
        return True


def rows(wrong):
    """Return the wrong or the right layers, the latter in their first size, as one kind of row."""
    if wrong:
        for bug in bugs.corpus():
            yield SimpleNamespace(
                name=bug.name,
                make=bug.make,
                input=bug.input,
                target=getattr(bug, "target", None),
                exempt=bug.exempt,
                level="strict",
            )
        return
    for good in [*GOOD, *bugs.right()]:
        N, n, m = next(iter(good.sizes))
        yield SimpleNamespace(
            name=good.name,
            make=lambda good=good, n=n, m=m: good.make(n, m),
            input=good.input(N, n),
            target=None if good.target is None else good.target(N, n),
            exempt=good.exempt,
            level="contract",
        )


def versions():
    """Return the libraries whose checks are run, with their versions."""
    found = []
    for module, name in (("torch", "PyTorch"), ("autograd", "autograd"), ("jax", "JAX")):
        if importlib.util.find_spec(module):
            numbers = importlib.metadata.version(module).split(".")
            found.append(f"{name} {'.'.join(numbers[:2])}")
    return found


def guesses():
    """Return in a sentence how often the checker's guess at a wrong gradient is right."""
    faults = bugs.of_gradients()
    found = Counter(bugs.verdict(bug, ANSWERS.get(bug.name)) for bug in faults)
    return (
        f"Of {len(faults)} wrong gradients, the checker's first answer guesses {found['right']} "
        f"rightly and {found['wrong']} wrongly; of {found['silent']} it gives no guess."
    )


def written(page, counted, lines):
    """Return the page with these lines in the place of the last ones."""
    before, _, rest = page.partition("<!-- scoreboard -->\n")
    after = rest.partition("<!-- end -->\n")[2]
    table = "\n".join([counted, "", *lines])
    return f"{before}<!-- scoreboard -->\n{table}\n<!-- end -->\n{after}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="checks whose names hold these letters")
    parser.add_argument("--names", action="store_true", help="name what is missed and accused")
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.name}")
    options = parser.parse_args()
    if not any(options.only in name for name in CHECKS):
        there = "\n  ".join(CHECKS)
        parser.error(f"--only: no check's name holds {options.only!r}; there are\n  {there}")
    wrong, right = list(rows(wrong=True)), list(rows(wrong=False))
    layers = f"{len(wrong)} wrong layers, {len(right)} right ones"
    counted = "; ".join(filter(None, [layers, ", ".join(versions())]))
    lines = ["| check | found | accused |", "|---|--:|--:|"]
    print("\n".join([counted, "", *lines]), flush=True)
    for name, (needs, check) in CHECKS.items():
        if options.only not in name or (needs and importlib.util.find_spec(needs) is None):
            continue
        start = time.perf_counter()
        missed = [row.name for row in wrong if not complains(check, row)]
        accused = [row.name for row in right if complains(check, row)]
        lines.append(f"| {name} | {len(wrong) - len(missed)} | {len(accused)} |")
        print(f"{lines[-1]} {time.perf_counter() - start:.0f} s", flush=True)
        if options.names:
            print(f"\nmissed: {', '.join(missed)}\n\naccused: {', '.join(accused)}\n", flush=True)
    if ANSWERS:
        lines += ["", guesses()]
        print(lines[-1])
    if options.write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), counted, lines), "utf-8")


if __name__ == "__main__":
    main()
