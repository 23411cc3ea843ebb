"""Sequences give PyTorch's numbers, and a GRU those of its steps, written out."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

from torchlite import nn

SCRIPT = Path(__file__).parent / "data" / "make_pytorch_sequences.py"
SPEC = importlib.util.spec_from_file_location("make_pytorch_sequences", SCRIPT)
made = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(made)

with np.load(made.FILE, allow_pickle=False) as archive:
    STORED = dict(archive)


def in_our_order(weight):
    """Return rows of gates i, f, g, o as columns of i, f, o, z."""
    i, f, g, o = np.split(weight, 4)
    return np.concatenate([i, f, o, g]).T


def of_lstm(stored, suffix):
    """Return weight, bias and projection of a layer, or their gradients, as torchlite has them."""
    both = [stored(f"weight_{which}_l{suffix}") for which in ("ih", "hh")]
    found = [in_our_order(np.concatenate(both, 1)), in_our_order(stored(f"bias_ih_l{suffix}"))]
    projection = stored(f"weight_hr_l{suffix}")
    return found if projection is None else [*found, projection.T]


def of_rnn(stored, suffix):
    both = [stored(f"weight_{which}_l{suffix}") for which in ("ih", "hh")]
    return [np.concatenate(both, 1), stored(f"bias_ih_l{suffix}")]


def one_layer(kind, options, inputs):
    """Return torchlite's module of one layer."""
    sizes = [inputs, options["hidden_size"], options.get("proj_size")]
    if kind == "LSTM":
        both = options.get("bidirectional")
        return nn.SeqBLSTM(*sizes, nn.JoinTable(2)) if both else nn.SeqLSTM(*sizes)
    transfer = nn.ReLU() if options.get("nonlinearity") == "relu" else nn.Tanh()
    return nn.Sequencer(nn.LinearRNN(*sizes[:2], transfer))


@pytest.mark.parametrize("name", made.SEQUENCES)
def test_pytorch_agrees(name):
    kind, options, lengths = made.SEQUENCES[name]

    def stored(what):
        return STORED.get(f"{name}/{what}")

    def gradient(what):
        return stored(f"{what}_gradient")

    def parameters(stored):
        return [
            array
            for layer in range(options.get("num_layers", 1))
            for way in ("", "_reverse")[: 1 + options.get("bidirectional", False)]
            for array in {"LSTM": of_lstm, "RNN": of_rnn}[kind](stored, f"{layer}{way}")
        ]

    def biased(what):
        # PyTorch's second bias only adds to the first.
        other = stored(what.replace("_ih_", "_hh_"))
        return stored(what) + other if what.startswith("bias") else stored(what)

    layers, size = [], made.INPUTS
    for _ in range(options.get("num_layers", 1)):
        layers.append(one_layer(kind, options, size))
        size = options["hidden_size"]
    packed = len({*lengths}) > 1
    net = nn.VariableLength(layers[0]) if packed else nn.Sequential(*layers)
    for parameter, values in zip(net.parameters()[0], parameters(biased), strict=True):
        parameter[...] = values

    def cut(array):
        return [array[:n, i] for i, n in enumerate(lengths)] if packed else array

    def of_each(what):
        """Return the states of all layers or directions, or their gradients, as torchlite's."""
        arrays = [stored(what.format(i)) for i in range(2 if kind == "LSTM" else 1)]
        return [list(state) for state in zip(*arrays, strict=True)]

    each = layers
    if options.get("bidirectional"):
        each = [layers[0].getForward(), layers[0].getBackward()]
    input = cut(stored("input"))
    if not packed:
        for part, state in zip(each, of_each("state{}"), strict=True):
            part.setStartState(state)
    output = net.forward(input)
    compare(output, cut(stored("output")))
    if not packed:
        compare([part.getHiddenState() for part in each], of_each("end{}"))
        for part, gradState in zip(each, of_each("end{}_gradient"), strict=True):
            part.setGradHiddenState(len(input), gradState)
    net.zeroGradParameters()
    gradInput = net.backward(input, cut(gradient("output")))
    compare(gradInput, cut(gradient("input")))
    compare(net.parameters()[1], parameters(gradient))
    if not packed:
        gradients = [part.getGradHiddenState(0) for part in each]
        compare(gradients, of_each("state{}_gradient"))


def compare(got, expected):
    if isinstance(expected, list):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            compare(one, other)
        return
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1e-13 * (1 + np.abs(expected).max())


def test_a_gru_is_its_steps_written_out():
    layer = nn.SeqGRU(3, 2)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 1, 3))
    weight, bias = layer.weight.tolist(), layer.bias.tolist()

    def sigmoid(a):
        return 1 / (1 + math.exp(-a))

    def sum_of(rows, column, first):
        return sum(row * weight[first + j][column] for j, row in enumerate(rows))

    h = [0.0, 0.0]
    for t in range(4):
        before, xs = h, x[t, 0].tolist()
        r = [sigmoid(bias[j] + sum_of(xs, j, 0) + sum_of(before, j, 3)) for j in (0, 1)]
        u = [sigmoid(bias[j] + sum_of(xs, j, 0) + sum_of(before, j, 3)) for j in (2, 3)]
        reset = [gate * entry for gate, entry in zip(r, before, strict=True)]
        k = [math.tanh(bias[j] + sum_of(xs, j, 0) + sum_of(reset, j, 3)) for j in (4, 5)]
        h = [(1 - u[j]) * k[j] + u[j] * before[j] for j in (0, 1)]
        assert np.allclose(layer.forward(x)[t, 0], h, 1e-14)
