"""The command line: what is found, what is printed, what is refused."""

import importlib
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
        (["demo", "now"], "torchlite: error: unrecognized arguments: now"),
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
    names = [file.name for file in pkgutil.iter_modules(commands.__path__)]
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
