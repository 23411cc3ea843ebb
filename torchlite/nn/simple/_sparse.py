"""Linear maps of inputs that say only which entries are not zero."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addat, product
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_rows
from torchlite.nn import checks
from torchlite.nn.module import Module

_NOT_DENSE = "gradInput is empty, or with doGradInput has keys and values of all entries"


class Entries(NamedTuple):
    """The entries of all samples, one after the other."""

    samples: Array
    keys: Array
    values: Array
    # None: one sample.
    size: int | None


def dealt(sizes: Any, array: Array) -> Array:
    """Return for each entry the number of its sample, as an array of the kind of `array`."""
    sizes = like(np.array(sizes, np.intp), array) if isinstance(sizes, list) else sizes
    return np.repeat(like(np.arange(len(sizes)), array), sizes)


class Sparse(Module):
    """A linear map of sparse samples; a subclass reads its inputs and has `_rows`."""

    _validates = True
    _sparse = True
    exempt: ClassVar = dict.fromkeys(
        ("gradInput", "linear", "integers", "nan", "empty"), _NOT_DENSE
    )
    doGradInput: bool

    def _entries(self, method: str, input: Any) -> Entries:
        """Return what is in input, checked."""
        raise NotImplementedError

    def _rows(self, parameter: Array) -> Array:
        """Return the weight, or its gradient, with a row for each entry of a dense input."""
        raise NotImplementedError

    def _dense(self, input: Any, gradient: Array) -> Any:
        """Return gradInput in the manner of input, for the gradient of a dense one."""
        raise NotImplementedError

    def updateOutput(self, input: Any) -> Array:
        samples, keys, values, size = self._entries("updateOutput", input)
        terms = values[:, None] * self._rows(self.weight)[keys]
        shape = (1 if size is None else size, terms.shape[1])
        output = np.zeros_like(terms, shape=shape)
        addat(output, 1, samples, terms)
        output += self.bias
        self.output = output[0] if size is None else output
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Array) -> Any:
        self._entries_back("updateGradInput", input, gradOutput)
        self.gradInput = []
        if self.doGradInput:
            self.gradInput = self._dense(input, product(gradOutput, self._rows(self.weight).T))
        return self.gradInput

    def accGradParameters(self, input: Any, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        entries = self._entries_back("accGradParameters", input, gradOutput)
        if entries.size is None:
            gradOutput = gradOutput[None]
        increment = scale * sum_rows(gradOutput)
        terms = entries.values[:, None] * gradOutput[entries.samples]
        addat(self._rows(self.gradWeight), scale, entries.keys, terms)
        self.gradBias += increment

    def _entries_back(self, method: str, input: Any, gradOutput: Any) -> Entries:
        entries = self._entries(method, input)
        outputs = len(self.bias)
        shape = (outputs,) if entries.size is None else (entries.size, outputs)
        dtype = self.weight.dtype
        checks.must_be_typed_back(self, method, entries.values, gradOutput, shape, dtype)
        return entries
