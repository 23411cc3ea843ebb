"""CategoricalEntropy."""

from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import dot, sum_all, sum_rows
from torchlite.nn import checks
from torchlite.nn.module import Module

__all__ = ["CategoricalEntropy"]

# Keeps the logarithm of 0 finite, Torch7's way.
_EPS = 1e-6


class CategoricalEntropy(Module):
    """Passes on probabilities, and pulls the batch's mean distribution towards the uniform one.

    Maths
    -----
    ::

        total = input.sum()
        q = input.sum(0) / total
        log_q = np.log(q + 1e-6)
        entropy = -(q * log_q).sum()
        output = input
        gradInput = gradOutput + scale * (log_q + q / (q + 1e-6)) / total / len(input)

    So gradInput is the derivative of what follows minus scale * entropy / N, with total held
    constant; where the entropy is at least minEntropy, it is gradOutput alone.

    Shapes
    ------
    input (N, C), probabilities in each row; output: the same.

    Parameters
    ----------
    scale
        How strongly it pulls.
    minEntropy
        From which entropy on it does not; None: it always does.

    Attributes
    ----------
    entropy
        That of the last backward, a number.

    Conventions
    -----------
    The output is the input itself. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.CategoricalEntropy()
    >>> x = np.array([[0.5, 0.5], [0.0, 1.0]])
    >>> layer.backward(x, np.zeros((2, 2))).round(4)
    array([[-0.0966,  0.1781],
           [-0.0966,  0.1781]])
    >>> round(layer.entropy, 4)
    0.5623

    Reference
    ---------
    torch/rnn, CategoricalEntropy.lua.
    """

    transient = (*Module.transient, "entropy")
    entropy: Any = None

    def __init__(self, scale: float = 1, minEntropy: float | None = None) -> None:
        self.scale = checks.constant(self, "scale", scale)
        self.minEntropy = (
            None if minEntropy is None else checks.constant(self, "minEntropy", minEntropy)
        )

    @property
    def exempt(self) -> dict[str, str]:
        """What it breaks by definition, and what settings break."""
        broken = dict.fromkeys(
            ("gradInput", "linear"), "gradInput has the gradient of the entropy, too"
        )
        broken["batch"] = "the entropy is that of the batch"
        if self.scale != 1 or self.minEntropy is not None:
            broken["maths"] = "it is said for a scale of 1 and without minEntropy"
        return broken

    def updateOutput(self, input: Array) -> Array:
        self._must_fit("updateOutput", input)
        self.output = input
        return input

    def updateGradInput(self, input: Array, gradOutput: Array) -> Array:
        self._must_fit("updateGradInput", input)
        checks.must_match(self, "updateGradInput", input, gradOutput)
        if not input.size:
            self.gradInput = gradOutput
            return gradOutput
        total = sum_all(input)
        q = sum_rows(input) / total
        log_q = np.log(q + _EPS)
        entropy = -dot(q, log_q).real.item()
        gradInput = gradOutput
        if self.minEntropy is None or not entropy >= self.minEntropy:
            gradInput = gradOutput + self.scale / len(input) * (log_q + q / (q + _EPS)) / total
        self.entropy, self.gradInput = entropy, gradInput
        return gradInput

    def _must_fit(self, method: str, input: Array) -> None:
        checks.must_be_floating(self, method, "input", input)
        if input.ndim != 2:
            raise checks.misshapen(self, method, "input", "(N, C)", input)
