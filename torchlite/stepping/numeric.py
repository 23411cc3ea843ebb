"""Numeric derivatives beside the gradients of a trace, and what is said of them."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from torchlite.stepping import text
from torchlite.stepping.arrays import Copy
from torchlite.stepping.derivatives import Budget
from torchlite.stepping.steps import Step, Trace

__all__ = ["Numeric"]

# Arrays of more entries have none.
MOST_ENTRIES = 200
# So many calls of layers, some seconds, there may be: enough for all of a chain of hundreds of
# small layers.
MOST_CALLS = 1_000_000
# Why there are none.
TOO_DEAR = "it would take too long"
UNFIT = "gradInput is not by the entries of input, or a layer refuses numbers beside these"


class Numeric:
    """The numeric derivatives of a trace, as far as they do not take too long."""

    def __init__(self, trace: Trace, wanted: bool) -> None:
        self._trace = trace
        self._wanted = wanted
        self._budget = Budget(MOST_CALLS)
        # By the reason, the steps that have none.
        self._without: dict[str, list[int]] = {}
        self._large = False

    def of(self, step: Step, name: str, role: str, value: Any) -> dict[str, Any]:
        """Return {"numeric": [derivative, verdict] of every entry} of a gradient of the loss.

        In the order of C; None where the loss has no derivative, and {} for all else.
        """
        known = self._trace._known(step)
        call: Any = known and known.call
        if not self._wanted or not _is_gradient(step, call, name, role, value):
            return {}
        if prod(value.shape) > MOST_ENTRIES:
            self._large = True
            return {}
        parameter = role == "increment"
        held = step.after if parameter else _labels("gradInput", call.input)
        try:
            slopes = call.round.slopes(call, list(held).index(name), parameter, self._budget)
            unfit = slopes is not None and slopes.values.shape != value.shape
        except Exception:
            # A page is worth more than the derivatives that it lacks.
            unfit = True
        if unfit or (slopes is None and self._budget.exceeded):
            steps = self._without.setdefault(UNFIT if unfit else TOO_DEAR, [])
            if step.number not in steps:
                steps.append(step.number)
            return {"numeric": None} if unfit else {}
        if slopes is None:
            return {"numeric": None}
        scale = step.arguments.get("scale", 1) if parameter else 1
        close = 1e-3 if value.dtype == "float32" else 1e-5
        numeric, got = scale * slopes.values, value.values
        with np.errstate(all="ignore"):
            largest = np.maximum(np.maximum(np.abs(numeric), np.abs(got)), 1e-3)
            agrees = np.abs(numeric - got) <= close * largest
        # What differs on both sides says nothing of a gradient, nor does what is no number.
        verdicts = np.select(
            [~np.isfinite(numeric), slopes.kinks, agrees],
            ["is not finite", "lies at a kink", "agrees"],
            "differs",
        )
        return {
            "numeric": list(zip(numeric.ravel().tolist(), verdicts.ravel().tolist(), strict=True))
        }

    def note(self) -> str:
        """Say where the derivatives come from, and of which steps there are none."""
        none = "There are no numeric derivatives: "
        if not self._wanted:
            return f"{none}none were asked for."
        if self._trace.criterion is None:
            return f"{none}nothing was recorded of a criterion."
        if not any(known.call for known in self._trace._recorded.values()):
            return f"{none}they need the network itself, or a backward."
        said = (
            "The small number under an entry of a gradient is its numeric derivative: the layer is "
            "computed twice more, with that number a little larger and a little smaller. What the "
            "difference in its output makes of the loss is known from the numeric derivatives "
            "behind it; where they are not known, what comes behind is computed twice more, too."
        )
        if self._large:
            said += f" Arrays of more than {MOST_ENTRIES} entries have none."
        for reason, steps in self._without.items():
            said += f" There are none at {text.spans(steps)}: {reason}."
        return said


def _is_gradient(step: Step, call: Any, name: str, role: str, value: Any) -> bool:
    """Tell whether an array is a gradient of the loss, and its numbers are there if few."""
    return (
        call is not None
        and call.linked
        and (name.startswith("gradInput") if role == "result" else role == "increment")
        and step.method != "updateParameters"
        and isinstance(value, Copy)
        and (value.values is not None or prod(value.shape) > MOST_ENTRIES)
    )


def _labels(name: str, table: Any) -> Iterator[str]:
    """Yield the name of every leaf of a table, as arrays of a gradInput like it are named."""
    if isinstance(table, (list, tuple)):
        for i, entry in enumerate(table):
            yield from _labels(f"{name}[{i}]", entry)
    elif isinstance(table, dict):
        for key, entry in table.items():
            yield from _labels(f"{name}[{key!r}]", entry)
    else:
        yield name
