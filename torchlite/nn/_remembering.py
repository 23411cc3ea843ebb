"""What containers have in common that go back the way their forward went."""

from contextvars import Context
from typing import Any

import numpy as np
from numpy import ndarray

from torchlite.errors import StateError
from torchlite.kernels.arrays import Number
from torchlite.nn import checks
from torchlite.nn._through_time import recurrents
from torchlite.nn.container import Container, locate
from torchlite.nn.nested import EMPTY, is_array, same, shapes

# The variable in which NumPy keeps what np.seterr says, where something was said.
_apart = Context()
_apart.run(np.setbufsize, np.getbufsize())
(_SAID,) = _apart


class Remembering(Container):
    """A container that remembers what its modules were given.

    Attributes
    ----------
    gradOutputs
        After `updateGradInput`: the gradient of each module's output, by position.
    """

    _validates = True
    transient = (*Container.transient, "gradOutputs", "_plan")
    gradOutputs: Any = ()
    # What a container around this one, which is accumulating, has found this one is to do, and for
    # which call: (input, gradOutput, gradOutputs, steps).
    _plan: Any = None
    # Whether _accumulate may fail for reasons of its own.
    _risky: Any = False

    def _forget(self) -> None:
        """Forget the last forward, and the last updateGradInput."""
        raise NotImplementedError

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        """Tell what led back to position; gradOutputs by position."""
        raise NotImplementedError

    def _must_remember(self, method: str, remembered: Any, input: Any) -> None:
        """Raise unless input is the remembered one, that of the last forward (None: none)."""
        if remembered is None or not (remembered is input or same(remembered, input)):
            known = None if remembered is None else f"input {shapes(remembered)}"
            hint = "call forward(input) first: a backward goes back along its path"
            if remembered is None:
                hint += ", which an error drops"
            elif recurrents(self):
                hint = f"nn.Recursor(...) of a {type(self).__name__} goes back step by step"
            name = type(self).__name__
            raise checks.unremembered(name, self, method, "input", known, input, hint)

    def _must_have_gone_back(self, known: bool) -> None:
        """Raise unless gradOutput is known to be that of the last updateGradInput."""
        if not known:
            raise StateError(
                f"{checks.title(self)}.accGradParameters: gradOutput is not that of the last "
                "updateGradInput",
                layer=self,
                method="accGradParameters",
                argument="gradOutput",
                hint="call updateGradInput(input, gradOutput) first: it finds the gradOutputs of "
                "the modules inside",
            )

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Number = 1) -> None:
        """Run the modules' accGradParameters, each with its own input and gradOutput.

        The outermost container looks ahead, and undoes what was done where it fails.
        """
        scale = checks.scale(self, scale)
        plan = self._plan
        if (
            plan is not None
            and plan[0] is input
            and plan[1] is gradOutput
            and plan[2] is self.gradOutputs
        ):
            self._accumulate(plan[3], scale)
            return
        steps = self._steps(input, gradOutput)
        if self._is_plain(input, gradOutput, steps):
            self._accumulate(steps, scale)
            return
        planned: list[Remembering] = []
        before: Any = ()
        try:
            risky = Remembering._look_ahead(self, input, gradOutput, planned)
            if risky or numpy_raises() or any_complex((input, gradOutput, self.output)):
                before = [(array, array.copy()) for array in self.parameters()[1]]
            self._accumulate(self._plan[3], scale)
        except BaseException:
            for array, values in before:
                array[...] = values
            raise
        finally:
            for container in planned:
                container._plan = None

    def _is_plain(self, input: Any, gradOutput: Any, steps: tuple[Any, Any, Any, Any]) -> bool:
        """Tell, quickly, whether certainly nothing of what `_look_ahead` is after is inside."""
        _, modules, _, gradOutputs = steps
        output = self.output
        if (
            not (type(input) is type(gradOutput) is type(output) is ndarray)
            or gradOutput.dtype.kind == "c"
            or output.dtype.kind == "c"
            or gradOutputs is not self.gradOutputs
            or self._risky
            or numpy_raises()
        ):
            return False
        for position, module in enumerate(modules):
            gradInput = module.gradInput
            # Where there is no other module, an error does no harm.
            if (
                module._look_ahead is not None
                or gradInput is EMPTY
                or (
                    gradInput is None
                    and len(modules) > 1
                    and not _surely_fits(module, gradOutputs[position])
                )
            ):
                return False
        return True

    def _look_ahead(self, input: Any, gradOutput: Any, planned: "list[Remembering]") -> bool:
        """Plan accGradParameters, here and inside; raise unless every memory is of this call.

        Tell whether some layer might fail even so, after another one has accumulated. A layer of
        torchlite's validates before it accumulates, on inputs and gradOutputs that updateGradInput
        has seen: of them, none does. Not so layers from elsewhere and gradOutputs that are new;
        nor, which is looked at once for all, complex numbers, which real gradients refuse and
        which show in the output wherever they came in, and any numbers where NumPy raises instead
        of warning.
        """
        positions, modules, inputs, gradOutputs = steps = self._steps(input, gradOutput)
        risky: bool = self._risky or gradOutputs is not self.gradOutputs
        position = 0
        try:
            for position in positions:
                module = modules[position]
                look_ahead = module._look_ahead
                if look_ahead is not None:
                    if look_ahead(inputs[position], gradOutputs[position], planned):
                        risky = True
                # EMPTY: another module stands here since updateGradInput, or this one was cast.
                elif (gradInput := module.gradInput) is EMPTY or (
                    gradInput is None and not _surely_fits(module, gradOutputs[position])
                ):
                    risky = True
        except Exception as error:
            self._lost(error, gradOutputs, position)
            raise
        self._plan = input, gradOutput, self.gradOutputs, steps
        planned.append(self)
        return risky

    def _accumulate(self, steps: tuple[Any, Any, Any, Any], scale: Number) -> None:
        positions, modules, inputs, gradOutputs = steps
        position = None
        try:
            for position in positions:
                modules[position].accGradParameters(inputs[position], gradOutputs[position], scale)
        except BaseException as error:
            self._lost(error, gradOutputs, position)
            raise

    def _lost(self, error: BaseException, gradOutputs: Any, position: int | None) -> None:
        """Forget, and tell an error where it happened."""
        self._forget()
        if position is not None:
            locate(error, self, position, self._backward_story(gradOutputs, position))

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        """Return positions in the order of accGradParameters, modules, inputs and gradOutputs.

        Raise unless what is remembered belongs to this input and, where it matters, gradOutput.
        """
        raise NotImplementedError


class OneAfterAnother(Remembering):
    """A container that runs its modules one after the other, each on what came out before it.

    Attributes
    ----------
    activations
        After a forward: the input, then what each module returned.
    """

    transient = (*Remembering.transient, "activations")
    activations: Any = ()

    def _path_of(self, method: str, input: Any) -> Any:
        """Return the activations of the last forward, if it was one of this input."""
        path = self.activations
        if len(path) != len(self.modules) + 1:
            self._must_remember(method, None, input)
        elif path[0] is not input:
            self._must_remember(method, path[0], input)
        return path


def _surely_fits(module: Any, gradOutput: Any) -> bool:
    """Tell whether a gradOutput certainly fits the module's output."""
    output = module.output
    return (
        type(output) is ndarray is type(gradOutput)
        and output.shape == gradOutput.shape
        and output.dtype == gradOutput.dtype
    )


def numpy_raises() -> bool:
    """Tell whether NumPy was told to raise where it warns."""
    # As long as nothing was said, which is usual, the context has nothing of NumPy's.
    return _SAID.get(None) is not None and not {"raise", "call"}.isdisjoint(np.geterr().values())


def any_complex(tables: Any) -> bool:
    """Tell whether there are complex numbers in arrays or tables."""
    for table in tables.values() if isinstance(tables, dict) else tables:
        if table is None:
            continue
        if type(table) is ndarray or is_array(table):
            if table.dtype.kind == "c":
                return True
        elif isinstance(table, (list, tuple, dict)) and any_complex(table):
            return True
    return False
