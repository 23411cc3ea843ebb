"""Drawing: text that Graphviz reads, and pictures where Graphviz is there."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from torchlite.errors import DTypeError, fault
from torchlite.nn.graph._graph import Graph

__all__ = ["dot"]

_INSTALL = "pip install graphviz, and its program: apt-get install graphviz, or graphviz.org"
_PICTURES = {
    ".svg", ".png", ".pdf", ".ps", ".eps", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"
}  # fmt: skip


def dot(g: Any, title: str | None = None, file: Any = None) -> str:
    """Return a graph as text in the language of Graphviz, and write it, or draw it, to a file.

    Parameters
    ----------
    g
        A Graph: `net.fg` or `net.bg` of a gModule.
    title
        Stands above the drawing.
    file
        Without an ending, as in Torch7: the text is written to `file.dot`, and a picture to
        `file.svg` if Graphviz is there. With the ending .dot, the text; with one of a picture
        (.svg, .png, .pdf, .ps, .eps, .jpg, .jpeg, .gif, .bmp, .tif, .tiff, .webp), that. Other
        dots are part of the name.

    Raises
    ------
    ImportError
        A picture was asked for by its ending, and Graphviz is missing.
    DTypeError
        g is no Graph.

    Example
    -------
    >>> import torchlite as nn
    >>> x = nn.Identity()()
    >>> net = nn.gModule([x], [nn.Linear(3, 2)(x)])
    >>> text = dot(net.fg, "a small net")
    >>> print(text.split(";")[1])
    <BLANKLINE>
    label="a small net"
    """
    if not isinstance(g, Graph):
        hint = "net.fg is a gModule's" if hasattr(g, "fg") else None
        raise fault(DTypeError, "dot", "g", "a Graph", type(g).__name__, hint=hint)
    text = g.todot(title)
    if file is not None:
        path = Path(os.fspath(file))
        ending = path.suffix.lower()
        if ending == ".dot":
            path.write_text(text, "utf-8")
        elif ending in _PICTURES:
            _draw(text, path)
        else:
            path.with_name(f"{path.name}.dot").write_text(text, "utf-8")
            with suppress(ImportError):
                _draw(text, path.with_name(f"{path.name}.svg"))
    return text


def _draw(text: str, path: Path) -> None:
    try:
        import graphviz
    except ImportError as error:
        raise ImportError(f"a picture needs graphviz: {_INSTALL}") from error
    try:
        picture = graphviz.Source(text).pipe(path.suffix[1:].lower())
    except graphviz.ExecutableNotFound as error:
        raise ImportError(f"a picture needs Graphviz's program dot: {_INSTALL}") from error
    path.write_bytes(picture)
