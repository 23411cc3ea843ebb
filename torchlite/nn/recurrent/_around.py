"""What the criterions have in common that stand around another one."""

from typing import Any

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion


class Around(Criterion):
    """A criterion around another one.

    Attributes
    ----------
    criterion
        That one.
    """

    criterion: Any = None

    def __init__(self, criterion: Any) -> None:
        checks.must_be_instance(self, "__init__", "criterion", criterion, Criterion)
        self.criterion = criterion

    def _accumulated(self) -> list[Array]:
        accumulated: list[Array] = self.criterion._accumulated()
        return accumulated

    def __repr__(self) -> str:
        inside = "" if self.criterion is None else f" @ {self.criterion!r}"
        return f"{type(self).__name__}{inside}"
