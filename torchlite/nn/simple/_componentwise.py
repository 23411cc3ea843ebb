"""What layers have in common whose one parameter meets the input entry by entry."""

import math
from typing import Any, Self

from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import addrows
from torchlite.kernels.buffers import broadcasting
from torchlite.kernels.sums import sum_all, sum_along
from torchlite.nn import checks
from torchlite.nn.dims import sizes
from torchlite.nn.initial import uniform
from torchlite.nn.module import Module


class Componentwise(Module):
    """A parameter as large as a sample: `Adding` and `Multiplying` are the formulas.

    Shapes
    ------
    input
        With as many dimensions as the parameter: of its size, where a size of 1 fits any. With
        another number of dimensions: a batch, each sample of which has as many entries as the
        parameter. For a parameter of one entry in Mul, CMul and CAdd, and in Add with scalar: any
        of at least one dimension.
    output
        As input.

    Conventions
    -----------
    Remembers nothing. The parameter is drawn from U(-s, s) with s = 1 / sqrt(its entries);
    `reset(stdv)` takes s = stdv * sqrt(3).

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    """

    _validates = True
    # Whether the parameter is one number for all entries.
    scalar: bool = False

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        broadcast = self.scalar or 1 in self.parameters()[0][0].shape
        return {"maths": "it is said without broadcasting"} if broadcast else {}

    def updateOutput(self, input: Array) -> Array:
        parameter = self.parameters()[0][0]
        rows = self._rows("updateOutput", input, parameter)
        with broadcasting(rows, 0):
            self.output = self._output(rows, parameter).reshape(input.shape)
        return self.output

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        parameter = self.parameters()[0][0]
        rows = self._rows("updateGradInput", input, parameter)
        shape, dtype = input.shape, parameter.dtype
        checks.must_be_typed_back(self, "updateGradInput", input, gradOutput, shape, dtype)
        gradRows = gradOutput.reshape(rows.shape)
        with broadcasting(rows, 0):
            self.gradInput = self._gradInput(gradRows, parameter).reshape(input.shape)
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        (parameter,), (target,) = self.parameters()
        rows = self._rows("accGradParameters", input, parameter)
        shape, dtype = input.shape, parameter.dtype
        checks.must_be_typed_back(self, "accGradParameters", input, gradOutput, shape, dtype)
        each = self._gradParameter(rows, gradOutput.reshape(rows.shape))
        if self.scalar:
            target += scale * sum_all(each)
        elif each.ndim == 2 and target.ndim == 1:
            addrows(target, scale, each)
        else:
            target += scale * _sum_to(target.shape, each)

    def reset(self, stdv: Any = None) -> Self:
        """Draw the parameter from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(its entries)."""
        (parameter,), _ = self.parameters()
        uniform(self, stdv, parameter.size, parameter)
        return self

    def _output(self, input: Array, parameter: Array) -> Array:
        raise NotImplementedError

    def _gradInput(self, gradOutput: Array, parameter: Array) -> Array:
        raise NotImplementedError

    def _gradParameter(self, input: Array, gradOutput: Array) -> Array:
        """Return the derivative by the parameter, not yet summed over what it stands for."""
        raise NotImplementedError

    def _rows(self, method: str, input: Array, parameter: Array) -> Array:
        """Return the input in a shape that the parameter's can be broadcast to."""
        checks.must_be_typed(self, method, input, parameter.dtype)
        shape, size = input.shape, parameter.shape
        if self.scalar:
            if shape:
                return input
            expected = "an array of at least one dimension"
            raise checks.misshapen(self, method, "input", expected, input)
        if len(shape) == len(size):
            if all(own in (1, n) for own, n in zip(size, shape, strict=True)):
                return input
        elif len(shape) > 1 and math.prod(shape[1:]) == parameter.size:
            return input.reshape(shape[0], *size)
        one = ", ".join("*" if n == 1 else str(n) for n in size)
        many = ", ".join(map(str, size))
        comma = "," if len(size) == 1 else ""
        expected = f"({one}{comma}) or (N, {many})"
        hint = checks.rows_hint(self, input, size[0]) if len(size) == 1 else None
        raise checks.misshapen(self, method, "input", expected, input, hint)


class Adding(Componentwise):
    """Adds the parameter."""

    def _output(self, input: Array, bias: Array) -> Array:
        return input + bias

    def _gradInput(self, gradOutput: Array, bias: Array) -> Array:
        return gradOutput

    def _gradParameter(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput


class Multiplying(Componentwise):
    """Multiplies by the parameter."""

    def _output(self, input: Array, weight: Array) -> Array:
        return input * weight

    def _gradInput(self, gradOutput: Array, weight: Array) -> Array:
        return gradOutput * weight

    def _gradParameter(self, input: Array, gradOutput: Array) -> Array:
        return gradOutput * input


def parameter_size(layer: Any, size: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the size of a parameter, given as several numbers or as one tuple or list."""
    size = sizes(layer, size)
    if not size:
        raise ShapeError(
            f"{type(layer).__name__}: size must have at least one number, got none",
            layer=layer,
            method="__init__",
            argument="size",
            expected="at least one number",
            got="none",
        )
    return tuple(checks.size(layer, "size", n) for n in size)


def _sum_to(shape: tuple[int, ...], array: Array) -> Array:
    """Return the sum over everything along which an array of this shape was broadcast."""
    added = array.ndim - len(shape)
    stretched = (i for i, n in enumerate(shape, added) if n != array.shape[i])
    return sum_along(array, (*range(added), *stretched)).reshape(shape)
