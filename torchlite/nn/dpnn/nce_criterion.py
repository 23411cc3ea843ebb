"""NCECriterion."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.sums import sum_all
from torchlite.nn import checks, table_checks
from torchlite.nn.criterion import Criterion

__all__ = ["NCECriterion"]


class NCECriterion(Criterion):
    """Noise contrastive estimation: how well the model tells targets from noise.

    Maths
    -----
    ::

        Pmt, Pms, Pnt, Pns = input
        k = Pms.shape[1]
        n = (len(Pmt) or 1) if sizeAverage else 1
        t, s = Pmt + k * Pnt + 1e-7, Pms + k * Pns + 1e-7
        output = -(np.log(Pmt / t).sum() + np.log(k * Pns / s).sum()) / n
        gradPmt = -k * Pnt / t / (Pmt + 1e-7) / n
        gradPms = Pms / s / (Pms + 1e-7) / n
        gradInput = [gradPmt, gradPms, np.zeros_like(Pnt), np.zeros_like(Pns)]

    Shapes
    ------
    input: a list as `NCEModule` gives it, of the probabilities of the targets (N,) and of k samples
    of the noise (N, k) in the model, and of the same two in the noise; target: not looked at, for
    NCEModule has had it; output: a number; gradInput: as input.

    Attributes
    ----------
    sizeAverage
        Whether to divide by the number of targets. It may be set.

    Conventions
    -----------
    The gradients are Torch7's: 1e-7 keeps them finite where a probability is 0, and they are off by
    so much of one. Those of the noise's probabilities are left out. Remembers nothing.

    Raises
    ------
    ShapeError, DTypeError
        input does not fit.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> criterion = nn.NCECriterion()
    >>> half, halves = np.array([0.5]), np.array([[0.5, 0.5]])
    >>> x = [half, halves, half, halves]
    >>> round(criterion.forward(x), 4)
    1.9095
    >>> criterion.backward(x)[1].round(4)
    array([[0.6667, 0.6667]])

    Reference
    ---------
    torch/rnn, NCECriterion.lua. Mnih and Teh, A fast and simple algorithm for training neural
    probabilistic language models, 2012.
    """

    # What keeps quotients finite, Torch7's way.
    _guard = 1e-7

    def __init__(self) -> None:
        self.sizeAverage = True

    @property
    def exempt(self) -> dict[str, str]:
        """What the guard breaks, and what is left out."""
        return {"gradInput": "it is Torch7's, without the gradients of the noise"}

    def updateOutput(self, input: Sequence[Array], target: Any = None) -> float:
        Pmt, Pms, Pnt, Pns, k = self._parts("updateOutput", input)
        right = np.log(Pmt / (Pmt + k * Pnt + self._guard))
        noise = np.log(k * Pns / (Pms + k * Pns + self._guard))
        self.output = -(sum_all(right) + sum_all(noise)).item() / self._divisor(Pmt)
        return self.output

    def updateGradInput(self, input: Sequence[Array], target: Any = None) -> list[Array]:
        Pmt, Pms, Pnt, Pns, k = self._parts("updateGradInput", input)
        guard, n = self._guard, self._divisor(Pmt)
        gradPmt = -k * Pnt / (Pmt + k * Pnt + guard) / (Pmt + guard) / n
        gradPms = Pms / (Pms + k * Pns + guard) / (Pms + guard) / n
        self.gradInput = [gradPmt, gradPms, np.zeros_like(Pnt), np.zeros_like(Pns)]
        return self.gradInput

    def _parts(self, method: str, input: Any) -> tuple[Array, Array, Array, Array, int]:
        table_checks.must_be_arrays(self, method, "input", input, 4)
        Pmt, Pms, Pnt, Pns = input
        if not (
            Pms.ndim == 2
            and (Pmt.shape, Pnt.shape, Pns.shape) == (Pms.shape[:1],) * 2 + (Pms.shape,)
        ):
            expected = "[(N,), (N, k), (N,), (N, k)]"
            raise checks.misshapen(self, method, "input", expected, input)
        return Pmt, Pms, Pnt, Pns, Pms.shape[1]

    def _divisor(self, Pmt: Array) -> int:
        return (len(Pmt) or 1) if self.sizeAverage else 1
