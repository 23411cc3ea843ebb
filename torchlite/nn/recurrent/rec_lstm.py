"""RecLSTM."""

from torchlite.nn.recurrent._celled import Celled
from torchlite.nn.recurrent.step_lstm import StepLSTM

__all__ = ["RecLSTM"]


class RecLSTM(Celled):
    """A long short-term memory, called once a step.

    Maths
    -----
    Of the first step; later h and c are what the step before left, and gradNext what the step after
    wants of them, beside gradOutput. The gates are told at StepLSTM::

        step = modules[0]
        h, c = np.zeros((len(input), step.outputsize)), np.zeros((len(input), step.hiddensize))
        output, c1 = step.updateOutput([input, h, c])
        gradNext = [np.zeros_like(output), np.zeros_like(c1)]
        gradAfter = [gradOutput + gradNext[0], gradNext[1]]
        gradInput, *gradBefore = step.updateGradInput([input, h, c], gradAfter)

    Shapes
    ------
    input (N, inputsize); output (N, outputsize).

    Parameters
    ----------
    inputsize, hiddensize
        Integers of at least 0.
    outputsize
        The size of h, if it is projected; None: it is hiddensize.

    Attributes
    ----------
    modules
        The StepLSTM that has the parameters: weight, bias and, projected, weightO.
    steps
        The steps that a backward can go back through: of each `input`, [h, c] `before` and `after`,
        `gates`; once it was gone back through, `gradInput`, `gradBefore`, `gradAfter` and
        `gradGates`.

    Conventions
    -----------
    A hidden state is [h, c]. The parameters are drawn as StepLSTM's. It takes batches only.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit, or has another batch than the step before.
    StateError
        A backward does not go from the last step to the first, each with its own input.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.RecLSTM(1, 1)
    >>> net.modules[0].weight[:], net.modules[0].bias[:] = 0, [0, 0, 0, np.arctanh(0.5)]
    >>> x = np.array([[7.0]])
    >>> for step in range(3):
    ...     h = net.forward(x)
    >>> [c.item() for h, c in [step.after for step in net.steps]]
    [0.25, 0.375, 0.4375]

    Reference
    ---------
    torch/rnn, RecLSTM.lua. Hochreiter and Schmidhuber, Long short-term memory, 1997.
    """

    def __init__(self, inputsize: int, hiddensize: int, outputsize: int | None = None) -> None:
        super().__init__(StepLSTM(inputsize, hiddensize, outputsize))
