"""Links, as GitHub shows them, to where the site has what they lead to.

Pages link to files of the repository. Of these the site has pages of its own: a page for each class
in the place of layers.md, the examples in the gallery, other files as they are.
"""

import importlib.util
import json
import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
# Pages of other folders that the site has, too: where it has them.
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "benchmarks/README.md": "project/benchmarks.md",
    "docs/howto": "howto.md",
    "docs/tutorials": "tutorials.md",
    "examples": "gallery/index.rst",
}
_FENCED = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)


def load(name: str):
    """Return a module of the folder docs, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LINK = load("index_page").LINK
make_layers = load("make_layers")


def rewritten(text: str, source: str, page: str) -> str:
    """Return the Markdown of a file of the repository as that of a page of the site.

    source is the file, page where the site has it; both are paths from the root of the repository.
    """
    parts = _FENCED.split(text)
    parts[::2] = [LINK.sub(lambda found: _link(found, source, page), part) for part in parts[::2]]
    return "".join(parts)


def rewrite(app: Any, name: str, content: list[str]) -> None:
    """Rewrite the links of a page of docs when Sphinx reads it; the written ones have theirs."""
    source = f"docs/{Path(app.env.doc2path(name)).relative_to(DOCS).as_posix()}"
    if source.endswith(".ipynb"):
        notebook = json.loads(content[0])
        for cell in _words(notebook):
            cell["source"] = rewritten("".join(cell["source"]), source, source)
        content[0] = json.dumps(notebook)
    elif source.endswith(".md") and not name.startswith("project/"):
        content[0] = rewritten(content[0], source, source)


def _words(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of a notebook that are Markdown."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


@cache
def shown() -> frozenset[str]:
    """Return the files that pages link to and that the site shows as they are."""
    found: set[str] = set()
    for path in (*DOCS.glob("**/*.md"), *DOCS.glob("**/*.ipynb"), *(ROOT / f for f in ELSEWHERE)):
        if path.is_file():
            text = path.read_text("utf-8")
            if path.suffix == ".ipynb":
                text = "\n\n".join("".join(cell["source"]) for cell in _words(json.loads(text)))
            page = path.relative_to(ROOT).as_posix()
            found.update(re.findall(r"\{source\}`[^`<]* <([^`>]*)>`", rewritten(text, page, page)))
    return frozenset(found)


def _link(found: re.Match[str], source: str, page: str) -> str:
    code, image, shown, target = found.groups()
    if code or "://" in target or target.startswith(("#", "mailto:")):
        return found[0]
    path, _, heading = target.partition("#")
    file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if not (ROOT / file).exists():
        return found[0]
    if shown.strip("`").endswith(".md") and not image:
        shown = ""  # Sphinx puts the title there
    at = home(file, heading)
    if at is None:
        words = shown.replace("`", "") or file
        return f"{{source}}`{words} <{file}>`" if (ROOT / file).is_file() else shown
    there = posixpath.relpath(f"docs/{at.partition('#')[0]}", posixpath.dirname(page))
    return f"{image}[{shown}]({there}{''.join(at.partition('#')[1:])})"


def home(file: str, heading: str = "") -> str | None:
    """Return where below docs the site has a file, and a heading of it; None if it has no page.

    Example
    -------
    >>> home("docs/checker.md", "exempt"), home("docs/layers.md", "linear"), home("CHANGELOG.md")
    ('checker.md#exempt', 'reference/nn.Linear.rst', 'project/changelog.md')
    >>> home("examples/residual.py"), home("setup.cfg")
    ('gallery/residual.rst', None)
    """
    if file == "docs/layers.md":
        return f"reference/{_of_layers().get(heading, 'index')}.rst"
    hash_and_heading = f"#{heading}" if heading else ""
    if file in ELSEWHERE:
        return ELSEWHERE[file] + hash_and_heading
    if posixpath.dirname(file) == "examples" and file.endswith(".py"):
        return f"gallery/{Path(file).stem}.rst"
    if file.startswith("docs/") and not file.endswith(".py"):
        return file.removeprefix("docs/") + hash_and_heading
    return None


@cache
def _of_layers() -> dict[str, str]:
    """Return the page of every heading of layers.md."""
    classes = {kind.__name__.lower(): page_of(kind) for kind in reversed(make_layers.classes())}
    chapters = {
        make_layers.anchor(title): name.rpartition("/")[2]
        for name, title in make_layers.TITLES.items()
    }
    return {heading: name or "contracts" for heading, name in {**classes, **chapters}.items()}


def page_of(value: Any) -> str:
    """Return the name of the page of a class of nn, or of a function of optim."""
    home = value.__module__.split(".")[-2]
    return f"{home if home in ('element_research', 'optim') else 'nn'}.{value.__name__}"
