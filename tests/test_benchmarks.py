"""Benchmarks run, on sizes that take no time, and its report says what was measured."""

import importlib
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bugs
import cases
import numpy as np
import pytest
from bugs.good import Good

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import (
    checker_alarms,
    checker_scoreboard,
    compare,
    imports,
    load,
    memory,
    play,
    report,
    run,
    timing,
)
from benchmarks.cases import CASES, GROWTH, MEMORY, NAMED, ROWS, material, named
from benchmarks.measure import measure
from benchmarks.peers import MODULES, Contender, enter, versions
from benchmarks.programs import ROOT
from benchmarks.sequences import GROWTH_OF_SEQUENCES, SEQUENCES
from benchmarks.timing import ONCE, Pace, take_turns
from benchmarks.windows import GROWTH_OF_WINDOWS, PARTS, WINDOWS
from torchlite import nn
from torchlite.kernels import blas
from torchlite.play import PROBLEMS


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", NAMED.values(), ids=NAMED)
def test_every_case_runs_with_numpy_alone(case, dtype):
    contenders, absent = enter(1, dtype, ["torchlite", "products"])
    times = measure(case.tiny(), contenders, dtype, ONCE)
    assert set(absent) <= {"SciPy"}
    assert "without SciPy" in times
    assert ("bare products" in times) == (case.work in ("training", "forward"))
    assert min(times.values()) > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_pytorch_finds_the_same(case, dtype):
    pytest.importorskip("torch")
    contenders, _ = enter(1, dtype, ["torchlite", "pytorch"])
    assert "PyTorch" in measure(case.tiny(), contenders, dtype, ONCE)


LUA = shutil.which("luajit")
STAND_INS = Path(__file__).parent / "torch7"


def torch7_by(command, folder, monkeypatch, dtype="float32"):
    """The contender that such a launcher makes of Torch7, and torchlite."""
    launcher = folder / "launcher"
    launcher.write_text(f'#!/bin/sh\n{command} "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("TH7", str(launcher))
    monkeypatch.delitem(sys.modules, "benchmarks.peers.torch7", raising=False)
    contenders, absent = enter(1, dtype, ["torchlite", "torch7"])
    assert "torch7" not in absent
    sys.modules.pop("benchmarks.peers.torch7")
    return contenders


BY_PYTHON = f"{sys.executable} {STAND_INS / 'standin.py'}"
BY_LUA = f"LUA_PATH='{STAND_INS}/?.lua' {LUA}"
needs_scripts = pytest.mark.skipif(os.name != "posix", reason="the launcher is a script")


@needs_scripts
@pytest.mark.parametrize(
    ("command", "case", "dtype"),
    [
        (BY_PYTHON, "10-10-1, batch 100", "float32"),
        (BY_PYTHON, "LookupTable(50000, 128), 4096 ids", "float64"),
        *(
            pytest.param(
                *(BY_LUA, case, dtype),
                marks=pytest.mark.skipif(LUA is None, reason="LuaJIT is not installed"),
            )
            for case, dtype in [
                ("10-10-1, batch 100", "float32"),
                ("10-10-1, batch 100", "float64"),
                ("forward alone, 784-256-10, batch 64", "float32"),
                ("LogSoftMax and ClassNLL, 256 of 1000", "float32"),
                ("ReLU, 1,000,000", "float32"),
                ("LookupTable(50000, 128), 4096 ids", "float64"),
                ("adam, 121 in four tensors", "float64"),
                ("sgd with momentum, 121 in four tensors", "float32"),
            ]
        ),
    ],
    ids=lambda value: "" if "/" in value else value,
)
def test_torch7_finds_the_same(command, case, dtype, tmp_path, monkeypatch):
    contenders = torch7_by(command, tmp_path, monkeypatch, dtype)
    assert versions(contenders)["Torch"] == "7"
    case = replace(NAMED[case].tiny(), sizes=tuple(range(3, 3 + len(NAMED[case].sizes))))
    assert measure(case, contenders, dtype, ONCE)["Torch7"] > 0


@needs_scripts
def test_torch7_takes_turns_and_ends(tmp_path, monkeypatch):
    *_, contender = torch7_by(BY_PYTHON, tmp_path, monkeypatch)
    case = NAMED["adam, 121 in four tensors"]
    step = contender.step(case, material(case, "float32"))
    taken, asked = step.times(0.25)
    assert 0 < taken < asked == 0.25
    assert contender.step(WINDOWS[0], None) is None
    # What its program holds is not seen from here.
    monkeypatch.setattr(memory, "enter", lambda *_: ([contender], {}))
    assert memory.main(1, "float32", "torch7", case.name) == {}
    process, folder = step._process, step._folder
    assert folder.is_dir()
    step.close()
    assert process.returncode == 0
    assert not folder.exists()


@needs_scripts
def test_torch7_that_dies_is_told(tmp_path, monkeypatch):
    *_, contender = torch7_by("exit 3 #", tmp_path, monkeypatch)
    case = NAMED["ReLU, 1,000,000"].tiny()
    step = contender.step(case, material(case, "float32"))
    for ask in (step, lambda: step.times(0.1)):
        with pytest.raises(RuntimeError) as raised:
            ask()
        assert str(raised.value) == "Torch7 ended with exit code 3"
    step.close()


def test_torch7_is_absent_without_a_launcher(monkeypatch):
    monkeypatch.delenv("TH7", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delitem(sys.modules, "benchmarks.peers.torch7", raising=False)
    _, absent = enter(1, "float32", ["torch7"])
    assert absent == {"torch7": "its launcher th is not on the path, nor does $TH7 name one"}


@needs_scripts
@pytest.mark.parametrize("name", ["nothing", "text"])
def test_torch7_is_absent_where_no_launcher_stands(name, tmp_path, monkeypatch):
    (tmp_path / "text").touch(0o644)
    monkeypatch.setenv("TH7", str(tmp_path / name))
    monkeypatch.delitem(sys.modules, "benchmarks.peers.torch7", raising=False)
    _, absent = enter(1, "float32", ["torch7"])
    assert absent == {"torch7": f"$TH7 names {tmp_path / name}, which is no program"}


def test_scipy_is_absent_by_name(monkeypatch):
    monkeypatch.setattr(blas, "active", lambda: "numpy")
    monkeypatch.delitem(sys.modules, "benchmarks.peers.torchlite", raising=False)
    contenders, absent = enter(1, "float32", ["torchlite"])
    monkeypatch.delitem(sys.modules, "benchmarks.peers.torchlite")
    assert [contender.name for contender in contenders] == ["without SciPy", "all gradients"]
    assert absent == {"SciPy": "without it there is no column torchlite"}


def test_a_program_that_fails_leaves_its_own_words(capfd):
    request = {"dtype": "float32", "peers": ["torchlite"], "cases": ["nosuch"], "pace": ONCE}
    with pytest.raises(SystemExit) as raised:
        run.ask("measure", 1, **request)
    assert raised.value.code == "benchmarks.measure ended with exit code 1"
    assert capfd.readouterr().err.endswith("\nKeyError: 'nosuch'\n")


def test_what_looking_costs_is_measured():
    row = play.measured(PROBLEMS["xor"], turns=1, seconds=0.3)
    closed, opened, frames, size = row
    assert min(closed, opened) > 0
    assert frames > 1
    assert size > 10_000
    assert play.table([("xor", 1e-4, 1.1e-4, 28.2, 36_000)]).splitlines()[-1] == (
        "| xor | 100 µs | 110 µs | 10% | 28 | 36 k |"
    )


class Fixed(Contender):
    """A contender that finds what it was given."""

    def __init__(self, name, found):
        self.name, self.found = name, found

    def layer(self, case, material):
        return lambda: (self.found,)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.9999, "1.00 s"),
        (0.9994, "999 ms"),
        (999.7e-6, "1.00 ms"),
        (0.0279, "27.9 ms"),
        (31e-9, "31 ns"),
        (12.3, "12.3 s"),
    ],
)
def test_seconds_have_three_digits(number, words):
    assert report.seconds(number) == words


def test_mebibytes_have_three_digits_or_all():
    assert [report.mebibytes(n * 2**20) for n in (0.0117, 999.4, 1100)] == [
        "0.0117 MiB",
        "999 MiB",
        "1100 MiB",
    ]


FOUND = np.array([1.0, 0.0, -2.0], np.float32)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (FOUND + np.float32(1e-3), "off by 1.0e-03"),
        (FOUND * np.float32(np.nan), "off by nan"),
        (FOUND.astype(np.float64), "float64 of (3,)"),
        (FOUND[:2], "float32 of (2,)"),
    ],
)
def test_a_contender_that_finds_something_else_is_refused(other, says):
    contenders = [Fixed("first", FOUND), Fixed("second", other)]
    with pytest.raises(ArithmeticError) as raised:
        measure(NAMED["Tanh, 1,000,000"].tiny(), contenders, "float32", ONCE)
    assert str(raised.value) == f"Tanh, 1,000,000, second: {says}"


@pytest.mark.parametrize(
    ("other", "says"), [([2, 2, 2, 0] * 99, "25% dropped"), ([0, 3] * 198, "off by 1.0e+00")]
)
def test_dropping_otherwise_is_refused(other, says):
    contenders = [
        Fixed("first", np.array([2.0, 0, 0, 2.0] * 99)),
        Fixed("second", np.array(other, float)),
    ]
    with pytest.raises(ArithmeticError) as raised:
        measure(NAMED["Dropout, 1,000,000"].tiny(), contenders, "float64", ONCE)
    assert str(raised.value) == f"Dropout, 1,000,000, second: {says}"


def test_turns_are_taken_until_the_share_is_used():
    calls = {"a": 0, "b": 0}

    def step(name):
        calls[name] += 1

    steps = {name: (lambda name=name: step(name), Contender("", "").turn) for name in calls}
    assert take_turns(steps, Pace(turn=0.0, share=0.0, turns=3)).keys() == calls.keys()
    assert calls == {"a": 3, "b": 3}


def test_on_a_shared_machine_the_best_step_counts(monkeypatch):
    now = iter([0, 0, 5, 5, 7, 7, 16])
    for name in ("process_time", "perf_counter"):
        monkeypatch.setattr(timing.time, name, lambda: next(now))
    steps = {"a": (lambda: None, Contender("", "").turn)}
    assert take_turns(steps, Pace(turn=10.0, share=0.0, turns=1), shared=True) == {"a": 2}
    now = iter([0, 0, 5, 5, 7, 7, 16])
    assert take_turns(steps, Pace(turn=10.0, share=0.0, turns=1)) == {"a": 5}


def test_times_are_set_against_torchlites():
    times = {
        "10-10-1, batch 100": {
            "torchlite": 2e-5,
            "without SciPy": 3e-5,
            "all gradients": 4e-5,
            "PyTorch": 1e-4,
            "thinc": 5e-5,
        },
        "64-64-10, batch 32": {"torchlite": 1.5, "PyTorch": 0.75},
        "ReLU, 1,000,000": {"torchlite": 1e-3, "thinc": 2e-3},
        "LeNet of 28x28, batch 64: training": {"torchlite": 1e-2, "PyTorch": 5e-3},
        "ELU, 1,000,000": {},
        "GRU, 1 layer of 10, batch 1, 1 step": {},
    }
    contenders = {
        name: {"all_gradients": name in ("all gradients", "thinc")}
        for name in times["10-10-1, batch 100"]
    }
    absent = {"jax": "no jax", "tinygrad": "no clang"}
    text = report.times({"times": times, "contenders": contenders, "absent": absent})
    assert text == (
        "| A step of training | torchlite | without SciPy | all gradients | PyTorch | thinc |\n"
        "| --- | --: | --: | --: | --: | --: |\n"
        "| 10-10-1, batch 100 | 20.0 µs | 30.0 µs | 40.0 µs | 100 µs (0.20) | 50.0 µs (0.80) |\n"
        "| 64-64-10, batch 32 | 1.50 s |  |  | 750 ms (2.00) |  |\n"
        "\n"
        "| Layers and criterions, forward and backward | torchlite | thinc |\n"
        "| --- | --: | --: |\n"
        "| ReLU, 1,000,000 | 1.00 ms | 2.00 ms (0.50) |\n"
        "\n"
        "| Windows | torchlite | PyTorch |\n"
        "| --- | --: | --: |\n"
        "| LeNet of 28x28, batch 64: training | 10.0 ms | 5.00 ms (2.00) |\n"
        "\n"
        "None of these can: ELU, 1,000,000; GRU, 1 layer of 10, batch 1, 1 step.\n"
        "\n"
        "Absent: jax (no jax), tinygrad (no clang)."
    )


def test_where_nobody_takes_part_nobody_is_said_to_fail():
    result = {"times": {"1-1, batch 3": {}}, "contenders": {}, "absent": {"jax": "no jax"}}
    assert report.times(result) == "Absent: jax (no jax)."


def test_growth_is_the_exponent_of_the_size():
    times = {
        case.name: {"torchlite": 1e-6 * size**2}
        for cases in GROWTH.values()
        for size, case in cases.items()
    }
    for part in report.growth({"times": times}).split("\n\n"):
        assert part.endswith("| 2.00 | 2.00 |")


def test_windows_have_a_row_a_layer_and_their_growth():
    grown = [case for way in GROWTH_OF_WINDOWS.values() for case in way.values()]
    one = {case.name: {"without SciPy": 3e-3, "PyTorch": 2e-3} for case in [*WINDOWS, *grown]}
    one["256 -> 64, 1x1, of 14x14, batch 32: gradInput"] = {"torchlite": 1e-3, "PyTorch": 2e-3}
    one["LeNet of 28x28, batch 64: training"] = {"torchlite": 1.0}
    two = {case.name: {"torchlite": 5.0, "PyTorch": 2.0} for case in WINDOWS}
    peaks = {case.name: {"torchlite": 3 << 19, "PyTorch": 2 << 20} for case in WINDOWS}
    *parts, others = report.windows(one, two, peaks).split("\n\n")[: len(PARTS) + 1]
    growths = report.windows(one, two, peaks).split("\n\n")[len(PARTS) + 1 :]
    row = "| 256 -> 64, 1x1, of 14x14, batch 32 | 1.00 ms (0.50) | 2.50 | 1.5 MiB (0.75) |"
    assert row in parts[PARTS.index("gradInput")].splitlines()
    assert others.endswith("\n| LeNet of 28x28, batch 64 | 1.00 s | 2.50 | 1.5 MiB (0.75) |")
    assert others.startswith("| forward and backward | one thread | all threads | memory |\n")
    # Where memory cannot be measured.
    assert report.windows(one, two, {}).startswith("| forward | one thread | all threads |\n")
    # Under two lines of a head each.
    for part, text in zip(PARTS, parts, strict=True):
        assert text.count("\n") - 1 == sum(case.part == part for case in WINDOWS)
    assert others.count("\n") - 1 == sum(case.part not in PARTS for case in WINDOWS)
    assert [part.split(" | ")[0] for part in growths] == [f"| {way}" for way in GROWTH_OF_WINDOWS]


def test_sequences_have_a_row_a_case_and_their_growth():
    grown = [case for way in GROWTH_OF_SEQUENCES.values() for case in way.values()]
    times = {case.name: {"torchlite": 3e-3, "PyTorch": 2e-3} for case in [*SEQUENCES, *grown]}
    peaks = {case.name: {"torchlite": 3 << 19, "PyTorch": 2 << 20} for case in [*SEQUENCES, *grown]}
    times["GRU, 1 layer of 10, batch 1, 1 step"] = {"without SciPy": 1e-5, "PyTorch": 1e-4}
    first, *growths = report.sequences(times, peaks).split("\n\n")
    head, _, *rows = first.splitlines()
    assert head == "| A step of training | time | memory |"
    assert [row.split(" | ")[0] for row in rows] == [f"| {case.name}" for case in SEQUENCES]
    assert rows[-1] == "| GRU, 1 layer of 10, batch 1, 1 step | 10.0 µs (0.10) | 1.5 MiB (0.75) |"
    lstm = "| steps, of 2 layers of 128, batch 32: LSTM | 5 | 20 | 80 | 320 |"
    assert growths[0].splitlines()[0] == lstm
    assert growths[0].splitlines()[2:] == [
        "| time |" + " 3.00 ms (1.50) |" * 4,
        "| memory |" + " 1.5 MiB (0.75) |" * 4,
    ]
    # Where memory cannot be measured.
    assert report.sequences(times, {}).startswith("| A step of training | time |\n")


def test_the_page_has_a_place_for_each_part(tmp_path, monkeypatch):
    page = tmp_path / "performance.md"
    page.write_text(report.PAGE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    parts = {name: f"{name}: 1" for name in [*run.SETTINGS, *run.EXTRAS, "machine"]}
    report.write(parts)
    report.write({name: f"{name}: 2" for name in parts})
    text = page.read_text("utf-8")
    for name in parts:
        dated = rf"{name}: 2\n\nMeasured on \d{{4}}-\d\d-\d\d\."
        assert len(re.findall(f"<!-- {name} -->\n\n{dated}\n\n<!-- end -->\n", text)) == 1
        assert f"{name}: 1" not in text


def test_the_page_has_every_row():
    text = report.PAGE.read_text("utf-8")
    expected = {
        **dict.fromkeys(run.SETTINGS, CASES),
        "windows": WINDOWS,
        "sequences": SEQUENCES,
        "memory": MEMORY,
    }
    for part, rows in expected.items():
        tables = text.partition(f"<!-- {part} -->")[2].partition("<!-- end -->")[0]
        assert {row.title for row in rows} <= set(re.findall(r"^\| (.*?) \|", tables, re.MULTILINE))


# What `measure` answers where nothing is measured.
NOTHING = {"times": {}, "absent": {}, "versions": {}, "contenders": {}}


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ([], [*run.SETTINGS, *run.EXTRAS, "machine"]),
        (["--dtype", "float32"], ["one thread, float32", "all threads, float32", "machine"]),
        (["--dtype", "float64"], ["one thread, float64", "all threads, float64", "machine"]),
        (["--threads", "one"], ["one thread, float32", "one thread, float64", "machine"]),
        (["--cases", "imports"], ["imports"]),
    ],
)
def test_what_is_written(options, written, monkeypatch, capsys):
    requests, parts, drawn = [], {}, []
    monkeypatch.setattr(sys, "argv", ["run.py", "--write", *options])
    monkeypatch.setattr(run, "find_spec", lambda name: name)
    monkeypatch.setattr(run, "ask", lambda *_, **request: requests.append(request) or NOTHING)
    monkeypatch.setattr(run, "EXTRAS", dict.fromkeys(run.EXTRAS, lambda peers: ""))
    monkeypatch.setattr(report, "write", parts.update)
    monkeypatch.setattr(report, "plot", drawn.extend)
    monkeypatch.setattr(load.Load, "told", lambda self: "a load")
    run.main()
    assert sorted(parts) == sorted(written)
    # A part that is written alone leaves the machine of the others, and the load is told beside.
    assert capsys.readouterr().err == ("" if "machine" in parts else "a load\n")
    # The plot has a panel for each number of threads, or stays as it is.
    both = ["one thread, float32", "all threads, float32"]
    assert drawn == [name for name in both if set(both) <= {*written}]
    # Every case, also those that take long.
    assert all(request["cases"] == [case.name for case in CASES] for request in requests)
    assert all(request["pace"] == timing.FULL for request in requests)
    # One peer takes too long to take part more than once.
    assert sum("tinygrad" in request["peers"] for request in requests) == (
        "one thread, float32" in written
    )


def test_rows_are_named_as_their_tables_say():
    lenet = "LeNet of 28x28, batch 64"
    for glob in (lenet, f"{lenet}: training", "LeNet*64"):
        assert [row.title for row in named(glob)] == [lenet]


def asked_for(options, monkeypatch):
    """What is asked of the programs that measure, with such options."""
    requests = []
    monkeypatch.setattr(sys, "argv", ["run.py", *options])
    monkeypatch.setattr(run, "ask", lambda *_, **request: requests.append(request) or NOTHING)
    monkeypatch.setattr(report, "growth", lambda _: "")
    run.main()
    return requests


@pytest.mark.parametrize(
    "glob", ["LeNet of 28x28, batch 64", "max pooling 2x2*", "LSTM, 1 layer of 10*", "1-1*"]
)
def test_rows_of_every_table_can_be_chosen(glob, monkeypatch, capsys):
    (request,) = asked_for(
        ["--quick", "--threads", "one", "--dtype", "float64", "--cases", glob], monkeypatch
    )
    assert request["cases"] == [row.name for row in named(glob)] != []
    assert request["dtype"] == "float64"


def test_peers_are_chosen_with_or_without_spaces(monkeypatch, capsys):
    one = ["--threads", "one", "--dtype", "float32"]
    for text in ("torchlite,pytorch", "torchlite, pytorch"):
        (request,) = asked_for([*one, "--peers", text], monkeypatch)
        assert request["peers"] == ["torchlite", "pytorch"]
    # torchlite takes part in what is of it alone, whoever else is chosen.
    (request,) = asked_for(["--cases", "growth", "--peers", "jax,pytorch"], monkeypatch)
    assert request["peers"] == ["torchlite", "pytorch"]
    # In the settings where none of the chosen takes part nothing is measured.
    (request,) = asked_for(["--peers", "tinygrad", "--cases", "1-1*"], monkeypatch)
    assert (request["peers"], request["dtype"]) == (["tinygrad"], "float32")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--cases nosuch*", "--cases: nothing is called 'nosuch*'; there are\n  growth\n  "),
        ("--cases 1-1", "\n  1-1, batch 3\n"),
        ("--cases 1-1", "\n  LeNet of 28x28, batch 64\n"),
        ("--quick --cases growth", "growth: not with --quick, --threads or --dtype\n"),
        ("--cases imports --threads one", "imports: not with --quick, --threads or --dtype\n"),
        ("--cases windows --dtype float32", "windows: not with --quick, --threads or --dtype\n"),
        ("--quick --cases 4096*", "--quick leaves out 4096-4096-4096, batch 512\n"),
        ("--peers tinygrad --threads all", "tinygrad takes part in one thread, float32 alone\n"),
        ("--peers pytroch", f"--peers: no 'pytroch'; there are {', '.join(MODULES)}\n"),
        ("--peers torchlite,numpy", "--peers: no 'numpy'; there are torchlite, "),
        ("--peers=", "--peers: no ''; there are torchlite, "),
    ],
)
def test_what_chooses_nothing_is_refused(options, says, monkeypatch, capsys):
    with pytest.raises(SystemExit) as raised:
        asked_for(options.split(), monkeypatch)
    assert raised.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the peak")
def test_memory_is_the_median_of_three_programs(monkeypatch):
    cases, found, processors = CASES[:2], {}, []
    found = {
        case.name: iter(values) for case, values in zip(cases, ([5, 1, 3], [9, 7, 8]), strict=True)
    }

    def ask(program, threads, dtype, peer, case):
        assert (program, threads, dtype) == ("memory", 1, "float32")
        processors.append(os.sched_getaffinity(0))
        return {} if peer == "products" else {peer.title(): next(found[case])}

    before = os.sched_getaffinity(0)
    monkeypatch.setattr(run, "ask", ask)
    peaks = run.peaks_of(cases, ["torchlite", "products"])
    assert peaks == {cases[0].name: {"Torchlite": 3}, cases[1].name: {"Torchlite": 8}}
    assert {len(bound) for bound in processors} == {1}
    assert os.sched_getaffinity(0) == before


def test_what_others_did_meanwhile_is_told(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (0.25, 1, 1), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(load.time, "perf_counter", iter([10.0, *[110.0] * 4]).__next__)
    monkeypatch.setattr(load, "spent_by_others", iter([7.0, 67.0, 6.0, 87.0, 91.0]).__next__)
    meanwhile = load.Load()
    begin = "When it began, 0.2 programs on average wanted a processor"
    assert meanwhile.told() == f"{begin}; meanwhile others took 15% of the processors' time."
    assert meanwhile.told() == f"{begin}; meanwhile others took 0% of the processors' time."
    assert meanwhile.told() == f"{begin}; meanwhile others took 20% of the processors' time."
    assert meanwhile.told() == (
        f"{begin}; meanwhile others took 21% of the processors' time. "
        "That is much: do not trust these numbers."
    )
    # Where there is no /proc/stat, and where there is no load.
    monkeypatch.setattr(load.time, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(load, "spent_by_others", lambda: None)
    assert load.Load().told() == f"{begin}."
    monkeypatch.delattr(os, "getloadavg")
    assert load.Load().told() == ""


def test_others_are_all_but_the_program_and_its_own(monkeypatch):
    # User, nice, system, idle, waiting, two kinds of interrupts, what the host took, guests.
    stat = "cpu  1000 200 300 9000 500 10 20 70 600 30\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
    monkeypatch.setattr(load.Path, "read_text", lambda path: stat)
    monkeypatch.setattr(os, "sysconf", {"SC_CLK_TCK": 100}.get, raising=False)
    monkeypatch.setattr(os, "times", lambda: (1.0, 0.5, 2.0, 0.25, 999.0))
    assert load.spent_by_others() == 16 - 3.75

    def missing(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(load.Path, "read_text", missing)
    assert load.spent_by_others() is None


def test_the_machine_is_described_with_its_load():
    text = report.machine({"numpy": "2.0"}, "When it began, it slept.")
    python = f"; Python {platform.python_version()}"
    assert f"{python}, numpy 2.0; NumPy's BLAS is " in text
    assert f"{python}; NumPy's BLAS is " in report.machine({}, "")
    assert text.endswith(". When it began, it slept.")
    assert report.machine({}, "").endswith(".")


def test_the_command_prints_a_table():
    command = "benchmarks/run.py --quick --threads one --peers torchlite --cases 1-1*"
    printed = subprocess.run(
        [sys.executable, *command.split()], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert "| A step of training | " in printed
    assert "\n| 1-1, batch 3 | " in printed
    assert "## machine\n\n" in printed


def test_what_changed_between_two_commits_is_told():
    assert compare.verdict([4.0, 4.2], [4.1, 4.3]) == "same (1.02 to 1.02)"
    assert compare.verdict([4.0, 4.2], [6.0, 4.1]) == "same (0.98 to 1.50)"
    assert compare.verdict([4.0, 4.2], [4.22, 4.21]) == "1.03, slower (1.00 to 1.05)"
    assert compare.verdict([4.0, 4.2], [2.1, 2.0]) == "0.50, faster (0.48 to 0.53)"
    assert compare.verdict([4.00, 4.01], [4.03, 4.04]) == "same (1.01 to 1.01)"
    assert compare.verdict([4.0, 4.2], [None, None]) == "only one of them can"
    assert compare.verdict([None, None], [None, None]) == "neither can"


def test_two_commits_take_turns(tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "PAIRS", 1)
    monkeypatch.setattr(compare, "TURNS", 1)
    folder = tmp_path / "after"
    for part in ("torchlite", "benchmarks"):
        shutil.copytree(ROOT / part, folder / part)
    path = folder / "torchlite" / "nn" / "simple" / "linear.py"
    text, start = path.read_text("utf-8"), "        weight = self.weight\n"
    assert start in text
    path.write_text(text.replace(start, f"{start}        sum(range(9999))\n"), "utf-8")
    (folder / "torchlite" / "nn" / "transfer" / "log_soft_max.py").write_text("", "utf-8")
    cases = ["1-1, batch 3", "LogSoftMax and ClassNLL, 256 of 1000"]
    (step, before, after), (loss, *losses) = compare.compare(ROOT, folder, cases)
    assert (step, loss) == tuple(cases)
    assert ", slower (" in compare.verdict(before, after)
    assert compare.verdict(*losses) == "only one of them can"


def test_a_program_that_dies_is_told(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    # Otherwise one that is on the path, too, goes first.
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "compare.py").write_text("raise SystemExit(3)", "utf-8")
    with compare.Program(tmp_path, 1, "float32") as program, pytest.raises(SystemExit) as raised:
        program.best("1-1, batch 3")
    assert str(raised.value) == "1-1, batch 3: the program ended with exit code 3"


def compared(options, monkeypatch, capsys, changes=b""):
    """The cases that are compared with such options, and what is said beside."""
    monkeypatch.setattr(compare, "folder_of", lambda commit, parent: commit)
    monkeypatch.setattr(compare, "git", lambda *_: changes)
    monkeypatch.setattr(
        compare,
        "compare",
        lambda one, other, cases, *rest: iter([(name, [1.0], [1.0]) for name in cases]),
    )
    monkeypatch.setattr(sys, "argv", ["compare.py", "main", "HEAD", *options])
    compare.main()
    told = capsys.readouterr()
    return [line.rpartition(": ")[0] for line in told.out.splitlines()], told.err


@pytest.mark.parametrize(
    ("options", "cases"),
    [
        ([], [row for row in ROWS if not row.slow]),
        (["--cases", "LeNet*64"], WINDOWS[-1:]),
        (["--cases", "4096*"], [row for row in CASES if row.slow]),
        (["--cases", "windows"], WINDOWS),
        (["--cases", "sequences"], SEQUENCES),
        (["--cases", "growth"], [case for way in GROWTH.values() for case in way.values()]),
    ],
)
def test_cases_of_a_comparison_are_chosen(options, cases, monkeypatch, capsys):
    names = [case.name for case in cases]
    assert compared(options, monkeypatch, capsys) == (names, "")


def test_a_comparison_of_no_case_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit) as raised:
        compared(["--cases", "nosuch*"], monkeypatch, capsys)
    assert raised.value.code == 2
    error = capsys.readouterr().err
    assert "--cases: nothing is called 'nosuch*'; there are\n  windows\n  sequences\n" in error


def test_what_is_not_committed_is_named(monkeypatch, capsys):
    changes = b" M torchlite/random.py\n?? torchlite/new.py\n"
    _, told = compared([], monkeypatch, capsys, changes)
    assert told == "Not committed, and not measured: torchlite/random.py, torchlite/new.py\n"


needs_git = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None, reason="no checkout of git's"
)


@needs_git
@pytest.mark.parametrize("commit", ["nosuch", "HEAD~99999", "HEAD:docs"])
def test_a_commit_that_is_not_there_is_told_in_a_line(commit, tmp_path):
    with pytest.raises(SystemExit) as raised:
        compare.folder_of(commit, tmp_path)
    assert re.fullmatch(r"compare\.py: git: fatal: .+", raised.value.code)


def test_a_comparison_outside_git_is_told_in_a_line(tmp_path, monkeypatch):
    if shutil.which("git") is not None:
        monkeypatch.setattr(compare, "ROOT", tmp_path)
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
        with pytest.raises(SystemExit, match=r"\Acompare\.py: git: fatal: .+\Z"):
            compare.git("status")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"\Acompare\.py needs git\Z"):
        compare.git("status")


@needs_git
def test_commits_are_unpacked(tmp_path):
    folder = compare.folder_of("HEAD", tmp_path)
    assert (folder / "torchlite" / "nn" / "simple" / "linear.py").is_file()
    assert (folder / "benchmarks" / "compare.py").is_file()


class Reversed(nn.Identity):
    """Turns the gradient around, and hides NaN."""

    def updateOutput(self, input):
        self.output = np.where(np.isnan(input), input.dtype.type(0), input)
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = -gradOutput
        return self.gradInput


def test_alarms_of_the_checker_are_counted(monkeypatch, capsys):
    rows = [("simple", cases.Case(made, (2, 3))) for made in (nn.Tanh, Reversed)]
    monkeypatch.setattr(cases, "rows", lambda: rows)
    monkeypatch.setattr(checker_alarms, "GOOD", [Good(lambda n, m: nn.Tanh())])
    monkeypatch.setattr(bugs, "right", lambda: [Good(lambda n, m: Reversed(), label="again")])
    monkeypatch.setattr(sys, "argv", ["checker_alarms.py", "--all", "--seeds", "1"])
    assert checker_alarms.main()
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert lines[2][:3] == ["| Tanh", "-", "-"]
    assert lines[3][:3] == ["| Reversed", "gradInput, nan", "gradInput, nan"]
    where = ["3", "(5, 3, 4) seed 0"]
    assert [line[:4] for line in lines[-4:-2]] == [
        ["| Reversed-again", "gradInput", *where],
        ["| Reversed-again", "nan", *where],
    ]
    assert lines[-4][4] == "Reversed: updateGradInput: gradInput is not the derivative. |"
    counts = {"classes": 2, "alarms about classes": 1, "alarms about right layers": 1}
    assert lines[-1][0].startswith(f"{counts} in ")


def test_the_scoreboard_writes_its_table(monkeypatch, tmp_path):
    page = tmp_path / "checker.md"
    page.write_text("before\n<!-- scoreboard -->\nold\n<!-- end -->\nafter\n")
    bug = bugs.Bug(Reversed, (2, 3), {"gradInput"}, "the gradient is turned around")
    monkeypatch.setattr(checker_scoreboard, "GOOD", [Good(lambda n, m: nn.Tanh())])
    monkeypatch.setattr(bugs, "right", list)
    monkeypatch.setattr(bugs, "corpus", lambda: [bug, bug])
    monkeypatch.setattr(checker_scoreboard, "PAGE", page)
    monkeypatch.setattr(checker_scoreboard, "versions", lambda: ["A 1.0", "B 2.0"])
    argv = ["checker_scoreboard.py", "--write", "--only", "central differences"]
    monkeypatch.setattr(sys, "argv", argv)
    checker_scoreboard.main()
    assert page.read_text() == (
        "before\n<!-- scoreboard -->\n"
        "2 wrong layers, 1 right ones; A 1.0, B 2.0\n\n"
        "| check | found | accused |\n|---|--:|--:|\n"
        "| input gradient, central differences | 2 | 0 |\n"
        "| input and parameter gradients, central differences | 2 | 0 |\n"
        "<!-- end -->\nafter\n"
    )


def test_the_scoreboard_counts_guesses(monkeypatch, capsys):
    turned = bugs.Bug(Reversed, (2, 3), {"gradInput"}, "turned around", pattern="wrong sign")
    rows = [turned, replace(turned, pattern="doubled"), replace(turned, kills={"batch"})]
    monkeypatch.setattr(checker_scoreboard, "GOOD", [])
    monkeypatch.setattr(checker_scoreboard, "ANSWERS", {})
    monkeypatch.setattr(bugs, "right", list)
    monkeypatch.setattr(bugs, "corpus", lambda: [*rows, replace(rows[2], pattern=None)])
    monkeypatch.setattr(sys, "argv", ["checker_scoreboard.py", "--only", "torchlite.testing"])
    checker_scoreboard.main()
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Of 3 wrong gradients, the checker's first answer guesses 2 rightly and 1 wrongly; of 0 it "
        "gives no guess."
    )


def test_the_page_has_a_place_for_the_scoreboard():
    text = (ROOT / "docs" / "checker.md").read_text("utf-8")
    assert [text.count(mark) for mark in ("<!-- scoreboard -->\n", "<!-- end -->\n")] == [1, 1]


@pytest.mark.parametrize(
    ("program", "options", "says"),
    [
        (
            checker_scoreboard,
            ["--only", "nosuch"],
            "--only: no check's name holds 'nosuch'; there are\n  ",
        ),
        (
            checker_alarms,
            ["Tanh", "nosuch"],
            "neither a row of tests/cases nor a right layer is called 'nosuch'\n",
        ),
    ],
)
def test_a_name_that_the_checkers_programs_lack_is_refused(
    program, options, says, monkeypatch, capsys
):
    monkeypatch.setattr(bugs, "corpus", list)
    monkeypatch.setattr(bugs, "right", list)
    monkeypatch.setattr(checker_alarms, "GOOD", [])
    monkeypatch.setattr(checker_scoreboard, "GOOD", [])
    monkeypatch.setattr(cases, "rows", lambda: [("transfer", cases.Case(nn.Tanh, (2, 3)))])
    monkeypatch.setattr(sys, "argv", ["program.py", *options])
    with pytest.raises(SystemExit) as raised:
        program.main()
    assert raised.value.code == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert says in told.err


def test_a_name_that_the_cost_of_checks_lacks_is_refused():
    ended = subprocess.run(
        [sys.executable, "benchmarks/checker_cost.py", "Tanh", "nosuch"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("no layer here is called 'nosuch'; there are Linear, Tanh, ")


def test_no_alarm_is_told_as_none(monkeypatch, capsys):
    monkeypatch.setattr(cases, "rows", list)
    monkeypatch.setattr(checker_alarms, "GOOD", [Good(lambda n, m: nn.Tanh())])
    monkeypatch.setattr(bugs, "right", list)
    monkeypatch.setattr(sys, "argv", ["checker_alarms.py", "--seeds", "1"])
    assert not checker_alarms.main()
    assert capsys.readouterr().out.splitlines()[-1].startswith("{'alarms about right layers': 0}")


# ---------------------------------------------------------------- clocks, memory, plots, programs


class Clock:
    """Time that passes where it is said to, and what happened."""

    def __init__(self, monkeypatch):
        self.now, self.happened = 0.0, []
        for name in ("process_time", "perf_counter"):
            monkeypatch.setattr(timing.time, name, lambda: self.now)
        monkeypatch.setattr(timing.time, "sleep", lambda seconds: self.spend("rest", seconds))

    def spend(self, what, seconds):
        self.happened.append(what)
        self.now += seconds

    def take_turns(self, durations, pace, rest):
        steps = {
            name: (lambda name=name: self.spend(name, durations[name]), Contender("", "").turn)
            for name in durations
        }
        assert take_turns(steps, pace, rest) == durations
        assert self.happened[::2] == ["rest"] * (len(self.happened) // 2)
        return {name: self.happened.count(name) for name in durations}


def test_who_takes_long_has_fewer_turns_each_after_a_rest(monkeypatch):
    durations, pace = {"quick": 1.0, "slow": 0.6 * timing.PATIENCE}, Pace(0.0, 0.0, turns=5)
    assert Clock(monkeypatch).take_turns(durations, pace, 0.5) == {"quick": 5, "slow": 2}


def test_rests_are_part_of_a_share(monkeypatch):
    pace = Pace(turn=0.0, share=3.0, turns=1)
    assert Clock(monkeypatch).take_turns({"one": 1.0}, pace, 0.5) == {"one": 2}


class Taking(Contender):
    """A contender that takes 64 MiB, and leaves nothing behind."""

    def layer(self, case, material):
        return lambda: np.ones(1 << 26, np.uint8)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the peak")
def test_the_peak_is_that_of_a_step():
    # What was before is more, and does not count.
    np.ones(1 << 27, np.uint8)
    peak = memory.peak(Taking(1, "float32"), NAMED["Tanh, 1,000,000"].tiny(), "float32")
    assert 0.9 < peak / (1 << 26) < 1.5


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the peak")
def test_the_peak_of_a_library_is_that_of_its_steps():
    request = {"dtype": "float32", "peer": "torchlite", "case": "ReLU, 1,000,000"}
    (peak,) = run.ask("memory", 1, **request).values()
    # Its output and its gradInput; less than as much again.
    assert 8_000_000 <= peak < 16_000_000


def test_the_plot_has_a_panel_a_result_and_a_mark_a_peer(tmp_path, monkeypatch):
    mpl = pytest.importorskip("matplotlib")
    times = {case.name: {"torchlite": 3.0, "thinc": 1.0} for case in CASES}
    times["10-10-1, batch 100"]["PyTorch"] = 6.0
    contenders = {name: {"all_gradients": False} for name in ("torchlite", "PyTorch", "thinc")}
    result = {"times": times, "contenders": contenders}
    files = []
    with mpl.rc_context():
        for name in ("one.svg", "two.svg"):
            monkeypatch.setattr(report, "PLOT", tmp_path / name)
            report.plot({"a single thread": result, "many threads": result})
            files.append(report.PLOT.read_text("utf-8"))
    for text in ("a single thread", "many threads", "PyTorch", "thinc", *times):
        assert f">{text}</text>" in files[0]
    assert ">torchlite</text>" not in files[0]
    # The same numbers give the same file.
    assert files[0] == files[1]


def test_imports_are_timed_beyond_the_start_of_python(monkeypatch):
    statements = {name: imports.STATEMENTS[name] for name in ("NumPy", "torchlite")}
    statements["none"] = "import numpy, there_is_none.such"
    monkeypatch.setattr(imports, "STATEMENTS", statements)
    # Of three programs a round, when each starts and ends.
    now = iter([0, 1, 1, 6, 6, 10, 10, 12, 12, 15, 15, 20])
    monkeypatch.setattr(imports.time, "perf_counter", lambda: next(now))
    assert imports.import_times(2) == {"NumPy": 2, "torchlite": 3}


@pytest.fixture
def program(monkeypatch):
    """Import a program of benchmarks that limits the threads of its own process."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return lambda name: importlib.import_module(f"benchmarks.{name}")


def test_who_checks_longer_than_its_budget_is_told(program, monkeypatch, capsys):
    cost = program("checker_cost")
    rows = {name: (nn.Tanh, (2, 3), budget) for name, budget in (("fits", 1e9), ("late", 0.0))}
    monkeypatch.setattr(cost, "ROWS", rows)
    before = dict(cost.PROPERTIES)
    assert not cost.main(["fits"])
    assert cost.main([])
    assert before == cost.PROPERTIES
    *_, fits, late = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    for line, name, budget in ((fits, "| fits", "1e+09"), (late, "| late", "0")):
        assert line[::2][:2] == [name, budget]
        assert 0 <= float(line[1]) < np.inf
        most = [share.split(" ")[0] for share in line[3].split(", ")]
        assert len({*most} & {*before}) == 5


def test_a_page_is_timed_a_layer(program, monkeypatch, capsys):
    cost = program("page_cost")
    asked, seconds = [], cost.seconds
    # A recording, a page without and one with derivatives, three times.
    took = iter([3, 2, 9, 1, 4, 8, 2, 1, 6])

    def timed(run, *arguments, **named):
        asked.append((run.__name__, named))
        measured, result = seconds(run, *arguments, **named)
        assert measured >= 0
        return next(took), result

    monkeypatch.setattr(cost, "seconds", timed)
    cost.main(["2"])
    assert asked == [("trace", {}), ("to_html", {"numeric": False}), ("to_html", {})] * 3
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "| 2 | 1.00 s | 1.00 s | 6.0 s | 3000 ms |"


def test_a_page_without_all_derivatives_is_no_measurement(program, monkeypatch):
    cost = program("page_cost")
    monkeypatch.setattr("torchlite.stepping.numeric.MOST_CALLS", 9)
    with pytest.raises(SystemExit, match="2 layers: some derivatives were left out"):
        cost.main(["2"])
