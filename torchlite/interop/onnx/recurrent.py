"""Recurrent layers in ONNX: those that take their state as input, and those of whole sequences."""

from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, UnsayableError, Value
from torchlite.interop.onnx.rules import composed, refused, rule

__all__: list[str] = []

refused("ONNX's LSTM makes no projection", nn.SeqLSTMP)
_KEPT = "masks, states that it starts with or keeps"


@rule(nn.StepLSTM, but="masks")
def step_lstm(g: Graph, layer: Any, input: list[Value], output: Any) -> Any:
    x, h, c = input
    n = layer.hiddensize
    gates = _gates(g, layer, layer.weight, layer.bias, x, h)
    i, f, o = (g.node("Sigmoid", _block(g, gates, k, n)) for k in range(3))
    news = g.node("Mul", i, g.node("Tanh", _block(g, gates, 3, n)))
    next_c = g.node("Add", g.node("Mul", f, c), news)
    next_h = g.node("Mul", o, g.node("Tanh", next_c))
    if layer.weightO is not None:
        next_h = g.node("MatMul", next_h, layer.weightO)
    return [next_h, next_c]


@rule(nn.StepGRU, but="masks")
def step_gru(g: Graph, layer: Any, input: list[Value], output: Any) -> Any:
    x, h = input
    n = layer.hiddensize
    of_ru, of_k = np.split(layer.weight, [2 * n], axis=1)
    ru = g.node("Sigmoid", _gates(g, layer, of_ru, layer.bias[: 2 * n], x, h))
    r, u = _block(g, ru, 0, n), _block(g, ru, 1, n)
    k = g.node("Tanh", _gates(g, layer, of_k, layer.bias[2 * n :], x, g.node("Mul", r, h)))
    # (1 - u) * k + u * h
    return g.node("Add", k, g.node("Mul", u, g.node("Sub", h, k)))


def _gates(g: Graph, layer: Any, weight: Any, bias: Any, x: Any, h: Any) -> str:
    """Return the name of the products of input and state, plus bias."""
    _must_not_mask(layer)
    return str(g.node("Gemm", g.node("Concat", x, h, axis=1), weight, bias))


def _must_not_mask(layer: Any) -> None:
    if layer.maskzero:
        raise UnsayableError("it masks steps")


def _block(g: Graph, gates: str, k: int, n: int) -> str:
    """Return the name of the k-th block of n gates."""
    return g.slice(gates, 1, k * n, (k + 1) * n)


@rule(nn.SeqLSTM, but=_KEPT)
def seq_lstm(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    # ONNX has the gates in the order i, o, f, z.
    return _sequence(g, layer, input, "LSTM", [0, 2, 1, 3])


@rule(nn.SeqGRU, but=_KEPT)
def seq_gru(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return _sequence(g, layer, input, "GRU", [1, 0, 2])


def _sequence(g: Graph, layer: Any, input: Value, op: str, order: list[int]) -> str:
    _must_not_mask(layer)
    if layer._remember in ("both", "eval"):
        raise UnsayableError("it keeps its state from one call to the next")
    if layer.startState is not None:
        raise UnsayableError("it starts with a state of its own")
    n, cell = layer.hiddensize, layer._cell()
    columns = np.arange(len(order) * n).reshape(-1, n)[order].reshape(-1)
    weight, recurrence = (part.T[columns][None] for part in (cell.ofInput, cell.ofHidden))
    bias = np.concatenate([layer.bias[columns], np.zeros_like(layer.bias)])[None]
    turned = [1, 0, 2] if layer.batchfirst else None
    x = g.node("Transpose", input, perm=turned) if turned else input
    made = g.node(op, x, weight, recurrence, bias, hidden_size=n)
    sequence = g.node("Squeeze", made, [1])
    return str(g.node("Transpose", sequence, perm=turned) if turned else sequence)


# ---------------------------------------------------------------- the other way round


@rule(nn.SeqReverseSequence)
def reversed_along(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return backwards(g, input, layer._plan("updateOutput", input))


@composed(nn.ReverseSequence)
def reverse_sequence(g: Graph, layer: Any, input: Any) -> Any:
    if not isinstance(input, Value):
        return list(input)[::-1]
    return input.named(backwards(g, input, 0))


@composed(nn.ReverseUnreverse)
def reverse_unreverse(g: Graph, layer: Any, input: Any) -> Any:
    there = g.run(nn.ReverseSequence(), input)
    return g.run(nn.ReverseSequence(), layer.modules[0].updateOutput(there))


def backwards(g: Graph, input: Value, axis: int) -> str:
    """Return the name of the input with the last of an axis first."""
    return g.slice(input, axis, -1, np.iinfo("int64").min, -1)
