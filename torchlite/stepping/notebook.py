"""Modules, summaries, steps and reports as a notebook shows them: HTML without a script.

Parts fold by <details>, heat maps are pictures inside the page, and whatever comes from the user's
program is text.
"""

import base64
import html
import struct
import zlib
from typing import Any

import numpy as np

from torchlite.errors import StateError, printable
from torchlite.nn import checks
from torchlite.nn.tree import walk
from torchlite.stepping import text
from torchlite.stepping.arrays import Copy, snapshot
from torchlite.stepping.memory import frozen_parameters
from torchlite.stepping.summarize import own_parameters

__all__ = ["of_module", "of_report", "of_step", "of_summary"]

# Of a heat map: so many rows and columns at most, evenly picked, and so many pixels for each.
ROWS, COLUMNS, PIXELS = 24, 64, 5
# So many heat maps a network has: those of its first layers.
MOST_MAPS = 100
# A network of so few parts is shown unfolded.
UNFOLDED = 12
# Arrays of so few entries are shown in numbers.
SMALL = 60
# As the page has them.
MINUS, PLUS, NONE = (33, 102, 172), (217, 120, 20), (176, 0, 94)
# How far of 255 a colour covers what is behind, so that a number on it can be read.
READABLE = 140

_STYLE = """<style>
.torchlite { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; overflow-x: auto; }
.torchlite details > :not(summary), .torchlite .leaf { margin-left: 1.4em; }
.torchlite summary { cursor: pointer; }
.torchlite i { font-style: normal; opacity: .8; }
.torchlite img { image-rendering: pixelated; vertical-align: middle; margin: .1em .3em;
                 border: 1px solid rgba(128, 128, 128, .6); max-width: 100%; }
.torchlite table { border-collapse: collapse; margin: .3em 0; }
.torchlite th, .torchlite td { padding: .05em .7em; text-align: right; white-space: pre; }
.torchlite .name { text-align: left; }
.torchlite .total { border-top: 1px solid rgba(128, 128, 128, .8); font-weight: bold; }
.torchlite pre { margin: .3em 0; white-space: pre-wrap; }
</style>"""


def of_module(net: Any) -> str:
    """Return the tree of a module's parts, with what each holds."""
    places = list(walk(net))
    held: dict[str, list[tuple[str, Any]]] = {}
    counts: dict[str, tuple[int, int]] = {}
    try:
        for row in net.located_parameters():
            held.setdefault(row.place.path, []).append((row.name, row.parameter))
        for position, (count, _) in own_parameters(net).items():
            counts[position.removeprefix("net")] = count, 0
    except StateError as error:
        # What is tied in no sound way has no numbers.
        return _framed(f"<pre>{_text(repr(net))}\n\n{_text(str(error))}</pre>")
    for path, name, (parameter, _) in frozen_parameters(net):
        count, frozen = counts.get(path, (0, 0))
        counts[path] = count, frozen + parameter.size
        held.setdefault(path, []).append((f"{name}, frozen", parameter))
    left = MOST_MAPS
    shown = {}
    for place in places:
        rows = held.get(place.path, [])
        shown[place.path] = "".join(
            _parameter(name, array, i < left) for i, (name, array) in enumerate(rows)
        )
        left -= len(rows)
    # From the inside out: what is inside a part is drawn, and counted, before it.
    drawn: dict[str | None, list[str]] = {}
    for place in reversed(places):
        path, outer = place.path, place.outer and place.outer.path
        body = shown[path] + "".join(reversed(drawn.get(path, [])))
        trained, frozen = counts.get(path, (0, 0))
        unfolded = len(places) <= UNFOLDED or outer is None
        drawn.setdefault(outer, []).append(_part(place, (trained, frozen), body, unfolded))
        if outer is not None:
            around = counts.get(outer, (0, 0))
            counts[outer] = around[0] + trained, around[1] + frozen
    return _framed("".join(drawn[None]))


def _part(place: Any, counts: tuple[int, int], body: str, unfolded: bool) -> str:
    words = zip(counts, ("trainable", "frozen"), strict=True)
    said = ", ".join(f"{count:,} {word}" for count, word in words if count)
    title = f"{_text(place.step)} <b>{_text(checks.title(place.module))}</b> <i>{said}</i>"
    if not body:
        return f'<div class="leaf">{title}</div>'
    opened = " open" if unfolded else ""
    return f"<details{opened}><summary>{title}</summary>{body}</details>"


def _parameter(name: str, array: Any, pictured: bool) -> str:
    kept = snapshot(array, 0)
    picture = heat_map(array, kept) if pictured else ""
    return (
        f"<div>{_text(name)} {text.shapes_of(kept)} {picture} <i>{text.summarised(kept)}</i></div>"
    )


def of_summary(summary: Any) -> str:
    """Return the table of a summary, and what is said below it."""
    titles, *rows = summary.cells()
    used = [i for i in range(len(titles)) if any(row[i] for row in rows)]
    lines = []
    for number, row in enumerate([titles, *rows]):
        tag = "th" if number == 0 else "td"
        cells = [f"<{tag}{' class=name' if i < 3 else ''}>{_text(row[i])}</{tag}>" for i in used]
        last = " class=total" if number == len(rows) else ""
        lines.append(f"<tr{last}>{''.join(cells)}</tr>")
    below = "\n".join([*summary.counts(), *filter(None, [summary.note])])
    drawings = "".join(f"<pre>{_text(drawing)}</pre>" for drawing in summary.drawings)
    return _framed(f"<table>{''.join(lines)}</table><pre>{_text(below)}</pre>{drawings}")


def of_step(step: Any) -> str:
    """Return a call with its Maths and its arrays."""
    rows = "".join(
        f"<tr><td class=name>{_text(label)}</td><td class=name>{_value(value)}</td></tr>"
        for label, value in text.rows(step)
    )
    lines = "\n".join(text.lines_of(step))
    title = f"step {step.number}: {text.heading(step)}"
    return _framed(
        f"<div><b>{_text(title)}</b></div><pre>{_text(lines)}</pre><table>{rows}</table>"
    )


def of_report(report: Any) -> str:
    """Return what the checker says, with the names of what holds folded away."""
    first, *rest = str(report).split("\n")
    names = f"<div>{_text(', '.join(report.passed))}</div>"
    held = f"<details><summary><b>{_text(first)}</b></summary>{names}</details>"
    return _framed(held + "".join(f"<pre>{_text(line)}</pre>" for line in rest))


def _value(value: Any) -> str:
    if not isinstance(value, Copy):
        return _text(text.look(value, text.WIDTH) or "")
    if value.values is None or value.values.size > SMALL or value.values.ndim > 2:
        return f"{heat_map(value.values, value)} <i>{_text(text.summarised(value))}</i>"
    colours = _colours(np.atleast_2d(value.values), READABLE)
    lines = [
        "".join(
            f"<td style='background: rgba({r}, {g}, {b}, {a / 255:.2f})'>{_text(shown)}</td>"
            for shown, (r, g, b, a) in zip(row, colour, strict=True)
        )
        for row, colour in zip(_numbers(value.values), colours.tolist(), strict=True)
    ]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _numbers(values: Any) -> list[list[str]]:
    return [[text.number(entry) for entry in row] for row in np.atleast_2d(values).tolist()]


def heat_map(values: Any, facts: Copy) -> str:
    """Return a picture of an array, orange above 0 and blue below; nothing where there is none."""
    if not isinstance(values, np.ndarray) or not values.size or values.dtype.kind not in "biuf":
        return ""
    rows = values.reshape(values.shape[0] if values.ndim > 1 else 1, -1)
    picked = [
        np.linspace(0, n - 1, min(n, most)).astype(int)
        for n, most in zip(rows.shape, (ROWS, COLUMNS), strict=True)
    ]
    pixels = _colours(rows[np.ix_(*picked)], 255)
    height, width = pixels.shape[:2]
    data = base64.b64encode(_png(pixels)).decode("ascii")
    said = f"{text.shapes_of(facts)}: {text.summarised(facts)}"
    return (
        f'<img src="data:image/png;base64,{data}" alt="heat map of {said}" title="{said}" '
        f'width="{PIXELS * width}" height="{PIXELS * height}">'
    )


def _colours(values: Any, strongest: int) -> Any:
    """Return red, green, blue of numbers, and how far they cover what is behind, dark or light."""
    values = values.astype("float64")
    finite = np.isfinite(values)
    size = np.abs(np.where(finite, values, 0))
    largest = size.max(initial=0) or 1.0
    pixels = np.empty((*values.shape, 4), "uint8")
    pixels[..., :3] = np.where((values < 0)[..., None], MINUS, PLUS)
    pixels[..., 3] = np.rint(strongest * size / largest)
    pixels[~finite] = (*NONE, 255)
    return pixels


def _png(pixels: Any) -> bytes:
    height, width = pixels.shape[:2]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _text(text: str) -> str:
    """Return a text that is no markup, and steers nothing."""
    return html.escape(printable(text))


def _framed(body: str) -> str:
    return f'{_STYLE}<div class="torchlite">{body}</div>'
