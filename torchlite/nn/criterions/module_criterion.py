"""ModuleCriterion."""

import warnings
from typing import Any, ClassVar

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion
from torchlite.nn.module import Module
from torchlite.nn.nested import same, shapes
from torchlite.nn.stateful import restored

__all__ = ["ModuleCriterion"]


class ModuleCriterion(Criterion):
    """A criterion of what modules make of the input and of the target.

    Maths
    -----
    ::

        output = criterion(inputModule(input), targetModule(target))
        gradOutput = criterion.backward(inputModule(input), targetModule(target))
        gradInput = inputModule.backward(input, gradOutput)

    Shapes
    ------
    input and target: what the modules take; gradInput as input.

    Parameters
    ----------
    criterion
        A Criterion.
    inputModule, targetModule
        Modules, or None to leave the input, or the target, as it is.
    castTarget
        False to keep targetModule as it is when this criterion is cast to another dtype.

    Attributes
    ----------
    inputActivations, targetActivations
        After a forward: the input and what inputModule made of it (if there is one), likewise the
        target.

    Conventions
    -----------
    Remembers its activations: a backward goes back the way of the last forward. It runs
    `inputModule.backward`, which adds to the gradients of inputModule's parameters; nothing here
    zeroes them or updates the parameters, and the constructor warns if there are any.

    Raises
    ------
    StateError
        The input or target of a backward is not that of the last forward.
    DTypeError
        What is given is no Criterion, or no Module.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.ModuleCriterion(nn.MSECriterion(), nn.ReLU())
    >>> x, y = np.array([-2.0, 3.0]), np.array([-1.0, 1.0])
    >>> criterion.forward(x, y), criterion.backward(x, y)
    (2.5, array([0., 2.]))

    Reference
    ---------
    Torch7, nn/ModuleCriterion.lua.
    """

    exempt: ClassVar = {
        "interleave": "a backward goes back the way of the last forward",
        "exceptions": "the modules before the criterion have run",
    }
    transient = (*Criterion.transient, "inputActivations", "targetActivations")
    inputActivations: Any = ()
    targetActivations: Any = ()

    def __init__(
        self,
        criterion: Any,
        inputModule: Any = None,
        targetModule: Any = None,
        castTarget: bool = True,
    ) -> None:
        checks.must_be_instance(self, "__init__", "criterion", criterion, Criterion)
        for argument, module in (("inputModule", inputModule), ("targetModule", targetModule)):
            if module is not None:
                checks.must_be_instance(self, "__init__", argument, module, Module)
        if inputModule is not None and inputModule.parameters()[0]:
            warnings.warn(
                "ModuleCriterion: nothing here updates the parameters of inputModule", stacklevel=2
            )
        self.criterion = criterion
        self.inputModule = inputModule
        self.targetModule = targetModule
        self.castTarget = castTarget

    @property
    def _uncast(self) -> tuple[str, ...]:
        return () if self.castTarget else ("targetModule",)

    def updateOutput(self, input: Any, target: Any) -> float:
        inputActivations = _activations(self.inputModule, input)
        targetActivations = _activations(self.targetModule, target)
        self.output = self.criterion.updateOutput(inputActivations[-1], targetActivations[-1])
        self.inputActivations, self.targetActivations = inputActivations, targetActivations
        return self.output

    def updateGradInput(self, input: Any, target: Any) -> Any:
        made = self._recall("input", self.inputModule, self.inputActivations, input)
        wanted = self._recall("target", self.targetModule, self.targetActivations, target)
        with restored(self.criterion._accumulated()):
            gradInput = self.criterion.updateGradInput(made, wanted)
            if self.inputModule is not None:
                gradInput = self.inputModule.backward(input, gradInput)
        self.gradInput = gradInput
        return gradInput

    def _accumulated(self) -> list[Array]:
        own = [] if self.inputModule is None else self.inputModule.parameters()[1]
        return [*own, *self.criterion._accumulated()]

    def _recall(self, argument: str, module: Any, activations: Any, value: Any) -> Any:
        """Return what the module made of the value in the last forward."""
        if module is None:
            return value
        if not (activations and same(activations[0], value)):
            known = shapes(activations[0]) if activations else None
            hint = "call forward(input, target) first: a backward goes back along its path"
            raise checks.unremembered(
                "ModuleCriterion", self, "updateGradInput", argument, known, value, hint
            )
        return activations[-1]


def _activations(module: Any, value: Any) -> list[Any]:
    return [value] if module is None else [value, module.updateOutput(value)]
