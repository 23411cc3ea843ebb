"""How far a loop has come: tqdm's bar where tqdm is installed, a plain line where it is not."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import partial
from typing import Any, Generic, TypeVar

__all__ = ["Progress", "progress"]

T = TypeVar("T")


def progress(items: Iterable[T], name: str, show: bool | None = None) -> "Progress[T]":
    """Go through `items`, showing on stderr how many `name` are done.

    With `show` None that happens on a terminal only, and not on one that is TERM=dumb: a log file
    wants no bars. However the loop
    ends, by break and exceptions too, the line is completed.

    >>> epochs = progress(range(50), "epochs")
    >>> for epoch in epochs:
    ...     epochs.status(f"loss {1 / (1 + epoch):.2f}")
    """
    if show is None:
        show = sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    if not show:
        return Progress(items, None)
    try:
        from tqdm import tqdm as line
    except ImportError:
        line = _PlainLine
    return Progress(items, partial(line, items, desc=name))


class Progress(Generic[T]):
    """What `progress` returns: the items, and a line that is there while a loop runs over them."""

    def __init__(self, items: Iterable[T], start: Callable[[], Any] | None) -> None:
        self._items = items
        self._start = start
        self._line: Any = None

    def __iter__(self) -> Iterator[T]:
        line = self._line = self._start() if self._start else None
        try:  # a loop that is left early drops this generator, which runs `finally`
            for item in self._items:
                yield item
                if line is not None:
                    line.update()
        finally:
            self._line = None
            if line is not None:
                line.close()

    def status(self, text: str) -> None:
        """Show a short text (a loss, an accuracy) on the current line; see `progress`."""
        if self._line is not None:
            self._line.set_postfix_str(text)


class _PlainLine:
    """As much of tqdm as Progress needs, drawn as `epochs 3/50  loss 0.12`."""

    def __init__(self, items: Iterable[Any], desc: str) -> None:
        self._total = f"/{len(items)}" if isinstance(items, Sized) else ""
        self._desc, self._done, self._text, self._width = desc, 0, "", 0
        self.update(0)

    def update(self, steps: int = 1) -> None:
        self._done += steps
        line = f"{self._desc} {self._done}{self._total}  {self._text}".rstrip()
        # A line that the terminal breaks could not be written over.
        line = line[: shutil.get_terminal_size().columns - 1]
        # The blanks cover what stands there when the line before was longer.
        print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def set_postfix_str(self, text: str) -> None:
        self._text = text
        self.update(0)

    def close(self) -> None:
        print(file=sys.stderr)
