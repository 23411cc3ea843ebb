"""check_network: gradients of a network's loss, by the data on which it is trained."""

import copy
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from torchlite import random
from torchlite.errors import TorchliteError
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.container import Container
from torchlite.nn.criterion import Criterion
from torchlite.nn.module import Module
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_floating,
    leaves,
    rebuilt,
    shapes,
)
from torchlite.nn.stateful import shadowed
from torchlite.nn.tree import Place, gradient_names, rows, walk
from torchlite.testing import values
from torchlite.testing.check import given_or_made, program_kept
from torchlite.testing.criterion_subject import CriterionSubject
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.precision import cause_of_double
from torchlite.testing.properties.gradients import by_inputs
from torchlite.testing.raised import (
    OF_THE_LAYER,
    arguments_of,
    call_of,
    check_signatures,
    line_of,
)
from torchlite.testing.slopes import (
    CENTRAL,
    COMPLEX,
    HELD,
    Unfit,
    Variable,
    held,
    targets_of,
)
from torchlite.testing.subject import ROUNDING, Subject, attempt, quietly
from torchlite.testing.unlisted import check_unlisted
from torchlite.testing.variations import check_there
from torchlite.testing.violations import ContractViolation, GradientMismatch, shown

__all__ = ["NetworkReport", "check_network"]

# Up to so many entries of a wrong gradient are compared one by one, if that takes no more products
# of a number with a parameter: about two seconds. A clock would judge by what else is running.
FEW = 200
MOST_PRODUCTS = 2e8
# What trembles so much when all numbers are rounded otherwise may be off by so many times that.
TREMBLES = 64
# What is rounded without a trace in the gradient, of the loss.
FLOOR = 1e-14
# What single precision may be off by beside that, of the size of the array.
LOW_PRECISION = 1e-4
# What central differences may be off by at most, of the size of what they add.
WORST = 1e-2

# The methods that make something of their input, and what.
_MADE = {"updateOutput": "output", "updateGradInput": "gradInput"}

# What is moved: ("parameter", i), ("input", i) of the place i, or ("output", 0), of the network.
Key = tuple[str, int]


@dataclass
class NetworkReport:
    """What of a network was checked.

    Attributes
    ----------
    subject
        The network and the criterion, as they print themselves.
    loss
        The loss, in float64.
    passed
        The paths of the numbers by which the gradients are right.
    notes
        How it was found out, in words.
    seconds
        How long it took.
    """

    subject: str
    loss: float
    passed: list[str]
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [f"{self.subject}: loss {self.loss:.6g}, {len(self.passed)} gradients are right"]
        return "\n".join([*lines, *(f"  {note}" for note in dict.fromkeys(self.notes))])

    def _repr_html_(self) -> str:
        # A way up: notebooks are shown things in one place.
        from torchlite.stepping import notebook

        return notebook.of_report(self)


def check_network(
    net: Any, criterion: Any, input: Any, target: Any, *, seed: int = 0
) -> NetworkReport:
    """Check the gradients of a network as it is, by the data as they are; raise if one is wrong.

    The loss is `criterion.forward(net.forward(input), target)`, in the network's mode. The
    gradients of all parameters and of the input are compared with its derivatives, in float64; if
    the network is of another dtype, what it gives in that is compared with float64, of the same
    numbers. Of gradients that are wrong it names the layer where they go wrong: what comes from the
    loss is right there, what the layer makes of it is not.

    The network, the criterion and the data are not touched, and torchlite's random stream is as it
    was afterwards; what is drawn is drawn alike in every forward. Derivatives are taken along
    random directions in which all entries move, so that much data, and many parameters, take no
    more than some forwards; where that finds a fault, entries are looked for. What classes declare
    in `exempt` does not count: behind a GradientReversal no gradient is the loss's. Alone what a
    layer reads as sparse (SparseLinear, IndexLinear) has no gradient by its entries, nor what one
    is given whose class declares its own gradInput exempt and which returns none of that shape.

    Of numbers that are none it names the first on the way: those in the data, else the layer that
    made them, in the forward the first, in the backward the first from the loss back.

    Parameters
    ----------
    net, criterion
        As they are trained.
    input, target
        A batch, of any size.
    seed
        Other directions, another draw.

    Raises
    ------
    GradientMismatch
        A gradient is not the derivative.
    ContractViolation
        The loss is no number, parameters() leaves out what has a gradient, or the network's own
        dtype gives something else than float64.

    Example
    -------
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).float()
    >>> x, y = np.ones((5, 3), "float32"), np.zeros((5, 2), "float32")
    >>> report = check_network(net, nn.MSECriterion(), x, y)
    >>> report.passed
    ['net[0].weight', 'net[0].bias', 'net[2].weight', 'net[2].bias', 'input']
    """
    start = time.perf_counter()
    with program_kept():
        net = given_or_made("check_network", "net", Module, net)
        criterion = given_or_made("check_network", "criterion", Criterion, criterion)
        subject = _Network(
            net, criterion, input, target, seed=seed, reproduce=f"check_network(..., seed={seed})"
        )
        report = subject.check()
    report.seconds = time.perf_counter() - start
    return report


@dataclass
class _Run:
    """What one forward and backward gave: gradients by what they are the gradients of."""

    loss: float
    gradients: dict[Key, Any]
    # By place, where all of it was recorded: outputs, inputs, and places in the order in which
    # they were done, in the forward and in the backward.
    outputs: dict[int, Any] = field(default_factory=dict)
    inputs: dict[int, Any] = field(default_factory=dict)
    ahead: list[int] = field(default_factory=list)
    back: list[int] = field(default_factory=list)


class _Spot(NamedTuple):
    """Numbers on which the loss depends, their gradient, and who made it."""

    key: Key
    where: str
    method: str
    # The gradient's name, and that of what it is the gradient of.
    name: str
    of: str
    values: Array
    got: Array
    # How much of got is rounding, and its shape before it was laid flat.
    noise: Array
    shape: tuple[int, ...]


class _Loss(Variable):
    """The loss by the numbers at some spots, one after the other."""

    kind = "network"

    def __init__(self, subject: "_Network", spots: list[_Spot]) -> None:
        self.network = self.subject = subject
        self.spots = spots
        self.values = np.concatenate([spot.values for spot in spots])

    def forward(self, step: Array, dtype: str) -> list[Array]:
        ends = np.cumsum([spot.values.size for spot in self.spots])[:-1]
        steps = dict(zip((s.key for s in self.spots), np.split(step, ends), strict=True))
        with self.network.moved(dtype, steps) as forward:
            return [np.asarray(forward())]


class _Network(Subject):
    """A network, a criterion and data."""

    scalar = True

    def __init__(
        self, net: Module, criterion: Criterion, input: Any, target: Any, **about: Any
    ) -> None:
        self.own = str(net.type())
        super().__init__(net, input, where="net", **about)
        self.title = f"{self.title} under {checks.title(criterion)}"
        self.property = "network"
        self.target = target
        self.sources = (net, criterion)
        self.data = (input, target)
        self.models: dict[str, tuple[Any, Any]] = {}
        # Whether the complex step may be asked, and whether a wrong slope showed that it is right.
        self.complex, self.trusted = True, False
        # Whether slopes differed before and behind the numbers.
        self.kinked = False
        # By place, which arrays of its input are read as sparse.
        self.sparse: dict[int, set[int]] = {}

    @property
    def given(self) -> dict[str, Any]:
        """Input and target."""
        return {"input": self.input, "target": self.target}

    @property
    def rows(self) -> int:
        """The number of samples."""
        first = leaves(self.input)[0]
        return first.shape[0] if first.ndim else 0

    def _is_quick(self, slopes: int) -> bool:
        """Tell whether so many slopes, of three forwards each, are soon found."""
        parameters = sum(parameter.size for parameter in self.sources[0].parameters()[0])
        numbers = sum(array.size for array in leaves(self.input))
        return 3 * slopes * (max(self.rows, 1) * parameters + numbers) < MOST_PRODUCTS

    def context(self) -> str:
        """Return shapes and dtypes of the user's data, and the seed."""
        words = [
            f"{name} {shapes(data)} {', '.join(sorted({str(a.dtype) for a in leaves(data)}))}"
            for name, data in zip(("input", "target"), self.data, strict=True)
        ]
        return ", ".join([*words, f"network {self.own}", f"seed {self.seed}"])

    # ---------------------------------------------------------------- running

    def forward(self, net: Module, input: Any) -> Any:
        """Return the output under the same draw each time."""
        random.manualSeed(self.seed)
        return net.forward(input)

    def model(self, dtype: str) -> tuple[Any, Any]:
        """Return a copy of the network and the criterion, of a dtype."""
        if dtype not in self.models:
            net, criterion = (copy.deepcopy(part).clearState() for part in self.sources)
            self.models[dtype] = net.type(dtype), criterion.type(dtype)
        return self.models[dtype]

    def moved(self, dtype: str, steps: dict[Key, Array]) -> Any:
        """Return what has, in a with block, a function that returns the loss at moved numbers."""
        return _Moved(self, dtype, steps)

    def ran(
        self, dtype: str, steps: dict[Key, Array] | None = None, recording: bool = False
    ) -> _Run:
        """Run forward and backward, from zero gradients; record what parts get and make."""
        net, criterion = self.model(dtype)
        run = _Run(0.0, {})
        if not recording:
            return self._forward_and_backward(net, criterion, run, steps or {}, dtype)
        calls: dict[int, int] = {}

        def recorder(i: int, part: Any) -> dict[str, Callable[..., Any]]:
            forward, backward = part.updateOutput, part.updateGradInput

            def updateOutput(input: Any) -> Any:
                calls[i] = calls.get(i, 0) + 1
                run.inputs[i] = copy_arrays(input)
                output = forward(input)
                run.outputs[i] = copy_arrays(output)
                run.ahead.append(i)
                return output

            def updateGradInput(input: Any, gradOutput: Any) -> Any:
                gradInput = backward(input, gradOutput)
                run.gradients["input", i] = copy_arrays(gradInput)
                run.back.append(i)
                return gradInput

            return {"updateOutput": updateOutput, "updateGradInput": updateGradInput}

        with shadowed([(part, recorder(i, part)) for i, part in self._parts(net)]):
            self._forward_and_backward(net, criterion, run, steps or {}, dtype)
        # Of what runs several times, one gradInput is not all.
        run.back = [i for i in dict.fromkeys(run.back) if calls.get(i) == 1]
        return run

    def _forward_and_backward(
        self, net: Any, criterion: Any, run: _Run, steps: dict[Key, Array], dtype: str
    ) -> _Run:
        with self.moved(dtype, steps) as forward, quietly():
            run.loss = float(forward())
            input, output, target = forward.input, forward.output, forward.target
            net.zeroGradParameters()
            gradOutput = criterion.backward(output, target)
            run.gradients["output", 0] = copy_arrays(gradOutput)
            run.gradients["input", 0] = copy_arrays(net.backward(input, gradOutput))
            for i, gradient in enumerate(net.parameters()[1]):
                run.gradients["parameter", i] = gradient.copy()
        return run

    def _parts(self, net: Any) -> Iterator[tuple[int, Any]]:
        """Yield the modules by their places, each once."""
        met = set()
        for i, place in enumerate(walk(net)):
            if id(place.module) not in met and isinstance(place.module, Module):
                met.add(id(place.module))
                yield i, place.module

    def _rounded(self, dtype: str) -> dict[Key, Array]:
        """Return steps that round all numbers otherwise, as numbers of a dtype are."""
        eps = float(np.finfo(dtype).eps)
        net, _ = self.model("float64")
        numbers = {("parameter", i): p.reshape(-1) for i, p in enumerate(net.parameters()[0])}
        numbers["input", 0] = _flat(_without(self.sparse.get(0, ()), self.input, self.input))
        return {
            key: eps * array * values.signs(self.rng, array.shape) for key, array in numbers.items()
        }

    # ---------------------------------------------------------------- what is checked

    def check(self) -> NetworkReport:
        """Return what is right, or raise what is not."""
        try:
            exact = self.ran("float64")
        except Exception as error:
            self._blame(error)
            raise
        if not np.isfinite(exact.loss):
            self._first_without_numbers()
        self._find_sparse()
        trembling = attempt(self.ran, "float64", self._rounded("float64")) or exact
        self.loss = exact.loss
        spots = list(self._ends(exact, trembling))
        self._all_right(spots)
        self.gradOutput = exact.gradients["output", 0]
        with quietly():
            check_unlisted(self)
        if self.kinked:
            self._check_at_kinks()
            self._check_beside()
        if self.own not in {"float64", "complex128"}:
            self._check_low_precision()
            self.notes.append(f"in {self.own}, too, beside float64 of the same numbers")
        oracle = COMPLEX if self.complex else CENTRAL
        self.notes.append(f"along random directions, by {oracle}")
        return NetworkReport(self.title, exact.loss, [spot.of for spot in spots], self.notes)

    def _find_sparse(self) -> None:
        """Take note of what layers read as sparse: gradInput is not by the entries of that.

        Nor is that of a layer whose gradInput has other shapes than its input, if its class says so
        of it. What is wrong in it shows in the parameters before, if there are any.
        """
        net, _ = self.model("float64")
        readers = [
            (i, part) for i, part in self._parts(net) if part._sparse or "gradInput" in part.exempt
        ]
        if not readers:
            return
        given: dict[int, list[Any]] = {i: [] for i, _ in self._parts(net)}
        read: dict[int, Any] = {}
        named: dict[int, None] = {}

        def noting(i: int, part: Any) -> dict[str, Callable[..., Any]]:
            forward, backward = part.updateOutput, part.updateGradInput

            def updateOutput(input: Any) -> Any:
                given[i] += [leaves(input)]
                return forward(input)

            def updateGradInput(input: Any, gradOutput: Any) -> Any:
                gradInput = backward(input, gradOutput)
                if part._sparse or shapes(gradInput) != shapes(input):
                    read.update((id(array), array) for array in leaves(input))
                    named[i] = None
                return gradInput

            methods = {"updateOutput": updateOutput}
            return methods | ({"updateGradInput": updateGradInput} if (i, part) in readers else {})

        with shadowed([(part, noting(i, part)) for i, part in self._parts(net)]):
            self.ran("float64")
        for i, tables in given.items():
            found = {k for table in tables for k, array in enumerate(table) if id(array) in read}
            if found:
                self.sparse[i] = found
        places = list(walk(self.sources[0]))
        if named:
            layers = ", ".join(_named(places[i]) for i in named)
            self.notes.append(f"but gradInput of {layers}: it is not by the entries of input")

    def _blame(self, error: Exception) -> None:
        """Fail, naming the layer that raised an error of its own, with what it was given."""
        if isinstance(error, TorchliteError):
            return
        net, criterion = self.model("float64")
        places = {id(place.module): _named(place) for place in walk(net)}
        layers = [*(place.module for place in walk(net)), criterion]
        if isinstance(error, TypeError):
            for layer in layers[:-1]:
                at = self._at(places[id(layer)])
                check_signatures(at, layer, ("input",), ("input", "gradOutput"))
        call = call_of(error, layers)
        if call is None or isinstance(call[0], Container):
            return
        layer, frame = call
        method = frame.f_code.co_name
        if method == "updateOutput" and not isinstance(error, OF_THE_LAYER):
            # Its input may be what is wrong.
            return
        problem = f"with {arguments_of(frame)}, it raises {type(error).__name__}: {error}"
        at = self._at(places.get(id(layer), checks.title(layer)))
        try:
            at.fail(method, problem + line_of(error))
        except ContractViolation as violation:
            raise violation from error

    def _ends(self, run: _Run, other: _Run) -> Iterator[_Spot]:
        """Yield the parameters and the input."""
        net, _ = self.model("float64")
        named: dict[int, tuple[str, str]] = {}
        for row in rows(net):
            place = row.place
            named.setdefault(id(row.parameter), (_named(place), f"net{place.path}.{row.name}"))
        names = gradient_names(net)
        for i, parameter in enumerate(net.parameters()[0]):
            where, of = named.get(id(parameter), (self.where, f"parameter {i}"))
            name = names[i].rpartition(".")[2]
            facts = ("parameter", i), where, "accGradParameters", name, of
            yield from self._spot(*facts, parameter, run, other)
        yield from self._spot(
            ("input", 0),
            self.where,
            "updateGradInput",
            "gradInput",
            "input",
            self.input,
            run,
            other,
        )

    def _spot(
        self, key: Key, where: str, method: str, name: str, of: str, at: Any, run: _Run, other: _Run
    ) -> Iterator[_Spot]:
        """Yield the spot, if there is anything to move."""
        got = run.gradients[key]
        again = other.gradients[key]
        sparse = self.sparse.get(key[1], ()) if key[0] == "input" else ()
        if got is not None:
            again, got, at = (_without(sparse, at, table) for table in (again, got, at))
        numbers = _flat(at)
        if got is None or not numbers.size:
            return
        if shapes(got) != shapes(at):
            self._at(where).fail(
                method, f"{name} is {shapes(got)}, expected {shapes(at)}.", GradientMismatch
            )
        flat, again = _flat(got, at), _flat(again, at)
        if lost := _lost(flat):
            self._first_without_numbers()
            self._at(where).fail(method, f"{name}, by {of}, has {lost}.", GradientMismatch)
        shape = np.shape(at) if not isinstance(at, (list, tuple, dict)) else numbers.shape
        yield _Spot(key, where, method, name, of, numbers, flat, np.abs(flat - again), shape)

    def _at(self, where: str) -> "_Network":
        other = copy.copy(self)
        other.where = where
        return other

    def _first_without_numbers(self) -> None:
        """Fail, naming what has the first numbers that are none on the way: data, or who made them.

        Of a loss that is a number, the way is the backward alone: what a forward makes of infinity
        may be a number again.
        """
        for name, table in zip(("input", "target"), self.data, strict=True):
            if lost := _lost(table):
                self._at("the data").fail(name, f"it has {lost}.", hint=None)
        net, criterion = self.model("float64")
        places, run = list(walk(self.sources[0])), _Run(0.0, {})
        made: list[tuple[int | None, str, str, Any, Any]] = []
        back: list[int | None] = []

        def noting(i: int | None, part: Any, method: str) -> Callable[..., Any]:
            call = getattr(part, method)

            def noted(*arguments: Any, **named: Any) -> Any:
                result = call(*arguments, **named)
                back.extend([i] * (method == "updateGradInput"))
                if method in _MADE:
                    results = [(_MADE[method], np.asarray(result) if part is criterion else result)]
                else:
                    results = list(zip(gradient_names(part), part.parameters()[1], strict=True))
                made.extend(
                    (i, method, name, arguments[0], copy_arrays(table))
                    for name, table in results
                    if _lost(table)
                )
                return result

            return noted

        methods = (*_MADE, "accGradParameters")
        shadows = [
            (part, {method: noting(i, part, method) for method in methods})
            for i, part in self._parts(net)
        ]
        shadows.append((criterion, {method: noting(None, criterion, method) for method in _MADE}))
        with shadowed(shadows), quietly():
            attempt(self._forward_and_backward, net, criterion, run, {}, "float64")
        ahead = [each for each in made if each[1] == "updateOutput" and not np.isfinite(run.loss)]
        behind = [each for each in made if each[1] != "updateOutput"]
        # Parameters may come when all gradInputs are there.
        behind.sort(key=lambda each: back.index(each[0]) if each[0] in back else len(back))
        for i, method, name, input, table in (ahead + behind)[:1]:
            at = self._at(checks.title(criterion) if i is None else _named(places[i]))
            kind = ContractViolation if method == "updateOutput" else GradientMismatch
            if i is None and method == "updateOutput":
                at.fail(method, f"the loss is {run.loss}, no number.")
            own = [] if i is None else rows(places[i].module)
            hints = [
                f"its {row.name} has {_lost(row.parameter)}" for row in own if _lost(row.parameter)
            ]
            problem = f"its {name} has {_lost(table)}; the loss is {run.loss:.6g}."
            at.fail(method, problem, kind, hint=(*hints, _where_lost(input, table, name))[0])

    # ---------------------------------------------------------------- beside the oracle

    def _all_right(self, spots: list[_Spot]) -> None:
        """Fail unless all gradients are right, together and, if that is quick, one by one."""
        groups = [spots, spots]
        if self._is_quick(len(spots)):
            groups += [[spot] for spot in spots]
        for group in groups:
            if group and self._along(group, self._direction(group))[-1]:
                self._find(spots)

    def _check_at_kinks(self) -> None:
        """Check each layer, and the criterion, where the data are: an image has many zeros."""
        run = self.ran("float64", recording=True)
        net, criterion = self.model("float64")
        facts = {"seed": self.seed, "reproduce": self.reproduce}
        for i, place in enumerate(walk(net)):
            # What is read as sparse has no zeros of its own to be judged by.
            asked = i in run.inputs and i not in self.sparse
            if asked and not getattr(place.module, "modules", None):
                made = place.module, run.inputs[i]
                self._check_layer(ModuleSubject, *made, where=f"net{place.path}", **facts)
        target = cast_arrays(self.target, "float64")
        self._check_layer(CriterionSubject, criterion, run.outputs[0], target, **facts)

    def _check_layer(self, kind: Callable[..., Any], *made: Any, **about: Any) -> None:
        with quietly():
            try:
                layer = kind(*made, **about)
                gradients = by_inputs(layer)
            except Exception:
                # What it needs stands elsewhere in the network.
                return
            layer.property, layer.changed = self.property, "zeros"
            if not layer.composed:
                check_there(layer, "input", gradients)

    def _check_beside(self) -> None:
        """Check the network at numbers that lie beside its own, and beside the kinks there."""

        def move(array: Any) -> Any:
            if not is_floating(array) or not array.size:
                return array
            away = self.rng.uniform(0.5, 1, array.shape) * values.signs(self.rng, array.shape)
            return array + (float(array.std()) or 1.0) / 64 * away

        net, (input, target) = self.fresh(), self.data
        for parameter in net.parameters()[0]:
            parameter[...] = move(parameter)
        input = cast_arrays(input, "float64")
        stays = self.sparse.get(0, ())
        moved = [a if k in stays else move(a) for k, a in enumerate(leaves(input))]
        input = rebuilt(input, moved)
        facts = {"seed": self.seed, "reproduce": self.reproduce}
        other = _Network(net, self.sources[1], input, target, **facts)
        other.loss, other.sparse = self.loss, self.sparse
        run = attempt(other.ran, "float64")
        if run is None or not np.isfinite(run.loss):
            other.kinked = True
        else:
            again = attempt(other.ran, "float64", other._rounded("float64")) or run
            other._all_right(list(other._ends(run, again)))
            self.notes.append("beside its numbers, too, some of which lie at kinks")
        if other.kinked:
            self.notes.append("hardly checked, so much lies at kinks: pass other data")

    def _direction(self, spots: list[_Spot]) -> Array:
        """Return a direction to which the gradients of all spots contribute alike."""
        sizes = [float(np.abs(spot.got).sum()) for spot in spots]
        largest = max(sizes) or 1.0
        return np.concatenate(
            [
                largest / max(size, 1e-6 * largest) * values.directions(self.rng, spot.values.shape)
                for spot, size in zip(spots, sizes, strict=True)
            ]
        )

    def _along(self, spots: list[_Spot], direction: Array) -> tuple[float, float, float, str, bool]:
        """Return the gradient along a direction, the slope, how far off it may be, and is it."""
        loss = _Loss(self, spots)
        got = np.concatenate([spot.got for spot in spots])
        noise = np.concatenate([spot.noise for spot in spots])
        moved, size = float(got @ direction), float(np.abs(got * direction).sum())
        allowed = ROUNDING * size + TREMBLES * float((noise * np.abs(direction)).sum())
        allowed += FLOOR * abs(self.loss) * float(np.abs(direction).max())
        exact: float | None = None
        if self.complex:
            try:
                exact = float(loss.slopes(direction, COMPLEX)[0][0])
            except Unfit as reason:
                self.complex = False
                self.notes.append(f"complex numbers fail: {reason}")
        if exact is not None and (self.trusted or abs(moved - exact) <= allowed):
            return moved, exact, allowed, COMPLEX, not abs(moved - exact) <= allowed
        central, errors = loss.slopes(direction, CENTRAL)
        slope, error, by = float(central[0]), float(errors[0]), CENTRAL
        if exact is not None and abs(exact - slope) <= 2 * error + 1e-7 * abs(exact):
            off, slopes = abs(moved - exact), [np.array(exact)]
            seen = 2 * error + 1e-7 * abs(exact) + 10 * abs(exact - slope)
            if off > seen or not loss.lacks(slopes, direction, [np.ones(())], off):
                slope, error, by = exact, 0.0, COMPLEX
        allowed += min(2 * error, WORST * max(size, abs(slope)))
        if abs(moved - slope) <= allowed:
            return moved, slope, allowed, by, False
        if loss.sides(direction).kinks[0]:
            # One of many, perhaps: what their gradients add up to, nobody knows.
            self.kinked = True
            return moved, slope, allowed, by, False
        # Whoever looks for the fault then need not ask so much.
        self.trusted = by == COMPLEX
        return moved, slope, allowed, by, True

    def _find(self, ends: list[_Spot]) -> None:
        """Fail, naming the first spot from the loss back whose gradient is wrong."""
        for spot in self._back(ends):
            direction = values.directions(self.rng, spot.values.shape)
            if self._along([spot], direction)[-1]:
                self._search(spot, direction)
        if self.kinked:
            # Each lies at kinks, and what their sides add up to may cancel.
            return
        moved, slope, allowed, by, _ = self._along(ends, self._direction(ends))
        self.fail(
            "backward",
            f"the gradients are not the derivative along all of them together: got {moved:.12g}, "
            f"expected {slope:.12g} ({by}), allowed {allowed:.3g}.",
            GradientMismatch,
        )

    def _back(self, ends: list[_Spot]) -> Iterator[_Spot]:
        """Yield all spots that there are, those next to the loss first."""
        run = self.ran("float64", recording=True)
        other = attempt(self.ran, "float64", self._rounded("float64"), True) or run
        net, criterion = self.model("float64")
        places = list(walk(net))
        title = checks.title(criterion)
        facts = ("output", 0), title, "updateGradInput", "gradInput", "net.output"
        yield from self._spot(*facts, run.outputs[0], run, other)
        left = {spot.of: spot for spot in ends if spot.key[0] == "parameter"}
        for i in run.back:
            where = _named(places[i])
            for of in [of for of, spot in left.items() if spot.where == where]:
                yield left.pop(of)
            of = f"the input of net{places[i].path}" if i else "input"
            facts = ("input", i), where, "updateGradInput", "gradInput", of
            yield from self._spot(*facts, run.inputs[i], run, other)
        yield from left.values()

    def _search(self, spot: _Spot, direction: Array) -> None:
        """Fail, naming the entries of the spot that are wrong."""
        at = self._at(spot.where)
        problem = f"{spot.name} is not the derivative of the loss by {spot.of}."
        if spot.got.size <= FEW and self._is_quick(spot.got.size):
            found = [self._along([spot], _single(spot.got.size, j)) for j in range(spot.got.size)]
            right = [j for j, (*_, wrong) in enumerate(found) if not wrong]
            slopes, limits = (np.array([each[k] for each in found]) for k in (1, 2))
            slopes[right] = spot.got[right]
            at.compare(
                spot.method,
                problem,
                spot.got.reshape(spot.shape),
                slopes.reshape(spot.shape),
                allowed=limits.reshape(spot.shape),
                oracle=next((by for *_, by, wrong in found if wrong), None),
                hints={"previous": None},
                kind=GradientMismatch,
            )
        entries = np.arange(spot.got.size)
        while len(entries) > 1:
            half = entries[: len(entries) // 2]
            part = np.zeros_like(direction)
            part[half] = direction[half]
            entries = half if self._along([spot], part)[-1] else entries[len(half) :]
        j = int(entries[0])
        _, expected, allowed, by, wrong = self._along([spot], _single(spot.got.size, j))
        facts: dict[str, Any] = {}
        if wrong:
            index = tuple(int(k) for k in np.unravel_index(j, spot.shape))
            facts = {"index": index, "got": spot.got[j], "expected": expected, "allowed": allowed}
            facts |= {"oracle": by, "entries": spot.got.size}
        at.fail(spot.method, problem, GradientMismatch, **facts)

    # ---------------------------------------------------------------- beside float64

    def _check_low_precision(self) -> None:
        """Fail unless the network's own dtype gives what float64 does, but for rounding."""
        try:
            runs = self._in_both(recording=False)
        except Exception:
            # Who refuses another dtype is not who made it.
            self._first_of_other_dtype()
            raise
        losses = [np.array(run.loss) for run in runs]
        ends = [key for key in runs[0].gradients if key[0] != "output"]
        off = self._off(*losses)
        if not off and not any(self._off(*(run.gradients[key] for run in runs)) for key in ends):
            return
        runs = self._in_both(recording=True)
        places = list(walk(self.model("float64")[0]))
        words = f"in {self.own} %s is off by %.2g of its size from what float64 gives."
        for i in runs[0].ahead:
            if by := self._off(*(run.outputs[i] for run in runs)):
                self._at(_named(places[i])).fail("updateOutput", words % ("the output", by))
        if off:
            criterion = checks.title(self.model("float64")[1])
            self._at(criterion).fail("updateOutput", words % ("the loss", off))
        for spot in self._back(list(self._ends(runs[0], runs[0]))):
            if by := self._off(*(run.gradients[spot.key] for run in runs)):
                name = f"{spot.name}, by {spot.of},"
                self._at(spot.where).fail(spot.method, words % (name, by), GradientMismatch)

    def _first_of_other_dtype(self) -> None:
        """Fail, naming the first module that makes another dtype than the network's own."""
        net, criterion = self.model(self.own)
        made: list[tuple[int, str, Any, Any]] = []

        def noting(i: int, method: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def noted(*arguments: Any) -> Any:
                result = call(*arguments)
                others = (a.dtype for a in leaves(result) if is_floating(a) and a.dtype != self.own)
                made.extend((i, method, arguments[0], dtype) for dtype in others)
                return result

            return noted

        methods = ("updateOutput", "updateGradInput")
        shadows = [
            (part, {name: noting(i, name, getattr(part, name)) for name in methods})
            for i, part in self._parts(net)
        ]
        with shadowed(shadows):
            attempt(self._forward_and_backward, net, criterion, _Run(0.0, {}), {}, self.own)
        for i, method, input, dtype in made[:1]:
            place = list(walk(self.sources[0]))[i]
            alone = attempt(ModuleSubject, place.module, input)
            hint = alone and cause_of_double(alone, method)
            self._at(_named(place)).fail(method, f"of {self.own} it makes {dtype}.", hint=hint)

    def _in_both(self, recording: bool) -> list[_Run]:
        """Run in float64 and in the own dtype, each with the numbers as they are and rounded."""
        steps = self._rounded(self.own)
        runs = [self.ran(dtype, None, recording) for dtype in ("float64", self.own)]
        for dtype, run in (("float64", runs[0]), (self.own, runs[1])):
            # What numbers it has, it takes; others it may refuse.
            runs.append(attempt(self.ran, dtype, steps, recording) or run)
        return runs

    def _off(self, *tables: Any) -> float:
        """Return how far off the own numbers are, of the size of the exact ones; 0 if little."""
        right, got, *again = (_flat(table).astype(np.float64) for table in tables)
        if not np.isfinite(got).all():
            return np.inf
        size = float(np.linalg.norm(right))
        off = float(np.linalg.norm(got - right))
        noise = max(float(np.linalg.norm(a - b)) for a, b in zip((right, got), again, strict=True))
        return off / (size or 1.0) if off > LOW_PRECISION * size + TREMBLES * noise else 0.0


class _Moved:
    """Numbers moved in a with block, and the function that returns the loss there."""

    def __init__(self, subject: _Network, dtype: str, steps: dict[Key, Array]) -> None:
        self.subject = subject
        self.net, self.criterion = subject.model(dtype)
        input, target = subject.data
        # What a user's data is of, is kept where the network's own dtype is asked for.
        kept = dtype == subject.own
        self.input = copy_arrays(input if kept else cast_arrays(input, dtype))
        self.target = copy_arrays(target if kept else cast_arrays(target, dtype))
        self.output: Any = None
        self.steps = steps
        parameters = self.net.parameters()[0]
        self.moves = [
            (parameters[i], step) for (kind, i), step in steps.items() if kind == "parameter"
        ]
        self.before = [parameter.copy() for parameter, _ in self.moves]
        self.targets = targets_of(self.net, lambda: self._forward(self.input))
        if self.targets and HELD not in subject.notes:
            subject.notes.append(HELD)
        if ("input", 0) in steps:
            self.input = _plus(self.input, steps["input", 0], subject.sparse.get(0, ()))

    def _forward(self, input: Any) -> Any:
        return self.subject.forward(self.net, input)

    def __enter__(self) -> "_Moved":
        for parameter, step in self.moves:
            parameter += step.reshape(parameter.shape)
        return self

    def __exit__(self, *_: object) -> None:
        for (parameter, _step), before in zip(self.moves, self.before, strict=True):
            parameter[...] = before

    def __call__(self) -> Any:
        places = list(walk(self.net)) if any(k == "input" and i for k, i in self.steps) else []
        with held(self.targets):
            shadows = [
                (
                    places[i].module,
                    {"updateOutput": self._beside(i, places[i].module.updateOutput, by)},
                )
                for (kind, i), by in self.steps.items()
                if kind == "input" and i
            ]
            with shadowed(shadows):
                self.output = self._forward(self.input)
        if ("output", 0) in self.steps:
            self.output = _plus(self.output, self.steps["output", 0])
        return self.criterion.forward(self.output, self.target)

    def _beside(self, i: int, forward: Callable[[Any], Any], step: Array) -> Callable[[Any], Any]:
        sparse = self.subject.sparse.get(i, ())
        return lambda input: forward(_plus(input, step, sparse))


def _lost(table: Any) -> str:
    """Say how many entries are no numbers, of how many; nothing if there are none."""
    flat = _flat(table)
    bad = int((~np.isfinite(flat)).sum())
    return f"{bad} of {flat.size} entries that are no numbers" if bad else ""


def _where_lost(input: Any, made: Any, name: str) -> str | None:
    """Say of one entry that is no number what the input is there, if each entry has one."""
    if not is_floating(input) or not is_floating(made) or input.shape != made.shape:
        return None
    index = tuple(int(k) for k in np.argwhere(~np.isfinite(made))[0])
    return f"at {list(index)} its input is {shown(input[index])}, its {name} {shown(made[index])}"


def _named(place: Place) -> str:
    return f"net{place.path} {checks.title(place.module)}"


def _flat(table: Any, like: Any = None) -> Array:
    """Return the floating entries of a table, or those at the same places as in another."""
    pairs = zip(leaves(table), leaves(table if like is None else like), strict=True)
    arrays = [np.asarray(a).reshape(-1) for a, other in pairs if is_floating(other)]
    return np.concatenate(arrays) if arrays else np.zeros(0)


def _without(sparse: Collection[int], table: Any, like: Any) -> Any:
    """Return what is built as a table is, without what stands where arrays of it are sparse."""

    def kept(entry: Any, other: Any, start: int) -> Any:
        if all(number in sparse for number in range(start, start + len(leaves(entry)))):
            return []
        lists = isinstance(entry, (list, tuple)) and isinstance(other, (list, tuple))
        if not lists or len(entry) != len(other):
            return other
        starts = np.cumsum([start, *(len(leaves(inner)) for inner in entry)])
        return [kept(*pair) for pair in zip(entry, other, map(int, starts), strict=False)]

    return kept(table, like, 0) if sparse else like


def _plus(table: Any, step: Array, sparse: Collection[int] = ()) -> Any:
    """Return the table with step added to its floating entries, but for some of its arrays."""
    arrays, start = leaves(table), 0
    for i, array in enumerate(arrays):
        if is_floating(array) and i not in sparse:
            moved = array + step[start : start + array.size].reshape(array.shape)
            arrays[i] = moved if np.iscomplexobj(step) else moved.astype(array.dtype)
            start += array.size
    return rebuilt(table, arrays)


def _single(size: int, j: int) -> Array:
    direction = np.zeros(size)
    direction[j] = 1
    return direction
