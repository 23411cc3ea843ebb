"""What a new class takes, and that whatever is forgotten is asked for.

A layer takes its file, one name and one row, which stand in CONTRIBUTING.md. All is done in a copy
of the project.
"""

import itertools
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
# As CONTRIBUTING.md has them.
FILE, NAME, ROW = re.findall(
    r"^```python\n(.*?)^```",
    (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
    re.DOTALL | re.MULTILINE,
)
FORMULA = re.search(r"^ *formula=.*\n", ROW, re.MULTILINE)[0]
INDEX, ROWS = "torchlite/nn/__init__.py", "tests/cases/transfer.py"
ORACLE = (
    "give a row of HardSigmoid in tests/cases/transfer.py a formula (tests/exact.py), or add it to "
    "tests/data/make_pytorch_layers.py: Torch7 lacks it"
)


class Project:
    """A copy of the project in which files are changed."""

    def __init__(self, root):
        self.root = root
        self.before = {}
        # Files change faster than the seconds that byte code is known by: each has one of its own.
        self.seconds = itertools.count(1)
        unneeded = shutil.ignore_patterns("__pycache__", "examples", "stepping")
        for folder in ("docs", "tests"):
            shutil.copytree(ROOT / folder, root / folder, ignore=unneeded)
        shutil.copytree(Path(torchlite.__file__).parent, root / "torchlite")
        for file in ("pyproject.toml", "setup.cfg"):
            shutil.copy(ROOT / file, root)

    def write(self, path, text, *, before=""):
        """Write a file; or add the text to it, before these words."""
        file = self.root / path
        old = file.read_text("utf-8") if file.exists() else None
        self.before.setdefault(path, old)
        if before:
            assert old.count(before) == 1
            text = old.replace(before, text + before)
        self._put(file, text)

    def _put(self, file, text):
        file.write_text(text, "utf-8")
        second = next(self.seconds)
        os.utime(file, (second, second))

    def restore(self):
        for path, text in self.before.items():
            if text is None:
                (self.root / path).unlink()
            else:
                self._put(self.root / path, text)
        self.before.clear()

    def run(self, *arguments):
        """Run Python there."""
        environment = {**os.environ, "PYTHONPATH": str(self.root)}
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True
        )

    def asked(self, parts, chosen):
        """Return what the tests of these parts, by words of their names, ask for."""
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-k", chosen]
        done = self.run("-m", "pytest", *options, *(f"tests/test_{part}.py" for part in parts))
        words = "add|call|export|give|name|run"
        found = re.findall(rf"^(?:E   \w+: )?((?:{words}):? .*)$", done.stdout, re.MULTILINE)
        assert (done.returncode == 0) == (not found), done.stdout + done.stderr
        return found


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(copied):
    yield copied
    copied.restore()


# ---------------------------------------------------------------- layers


def layer(project, file=FILE, name=NAME, row=ROW, write=True):
    """Return what is asked for when these pieces are there."""
    project.write("torchlite/nn/transfer/hard_sigmoid.py", file)
    project.write(INDEX, name, before='    "HardTanh": ')
    project.write(ROWS, row, before="    Case(lambda: nn.HardTanh(")
    if write:
        for path in ("docs/layers.md", "torchlite/nn/__init__.pyi"):
            project.write(path, "")
        made = project.run("docs/make_layers.py")
        assert made.returncode == 0, made.stderr
    chosen = "HardSigmoid or index or page or checkers or compared or has_a_row"
    return project.asked(["docs", "floors", "contract", "exact"], chosen)


def test_the_file_the_name_and_the_row_are_all(project):
    assert layer(project) == []


def test_a_forgotten_name_is_asked_for(project):
    assert layer(project, name="", row="") == [
        'add "HardSigmoid": "transfer.hard_sigmoid" to _HOMES in torchlite/nn/__init__.py'
    ]


def test_a_forgotten_row_is_asked_for(project):
    assert layer(project, row="") == [
        ORACLE,
        "add a row for HardSigmoid to tests/cases/transfer.py",
    ]


def test_a_forgotten_page_formula_and_section_are_asked_for(project):
    file = FILE.replace("Reference\n    ---------\n", "")
    assert layer(project, file=file, row=ROW.replace(FORMULA, ""), write=False) == [
        "add Reference to the docstring of HardSigmoid",
        "run: python docs/make_layers.py",
        "run: python docs/make_layers.py",
        ORACLE,
    ]


# ---------------------------------------------------------------- optimizers


def optimizer(project, old, new, export=True):
    """Return what is asked for when adam was copied to madam, a text of it replaced."""
    text = (project.root / "torchlite/optim/adam.py").read_text("utf-8")
    text = re.sub(r"\badam\b(?!\.lua)", "madam", text).replace("_ADAM", "_MADAM")
    assert old in text
    project.write("torchlite/optim/madam.py", text.replace(old, new))
    if export:
        index = "torchlite/optim/__init__.py"
        project.write(
            index,
            "from torchlite.optim.madam import madam\n",
            before="from torchlite.optim.nag import",
        )
        project.write(index, '    "madam",\n', before='    "nag",')
    return project.asked(["optim_docs"], "")


def test_an_unexported_optimizer_is_asked_for(project):
    assert optimizer(project, "", "", export=False) == [
        "export madam of torchlite/optim/madam.py in torchlite/optim/__init__.py"
    ]


def test_a_wrong_default_and_a_name_left_over_are_asked_for(project):
    assert optimizer(project, "beta1 : 0.9", "beta1 : 0.8") == [
        "give the default of beta1 of madam, 0.9, in its Config",
        "name the source of madam in its Reference",
        "add madam to STEPWISE in tests/optimizers.py",
    ]


def test_a_method_left_over_from_a_copy_is_asked_for(project):
    assert optimizer(project, 'Method(\n    "madam"', 'Method(\n    "adam"') == [
        'name it Method("madam", ...), as its function',
        "add madam to STEPWISE in tests/optimizers.py",
    ]
