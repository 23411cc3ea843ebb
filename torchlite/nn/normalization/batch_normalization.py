"""BatchNormalization."""

from contextlib import AbstractContextManager
from math import prod
from typing import Any, ClassVar, Self

import numpy as np

from torchlite import random
from torchlite.errors import ShapeError
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.buffers import broadcasting
from torchlite.kernels.like import like
from torchlite.kernels.sums import inner, sum_along, sum_products, sum_rows
from torchlite.kernels.threads import by_rows
from torchlite.kernels.weak import GONE, weakly
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY
from torchlite.nn.stateful import restored

__all__ = ["BatchNormalization"]


class BatchNormalization(Module):
    """Gives each feature mean 0 and variance 1 over the batch, then a weight and a bias.

    Maths
    -----
    In evaluation the running numbers take the place of the batch's::

        save_mean = input.mean(0) if train else running_mean
        centered = input - save_mean
        save_std = 1 / np.sqrt(((centered**2).mean(0) if train else running_var) + eps)
        factor = save_std * weight
        output = centered * factor + bias
        slope = (gradOutput * centered).mean(0) * save_std**2
        gradInput = (gradOutput - train * (gradOutput.mean(0) + centered * slope)) * factor
        gradWeight += scale * (save_std * (gradOutput * centered).sum(0))
        gradBias += scale * gradOutput.sum(0)

    Shapes
    ------
    input (N, nOutput), in evaluation also (nOutput,); output: the same.

    Parameters
    ----------
    nOutput
        The number of features, at least 1.
    eps
        Is added to the variance.
    momentum
        The share of the new batch in the running statistics, from 0 to 1.
    affine
        False for a layer without weight and bias.

    Attributes
    ----------
    weight, gradWeight, bias, gradBias
        (nOutput,), or None if not affine.
    running_mean, running_var
        (nOutput,): what evaluation uses. At first 0 and 1; a forward in training makes them
        `momentum * new + (1 - momentum) * old`, where new is the batch's mean, and its variance
        with n - 1 instead of n in the denominator.
    save_mean, save_std
        The mean, and 1 / standard deviation, of the batch of the last forward in training.

    Conventions
    -----------
    The weight is drawn from U(0, 1), the bias is 0; `reset` also forgets the running statistics,
    and its stdv does not matter. A backward in training uses save_mean and save_std if its input is
    the very array that they come from, and otherwise finds the statistics of its input itself:
    nothing needs to be remembered. If that array was written to in between, statistics and entries
    do not belong together, and the gradients are those of neither. Statistics need two values a
    feature: with one, a forward in training raises, and changes no running statistics.

    In float32, means and gradients are right to a millionth of the sum of their terms' magnitudes,
    however many rows there are; a variance is to that of the squared distances from the mean.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or holds one value a feature in training.
    SettingError
        eps or momentum is negative or not finite, or momentum is more than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.BatchNormalization(2, 0)
    >>> layer.weight[:], layer.bias[:] = 10, 1
    >>> x = np.array([[1.0, 5.0], [3.0, 1.0]])
    >>> layer.forward(x)
    array([[-9., 11.],
           [11., -9.]])
    >>> layer.running_mean, layer.running_var
    (array([0.2, 0.3]), array([1.1, 1.7]))
    >>> layer.evaluate().running_var[:] = 4
    >>> layer.forward(np.array([2.2, 0.3]))
    array([11.,  1.])

    Reference
    ---------
    Torch7, nn/BatchNormalization.lua. Ioffe and Szegedy, Batch normalization, 2015.
    """

    _validates = True
    transient = (*Module.transient, "save_mean", "save_std", "_saved")
    save_mean: Array = EMPTY
    save_std: Array = EMPTY
    # The input of which these are the statistics.
    _saved: Any = GONE
    # Within a backward, between whose two halves nobody can write to gradOutput: its sum, and that
    # of its products with the input without its mean.
    _summed: Any = None
    _is_going_back = False
    # The names of the dimensions of a plane, each entry of which is a value of its feature.
    _axes: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, nOutput: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True
    ) -> None:
        if checks.size(self, "nOutput", nOutput) == 0:
            hint = f"{type(self).__name__}(nOutput, eps, momentum, False) has no weight and bias"
            raise checks.misbuilt(ShapeError, self, "nOutput", "at least 1", "0", hint)
        self.eps = checks.finite_at_least_0(self, "eps", eps)
        self.momentum = checks.share(self, "momentum", momentum)
        self.affine = bool(affine)
        self.running_mean = np.zeros(nOutput)
        self.running_var = np.ones(nOutput)
        if affine:
            self.weight = np.zeros(nOutput)
            self.gradWeight = np.zeros(nOutput)
            self.bias = np.zeros(nOutput)
            self.gradBias = np.zeros(nOutput)
        self.reset()

    def updateOutput(self, input: Array) -> Array:
        self._must_fit("updateOutput", input)
        one = input.ndim == 1 + len(self._axes)
        # The last one makes room for the next.
        self.output = EMPTY
        if self.train:
            save_mean, centered, variance = self._moments(input)
            self._follow(save_mean, variance, self._count(input))
            save_std = 1 / np.sqrt(variance + self.eps)
            self.save_mean, self.save_std, self._saved = save_mean, save_std, weakly(input)
        else:
            centered = self._centered(input[None] if one else input, self.running_mean)
            save_std = 1 / np.sqrt(self.running_var + self.eps)
        factor = self._spread(self._factor(save_std))
        bias = None if self.bias is None else self._spread(self.bias)

        def scaled(centered: Array) -> Array:
            centered *= factor
            if bias is not None:
                centered += bias
            return centered

        with self._broadcasting(centered):
            output = by_rows(scaled, centered, in_place=True)
        self.output = output[0] if one else output
        return self.output

    def backward(self, input: Any, gradOutput: Any, scale: Number = 1) -> Any:
        self._is_going_back = True
        try:
            return super().backward(input, gradOutput, scale)
        finally:
            self._is_going_back, self._summed = False, None

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit_back("updateGradInput", input, gradOutput)
        # The last one makes room for the next.
        self.gradInput = EMPTY
        save_mean, save_std = self._statistics(input)
        factor = self._spread(self._factor(save_std))
        if self.train:
            kind = np.result_type(input, gradOutput)
            centered = self._centered(input, save_mean).astype(kind, copy=False)
            n = self._count(input)
            total, along = self._sum(gradOutput), self._sum_products(gradOutput, centered)
            if self._is_going_back:
                self._summed = total, along
            slope = self._spread(along / n * save_std**2)
            mean = self._spread(total / n)

            def scaled(centered: Array, gradOutput: Array) -> Array:
                centered *= slope
                np.subtract(gradOutput, centered, out=centered)
                centered -= mean
                centered *= factor
                return centered

            with self._broadcasting(centered):
                self.gradInput = by_rows(scaled, centered, gradOutput, in_place=True)
        else:
            self.gradInput = gradOutput * factor
        return self.gradInput

    def accGradParameters(self, input: Array, gradOutput: Array, scale: Number = 1) -> None:
        scale = checks.scale(self, scale)
        self._must_fit_back("accGradParameters", input, gradOutput)
        if self.weight is None:
            return
        if input.ndim == 1 + len(self._axes):
            input, gradOutput = input[None], gradOutput[None]
        save_mean, save_std = self._statistics(input)
        if self._summed is None:
            total = self._sum(gradOutput)
            along = self._sum_products(gradOutput, input, save_mean)
        else:
            total, along = self._summed
        increment = scale * (save_std * along)
        self.gradBias += scale * total
        self.gradWeight += increment

    def _factor(self, save_std: Array) -> Array:
        return save_std if self.weight is None else save_std * self.weight

    def _spread(self, statistic: Array) -> Array:
        """Return one number a feature so that it is broadcast over that feature's planes."""
        return statistic.reshape(-1, *(1 for _ in self._axes)) if self._axes else statistic

    def _count(self, batch: Array) -> int:
        """Return how many values each feature has; of an empty batch 1, to be divided by."""
        return batch.shape[0] * prod(batch.shape[2:]) or 1

    def _sum(self, batch: Array) -> Array:
        """Return the sum of each feature's values."""
        return sum_along(batch, (0, *range(2, batch.ndim))) if self._axes else sum_rows(batch)

    def _sum_products(self, a: Array, b: Array, mean: Array | None = None) -> Array:
        """Return the sum of each feature's products, of b without its mean if that is given."""
        if not self._axes:
            return sum_products(a, b if mean is None else self._centered(b, mean))
        # The pixels of a plane lie next to one another, its samples do not.
        flat = (x.reshape(*x.shape[:2], prod(x.shape[2:])) for x in (a, b))
        if mean is None:
            return sum_rows(by_rows(inner, *flat))
        column = mean[:, None]
        with self._broadcasting(b):
            made = by_rows(lambda a, b: inner(a, b - column), *flat, in_pieces=True)
        return sum_rows(made)

    def _centered(self, batch: Array, mean: Array) -> Array:
        mean = self._spread(mean)
        with self._broadcasting(batch):
            return by_rows(lambda values: values - mean, batch)

    def _broadcasting(self, batch: Array) -> AbstractContextManager[None]:
        """Let NumPy combine a batch with one number a feature."""
        return broadcasting(batch, 1 if self._axes else 0)

    def _statistics(self, input: Array) -> tuple[Array, Array]:
        """Return the mean and 1 / standard deviation that the input is normalised with."""
        if not self.train:
            return self.running_mean, 1 / np.sqrt(self.running_var + self.eps)
        if input is self._saved():
            return self.save_mean, self.save_std
        mean, _, variance = self._moments(input)
        return mean, 1 / np.sqrt(variance + self.eps)

    def _moments(self, input: Array) -> tuple[Array, Array, Array]:
        """Return each feature's mean, the input without it, and each feature's variance."""
        n = self._count(input)
        mean = self._sum(input) / n
        centered = self._centered(input, mean)
        return mean, centered, self._sum_products(centered, centered) / n

    def _follow(self, mean: Array, variance: Array, n: int) -> None:
        """Move the running statistics towards those of a batch with n values a feature."""
        if n > 1:
            unbiased = variance * (n / (n - 1))
            for running, new in ((self.running_mean, mean), (self.running_var, unbiased)):
                running *= 1 - self.momentum
                running += self.momentum * (new.real if running.dtype.kind == "f" else new)

    def reset(self, stdv: Any = None) -> Self:
        """Draw the weight from U(0, 1), set bias and running mean to 0, running variance to 1."""
        with restored([*self.parameters()[0], self.running_mean, self.running_var]):
            if self.weight is not None:
                self.weight[...] = like(random.uniform(size=self.weight.shape), self.weight)
                self.bias[...] = 0
            self.running_mean[...] = 0
            self.running_var[...] = 1
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__} ({2 + len(self._axes)}D) ({self.running_mean.size})"

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_be_typed(self, method, input, self.running_mean.dtype)
        n, sample = self.running_mean.size, 1 + len(self._axes)
        fits = input.ndim == 1 + sample or (input.ndim == sample and not self.train)
        if not fits or input.shape[-sample] != n:
            hint = self._features_hint(input, n)
            if self.train and input.ndim == sample:
                hint = "evaluate() takes one sample; in training the statistics need a batch"
                if self._axes:
                    hint = "input[None] is a batch of one; evaluate() takes one sample"
            features = ", ".join([str(n), *self._axes])
            one = features if self._axes else f"{n},"
            expected = f"(N, {features})" if self.train else f"({one}) or (N, {features})"
            raise checks.misshapen(self, method, "input", expected, input, hint)
        if self.train and self._count(input) == 1 and input.size:
            hint = "one value has no variance: take a larger batch, or evaluate()"
            expected = "a batch with more than one value of each feature"
            raise checks.misshapen(self, method, "input", expected, input, hint)

    def _features_hint(self, input: Array, n: int) -> str | None:
        """Return what makes an input fit that has not n features, as far as its shape tells."""
        dims = len(self._axes)
        if not dims:
            return checks.rows_hint(self, input, n)
        hint = checks.planes_hint(input, n, dims)
        if hint is None and input.ndim in (dims + 1, dims + 2) and input.shape[-dims - 1]:
            return f"{type(self).__name__}({input.shape[-dims - 1]}) would fit"
        return hint

    def _must_fit_back(self, method: str, input: Array, gradOutput: Array) -> None:
        self._must_fit(method, input)
        dtype = self.running_mean.dtype
        checks.must_be_typed_back(self, method, input, gradOutput, input.shape, dtype)
