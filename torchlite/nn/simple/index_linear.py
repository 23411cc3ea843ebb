"""IndexLinear."""

from typing import Any, Self

import numpy as np

from torchlite.errors import SettingError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_all
from torchlite.nn import checks
from torchlite.nn.initial import uniform
from torchlite.nn.simple._sparse import Entries, Sparse, dealt

__all__ = ["IndexLinear"]


class IndexLinear(Sparse):
    """A linear map of samples of which few entries are not zero: their keys, and their values.

    Maths
    -----
    ::

        keys, values, *sizes = input
        listed, (inputSize, outputSize) = isinstance(keys, list), weight.shape
        ends = np.cumsum(sizes[0])[:-1] if sizes else []
        keys = keys if listed else np.split(keys, ends)
        values = values if listed else np.split(values, ends)
        hot = [np.eye(inputSize)[k + keysOffset] for k in keys]
        dense = np.stack([v @ h for v, h in zip(values, hot)])
        dense = dense if listed or sizes else dense[0]
        output = dense @ weight + bias
        gradValues = gradOutput @ weight.T
        gradKeys = np.broadcast_to(np.arange(inputSize) - keysOffset, dense.shape)
        pair = [gradKeys, gradValues]
        gradInput = ([list(p) for p in pair] if listed else pair) if doGradInput else []
        gradWeight += scale * np.atleast_2d(dense).T @ np.atleast_2d(gradOutput)
        gradBias += scale * np.atleast_2d(gradOutput).sum(0)

    dense has the values of each sample where they belong; the layer takes no others into account.
    With doGradInput, gradInput is dense, with the keys of all rows.

    Shapes
    ------
    input [keys, values], of integers and of numbers, (n,) both, output (outputSize,); or a batch,
    output (N, outputSize): [list of N keys, list of N values], or, one after the other,
    [keys, values, sizes] with the number of entries of each sample. gradInput is [], or with
    doGradInput in the manner of input: [keys, values], [list of keys, list of values], or keys and
    values of (N, inputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0; left alone where a weight is given.
    doGradInput
        Whether to compute gradInput.
    keysOffset
        What to add to a key for its row.
    weight, bias
        Arrays to take instead of zeros, such as those of another layer.
    normalize
        Torch7 divides values by the largest seen; here it must be False.

    Attributes
    ----------
    weight, gradWeight
        (inputSize, outputSize): the other way round than Linear's.
    bias, gradBias
        (outputSize,).

    Conventions
    -----------
    Keys count from 0; of a key that occurs twice, the values add up. All parameters begin as
    zeros. `reset(stdv)` draws weight and bias from U(-s, s), s being stdv * sqrt(3), or
    1 / sqrt(outputSize), and multiplies the bias by 1e-6. Remembers nothing.

    Raises
    ------
    IndexError
        A key is not that of a row.
    ShapeError, DTypeError
        input, gradOutput, weight or bias does not fit.
    SettingError
        normalize is not False.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.IndexLinear(1000, 2)
    >>> layer.weight[7], layer.weight[500] = [1, 2], [3, 4]
    >>> layer.forward([np.array([7, 500]), np.array([1.0, 10.0])])
    array([31., 42.])

    Reference
    ---------
    Torch7, nn/IndexLinear.lua.
    """

    _validates = True

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        doGradInput: bool = False,
        keysOffset: int = 0,
        weight: Array | None = None,
        bias: Array | None = None,
        normalize: bool = False,
    ) -> None:
        if normalize:
            hint = "scale the values beforehand, by the largest of each key"
            raise checks.misbuilt(SettingError, self, "normalize", "False", repr(normalize), hint)
        inputSize = checks.size(self, "inputSize", inputSize)
        outputSize = checks.size(self, "outputSize", outputSize)
        self.doGradInput = doGradInput
        self.keysOffset = checks.whole(self, "keysOffset", keysOffset)
        self.weight = self._given("weight", weight, 2, (inputSize, outputSize))
        self.gradWeight = np.zeros_like(self.weight)
        self.bias = self._given("bias", bias, 1, self.weight.shape[1:])
        self.gradBias = np.zeros_like(self.bias)

    def _given(self, name: str, array: Any, ndim: int, shape: tuple[int, ...]) -> Array:
        if array is None:
            weight = self.weight
            return np.zeros(shape, "float64" if weight is None else weight.dtype)
        checks.must_be_floating(self, "__init__", name, array)
        if array.ndim != ndim or (ndim == 1 and array.shape != shape):
            expected = "(inputSize, outputSize)" if ndim == 2 else str(shape)
            raise checks.misshapen(self, "__init__", name, expected, array)
        given: Array = array
        return given

    def _fans(self) -> tuple[int, int]:
        return len(self.weight), len(self.bias)

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s), and make the bias small."""
        uniform(self, stdv, self.weight.shape[1], self.weight, self.bias)
        self.bias *= 1e-6
        return self

    def _rows(self, parameter: Array) -> Array:
        return parameter

    def _dense(self, input: Any, gradient: Array) -> Any:
        keys = like(np.arange(len(self.weight)) - self.keysOffset, gradient)
        if len(input) == 3:
            return [np.tile(keys, (len(gradient), 1)), gradient]
        if gradient.ndim == 1:
            return [keys, gradient]
        samples = range(len(gradient))
        return [[keys.copy() for _ in samples], [gradient[i] for i in samples]]

    def _entries(self, method: str, input: Any) -> Entries:
        if not isinstance(input, (list, tuple)):
            expected = "[keys, values] or [keys, values, sizes]"
            raise checks.mistyped(self, method, "input", expected, type(input).__name__)
        if not 2 <= len(input) <= 3:
            expected = "[keys, values] or [keys, values, sizes]"
            raise checks.misshapen(self, method, "input", expected, input)
        keys, values = input[:2]
        listed = isinstance(keys, (list, tuple))
        if len(input) == 2 and listed:
            if not (isinstance(values, (list, tuple)) and len(values) == len(keys)):
                raise checks.misshapen(
                    self, method, "input[1]", f"a list of {len(keys)} arrays", values
                )
            pairs = [
                self._pair(method, f"input[0][{i}]", keys[i], f"input[1][{i}]", values[i])
                for i in range(len(keys))
            ]
            lengths = [len(pair[0]) for pair in pairs]
            none = np.zeros_like(self.weight, shape=0)
            keys = np.concatenate([none.astype(np.intp), *(pair[0] for pair in pairs)])
            values = np.concatenate([none, *(pair[1] for pair in pairs)])
            return Entries(dealt(lengths, values), keys, values, len(lengths))
        keys, values = self._pair(method, "input[0]", keys, "input[1]", values)
        if len(input) == 2:
            return Entries(np.zeros_like(keys), keys, values, None)
        sizes = checks.integers(self, method, "input[2]", input[2], len(keys) + 1, "sizes")
        if sizes.ndim != 1 or sum_all(sizes) != len(keys):
            expected = f"one dimension of numbers that add up to {len(keys)}"
            raise checks.misshapen(self, method, "input[2]", expected, input[2])
        return Entries(dealt(sizes, values), keys, values, len(sizes))

    def _pair(
        self, method: str, name: str, keys: Any, value_name: str, values: Any
    ) -> tuple[Array, Array]:
        checks.must_be_array(self, method, name, keys, "int64")
        if keys.dtype.kind not in "iu":
            hint = f"{name}.astype('int64')"
            raise checks.mistyped(self, method, name, "integers", str(keys.dtype), hint)
        if keys.ndim != 1:
            raise checks.misshapen(self, method, name, "(n,)", keys)
        checks.must_be_floating(self, method, value_name, values, self.weight.dtype)
        if values.shape != keys.shape:
            raise checks.misshapen(self, method, value_name, str(keys.shape), values)
        rows = keys.astype(np.intp) + self.keysOffset
        wrong = (rows < 0) | (rows >= len(self.weight))
        checks.refuse_indices(self, method, name, keys, wrong, len(self.weight), "rows")
        return rows, values
