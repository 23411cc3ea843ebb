"""Gated cells, a step at a time: what their rows in tests/cases/ do not say."""

import numpy as np
import pytest

from torchlite import nn, random
from torchlite.errors import DTypeError, ShapeError, StateError


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


KINDS = {
    "LSTM": (lambda: nn.StepLSTM(3, 2), [(5, 3), (5, 2), (5, 2)]),
    "projected": (lambda: nn.StepLSTM(3, 4, 2), [(5, 3), (5, 2), (5, 4)]),
    "GRU": (lambda: nn.StepGRU(3, 2), [(5, 3), (5, 2)]),
}


def gradient_like(output):
    return [2 * array + 1 for array in output] if isinstance(output, list) else 2 * output + 1


def results(layer, input):
    """Return all that forward and backward find, as one list of arrays."""
    output = layer.forward(input)
    layer.zeroGradParameters()
    gradInput = layer.backward(input, gradient_like(output))
    output = output if isinstance(output, list) else [output]
    return [*output, *gradInput], [gradient.copy() for gradient in layer.parameters()[1]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("found", [False, True])
def test_masked_rows_count_nowhere(kind, found):
    make, shapes = KINDS[kind]
    layer, input = make(), drawn(*shapes)
    masked, others = [1, 3], [0, 2, 4]
    expected, gradients = results(layer, [array[others] for array in input])
    input[0][masked] = 0 if found else np.nan
    for array in input[1:]:
        array[masked] = np.nan
    layer.maskZero(found)
    if not found:
        layer.setZeroMask(np.array([0, 1, 0, 1, 0]))
    arrays, got = results(layer, input)
    for array, wanted in zip(arrays, expected, strict=True):
        assert not array[masked].any()
        assert np.allclose(array[others], wanted, 1e-14)
    for gradient, wanted in zip(got, gradients, strict=True):
        assert np.allclose(gradient, wanted, 1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_of_false_masks_nothing(kind):
    make, shapes = KINDS[kind]
    layer, input = make(), drawn(*shapes)
    plain = layer.forward(input)
    masked = layer.maskZero().setZeroMask(np.ones(5, bool)).forward(input)
    again = layer.setZeroMask(False).forward(input)
    for one, other, zeros in zip(
        *(np.concatenate(a, -1) for a in (plain, again, masked)), strict=True
    ):
        assert (one == other).all()
        assert not zeros.any()


def test_a_backward_goes_by_the_mask_that_was_set_last():
    layer, input = nn.StepGRU(3, 2).maskZero().setZeroMask(False), drawn((5, 3), (5, 2))
    layer.forward(input)
    layer.setZeroMask(np.ones(5, bool))
    assert not layer.updateGradInput(input, np.ones((5, 2)))[0].any()


@pytest.mark.parametrize("kind", KINDS)
def test_write_to_nothing_that_was_given(kind):
    make, shapes = KINDS[kind]
    layer, input = make().maskZero(), drawn(*shapes)
    mask = np.array([1, 0, 0, 0, 1], np.uint8)
    gradOutput = gradient_like(layer.setZeroMask(mask).forward(input))
    given = [*input, *(gradOutput if isinstance(gradOutput, list) else [gradOutput]), mask]
    before = [array.copy() for array in given]
    layer.backward(input, gradOutput)
    assert all(map(np.array_equal, given, before))


@pytest.mark.parametrize("kind", KINDS)
def test_weight_and_projection_are_drawn_in_turn_and_the_second_gate_begins_open(kind):
    random.manualSeed(5)
    layer = KINDS[kind][0]()
    n = layer.hiddensize
    assert (layer.bias[n : 2 * n] == 1).all()
    assert layer.bias.sum() == n
    random.manualSeed(5)
    for array, size in (layer.weight, 3 + n), (layer.weightO, n + 2):
        if array is not None:
            assert (array == random.normal(0, 1 / np.sqrt(size), size=array.shape)).all()
    layer.bias.fill(7)
    random.manualSeed(5)
    layer.reset(0.25)
    assert layer.bias.sum() == n
    random.manualSeed(5)
    for array in (layer.weight, layer.weightO):
        if array is not None:
            assert (array == random.normal(0, 0.25, size=array.shape)).all()


def test_names_and_sizes():
    assert repr(nn.StepLSTM(3, 2)) == "StepLSTM(3 -> 2)"
    assert repr(nn.StepLSTM(3, 4, 2)) == "StepLSTM(3 -> 4 -> 2)"
    assert repr(nn.StepGRU(3, 2)) == "StepGRU(3 -> 2)"
    layer = nn.StepLSTM(3, 4, 2)
    assert (layer.inputsize, layer.hiddensize, layer.outputsize) == (3, 4, 2)


X, H, C = drawn((5, 3), (5, 2), (5, 2))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nn.StepLSTM(3, 2).forward(X),
            DTypeError,
            "StepLSTM(3 -> 2).updateOutput: input must be a table (a list), got ndarray\n"
            "  hint: a list of arrays: [input, ...]",
        ),
        (
            lambda: nn.StepLSTM(3, 2).forward([X, H]),
            ShapeError,
            "StepLSTM(3 -> 2).updateOutput: input must be a table of 3 entries, got "
            "[(5, 3), (5, 2)]",
        ),
        (
            lambda: nn.StepLSTM(3, 2).forward([X, H, C.astype("float32")]),
            DTypeError,
            "StepLSTM(3 -> 2).updateOutput: input[2] must be float64, got float32\n"
            "  hint: input[2].astype('float64')",
        ),
        (
            lambda: nn.StepLSTM(3, 4, 2).forward([X, H, C]),
            ShapeError,
            "StepLSTM(3 -> 4 -> 2).updateOutput: input must be [(N, 3), (N, 2), (N, 4)], got "
            "[(5, 3), (5, 2), (5, 2)]",
        ),
        (
            lambda: nn.StepGRU(3, 2).forward([X[0], H[0]]),
            ShapeError,
            "StepGRU(3 -> 2).updateOutput: input must be [(N, 3), (N, 2)], got [(3,), (2,)]\n"
            "  hint: a batch of one: array[None]",
        ),
        (
            lambda: nn.StepLSTM(3, 2).backward([X, H, C], H),
            DTypeError,
            "StepLSTM(3 -> 2).updateGradInput: gradOutput must be a table (a list), got ndarray\n"
            "  hint: a list of arrays: [gradOutput, ...]",
        ),
        (
            lambda: nn.StepGRU(3, 2).backward([X, H], H.T),
            ShapeError,
            "StepGRU(3 -> 2).updateGradInput: gradOutput must be (5, 2), got (2, 5)",
        ),
        (
            lambda: nn.StepLSTM(3, 4, 2).backward([X, H, np.ones((5, 4))], [H, C]),
            ShapeError,
            "StepLSTM(3 -> 4 -> 2).updateGradInput: gradOutput[1] must be (5, 4), got (5, 2)",
        ),
        (
            lambda: nn.StepGRU(3, 2).accGradParameters([X, H], H + 0j),
            DTypeError,
            "StepGRU(3 -> 2).accGradParameters: gradOutput must be float64 to add to gradients of "
            "float64, got complex128\n  hint: clone().type('complex128') has complex gradients",
        ),
        (
            lambda: nn.StepLSTM(3, 2).maskZero().forward([X, H, C]),
            StateError,
            "StepLSTM(3 -> 2).updateOutput: it masks, and was told no mask\n"
            "  hint: setZeroMask(mask), which is True where a sample does not count, or "
            "setZeroMask(False)",
        ),
        (
            lambda: nn.StepLSTM(3, 2).maskZero().setZeroMask(np.ones(4, bool)).forward([X, H, C]),
            ShapeError,
            "StepLSTM(3 -> 2).updateOutput: input must be (4, 3) like the mask (4,), got (5, 3)",
        ),
        (
            lambda: nn.StepLSTM(3, 2).setZeroMask(np.ones(5)),
            DTypeError,
            "StepLSTM(3 -> 2).setZeroMask: zeroMask must be booleans, or integers 0 and 1, got "
            "float64\n  hint: zeroMask != 0",
        ),
        (
            lambda: nn.StepLSTM(3, -1),
            ShapeError,
            "StepLSTM: hiddensize must be at least 0, got -1",
        ),
        (
            lambda: nn.StepLSTM(3, 2, 1.5),
            DTypeError,
            "StepLSTM: outputsize must be an integer, got 1.5",
        ),
        (
            lambda: nn.StepGRU(3, -1),
            ShapeError,
            "StepGRU: outputsize must be at least 0, got -1",
        ),
    ],
)
def test_refusals(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message
