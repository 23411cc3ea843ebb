"""Writes the pages that are made of something: classes, functions, examples, root pages.

They stand in docs/reference, docs/gallery and docs/project, which git ignores.
"""

import ast
import contextlib
import importlib
import inspect
import io
import os
import pkgutil
import re
import textwrap
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from sphinx.ext.autodoc.mock import mock

from _site.docstrings import OF_NAMES, escaped, rst
from _site.links import DOCS, ELSEWHERE, ROOT, load, make_layers, page_of, rewritten
from torchlite import __main__, commands, nn, optim
from torchlite.testing import maths

make_gallery = load("make_gallery")
FOLDERS = ("reference", "gallery", "project")
# Parts of torchlite beside nn, each with a page: its title, and what it says where it says nothing.
PARTS = {
    "torchlite.nn.init": "First parameters: nn.init",
    "torchlite.nn.graph": "Graphs: nn.graph",
    "torchlite.nn.tables": "Connection tables: nn.tables",
    "torchlite.nn.utils": "Tables of arrays: nn.utils",
    "torchlite.nn.hessian": "Second derivatives: nn.hessian",
    "torchlite.optim": "Optimizers: optim",
    "torchlite.random": "Random numbers: random",
    "torchlite.datasets": "Data: datasets",
    "torchlite.serial": "Files: serial",
    "torchlite.serial.t7": "Torch7's files: serial.t7",
    "torchlite.testing": "The checker: testing",
    "torchlite.testing.jacobian": "Torch7's checks: testing.jacobian",
    "torchlite.stepping": "Stepping: stepping",
    "torchlite.play": "Problems to play with: play",
    "torchlite.interop.pytorch": "PyTorch: interop.pytorch",
    "torchlite.interop.onnx": "ONNX: interop.onnx",
    "torchlite.interop.sklearn": "scikit-learn: interop.sklearn",
    "torchlite.interop.cupy": "GPUs: interop.cupy",
    "torchlite.distributed": "Many processes: distributed",
    "torchlite.errors": "Errors: errors",
    "torchlite.progress": "Progress: progress",
}
# Optional packages, which the site is built without.
MOCKED = ["cupy", "hypothesis", "mpi4py", "onnx", "safetensors", "sklearn", "torch"]
# The sections of a docstring, in the order in which they are shown.
ORDER = (
    "Maths", "Config", "State", "Shapes", "Parameters", "Attributes", "Returns", "Conventions",
    "Raises", "Example", "Reference",
)  # fmt: skip
CONTRACTS = (nn.Module, nn.Container, nn.Criterion)


def write() -> None:
    """Write all pages anew, without touching those that are as they were."""
    pages = {**classes(), **parts(), **examples(), **project()}
    pages["reference/index.rst"] = index()
    pages["reference/commands.rst"] = command_line()
    pages["reference/kernels.rst"] = kernels()
    assert len(pages) == len({name.lower() for name in pages}), "names that differ by case alone"
    for name, text in pages.items():
        file = DOCS / name
        file.parent.mkdir(exist_ok=True)
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
    for folder in FOLDERS:
        for file in (DOCS / folder).iterdir():
            if f"{folder}/{file.name}" not in pages:
                file.unlink()


def heading(title: str, line: str = "=") -> str:
    return f"{title}\n{line * len(title)}"


def joined(*blocks: str) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


def indented(text: str, by: int = 3) -> str:
    return "\n".join(" " * by + line if line else "" for line in text.splitlines())


def table(columns: list[str], rows: list[list[str]], widths: str) -> str:
    """Return a list-table of cells in reStructuredText."""
    lines = [".. list-table::", f"   :widths: {widths}", "   :header-rows: 1", ""]
    for row in (columns, *rows):
        for first, cell in zip("*" + " " * len(row), row, strict=False):
            lines.append(f"   {first} - {cell}")
    return "\n".join(lines)


# ------------------------------------------------------------------------------ classes


def classes() -> dict[str, str]:
    """Return the page of every class of nn, and of every chapter."""
    kinds = sorted(make_layers.classes(), key=lambda kind: kind.__name__)
    pages = {f"reference/{page_of(kind)}.rst": class_page(kind) for kind in kinds}
    for name in make_layers.chapters():
        title = make_layers.TITLES[name]
        inside = [kind for kind in kinds if make_layers.chapter(kind) == name]
        pages[f"reference/{chapter_page(name)}.rst"] = joined(heading(title), listed(inside))
    return pages


def chapter_page(chapter: str) -> str:
    return chapter.rpartition("/")[2] or "contracts"


def listed(kinds: list[Any]) -> str:
    """Return a table of classes or functions that have pages, and the list of these."""
    rows = [
        [f":doc:`{kind.__name__} <{page_of(kind)}>`", escaped(first_sentence(kind))]
        for kind in kinds
    ]
    toctree = "\n".join([".. toctree::", "   :hidden:", "", *(f"   {page_of(k)}" for k in kinds)])
    return joined(table(["", "what it is"], rows, "30 70"), toctree)


def first_sentence(value: Any) -> str:
    return " ".join(make_layers.sections(value)[""].partition("\n\n")[0].split())


def home(kind: type) -> str:
    """Return the module that a class is imported from."""
    if page_of(kind) != f"nn.{kind.__name__}":
        return "torchlite.nn.recurrent.element_research"
    return "torchlite.nn"


def class_page(kind: type) -> str:
    name = f"{home(kind)}.{kind.__name__}"
    chapter = make_layers.chapter(kind)
    public = [base for base in kind.__mro__[1:] if base in make_layers.classes()]
    above = [base for base in public if base not in CONTRACTS][:1] or public[:1]
    where = f"Chapter: :doc:`{make_layers.TITLES[chapter]} <{chapter_page(chapter)}>`."
    if above:
        base = above[0]
        where += f" It is a :doc:`{base.__name__} <{page_of(base)}>`, and has all of its methods."
    return joined(
        heading(kind.__name__),
        where,
        f".. autoclass:: {name}",
        sections(kind, families(kind)),
        differences(kind),
        methods(kind, name),
    )


def families(kind: type) -> list[type]:
    """Return the private bases of a class, up to the first that has a page."""
    found = []
    for base in kind.__mro__[1:]:
        if base in make_layers.classes():
            break
        if base.__module__.startswith("torchlite.") and base.__doc__:
            found.append(base)
    return found


def sections(value: Any, families: Sequence[type] = ()) -> str:
    """Return the sections of a docstring, each under a heading, with what its family says there."""
    said = make_layers.sections(value)
    of_family = [(base, make_layers.sections(base)) for base in families]
    titles = {*said, *(title for _, theirs in of_family for title in theirs)} - {""}
    blocks = []
    unknown = sorted(titles - {*ORDER})
    if unknown:
        name = getattr(value, "__name__", value)
        raise ValueError(f"{name}: no section {unknown[0]} in ORDER of docs/_site/pages.py")
    for title in sorted(titles, key=ORDER.index):
        blocks += [heading(title, "-"), rst(said.get(title, ""), title in OF_NAMES)]
        known = names_in(said.get(title, ""))
        for base, theirs in of_family:
            text = theirs.get(title, "")
            if title in OF_NAMES:
                text = but_for(known, text)
                known |= names_in(text)
            if text and title not in ("Example", "Reference"):
                blocks.append(f"*As all of its family,* {escaped(f'`{base.__name__}`')}:")
                blocks.append(rst(text, title in OF_NAMES))
        if title == "Maths":
            text = "".join(
                [said.get(title, ""), *(theirs.get(title, "") for _, theirs in of_family)]
            )
            blocks.append(defined_elsewhere(text))
    return joined(*blocks)


def names_in(text: str) -> set[str]:
    """Return the names that a section of names says something of."""
    return set(re.findall(r"\w+", " ".join(re.findall(r"^\S.*(?=\n +)", text, re.MULTILINE))))


def but_for(known: set[str], text: str) -> str:
    r"""Return a section of names without the entries of those that are known.

    Example
    -------
    >>> but_for({"a", "b"}, "a, b\n    Numbers.\nc\n    One more.")
    'c\n    One more.'
    """
    entries = re.split(r"\n(?=\S)", text)
    return "\n".join(e for e in entries if not names_in(e) or names_in(e) - known)


def defined_elsewhere(text: str) -> str:
    """Return where to read of the functions that a section names, if it does."""
    named = [name for name in maths._KERNELS if re.search(rf"\b{name}\(", text)]
    code = ", ".join(f":code:`{name}`" for name in named)
    return f":doc:`kernels` says what this is: {code}." if named else ""


def methods(kind: type, name: str) -> str:
    """Return what a class offers beyond the class above it."""
    found = {
        method: value
        for base in (kind, *families(kind))
        for method, value in vars(base).items()
        if not method.startswith("_")
        and inspect.getattr_static(kind, method) is value
        and (inspect.isfunction(value) or isinstance(value, property | classmethod | staticmethod))
        and value.__doc__
    }
    if not found:
        return ""
    lines = [
        f".. auto{'property' if isinstance(value, property) else 'method'}:: {name}.{method}"
        for method, value in found.items()
    ]
    return joined(heading("Methods", "-"), *lines)


def differences(kind: type) -> str:
    """Return the rows of differences.md about a class."""
    rows = []
    for line in (DOCS / "differences.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("| ") and kind.__name__ in re.findall(r"\w+", cells[0]):
            rows.append([from_markdown(cell) or "\\ " for cell in (*cells, "", "")[1:4]])
    if not rows:
        return ""
    return joined(
        heading("Differences from Torch7", "-"),
        table(["what Torch7 does", "what torchlite does", "why"], rows, "40 40 20"),
        "All of them: :doc:`/differences`.",
    )


def from_markdown(text: str) -> str:
    r"""Return a line of Markdown, with code and links to other pages, in reStructuredText.

    Example
    -------
    >>> print(from_markdown("a_b, `c` ([gpu.md](gpu.md))"))
    a\_b, :code:`c` (:doc:`gpu.md </gpu>`)
    """
    parts = re.split(r"\[([^\]]*)\]\(([\w/]+)\.md[^)]*\)", text)
    out = escaped(parts[0])
    for shown, page, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        out += f":doc:`{shown.replace('`', '')} </{page}>`" + escaped(after)
    return out


# ------------------------------------------------------------------------------ other parts


def parts() -> dict[str, str]:
    """Return the page of every other part; of optim, one for each function, too."""
    pages = {}
    for name, title in PARTS.items():
        module = imported(name)
        text = (inspect.getdoc(module) or "").partition("\n")
        public = list(module.__all__)
        blocks = [heading(title), f".. module:: {name}", rst("".join(text), of_names=True)]
        if module is optim:
            values = [getattr(optim, key) for key in public]
            for value in values:
                pages[f"reference/{page_of(value)}.rst"] = function_page(value)
            blocks.append(listed(values))
        else:
            blocks += [described(module, key) for key in public]
        pages[f"reference/{name.removeprefix('torchlite.')}.rst"] = joined(*blocks)
    return pages


def imported(name: str) -> Any:
    """Return a module, whatever optional packages are missing."""
    with mock(MOCKED):
        return importlib.import_module(name)


def described(module: Any, name: str) -> str:
    value = getattr(module, name)
    full = f"{module.__name__}.{name}"
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
        return f".. auto{kind}:: {full}\n   :members:"
    if callable(value):
        return f".. autofunction:: {full}"
    entries = [
        f"- :code:`{key}`: {escaped(first_sentence(entry))}"
        if callable(entry)
        else f"- :code:`{key}`"
        for key, entry in value.items()
    ]
    return joined(f".. autodata:: {full}\n   :no-value:", "\n".join(entries))


def function_page(value: Any) -> str:
    directive = "autoclass" if inspect.isclass(value) else "autofunction"
    blocks = [heading(value.__name__), f".. {directive}:: torchlite.optim.{value.__name__}"]
    blocks += [sections(value), differences(value)]
    if inspect.isclass(value):
        blocks.append(methods(value, f"torchlite.optim.{value.__name__}"))
    return joined(*blocks)


def kernels() -> str:
    """Return the page of the functions that Maths names."""
    return joined(
        heading("Functions in the Maths"),
        "The Maths of a class is Python that runs, with :code:`np` for NumPy. What else it names "
        "is defined here, by the docstring of each.",
        *(
            f".. autofunction:: {maths._KERNELS[name].__module__}.{name}"
            for name in sorted(maths._KERNELS)
        ),
    )


def command_line() -> str:
    """Return what `--help` says, of torchlite and of every command."""
    blocks = [heading("The command line")]
    names = [name for _, name, _ in pkgutil.iter_modules(commands.__path__) if name[0] != "_"]
    for words in ([], *([name] for name in names)):
        out = io.StringIO()
        columns = os.environ.get("COLUMNS")
        os.environ.update(COLUMNS="80", NO_COLOR="1")
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            __main__.main([*words, "--help"])
        if columns is None:
            del os.environ["COLUMNS"]
        title = " ".join(["torchlite", *words])
        blocks += [heading(title, "-"), as_text(out.getvalue())]
    return joined(*blocks)


def index() -> str:
    chapters = [chapter_page(name) for name in make_layers.chapters()]
    names = [name.removeprefix("torchlite.") for name in PARTS]
    return joined(
        heading("Reference"),
        "Every class and function, in the words of its docstring: what it computes, on which "
        "shapes, and by which conventions. :doc:`/by_task` finds them by what you want to do.",
        ".. toctree::\n   :maxdepth: 1\n   :caption: Layers and criterions: nn\n\n   /by_task\n"
        + "\n".join(f"   {name}" for name in chapters),
        ".. toctree::\n   :maxdepth: 1\n   :caption: Everything else\n\n"
        + "\n".join(f"   {name}" for name in (*names, "commands", "kernels")),
        ".. toctree::\n   :maxdepth: 1\n   :caption: Tables\n\n"
        "   /criterions\n   /interop\n   /differences",
        ":ref:`genindex` lists every name.",
    )


def process_docstring(
    app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Let autodoc show a docstring as it is meant; of a page's own object what has no heading."""
    if what == "data":  # it would say what a dict is
        lines.clear()
        return
    said = make_layers.sections(SimpleNamespace(__doc__="\n".join(lines)))
    own_page = what in ("class", "function") and (
        value in make_layers.classes()
        or getattr(optim, getattr(value, "__name__", ""), None) is value
    )
    blocks = [rst(said.pop(""))]
    if not own_page:
        for title, text in said.items():
            blocks += [f".. rubric:: {title}", rst(text, title in OF_NAMES)]
    lines[:] = "\n\n".join(blocks).splitlines()


def skip_member(
    app: Any, what: str, name: str, value: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out what Python says of the fields of a NamedTuple: their class says what they are."""
    return (getattr(value, "__doc__", None) or "").startswith("Alias for field") or None


# ------------------------------------------------------------------------------ examples and root


def examples() -> dict[str, str]:
    """Return the page of every example, with what it prints and draws, and the gallery."""
    pages, cards = {}, []
    for file in make_gallery.examples():
        said = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
        title, _, rest = said.partition("\n\n")
        title = " ".join(title.split())
        printed = (make_gallery.PICTURES / f"{file.stem}.txt").read_text("utf-8").rstrip()
        drawn = sorted(make_gallery.PICTURES.glob(f"{file.stem}-*.png"))
        images = [f".. image:: ../pictures/{picture.name}\n   :alt: {title}" for picture in drawn]
        pages[f"gallery/{file.stem}.rst"] = joined(
            heading(file.stem),
            escaped(title),
            as_it_is(rest),
            *images,
            heading("The program", "-"),
            f".. literalinclude:: ../../examples/{file.name}",
            *([heading("What it prints", "-"), as_text(printed)] if printed else []),
        )
        preview = [f"{images[0]}\n   :target: {file.stem}.html"] if images else []
        if printed and not images:
            preview = [as_text("\n".join(line[:60] for line in printed.splitlines()[-12:]))]
        card = joined(f":doc:`{file.stem}`", escaped(title), *preview)
        cards.append(f".. container:: card-of-example\n\n{indented(card)}")
    toctree = "\n".join(f"   {file.stem}" for file in make_gallery.examples())
    pages["gallery/index.rst"] = joined(
        heading("Examples"),
        "Short programs, to be read from top to bottom, with what they draw, or print at last.",
        ".. container:: gallery\n\n" + indented("\n\n".join(cards)),
        f".. toctree::\n   :hidden:\n\n{toctree}",
    )
    return pages


def as_text(text: str) -> str:
    return f".. code-block:: text\n\n{indented(text)}"


def as_it_is(text: str) -> str:
    """Return paragraphs, those that are indented as code."""
    blocks = [
        as_text(textwrap.dedent(block)) if block.startswith("    ") else escaped(block)
        for block in text.split("\n\n")
    ]
    return joined(*blocks)


def project() -> dict[str, str]:
    """Return the pages of the repository's root, with their links."""
    return {
        page: rewritten((ROOT / file).read_text("utf-8"), file, f"docs/{page}")
        for file, page in ELSEWHERE.items()
        if page.startswith("project/")
    }
