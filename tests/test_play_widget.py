"""The page as a widget of a notebook: the same page, and the same commands, by messages."""

import json
import sys
import threading

import numpy as np
import pytest

import torchlite as nn
from torchlite import play
from torchlite.play.widget import answered


@pytest.fixture
def made():
    pytest.importorskip("anywidget")
    with pytest.MonkeyPatch.context() as patch:
        # A program without a kernel has nobody to send to.
        widgets = []

        def make(*given, **named):
            widget = play.widget(*given, **named)
            widgets.append(widget)
            widget.answers, come = [], threading.Semaphore(0)

            def send(answer):
                widget.answers.append(answer)
                come.release()

            patch.setattr(widget, "send", send)

            def ask(method, given, id="a 1"):
                widget._handle_custom_msg({"id": id, "method": method, "given": given}, [])
                assert come.acquire(timeout=120)
                answer = widget.answers.pop()
                assert answer["id"] == id
                return answer["text"] and json.loads(answer["text"])

            return widget, ask

        yield make
        for widget in widgets:
            widget.close()


def test_a_widget_has_the_page_and_answers_as_the_server_does(made):
    widget, ask = made()
    frame = ask("next", 0)
    assert (frame["problem"], frame["step"]) == ("spirals", 0)
    assert ask("do", {"do": "step"}, "b 2") == {"ok": True}
    assert ask("next", frame["frame"])["step"] == 1
    assert not ask("do", {"do": "dance"})["ok"]
    assert widget.height == "50rem"
    assert '<main class="play">' in widget.page
    assert "parent.postMessage" in widget.page
    assert "fetch(" not in widget.page


def test_a_widget_of_a_network_of_ones_own(made, tmp_path):
    def mine():
        x = np.ones((4, 3))
        return nn.Sequential(nn.Linear(3, 3)), nn.MSECriterion(), x, x

    widget, ask = made(mine, seed=7, height="20rem")
    frame = ask("next", 0)
    assert (frame["problem"], frame["settings"]["seed"]) == ("mine", 7)
    assert [layer["layer"] for layer in frame["layers"]] == ["Linear(3 -> 3)"]
    assert widget.height == "20rem"
    widget.save(tmp_path / "run.html")
    assert "Moments of the run" in (tmp_path / "run.html").read_text("utf-8")
    widget.close()
    says = "play: the program has ended; run the widget's cell again"
    assert ask("next", 0) == {"over": says}
    assert not ask("do", {"do": "step"})["ok"]


def test_messages_are_answered_without_anywidget_too():
    with play.Trainer([play.PROBLEMS["xor"]]) as trainer:
        step = {"id": "a 1", "method": "do", "given": {"do": "step"}}
        assert answered(trainer, step) == {"id": "a 1", "text": '{"ok": true}'}
        told = answered(trainer, {"id": "a 2", "method": "next", "given": 0})
        assert (told["id"], json.loads(told["text"])["step"]) == ("a 2", 1)
    told = answered(trainer, {"id": "a 3", "method": "next", "given": 0})
    assert told == {"id": "a 3", "text": '{"over": "play: the program has ended"}'}


def test_without_anywidget_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError) as raised:
        play.widget()
    assert str(raised.value) == "play.widget needs anywidget: pip install anywidget"
