"""Adding a layer takes its file, one name and one row; what is forgotten is asked for."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import torchlite

pytest.importorskip("mpmath")

ROOT = Path(__file__).parents[1]
FILE = '''\
"""HardSigmoid."""

from typing import Any

from torchlite.nn.transfer._pointwise import Pointwise

__all__ = ["HardSigmoid"]


class HardSigmoid(Pointwise):
    """A logistic function of three straight lines.

    Maths
    -----
    ::

        output = np.clip(input / 6 + 0.5, 0, 1)
        gradInput = gradOutput * (abs(input) < 3) / 6

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.HardSigmoid()
    >>> x = np.array([-6.0, 1.5, 6.0])
    >>> layer.forward(x)
    array([0.  , 0.75, 1.  ])
    >>> layer.backward(x, np.array([6.0, 12.0, 18.0]))
    array([0., 2., 0.])

    Reference
    ---------
    Courbariaux, Bengio and David, BinaryConnect, 2015.
    """

    def _function(self, input: Any) -> Any:
        return (input / 6 + 0.5).clip(0, 1)

    def _gradient(self, input: Any, gradOutput: Any) -> Any:
        return gradOutput * (abs(input) < 3) / 6
'''
NAME = '    "HardSigmoid": "transfer.hard_sigmoid",\n'
FORMULA = ", formula=lambda mp, x: np.clip(x / 6 + mp.mpf(1) / 2, 0, 1)"
ROW = f"    Case(lambda: nn.HardSigmoid(), input=(5, 3){FORMULA}),\n"
WRITE = "docs/make_layers.py"
TESTS = ["docs", "floors", "contract", "exact"]
ORACLE = (
    "give a row of HardSigmoid in tests/cases/transfer.py a formula (tests/exact.py), or add it to "
    "tests/data/make_pytorch_layers.py: Torch7 lacks it"
)
CHOSEN = "HardSigmoid or index or page or checkers or compared or has_a_row"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the project, and a function that says what pytest asks for there."""
    root = tmp_path_factory.mktemp("project")
    unneeded = shutil.ignore_patterns("__pycache__", "examples", "stepping")
    for folder in ("docs", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=unneeded)
    shutil.copytree(Path(torchlite.__file__).parent, root / "torchlite")
    for file in ("pyproject.toml", "setup.cfg"):
        shutil.copy(ROOT / file, root)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    index, rows = "torchlite/nn/__init__.py", "tests/cases/transfer.py"
    written = ["docs/layers.md", "torchlite/nn/__init__.pyi"]
    before = {path: (root / path).read_text("utf-8") for path in [index, rows, *written]}

    def python(*arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)

    def asked(file=FILE, name=NAME, row=ROW, write=True):
        """Return the last words of what fails when these pieces are there."""
        texts = {"torchlite/nn/transfer/hard_sigmoid.py": file} | before
        for path, place, text in [
            (index, '    "HardTanh": ', name),
            (rows, "    Case(lambda: nn.HardTanh(", row),
        ]:
            assert texts[path].count(place) == 1
            texts[path] = texts[path].replace(place, text + place)
        for path, text in texts.items():
            (root / path).write_text(text, "utf-8")
        if write:
            made = python(WRITE)
            assert made.returncode == 0, made.stderr
        files = [f"tests/test_{part}.py" for part in TESTS]
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-k", CHOSEN]
        done = python("-m", "pytest", *options, *files)
        found = re.findall(r"^(?:E   \w+: |)((?:add|give|run).*)$", done.stdout, re.MULTILINE)
        assert (done.returncode == 0) == (not found), done.stdout + done.stderr
        return found

    return asked


def test_the_file_the_name_and_the_row_are_all(copy):
    assert copy() == []


def test_a_forgotten_name_is_asked_for(copy):
    assert copy(name="", row="") == [
        'add "HardSigmoid": "transfer.hard_sigmoid" to _HOMES in torchlite/nn/__init__.py'
    ]


def test_a_forgotten_row_is_asked_for(copy):
    assert copy(row="") == [
        ORACLE,
        "add a row for HardSigmoid to tests/cases/transfer.py",
    ]


def test_a_forgotten_page_formula_and_section_are_asked_for(copy):
    file = FILE.replace("Reference\n    ---------\n", "")
    assert copy(file=file, row=ROW.replace(FORMULA, ""), write=False) == [
        "add Reference to the docstring of HardSigmoid",
        "run: python docs/make_layers.py",
        "run: python docs/make_layers.py",
        ORACLE,
    ]
