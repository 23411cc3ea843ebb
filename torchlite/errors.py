"""The errors torchlite raises on purpose.

Each says in its first line which layer, which method, which argument, what was expected and what
came; a second line may hold a hint. Containers add a line each (`BaseException.add_note`), from the
inside out, with the position of the layer and what led there.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

__all__ = [
    "DTypeError",
    "FormatError",
    "SettingError",
    "ShapeError",
    "StateError",
    "TorchliteError",
    "closest",
    "fault",
    "printable",
    "rehint",
    "unhinted",
]

_Error = TypeVar("_Error", bound="TorchliteError")


class TorchliteError(Exception):
    """What the errors share: the facts that make up the message, for programs to read.

    Attributes
    ----------
    layer, method, argument
        Where it happened, as far as that is known: the layer (or criterion) itself, the name of
        its method and of the argument.
    expected, got
        What was expected and what came, as text.
    hint
        What would fit, or None.
    path
        The positions of the layer in the containers around it, from the outside in.
    """

    def __init__(
        self,
        message: str = "",
        *,
        layer: Any = None,
        method: str | None = None,
        argument: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(f"{message}\n  hint: {hint}" if hint else message)
        self.layer = layer
        self.method = method
        self.argument = argument
        self.expected = expected
        self.got = got
        self.hint = hint
        self.path: tuple[int, ...] = ()


class ShapeError(TorchliteError, ValueError):
    """An array, or a size, has the wrong shape."""


class DTypeError(TorchliteError, TypeError):
    """Something has the wrong type: an array's dtype, a number, a thing that is no Module."""


class SettingError(TorchliteError, ValueError):
    """A setting has the right type but a value that it cannot have."""


class StateError(TorchliteError, RuntimeError):
    """A call that is right by itself came at the wrong moment or on the wrong network."""


class FormatError(TorchliteError, ValueError):
    """A file is damaged, of another format, or does not fit the network.

    What the message quotes from the file is `printable`.
    """

    def __init__(self, message: str = "", *, hint: str | None = None, **facts: Any) -> None:
        super().__init__(printable(message), hint=hint and printable(hint), **facts)


def printable(text: str) -> str:
    r"""Return a text that a terminal shows as it is: what would steer it is written out.

    Files hold text of anybody's, lone surrogates too, of which print makes an error.

    Example
    -------
    >>> print(printable("net\x1b[2J\ud800, two\nlines"))
    net\x1b[2J\ud800, two
    lines
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def unhinted(error: TorchliteError) -> str:
    """Return the message of an error without its hint."""
    return str(error).removesuffix(f"\n  hint: {error.hint}")


def rehint(error: TorchliteError, hint: str) -> None:
    """Give an error another hint."""
    error.args = (f"{unhinted(error)}\n  hint: {hint}",)
    error.hint = hint


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like one that is not known, if any is like it.

    Example
    -------
    >>> closest("weights", {"weight", "bias"})
    'weight'
    >>> closest("factors", {"weight", "bias"}) is None
    True
    """
    return next(iter(get_close_matches(name, sorted(known), 1)), None)


def fault(
    kind: type[_Error],
    where: str,
    argument: str,
    expected: str,
    got: str,
    *,
    layer: Any = None,
    method: str | None = None,
    hint: str | None = None,
    why: str = "",
) -> _Error:
    """Return the error of an argument that is not what was expected; `why` says more of that.

    Without method, `where` is the function that was called.
    """
    return kind(
        f"{where}: {argument} must be {expected}{why}, got {got}",
        layer=layer,
        method=method or where,
        argument=argument,
        expected=expected,
        got=got,
        hint=hint,
    )
