"""VariableLength."""

from typing import Any, ClassVar, Self

import numpy as np

from torchlite.errors import StateError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks, table_checks
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module
from torchlite.nn.recurrent._states import GoesOn
from torchlite.nn.stateful import parts

__all__ = ["VariableLength"]


class VariableLength(Decorator):
    """A module of sequences, for a table of sequences of different lengths.

    Maths
    -----
    Output is the table of what the module makes of each sequence alone, from a state of zeros; with
    lastOnly the last steps of these, one below the other. gradInput is the table of what it gives
    back for each alone, and gradients of parameters are the sums over the sequences.

    Shapes
    ------
    input: a table of sequences (L, ...), each of a length of its own; output: a table of what the
    module makes of each, (L, ...), or with lastOnly (number of sequences, ...).

    Parameters
    ----------
    module
        A module of sequences that takes (T, N, ...) and masks: a SeqLSTM, a Sequencer ... Its
        `maskZero()` is called.
    lastOnly
        Whether the output is that of each sequence's last step alone.

    Attributes
    ----------
    places
        After a forward, of each sequence its row, and the step at which it begins there.
    mask
        After a forward, what the module was told: True where there is no sequence.
    inputs, outputs, gradOutputs
        After a forward and a backward: [what the module was given], and so on.

    Conventions
    -----------
    Remembers its forward. The sequences are packed into rows as long as the longest: longer ones
    first, each into the first row where it still fits after one masked step, at which the state
    begins anew. So lengths of 2, 5, 1 and 3 make 3 rows of 5 steps: the second; the fourth and the
    third; the first. Hidden states of the module are those of rows, not of sequences: so none may
    be set to start from, nor remembered from one table to the next.

    Raises
    ------
    ShapeError, DTypeError
        input is no table of sequences alike but for their length, which is at least 1; gradOutput
        is not like output.
    StateError
        input is not that of the last forward; a mask is set; another module is added; the module is
        to start from a state, or remembers; it finds its masks itself.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.VariableLength(nn.SeqGRU(1, 1), lastOnly=True)
    >>> lengths = 2, 5, 1, 3
    >>> net.forward([np.ones((length, 1)) for length in lengths]).shape
    (4, 1)
    >>> net.places
    [(2, 0), (0, 0), (1, 4), (1, 0)]
    >>> net.mask.astype(int).T
    array([[0, 0, 0, 0, 0],
           [0, 0, 0, 1, 0],
           [0, 0, 1, 1, 1]])

    Reference
    ---------
    torch/rnn, VariableLength.lua.
    """

    exempt: ClassVar = dict.fromkeys(("batch", "empty", "nan"), "it masks what is packed inside")
    transient = (*Decorator.transient, "places", "mask")
    places: Any = ()
    mask: Any = None

    def __init__(self, module: Module, lastOnly: bool = False) -> None:
        super().__init__(module)
        self.lastOnly = bool(lastOnly)
        module.maskZero()

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Refuse: the mask is that of the sequences' lengths."""
        raise StateError(
            f"{type(self).__name__}.setZeroMask: it makes the mask itself, of the lengths",
            layer=self,
            method="setZeroMask",
            argument="zeroMask",
            hint="leave out what is not to count: input is a table of sequences",
        )

    def _deal(self, input: Any) -> list[Any]:
        self._must_be_sequences(input)
        self._must_pack()
        lengths = [len(sequence) for sequence in input]
        self.places = packed(lengths)
        rows = 1 + max(row for row, _ in self.places)
        mask = np.ones((max(lengths), rows), bool)
        for (row, start), length in zip(self.places, lengths, strict=True):
            mask[start : start + length, row] = False
        self.mask = like(mask, input[0])
        self.modules[0].setZeroMask(self.mask)
        return [self._packed(input, input)]

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        parts = self._parts(input, outputs[0])
        return np.stack([part[-1] for part in parts]) if self.lastOnly else parts

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        table_checks.checked_gradient(self, method, gradOutput, self.output)
        return [self._packed(self._input, gradOutput, self.lastOnly)]

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return self._parts(input, gradInputs[0])

    def _packed(self, input: Any, arrays: Any, last: bool = False) -> Array:
        """Return arrays, one a sequence of input, in their places; or each at its last step."""
        first = arrays[0]
        size = first.shape if last else first.shape[1:]
        dtype = np.result_type(*(arrays[i].dtype for i in range(len(arrays))))
        made: Array = np.zeros_like(first, shape=(*self.mask.shape, *size), dtype=dtype)
        for i, part in enumerate(self._parts(input, made)):
            part[-1 if last else slice(None)] = arrays[i]
        return made

    def _parts(self, input: Any, whole: Array) -> list[Array]:
        """Return the part of each sequence of input, as a view."""
        return [
            whole[start : start + len(sequence), row]
            for (row, start), sequence in zip(self.places, input, strict=True)
        ]

    def _must_pack(self) -> None:
        """Raise where sequences would be otherwise in rows than alone.

        States go by row, and a row holds several sequences, in another order; masks that are found
        are not those of the lengths.
        """
        for part in parts(self.modules[0]):
            if getattr(part, "maskzero", False) and getattr(part, "v1", False):
                raise StateError(
                    f"{checks.title(self)}.updateOutput: {checks.title(part)} finds its masks: "
                    "zeros inside a sequence would begin it anew",
                    layer=self,
                    method="updateOutput",
                    hint="maskZero() of torch/rnn's classes, those in nn, is told the mask",
                )
            if getattr(part, "startState", None) is not None:
                what, hint = "starts from a state", "setStartState() takes it back"
            elif isinstance(part, GoesOn) and part._goes_on():
                what, hint = "remembers", "remember('neither')"
            else:
                continue
            raise StateError(
                f"{checks.title(self)}.updateOutput: {checks.title(part)} {what}: states go by "
                "row, and sequences are packed into rows",
                layer=self,
                method="updateOutput",
                hint=f"{hint}, or pad the sequences, one in each row, and set a mask",
            )

    def _must_be_sequences(self, input: Any) -> None:
        method = "updateOutput"
        table_checks.must_be_arrays(self, method, "input", input, movable=True)
        size = input[0].shape[1:]
        for i, sequence in enumerate(input):
            if not len(sequence) or sequence.shape[1:] != size:
                expected = f"({', '.join(map(str, ['L', *size]))}), of at least 1 step"
                raise checks.misshapen(self, method, f"input[{i}]", expected, sequence)


def packed(lengths: list[int]) -> list[tuple[int, int]]:
    """Return of each sequence the row it is in and the step where it begins there.

    Example
    -------
    >>> packed([2, 5, 1, 3])
    [(2, 0), (0, 0), (1, 4), (1, 0)]
    """
    longest = max(lengths)
    places = [(0, 0)] * len(lengths)
    ends: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        fits = (row for row, end in enumerate(ends) if end + 1 + lengths[i] <= longest)
        row = next(fits, len(ends))
        if row == len(ends):
            ends.append(-1)
        places[i] = row, ends[row] + 1
        ends[row] += 1 + lengths[i]
    return places
