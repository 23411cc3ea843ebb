"""What a change made faster or slower: two commits measured in turns.

    python benchmarks/compare.py main HEAD
    python benchmarks/compare.py v0.1.0 HEAD --cases '*batch 32' --threads all
    python benchmarks/compare.py main HEAD --cases windows

Each commit has programs of its own, which take turns at every case, as the benchmarks of this
checkout have it. Where in memory a program's code and arrays happen to lie makes it some per cent
faster or slower for good: so there are several pairs of programs. A change is told where every
program of one commit was faster than every one of the other, by more than 2 %; else it says "same".
In brackets is how long the second takes in proportion to the first, from pair to pair: a smaller
change than these differ by would not be seen.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from io import BytesIO
from itertools import chain
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.cases import GROWTH, NAMED, material, named, unnamed
from benchmarks.measure import REST
from benchmarks.peers import enter
from benchmarks.programs import ROOT, available, environment
from benchmarks.sequences import SEQUENCES
from benchmarks.windows import WINDOWS

PAIRS, TURNS, TURN = 4, 6, 0.03
# Words for several cases.
WORDS = {
    "windows": WINDOWS,
    "sequences": SEQUENCES,
    "growth": [*chain.from_iterable(grown.values() for grown in GROWTH.values())],
}
# Less than this, in proportion, is not worth telling.
WORTH = 0.02


class Program:
    """One that measures the torchlite in a folder whenever it is told to."""

    def __init__(self, folder, threads, dtype):
        self._rest = REST if threads > 1 else 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.compare", str(threads), dtype],
            cwd=folder,
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def best(self, case):
        """The seconds of the best step of a turn; None if this commit cannot do it."""
        time.sleep(self._rest)
        with suppress(BrokenPipeError):
            print(case, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{case}: the program ended with exit code {self._process.wait()}")
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve(threads, dtype):
    """Be such a program."""
    answers, sys.stdout = sys.stdout, sys.stderr
    (contender, *_), _ = enter(threads, dtype, ["torchlite"])
    clock = time.process_time if threads == 1 else time.perf_counter
    name, step = None, None
    for line in sys.stdin:
        if line.strip() != name:
            name = line.strip()
            try:
                step = contender.step(NAMED[name], material(NAMED[name], dtype))
                step()
            except Exception as error:
                print(f"{name}: {error!r}")
                step = None
        print(json.dumps(step and turn(step, clock)), file=answers, flush=True)


def turn(step, clock):
    best, end = float("inf"), time.perf_counter() + TURN
    while True:
        start = clock()
        step()
        best = min(best, clock() - start)
        if time.perf_counter() > end:
            return best


def compare(before, after, cases, threads=1, dtype="float32"):
    """Yield each case, and the best times of the programs in the two folders."""
    rng = random.Random(0)
    times = {case: ([], []) for case in cases}
    for pair in range(PAIRS):
        with Program(before, threads, dtype) as one, Program(after, threads, dtype) as other:
            programs = one, other
            for case in cases:
                found = [], []
                for _ in range(TURNS):
                    for side in rng.sample((0, 1), 2):
                        found[side].append(programs[side].best(case))
                for side, bests in enumerate(found):
                    times[case][side].append(None if None in bests else min(bests))
                if pair == PAIRS - 1:
                    yield case, *times[case]


def verdict(before, after):
    """What a table says of the best times of several programs each."""
    if None in before and None in after:
        return "neither can"
    if None in before or None in after:
        return "only one of them can"
    ratio = median(after) / median(before)
    told = f"{ratio:.2f}, {'faster' if ratio < 1 else 'slower'}"
    if abs(ratio - 1) < WORTH or (max(after) >= min(before) and max(before) >= min(after)):
        told = "same"
    ratios = [new / old for old, new in zip(before, after, strict=True)]
    return f"{told} ({min(ratios):.2f} to {max(ratios):.2f})"


def git(*arguments):
    """What git answers about this checkout, or the end of the program, in one line."""
    try:
        finished = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True)
    except FileNotFoundError:
        raise SystemExit("compare.py needs git") from None
    if finished.returncode:
        said = " ".join(finished.stderr.decode(errors="replace").split())
        raise SystemExit(f"compare.py: git: {said}")
    return finished.stdout


def folder_of(commit, parent):
    """A folder with torchlite as of a commit, and the benchmarks of this checkout."""
    folder = Path(mkdtemp(dir=parent))
    packed = git("archive", commit, "torchlite")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    shutil.copytree(ROOT / "benchmarks", folder / "benchmarks")
    return folder


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", help="a commit")
    parser.add_argument("after", help="another")
    parser.add_argument(
        "--cases",
        metavar="GLOB",
        default="*",
        help="rows of such a name in the tables of docs/performance.md, or one of "
        + ", ".join(WORDS),
    )
    parser.add_argument("--threads", choices=["one", "all"], default="one")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    options = parser.parse_args()
    threads = 1 if options.threads == "one" else available()
    # What takes long is measured if it is asked for.
    rows = WORDS.get(options.cases) or named(options.cases)
    cases = [row.name for row in rows if not row.slow or options.cases != "*"]
    if not cases:
        parser.error(unnamed(options.cases, WORDS))
    changes = git("status", "--porcelain", "--", "torchlite").decode().splitlines()
    if changes:
        changed = ", ".join(line[3:] for line in changes)
        print(f"Not committed, and not measured: {changed}", file=sys.stderr)
    with TemporaryDirectory() as parent:
        folders = [folder_of(commit, parent) for commit in (options.before, options.after)]
        for case, *times in compare(*folders, cases, threads, options.dtype):
            print(f"{case}: {verdict(*times)}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1].isdecimal():
        serve(int(sys.argv[1]), sys.argv[2])
    else:
        main()
