"""The command line: what is found, what is printed, what is refused."""

import importlib
import io
import itertools
import os
import pkgutil
import re
import signal
import subprocess
import sys

import pytest

import torchlite
from torchlite import commands
from torchlite.__main__ import main
from torchlite.commands import _terminal
from torchlite.commands import demo as demo_command
from torchlite.commands.demo import PLAIN_SHADES, SHADES, WHAT_NEXT

NUMBER = r"\d+(\.\d+)?(e[+-]\d\d)?"

# demo


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    """A wide one, whichever the tests are run in."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def demo(whole_demo, monkeypatch):
    """The same without the numeric check, which takes most of the time."""
    monkeypatch.setattr(demo_command, "_checked", lambda net: "not checked")
    return whole_demo


@pytest.fixture
def whole_demo(capsys):
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


def test_demo_prints_a_table_of_gradients(whole_demo):
    lines = whole_demo("--epochs", "1").out.splitlines()
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


def test_demo_names_examples_where_there_are_some(demo, monkeypatch, tmp_path):
    """A wheel has none, whatever else is called so where it was installed."""
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "torchlite" / "__init__.py"
    monkeypatch.setattr(torchlite, "__file__", str(package))
    (tmp_path / "examples").mkdir()
    out = demo("--epochs", "1").out
    assert "examples" not in out
    assert "-m torchlite trace --html steps.html" in out
    (tmp_path / "examples" / "step_by_hand.py").write_text("")
    found = re.findall(r"\S*examples\S*", demo("--epochs", "1").out)
    assert [os.path.normpath(name) for name in found] == [
        os.path.join("examples", "step_by_hand.py")
    ]


def test_the_examples_that_the_demo_names_are_there(pytestconfig):
    named = re.findall(r"{examples}(/\S+)", " ".join(WHAT_NEXT.values()))
    assert len(named) == 2
    assert all((pytestconfig.rootpath / f"examples{name}").is_file() for name in named)


def test_demo_calls_python_as_the_reader_can(demo, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert "   .venv" in demo("--epochs", "1").out
    elsewhere = tmp_path.parent / "else where"
    monkeypatch.setattr(sys, "executable", str(elsewhere / "python3"))
    monkeypatch.setattr("shutil.which", lambda name: str(elsewhere / name))
    assert "   python -m torchlite demo --seed" in demo("--epochs", "1").out
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert f'   "{elsewhere / "python3"}" -m torchlite demo --seed' in demo("--epochs", "1").out


def test_demo_is_the_same_for_the_same_seed_and_another_for_another(demo):
    first, again, other = (demo("--epochs", "1", "--seed", seed).out for seed in ("3", "3", "-4"))
    assert first == again != other


def test_demo_reads_more_than_96_percent(demo, pytestconfig):
    number = r"\d+\.\d+"
    for seed in ("0", "1", "2"):
        out = demo("--seed", seed).out
        accuracy = re.search(r"^test accuracy: (\d+\.\d) %$", out, re.M)
        assert float(accuracy[1]) >= 96
        if seed == "0":
            readme = (pytestconfig.rootpath / "README.md").read_text("utf-8")
            block = re.search(r"^```text\n(epoch.*?)```", readme, re.M | re.S)
            trained, checked, said = block[1].splitlines()
            shown = re.search(r"^epoch 25 .*$", out, re.M)[0]
            assert re.sub(number, "", trained) == re.sub(number, "", shown)
            for ours, theirs in zip(
                *(re.findall(number, x) for x in (trained, shown)), strict=True
            ):
                assert abs(float(ours) / float(theirs) - 1) < 0.1
            assert f"\n{said}\n" in out
            assert checked == "numeric check: the gradients of all 5 layers are the derivatives"


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


# a digit, drawn


def drawn(out):
    """Return the lines of the picture, and those after it."""
    lines = out.splitlines()
    start = lines.index("a digit that it never saw, and what it says of it") + 1
    return lines[start : start + 10], lines[start + 10 :]


def test_demo_ends_with_a_digit_and_what_the_network_says_of_it(demo):
    lines, rest = drawn(demo("--epochs", "5").out)
    rows = [line[2:18] for line in lines]
    assert rows[8:] == [" " * 16] * 2
    x = torchlite.datasets.digits().x_test[0].reshape(8, 8)
    assert rows[:8] == ["".join(2 * SHADES[int(4 * pixel)] for pixel in row) for row in x]
    said = [re.fullmatch(r"  (\d) {1,2}(-?\d\.\d\d)(?: (█*))?", line[18:]) for line in lines]
    assert [row[1] for row in said] == list("0123456789")
    assert float(said[0][2]) > 0.7
    assert all(abs(len(row[3] or "") - 30 * min(max(float(row[2]), 0), 1)) <= 1 for row in said)
    python = _terminal.python()
    assert rest == [
        "it says 0, and it is a 0",
        "every number on the way, as a page:",
        f"  {python} -m torchlite demo --epochs 5 --html digit.html",
        "",
        rest[-1],
    ]


def test_demo_draws_by_letters_where_there_are_no_blocks(demo, monkeypatch):
    blocks = set(SHADES) - {" "}
    assert blocks <= set(demo("--epochs", "1").out)
    monkeypatch.setenv("TERM", "dumb")
    lines, _ = drawn(demo("--epochs", "1").out)
    assert lines[0].startswith("  ....--**++......  0  ")
    assert not blocks & set("".join(lines))
    assert set(lines[0][2:18]) <= set(PLAIN_SHADES)


@pytest.mark.parametrize(("encoding", "has"), [("utf-8", True), ("cp437", True), ("cp1252", False)])
def test_signs_are_those_of_the_encoding(monkeypatch, encoding, has):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))
    assert _terminal.signs(SHADES, PLAIN_SHADES) == (SHADES if has else PLAIN_SHADES)


def test_demo_writes_the_page_of_its_digit(demo, capsys, tmp_path):
    page = tmp_path / "digit.html"
    out = demo("--epochs", "1", "--html", str(page)).out
    assert f"every number on the way, as a page:\n  {page}\n" in out
    assert "<html" in page.read_text("utf-8")[:200]
    assert main(["demo", "--epochs", "1", "--html", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("demo: ")


# terminals


def test_demo_on_a_dumb_terminal_writes_lines_alone(demo, monkeypatch):
    _pretend_to_be_a_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    out, err = demo("--epochs", "1")
    assert not {"\033", "\r"} & set(out)
    assert err == ""


def test_demo_without_colours_has_a_bar(demo, monkeypatch):
    _pretend_to_be_a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    out, err = demo("--epochs", "1")
    assert "\033[" not in out.replace("\r\033[K", "")
    assert "1/1" in err
    monkeypatch.setenv("NO_COLOR", "")
    assert "\033[1m" in demo("--epochs", "1").out


@pytest.mark.parametrize(
    "arguments",
    [["demo", "--epochs", "1"], ["summary"], ["trace"], ["show", "net.npz"]],
)
def test_narrow_terminals_need_not_break_lines(capsys, monkeypatch, tmp_path, arguments):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.chdir(tmp_path)
    torchlite.serial.save("net.npz", torchlite.nn.Sequential(torchlite.nn.Linear(64, 80)))
    monkeypatch.setattr(_terminal, "python", lambda: "python")
    assert main(arguments) == 0
    # Commands are to be copied as they are.
    allowed = r"^ +python (-m torchlite|\S*examples)"
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > 40 and not re.search(allowed, line)] == []


def test_a_narrow_summary_says_all_that_a_wide_one_does(capsys, monkeypatch):
    assert main(["summary"]) == 0
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["summary"]) == 0
    narrow = capsys.readouterr().out
    assert max(map(len, wide.splitlines())) > 40
    assert set(narrow.split()) - {"-" * n for n in range(41)} >= {
        word for word in wide.split() if not word.startswith("--")
    }


# Ctrl-C


def stopping(at):
    """Return a function that stops at the call of this number, and does nothing before."""
    calls = itertools.count(1)

    def call(*arguments, **settings):
        if next(calls) == at:
            raise KeyboardInterrupt
        return 0.5

    return call


def test_ctrl_c_in_the_demo_says_what_was_reached(capsys, monkeypatch):
    monkeypatch.setattr(demo_command, "_train", stopping(3))
    assert main(["demo", "--epochs", "9"]) == 130
    out, err = capsys.readouterr()
    accuracy = re.findall(r"^epoch .*accuracy (.*) %$", out, re.M)
    assert len(accuracy) == 2
    said = f"demo: stopped, in epoch 3 of 9, at a test accuracy of {accuracy[-1]} %"
    assert re.fullmatch(rf"{re.escape(said)} \(test_commands\.py:\d+\)\n", err)


def test_ctrl_c_in_the_check_says_how_many_properties_hold(folder, capsys):
    (folder / "slow.py").write_text(
        "import numpy as np\nimport torchlite as nn\n"
        "class Slow(nn.Identity):\n"
        "    def zeroGradParameters(self):\n"
        "        raise KeyboardInterrupt\n"
    )
    assert main(["check", "slow.py:Slow", "--input", "2x3"]) == 130
    err = capsys.readouterr().err
    assert re.fullmatch(
        r"check: stopped, while \w+ was checked, after \d+ that hold \(slow.py:5\)\n", err
    )


STOPS = """
import numpy as np
import torchlite as nn

class Stop(nn.Identity):
    def updateOutput(self, input):
        raise KeyboardInterrupt

def work():
    net = nn.Sequential(nn.Linear(3, 2), Stop())
    return net, nn.MSECriterion(), np.ones((2, 3)), np.ones((2, 2))
"""


def test_ctrl_c_while_a_network_runs(folder, capsys):
    (folder / "stops.py").write_text(STOPS)
    assert main(["trace", "stops.py:work"]) == 130
    assert capsys.readouterr().err == "trace: stopped, after 1 steps (stops.py:7)\n"
    assert main(["summary", "stops.py:work"]) == 130
    out, err = capsys.readouterr()
    assert re.search(r"^  net\[0\]  Linear\(3 -> 2\) +8$", out, re.M)
    assert err == "summary: stopped, while the network ran: shapes are missing (stops.py:7)\n"


@pytest.mark.skipif(sys.platform == "win32", reason="it sends a signal")
def test_ctrl_c_ends_the_program_without_a_traceback():
    command = [sys.executable, "-u", "-m", "torchlite", "demo", "--epochs", "100000"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        while not process.stdout.readline().startswith("epoch  2"):
            pass
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert re.fullmatch(
        r"demo: stopped, in epoch \d+ of 100000, at a test accuracy of \d+\.\d %\n", errors
    )


IMPORTED = """
import os
import signal
import time

os.kill(os.getpid(), signal.SIGINT)
time.sleep(0.01)
raise SystemExit("it went on")
"""
CALLED = "try:\n    import torchlite\nfinally:\n    print('the end')\n"
SCRIPT = os.path.join(os.path.dirname(sys.executable), "torchlite")


@pytest.mark.skipif(sys.platform == "win32", reason="it sends a signal")
@pytest.mark.parametrize("loading", ["numpy", "argparse"])
@pytest.mark.parametrize("program", [["-m", "torchlite"], [SCRIPT]])
def test_ctrl_c_while_the_program_is_loaded(tmp_path, loading, program):
    """Of NumPy, and of what comes after it and before the command."""
    (tmp_path / f"{loading}.py").write_text(IMPORTED)
    (tmp_path / "torchlite").write_text(CALLED)
    if program == [SCRIPT] and not os.path.exists(SCRIPT):
        pytest.skip("it is not installed")
    paths = [str(tmp_path), os.path.dirname(os.path.dirname(torchlite.__file__))]

    def run(*arguments, **settings):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            **settings,
        )

    finished = run(*program, "demo")
    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")
    # A program of somebody's ends as it likes, and one in the background does not at all.
    if program[0] == "-m" and loading == "numpy":
        assert "KeyboardInterrupt" in run("-c", "import torchlite").stderr
        assert run("torchlite").stdout == "the end\n"
        # What a process of the command line starts has its arguments.
        child = f"import sys; sys.argv = [{SCRIPT!r}, 'check']; import torchlite"
        assert "KeyboardInterrupt" in run("-c", child).stderr
        ignoring = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        start = "os.execv(sys.executable, [sys.executable, '-m', 'torchlite'])"
        assert run("-c", ignoring + start).stderr == "it went on\n"


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

def layer(size, /, scale, rate: float = 0.1, *, name):
    return Mine()

def wrong():
    return layer(name=1)
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
        (["check", "random.py:Mine", "--input", "2x3"], "Mine: 32 properties hold, no parameters"),
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


ONE_OF = "check: the name must be one of Loss, Mine, homework, layer, wrong in"
WHICH = "check: what is named must be file.py:name or package.module:name"
LAYER = "check: --args must be what layer(size, /, scale, rate=0.1, *, name) takes"
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
        (["."], f"SettingError: {WHICH}, got '.'"),
        ([".:Mine"], f"SettingError: {WHICH}, got '.:Mine'"),
        (["work..x:Mine"], f"SettingError: {WHICH}, got 'work..x:Mine'"),
        (["./other:Mine"], f"SettingError: {WHICH}, got './other:Mine'"),
        (["./work:Mine"], f"SettingError: {WHICH}, got './work:Mine'\n  hint: ./work.py:Mine"),
        (
            ["work.py:layer"],
            f"SettingError: {LAYER}, got none\n  hint: --args ...,scale=...,name=...",
        ),
        (
            ["work.py:layer", "--args", "3,scale=2.0,nam=1"],
            f"SettingError: {LAYER}, got '3,scale=2.0,nam=1'\n"
            "  hint: --args ...,scale=...,name=...",
        ),
        (
            ["work.py:Mine", "--args", "True,3"],
            "SettingError: check: --args must be what Mine(inplace=False) takes, got 'True,3'",
        ),
        (
            ["torchlite.nn:Linear"],
            "SettingError: check: --args must be what Linear(inputSize, outputSize, bias=True) "
            "takes, got none\n  hint: --args inputSize=...,outputSize=...",
        ),
        (
            ["work.py:wrong"],
            "TypeError: layer() missing 2 required positional arguments: 'size' and 'scale'\n"
            "  work.py:22, wrong: return layer(name=1)",
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
def test_commands_tell_where_in_the_users_own_files_an_error_is(folder, capsys, command):
    (folder / "broken.py").write_text(
        "from beside_it import divide\n\ndef net():\n    return divide(1)\n"
    )
    (folder / "beside_it.py").write_text("def divide(x):\n    return x / 0\n")
    assert main([command[0], "broken.py:net", *command[1:]]) == 2
    assert capsys.readouterr().err == (
        f"{command[0]}: ZeroDivisionError: division by zero\n"
        "  broken.py:4, net: return divide(1)\n"
        f"  {(folder / 'beside_it.py').resolve()}:2, divide: return x / 0\n"
    )
    (folder / "broken.py").write_text("import torchlite as nn\n\ndef net(:\n")
    assert main([command[0], "broken.py:net", *command[1:]]) == 2
    assert capsys.readouterr().err == (
        f"{command[0]}: SyntaxError: invalid syntax (broken.py, line 3)\n  broken.py:3: def net(:\n"
    )


def test_an_error_of_torchlites_shows_the_users_lines_and_no_others(folder, capsys):
    (folder / "shapes.py").write_text(
        "import numpy as np\nimport torchlite as nn\n\n"
        "def net():\n    return nn.Sequential(nn.Linear(3, 2)).forward(np.ones((2, 5)))\n"
    )
    assert main(["trace", "shapes.py:net"]) == 2
    assert capsys.readouterr().err == (
        "trace: ShapeError: Linear(3 -> 2).updateOutput: input must be (3,) or (N, 3), got (2, 5)\n"
        "  hint: Linear(5, 2) would fit\n"
        "  at [0] of Sequential: input (2, 5) -> [0] here\n"
        "  shapes.py:5, net: return nn.Sequential(nn.Linear(3, 2)).forward(np.ones((2, 5)))\n"
    )


@pytest.mark.parametrize("command", [["trace"], ["summary"], ["play", "--no-browser"]])
def test_a_function_that_wants_arguments_is_refused(folder, capsys, command):
    assert main([*command, "work.py:layer"]) == 2
    assert capsys.readouterr().err == (
        f"{command[0]}: DTypeError: {command[0]}: work.py:layer must be a function without "
        "arguments, got layer(size, /, scale, rate=0.1, *, name)\n"
        "  hint: write one that calls it: def mine(): return layer(..., scale=..., name=...)\n"
    )


FOUR = "(net, criterion, input, target)"
ARRAYS = "an array, or a list of arrays"


@pytest.mark.parametrize(
    ("returned", "which", "expected", "got"),
    [
        ("net", "", "", "Sequential"),
        ("net, loss, x", "", "", "a tuple of 3"),
        ("loss, net, x, y", "net", "a Module", "Loss"),
        ("x, y, net, loss", "net", "a Module", "ndarray"),
        ("net, x, y, loss", "criterion", "a Criterion", "ndarray"),
        ("net, loss, 3, y", "input", ARRAYS, "int"),
        ("net, loss, [x, None], y", "input", ARRAYS, "list"),
        ("net, loss, net, y", "input", ARRAYS, "Sequential"),
        ("net, None, x, loss", "target", ARRAYS, "Loss"),
    ],
)
@pytest.mark.parametrize("command", ["trace", "summary"])
def test_a_tuple_in_another_order_says_which_is_none(
    folder, capsys, command, returned, which, expected, got
):
    made = "net, loss, x, y = nn.Sequential(Mine()), Loss(), np.ones((2, 3)), np.zeros((2, 3))"
    program = NETWORK.partition("def homework")[0]
    (folder / "four.py").write_text(f"{program}def four():\n    {made}\n    return {returned}\n")
    status = main([command, "four.py:four"])
    if command == "summary" and returned == "net":
        assert status == 0
        return
    assert status == 2
    of = f"{which} of " if which else ""
    hint = f"\n  hint: the order is {FOUR}" if which else ""
    assert capsys.readouterr().err == (
        f"{command}: DTypeError: {command}: {of}what four.py:four returns must be "
        f"{expected or FOUR}, got {got}{hint}\n"
    )


def test_a_network_may_have_no_criterion_and_several_inputs(folder, capsys):
    (folder / "two.py").write_text(
        "import numpy as np\nimport torchlite as nn\n\n"
        "def work():\n    return nn.CAddTable(), None, [np.ones((2, 3))] * 2, None\n"
    )
    assert main(["trace", "two.py:work"]) == 0
    assert "step 1: updateOutput of net, CAddTable" in capsys.readouterr().out
    assert main(["summary", "two.py:work"]) == 0
    assert re.search(r"^net +CAddTable  \(2, 3\) ", capsys.readouterr().out, re.M)


COMMANDS = {name for _, name, _ in pkgutil.iter_modules(commands.__path__) if name[0] != "_"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_ends_with_an_example(capsys, monkeypatch, name):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith(f"example: torchlite {name}")


# Those of show and convert run with the tests of files; play serves until it is stopped.
@pytest.mark.parametrize("name", sorted(COMMANDS - {"show", "convert", "play"}))
def test_the_example_of_help_works(capsys, monkeypatch, tmp_path, name):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    *_, last = capsys.readouterr().out.splitlines()
    monkeypatch.chdir(tmp_path)
    assert main(last.split()[2:]) == 0
    out, err = capsys.readouterr()
    assert (bool(out), err) == (True, "")


def test_summary_of_what_is_no_network_says_so(tmp_path, capsys):
    file = tmp_path / "forgets.py"
    file.write_text("def f():\n    pass\n")
    assert main(["summary", f"{file}:f"]) == 2
    expected = "a Module, or (net, criterion, input, target), got NoneType"
    assert capsys.readouterr().err == (
        f"summary: DTypeError: summary: what {file}:f returns must be {expected}\n"
    )
