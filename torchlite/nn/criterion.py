"""Criterion: the contract that every loss keeps."""

import sys
from collections.abc import Sequence
from typing import Any, final, overload

import numpy as np

from torchlite.elsewhere import METHODS, OF_NETWORKS, Absent
from torchlite.errors import DTypeError, ShapeError, TorchliteError, rehint
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.graph import ModuleNode, holds_nodes, node_of
from torchlite.nn.stateful import Stateful

__all__ = ["Criterion"]


class Criterion(Stateful):
    """A loss: one number that says how far an input is from its target, and its gradient.

    A criterion of your own is a subclass with `updateOutput` and `updateGradInput`.

    Maths
    -----
    ::

        output = L(input, target)                   updateOutput
        gradInput = dL/dinput                       updateGradInput

    Attributes
    ----------
    output
        The latest loss, a Python number (0.0 before the first).
    gradInput
        The latest gradient of the input, in its shape. torchlite never writes to it again.
    exempt
        As a module's.

    Conventions
    -----------
    Nothing is broadcast: input and target must fit exactly. The target may be left out where there
    is none. Remembers nothing, unless said.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.MSECriterion()
    >>> criterion.forward(np.array([1.0, 2.0]), np.array([3.0, 5.0]))
    6.5
    >>> criterion.backward(np.array([1.0, 2.0]), np.array([3.0, 5.0]))
    array([-2., -3.])

    Reference
    ---------
    Torch7, nn/Criterion.lua.
    """

    output: Any = 0.0

    def forward(self, input: Any, target: Any = None, *surplus: Any) -> float:
        """Return `updateOutput(input, target)`."""
        if surplus:
            raise _too_many(self, "forward", surplus)
        try:
            return self.updateOutput(input, target)
        except (ShapeError, DTypeError) as error:
            self._see_whether_swapped("forward", input, target, error)
            raise

    @overload
    def __call__(self, input: ModuleNode | Sequence[ModuleNode]) -> ModuleNode: ...

    @overload
    def __call__(self, input: Any, target: Any = ..., *surplus: Any) -> float: ...

    def __call__(self, input: Any, target: Any = None, *surplus: Any) -> Any:
        """Return `forward(input, target)`; of a list of nodes, a node of a network (`gModule`)."""
        if holds_nodes((input, target)):
            if target is not None:
                raise _too_many(self, "__call__", (target, *surplus))
            # That is made of a module that is made of a Criterion.
            from torchlite.nn.graph.module_from_criterion import ModuleFromCriterion

            return node_of(ModuleFromCriterion(self), (input,), sys._getframe(1))
        return self.forward(input, target, *surplus)

    def backward(self, input: Any, target: Any = None, *surplus: Any) -> Any:
        """Return `updateGradInput(input, target)`."""
        if surplus:
            raise _too_many(self, "backward", surplus)
        try:
            return self.updateGradInput(input, target)
        except (ShapeError, DTypeError) as error:
            self._see_whether_swapped("backward", input, target, error)
            raise

    def updateOutput(self, input: Any, target: Any) -> float:
        """Compute the loss, keep it in `self.output` and return it."""
        raise NotImplementedError(f"{type(self).__name__} does not define updateOutput")

    def updateGradInput(self, input: Any, target: Any) -> Any:
        """Compute the loss' gradient by input, keep it in `self.gradInput` and return it."""
        raise NotImplementedError(f"{type(self).__name__} does not define updateGradInput")

    @final
    def _see_whether_swapped(
        self, method: str, input: Any, target: Any, error: TorchliteError
    ) -> None:
        """Say so in the error of a call, if the two fit the other way round."""
        # What does not look at its target takes anything in its place, and tells nothing by it.
        if self._takes(target, input) and not self._takes(target, None):
            rehint(error, f"the two fit the other way round: {method}(input, target)")

    def _takes(self, input: Any, target: Any) -> bool:
        try:
            with np.errstate(all="ignore"):
                self.clone().updateOutput(input, target)
        except Exception:
            return False
        return True

    def _accumulated(self) -> list[Array]:
        """Return the gradients of parameters that updateGradInput adds to. Here: none."""
        return []

    def __repr__(self) -> str:
        return type(self).__name__


for _name in OF_NETWORKS:
    setattr(Criterion, _name, Absent(Criterion, _name, f"of the network: {METHODS[_name]}"))


def _too_many(criterion: Criterion, method: str, surplus: tuple[Any, ...]) -> DTypeError:
    hint = f"{method}([a, b], target)"
    if method == "__call__":
        hint = f"nn.{type(criterion).__name__}(...)([a, b]) is a node"
    return checks.too_many(criterion, method, "input", 1 + len(surplus), hint)
