"""The optimizers, from what torchlite.optim exports: each is tested without being listed.

METHODS
    By name, the `Method` of every function with settings.
CONFIGURED
    The names of those that take the settings in a config.
STATEFUL
    The names of those that go on where the last call ended.
FIRST_ORDER
    The names of those that do, and call opfunc once a call.
STEPWISE, ALL
    Those that do, and all, with settings that bring all of the formula into play.
FOR_DIGITS
    The settings, by name, with which each of FIRST_ORDER learns to read.
"""

import importlib
import inspect

import numpy as np

from torchlite import optim, random
from torchlite.optim._method import Method


def methods_in(file):
    """Return every Method in a file, by its name there."""
    return {key: value for key, value in vars(file).items() if isinstance(value, Method)}


def file_of(name):
    """Return the module that an export of torchlite.optim comes from."""
    return importlib.import_module(getattr(optim, name).__module__)


METHODS = {
    name: method
    for name in optim.__all__
    if (method := methods_in(file_of(name)).get(f"_{name.upper()}"))
}
CONFIGURED = [
    name
    for name, method in METHODS.items()
    if not method.keys.keys() <= inspect.signature(getattr(optim, name)).parameters.keys()
]
STATEFUL = [name for name, method in METHODS.items() if method.state]
FIRST_ORDER = [name for name in STATEFUL if "maxIter" not in METHODS[name].keys]


def rosenbrock(x):
    """A narrow bent valley; its minimum of 0 is where all entries are 1."""
    rise = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * rise
    gradient[:-1] -= 400 * x[:-1] * rise + 2 * (1 - x[:-1])
    return float((100 * rise**2 + (1 - x[:-1]) ** 2).sum()), gradient


class Counted:
    """A function that counts its calls and hands out its gradient in one read-only array."""

    def __init__(self, function):
        self.function, self.calls, self.gradient = function, 0, None

    def __call__(self, x):
        self.calls += 1
        f, gradient = self.function(x)
        if self.gradient is None or self.gradient.shape != gradient.shape:
            self.gradient = np.empty_like(gradient)
        self.gradient.flags.writeable = True
        self.gradient[...] = gradient
        self.gradient.flags.writeable = False
        return f, self.gradient


def close(got, expected, tolerance):
    """Check that arrays differ by no more than this part of the greatest entry."""
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * np.abs(expected).max())


# As one would set them for a small network on images; the rest are defaults.
FOR_DIGITS = {
    "sgd": {"learningRate": 0.1, "momentum": 0.9, "dampening": 0},
    "nag": {"learningRate": 0.05},
    "adagrad": {"learningRate": 0.05},
    "adadelta": {},
    "rmsprop": {"learningRate": 0.002},
    "adam": {"learningRate": 0.005},
    "adamax": {"learningRate": 0.01},
    "asgd": {"eta0": 0.5, "t0": 450},
    "rprop": {"stepsize": 0.003, "stepsizemax": 0.01},
}

STEPWISE = [
    (optim.sgd, {}),
    (optim.sgd, {"momentum": 0.9, "weightDecay": 0.1}),
    (optim.sgd, {"momentum": 0.9, "dampening": 0, "nesterov": True, "weightDecay": 0.1}),
    (optim.nag, {"weightDecay": 0.1, "learningRateDecay": 0.1}),
    (optim.adagrad, {"weightDecay": 0.1, "learningRateDecay": 0.1}),
    (optim.adadelta, {"weightDecay": 0.1}),
    (optim.rmsprop, {"weightDecay": 0.1, "initialMean": 0.5}),
    (optim.adam, {"weightDecay": 0.1, "learningRateDecay": 0.1}),
    (optim.adamax, {"weightDecay": 0.1}),
    (optim.asgd, {"eta0": 0.1, "lambda": 0.1, "t0": 2}),
    (optim.rprop, {"niter": 2}),
    (optim.lbfgs, {"maxIter": 2, "nCorrection": 3}),
    (optim.lbfgs, {"maxIter": 2, "lineSearch": optim.lswolfe}),
]
ALL = [
    *STEPWISE,
    (optim.cg, {"maxIter": 5}),
    (optim.cmaes, {"sigma": 0.5, "maxEval": 20}),
    (optim.de, {"popsize": 3, "maxFEs": 20}),
]


def bowl(x):
    """A different curvature for each entry, whatever the shape of x."""
    scale = np.arange(1, x.size + 1, dtype=x.dtype).reshape(x.shape)
    return float((scale * (x - 1) ** 2).sum()) / 2, scale * (x - 1)


def run(method, opfunc, x, config, calls, state=None):
    """Return the values that so many calls saw, a list a call, and the last x."""
    random.manualSeed(5)
    results = [method(opfunc, x, config, state) for _ in range(calls)]
    return [list(map(float, fs)) for _, fs, *_ in results], results[-1][0]
