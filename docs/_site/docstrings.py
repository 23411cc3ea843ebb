"""Docstrings as reStructuredText: their words are plain text with `code` in it, and stay so."""

import re
from collections.abc import Iterator

# Sections that say something of names, one after the other.
OF_NAMES = ("Parameters", "Attributes", "Raises", "Config", "State")
_CODE = re.compile(r"(`[^`]+`)")


def escaped(text: str) -> str:
    r"""Return text that shows what it holds, whatever it holds, but for `code`.

    Example
    -------
    >>> print(escaped("lambda_ * |x| of `lambda_`"))
    lambda\_ \* \|x\| of :code:`lambda_`
    """
    parts = _CODE.split(text)
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f":code:`{part[1:-1]}`".replace("\\", "\\\\")
            # Markup ends where no letter follows.
            if parts[place + 1][:1].isalnum():
                parts[place] += "\\ "
            if parts[place - 1][-1:].isalnum():
                parts[place] = "\\ " + parts[place]
        else:
            parts[place] = re.sub(r"([\\*_|`])", r"\\\1", part)
    return "".join(parts)


def rst(text: str, of_names: bool = False) -> str:
    r"""Return a section of a docstring in reStructuredText.

    Example
    -------
    >>> print(rst("With x_::\n\n    y = x_ * 2\n\nand `z`."))
    With x\_::
    <BLANKLINE>
        y = x_ * 2
    <BLANKLINE>
    and :code:`z`.
    >>> print(rst("a, b\n    Numbers.", of_names=True))
    ``a``, ``b``
        Numbers.
    """
    return "\n".join(_lines(text.splitlines(), of_names))


def _lines(lines: list[str], of_names: bool) -> Iterator[str]:
    literal: int | None = None  # the indentation of the paragraph before literal lines
    doctest = False
    for before, line, following in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        indentation = len(line) - len(line.lstrip())
        if literal is not None and line and indentation <= literal:
            literal = None
        doctest = bool(line) and (doctest or line.lstrip().startswith(">>>"))
        if literal is not None or doctest or not line:
            yield line
            continue
        if of_names and not indentation and (following[:1] == " " or re.match(r"[\w, ]+ : ", line)):
            if before and before[0] != " ":
                yield ""
            names, colon, default = line.partition(" : ")
            yield re.sub(r"[\w.*]+", r"``\g<0>``", names) + colon + escaped(default)
            if following[:1] != " ":
                yield "    \\ "
            continue
        yield line[:indentation] + escaped(line[indentation:])
        if line.endswith("::"):
            literal = indentation
