"""How long torchlite takes, beside every peer that is installed: tables in Markdown, and a plot.

    python benchmarks/run.py                       # everything, in less than an hour
    python benchmarks/run.py --quick --dtype float32   # one or two minutes, and more noise
    python benchmarks/run.py --threads one --peers torchlite,pytorch,jax --cases '10-10-1*'
    python benchmarks/run.py --write               # also into docs/performance.md and .svg
    python benchmarks/run.py --dtype float64 --write   # these tables alone
    python benchmarks/run.py --cases windows --write   # or another part: see --help

It needs NumPy alone, and measures the checkout that it stands in, installed or not. Peers that are
not installed are left out and named. What is measured, and what makes it fair: README.md.
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from importlib.util import find_spec
from itertools import chain, cycle, product
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import report
from benchmarks.cases import CASES, GROWTH, MEMORY, named, unnamed
from benchmarks.imports import import_times
from benchmarks.load import Load
from benchmarks.peers import MODULES
from benchmarks.programs import ask, available
from benchmarks.sequences import GROWTH_OF_SEQUENCES, SEQUENCES
from benchmarks.timing import FULL, QUICK
from benchmarks.windows import GROWTH_OF_WINDOWS, WINDOWS

SETTINGS = {
    f"{threads}, {dtype}": (n, dtype)
    for dtype in ("float32", "float64")
    for threads, n in (("one thread", 1), ("all threads", available()))
}
# It compiles for longer than all others are measured, and its largest steps take as long: it takes
# part once.
SLOW_PEER, FIRST = "tinygrad", "one thread, float32"
ROUNDS_OF_IMPORTS = 7
# Of each library and case: what is free beside the peak differs from program to program.
PROGRAMS_OF_MEMORY = 3


def pair(peers):
    """Who takes part where torchlite is measured beside PyTorch alone."""
    return ["torchlite", *(peer for peer in peers if peer == "pytorch")]


def growth(peers):
    cases = [case.name for grown in GROWTH.values() for case in grown.values()]
    both = pair(peers)
    return report.growth(ask("measure", 1, dtype="float32", peers=both, cases=cases, pace=FULL))


def windows(peers):
    grown = [case for cases in GROWTH_OF_WINDOWS.values() for case in cases.values()]
    cases = [case.name for case in [*WINDOWS, *grown]]
    both = pair(peers)

    def times(threads, cases):
        request = {"peers": both, "cases": cases, "pace": FULL, "shared": True}
        return ask("measure", threads, dtype="float32", **request)["times"]

    one, several = times(1, cases), times(available(), [case.name for case in WINDOWS])
    peaks = peaks_of(WINDOWS, both) if sys.platform == "linux" else {}
    return report.windows(one, several, peaks)


def sequences(peers):
    grown = [case for cases in GROWTH_OF_SEQUENCES.values() for case in cases.values()]
    cases = [*SEQUENCES, *grown]
    both = pair(peers)
    request = {"peers": both, "cases": [case.name for case in cases], "pace": FULL, "shared": True}
    times = ask("measure", 1, dtype="float32", **request)["times"]
    return report.sequences(times, peaks_of(cases, both) if sys.platform == "linux" else {})


def memory(peers):
    return report.memory(peaks_of(MEMORY, peers))


def peaks_of(cases, peers):
    """The bytes that each case takes at most, by its name and the peer's."""
    processors = cycle(os.sched_getaffinity(0))

    def bind():
        # A program inherits the processors of the thread that starts it.
        os.sched_setaffinity(0, {next(processors)})

    def found(pair):
        case, peer = pair
        print(f"  memory of {case}, {peer}", file=sys.stderr, flush=True)
        request = {"dtype": "float32", "peer": peer, "case": case}
        peaks = [ask("memory", 1, **request) for _ in range(PROGRAMS_OF_MEMORY)]
        return {name: median(one[name] for one in peaks) for name in peaks[0]}

    pairs = [*product([case.name for case in cases], peers)]
    peaks = {case.name: {} for case in cases}
    # Time does not count here, so some run at once.
    with ThreadPoolExecutor(PROGRAMS_OF_MEMORY, initializer=bind) as pool:
        for (case, _), row in zip(pairs, pool.map(found, pairs), strict=True):
            peaks[case] |= row
    return peaks


def imports(peers):
    return report.imports(import_times(ROUNDS_OF_IMPORTS))


# Beside the cases, where all threads and dtypes are asked for; in float32, on one thread if nothing
# else is said.
EXTRAS = {"growth": growth, "windows": windows, "sequences": sequences, "imports": imports}
if sys.platform == "linux":
    EXTRAS["memory"] = memory


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="few turns, no tinygrad, and no case that takes long"
    )
    parser.add_argument(
        "--cases",
        metavar="GLOB",
        default="*",
        help="rows of such a name in the tables, or one of " + ", ".join(EXTRAS),
    )
    parser.add_argument("--peers", metavar="NAMES", help="only these of " + ", ".join(MODULES))
    parser.add_argument("--threads", choices=["one", "all", "both"], default="both")
    parser.add_argument("--dtype", choices=["float32", "float64", "both"], default="both")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and .svg")
    options = parser.parse_args()
    alone = options.cases in EXTRAS
    if options.write and (options.quick or options.peers or options.cases != "*") and not alone:
        parser.error("--write goes with every case and peer, and without --quick")
    if options.write and not alone and find_spec("matplotlib") is None:
        parser.error("--write draws, too: pip install matplotlib")
    if options.peers is None:
        options.peers = [peer for peer in MODULES if peer != SLOW_PEER or not options.quick]
    else:
        options.peers = [peer.strip() for peer in options.peers.split(",")]
        for peer in options.peers:
            if peer not in MODULES:
                parser.error(f"--peers: no {peer!r}; there are {', '.join(MODULES)}")
    choose(options, parser)
    return options


def choose(options, parser):
    """Say which rows, settings with their peers, and extras are meant; refuse if none is."""
    rows = CASES if options.cases == "*" else named(options.cases)
    extras = [name for name in EXTRAS if fnmatchcase(name, options.cases)]
    if not rows and not extras:
        parser.error(unnamed(options.cases, EXTRAS))
    options.rows = [row.name for row in rows if not (options.quick and row.slow)]
    settings = {}
    for name, (_, dtype) in SETTINGS.items():
        peers = [peer for peer in options.peers if peer != SLOW_PEER or name == FIRST]
        if peers and options.threads in ("both", name[:3]) and options.dtype in ("both", dtype):
            settings[name] = peers
    options.settings = settings if options.rows else {}
    every = not options.quick and options.threads == options.dtype == "both"
    options.extras = extras if every else []
    if options.settings or options.extras:
        return
    if not rows:
        parser.error(f"{', '.join(extras)}: not with --quick, --threads or --dtype")
    if not options.rows:
        parser.error(f"--quick leaves out {'; '.join(row.name for row in rows)}")
    parser.error(f"{SLOW_PEER} takes part in {FIRST} alone")


def main():
    options, load = arguments(), Load()
    pace = QUICK if options.quick else FULL
    parts, results = {}, {}

    def show(name, text):
        parts[name] = text
        print(f"\n## {name}\n\n{text}", flush=True)

    for name, peers in options.settings.items():
        threads, dtype = SETTINGS[name]
        request = {"dtype": dtype, "peers": peers, "cases": options.rows, "pace": pace}
        results[name] = ask("measure", threads, **request)
        show(name, report.times(results[name]))
    for name in options.extras:
        show(name, EXTRAS[name](options.peers))
    if results:
        versions = dict(chain.from_iterable(r["versions"].items() for r in results.values()))
        show("machine", report.machine(versions, load.told()))
    else:
        print(load.told(), file=sys.stderr)
    if options.write:
        report.write(parts)
    drawn = {name: result for name, result in results.items() if name.endswith("32")}
    if options.write and drawn and options.threads == "both":
        report.plot(drawn)


if __name__ == "__main__":
    main()
