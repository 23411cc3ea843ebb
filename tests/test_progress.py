"""The three forms of `torchlite.progress`: tqdm, a plain line, nothing."""

import io
import sys
from functools import partial
from types import SimpleNamespace

import pytest

from torchlite.progress import progress

shown = partial(progress, show=True)


class FakeBar:
    """Notes what is asked of tqdm, in order."""

    def __init__(self, items, desc):
        self.calls = [("open", items, desc)]
        FakeBar.latest = self

    def update(self):
        self.calls.append("update")

    def set_postfix_str(self, text):
        self.calls.append(text)

    def close(self):
        self.calls.append("close")


@pytest.fixture
def no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)


@pytest.fixture
def fake_tqdm(monkeypatch):
    monkeypatch.setattr(FakeBar, "latest", None, raising=False)
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=FakeBar))


@pytest.fixture
def drawn(capsys):
    """What stderr got since the last call."""
    return lambda: capsys.readouterr().err


# The plain line


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_is_redrawn_at_every_step_and_status(drawn):
    epochs = shown(range(2), "epochs")
    for epoch in epochs:
        epochs.status(f"loss {epoch}.5")
    assert drawn() == (
        "\repochs 0/2"
        "\repochs 0/2  loss 0.5"
        "\repochs 1/2  loss 0.5"
        "\repochs 1/2  loss 1.5"
        "\repochs 2/2  loss 1.5"
        "\n"
    )


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_covers_a_longer_one_before_it(drawn):
    steps = shown("a", "steps")
    for _ in steps:
        steps.status("longer")
        steps.status("no")
        steps.status("")
    assert drawn() == (
        "\rsteps 0/1"
        "\rsteps 0/1  longer"
        "\rsteps 0/1  no    "
        "\rsteps 0/1    "
        "\rsteps 1/1"
        "\n"
    )  # fmt: skip


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_without_a_length_only_counts(drawn):
    assert list(shown(iter("ab"), "letters")) == ["a", "b"]
    assert drawn() == "\rletters 0\rletters 1\rletters 2\n"


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_is_completed_when_there_is_nothing_to_do(drawn):
    assert list(shown([], "epochs")) == []
    assert drawn() == "\repochs 0/0\n"


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_is_completed_by_a_break(drawn):
    for epoch in shown(range(9), "epochs"):
        if epoch == 1:
            break
    assert drawn() == "\repochs 0/9\repochs 1/9\n"


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_is_completed_before_an_exception_arrives(drawn):
    epochs = shown(range(9), "epochs")
    try:
        for _ in epochs:
            raise ArithmeticError
    except ArithmeticError:
        assert drawn() == "\repochs 0/9\n"
    else:
        pytest.fail("the exception was lost")


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_is_completed_when_the_items_raise(drawn):
    def items():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(shown(items(), "items"))
    assert drawn() == "\ritems 0\ritems 1\n"


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_is_drawn_in_a_loop_only(drawn):
    epochs = shown(range(1), "epochs")
    epochs.status("too early")
    assert drawn() == ""
    list(epochs)
    assert drawn() == "\repochs 0/1\repochs 1/1\n"
    epochs.status("too late")
    assert drawn() == ""
    list(epochs)
    assert drawn() == "\repochs 0/1\repochs 1/1\n"


# tqdm


@pytest.mark.usefixtures("fake_tqdm")
def test_tqdm_draws_when_it_is_installed(drawn):
    epochs = shown(range(2), "epochs")
    for epoch in epochs:
        epochs.status(f"loss {epoch}.5")
    epochs.status("too late")
    assert FakeBar.latest.calls == [
        ("open", range(2), "epochs"),
        "loss 0.5",
        "update",
        "loss 1.5",
        "update",
        "close",
    ]
    assert drawn() == ""


@pytest.mark.usefixtures("fake_tqdm")
def test_tqdm_is_closed_by_a_break():
    for _ in shown(range(9), "epochs"):
        break
    assert FakeBar.latest.calls == [("open", range(9), "epochs"), "close"]


def test_the_real_tqdm_completes_its_line(drawn):
    pytest.importorskip("tqdm")
    epochs = shown(range(4), "epochs")
    for epoch in epochs:
        epochs.status(f"loss {epoch}.5")
        if epoch == 2:
            break
    last = drawn().split("\r")[-1]
    assert last.startswith("epochs:  50%")
    assert "2/4" in last
    assert "loss 2.5" in last
    assert last.endswith("\n")


# Nothing, and who decides


class Terminal(io.StringIO):
    def isatty(self):
        return True


def _run(stream, show, monkeypatch):
    # In the test, not in a fixture: pytest sets stderr anew between the two.
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        steps = progress("ab", "steps", show=show)
        seen = []
        for letter in steps:
            steps.status("busy")
            seen.append(letter)
    assert seen == ["a", "b"]


@pytest.mark.parametrize("tqdm", ["no_tqdm", "fake_tqdm"])
@pytest.mark.parametrize(
    ("stream", "show"),
    [(Terminal, False), (io.StringIO, None), (lambda: None, None)],
    ids=["told not to", "no terminal", "no stderr"],
)
def test_nothing_is_shown(tqdm, stream, show, request, monkeypatch, capsys):
    request.getfixturevalue(tqdm)
    stream = stream()
    _run(stream, show, monkeypatch)
    assert stream is None or stream.getvalue() == ""
    assert capsys.readouterr() == ("", "")
    if tqdm == "fake_tqdm":
        assert FakeBar.latest is None


@pytest.mark.parametrize("show", [True, None])
def test_a_terminal_is_drawn_on(show, monkeypatch, no_tqdm):
    terminal = Terminal()
    _run(terminal, show, monkeypatch)
    assert terminal.getvalue().endswith("\rsteps 2/2  busy\n")


@pytest.mark.usefixtures("no_tqdm")
def test_plain_line_is_no_longer_than_the_terminal(drawn, monkeypatch):
    monkeypatch.setenv("COLUMNS", "12")
    steps = shown("a", "steps")
    for _ in steps:
        steps.status("loss 0.25")
    assert drawn() == "\rsteps 0/1\rsteps 0/1  \rsteps 1/1  \n"


@pytest.mark.parametrize(("term", "bars"), [("dumb", False), ("xterm", True)])
@pytest.mark.usefixtures("no_tqdm")
def test_dumb_terminals_have_no_bars(monkeypatch, capsys, term, bars):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", term)
    list(progress("a", "steps"))
    assert bool(capsys.readouterr().err) == bars
