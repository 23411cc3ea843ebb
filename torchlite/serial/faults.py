"""What is wrong with a file, and where."""

from typing import Any

from torchlite.errors import FormatError

__all__ = ["fault"]


def fault(file: Any, where: str, problem: str, hint: str | None = None) -> FormatError:
    """Return a FormatError that names the file, the place in it (or "") and the problem.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> print(fault(SimpleNamespace(name="net.npz"), "[0].weight", "is no array"))
    net.npz: [0].weight: is no array
    """
    # What a file says can be of any length.
    place = f"{file.name}: {where[:200]}: " if where else f"{file.name}: "
    return FormatError(f"{place}{problem[:500]}", hint=hint)
