"""StochasticGradient."""

import cmath
import math
from collections.abc import Callable
from typing import Any

from torchlite import random
from torchlite.errors import DTypeError, ShapeError, StateError, fault
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion
from torchlite.nn.criterions.class_nll_criterion import ClassNLLCriterion
from torchlite.nn.module import Module
from torchlite.nn.nested import shapes
from torchlite.progress import progress

__all__ = ["StochasticGradient"]


class StochasticGradient:
    """Trains a module on one sample at a time, in a random order.

    Maths
    -----
    In epoch k, counted from 1, for each sample::

        rate = learningRate / (1 + k * learningRateDecay) if k > 1 else learningRate
        module.backwardUpdate(input, criterion.backward(module.forward(input), target), rate)

    Shapes
    ------
    dataset: anything with len() whose dataset[i] is (input, target), one sample each.

    Parameters
    ----------
    module, criterion
        What is trained, and the loss that it is to make small.

    Attributes
    ----------
    learningRate, learningRateDecay
        0.01 and 0.
    maxIteration
        How many epochs, 25; 0: for ever (until a hook raises).
    shuffleIndices
        Whether the samples are shuffled, once, before the first epoch: True.
    hookExample, hookIteration
        None, or functions called as hookExample(trainer, (input, target)) after each sample and
        hookIteration(trainer, epoch, mean error) after each epoch.
    verbose
        Whether it prints the error of each epoch, and shows progress: True.

    Raises
    ------
    DTypeError
        module is no Module or criterion no Criterion; dataset[i] is no pair.
    ShapeError
        dataset is empty.
    SettingError
        learningRate or learningRateDecay is negative or not finite.
    StateError
        The loss of a sample is NaN, infinite, or, of a ClassNLLCriterion, negative: the error says
        what to do. No parameter has changed by that sample.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> line = [(np.array([x]), np.array([2 * x + 1])) for x in (-1.0, 0.0, 1.0)]
    >>> module = nn.Linear(1, 1)
    >>> trainer = nn.StochasticGradient(module, nn.MSECriterion())
    >>> trainer.learningRate, trainer.maxIteration, trainer.verbose = 0.1, 100, False
    >>> trainer.train(line)
    >>> module.weight.round(3), module.bias.round(3)
    (array([[2.]]), array([1.]))

    Reference
    ---------
    Torch7, nn/StochasticGradient.lua.
    """

    hookExample: Callable[[Any, Any], Any] | None = None
    hookIteration: Callable[[Any, int, float], Any] | None = None

    def __init__(self, module: Module, criterion: Criterion) -> None:
        for name, value, kind in (
            ("module", module, Module),
            ("criterion", criterion, Criterion),
        ):
            if not isinstance(value, kind):
                raise DTypeError(
                    f"StochasticGradient: {name} must be a {kind.__name__}, "
                    f"got {type(value).__name__}",
                    layer=self,
                    method="__init__",
                    argument=name,
                    expected=f"a {kind.__name__}",
                    got=type(value).__name__,
                )
        self.module = module
        self.criterion = criterion
        self.learningRate = 0.01
        self.learningRateDecay = 0.0
        self.maxIteration = 25
        self.shuffleIndices = True
        self.verbose = True

    def train(self, dataset: Any) -> None:
        """Train on the dataset, and print what Torch7 prints."""
        if not len(dataset):
            raise ShapeError(
                "StochasticGradient.train: dataset must have samples, got none",
                layer=self,
                method="train",
                argument="dataset",
                expected="samples",
                got="none",
            )
        for name in ("learningRate", "learningRateDecay"):
            value = checks.constant(self, name, getattr(self, name))
            if not 0 <= value < math.inf:
                expected = "finite and at least 0"
                raise checks.out_of_range(self, "train", name, expected, repr(value))
        # Drawn in any case, as in Torch7: the stream goes on from the same place.
        order: Any = random.randperm(len(dataset))
        if not self.shuffleIndices:
            order = range(len(dataset))
        self._print("# StochasticGradient: training")
        epoch, rate = 1, self.learningRate
        while True:
            error = self._epoch(dataset, order, rate, epoch)
            if self.hookIteration is not None:
                self.hookIteration(self, epoch, error)
            self._print(f"# current error = {error:.14g}")
            epoch += 1
            rate = self.learningRate / (1 + epoch * self.learningRateDecay)
            if 0 < self.maxIteration < epoch:
                break
        self._print("# StochasticGradient: you have reached the maximum number of iterations")
        self._print(f"# training error = {error:.14g}")

    def _epoch(self, dataset: Any, order: Any, rate: float, epoch: int) -> float:
        total = 0.0
        for i in progress(order, f"epoch {epoch}", show=None if self.verbose else False):
            sample = dataset[i]
            if not isinstance(sample, (tuple, list)) or len(sample) != 2:
                hint = "list(zip(inputs, targets, strict=True)) makes samples of two arrays"
                expected = "(input, target)"
                raise checks.mistyped(
                    self, "train", f"dataset[{i}]", expected, shapes(sample), hint
                )
            input, target = sample
            loss = self.criterion.forward(self.module.forward(input), target)
            if not 0 <= loss.real < math.inf:
                self._refuse_loss(loss, rate, f"{loss} in epoch {epoch} at dataset[{i}]")
            total += loss
            gradOutput = self.criterion.backward(self.module.output, target)
            self.module.backwardUpdate(input, gradOutput, rate)
            if self.hookExample is not None:
                self.hookExample(self, (input, target))
        return total / len(dataset)

    def _refuse_loss(self, loss: Any, rate: float, got: str) -> None:
        """Raise if the loss of a sample says that it is no use going on."""
        where = "StochasticGradient.train"
        if not cmath.isfinite(loss):
            hint = f"a learningRate smaller than {rate:g} may keep the numbers from growing"
            if cmath.isnan(loss):
                hint = (
                    f"nn.NaN(layer) in the place of a layer tells whether NaN comes from it; {hint}"
                )
            raise fault(
                StateError, where, "the loss", "finite", got, layer=self, method="train", hint=hint
            )
        # Logarithms that someone else computed may be a rounding above 0.
        if isinstance(self.criterion, ClassNLLCriterion) and loss.real < -1e-6:
            expected = "at least 0: its input is log-probabilities"
            hint = "end the module with LogSoftMax, or use CrossEntropyCriterion"
            raise fault(
                StateError, where, "the loss", expected, got, layer=self, method="train", hint=hint
            )

    def _print(self, line: str) -> None:
        if self.verbose:
            print(line)

    def __repr__(self) -> str:
        return type(self).__name__
