"""What optimizers refuse, and with which words, before anything is changed."""

import copy
import math

import numpy as np
import pytest
from optimizers import bowl, rosenbrock

from torchlite import optim
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.optim._method import Method, at_least_0, fraction, number, positive, whole

PAIR = "(f(x), df/dx)"
X = np.ones(2)


def refused(method, opfunc, x, *arguments):
    before = copy.deepcopy((x, arguments))
    with pytest.raises((DTypeError, ShapeError, StateError, SettingError)) as caught:
        method(opfunc, x, *arguments)
    np.testing.assert_equal((x, arguments), before)
    return caught.value


@pytest.mark.parametrize(
    ("method", "config", "kind", "message"),
    [
        (
            optim.sgd, {"learningrate": 1}, SettingError,
            "sgd: a key of config must be one of learningRate, learningRateDecay, weightDecay, "
            "weightDecays, momentum, dampening, nesterov, learningRates, got 'learningrate'",
        ),
        (optim.adam, {"momentum": 0.9}, SettingError, None),
        (optim.adam, {1: 2}, SettingError, None),
        (
            optim.sgd, {"learningRate": "0.1"}, DTypeError,
            "sgd: learningRate must be a finite number of at least 0, got '0.1'",
        ),
        (
            optim.sgd, {"learningRate": True}, DTypeError,
            "sgd: learningRate must be a finite number of at least 0, got True",
        ),
        (
            optim.adam, {"learningRate": math.nan}, SettingError,
            "adam: learningRate must be a finite number of at least 0, got nan",
        ),
        (optim.adam, {"learningRate": -math.inf}, SettingError, None),
        (
            optim.adam, {"learningRate": np.ones(2)}, DTypeError,
            "adam: learningRate must be a finite number of at least 0, got float64 (2,)",
        ),
        (
            optim.adam, {"beta1": 1}, SettingError,
            "adam: beta1 must be at least 0 and less than 1, got 1",
        ),
        (optim.rmsprop, {"alpha": -0.1}, SettingError, None),
        (optim.adam, {"epsilon": 0}, SettingError, None),
        (optim.adagrad, {"learningRateDecay": -1}, SettingError, None),
        (
            optim.nag, {"momentum": 0}, SettingError,
            "nag: momentum must be a finite number greater than 0, got 0",
        ),
        (
            optim.sgd, {"nesterov": True}, SettingError,
            "sgd: momentum must be greater than 0 with nesterov, got 0",
        ),
        (
            optim.sgd, {"nesterov": True, "momentum": 0.9}, SettingError,
            "sgd: dampening must be 0 with nesterov, got 0.9\n"
            "  hint: dampening is the momentum where config does not have it",
        ),
        (optim.sgd, {"nesterov": 1}, DTypeError, "sgd: nesterov must be True or False, got 1"),
        (
            optim.sgd, {"weightDecay": 1, "weightDecays": np.ones(2)}, SettingError,
            "sgd: weightDecay must be 0 beside weightDecays, got 1",
        ),
        (
            optim.sgd, {"learningRates": np.ones(3)}, ShapeError,
            "sgd: learningRates must be (2,) like x, got (3,)",
        ),
        (
            optim.sgd, {"learningRates": np.ones(2, np.float32)}, DTypeError,
            "sgd: learningRates must be float64 like x, got float32",
        ),
        (
            optim.sgd, {"learningRates": [1, 1]}, DTypeError,
            "sgd: learningRates must be an array like x, got list\n  hint: np.array(learningRates)",
        ),
        (optim.sgd, [], DTypeError, "sgd: config must be a dict, got list"),
        (
            optim.rprop, {"niter": 0}, SettingError,
            "rprop: niter must be a whole number of at least 1, got 0",
        ),
        (optim.rprop, {"niter": 1.0}, DTypeError, None),
        (
            optim.rprop, {"stepsizemin": 100}, SettingError,
            "rprop: stepsizemin must be at most stepsizemax = 50, got 100",
        ),
        (
            optim.lbfgs, {"lineSearch": "lswolfe"}, DTypeError,
            "lbfgs: lineSearch must be a function such as optim.lswolfe, got 'lswolfe'",
        ),
        (
            optim.cmaes, {}, SettingError,
            "cmaes: sigma must be a finite number greater than 0, got nothing\n"
            '  hint: {"sigma": 1.0} is the standard deviation to search with at first',
        ),
        (
            optim.de, {"minRegion": 30}, SettingError,
            "de: minRegion must be less than maxRegion = 30, got 30",
        ),
        (optim.de, {"popsize": 2}, SettingError, None),
        (
            optim.cmaes, {"sigma": 1, "popsize": 1}, SettingError,
            "cmaes: popsize must be a whole number of at least 2, got 1",
        ),
        (
            optim.cg, {"verbose": "no"}, DTypeError,
            "cg: verbose must be True, False or a whole number, got 'no'",
        ),
        (
            optim.lbfgs, {"lineSearchOptions": 1}, DTypeError,
            "lbfgs: lineSearchOptions must be a dict, got 1",
        ),
        (
            optim.de, {"crossoverRate": 1.1}, SettingError,
            "de: crossoverRate must be from 0 to 1, got 1.1",
        ),
        (
            optim.de, {"maxFEs": 10}, SettingError,
            "de: maxFEs must be at least popsize = 20, got 10",
        ),
    ],
)  # fmt: skip
def test_refused_configs(method, config, kind, message):
    error = refused(method, rosenbrock, X.copy(), config)
    assert type(error) is kind
    assert message is None or str(error) == message


@pytest.mark.parametrize(
    ("key", "good", "bad", "expected"),
    [
        (number(1), [0, -2.5, 1e300], [math.inf, -math.inf, math.nan], "a finite number"),
        (
            at_least_0(1), [0, 5e-324, 1e300], [-5e-324, math.inf, math.nan],
            "a finite number of at least 0",
        ),
        (
            positive(1), [5e-324, 1e300], [0, -1, math.inf, math.nan],
            "a finite number greater than 0",
        ),
        (fraction(0), [0, 1 - 2**-53], [1, -5e-324, math.nan], "at least 0 and less than 1"),
        (whole(1), [1, 2, 10**30], [0, -1], "a whole number of at least 1"),
        (whole(1, least=0), [0, 1], [-1], "a whole number of at least 0"),
        (whole(None, least=3), [3], [2], "a whole number of at least 3"),
    ],
)  # fmt: skip
def test_where_settings_end(key, good, bad, expected):
    method = Method("it", key=key)
    for value in good:
        assert method.read({"key": value}).key == value
    for value in bad:
        with pytest.raises(SettingError) as caught:
            method.read({"key": value})
        assert str(caught.value) == f"it: key must be {expected}, got {value!r}"
    for value in (True, "1", [1], 1j):
        with pytest.raises(DTypeError, match=f"it: key must be {expected}, got "):
            method.read({"key": value})
    assert method.read(None).key == method.read({"key": None}).key == key.default


@pytest.mark.parametrize(
    ("x", "kind", "message"),
    [
        ([1.0], DTypeError, "adam: x must be a float32 or float64 NumPy array, got list\n"
            "  hint: np.array(x, dtype='float64')"),
        (
            np.ones(2, int), DTypeError,
            "adam: x must be a float32 or float64 NumPy array, got int64 (2,)\n"
            "  hint: x.astype('float64')",
        ),
        (np.ones(2, complex), DTypeError, None),
        (np.ones(2, np.float16), DTypeError, None),
        (np.ones(2, ">f8"), DTypeError, None),
        (
            np.broadcast_to(1.0, 2), SettingError,
            "adam: x must be writeable, got a read-only array",
        ),
    ],
)  # fmt: skip
def test_refused_x(x, kind, message):
    error = refused(optim.adam, rosenbrock, x)
    assert type(error) is kind
    assert message is None or str(error) == message


@pytest.mark.parametrize(
    ("result", "kind", "message"),
    [
        (1.0, DTypeError, f"adam: what opfunc returns must be {PAIR}, got 1.0"),
        ([1.0, X], DTypeError, f"adam: what opfunc returns must be {PAIR}, got list"),
        (None, DTypeError, f"adam: what opfunc returns must be {PAIR}, got NoneType"),
        ((1.0, 2.0), DTypeError, "adam: df/dx must be an array like x, got 2.0"),
        ((1.0, np.ones((2, 1))), ShapeError, "adam: df/dx must be (2,) like x, got (2, 1)"),
        (
            (1.0, np.ones(2, np.float32)), DTypeError,
            "adam: df/dx must be float64 like x, got float32",
        ),
        ((1.0, X, X), DTypeError, f"adam: what opfunc returns must be {PAIR}, got tuple"),
        ((None, X), DTypeError, "adam: f(x) must be a number, got NoneType"),
        ((np.ones(1), X), DTypeError, "adam: f(x) must be a number, got float64 (1,)"),
    ],
)  # fmt: skip
def test_refused_results(result, kind, message):
    error = refused(optim.adam, lambda x: result, X.copy(), {"learningRate": 1}, {})
    assert type(error) is kind
    assert str(error) == message
    assert error.method == "adam"
    assert error.got is not None


def test_a_state_of_another_x_is_refused():
    state = {}
    optim.adam(bowl, np.ones(3), {}, state)
    error = refused(optim.adam, bowl, np.ones(2), {}, state)
    assert str(error) == (
        "adam: state['m'] must be float64 (2,), got float64 (3,)\n"
        "  hint: a state belongs to one x and one config: start with an empty dict"
    )
    assert isinstance(error, StateError)
    assert (error.method, error.argument) == ("adam", "m")
    assert (error.expected, error.got) == ("float64 (2,)", "float64 (3,)")
    assert isinstance(refused(optim.adam, bowl, np.ones(3, np.float32), {}, state), StateError)
    assert str(refused(optim.adam, bowl, np.ones(2), {}, {"m": [0.0, 0.0]})).startswith(
        "adam: state['m'] must be float64 (2,), got list\n"
    )
    assert str(refused(optim.adam, bowl, np.ones(2), {}, [])) == (
        "adam: state must be a dict, got list"
    )


def test_none_underscores_and_numpy_scalars_are_accepted():
    x = np.ones(2, np.float32)
    config = {"learningRate": np.float64(0.5), "beta1": None, "_note": "mine", "epsilon": 1e-3}
    x, fs = optim.adam(lambda x: (np.float32(x @ x), x), x, config)
    assert x.dtype == np.float32
    assert type(fs[0]) is float
    assert optim.sgd(bowl, np.ones(2))[1] == optim.sgd(bowl, np.ones(2), None, {})[1]


def test_what_just_fits_is_accepted():
    x = np.ones(2)
    # Decay of less than nothing is growth.
    optim.sgd(lambda x: (0.0, np.zeros(2)), x, {"learningRate": 0.5, "weightDecays": -x})
    assert x.tolist() == [1.5, 1.5]
    optim.rprop(bowl, x, {"stepsizemin": 0.5, "stepsizemax": 0.5})
    for rate in (0, 1):
        optim.de(bowl, x, {"crossoverRate": rate, "popsize": 4, "maxFEs": 4})


@pytest.mark.parametrize("method", [optim.cmaes, optim.de])
def test_refused_values(method):
    error = refused(method, lambda x: (), X.copy(), {"sigma": 1} if method is optim.cmaes else {})
    assert str(error) == f"{method.__name__}: f(x) must be a number, got tuple"
