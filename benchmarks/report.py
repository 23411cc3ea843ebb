"""What was measured, in words: Markdown tables, and a plot of the proportions."""

import os
import platform
import re
import statistics
from datetime import date
from math import log
from pathlib import Path

import numpy as np

from benchmarks.cases import CASES, GROWTH, ROWS
from benchmarks.programs import ROOT
from benchmarks.sequences import GROWTH_OF_SEQUENCES, SEQUENCES
from benchmarks.windows import GROWTH_OF_WINDOWS, PARTS, WINDOWS

__all__ = [
    "growth",
    "imports",
    "machine",
    "memory",
    "plot",
    "sequences",
    "times",
    "windows",
    "write",
]

PAGE = ROOT / "docs" / "performance.md"
PLOT = PAGE.with_suffix(".svg")

TITLES = {
    "A step of training": ("training",),
    "Forward alone": ("forward",),
    "Layers and criterions, forward and backward": ("layer", "nll"),
    "Optimizers": ("adam", "sgd"),
    "Windows": ("windows",),
    "Sequences": ("sequences",),
}
MARKERS = "osD^v<>PX*hd"
OURS = "torchlite", "without SciPy", "all gradients"


def table(head, rows):
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def seconds(value):
    for unit, scale in ("s", 1), ("ms", 1e3), ("µs", 1e6):
        if float(f"{value * scale:.3g}") >= 1:
            return f"{value * scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{value * 1e9:.0f} ns"


def proportion(column, case_times, contenders):
    """How long torchlite takes in proportion to a contender, or None."""
    ours = next((case_times[name] for name in OURS if name in case_times), None)
    if contenders[column]["all_gradients"]:
        ours = case_times.get("all gradients", ours)
    return ours / case_times[column] if ours and column not in OURS else None


def times(result):
    """Return the tables of one run of `measure`, one for each kind of work."""
    parts = []
    for title, works in TITLES.items():
        names = [c.name for c in ROWS if c.work in works and result["times"].get(c.name)]
        if not names:
            continue
        found = {column for name in names for column in result["times"][name]}
        columns = [column for column in result["contenders"] if column in found]
        rows = []
        for name in names:
            row = result["times"][name]
            cells = []
            for column in columns:
                cell = seconds(row[column]) if column in row else ""
                ratio = column in row and proportion(column, row, result["contenders"])
                cells.append(f"{cell} ({ratio:.2f})" if ratio else cell)
            rows.append([name, *cells])
        parts.append(table([title, *columns], rows))
    nobody = [name for name, row in result["times"].items() if not row]
    if nobody and result["contenders"]:
        parts.append(f"None of these can: {'; '.join(nobody)}.")
    if result["absent"]:
        absent = ", ".join(f"{name} ({why})" for name, why in result["absent"].items())
        parts.append(f"Absent: {absent}.")
    return "\n\n".join(parts)


def growth(result, ways=GROWTH):
    """Return, for each way to grow, the times by size, and the exponents of size in them."""
    parts = []
    for title, cases in ways.items():
        if any(case.name not in result["times"] for case in cases.values()):
            continue
        rows = []
        for column in result["times"][next(iter(cases.values())).name]:
            values = [result["times"][case.name][column] for case in cases.values()]
            exponents = [slope(list(cases)[-n:], values[-n:]) for n in (len(values), 3)]
            rows.append([column, *map(seconds, values), *(f"{e:.2f}" for e in exponents)])
        parts.append(table([title, *cases, "exponent", "at the end"], rows))
    return "\n\n".join(parts)


def windows(one, several, peaks):
    """Return what torchlite takes by case and part, with its proportions to what PyTorch takes.

    one, several: the times with one thread and with more; peaks: the memory. Of several threads the
    proportions alone.
    """
    columns = [("one thread", one, seconds), ("all threads", several, None)]
    columns.append(("memory", peaks, mebibytes))
    columns = [column for column in columns if column[1]]
    titles = list(dict.fromkeys(case.title for case in WINDOWS))
    alone = {case.title: case.part for case in WINDOWS if case.part not in PARTS}
    tables = []
    for part in (*PARTS, None):
        rows = []
        for title in titles:
            if (part is None) == (title in alone):
                name = f"{title}: {part or alone[title]}"
                rows.append([title, *(beside(found[name], say) for _, found, say in columns)])
        head = {"gradWeight": "gradWeight and bias", None: "forward and backward"}.get(part, part)
        tables.append(table([head, *(heading for heading, _, _ in columns)], rows))
    return "\n\n".join([*tables, growth({"times": one}, GROWTH_OF_WINDOWS)])


def sequences(times, peaks):
    """Return what torchlite takes by case, and how it grows with the number of steps."""
    columns = [("time", times, seconds), ("memory", peaks, mebibytes)]
    columns = [column for column in columns if column[1]]
    rows = [
        [case.name, *(beside(found[case.name], say) for _, found, say in columns)]
        for case in SEQUENCES
    ]
    parts = [table(["A step of training", *(heading for heading, *_ in columns)], rows)]
    for title, cases in GROWTH_OF_SEQUENCES.items():
        rows = [
            [heading, *(beside(found[case.name], say) for case in cases.values())]
            for heading, found, say in columns
        ]
        parts.append(table([title, *cases], rows))
    return "\n\n".join(parts)


def beside(row, say):
    """What torchlite takes, if it is to be said, and its proportion to what PyTorch does."""
    ours, theirs = next(row[name] for name in OURS if name in row), row.get("PyTorch")
    ratio = f"{ours / theirs:.2f}" if theirs else ""
    if say is None:
        return ratio
    return f"{say(ours)} ({ratio})" if ratio else say(ours)


def mebibytes(value):
    value /= 2**20
    return f"{value:.3g} MiB" if value < 999.5 else f"{value:.0f} MiB"


def slope(sizes, values):
    return statistics.linear_regression([*map(log, sizes)], [*map(log, values)]).slope


def memory(peaks):
    """Return the table of {case: {library: bytes}}."""
    columns = list(dict.fromkeys(column for row in peaks.values() for column in row))
    rows = [
        [name, *(f"{row[column] / 2**20:.0f} MiB" if column in row else "" for column in columns)]
        for name, row in peaks.items()
    ]
    return table(["Peak memory of training", *columns], rows)


def imports(durations):
    return table(["Import", "time"], [[name, seconds(value)] for name, value in durations.items()])


def machine(versions, load):
    """Return what it was measured with, and what else that did meanwhile."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {"Python": platform.python_version(), **versions}
    packages = ", ".join(f"{package} {version}" for package, version in versions.items())
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()}; {packages}; "
        f"NumPy's BLAS is {blas['name']} {blas['version']}. {load}"
    ).rstrip()


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "unknown processor"
    return re.search(r"^model name\s*: (.*)$", lines, re.MULTILINE)[1]


def write(parts):
    """Put each part into docs/performance.md, between the comments that name it, with the date."""
    text = PAGE.read_text("utf-8")
    for name, content in parts.items():
        start, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, found, rest = text.partition(start)
        if not found:
            raise LookupError(f"{PAGE}: no {start.strip()}")
        dated = f"{content}\n\nMeasured on {date.today()}."
        text = f"{before}{start}\n{dated}\n\n{end}{rest.partition(end)[2]}"
    PAGE.write_text(text, "utf-8")


def plot(results):
    """Draw how long torchlite takes in proportion to each peer, one panel for each result."""
    import matplotlib as mpl

    mpl.use("Agg")
    # The same numbers give the same file.
    mpl.rcParams.update({"svg.hashsalt": "torchlite", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    names = [case.name for case in CASES]
    columns = [c for c in next(iter(results.values()))["contenders"] if c not in OURS]
    figure, panels = plt.subplots(
        1,
        len(results),
        figsize=(4 + 4 * len(results), 7),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for panel, (title, result) in zip(panels[0], results.items(), strict=True):
        for marker, column in zip(MARKERS, columns, strict=False):
            points = {
                place: proportion(column, result["times"][name], result["contenders"])
                for place, name in enumerate(names)
                if column in result["times"][name]
            }
            panel.plot([*points.values()], [*points], marker, label=column, alpha=0.8)
        panel.axvline(1, color="black", linewidth=1)
        panel.set(xscale="log", title=title, xlabel="torchlite's time in proportion to the peer's")
        panel.xaxis.set_major_formatter("{x:g}")
        panel.grid(alpha=0.3)
    panels[0][0].set_yticks(range(len(names)), names)
    panels[0][0].invert_yaxis()
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)
