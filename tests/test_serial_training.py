"""Training that goes on from a checkpoint, to the last bit."""

import numpy as np
import pytest
from optimizers import STATEFUL
from saving import same

from torchlite import nn, optim, random, serial


def data():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(8, 4)), rng.normal(size=(8, 2))) for _ in range(8)]


def trained_net():
    random.manualSeed(3)
    return nn.Sequential(
        nn.Linear(4, 6), nn.BatchNormalization(6), nn.ReLU(), nn.Dropout(0.3), nn.WhiteNoise(),
        nn.Linear(6, 2),
    )  # fmt: skip


def train(net, method, config, state, batches):
    criterion = nn.MSECriterion()
    parameters, gradients = net.getParameters()
    for x, y in batches:

        def opfunc(_, x=x, y=y):
            gradients.fill(0)
            loss = criterion.forward(net.forward(x), y)
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradients

        method(opfunc, parameters, config, state)


# Settings of optimizers that show more with others than their own.
CONFIGS = {
    "adam": {"learningRate": 0.01, "weightDecay": 1e-3},
    "cg": {"maxIter": 2},
    "lbfgs": {"maxIter": 3},
    "nag": {"learningRate": 0.01, "momentum": 0.9},
    "sgd": {"learningRate": 0.01, "momentum": 0.9, "learningRateDecay": 0.1},
}


@pytest.mark.parametrize("place", ["new", "into"])
@pytest.mark.parametrize("name", [*STATEFUL, "cg"])
def test_resumed_training_is_bit_identical(name, place, path):
    method, config = getattr(optim, name), CONFIGS.get(name, {})
    whole, whole_state = trained_net(), {}
    train(whole, method, config, whole_state, data())
    end = random.getRNGState()
    for stop in range(len(data())) if name == "adam" else (1, 5):
        net, state = trained_net(), {}
        train(net, method, config, state, data()[:stop])
        serial.save_checkpoint(path, net, state, config=config, done=stop)
        into = trained_net() if place == "into" else None
        random.manualSeed(77)
        net, state, extra = serial.load_checkpoint(path, into=into)
        train(net, method, extra["config"], state, data()[extra["done"] :])
        assert same(whole.clearState(), net.clearState())
        assert same(whole_state, state)
        assert np.array_equal(random.getRNGState(), end)


def test_resumed_in_the_middle_of_a_step(path):
    """Gradients that wait for their update go along when asked for."""
    x, y = data()[0]
    whole = trained_net()
    criterion = nn.MSECriterion()
    loss = criterion.forward(whole.forward(x), y)
    whole.backward(x, criterion.backward(whole.output, y))
    serial.save_checkpoint(path, whole, gradients=True, loss=loss)
    net, _, extra = serial.load_checkpoint(path)
    assert same(whole.updateParameters(0.1), net.updateParameters(0.1))
    assert extra["loss"] == loss
