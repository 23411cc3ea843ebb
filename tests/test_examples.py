"""The examples print what the tutorials printed, to the last digit.

`tests/data/examples/` has the lines of the tutorials, word for word, one file a program; where `*`
stands there, the tutorial leaves something out.
"""

import re
import runpy
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

from torchlite.kernels import blas

EXAMPLES = Path(__file__).parents[1] / "examples"
EXPECTED = Path(__file__).parent / "data" / "examples"


@pytest.fixture(params=["numpy", "scipy"], autouse=True)
def backend(request):
    """Whoever accumulates, the digits are the same."""
    if request.param == "scipy":
        pytest.importorskip("scipy")
    with blas.using(request.param):
        yield


@pytest.fixture
def printed(capsys, monkeypatch):
    """Run an example as a program of its own and return the lines that it prints."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return _lines(capsys.readouterr().out)

    return run


def _lines(text):
    """The lines that say something; how numbers are set off from each other does not matter."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _tutorial(name):
    return _lines((EXPECTED / f"{name}.txt").read_text())


def test_every_example_is_tested():
    programs = {path.stem for path in EXAMPLES.glob("*.py")} - {"fit_a_curve_reference"}
    tested = {path.stem for path in EXPECTED.glob("*.txt")} | {"fit_a_curve", "step_by_hand"}
    assert programs == tested


@pytest.mark.parametrize("name", ["linear_regression", "module_internals", "sgd_by_sample"])
def test_the_tutorials_lines_are_printed_in_their_order(printed, name):
    lines = iter(printed(name))
    for expected in _tutorial(name):
        assert any(fnmatchcase(line, expected) for line in lines), f"not printed: {expected}"


def test_sgd_by_sample_solves_the_exercises(printed):
    text = "\n".join(printed("sgd_by_sample"))
    exercises = [re.findall(r"\n(d\S+) ?.*: (\S+)", part) for part in text.split("Exercise ")[1:]]
    assert exercises == [
        [("dloss/dr", "-4.0"), ("dloss/dw", "-8.0")],
        [("dloss/dy_pred:", "2.0"), ("dloss/dw:", "2.0"), ("dloss/db:", "2.0")],
        [("dloss/dw1", "24.0"), ("dloss/dw2", "12.0"), ("dloss/db", "6.0")],
        [],
    ]
