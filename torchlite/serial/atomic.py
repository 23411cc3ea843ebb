"""Replacing a file as a whole, or not at all."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, TypeAlias

__all__ = ["Path", "replacing"]

Path: TypeAlias = str | bytes | os.PathLike[Any]


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file for writing that takes the place of path once all is written.

    Until then, and if anything goes wrong, path is what it was. The new file has the permission
    bits that `open(path, "wb")` would leave; one that nobody may write to is not replaced. A
    process that is killed may leave the unfinished one, named `.torchlite-*.tmp`, beside it.

    Example
    -------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "numbers")
    ...     with replacing(path) as file:
    ...         _ = file.write(b"123")
    ...     open(path, "rb").close(), os.listdir(folder)
    (None, ['numbers'])
    """
    path = os.fsdecode(path)
    # Where path is a link, the file that it leads to is replaced, and the link stays.
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    mode = None
    if os.path.exists(target):
        mode = os.stat(target).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(f"{target} is no regular file")
        # Only its folder decides whether a file can be replaced: its own bits are asked here.
        if not mode & 0o222 or not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "the file is read-only", path)
    temporary = os.path.join(folder, f".torchlite-{secrets.token_hex(8)}.tmp")
    # Not tempfile: its files are private, while here the umask decides, as for any new file.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666)
    except OSError as error:
        # Nobody knows of the temporary file: what was given is named, or its folder if that fails.
        error.filename = path if os.path.isdir(folder) else os.path.dirname(path) or folder
        raise
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError) and error.filename == temporary:
            error.filename = path
            del error.filename2
        raise
    _settle(folder)


def _settle(folder: str) -> None:
    """Wait until the folder's new entry is on the disk, where the system can say so."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
