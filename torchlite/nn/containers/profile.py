"""Profile."""

import time
from typing import Any

from torchlite.kernels.arrays import Number
from torchlite.nn import checks
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module

__all__ = ["Profile"]


class Profile(Decorator):
    """A module that prints from time to time how long it takes.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    Shapes
    ------
    Those of the module.

    Parameters
    ----------
    module
        The module.
    print_interval
        After how many passes it prints.
    name
        How it names the module; None: by its class.

    Attributes
    ----------
    numFwds, numBwds
        Passes since the last print.
    summedFwdTime, summedBwdTime
        How many seconds they took.

    Conventions
    -----------
    Remembers its forward. A backward pass is `updateGradInput` and `accGradParameters`, counted
    after the latter. What fails is not counted.

    Raises
    ------
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Profile(nn.ReLU(), 3, "the ReLU")
    >>> for _ in range(3):  # doctest: +ELLIPSIS
    ...     y = net.forward(np.ones(2))
    the ReLU took 0.000 seconds for 3 forward passes, ... ms each

    Reference
    ---------
    Torch7, nn/Profile.lua, whose backward passes are `updateGradInput` alone.
    """

    _validates = True
    numFwds = 0
    numBwds = 0
    summedFwdTime = 0.0
    summedBwdTime = 0.0

    def __init__(self, module: Module, print_interval: int = 100, name: str | None = None) -> None:
        super().__init__(module)
        self.print_interval = checks.size(self, "print_interval", print_interval)
        self.name = type(module).__name__ if name is None else name

    def updateOutput(self, input: Any) -> Any:
        start = time.perf_counter()
        output = super().updateOutput(input)
        self.summedFwdTime += time.perf_counter() - start
        self.numFwds += 1
        if self.numFwds >= self.print_interval:
            self._print("forward", self.numFwds, self.summedFwdTime)
            self.numFwds, self.summedFwdTime = 0, 0.0
        return output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        start = time.perf_counter()
        gradInput = super().updateGradInput(input, gradOutput)
        self.summedBwdTime += time.perf_counter() - start
        return gradInput

    @property
    def _risky(self) -> bool:
        return self.numBwds + 1 >= self.print_interval

    def _accumulate(self, steps: Any, scale: Number) -> None:
        start = time.perf_counter()
        super()._accumulate(steps, scale)
        passes = self.numBwds + 1
        seconds = self.summedBwdTime + time.perf_counter() - start
        if passes >= self.print_interval:
            self._print("backward", passes, seconds)
            passes, seconds = 0, 0.0
        self.numBwds, self.summedBwdTime = passes, seconds

    def _print(self, what: str, passes: int, seconds: float) -> None:
        mean = 1000 * seconds / passes
        print(
            f"{self.name} took {seconds:.3f} seconds for {passes} {what} passes, {mean:.3g} ms each"
        )
