"""Right layers as students of a course on convolutional networks write them.

Forward and backward are functions that share a cache, wrapped in modules: what the backward needs
is computed anew from the input that it is given.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bugs.good import WHOLE_BATCH, Good, odd
from torchlite import nn, random
from torchlite.errors import StateError

# ---------------------------------------------------------------- functions


def affine_forward(x, w, b):
    out = x.reshape(len(x), w.shape[0]) @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), w.shape[0]).T @ dout
    return dx, dw, dout.sum(axis=0)


def batchnorm_forward(x, gamma, beta, mean, var, eps):
    std = np.sqrt(var + eps)
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, std, gamma)


def batchnorm_backward_staged(dout, x, gamma, eps):
    """Node by node through the graph."""
    N = len(x)
    mu = x.sum(0) / N
    xmu = x - mu
    var = (xmu**2).sum(0) / N
    sqrtvar = np.sqrt(var + eps)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar
    dbeta = dout.sum(0)
    dgamma = (dout * xhat).sum(0)
    dxhat = dout * gamma
    divar = (dxhat * xmu).sum(0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -divar / sqrtvar**2
    dvar = 0.5 * dsqrtvar / np.sqrt(var + eps)
    dxmu2 = 2 * xmu * (np.ones_like(x) * dvar / N)
    dx1 = dxmu1 + dxmu2
    dmu = -dx1.sum(0)
    return dx1 + np.ones_like(x) * dmu / N, dgamma, dbeta


def batchnorm_backward_alt(dout, x, gamma, eps):
    """In one formula."""
    N = len(x)
    var = x.var(axis=0)
    xhat = (x - x.mean(axis=0)) / np.sqrt(var + eps)
    dgamma, dbeta = np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)
    dx = gamma / np.sqrt(var + eps) / N * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


def layernorm_forward(x, gamma, beta, eps):
    mu = x.mean(axis=1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=1, keepdims=True)
    xhat = (x - mu) / np.sqrt(var + eps)
    return gamma * xhat + beta, (xhat, var, gamma, eps)


def layernorm_backward(dout, cache):
    xhat, var, gamma, eps = cache
    D = xhat.shape[1]
    dxhat = dout * gamma
    dx = (
        D * dxhat
        - dxhat.sum(axis=1, keepdims=True)
        - xhat * (dxhat * xhat).sum(axis=1, keepdims=True)
    ) / (D * np.sqrt(var + eps))
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def conv_forward_naive(x, w, b, stride, pad):
    N, _, H, W = x.shape
    F, _, HH, WW = w.shape
    Ho, Wo = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((N, F, Ho, Wo), dtype=np.result_type(x, w))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    top, left = i * stride, j * stride
                    window = xp[n, :, top : top + HH, left : left + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out


def conv_backward_naive(dout, x, w, stride, pad):
    N, F, Ho, Wo = dout.shape
    _, _, HH, WW = w.shape
    H, W = x.shape[2:]
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    top, left = i * stride, j * stride
                    dw[f] += xp[n, :, top : top + HH, left : left + WW] * dout[n, f, i, j]
                    dxp[n, :, top : top + HH, left : left + WW] += w[f] * dout[n, f, i, j]
    return dxp[:, :, pad : pad + H, pad : pad + W].copy(), dw, dout.sum(axis=(0, 2, 3))


def im2col_indices(shape, HH, WW, stride, pad):
    _, C, H, W = shape
    Ho, Wo = (H + 2 * pad - HH) // stride + 1, (W + 2 * pad - WW) // stride + 1
    i0 = np.tile(np.repeat(np.arange(HH), WW), C)
    i1 = stride * np.repeat(np.arange(Ho), Wo)
    j0 = np.tile(np.arange(WW), HH * C)
    j1 = stride * np.tile(np.arange(Wo), Ho)
    k = np.repeat(np.arange(C), HH * WW)[:, None]
    return k, i0[:, None] + i1[None], j0[:, None] + j1[None], Ho, Wo


def svm_loss(x, y):
    correct = x[np.arange(len(x)), y]
    margins = np.maximum(0, x - correct[:, None] + 1.0)
    margins[np.arange(len(x)), y] = 0
    return margins.sum() / len(x), margins


def softmax_loss(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(x)), y].sum() / len(x), np.exp(logp)


# ---------------------------------------------------------------- layers


class AffineLayer(nn.Module):
    """(N, d1, d2) to (N, M)."""

    def __init__(self, D, M):
        self.w = random.normal(0, 1, size=(D, M))
        self.b = np.zeros(M)
        self.dw, self.db = np.zeros_like(self.w), np.zeros_like(self.b)

    def parameters(self):
        return [self.w, self.b], [self.dw, self.db]

    def updateOutput(self, x):
        self.output, _ = affine_forward(x, self.w, self.b)
        return self.output

    def updateGradInput(self, x, dout):
        self.gradInput = affine_backward(dout, (x, self.w, self.b))[0]
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        _, dw, db = affine_backward(dout, (x, self.w, self.b))
        self.dw += scale * dw
        self.db += scale * db


class AffineRelu(AffineLayer):
    """A sandwich of both."""

    def updateOutput(self, x):
        a, _ = affine_forward(x, self.w, self.b)
        self.output = np.maximum(0, a)
        return self.output

    def _da(self, x, dout):
        return dout * (affine_forward(x, self.w, self.b)[0] > 0)

    def updateGradInput(self, x, dout):
        return super().updateGradInput(x, self._da(x, dout))

    def accGradParameters(self, x, dout, scale=1):
        super().accGradParameters(x, self._da(x, dout), scale)


class ReluLayer(nn.Module):
    def updateOutput(self, x):
        self.output = np.maximum(0, x)
        return self.output

    def updateGradInput(self, x, dout):
        dx = dout.copy()
        dx[x <= 0] = 0
        self.gradInput = dx
        return dx


class LeakyRelu(nn.Module):
    def __init__(self, alpha=2e-3):
        self.alpha = alpha

    def updateOutput(self, x):
        self.output = np.where(x > 0, x, self.alpha * x)
        return self.output

    def updateGradInput(self, x, dout):
        self.gradInput = np.where(x > 0, 1, self.alpha) * dout
        self.gradInput = self.gradInput.astype(x.dtype)
        return self.gradInput


class BatchNorm(nn.Module):
    eps, momentum = 1e-5, 0.9
    backward_of = staticmethod(batchnorm_backward_staged)

    def __init__(self, D):
        self.gamma, self.beta = np.ones(D), np.zeros(D)
        self.dgamma, self.dbeta = np.zeros(D), np.zeros(D)
        self.running_mean, self.running_var = np.zeros(D), np.ones(D)

    def parameters(self):
        return [self.gamma, self.beta], [self.dgamma, self.dbeta]

    def updateOutput(self, x):
        if self.train and len(x):
            mean, var = x.mean(axis=0), x.var(axis=0)
            out, _ = batchnorm_forward(x, self.gamma, self.beta, mean, var, self.eps)
            self.running_mean *= self.momentum
            self.running_mean += (1 - self.momentum) * mean
            self.running_var *= self.momentum
            self.running_var += (1 - self.momentum) * var
        else:
            out, _ = batchnorm_forward(
                x, self.gamma, self.beta, self.running_mean, self.running_var, self.eps
            )
        self.output = out
        return out

    def _backward(self, x, dout):
        if self.train and len(x):
            return self.backward_of(dout, x, self.gamma, self.eps)
        std = np.sqrt(self.running_var + self.eps)
        xhat = (x - self.running_mean) / std
        return dout * self.gamma / std, (dout * xhat).sum(0), dout.sum(0)

    def updateGradInput(self, x, dout):
        self.gradInput = self._backward(x, dout)[0]
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        _, dgamma, dbeta = self._backward(x, dout)
        self.dgamma += scale * dgamma
        self.dbeta += scale * dbeta


class BatchNormAlt(BatchNorm):
    """np.var is no analytic function."""

    backward_of = staticmethod(batchnorm_backward_alt)


class SpatialBatchNorm(BatchNorm):
    """The same over (N, C, H, W), by transposing."""

    def _by_channel(self, x):
        return x.transpose(0, 2, 3, 1).reshape(x.size // x.shape[1], x.shape[1])

    def _unflat(self, rows, x):
        N, C, H, W = x.shape
        return np.ascontiguousarray(rows.reshape(N, H, W, C).transpose(0, 3, 1, 2))

    def updateOutput(self, x):
        self.output = self._unflat(super().updateOutput(self._by_channel(x)), x)
        return self.output

    def updateGradInput(self, x, dout):
        dx = super().updateGradInput(self._by_channel(x), self._by_channel(dout))
        self.gradInput = self._unflat(dx, x)
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        super().accGradParameters(self._by_channel(x), self._by_channel(dout), scale)


class LayerNormLayer(nn.Module):
    eps = 1e-5

    def __init__(self, D):
        self.gamma, self.beta = np.ones(D), np.zeros(D)
        self.dgamma, self.dbeta = np.zeros(D), np.zeros(D)

    def parameters(self):
        return [self.gamma, self.beta], [self.dgamma, self.dbeta]

    def updateOutput(self, x):
        self.output, _ = layernorm_forward(x, self.gamma, self.beta, self.eps)
        return self.output

    def _backward(self, x, dout):
        _, cache = layernorm_forward(x, self.gamma, self.beta, self.eps)
        return layernorm_backward(dout, cache)

    def updateGradInput(self, x, dout):
        self.gradInput = self._backward(x, dout)[0]
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        _, dgamma, dbeta = self._backward(x, dout)
        self.dgamma += scale * dgamma
        self.dbeta += scale * dbeta


class ConvNaive(nn.Module):
    """Four loops."""

    stride, pad = 1, 1

    def __init__(self, C, F, size=3):
        self.w = random.normal(0, 0.5, size=(F, C, size, size))
        self.b = random.normal(0, 0.5, size=F)
        self.dw, self.db = np.zeros_like(self.w), np.zeros_like(self.b)

    def parameters(self):
        return [self.w, self.b], [self.dw, self.db]

    def updateOutput(self, x):
        self.output = conv_forward_naive(x, self.w, self.b, self.stride, self.pad)
        return self.output

    def updateGradInput(self, x, dout):
        self.gradInput = conv_backward_naive(dout, x, self.w, self.stride, self.pad)[0]
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        _, dw, db = conv_backward_naive(dout, x, self.w, self.stride, self.pad)
        self.dw += scale * dw
        self.db += scale * db


class ConvIm2col(ConvNaive):
    """Patches as columns, by fancy indices and np.add.at."""

    def __init__(self, C, F, size=3, stride=1, pad=1):
        super().__init__(C, F, size)
        self.stride, self.pad = stride, pad

    def _columns(self, x):
        p = self.pad
        k, i, j, Ho, Wo = im2col_indices(x.shape, *self.w.shape[2:], self.stride, p)
        xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        return xp, xp[:, k, i, j], (k, i, j), Ho, Wo

    def updateOutput(self, x):
        F = len(self.w)
        _, cols, _, Ho, Wo = self._columns(x)
        out = self.w.reshape(F, self.w[0].size) @ cols + self.b[:, None]
        self.output = out.reshape(len(x), F, Ho, Wo)
        return self.output

    def updateGradInput(self, x, dout):
        F, p = len(self.w), self.pad
        xp, _, (k, i, j), Ho, Wo = self._columns(x)
        dcols = self.w.reshape(F, self.w[0].size).T @ dout.reshape(len(x), F, Ho * Wo)
        dxp = np.zeros_like(xp)
        np.add.at(dxp, (slice(None), k, i, j), dcols)
        H, W = x.shape[2:]
        self.gradInput = dxp[:, :, p : p + H, p : p + W].copy()
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        F = len(self.w)
        _, cols, _, Ho, Wo = self._columns(x)
        dw = np.einsum("nfl,nkl->fk", dout.reshape(len(x), F, Ho * Wo), cols)
        self.dw += scale * dw.reshape(self.w.shape)
        self.db += scale * dout.sum(axis=(0, 2, 3))


class ConvWindows(ConvNaive):
    """Windows as a view, and einsum; the gradient is a convolution with the turned kernel."""

    def updateOutput(self, x):
        xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = sliding_window_view(xp, self.w.shape[2:], axis=(2, 3))
        out = np.einsum("nchwij,fcij->nfhw", windows, self.w)
        self.output = out + self.b[:, None, None]
        return self.output

    def updateGradInput(self, x, dout):
        dp = np.pad(dout, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = sliding_window_view(dp, self.w.shape[2:], axis=(2, 3))
        turned = self.w[:, :, ::-1, ::-1]
        self.gradInput = np.einsum("nfhwij,fcij->nchw", windows, turned)
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = sliding_window_view(xp, self.w.shape[2:], axis=(2, 3))
        self.dw += scale * np.einsum("nchwij,nfhw->fcij", windows, dout)
        self.db += scale * dout.sum((0, 2, 3))


class ConvByTaps(ConvNaive):
    """One matrix product for each place of the kernel."""

    def updateOutput(self, x):
        H, W = x.shape[2:]
        xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        out = 0
        for i in range(3):
            for j in range(3):
                part = xp[:, :, i : i + H, j : j + W]
                out = out + np.einsum("nchw,fc->nfhw", part, self.w[:, :, i, j])
        self.output = out + self.b.reshape(1, len(self.b), 1, 1)
        return self.output

    def updateGradInput(self, x, dout):
        H, W = x.shape[2:]
        dxp = np.zeros((*x.shape[:2], H + 2, W + 2), x.dtype)
        for i in range(3):
            for j in range(3):
                dxp[:, :, i : i + H, j : j + W] += np.einsum(
                    "nfhw,fc->nchw", dout, self.w[:, :, i, j]
                )
        self.gradInput = dxp[:, :, 1:-1, 1:-1].copy()
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        H, W = x.shape[2:]
        xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        for i in range(3):
            for j in range(3):
                part = xp[:, :, i : i + H, j : j + W]
                self.dw[:, :, i, j] += scale * np.einsum("nchw,nfhw->fc", part, dout)
        self.db += scale * dout.sum((0, 2, 3))


class DepthwiseConv(nn.Module):
    """A kernel for each channel, of (N, C, L)."""

    def __init__(self, C, K=3):
        self.weight = random.uniform(-1, 1, size=(C, K))
        self.gradWeight = np.zeros((C, K))

    def updateOutput(self, x):
        K = self.weight.shape[1]
        L = x.shape[2] - K + 1
        self.output = sum(x[:, :, k : k + L] * self.weight[:, k, None] for k in range(K))
        return self.output

    def updateGradInput(self, x, dout):
        dx = np.zeros_like(x)
        for k in range(self.weight.shape[1]):
            dx[:, :, k : k + dout.shape[2]] += dout * self.weight[:, k, None]
        self.gradInput = dx
        return dx

    def accGradParameters(self, x, dout, scale=1):
        for k in range(self.weight.shape[1]):
            part = x[:, :, k : k + dout.shape[2]]
            self.gradWeight[:, k] += scale * (part * dout).sum((0, 2))


class MaxPoolNaive(nn.Module):
    """2 by 2, stride 2, in loops; the first of several largest has the gradient."""

    def updateOutput(self, x):
        N, C, H, W = x.shape
        out = np.zeros((N, C, H // 2, W // 2), x.dtype)
        for i in range(H // 2):
            for j in range(W // 2):
                out[:, :, i, j] = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(2, 3))
        self.output = out
        return out

    def updateGradInput(self, x, dout):
        N, C, H, W = x.shape
        dx = np.zeros_like(x)
        for n in range(N):
            for c in range(C):
                for i in range(H // 2):
                    for j in range(W // 2):
                        window = x[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
                        a, b = np.unravel_index(window.argmax(), window.shape)
                        dx[n, c, 2 * i + a, 2 * j + b] += dout[n, c, i, j]
        self.gradInput = dx
        return dx


class MaxPoolReshape(nn.Module):
    """The fast one of the course: ties share the gradient."""

    def _blocks(self, x):
        N, C, H, W = x.shape
        return x.reshape(N, C, H // 2, 2, W // 2, 2)

    def updateOutput(self, x):
        self.output = self._blocks(x).max(axis=3).max(axis=4)
        return self.output

    def updateGradInput(self, x, dout):
        blocks = self._blocks(x)
        out = blocks.max(axis=3).max(axis=4)
        mask = (blocks == out[:, :, :, None, :, None]).astype(x.dtype)
        mask /= mask.sum(axis=(3, 5), keepdims=True)
        self.gradInput = (mask * dout[:, :, :, None, :, None]).reshape(x.shape)
        return self.gradInput


class InvertedDropout(nn.Module):
    """The mask belongs to the last training forward."""

    p = 0.75

    def __init__(self):
        self.mask = None
        self.seen = None

    def updateOutput(self, x):
        if self.train:
            self.mask = (random.uniform(0, 1, size=x.shape) < self.p) / self.p
            self.seen = x
            self.output = x * np.asarray(self.mask, x.real.dtype)
        else:
            self.output = x.copy()
        return self.output

    def updateGradInput(self, x, dout):
        if not self.train:
            self.gradInput = dout.copy()
            return self.gradInput
        if self.seen is None or not np.array_equal(self.seen, x):
            raise StateError("InvertedDropout: forward this input first")
        self.gradInput = dout * np.asarray(self.mask, dout.dtype)
        return self.gradInput


class TwoLayerNet(nn.Module):
    """Parameters in a dictionary, as in the course."""

    def __init__(self, D, H, C):
        self.params = {
            "W1": random.normal(0, 0.5, size=(D, H)),
            "b1": np.zeros(H),
            "W2": random.normal(0, 0.5, size=(H, C)),
            "b2": np.zeros(C),
        }
        self.grads = {key: np.zeros_like(value) for key, value in self.params.items()}

    def parameters(self):
        return list(self.params.values()), list(self.grads.values())

    def updateOutput(self, x):
        p = self.params
        hidden = np.maximum(0, x @ p["W1"] + p["b1"])
        self.output = hidden @ p["W2"] + p["b2"]
        return self.output

    def _dhidden(self, x, dout):
        p = self.params
        hidden = np.maximum(0, x @ p["W1"] + p["b1"])
        return hidden, (dout @ p["W2"].T) * (hidden > 0)

    def updateGradInput(self, x, dout):
        self.gradInput = self._dhidden(x, dout)[1] @ self.params["W1"].T
        return self.gradInput

    def accGradParameters(self, x, dout, scale=1):
        hidden, dhidden = self._dhidden(x, dout)
        new = {"W1": x.T @ dhidden, "b1": dhidden.sum(0), "W2": hidden.T @ dout, "b2": dout.sum(0)}
        for key, value in new.items():
            self.grads[key] += scale * value


class SvmLoss(nn.Criterion):
    """Weston and Watkins; returns a Python number."""

    def updateOutput(self, x, y):
        self.output = float(svm_loss(x, y)[0])
        return self.output

    def updateGradInput(self, x, y):
        _, margins = svm_loss(x, y)
        dx = np.zeros_like(x)
        dx[margins > 0] = 1
        dx[np.arange(len(x)), y] -= (margins > 0).sum(axis=1)
        self.gradInput = dx / len(x)
        return self.gradInput


class SoftmaxLoss(nn.Criterion):
    """Returns NumPy's number, as the course does."""

    def updateOutput(self, x, y):
        self.output = softmax_loss(x, y)[0]
        return self.output

    def updateGradInput(self, x, y):
        dx = softmax_loss(x, y)[1]
        dx[np.arange(len(x)), y] -= 1
        dx /= len(x)
        self.gradInput = dx
        return dx


# ---------------------------------------------------------------- the list


def images(N, n):
    return (N, 2, 4, 4)


def tied_images(N, n):
    return lambda rng: rng.choice([-0.75, 0.5, 1.25], (N, 2, 4, 4))


def flat_images(N, n):
    return (N, n, 2)


def classes(N, n):
    return lambda rng: rng.integers(0, n, N)


def same(N, n):
    return (N, n)


def single(N, n):
    return lambda rng: odd(rng, (N, n)).astype("float32")


CONV = ((2, 3, 2), (1, 2, 3), (3, 4, 1))
LOSSES = ((5, 3, 4), (1, 4, 4), (16, 10, 4))

GOOD = [
    Good(lambda n, m: AffineLayer(2 * n, m), flat_images),
    Good(lambda n, m: AffineLayer(n, m).float(), single, label="float32"),
    Good(lambda n, m: AffineRelu(n, m)),
    Good(lambda n, m: ReluLayer()),
    Good(lambda n, m: LeakyRelu()),
    Good(lambda n, m: BatchNorm(n), exempt=WHOLE_BATCH),
    Good(lambda n, m: BatchNorm(n).evaluate(), exempt=WHOLE_BATCH, label="evaluation"),
    Good(lambda n, m: BatchNormAlt(n), exempt=WHOLE_BATCH),
    Good(lambda n, m: SpatialBatchNorm(2), images, sizes=CONV, exempt=WHOLE_BATCH),
    Good(lambda n, m: LayerNormLayer(n)),
    Good(lambda n, m: LayerNormLayer(n).float(), single, label="float32"),
    Good(lambda n, m: ConvNaive(2, m), images, sizes=CONV),
    Good(lambda n, m: ConvIm2col(2, m), images, sizes=CONV),
    Good(lambda n, m: ConvIm2col(2, m, 2, 2, 0), images, sizes=CONV, label="stride"),
    Good(lambda n, m: ConvWindows(2, m), images, sizes=CONV),
    Good(lambda n, m: ConvByTaps(2, m), images, sizes=CONV),
    Good(lambda n, m: DepthwiseConv(n), lambda N, n: (N, n, 6)),
    Good(lambda n, m: MaxPoolNaive(), images, sizes=CONV),
    Good(lambda n, m: MaxPoolReshape(), images, sizes=CONV),
    Good(lambda n, m: MaxPoolReshape(), tied_images, sizes=CONV, label="ties"),
    Good(lambda n, m: InvertedDropout()),
    Good(lambda n, m: TwoLayerNet(n, 5, m)),
    Good(lambda n, m: SvmLoss(), same, classes, sizes=LOSSES),
    Good(lambda n, m: SoftmaxLoss(), same, classes, sizes=LOSSES),
]
