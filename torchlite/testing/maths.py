"""The Maths section of a docstring, as statements that can be run."""

import inspect
import textwrap
from typing import Any

import numpy as np

from torchlite.nn.nested import is_array

__all__ = ["evaluate", "statements"]


def statements(kind: type) -> list[str]:
    """Return the statements of the Maths section of a class' own docstring.

    Of a section that is no code, none.

    Example
    -------
    >>> import torchlite as nn
    >>> statements(nn.ReLU)
    ['output = np.maximum(input, 0)', 'gradInput = gradOutput * (input > 0)']
    """
    lines = inspect.cleandoc(kind.__doc__ or "").splitlines()
    if "Maths" not in lines:
        return []
    start = lines.index("Maths") + 2
    titles = [i for i in range(start + 1, len(lines)) if lines[i].startswith("---")]
    section = lines[start : titles[0] - 1] if titles else lines[start:]
    code = textwrap.dedent("\n".join(line for line in section if line.startswith("    ")))
    try:
        compile(code, kind.__name__, "exec")
    except SyntaxError:
        return []
    return [line for line in code.splitlines() if line.strip()]


def evaluate(block: list[str], layer: Any, **names: Any) -> dict[str, Any]:
    """Run the statements over the layer's attributes and the names; return what they assigned.

    What is accumulated (`gradWeight += ...`) starts at zero.
    """
    space: dict[str, Any] = {}
    for kind in reversed(type(layer).__mro__):
        space.update({key: value for key, value in vars(kind).items() if not key.startswith("__")})
    space.update(vars(layer))
    for name in ("output", "gradInput"):
        space.pop(name, None)
    for key in [key for key in space if key.startswith("grad") and is_array(space[key])]:
        space[key] = np.zeros_like(space[key])
    # A bias that is switched off adds nothing.
    space.update({key: 0.0 for key, value in space.items() if value is None})
    space.update(names, np=np)
    given = dict(space)
    exec("\n".join(block), space)
    return {
        key: value
        for key, value in space.items()
        if key.startswith("grad") or key not in given or given[key] is not value
    }
