"""Networks as scikit-learn's estimators: its own checks, and the numbers of a loop by hand."""

import pickle
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import torchlite as nn
from torchlite import optim, random
from torchlite.datasets import minibatches

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import DataConversionWarning  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from torchlite.interop.sklearn import NetworkClassifier, NetworkRegressor  # noqa: E402


def perceptron(n_inputs, n_outputs, hidden=20):
    return nn.Sequential(nn.Linear(n_inputs, hidden), nn.Tanh(), nn.Linear(hidden, n_outputs))


def dropping(n_inputs, n_outputs):
    return nn.Sequential(nn.Linear(n_inputs, 5), nn.Dropout(0.5), nn.Linear(5, n_outputs))


QUICK = {"config": {"learningRate": 0.02}, "max_iter": 20}
X = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [3.0, 0.0], [4.0, 1.0], [5.0, -0.5]])
LABELS = np.array(["b", "b", "c", "a", "a", "a"])
CODES = np.array([1, 1, 2, 0, 0, 0])
Y = np.array([1.0, -1.0, 0.5, 2.0, 0.0, 1.5])


# Not one is expected to fail.
@parametrize_with_checks(
    [NetworkClassifier(perceptron, **QUICK), NetworkRegressor(perceptron, **QUICK)]
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


# ---------------------------------------------------------------- training


def by_hand(net, criterion, x, target, epochs, method, config, size):
    parameters, gradParameters = net.training().getParameters()
    state, means = {}, []
    for _ in range(epochs):
        total = 0.0
        for inputs, targets in minibatches(x, target, size):

            def opfunc(_, inputs=inputs, targets=targets):
                gradParameters.fill(0)
                loss = criterion.forward(net.forward(inputs), targets)
                net.backward(inputs, criterion.backward(net.output, targets))
                return loss, gradParameters

            found, losses, *_ = method(opfunc, parameters, config, state)
            parameters[...] = found
            total += losses[0] * len(inputs)
        means.append({"loss": total / len(x)})
    return means


# Some return arrays of their own.
METHODS = {
    optim.sgd: {"learningRate": 0.1},
    optim.adam: {"learningRate": 0.1},
    optim.lbfgs: {"maxIter": 3},
    optim.cmaes: {"sigma": 0.1, "maxEval": 100},
    optim.de: {"popsize": 10, "maxFEs": 100, "minRegion": -1, "maxRegion": 1},
}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_it_trains_as_a_loop_by_hand(method):
    config = METHODS[method]
    model = NetworkClassifier(
        dropping, optimizer=method, config=config, max_iter=3, batch_size=4, random_state=5
    )
    model.fit(X, LABELS)
    nn.manualSeed(5)
    net = dropping(2, 3)
    means = by_hand(net, nn.CrossEntropyCriterion(), X, CODES, 3, method, config, 4)
    assert model.history_ == means
    assert (model.network_.getParameters()[0] == net.getParameters()[0]).all()
    net.evaluate()
    assert (model.predict_proba(X) == nn.SoftMax().forward(net.forward(X))).all()
    assert model.predict(X).tolist() == model.classes_[net.forward(X).argmax(1)].tolist()
    assert not model.network_.train


def test_regression_trains_as_a_loop_by_hand():
    model = NetworkRegressor(perceptron, criterion=nn.AbsCriterion(), max_iter=2, random_state=1)
    model.fit(X, Y)
    nn.manualSeed(1)
    net = perceptron(2, 1)
    means = by_hand(net, nn.AbsCriterion(), X, Y[:, None], 2, optim.adam, None, 32)
    assert model.history_ == means
    assert (model.predict(X) == net.forward(X)[:, 0]).all()


def test_steps_one_at_a_time_are_a_fit():
    whole = NetworkClassifier(dropping, max_iter=3, batch_size=4, random_state=2).fit(X, LABELS)
    steps = NetworkClassifier(dropping, batch_size=4, random_state=2)
    for i in range(3):
        nn.manualSeed(i)  # draws of others in between change nothing
        assert steps.partial_fit(X, LABELS, classes=["c", "a", "b"] if i == 0 else None) is steps
    assert steps.history_ == whole.history_
    assert steps.n_iter_ == whole.n_iter_ == 3
    assert (steps.predict_proba(X) == whole.predict_proba(X)).all()
    assert steps.fit(X, LABELS).n_iter_ == 100  # which begins anew


def normalized(n_inputs, n_outputs):
    return nn.Sequential(nn.BatchNormalization(n_inputs), nn.Linear(n_inputs, n_outputs))


@pytest.mark.parametrize(
    ("rows", "size", "sizes"),
    [(6, 5, [6]), (5, 2, [2, 3]), (6, 4, [4, 2]), (2, 1, [1, 1]), (1, 4, [1]), (3, 9, [3])],
)
def test_one_row_that_is_left_joins_the_batch_before(rows, size, sizes, monkeypatch):
    met, forward = [], nn.Linear.updateOutput

    def seen(layer, input):
        met.append(input)
        return forward(layer, input)

    monkeypatch.setattr(nn.Linear, "updateOutput", seen)
    model = NetworkRegressor(nn.Linear, max_iter=1, batch_size=size, random_state=0)
    model.partial_fit(X[:rows], Y[:rows])
    assert [len(batch) for batch in met] == sizes
    assert sorted(np.concatenate(met).tolist()) == sorted(X[:rows].tolist())
    if 1 not in sizes:
        model = NetworkClassifier(normalized, max_iter=2, batch_size=size, random_state=0)
        assert model.fit(X[:rows], CODES[:rows]).n_iter_ == 2


def test_images_of_one_row():
    def convolutional(n_inputs, n_outputs):
        return nn.Sequential(
            nn.View(1, 2, 1).setNumInputDims(1),
            nn.SpatialConvolution(1, 3, 1, 2),
            nn.View(3).setNumInputDims(3),
            nn.Linear(3, n_outputs),
        )

    model = NetworkClassifier(convolutional, max_iter=2, batch_size=1, random_state=0)
    model.fit(X, LABELS)
    assert model.predict_proba(X[:1]) == pytest.approx(model.predict_proba(X)[:1], abs=1e-15)
    assert model.predict(X[:1]).shape == (1,)


def test_regression_goes_on_too():
    two = np.stack([Y, -Y], 1)
    whole = NetworkRegressor(perceptron, max_iter=2, random_state=2).fit(X, two)
    steps = NetworkRegressor(perceptron, random_state=2).partial_fit(X, two).partial_fit(X, two)
    assert (steps.predict(X) == whole.predict(X)).all()
    assert steps.predict(X).shape == (6, 2)
    with pytest.raises(ValueError, match=r"^NetworkRegressor: y must be \('N', 2\), got \(6,\)$"):
        steps.partial_fit(X, Y)


@pytest.mark.parametrize("seed", [3, np.random.RandomState(0)])
def test_the_stream_of_others_stays_where_it_is(seed):
    nn.manualSeed(9)
    before = random.getRNGState()
    model = NetworkClassifier(dropping, max_iter=2, early_stopping=True, random_state=seed)
    model.fit(X, LABELS).partial_fit(X, LABELS)
    assert (random.getRNGState() == before).all()
    NetworkClassifier(dropping, max_iter=1).fit(X, LABELS)
    assert (random.getRNGState() != before).any()


def test_without_a_seed_the_stream_decides():
    found = []
    for seed in (4, 4, 5):
        nn.manualSeed(seed)
        found.append(NetworkClassifier(dropping, max_iter=2).fit(X, LABELS).history_)
    assert found[0] == found[1] != found[2]


def test_a_random_state_of_numpy_is_drawn_from():
    state = np.random.RandomState(0)
    first, second = (
        NetworkClassifier(dropping, max_iter=1, random_state=state).fit(X, LABELS).history_
        for _ in range(2)
    )
    assert first != second
    seed = int(np.random.RandomState(0).randint(2**32, dtype=np.int64))
    again = NetworkClassifier(dropping, max_iter=1, random_state=seed).fit(X, LABELS)
    assert again.history_ == first


def test_early_stopping_keeps_the_best_network():
    # The rows held back are drawn from the stream; running statistics belong to the network.
    def network(n_inputs, n_outputs):
        return nn.Sequential(
            nn.Linear(n_inputs, 8), nn.BatchNormalization(8), nn.Linear(8, n_outputs)
        )

    nn.manualSeed(0)
    x = random.normal(size=(60, 3))
    y = random.bernoulli(0.5, size=60)
    model = NetworkClassifier(
        network, early_stopping=True, validation_fraction=0.25, n_iter_no_change=4, tol=0.0,
        config={"learningRate": 0.1}, batch_size=15, random_state=7,
    ).fit(x, y)  # fmt: skip
    losses = [row["valid_loss"] for row in model.history_]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 4 == model.n_iter_ < 100
    nn.manualSeed(7)
    network(3, 2)
    held = random.randperm(60)[:15]
    output = model.network_.forward(x[held])
    assert nn.CrossEntropyCriterion().forward(output, y[held].astype(int)) == losses[best]


def test_one_row_at_least_is_held_back():
    model = NetworkRegressor(
        nn.Linear, early_stopping=True, validation_fraction=0.01, max_iter=1, random_state=7
    ).fit(X, Y)
    nn.manualSeed(7)
    nn.Linear(2, 1)
    held = random.randperm(6)[:1]
    output = model.network_.forward(X[held])
    loss = nn.MSECriterion().forward(output, Y[held, None])
    assert model.history_[0]["valid_loss"] == loss


def test_tolerance_decides_what_is_better():
    model = NetworkRegressor(
        perceptron, early_stopping=True, n_iter_no_change=3, tol=1e3, random_state=0
    ).fit(X, Y)
    # The first loss is better than infinity, the others are not better enough.
    assert model.n_iter_ == 4
    assert [*model.history_[0]] == ["loss", "valid_loss"]


def test_networks_of_single_precision():
    def network(n_inputs, n_outputs):
        return nn.Linear(n_inputs, n_outputs).float()

    model = NetworkRegressor(network, max_iter=2, random_state=0).fit(X, Y)
    assert model.network_.weight.dtype == model.predict(X).dtype == np.float32
    labels = NetworkClassifier(network, max_iter=2).fit(X.astype(int), LABELS)
    assert labels.predict_proba(X).dtype == np.float32


def test_the_criterion_is_a_copy_with_the_networks_dtype():
    criterion = nn.CrossEntropyCriterion(np.array([1.0, 2.0, 3.0]))
    model = NetworkClassifier(
        lambda n, m: nn.Linear(n, m).float(), criterion=criterion, max_iter=1
    ).fit(X, LABELS)
    assert model.criterion is criterion
    assert criterion.type() == np.float64
    assert model.criterion_.type() == np.float32


def test_large_data_go_through_the_network_in_pieces():
    class Counting(nn.Linear):
        rows = ()

        def updateOutput(self, input):
            self.rows = (*self.rows, len(input))
            return super().updateOutput(input)

    model = NetworkRegressor(Counting, max_iter=1).fit(X, Y)
    model.network_.rows = ()
    x = np.ones((2500, 2))
    assert (model.predict(x) == model.predict(x[:1])[0]).all()
    assert model.network_.rows == (1024, 1024, 452, 1)


# ---------------------------------------------------------------- among estimators


def test_entries_of_dicts_are_parameters():
    config = {"learningRate": 0.1}
    model = NetworkClassifier(perceptron, config=config)
    assert model.get_params()["config__learningRate"] == 0.1
    assert "config__learningRate" not in model.get_params(deep=False)
    other = clone(model).set_params(config__learningRate=0.2, settings__hidden=3, max_iter=2)
    assert other.get_params()["settings__hidden"] == 3
    assert (other.config, other.max_iter) == ({"learningRate": 0.2}, 2)
    assert model.config is config == {"learningRate": 0.1}
    other.set_params(config={"beta1": 0.5}, config__beta2=0.7)
    assert other.config == {"beta1": 0.5, "beta2": 0.7}
    assert other.fit(X, LABELS).network_[0].weight.shape == (3, 2)
    with pytest.raises(ValueError, match="Invalid parameter 'rate' for estimator NetworkClass"):
        model.set_params(rate=1)


def test_a_grid_search_and_cross_validation_in_a_pipeline():
    nn.manualSeed(0)
    x = random.normal(size=(90, 2)) * [1, 1000]
    y = np.where(x[:, 0] * x[:, 1] > 0, "alike", "unlike")
    model = make_pipeline(
        StandardScaler(), NetworkClassifier(perceptron, max_iter=60, random_state=0)
    )
    grid = {
        "networkclassifier__config__learningRate": [1e-6, 0.05],
        "networkclassifier__settings__hidden": [1, 10],
    }
    search = GridSearchCV(model, grid, cv=3, n_jobs=1).fit(x, y)
    assert [*search.best_params_.values()] == [0.05, 10]
    scores = cross_val_score(search.best_estimator_, x, y, cv=3)
    assert scores.mean() == pytest.approx(search.best_score_)
    assert search.best_score_ > 0.85


@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_notebooks_show_it_and_the_docstring_has_its_parameters(kind):
    # Of a section that it does not know, scikit-learn warns.
    assert kind.__name__ in kind(perceptron, max_iter=3)._repr_html_()
    said = set(re.findall(r"^    (\w+)(?: :.*)?$", kind.__doc__.partition("Attributes")[0], re.M))
    assert said - {"Parameters"} == {*kind(perceptron).get_params(deep=False)}


def test_names_of_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["age", "height"])
    labels = pandas.Series(LABELS, index=range(10, 16))
    model = NetworkClassifier(perceptron, max_iter=2, random_state=0).fit(frame, labels)
    assert model.feature_names_in_.tolist() == ["age", "height"]
    plain = NetworkClassifier(perceptron, max_iter=2, random_state=0).fit(X, LABELS)
    assert (model.predict_proba(frame) == plain.predict_proba(X)).all()
    with pytest.raises(ValueError, match="Feature names unseen at fit time:\n- size"):
        model.predict(frame.rename(columns={"height": "size"}))


def test_pickles_go_on_where_they_were():
    model = NetworkClassifier(perceptron, max_iter=2, random_state=0).fit(X, LABELS)
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.predict_proba(X) == model.predict_proba(X)).all()
    for one in (model, copy):
        one.partial_fit(X, LABELS)
    assert copy.history_ == model.history_
    assert (copy.predict_proba(X) == model.predict_proba(X)).all()


def test_progress_is_shown_on_request(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    NetworkRegressor(nn.Linear, max_iter=2).fit(X, Y)
    assert capsys.readouterr().err == ""
    model = NetworkRegressor(nn.Linear, max_iter=2, verbose=True).fit(X, Y)
    last = f"epochs 2/2  loss {model.history_[-1]['loss']:.4g}"
    assert capsys.readouterr().err.rstrip("\n").rpartition("\r")[2].rstrip() == last


# ---------------------------------------------------------------- errors

REFUSED = {
    "network": (
        {"network": lambda n, m: None},
        "NetworkClassifier: what network returns must be a Module, got NoneType\n"
        "  hint: network is a function of the numbers of inputs and of outputs",
    ),
    "instance": (
        {"network": nn.Linear(2, 3)},
        "NetworkClassifier: network must be a function that returns a new network, "
        "got Linear(2 -> 3)",
    ),
    "optimizer": (
        {"optimizer": "adam"},
        "NetworkClassifier: optimizer must be a function of torchlite.optim, got 'adam'\n"
        "  hint: optim.adam",
    ),
    "solver": (
        {"optimizer": None},
        "NetworkClassifier: optimizer must be a function of torchlite.optim, got None",
    ),
    "outputs": (
        {"network": lambda n, m: nn.Linear(n, 7)},
        "NetworkClassifier: the network's output must be (6, 3), got (6, 7)",
    ),
    "criterion": (
        {"criterion": nn.MSECriterion},
        "NetworkClassifier: criterion must be a Criterion, got type",
    ),
    "epochs": (
        {"max_iter": 1.5},
        "NetworkClassifier: max_iter must be a whole number, got 1.5",
    ),
    "none": ({"max_iter": 0}, "NetworkClassifier: max_iter must be 1 or more, got 0"),
    "flag": (
        {"n_iter_no_change": True},
        "NetworkClassifier: n_iter_no_change must be a whole number, got True",
    ),
    "share": (
        {"validation_fraction": 1.0},
        "NetworkClassifier: validation_fraction must be between 0 and 1, got 1.0",
    ),
    "word": (
        {"validation_fraction": "x"},
        "NetworkClassifier: validation_fraction must be a number, got 'x'",
    ),
    "tolerance": (
        {"tol": "a", "early_stopping": True},
        "NetworkClassifier: tol must be a number, got 'a'",
    ),
    "no tolerance": ({"tol": None}, "NetworkClassifier: tol must be a number, got None"),
    "settings": (
        {"settings": [1]},
        "NetworkClassifier: settings must be a dict of arguments, or None, got [1]",
    ),
    "all": (
        {"validation_fraction": 0.99, "early_stopping": True},
        "NetworkClassifier: validation_fraction must be a share that leaves some of 6 rows, "
        "got 0.99",
    ),
    "key": (
        {"config": {"rate": 1}},
        "adam: a key of config must be one of learningRate, learningRateDecay, beta1, beta2, "
        "epsilon, weightDecay, got 'rate'",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(name):
    settings, message = REFUSED[name]
    model = NetworkClassifier(**{"network": perceptron, **settings})
    with pytest.raises(nn.errors.TorchliteError) as caught:
        model.fit(X, LABELS)
    assert str(caught.value) == message


def test_an_unknown_class_is_refused():
    model = NetworkClassifier(perceptron).partial_fit(X, LABELS)
    before = model.predict_proba(X)
    with pytest.raises(nn.errors.SettingError) as caught:
        model.partial_fit(X[:2], ["a", "z"])
    assert str(caught.value) == (
        "NetworkClassifier: y must be among the classes ['a', 'b', 'c'], got 'z'"
    )
    assert (model.predict_proba(X) == before).all()


def test_classes_are_those_of_the_first_call():
    model = NetworkClassifier(perceptron).partial_fit(X, LABELS, classes=["a", "b", "c", "d"])
    before = model.predict_proba(X)
    for others in (["a", "b", "c"], ["a", "b", "c", "e"]):
        with pytest.raises(nn.errors.SettingError) as caught:
            model.partial_fit(X, LABELS, classes=others)
        assert str(caught.value) == (
            "NetworkClassifier: classes must be those of the first call, ['a', 'b', 'c', 'd'], "
            f"got {others}"
        )
    assert (model.predict_proba(X) == before).all()
    assert model.partial_fit(X, LABELS, classes=["d", "c", "b", "a"]).n_iter_ == 2


def test_a_loss_that_is_no_number_is_refused():
    model = NetworkRegressor(nn.Linear, optimizer=optim.sgd, config={"learningRate": 1e9})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(nn.errors.StateError) as caught:
            model.fit(X, Y)
    first, _, hint = str(caught.value).partition("\n")
    assert first.startswith("NetworkRegressor: loss must be finite, got ")
    assert (
        hint == "  hint: scale the columns of X (StandardScaler); a smaller learningRate in config"
    )


def test_scores_in_the_place_of_log_probabilities_are_refused():
    config = {"learningRate": 1.0}
    model = NetworkClassifier(nn.Linear, criterion=nn.ClassNLLCriterion(), config=config)
    with pytest.raises(nn.errors.StateError) as caught:
        model.fit(X, LABELS)
    first, _, hint = str(caught.value).partition("\n")
    assert first.startswith(
        "NetworkClassifier: loss must be at least 0: of log-probabilities, got -"
    )
    assert hint == "  hint: let the network end with LogSoftMax, or use CrossEntropyCriterion"


def test_a_column_of_labels_warns():
    with pytest.warns(DataConversionWarning):
        NetworkClassifier(perceptron, max_iter=1).fit(X, LABELS[:, None])


def test_without_scikit_learn_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "try: import torchlite.interop.sklearn\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "torchlite.interop.sklearn needs scikit-learn, 1.6 or newer: "
        "pip install 'scikit-learn>=1.6'"
    )
