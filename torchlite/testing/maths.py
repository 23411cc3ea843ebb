"""The Maths section of a docstring, as statements that can be run."""

import ast
import builtins
import copy
import inspect
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

from torchlite.kernels import (
    convolution,
    local,
    mapped,
    masks,
    maxima,
    means,
    resampling,
    windows,
)
from torchlite.nn.nested import is_array, leaves, map_arrays, rebuilt, scale_arrays
from torchlite.nn.stateful import parts

__all__ = ["MathsError", "evaluate", "kernels_in", "statements"]

_STATEMENTS = (ast.Assign, ast.AugAssign, ast.Expr, ast.For)
_BUILTINS = {
    name: getattr(builtins, name)
    for name in (
        "abs", "all", "any", "bool", "complex", "dict", "enumerate", "float", "int", "isinstance",
        "len", "list", "map", "max", "min", "range", "reversed", "round", "sorted", "tuple", "zip",
    )
}  # fmt: skip
# Functions of the kernels that sections may name, each defined by its own docstring.
_KERNELS = {
    name: getattr(kernel, name)
    for kernel in (convolution, local, mapped, masks, maxima, means, resampling, windows)
    for name in kernel.__all__
}


def _sum(entries: Iterable[Any]) -> Any:
    """Return the sum of numbers, of arrays, or of tables, entry by entry."""
    entries = list(entries)
    first, *rest = entries or [0]
    for other in rest:
        if isinstance(first, (list, tuple)):
            first = [_sum(pair) for pair in zip(first, other, strict=True)]
        else:
            first = first + other
    return first


# What sections may name besides, to say the same of tables.
_TABLES = {
    **{function.__name__: function for function in (leaves, map_arrays, rebuilt, scale_arrays)},
    "sum": _sum,
}


class _Nothing:
    """What is switched off: it adds nothing, it is a factor of 1, it leaves its argument alone."""

    __array_ufunc__ = None

    def __bool__(self) -> bool:
        return False

    def __getitem__(self, index: Any) -> "_Nothing":
        return self

    @property
    def T(self) -> "_Nothing":
        return self

    def reshape(self, *shape: Any) -> "_Nothing":
        return self

    def __call__(self, value: Any) -> Any:
        return value

    def backward(self, input: Any, gradOutput: Any) -> Any:
        return gradOutput

    __add__ = __radd__ = __mul__ = __rmul__ = __rmatmul__ = __call__


class MathsError(Exception):
    """A statement of a Maths section fails when it is run."""


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
    if not code.replace("\n", "").isprintable():
        return []
    try:
        compile(code, kind.__name__, "exec")
    except SyntaxError:
        return []
    return [line for line in code.splitlines() if line.strip()]


def evaluate(block: list[str], layer: Any, **names: Any) -> dict[str, Any]:
    """Run the statements over copies of the layer's attributes and of the names.

    What they assigned is returned. What is accumulated (`gradWeight += ...`) starts at zero.
    Whatever the statements do, the layer and the names given stay as they are; modules inside the
    layer are its own, and run where they are called. Statements that import, define or name what
    Maths has no business with (files, random numbers, what begins with _) raise NameError. That
    keeps honest sections honest and is no sandbox: what others wrote is run by nothing here.

    Example
    -------
    >>> import torchlite as nn
    >>> layer = nn.Mul()
    >>> before = layer.weight.copy()
    >>> sorted(evaluate(["weight *= 0", "output = weight * input"], layer, input=np.ones(2)))
    ['output']
    >>> bool((layer.weight == before).all())
    True
    >>> evaluate(["open('file', 'w')"], layer)
    Traceback (most recent call last):
    NameError: open('file', 'w'): Maths cannot name open
    >>> evaluate(["output = input[5]"], layer, input=[1.0])
    Traceback (most recent call last):
    torchlite.testing.maths.MathsError: IndexError in `output = input[5]`: list index out of range
    """
    space: dict[str, Any] = {}
    for held in (*reversed(type(layer).__mro__), layer):
        space.update({key: value for key, value in vars(held).items() if key[:2] != "__"})
    for name in ("output", "gradInput"):
        space.pop(name, None)
    for key in [key for key in space if key.startswith("grad") and is_array(space[key])]:
        space[key] = np.zeros_like(space[key])
    space.update({key: _Nothing() for key, value in space.items() if value is None})
    space.update(names)
    named = _named(block, space.keys())
    given = {key: value for key, value in space.items() if key in named}
    # In one call: what is one object stays one. A copied module would have forgotten its forward.
    given = copy.deepcopy(given, {id(part): part for part in parts(given)})
    # NumPy imports parts of itself when they are first used.
    run = {
        **_KERNELS,
        **_TABLES,
        **given,
        "np": np,
        "__builtins__": {**_BUILTINS, "__import__": __import__},
    }
    for statement in ast.parse("\n".join(block)).body:
        text = ast.unparse(statement)
        try:
            exec(text, run)
        except Exception as error:
            raise MathsError(f"{type(error).__name__} in `{text}`: {error}") from error
    return {
        key: value
        for key, value in run.items()
        if key not in ("np", "__builtins__", *_KERNELS, *_TABLES)
        and (key.startswith("grad") or key not in given or given[key] is not value)
    }


def kernels_in(block: Iterable[str]) -> set[str]:
    """Return the functions of the kernels that the statements call.

    Example
    -------
    >>> kernels_in(["size = abs(input).shape", "output = conv(input, weight, (1,), (0,))"])
    {'conv'}
    """
    nodes = ast.walk(ast.parse("\n".join(block)))
    return {node.id for node in nodes if isinstance(node, ast.Name)} & _KERNELS.keys()


def _named(block: list[str], known: Any) -> set[str]:
    """Return the names in the statements, after checking that all of them can only compute."""
    tree = ast.parse("\n".join(block))
    made = {"np", *_BUILTINS, *_KERNELS, *_TABLES, *known}
    made |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for statement in tree.body:
        for node in ast.walk(statement):
            refused = None
            if isinstance(node, ast.stmt) and not isinstance(node, _STATEMENTS):
                refused = f"use {type(node).__name__.lower()}"
            elif isinstance(node, ast.Attribute) and (
                node.attr.startswith("_") or node.attr == "random"
            ):
                refused = f"name .{node.attr}"
            elif isinstance(node, ast.Name) and node.id not in made:
                refused = f"name {node.id}"
            if refused:
                raise NameError(f"{ast.unparse(statement)}: Maths cannot {refused}")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
