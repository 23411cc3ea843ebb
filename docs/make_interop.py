"""Writes docs/interop.md: which classes other libraries can say, and of the others, why not.

python docs/make_interop.py

A column is a title and a function in COLUMNS: it gets a class of torchlite.nn, and returns "yes",
"yes, but for ..." or "no: ..." with the reason. It must need no other package, as the page is
compared with what it returns wherever the tests run.
"""

import importlib.util
from pathlib import Path

from torchlite import nn
from torchlite.interop.onnx.rules import entry_of
from torchlite.interop.pytorch.convert import says

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("make_layers", HERE / "make_layers.py")
make_layers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_layers)

HEAD = """\
# Which classes can go elsewhere

[`onnx.md`](onnx.md) says how a network becomes an ONNX file, [`pytorch.md`](pytorch.md) how one
goes to PyTorch and comes back. Criterions have no part in it: a network is trained by them. Written
by `docs/make_interop.py`.
"""


def onnx(kind: type) -> str:
    """Return whether `torchlite.interop.onnx.export` can say a class."""
    entry = entry_of(kind)
    if entry.refused:
        return f"no: {entry.but}"
    return f"yes, but for {entry.but}" if entry.but else "yes"


COLUMNS = {"ONNX": onnx, "PyTorch, there and back": says}


def layers() -> list[type]:
    """Return every class that is a layer, and not a contract."""
    kinds = (getattr(nn, name) for name in nn.__all__)
    return [
        kind
        for kind in kinds
        if issubclass(kind, nn.Module) and kind not in {nn.Module, nn.Container}
    ]


def page() -> str:
    """Return the whole page."""
    parts = [HEAD.rstrip("\n")]
    for chapter in make_layers.chapters():
        of_chapter = [kind for kind in layers() if make_layers.chapter(kind) == chapter]
        if of_chapter:
            rows = ["class", *COLUMNS], ["---"] * (1 + len(COLUMNS))
            cells = [
                [f"`{kind.__name__}`", *(column(kind) for column in COLUMNS.values())]
                for kind in sorted(of_chapter, key=lambda kind: kind.__name__)
            ]
            table = "\n".join(f"| {' | '.join(row)} |" for row in (*rows, *cells))
            parts.append(f"## {make_layers.TITLES[chapter]}\n\n{table}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    (HERE / "interop.md").write_text(page(), "utf-8")
