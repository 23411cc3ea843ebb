"""scikit-learn's estimators around networks: `NetworkClassifier` and `NetworkRegressor`.

A function that builds a network becomes an estimator, which pipelines, grid searches and cross
validation take for one of their own.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from numbers import Real
from typing import Any, Self

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "torchlite.interop.sklearn needs scikit-learn, 1.6 or newer: "
        "pip install 'scikit-learn>=1.6'"
    ) from error

from torchlite import optim, random
from torchlite.datasets import minibatches
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError, fault
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion
from torchlite.nn.criterions.class_nll_criterion import ClassNLLCriterion
from torchlite.nn.criterions.cross_entropy_criterion import CrossEntropyCriterion
from torchlite.nn.criterions.mse_criterion import MSECriterion
from torchlite.nn.module import Module
from torchlite.nn.transfer.soft_max import SoftMax
from torchlite.progress import progress

__all__ = ["NetworkClassifier", "NetworkRegressor"]

# So many rows a trained network is given at once: what a convolution makes of all may be too large.
_AT_ONCE = 1024
_FLOATING = (np.float64, np.float32)
# The parameters that are dicts. Their entries are parameters, too: config__learningRate.
_DICTS = ("config", "settings")


class _NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """What both have: everything but what a target is, and what a prediction."""

    network_: Module
    criterion_: Criterion

    def __init__(
        self,
        network: Any,
        *,
        settings: Any = None,
        criterion: Any = None,
        optimizer: Any = optim.adam,
        config: Any = None,
        max_iter: Any = 100,
        batch_size: Any = 32,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        n_iter_no_change: Any = 10,
        tol: Any = 1e-4,
        verbose: Any = False,
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.settings = settings
        self.criterion = criterion
        self.optimizer = optimizer
        self.config = config
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; deep ones are entries of dicts: config__learningRate."""
        params: dict[str, Any] = super().get_params(deep)
        for name in _DICTS if deep else ():
            if isinstance(params[name], dict):
                params |= {f"{name}__{key}": value for key, value in params[name].items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `config__learningRate=0.1` sets an entry of config. Return self."""
        entries = [name for name in params if name.startswith(tuple(f"{d}__" for d in _DICTS))]
        super().set_params(**{name: params[name] for name in params if name not in entries})
        for entry in entries:
            name, _, key = entry.partition("__")
            # A dict of its own: clones share the one that was handed over.
            setattr(self, name, {**(getattr(self, name) or {}), key: params[entry]})
        return self

    # ---------------------------------------------------------------- training

    def fit(self, X: Any, y: Any) -> Self:
        """Build a network and train it. Return self."""
        x, target = self._begin(X, y)
        held = None
        with self._drawing():
            if self.early_stopping:
                share = self.validation_fraction
                many = max(1, round(share * len(x)))
                if many == len(x):
                    expected = f"a share that leaves some of {len(x)} rows"
                    raise self._fault(SettingError, "validation_fraction", expected, repr(share))
                order = random.randperm(len(x))
                held = x[order[:many]], target[order[:many]]
                x, target = x[order[many:]], target[order[many:]]
            self._train(x, target, held)
        return self

    def _train(self, x: Array, target: Array, held: tuple[Array, Array] | None) -> None:
        best, least, worse = None, math.inf, 0
        epochs = progress(range(self.max_iter), "epochs", None if self.verbose else False)
        for _ in epochs:
            row = self._epoch(x, target)
            if held is not None:
                row["valid_loss"] = self.criterion_.forward(self._outputs(held[0]), held[1])
                worse = 0 if row["valid_loss"] < least - self.tol else worse + 1
                if row["valid_loss"] < least:
                    # With all that is no parameter: running statistics, say.
                    best, least = self.network_.clone(), row["valid_loss"]
            self._note(row)
            epochs.status(", ".join(f"{name} {value:.4g}" for name, value in row.items()))
            if held is not None and worse >= self.n_iter_no_change:
                break
        self.network_ = (self.network_ if best is None else best).evaluate()

    def _partial_fit(self, X: Any, y: Any, **known: Any) -> Self:
        if hasattr(self, "network_"):
            x, target = map(self._cast, self._data(X, y, reset=False, **known))
        else:
            x, target = self._begin(X, y, **known)
        with self._drawing():
            self._note(self._epoch(x, target))
        self.network_.evaluate()
        return self

    def _begin(self, X: Any, y: Any, **known: Any) -> tuple[Array, Array]:
        """Build the network; return the data as it wants them."""
        self._check_settings()
        x, target = self._data(X, y, reset=True, **known)
        self._generator = self._seeded()
        with self._drawing():
            net = self.network(x.shape[1], self.n_outputs_, **(self.settings or {}))
        if not isinstance(net, Module):
            hint = "network is a function of the numbers of inputs and of outputs"
            raise self._fault(
                DTypeError, "what network returns", "a Module", type(net).__name__, hint
            )
        criterion = self._criterion() if self.criterion is None else self.criterion.clone()
        self.network_, self.criterion_ = net, criterion.type(net.type())
        self._state: dict[str, Any] = {}
        self.history_: list[dict[str, float]] = []
        self.n_iter_ = 0
        return self._cast(x), self._cast(target)

    def _seeded(self) -> random.Generator | None:
        seed = self.random_state
        if seed is None:
            return None
        if not isinstance(seed, (int, np.integer)):
            seed = check_random_state(seed).randint(2**32, dtype=np.int64)
        generator = random.Generator()
        generator.manualSeed(int(seed))
        return generator

    def _drawing(self) -> AbstractContextManager[None]:
        if self._generator is None:
            return nullcontext()
        return random.drawing_from(self._generator)

    def _epoch(self, x: Array, target: Array) -> dict[str, float]:
        """Go through the data once; return the mean of the losses before each step."""
        flat = self.network_.training().getParameters()
        total = 0.0
        # How many rows there are is not the user's to say where folds are cut.
        for batch in minibatches(x, target, self.batch_size, least=2):
            function = partial(self._loss_and_gradient, flat, *batch)
            found, losses, *_ = self.optimizer(function, flat[0], self.config, self._state)
            # Some optimizers return an array of their own.
            flat[0][...] = found
            total += losses[0] * len(batch[0])
        return {"loss": total / len(x)}

    def _loss_and_gradient(
        self, flat: tuple[Array, Array], inputs: Array, targets: Array, _: Array
    ) -> tuple[float, Array]:
        gradParameters = flat[1]
        gradParameters.fill(0)
        output = self._forward(inputs)
        loss = self.criterion_.forward(output, targets)
        self.network_.backward(inputs, self.criterion_.backward(output, targets))
        return loss, gradParameters

    def _note(self, row: dict[str, float]) -> None:
        self.n_iter_ += 1
        for name, value in row.items():
            if not math.isfinite(value):
                got = f"{value} in epoch {self.n_iter_}"
                hint = "scale the columns of X (StandardScaler); a smaller learningRate in config"
                raise self._fault(StateError, name, "finite", got, hint)
            # Rounded log-probabilities may be a little above 0.
            if value < -1e-6 and isinstance(self.criterion_, ClassNLLCriterion):
                expected, got = "at least 0: of log-probabilities", f"{value:.4g}"
                hint = "let the network end with LogSoftMax, or use CrossEntropyCriterion"
                raise self._fault(StateError, name, expected, got, hint)
        self.history_.append(row)

    # ---------------------------------------------------------------- the network on data

    def _forward(self, inputs: Array) -> Array:
        output: Array = self.network_.forward(inputs)
        wanted = (len(inputs), self.n_outputs_)
        if output.shape != wanted:
            raise self._fault(ShapeError, "the network's output", f"{wanted}", f"{output.shape}")
        return output

    def _outputs(self, x: Array) -> Array:
        self.network_.evaluate()
        rows = range(0, len(x), _AT_ONCE)
        return np.concatenate([self._forward(x[start : start + _AT_ONCE]) for start in rows])

    def _outputs_of(self, X: Any) -> Array:
        check_is_fitted(self)
        return self._outputs(self._cast(validate_data(self, X, reset=False, dtype=_FLOATING)))

    def _cast(self, array: Array) -> Array:
        """Return inputs, or targets that are no classes, in the network's dtype."""
        if array.dtype.kind != "f":
            return array
        return array.astype(self.network_.type(), copy=False)

    # ---------------------------------------------------------------- checks

    def _check_settings(self) -> None:
        if not callable(self.network) or isinstance(self.network, Module):
            got = checks.title(self.network)
            expected = "a function that returns a new network"
            raise self._fault(DTypeError, "network", expected, got)
        if not callable(self.optimizer):
            known = isinstance(self.optimizer, str) and self.optimizer in optim.__all__
            hint = f"optim.{self.optimizer}" if known else None
            expected, got = "a function of torchlite.optim", repr(self.optimizer)
            raise self._fault(DTypeError, "optimizer", expected, got, hint)
        for name in ("max_iter", "n_iter_no_change"):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
                raise self._fault(DTypeError, name, "a whole number", repr(value))
            if value < 1:
                raise self._fault(SettingError, name, "1 or more", repr(value))
        for name in ("tol", "validation_fraction"):
            value = getattr(self, name)
            if not isinstance(value, Real) or isinstance(value, bool):
                raise self._fault(DTypeError, name, "a number", repr(value))
        if self.settings is not None and not isinstance(self.settings, dict):
            expected = "a dict of arguments, or None"
            raise self._fault(DTypeError, "settings", expected, repr(self.settings))
        share = self.validation_fraction
        if not 0 < share < 1:
            raise self._fault(SettingError, "validation_fraction", "between 0 and 1", repr(share))
        if self.criterion is not None and not isinstance(self.criterion, Criterion):
            got = type(self.criterion).__name__
            raise self._fault(DTypeError, "criterion", "a Criterion", got)

    def _fault(
        self, kind: Any, argument: str, expected: str, got: str, hint: str | None = None
    ) -> Any:
        return fault(kind, type(self).__name__, argument, expected, got, hint=hint)


class NetworkClassifier(ClassifierMixin, _NetworkEstimator):  # type: ignore[misc]
    """A network that tells classes apart, as an estimator of scikit-learn.

    Parameters
    ----------
    network
        A function: network(n_inputs, n_outputs, **settings) returns a new network. `fit` calls
        it with the number of columns of X, and of classes. To be pickled it has a name: no lambda.
    settings : None
        A dict of more arguments of the function, or None. `settings__hidden` is its entry, for
        set_params and grid searches, and so is `config__learningRate` one of config.
    criterion : None
        A criterion that takes classes, of which `fit` makes a copy. None: CrossEntropyCriterion.
    optimizer : optim.adam
        A function of `torchlite.optim`.
    config : None
        A dict of the optimizer's settings, or None.
    max_iter : 100
        How many epochs: times that `fit` goes through the data.
    batch_size : 32
        Rows in a step; in each epoch they are shuffled anew. A single row that is left over joins
        the step before.
    early_stopping : False
        True: `fit` holds rows back, by chance, and ends when the loss on these has not become
        smaller by more than tol for n_iter_no_change epochs. The network of the epoch with the
        smallest loss is kept.
    validation_fraction : 0.1
        The share of the rows that early stopping holds back.
    n_iter_no_change : 10
        How many epochs early stopping waits.
    tol : 1e-4
        By how much a loss is to be smaller.
    verbose : False
        True: show progress, on a terminal.
    random_state : None
        A whole number: initial weights, shuffling and dropout are what `manualSeed` of it would
        give, and the stream of `torchlite.random` is left as it was. A RandomState: so, with a
        seed that is drawn from it. None: everything is drawn from `torchlite.random`.

    Attributes
    ----------
    network_
        What was trained, in evaluation mode.
    criterion_
        The loss by which it was.
    classes_
        The labels, sorted.
    history_
        For each epoch a dict: the mean "loss" of its batches, each before its step, and with
        early stopping the "valid_loss" of the rows held back, after the epoch.
    n_iter_
        The number of epochs.
    n_features_in_
        The number of columns of X.
    n_outputs_
        The number of classes.
    feature_names_in_
        The columns' names, where X is a frame whose columns have names.

    Raises
    ------
    ShapeError
        The network's output is not (N, n_outputs).
    DTypeError
        network returns no Module, criterion is none, a number of epochs is not whole, tol or
        validation_fraction no number, or settings no dict.
    SettingError
        A number of epochs is below 1, or validation_fraction not between 0 and 1; y has a class
        that is unknown, or partial_fit got other classes than before.
    StateError
        A loss is NaN or infinite, or, of a ClassNLLCriterion, negative.
    ValueError
        What scikit-learn finds wrong with X and y.

    Notes
    -----
    X is (N, n_inputs), y (N,), labels of any type. A network for images begins with
    a View that knows one row from a batch: nn.View(1, 8, 8).setNumInputDims(1).

    With z = network.forward(x), a row of n_outputs numbers for each row of x::

        predict_proba = exp(z) / exp(z).sum(1)
        predict = classes_[argmax(z)]

    That fits a network that ends with scores, for CrossEntropyCriterion, as well as one that ends
    with LogSoftMax, for ClassNLLCriterion. Under another criterion, a MultiMarginCriterion say,
    the scores are no logarithms: predict is right, predict_proba means nothing.

    y counts classes for the network from 0, in the order of classes_. X is handed to it in its own
    dtype, float64 or float32. There is no sample_weight: a criterion need not be a mean over
    samples; weights of classes are the criterion's. While a random_state is set, threads that
    draw numbers at the same time draw from one stream: search with processes (n_jobs).

    References
    ----------
    scikit-learn, sklearn.neural_network.MLPClassifier, whose names of parameters these are.

    Examples
    --------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite.interop.sklearn import NetworkClassifier
    >>> def perceptron(n_inputs, n_outputs, hidden=4):
    ...     return nn.Sequential(
    ...         nn.Linear(n_inputs, hidden), nn.Tanh(), nn.Linear(hidden, n_outputs)
    ...     )
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), ["left", "left", "right", "right"]
    >>> config = {"learningRate": 0.1}
    >>> model = NetworkClassifier(perceptron, config=config, max_iter=50, random_state=0)
    >>> model.fit(X, y).predict([[-3.0], [3.0]])
    array(['left', 'right'], dtype='<U5')
    >>> model.predict_proba([[3.0]]).round(2), model.network_[0]
    (array([[0., 1.]]), Linear(1 -> 4))
    """

    # scikit-learn reads the docstring, for notebooks, and knows no other sections than NumPy's.

    def _data(self, X: Any, y: Any, *, reset: bool, classes: Any = None) -> tuple[Array, Array]:
        x, y = validate_data(self, X, y, reset=reset, dtype=_FLOATING)
        check_classification_targets(y)
        if reset:
            self.classes_ = np.unique(y if classes is None else classes)
            self.n_outputs_ = len(self.classes_)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            expected = f"those of the first call, {self.classes_.tolist()}"
            raise self._fault(SettingError, "classes", expected, f"{np.unique(classes).tolist()}")
        target = np.searchsorted(self.classes_, y).clip(0, self.n_outputs_ - 1)
        unknown = y[self.classes_[target] != y]
        if len(unknown):
            expected = f"among the classes {self.classes_.tolist()}"
            raise self._fault(SettingError, "y", expected, repr(unknown.tolist()[0]))
        return x, target

    def _criterion(self) -> Criterion:
        return CrossEntropyCriterion()

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Go through the data once, from where the last call has ended. Return self.

        The first call needs classes, all there will be, unless y has them all; later ones may
        repeat them.
        """
        return self._partial_fit(X, y, classes=classes)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, in the order of classes_."""
        return SoftMax().forward(self._outputs_of(X))

    def predict(self, X: Any) -> Array:
        """Return the most probable label of each row."""
        found = self._outputs_of(X).argmax(axis=1)
        return self.classes_[found]


class NetworkRegressor(RegressorMixin, _NetworkEstimator):  # type: ignore[misc]
    """A network that predicts numbers, as an estimator of scikit-learn.

    Parameters
    ----------
    network
        A function, as of `NetworkClassifier`: it gets the numbers of columns of X and of y.
    settings : None
        As of `NetworkClassifier`, and so all below but criterion.
    criterion : None
        A criterion of input and target of one shape. None: MSECriterion.
    optimizer : optim.adam
    config : None
    max_iter : 100
    batch_size : 32
    early_stopping : False
    validation_fraction : 0.1
    n_iter_no_change : 10
    tol : 1e-4
    verbose : False
    random_state : None

    Attributes
    ----------
    network_, criterion_, history_, n_iter_, n_features_in_, feature_names_in_
        As of `NetworkClassifier`.
    n_outputs_
        The number of columns of y.

    Raises
    ------
    ShapeError
        The network's output is not (N, n_outputs), or y changes its number of columns.
    DTypeError, SettingError, StateError, ValueError
        As of `NetworkClassifier`.

    Notes
    -----
    y is (N,), or (N, n_outputs). The network's output is (N, n_outputs), with one column for a y of
    one dimension, and predictions have the dimensions of y.

    Losses of large numbers are large: scale y, too (sklearn.compose.TransformedTargetRegressor).
    All else is as of `NetworkClassifier`.

    References
    ----------
    scikit-learn, sklearn.neural_network.MLPRegressor.

    Examples
    --------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite.interop.sklearn import NetworkRegressor
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-1.0, 1.0, 3.0])
    >>> config = {"learningRate": 0.1}
    >>> line = NetworkRegressor(nn.Linear, config=config, max_iter=300, random_state=0).fit(X, y)
    >>> line.predict([[2.0]]).round(2), round(line.score(X, y), 3)
    (array([5.]), 1.0)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _data(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        x, y = validate_data(
            self, X, y, reset=reset, dtype=_FLOATING, multi_output=True, y_numeric=True
        )
        shape = y.shape[1:]
        if reset:
            self._shape = shape
            self.n_outputs_ = math.prod(shape)
        elif shape != self._shape:
            raise self._fault(ShapeError, "y", f"{('N', *self._shape)}", f"{y.shape}")
        return x, y.reshape(len(y), -1).astype(float)

    def _criterion(self) -> Criterion:
        return MSECriterion()

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Go through the data once, from where the last call has ended. Return self."""
        return self._partial_fit(X, y)

    def predict(self, X: Any) -> Array:
        """Return the prediction of each row, in the dimensions of y."""
        outputs = self._outputs_of(X)
        return outputs.reshape(len(outputs), *self._shape)
