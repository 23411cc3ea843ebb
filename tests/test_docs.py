"""The docs say what the code says: docstrings, the page made from them, golden cases."""

import importlib.util
import re
from fnmatch import fnmatchcase
from pathlib import Path

import cases
import golden
import numpy as np
import pytest

from torchlite import nn
from torchlite.elsewhere import TORCH7
from torchlite.testing import maths

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("make_layers", ROOT / "docs" / "make_layers.py")
make_layers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_layers)

CLASSES = make_layers.classes()
CONTRACTS = {nn.Module, nn.Container, nn.Criterion}


@pytest.mark.parametrize("kind", CLASSES)
def test_docstring_has_its_sections(kind):
    said = make_layers.sections(kind)
    name = f"the docstring of {kind.__name__}"
    assert said[""].endswith("."), f"begin {name} with one sentence"
    wanted = ["Maths", "Example", "Reference"][kind is nn.Container :]
    missing = [title for title in wanted if not said.get(title)]
    if kind not in CONTRACTS and not any(
        "Shapes" in make_layers.sections(base) for base in kind.__mro__[:-1] if base.__doc__
    ):
        missing.append("Shapes, or to that of its base")
    assert not missing, f"add {', '.join(missing)} to {name}"
    assert ">>> " in said["Example"], f"let the Example in {name} run: begin its lines with >>>"
    assert kind.__name__ not in TORCH7 or "Torch7" in said["Reference"], (
        f"name the file of Torch7 in the Reference in {name}"
    )
    assert kind.__init__ is object.__init__ or not kind.__init__.__doc__, (
        f"move what the constructor of {kind.__name__} says to the docstring of the class"
    )


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind not in CONTRACTS])
def test_file_is_named_after_the_class(kind):
    name, file = kind.__name__, kind.__module__.rpartition(".")[2]
    assert file.replace("_", "") == name.lower(), f"call the file of {name} after it, not {file}.py"
    public = getattr(importlib.import_module(kind.__module__), "__all__", None)
    assert public == [name], f'write __all__ = ["{name}"] in the file of {name}'


def test_layers_page_is_up_to_date():
    page = (ROOT / "docs" / "layers.md").read_text("utf-8")
    fresh = page == make_layers.page()
    assert fresh, "run: python docs/make_layers.py"


def test_type_checkers_see_every_class():
    stub = Path(nn.__file__).with_suffix(".pyi").read_text("utf-8")
    fresh = stub == make_layers.stub()
    assert fresh, "run: python docs/make_layers.py"


def test_every_class_is_on_the_layers_page():
    page = (ROOT / "docs" / "layers.md").read_text("utf-8")
    assert re.findall(r"^### (\w+)$", page, re.MULTILINE) == [
        kind.__name__
        for chapter in make_layers.chapters()
        for kind in sorted(CLASSES, key=lambda kind: kind.__name__)
        if make_layers.chapter(kind) == chapter
    ]
    assert len(re.findall(r"^### ", page, re.MULTILINE)) == len(CLASSES)


@pytest.mark.parametrize("name", sorted(maths._KERNELS))
def test_what_the_maths_may_name_can_be_looked_up(name):
    kernel = maths._KERNELS[name]
    where = f"leave what is no function out of __all__ where {name} is defined"
    assert getattr(importlib.import_module(kernel.__module__), name, None) is kernel, where
    assert kernel.__doc__, f"say what {name} returns: the site has an entry for it"


def test_a_chapter_without_a_title_is_named(tmp_path):
    for file in ("quantum/gate.py", "simple/linear.py", "_private/_one.py"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text("")
    with pytest.raises(SystemExit) as caught:
        make_layers.chapters(tmp_path)
    assert str(caught.value) == (
        "torchlite/nn/quantum has no title: add it to TITLES in docs/make_layers.py"
    )


def test_every_page_stands_in_a_table_of_contents():
    docs = ROOT / "docs"
    pages = [*docs.glob("*.md"), *docs.glob("howto/*.md"), *docs.glob("tutorials/**/*.ipynb")]
    found = {path.relative_to(docs).with_suffix("").as_posix() for path in pages}
    # What layers.md holds the site has in a page a class.
    found -= {"index", "layers"}
    listed = re.findall(r" {3}/(\w+)", (docs / "_site" / "pages.py").read_text("utf-8"))
    for path in docs.glob("*.md"):
        for toctree in path.read_text("utf-8").split("```{toctree}\n")[1:]:
            listed += toctree.partition("```")[0].split("\n")
    missing = [page for page in sorted(found) if not any(fnmatchcase(page, x) for x in listed)]
    assert missing == [], "name it in a toctree: docs/howto.md, say"


def test_count():
    lines = make_layers.count().splitlines()
    assert len(TORCH7) == 190
    assert lines[0] == f"{len(TORCH7 & set(dir(nn)))} of Torch7's 190 classes"


def test_every_class_is_compared_with_what_others_say():
    files = map(golden.cases, golden.chapters())
    torch7 = {name for rows in files for case in rows for name in classes(case)}
    torch7 |= {case["class"] for name in ("graph", "training") for case in golden.cases(name)}
    torch7 |= {name for case in golden.cases("recurrent") for name in classes(case)}
    others = {type(case.make()).__name__ for _, case in cases.rows() if case.formula}
    for path in golden.DATA.glob("pytorch_*.npz"):
        with np.load(path) as archive:
            others |= {re.split("[ _/.]", key)[0] for key in archive.files}
    missing = []
    for kind in CLASSES:
        name, chapter = kind.__name__, make_layers.chapter(kind)
        if kind in CONTRACTS or name in torch7:
            continue
        if name in TORCH7:
            missing.append(f"add what Torch7 computes for {name} to tests/data/{chapter}.json")
        elif name not in others:
            script = "criterions" if issubclass(kind, nn.Criterion) else "layers"
            missing.append(
                f"give a row of {name} in tests/cases/{chapter}.py a formula (tests/exact.py), or "
                f"add it to tests/data/make_pytorch_{script}.py: Torch7 lacks it"
            )
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)


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


HOWTOS = sorted((ROOT / "docs" / "howto").glob("*.md"))
FOR_NEWCOMERS = [ROOT / "docs" / f"{name}.md" for name in ("faq", "why")]
FOR_NEWCOMERS += sorted((ROOT / "docs").glob("coming_from_*.md"))


@pytest.mark.parametrize("path", HOWTOS, ids=lambda path: path.stem)
def test_a_howto_says_where_to_read_more(path):
    assert "](" in path.read_text("utf-8").rpartition("```")[2]


@pytest.mark.parametrize("path", HOWTOS + FOR_NEWCOMERS, ids=lambda path: path.stem)
def test_what_is_shown_to_newcomers_is_run(path):
    text = path.read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert blocks
    assert [block for block in blocks if not block.startswith(">>> ")] == []


def test_errors_that_questions_are_headed_by_are_in_the_errors_own_words():
    _, *entries = (ROOT / "docs" / "faq.md").read_text("utf-8").split("\n### ")
    quoted = 0
    for entry in entries:
        heading, _, rest = entry.partition("\n")
        if not heading[0].isupper():
            shown = " ".join(re.findall(r"^```python\n(.*?)^```", rest, re.DOTALL | re.MULTILINE))
            assert heading in shown
            quoted += 1
    assert quoted == 19


def test_what_is_said_of_speed_is_what_was_measured():
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    part = page.partition("<!-- one thread, float32 -->")[2].partition("<!-- end -->")[0]
    ratios = {}
    for table in part.strip().split("\n\n"):
        if table.startswith(("Absent", "Measured")):
            continue
        title, _, *rows = ([cell.strip() for cell in line.split("|")] for line in table.split("\n"))
        for cells in rows:
            named = dict(zip(title, cells, strict=True))
            ratios[cells[1]] = {
                peer: float(named[peer].partition("(")[2].rstrip(")"))
                for peer in ("PyTorch", "JAX jit", "thinc", "bare products")
                if named.get(peer)
            }
    for small in ("1-1, batch 3", "10-10-1, batch 100", "64-64-10, batch 32"):
        assert (
            max(ratios[small][peer] for peer in ("PyTorch", "thinc")) < 1 < ratios[small]["JAX jit"]
        )
    assert ratios["784-1024-1024-10, batch 256"]["bare products"] < 1.25
    for layer, said in (("BatchNormalization(1024), batch 256", 1.5), ("Sigmoid, 1,000,000", 2.3)):
        assert abs(ratios[layer]["PyTorch"] / said - 1) < 0.1
    assert 0.2 < ratios["Tanh, 1,000,000"]["PyTorch"] < 0.4
