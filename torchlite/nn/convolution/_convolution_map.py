"""What convolutions have in common whose planes are connected by a table."""

from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from torchlite.errors import DTypeError, ShapeError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.convolution._convolution import Convolution, Size
from torchlite.nn.initial import uniform
from torchlite.nn.module import Module
from torchlite.nn.nested import shapes
from torchlite.nn.stateful import restored


class ConvolutionMap(Convolution):
    """A kernel for every connection of an input plane with an output plane."""

    connTable: NDArray[np.int64]

    def _set_table(self, table: Any) -> None:
        """Check and keep the table, and how many planes it connects."""
        found = np.array(table)
        if found.ndim != 2 or found.shape[1] != 2 or not found.size:
            expected = "(n, 2), a row for each connection"
            raise checks.misbuilt(ShapeError, self, "conMatrix", expected, shapes(found))
        if found.dtype.kind not in "iu":
            hint = "nn.tables.full, oneToOne and random make tables"
            got = str(found.dtype)
            raise checks.misbuilt(DTypeError, self, "conMatrix", "integers", got, hint)
        if found.min() < 0:
            expected = "of planes, counted from 0"
            raise checks.misbuilt(ShapeError, self, "conMatrix", expected, str(found.min()))
        self.connTable = found.astype(np.int64)
        self._set_planes(found.max(0) + 1)

    def _weight_shape(self) -> Size:
        return (len(self.connTable), *self._kernel)

    def _fans(self) -> tuple[float, float]:
        planes_in, planes_out = self._planes
        kernels = prod(self._kernel) * len(self.connTable)
        return kernels / planes_out, kernels / planes_in

    def _identity(self) -> Array:
        weight, targets = np.zeros(self.weight.shape), self.connTable[:, 1]
        weight[self._middle_of_each] = 1 / np.bincount(targets)[targets]
        return weight

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(fan in).

        The fan in of an output plane is of the input planes that are connected with it.
        """
        if stdv is not None:
            return super().reset(stdv)
        targets = self.connTable[:, 1]
        fan_in = prod(self._kernel) * np.bincount(targets)
        with restored(self.parameters()[0]):
            for i in range(len(targets)):
                uniform(self, None, fan_in[targets[i]].item(), self.weight[i])
            if self.bias is not None:
                for m in range(len(self.bias)):
                    uniform(self, None, fan_in[m].item(), self.bias[m : m + 1])
        return self

    __repr__ = Module.__repr__
