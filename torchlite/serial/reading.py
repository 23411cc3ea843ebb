"""Reading a file, as a whole or not at all."""

from collections.abc import Callable
from typing import Any

from torchlite.nn._stateful import Stateful
from torchlite.serial.files import Contents
from torchlite.serial.fit import counterparts
from torchlite.serial.rebuild import Rebuilding
from torchlite.serial.values import RefusalError

__all__ = ["read"]


def read(
    path: Any,
    holds: str,
    into: Stateful | None,
    find_net: Callable[[Any], tuple[Any, str]],
    check: Callable[[Any], None] = lambda content: None,
) -> Any:
    """Return the content of a file, in which `into`, if there is one, takes the network's place.

    find_net returns the network in the content, and its path, before any array is read; check
    looks at the whole. Both raise RefusalError if the content is not what such a file holds.
    """
    with open(path, "rb") as file:
        contents = Contents(file, holds)
        try:
            rebuilding = Rebuilding(contents)
            content = rebuilding.value(contents.content, "")
            net, where = find_net(content)
            if into is not None:
                rebuilding = rebuilding.again(counterparts(rebuilding, net, into, where))
                content = rebuilding.value(contents.content, "")
            rebuilding.finish()
            check(content)
        except RefusalError as error:
            raise contents.fault(error.where, error.problem, error.hint) from error.__cause__
    rebuilding.commit()
    return content
