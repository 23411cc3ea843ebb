"""SparseLinear."""

from typing import Any, Self

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.initial import uniform
from torchlite.nn.simple._sparse import Entries, Sparse, dealt

__all__ = ["SparseLinear"]


class SparseLinear(Sparse):
    """A linear map of samples of which few entries are not zero: rows of (index, value).

    Maths
    -----
    ::

        listed, inputSize = isinstance(input, list), weight.shape[1]
        samples = input if listed else [input]
        hot = [np.eye(inputSize)[rows[..., 0].astype(int)] for rows in samples]
        dense = [(h * rows[..., 1:]).sum(-2) for h, rows in zip(hot, samples)]
        dense = np.stack(dense) if listed else dense[0]
        output = dense @ weight.T + bias
        index = np.broadcast_to(np.arange(inputSize), dense.shape)
        gradRows = np.stack([index, gradOutput @ weight], -1)
        gradInput = (list(gradRows) if listed else gradRows) if doGradInput else []
        gradWeight += scale * np.atleast_2d(gradOutput).T @ np.atleast_2d(dense)
        gradBias += scale * np.atleast_2d(gradOutput).sum(0)

    dense has the entries of each sample where they belong; the layer takes no others into account.
    With doGradInput, gradInput is dense, a row for every entry of it.

    Shapes
    ------
    input (n, 2), output (outputSize,); or a batch, a list of N such arrays or (N, n, 2), output
    (N, outputSize). gradInput: [], or with doGradInput (inputSize, 2), a list of N of these, or
    (N, inputSize, 2).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.
    doGradInput
        Whether to compute gradInput.

    Attributes
    ----------
    weight, gradWeight
        (outputSize, inputSize).
    bias, gradBias
        (outputSize,).

    Conventions
    -----------
    Indices count from 0; of an index that occurs twice, the values add up. A row (0, 0) fills a
    batch (N, n, 2) up. Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(inputSize), or
    s = stdv * sqrt(3) by `reset(stdv)`; the bias is then multiplied by 1e-6. Remembers nothing.

    Raises
    ------
    IndexError
        An index is not that of an entry.
    ShapeError, DTypeError
        input or gradOutput does not fit; an index is not a whole number.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SparseLinear(1000, 2)
    >>> layer.weight[:, 7], layer.weight[:, 500], layer.bias[:] = [1, 2], [3, 4], 0
    >>> layer.forward(np.array([[7, 1.0], [500, 10.0]]))
    array([31., 42.])

    Reference
    ---------
    Torch7, nn/SparseLinear.lua.
    """

    _validates = True

    def __init__(self, inputSize: int, outputSize: int, doGradInput: bool = False) -> None:
        inputSize = checks.size(self, "inputSize", inputSize)
        outputSize = checks.size(self, "outputSize", outputSize)
        self.weight: Array = np.zeros((outputSize, inputSize))
        self.gradWeight: Array = np.zeros((outputSize, inputSize))
        self.bias: Array = np.zeros(outputSize)
        self.gradBias: Array = np.zeros(outputSize)
        self.doGradInput = doGradInput
        self.reset()

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s), and make the bias small."""
        uniform(self, stdv, self.weight.shape[1], self.weight, self.bias)
        self.bias *= 1e-6
        return self

    def _rows(self, parameter: Array) -> Array:
        return parameter.T

    def _dense(self, input: Any, gradient: Array) -> Any:
        dense = np.empty_like(gradient, shape=(*gradient.shape, 2))
        dense[..., 0] = like(np.arange(gradient.shape[-1]), gradient)
        dense[..., 1] = gradient
        return [dense[i] for i in range(len(dense))] if isinstance(input, (list, tuple)) else dense

    def _entries(self, method: str, input: Any) -> Entries:
        single = False
        if isinstance(input, (list, tuple)):
            parts = list(input)
            for i, part in enumerate(parts):
                self._check(method, f"input[{i}]", part, (2,), "(n, 2)")
        else:
            self._check(method, "input", input, (2, 3), "(n, 2), (N, n, 2) or a list")
            single = input.ndim == 2
            parts = [input] if single else [input[i] for i in range(len(input))]
        none = np.zeros_like(self.weight, shape=(0, 2))
        rows = np.concatenate([none, *parts])
        keys = self._whole(method, rows[:, 0])
        samples = dealt([len(part) for part in parts], rows)
        return Entries(samples, keys, rows[:, 1], None if single else len(parts))

    def _check(
        self, method: str, argument: str, array: Any, ndims: tuple[int, ...], expected: str
    ) -> None:
        checks.must_be_floating(self, method, argument, array, self.weight.dtype)
        if array.ndim not in ndims or array.shape[-1] != 2:
            raise checks.misshapen(self, method, argument, expected, array)

    def _whole(self, method: str, column: Array) -> Array:
        """Return indices that came as floating numbers as integers."""
        column = column.real
        wrong = column != np.floor(column)
        if wrong.any():
            got = str(column[wrong.argmax()].item())
            raise checks.mistyped(self, method, "input", "whole numbers as indices", got)
        size = self.weight.shape[1]
        wrong = ~((column >= 0) & (column < size))
        checks.refuse_indices(self, method, "the indices", column, wrong, size, "entries")
        return column.astype(np.intp)
