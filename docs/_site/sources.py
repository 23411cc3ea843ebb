"""The pages that show files of the repository, and the links to them."""

import importlib
import inspect
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxRole

from _site.links import ROOT, shown


def place(file: str) -> str:
    """Return the name of the page of a file."""
    return f"source/{file.removesuffix('.py')}"


class Source(SphinxRole):
    """A link to a file: {source}`words <path>`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        words, _, file = self.text.removesuffix(">").rpartition(" <")
        builder = self.env.app.builder
        target = builder.get_relative_uri(self.env.docname, place(file))
        literal = nodes.literal(words, words) if "." in words or "/" in words else nodes.Text(words)
        return [nodes.reference("", "", literal, refuri=target, internal=True)], []


def link_objects(app: Any, doctree: nodes.document) -> None:
    """Let every signature link to where its object is defined."""
    if app.builder.format != "html":
        return
    for described in doctree.findall(addnodes.desc):
        for signature in described.findall(addnodes.desc_signature):
            found = described["domain"] == "py" and defined(
                signature.get("module") or "", signature.get("fullname") or ""
            )
            if found:
                file, line = found
                uri = app.builder.get_relative_uri(app.env.docname, place(file))
                link = nodes.reference("", "[source]", refuri=f"{uri}#line-{line}", internal=True)
                link["classes"].append("source")
                signature += link


def defined(module: str, name: str) -> tuple[str, int] | None:
    """Return file and line of an object, None for what has none: numbers and other values."""
    value = importlib.import_module(module)
    try:
        for part in name.split("."):
            value = getattr(value, part)
        value = inspect.unwrap(getattr(value, "fget", None) or value)
        file, line = inspect.getsourcefile(value), inspect.getsourcelines(value)[1]
    except (AttributeError, TypeError):
        return None
    return Path(file).relative_to(ROOT).as_posix(), line


def collect(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the page of every file of the package, and of each that a page links to."""
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "torchlite").rglob("*.py")}
    for file in sorted(files | shown()):
        language = "python" if file.endswith(".py") else "text"
        body = app.builder.highlighter.highlight_block(
            (ROOT / file).read_text("utf-8"), language, linespans="line"
        )
        yield (place(file), {"title": file, "body": f"<h1>{escape(file)}</h1>{body}"}, "page.html")
