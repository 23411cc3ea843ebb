"""StepGRU."""

from torchlite.nn.recurrent._gated import GatedStep, OfGRU

__all__ = ["StepGRU"]


class StepGRU(OfGRU, GatedStep):
    """One step of a gated recurrent unit: from an input and h to the next h.

    Maths
    -----
    With x the input of the step; the reset gate r acts before the product with h::

        x, h = input
        of_x, of_h = np.split(weight, [x.shape[1]])
        n = 2 * h.shape[1]
        ru = 1 / (1 + np.exp(-(x @ of_x + bias)[:, :n] - h @ of_h[:, :n]))
        r, u = np.split(ru, 2, 1)
        k = np.tanh((x @ of_x + bias)[:, n:] + (r * h) @ of_h[:, n:])
        output = (1 - u) * k + u * h

        dk = gradOutput * (1 - u) * (1 - k**2)
        q = dk @ of_h[:, n:].T
        dr, du = q * h * r * (1 - r), gradOutput * (h - k) * u * (1 - u)
        d_ru = np.concatenate([dr, du], 1)
        da = np.concatenate([d_ru, dk], 1)
        gradInput = [da @ of_x.T, gradOutput * u + d_ru @ of_h[:, :n].T + q * r]
        by_h = np.concatenate([h.T @ d_ru, (r * h).T @ dk], 1)
        gradWeight += scale * np.concatenate([x.T @ da, by_h])
        gradBias += scale * da.sum(0)

    Shapes
    ------
    input: a table of x (N, inputsize) and h (N, outputsize); output: the next h.

    Parameters
    ----------
    inputsize, outputsize
        Integers of at least 0.

    Attributes
    ----------
    weight, gradWeight
        (inputsize + outputsize, 3 * outputsize): rows for x, then for h; columns of the reset
        gate, the update gate and the candidate.
    bias, gradBias
        (3 * outputsize,).

    Conventions
    -----------
    The weight is drawn from N(0, 1 / sqrt(inputsize + outputsize)), or `reset(stdv)`'s stdv. The
    bias is 0, and 1 for the update gate. PyTorch's GRU resets what the product made of h instead,
    and has a bias there: its numbers are others.

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
    >>> layer = nn.StepGRU(1, 1)
    >>> layer.weight[:], layer.bias[:] = 0, [0, np.log(3), np.arctanh(0.5)]
    >>> x, h = np.array([[7.0]]), np.array([[4.0]])
    >>> layer.forward([x, h]).round(4)
    array([[3.125]])
    >>> layer.backward([x, h], np.array([[16.0]]))[1].round(4)
    array([[12.]])
    >>> layer.gradBias.round(4)
    array([ 0. , 10.5,  3. ])

    Reference
    ---------
    torch/rnn, StepGRU.lua. Cho and others, Learning phrase representations using RNN
    encoder-decoder, 2014.
    """
