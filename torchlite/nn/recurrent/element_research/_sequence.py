"""What Element-Research's modules of whole sequences do otherwise than torch/rnn's."""

from typing import Any, Self

from torchlite.errors import StateError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks, table_checks
from torchlite.nn.recurrent._sequence import GatedSequence

__all__ = ["StatedSequence"]


class StatedSequence(GatedSequence):
    """A gated cell over a sequence, which the state to start from may come with.

    A mask is found: rows of the input that are nothing but zeros. One that is told is refused.
    """

    _validates = True
    # A mask is never told.
    v1 = True

    def maskZero(self, v1: bool = True) -> Self:
        """Mask the rows of the input that are nothing but zeros, whatever v1 says. Return self."""
        self.maskzero = True
        return self

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Refuse, if a row is masked: masks are found. Return self."""
        mask = checks.mask(self, zeroMask)
        if mask is not False and mask.any():
            raise StateError(
                f"{checks.title(self)}.setZeroMask: its masks are found, and never told",
                layer=self,
                method="setZeroMask",
                argument="zeroMask",
                hint="maskZero(), and zeros in the input; torch/rnn's class of this name, in nn, "
                "is told",
            )
        return self

    def _opened(self, input: Any) -> tuple[Any, Any]:
        if not isinstance(input, (list, tuple)):
            return input, None
        if not 2 <= len(input) <= 1 + self._kind.states:
            forms = ["[h, x]", "[c, h, x]"][: self._kind.states]
            expected = " or ".join(["x", *forms])
            raise checks.misshapen(self, "updateOutput", "input", expected, input)
        return input[-1], list(input[-2::-1])

    def _closed(self, input: Any, gradInput: Array, gradStart: list[Array]) -> Any:
        if not isinstance(input, (list, tuple)):
            return gradInput
        return [*gradStart[: len(input) - 1][::-1], gradInput]

    def _start(self, x: Array, given: Any) -> list[Array]:
        if given is None:
            return super()._start(x, None)
        n, cell = x.shape[1], self._cell()
        for i, (array, size) in enumerate(zip(given, cell.sizes, strict=False)):
            argument, dtype = f"input[{len(given) - 1 - i}]", self.weight.dtype
            table_checks.must_be_like(self, "updateOutput", argument, array, (n, size), dtype)
        return [*given, *cell.zeros(n, x)[len(given) :]]

    def __repr__(self) -> str:
        return type(self).__name__
