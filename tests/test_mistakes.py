"""What honest mistakes get: an error that says what to do, word for word."""

from functools import partial
from pathlib import Path

import cases.containers
import cases.convolution
import cases.criterions
import cases.normalization
import cases.pooling
import cases.simple
import cases.simple_shapes
import cases.table
import cases.transfer
import numpy as np
import pytest

from torchlite import nn, optim
from torchlite.datasets import minibatches
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError, TorchliteError
from torchlite.nn.nested import is_array, map_arrays, shapes

X = np.ones((5, 3))

LAYERS = [
    case
    for chapter in (
        cases.containers, cases.convolution, cases.normalization, cases.pooling, cases.simple,
        cases.simple_shapes, cases.table, cases.transfer,
    )
    for case in chapter.CASES
]  # fmt: skip
# They hand on what they get, or parts of it, and look at nothing: the next layer refuses it.
HAND_ON = {
    "Copy",
    "FlattenTable",
    "Identity",
    "NarrowTable",
    "PrintSize",
    "SelectTable",
    "ZipTable",
    "ZipTableOneToMany",
}


def refused(kind, message, call):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


# ---------------------------------------------------------------- arrays of other libraries


class Foreign:
    """Something with a shape and a dtype that must not be converted silently."""

    shape = (5, 3)
    ndim = 2
    dtype = "float64"

    def __array__(self, *args, **kwargs):
        raise AssertionError("converted")


class Tensor(Foreign):
    dtype = "torch.float64"
    numpy = None


Tensor.__module__ = "torch"


class Float32(Tensor):
    dtype = "torch.float32"


class Learned(Tensor):
    requires_grad = True
    is_cuda = True


class DataFrame(Foreign):
    iloc = to_numpy = None


class Index(Foreign):
    to_numpy = None


Index.__module__ = "pandas.core.indexes.base"


class Sparse(Foreign):
    toarray = None


class Counts(Sparse):
    dtype = np.dtype("int64")


class Polars(Foreign):
    to_numpy = None
    dtype = "Float64"


FOREIGN = [
    (Tensor, "{}.numpy()"),
    (Float32, "{}.numpy().astype('float64')"),
    (Learned, "{}.detach().cpu().numpy()"),
    (DataFrame, "{}.to_numpy(dtype='float64')"),
    (Index, "{}.to_numpy(dtype='float64')"),
    (Sparse, "{}.toarray()"),
    (Counts, "{}.toarray().astype('float64')"),
    (Polars, "{}.to_numpy()"),
    (Foreign, "np.asarray({}, dtype='float64')"),
]


@pytest.mark.parametrize(("kind", "hint"), FOREIGN)
def test_an_array_of_another_library_into_a_layer(kind, hint):
    refused(
        DTypeError,
        f"Linear(3 -> 2).updateOutput: input must be an array, got {kind.__name__}\n"
        f"  hint: {hint.format('input')}",
        lambda: nn.Linear(3, 2).forward(kind()),
    )
    refused(
        DTypeError,
        f"Linear(3 -> 2).updateGradInput: gradOutput must be an array, got {kind.__name__}\n"
        f"  hint: {hint.format('gradOutput')}",
        lambda: nn.Linear(3, 2).backward(X, kind()),
    )
    refused(
        DTypeError,
        f"MSECriterion.updateOutput: input must be an array, got {kind.__name__}\n"
        f"  hint: {hint.format('input')}",
        lambda: nn.MSECriterion().forward(kind(), X),
    )
    refused(
        DTypeError,
        f"MSECriterion.updateOutput: target must be an array, got {kind.__name__}\n"
        f"  hint: {hint.format('target')}",
        lambda: nn.MSECriterion().forward(X, kind()),
    )


def test_the_hint_names_the_dtype_that_is_wanted():
    refused(
        DTypeError,
        "Linear(3 -> 2).updateOutput: input must be an array, got DataFrame\n"
        "  hint: input.to_numpy(dtype='float32')",
        lambda: nn.Linear(3, 2).float().forward(DataFrame()),
    )
    refused(
        DTypeError,
        "LookupTable.updateOutput: input must be an array, got DataFrame\n"
        "  hint: input.to_numpy(dtype='int64')",
        lambda: nn.LookupTable(3, 2).forward(DataFrame()),
    )
    refused(
        DTypeError,
        "ClassNLLCriterion.updateOutput: target must be integers (classes, counting from 0), "
        "got DataFrame\n"
        "  hint: target.to_numpy(dtype='int64')",
        lambda: nn.ClassNLLCriterion().forward(X, DataFrame()),
    )
    refused(
        DTypeError,
        "MSECriterion.updateOutput: target must be an array, got Float32\n  hint: target.numpy()",
        lambda: nn.MSECriterion().forward(X.astype("float32"), Float32()),
    )


def leaves(table, path=()):
    if isinstance(table, (list, tuple, dict)):
        for key in table if isinstance(table, dict) else range(len(table)):
            yield from leaves(table[key], (*path, key))
    else:
        yield path


def replaced(table, path, value):
    if not path:
        return value
    table = dict(table) if isinstance(table, dict) else list(table)
    table[path[0]] = replaced(table[path[0]], path[1:], value)
    return table


def error_of(call, *arguments):
    """Return the error of torchlite's that a call raises, or None."""
    try:
        call(*arguments)
    except TorchliteError as error:
        return error
    return None


def told(call, *arguments):
    """Tell whether the call is refused with a remedy for a Tensor."""
    said = str(error_of(call, *arguments))
    return ".numpy()" in said or "a list of arrays" in said


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)
def test_a_tensor_into_any_layer(case):
    if type(case.make()).__name__ in HAND_ON:
        return
    x = case.draw(np.random.default_rng(0))
    for path in leaves(x):
        layer = case.make()
        given = replaced(x, path, Tensor())
        if isinstance(layer, nn.Container) and not told(layer.forward, given):
            # A container hands on; some of what is inside may look at nothing.
            inside = {type(part).__name__ for part in layer.listModules()[1:]}
            assert inside & HAND_ON or not inside
            continue
        assert told(layer.forward, given), path
    for path in leaves(case.make().forward(x)):
        layer = case.make()
        gradOutput = replaced(layer.forward(x), path, Tensor())
        if not isinstance(layer, nn.Container) and not isinstance(layer, nn.CriterionTable):
            assert told(layer.backward, x, gradOutput), path


@pytest.mark.parametrize("case", cases.criterions.CASES, ids=lambda case: case.id)
def test_a_tensor_into_any_criterion(case):
    rng = np.random.default_rng(0)
    x = case.draw(rng)
    target = None if case.target is None else case.draw(rng, "target")
    for path in leaves(x):
        assert told(case.make().forward, replaced(x, path, Tensor()), target), path
    for path in leaves(target) if target is not None else ():
        assert told(case.make().forward, x, replaced(target, path, Tensor())), path


def without_dimensions(value):
    return map_arrays(
        lambda entry: entry.reshape(-1)[:1].reshape(()) if is_array(entry) else entry, value
    )


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)
def test_a_number_into_any_layer(case):
    layer, x = case.make(), case.draw(np.random.default_rng(0))
    parts = {type(part).__name__ for part in layer.listModules()}
    if parts & HAND_ON or parts in ({"Sequential"}, {"CriterionTable"}):
        return
    y = layer.forward(x)
    number, gradNumber = map(without_dimensions, (x, y))
    assert error_of(case.make().forward, number)
    assert error_of(case.make().updateGradInput, number, gradNumber)
    if shapes(y) != shapes(gradNumber):
        assert error_of(layer.backward, x, gradNumber)


@pytest.mark.parametrize("case", cases.criterions.CASES, ids=lambda case: case.id)
def test_numbers_into_any_criterion(case):
    rng = np.random.default_rng(0)
    x = case.draw(rng)
    target = None if case.target is None else case.draw(rng, "target")
    number = without_dimensions(x)
    for given in (target, without_dimensions(target)):
        if shapes(number) != shapes(x):
            assert error_of(case.make().forward, number, given)
            assert error_of(case.make().backward, number, given)


def remedied(value, hint):
    """Do what the hint says."""
    return eval(hint, {"np": np, "input": value, "target": value})


def follow(call, value):
    with pytest.raises(DTypeError) as caught:
        call(value)
    return call(remedied(value, caught.value.hint))


def test_pandas_itself():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    labels = pandas.Series([0, 1, 0, 1, 1], index=[4, 3, 2, 1, 0])
    layer = nn.Linear(3, 2)
    expected = layer.forward(X)
    assert np.array_equal(follow(layer.forward, frame), expected)
    assert np.array_equal(follow(layer.forward, frame.astype("int64")), expected)
    assert np.array_equal(follow(layer.forward, frame["a"][:3]), expected[0])
    criterion = nn.CrossEntropyCriterion()
    loss = criterion.forward(expected, np.array([0, 1, 0, 1, 1]))
    assert follow(lambda y: criterion.forward(expected, y), labels) == loss


def test_torch_itself():
    torch = pytest.importorskip("torch")
    layer = nn.Linear(3, 2)
    for tensor in (
        torch.ones(5, 3),
        torch.ones(5, 3, dtype=torch.float64),
        torch.ones(5, 3, requires_grad=True),
    ):
        assert np.array_equal(follow(layer.forward, tensor), layer.forward(X))


def test_scipys_sparse_arrays_themselves():
    sparse = pytest.importorskip("scipy.sparse")
    layer = nn.Linear(3, 2)
    for kind in (sparse.csr_array, sparse.coo_array, sparse.csr_matrix):
        for dtype in ("float64", "int64"):
            assert np.array_equal(follow(layer.forward, kind(X.astype(dtype))), layer.forward(X))


def test_an_array_of_another_library_in_optim():
    confusion, classes = optim.ConfusionMatrix(2), np.array([0, 1])
    for given, hint in (
        (DataFrame(), "to_numpy()"),
        (Tensor(), "numpy()"),
    ):
        name = type(given).__name__
        refused(
            DTypeError,
            f"ConfusionMatrix: predictions must be a NumPy array, got {name}\n"
            f"  hint: predictions.{hint}",
            lambda given=given: confusion.batchAdd(given, classes),
        )
        refused(
            DTypeError,
            f"ConfusionMatrix: targets must be a NumPy array, got {name}\n  hint: targets.{hint}",
            lambda given=given: confusion.batchAdd(classes, given),
        )
    refused(
        DTypeError,
        "sgd: learningRates must be an array like x, got Tensor\n  hint: learningRates.numpy()",
        lambda: optim.sgd(np.sum, np.ones(2), {"learningRates": Tensor()}),
    )


# ---------------------------------------------------------------- minibatches


def test_minibatches_refuse_what_takes_rows_for_labels():
    for x, y, argument, got, hint in (
        (DataFrame(), X, "x", "DataFrame", "x.to_numpy()"),
        (X, DataFrame(), "y", "DataFrame", "y.to_numpy()"),
        ([X, [DataFrame()]], X, "x[1][0]", "DataFrame", "x[1][0].to_numpy()"),
        (Sparse(), X, "x", "Sparse", "x.toarray()"),
        (X, [0, 1, 2, 3, 4], "y", "list", "np.array(y)"),
        (X, list("abcde"), "y", "list", "np.array(y)"),
        ([X, (1.0, 2.0)], X, "x[1]", "tuple", "np.array(x[1])"),
    ):
        refused(
            DTypeError,
            f"minibatches: {argument} must be an array, got {got}\n  hint: {hint}",
            lambda x=x, y=y: minibatches(x, y, 2),
        )


def test_minibatches_of_pandas_itself():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.arange(15.0).reshape(5, 3), columns=[0, 1, 2])
    series = pandas.Series([10, 11, 12, 13, 14], index=[4, 3, 2, 1, 0])
    refused(
        DTypeError,
        "minibatches: x must be an array, got DataFrame\n  hint: x.to_numpy()",
        lambda: minibatches(frame, series, 2),
    )
    refused(
        DTypeError,
        "minibatches: y must be an array, got Series\n  hint: y.to_numpy()",
        lambda: minibatches(frame.to_numpy(), series, 2),
    )
    for x, y in minibatches(frame.to_numpy(), series.to_numpy(), 2):
        assert np.array_equal(x[:, 0], 3 * (y - 10))


def test_minibatches_of_what_goes_by_position():
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.arange(15.0).reshape(5, 3)
    for x, y in minibatches(sparse.csr_array(dense), np.arange(5), 2):
        assert np.array_equal(x.toarray(), dense[y])


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda modules: nn.Sequential(modules), "Sequential.add"),
        (lambda modules: nn.Sequential(nn.ReLU(), tuple(modules)), "Sequential.add"),
        (lambda modules: nn.Sequential().insert(modules, 0), "Sequential.insert"),
        (lambda modules: nn.Concat(1, modules), "Concat.add"),
        (lambda modules: nn.DepthConcat(1, modules), "DepthConcat.add"),
        (lambda modules: nn.Parallel(0, 0, modules), "Parallel.add"),
        (lambda modules: nn.ConcatTable(modules), "ConcatTable.add"),
        (lambda modules: nn.ParallelTable(modules), "ParallelTable.add"),
        (lambda modules: nn.MapTable(modules), "MapTable.add"),
        (lambda modules: nn.Bottle(modules), "Bottle.add"),
    ],
)
def test_a_list_of_modules(make, where):
    modules = [nn.Linear(3, 2), nn.ReLU()]
    with pytest.raises(DTypeError) as caught:
        make(modules)
    assert str(caught.value).partition(", got ")[0] == f"{where}: module must be a Module"
    assert caught.value.hint == "each module is an argument of its own: *modules"
    assert nn.Sequential(*modules).forward(X).shape == (5, 2)


def test_a_dict_of_modules():
    refused(
        DTypeError,
        "Sequential.add: module must be a Module, got dict\n"
        "  hint: each module is an argument of its own: *modules.values()",
        lambda: nn.Sequential({"first": nn.Linear(3, 2)}),
    )


def test_several_inputs_that_are_no_table():
    x = np.ones((2, 3))
    for method in ("forward", "__call__"):
        refused(
            DTypeError,
            "CAddTable.forward: input must be one array or one table, got 2 of them\n"
            "  hint: forward([a, b])",
            lambda method=method: getattr(nn.CAddTable(), method)(x, x),
        )
        refused(
            DTypeError,
            "CosineEmbeddingCriterion.forward: input must be one array or one table, "
            "got 2 of them\n  hint: forward([a, b], target)",
            lambda method=method: getattr(nn.CosineEmbeddingCriterion(), method)(x, x, np.ones(2)),
        )
    refused(
        DTypeError,
        "CosineEmbeddingCriterion.backward: input must be one array or one table, got 2 of them\n"
        "  hint: backward([a, b], target)",
        lambda: nn.CosineEmbeddingCriterion().backward(x, x, np.ones(2)),
    )
    refused(
        DTypeError,
        "CAddTable.backward: scale must be a number, got ndarray (2, 3)\n"
        "  hint: backward([a, b], gradOutput): several inputs are one table",
        lambda: nn.CAddTable().backward(x, x, x),
    )
    assert nn.CAddTable()([x, x]).sum() == 12


# ---------------------------------------------------------------- optimizers

OPTIMIZERS = [
    optim.adadelta, optim.adagrad, optim.adam, optim.adamax, optim.asgd, optim.cg, optim.cmaes,
    optim.de, optim.lbfgs, optim.nag, optim.rmsprop, optim.rprop, optim.sgd,
]  # fmt: skip
FLAT = "with x, gradParameters = net.getParameters()"


def test_a_table_in_the_place_of_an_array():
    message = (
        "Linear(3 -> 2).updateOutput: input must be an array, got list\n"
        "  hint: input is a table: nn.JoinTable, CAddTable or SelectTable makes one array of it"
    )
    net = nn.Sequential(nn.ConcatTable(nn.Identity(), nn.Identity()), nn.Linear(3, 2))
    refused(DTypeError, message, lambda: net.forward(X))


class Silent(nn.Module):
    """A layer of one's own that keeps its results, but returns none."""

    def updateOutput(self, input):
        self.output = 2 * input

    def updateGradInput(self, input, gradOutput):
        self.gradInput = 2 * gradOutput


def test_a_layer_that_returns_nothing():
    message = (
        "Linear(3 -> 2).updateOutput: input must be an array, got NoneType\n"
        "  hint: what a layer before computes in updateOutput, it must return, too"
    )
    refused(DTypeError, message, lambda: nn.Sequential(Silent(), nn.Linear(3, 2)).forward(X))

    class Half(Silent):
        def updateOutput(self, input):
            super().updateOutput(input)
            return self.output

    net = nn.Sequential(nn.Linear(3, 2), Half())
    message = (
        "Half.updateGradInput: it returns None, but [0] Linear(3 -> 2) before it needs it\n"
        "  hint: what updateGradInput computes, it must return, too"
    )
    refused(StateError, message, lambda: net.backward(X, net.forward(X)))


@pytest.mark.parametrize("method", [*OPTIMIZERS, optim.checkgrad])
def test_optimizers_called_as_pytorchs(method):
    net, name = nn.Linear(2, 1), method.__name__
    refused(
        DTypeError,
        f"{name}: opfunc must be a function of x that returns (f(x), df/dx), got tuple\n"
        f"  hint: {name}(opfunc, x, config), {FLAT}",
        lambda: method(net.parameters()),
    )
    array = f"{name}: x must be a float32 or float64 NumPy array"
    refused(DTypeError, f"{array}, got NoneType\n  hint: {FLAT}", lambda: method(np.sum))
    for given, got in (
        (net.parameters(), "tuple"), (net.parameters()[0], "list"), (net, "Linear"),
    ):  # fmt: skip
        refused(
            DTypeError,
            f"{array}, got {got}\n  hint: {FLAT}",
            lambda given=given: method(np.sum, given),
        )
    refused(
        DTypeError,
        f"{array}, got Tensor\n  hint: x.numpy()",
        lambda: method(np.sum, Tensor()),
    )


def rated():
    for method in OPTIMIZERS:
        try:
            method(np.sum, np.ones(2), {"learningRate": "high"})
        except DTypeError:
            yield method
        except SettingError:
            pass


@pytest.mark.parametrize("method", list(rated()))
def test_learning_rates_of_optimizers(method):
    x, expected = (
        np.ones(2),
        f"{method.__name__}: learningRate must be a finite number of at least 0",
    )
    refused(
        SettingError,
        f"{expected}, got -0.1\n  hint: to maximise, let opfunc return -f and -df/dx",
        lambda: method(np.sum, x, {"learningRate": -0.1}),
    )
    for rate in (np.nan, np.inf):
        refused(
            SettingError,
            f"{expected}, got {rate}",
            lambda rate=rate: method(np.sum, x, {"learningRate": rate}),
        )
    assert x.tolist() == [1, 1]
    method(lambda x: (float(x.sum()), np.ones(2)), x, {"learningRate": 0.0})


@pytest.mark.parametrize("method", [optim.sgd, optim.nag])
@pytest.mark.parametrize("wrong", [-0.5, np.nan, np.inf])
def test_learning_rates_one_for_each_entry(method, wrong):
    x, good, bad = np.ones(3), np.ones(3), np.array([1.0, wrong, -2.0])

    def step(rates):
        method(lambda x: (float(x.sum()), np.ones(3)), x, {"learningRates": rates})

    message = f"{method.__name__}: learningRates must be finite and at least 0, got {wrong}"
    refused(SettingError, message, lambda: step(bad))
    assert x.tolist() == [1, 1, 1]
    step(good)
    step(good)
    refused(SettingError, message, lambda: step(bad))


def test_every_optimizer_with_a_learning_rate_is_tried():
    assert {method.__name__ for method in rated()} == {
        "adagrad", "adam", "adamax", "lbfgs", "nag", "rmsprop", "sgd",
    }  # fmt: skip


@pytest.mark.parametrize("factor", [-1.0, np.nan, np.inf])
def test_factors_of_learning_rates(factor):
    refused(
        SettingError,
        "per_parameter: the factor of 'Linear' must be a finite number of at least 0, "
        f"got {factor}",
        lambda: optim.per_parameter(nn.Linear(2, 1), {"Linear": factor}),
    )


@pytest.mark.parametrize("rate", [np.nan, np.inf, -np.inf, np.float32("nan")])
def test_learning_rates_of_modules(rate):
    x, g = np.ones((5, 3)), np.ones((5, 2))
    for make, name in (
        (lambda: nn.Linear(3, 2), "Linear(3 -> 2)"),
        (lambda: nn.Sequential(nn.Linear(3, 2)), "Sequential"),
    ):
        layer = make()
        layer.forward(x)
        layer.backward(x, g)
        before = [array.copy() for side in layer.parameters() for array in side]
        for method, argument, arguments in (
            ("updateParameters", "learningRate", (rate,)),
            ("accUpdateGradParameters", "lr", (x, g, rate)),
            ("backwardUpdate", "lr", (x, g, rate)),
        ):
            refused(
                SettingError,
                f"{name}.{method}: {argument} must be finite, got {rate!r}",
                partial(getattr(layer, method), *arguments),
            )
        after = [array for side in layer.parameters() for array in side]
        assert all(map(np.array_equal, before, after))
        layer.updateParameters(-0.5)  # Climbing by hand is no mistake.


@pytest.mark.parametrize("name", ["loss.png", "plots/loss.pdf", Path("loss.svg")])
def test_a_file_in_the_place_of_a_column(name):
    logger = optim.Logger()
    refused(
        SettingError,
        f"Logger.plot: names must be the name of a column (none yet), got {name!r}\n"
        f"  hint: plot(file={name!r}) saves the figure",
        lambda: logger.plot(name),
    )
    logger.setNames(["loss", "accuracy"]).add([0.5, 10])
    refused(
        SettingError,
        f"Logger.plot: names must be the name of a column (loss, accuracy), got {name!r}\n"
        f"  hint: plot(file={name!r}) saves the figure",
        lambda: logger.plot("loss", name),
    )
    refused(
        SettingError,
        "Logger.plot: names must be the name of a column (loss, accuracy), got 'precision'",
        lambda: logger.plot("precision"),
    )
    refused(
        SettingError,
        "Logger.plot: names must be the name of a column (loss, accuracy), got ['loss']",
        lambda: logger.plot(["loss"]),
    )


# ---------------------------------------------------------------- training


class Given(nn.Criterion):
    """Its losses are the targets."""

    def updateOutput(self, input, target):
        self.output = target
        return target

    def updateGradInput(self, input, target):
        self.gradInput = np.ones_like(input)
        return self.gradInput


def trained(criterion, dataset, **settings):
    module = nn.Linear(2, 2)
    trainer = nn.StochasticGradient(module, criterion)
    trainer.verbose = trainer.shuffleIndices = False
    for name, value in settings.items():
        setattr(trainer, name, value)
    trainer.train(dataset)
    return module


SMALLER = "a learningRate smaller than 0.5 may keep the numbers from growing"


@pytest.mark.parametrize(
    ("loss", "hint"),
    [
        (np.inf, SMALLER),
        (-np.inf, SMALLER),
        (
            np.nan,
            "nn.NaN(layer) in the place of a layer tells whether NaN comes from it; " + SMALLER,
        ),
    ],
)
def test_losses_that_are_not_finite(loss, hint):
    one = np.ones(2)
    trainer = nn.StochasticGradient(nn.Linear(2, 2), Given())
    trainer.verbose = trainer.shuffleIndices = False
    trainer.learningRate = 0.5
    weights = []
    trainer.hookExample = lambda trainer, sample: weights.append(trainer.module.weight.copy())
    refused(
        StateError,
        "StochasticGradient.train: the loss must be finite, "
        f"got {loss} in epoch 1 at dataset[2]\n  hint: {hint}",
        lambda: trainer.train([(one, 1.0), (one, 2.0), (one, loss), (one, 1.0)]),
    )
    assert len(weights) == 2
    assert np.array_equal(trainer.module.weight, weights[-1])


def test_a_loss_that_overflows_in_earnest():
    dataset = [(np.array([1e3, -1e3]), np.array([1.0, 2.0]))]
    with np.errstate(all="ignore"), pytest.raises(StateError) as caught:
        trained(nn.MSECriterion(), dataset, learningRate=0.5, maxIteration=100)
    assert "got inf in epoch" in str(caught.value)
    assert caught.value.hint == SMALLER


def test_negative_losses():
    one = np.ones(2)
    trainer = nn.StochasticGradient(nn.Identity(), nn.ClassNLLCriterion())
    trainer.verbose = False
    refused(
        StateError,
        "StochasticGradient.train: the loss must be at least 0: its input is log-probabilities, "
        "got -1.0 in epoch 1 at dataset[0]\n"
        "  hint: end the module with LogSoftMax, or use CrossEntropyCriterion",
        lambda: trainer.train([(one, 0)]),
    )
    trainer.train([(1e-9 * one, 0)])
    assert nn.ClassNLLCriterion().forward(one, 0) == -1
    trained(Given(), [(one, -3.0)])
    trained(nn.CrossEntropyCriterion(), [(one, 0)])


def test_settings_of_training():
    for name in ("learningRate", "learningRateDecay"):
        for value in (-0.1, np.nan, np.inf):
            refused(
                SettingError,
                f"StochasticGradient.train: {name} must be finite and at least 0, got {value}",
                lambda name=name, value=value: trained(
                    Given(), [(np.ones(2), 1.0)], **{name: value}
                ),
            )
    refused(
        DTypeError,
        "StochasticGradient: learningRate must be a number, got '0.1'",
        lambda: trained(Given(), [(np.ones(2), 1.0)], learningRate="0.1"),
    )


# ---------------------------------------------------------------- shapes


def images(*shape):
    return np.ones(shape)


@pytest.mark.parametrize(
    ("make", "name", "input", "expected", "hint"),
    [
        (lambda: nn.Linear(10, 8), "Linear(10 -> 8)", (10, 4), "(10,) or (N, 10)",
         "input.T has a sample in each row"),
        (lambda: nn.Linear(1, 1), "Linear(1 -> 1)", (5,), "(1,) or (N, 1)",
         "input.reshape(-1, 1) is a batch, one number a sample"),
        (lambda: nn.Linear(1, 3), "Linear(1 -> 3)", (5,), "(1,) or (N, 1)",
         "input.reshape(-1, 1) is a batch, one number a sample"),
        (lambda: nn.Linear(48, 2), "Linear(48 -> 2)", (5, 3, 4, 4), "(48,) or (N, 48)",
         "input.reshape(5, 48), or nn.View(48) before this layer"),
        (lambda: nn.Linear(16, 2), "Linear(16 -> 2)", (5, 4, 4), "(16,) or (N, 16)",
         "input.reshape(5, 16), or nn.View(16) before this layer"),
        (lambda: nn.Linear(48, 2), "Linear(48 -> 2)", (0, 3, 4, 4), "(48,) or (N, 48)",
         "input.reshape(0, 48), or nn.View(48) before this layer"),
        (lambda: nn.Linear(16, 2), "Linear(16 -> 2)", (4, 4), "(16,) or (N, 16)",
         "input.reshape(16) is one sample"),
        (lambda: nn.Linear(7, 2), "Linear(7 -> 2)", (5, 6, 7), "(7,) or (N, 7)",
         "nn.Bottle(nn.Linear(...)) takes (5, 6, 7) row by row"),
        (lambda: nn.Linear(7, 2), "Linear(7 -> 2)", (5, 3, 4, 4), "(7,) or (N, 7)",
         "Linear(48, 2) would fit input.reshape(5, 48)"),
        (lambda: nn.Linear(7, 2), "Linear(7 -> 2)", (5, 8), "(7,) or (N, 7)",
         "Linear(8, 2) would fit"),
        (lambda: nn.Cosine(7, 2), "Cosine", (7, 3), "(7,) or (N, 7)",
         "input.T has a sample in each row"),
        (lambda: nn.PartialLinear(7, 2), "PartialLinear(7 -> 2)", (5, 6, 7), "(7,) or (N, 7)",
         "nn.Bottle(nn.PartialLinear(...)) takes (5, 6, 7) row by row"),
        (lambda: nn.LinearWeightNorm(1, 2), "LinearWeightNorm(1 -> 2)", (5,), "(1,) or (N, 1)",
         "input.reshape(-1, 1) is a batch, one number a sample"),
        (lambda: nn.Euclidean(7, 2), "Euclidean", (7, 3), "(7,) or (N, 7)",
         "input.T has a sample in each row"),
        (lambda: nn.WeightedEuclidean(7, 2), "WeightedEuclidean", (7, 3),
         "(7,) or (N, 7)", "input.T has a sample in each row"),
        (lambda: nn.BatchNormalization(7), "BatchNormalization (2D) (7)", (7, 3), "(N, 7)",
         "input.T has a sample in each row"),
        (lambda: nn.BatchNormalization(7), "BatchNormalization (2D) (7)", (5, 6, 7), "(N, 7)",
         "nn.Bottle(nn.BatchNormalization(...)) takes (5, 6, 7) row by row"),
        (lambda: nn.PReLU(7), "PReLU", (7, 3), "(7,) or (N, 7, ...)",
         "input.T has a sample in each row"),
        (lambda: nn.LayerNormalization(7), "LayerNormalization", (7, 3), "(7,) or (N, 7)",
         "input.T has a sample in each row"),
        (lambda: nn.Maxout(7, 2, 3), "Maxout", (5, 6, 7), "(7,) or (N, 7)",
         "nn.Bottle(nn.Maxout(...)) takes (5, 6, 7) row by row"),
        (lambda: nn.WeightNorm(nn.Linear(7, 2)), "WeightNorm @ Linear(7 -> 2)", (5, 6, 7),
         "(7,) or (N, 7)", "nn.Bottle(nn.WeightNorm(...)) takes (5, 6, 7) row by row"),
        (lambda: nn.Add(7), "Add", (7, 3), "(7,) or (N, 7)", "input.T has a sample in each row"),
        (lambda: nn.CMul(7), "CMul", (7, 3), "(7,) or (N, 7)", "input.T has a sample in each row"),
    ],
)  # fmt: skip
def test_shapes(make, name, input, expected, hint):
    layer = make()
    refused(
        ShapeError,
        f"{name}.updateOutput: input must be {expected}, got {input}\n  hint: {hint}",
        lambda: layer.forward(np.ones(input)),
    )


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [((5, 3, 4, 4), (48, 2)), ((5, 6, 7), (7, 2)), ((5,), (1, 1)), ((7, 3), (7, 2))],
)
def test_the_hints_of_shapes_can_be_followed(shape, sizes):
    layer, input = nn.Linear(*sizes), np.ones(shape)
    with pytest.raises(ShapeError) as caught:
        layer.forward(input)
    hint = caught.value.hint
    if "Bottle" in hint:
        assert nn.Bottle(layer).forward(input).shape == (5, 6, 2)
    else:
        way = hint.split(" is ")[0].split(", or ")[0].removeprefix("Linear(48, 2) would fit ")
        way = way.removesuffix(" has a sample in each row")
        assert layer.forward(eval(way, {"input": input})).shape[1:] == sizes[1:]


def test_gradOutputs():
    where = "Linear(3 -> 1).updateGradInput: gradOutput must be (5, 1)"
    refused(
        ShapeError,
        f"{where}, got (5,)\n  hint: gradOutput.reshape(5, 1) has the same entries",
        lambda: nn.Linear(3, 1).backward(X, np.ones(5)),
    )
    refused(
        ShapeError,
        "Linear(3 -> 2).updateGradInput: gradOutput must be (5, 2), got (2, 5)\n"
        "  hint: gradOutput.T has this shape",
        lambda: nn.Linear(3, 2).backward(X, np.ones((2, 5))),
    )


# ---------------------------------------------------------------- targets


CLASSES = "integers (classes, counting from 0)"


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (nn.ClassNLLCriterion, "ClassNLLCriterion"),
        (nn.CrossEntropyCriterion, "CrossEntropyCriterion"),
        (nn.MultiMarginCriterion, "MultiMarginCriterion"),
        (lambda: nn.ClassSimplexCriterion(3), "ClassSimplexCriterion"),
    ],
)
def test_targets_that_are_no_list_of_classes(make, name):
    one_hot = np.eye(3)[[0, 2, 1, 1, 0]]
    where = f"{name}.updateOutput: target must be"
    for input, target, message in (
        (X, one_hot, f"{CLASSES}, got float64\n  hint: target.argmax(1), if it is one-hot"),
        (X, one_hot.astype(int), "(5,), got (5, 3)\n  hint: target.argmax(1), if it is one-hot"),
        (X[0], one_hot[0], f"{CLASSES}, got float64\n  hint: target.argmax(0), if it is one-hot"),
        (X, np.ones(5), f"{CLASSES}, got float64\n  hint: target.astype('int64')"),
        (
            X,
            np.ones((5, 1), int),
            "(5,), got (5, 1)\n  hint: target.reshape(5) has the same entries",
        ),
        (
            X,
            np.ones((5, 1)),
            f"{CLASSES}, got float64\n"
            "  hint: target.astype('int64').reshape(5) has the same entries",
        ),
        (X, np.ones((5, 2), int), "(5,), got (5, 2)"),
    ):
        refused(
            (DTypeError, ShapeError),
            f"{where} {message}",
            lambda input=input, target=target: make().forward(input, target),
        )
    assert make().forward(X, one_hot.argmax(1)) == make().forward(X, np.array([0, 2, 1, 1, 0]))


def test_one_hot_images():
    refused(
        DTypeError,
        f"SpatialClassNLLCriterion.updateOutput: target must be {CLASSES}, got float64\n"
        "  hint: target.argmax(1), if it is one-hot",
        lambda: nn.SpatialClassNLLCriterion().forward(images(2, 3, 4, 4), images(2, 3, 4, 4)),
    )


def test_targets_in_a_column():
    pair = [X, X]
    column = np.ones((5, 1))
    for name in ("CosineEmbeddingCriterion",):
        refused(
            ShapeError,
            f"{name}.updateOutput: target must be (5,), got (5, 1)\n"
            "  hint: target.reshape(5) has the same entries",
            lambda name=name: getattr(nn, name)().forward(pair, column),
        )
    refused(
        ShapeError,
        "MSECriterion.updateOutput: target must be (5,) like input, got (5, 1)\n"
        "  hint: target.reshape(5) has the same entries",
        lambda: nn.MSECriterion().forward(np.ones(5), column),
    )
    refused(
        ShapeError,
        "MSECriterion.updateOutput: target must be (5, 3) like input, got (3, 5)\n"
        "  hint: target.T has this shape",
        lambda: nn.MSECriterion().forward(X, X.T),
    )


@pytest.mark.parametrize("case", cases.criterions.CASES, ids=lambda case: case.id)
def test_arguments_the_other_way_round(case):
    """Where the dtypes or the shapes tell it, every criterion does."""
    if case.target is None:
        return
    rng = np.random.default_rng(0)
    x, target = case.draw(rng), case.draw(rng, "target")
    for method in ("forward", "backward"):
        criterion = case.make()
        criterion.forward(x, target)
        error = error_of(getattr(criterion, method), target, x)
        # HingeEmbedding: only the values tell. ModuleCriterion: it has not been forwarded.
        if error is not None and not isinstance(error, SettingError | StateError):
            hint = f"the two fit the other way round: {method}(input, target)"
            assert error.hint == hint
            assert str(error).endswith(f"\n  hint: {hint}")
            assert str(error).count("hint") == 1


def test_swapped_arguments_word_for_word():
    refused(
        DTypeError,
        "ClassNLLCriterion.updateOutput: input must be float32, float64, complex64 or complex128, "
        "got int64\n  hint: the two fit the other way round: forward(input, target)",
        lambda: nn.ClassNLLCriterion().forward(np.array([0, 1, 2, 0, 1]), X),
    )
    refused(
        DTypeError,
        "CosineEmbeddingCriterion.updateGradInput: input must be a table (a list), got ndarray\n"
        "  hint: the two fit the other way round: backward(input, target)",
        lambda: nn.CosineEmbeddingCriterion().backward(np.ones(5), [X, X]),
    )
    refused(
        DTypeError,
        "ClassNLLCriterion.updateOutput: input must be float32, float64, complex64 or complex128, "
        "got int64\n  hint: input.astype('float64'); of ids, nn.LookupTable or nn.OneHot makes "
        "numbers to compute with",
        lambda: nn.ClassNLLCriterion().forward(np.array([0, 1, 2, 0, 1]), X[:4]),
    )


def test_looking_whether_they_are_swapped_leaves_no_trace():
    module = nn.Sequential(nn.Dropout(0.5))
    criterion = nn.ModuleCriterion(nn.ClassNLLCriterion(), module)
    with pytest.raises(DTypeError, match="the other way round"):
        criterion.forward(np.array([0, 1, 2, 0, 1]), X)
    assert module[0].noise.size == 0
    assert criterion.output == 0.0
