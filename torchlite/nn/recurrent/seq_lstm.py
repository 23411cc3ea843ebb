"""SeqLSTM."""

from torchlite.nn.recurrent._gated import OfLSTM
from torchlite.nn.recurrent._sequence import GatedSequence

__all__ = ["SeqLSTM"]


class SeqLSTM(OfLSTM, GatedSequence):
    """A long short-term memory, run over all steps of a sequence.

    Maths
    -----
    With the steps first, from a state of zeros, and without the weightO where there is no
    projection::

        R, H = len(weight) - input.shape[2], len(bias) // 4
        h, c = np.zeros((input.shape[1], R)), np.zeros((input.shape[1], H))
        output, past = [], []
        for x in input:
            i, f, o, z = np.split(np.concatenate([x, h], 1) @ weight + bias, 4, 1)
            i, f, o = [1 / (1 + np.exp(-a)) for a in (i, f, o)]
            z = np.tanh(z)
            past.append((x, h, c, i, f, o, z))
            c = f * c + i * z
            h = (o * np.tanh(c)) @ weightO
            output.append(h)
        output = np.stack(output)

        dh, dc, gradInput = np.zeros_like(h), np.zeros_like(c), []
        for g, (x, h, c, i, f, o, z) in zip(gradOutput[::-1], past[::-1]):
            t = np.tanh(f * c + i * z)
            dh = dh + g
            du = dh @ weightO.T
            dc = dc + du * o * (1 - t**2)
            di, df = dc * z * i * (1 - i), dc * c * f * (1 - f)
            do, dz = du * t * o * (1 - o), dc * i * (1 - z**2)
            da = np.concatenate([di, df, do, dz], 1)
            gradWeight += scale * np.concatenate([x, h], 1).T @ da
            gradBias += scale * da.sum(0)
            gradWeightO += scale * (o * t).T @ dh
            dx, dh = np.split(da @ weight.T, [x.shape[1]], 1)
            dc = dc * f
            gradInput.insert(0, dx)
        gradInput = np.stack(gradInput)

    What x adds is found in one product for all steps, what h adds in one product a step, and each
    gradient of a parameter in one product over all steps.

    Shapes
    ------
    input (T, N, inputsize): T steps of N sequences; output (T, N, outputsize). With `batchfirst`
    (N, T, inputsize) and (N, T, outputsize).

    Parameters
    ----------
    inputsize, hiddensize
        Integers of at least 0.
    outputsize
        The size of h, if it is projected; None: it is hiddensize.

    Attributes
    ----------
    weight, gradWeight
        (inputsize + outputsize, 4 * hiddensize): rows for x, then for h; columns of the input gate,
        the forget gate, the output gate and the candidate.
    bias, gradBias
        (4 * hiddensize,).
    weightO, gradWeightO
        The projection, (hiddensize, outputsize); None without.
    batchfirst
        False; set it to True for sequences, and masks, that have the batch first.
    steps
        The steps of the last forward: of each its `input`, the state `before` and `after` it,
        [h, c], its `gates` i, f, o and z side by side, its `mask` and, after a backward,
        `gradGates`, the gradient of what the gates' functions were given.
    startState
        [h, c] from which sequences start, None for zeros: `setStartState` sets it.

    Conventions
    -----------
    The weight is drawn from N(0, 1 / sqrt(inputsize + hiddensize)), then weightO from
    N(0, 1 / sqrt(hiddensize + outputsize)); `reset(stdv)` takes that for both. The bias is 0, and
    1 for the forget gate. There are no peepholes.

    Remembers its forward. `updateGradInput` goes back through all steps and keeps gradGates, which
    `accGradParameters` multiplies, whatever the scale, as often as it is called; without it
    `accGradParameters` goes back itself.

    Every sequence starts from the start state, unless `remember(mode)` ('both', 'train', 'eval';
    'neither') says that it goes on from the state that the last one left, as a constant. `forget()`
    and a change between training and evaluation begin anew; copies carry the start state alone.
    `getHiddenState(t)` is the state after t steps, 0 the one before them, which `setStartState`
    sets, or `setHiddenState(0, state)`. After a backward `getGradHiddenState(0)` is the gradient of
    the state before the first step; `setGradHiddenState(T, gradState)`, between forward and
    backward, adds what the state after the last one is given from elsewhere.

    `maskZero()` lets rows be masked: those that `setZeroMask` tells, (T, N), until another is told,
    or, with `maskZero(True)`, those of the input that are nothing but zeros. They count nowhere,
    whatever stands there: their output is 0, and the state begins anew from zeros. So a sample that
    is masked at its first steps begins from zeros, too, not from the start state.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; the mask, or the state that is gone on from, is of another
        shape.
    StateError
        input is not that of the last forward; rows may be masked, and no mask was told.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SeqLSTM(1, 1)
    >>> layer.weight[:], layer.bias[:] = 0, [0, 0, np.inf, np.arctanh(0.5)]
    >>> x = np.ones((3, 1, 1))
    >>> np.arctanh(layer.forward(x)).ravel()
    array([0.25  , 0.375 , 0.4375])
    >>> [step.after[1].item() for step in layer.steps]
    [0.25, 0.375, 0.4375]
    >>> np.arctanh(layer.remember("both").forward(x)).ravel()
    array([0.46875  , 0.484375 , 0.4921875])

    Reference
    ---------
    torch/rnn, SeqLSTM.lua. Hochreiter and Schmidhuber, Long short-term memory, 1997; Sak, Senior
    and Beaufays, Long short-term memory recurrent neural network architectures, 2014 (projection).
    """
