"""Dropout."""

from typing import Any, Self

from torchlite.kernels.arrays import Array
from torchlite.nn.simple._dropout import Dropping

__all__ = ["Dropout"]


class Dropout(Dropping):
    """Sets entries to 0 at random in training, and enlarges the others so that the mean stays.

    Maths
    -----
    In training noise is 1 / (1 - p) with probability 1 - p, otherwise 0; without a draw, as in
    evaluation, it is empty::

        factor = noise if noise.size else 1 if v2 else 1 - p
        output = input * factor
        gradInput = gradOutput * factor

    With v1 (v2 is its opposite) noise is 1 or 0.

    Shapes
    ------
    input: any, of at least one dimension; output: the same.

    Parameters
    ----------
    p
        The probability to be dropped, from 0 to less than 1.
    v1
        True: shrink in evaluation instead of enlarging in training.
    inplace
        Accepted for Torch7's sake: the numbers are the same, and the input is never written to.
    stochasticInference
        True: drop in evaluation, too.
    lazy
        True: keep the noise until a backward, so that it is the same in all steps of a sequence.
    mono
        True: the same noise for all rows, of which the first dimension counts the rows.

    Attributes
    ----------
    p
        As above; `setp(p)` changes it.
    noise
        The factors of the last forward, with mono of one row; empty if it drew none.

    Conventions
    -----------
    A forward that drops draws one number for each entry and remembers noise and input; a backward
    in that mode needs them. With p = 0 it draws nothing. Where nothing changes, output is input
    itself, and gradInput is gradOutput.

    With lazy, the first forward draws, and after it the first one after an `updateGradInput` or
    `forget`, or of an input of another shape. dpnn's Dropout has lazy and mono as its fourth and
    fifth argument.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        A backward that needs the noise of another input than the last forward's.
    SettingError
        p is less than 0, or not less than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite import random
    >>> random.manualSeed(8)
    >>> layer = nn.Dropout(0.5)
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> layer.forward(x)
    array([0., 4., 0., 8.])
    >>> layer.backward(x, np.array([10.0, 10.0, 10.0, 10.0]))
    array([ 0., 20.,  0., 20.])
    >>> layer.evaluate().forward(x)
    array([1., 2., 3., 4.])

    Reference
    ---------
    Torch7, nn/Dropout.lua; lazy and mono: torch/rnn, Dropout.lua. Srivastava and others, Dropout,
    2014. Gal, A theoretically grounded application of dropout in recurrent neural networks, 2015.
    """

    transient = (*Dropping.transient, "_kept")
    # It is not of one step of a sequence.
    _caches = (*Dropping._caches, "_kept")
    lazy: bool = False
    mono: bool = False
    # What lazy keeps, empty where the next forward is to draw.
    _kept: Any = ()

    def __init__(
        self,
        p: float = 0.5,
        v1: bool = False,
        inplace: bool = False,
        stochasticInference: bool = False,
        *,
        lazy: bool = False,
        mono: bool = False,
    ) -> None:
        super().__init__(p, stochasticInference)
        self.v2 = not v1
        self.inplace = bool(inplace)
        self.lazy = bool(lazy)
        self.mono = bool(mono)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        kept = {"interleave": "the noise is kept until a backward"} if self.lazy else {}
        return super().exempt | kept

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        gradInput = super().updateGradInput(input, gradOutput)
        self._kept = ()
        return gradInput

    def forget(self) -> Self:
        """With lazy, let the next forward draw. Return self."""
        self._kept = ()
        return self

    def _drops(self) -> bool:
        return self.p > 0 and super()._drops()

    def _draw(self, input: Array) -> Array:
        if not self.lazy:
            return super()._draw(input)
        shape, dtype = self._shape_of_noise(input), input.real.dtype
        if not self._kept or (self._kept[0].shape, self._kept[0].dtype) != (shape, dtype):
            self._kept = (super()._draw(input),)
        noise: Array = self._kept[0]
        return noise

    def _shape_of_noise(self, input: Array) -> tuple[int, ...]:
        return (1, *input.shape[1:]) if self.mono else super()._shape_of_noise(input)

    def __repr__(self) -> str:
        settings = [f"{self.p:f}", *(name for name in ("lazy", "mono") if getattr(self, name))]
        return f"{type(self).__name__}({', '.join(settings)})"
