"""What is copied from a page can be put into Python's prompt.

There an empty line ends a block, and nothing else does; in a file neither is so. What the prompt
needs stands in the page without being shown, for the button that copies takes hidden text along.
"""

import ast
import html
import re
from collections.abc import Iterator
from typing import Any

_CODE = re.compile(
    r'(<div class="highlight-(?:default|ipython3|python)\b[^>]*><div class="highlight"><pre>)'
    r"(.*?)(</pre>)",
    re.S,
)
_PROMPT = re.compile(r"(?:>>>|\.\.\.) ")


def pasteable(body: str) -> str:
    """Return HTML whose code can be copied into the prompt."""
    return _CODE.sub(lambda found: found[1] + pasted(found[2]) + found[3], body)


def pasted(shown: str) -> str:
    r"""Return HTML of code, with what the prompt needs.

    Example
    -------
    >>> print(pasted("for x in y:\n    x\nx\n"))
    for x in y:
        x
    <span class="pasted">
    </span>x
    <BLANKLINE>
    >>> print(pasted("def f():\n    x\n\n    y\n"))
    def f():
        x
    <span class="pasted">    </span>
        y
    <BLANKLINE>
    """
    lines = shown.split("\n")
    texts = [html.unescape(re.sub("<[^>]*>", "", line)) for line in lines]
    # Where each line of the program stands: beside prompts there is what it prints.
    places = [i for i, text in enumerate(texts) if _PROMPT.match(text)] or [*range(len(lines))]
    program = [_PROMPT.sub("", texts[i]) for i in places]
    try:
        blocks = [part for part in ast.parse("\n".join(program)).body if hasattr(part, "body")]
    except SyntaxError:
        return shown
    for block in blocks:
        for at in _empty(block, program):
            indent = re.match(" *", next(filter(str.strip, program[at:])))[0]
            lines[places[at]] = f'<span class="pasted">{indent}</span>{lines[places[at]]}'
        after = places[block.end_lineno - 1] + 1
        if block.end_lineno < len(program) and texts[after].strip():
            lines[after] = f'<span class="pasted">\n</span>{lines[after]}'
    return "\n".join(lines)


def _empty(block: Any, program: list[str]) -> Iterator[int]:
    """Yield the numbers of a block's empty lines, but for those of texts."""
    inside: set[int] = set()
    for part in ast.walk(block):
        if isinstance(part, ast.JoinedStr) or isinstance(getattr(part, "value", None), str):
            inside.update(range(part.lineno, part.end_lineno))
    for at in range(block.lineno, block.end_lineno):
        if at not in inside and not program[at].strip():
            yield at
