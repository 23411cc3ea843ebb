"""The problems that the page trains by default."""

import numpy as np
import pytest

import torchlite as nn
from torchlite import datasets, optim, random
from torchlite.play import PROBLEMS


def trained(problem, steps, seed):
    """Return the problem's network after so many steps with its own settings, and its data."""
    random.manualSeed(seed)
    net, criterion, x, y = problem.make()
    parameters, gradients = net.getParameters()
    state = {}
    for _ in range(steps):
        rows = random.randperm(len(x))[: problem.batch]

        def opfunc(_, x=x[rows], y=y[rows]):
            net.zeroGradParameters()
            output = net.forward(x)
            loss = criterion.forward(output, y)
            net.backward(x, criterion.backward(output, y))
            return loss, gradients

        method = getattr(optim, problem.optimizer)
        method(opfunc, parameters, {"learningRate": problem.learning_rate}, state)
    return net, x, y


def right(net, x, y):
    return (net.forward(x).argmax(axis=1) == y).mean()


@pytest.mark.parametrize(
    ("name", "steps", "accuracy"), [("spirals", 1000, 0.95), ("xor", 500, 1), ("digits", 200, 0.95)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_each_problem_is_learnt(name, steps, accuracy, seed):
    assert right(*trained(PROBLEMS[name], steps, seed)) >= accuracy


def test_digits_that_it_never_saw_are_read_too():
    net, *_ = trained(PROBLEMS["digits"], 400, 0)
    data = datasets.digits()
    assert right(net, data.x_test.reshape(-1, 8, 8), data.y_test) >= 0.95


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_seed_decides_everything(name):
    made = []
    for seed in (1, 1, 2):
        random.manualSeed(seed)
        net, _, x, y = PROBLEMS[name].make()
        made.append([*net.parameters()[0], x, y])
    one, same, other = made
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_tell_what_they_are(name):
    problem = PROBLEMS[name]
    assert problem.name == name
    assert problem.words.endswith("?")
    net, criterion, x, y = problem.make()
    assert len(x) == len(y)
    assert isinstance(criterion, nn.ClassNLLCriterion)
    assert net.forward(x).shape == (len(x), len(set(y.tolist())))


def test_the_first_problem_is_the_default():
    assert list(PROBLEMS) == ["spirals", "xor", "digits"]


def test_one_spiral_is_the_other_turned_by_half():
    random.manualSeed(0)
    _, _, x, y = PROBLEMS["spirals"].make()
    inner, outer = (np.hypot(*x[y == c].T) for c in (0, 1))
    assert abs(inner - outer).max() < 0.7
    assert inner.max() < 6
    # What lies straight through the middle is of the other class.
    gap = np.hypot(*(x[y == 0] + x[y == 1]).T)
    assert gap.max() < 1


def test_xor_is_told_by_signs():
    _, _, x, y = PROBLEMS["xor"].make()
    assert ((np.sign(x[:, 0]) != np.sign(x[:, 1])) == y).all()
    assert np.bincount(y).tolist() == [100, 100]
