"""Which classes can go elsewhere: the page says what the code does."""

import importlib.util
from pathlib import Path

import pytest

from torchlite import nn

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("make_interop", ROOT / "docs" / "make_interop.py")
make_interop = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_interop)


def test_the_page_is_up_to_date():
    fresh = (ROOT / "docs" / "interop.md").read_text("utf-8") == make_interop.page()
    assert fresh, "run: python docs/make_interop.py"


def test_the_page_has_every_layer():
    page = make_interop.page()
    for name in nn.__all__:
        kind = getattr(nn, name)
        wanted = issubclass(kind, nn.Module) and kind not in {nn.Module, nn.Container}
        assert page.count(f"| `{name}` |") == wanted, name


@pytest.mark.parametrize("title", make_interop.COLUMNS)
def test_what_is_said_of_a_class(title):
    for kind in make_interop.layers():
        said = make_interop.COLUMNS[title](kind)
        word, _, reason = said.partition(":" if said.startswith("no") else ", but for")
        assert word in {"yes", "no"}, kind
        assert (word == "no") <= bool(reason.strip()), f"say why {kind.__name__} cannot"
