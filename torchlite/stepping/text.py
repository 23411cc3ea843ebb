"""The text view: one block a call, no line longer than 100 columns, or than a terminal has."""

import textwrap
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from torchlite.errors import printable
from torchlite.nn.nested import shapes
from torchlite.stepping.arrays import Copy, named_arrays
from torchlite.stepping.drawing import graphs, lines
from torchlite.stepping.formulas import filled

if TYPE_CHECKING:
    from torchlite.stepping.steps import Step, Trace

__all__ = [
    "block",
    "columns",
    "difference",
    "drawings",
    "heading",
    "lines_of",
    "look",
    "number",
    "render",
    "rows",
    "shapes_of",
    "shapes_of_all",
    "summarised",
]

WIDTH = 100
# Arrays of more entries are shown by norm, minimum and maximum.
SMALL = 60
# What is shown of a recurrent module beside what it is given and what it makes.
_OF_STEPS = ("state", "gates")


def render(trace: "Trace", width: int = WIDTH) -> str:
    """Return all blocks, with an empty line between them."""
    note = map(printable, filter(None, [trace.note]))
    blocks = (block(step, width) for step in trace)
    return "\n\n".join([*note, *drawings(trace.network), *blocks])


def drawings(network: Any) -> list[str]:
    """Return each gModule of a tree as it is drawn, with a title."""
    return [
        "\n".join([_cut(f"{printable(graph['position'])}, from left to right:"), *lines(graph)])
        for graph in graphs(network)
    ]


def block(step: "Step", width: int = WIDTH) -> str:
    """Return what there is to say about a step."""
    lines = [_cut(f"step {step.number}: {heading(step)}", width)]
    if step.inside:
        lines.append(f"  made of {_span(*step.inside)}")
    for line in lines_of(step):
        lines += textwrap.wrap(
            line,
            width,
            initial_indent="  ",
            subsequent_indent="      ",
            break_on_hyphens=False,
        )
    labelled = rows(step)
    longest = max((len(label) for label, _ in labelled), default=0)
    for label, value in labelled:
        start = f"  {label.ljust(longest)} "
        inside = look(value, width - len(start), width - 6)
        if inside is None:
            start, inside = f"  {label}\n      ", look(value, width - 6, width - 6) or ""
        lines.append(start + inside.replace("\n", "\n" + " " * (len(start.split("\n")[-1]))))
    return printable("\n".join(map(str.rstrip, lines)))


def heading(step: "Step") -> str:
    """Return method, position, time and layer of a step."""
    when = "" if step.time is None else f" at time {step.time}"
    return f"{step.method} of {step.position}{when}, {step.layer}"


def lines_of(step: "Step") -> list[str]:
    """Return the maths of a step with shapes filled in, or the call with names and shapes."""
    if step.method == "accGradParameters" and not step.after:
        return ["there are no parameters: nothing to add to"]
    if step.maths:
        return filled(step.maths, step.shapes)
    given = ", ".join(
        f"{name} {value if isinstance(value, (int, float, complex)) else shapes_of_all(value)}"
        for name, value in step.arguments.items()
    )
    made = ", ".join(
        f"{name} {shapes_of_all(value)}" for name, value in (step.results or step.after).items()
    )
    return [f"{step.method}({given})" + (f" -> {made}" if made else "")]


def rows(step: "Step") -> list[tuple[str, Any]]:
    """Return the labelled values of a step: arguments, results, and what became of gradients."""
    labelled: list[tuple[str, Any]] = []
    if step.method == "accGradParameters" and not step.after:
        return labelled
    shown = {name: step.parameters[name] for name in _OF_STEPS if name in step.parameters}
    for name, value in {**step.arguments, **shown, **step.results}.items():
        arrays = list(named_arrays(name, value))
        if not arrays and not isinstance(value, (list, dict)):
            labelled.append((name, value))
        labelled += [(f"{label} {shapes_of(copy)}", copy) for label, copy in arrays]
    for name, after in step.after.items():
        before = step.before[name]
        label = f"{name} {shapes_of(after)}"
        if step.method == "accGradParameters" and not before.norm:
            labelled.append((label, after))
            continue
        labelled.append((f"{label} before", before))
        if step.method == "accGradParameters" and after.values is not None:
            labelled.append((f"{label} increment", difference(after, before)))
        labelled.append((f"{label} after", after))
    return labelled


def difference(after: Copy, before: Copy) -> Copy:
    """Return what was added."""
    with np.errstate(all="ignore"):
        return after._replace(values=after.values - before.values)


def look(value: Any, width: int, widest: int = WIDTH - 6) -> str | None:
    """Return a value in full or summarised, in so many columns.

    None where they are too few, and more can be had.
    """
    if not isinstance(value, Copy):
        return number(value) if isinstance(value, (int, float, complex)) else str(value)
    if value.values is None or value.values.size > SMALL:
        said = summarised(value)
        if len(said) <= width:
            return said
        return None if width < widest else said.replace(", ", "\n")
    text = np.array2string(value.values, max_line_width=1000, precision=4, suppress_small=False)
    if max(map(len, text.split("\n"))) > width:
        if width < widest:
            return None
        text = np.array2string(value.values, max_line_width=width, precision=4)
    return text


def summarised(value: Copy) -> str:
    """Return norm, minimum and maximum of an array."""
    facts = [("norm", value.norm), ("min", value.low), ("max", value.high)]
    said = [f"{name} {fact:.4g}" for name, fact in facts if fact is not None]
    return ", ".join(said) or value.dtype


def number(value: Any) -> str:
    """Return a number with as many digits as one reads."""
    return f"{value:.6g}" if isinstance(value, (float, complex)) else str(value)


def shapes_of(value: Copy) -> str:
    """Return the shape of an array."""
    return str(tuple(value.shape))


def shapes_of_all(value: Any) -> str:
    """Return the shape of an array, or of every array of a table; numbers as such."""
    if isinstance(value, Copy):
        return shapes_of(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(shapes_of_all, value)) + "]"
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{key}: {shapes_of_all(entry)}" for key, entry in value.items()) + "}"
        )
    return number(value) if isinstance(value, (int, float, complex)) else shapes(value)


def spans(numbers: list[int]) -> str:
    """Return how one says which steps these are.

    Example
    -------
    >>> spans([9]), spans([9, 10, 11, 14])
    ('step 9', 'steps 9 to 11, 14')
    """
    said: list[list[int]] = []
    for number in numbers:
        if said and said[-1][-1] == number - 1:
            said[-1][1:] = [number]
        else:
            said.append([number])
    word = "step" if len(numbers) == 1 else "steps"
    return f"{word} {', '.join(' to '.join(map(str, span)) for span in said)}"


def _span(first: int, last: int) -> str:
    return f"step {first}" if first == last else f"steps {first} to {last}"


def columns(
    cells: Sequence[Sequence[str]], width: int, right: Collection[int] = ()
) -> list[list[str]]:
    r"""Return the lines of a table, in several parts where its columns are too wide for one.

    Each part begins with the first column; those at `right` are aligned there.

    Example
    -------
    >>> for part in columns([("at", "layer", "norm"), ("[0]", "ReLU", "2.5")], 12):
    ...     print("\n".join(part))
    at   layer
    [0]  ReLU
    at   norm
    [0]  2.5
    """
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    parts = [[0]]
    for i in range(1, len(widths)):
        if len(parts[-1]) > 1 and sum(widths[j] + 2 for j in [*parts[-1], i]) - 2 > width:
            parts.append([0])
        parts[-1].append(i)
    return [
        [
            "  ".join(
                row[i].rjust(widths[i]) if i in right else row[i].ljust(widths[i]) for i in part
            ).rstrip()
            for row in cells
        ]
        for part in parts
    ]


def _cut(line: str, width: int = WIDTH) -> str:
    return line if len(line) <= width else line[: width - 3] + "..."
