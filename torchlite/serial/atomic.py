"""Replacing a file as a whole, or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

__all__ = ["replacing"]


@contextmanager
def replacing(path: Any) -> Iterator[BinaryIO]:
    """Open a new file for writing that takes the place of path once all is written.

    Until then, and if anything goes wrong, path is what it was. The new file has the permission
    bits that `open(path, "wb")` would leave. A process that is killed may leave the unfinished
    one, named `.torchlite-*.tmp`, beside it.

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
    # Where path is a link, the file that it leads to is replaced, and the link stays.
    target = os.path.realpath(os.fspath(path))
    mode = None
    if os.path.exists(target):
        mode = os.stat(target).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(f"{target} is no regular file")
    temporary = os.path.join(os.path.dirname(target), f".torchlite-{secrets.token_hex(8)}.tmp")
    # Not tempfile: its files are private, while here the umask decides, as for any new file.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
