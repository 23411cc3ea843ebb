"""RecGRU."""

from torchlite.nn.recurrent._celled import Celled
from torchlite.nn.recurrent.step_gru import StepGRU

__all__ = ["RecGRU"]


class RecGRU(Celled):
    """A gated recurrent unit, called once a step.

    Maths
    -----
    Of the first step; later h is what the step before left, and gradNext what the step after wants
    of it, beside gradOutput. The gates are told at StepGRU::

        step = modules[0]
        h = np.zeros((len(input), step.outputsize))
        output = step.updateOutput([input, h])
        gradNext = np.zeros_like(output)
        gradInput, gradBefore = step.updateGradInput([input, h], gradOutput + gradNext)

    Shapes
    ------
    input (N, inputsize); output (N, outputsize).

    Parameters
    ----------
    inputsize, outputsize
        Integers of at least 0.

    Attributes
    ----------
    modules
        The StepGRU that has the parameters: weight and bias.
    steps
        The steps that a backward can go back through: of each `input`, [h] `before` and `after`,
        `gates`; once it was gone back through, `gradInput`, `gradBefore`, `gradAfter` and
        `gradGates`.

    Conventions
    -----------
    A hidden state is h. The parameters are drawn as StepGRU's. It takes batches only.

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
    >>> net = nn.RecGRU(1, 1)
    >>> net.modules[0].weight[:], net.modules[0].bias[:] = 0, [0, 0, np.arctanh(0.5)]
    >>> x = np.array([[7.0]])
    >>> [net.forward(x).item() for step in range(3)]
    [0.25, 0.375, 0.4375]
    >>> net.getHiddenState(2)
    array([[0.375]])

    Reference
    ---------
    torch/rnn, RecGRU.lua. Cho and others, Learning phrase representations using RNN
    encoder-decoder, 2014.
    """

    def __init__(self, inputsize: int, outputsize: int) -> None:
        super().__init__(StepGRU(inputsize, outputsize))
