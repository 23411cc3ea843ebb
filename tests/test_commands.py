"""The command line: what is found, what is printed, what is refused."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys

import pytest

import torchlite
from torchlite import commands
from torchlite.__main__ import main

NUMBER = r"\d+(\.\d+)?(e[+-]\d\d)?"

# demo


@pytest.fixture
def demo(capsys):
    """Run the demo and return what it prints, and what on stderr."""

    def run(*arguments):
        assert main(["demo", *arguments]) == 0
        return capsys.readouterr()

    return run


def test_demo_prints_loss_and_accuracy_of_every_epoch(demo):
    out = demo("--epochs", "2").out
    epochs = re.findall(r"^epoch +(\d+)  loss 0\.\d{4}  test accuracy (\d+\.\d) %$", out, re.M)
    assert [epoch for epoch, _ in epochs] == ["1", "2"]
    assert out.endswith(f"\ntest accuracy: {epochs[-1][1]} %\n")


def test_demo_prints_a_table_of_gradients(demo):
    lines = demo("--epochs", "1").out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("at "))
    title, *rows = (re.split("  +", line) for line in lines[start : start + 6])
    assert title == ["at", "layer", "output", "norm", "gradInput", "norm", "gradWeight", "gradBias"]
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        ("[0]", "Linear(64 -> 80)", "(16, 80)", "(16, 64)"),
        ("[1]", "ReLU", "(16, 80)", "(16, 80)"),
        ("[2]", "Linear(80 -> 40)", "(16, 40)", "(16, 80)"),
        ("[3]", "ReLU", "(16, 40)", "(16, 40)"),
        ("[4]", "Linear(40 -> 10)", "(16, 10)", "(16, 40)"),
    ]
    for row in rows:
        norms = [row[3], row[5], *(row[6:] if row[1] != "ReLU" else [])]
        assert all(re.fullmatch(NUMBER, norm) and float(norm) > 0 for norm in norms)
        assert row[1] != "ReLU" or row[6:] == ["-", "-"]
    assert lines[start + 6] == ("numeric check: the gradients of all 5 layers are the derivatives")


def test_demo_names_only_examples_that_exist(demo, pytestconfig):
    examples = re.findall(r"examples/\S+", demo("--epochs", "1").out)
    assert examples
    for example in examples:
        assert (pytestconfig.rootpath / example).is_file()


def test_demo_calls_python_as_the_reader_can(demo, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert "   .venv" in demo("--epochs", "1").out
    monkeypatch.setattr(sys, "executable", "/elsewhere/python3")
    assert "   python -m torchlite demo --seed" in demo("--epochs", "1").out


def test_demo_is_the_same_for_the_same_seed_and_another_for_another(demo):
    first, again, other = (demo("--epochs", "1", "--seed", seed).out for seed in ("3", "3", "-4"))
    assert first == again != other


def test_demo_reads_more_than_96_percent(demo):
    for seed in ("0", "1", "2"):
        accuracy = re.search(r"^test accuracy: (\d+\.\d) %$", demo("--seed", seed).out, re.M)
        assert float(accuracy[1]) >= 96


def test_demo_is_plain_where_output_is_no_terminal(demo):
    out, err = demo("--epochs", "1")
    assert not {"\033", "\r"} & set(out)
    assert err == ""


def _pretend_to_be_a_terminal(monkeypatch):
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)


def test_demo_on_a_terminal_has_colour_and_a_bar(demo, monkeypatch):
    _pretend_to_be_a_terminal(monkeypatch)
    out, err = demo("--epochs", "2")
    assert re.search("^\033\\[1mtest accuracy: .* %\033\\[0m\n\\Z", out, re.M)
    assert "\r\033[Kepoch  1 " in out
    assert "epochs" in err
    assert "2/2" in err


def test_demo_can_be_plain_on_a_terminal(demo, monkeypatch):
    _pretend_to_be_a_terminal(monkeypatch)
    out, err = demo("--epochs", "1", "--plain")
    assert not {"\033", "\r"} & set(out)
    assert err == ""


# the command line


def test_module_is_a_program():
    version = [sys.executable, "-m", "torchlite", "--version"]
    finished = subprocess.run(version, capture_output=True, text=True, check=True)
    assert finished.stdout == f"torchlite {torchlite.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "torchlite: error: the following arguments are required: COMMAND"),
        (["dome"], "torchlite: error: argument COMMAND: invalid choice: 'dome'"),
        (["demo", "now"], "torchlite: error: unrecognized arguments: now\n"),
        (
            ["check", "torchlite.nn:JoinTable", "--args", "1", "--input", "5x3", "5x2"],
            "torchlite: error: unrecognized arguments: 5x2\n"
            "  hint: several stand between quotes: --input '5x3 5x2'\n",
        ),
        (["check", "a:B", "--input", "5", "--al2"], "error: unrecognized arguments: --al2\n"),
        (["demo", "--seed", "x"], "demo: error: argument --seed: invalid int value: 'x'"),
        (["demo", "--epochs", "x"], "demo: error: argument --epochs: must be a whole number"),
        (["demo", "--epochs", "0"], "demo: error: argument --epochs: must be at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_refused(capsys, arguments, message):
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert message in capsys.readouterr().err


def test_every_command_explains_itself(capsys):
    names = [name for _, name, _ in pkgutil.iter_modules(commands.__path__) if name[0] != "_"]
    assert "demo" in names
    with pytest.raises(SystemExit):
        main(["--help"])
    overview = capsys.readouterr().out
    for name in names:
        with pytest.raises(SystemExit):
            main([name, "--help"])
        summary = importlib.import_module(f"torchlite.commands.{name}").__doc__.split("\n")[0]
        for text in (overview, capsys.readouterr().out):
            assert summary in " ".join(text.split())


def test_a_file_is_a_command(capsys, monkeypatch, tmp_path):
    (tmp_path / "greet.py").write_text(
        '"""Say hello."""\n'
        "def add_arguments(parser): parser.add_argument('name')\n"
        "def run(args): print('hello', args.name); return 3\n"
    )
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    try:
        assert main(["greet", "Ada"]) == 3
    finally:
        sys.modules.pop("torchlite.commands.greet")
        del commands.greet
    assert capsys.readouterr().out == "hello Ada\n"


# what users name


NETWORK = """
import random
import numpy as np
import torchlite as nn
from beside_it import Base

class Mine(Base):
    lots = random.Random(0).random()

class Loss(nn.MSECriterion):
    pass

def homework():
    return nn.Sequential(Mine()), Loss(), np.ones((2, 3)), np.zeros((2, 3))

several = homework(), 1
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a file that is called like a module of Python's, and what that imports."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "random.py").write_text(NETWORK)
    (tmp_path / "work.py").write_text(NETWORK)
    (tmp_path / "beside_it.py").write_text("from torchlite.nn import ReLU as Base\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in ("work", "beside_it"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "random.py:Mine", "--input", "2x3"], "Mine: 31 properties hold, no parameters"),
        (["trace", "random.py:homework"], "step 1: updateOutput of net[0], Mine"),
        (["summary", "random.py:homework"], "net[0]  Mine"),
    ],
)
def test_a_file_in_the_current_folder_hides_nothing(folder, arguments, said):
    program = [sys.executable, "-m", "torchlite", *arguments]
    finished = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert said in finished.stdout


def test_programs_of_others_find_what_lies_beside_them(folder):
    (folder / "theirs.py").write_text("import torchlite, sys\nprint(sys.path[0])\n")
    program = [sys.executable, "-m", "theirs"]
    finished = subprocess.run(program, capture_output=True, text=True, check=True)
    assert finished.stdout == f"{folder}\n"


def test_what_lies_beside_a_file_comes_before_what_is_installed(folder, capsys):
    installed = folder / "installed"
    installed.mkdir()
    (installed / "beside_it.py").write_text("")
    sys.path.append(str(installed))
    assert main(["trace", f"{folder / 'work.py'}:homework"]) == 0
    assert main(["trace", "work:homework"]) == 0
    assert sys.path.count(str(folder)) == 1


ONE_OF = "check: the name must be one of Loss, Mine, homework in"
NONE_OF = "check: the name must be a class or a function in"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["work.py:Mien"], f"SettingError: {ONE_OF} work.py, got 'Mien'\n  hint: work.py:Mine?"),
        (["work.py:Other"], f"SettingError: {ONE_OF} work.py, got 'Other'"),
        (["work:mine"], f"SettingError: {ONE_OF} {{}}work.py, got 'mine'\n  hint: work:Mine?"),
        (
            ["beside_it.py:Bose"],
            f"SettingError: {NONE_OF} beside_it.py, got 'Bose'",
        ),
        (
            ["torchlite.nn:Liner"],
            f"SettingError: {NONE_OF} {torchlite.nn.__file__}, got 'Liner'\n"
            "  hint: torchlite.nn:Linear?",
        ),
        (
            ["torchlite.nn:MSELoss"],
            "AttributeError: module 'torchlite.nn' has no attribute 'MSELoss'\n"
            "  hint: nn.MSECriterion",
        ),
        (["work.py:np"], "DTypeError: check: work.py:np must be a class or a function, got module"),
        (
            ["work.py:homework"],
            "DTypeError: check_module: module must be a Module or what makes one, got tuple",
        ),
        (
            ["work.py"],
            "SettingError: check: what is named must be file.py:name or package.module:name, "
            "got 'work.py'",
        ),
        (
            ["work.py:Loss"],
            "SettingError: check: --target must be given for a criterion, got none\n"
            "  hint: --target 5x3, or --target 'ids:5<3' for classes",
        ),
        (
            ["work.py:Mine", "--exempt", "nan,batch"],
            "SettingError: check: --exempt must be PROPERTY=REASON, once for each property, "
            "got 'nan,batch'\n  hint: --exempt 'nan=why' --exempt 'batch=why'",
        ),
        (
            ["work.py:Mine", "--exempt", "nan="],
            "SettingError: check: --exempt must be PROPERTY=REASON, once for each property, "
            "got 'nan='\n  hint: --exempt 'nan=why'",
        ),
        (
            ["work.py:Mine", "--only", "nan,batch"],
            "SettingError: check: --only must be one PROPERTY, and given once for each, "
            "got 'nan,batch'\n  hint: --only nan --only batch",
        ),
    ],
)
def test_check_says_what_it_needs(folder, capsys, arguments, said):
    assert main(["check", *arguments, "--input", "2x3"]) == 2
    assert capsys.readouterr().err == f"check: {said.format(f'{folder}{os.sep}')}\n"


def test_check_takes_reasons_and_properties_one_by_one(folder, capsys):
    properties = ["--only", "nan", "--only", "batch", "--exempt", "nan=why not"]
    assert main(["check", "work.py:Mine", "--input", "2x3", *properties]) == 0
    assert capsys.readouterr().out == (
        "Mine: 1 property holds, no parameters\n  exempt from nan: why not\n"
    )


@pytest.mark.parametrize("command", [["check", "--input", "2"], ["trace"], ["summary"]])
def test_commands_tell_in_which_line_of_the_file_an_error_is(folder, capsys, command):
    (folder / "broken.py").write_text("def net():\n    return 1 / 0\n")
    assert main([command[0], "broken.py:net", *command[1:]]) == 2
    said = f"{command[0]}: ZeroDivisionError: division by zero (broken.py:2)\n"
    assert capsys.readouterr().err == said
