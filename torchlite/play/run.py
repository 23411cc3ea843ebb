"""A network that learns: one update, one call of the contract, one changed number at a time."""

import math
from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any, NamedTuple, cast

import numpy as np

from torchlite import optim, random
from torchlite.datasets.minibatches import last_joins, minibatches
from torchlite.errors import DTypeError, SettingError, fault
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.criterion import Criterion
from torchlite.nn.module import Module
from torchlite.nn.nested import copy_arrays, is_array, is_finite, leaves
from torchlite.nn.stateful import shadowed
from torchlite.nn.tree import name_of, rows, walk
from torchlite.play import faults
from torchlite.play.curves import Curve
from torchlite.play.data import RAISED, Problem
from torchlite.play.judge import Judge
from torchlite.stepping import Step, Trace, record
from torchlite.stepping.given import four

__all__ = ["OPTIMIZERS", "Change", "Pass", "Run", "Settings"]

# By the names that the page shows: the method, and what its config has besides a learning rate.
OPTIMIZERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "sgd": (optim.sgd, {}),
    "sgd with momentum": (optim.sgd, {"momentum": 0.9, "dampening": 0}),
    "nag": (optim.nag, {}),
    "adagrad": (optim.adagrad, {}),
    "rmsprop": (optim.rmsprop, {}),
    "adam": (optim.adam, {}),
    "adamax": (optim.adamax, {}),
}
# Torch7's own step, by a method of the network.
PLAIN = "updateParameters"
CHOICES = [*OPTIMIZERS, PLAIN]

# Arrays by position and name.
Held = dict[str, dict[str, Array]]


class Settings(NamedTuple):
    """What a run may be told: the optimizer's name, its learning rate, rows of a batch, a seed."""

    optimizer: str
    learning_rate: float
    batch: int
    seed: int


class Change(NamedTuple):
    """What an edit did: where, and a number and the loss of the batch, before and after it."""

    place: tuple[int, ...]
    old: float
    new: float
    loss_before: float
    loss_after: float


class _NotFiniteError(Exception):
    """The loss is no number: the optimizer must not make a step of it."""


class Pass:
    """An update of which the calls are shown one after the other.

    Attributes
    ----------
    trace
        The recording of all its calls, on a copy: nothing has happened if it is given up.
    number
        How many of them have been shown.
    output
        What the network makes of the batch.
    """

    def __init__(self, trace: Trace, before: Held, output: Any) -> None:
        self.trace = trace
        self.number = 0
        self.output = output
        self._before = before

    @property
    def step(self) -> Step:
        """The call that was shown last."""
        return self.trace[self.number - 1]

    def held(self) -> Held:
        """Return what the layers hold after the calls that have been shown."""
        held = {position: dict(arrays) for position, arrays in self._before.items()}
        for step in self.trace[: self.number]:
            for name, value in [*step.results.items(), *step.after.items()]:
                # Of a container's gradients the name says where they stand: "[0].gradWeight".
                full = f"{step.position}{'' if name.startswith('[') else '.'}{name}"
                position, _, own = full.rpartition(".")
                if getattr(value, "values", None) is not None and position in held:
                    held[position][own] = value.values
        return held


class Run:
    """A network, a criterion and data, and how far they have come; no threads, no pages.

    Attributes
    ----------
    problem, net, criterion, input, target
        What is learned, and what `problem.make()` returned.
    settings
        A `Settings`.
    x, y
        The rows of the current batch: copies, so that an entry may be changed.
    steps, epochs, loss
        How many updates were made, how often the data was gone through, the loss of the last batch.
    losses
        A `Curve`.
    judge
        A `Judge` of which outputs are right.
    passing
        A `Pass` while the calls of one are shown, else None.
    trouble
        None, or why there is no going on, in words: the loss is no number.
    broken, noticed
        By position, the name of the fault that `break_it` has put on a layer, and what of the
        checker notices it.
    updates
        By (position, name) of a parameter: what the last watched update added, and its norm over
        that of the parameter.

    Raises
    ------
    DTypeError, SettingError
        The problem returns something else than (net, criterion, input, target), or its settings
        cannot be. What its function raises is handed on.

    Example
    -------
    >>> from torchlite.play import PROBLEMS, Run
    >>> run = Run(PROBLEMS["xor"], seed=1)
    >>> first = run.step()
    >>> for _ in range(200):
    ...     last = run.step()
    >>> run.steps, last < first / 5
    (201, True)
    """

    def __init__(self, problem: Problem, seed: int = 0) -> None:
        self.problem = problem
        self.broken: dict[str, str] = {}
        self.noticed: dict[str, list[dict[str, Any]]] = {}
        given = {
            "optimizer": problem.optimizer,
            "learning_rate": problem.learning_rate,
            "batch": problem.batch,
            "seed": seed,
        }
        self.settings = Settings(**_checked(given))
        self.reset()

    # ---------------------------------------------------------------- beginning

    def reset(self) -> None:
        """Go back to the start: the same seed draws the same weights and batches.

        A copy is trained of the network that the problem's function returns, which may be the same
        one each time. What is broken stays broken. Where the network cannot be made, nothing has
        changed but the random stream.
        """
        random.manualSeed(self.settings.seed)
        made = self.problem.make()
        net, criterion, input, target = four("play", self.problem.name, made)
        net, criterion = net.clone(), criterion.clone()
        for position, name in self.broken.items():
            faults.put(_layer(net, position), name)
        flat, gradients = net.getParameters() if net.parameters()[0] else (None, None)
        batches = _batches(input, target, self.settings.batch)
        self.net, self.criterion, self.input, self.target = net, criterion, input, target
        self._flat, self._gradients, self._batches = flat, gradients, batches
        self._parameters = _parameters(net)
        self._state: dict[str, Any] = {}
        self._looked: Module | None = None
        self.judge = Judge(target, criterion)
        self.losses = Curve()
        self.updates: dict[tuple[str, str], tuple[Array, float]] = {}
        self.passing: Pass | None = None
        self.trouble: str | None = None
        self.loss: float = math.nan
        self.steps = self.epochs = 0
        self._draw()

    def set(self, **settings: Any) -> None:
        """Change settings; another seed goes back to the start, and a pass is given up.

        Raises
        ------
        SettingError, DTypeError
            There is no such setting, or it cannot have this value. Nothing has changed then.
        """
        before, self.settings = self.settings, self.settings._replace(**_checked(settings))
        self.passing = None
        if self.settings.seed != before.seed:
            try:
                self.reset()
            except BaseException:
                self.settings = before
                raise
        if self.settings.optimizer != before.optimizer:
            self._state = {}
        if self.settings.batch != before.batch:
            self._batches = _batches(self.input, self.target, self.settings.batch)

    # ---------------------------------------------------------------- learning

    def step(self, watch: bool = False) -> float:
        """Draw a batch and learn from it; return its loss.

        With watch, the update is taken down for `updates`. Where the loss is no number, nothing is
        learned, and `trouble` says so. Of a pass that was begun, the batch is learned from.
        """
        if self.passing is None:
            self._draw()
        self.passing = self._looked = None
        before = [row[2].copy() for row in self._parameters] if watch else None
        try:
            self.loss = self._learn(lambda _: self._evaluated(self.net, self.criterion))
        except _NotFiniteError:
            self.trouble = self._why(self.net)
            return self.loss
        self._learned(before)
        return self.loss

    def _draw(self) -> None:
        self._looked = None
        self._answered = False
        batch = next(self._batches, None)
        if batch is None:
            self.epochs += 1
            self._batches = _batches(self.input, self.target, self.settings.batch)
            batch = next(self._batches)
        self.x, self.y = batch

    def _learn(self, opfunc: Callable[[Any], Any]) -> float:
        if self._flat is None:
            return float(opfunc(None)[0])
        if self.settings.optimizer == PLAIN:
            loss = float(opfunc(self._flat)[0])
            self.net.updateParameters(self.settings.learning_rate)
            return loss
        method, config = OPTIMIZERS[self.settings.optimizer]
        config = {**config, "learningRate": self.settings.learning_rate}
        return float(method(opfunc, self._flat, config, self._state)[1][0])

    def _evaluated(self, net: Module, criterion: Criterion) -> tuple[float, Any]:
        x, y = self.x, self.y
        net.zeroGradParameters()
        output = net.forward(x)
        self._answered = net is self.net
        self.loss = _real(criterion.forward(output, y))
        if not math.isfinite(self.loss):
            raise _NotFiniteError
        net.backward(x, criterion.backward(net.output, y))
        return self.loss, self._gradients

    def _learned(self, before: list[Array] | None) -> None:
        self.steps += 1
        self.trouble = None
        self.losses.add(self.steps, self.loss)
        if before is not None:
            for (position, name, parameter, *_), old in zip(self._parameters, before, strict=True):
                update = parameter - old
                size, change = (float(np.linalg.norm(array)) for array in (old, update))
                ratio = change / size if size else math.inf if change else 0.0
                self.updates[position, name] = update, ratio

    def _why(self, net: Module) -> str:
        """Say where the first number stands that is not finite."""
        begin = f"The loss is {self.loss} at step {self.steps + 1}: "
        rate = self.settings.learning_rate
        remedy = (
            " Nothing was learned from this batch. Often the learning rate is too large (it is "
            f"{rate:g}): go back to the start, with a smaller one."
        )
        if not is_finite(self.x):
            return f"{begin}the batch itself has numbers that are not finite."
        if not is_finite(self.y):
            return f"{begin}the targets of the batch have numbers that are not finite."
        for position, name, parameter, *_ in self._parameters:
            if not np.isfinite(parameter).all():
                return f"{begin}{position}.{name} has numbers that are not finite.{remedy}"
        for place in walk(net):
            part = place.module
            if not part.modules and not is_finite(part.output):
                where = f"net{place.path}, {checks.title(part)}"
                return f"{begin}the first output that is not finite is that of {where}.{remedy}"
        return f"{begin}the criterion made it of outputs that are finite.{remedy}"

    # ---------------------------------------------------------------- one call

    def one_call(self) -> Step | None:
        """Show the next call of an update and return it; or make the update, after the last.

        When the first is shown, all have been made, and recorded, on a copy: the network itself
        learns from the batch at the end, and random numbers are drawn anew, the same.
        """
        if self.passing is None and not self._begin():
            return None
        passing = self.passing
        if passing is None or passing.number == len(passing.trace):
            self.step(watch=True)
            return None
        passing.number += 1
        return passing.step

    def _begin(self) -> bool:
        before = {p: {n: a.copy() for n, a in held.items()} for p, held in self.held().items()}
        self._draw()
        net, criterion = faults.clone(self.net), self.criterion.clone()
        stream = random.getRNGState()
        try:
            with record(net, criterion, max_elements=_ALL) as trace:
                self._evaluated(net, criterion)
        except _NotFiniteError:
            self.trouble = self._why(net)
            return False
        finally:
            random.setRNGState(stream)
        self.passing = Pass(trace, before, net.output)
        return True

    # ---------------------------------------------------------------- looking and changing

    @property
    def joined(self) -> bool:
        """Whether the last row of an epoch, which has no batch of its own, joins the one before."""
        return last_joins(len(leaves(self.input)[0]), self.settings.batch, _LEAST)

    @property
    def output(self) -> Any:
        """What the network made of the batch, or None if it has not yet, or raised."""
        copy = self.passing or self._looked
        if copy is not None:
            return copy.output
        return self.net.output if self._answered else None

    def held(self) -> Held:
        """Return what the layers hold: parameters, gradients, outputs and gradInputs."""
        if self.passing is not None:
            return self.passing.held()
        seen = self.net if self._looked is None else self._looked
        held: Held = {}
        for place in walk(seen):
            if place.module.modules:
                continue
            here = held.setdefault(f"net{place.path}", {})
            for name in ("output", "gradInput"):
                arrays = [a for a in leaves(getattr(place.module, name, None)) if is_array(a)]
                for i, array in enumerate(arrays):
                    here[name if len(arrays) == 1 else f"{name}[{i}]"] = array
        known = self._parameters if self._looked is None else _parameters(seen)
        for position, name, parameter, gradient_name, gradient in known:
            held.setdefault(position, {}).update({name: parameter, gradient_name: gradient})
        return held

    def look(self) -> float:
        """Run the batch forward and back on a copy, and return its loss; nothing is learned.

        Until something is, `held` returns what the copy holds. Layers that draw draw the same at
        each look.
        """
        seen, stream = faults.clone(self.net), random.getRNGState()
        try:
            seen.zeroGradParameters()
            loss = _real(self.criterion.forward(seen.forward(self.x), self.y))
            seen.backward(self.x, self.criterion.backward(seen.output, self.y))
        finally:
            random.setRNGState(stream)
        self._looked = seen
        self.loss = loss
        return loss

    def layer(self, position: str) -> Module:
        """Return the layer at a position: "net[0]", "net.encoder[1]"; "net" is the network."""
        return _layer(self.net, position)

    def break_it(self, position: str, name: str | None) -> list[dict[str, Any]]:
        """Put a fault of `torchlite.play.faults` on a layer, or mend it: None.

        Returns what of the checker notices it, as `faults.notices` does.

        Raises
        ------
        SettingError
            There is no such layer, or it cannot have this fault. Nothing has changed then.

        Example
        -------
        >>> from torchlite.play import PROBLEMS, Run
        >>> run = Run(PROBLEMS["xor"])
        >>> (found,) = run.break_it("net[2]", "bias averaged")
        >>> found["property"], run.broken
        ('gradParameters', {'net[2]': 'bias averaged'})
        """
        layer = self.layer(position)
        faults.put(layer, name)
        self.passing = self._looked = None
        # It may stand in other places, too.
        self.broken = {p: known for p, known in self.broken.items() if self.layer(p) is not layer}
        if name is None:
            return []
        self.broken[position] = name
        try:
            noticed = faults.notices(layer, name, self._met(position))
        except RAISED as error:
            says = f"It cannot be checked: {type(error).__name__}: {error}"
            noticed = [{"property": None, "says": says}]
        self.noticed[position] = noticed
        return noticed

    def faults(self) -> list[dict[str, Any]]:
        """Return of each layer what faults it can have; those of the loop stand last, at "net"."""
        whole, *inside = walk(self.net)
        found = [
            {
                "position": f"net{place.path}",
                "layer": checks.title(place.module),
                "faults": faults.catalogue(place.module, whole=place is whole),
            }
            for place in [*inside, whole]
        ]
        return [each for each in found if each["faults"]]

    def _met(self, position: str) -> Any:
        """Return the input that a layer meets in a forward of the batch, on a copy."""
        net, stream = self.net.clone(), random.getRNGState()
        layer = _layer(net, position)
        own: Any = layer.updateOutput
        met: list[Any] = []

        def noting(input: Any) -> Any:
            met.append(copy_arrays(input))
            return own(input)

        try:
            with shadowed([(layer, {"updateOutput": noting})]):
                net.forward(copy_arrays(self.x))
        finally:
            random.setRNGState(stream)
        return met[0]

    def edit(self, position: str, name: str, index: int, value: float) -> Change:
        """Set an entry of a parameter, or of the batch's input, and look what that changes.

        Parameters
        ----------
        position, name
            Of a parameter: "net[0]", "weight"; of the batch: "net", "input", of a table "input[1]".
        index
            Which entry, counted in C order.
        value
            What it becomes.

        Raises
        ------
        SettingError, DTypeError
            There is no such array, or no such entry; or value is no number.
        """
        array = self._editable(position, name)
        for argument, given, kind, expected in (
            ("index", index, Integral, "a whole number"),
            ("value", value, Real, "a number"),
        ):
            if not isinstance(given, kind) or isinstance(given, bool):
                raise fault(DTypeError, "Run.edit", argument, expected, type(given).__name__)
        if not 0 <= index < array.size:
            expected, got = f"from 0 to {array.size - 1}", repr(index)
            raise fault(SettingError, "Run.edit", "index", expected, got)
        self.passing = None
        before = self.look()
        old = array.flat[index].item()
        array.flat[index] = value
        try:
            after = self.look()
        except BaseException:
            array.flat[index] = old
            raise
        where = tuple(map(int, np.unravel_index(index, array.shape)))
        return Change(where, old, array.flat[index].item(), before, after)

    def _editable(self, position: str, name: str) -> Array:
        inputs = leaves(self.x)
        known = {
            ("net", "input" if len(inputs) == 1 else f"input[{i}]"): array
            for i, array in enumerate(inputs)
        }
        known |= {(place, name): parameter for place, name, parameter, *_ in self._parameters}
        if (position, name) not in known:
            expected = f"one of {', '.join(f'{a}.{b}' for a, b in known)}"
            raise fault(SettingError, "Run.edit", "what is edited", expected, f"{position}.{name}")
        return known[position, name]


# A single row has no variance.
_LEAST = 2


def _batches(input: Any, target: Any, size: int) -> Iterator[Any]:
    """Return the batches of an epoch."""
    return minibatches(input, target, size, least=_LEAST)


# Of a pass, whatever its size, all arrays are kept: one of each kind.
_ALL = 1 << 40


def _real(loss: Any) -> float:
    """Return a loss as Python's number: a criterion may return it as an array has it."""
    number = np.asarray(loss)
    if number.ndim or number.dtype.kind not in "fiub":
        raise fault(DTypeError, "play", "the loss", "a real number", type(loss).__name__)
    return float(number)


def _layer(net: Module, position: str) -> Module:
    places = {f"net{place.path}": place.module for place in walk(net)}
    if position not in places:
        expected = f"one of {', '.join(places)}"
        raise fault(SettingError, "Run.layer", "position", expected, repr(position))
    return cast(Module, places[position])


def _parameters(net: Module) -> list[tuple[str, str, Array, str, Array]]:
    """Return position, name, parameter, name of its gradient, gradient."""
    return [
        (
            f"net{row.place.path}",
            row.name,
            row.parameter,
            name_of(row.place.module, row.gradient) or f"gradient of {row.name}",
            row.gradient,
        )
        for row in rows(net)
    ]


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    tests: dict[str, tuple[Any, str, Callable[[Any], bool]]] = {
        "optimizer": (str, f"one of {', '.join(CHOICES)}", lambda v: v in CHOICES),
        "learning_rate": ((int, float), "a number of at least 0", lambda v: 0 <= v < math.inf),
        "batch": (int, "a whole number of at least 1", lambda v: v >= 1),
        "seed": (int, "a whole number from 0 to 4294967295", lambda v: 0 <= v < 2**32),
    }
    for name, value in settings.items():
        if name not in tests:
            raise fault(SettingError, "Run.set", "a setting", f"one of {', '.join(tests)}", name)
        kinds, expected, fits = tests[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise fault(DTypeError, "Run.set", name, expected, type(value).__name__)
        if not fits(value):
            raise fault(SettingError, "Run.set", name, expected, repr(value))
    return settings
