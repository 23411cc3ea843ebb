"""Modules that are called once a step, and what runs them over sequences."""

import cases
import numpy as np
import pytest

from torchlite import nn, random
from torchlite.nn._through_time import recurrents
from torchlite.nn.nested import map_arrays, same
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
        if isinstance(made, nn.Module) and type(made) not in seen and not list(recurrents(made)):
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


def ascending(array):
    return np.arange(1.0, np.size(array) + 1).reshape(np.shape(array))
