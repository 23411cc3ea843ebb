"""What is trained: updated and zeroed in place, flat, shared."""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, is_array, is_finite
from torchlite.testing import values
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.subject import quietly
from torchlite.testing.unlisted import check_unlisted

__all__ = ["accUpdate", "flat", "identity", "sharing", "update", "zero"]


def update(s: ModuleSubject) -> None:
    """UpdateParameters subtracts learningRate times the gradient from every parameter there is."""
    module = s.fresh()
    s.forward(module, s.input)
    module.updateGradInput(s.input, s.gradOutput)
    parameters, gradients = module.parameters()
    pairs = list(zip(map(id, parameters), map(id, gradients), strict=True))
    for name, pair in zip(s.names, pairs, strict=True):
        if pairs.count(pair) > 1:
            s.fail("parameters", f"it returns {name} and its parameter twice.")
    module.accGradParameters(s.input, s.gradOutput)
    check_unlisted(s)
    for gradient in gradients:
        gradient[...] = values.sixteenths(s.rng, gradient.shape)
    for learningRate in (0, 0.5, np.float64(-0.25)):
        _check_update(s, module, learningRate)
        _check_follows(s, "updateParameters", module)
    for gradient in gradients:
        gradient[...] = values.adversarial(s.rng, gradient.shape)
    _check_update(s.at("huge and tiny gradients", s.input), module, 1)


def _check_update(s: ModuleSubject, module: Module, learningRate: Any) -> None:
    parameters, gradients = module.parameters()
    before, by = copy_arrays(parameters), copy_arrays(gradients)
    try:
        returned = module.updateParameters(learningRate)
    except Exception:
        if s.extreme:
            return
        raise
    if returned is not module:
        s.fail("updateParameters", "it does not return self.")
    for name, parameter, old, gradient in zip(s.names, parameters, before, by, strict=True):
        s.compare(
            "updateParameters",
            f"the parameter of {name} is not what it was - {learningRate:g} * {name}.",
            parameter,
            old - float(learningRate) * gradient,
            hints={"previous": old},
        )
    s.same_bits("updateParameters", "it changed gradients.", gradients, by)


def _check_follows(s: ModuleSubject, method: str, module: Module) -> None:
    """Fail unless the module gives what one with its parameters gives that never ran before."""
    with quietly():
        try:
            expected = s.run(s.with_parameters_of(module))
        except Exception:
            # The new parameters are none that this layer takes.
            return
        if not is_finite(expected.output):
            return
        gradients = copy_arrays(module.parameters()[1])
        output = s.forward(module, s.input)
        gradInput = module.updateGradInput(s.input, s.gradOutput)
        for gradient, kept in zip(module.parameters()[1], gradients, strict=True):
            gradient[...] = kept
    problem = "afterwards it does not give what the new parameters give."
    s.compare(method, problem, output, expected.output)
    s.compare(method, problem, gradInput, expected.gradInput)


def identity(s: ModuleSubject) -> None:
    """Zeroing, accumulating and updating write into the same arrays."""
    module = s.fresh()
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("updateOutput", lambda: s.forward(module, s.input)),
        ("zeroGradParameters", module.zeroGradParameters),
        ("updateGradInput", lambda: module.updateGradInput(s.input, s.gradOutput)),
        ("accGradParameters", lambda: module.accGradParameters(s.input, s.gradOutput)),
        ("updateParameters", lambda: module.updateParameters(0)),
        ("updateOutput", lambda: s.forward(module, s.input)),
        ("updateGradInput", lambda: module.updateGradInput(s.input, s.gradOutput)),
        (
            "accUpdateGradParameters",
            lambda: module.accUpdateGradParameters(s.input, s.gradOutput, 0),
        ),
        ("reset", module.reset),
    ]
    before = [array for arrays in module.parameters() for array in arrays]
    for method, step in steps:
        step()
        after = [array for arrays in module.parameters() for array in arrays]
        if len(after) != len(before) or any(map(operator.is_not, after, before)):
            s.fail(
                method,
                "it put another array in the place of a parameter or gradient, which breaks "
                "sharing and flat views.",
            )


def zero(s: ModuleSubject) -> None:
    """ZeroGradParameters sets every gradient to exactly 0, even from NaN."""
    module = s.fresh()
    for _, gradient in s.gradient_arrays(module):
        gradient.fill(np.nan)
    parameters = copy_arrays(module.parameters()[0])
    if module.zeroGradParameters() is not module:
        s.fail("zeroGradParameters", "it does not return self.")
    s.same_bits("zeroGradParameters", "it changed parameters.", module.parameters()[0], parameters)
    for name, gradient in s.gradient_arrays(module):
        if gradient.any() or np.isnan(gradient).any():
            s.fail("zeroGradParameters", f"{name} is not 0 afterwards.")
    if s.fresh_from is not None:
        new = s.fresh_from()
        for name, gradient in zip(s.names, new.parameters()[1], strict=True):
            if gradient.any() or np.isnan(gradient).any():
                s.fail("__init__", f"{name} does not start at 0.")


def accUpdate(s: ModuleSubject) -> None:
    """AccUpdateGradParameters updates by this call's gradients alone; backwardUpdate does too."""
    result = s.run()
    for method in ("accUpdateGradParameters", "backwardUpdate"):
        module = s.fresh()
        s.forward(module, s.input)
        for _, gradient in s.gradient_arrays(module):
            gradient[...] = 1.25
        before = copy_arrays(module.parameters()[0])
        if method == "backwardUpdate":
            gradInput = module.backwardUpdate(s.input, s.gradOutput, 0.25)
            s.compare(method, "it returns another gradInput.", gradInput, result.gradInput)
        else:
            module.updateGradInput(s.input, s.gradOutput)
            module.accUpdateGradParameters(s.input, s.gradOutput, 0.25)
        for name, got, old, gradient, left in zip(
            s.names,
            module.parameters()[0],
            before,
            result.gradients,
            module.parameters()[1],
            strict=True,
        ):
            s.compare(
                method,
                f"the parameter of {name} is not what it was - lr * {name} of this call.",
                got,
                old - 0.25 * gradient,
                allowed=1e-10 * (1 + np.abs(gradient).max(initial=0)),
            )
            s.compare(method, f"it changed {name}.", left, np.full_like(left, 1.25))


def flat(s: ModuleSubject) -> None:
    """GetParameters gives live flat arrays, the same memory each time."""
    expected = s.run()
    module = s.fresh()
    before = copy_arrays(module.parameters())
    flat_parameters, flat_gradients = module.getParameters()
    s.same_bits("getParameters", "it changed parameters or gradients.", module.parameters(), before)
    again, _ = module.getParameters()
    if flat_parameters.size and not (
        np.shares_memory(again, flat_parameters) and again.size == flat_parameters.size
    ):
        s.fail("getParameters", "a second call returns other memory.")
    got = s.run(module)
    s.compare_results(got, expected, "after getParameters it gives other numbers.")
    flat_gradients.fill(0)
    for name, gradient in s.gradient_arrays(module):
        if gradient.any():
            s.fail("getParameters", f"{name} is no view of the flat gradients.")
    flat_parameters += 1
    for name, now, old in zip(s.names, module.parameters()[0], before[0], strict=True):
        s.compare(
            "getParameters",
            f"the parameter of {name} is no view of the flat parameters.",
            now,
            old + 1,
        )
    _check_follows(s, "getParameters", module)


def sharing(s: ModuleSubject) -> None:
    """Parameters shared with a clone are one: zeroed, accumulated and updated once."""
    one = s.fresh()
    held = {id(value) for value in vars(one).values()}
    if not s.names or not {id(array) for arrays in one.parameters() for array in arrays} <= held:
        return
    names = [key for key, value in vars(one).items() if is_array(value)]
    other = one.clone(*names)
    net = Sequential(one, other)
    if len(net.parameters()[0]) != len(one.parameters()[0]):
        s.fail("share", "a clone that shares all arrays has parameters of its own.")
    before = copy_arrays(one.parameters()[0])
    for gradient in one.parameters()[1]:
        gradient[...] = values.sixteenths(s.rng, gradient.shape)
    net.updateParameters(1)
    for name, now, old, gradient in zip(
        s.names, one.parameters()[0], before, one.parameters()[1], strict=True
    ):
        s.compare(
            "updateParameters",
            f"the shared parameter of {name} is not updated once.",
            now,
            old - gradient,
        )
