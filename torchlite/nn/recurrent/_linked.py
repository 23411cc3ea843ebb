"""What the cells have in common whose gates are given sums of linear maps."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np

from torchlite import random
from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import product
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_rows
from torchlite.nn import checks
from torchlite.nn.entries import pieces, total
from torchlite.nn.module import Module
from torchlite.nn.recurrent._gates import Step, add_all
from torchlite.nn.recurrent._recurrent import AbstractRecurrent
from torchlite.nn.simple.linear import Linear

__all__ = ["Linked"]

# A gradient, and what is to be added to it.
_Increment = tuple[Array, Array]


class Linked(AbstractRecurrent):
    """A cell that is made of linear maps, each of them a Linear with its weight and bias.

    A member numbers its maps; several of one array stand side by side. Where p is greater than 0,
    each map leaves out entries of what it is given, the same ones at every step of a sequence.

    Attributes
    ----------
    inputSize, outputSize
        The sizes of input and output.
    p, mono
        The probability to be left out, and whether all samples of a batch leave out the same.
    noise
        In training, with p greater than 0: the factors of what each map is given, drawn at the
        first step of a sequence.
    steps
        As of all modules that are called once a step; `gates` is a dict of the gates by name, and
        of the noise.
    """

    _validates = True
    transient = (*AbstractRecurrent.transient, "noise")
    noise: Any = ()
    # What the state is: so many arrays, all of the output's size.
    _states: ClassVar[int] = 1

    def __init__(self, inputSize: int, outputSize: int, p: float = 0, mono: bool = False) -> None:
        self.inputSize = checks.size(self, "inputSize", inputSize)
        self.outputSize = checks.size(self, "outputSize", outputSize)
        self.p = checks.not_negative(self, "p", p)
        if self.p >= 1:
            raise checks.misbuilt(SettingError, self, "p", "at least 0 and less than 1", repr(p))
        self.mono = bool(mono)
        self._hold(*self._made())

    @property
    def _multiply_adds(self) -> int:
        """How many multiply-adds its products take for a row of input, at one step."""
        return sum(array.size for array in self.parameters()[0] if array.ndim == 2)

    def _made(self) -> Sequence[Module]:
        """Return the modules, in the order of their parameters."""
        raise NotImplementedError

    # Whether a map that has no bias has drawn one, which it then discarded, as torch/rnn's have.
    _discards: ClassVar[bool] = True

    def _without_bias(self, inputSize: int, outputSize: int) -> Linear:
        if self._discards:
            return Linear(inputSize, outputSize).noBias()
        return Linear(inputSize, outputSize, False)

    def _links(self) -> Sequence[Linear]:
        """Return the linear maps, in the order in which noise is drawn for them."""
        return cast(Sequence[Linear], self.modules)

    @property
    def _sizes(self) -> list[Any]:
        return [(self.outputSize,)] * self._states

    def _batch_of(self, input: Any) -> tuple[int, ...]:
        dtype = self._links()[0].weight.dtype
        checks.must_be_typed(self, "updateOutput", input, dtype)
        if input.ndim == 3:
            expected, hint = (
                f"({self.inputSize},) or (N, {self.inputSize})",
                self._over_steps(input),
            )
            raise checks.misshapen(self, "updateOutput", "input", expected, input, hint)
        checks.must_be_rows(self, "updateOutput", input, self.inputSize, dtype)
        return tuple(input.shape[:-1])

    def _accumulate(self, step: Step, scale: Number) -> None:
        checks.must_accumulate(self, step.input, step.gradBefore[0], self._links()[0].weight.dtype)
        add_all(self._increments(step), scale)

    def _increments(self, step: Step) -> list[_Increment]:
        """Return the gradients of the parameters, and what a step adds to each."""
        raise NotImplementedError

    # ---------------------------------------------------------------- the maps

    def _map(self, noise: Any, numbers: Sequence[int], array: Array) -> Array:
        """Return what the maps of these numbers make of an array, side by side."""
        links, made = self._links(), []
        for number in numbers:
            link = links[number]
            a = product(_thinned(noise, number, array), link.weight.T)
            made.append(a if link.bias is None else a + link.bias)
        return made[0] if len(made) == 1 else np.concatenate(made, -1)

    def _map_back(self, noise: Any, numbers: Sequence[int], gradient: Array) -> Array:
        """Return the gradient of what the maps were given, from that of what they made."""
        links = self._links()
        return total(
            [
                _thinned(noise, number, product(piece, links[number].weight))
                for number, piece in self._pieces(numbers, gradient)
            ]
        )

    def _sums(
        self, noise: Any, numbers: Sequence[int], array: Array, gradient: Array
    ) -> list[_Increment]:
        """Return what is to be added to the gradients of the maps, which were given an array."""
        links, sums = self._links(), list[_Increment]()
        for number, piece in self._pieces(numbers, gradient):
            link, given = links[number], _thinned(noise, number, array)
            rows, piece = (given[None], piece[None]) if given.ndim == 1 else (given, piece)
            sums.append((link.gradWeight, product(piece.T, rows)))
            if link.bias is not None:
                sums.append((link.gradBias, sum_rows(piece)))
        return sums

    def _pieces(self, numbers: Sequence[int], gradient: Array) -> list[tuple[int, Array]]:
        if len(numbers) == 1:
            return [(numbers[0], gradient)]
        links = self._links()
        sizes = [links[number].weight.shape[0] for number in numbers]
        return list(zip(numbers, pieces(gradient, sizes, gradient.ndim - 1), strict=True))

    # ---------------------------------------------------------------- leaving out

    def _noise_for(self, input: Array) -> Any:
        """Return the noise of a step: that of its sequence, which the first one in training draws.

        It is empty where nothing is left out.
        """
        if not (self.p and self.train):
            return ()
        if not self.noise:
            rows = (1,) if self.mono and input.ndim > 1 else input.shape[:-1]
            dtype = self._links()[0].weight.dtype.char.lower()
            for link in self._links():
                drawn = np.empty((*rows, link.weight.shape[1]), dtype)
                noise = like(random.bernoulli(1 - self.p, out=drawn), input)
                self.noise = (*self.noise, noise / (1 - self.p))
        return self.noise

    def _start_sequence(self) -> None:
        super()._start_sequence()
        self.noise = ()

    def __repr__(self) -> str:
        p = f", {self.p}" if self.p else ""
        return f"{type(self).__name__}({self.inputSize} -> {self.outputSize}{p})"


def _thinned(noise: Any, number: int, array: Array) -> Array:
    """Return an array without what the map of this number leaves out."""
    return array * noise[number] if noise else array
