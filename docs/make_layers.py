"""Writes what is made of the index of classes, `_HOMES` in torchlite/nn/__init__.py.

docs/layers.md says what every class computes, in the words of its docstring; type checkers find
the classes in torchlite/nn/__init__.pyi. docs/interop.md, which says what other libraries make of
them, is written along by make_interop.py.

python docs/make_layers.py           writes all three
python docs/make_layers.py --count   tells which of Torch7's classes are there
"""

import inspect
import re
import runpy
import sys
from pathlib import Path

from torchlite import nn
from torchlite.elsewhere import TORCH7

HERE = Path(__file__).parent
NN = Path(nn.__file__).parent
# By folder of torchlite/nn, in the order of the page.
TITLES = {
    "": "The contracts",
    "containers": "Containers",
    "transfer": "Transfer functions",
    "simple": "Simple layers",
    "table": "Table layers",
    "convolution": "Convolution",
    "pooling": "Pooling",
    "normalization": "Normalization",
    "resampling": "Padding and resampling",
    "graph": "Networks of nodes",
    "recurrent": "Sequences",
    "recurrent/element_research": "Sequences: Element-Research's namesakes",
    "dpnn": "More layers: dpnn and nnx",
    "criterions": "Criterions",
    "training": "Training",
}
HEAD = """\
# Layers

Every class by chapter of Torch7's documentation: what it computes, in the words of its docstring,
which `help(nn.Linear)` shows in full. Written by `docs/make_layers.py`.
"""


def chapters(folder: Path = NN) -> list[str]:
    """Return the folders of classes, in the order of the page; "" stands for the contracts."""
    files = [path for path in folder.rglob("*/*.py") if not path.stem.startswith("_")]
    found = {path.parent.relative_to(folder).as_posix() for path in files}
    for name in sorted(found - TITLES.keys()):
        raise SystemExit(
            f"torchlite/nn/{name} has no title: add it to TITLES in docs/make_layers.py"
        )
    return [name for name in TITLES if name in found | {""}]


def chapter(kind: type) -> str:
    """Return the folder of a class inside torchlite/nn, "" for the contracts."""
    return "/".join(kind.__module__.split(".")[2:-1])


def classes() -> list[type]:
    """Return every public class: those of nn, and Element-Research's namesakes of some of them."""
    namesakes = nn.recurrent.element_research
    return [getattr(home, name) for home in (nn, namesakes) for name in home.__all__]


def sections(kind: object) -> dict[str, str]:
    """Return the sections of a docstring by title; the text before the first by ""."""
    lines = inspect.cleandoc(kind.__doc__ or "").splitlines()
    found: dict[str, list[str]] = {"": []}
    title = before = ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        # A table that an example prints has such lines, too.
        begins = not before and following and set(following) == {"-"}
        if begins and len(following) == len(line):
            title = line
            found[title] = []
        elif before != title or not title or set(line) != {"-"}:
            found[title].append(line)
        before = line
    return {title: "\n".join(text).strip("\n") for title, text in found.items()}


def entry(kind: type) -> str:
    """Return a class' part of the page."""
    said = sections(kind)
    file = "torchlite/" + "/".join(kind.__module__.split(".")[1:]) + ".py"
    parts = [f"### {kind.__name__}", said[""].partition("\n\n")[0]]
    if "Maths" in said:
        parts.append(_fenced(said["Maths"]))
    if "Shapes" in said:
        parts.append(said["Shapes"])
    parts.append(f"[{file}](../{file})")
    return "\n\n".join(parts)


def _fenced(maths: str) -> str:
    """Return a Maths section with its indented blocks as code."""
    blocks: list[str] = []
    for line in maths.splitlines():
        code = line.startswith("    ") or (not line and blocks and blocks[-1].startswith("```"))
        if code and blocks and blocks[-1].startswith("```"):
            blocks[-1] += f"\n{line[4:]}"
        elif code:
            blocks.append(f"```python\n{line[4:]}")
        elif line and blocks and not blocks[-1].startswith("```"):
            blocks[-1] += f"\n{line}"
        elif line.strip() not in ("", "::"):
            blocks.append(line)
    return "\n\n".join(
        f"{block.rstrip()}\n```" if block.startswith("```") else block.replace("::", ":")
        for block in blocks
    )


def page() -> str:
    """Return the whole page."""
    kinds = sorted(classes(), key=lambda kind: kind.__name__)
    parts = [HEAD.rstrip("\n"), contents(kinds)]
    for folder in chapters():
        parts.append(f"## {TITLES[folder]}")
        parts += [entry(kind) for kind in kinds if chapter(kind) == folder]
    return "\n\n".join(parts) + "\n"


def contents(kinds: list[type]) -> str:
    """Return the chapters and their classes, as links, but for namesakes: theirs would be alike."""
    lines = []
    for folder in chapters():
        title, plain = TITLES[folder], folder.endswith("element_research")
        names = [f"`{kind.__name__}`" for kind in kinds if chapter(kind) == folder]
        links = names if plain else [f"[{name}](#{name.strip('`').lower()})" for name in names]
        lines.append(f"- [{title}](#{anchor(title)}): {', '.join(links)}")
    return "\n".join(lines)


def anchor(title: str) -> str:
    """Return what leads to a heading, as GitHub has it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def stub() -> str:
    """Return what type checkers read instead of torchlite/nn/__init__.py."""
    lines = ["# Written by docs/make_layers.py."]
    lines += [f"from torchlite.nn import {name} as {name}" for name in sorted(nn._PARTS)]
    for name, home in sorted(nn._HOMES.items(), key=lambda item: item[1]):
        begin, end = f"from torchlite.nn.{home} import ", f"{name} as {name}"
        fits = len(begin + end) <= 100
        lines.append(begin + end if fits else f"{begin}(\n    {end},\n)")
    lines += ["", "__all__ = [  # noqa: RUF022"] + [f'    "{name}",' for name in nn.__all__] + ["]"]
    return "\n".join(lines) + "\n"


def count() -> str:
    """Tell how many of Torch7's classes torchlite has, and which it has not."""
    missing = sorted(name for name in TORCH7 if not hasattr(nn, name))
    lines = [f"{len(TORCH7) - len(missing)} of Torch7's {len(TORCH7)} classes"]
    if missing:
        lines.append("missing: " + ", ".join(missing))
    return "\n".join(lines)


if __name__ == "__main__":
    if "--count" in sys.argv[1:]:
        print(count())
    else:
        (HERE / "layers.md").write_text(page(), "utf-8")
        (NN / "__init__.pyi").write_text(stub(), "utf-8")
        runpy.run_path(str(HERE / "make_interop.py"), run_name="__main__")
