"""Modules that are called once a step, and what runs them over sequences."""

import operator
import pickle

import cases
import numpy as np
import pytest

from torchlite import nn, random, serial
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.nn import checks
from torchlite.nn._through_time import recurrents
from torchlite.nn.nested import map_arrays, same, shapes
from torchlite.nn.recurrent import element_research
from torchlite.testing import check_module

CELLS = {
    "RecLSTM": lambda: nn.RecLSTM(3, 2),
    "projected RecLSTM": lambda: nn.RecLSTM(3, 4, 2),
    "RecGRU": lambda: nn.RecGRU(3, 2),
    "LinearRNN": lambda: nn.LinearRNN(3, 2),
    "Recursor": lambda: nn.Recursor(nn.Sequential(nn.RecGRU(3, 2), nn.Tanh(), nn.Linear(2, 2))),
}
cells = pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def run(net, xs):
    return [net.forward(x) for x in xs]


def back(net, xs, gs):
    return [net.backward(x, g) for x, g in zip(xs[::-1], gs[::-1], strict=True)][::-1]


def message(kind, call, *arguments):
    with pytest.raises(kind) as caught:
        call(*arguments)
    return str(caught.value)


# ---------------------------------------------------------------- one way and back


@cells
def test_steps_by_hand_are_the_sequence_at_once(make):
    net = nn.Sequencer(make())
    alone = net.modules[0].clone()
    xs, gs = numbers(4, 2, 3), numbers(4, 2, 2)
    output = net.forward(xs)
    gradInput = net.backward(xs, gs)
    assert (np.stack(run(alone, xs)) == output).all()
    assert np.allclose(np.stack(back(alone, xs, gs)), gradInput, 0, 1e-14)
    for one, other in zip(alone.parameters()[1], net.parameters()[1], strict=True):
        assert np.allclose(one, other, 0, 1e-13)


@cells
def test_gradients_through_time_are_derivatives(make):
    check_module(nn.Sequencer(make()), numbers(3, 2, 3), only=["gradInput", "gradParameters"])


def test_a_stack_is_as_good_as_a_layer():
    properties = ["duck", "dtype", "layout", "aliasing", "split", "exceptions", "none"]
    stack = nn.Sequential(nn.RecGRU(1, 1), nn.Mul())
    check_module(nn.Sequencer(stack), numbers(2, 2, 1), only=properties)


@cells
def test_a_batch_is_its_samples(make):
    net = nn.Sequencer(make())
    xs, gs = numbers(3, 4, 3), numbers(3, 4, 2)
    output, gradInput = net.forward(xs), net.backward(xs, gs)
    whole = [gradient.copy() for gradient in net.parameters()[1]]
    net.zeroGradParameters()
    for i in range(4):
        x, g = xs[:, i : i + 1], gs[:, i : i + 1]
        assert np.allclose(net.forward(x), output[:, i : i + 1], 0, 1e-14)
        assert np.allclose(net.backward(x, g), gradInput[:, i : i + 1], 0, 1e-14)
    for one, other in zip(whole, net.parameters()[1], strict=True):
        assert np.allclose(one, other, 0, 1e-13)


@cells
def test_a_sequence_may_be_gone_back_through_again(make):
    net = nn.Sequencer(make())
    xs, gs = numbers(3, 2, 3), numbers(3, 2, 2)
    net.forward(xs)
    first = net.backward(xs, gs)
    once = [gradient.copy() for gradient in net.parameters()[1]]
    assert (net.updateGradInput(xs, gs) == first).all()
    net.accGradParameters(xs, gs, 0.5)
    net.accGradParameters(xs, gs, -1)
    for one, other in zip(once, net.parameters()[1], strict=True):
        assert np.allclose(0.5 * one, other, 0, 1e-14)


def stateless_rows():
    """Yield the first row of each class that is not recurrent."""
    seen = set()
    for _, case in cases.rows():
        made = case.make()
        # A lazy mask is meant to be that of all steps.
        if getattr(made, "lazy", False):
            continue
        if isinstance(made, nn.Module) and type(made) not in seen and not recurrents(made):
            seen.add(type(made))
            yield pytest.param(case, id=case.id)


@pytest.mark.parametrize("case", list(stateless_rows()))
def test_whatever_a_layer_remembers_it_remembers_of_each_step(case):
    """A step of a Recursor is what a copy of the layer, kept for this step, would do."""
    rng, net = np.random.default_rng(0), nn.Recursor(case.make())
    copies = [net.modules[0].sharedClone() for _ in range(3)]
    xs = [case.draw(rng) for _ in copies]
    results = []
    for modules in ([net] * len(xs), copies):
        outputs, gradInputs = [], []
        for seed, (module, x) in enumerate(zip(modules, xs, strict=True)):
            random.manualSeed(seed)
            outputs.append(module.forward(x))
        gs = [map_arrays(ascending, y) for y in outputs]
        net.zeroGradParameters()
        for module, x, g in zip(modules[::-1], xs[::-1], gs[::-1], strict=True):
            gradInputs.append(module.updateGradInput(x, g))
        for module, x, g in zip(modules[::-1], xs[::-1], gs[::-1], strict=True):
            module.accGradParameters(x, g, 0.5)
        results.append([outputs, gradInputs, [g.copy() for g in net.parameters()[1]]])
    assert same(*results)


def test_what_is_added_in_the_middle_of_a_sequence_is_remembered_too():
    net = nn.Recursor(nn.Sequential(nn.Identity()))
    net.forward(numbers(2, 3))
    net.modules[0].add(nn.Dropout())
    xs = numbers(2, 2, 3)
    outputs = run(net, xs)
    assert same(
        back(net, xs, np.ones((2, 2, 3))), [y / x for x, y in zip(xs, outputs, strict=True)]
    )


def test_tables_may_grow_from_step_to_step():
    net = nn.Recursor(nn.MapTable(nn.Dropout()))
    xs = [list(numbers(n, 2, 3, seed=n)) for n in (1, 3, 2)]
    random.manualSeed(1)
    outputs = run(net, xs)
    gradInputs = back(net, xs, [[np.ones((2, 3))] * len(x) for x in xs])
    factors = [
        [y / x for x, y in zip(*pair, strict=True)] for pair in zip(xs, outputs, strict=True)
    ]
    assert same(gradInputs, factors)


def test_sequences_inside_a_step_are_remembered_with_it():
    """A sequencer runs steps of its own: what is inside it starts anew at each step around it."""
    net = nn.Recursor(nn.Sequencer(nn.Sequential(nn.RecGRU(3, 2), nn.Linear(2, 2))))
    copies = [net.modules[0].sharedClone(True, False) for _ in range(2)]
    xs, gs = numbers(2, 4, 1, 3), numbers(2, 4, 1, 2)
    assert same(run(net, xs), [copy.forward(x) for copy, x in zip(copies, xs, strict=True)])
    expected = [copy.backward(*pair) for copy, *pair in zip(copies, xs, gs, strict=True)]
    assert same(back(net, xs, gs), expected)
    for whole, *parts in zip(*(each.parameters()[1] for each in (net, *copies)), strict=True):
        assert np.allclose(whole, sum(parts), 0, 1e-14)


class Failing(nn.Mul):
    """A layer that fails when it is asked to."""

    fails = ""

    def updateGradInput(self, input, gradOutput):
        if self.fails == "updateGradInput" and (input == 1).all():
            raise RuntimeError("as asked")
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        if self.fails == "accGradParameters" and (input == 1).all():
            raise RuntimeError("as asked")
        super().accGradParameters(input, gradOutput, scale)


def failing(method, *around):
    layer = Failing()
    layer.fails = method
    net = nn.Sequential(*around, nn.Sequencer(layer), nn.Sequencer(nn.Linear(2, 2)))
    xs = np.stack([np.full((1, 2), value) for value in (0.0, 1.0, 2.0)])
    net.forward(xs)
    net.zeroGradParameters()
    return net, xs


def test_a_step_that_fails_on_the_way_back_is_named():
    net, xs = failing("updateGradInput")
    with pytest.raises(RuntimeError) as caught:
        net.backward(xs, np.ones((3, 1, 2)))
    assert caught.value.__notes__[:2] == [
        "  at [0] of Recursor: step 1, gradOutput (1, 2)",
        "  at [0] of Sequencer: step 1 of 3, gradOutput (1, 2)",
    ]
    assert net[0].inputs == ()
    assert not any(gradient.any() for gradient in net.parameters()[1])


@pytest.mark.parametrize("around", [[], [nn.Identity()]])
def test_a_step_that_fails_to_accumulate_leaves_all_gradients(around):
    for alone in (False, True):
        net, xs = failing("accGradParameters", *around)
        part = net[-2] if alone else net
        gs = net[-1].updateGradInput(net[-1].inputs and net[-2].output, np.ones((3, 1, 2)))
        with pytest.raises(RuntimeError) as caught:
            part.backward(xs, gs if alone else np.ones((3, 1, 2)))
        note = "  at [0] of Sequencer: step 1 of 3, gradOutput (1, 2)"
        assert note in caught.value.__notes__
        assert not any(gradient.any() for gradient in net.parameters()[1])


def test_a_recursor_inside_a_network_that_fails_leaves_all_gradients():
    layer = Failing()
    layer.fails = "accGradParameters"
    net = nn.Sequential(nn.Recursor(layer), nn.Linear(2, 2))
    x = np.ones((1, 2))
    net.forward(x)
    with pytest.raises(RuntimeError):
        net.backward(x, x)
    assert not any(gradient.any() for gradient in net.parameters()[1])


def ascending(array):
    return np.arange(1.0, np.size(array) + 1).reshape(np.shape(array))


# ---------------------------------------------------------------- wrong orders


def test_a_backward_without_a_step_is_refused():
    net, x, g = nn.RecGRU(3, 2), numbers(1, 3), numbers(1, 2)
    assert message(StateError, net.backward, x, g) == (
        "RecGRU(3 -> 2).updateGradInput: there was no step\n"
        "  hint: call forward(input) first, once for each step"
    )


def test_a_backward_too_many_is_refused():
    net, x, g = nn.RecGRU(3, 2), numbers(1, 3), numbers(1, 2)
    run(net, [x, x])
    back(net, [x, x], [g, g])
    before = [gradient.copy() for gradient in net.parameters()[1]]
    assert message(StateError, net.backward, x, g) == (
        "RecGRU(3 -> 2).updateGradInput: there is no step before step 0: there were 2\n"
        "  hint: a backward goes back from each step once"
    )
    assert same(before, net.parameters()[1])


@cells
def test_a_backward_of_the_wrong_step_is_refused(make):
    net, xs, g = make(), numbers(3, 1, 3), numbers(1, 2)
    run(net, xs)
    title = checks.title(net)
    with pytest.raises(StateError) as caught:
        net.updateGradInput(xs[1], g)
    assert str(caught.value) == (
        f"{title}.updateGradInput: input is not that of step 2\n"
        "  hint: a backward goes from the last step to the first, each with its own input"
    )
    assert (caught.value.expected, caught.value.got) == ("(1, 3)", "(1, 3)")
    # Nothing has happened: the right one goes on.
    net.backward(xs[2], g)
    with pytest.raises(StateError, match="input is not that of step 1"):
        net.updateGradInput(xs[0], g)
    net.backward(xs[1].copy(), g)


def test_another_sequence_is_refused():
    net, xs, g = nn.Sequencer(nn.RecGRU(3, 2)), numbers(2, 4, 1, 3), numbers(4, 1, 2)
    net.forward(xs[0])
    net.forward(xs[1])
    for method in (net.updateGradInput, net.accGradParameters):
        with pytest.raises(StateError, match="input is not that of the last forward"):
            method(xs[0], g)
    net.updateGradInput(xs[1], g)
    with pytest.raises(StateError, match="gradOutput is not that of the last updateGradInput"):
        net.accGradParameters(xs[1], 2 * g)


def test_a_container_that_is_called_once_a_step_is_told_how_to():
    net, xs = nn.Sequential(nn.RecGRU(3, 2), nn.Linear(2, 2)), numbers(2, 1, 3)
    run(net, xs)
    net.backward(xs[1], numbers(1, 2))
    assert message(StateError, net.backward, xs[0], numbers(1, 2)) == (
        "Sequential.updateGradInput: input is not that of the last forward\n"
        "  hint: nn.Recursor(...) of a Sequential goes back step by step"
    )


def test_gradients_of_parameters_come_after_those_of_the_input():
    net, xs, g = nn.RecGRU(3, 2), numbers(2, 1, 3), numbers(1, 2)
    run(net, xs)
    assert message(StateError, net.accGradParameters, xs[1], g) == (
        "RecGRU(3 -> 2).accGradParameters: updateGradInput has not come to step 1\n"
        "  hint: call updateGradInput(input, gradOutput) first: it finds the gradients of the "
        "states"
    )
    net.updateGradInput(xs[1], g)
    assert message(StateError, net.accGradParameters, xs[1], 2 * g) == (
        "RecGRU(3 -> 2).accGradParameters: gradOutput is not that of updateGradInput at step 1\n"
        "  hint: call updateGradInput with this gradOutput first"
    )
    assert not any(gradient.any() for gradient in net.parameters()[1])
    # All steps back, then all sums, is one of the right orders; none at all is another.
    net.updateGradInput(xs[0], g)
    net.accGradParameters(xs[1], g)
    net.accGradParameters(xs[0], g)
    run(net, xs)
    net.updateGradInput(xs[1], g)
    net.updateGradInput(xs[0], g)


def test_an_error_in_a_network_leaves_all_gradients_as_they_were():
    rnn = nn.RecGRU(3, 2)
    net, x, g = nn.Sequential(rnn, nn.Linear(2, 2)), numbers(1, 3), numbers(1, 2)
    net.forward(x)
    net.updateGradInput(x, g)
    rnn.forward(x)
    with pytest.raises(StateError, match="updateGradInput has not come to step 1"):
        net.accGradParameters(x, g)
    assert not any(gradient.any() for gradient in net.parameters()[1])


def test_it_is_made_of_what_it_was_made_of():
    for net in (nn.RecGRU(3, 2), nn.Recursor(nn.Linear(3, 2)), nn.LSTM(3, 2)):
        for method, *arguments in (
            ["add", nn.Linear(2, 2)],
            ["insert", nn.Linear(2, 2), 0],
            ["remove"],
        ):
            assert message(StateError, getattr(net, method), *arguments) == (
                f"{type(net).__name__}.{method}: it is complete\n"
                "  hint: nn.Sequential(...) of it and others is a module of several"
            )


def test_what_is_held_twice_takes_a_step_once():
    net = nn.Sequential(nn.RecGRU(3, 2), nn.Linear(2, 2))
    net.rnn = net[0]
    sequencer = nn.Sequencer(net)
    assert len(recurrents(sequencer.modules[0])) == 2
    xs = numbers(3, 2, 3)
    assert same(list(sequencer.forward(xs)), run(sequencer.modules[0].forget(), xs))


# ---------------------------------------------------------------- how far back


@cells
def test_a_window_cuts_the_gradient_off(make):
    net, whole = make(), make()
    for one, other in zip(net.parameters()[0], whole.parameters()[0], strict=True):
        one[...] = other
    xs, gs = numbers(5, 2, 3), numbers(5, 2, 2)
    net.maxBPTTstep(2)
    run(net, xs)
    # The last three steps, from the state before them: that is what is kept.
    assert len(net.steps) == 3
    gradInputs = back(net, xs[2:], gs[2:])
    with pytest.raises(StateError) as caught:
        net.backward(xs[1], gs[1])
    assert str(caught.value).endswith(
        ".updateGradInput: step 1 is not kept\n  hint: maxBPTTstep(3)"
    )
    run(whole, xs[:2])
    whole.setHiddenState(2, whole.getHiddenState())
    run(whole, xs[2:])
    assert same(back(whole, xs[2:], gs[2:]), gradInputs)
    assert same(whole.parameters()[1], net.parameters()[1])


def test_windows_are_told():
    assert nn.Recursor(nn.RecGRU(3, 2), 4).modules[0].rho == 4
    assert nn.Recurrence(nn.CAddTable(), 3, 1, 5).rho == 5
    net = nn.Sequencer(nn.Sequential(nn.RecGRU(3, 2), nn.LSTM(2, 2)))
    # Those of a sequencer are its sequences.
    assert net.maxBPTTstep(7) is net
    assert net.modules[0].rho == 99999
    stack = nn.Sequential(nn.RecGRU(3, 2), nn.Recursor(nn.LSTM(2, 2))).maxBPTTstep(7)
    assert [stack[0].rho, stack[1].rho, stack[1].modules[0].rho] == [7, 7, 7]
    assert stack[0].maxBPTTstep(1).rho == 1
    assert message(SettingError, stack[0].maxBPTTstep, 0) == (
        "RecGRU(3 -> 2).maxBPTTstep: rho must be at least 1, got 0"
    )
    assert message(DTypeError, stack.maxBPTTstep, 2.5) == (
        "RecGRU(3 -> 2).maxBPTTstep: rho must be an integer, got 2.5"
    )


@cells
def test_evaluation_keeps_the_last_step_alone(make):
    net, xs, gs = make().evaluate(), numbers(4, 2, 3), numbers(4, 2, 2)
    outputs = run(net, xs)
    assert len(net.steps) == 1
    assert all(len(part.steps) == 1 for part in recurrents(net))
    net.backward(xs[3], gs[3])
    with pytest.raises(StateError) as caught:
        net.backward(xs[2], gs[2])
    assert str(caught.value).endswith(
        "step 2 is not kept\n  hint: evaluation mode keeps the last step alone"
    )
    assert same(outputs, run(net.forget().training(), xs))


# ---------------------------------------------------------------- states


STATES = {
    "RecLSTM": lambda: nn.RecLSTM(3, 2),
    "projected RecLSTM": lambda: nn.RecLSTM(3, 4, 2),
    "RecGRU": lambda: nn.RecGRU(3, 2),
    "LinearRNN": lambda: nn.LinearRNN(3, 2),
    "LSTM": lambda: nn.LSTM(3, 2),
    "FastLSTM": lambda: nn.FastLSTM(3, 2),
    "GRU": lambda: nn.GRU(3, 2),
    "MuFuRu": lambda: nn.MuFuRu(3, 2),
    "Recurrent": lambda: nn.Recurrent(2, nn.Linear(3, 2), nn.Linear(2, 2)),
    "Recursor": lambda: nn.Recursor(nn.Sequential(nn.RecGRU(3, 2), nn.LSTM(2, 2))),
}
states = pytest.mark.parametrize("make", STATES.values(), ids=STATES)


@states
def test_a_state_goes_on_in_another_module(make):
    """A sequence in two parts, in two modules: outputs and all gradients are those of the whole."""
    whole = make()
    first, second = whole.sharedClone(True, False), whole.sharedClone(True, False)
    xs, gs = numbers(5, 2, 3), numbers(5, 2, 2)
    outputs, gradInputs = run(whole, xs), back(whole, xs, gs)
    got = run(first, xs[:2])
    second.setHiddenState(0, first.getHiddenState())
    got += run(second, xs[2:])
    assert same(got, outputs)
    late = back(second, xs[2:], gs[2:])
    first.setGradHiddenState(2, second.getGradHiddenState(0))
    assert np.allclose(back(first, xs[:2], gs[:2]) + late, gradInputs, 0, 1e-14)
    gradients = zip(*(net.parameters()[1] for net in (whole, first, second)), strict=True)
    for one, early, later in gradients:
        assert np.allclose(one, early + later, 0, 1e-13)


@states
def test_states_can_be_looked_at(make):
    net, xs = make(), numbers(3, 2, 3)
    seen = []
    for x in xs:
        net.forward(x)
        seen.append(net.getHiddenState())
    assert same(seen, [net.getHiddenState(step) for step in (1, 2, 3)])
    assert same(seen, [net.getHiddenState(step) for step in (-3, -2, -1)])
    start = net.getHiddenState(0)
    assert same(net.getHiddenState(-4), start)
    for step in (4, -5):
        with pytest.raises(SettingError, match=f"step must be at most 3, so .*, got {step}"):
            net.getHiddenState(step)
    assert net.forget() is net
    assert net.getHiddenState() in (None, [None, None])


def test_a_container_has_the_states_of_its_modules():
    recursor = nn.Recursor(nn.RecGRU(3, 2))
    assert recursor.setStartState(numbers(4, 2)) is recursor
    assert (recursor.modules[0].startState[0] == numbers(4, 2)).all()
    assert recursor.setHiddenState(0, numbers(5, 2)) is recursor
    assert recursor.setGradHiddenState(0, numbers(5, 2)) is recursor
    net = nn.Sequential(nn.Linear(3, 3), nn.RecGRU(3, 2), nn.Sequencer(nn.RecLSTM(3, 2)))
    state, h, c = numbers(4, 2), numbers(4, 2, seed=1), numbers(4, 2, seed=2)
    assert net.setHiddenState(0, [None, state, [[h, c]]]) is net
    assert same(net.getHiddenState(0), [None, state, [[h, c]]])
    assert same(net[2].modules[0].startState, [h, c])
    assert net.setStartState() is net
    assert net.getHiddenState(0) == [None, None, [None]]
    net.setGradHiddenState(0, [None, state, None])
    assert same(net.getGradHiddenState(0)[1], state)
    assert message(ShapeError, net.setStartState, [state]) == (
        "Sequential.setStartState: state must be a table of 3 entries, got [(4, 2)]"
    )


def test_a_decoder_starts_where_an_encoder_ends():
    whole = nn.Sequencer(nn.Sequential(nn.RecLSTM(3, 2), nn.GRU(2, 2)))
    encoder, decoder = whole.sharedClone(True, False), whole.sharedClone(True, False)
    xs, gs = numbers(5, 2, 3), numbers(5, 2, 2)
    output, gradInput = whole.forward(xs), whole.backward(xs, gs)
    early = encoder.forward(xs[:3])
    late = decoder.setHiddenState(0, encoder.getHiddenState()).forward(xs[3:])
    assert same([*early, *late], list(output))
    gradLate = decoder.backward(xs[3:], gs[3:])
    encoder.setGradHiddenState(-1, decoder.getGradHiddenState(0))
    gradEarly = encoder.backward(xs[:3], gs[:3])
    assert np.allclose([*gradEarly, *gradLate], gradInput, 0, 1e-14)
    gradients = zip(*(net.parameters()[1] for net in (whole, encoder, decoder)), strict=True)
    for one, first, second in gradients:
        assert np.allclose(one, first + second, 0, 1e-13)


def test_the_gradient_of_a_start_is_its_derivative():
    net, xs, g = nn.RecGRU(3, 2), numbers(3, 2, 3), numbers(2, 2)
    start = numbers(2, 2, seed=1)

    def loss(state):
        net.setStartState(state).forget()
        return (run(net, xs)[-1] * g).sum()

    loss(start)
    back(net, xs, [0 * g, 0 * g, g])
    gradient = net.getGradHiddenState(0)
    # It holds for every sequence, until it is taken back.
    assert same(net.forget().getHiddenState(0), start + 0)
    assert net.setStartState().getHiddenState(0) is None
    assert same(net.setHiddenState(0, start).clearState().startState, [start])
    for index in np.ndindex(2, 2):
        step = np.zeros((2, 2))
        step[index] = 1e-6
        slope = (loss(start + step) - loss(start - step)) / 2e-6
        assert abs(slope - gradient[index]) < 1e-9


def test_a_state_that_was_set_is_a_constant():
    net, xs, gs = nn.RecGRU(3, 2), numbers(4, 2, 3), numbers(4, 2, 2)
    alone = net.sharedClone(True, False)
    run(net, xs[:2])
    state = numbers(2, 2, seed=2)
    assert same(net.setHiddenState(2, state).getHiddenState(), state)
    run(net, xs[2:])
    back(net, xs[2:], gs[2:])
    with pytest.raises(StateError, match="step 1 is not kept"):
        net.backward(xs[1], gs[1])
    run(alone.setStartState(state), xs[2:])
    back(alone, xs[2:], gs[2:])
    assert same(alone.parameters()[1], net.parameters()[1])
    assert same(alone.getGradHiddenState(0), net.getGradHiddenState(2))


def test_a_backward_ends_at_a_state_that_was_set():
    net, xs, gs = nn.RecGRU(3, 2), numbers(3, 2, 3), numbers(3, 2, 2)
    net.forward(xs[0])
    net.backward(xs[0], gs[0])
    net.setHiddenState(1, gs[0])
    assert message(StateError, net.getGradHiddenState, 0) == (
        "RecGRU(3 -> 2).getGradHiddenState: no backward has come to state 0\n"
        "  hint: updateGradInput goes back from step 0 next"
    )
    assert message(StateError, net.backward, xs[0], gs[0]).startswith(
        "RecGRU(3 -> 2).updateGradInput: step 0 is not kept"
    )
    net.forward(xs[1])
    net.backward(xs[1], gs[1])
    assert message(StateError, net.backward, xs[0], gs[0]) == (
        "RecGRU(3 -> 2).updateGradInput: step 0 is not kept\n"
        "  hint: the state before step 1 is a constant: it was set by setHiddenState, or a "
        "sequence went on from it"
    )


def test_states_are_copied_in_and_out():
    cell, layer, x = nn.RecLSTM(3, 2), nn.SeqLSTM(3, 2), numbers(4, 2, 3)
    for net in (cell, layer, nn.Recurrent(2, nn.Linear(3, 2), nn.Linear(2, 2))):
        given = x if net is layer else x[0]
        state = numbers(2, 2) if isinstance(net, nn.Recurrent) else [numbers(2, 2), numbers(2, 2)]
        kept = map_arrays(np.copy, state)
        net.setStartState(state)
        for array in state if isinstance(state, list) else [state]:
            array += 1
        assert same(net.getHiddenState(0), kept)
        expected = net.forward(given).copy()
        for step in (0, None):
            held = net.getHiddenState(step)
            for array in held if isinstance(held, list) else [held]:
                array += 1
        assert same(net.output, expected)
        assert same(net.forget().forward(given), expected)


@pytest.mark.parametrize("make", [nn.RecGRU, nn.SeqGRU, nn.LinearRNN], ids=str)
def test_a_start_state_is_a_setting(make, tmp_path):
    net, start = make(3, 2), numbers(4, 2)
    net.setStartState(start)
    for made in (net.clone(), pickle.loads(pickle.dumps(net)), of_file(net, tmp_path)):
        assert same(made.startState, [start])
        assert made.startState[0] is not net.startState[0]
    assert same(net.float().startState, [start.astype("float32")])
    x = numbers(4, 3).astype("float32")
    assert net.forward(x if net._steps_itself else x[None]).dtype == "float32"


def test_a_state_that_was_set_after_the_mode_changed():
    x, state = numbers(4, 2, 3), numbers(2, 2)
    for net in (nn.SeqGRU(3, 2), nn.Sequencer(nn.RecGRU(3, 2)), nn.Sequencer(nn.GRU(3, 2))):
        cell = net if isinstance(net, nn.SeqGRU) else net.modules[0]
        expected = net.setStartState(state if cell is net else [state]).forward(x).copy()
        net.setStartState().remember("both").forget()
        anew = net.forward(x).copy()
        net.evaluate()
        assert cell.setHiddenState(4, state) is cell
        assert same(cell.getHiddenState(), state)
        assert same(net.forward(x), expected)
        # One that was set before the change is forgotten with the sequence before.
        cell.setHiddenState(-1, state)
        assert same(net.training().forward(x), anew)


def test_states_that_do_not_fit_are_refused():
    net = nn.RecLSTM(3, 4, 2)
    h, c = numbers(5, 2), numbers(5, 4)
    assert message(ShapeError, net.setStartState, [h, h]) == (
        "RecLSTM(3 -> 4 -> 2).setStartState: state must be [(N, 2), (N, 4)], got [(5, 2), (5, 2)]"
    )
    assert message(DTypeError, net.setHiddenState, 0, h) == (
        "RecLSTM(3 -> 4 -> 2).setStartState: state must be a table (a list), got ndarray\n"
        "  hint: a list of arrays: [state, ...]"
    )
    assert message(DTypeError, net.setStartState, [h, c.astype("float32")]) == (
        "RecLSTM(3 -> 4 -> 2).setStartState: state must be float64, got float32\n"
        "  hint: state.astype('float64')"
    )
    assert message(SettingError, net.setHiddenState, 1, [h, c]) == (
        "RecLSTM(3 -> 4 -> 2).setHiddenState: step must be at most 0, so many steps as there were, "
        "got 1"
    )
    for odd in ([h, c[:3]], [h[0], c[0]]):
        got = shapes(odd)
        for rnn, what in ((net, "[(N, 2), (N, 4)]"), (nn.SeqLSTM(3, 4, 2), "[(N, 2), (N, 4)]")):
            assert message(ShapeError, rnn.setStartState, odd) == (
                f"{checks.title(rnn)}.setStartState: state must be {what}, got {got}"
            )
    for rnn in (net, nn.SeqLSTM(3, 4, 2)):
        assert message(DTypeError, rnn.setStartState, [h, c + 0j]) == (
            f"{checks.title(rnn)}.setStartState: state must be float64, got complex128\n"
            "  hint: clone().type('complex128') has complex states"
        )
    net.setStartState([h, c])
    assert message(ShapeError, net.forward, numbers(4, 3)) == (
        "RecLSTM(3 -> 4 -> 2).updateOutput: input must be a batch that goes on from the state "
        "[(5, 2), (5, 4)], got (4, 3)\n"
        "  hint: setStartState() takes it back"
    )
    run(net, numbers(3, 5, 3))
    assert message(StateError, net.setHiddenState, 2, [h, c]) == (
        "RecLSTM(3 -> 4 -> 2).setHiddenState: state 2 is past: there were 3 steps since\n"
        "  hint: state 3 is the one from which the next step goes on"
    )
    assert message(StateError, net.getGradHiddenState, 1) == (
        "RecLSTM(3 -> 4 -> 2).getGradHiddenState: no backward has come to state 1\n"
        "  hint: updateGradInput goes back from step 2 next"
    )
    assert message(StateError, nn.Linear(3, 2).setHiddenState, 0, h) == (
        "Linear(3 -> 2).setHiddenState: it has no state, got (5, 2)\n"
        "  hint: None stands for it in the list of a container"
    )


@cells
def test_another_batch_needs_another_sequence(make):
    net = make()
    net.forward(numbers(4, 3))
    state = net.getHiddenState()
    with pytest.raises(ShapeError, match="must be a batch that goes on from the state"):
        net.forward(numbers(5, 3))
    # It stands where it stood.
    assert same(net.getHiddenState(), state)
    assert net.step == 1
    net.forward(numbers(4, 3))
    assert net.forget().forward(numbers(5, 3)).shape == (5, 2)


# ---------------------------------------------------------------- whole sequences


def test_sequences_that_go_on():
    net, xs, gs = nn.Sequencer(nn.RecGRU(3, 2)), numbers(6, 2, 3), numbers(6, 2, 2)
    whole = net.sharedClone().forward(xs)
    assert net.remember() is net
    assert same([*net.forward(xs[:2]), *net.forward(xs[2:])], list(whole))
    # Of the steps, those of the last sequence are kept, and its gradient ends where it begins.
    assert len(net.modules[0].steps) == 4
    gradInput = net.backward(xs[2:], gs[2:])
    alone = net.sharedClone(True, False).setHiddenState(0, [whole[1]])
    alone.forward(xs[2:])
    assert same(alone.backward(xs[2:], gs[2:]), gradInput)
    # A change of mode starts anew, as forget does.
    assert same(net.evaluate().forward(xs[:2]), whole[:2])
    assert same(net.forget().forward(xs[:2]), whole[:2])
    assert same(net.remember("train").forward(xs[:2]), whole[:2])
    assert same(net.remember("neither").training().forward(xs[:2]), whole[:2])
    assert message(SettingError, net.remember, "always") == (
        "Sequencer @ RecGRU(3 -> 2).remember: mode must be one of 'both', 'eval', 'train', "
        "'neither', got 'always'"
    )
    assert message(SettingError, nn.Sequential(net).remember, "always").startswith("Sequential.")
    nn.Sequential(net, nn.Linear(2, 2)).remember("eval")
    assert net._remember == "eval"


def test_a_sequence_that_fails_leaves_the_state_before_it():
    net = nn.Sequencer(nn.Sequential(nn.RecGRU(3, 2), nn.Linear(2, 2))).remember()
    xs = list(numbers(3, 2, 3))
    expected = net.sharedClone().remember()
    net.forward(xs)
    with pytest.raises(ShapeError) as caught:
        net.forward([xs[0], xs[1], numbers(2, 4)])
    assert caught.value.__notes__ == [
        "  at [0] of Sequential: input (2, 4) -> [0] here",
        "  at [0] of Recursor: step 5, input (2, 4)",
        "  at [0] of Sequencer: step 2 of 3, input (2, 4)",
    ]
    with pytest.raises(StateError, match="input is not that of the last forward"):
        net.backward(xs, xs)
    expected.forward(xs)
    assert same(net.forward(xs), expected.forward(xs))


def test_a_step_that_fails_leaves_the_state_before_it():
    net = nn.Recursor(nn.Sequential(nn.RecGRU(3, 2), nn.LSTM(2, 2)))
    xs, gs = numbers(2, 2, 3), numbers(2, 2, 2)
    run(net, xs)
    kept = net.getHiddenState()
    net.modules[0].add(nn.Linear(4, 2))
    with pytest.raises(ShapeError):
        net.forward(xs[0])
    assert [part.step for part in recurrents(net)] == [2, 2, 2]
    assert [len(part.steps) for part in recurrents(net)] == [2, 2, 2]
    net.modules[0].remove()
    assert same(net.getHiddenState(), kept)
    back(net, xs, gs)


def test_sequences_must_have_steps_and_rows_of_the_mask():
    net = nn.Sequencer(nn.RecGRU(3, 2))
    for nothing in ([], numbers(0, 2, 3)):
        with pytest.raises(ShapeError, match="input must be a sequence of at least 1 step"):
            net.forward(nothing)
    with pytest.raises(DTypeError, match="input must be an array"):
        net.forward("abc")
    xs = numbers(3, 2, 3)
    net.maskZero().setZeroMask(np.zeros((2, 2), bool))
    assert message(StateError, net.forward, xs) == (
        "Sequencer.updateOutput: the mask has 2 rows, and the sequence 3 steps\n"
        "  hint: setZeroMask(mask) before the sequence, (T, N), or setZeroMask(False)"
    )
    rnn = net.modules[0]
    run(rnn, xs[:2])
    assert message(StateError, rnn.forward, xs[2]) == (
        "RecGRU(3 -> 2).updateOutput: the mask has 2 rows, and this is step 2 since it was set\n"
        "  hint: setZeroMask(mask) with a row for each step; forget() begins a new sequence"
    )
    assert net.setZeroMask(False).forward(xs).shape == (3, 2, 2)
    net.forward(xs)
    for gradOutput in (numbers(2, 2, 2), numbers(3, 2, 3)):
        with pytest.raises(ShapeError, match=r"Sequencer.*gradOutput must be \(3, 2, 2\)"):
            net.backward(xs, gradOutput)


def test_a_mask_that_is_set_in_the_middle_begins_there():
    net, xs = nn.RecGRU(3, 2).maskZero().setZeroMask(False), numbers(4, 2, 3)
    run(net, xs[:2])
    net.setZeroMask(np.array([[False, True], [True, False]]))
    outputs = run(net, xs[2:])
    assert [(y == 0).all(1).tolist() for y in outputs] == [[False, True], [True, False]]
    sequencer = nn.Sequencer(net).remember()
    for _ in range(2):
        outputs = sequencer.forward(xs[2:])
        assert [(y == 0).all(1).tolist() for y in outputs] == [[False, True], [True, False]]


@states
def test_a_mask_starts_a_sample_anew(make):
    if make is STATES["Recurrent"]:
        with pytest.raises(StateError, match="a sample cannot start anew later"):
            make().maskZero()
        return
    net = nn.Sequencer(make())
    xs, gs = numbers(4, 2, 3), numbers(4, 2, 2)
    early, late = (net.sharedClone(True, False) for _ in range(2))
    mask = np.array([[False, False], [False, True], [False, False], [False, False]])
    # What stands where it is masked makes no difference.
    xs[1, 1] = np.nan
    with np.errstate(invalid="ignore"):
        output = net.maskZero().setZeroMask(mask).forward(xs)
        gradInput = net.backward(xs, gs)
    for part, steps in ((early, slice(0, 1)), (late, slice(2, 4))):
        x, g = xs[steps, 1:], gs[steps, 1:]
        assert np.allclose(part.forward(x), output[steps, 1:], 0, 1e-14)
        assert np.allclose(part.backward(x, g), gradInput[steps, 1:], 0, 1e-14)
    assert not output[1, 1].any()
    assert not gradInput[1, 1].any()


# ---------------------------------------------------------------- copies


def of_file(net, tmp_path):
    serial.save(tmp_path / "net.npz", net)
    return serial.load(tmp_path / "net.npz")


@states
def test_copies_begin_anew(make, tmp_path):
    net, xs, gs = make(), numbers(3, 2, 3), numbers(3, 2, 2)
    net.maxBPTTstep(5)
    expected = run(net, xs)
    back(net, xs, gs)
    net.setGradHiddenState(3, None)
    ways = [
        lambda: net.clone(),
        lambda: pickle.loads(pickle.dumps(net)),
        lambda: of_file(net, tmp_path),
    ]
    for way in ways:
        made = way()
        assert [part.step for part in recurrents(made)] == [0] * len(recurrents(net))
        assert [part.rho for part in recurrents(made)] == [5] * len(recurrents(net))
        assert same(made.parameters()[0], net.parameters()[0])
        assert same(run(made, xs), expected)
    # In the middle of a sequence they do not disturb it.
    net.forward(xs[0])
    assert net.step == 4


@states
def test_a_cast_begins_anew(make):
    net, xs, gs = make(), numbers(3, 2, 3), numbers(3, 2, 2)
    expected = run(net, xs)
    assert net.float().type() == "float32"
    assert net.step == 0
    got = run(net, xs.astype("float32"))
    assert {array.dtype.name for array in got} == {"float32"}
    assert np.allclose(got, expected, 0, 1e-6)
    back(net, xs.astype("float32"), gs.astype("float32"))
    with pytest.raises(DTypeError, match="float32"):
        net.forward(xs[0])


def test_parameters_that_move_in_the_middle_of_a_sequence():
    net, xs, gs = nn.LSTM(3, 2), numbers(3, 2, 3), numbers(3, 2, 2)
    expected = net.sharedClone(True, False)
    run(net, xs), run(expected, xs)
    parameters, gradients = net.getParameters()
    back(net, xs, gs), back(expected, xs, gs)
    assert same(np.concatenate([g.ravel() for g in expected.parameters()[1]]), gradients)
    net.updateParameters(0.5)
    assert (net.parameters()[0][0].ravel() == parameters[: net.parameters()[0][0].size]).all()


def test_shared_clones():
    net = nn.Sequential(nn.Linear(3, 3), nn.RecGRU(3, 2))
    clone = net.sharedClone()
    for side in (0, 1):
        assert all(map(operator.is_, net.parameters()[side], clone.parameters()[side]))
    apart = net.sharedClone(True, False)
    assert apart[0].weight is net[0].weight
    assert apart[0].gradWeight is not net[0].gradWeight
    apart = net.sharedClone(False, True)
    assert apart[0].weight is not net[0].weight
    assert apart[0].gradWeight is net[0].gradWeight
    net.forward(numbers(2, 3))
    assert (clone[1].step, clone[0] is net[0]) == (0, False)
    # A clone of a step: what keeps its steps itself is the same, sequencers are not.
    step = net.stepClone()
    assert (step[1] is net[1], step[0] is net[0], step[0].weight is net[0].weight) == (1, 0, 1)
    assert net[1].stepClone() is net[1]
    sequencer = nn.Sequencer(nn.RecGRU(3, 2))
    assert sequencer.stepClone().modules[0] is not sequencer.modules[0]
    assert sequencer.stepClone().modules[0].modules[0].weight is sequencer.parameters()[0][0]


def test_tied_parameters_stay_tied_in_shared_clones():
    one, other = nn.Linear(3, 2, False), nn.Linear(2, 3, False)
    other.weight, other.gradWeight = one.weight.T, one.gradWeight.T
    clone = nn.Sequential(one, other).sharedClone()
    assert np.shares_memory(clone[1].weight, one.weight)
    assert np.shares_memory(clone[1].gradWeight, one.gradWeight)


# ---------------------------------------------------------------- single classes


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.GRU(3, 4, None, 0.5),
        lambda: nn.FastLSTM(3, 4, p=0.5),
        lambda: nn.LSTM(3, 4, None, True, 0.5),
        lambda: nn.GRU(3, 4, None, 0.5, True),
    ],
)
def test_a_sequence_has_one_dropout(make):
    random.manualSeed(5)
    net, xs = make(), numbers(3, 6, 3)
    run(net, xs)
    noise = net.noise
    assert all(step.gates["noise"] is noise for step in net.steps)
    assert {*np.unique(np.concatenate([n.ravel() for n in noise]))} == {0, 2}
    rows = {len(array) for array in noise}
    assert rows == ({1} if net.mono else {6})
    # Another sequence draws another, evaluation none.
    net.forget().forward(xs[0])
    assert not same(net.noise, noise)
    net.evaluate().forward(xs[1])
    assert net.steps[-1].gates["noise"] == ()
    sequencer = nn.Sequencer(net).training().remember()
    sequencer.forward(xs)
    noise = net.noise
    sequencer.forward(xs)
    assert not same(net.noise, noise)


def test_a_gru_with_dropout_takes_the_parameters_of_one_without():
    plain, dropping = nn.GRU(3, 2), nn.GRU(3, 2, None, 0.5)
    assert [len(net.parameters()[0]) for net in (plain, dropping)] == [6, 9]
    assert dropping.migrate(plain.parameters()[0]) is dropping
    xs = numbers(3, 2, 3)
    assert np.allclose(run(plain, xs), run(dropping.evaluate(), xs), 0, 1e-15)
    assert message(StateError, plain.migrate, plain.parameters()[0]) == (
        "GRU(3 -> 2).migrate: it leaves out nothing, and has six parameters\n"
        "  hint: nn.GRU(inputSize, outputSize, None, p) has nine"
    )
    assert message(ShapeError, dropping.migrate, nn.GRU(4, 2).parameters()[0]) == (
        "GRU(3 -> 2, 0.5).migrate: params must be the parameters of a GRU of these sizes, got "
        "[(4, 4), (4,), (4, 2), (2, 4), (2,), (2, 2)]"
    )


def test_cells_of_one_kind_have_the_same_numbers():
    """GRU is RecGRU, FastLSTM is RecLSTM, LSTM without peepholes is FastLSTM."""
    xs, gs = numbers(4, 5, 3), numbers(4, 5, 2)
    gru, rec = nn.GRU(3, 2), nn.RecGRU(3, 2)
    i2g, o2g, i2k, o2k = gru.modules
    weight, bias = rec.parameters()[0]
    weight[:] = np.block([[i2g.weight.T, i2k.weight.T], [o2g.weight.T, o2k.weight.T]])
    bias[:] = np.concatenate([i2g.bias, i2k.bias])
    assert np.allclose(run(gru, xs), run(rec, xs), 0, 1e-15)
    assert np.allclose(back(gru, xs, gs), back(rec, xs, gs), 0, 1e-14)
    fast, rec, slow = nn.FastLSTM(3, 2), nn.RecLSTM(3, 2), nn.LSTM(3, 2, None, False)
    blocks = [0, 2, 3, 1]  # i, f, o, z of the one; i, z, f, o of the other
    weight, bias = rec.parameters()[0]
    order = np.concatenate([np.arange(2) + 2 * block for block in blocks])
    weight[:] = np.vstack([fast.i2g.weight[order].T, fast.o2g.weight[order].T])
    bias[:] = fast.i2g.bias[order]
    gates = (slow.inputGate, slow.hiddenLayer, slow.forgetGate, slow.outputGate)
    for k, gate in enumerate(gates):
        rows = slice(2 * k, 2 * k + 2)
        gate[0].weight[:], gate[0].bias[:] = fast.i2g.weight[rows], fast.i2g.bias[rows]
        gate[1].weight[:] = fast.o2g.weight[rows]
    outputs = [run(net, xs) for net in (fast, rec, slow)]
    gradients = [back(net, xs, gs) for net in (fast, rec, slow)]
    assert np.allclose(outputs[0], outputs[1:], 0, 1e-15)
    assert np.allclose(gradients[0], gradients[1:], 0, 1e-14)


def test_without_dropout_nothing_is_drawn():
    for make in (STATES["GRU"], STATES["LSTM"], STATES["FastLSTM"]):
        net = make()
        random.manualSeed(1)
        net.forward(numbers(2, 3))
        drawn = random.random()
        random.manualSeed(1)
        assert random.random() == drawn
    one = nn.GRU(3, 2, None, 0.5, True)
    one.forward(numbers(3))
    assert [noise.shape for noise in one.noise] == [(3,), (3,), (2,), (2,), (3,), (2,)]
    assert len(one.steps) == 1
    assert not one.forget().steps


def test_where_a_mu_fu_ru_ties():
    net = nn.MuFuRu(1, 1, ["max", "min", "sqrt_diff"])
    for parameter in net.parameters()[0]:
        parameter[:] = 0
    # What is new is 1 / 2, as the state is: a third of both, and of a root of 0.
    x = np.ones((1, 1))
    net.setStartState(np.array([[0.5]]))
    assert net.forward(x).item() == 2 / 3 * 0.5
    net.backward(x, np.array([[3.0]]))
    assert net.getGradHiddenState(0).item() == 2
    assert [gradient.any() for gradient in net.parameters()[1][:6]] == [False] * 6


@pytest.mark.parametrize("make", [CELLS["RecGRU"], STATES["LSTM"], CELLS["LinearRNN"]])
def test_real_gradients_refuse_complex_numbers(make):
    net, x, g = make(), numbers(2, 3), numbers(2, 2)
    for input, gradOutput in ((x + 0j, g), (x, g + 0j)):
        net.forward(input)
        net.updateGradInput(input, gradOutput)
        with pytest.raises(DTypeError, match="accGradParameters"):
            net.accGradParameters(input, gradOutput)
        assert not any(gradient.any() for gradient in net.parameters()[1])


def test_a_recurrent_is_made_of_any_modules():
    def make():
        merge = nn.Sequential(nn.JoinTable(0, 1), nn.Linear(4, 2))
        transfer = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
        layer = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
        return nn.Recurrent(nn.Linear(2, 2), layer, nn.Linear(2, 2), transfer, 7, merge)

    assert make().rho == 7
    check_module(nn.Sequencer(make()), numbers(3, 2, 3), only=["gradInput", "gradParameters"])


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: nn.LSTM(3, 2), 62),
        (lambda: element_research.LSTM(3, 2), 54),
        (lambda: nn.FastLSTM(3, 2), 56),
        (lambda: element_research.FastLSTM(3, 2), 48),
        (lambda: nn.GRU(3, 2), 42),
        (lambda: element_research.GRU(3, 2), 36),
    ],
)
def test_so_many_numbers_are_drawn(make, count):
    """In torch/rnn a map without bias has drawn one; Element-Research's has not."""
    random.manualSeed(3)
    make()
    after = random.random()
    random.manualSeed(3)
    assert [random.random() for _ in range(count + 1)][-1] == after


def test_what_is_refused():
    assert message(SettingError, nn.MuFuRu, 3, 2, ["keep", "swap"]) == (
        "MuFuRu: ops must be a list of some of 'keep', 'replace', 'mul', 'diff', 'forget', "
        "'sqrt_diff', 'max', 'min', got ['keep', 'swap']"
    )
    with pytest.raises(SettingError, match="MuFuRu: ops must be a list of some of"):
        nn.MuFuRu(3, 2, [])
    assert message(ShapeError, nn.MuFuRu(3, 2, ["mul"]).forward, numbers(3)) == (
        "MuFuRu(3 -> 2) { mul }.updateOutput: input must be (N, 3), got (3,)\n"
        "  hint: a batch of one: input[None]"
    )
    assert message(ShapeError, nn.RecLSTM(3, 2).forward, numbers(3)) == (
        "RecLSTM(3 -> 2).updateOutput: input must be (N, 3), got (3,)\n"
        "  hint: a batch of one: input[None]"
    )
    assert message(SettingError, nn.GRU, 3, 2, None, 1) == (
        "GRU: p must be at least 0 and less than 1, got 1"
    )
    assert message(SettingError, nn.LSTM, 3, 2, None, True, -0.5) == (
        "LSTM: p must be at least 0, got -0.5"
    )
    assert message(ShapeError, nn.LinearRNN, -1, 2) == (
        "LinearRNN: inputsize must be at least 0, got -1"
    )
    assert message(DTypeError, nn.Recurrence, nn.CAddTable(), 2.5, 1) == (
        "Recurrence: outputSize must be an integer, got 2.5"
    )
    assert message(DTypeError, nn.Recursor, 5) == ("Recursor.add: module must be a Module, got int")
    net = nn.Recurrence(nn.CAddTable(), 3, 1)
    assert message(ShapeError, net.forward, numbers(2, 2, 3)) == (
        "Recurrence @ CAddTable.updateOutput: input must be 1-D, or 2-D for a batch, "
        "got (2, 2, 3)\n"
        "  hint: nn.Sequencer(nn.Recurrence(...)) runs it over the steps of a sequence, (2, 2, 3)"
    )
    for layer, expected in ((nn.RecGRU(3, 2), "(N, 3)"), (nn.LSTM(3, 2), "(3,) or (N, 3)")):
        name = type(layer).__name__
        assert message(ShapeError, layer.forward, numbers(5, 2, 3)) == (
            f"{name}(3 -> 2).updateOutput: input must be {expected}, got (5, 2, 3)\n"
            f"  hint: nn.Sequencer(nn.{name}(...)) runs it over the steps of a sequence, (5, 2, 3)"
        )
    assert message(ShapeError, nn.Recurrence(nn.SelectTable(0), 2, 1).forward, numbers(3)) == (
        "SelectTable(0).updateOutput: output must be (2,) like h, got (3,)"
    )
    assert message(DTypeError, nn.SAdd, "1") == "SAdd: addend must be a number, got '1'"


def test_a_recurrence_needs_the_gradient_of_its_state():
    net = nn.Recurrence(nn.Sequential(nn.JoinTable(0, 1), nn.Linear(5, 2)), 2, 1)
    x = numbers(3)
    net.modules[0][0].gradInput = None
    net.forward(x)
    assert message(StateError, net.backward, x, numbers(2)) == (
        "Recurrence.updateGradInput: the module has no gradInput, but the step before needs that "
        "of h\n  hint: gradInput = None is for modules whose input nobody needs a gradient of"
    )
    # Of what comes first in a network, nobody needs it; the states do their own.
    for make in (CELLS["RecLSTM"], CELLS["LinearRNN"], STATES["GRU"]):
        net = nn.Sequencer(make())
        xs, gs = numbers(3, 2, 3), numbers(3, 2, 2)
        net.forward(xs)
        net.backward(xs, gs)
        kept = [gradient.copy() for gradient in net.parameters()[1]]
        net.zeroGradParameters()
        net.modules[0].gradInput = None
        net.forward(xs)
        assert net.backward(xs, gs) is None
        assert same(kept, net.parameters()[1])


def test_tables_go_through_time():
    """A state that is a table, an input that is one, and an output of a Sequencer's module."""
    step = nn.Sequential(
        nn.FlattenTable(),
        nn.ConcatTable(nn.Sequential(nn.NarrowTable(0, 2), nn.CAddTable()), nn.SelectTable(2)),
    )
    net = nn.Recurrence(step, [(2,), (3,)], 1)
    x = np.ones((4, 2))
    assert same(net.forward(x), [np.ones((4, 2)), np.zeros((4, 3))])
    assert same(net.forward(x), [np.full((4, 2), 2.0), np.zeros((4, 3))])
    assert same(net.getHiddenState(1), [np.ones((4, 2)), np.zeros((4, 3))])
    g = [np.ones((4, 2)), np.ones((4, 3))]
    assert same(net.backward(x, g), np.ones((4, 2)))
    assert same(net.backward(x, g), np.full((4, 2), 2.0))
    net = nn.Sequencer(nn.ConcatTable(nn.Identity(), nn.MulConstant(2)))
    xs = np.ones((3, 2))
    assert shapes(net.forward(xs)) == "[[(2,), (2,)], [(2,), (2,)], [(2,), (2,)]]"
    assert same(net.backward(xs, net.output), np.full((3, 2), 5.0))


def test_they_print_as_torch7_does():
    linear = nn.Sequencer(nn.Linear(3, 2))
    assert repr(linear) == "Sequencer @ Recursor @ Linear(3 -> 2)"
    assert repr(nn.Sequencer(nn.RecLSTM(3, 4, 2))) == "Sequencer @ RecLSTM(3 -> 4 -> 2)"
    assert repr(nn.GRU(3, 2, None, 0.25)) == "GRU(3 -> 2, 0.25)"
    assert repr([nn.LSTM(3), nn.FastLSTM(3, 2), nn.MuFuRu(3, 2, ["mul", "keep"])]) == (
        "[LSTM(3 -> 3), FastLSTM(3 -> 2), MuFuRu(3 -> 2) { mul keep }]"
    )
    assert repr(nn.Recurrent(nn.Identity(), nn.Linear(3, 2), nn.Linear(2, 2))) == (
        "Recurrent {\n  start: Identity\n  input: Linear(3 -> 2)\n  feedback: Linear(2 -> 2)\n"
        "  transfer: Sigmoid\n  merge: CAddTable\n}"
    )
