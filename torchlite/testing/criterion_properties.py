"""What every criterion must do: one function a property."""

import copy
import pickle
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from torchlite.errors import StateError
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    scale_arrays,
    shapes,
)
from torchlite.nn.stateful import rebind
from torchlite.testing import maths as docs
from torchlite.testing import values
from torchlite.testing.duck import Duck, ducks
from torchlite.testing.oracle import check_gradient
from torchlite.testing.subject import EXTREMES, Subject, attempt, quietly, states

__all__ = ["CRITERION_PROPERTIES", "CriterionSubject"]

CRITERION_PROPERTIES: dict[str, Callable[["CriterionSubject"], None]] = {}


def _property(check: Callable[["CriterionSubject"], None]) -> Callable[["CriterionSubject"], None]:
    CRITERION_PROPERTIES[check.__name__.strip("_")] = check
    return check


class CriterionSubject(Subject):
    """A criterion, an input and a target.

    To the oracle it is a layer of one output, with the loss as its only entry.
    """

    def __init__(
        self, criterion: Criterion, input: Any, target: Any, *, seed: int, reproduce: str
    ) -> None:
        self.property = ""
        self.seed = seed
        self.rng = np.random.default_rng([seed, 1])
        self.title = self.where = checks.title(criterion)
        self.reproduce = reproduce
        self.notes = []
        self.kinks = {}
        self.base: Any = copy.deepcopy(criterion).clearState()
        self.dtype = criterion.type()
        if self.dtype != np.float64:
            self.base.type("float64")
        self.input = cast_arrays(input, "float64")
        self.target: Any = cast_arrays(target, "float64")
        self.names = []
        self.draws = False
        self.small = True
        self.output = np.array([float(self.loss(self.fresh()))])
        self.gradOutput = np.ones(1)

    def loss(self, criterion: Any, input: Any = None, target: Any = None) -> Any:
        """Return the loss under the same draw each time."""
        self.reseed()
        return criterion.forward(
            self.input if input is None else input, self.target if target is None else target
        )

    def forward(self, module: Any, input: Any) -> Any:
        """Return the loss as an array of one entry."""
        target = cast_arrays(self.target, leaves(input)[0].dtype)
        return np.array([self.loss(module, input, target)])

    def backward(self, criterion: Any = None, input: Any = None, target: Any = None) -> Any:
        """Return the gradient, after a forward."""
        criterion = self.fresh() if criterion is None else criterion
        self.loss(criterion, input, target)
        return criterion.backward(
            self.input if input is None else input, self.target if target is None else target
        )

    def results(self, criterion: Any) -> list[Any]:
        """Return the loss, as an array, and the gradient."""
        return [np.array(self.loss(criterion)), criterion.backward(self.input, self.target)]

    def extremes(self) -> list[Self]:
        """Return the criterion at an input, or a target, of huge and tiny numbers."""
        return [
            subject
            for what, more in EXTREMES
            for subject in (
                self.at(what, self.adversarial(self.input, *more)),
                self.at(
                    f"a target of {what}", self.input, target=self.adversarial(self.target, *more)
                ),
            )
        ]

    def context(self) -> str:
        """Return shapes, dtypes and seed as failures print them."""
        dtypes = sorted({str(a.dtype) for a in leaves(self.input) if is_array(a)})
        return (
            f"input {shapes(self.input)} {', '.join(dtypes)}, target {shapes(self.target)}, "
            f"seed {self.seed}"
        )

    @property
    def rows(self) -> int:
        """The number of entries that a mean may be over."""
        first = leaves(self.input)[0]
        return first.shape[0] if is_array(first) and first.ndim else 0


@_property
def split(s: CriterionSubject) -> None:
    """The loss is a Python number; results are kept and returned; backward is updateGradInput."""
    criterion = s.fresh()
    loss = s.loss(criterion)
    if type(loss) is not float:
        s.fail("updateOutput", f"the loss is {type(loss).__name__}, not a Python float.")
    if criterion.output is not loss:
        s.fail("updateOutput", "self.output is not what it returned.")
    gradInput = criterion.backward(s.input, s.target)
    if criterion.gradInput is not gradInput:
        s.fail("updateGradInput", "self.gradInput is not what it returned.")
    if shapes(gradInput) != shapes(s.input):
        s.fail(
            "updateGradInput",
            f"gradInput is {shapes(gradInput)}, expected {shapes(s.input)} like input.",
        )
    s.same_bits(
        "backward",
        "it is not what updateGradInput gives.",
        gradInput,
        criterion.updateGradInput(s.input, s.target),
    )


@_property
def gradInput(s: CriterionSubject) -> None:
    """GradInput is the derivative of the loss, with and without averaging."""
    for part in _averages(s):
        for number, array in enumerate(leaves(s.input)):
            if not is_floating(array):
                continue
            name = "gradInput" if is_array(s.input) else f"gradInput[{number}]"

            def backward(weights: list[Any], part: Any = part, number: int = number) -> Any:
                return weights[0][0] * leaves(part.backward())[number]

            check_gradient(part, "input", number, backward, name)


def _averages(s: CriterionSubject) -> list[CriterionSubject]:
    if not isinstance(getattr(s.base, "sizeAverage", None), bool):
        return [s]
    other = copy.copy(s)
    other.base = s.fresh()
    other.base.sizeAverage = not s.base.sizeAverage
    other.output = np.array([float(other.loss(other.fresh()))])
    other.where = f"{s.where} with sizeAverage {other.base.sizeAverage}"
    return [s, other]


@_property
def mutation(s: CriterionSubject) -> None:
    """Nothing is written to input or target; read-only arrays are fine."""
    for writeable in (False, True):
        _check_mutation(s, writeable)
    with quietly():
        for extreme in s.extremes():
            _check_mutation(extreme, True)


def _check_mutation(s: CriterionSubject, writeable: bool) -> None:
    input, target = copy_arrays(s.input), copy_arrays(s.target)
    for array in filter(is_array, [*leaves(input), *leaves(target)]):
        array.flags.writeable = writeable
    criterion = s.fresh()
    try:
        s.loss(criterion, input, target)
        criterion.backward(input, target)
    except Exception as error:
        if not writeable and "read-only" in str(error):
            s.fail("forward", f"it writes to a read-only array: {error}.")
        if not s.extreme:
            raise
    s.same_bits("forward", "it changed its input.", input, s.input)
    s.same_bits("forward", "it changed its target.", target, s.target)


@_property
def aliasing(s: CriterionSubject) -> None:
    """What backward returned is never written to again."""
    criterion = s.fresh()
    gradInput = s.backward(criterion)
    kept = copy_arrays(gradInput)
    for extreme in s.extremes():
        attempt(extreme.results, criterion)
    other = map_arrays(lambda a: a[::-1].copy() if is_floating(a) else a, s.input)
    s.backward(criterion, other)
    s.same_bits(
        "updateGradInput",
        "a later call changed the array that an earlier one returned.",
        gradInput,
        kept,
    )


@_property
def dtype(s: CriterionSubject) -> None:
    """The gradient has the input's dtype; low precision is right within its rounding."""
    expected = s.backward()
    for name in ("float32", "float64"):
        criterion = s.fresh(name)
        input = cast_arrays(s.input, name)
        target = cast_arrays(s.target, name)
        loss = s.loss(criterion, input, target)
        gradInput = s.backward(criterion, input, target)
        epsilon = np.finfo(name).eps * max(a.size for a in leaves(s.input)) ** 0.5
        size = abs(float(s.output[0]))
        s.compare(
            "updateOutput",
            f"in {name} the loss differs from float64.",
            np.array(loss),
            np.array(float(s.output[0])),
            allowed=2048 * epsilon * (1 + size),
        )
        for got, like in zip(leaves(gradInput), leaves(cast_arrays(expected, name)), strict=True):
            s.compare(
                "updateGradInput",
                f"in {name} gradInput differs from float64.",
                got,
                like,
                allowed=2048 * epsilon * (1 + np.abs(like).max(initial=0)),
            )


@_property
def layout(s: CriterionSubject) -> None:
    """Any memory layout gives the same numbers."""
    _check_layouts(s, s.results(s.fresh()))
    huge = s.at("huge numbers", scale_arrays(s.input, values.HUGE))
    expected = attempt(huge.results, huge.fresh())
    if expected is not None:
        with quietly():
            _check_layouts(huge, expected)


def _check_layouts(s: CriterionSubject, expected: list[Any]) -> None:
    changes: list[Callable[[Any], Any]] = [
        lambda a: np.asfortranarray(a) if is_array(a) and a.ndim else a,
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if is_array(a) and a.ndim else a,
        lambda a: a[..., ::-1].copy()[..., ::-1] if is_array(a) and a.ndim else a,
    ]
    problem = "another memory layout gives other numbers."
    for change in changes:
        changed = map_arrays(change, s.target)
        for input, target in (
            (map_arrays(change, s.input), changed),
            (map_arrays(change, s.input), s.target),
            (s.input, changed),
        ):
            loss = np.array(s.loss(s.fresh(), input, target))
            s.compare("updateOutput", problem, loss, expected[0])
            gradInput = s.backward(input=input, target=target)
            s.compare("updateGradInput", problem, gradInput, expected[1])


@_property
def repeat(s: CriterionSubject) -> None:
    """The same call gives the same bits, whatever came before."""
    first = s.results(s.fresh())
    criterion = s.fresh()
    for _ in range(2):
        _check_same_again(s, s.results(criterion), first)
    for extreme in s.extremes():
        later, alone = (attempt(extreme.results, one) for one in (criterion, extreme.fresh()))
        if later is not None and alone is not None:
            _check_same_again(extreme, later, alone)
        _check_same_again(s, s.results(criterion), first, "after huge and tiny numbers ")


def _check_same_again(s: CriterionSubject, again: Any, first: Any, when: str = "") -> None:
    (loss, gradInput), (first_loss, first_gradInput) = again, first
    problem = f"{when}the same call gives another loss."
    s.same_bits("updateOutput", problem, loss, first_loss)
    problem = f"{when}the same call gives other numbers."
    s.same_bits("updateGradInput", problem, gradInput, first_gradInput)


@_property
def interleave(s: CriterionSubject) -> None:
    """A backward is right for its arguments, whatever was forwarded last."""
    expected = s.backward()
    criterion = s.fresh()
    other = map_arrays(lambda a: (a[::-1] * 0.5).copy() if is_floating(a) else a, s.input)
    if attempt(s.loss, criterion, other) is None:
        return
    try:
        got = criterion.backward(s.input, s.target)
    except StateError:
        # One that remembers its forward, and says so.
        return
    s.compare(
        "updateGradInput",
        "after a forward of another input it is not the gradient at the input given.",
        got,
        expected,
    )
    alone = s.fresh()
    s.compare(
        "updateGradInput",
        "without a forward before it, it gives another gradient.",
        alone.updateGradInput(s.input, s.target),
        expected,
    )


@_property
def clone(s: CriterionSubject) -> None:
    """A clone, a deep copy and a pickle have the same numbers."""
    expected = s.backward()
    made = [s.fresh().clone(), copy.deepcopy(s.fresh())]
    try:
        made.append(pickle.loads(pickle.dumps(s.fresh())))
    except (pickle.PicklingError, AttributeError, TypeError) as reason:
        s.notes.append(f"pickle: not checked, {reason}")
    for criterion in made:
        s.compare("clone", "a copy gives other numbers.", s.backward(criterion), expected)
    original = s.fresh()
    ways: dict[str, Callable[[Any], Any]] = {
        "clone": lambda c: c.clone(),
        "copy.deepcopy": copy.deepcopy,
    }
    for way, copying in ways.items():
        criterion = copying(original)
        shared = {id(v) for _, v in states(original) if is_array(v) and v.size} & {
            id(v) for _, v in states(criterion)
        }
        if criterion is original or shared:
            s.fail(way, "the copy shares arrays with the original.")


@_property
def broadcast(s: CriterionSubject) -> None:
    """Input and target of shapes that would broadcast are refused."""
    if not (is_array(s.input) and is_array(s.target)) or s.target.shape != s.input.shape:
        return
    column = s.input.reshape(-1, 1)
    for input, target in (
        (column, s.target.reshape(-1)),
        (column.reshape(-1), s.target.reshape(-1, 1)),
    ):
        if input.size < 2:
            continue
        for method in ("updateOutput", "updateGradInput"):
            if attempt(getattr(s.fresh(), method), input, target) is not None:
                s.fail(
                    method, f"input {input.shape} and target {target.shape} are broadcast silently."
                )


@_property
def exceptions(s: CriterionSubject) -> None:
    """A call that raises has changed nothing."""
    first = leaves(s.input)[0]
    calls = [
        (bad, s.target)
        for bad in (None, "text", first[..., None], first.astype(object), [first] * 5)
    ]
    for input, target in [*calls, *((extreme.input, extreme.target) for extreme in s.extremes())]:
        for method in ("forward", "backward"):
            criterion = s.fresh()
            s.backward(criterion)
            before = dict(states(criterion))
            try:
                with quietly():
                    getattr(criterion, method)(input, target)
            except Exception as error:
                for name, value in states(criterion):
                    if before.get(name) is not value:
                        s.fail(
                            method,
                            f"it raised {type(error).__name__} and had changed "
                            f"{name.partition('.')[2]}.",
                        )


@_property
def nan(s: CriterionSubject) -> None:
    """NaN in the input, or in the target, gives a loss of NaN."""

    def undefined(table: Any) -> Any:
        return map_arrays(lambda a: np.full_like(a, np.nan) if is_floating(a) else a, table)

    pairs = [("input", undefined(s.input), s.target)]
    if s.target is not None and any(is_floating(a) for a in leaves(s.target)):
        pairs.append(("target", s.input, undefined(s.target)))
    for what, input, target in pairs:
        loss = attempt(s.loss, s.fresh(), input, target)
        if loss == loss and loss is not None:
            s.fail("updateOutput", f"a {what} of NaN gives a loss of {loss:g}.")


@_property
def duck(s: CriterionSubject) -> None:
    """Any array that speaks NumPy's protocols will do."""
    expected = s.backward()
    criterion = s.fresh()
    rebind(criterion, ducks())
    input = map_arrays(Duck, s.input)
    target = (
        map_arrays(lambda a: Duck(a) if is_array(a) else a, s.target)
        if s.target is not None
        else None
    )
    try:
        loss = s.loss(criterion, input, target)
        gradInput = criterion.backward(input, target)
    except (TypeError, AttributeError, NotImplementedError) as error:
        s.fail(
            "forward",
            f"an array of another kind raises {type(error).__name__}: {error}. (If NumPy's own "
            "arrays are enough for you, exempt this property.)",
        )
    if not isinstance(loss, float):
        s.fail("updateOutput", f"the loss is {type(loss).__name__}, not a Python float.")
    got = rebuilt(gradInput, [a.held if isinstance(a, Duck) else a for a in leaves(gradInput)])
    s.compare("updateGradInput", "arrays of another kind give other numbers.", got, expected)


@_property
def maths(s: CriterionSubject) -> None:
    """The lines of the docstring's Maths section give the criterion's own numbers."""
    block = docs.statements(type(s.base))
    if not block:
        return
    for part in _averages(s):
        criterion = part.fresh()
        expected = part.backward(criterion)
        try:
            names = docs.evaluate(block, criterion, input=s.input, target=s.target)
        except NameError as reason:
            s.notes.append(f"maths: not checked, {reason}")
            return
        except docs.MathsError as error:
            s.fail("docstring", f"its Maths raises {error}")
        if "output" in names:
            s.compare(
                "updateOutput",
                "the docstring's Maths gives another loss.",
                np.array(float(part.output[0])),
                np.asarray(names["output"]),
                dtypes=False,
            )
        if "gradInput" in names:
            s.compare(
                "updateGradInput",
                "the docstring's Maths gives another gradInput.",
                expected,
                names["gradInput"],
                dtypes=False,
            )
