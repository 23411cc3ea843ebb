"""Right layers of ids: a row of a table for each."""

import math

import numpy as np

from bugs.good import Good, odd
from torchlite import nn, random


class Lookup(nn.Module):
    """Repeated ids add up, by np.add.at."""

    def __init__(self, V, D):
        self.W = random.normal(0, 1, size=(V, D))
        self.dW = np.zeros((V, D))

    def parameters(self):
        return [self.W], [self.dW]

    def updateOutput(self, ids):
        self.output = self.W[ids]
        return self.output

    def updateGradInput(self, ids, dout):
        self.gradInput = np.zeros_like(ids)
        return self.gradInput

    def accGradParameters(self, ids, dout, scale=1):
        np.add.at(self.dW, ids, scale * dout)


class LookupByLoop(Lookup):
    """Id by id."""

    def updateOutput(self, ids):
        out = np.empty((*ids.shape, self.W.shape[1]), self.W.dtype)
        for place in np.ndindex(ids.shape):
            out[place] = self.W[ids[place]]
        self.output = out
        return out

    def accGradParameters(self, ids, dout, scale=1):
        for place in np.ndindex(ids.shape):
            self.dW[ids[place]] += scale * dout[place]


class LookupByProduct(Lookup):
    """Rows of an identity matrix times the table."""

    def updateOutput(self, ids):
        hot = np.eye(len(self.W), dtype=self.W.dtype)[ids]
        self.output = hot @ self.W
        return self.output

    def accGradParameters(self, ids, dout, scale=1):
        V, D = self.W.shape
        hot = np.eye(V, dtype=self.W.dtype)[ids].reshape(ids.size, V)
        self.dW += scale * hot.T @ dout.reshape(ids.size, D)


class LookupByCounting(Lookup):
    """Column by column with np.bincount."""

    def accGradParameters(self, ids, dout, scale=1):
        V, D = self.W.shape
        flat = dout.reshape(ids.size, D)
        for d in range(D):
            self.dW[:, d] += scale * np.bincount(ids.ravel(), weights=flat[:, d], minlength=V)


class LookupBySorting(Lookup):
    """Equal ids are brought together and summed up at once."""

    def accGradParameters(self, ids, dout, scale=1):
        if not ids.size:
            return
        order = np.argsort(ids, axis=None, kind="stable")
        which, starts = np.unique(ids.ravel()[order], return_index=True)
        rows = dout.reshape(ids.size, self.W.shape[1])[order]
        self.dW[which] += scale * np.add.reduceat(rows, starts, axis=0)


class ScaledLookup(Lookup):
    """Times the root of the size, as in a transformer."""

    def updateOutput(self, ids):
        self.output = self.W[ids] * math.sqrt(self.W.shape[1])
        return self.output

    def accGradParameters(self, ids, dout, scale=1):
        np.add.at(self.dW, ids, scale * math.sqrt(self.W.shape[1]) * dout)


class PaddedLookup(Lookup):
    """Id 0 is padding: zeros, and no gradient."""

    def updateOutput(self, ids):
        self.output = self.W[ids] * (ids != 0)[..., None]
        return self.output

    def accGradParameters(self, ids, dout, scale=1):
        real = ids != 0
        np.add.at(self.dW, ids[real], scale * dout[real])


class Bag(Lookup):
    """The sum of the rows of all ids of a sample: (N, T) to (N, D)."""

    def updateOutput(self, ids):
        self.output = self.W[ids].sum(axis=1)
        return self.output

    def accGradParameters(self, ids, dout, scale=1):
        np.add.at(self.dW, ids, scale * dout[:, None])


class MeanBag(Lookup):
    def updateOutput(self, ids):
        self.output = self.W[ids].mean(axis=1)
        return self.output

    def accGradParameters(self, ids, dout, scale=1):
        for row, g in zip(ids, dout, strict=True):
            for i in row:
                self.dW[i] += scale * g / len(row)


class MaximumBag(Lookup):
    """Of all ids of a sample the largest, feature by feature."""

    def updateOutput(self, ids):
        self.output = self.W[ids].max(axis=1)
        return self.output

    def accGradParameters(self, ids, dout, scale=1):
        first = self.W[ids].argmax(axis=1)
        for n in range(len(ids)):
            for d in range(self.W.shape[1]):
                self.dW[ids[n, first[n, d]], d] += scale * dout[n, d]


class Hashed(Lookup):
    """Any whole number, by its remainder."""

    def updateOutput(self, ids):
        self.output = self.W[ids % len(self.W)]
        return self.output

    def accGradParameters(self, ids, dout, scale=1):
        np.add.at(self.dW, ids % len(self.W), scale * dout)


class WithPosition(nn.Module):
    """The row of an id plus that of its place, from two tables."""

    def __init__(self, V, T, D):
        self.tables = [random.normal(0, 1, size=(V, D)), random.normal(0, 1, size=(T, D))]
        self.grads = [np.zeros((V, D)), np.zeros((T, D))]

    def parameters(self):
        return self.tables, self.grads

    def updateOutput(self, ids):
        words, places = self.tables
        self.output = words[ids] + places[: ids.shape[1]]
        return self.output

    def updateGradInput(self, ids, gradOutput):
        self.gradInput = np.zeros_like(ids)
        return self.gradInput

    def accGradParameters(self, ids, gradOutput, scale=1):
        np.add.at(self.grads[0], ids, scale * gradOutput)
        self.grads[1][: ids.shape[1]] += scale * gradOutput.sum(axis=0)


class TwoFields(nn.Module):
    """[user, item]: the inner product of the two rows."""

    def __init__(self, users, items, D):
        self.U, self.V = random.normal(0, 1, size=(users, D)), random.normal(0, 1, size=(items, D))
        self.dU, self.dV = np.zeros_like(self.U), np.zeros_like(self.V)

    def parameters(self):
        return [self.U, self.V], [self.dU, self.dV]

    def updateOutput(self, input):
        u, v = input
        self.output = np.einsum("nd,nd->n", self.U[u], self.V[v])
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = [np.zeros_like(ids) for ids in input]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        u, v = input
        g = scale * gradOutput[:, None]
        np.add.at(self.dU, u, g * self.V[v])
        np.add.at(self.dV, v, g * self.U[u])


class WeightedBag(nn.Module):
    """[ids, weights]: a weighted sum of rows, with a gradient for the weights."""

    def __init__(self, V, D):
        self.weight = random.normal(0, 1, size=(V, D))
        self.gradWeight = np.zeros((V, D))

    def updateOutput(self, input):
        ids, a = input
        self.output = np.einsum("nt,ntd->nd", a, self.weight[ids])
        return self.output

    def updateGradInput(self, input, gradOutput):
        ids, _ = input
        da = np.einsum("nd,ntd->nt", gradOutput, self.weight[ids])
        self.gradInput = [np.zeros_like(ids), da]
        return self.gradInput

    def accGradParameters(self, input, gradOutput, scale=1):
        ids, a = input
        np.add.at(self.gradWeight, ids, scale * a[..., None] * gradOutput[:, None])


class TiedScores(nn.Module):
    """Ids to rows, tanh, and scores against the same table: (N,) to (N, V)."""

    def __init__(self, V, D):
        self.weight = random.normal(0, 1, size=(V, D))
        self.gradWeight = np.zeros((V, D))

    def updateOutput(self, ids):
        self.output = np.tanh(self.weight[ids]) @ self.weight.T
        return self.output

    def updateGradInput(self, ids, gradOutput):
        self.gradInput = np.zeros_like(ids)
        return self.gradInput

    def accGradParameters(self, ids, gradOutput, scale=1):
        h = np.tanh(self.weight[ids])
        self.gradWeight += scale * gradOutput.T @ h
        np.add.at(self.gradWeight, ids, scale * (gradOutput @ self.weight) * (1 - h * h))


class Counts(nn.Module):
    """A bag of words, without parameters: (N, T) to (N, V)."""

    def __init__(self, V):
        self.rows = np.eye(V)

    def updateOutput(self, ids):
        self.output = self.rows[ids].sum(axis=1)
        return self.output

    def updateGradInput(self, ids, gradOutput):
        self.gradInput = np.zeros_like(ids)
        return self.gradInput


def ids(N, n):
    return lambda rng: rng.integers(0, n, N)


def texts(N, n):
    """Longer than the vocabulary, so that ids repeat."""
    return lambda rng: rng.integers(0, n, (N, n + 2))


def any_number(N, n):
    return lambda rng: rng.integers(0, 1000, (N, 3))


def two(N, n):
    return lambda rng: [rng.integers(0, n, N), rng.integers(0, n + 1, N)]


def weighted(N, n):
    return lambda rng: [rng.integers(0, n, (N, 4)), odd(rng, (N, 4))]


GOOD = [
    *(
        Good(lambda n, m, kind=kind: kind(n, m), texts)
        for kind in (Lookup, LookupByLoop, LookupByProduct, LookupByCounting, LookupBySorting)
    ),
    Good(lambda n, m: Lookup(n, m).float(), texts, label="float32"),
    Good(lambda n, m: ScaledLookup(n, m), ids),
    Good(lambda n, m: PaddedLookup(n, m), texts),
    Good(lambda n, m: Bag(n, m), texts),
    Good(lambda n, m: MeanBag(n, m), texts),
    Good(lambda n, m: MaximumBag(n, m), texts),
    Good(lambda n, m: Hashed(7, m), any_number),
    Good(lambda n, m: WithPosition(n, n + 2, m), texts),
    Good(lambda n, m: TwoFields(n, n + 1, m), two),
    Good(lambda n, m: WeightedBag(n, m), weighted),
    Good(lambda n, m: TiedScores(n, m), ids),
    Good(lambda n, m: Counts(n), texts),
]
