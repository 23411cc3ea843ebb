"""The docs say what the code says: docstrings, the page made from them, golden cases."""

import importlib.util
import inspect
import re
from pathlib import Path

import golden
import pytest

from torchlite import nn
from torchlite.elsewhere import TORCH7

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("make_layers", ROOT / "docs" / "make_layers.py")
make_layers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_layers)

CLASSES = [getattr(nn, name) for name in nn.__all__]
CONTRACTS = {nn.Module, nn.Container, nn.Criterion}


@pytest.mark.parametrize("kind", CLASSES)
def test_docstring_has_its_sections(kind):
    said = make_layers.sections(kind)
    assert said[""].endswith("."), "one sentence comes first"
    wanted = {"Maths", "Example", "Reference"} - ({"Maths"} if kind is nn.Container else set())
    assert wanted <= said.keys()
    assert ">>> " in said["Example"]
    assert "Torch7" in said["Reference"]
    assert (
        kind in CONTRACTS
        or "Shapes" in said
        or any(
            "Shapes" in make_layers.sections(base) for base in kind.__mro__[1:-1] if base.__doc__
        )
    ), "shapes are said here or at the family's base"
    assert (
        not inspect.getdoc(kind.__init__)
        or kind.__init__ is object.__init__
        or (kind.__init__.__doc__ is None)
    ), "the constructor is documented by the class"


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind not in CONTRACTS])
def test_file_is_named_after_the_class(kind):
    letters = kind.__name__.replace("Criterion", "_Criterion").lstrip("_")
    assert kind.__module__.rpartition(".")[2].replace("_", "") == letters.replace("_", "").lower()
    public = importlib.import_module(kind.__module__).__all__
    assert public == [kind.__name__]


def test_every_class_file_is_public():
    files = {
        path.stem.replace("_", "")
        for path in Path(nn.__file__).parent.rglob("*.py")
        if not path.stem.startswith("_")
    } - {"checks", "dims", "initial", "nested", "ties", "tree", "tables", "utils"}
    assert files == {kind.__name__.lower() for kind in CLASSES}


def test_layers_page_is_up_to_date():
    page = (ROOT / "docs" / "layers.md").read_text("utf-8")
    assert page == make_layers.page(), "run: python docs/make_layers.py"


def test_type_checkers_see_every_class():
    stub = (ROOT / "torchlite" / "nn" / "__init__.pyi").read_text("utf-8")
    assert stub == make_layers.stub(), "run: python docs/make_layers.py"


def test_every_class_is_on_the_layers_page():
    page = (ROOT / "docs" / "layers.md").read_text("utf-8")
    assert re.findall(r"^### (\w+)$", page, re.MULTILINE) == [
        kind.__name__
        for chapter in make_layers.chapters()
        for kind in sorted(CLASSES, key=lambda kind: kind.__name__)
        if make_layers.chapter(kind) == chapter
    ]
    assert len(re.findall(r"^### ", page, re.MULTILINE)) == len(CLASSES)


def test_a_chapter_without_a_title_is_named(tmp_path):
    for file in ("convolution/spatial_convolution.py", "simple/linear.py", "_private/_one.py"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text("")
    with pytest.raises(SystemExit) as caught:
        make_layers.chapters(tmp_path)
    assert str(caught.value) == (
        "torchlite/nn/convolution has no title: add it to TITLES in docs/make_layers.py"
    )


def test_count():
    lines = make_layers.count().splitlines()
    assert len(TORCH7) == 190
    assert lines[0] == f"{len(TORCH7 & set(dir(nn)))} of Torch7's 190 classes"


def test_every_class_has_golden_cases():
    shown = {
        name for part in golden.chapters() for case in golden.cases(part) for name in classes(case)
    }
    shown |= {case["class"] for case in golden.cases("training")}
    missing = {kind.__name__ for kind in CLASSES} - shown - {kind.__name__ for kind in CONTRACTS}
    assert not missing


def classes(value):
    if isinstance(value, dict):
        if isinstance(value.get("class"), str):
            yield value["class"]
        for entry in value.values():
            yield from classes(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from classes(entry)


def test_every_row_of_the_differences_names_a_class():
    text = (ROOT / "docs" / "differences.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) > 10
    assert all(line.count("|") == 5 for line in rows), "class, Torch7, torchlite, why"
