"""Numeric derivatives beside the gradients of a trace, and what is said of them."""

from typing import Any

import numpy as np

from torchlite.stepping import text
from torchlite.stepping.arrays import Copy, named_arrays
from torchlite.stepping.derivatives import Budget
from torchlite.stepping.steps import Step, Trace

__all__ = ["Numeric"]

# Arrays of more entries have none.
MOST_ENTRIES = 200
# So many calls of layers, some seconds, there may be: enough for all of a chain of hundreds of
# small layers.
MOST_CALLS = 1_000_000


class Numeric:
    """The numeric derivatives of a trace, as far as they do not take too long."""

    def __init__(self, trace: Trace, wanted: bool) -> None:
        self._trace = trace
        self._wanted = wanted
        self._budget = Budget(MOST_CALLS)
        self._too_dear: list[int] = []

    def of(self, step: Step, name: str, role: str, value: Any) -> dict[str, Any]:
        """Return {"numeric": [derivative, verdict] of every entry} of a gradient of the loss.

        In the order of C; None where the loss has no derivative, and {} for all else.
        """
        known = self._trace._known(step)
        call: Any = known and known.call
        if not self._wanted or not _is_gradient(step, call, name, role, value):
            return {}
        parameter = role == "increment"
        if parameter:
            number = list(step.after).index(name)
        else:
            arrays = [label for label, _ in named_arrays("gradInput", step.results["gradInput"])]
            number = arrays.index(name)
        slopes = call.round.slopes(call, number, parameter, self._budget)
        if slopes is None and self._budget.exceeded:
            if step.number not in self._too_dear:
                self._too_dear.append(step.number)
            return {}
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
        if self._too_dear:
            said += f" There are none at {text.spans(self._too_dear)}: it would take too long."
        return said


def _is_gradient(step: Step, call: Any, name: str, role: str, value: Any) -> bool:
    """Tell whether an array is a gradient of the loss, and not too large."""
    return (
        call is not None
        and call.linked
        and (name.startswith("gradInput") if role == "result" else role == "increment")
        and step.method != "updateParameters"
        and isinstance(value, Copy)
        and value.values is not None
        and value.values.size <= MOST_ENTRIES
    )
