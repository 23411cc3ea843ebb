"""A place in a network for what torchlite does not know."""

from typing import Any

from torchlite import nn
from torchlite.errors import StateError, printable
from torchlite.serial.t7.values import Object

__all__ = ["Kept"]


class Kept(nn.Module):
    """An object of an unknown class, in its place in a network.

    It prints, and is written back with what it holds (a storage as a tensor); it cannot be run.

    Attributes
    ----------
    object
        The object: `object.name` is its class, `object.fields` what it holds.

    Raises
    ------
    StateError
        It is run.
    """

    def __init__(self, object: Object) -> None:
        self.object = object

    def updateOutput(self, input: Any) -> Any:  # noqa: N802
        raise self._unknown("updateOutput")

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:  # noqa: N802, N803
        raise self._unknown("updateGradInput")

    def _unknown(self, method: str) -> StateError:
        name = printable(self.object.name)
        return StateError(
            f"{name}.{method}: torchlite does not know this class",
            layer=self,
            method=method,
            hint=f"t7.register({name!r}, ...) before t7.load",
        )

    def __repr__(self) -> str:
        return printable(self.object.name)
