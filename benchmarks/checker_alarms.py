"""What the checker says against layers that are right: each line of it is a false alarm.

    python benchmarks/checker_alarms.py [--seeds 20] [--all] [NAME ...]

First the right layers and criterions of tests/bugs, at three sizes each, under so many seeds; then
every class of torchlite, by its rows in tests/cases, alone and inside a Sequential. It prints a
table of the classes and a table of the alarms, by their first lines, and exits with status 1 if
there is any. With --all, every property that fails is told, not the first alone; names choose among
rows and classes.
"""

import argparse
import sys
import time
import warnings
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import bugs
import cases
from bugs.good import GOOD

from benchmarks.checker_scoreboard import draw
from torchlite import nn, random
from torchlite.testing import ContractViolation, check_criterion, check_module


def alarm(make, input, target, criterion, seed, exempt):
    """Return (property, first line) of what the checker says; None if it passes."""
    rng = np.random.default_rng(seed)
    random.manualSeed(seed)
    try:
        # Some layers print.
        with warnings.catch_warnings(), redirect_stdout(None):
            warnings.simplefilter("error")
            if criterion:
                target = None if target is None else draw(rng, target)
                check_criterion(make, draw(rng, input), target, seed=seed, exempt=exempt)
            elif callable(input):
                check_module(make, input(rng), seed=seed, exempt=exempt)
            else:
                check_module(make, shape=input, seed=seed, exempt=exempt)
    except ContractViolation as violation:
        return violation.property, str(violation).splitlines()[0]
    except Exception as error:
        return "", f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def alarms(*situation, exempt, every):
    """Return all alarms: each property that fails is exempted to see the next."""
    found, exempt = [], dict(exempt)
    while said := alarm(*situation, exempt):
        found.append(said)
        if not every or not said[0] or said[0] in exempt:
            break
        exempt[said[0]] = "known"
    return found


def of_rows(names, seeds, every):
    """Yield (name, first line, property, where) of each alarm about the right rows."""
    for row in [*GOOD, *bugs.right()]:
        if names and row.name not in names:
            continue
        criterion = row.target is not None
        for N, n, m in row.sizes:
            target = row.target(N, n) if criterion else None
            for seed in range(seeds):
                situation = lambda: row.make(n, m), row.input(N, n), target, criterion, seed  # noqa: B023
                for name, line in alarms(*situation, exempt=row.exempt, every=every):
                    yield row.name, line, name, f"({N}, {n}, {m}) seed {seed}"


def of_classes(names, every):
    """Yield (name, alarms alone, alarms inside a Sequential) of torchlite's classes."""
    for _, case in cases.rows():
        if names and case.id not in names:
            continue
        criterion = isinstance(case.make(), nn.Criterion)
        situation = case.input, case.target, criterion, 0
        alone = alarms(case.make, *situation, exempt=case.exempt, every=every)
        inside = []
        if not criterion:
            make = lambda: nn.Sequential(case.make())  # noqa: B023, E731
            inside = alarms(make, *situation, exempt=case.exempt, every=every)
        yield case.id, alone, inside


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    known = [case.id for _, case in cases.rows()] + [row.name for row in [*GOOD, *bugs.right()]]
    for name in options.names:
        if name not in known:
            parser.error(f"neither a row of tests/cases nor a right layer is called {name!r}")
    start = time.perf_counter()
    total = Counter()

    print("| class | alone | inside a Sequential | first line |\n|---|---|---|---|")
    for name, alone, inside in of_classes(options.names, options.all):
        total["classes"] += 1
        total["alarms about classes"] += bool(alone or inside)
        said = {line: None for _, line in [*alone, *inside]}
        words = [", ".join(p or "raises" for p, _ in found) or "-" for found in (alone, inside)]
        print(f"| {name} | {words[0]} | {words[1]} | {'<br>'.join(said)} |", flush=True)

    print("\n| right layer | property | times | first at | first line |\n|---|---|--:|---|---|")
    found = {}
    for name, line, which, where in of_rows(options.names, options.seeds, options.all):
        found.setdefault((name, which), []).append((where, line))
    for (name, which), places in found.items():
        where, line = places[0]
        print(f"| {name} | {which or 'raises'} | {len(places)} | {where} | {line} |")
    total["alarms about right layers"] = len({name for name, _ in found})
    print(f"\n{dict(total)} in {time.perf_counter() - start:.0f} s")
    return any(count for name, count in total.items() if name.startswith("alarms"))


if __name__ == "__main__":
    sys.exit(main())
