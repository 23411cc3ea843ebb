"""DontCast."""

from typing import Any, ClassVar

from torchlite.nn import checks, table_checks
from torchlite.nn.checks import FLOATING
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, map_arrays
from torchlite.nn.precision import to_precision

__all__ = ["DontCast"]


class DontCast(Decorator):
    """A module that keeps its dtype when the network around it is cast.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    Shapes
    ------
    Those of the module.

    Parameters
    ----------
    module
        The module.
    castin
        Whether to cast the input to the module's dtype, and gradInput back.
    castout
        Whether to cast the output to the dtype of the network around, and gradOutput to the
        module's. None: as castin.
    moduleType
        The module's dtype; None: what its `type()` says.

    Conventions
    -----------
    Remembers its forward. `type(dtype)`, `float()` and `double()` of it, or of a container around
    it, do not reach the module; they set what is cast to. Only floating arrays are cast, complex
    ones to complex ones.

    Raises
    ------
    StateError
        input is not that of the last forward.
    ShapeError, DTypeError
        With castout: gradOutput does not fit the output. moduleType is none of the four dtypes.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.DontCast(nn.Linear(2, 1), True).float()
    >>> net.get(0).weight.dtype, net.forward(np.ones((5, 2), "float32")).dtype
    (dtype('float64'), dtype('float32'))

    Reference
    ---------
    Torch7, nn/DontCast.lua.
    """

    exempt: ClassVar = {"dtype": "the module inside keeps its dtype on purpose"}
    _uncast = ("modules",)

    def __init__(
        self,
        module: Module,
        castin: bool | None = None,
        castout: bool | None = None,
        moduleType: Any = None,
    ) -> None:
        super().__init__(module)
        self.castin = castin
        self.castout = castin if castout is None else castout
        if moduleType is not None:
            moduleType = checks.floating_dtype(self, "moduleType", moduleType)
        self.moduleType = moduleType

    def _deal(self, input: Any) -> list[Any]:
        return [_to_precision(input, self._inside()) if self.castin else input]

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        return _to_precision(outputs[0], self._dtype) if self.castout else outputs[0]

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        if not self.castout:
            return [gradOutput]
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        return [_to_precision(gradOutput, self._inside())]

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return _to_precision(gradInputs[0], self._dtype) if self.castin else gradInputs[0]

    def _inside(self) -> Any:
        return self.modules[0].type() if self.moduleType is None else self.moduleType


def _to_precision(table: Any, dtype: Any) -> Any:
    def converted(value: Any) -> Any:
        return to_precision(value, dtype) if is_array(value) and value.dtype in FLOATING else value

    return map_arrays(converted, table)
