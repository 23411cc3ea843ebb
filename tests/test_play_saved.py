"""A run as one file."""

import json
import re

import pytest

from torchlite.play import PROBLEMS, Trainer, saved


def frames_in(page):
    return json.loads(re.search(r'class="frames">(.*?)</script>', page, re.DOTALL)[1])


def test_a_saved_run_goes_from_its_start_to_now(tmp_path):
    with Trainer([PROBLEMS["xor"]]) as trainer:
        after = json.loads(trainer.next(0))["frame"]
        for _ in range(3):
            trainer.do({"do": "step"})
            after = json.loads(trainer.next(after))["frame"]
        trainer.do({"do": "step"})
        trainer.save(tmp_path / "run.html")
        page = (tmp_path / "run.html").read_text("utf-8")
        assert page == trainer.story()
    assert [frame["step"] for frame in frames_in(page)] == [0, 1, 2, 3, 4]


def test_nobody_need_have_looked():
    with Trainer([PROBLEMS["xor"]]) as trainer:
        assert [frame["step"] for frame in frames_in(trainer.story())] == [0]


def test_a_saved_page_asks_for_nothing():
    page = saved.page([json.dumps({"step": 1})])
    assert not re.search(r'(src|href)="(?!data:|step"|save")', page)
    assert not re.search(r"@import|url\(", page)
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}; img-src data:">' in page
    # What loads, loads nothing: neither the server's script nor the notebook's.
    assert "fetch(" not in page
    assert "parent.postMessage" not in page


def test_names_of_a_run_are_text():
    evil = {"layer": "</script><script>alert('<!--')</script>&amp;\u2028"}
    page = saved.page([json.dumps(evil, ensure_ascii=False)])
    assert "alert(" not in page.replace("\\u003cscript\\u003ealert(", "")
    assert frames_in(page) == [evil]


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [([1, 1, 1], [0, 1, 2]), ([3, 3, 3, 3], [1, 3]), ([9, 1, 1, 1, 9], [4]), ([11], [0])],
)
def test_a_saved_page_is_bounded(monkeypatch, sizes, kept):
    """Of too much, every second moment is left out, but never the last."""
    monkeypatch.setattr(saved, "LARGEST", 1000)
    frames = [json.dumps({"n": n, "x": "-" * (100 * size - 20)}) for n, size in enumerate(sizes)]
    assert [frame["n"] for frame in frames_in(saved.page(frames))] == kept
