"""The tutorials print what is stored in them, their solutions print what they say, and one who has
no matplotlib loses nothing but the pictures."""

import ast
import base64
import contextlib
import importlib.util
import io
import json
import re
import sys
import types
from pathlib import Path

import pytest

import torchlite

ROOT = Path(__file__).parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"
ENGLISH = sorted(TUTORIALS.glob("*.ipynb"))
CHINESE = sorted(TUTORIALS.glob("zh_TW/*.ipynb"))
ALL = ENGLISH + CHINESE


def named(path):
    return path.relative_to(TUTORIALS).with_suffix("").as_posix()


def of_each(paths):
    return pytest.mark.parametrize("path", paths, ids=named)


def cells(path, kind):
    """Return the cells of a kind, each with its source in one piece."""
    notebook = json.loads(path.read_text("utf-8"))
    found = [cell for cell in notebook["cells"] if cell["cell_type"] == kind]
    return [cell | {"source": "".join(cell["source"])} for cell in found]


def draws(cell):
    return "plt." in cell["source"]


def text(cell):
    """Return what is stored of what a cell printed."""
    return "".join(
        "".join(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream"
    )


def pictures(cell):
    """Return the stored pictures of a cell, in PNG."""
    return [
        base64.b64decode(output["data"]["image/png"])
        for output in cell["outputs"]
        if output["output_type"] == "display_data"
    ]


@pytest.fixture
def printed(monkeypatch):
    """Run a piece of a notebook, one after the other, and return what it prints."""
    # The checker copies and pickles classes, which are looked for in a module.
    module = types.ModuleType("notebook")
    monkeypatch.setitem(sys.modules, "notebook", module)
    # Whoever draws has to seed.
    torchlite.manualSeed(4321)

    def run(source, where):
        *most, last = ast.parse(source, where).body
        value = isinstance(last, ast.Expr)
        last = ast.Expression(last.value) if value else ast.Module([last], [])
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(ast.Module(most, []), where, "exec"), vars(module))
            shown = eval(compile(last, where, "eval" if value else "exec"), vars(module))
        assert shown is None, "Jupyter would show this, and nothing has stored it"
        return out.getvalue()

    return run


def run_all(path, printed, cells):
    for i, cell in enumerate(cells):
        assert printed(cell["source"], f"{path.name}, cell {i}") == text(cell), cell["source"]


@of_each(ENGLISH)
def test_a_tutorial_prints_what_is_stored_and_its_solutions_what_they_say(path, printed):
    run_all(path, printed, [cell for cell in cells(path, "code") if not draws(cell)])
    last = cells(path, "markdown")[-2]["source"]
    solutions = last.partition("<details>")[2].partition("</details>")[0]
    fences = re.findall(r"^```(python|text)\n(.*?)^```$", solutions, re.M | re.S)
    assert [language for language, _ in fences] == ["python", "text"] * (len(fences) // 2)
    assert fences
    for (_, code), (_, expected) in zip(fences[::2], fences[1::2], strict=True):
        assert printed(code, f"{path.name}, solution") == expected


@of_each(ENGLISH)
def test_a_tutorial_with_its_pictures_prints_the_same(path, printed, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    shown = []

    def show():
        shown.append(pyplot.get_fignums())
        pyplot.gcf().canvas.draw()
        pyplot.close("all")

    monkeypatch.setattr(pyplot, "show", show)
    code = cells(path, "code")
    run_all(path, printed, code)
    assert [len(figures) for figures in shown] == [1] * sum(map(draws, code))


@of_each(ALL)
def test_outputs_are_stored_and_pictures_described(path):
    assert path.stat().st_size < 150_000
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == [*range(1, len(code) + 1)]
    for cell in code:
        # As much as a page of the site is wide.
        assert max(map(len, cell["source"].splitlines())) < 80
        images = pictures(cell)
        assert len(images) + (text(cell) != "") == len(cell["outputs"])
        if draws(cell):
            (image,) = images
            assert image.startswith(b"\x89PNG")
            # On the site the code of a picture is folded.
            assert cell["metadata"]["tags"] == ["hide-input"]
            assert cell["metadata"]["mystnb"]["image"]["alt"].endswith((".", "。"))
            assert cell["source"].endswith("plt.show()")
        else:
            assert not images
            assert cell["metadata"] == {}


@of_each(ALL)
def test_a_tutorial_says_what_one_needs_and_learns_and_where_to_go(path):
    first, *_, exercise, last = cells(path, "markdown")
    english = path in ENGLISH
    place = ENGLISH.index(TUTORIALS / path.name)
    assert first["source"].startswith(f"# {place + 1}. ")
    begin = ["At the end you know", "You need", "It takes"] if english else ["讀完", "先備", "時間"]
    assert [word for word in begin if f"**{word}" not in first["source"]] == []
    assert exercise["source"].startswith("## Exercise" if english else "## 練習")
    assert last["source"].startswith("## Where to go next" if english else "## 接下來")
    if ENGLISH[place + 1 :]:
        assert f"]({ENGLISH[place + 1].name})" in last["source"].replace("](../", "](")


@of_each(ALL)
def test_links_lead_somewhere(path):
    for cell in cells(path, "markdown"):
        for link in re.findall(r"\]\(([^)]+)\)", cell["source"]):
            if not link.startswith("https://"):
                assert (path.parent / link.partition("#")[0]).exists(), link


@of_each(CHINESE)
def test_in_chinese_the_code_and_what_it_prints_are_the_same(path):
    original = TUTORIALS / path.name
    assert f"](zh_TW/{path.name})" in cells(original, "markdown")[0]["source"]
    ours, theirs = cells(path, "code"), cells(original, "code")
    for key in ("source", "outputs", "execution_count"):
        assert [cell[key] for cell in ours] == [cell[key] for cell in theirs]
    fence = re.compile(r"^```\w+\n.*?^```$", re.M | re.S)
    ours, theirs = (
        [fence.findall(cell["source"]) for cell in cells(p, "markdown")] for p in (path, original)
    )
    assert ours == theirs


def test_the_first_three_are_there_in_chinese():
    assert [path.name for path in CHINESE] == [path.name for path in ENGLISH[:3]]


def test_the_script_that_stores_outputs_finds_those_that_are_stored():
    for package in ("nbclient", "nbformat", "ipykernel", "matplotlib"):
        pytest.importorskip(package)
    file = ROOT / "docs" / "run_notebooks.py"
    spec = importlib.util.spec_from_file_location("run_notebooks", file)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    path = ENGLISH[0]
    notebook = script.renewed(path)
    # Pictures differ from one matplotlib to the next.
    image = re.compile(r'"image/png": "[^"]*"')
    assert image.sub("", notebook) == image.sub("", path.read_text("utf-8"))
