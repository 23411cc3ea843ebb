"""What each call does, and that it does so in any order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.errors import StateError
from torchlite.nn.nested import copy_arrays, is_floating, leaves, scale_arrays
from torchlite.testing import values
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.subject import Result, Subject, attempt, quietly

__all__ = ["interleave", "split", "twice"]


def split(s: ModuleSubject) -> None:
    """Three methods, each with one job: the results are kept and returned, backward is both."""
    module = s.fresh()
    output = s.forward(module, s.input)
    _check_precision(s, "updateOutput", output)
    if module.output is not output:
        s.fail("updateOutput", "self.output is not what it returned.")
    direct = s.fresh()
    s.reseed()
    s.same_bits("forward", "it is not updateOutput.", output, direct.updateOutput(s.input))
    for _, gradient in s.gradient_arrays(module):
        gradient[...] = values.sixteenths(s.rng, gradient.shape)
    before = copy_arrays(module.parameters()[1])
    gradInput = module.updateGradInput(s.input, s.gradOutput)
    if gradInput is None and any(map(is_floating, leaves(s.input))):
        s.fail("updateGradInput", "it returned None.")
    _check_precision(s, "updateGradInput", gradInput)
    if gradInput is not None and module.gradInput is not gradInput:
        s.fail("updateGradInput", "self.gradInput is not what it returned.")
    s.same_bits(
        "updateGradInput", "it changed gradients of parameters.", module.parameters()[1], before
    )
    kept = copy_arrays(module.gradInput)
    accumulate: Callable[..., Any] = module.accGradParameters
    returned = accumulate(s.input, s.gradOutput)
    if returned is not None:
        s.fail("accGradParameters", f"it returned {type(returned).__name__}, not None.")
    s.same_bits("accGradParameters", "it changed gradInput.", module.gradInput, kept)

    # Without updateGradInput before it; containers need their children's gradOutputs.
    alone = s.fresh()
    s.forward(alone, s.input)
    alone.zeroGradParameters()
    expected = s.run().gradients
    try:
        alone.accGradParameters(s.input, s.gradOutput)
    except Exception:
        if not s.remembers:
            raise
    else:
        s.compare(
            "accGradParameters",
            "without updateGradInput before it, it gives other gradients.",
            alone.parameters()[1],
            expected,
        )
    both = s.fresh()
    s.forward(both, s.input)
    both.zeroGradParameters()
    result = both.backward(s.input, s.gradOutput)
    if gradInput is not None:
        s.compare("backward", "it does not return the gradient of the input.", result, kept)
    s.compare(
        "backward",
        "it does not accumulate what accGradParameters does.",
        both.parameters()[1],
        expected,
    )


def _check_precision(s: ModuleSubject, method: str, made: Any) -> None:
    """Fail if of float64 there comes less, or complex: no derivative of that could be right."""
    for array in filter(is_floating, leaves(made)):
        if (s.is_told_dtype and array.dtype.itemsize < 8) or array.dtype.kind == "c":
            s.fail(method, f"of float64 it makes {array.dtype}.", property="dtype")


def twice(s: ModuleSubject) -> None:
    """A second forward, or a second updateGradInput, changes nothing; nor does a backward."""
    expected = s.run()
    problem = "after a second forward or updateGradInput it gives other numbers."
    for forwards in (1, 2):
        module = s.fresh()
        for _ in range(forwards):
            s.forward(module, s.input)
        module.zeroGradParameters()
        for _ in range(2):
            got = module.updateGradInput(s.input, s.gradOutput)
            s.compare("updateGradInput", problem, got, expected.gradInput)
        module.accGradParameters(s.input, s.gradOutput)
        s.compare("accGradParameters", problem, module.parameters()[1], expected.gradients)
    module = s.fresh()
    s.forward(module, s.input)
    before = s.run(module.clone().evaluate()).output
    module.backward(s.input, s.gradOutput)
    after = s.run(module.clone().evaluate()).output
    s.compare("backward", "it changes what later forwards give.", after, before)


def interleave(s: Subject) -> None:
    """After forward(A), forward(B), a backward of A is right, or raises StateError."""
    if s.draws:
        _check_last_draw(s)
    other = s.other_input()
    _check_interleave(s, other, s.run())
    # Nearly equal is not equal: to np.allclose, all tiny numbers are.
    tiny = s.at("tiny numbers", scale_arrays(s.input, 1 / values.HUGE))
    other = scale_arrays(other, 1 / values.HUGE)
    expected = attempt(tiny.run)
    if expected is not None and attempt(tiny.run, None, other) is not None:
        with quietly():
            _check_interleave(tiny, other, expected)


def _check_last_draw(s: Subject) -> None:
    """Of two forwards of one input that draw differently, a backward is that of the last."""
    results = []
    for forwards in (1, 2):
        layer = s.fresh()
        for _, gradient in s.gradient_arrays(layer):
            gradient.fill(0)
        if forwards == 2:
            s.call("updateOutput", layer)
        s.forward_anew(layer, s.input)
        results.append([(method, s.call(method, layer)) for method in s.methods[1:]])
    problem = "after two forwards of one input it takes the mask, or noise, of the first."
    for (method, usual), (_, got) in zip(*results, strict=True):
        s.compare(method, problem, got, usual)


def _check_interleave(s: Subject, other: Any, expected: Result) -> None:
    if all(np.array_equal(a, b) for a, b in zip(leaves(other), leaves(s.input), strict=True)):
        return
    for method, usual in s.by_method(expected)[1:]:
        layer = s.fresh()
        for _, gradient in s.gradient_arrays(layer):
            gradient.fill(0)
        s.call("updateOutput", layer)
        s.forward_anew(layer, other)
        problem = "after a forward of another input it is not the gradient at the input given."
        try:
            got = s.call(method, layer)
        except StateError:
            # It says that it cannot; but then it must not have added anything.
            got = list(s.parameters_of(layer)[1])
            if method == "updateGradInput" or not any(gradient.any() for gradient in got):
                continue
        s.compare(method, problem, got, usual)
        if not s.needs_forward:
            problem = "without a forward before it, it gives another gradient."
            alone = getattr(s.fresh(), method)(*s.given.values())
            s.compare(method, problem, alone, usual)
