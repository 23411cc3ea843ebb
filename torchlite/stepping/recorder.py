"""Recording: while it lasts, methods of every module are shadowed by ones that take notes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from torchlite.errors import DTypeError, StateError, fault
from torchlite.nn import checks
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.criterion import Criterion
from torchlite.nn.graph.g_module import gModule
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, shapes
from torchlite.nn.stateful import parts, shadowed
from torchlite.nn.tree import gradient_names, walk
from torchlite.stepping.arrays import snapshot
from torchlite.stepping.drawing import tree
from torchlite.stepping.formulas import TARGETS, Formula, formula
from torchlite.stepping.replay import Call, Round
from torchlite.stepping.steps import Recorded, Step, Trace

__all__ = ["record", "trace"]

MODULE_METHODS: dict[str, tuple[str, ...]] = {
    "updateOutput": ("input",),
    "updateGradInput": ("input", "gradOutput"),
    "accGradParameters": ("input", "gradOutput", "scale"),
    "zeroGradParameters": (),
    "updateParameters": ("learningRate",),
}
_NO_MATHS = (
    "There is no Maths here: it stands in the layers' docstrings, which python -OO leaves out."
)
CRITERION_METHODS: dict[str, tuple[str, ...]] = {
    "updateOutput": ("input", "target"),
    "updateGradInput": ("input", "target"),
}


def trace(
    net: Module,
    input: Any,
    criterion: Criterion | None = None,
    target: Any = None,
    max_elements: int = 10_000,
) -> Trace:
    """Run forward, loss and backward once, and return every call of the contract, in order.

    It is the network itself that runs: gradients accumulate, as always. Without criterion there is
    a forward alone.

    Raises
    ------
    DTypeError
        net is no module, or criterion no criterion.
    StateError
        One of the modules is being recorded already.
    """
    for name, value, kind in (("net", net, Module), ("criterion", criterion, Criterion)):
        if not isinstance(value, kind) and value is not None:
            got = f"an array {shapes(value)}" if is_array(value) else type(value).__name__
            hint = "trace(net, input, criterion, target)"
            raise fault(DTypeError, "trace", name, f"a {kind.__name__}", got, hint=hint)
    with record(net, criterion, max_elements) as steps:
        try:
            output = net.forward(input)
            if criterion is not None:
                criterion.forward(output, target)
                net.backward(input, criterion.backward(output, target))
        except KeyboardInterrupt as stop:
            stop.add_note(f"after {len(steps)} steps")
            raise
    return steps


@contextmanager
def record(
    net: Module, criterion: Criterion | None = None, max_elements: int = 10_000
) -> Iterator[Trace]:
    """Record each call on each module of net, and on the criterion, that is made inside.

    Arrays of more than max_elements are kept by shape, norm, minimum and maximum. With a criterion,
    the network is copied before every forward, for numeric derivatives: record some steps of a
    training, not all of it. A module that is added meanwhile is not recorded.

    Raises
    ------
    StateError
        One of the modules is being recorded already.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> with record(net) as steps:
    ...     hidden = net[0].forward(np.ones((4, 2)))
    ...     output = net[1].forward(hidden)
    >>> [step.position for step in steps]
    ['net[0]', 'net[1]']
    """
    recorder = _Recorder(net, criterion, max_elements)
    with shadowed(recorder.shadows()):
        try:
            yield recorder.trace
        finally:
            for round in recorder.rounds:
                round.close()


class _Recorded:
    """A method that is being recorded."""

    def __init__(self, recorder: "_Recorder", part: Any, method: str, original: Any) -> None:
        self.recorder = recorder
        self.about = part, method, original

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return self.recorder.call(*self.about, positional, named)


class _Frame:
    """A call that has not ended yet."""

    def __init__(self, part: Any, position: str, first: int) -> None:
        self.part = part
        self.position = position
        self.first = first
        self.time: int | None = None
        self.last: int | None = None
        self.call: Call | None = None


class _Recorder:
    def __init__(self, net: Module, criterion: Criterion | None, max_elements: int) -> None:
        self.net = net
        self.criterion = criterion
        self.max_elements = max_elements
        # Where each part stands first, and at which positions of the container around it.
        self.names: dict[int, str] = {}
        self.positions: dict[tuple[int, int], list[int]] = {}
        for root, title in ((net, "net"), (criterion, "criterion")):
            for place in walk(root) if root is not None else ():
                self.names.setdefault(id(place.module), f"{title}{place.path}")
                if place.outer is not None and place.step.startswith("["):
                    key = id(place.outer.module), id(place.module)
                    position = int(place.step[1:-1])
                    if position not in self.positions.setdefault(key, []):
                        self.positions[key].append(position)
        without_docstrings = Module.__doc__ is None
        self.trace = Trace(
            tree(net),
            None if criterion is None else repr(criterion),
            _NO_MATHS if without_docstrings else None,
        )
        self.stack: list[_Frame] = []
        self.formulas: dict[Any, Formula] = {}
        self.rounds: list[Round] = []

    # ---------------------------------------------------------------- shadowing

    def shadows(self) -> list[tuple[Any, dict[str, Any]]]:
        """Return the methods that record, for `shadowed`; raise where others do already."""
        recorded = parts([self.net, self.criterion])
        for part in recorded:
            if any(isinstance(held, _Recorded) for held in vars(part).values()):
                raise StateError(
                    f"record: {checks.title(part)} is being recorded already", layer=part
                )
        return [
            (
                part,
                {name: _Recorded(self, part, name, getattr(part, name)) for name in _methods(part)},
            )
            for part in recorded
        ]

    # ---------------------------------------------------------------- one call

    def call(self, part: Any, method: str, original: Any, positional: Any, named: Any) -> Any:
        methods = _methods(part)
        given = {**dict(zip(methods[method], positional, strict=False)), **named}
        arguments = {name: given.pop(name) for name in methods[method] if name in given} | given
        if "scale" in methods[method]:
            arguments.setdefault("scale", 1)
        frame = _Frame(part, self._position(part, method), len(self.trace) + 1)
        frame.time = self._time(part, method)
        keep = self.max_elements
        parameters = {} if not isinstance(part, Module) or part.modules else _parameters(part)
        kept_arguments = snapshot(arguments, keep)
        kept_parameters = snapshot(parameters, keep)
        written = _written(part, method)
        before = snapshot(written, keep)
        if self.criterion is not None:
            frame.call = self._begin(part, method, frame, arguments)
        self.stack.append(frame)
        try:
            result = original(*positional, **named)
        except BaseException:
            if frame.call is not None and len(self.stack) == 1:
                frame.call.round.failed()
            raise
        finally:
            self.stack.pop()
        if frame.call is not None and method == "updateOutput":
            frame.call.round.returned(frame.call, result)
        if frame.call is not None and not self.stack:
            frame.call.round.ended(part, method, arguments, result)
        results = {TARGETS[method]: result} if method in TARGETS else {}
        said = self._formula(part, method, arguments, results or written, before)
        number = len(self.trace) + 1
        for name in said.shapes.keys() & vars(part).keys() - {*arguments, *results, *written}:
            # What else the layer holds and its formula speaks of: a mask, weights, statistics.
            kept_parameters.setdefault(name, snapshot(vars(part)[name], keep))
        if method == "updateOutput":
            kept_parameters |= snapshot(_of_steps(part), keep)
        step = Step(
            number=number,
            position=frame.position,
            time=frame.time,
            layer=checks.title(part),
            method=method,
            inside=(frame.first, number - 1) if frame.first < number else None,
            arguments=kept_arguments,
            results=snapshot(results, keep),
            parameters=kept_parameters,
            before=before,
            after=snapshot(written, keep),
            maths=list(said.lines),
            shapes=said.shapes,
        )
        self.trace.steps.append(step)
        self.trace._recorded[number] = Recorded(
            step,
            frame.call if method in ("updateGradInput", "accGradParameters") else None,
            {name: getattr(part, name) for name in said.settings},
            kept_parameters.keys() - parameters.keys(),
            type(part),
            {name: array.__array_interface__["data"][0] for name, array in parameters.items()},
        )
        return result

    def _position(self, part: Any, method: str) -> str:
        """Return where the part stands: in the container that calls it, if one does."""
        caller = self.stack[-1] if self.stack else None
        if caller is None:
            return self.names[id(part)]
        if caller.part is part:
            return caller.position
        places = self.positions.get((id(caller.part), id(part)))
        if not places:
            return self.names[id(part)]
        last = caller.last
        if isinstance(caller.part, (Sequential, gModule)) and method != "updateOutput":
            later = [i for i in reversed(places) if last is None or i < last] or places[::-1]
        else:
            later = [i for i in places if last is None or i > last] or places
        caller.last = later[0]
        return f"{caller.position}[{later[0]}]"

    def _time(self, part: Any, method: str) -> int | None:
        """Return of which step of a sequence a call is part, as the recurrent module counts."""
        own = part._time_of(method) if isinstance(part, Module) else None
        if own is None and self.stack:
            return self.stack[-1].time
        return own

    def _formula(
        self, part: Any, method: str, arguments: Any, results: Any, before: Any
    ) -> Formula:
        if method not in TARGETS and method != "accGradParameters":
            return Formula()
        key = id(part), method, *map(shapes, arguments.values())
        if key not in self.formulas:
            self.formulas[key] = formula(part, method, arguments, results, before)
        return self.formulas[key]

    # ---------------------------------------------------------------- rounds

    def _begin(self, part: Any, method: str, frame: _Frame, arguments: Any) -> Call | None:
        """Tell the round that a call begins, and return the forward call that it belongs to."""
        rounds, place = self.rounds, (frame.position, frame.time)
        caller = self.stack[-1] if self.stack else None
        if method == "updateOutput":
            if caller is None and isinstance(part, Module):
                if rounds and rounds[-1].starts_anew(part, arguments.get("input")):
                    # Without a loss there is nothing to differentiate.
                    rounds[-1:] = [round for round in rounds[-1:] if round.closed]
                    rounds.append(Round(self.net, self.criterion))
                elif not rounds:
                    rounds.append(Round(self.net, self.criterion))
            return rounds[-1].began(part, place, arguments, caller is None) if rounds else None
        if method not in ("updateGradInput", "accGradParameters"):
            return None
        if caller is not None:
            outer = caller.call
            return outer and outer.round.forward_of(part, place, arguments, outer)
        calls = (round.forward_of(part, place, arguments, None) for round in reversed(rounds))
        return next((call for call in calls if call is not None), None)


def _of_steps(part: Any) -> dict[str, Any]:
    """Return what a recurrent module's step began with, and its gates; or those of all steps."""
    steps = getattr(part, "steps", ()) if isinstance(part, Module) else ()
    if not steps or not hasattr(steps[-1], "gates"):
        return {}
    last, shown = steps[-1], {}
    if part._steps_itself and last.before:
        shown["state"] = last.before
    if isinstance(last.gates, dict):
        shown["gates"] = {name: gate for name, gate in last.gates.items() if is_array(gate)}
    elif is_array(last.gates):
        each = last.gates if part._steps_itself else np.stack([step.gates for step in steps])
        shown["gates"] = each
    return shown


def _methods(part: Any) -> dict[str, tuple[str, ...]]:
    """Return the methods of a part that are recorded, and their arguments."""
    return CRITERION_METHODS if isinstance(part, Criterion) else MODULE_METHODS


def _parameters(module: Module) -> dict[str, Any]:
    """Return the parameters with names made from those of their gradients."""
    names = [
        re.sub("grad([A-Z])", lambda letter: letter[1].lower(), name).replace(
            "gradient", "parameter"
        )
        for name in gradient_names(module)
    ]
    return dict(zip(names, module.parameters()[0], strict=True))


def _written(part: Any, method: str) -> dict[str, Any]:
    """Return the arrays that the method writes to, by name."""
    if method in TARGETS:
        return {}
    if method == "updateParameters":
        return _parameters(part)
    return dict(zip(gradient_names(part), part.parameters()[1], strict=True))
