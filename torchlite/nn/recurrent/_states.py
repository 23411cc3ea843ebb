"""States of sequences: which one is meant, what may be one, and where the next sequence begins."""

import operator
from collections.abc import Sequence
from typing import Any, Self

from torchlite.nn import checks
from torchlite.nn._through_time import must_be_mode
from torchlite.nn.nested import map_arrays

__all__ = ["GoesOn", "copied", "integer", "must_be_state", "shown", "state_number"]


class GoesOn:
    """What runs whole sequences, and may go on from the state that the one before left."""

    train: bool
    _remember: str = "neither"

    def remember(self, mode: str = "both") -> Self:
        """Say when it goes on from the state that the sequence before left. Return self.

        mode: 'both' in training and evaluation, 'train' or 'eval' in one of the two, or 'neither'.
        """
        must_be_mode(self, mode)
        self._remember = mode
        return self

    def _goes_on(self) -> bool:
        """Tell whether it does so in the mode that it is in."""
        return self._remember in ("both", "train" if self.train else "eval")


def state_number(layer: Any, method: str, step: int | None, count: int) -> int:
    """Return which state is meant, counted from the start; without step that after all of count."""
    if step is None:
        return count
    number = integer(layer, method, "step", step)
    if not -count - 1 <= number <= count:
        expected = f"at most {count}, so many steps as there were"
        raise checks.out_of_range(layer, method, "step", expected, repr(step))
    return number if number >= 0 else number + count + 1


def integer(layer: Any, method: str, argument: str, value: Any) -> int:
    """Return a method's integer as an int."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise checks.mistyped(layer, method, argument, "an integer", repr(value)) from None


def must_be_state(layer: Any, method: str, argument: str, array: Any, dtype: Any) -> None:
    """Raise unless it may be an array of a state of a layer, or of its gradient."""
    checks.must_be_floating(layer, method, argument, array, dtype)
    if array.dtype.kind == "c" and dtype.kind != "c":
        got = str(array.dtype)
        hint = f"clone().type('{got}') has complex states"
        raise checks.mistyped(layer, method, argument, str(dtype), got, hint)


def copied(table: Any) -> Any:
    """Return copies of the arrays of a state, None where it has none."""
    return map_arrays(lambda array: None if array is None else array.copy(), table)


def shown(state: Sequence[Any]) -> Any:
    """Return a state as users see it."""
    return state[0] if len(state) == 1 else list(state)
