"""StepLSTM."""

from torchlite.nn.recurrent._gated import GatedStep, OfLSTM

__all__ = ["StepLSTM"]


class StepLSTM(OfLSTM, GatedStep):
    """One step of a long short-term memory: from an input, h and c to the next h and c.

    Maths
    -----
    With x the input of the step, and without the weightO where there is no projection::

        x, h, c = input
        i, f, o, z = np.split(np.concatenate([x, h], 1) @ weight + bias, 4, 1)
        i, f, o = [1 / (1 + np.exp(-a)) for a in (i, f, o)]
        z = np.tanh(z)
        c1 = f * c + i * z
        u = o * np.tanh(c1)
        output = [u @ weightO, c1]

        dh, dc = gradOutput
        du = dh @ weightO.T
        dc = dc + du * o * (1 - np.tanh(c1) ** 2)
        di, df = dc * z * i * (1 - i), dc * c * f * (1 - f)
        do, dz = du * np.tanh(c1) * o * (1 - o), dc * i * (1 - z**2)
        da = np.concatenate([di, df, do, dz], 1)
        gradInput = [*np.split(da @ weight.T, [x.shape[1]], 1), dc * f]
        gradWeight += scale * np.concatenate([x, h], 1).T @ da
        gradBias += scale * da.sum(0)
        gradWeightO += scale * u.T @ dh

    Shapes
    ------
    input: a table of x (N, inputsize), h (N, outputsize) and c (N, hiddensize); output: a table of
    the next h and c.

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

    Conventions
    -----------
    The weight is drawn from N(0, 1 / sqrt(inputsize + hiddensize)), then weightO from
    N(0, 1 / sqrt(hiddensize + outputsize)); `reset(stdv)` takes that for both. The bias is 0, and
    1 for the forget gate. There are no peepholes.

    Remembers nothing, in effect: where `input` holds the very arrays of the last forward, what that
    found is used, so write neither to these arrays nor to the parameters in between. It takes
    batches only. `maskZero()` lets rows be masked: those that `setZeroMask` tells, or, with
    `maskZero(True)`, those of x that are nothing but zeros. There output and gradients are 0,
    whatever stands in the row.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit; the mask is none of input's rows.
    StateError
        Rows may be masked, and no mask was told.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.StepLSTM(1, 1)
    >>> layer.weight[:], layer.bias[:] = 0, [0, 0, 0, np.arctanh(0.5)]
    >>> x, h, c = np.array([[7.0]]), np.array([[0.0]]), np.array([[2.0]])
    >>> h, c = layer.forward([x, h, c])
    >>> c
    array([[1.25]])
    >>> bool(h == 0.5 * np.tanh(1.25))
    True
    >>> layer.backward([x, h * 0, c * 0 + 2], [np.array([[0.0]]), np.array([[16.0]])])[2]
    array([[8.]])
    >>> layer.gradBias
    array([2., 8., 0., 6.])

    Reference
    ---------
    torch/rnn, StepLSTM.lua. Hochreiter and Schmidhuber, Long short-term memory, 1997.
    """
