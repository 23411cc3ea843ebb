"""What containers have in common that go back the way their forward went."""

from contextvars import copy_context
from typing import Any

import numpy as np

from torchlite.nn import checks
from torchlite.nn.checks import NUMBERS
from torchlite.nn.container import Container
from torchlite.nn.nested import is_array, map_arrays, same, shapes


class Remembering(Container):
    """A container that remembers what its modules were given.

    Attributes
    ----------
    gradOutputs
        After `updateGradInput`: the gradient of each module's output, by position.
    """

    transient = (*Container.transient, "gradOutputs", "_plan")
    gradOutputs: Any = ()
    # What accGradParameters is to do, from when a container around this one has looked whether all
    # can be done until it is: (input, gradOutput, gradOutputs as they were, steps).
    _plan: Any = None
    # Whether _finish has something to do, and whether it may fail.
    _finishes = False
    _risky: Any = False
    _plain = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._plain = False

    def _forget(self) -> None:
        """Forget the last forward, and the last updateGradInput."""
        raise NotImplementedError

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        """Tell what led back to position; gradOutputs by position."""
        raise NotImplementedError

    def _recall(self, method: str, remembered: Any, input: Any) -> None:
        """Raise unless input is the remembered one, that of the last forward (None: none)."""
        if remembered is None or not (remembered is input or same(remembered, input)):
            known = None if remembered is None else f"input {shapes(remembered)}"
            hint = "call forward(input) first: a backward goes back along its path"
            name = type(self).__name__
            raise checks.unremembered(name, self, method, "input", known, input, hint)

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Any = 1) -> None:
        """Run the modules' accGradParameters, each with its own input and gradOutput."""
        if type(scale) not in NUMBERS:
            scale = checks.number(self, "accGradParameters", "scale", scale)
        plan = self._plan
        before: Any = ()
        prepared: list[Remembering] = []
        if (
            plan is not None
            and plan[0] is input
            and plan[1] is gradOutput
            and plan[2] is self.gradOutputs
        ):
            # A container around this one answers for the whole.
            positions, modules, inputs, gradOutputs = plan[3]
        else:
            plan = self._steps(input, gradOutput)
            positions, modules, inputs, gradOutputs = plan
            sure = (
                type(input) is np.ndarray is type(gradOutput)
                and input.dtype.kind != "c" != gradOutput.dtype.kind
                and gradOutputs is self.gradOutputs
                and not self._finishes
                # What np.seterr says is in the context, which is empty as long as it said nothing.
                and (not copy_context() or _errors_only_warn())
            )
            if sure:
                for module in modules:
                    if not module._plain or module.gradInput is None:
                        sure = False
                        break
            if not sure:
                before = self._protect(input, gradOutput, plan, prepared)
        self._plan = None
        position = None
        try:
            for position in positions:
                modules[position].accGradParameters(inputs[position], gradOutputs[position], scale)
            position = None
            if self._finishes:
                self._finish()
        except BaseException as error:
            for array, values in before:
                array[...] = values
            for container in prepared:
                container._plan = None
            self._forget()
            if position is not None:
                checks.locate(error, self, position, self._backward_story(gradOutputs, position))
            raise

    def _protect(
        self, input: Any, gradOutput: Any, steps: Any, prepared: "list[Remembering]"
    ) -> list[tuple[Any, Any]]:
        """Raise if accGradParameters cannot be done to the end; copy gradients where it may fail.

        A layer of torchlite's validates before it accumulates, on inputs and gradOutputs that
        updateGradInput has seen: of them, none fails after another has begun. Not so layers from
        elsewhere, gradOutputs that are new, complex numbers, which real gradients refuse, and any
        number where NumPy raises instead of warning.
        """
        risky = self._prepare(input, gradOutput, steps, prepared) or not _errors_only_warn()
        if risky or any(map(_is_complex, (input, gradOutput, self.gradInput))):
            return [(array, array.copy()) for array in self.parameters()[1]]
        return []

    def _prepare(
        self, input: Any, gradOutput: Any, steps: Any, prepared: "list[Remembering]"
    ) -> bool:
        """Plan accGradParameters, here and inside; raise unless every memory is of this call.

        Tell whether some layer might fail even so, after another one has accumulated.
        """
        positions, modules, inputs, gradOutputs = steps
        risky: bool = self._risky or gradOutputs is not self.gradOutputs
        position = 0
        try:
            for position in positions:
                module = modules[position]
                if module._plain:
                    if module.gradInput is None and not _alike(module, gradOutputs[position]):
                        risky = True
                elif module._foreign:
                    risky = True
                else:
                    part, gradient = inputs[position], gradOutputs[position]
                    if module._prepare(part, gradient, module._steps(part, gradient), prepared):
                        risky = True
        except Exception as error:
            self._forget()
            checks.locate(error, self, position, self._backward_story(gradOutputs, position))
            raise
        self._plan = input, gradOutput, self.gradOutputs, steps
        prepared.append(self)
        return risky

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        """Return positions in the order of accGradParameters, modules, inputs and gradOutputs.

        Raise unless what is remembered belongs to this input and, where it matters, gradOutput.
        """
        raise NotImplementedError

    def _finish(self) -> None:
        """Do what is left when the modules have accumulated."""


def _alike(module: Any, gradOutput: Any) -> bool:
    """Tell whether a gradOutput certainly fits the module's output."""
    output = module.output
    return (
        type(output) is np.ndarray is type(gradOutput)
        and output.shape == gradOutput.shape
        and output.dtype == gradOutput.dtype
    )


def _errors_only_warn() -> bool:
    return {"raise", "call"}.isdisjoint(np.geterr().values())


def _is_complex(table: Any) -> bool:
    """Tell whether there are complex numbers in an array or a table."""
    if is_array(table):
        return bool(table.dtype.kind == "c")
    found: list[Any] = []
    map_arrays(lambda array: found.append(is_array(array) and array.dtype.kind == "c"), table)
    return any(found)
