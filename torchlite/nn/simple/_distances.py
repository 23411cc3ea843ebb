"""What the layers have in common that measure distances to centres."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import products
from torchlite.kernels.functions import largest
from torchlite.kernels.sums import einsum_rows, inner
from torchlite.nn import checks
from torchlite.nn.initial import uniform
from torchlite.nn.module import Module


class Distances(Module):
    """The distance of each sample to each centre, a column of the weight.

    A member says how the differences are stretched before they are measured.

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Conventions
    -----------
    Backward divides by the distance plus 1e-7: the gradient is 0 at a centre, and elsewhere off by
    that much. The weight is drawn from U(-s, s) with s = 1 / sqrt(inputSize), row by row;
    `reset(stdv)` takes s = stdv * sqrt(3). Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    """

    _validates = True
    _guard = 1e-7

    def __init__(self, inputSize: int, outputSize: int) -> None:
        shape = (
            checks.size(self, "inputSize", inputSize),
            checks.size(self, "outputSize", outputSize),
        )
        self.weight: Array = np.zeros(shape)
        self.gradWeight: Array = np.zeros(shape)

    @property
    def exempt(self) -> dict[str, str]:
        """What is off by the guard, unless it only keeps 0 / 0 away."""
        reason = "backward divides by the distance + 1e-7"
        off = self._guard > np.finfo(float).eps
        return dict.fromkeys(("gradInput", "gradParameters"), reason) if off else {}

    def updateOutput(self, input: Array) -> Array:
        checks.must_be_rows(self, "updateOutput", input, len(self.weight), self.weight.dtype)
        self.output = _lengths(self._stretched(self._differences(input)))
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit_back("updateGradInput", input, gradOutput)
        stretched = self._stretched(self._differences(input))
        rates = self._rates(stretched, gradOutput)
        self.gradInput = products(rates[..., None, :], self._stretched(stretched))[..., 0, :]
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        self._must_fit_back("accGradParameters", input, gradOutput)
        if input.ndim == 1:
            input, gradOutput = input[None], gradOutput[None]
        differences = self._differences(input)
        stretched = self._stretched(differences)
        self._accumulate(scale, self._rates(stretched, gradOutput), stretched, differences)

    def _accumulate(
        self, scale: Number, rates: Array, stretched: Array, differences: Array
    ) -> None:
        self.gradWeight -= scale * einsum_rows("no,noi->oi", rates, self._stretched(stretched)).T

    def _differences(self, input: Array) -> Array:
        """Return input minus centre, for each sample and each centre."""
        return input[..., None, :] - self.weight.T

    def _stretched(self, differences: Array) -> Array:
        raise NotImplementedError

    def _rates(self, stretched: Array, gradOutput: Array) -> Array:
        return gradOutput / (_lengths(stretched) + self._guard)

    def reset(self, stdv: Any = None) -> Self:
        """Draw the weight from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(inputSize)."""
        uniform(self, stdv, len(self.weight), self.weight)
        return self

    def _must_fit_back(self, method: str, input: Array, gradOutput: Array) -> None:
        n, m = self.weight.shape
        checks.must_be_rows_back(self, method, input, n, gradOutput, m, self.weight.dtype)


def _lengths(vectors: Array) -> Array:
    squares = inner(vectors, vectors)
    if squares.dtype.kind != "f" or not squares.size:
        return np.sqrt(squares)
    small = float(np.finfo(squares.dtype).tiny / np.finfo(squares.dtype).eps)
    if small < squares.min() and squares.max() < np.inf:
        return np.sqrt(squares)
    # Of vectors whose squares are beyond what a float holds, the lengths may not be.
    longest = largest(np.abs(vectors), -1, 0)[..., 0]
    usual = (longest == 0) | ~(longest < np.inf)
    scale = np.where(usual, 1, longest)
    scaled = vectors / scale[..., None]
    beyond = (squares <= small) | (squares == np.inf)
    return np.where(beyond & ~usual, scale * np.sqrt(inner(scaled, scaled)), np.sqrt(squares))
