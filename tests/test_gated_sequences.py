"""Gated cells over whole sequences: what their rows in tests/cases/ do not say."""

import tracemalloc

import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.nn import checks
from torchlite.nn.recurrent import element_research

# By name, what makes a module, and the sizes of its state.
KINDS = {
    "LSTM": (lambda: nn.SeqLSTM(3, 2), (2, 2)),
    "projected": (lambda: nn.SeqLSTM(3, 4, 2), (2, 4)),
    "GRU": (lambda: nn.SeqGRU(3, 2), (2,)),
}
STEPS = {"LSTM": nn.StepLSTM, "projected": nn.StepLSTM, "GRU": nn.StepGRU}
every_kind = pytest.mark.parametrize("kind", KINDS)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def made(kind):
    return KINDS[kind][0]()


def state(kind, rows, seed=1):
    arrays = [drawn(rows, size, seed=seed + i) for i, size in enumerate(KINDS[kind][1])]
    return arrays if len(arrays) > 1 else arrays[0]


def as_list(state):
    return state if isinstance(state, list) else [state]


def step_of(kind, layer):
    """Return the module of one step that has the parameters of this one."""
    sizes = [layer.inputsize, layer.hiddensize, layer.outputsize]
    if layer.weightO is None:
        del sizes[1]
    step = STEPS[kind](*sizes)
    return step.share(layer, "weight", "bias", "weightO")


def run(layer, x, g):
    """Return output, gradInput and the gradients of parameters."""
    layer.zeroGradParameters()
    output = layer.forward(x)
    return [output, layer.backward(x, g), *(array.copy() for array in layer.parameters()[1])]


def near(got, expected):
    return all(
        a.shape == b.shape and np.allclose(a, b, 1e-12, 1e-13)
        for a, b in zip(got, expected, strict=True)
    )


# ---------------------------------------------------------------- steps


@every_kind
def test_a_sequence_is_its_steps_from_a_state_and_back_to_it(kind):
    layer, x, g = made(kind), drawn(4, 5, 3), drawn(4, 5, 2, seed=9)
    start, gradEnd = state(kind, 5), state(kind, 5, seed=5)
    output = layer.setStartState(start).forward(x)
    layer.setGradHiddenState(4, gradEnd)
    layer.zeroGradParameters()
    gradInput = layer.backward(x, g)

    step, states, given = step_of(kind, layer), [as_list(start)], []
    for t in range(4):
        given.append([x[t], *states[-1]])
        states.append(as_list(step.forward(given[-1])))
        assert near(as_list(layer.getHiddenState(t + 1)), states[-1])
        assert near([output[t]], states[-1][:1])
    gradState = as_list(gradEnd)
    for t in (3, 2, 1, 0):
        gradState = [gradState[0] + g[t], *gradState[1:]]
        back = step.backward(given[t], gradState if len(gradState) > 1 else gradState[0])
        assert near([gradInput[t]], back[:1])
        gradState = back[1:]
    assert near(as_list(layer.getGradHiddenState(0)), gradState)
    assert near(layer.parameters()[1], step.parameters()[1])


@every_kind
def test_the_steps_can_be_looked_at(kind):
    layer, x = made(kind), drawn(3, 5, 3)
    assert layer.steps == []
    output = layer.forward(x)
    assert [step.gradGates for step in layer.steps] == [None] * 3
    layer.updateGradInput(x, np.ones_like(output))
    for t, step in enumerate(layer.steps):
        assert (step.input == x[t]).all()
        assert (step.after[0] == output[t]).all()
        again = layer._cell().step(step.input, step.before)
        assert near([step.gates, *step.after], [again.gates, *again.after])
        assert step.gradGates.shape == step.gates.shape
        assert step.mask is None
        if t:
            assert near(step.before, layer.steps[t - 1].after)
    layer.maskZero().setZeroMask(np.arange(15).reshape(3, 5) % 4 == 0).forward(x)
    assert [step.mask.tolist() for step in layer.steps] == layer.zeroMask.tolist()
    assert layer.clone().steps == layer.forget().steps == []


@every_kind
def test_the_batch_first_is_the_same_turned(kind):
    layer, x, g = made(kind), drawn(4, 5, 3), drawn(4, 5, 2, seed=9)
    mask = np.arange(20).reshape(4, 5) % 3 == 1
    layer.maskZero().setZeroMask(mask)
    output, gradInput, *gradients = run(layer, x, g)
    layer.batchfirst = True
    layer.setZeroMask(mask.T)
    turned = run(layer, x.swapaxes(0, 1), g.swapaxes(0, 1))
    assert near([array.swapaxes(0, 1) for array in turned[:2]], [output, gradInput])
    assert near(turned[2:], gradients)


# ---------------------------------------------------------------- forward and backward apart


@every_kind
def test_gradients_accumulate_at_any_scale_as_often_as_wanted(kind):
    layer, x, g = made(kind), drawn(4, 5, 3), drawn(4, 5, 2, seed=9)
    *_, weight, bias = run(layer, x, g)[:4]
    layer.zeroGradParameters()
    for scale in (0.5, -2, 0, 3):
        layer.accGradParameters(x, g, scale)
    assert near(layer.parameters()[1][:2], [1.5 * weight, 1.5 * bias])
    # Of another gradOutput, and after that of the first.
    layer.accGradParameters(x, 2 * g)
    layer.accGradParameters(x, g)
    assert near(layer.parameters()[1][:2], [4.5 * weight, 4.5 * bias])


@every_kind
def test_updateGradInput_leaves_the_gradients_of_parameters_alone(kind):
    layer, x, g = made(kind), drawn(4, 5, 3), drawn(4, 5, 2, seed=9)
    layer.forward(x)
    layer.updateGradInput(x, g)
    assert not any(gradient.any() for gradient in layer.parameters()[1])


@every_kind
def test_gradients_are_those_of_the_last_forward_and_of_the_end_as_it_is(kind):
    layer, g = made(kind), drawn(4, 5, 2, seed=9)
    x, other, end = drawn(4, 5, 3), drawn(4, 5, 3, seed=2), state(kind, 5)
    expected = run(layer, other, g)[2:]
    layer.forward(x)
    layer.updateGradInput(x, g)
    layer.forward(other)
    layer.zeroGradParameters()
    layer.accGradParameters(other, g)
    assert near(layer.parameters()[1], expected)
    layer.setGradHiddenState(4, end)
    layer.zeroGradParameters()
    layer.accGradParameters(other, g)
    assert not near(layer.parameters()[1], expected)


def test_the_gradient_of_the_end_is_for_one_forward():
    layer, x, g = nn.SeqGRU(3, 2), drawn(4, 5, 3), drawn(4, 5, 2, seed=9)
    expected = run(layer, x, g)
    layer.setGradHiddenState(-1, np.ones((5, 2)))
    assert layer.getGradHiddenState(4).all()
    layer.zeroGradParameters()
    assert not near([layer.backward(x, g)], expected[1:2])
    assert not near(layer.parameters()[1], expected[2:])
    assert near(run(layer, x, g), expected)
    assert layer.getGradHiddenState(4) is None
    layer.setGradHiddenState(4, np.ones((5, 2)))
    layer.setGradHiddenState(4, None)
    assert near([layer.backward(x, g)], expected[1:2])


def test_an_encoder_learns_through_the_state_that_a_decoder_starts_from():
    encoder, decoder, x, g = nn.SeqLSTM(3, 2), nn.SeqLSTM(3, 2), drawn(4, 5, 3), drawn(2, 5, 2)
    whole = nn.SeqLSTM(3, 2).share(encoder, "weight", "bias")
    decoder.share(encoder, "weight", "bias")
    encoder.forward(x[:2])
    decoder.setHiddenState(0, encoder.getHiddenState())
    output = decoder.forward(x[2:])
    gradients = [decoder.backward(x[2:], g)]
    encoder.setGradHiddenState(2, decoder.getGradHiddenState())
    gradients.insert(0, encoder.backward(x[:2], np.zeros_like(g)))
    expected = run(whole, x, np.concatenate([np.zeros_like(g), g]))
    assert near([output, np.concatenate(gradients)], [expected[0][2:], expected[1]])
    sums = [a + b for a, b in zip(*(m.parameters()[1] for m in (encoder, decoder)), strict=True)]
    assert near(sums, expected[2:])


# ---------------------------------------------------------------- memory


@every_kind
def test_a_sequence_goes_on_where_the_one_before_ended(kind):
    layer, x = made(kind), drawn(6, 5, 3)
    whole = layer.forward(x)
    layer.forget().remember()
    parts = [layer.forward(x[:4]), layer.forward(x[4:])]
    assert near([np.concatenate(parts)], [whole])
    # As a constant: a backward ends there.
    g = drawn(2, 5, 2, seed=9)
    later = layer.getHiddenState(0)
    expected = run(layer.clone().setStartState(later), x[4:], g)
    layer.zeroGradParameters()
    assert near([layer.backward(x[4:], g), *layer.parameters()[1]], expected[1:])
    assert near([layer.forget().forward(x)], [whole])


@pytest.mark.parametrize(
    ("mode", "goes_on"),
    [("both", "te"), ("train", "t"), ("eval", "e"), ("neither", "")],
)
def test_it_goes_on_in_the_modes_that_it_was_told(mode, goes_on):
    layer, x = nn.SeqGRU(3, 2).remember(mode), drawn(3, 5, 3)
    anew = layer.forward(x)
    layer.forget()
    for switch, letter in ((layer.training, "t"), (layer.evaluate, "e"), (layer.training, "t")):
        switch()
        # A change of the mode begins anew.
        assert near([layer.forward(x)], [anew])
        assert near([layer.forward(x)], [anew]) == (letter not in goes_on)


def test_a_state_that_was_set_is_gone_on_from():
    layer, x = nn.SeqGRU(3, 2).remember(), drawn(3, 5, 3)
    layer.forward(x)
    later = layer.forward(x)
    layer.forget().forward(x)
    layer.setHiddenState(3, layer.getHiddenState(-1)).forward(x)
    assert near([layer.output], [later])
    layer.setHiddenState(3, np.zeros((5, 2))).forward(x)
    assert near([layer.output], [layer.forget().forward(x)])


def test_a_start_state_stays_until_it_is_taken_back():
    layer, x, start = nn.SeqLSTM(3, 2), drawn(3, 5, 3), state("LSTM", 5)
    zeros = layer.forward(x)
    assert layer.forget().getHiddenState(0) is None
    assert near(layer.setHiddenState(0, start).getHiddenState(0), start)
    first = layer.forward(x)
    assert not near([first], [zeros])
    assert near([layer.forget().forward(x)], [first])
    assert near([layer.setStartState().forward(x)], [zeros])
    assert near(layer.setStartState(start).clone().startState, start)


# ---------------------------------------------------------------- sequences of several lengths

LENGTHS = [2, 5, 1, 3]


def one_by_one(layer, sequences, gradients):
    """Return what sequences give alone, and the sum of their gradients of parameters."""
    layer = layer.clone()
    results = [
        run(layer, x[:, None], g[:, None]) for x, g in zip(sequences, gradients, strict=True)
    ]
    outputs, gradInputs, *sums = zip(*results, strict=True)
    return [*outputs, *gradInputs], [sum(arrays) for arrays in sums]


def padded(arrays, batchfirst, fill):
    """Return arrays of several lengths side by side, with something else below the short ones."""
    whole = np.full((max(LENGTHS), len(arrays), arrays[0].shape[1]), fill)
    for i, array in enumerate(arrays):
        whole[: len(array), i] = array
    return whole.swapaxes(0, 1) if batchfirst else whole


@every_kind
@pytest.mark.parametrize("batchfirst", [False, True])
@pytest.mark.parametrize("found", [False, True])
def test_a_padded_batch_is_its_sequences_one_by_one(kind, batchfirst, found):
    sequences = [drawn(n, 3, seed=n) for n in LENGTHS]
    gradients = [drawn(n, 2, seed=9 + n) for n in LENGTHS]
    layer = made(kind)
    expected, sums = one_by_one(layer, sequences, gradients)
    layer.batchfirst = batchfirst
    mask = np.arange(max(LENGTHS))[:, None] >= LENGTHS
    layer.maskZero(found)
    if not found:
        layer.setZeroMask(mask.T if batchfirst else mask)
    x = padded(sequences, batchfirst, 0.0 if found else np.nan)
    output, gradInput, *got = run(layer, x, padded(gradients, batchfirst, 7.0))
    whole = [array.swapaxes(0, 1) if batchfirst else array for array in (output, gradInput)]
    alone = [array[:n, i : i + 1] for array in whole for i, n in enumerate(LENGTHS)]
    assert near(alone, expected)
    assert near(got, sums)
    for array in whole:
        assert not array[mask].any()


@every_kind
def test_a_masked_step_begins_the_sequence_anew(kind):
    layer, x = made(kind), drawn(6, 1, 3)
    mask = np.arange(6)[:, None] == 2
    output = layer.clone().maskZero().setZeroMask(mask).forward(x)
    assert near([output[3:], output[:2]], [layer.forward(x[3:]), layer.forward(x[:2])])
    # Whatever has become of it before.
    x[1] = np.nan
    broken = layer.clone().maskZero().setZeroMask(mask).forward(x)
    assert np.isnan(broken[1]).all()
    assert near([broken[3:]], [output[3:]])


@every_kind
@pytest.mark.parametrize("lastOnly", [False, True])
def test_packed_sequences_are_the_sequences_one_by_one(kind, lastOnly):
    sequences = [drawn(n, 3, seed=n) for n in LENGTHS]
    gradients = [drawn(n, 2, seed=9 + n) for n in LENGTHS]
    if lastOnly:
        for gradient in gradients:
            gradient[:-1] = 0
    layer = made(kind)
    expected, sums = one_by_one(layer, sequences, gradients)
    net = nn.VariableLength(layer, lastOnly)
    g = np.stack([gradient[-1] for gradient in gradients]) if lastOnly else gradients
    output, gradInput, *got = run(net, sequences, g)
    outputs = [array[:, 0] for array in expected[:4]]
    if lastOnly:
        assert near([output], [np.stack([array[-1] for array in outputs])])
    else:
        assert near(output, outputs)
    assert near(gradInput, [array[:, 0] for array in expected[4:]])
    assert near(got, sums)
    assert net.inputs[0].shape == (5, 3, 3)


def test_packing_takes_what_the_module_takes():
    net = nn.VariableLength(nn.ParallelTable())
    net.modules = [nn.LookupTable(4, 2)]
    first, second = net.forward([np.array([1, 3]), np.array([2])])
    assert (first == net.modules[0].weight[[1, 3]]).all()
    assert (second == net.modules[0].weight[[2]]).all()


def test_packing_starts_from_zeros():
    a, b = drawn(2, 3), drawn(4, 3)
    cell = nn.SeqGRU(3, 2)
    net = nn.VariableLength(nn.Sequential(nn.Sequencer(nn.Identity()), cell))
    output = net.forward([a, b])
    cell.setStartState(np.zeros((2, 2)))
    with pytest.raises(StateError) as caught:
        net.forward([a, b])
    assert str(caught.value) == (
        "VariableLength.updateOutput: SeqGRU(3 -> 2) starts from a state: states go by row, and "
        "sequences are packed into rows\n"
        "  hint: setStartState() takes it back, or pad the sequences, one in each row, and set a "
        "mask"
    )
    cell.setStartState()
    for module in (cell, net[0][0]):
        module.remember("train")
        with pytest.raises(StateError, match=r"remembers: states go by row.*\n.*'neither'"):
            net.forward([a, b])
        assert near(net.evaluate().forward([a, b]), output)
        net.training()
        module.remember("neither")
    assert near(net.forward([a, b]), output)


def test_packing_tells_masks():
    x = drawn(3, 3)
    for module in (element_research.SeqLSTM(3, 2), nn.SeqLSTM(3, 2)):
        net = nn.VariableLength(module)
        module.maskZero(True)
        with pytest.raises(StateError) as caught:
            net.forward([x, x])
        assert str(caught.value) == (
            f"{checks.title(net)}.updateOutput: {checks.title(module)} finds its masks: zeros "
            "inside a sequence would begin it anew\n"
            "  hint: maskZero() of torch/rnn's classes, those in nn, is told the mask"
        )


@pytest.mark.parametrize("kind", ["SeqLSTM", "SeqLSTMP", "SeqGRU"])
def test_a_mask_that_is_found_is_never_told(kind):
    sizes = (3, 2, 2) if kind == "SeqLSTMP" else (3, 2)
    layer = getattr(element_research, kind)(*sizes)
    assert layer.setZeroMask(False) is layer.setZeroMask(np.zeros((4, 5)) > 0) is layer
    with pytest.raises(StateError) as caught:
        nn.Sequential(layer).setZeroMask(np.eye(4, 5) > 0)
    assert str(caught.value) == (
        f"{kind}.setZeroMask: its masks are found, and never told\n"
        "  hint: maskZero(), and zeros in the input; torch/rnn's class of this name, in nn, is told"
    )


def test_what_turns_a_sequence_refuses_a_mask_that_would_turn():
    same_both_ways, mask = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    same_both_ways[[0, 0, 3, 3], [0, 3, 0, 3]] = mask[3, 1] = True
    for layer in (nn.ReverseSequence(), nn.SeqReverseSequence(0), nn.SeqReverseSequence(1)):
        net = nn.Sequential(layer, nn.SeqGRU(3, 2).maskZero())
        for fits in (False, same_both_ways, mask[3]):
            assert net.setZeroMask(fits) is net
        with pytest.raises(StateError) as caught:
            net.setZeroMask(mask)
        assert str(caught.value) == (
            f"{checks.title(layer)}.setZeroMask: it turns the sequence around, and not the mask\n"
            "  hint: nn.ReverseUnreverse(module) turns both for its module; or tell each its own"
        )
    assert nn.SeqReverseSequence(2).setZeroMask(mask).dim == 2
    turning = nn.Sequential(nn.ReverseSequence(), nn.SeqGRU(3, 2), nn.ReverseSequence())
    with pytest.raises(StateError, match="and not the mask"):
        nn.VariableLength(turning).forward([drawn(2, 3), drawn(4, 3)])


def test_a_mask_is_turned_around_with_the_sequence():
    layer, x, mask = (
        nn.SeqGRU(3, 2).maskZero(),
        drawn(4, 5, 3),
        np.arange(20).reshape(4, 5) % 7 == 3,
    )
    net = nn.ReverseUnreverse(layer).setZeroMask(mask)
    output = net.forward(x)
    assert not output[mask].any()
    assert (output == layer.clone().setZeroMask(mask[::-1]).forward(x[::-1])[::-1]).all()
    assert net.setZeroMask(False).forward(x)[mask].any()
    assert net.setZeroMask(np.ones(5, bool)).modules[0].zeroMask.shape == (5,)
    assert net.getModule() is layer


# ---------------------------------------------------------------- both ways


def test_both_ways_are_the_two_ways_merged():
    x = drawn(4, 5, 3)
    for net in (nn.SeqBLSTM(3, 2), nn.SeqBLSTM(3, 4, 2), nn.SeqBGRU(3, 2), nn.SeqBRNN(3, 2)):
        ahead, back = net.getForward(), net.getBackward()
        assert not near(*(module.parameters()[0][:1] for module in (ahead, back)))
        both = [ahead.clone().forward(x), back.clone().forward(x[::-1])[::-1]]
        assert near([net.forward(x)], [both[0] + both[1]])
    for make in (nn.SeqBLSTM, nn.SeqBGRU):
        net = make(3, 2, nn.JoinTable(2))
        both = [net.getForward().clone(), nn.ReverseUnreverse(net.getBackward().clone())]
        joined = np.concatenate([module.forward(x) for module in both], 2)
        assert near([net.forward(x)], [joined])
    assert repr(nn.SeqBLSTM(3, 4, 2, nn.JoinTable(2)).getBackward()) == "SeqLSTM(3 -> 4 -> 2)"


def test_SeqBRNN_with_the_batch_first_is_the_same_turned():
    x, g = drawn(4, 5, 3), drawn(4, 5, 4, seed=9)
    net, turned = (nn.SeqBRNN(3, 2, first, nn.JoinTable(2)) for first in (False, True))
    for own, theirs in zip(turned.parameters()[0], net.parameters()[0], strict=True):
        own[...] = theirs
    output, gradInput, *gradients = run(net, x, g)
    got = run(turned, x.swapaxes(0, 1), g.swapaxes(0, 1))
    assert near([array.swapaxes(0, 1) for array in got[:2]], [output, gradInput])
    assert near(got[2:], gradients)
    assert repr(turned.getForward()) == repr(turned.getBackward()) == "SeqLSTM(3 -> 2)"
    mask = np.arange(20).reshape(4, 5) % 7 == 3
    expected = net.maskZero().setZeroMask(mask).forward(x)
    turned.maskZero().setZeroMask(mask.T)
    assert near([turned.forward(x.swapaxes(0, 1)).swapaxes(0, 1)], [expected])
    assert not expected[mask].any()
    turned.setZeroMask(False)


def test_the_way_ahead_remembers_alone():
    net, x = nn.SeqBGRU(3, 2).remember(), drawn(4, 5, 3)
    net.forward(x)
    last = net.getForward().getHiddenState()
    net.forward(x)
    assert net.getForward().getHiddenState(0) is not None
    assert near([net.getForward().getHiddenState(0)], [last])
    assert not net.getBackward().getHiddenState(0).any()


# ---------------------------------------------------------------- Element-Research

STATED = {
    "LSTM": lambda: element_research.SeqLSTM(3, 2),
    "projected": lambda: element_research.SeqLSTMP(3, 4, 2),
    "GRU": lambda: element_research.SeqGRU(3, 2),
}


@every_kind
def test_the_state_may_come_with_the_input(kind):
    stated, layer = STATED[kind](), made(kind)
    stated.share(layer, "weight", "bias", "weightO")
    x, g, start = drawn(4, 5, 3), drawn(4, 5, 2, seed=9), state(kind, 5)
    output, gradInput, *gradients = run(layer.setStartState(start), x, g)
    expected = [output, *as_list(layer.getGradHiddenState(0))[::-1], gradInput, *gradients]
    # It comes before those that were left or set.
    stated.remember().setStartState(as_list(start) if kind != "GRU" else 2 * start)
    stated.forward(x)
    output, gradInput, *gradients = run(stated, [*as_list(start)[::-1], x], g)
    assert near([output, *gradInput, *gradients], expected)
    assert near([stated.forward(x)], [run(layer.setStartState(stated.getHiddenState(0)), x, g)[0]])
    if kind != "GRU":
        h, c = start
        alone = run(stated, [h, x], g)
        expected = run(layer.setStartState([h, np.zeros_like(c)]), x, g)
        assert near(
            [alone[0], *alone[1], *alone[2:]],
            [expected[0], layer.getGradHiddenState(0)[0], *expected[1:]],
        )


@every_kind
def test_what_is_nothing_but_zeros_is_masked(kind):
    stated, layer = STATED[kind](), made(kind)
    stated.share(layer, "weight", "bias", "weightO")
    x, g = drawn(4, 5, 3), drawn(4, 5, 2, seed=9)
    x[1:3, 2] = 0
    expected = run(layer.maskZero(True), x, g)
    assert not near(run(stated, x, g), expected)
    assert near(run(nn.Sequential(stated).maskZero()[0], x, g), expected)
    stated.maskzero = False
    stated.maskzero = True
    assert near(run(stated, x, g), expected)
    assert repr(stated) == type(stated).__name__


# ---------------------------------------------------------------- refusals

X, G = drawn(4, 5, 3), drawn(4, 5, 2)


def forwarded(layer, x=X):
    layer.forward(x)
    return layer


def other():
    x = X.copy()
    x[2, 3, 1] += 1
    return x


@pytest.mark.parametrize("step", [nn.SeqGRU(3, 3), nn.Recursor(nn.SeqGRU(3, 3)), nn.GRU(3, 3)])
def test_a_start_state_that_does_not_fit_leaves_the_others_as_they_are(step):
    net = nn.Sequential(nn.SeqGRU(3, 3), step)
    good, bad = np.ones((2, 3)), np.ones((2, 4))
    net.setStartState([good, 2 * good])
    before = net.getHiddenState(0)
    with pytest.raises(ShapeError):
        net.setStartState([3 * good, bad])
    with pytest.raises(ShapeError):
        net.setHiddenState(0, [3 * good, bad])
    assert np.array_equal(net.getHiddenState(0), before)
    assert np.array_equal(before, [good, 2 * good])


def test_a_state_that_does_not_fit_leaves_the_way_back_of_the_others():
    net, x = nn.Sequential(nn.GRU(3, 3), nn.GRU(3, 3)), np.ones((2, 3))
    output = net.forward(x)
    wanted = net.clone()
    wanted.forward(x)
    with pytest.raises(ShapeError):
        net.setHiddenState(1, [x, np.ones((2, 4))])
    assert np.array_equal(net.backward(x, output), wanted.backward(x, output))
    assert np.array_equal(net.forward(x), wanted.forward(x))


@every_kind
def test_steps_are_made_once(kind):
    layer, x = made(kind), drawn(4, 2, 3)
    layer.forward(x)
    assert layer.steps is layer.steps
    assert layer.steps[1].gradGates is None
    layer.backward(x, layer.output)
    assert layer.steps is layer.steps
    assert np.array_equal(layer.steps[1].gradGates, layer._back.gradGates[1])
    layer.forward(2 * x)
    assert np.array_equal(layer.steps[1].input, 2 * x[1])


def test_the_last_run_is_gone_before_the_next_one_takes_memory():
    layer, x = nn.SeqLSTM(4, 64), np.zeros((50, 4, 4))
    tracemalloc.start()
    layer.forward(x)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    layer.forward(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The gates are most of what is held; the output, and with it h, stays until the next one.
    assert peak - held < 0.75 * layer._run.gates.nbytes


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nn.SeqLSTM(3, 2).forward(X[0]),
            ShapeError,
            "SeqLSTM(3 -> 2).updateOutput: input must be (T, N, 3), got (5, 3)\n"
            "  hint: a batch of one sequence: input[:, None]",
        ),
        (
            lambda: nn.SeqLSTM(4, 2).forward(X),
            ShapeError,
            "SeqLSTM(4 -> 2).updateOutput: input must be (T, N, 4), got (4, 5, 3)",
        ),
        (
            lambda: nn.SeqLSTM(3, 2).forward(X.astype("float32")),
            DTypeError,
            "SeqLSTM(3 -> 2).updateOutput: input must be float64, got float32\n"
            "  hint: input.astype('float64'), or net.type('float32') for the network",
        ),
        (
            lambda: nn.SeqGRU(3, 2).backward(X, G),
            StateError,
            "SeqGRU(3 -> 2).updateGradInput: input is not that of the last forward\n"
            "  hint: call forward(input) first: a backward goes back through its steps",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).accGradParameters(X[:3], G[:3]),
            StateError,
            "SeqGRU(3 -> 2).accGradParameters: input is not that of the last forward\n"
            "  hint: call forward(input) first: a backward goes back through its steps",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).backward(other(), G),
            StateError,
            "SeqGRU(3 -> 2).updateGradInput: input is not that of the last forward: step 2 is "
            "another\n"
            "  hint: call forward(input) first: a backward goes back through its steps",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).backward(X, G[:3]),
            ShapeError,
            "SeqGRU(3 -> 2).updateGradInput: gradOutput must be (4, 5, 2), got (3, 5, 2)",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).accGradParameters(X, G + 0j),
            DTypeError,
            "SeqGRU(3 -> 2).accGradParameters: gradOutput must be float64 to add to gradients of "
            "float64, got complex128\n  hint: clone().type('complex128') has complex gradients",
        ),
        (
            lambda: nn.SeqGRU(3, 2).maskZero().forward(X),
            StateError,
            "SeqGRU(3 -> 2).updateOutput: it masks, and was told no mask\n"
            "  hint: setZeroMask(mask), which is True where a sample does not count, or "
            "setZeroMask(False)",
        ),
        (
            lambda: nn.SeqGRU(3, 2).maskZero().setZeroMask(np.ones((3, 5), bool)).forward(X),
            ShapeError,
            "SeqGRU(3 -> 2).updateOutput: input must be (3, 5, 3) like the mask (3, 5), got "
            "(4, 5, 3)",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2).remember()).forward(X[:, :4]),
            ShapeError,
            "SeqGRU(3 -> 2).updateOutput: input must be a batch that goes on from the state "
            "(5, 2), got (4, 4, 3)\n  hint: forget() begins a new sequence",
        ),
        (
            lambda: nn.SeqGRU(3, 2).setStartState(np.ones((4, 2))).forward(X),
            ShapeError,
            "SeqGRU(3 -> 2).updateOutput: input must be a batch that goes on from the state "
            "(4, 2), got (4, 5, 3)",
        ),
        (
            lambda: nn.SeqGRU(3, 2).remember("always"),
            SettingError,
            "SeqGRU(3 -> 2).remember: mode must be one of 'both', 'eval', 'train', 'neither', got "
            "'always'",
        ),
        (
            lambda: nn.SeqLSTM(3, 2).setStartState(np.ones((5, 2))),
            DTypeError,
            "SeqLSTM(3 -> 2).setStartState: state must be a table (a list), got ndarray\n"
            "  hint: a list of arrays: [state, ...]",
        ),
        (
            lambda: nn.SeqLSTM(3, 4, 2).setHiddenState(0, [np.ones((5, 4)), np.ones((5, 4))]),
            ShapeError,
            "SeqLSTM(3 -> 4 -> 2).setStartState: state must be [(N, 2), (N, 4)], got "
            "[(5, 4), (5, 4)]",
        ),
        (
            lambda: nn.SeqGRU(3, 2).setStartState(np.ones((5, 2), "float32")),
            DTypeError,
            "SeqGRU(3 -> 2).setStartState: state must be float64, got float32\n"
            "  hint: state.astype('float64')",
        ),
        (
            lambda: nn.SeqGRU(3, 2).getHiddenState(1),
            SettingError,
            "SeqGRU(3 -> 2).getHiddenState: step must be at most 0, so many steps as there were, "
            "got 1",
        ),
        (
            lambda: nn.SeqGRU(3, 2).getHiddenState(1.0),
            DTypeError,
            "SeqGRU(3 -> 2).getHiddenState: step must be an integer, got 1.0",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).setHiddenState(2, np.ones((5, 2))),
            StateError,
            "SeqGRU(3 -> 2).setHiddenState: state 2 is neither the first nor the last of 4 steps\n"
            "  hint: 0 or 4",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).getGradHiddenState(2),
            StateError,
            "SeqGRU(3 -> 2).getGradHiddenState: state 2 is neither the first nor the last of 4 "
            "steps\n  hint: 0 or 4",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).getGradHiddenState(0),
            StateError,
            "SeqGRU(3 -> 2).getGradHiddenState: no backward has come to state 0\n"
            "  hint: call updateGradInput(input, gradOutput) first",
        ),
        (
            lambda: nn.SeqGRU(3, 2).setGradHiddenState(0, np.ones((5, 2))),
            StateError,
            "SeqGRU(3 -> 2).setGradHiddenState: state 0 is neither the first nor the last of 0 "
            "steps\n  hint: call forward(input) first",
        ),
        (
            lambda: forwarded(nn.SeqGRU(3, 2)).setGradHiddenState(4, np.ones((4, 2))),
            ShapeError,
            "SeqGRU(3 -> 2).setGradHiddenState: gradState must be (5, 2), got (4, 2)",
        ),
        (
            lambda: element_research.SeqGRU(3, 2).forward([G[0], G[0], X]),
            ShapeError,
            "SeqGRU.updateOutput: input must be x or [h, x], got [(5, 2), (5, 2), (4, 5, 3)]",
        ),
        (
            lambda: element_research.SeqLSTM(3, 2).forward([X]),
            ShapeError,
            "SeqLSTM.updateOutput: input must be x or [h, x] or [c, h, x], got [(4, 5, 3)]",
        ),
        (
            lambda: element_research.SeqLSTMP(3, 4, 2).forward([np.ones((4, 4)), G[0], X]),
            ShapeError,
            "SeqLSTMP.updateOutput: input[0] must be (5, 4), got (4, 4)",
        ),
        (
            lambda: element_research.SeqLSTMP(3, 4, 2).forward([X[0], X]),
            ShapeError,
            "SeqLSTMP.updateOutput: input[0] must be (5, 2), got (5, 3)",
        ),
        (
            lambda: nn.SeqLSTMP(3, 4, None),
            DTypeError,
            "SeqLSTMP: outputsize must be an integer, got None",
        ),
        (
            lambda: nn.SeqReverseSequence(3).forward(X),
            ShapeError,
            "SeqReverseSequence.updateOutput: dimension 3 is out of range for input (4, 5, 3), "
            "counting from 0",
        ),
        (
            lambda: nn.ReverseSequence().forward(None),
            DTypeError,
            "ReverseSequence.updateOutput: input must be a table (a list), got NoneType",
        ),
        (
            lambda: nn.VariableLength(nn.SeqGRU(3, 2)).forward([X[0], X[1, :0]]),
            ShapeError,
            "VariableLength @ SeqGRU(3 -> 2).updateOutput: input[1] must be (L, 3), of at least 1 "
            "step, got (0, 3)",
        ),
        (
            lambda: nn.VariableLength(nn.SeqGRU(3, 2)).forward([X[0], X[1, :, :2]]),
            ShapeError,
            "VariableLength @ SeqGRU(3 -> 2).updateOutput: input[1] must be (L, 3), of at least 1 "
            "step, got (5, 2)",
        ),
        (
            lambda: nn.VariableLength(nn.SeqGRU(3, 2)).setZeroMask(False),
            StateError,
            "VariableLength.setZeroMask: it makes the mask itself, of the lengths\n"
            "  hint: leave out what is not to count: input is a table of sequences",
        ),
    ],
)
def test_refusals(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).partition("\n  at ")[0] == message
