"""Recurrent layers in ONNX: those that take their state as input, and those of whole sequences."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, UnsayableError, Value, probe_of, zipped
from torchlite.interop.onnx.rules import composed, refused, rule
from torchlite.interop.onnx.simple import product
from torchlite.nn.nested import leaves, map_arrays

__all__: list[str] = []

_KEPT = "masks, a start state, projections, and a state that it remembers"
_REMEMBERED = "it remembers its state from one call to the next"
_NO_PROJECTION = "ONNX's LSTM makes no projection"


refused(_NO_PROJECTION, nn.SeqLSTMP)
refused("its mask is told with each batch, or found in it", nn.MaskZero)
refused("how many rows are left depends on what is in them", nn.TrimZero, nn.VariableLength)


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
    return _between(g, k, h, u)


def _gates(g: Graph, layer: Any, weight: Any, bias: Any, x: Any, h: Any) -> str:
    """Return the name of the products of input and state, plus bias."""
    _must_not_mask(layer)
    return str(g.node("Gemm", g.node("Concat", x, h, axis=1), weight, bias))


def _must_not_mask(layer: Any) -> None:
    if layer.maskzero and (layer.v1 or layer.zeroMask is not False):
        raise UnsayableError("it masks steps")


def _block(g: Graph, gates: str, k: int, n: int) -> str:
    """Return the name of the k-th block of n gates."""
    return g.slice(gates, -1, k * n, (k + 1) * n)


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
        raise UnsayableError(_REMEMBERED)
    if layer.weightO is not None:
        raise UnsayableError(_NO_PROJECTION)
    n, cell = layer.hiddensize, layer._cell()
    columns = np.arange(len(order) * n).reshape(-1, n)[order].reshape(-1)
    weight, recurrence = (part.T[columns][None] for part in (cell.ofInput, cell.ofHidden))
    bias = np.concatenate([layer.bias[columns], np.zeros_like(layer.bias)])[None]
    turned = [1, 0, 2] if layer.batchfirst else None
    x = g.node("Transpose", input, perm=turned) if turned else input
    made = g.node(op, x, weight, recurrence, bias, hidden_size=n)
    sequence = g.node("Squeeze", made, [1])
    return str(g.node("Transpose", sequence, perm=turned) if turned else sequence)


# ---------------------------------------------------------------- step by step

_ALONE = "its state goes from one call to the next, outside of a Sequencer"
_IN_A_SEQUENCER = "masks, a start state, and outside of a Sequencer"


def _before(g: Graph, layer: Any, input: Any) -> list[Any]:
    """Return the state that a step begins with: zeros, or what the step before has left."""
    if g.states is None:
        raise UnsayableError(_ALONE)
    _must_not_mask(layer)
    if id(layer) not in g.states:
        given = [value.dtype for value in leaves(input)]
        dtype = next((dtype for dtype in given if dtype.kind == "f"), layer.type())
        batches = [layer._batch_of(probe_of(input, which)) for which in (0, 1)]

        def zeros(size: Any) -> Any:
            if isinstance(size, list):
                return [zeros(entry) for entry in size]
            made = zipped(*(np.zeros((*batch, *size), dtype) for batch in batches))
            return made.named(g.zeros(g.lengths(made, *leaves(input)), dtype))

        g.states[id(layer)] = zeros(layer._sizes)
    return g.states[id(layer)]


@composed(nn.RecGRU, nn.RecLSTM, but=_IN_A_SEQUENCER)
def celled(g: Graph, layer: Any, input: Value) -> Any:
    after = layer.modules[0].updateOutput([input, *_before(g, layer, input)])
    return _left(g, layer, *(after if isinstance(after, list) else [after]))


@composed(nn.LinearRNN, nn.Recurrence, but=_IN_A_SEQUENCER)
def recurrence(g: Graph, layer: Any, input: Any) -> Any:
    after = layer.modules[0].updateOutput([input, *_before(g, layer, input)])
    return _left(g, layer, after)


def _linked(g: Graph, layer: Any, numbers: Any, rows: Value) -> str:
    """Return the name of what some links make of rows, side by side."""
    links = [layer._links()[number] for number in numbers]
    made = [product(g, rows, link.weight, link.bias) for link in links]
    return str(made[0] if len(made) == 1 else g.node("Concat", *made, axis=-1))


def _left(g: Graph, layer: Any, *state: Value) -> Value:
    """Note what a step has left; return the output, which is the first of it."""
    g.states[id(layer)] = list(state)
    return state[0]


@composed(nn.FastLSTM, nn.LSTM, but=_IN_A_SEQUENCER)
def long_memory(g: Graph, layer: Any, input: Value) -> Any:
    h, c = _before(g, layer, input)
    if isinstance(layer, nn.FastLSTM):
        of_input, of_state = layer._numbers()
        sums = g.node("Add", _linked(g, layer, of_input, input), _linked(g, layer, of_state, h))
        i, z, f, o = (_block(g, sums, k, layer.outputSize) for k in range(4))
    else:
        f, i, z, o = (
            g.node("Add", _linked(g, layer, [k], input), _linked(g, layer, [k + 1], h))
            for k in (0, 2, 4, 6)
        )

    def gate(sums: str, peephole: Any, cell: Any) -> str:
        if isinstance(peephole, np.ndarray):
            sums = g.node("Add", sums, g.node("Mul", cell, peephole))
        return str(g.node("Sigmoid", sums))

    of_f, of_i, of_o = layer._peepholes
    news = g.node("Mul", gate(i, of_i, c), g.node("Tanh", z))
    next_c = c.named(g.node("Add", g.node("Mul", gate(f, of_f, c), c), news))
    next_h = g.node("Mul", gate(o, of_o, next_c), g.node("Tanh", next_c))
    return _left(g, layer, h.named(next_h), next_c)


@composed(nn.GRU, but=_IN_A_SEQUENCER)
def gru(g: Graph, layer: Any, input: Value) -> Any:
    (h,) = _before(g, layer, input)
    x_ru, h_ru, x_k, h_k = layer._numbers()
    sums = g.node("Add", _linked(g, layer, x_ru, input), _linked(g, layer, h_ru, h))
    r, u = (g.node("Sigmoid", _block(g, sums, k, layer.outputSize)) for k in range(2))
    kept = h.named(g.node("Mul", r, h))
    k = g.node("Add", _linked(g, layer, x_k, input), _linked(g, layer, h_k, kept))
    return _left(g, layer, h.named(_between(g, g.node("Tanh", k), h, u)))


def _between(g: Graph, new: str, old: Any, u: str) -> str:
    """Return the name of (1 - u) * new + u * old."""
    return str(g.node("Add", new, g.node("Mul", u, g.node("Sub", old, new))))


@composed(nn.MuFuRu, but=_IN_A_SEQUENCER)
def multi_function(g: Graph, layer: Any, input: Value) -> Any:
    (s,) = _before(g, layer, input)
    n = layer.outputSize
    both = input.made(lambda p: np.zeros((*p.shape[:-1], p.shape[-1] + n), p.dtype))

    def beside(state: Any) -> Value:
        return both.named(g.node("Concat", input, state, axis=-1))

    r = g.node("Sigmoid", g.node("Add", _linked(g, layer, [0], input), _linked(g, layer, [1], s)))
    v = g.node("Sigmoid", _linked(g, layer, [2], beside(g.node("Mul", r, s))))
    shares = g.node("Reshape", _linked(g, layer, [3], beside(s)), [0, len(layer.ops), n])
    shares = g.node("Softmax", shares, axis=1)
    difference = g.node("Sub", s, v)
    quarter = np.array(0.25, s.dtype)
    made = {
        "keep": s,
        "replace": v,
        "mul": g.node("Mul", s, v),
        "diff": difference,
        "forget": g.node("Sub", s, s),
        "sqrt_diff": g.node("Mul", g.node("Sqrt", g.node("Abs", difference)), quarter),
        "max": g.node("Max", s, v),
        "min": g.node("Min", s, v),
    }
    terms = [g.node("Mul", g.pick(shares, 1, k), made[op]) for k, op in enumerate(layer.ops)]
    return _left(g, layer, s.named(g.node("Sum", *terms)))


@composed(nn.Recurrent, but="outside of a Sequencer")
def recurrent(g: Graph, layer: Any, input: Any) -> Any:
    if g.states is None:
        raise UnsayableError(_ALONE)
    start, of_input, feedback, transfer, merge = layer.modules
    given = of_input.updateOutput(input)
    if id(layer) in g.states:
        (state,) = g.states[id(layer)]
        merged = merge.updateOutput([given, feedback.updateOutput(state)])
    else:
        merged = start.updateOutput(given)
    return _left(g, layer, transfer.updateOutput(merged))


@composed(nn.Recursor)
def recursor(g: Graph, layer: Any, input: Any) -> Any:
    _must_not_mask(layer)
    return layer.modules[0].updateOutput(input)


@composed(nn.NormStabilizer)
def as_it_is(g: Graph, layer: Any, input: Any) -> Any:
    return input


@composed(nn.Sequencer, but="a state that it remembers")
def sequencer(g: Graph, layer: Any, input: Any) -> Any:
    outputs = steps(g, layer, g.run(nn.SplitTable(0), input) if _is_value(input) else input)
    if not (_is_value(input) and all(map(_is_value, outputs))):
        return outputs
    return g.run(nn.JoinTable(0), [g.run(nn.Unsqueeze(0), output) for output in outputs])


@composed(nn.Repeater)
def repeater(g: Graph, layer: Any, input: Any) -> Any:
    return steps(g, layer, [input] * layer.seqlen)


@composed(nn.BiSequencer, nn.SeqBRNN)
def both_ways(g: Graph, layer: Any, input: Any) -> Any:
    return layer.modules[0].updateOutput(input)


@composed(nn.BiSequencerLM)
def around_each(g: Graph, layer: Any, input: Any) -> Any:
    def zeros(value: Any) -> Any:
        return value.named(g.zeros(g.node("Shape", value), value.dtype))

    ahead, back = (
        module.updateOutput(part)
        for module, part in zip(layer.modules, (input[:-1], input[1:]), strict=False)
    )
    before = [map_arrays(zeros, ahead[0]), *ahead]
    behind = [*back, map_arrays(zeros, back[-1])]
    pairs = [list(pair) for pair in zip(before, behind, strict=True)]
    return layer.modules[2].updateOutput(pairs)


@composed(nn.RecurrentAttention)
def attention(g: Graph, layer: Any, input: Any) -> Any:
    rnn, action = layer.modules
    first = leaves(input)[0]
    start = first.made(lambda p: np.zeros((len(p), *layer.hiddenSize), first.dtype))
    hidden, made = start.named(g.zeros(g.lengths(start, first), first.dtype)), list[Any]()
    with sequence(g, layer):
        for _ in range(layer.nStep):
            acted = action.updateOutput(hidden)
            hidden = rnn.updateOutput([input, acted])
            made.append([hidden, acted] if layer.forwardActions else hidden)
    return made


def steps(g: Graph, layer: Any, inputs: Any) -> list[Any]:
    """Return what the module makes of each input of a new sequence."""
    with sequence(g, layer):
        return [layer.modules[0].updateOutput(entry) for entry in inputs]


@contextmanager
def sequence(g: Graph, layer: Any) -> Iterator[None]:
    """Let the modules inside a layer begin with a new sequence."""
    if layer._remember in ("both", "eval"):
        raise UnsayableError(_REMEMBERED)
    before, g.states = g.states, {}
    try:
        yield
    finally:
        g.states = before


def _is_value(table: Any) -> bool:
    return isinstance(table, Value)


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
