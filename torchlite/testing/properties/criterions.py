"""What a criterion does otherwise than a module."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.nn.nested import is_array, is_floating, leaves, shapes
from torchlite.testing.criterion_subject import CriterionSubject
from torchlite.testing.subject import attempt, states

__all__ = ["broadcast", "clone", "split"]


def split(s: CriterionSubject) -> None:
    """The loss is a Python number; results are kept and returned; backward is updateGradInput."""
    criterion = s.fresh()
    loss = criterion.forward(s.input, s.target)
    if loss is None:
        s.fail("updateOutput", "it returned None.")
    if type(loss) is not float and not _is_number(loss, s.input):
        s.fail(
            "updateOutput",
            f"the loss is {type(loss).__name__}, not a Python float or NumPy's number of the "
            "input's precision.",
        )
    if criterion.output is not loss:
        s.fail("updateOutput", "self.output is not what it returned.")
    gradInput = criterion.backward(s.input, s.target)
    if criterion.gradInput is not gradInput:
        s.fail("updateGradInput", "self.gradInput is not what it returned.")
    if shapes(gradInput) != shapes(s.input):
        s.fail(
            "updateGradInput",
            f"gradInput is {shapes(gradInput)}, expected {shapes(s.input)} like input.",
        )
    s.same_bits(
        "backward",
        "it is not what updateGradInput gives.",
        gradInput,
        criterion.updateGradInput(s.input, s.target),
    )


def _is_number(loss: Any, input: Any) -> bool:
    """Tell whether a loss is one of NumPy's numbers, in the precision of the input."""
    dtypes = [array.dtype for array in leaves(input) if is_floating(array)]
    return isinstance(loss, np.floating) and loss.dtype in (np.float64, *dtypes)


def clone(s: CriterionSubject) -> None:
    """A clone, a deep copy and a pickle have the same numbers."""
    expected = s.run().gradInput
    made = [s.fresh().clone(), copy.deepcopy(s.fresh())]
    try:
        made.append(pickle.loads(pickle.dumps(s.fresh())))
    except (pickle.PicklingError, AttributeError, TypeError) as reason:
        s.notes.append(f"pickle: not checked, {reason}")
    for criterion in made:
        s.compare("clone", "a copy gives other numbers.", s.run(criterion).gradInput, expected)
    original = s.fresh()
    ways: dict[str, Callable[[Any], Any]] = {
        "clone": lambda c: c.clone(),
        "copy.deepcopy": copy.deepcopy,
    }
    for way, copying in ways.items():
        criterion = copying(original)
        shared = {id(v) for _, v in states(original) if is_array(v) and v.size} & {
            id(v) for _, v in states(criterion)
        }
        if criterion is original or shared:
            s.fail(way, "the copy shares arrays with the original.")


def broadcast(s: CriterionSubject) -> None:
    """Input and target of shapes that would broadcast are refused."""
    if not (is_array(s.input) and is_array(s.target)) or s.target.shape != s.input.shape:
        return
    column = s.input.reshape(-1, 1)
    for input, target in (
        (column, s.target.reshape(-1)),
        (column.reshape(-1), s.target.reshape(-1, 1)),
    ):
        if input.size < 2:
            continue
        for method in ("updateOutput", "updateGradInput"):
            if attempt(getattr(s.fresh(), method), input, target) is not None:
                s.fail(
                    method, f"input {input.shape} and target {target.shape} are broadcast silently."
                )
