"""What the terminal is: how wide, which signs it has, whether it takes more than text, and how
Python is called from it.
"""

import os
import shutil
import sys
import textwrap
from pathlib import Path

__all__ = ["bare", "columns", "from_here", "python", "signs", "styled", "wrapped"]


def columns() -> int:
    """Return how wide the terminal is; what goes elsewhere may be as wide as it likes."""
    return shutil.get_terminal_size((2**20, 24)).columns


def wrapped(text: str, indent: str = "") -> str:
    """Return a text whose lines are no longer than the terminal is wide, broken between words.

    Lines that go on have an indent.
    """
    width = columns()
    lines = [
        textwrap.fill(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    ]
    return "\n".join(lines)


def bare() -> bool:
    """Tell whether nothing must be written but lines of text."""
    return not sys.stdout.isatty() or os.environ.get("TERM") == "dumb"


def styled() -> bool:
    """Tell whether text may stand out: not where NO_COLOR is set (https://no-color.org)."""
    return not (bare() or os.environ.get("NO_COLOR"))


def signs(many: str, few: str) -> str:
    """Return the first of two sets of signs where the output has them, else the second."""
    try:
        many.encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return few
    return few if os.environ.get("TERM") == "dumb" else many


def python() -> str:
    """Return how to call this Python from here: by its path, if another one comes first."""
    own, first = Path(sys.executable), shutil.which("python")
    if first and Path(first).parent == own.parent and not own.is_relative_to(Path.cwd()):
        return "python"
    return from_here(own)


def from_here(path: Path) -> str:
    """Return a path as it is written in this folder."""
    here = Path.cwd()
    text = str(path.relative_to(here) if path.is_relative_to(here) else path)
    return f'"{text}"' if " " in text else text
