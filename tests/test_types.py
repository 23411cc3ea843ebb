"""A user's program in the hands of type checkers, against the package as it is installed."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest

import torchlite
from torchlite import nn

PROGRAM = """\
from typing import Any

import numpy as np
import torchlite as nn
from torchlite import optim, serial


class Doubled(nn.Module):
    def updateOutput(self, input: Any) -> Any:
        self.output = 2 * input
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        self.gradInput = 2 * gradOutput
        return self.gradInput


nn.manualSeed(1)
net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), Doubled(), nn.Linear(8, 1))
criterion = nn.MSECriterion()
x = nn.random.uniform(-1, 1, size=(64, 2))
y = x[:, :1] * x[:, 1:]
parameters, gradParameters = net.getParameters()
assert net[0].type() == parameters.dtype
assert nn.Sigmoid().forward(x).shape == nn.Sigmoid().backward(x, x).shape


def opfunc(_: Any) -> tuple[float, Any]:
    net.zeroGradParameters()
    loss = criterion.forward(net.forward(x), y)
    net.backward(x, criterion.backward(net.output, y))
    return loss, gradParameters


config: dict[str, Any] = {"learningRate": 0.1}
for step in range(100):
    _, fs = optim.adam(opfunc, parameters, config)
    print(f"{step}: {fs[0]:.3f}")
serial.register("Doubled", Doubled)
serial.save("net.npz", net)
serial.load("net.npz", net).forward(x)
net.apply(nn.init.each(nn.Linear, nn.init.xavier, gain="tanh"))
nn.init.kaiming(nn.Linear(8, 1), "weight", fan="out").noBias()
node = nn.Identity()()
hidden = nn.ReLU()(nn.Linear(2, 2)(node)).annotate(name="hidden")
first, second = nn.ConcatTable(nn.ELU(), nn.ReLU())(node).split(2)
loss = nn.AbsCriterion()([first, second])
nn.graph.dot(nn.gModule([node], [nn.CAddTable()((node, hidden)), loss]).fg, "a graph")
"""
# What is right, and what a hurried hand makes of it.
SLIPS = {
    "nn.Tanh()": "nn.Tahn()",
    "net.zeroGradParameters()": "net.zeroGradParameter()",
    "nn.init.each": "nn.init.eahc",
    'fan="out").noBias()': 'fan="out").noBais()',
    "nn.MSECriterion()": "nn.MSECriterion(True, 2)",
    "nn.Linear(2, 8)": 'nn.Linear("2", 8)',
    "return loss, gradParameters": "return loss.mean(), gradParameters",
    "net[0].type()": "net[0].tpye()",
    '.annotate(name="hidden")': '.anotate(name="hidden")',
    "(node).split(2)": '(node).split("2")',
    "nn.gModule([node], [": "nn.gModule(node, [",
    "Sigmoid().forward(x).shape": "Sigmoid().forward(x).shpae",
    'serial.save("net.npz", net)': 'serial.save("net.npz", "net")',
    'serial.load("net.npz", net).forward(x)': 'serial.load("net.npz", net).forwrad(x)',
}
# The same hand in the package itself: by file, what is right and what is wrong.
SLIPS_INSIDE = {
    "kernels/sums.py": ("a.sum(axis=0)", "a.sun(axis=0)"),
    "nn/simple/normalize.py": ("input.shape", "input.shpae"),
    "nn/simple/l1_penalty.py": ("(input.size or 1)", "(input.sise or 1)"),
    "nn/simple/linear.py": ("addmm(self.gradWeight, scale", "addmm(scale, self.gradWeight"),
    "nn/simple/cosine.py": ("product(units(input, _ZERO)[0]", "product(units(input, _ZERO)"),
    "nn/table/c_add_table.py": ("total(arrays)", "total(arrays[0])"),
    "nn/table/_rows.py": ("input[0].shape", "input.shape"),
    "nn/transfer/exp.py": ("return np.exp(input)", "np.exp(input)"),
    "nn/transfer/sqrt.py": ("return np.sqrt(input)", "return np.sqrt(input), input"),
    "optim/sgd.py": ("evaluate(opfunc, x)", "evaluate(x, opfunc)"),
}


def mypy(python, files):
    """Return the (file, line) of every error that mypy --strict sees."""
    if not importlib.util.find_spec("mypy"):
        pytest.skip("there is no mypy: pip install -e '.[lint]'")
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=files[0].parent)
    found = re.findall(r"^(\w+)\.py:(\d+): error: ", done.stdout, re.MULTILINE)
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return [(name, int(line)) for name, line in found]


def pyright(python, files):
    """Return the (file, line) of everything that pyright sees."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if not (command := shutil.which("pyright", path=path)):
        pytest.skip("there is no pyright: pip install -e '.[lint]'")
    command = [command, "--outputjson", "--pythonpath", python, *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=files[0].parent)
    # At its first run npm may have something to say, too.
    said = json.loads(done.stdout[done.stdout.index("{") :])["generalDiagnostics"]
    return [(Path(row["file"]).stem, 1 + row["range"]["start"]["line"]) for row in said]


@pytest.fixture
def installed(tmp_path):
    """An environment that holds the package and, by a link, NumPy: its Python."""
    base = str(tmp_path / "environment")
    venv.create(base, symlinks=sys.platform != "win32")
    folders = sysconfig.get_paths("venv", {"base": base, "platbase": base})
    packages = Path(folders["purelib"])
    shutil.copytree(Path(torchlite.__file__).parent, packages / "torchlite")
    (packages / "numpy.pth").write_text(str(Path(np.__file__).parents[1]), "utf-8")
    return shutil.which("python", path=folders["scripts"])


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_slips_are_found_and_nothing_else(checker, installed, tmp_path):
    wrong = PROGRAM
    for right, slip in SLIPS.items():
        assert PROGRAM.count(right) == 1
        wrong = wrong.replace(right, slip)
    public = [f"torchlite.{name}" for name in dir(torchlite)]
    public += [f"torchlite.nn.{name}" for name in dir(nn)]
    names = "import torchlite\n\nprint(\n    " + ",\n    ".join(public) + ",\n)\n"
    absent = "from torchlite import Tahn\nfrom torchlite.nn import Linaer, importlib\n"
    absent += "import torchlite\ntorchlite.opitm\n"
    files = []
    for name, text in [
        ("right", PROGRAM), ("wrong", wrong), ("names", names), ("absent", absent),
    ]:  # fmt: skip
        files.append(tmp_path / f"{name}.py")
        files[-1].write_text(text, "utf-8")
    lines = enumerate(wrong.splitlines(), 1)
    expected = [("wrong", n) for n, line in lines for slip in SLIPS.values() if slip in line]
    expected += [("absent", 1), ("absent", 2), ("absent", 2), ("absent", 4)]
    assert sorted(checker(installed, files)) == sorted(expected)


def test_slips_in_the_package_are_found(tmp_path):
    if not importlib.util.find_spec("mypy"):
        pytest.skip("there is no mypy: pip install -e '.[lint]'")
    package = Path(torchlite.__file__).parent
    shutil.copytree(package, tmp_path / "torchlite")
    shutil.copy(Path(__file__).parents[1] / "pyproject.toml", tmp_path)
    expected = set()
    for name, (right, slip) in SLIPS_INSIDE.items():
        before, _, behind = (package / name).read_text("utf-8").partition(right)
        assert behind
        (tmp_path / "torchlite" / name).write_text(before + slip + behind, "utf-8")
        line = before.count("\n") + 1
        # What returns nothing is found where it says that it does.
        expected.add((name, line - 1 if right == f"return {slip}" else line))
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], capture_output=True, text=True, cwd=tmp_path
    )
    found = re.findall(r"^torchlite.(.*):(\d+): error: ", done.stdout, re.MULTILINE)
    assert {(name.replace("\\", "/"), int(line)) for name, line in found} == expected


def test_the_program_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(PROGRAM, {"__name__": "program"})
    assert capsys.readouterr().out.endswith("99: 0.000\n")
    assert (tmp_path / "net.npz").exists()
