"""The page: what a trace holds, put into page.html, with numeric derivatives beside gradients.

arrays.js and arrays.css draw arrays as pictures, and know nothing of steps.
"""

import json
import math
from collections import Counter, defaultdict
from contextlib import suppress
from importlib import resources
from typing import Any

import numpy as np

from torchlite.nn.nested import leaves
from torchlite.progress import progress
from torchlite.stepping import drawing, expressions, formulas, text
from torchlite.stepping.arrays import Copy, named_arrays
from torchlite.stepping.formulas import SCATTERED, TARGETS, sources
from torchlite.stepping.numeric import Numeric
from torchlite.stepping.packing import Pool
from torchlite.stepping.steps import Step, Trace
from torchlite.testing import maths

__all__ = ["embedded", "plain", "render"]

# Arrays of more entries are shown as heat maps.
SHOWN = 200
# To find the windows that an entry is made of, a step's Maths is run once for each index of each
# dimension of each array, or for each entry. So many times, some seconds, they are looked for.
MOST_RUNS = 2_000
# Where there are more entries in all arrays together, none are looked for.
MOST_ENTRIES = 20_000


def render(trace: Trace, numeric: bool = True) -> str:
    """Return the page as text; numeric tells whether with numeric derivatives."""
    windows = _windows(trace)
    pool, beside = Pool(), Numeric(trace, numeric)
    lengths, uses, shares = _lengths(trace), _uses(trace), _shares(trace)
    steps = [
        _step(trace, step, beside, windows.get(step.number, {}), pool, lengths, uses, shares)
        for step in progress(trace.steps, "steps of the page")
    ]
    data = json.dumps(
        {
            "network": _drawn(trace.network),
            "criterion": trace.criterion,
            "steps": steps,
            "packed": pool.packed,
            "note": " ".join(filter(None, [trace.note, beside.note(), pool.note])),
        },
        allow_nan=False,
    )
    page = _file("page.html")
    page = page.replace("{{style}}", _file("arrays.css") + _file("page.css"))
    page = page.replace("{{script}}", _file("arrays.js") + _file("explain.js") + _file("page.js"))
    # Last: it may have braces of its own.
    return page.replace("{{data}}", embedded(data))


def embedded(data: str) -> str:
    """Return JSON that means the same, and as HTML and JavaScript nothing."""
    for sign in "<>&\u2028\u2029":
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    return data


def _file(name: str) -> str:
    return resources.files("torchlite.stepping").joinpath(name).read_text("utf-8")


def _drawn(part: Any) -> Any:
    """Return a tree in which gModules know how they are drawn."""
    if part is None:
        return None
    drawn = {**part, "modules": [_drawn(inner) for inner in part["modules"]]}
    if part["kind"] == "graph":
        drawn["columns"] = drawing.columns(part["edges"], len(part["modules"]))
        drawn["lines"] = drawing.lines(part)
    return drawn


def _windows(trace: Trace) -> dict[int, Any]:
    """Return by the number of a step of which entries its results are made.

    As far as its Maths calls kernels, of which `sources` knows nothing: by "windows", entry by
    entry, or, of large arrays, by "regions".
    """
    found: dict[int, Any] = {}
    left = MOST_RUNS
    for step in trace:
        known = trace._known(step)
        if known is None or not maths.kernels_in(step.maths):
            continue
        given = {**step.arguments, **step.parameters}
        made = step.results if step.method in TARGETS else step.before
        copies = [
            copy
            for name, value in {**given, **made}.items()
            for _, copy in named_arrays(name, value)
        ]
        if any(copy.values is None for copy in copies):
            continue
        sizes = [copy.values.size for copy in copies]
        large = max(sizes, default=0) > SHOWN
        one_by_one = maths.kernels_in(step.maths) & SCATTERED
        if large and (one_by_one or sum(sizes) > MOST_ENTRIES):
            continue
        left -= 1 + sum(copy.values.size if one_by_one else sum(copy.shape) for copy in copies)
        if left < 0:
            break
        targets = {
            name: copy.values
            for name, copy in made.items()
            if isinstance(copy, Copy) and name in step.shapes
        }
        # Maths may speak of what is neither an array nor a setting.
        with suppress(maths.MathsError, NameError):
            look, kind = (formulas.regions, "regions") if large else (formulas.windows, "windows")
            places = look(step.maths, known.settings, _values_in(given), targets)
            found[step.number] = {kind: places}
    return found


def _values_in(value: Any) -> Any:
    """Return numbers and tables with the arrays that were copied."""
    if isinstance(value, Copy):
        return value.values
    if isinstance(value, list):
        return [_values_in(entry) for entry in value]
    return (
        {key: _values_in(entry) for key, entry in value.items()}
        if isinstance(value, dict)
        else value
    )


def _entries(name: str, places: list[int], shape: tuple[int, ...]) -> str:
    """Return how one writes these entries, which are counted in C order.

    Example
    -------
    >>> _entries("input", [5, 6, 9, 10], (1, 4, 4)), _entries("weight", [0, 1], (2,))
    ('input[0, 1:3, 1:3]', 'all of weight')
    >>> _entries("x", [0, 2, 4], (6,)), _entries("x", [1, 3], (2, 2)), _entries("x", [0, 3], (2, 2))
    ('x[0:5:2]', 'x[:, 1]', 'x[0, 0] and x[1, 1]')
    >>> _entries("x", [0, 1, 3], (5,))
    'x[[0, 1, 3]]'
    """
    if len(places) == math.prod(shape):
        return f"all of {name}"
    each = [sorted(set(numbers.tolist())) for numbers in np.unravel_index(places, shape)]
    if math.prod(map(len, each)) != len(places):
        return " and ".join(_entries(name, [place], shape) for place in places)
    written = [_index(numbers, n) for numbers, n in zip(each, shape, strict=True)]
    return f"{name}[{', '.join(written)}]"


def _index(numbers: list[int], n: int) -> str:
    first, last = numbers[0], numbers[-1]
    if len(numbers) == 1:
        return str(first)
    if len(numbers) == n:
        return ":"
    step = numbers[1] - first
    if numbers != list(range(first, last + 1, step)):
        return str(numbers)
    return f"{first}:{last + 1}" + (f":{step}" if step > 1 else "")


def _lengths(trace: Trace) -> dict[str, int]:
    """Return by position how many steps there are in the sequences that one call takes."""
    return {
        step.position: step.parameters["gates"].shape[0]
        for step in trace
        if step.time is None and isinstance(step.parameters.get("gates"), Copy)
    }


def _uses(trace: Trace) -> Counter[Any]:
    """Return how many calls add to the gradient of each parameter, by loss and place in memory."""
    known = (trace._known(step) for step in trace if step.method == "accGradParameters")
    return Counter(
        (id(one.call.round), place)
        for one in known
        if one and one.call
        for place in one.where.values()
    )


@np.errstate(all="ignore")
def _shares(trace: Trace) -> set[tuple[int, str]]:
    """Return the number of a step, and the name of a gradInput, where that is not all of it.

    Branches take the same array, and of its gradient each makes a share.
    """
    found = []
    # By loss and array, who takes it: the number of the step, and its share.
    takers: dict[Any, list[tuple[int, Any]]] = defaultdict(list)
    for step in trace:
        known = trace._known(step)
        call = known and known.call
        if not call or step.method != "updateGradInput":
            continue
        arrays = leaves(call.input)
        shares = [*named_arrays("gradInput", step.results["gradInput"])]
        if len(arrays) != len(shares):
            continue
        for array, (name, share) in zip(arrays, shares, strict=True):
            if share.values is None:
                continue
            key = id(call.round), id(array)
            found.append((step.number, name, key, share.values))
            if call.round.hands_on(call, array):
                continue
            # A container's is that of the modules inside, and what it adds itself.
            first = step.inside[0] if step.inside else step.number
            inside = [each for number, each in takers[key] if number >= first]
            if not _are_equal(share.values, sum(inside)):
                takers[key].append((step.number, share.values - sum(inside)))
    whole = {key: sum(share for _, share in each) for key, each in takers.items()}
    return {
        (number, name)
        for number, name, key, share in found
        if len(takers[key]) > 1 and not _are_equal(share, whole[key])
    }


def _are_equal(one: Any, other: Any) -> bool:
    """Tell whether gradients are the same but for rounding; NaN is NaN."""
    largest = np.abs(one[np.isfinite(one)]).max(initial=0)
    return np.allclose(one, other, rtol=1e-5, atol=1e-5 * largest, equal_nan=True)


def _step(
    trace: Trace,
    step: Step,
    beside: Numeric,
    windows: Any,
    pool: Pool,
    lengths: dict[str, int],
    uses: Counter[Any],
    shares: set[tuple[int, str]],
) -> dict[str, Any]:
    known = trace._known(step)
    call = known and known.call
    flow = {
        name: text.shapes_of_all(value) for name, value in (step.arguments | step.results).items()
    }
    if known and call:
        of_each = {name: uses[id(call.round), place] for name, place in known.where.items()}
        several = {name: count for name, count in of_each.items() if count > 1}
    else:
        several = {}
    when = {} if step.time is None else {"time": step.time}
    if step.time is None and step.position in lengths:
        when["sequence"] = lengths[step.position]
    settings = known and known.settings
    statements = expressions.settled(
        step.maths, settings, _values_in({**step.arguments, **step.parameters, **step.results})
    )
    return {
        "number": step.number,
        "position": step.position,
        **when,
        **({"uses": several} if several else {}),
        "layer": step.layer,
        "method": step.method,
        "inside": step.inside,
        "purpose": _purpose(trace, step, (step.number, "gradInput") in shares),
        "maths": expressions.shown(statements, step.shapes, step.results or step.after)
        or text.lines_of(step),
        "trees": expressions.trees(statements),
        "settings": {name: _setting(value) for name, value in (settings or {}).items()},
        "hint": _hint(trace, step),
        "scale": _scale(step),
        "flow": flow,
        "arrays": [
            _array(
                step,
                beside,
                name,
                role,
                value,
                {kind: each.get(name) for kind, each in windows.items()},
                pool,
            )
            | ({"share": True} if (step.number, name) in shares else {})
            for name, role, value in _values(trace, step)
        ],
        "nothing": _adds_nothing(step),
        "linked": call is not None and call.linked,
        "unlinked": call is not None and not call.linked and bool(step.results or step.after),
    }


def _adds_nothing(step: Step) -> bool:
    return step.method == "accGradParameters" and not step.after


def _purpose(trace: Trace, step: Step, share: bool) -> str:
    """Say what a call is for; share: of a gradient that other branches have shares of."""
    of_loss = step.position.startswith("criterion")
    if step.method == "zeroGradParameters":
        return "The gradients begin at 0 again, since every backward adds to them."
    if step.method == "updateParameters":
        return "A step downhill: each parameter moves against its gradient, learningRate times it."
    if _adds_nothing(step):
        return "Backward, towards the parameters: there are none."
    if step.method == "updateOutput":
        # What is written of the class says what it does.
        known = trace._known(step)
        does = ((known and known.kind.__doc__) or "").strip().split("\n")[0]
        default = "How far the input is from the target." if of_loss else "From input to output."
        return f"{'The loss' if of_loss else 'Forward'}. {does or default}"
    grows = "how much the loss rises when an entry of {} grows, for each unit"
    if of_loss:
        return f"Backward begins: {grows.format('the input')}."
    if step.method == "updateGradInput":
        towards, added = "input", ""
        grows = grows.format("the input, for this module alone," if share else "the input")
    else:
        towards, added = "parameters", f" It is added to {' and '.join(step.after)}."
        grows = grows.format(" or ".join(name.removeprefix("grad").lower() for name in step.after))
    if step.inside:
        through = f"Backward, towards the {towards}, through the modules inside"
        return f"{through}." if added else f"{through}: {grows}."
    rule = "what came from behind, gradOutput, times the local derivative of the output"
    return f"Backward, towards the {towards}: {grows}. By the chain rule, {rule}.{added}"


def _hint(trace: Trace, step: Step) -> str | None:
    """Say how a layer of the user's gets a formula, where it has none."""
    known = trace._known(step)
    layers = step.method in TARGETS or (step.method == "accGradParameters" and step.after)
    if known is None or known.kind.__module__.startswith("torchlite."):
        return None
    if step.maths or step.inside or trace.note or not layers:
        return None
    name = TARGETS.get(step.method) or next(iter(step.after))
    sign = "=" if step.method in TARGETS else "+="
    return (
        f"No section Maths in the docstring of {known.kind.__name__} gives this result. Write one, "
        f'with a line "    {name} {sign} ..." in NumPy, and it is shown here, with the numbers put '
        "in of an entry that is chosen."
    )


def _setting(value: Any) -> Any:
    """Return a setting as JSON has it; of what it has no sign for, nothing is made."""
    if isinstance(value, tuple):
        return [_setting(entry) for entry in value]
    return value if isinstance(value, (bool, str)) else plain(value)


def _values(trace: Trace, step: Step) -> Any:
    """Yield (name, role, value) of everything that a step shows."""
    if step.method == "accGradParameters" and (not step.after or step.inside):
        return
    known = trace._known(step)
    for name, value in step.arguments.items():
        yield from _labelled(name, "argument", value)
    for name, value in step.parameters.items():
        # Of a layer with a formula, what takes part in it.
        if name in step.shapes or not (step.maths or step.method.startswith("acc")):
            held = name in (known.held if known else TARGETS.values())
            yield from _labelled(name, "held" if held else "parameter", value)
    for name, value in step.results.items():
        yield from _labelled(name, "result", value)
    for name, after in step.after.items():
        before = step.before[name]
        yield name, "before", before
        if step.method != "zeroGradParameters" and after.values is not None:
            yield name, "increment", text.difference(after, before)
        yield name, "after", after


def _labelled(name: str, role: str, value: Any) -> Any:
    if isinstance(value, (Copy, list, dict)):
        for label, copy in named_arrays(name, value):
            yield label, role, copy
    else:
        yield name, role, value


def _array(
    step: Step, beside: Numeric, name: str, role: str, value: Any, windows: Any, pool: Pool
) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": name, "role": role}
    if not isinstance(value, Copy):
        return {**shown, "text": text.number(value)}
    shown.update(shape=value.shape, dtype=value.dtype)
    large = value.values is None or value.values.size > SHOWN
    if large:
        shown["text"] = text.summarised(value)
        place = pool.add(step, value)
        if place is None:
            return shown
        shown["packed"] = place
        shown["tile"] = pool.picture(step, name, value)
    else:
        shown["values"] = [plain(number) for number in value.values.ravel().tolist()]
        largest = np.abs(value.values[np.isfinite(value.values)]).max(initial=0)
        shown["largest"] = float(largest)
    shown["sources"] = sources(step.maths, step.shapes, name)
    if role in ("result", "increment"):
        held = {**step.arguments, **step.parameters}
        if windows.get("regions"):
            shown["regions"] = windows["regions"]
        if windows.get("windows"):
            shown["windows"] = {
                source: [
                    [_entries(source, places, held[source].shape), places] if places else None
                    for places in each
                ]
                for source, each in windows["windows"].items()
            }
    slopes = beside.of(step, name, role, value)
    if slopes.get("numeric"):
        slopes["numeric"] = [[plain(number), verdict] for number, verdict in slopes["numeric"]]
    return shown | slopes


def _scale(step: Step) -> Any:
    """Return the number that the increments of a gradient were multiplied with."""
    scale = step.arguments.get("scale", 1) if step.method == "accGradParameters" else 1
    return plain(scale) if isinstance(scale, (int, float, complex)) else 1


def plain(number: Any) -> Any:
    """Return a number that JSON knows, or its name."""
    known = number is None or (not isinstance(number, complex) and math.isfinite(number))
    return number if known else str(number)
