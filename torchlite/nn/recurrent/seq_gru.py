"""SeqGRU."""

from torchlite.nn.recurrent._gated import OfGRU
from torchlite.nn.recurrent._sequence import GatedSequence

__all__ = ["SeqGRU"]


class SeqGRU(OfGRU, GatedSequence):
    """A gated recurrent unit, run over all steps of a sequence.

    Maths
    -----
    With the steps first, from a state of zeros; the reset gate r acts before the product with h::

        R = len(bias) // 3
        of_x, of_h = np.split(weight, [input.shape[2]])
        h = np.zeros((input.shape[1], R))
        output, past = [], []
        for x in input:
            a = x @ of_x + bias
            r, u = np.split(1 / (1 + np.exp(-a[:, : 2 * R] - h @ of_h[:, : 2 * R])), 2, 1)
            k = np.tanh(a[:, 2 * R :] + (r * h) @ of_h[:, 2 * R :])
            past.append((x, h, r, u, k))
            h = (1 - u) * k + u * h
            output.append(h)
        output = np.stack(output)

        dh, gradInput = np.zeros_like(h), []
        for g, (x, h, r, u, k) in zip(gradOutput[::-1], past[::-1]):
            dh = dh + g
            dk = dh * (1 - u) * (1 - k**2)
            q = dk @ of_h[:, 2 * R :].T
            d_ru = np.concatenate([q * h * r * (1 - r), dh * (h - k) * u * (1 - u)], 1)
            da = np.concatenate([d_ru, dk], 1)
            by_h = np.concatenate([h.T @ d_ru, (r * h).T @ dk], 1)
            gradWeight += scale * np.concatenate([x.T @ da, by_h])
            gradBias += scale * da.sum(0)
            dh = dh * u + d_ru @ of_h[:, : 2 * R].T + q * r
            gradInput.insert(0, da @ of_x.T)
        gradInput = np.stack(gradInput)

    What x adds is found in one product for all steps, what h adds in two a step, and each gradient
    of a parameter in one product over all steps.

    Shapes
    ------
    input (T, N, inputsize): T steps of N sequences; output (T, N, outputsize). With `batchfirst`
    (N, T, inputsize) and (N, T, outputsize).

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
    batchfirst
        False; set it to True for sequences, and masks, that have the batch first.
    steps
        The steps of the last forward: of each its `input`, the state `before` and `after` it, [h],
        its `gates` r, u and k side by side, its `mask` and, after a backward, `gradGates`, the
        gradient of what the gates' functions were given.
    startState
        [h] from which sequences start, None for zeros: `setStartState` sets it.

    Conventions
    -----------
    The weight is drawn from N(0, 1 / sqrt(inputsize + outputsize)), or `reset(stdv)`'s stdv. The
    bias is 0, and 1 for the update gate. PyTorch's GRU resets what the product made of h instead,
    and has a bias there: its numbers are others.

    Remembers its forward. What is remembered between sequences, how states and masks are set, and
    in what order gradients are found is as in SeqLSTM; a state is the array h.

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
    >>> layer = nn.SeqGRU(1, 1)
    >>> layer.weight[:], layer.bias[:] = 0, [0, 0, np.inf]
    >>> x = np.ones((3, 2, 1))
    >>> layer.forward(x)[:, 0]
    array([[0.5  ],
           [0.75 ],
           [0.875]])
    >>> layer.setStartState(np.array([[1.0], [0.0]])).forward(x)[:, 0]
    array([[1.],
           [1.],
           [1.]])
    >>> _ = layer.backward(x, np.ones((3, 2, 1)))
    >>> layer.getGradHiddenState(0)
    array([[0.875],
           [0.875]])

    Reference
    ---------
    torch/rnn, SeqGRU.lua. Cho and others, Learning phrase representations using RNN
    encoder-decoder, 2014.
    """
