"""Logger: what it writes, draws and refuses."""

import re
import sys

import numpy as np
import pytest

from torchlite import optim
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError


def test_logger_takes_dicts(tmp_path):
    logger = optim.Logger(tmp_path / "a.log")
    logger.add({"loss": 0.5, "epoch": 1})
    logger.add({"epoch": 2, "loss": np.float32(0.25)})
    assert logger.path.read_text() == (
        "loss\tepoch\t\n 5.0000e-01\t 1.0000e+00\t\n 2.5000e-01\t 2.0000e+00\t\n"
    )
    assert logger.symbols == {"loss": [0.5, 0.25], "epoch": [1, 2]}
    assert logger.names == ["loss", "epoch"]


def test_logger_makes_its_file_and_the_folders_of_it(tmp_path):
    path = tmp_path / "some" / "where" / "a.log"
    logger = optim.Logger(path).setNames(["\N{GREEK SMALL LETTER EPSILON}"])
    assert logger.path == path
    assert path.read_text("utf-8") == "\N{GREEK SMALL LETTER EPSILON}\t\n"
    assert optim.Logger(path).path.read_text() == ""


def test_logger_with_the_time_in_its_name(tmp_path):
    logger = optim.Logger(tmp_path / "a.log", timestamp=True)
    assert re.fullmatch(r"a\.log-\d{4}(_\d\d){3}(-\d\d){2}", logger.path.name)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda log: log.setNames(["x"]), StateError,
            "Logger.setNames: the columns have names already: a, b",
        ),
        (lambda log: log.add([1]), ShapeError, "Logger.add: values must be 2 entries, got 1"),
        (
            lambda log: log.add({"a": 1}), ShapeError,
            "Logger.add: values must be for ['a', 'b'], got ['a']",
        ),
        (
            lambda log: log.add([1, None]), DTypeError,
            "Logger.add: values must be numbers or strings, got None",
        ),
        (lambda log: log.add(1), DTypeError, "Logger.add: values must be a list or a dict, got 1"),
        (
            lambda log: log.add("ab"), DTypeError,
            "Logger.add: values must be a list or a dict, got 'ab'",
        ),
        (
            lambda log: log.style(1), DTypeError,
            "Logger.style: styles must be a list or a dict, got 1",
        ),
        (
            lambda log: log.style({"c.png": "-"}), SettingError,
            "Logger.style: names must be the name of a column (a, b), got 'c.png'",
        ),
        (
            lambda log: log.plot("c.png"), SettingError,
            "Logger.plot: names must be the name of a column (a, b), got 'c.png'\n"
            "  hint: plot(file='c.png') saves the figure",
        ),
        (
            lambda log: log.style({"c": "-"}), SettingError,
            "Logger.style: names must be the name of a column (a, b), got 'c'",
        ),
        (
            lambda log: log.style("-"), DTypeError,
            "Logger.style: styles must be a list or a dict, got '-'",
        ),
        (
            lambda log: log.style(["-", "-", "-"]), ShapeError,
            "Logger.style: styles must be 2 entries or fewer, got 3",
        ),
        (lambda log: log.plot("c"), SettingError, None),
        (
            lambda log: log.plot(), StateError,
            "Logger.plot: there are no numbers to draw yet",
        ),
        (
            lambda log: optim.Logger().setNames("ab"), DTypeError,
            "Logger.setNames: names must be a list of strings, got 'ab'",
        ),
        (
            lambda log: optim.Logger().setNames(["a", 1]), DTypeError,
            "Logger.setNames: names must be a list of strings, got ['a', 1]",
        ),
        (
            lambda log: optim.Logger().setNames(["a", "a"]), ShapeError,
            "Logger.setNames: names must be distinct, and at least one, got ['a', 'a']",
        ),
        (
            lambda log: optim.Logger().setNames([]), ShapeError,
            "Logger.setNames: names must be distinct, and at least one, got []",
        ),
        (
            lambda log: optim.Logger().style({"a": "-"}), SettingError,
            "Logger.style: names must be the name of a column (none yet), got 'a'",
        ),
    ],
)  # fmt: skip
def test_logger_refuses(call, kind, message, tmp_path):
    logger = optim.Logger(tmp_path / "a.log").setNames(["a", "b"])
    before = logger.path.read_text()
    with pytest.raises((DTypeError, ShapeError, StateError, SettingError)) as caught:
        call(logger)
    assert type(caught.value) is kind
    assert message is None or str(caught.value) == message
    assert str(caught.value).startswith(f"{caught.value.method}: ")
    assert logger.path.read_text() == before


def test_logger_plots(tmp_path):
    pytest.importorskip("matplotlib")
    logger = optim.Logger(tmp_path / "a.log").setNames(["loss", "accuracy", "note"])
    logger.style(["-", "+-"]).style({"accuracy": "."}).setlogscale()
    for epoch in range(1, 4):
        logger.add([1 / epoch, epoch, "text"])
    (axes,) = logger.plot().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss", "accuracy"]
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert axes.lines[0].get_ydata().tolist() == [1, 1 / 2, 1 / 3]
    assert [line.get_marker() for line in axes.lines] == ["None", "."]
    assert axes.get_xgridlines()[0].get_visible()
    assert (axes.get_title(), axes.get_xlabel(), axes.get_yscale()) == ("a.log", "row", "log")
    assert (tmp_path / "a.log.png").read_bytes().startswith(b"\x89PNG")
    (axes,) = logger.setlogscale(False).plot("accuracy").axes
    assert [line.get_label() for line in axes.lines] == ["accuracy"]
    assert axes.get_yscale() == "linear"


def test_logger_plots_as_it_is_told(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    for logger in (optim.Logger(tmp_path / "a.log"), optim.Logger()):
        logger.add([1, 2])
        file = tmp_path / "curve.svg"
        (axes,) = logger.plot(file=file, title="all", xlabel="epoch", ylim=(0, 7)).axes
        assert (axes.get_title(), axes.get_xlabel(), axes.get_ylim()) == ("all", "epoch", (0, 7))
        assert "<svg" in file.read_text()
        file.unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_logger_without_a_file(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    logger = optim.Logger()
    logger.add([1, 2])
    assert capsys.readouterr().out == "1\t2\t\n 1.0000e+00\t 2.0000e+00\t\n"
    pytest.importorskip("matplotlib")
    (axes,) = logger.style(["-", "."]).plot().axes
    assert ([line.get_marker() for line in axes.lines], axes.get_title()) == (["None", "."], "")
    assert list(tmp_path.iterdir()) == []


def test_logger_asks_for_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    logger = optim.Logger()
    logger.add([1.0])
    with pytest.raises(
        ImportError, match=r"^Logger\.plot needs matplotlib: pip install matplotlib$"
    ):
        logger.plot()
