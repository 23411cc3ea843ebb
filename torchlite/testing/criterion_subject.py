"""A criterion under check."""

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.criterion import Criterion
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_floating,
    leaves,
    map_arrays,
    scale_arrays,
)
from torchlite.testing import values
from torchlite.testing.raised import blaming
from torchlite.testing.subject import Result, Subject, attempt

__all__ = ["CriterionSubject"]


class CriterionSubject(Subject):
    """A criterion, an input and a target.

    To the oracle it is a layer of one output, the loss.
    """

    methods = ("updateOutput", "updateGradInput")
    scalar = True
    needs_forward = False

    def __init__(self, criterion: Criterion, input: Any, target: Any, **about: Any) -> None:
        super().__init__(criterion, input, **about)
        self.target = cast_arrays(target, "float64")
        self.gradOutput = np.ones(())
        self.output = blaming(self, lambda: self.forward(self.fresh(), self.input, self.target))

    @property
    def given(self) -> dict[str, Any]:
        """Input and target."""
        return {"input": self.input, "target": self.target}

    @property
    def asked(self) -> dict[str, Any]:
        """Input and target."""
        return self.given

    @property
    def rows(self) -> int:
        """The number of entries that a mean may be over."""
        first = leaves(self.input)[0]
        return first.shape[0] if is_array(first) and first.ndim else 0

    def forward(self, criterion: Criterion, input: Any, target: Any = None) -> Any:
        """Return the loss as an array, with this target, or the own one in the input's dtype."""
        if target is None:
            dtypes = [array.dtype for array in leaves(input) if is_floating(array)]
            target = cast_arrays(self.target, dtypes[0]) if dtypes else self.target
        loss = criterion.forward(input, target)
        return loss if is_array(loss) else np.array(loss)

    def calls(
        self, criterion: Criterion, input: Any, target: Any, *scale: Any
    ) -> list[tuple[str, Callable[[], Any]]]:
        """Return the contract's calls."""
        return [
            ("updateOutput", lambda: self.forward(criterion, input, target)),
            ("updateGradInput", lambda: criterion.backward(input, target)),
        ]

    def run(self, criterion: Any = None, input: Any = None, target: Any = None) -> Result:
        """Run forward and backward."""
        criterion = self.fresh() if criterion is None else criterion
        input = self.input if input is None else input
        target = self.target if target is None else target
        return Result(self.forward(criterion, input, target), criterion.backward(input, target), [])

    def gradInput_for(self, weights: list[Array]) -> Any:
        """Return gradInput times the weight of the loss."""
        return scale_arrays(self.run().gradInput, float(weights[0]))

    def other_input(self) -> Any:
        """Return the samples in another order, halved, or the same input if they are refused."""
        other = map_arrays(
            lambda a: (a[::-1] * 0.5).copy() if is_floating(a) and a.ndim else a, self.input
        )
        refused = attempt(self.forward, self.fresh(), other, self.target) is None
        return copy_arrays(self.input) if refused else other

    def others(self) -> tuple[Any, Any]:
        """Return another input on which the criterion works, and the target."""
        return self.other_input(), self.target

    def extremes(self) -> list[Self]:
        """Return the criterion at an input, or a target, of huge and tiny numbers."""
        return [
            subject
            for what, more in values.EXTREMES
            for subject in (
                self.at(what, self.adversarial(self.input, *more)),
                self.at(
                    f"a target of {what}", self.input, target=self.adversarial(self.target, *more)
                ),
            )
        ]

    def variants(self) -> list[Self]:
        """Return the criterion with and without averaging, if it can do both."""
        if not isinstance(getattr(self.base, "sizeAverage", None), bool):
            return [self]
        other = copy.copy(self)
        other.base = self.fresh()
        other.base.sizeAverage = not self.base.sizeAverage
        other.where = f"{self.where} with sizeAverage {other.base.sizeAverage}"
        other.output = other.forward(other.fresh(), self.input, self.target)
        return [self, other]

    def documented(self) -> list[Self]:
        """Return all variants: the docstring speaks of both."""
        return self.variants()

    def wrong_calls(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return methods with arguments that are refused, or should be."""
        pairs = [
            *((wrong, self.target) for wrong in values.wrong(self.input)),
            *((extreme.input, extreme.target) for extreme in self.extremes()),
        ]
        return [(method, pair) for pair in pairs for method in ("forward", "backward")]
