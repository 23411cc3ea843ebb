"""The lines of a docstring's Maths section that belong to a call: their shapes, their sources."""

import ast
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from torchlite.nn.checks import is_integral
from torchlite.nn.nested import is_array, leaves, shapes
from torchlite.nn.stateful import parts
from torchlite.testing import maths

__all__ = [
    "Formula",
    "filled",
    "formula",
    "parsed",
    "regions",
    "sources",
    "takes_a_size",
    "windows",
]

TARGETS = {"updateOutput": "output", "updateGradInput": "gradInput"}
# Of these attributes the shape of the array would say nothing.
_SIZES = {"shape", "size", "ndim", "dtype"}
# Nor are these about the numbers of the array that they are given first.
_OF_SIZES = {
    "len", "np.empty_like", "np.full_like", "np.ndim", "np.ones_like", "np.size", "np.zeros_like"
}  # fmt: skip
_SETTINGS = (int, float, complex, str, tuple, type(None))
# What windows go over, and what meets them there.
_VARIED = ("input", "gradOutput", "weight", "bias")
# By these, entries come together that do not reach from index to index along each dimension.
SCATTERED = {"scatter", "local_conv_transposed"}


@dataclass(frozen=True)
class Formula:
    """The statements that give a call's results, the shape of every name in them, the settings."""

    lines: tuple[str, ...] = ()
    shapes: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def formula(
    part: Any, method: str, arguments: dict[str, Any], results: dict[str, Any], before: Any
) -> Formula:
    """Return the lines of Maths that give the results, if they do; otherwise an empty Formula.

    before has copies of what results are added to, where there are any.
    What Maths says, it says of a batch: whether it holds of these arguments, running it tells.
    """
    kind: Any = type(part)
    lines = _selected(kind, method, frozenset(results))
    # A container's lines would run its modules a second time.
    if not lines or len(parts(part)) > 1:
        return Formula()
    names = dict(arguments)
    if method != "updateOutput":
        names.setdefault("output", part.output)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = maths.evaluate(lines, part, **names)
    except Exception:
        return Formula()
    for name, result in results.items():
        start = before[name].values if name in before else 0
        if not _is_as_large(values.get(name), result):
            return Formula()
        # Of what is large, nothing says what it was before.
        if start is not None and not _fits(values[name], result, start, arguments):
            return Formula()
    known = {**_attributes(part), **names, **values}
    named = {node.id for node in ast.walk(parsed(tuple(lines))) if isinstance(node, ast.Name)}
    found = {name: shapes(known[name]) for name in sorted(named & known.keys())}
    settings = {name: getattr(part, name) for name in sorted(named) if hasattr(part, name)}
    return Formula(
        tuple(lines),
        {name: text for name, text in found.items() if text[0] in "([" and text != "()"},
        {name: value for name, value in settings.items() if isinstance(value, _SETTINGS)},
    )


def filled(lines: Any, shapes: dict[str, str]) -> list[str]:
    """Return the statements with its shape behind each name.

    Example
    -------
    >>> filled(["output = input @ weight.T"], {"input": "(5, 4)", "weight": "(3, 4)"})
    ['output = input (5, 4) @ weight.T (4, 3)']
    """
    text = "\n".join(lines)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line.encode()) + 1)
    insertions: dict[int, str] = {}
    covered: set[ast.AST] = set()
    for node in ast.walk(parsed(tuple(lines))):
        name: Any = node
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in _SIZES:
                covered.add(node.value)
            if node.attr != "T":
                continue
            name = node.value
            covered.add(name)
        elif not isinstance(node, ast.Name) or node in covered:
            continue
        if name.id in shapes:
            shape = shapes[name.id]
            if name is not node and shape.startswith("("):
                shape = str(ast.literal_eval(shape)[::-1])
            end: Any = node
            insertions[starts[end.end_lineno - 1] + end.end_col_offset] = f" {shape}"
    data = text.encode()
    for place in sorted(insertions, reverse=True):
        data = data[:place] + insertions[place].encode() + data[place:]
    return data.decode().split("\n")


def sources(lines: Any, shapes: dict[str, str], target: str) -> list[list[Any]]:
    """Return of what an entry of target is made: [name, for each dimension of it ...].

    A dimension is None where all of it takes part, k where it is the entry's k-th index.

    Example
    -------
    >>> shapes = {"gradWeight": "(3, 4)", "gradOutput": "(5, 3)", "input": "(5, 4)"}
    >>> sources(["gradWeight += gradOutput.T @ input"], shapes, "gradWeight")
    [['gradOutput', [None, 0]], ['input', [None, 1]]]
    """
    statements = {
        name: node.value
        for node in parsed(tuple(lines)).body
        if isinstance(node, (ast.Assign, ast.AugAssign))
        for name in written(node)
    }
    found: list[list[Any]] = []
    # Once the same way: a name in two places of each of n lines would be followed 2**n times.
    followed: set[tuple[str, tuple[Any, ...]]] = set()

    def follow(node: Any, axes: list[Any], seen: frozenset[str]) -> None:
        if isinstance(node, ast.Name):
            shape = _dimensions(shapes, node.id)
            if node.id in statements and node.id not in seen:
                if (node.id, tuple(axes)) not in followed:
                    followed.add((node.id, tuple(axes)))
                    follow(statements[node.id], axes, seen | {node.id})
            elif shape is not None:
                own = [None] * (len(shape) - len(axes)) + axes[len(axes) - len(shape) :]
                place = [None if n == 1 else axis for n, axis in zip(shape, own, strict=True)]
                if [node.id, place] not in found:
                    found.append([node.id, place])
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) and len(axes) == 2:
            follow(node.left, [axes[0], None], seen)
            follow(node.right, [None, axes[1]], seen)
        elif isinstance(node, ast.Attribute) and node.attr == "T":
            follow(node.value, axes[::-1], seen)
        elif takes_a_size(node):
            for argument in getattr(node, "args", [])[1:]:
                follow(argument, [], seen)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            arguments = node.args
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "np":
                # Not getattr, by which NumPy imports what is missing, or warns.
                function = vars(np).get(node.func.attr)
                pointwise = isinstance(function, np.ufunc) or function in (np.where, np.clip)
                inner = axes if pointwise else []
            else:
                inner = _before_reduction(node, axes)
                arguments = [node.func.value]
            for argument in arguments:
                follow(argument, inner, seen)
        else:
            inner = axes if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare)) else []
            for child in ast.iter_child_nodes(node):
                follow(child, inner, seen)

    shape = _dimensions(shapes, target)
    if shape is not None and target in statements:
        follow(statements[target], list(range(len(shape))), frozenset({target}))
    return found


def takes_a_size(node: ast.AST) -> bool:
    """Tell whether what is asked of an array has nothing to do with its numbers."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in _OF_SIZES
    return isinstance(node, ast.Attribute) and node.attr in _SIZES


def windows(
    lines: Any, settings: dict[str, Any], arrays: dict[str, Any], targets: dict[str, Any]
) -> dict[str, dict[str, list[list[int]]]]:
    """Return of which entries of the arrays each entry of the targets is made, in C order.

    Found out by changing them. All entries with one index along one dimension are changed at a
    time: windows, and what meets them of a kernel, reach from one index to another along each. (Not
    so what is SCATTERED, where it is one entry at a time, but none of the input.) So
    that none is hidden by a 0, the arrays have other numbers meanwhile, all of them positive.
    arrays holds arguments and parameters, targets what the statements give, whose gradients begin
    at zero.

    Example
    -------
    >>> lines = ["output = conv(input, weight, (dW,), (0,))"]
    >>> arrays = {"input": np.ones((1, 1, 4)), "weight": np.ones((1, 1, 2))}
    >>> found = windows(lines, {"dW": 2}, arrays, {"output": np.ones((1, 1, 2))})
    >>> found["output"]["input"], found["output"]["weight"]
    ([[0, 1], [2, 3]], [[0, 1], [0, 1]])
    """
    scattered = bool(maths.kernels_in(lines) & SCATTERED)
    varied, changed = _changing(lines, settings, arrays, targets)
    found: dict[str, dict[str, list[list[int]]]] = {name: {} for name in targets}
    for name, array in varied.items():
        begin = not (scattered and name == "input")
        marks = {
            target: np.full((made.size, array.size), begin) for target, made in targets.items()
        }
        each = np.arange(array.size).reshape(array.shape)
        for numbers in [each] if scattered else np.indices(array.shape):
            for number in range(array.size and begin and numbers.max() + 1):
                chosen = numbers == number
                for target, made in changed(name, chosen).items():
                    marks[target][:, chosen.reshape(-1)] &= made[:, None]
        for target, entries in marks.items():
            found[target][name] = [np.flatnonzero(mark).tolist() for mark in entries]
    return found


def regions(
    lines: Any, settings: dict[str, Any], arrays: dict[str, Any], targets: dict[str, Any]
) -> dict[str, dict[str, list[Any]]]:
    """Return what `windows` does, in little room: for large arrays.

    For each dimension of an array [axis, indices]: which indices along it take part, by the index
    of the target's entry along an axis, or, where that is None, always the same. Arrays of which
    that cannot be said are left out, and all where entries are SCATTERED.

    Example
    -------
    >>> lines = ["output = conv(input, weight, (dW,), (0,))"]
    >>> arrays = {"input": np.ones((1, 1, 4)), "weight": np.ones((1, 1, 2))}
    >>> found = regions(lines, {"dW": 2}, arrays, {"output": np.ones((1, 1, 2))})
    >>> found["output"]["input"]
    [[None, [[0]]], [None, [[0]]], [2, [[0, 1], [2, 3]]]]
    """
    if maths.kernels_in(lines) & SCATTERED:
        return {}
    varied, changed = _changing(lines, settings, arrays, targets)
    found: dict[str, dict[str, list[Any]]] = {name: {} for name in targets}
    for name, array in varied.items():
        # By target: along each dimension, which entries change with which index.
        seen: dict[str, list[Any]] = {target: [] for target in targets}
        for numbers in np.indices(array.shape):
            each = [
                changed(name, numbers == number) for number in range(numbers.max(initial=-1) + 1)
            ]
            for target, made in targets.items():
                marks = np.array([marked[target] for marked in each]).T
                seen[target].append(_along_one(marks.reshape(*made.shape, -1)))
        for target, dimensions in seen.items():
            if None not in dimensions:
                found[target][name] = dimensions
    return found


def _along_one(marks: Any) -> list[Any] | None:
    """Return [axis, indices by index along it] of marks, the last of whose axes has the indices."""
    axes = range(marks.ndim - 1)
    for axis in (None, *axes):
        others = tuple(other for other in axes if other != axis)
        some, every = marks.any(others), marks.all(others)
        if (some == every).all():
            rows = some if axis is not None else [some]
            return [axis, [np.flatnonzero(row).tolist() for row in rows]]
    return None


def _changing(
    lines: Any, settings: dict[str, Any], arrays: dict[str, Any], targets: dict[str, Any]
) -> tuple[dict[str, Any], Callable[[str, Any], dict[str, Any]]]:
    """Return the arrays whose entries are changed, and what tells which entries change with them.

    That takes the name of an array and marks of its entries.
    """
    scattered = bool(maths.kernels_in(lines) & SCATTERED)
    gradients = {name: targets[name] for name in targets.keys() - TARGETS.values()}
    layer = SimpleNamespace(**settings, **gradients)
    varied = {
        # Where entries go depends on the input.
        name: array if scattered and name == "input" else _positive(array)
        for name, array in arrays.items()
        if name in _VARIED and isinstance(array, np.ndarray) and array.dtype.kind in "fc"
    }

    def computed(**changed: Any) -> dict[str, Any]:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = maths.evaluate(list(lines), layer, **{**arrays, **varied, **changed})
        return {name: np.reshape(values[name], -1) for name in targets}

    clean = computed()

    def changed(name: str, chosen: Any) -> dict[str, Any]:
        made = computed(**{name: varied[name] + 8 * chosen})
        return {target: made[target] != clean[target] for target in targets}

    return varied, changed


def _positive(array: Any) -> Any:
    """Return an array of other numbers, between 1 and 2."""
    numbers = 1 + np.arange(1, array.size + 1) / (array.size + 1)
    return numbers.reshape(array.shape).astype(array.dtype)


def _before_reduction(call: ast.Call, axes: list[Any]) -> list[Any]:
    """Return the dimensions of x in x.sum(axis) and its kin, from those of the result."""
    axis = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if call.func.attr not in {"sum", "mean", "max", "min"} or not isinstance(axis, int):  # type: ignore[attr-defined]
        return []
    kept = any(keyword.arg == "keepdims" for keyword in call.keywords)
    before = list(axes)
    if axis > len(before):
        return []
    before[axis : axis + kept] = [None]
    return before


@lru_cache(256)
def _selected(kind: Any, method: str, targets: frozenset[str]) -> list[str]:
    """Return the statements of the class' Maths that lead to the targets."""
    base = next((base for base in kind.__mro__ if maths.statements(base)), None)
    # A method that was overridden since then is not what that docstring is about.
    if base is None or getattr(kind, method) is not getattr(base, method, None):
        return []
    text = "\n".join(maths.statements(base))
    tree = ast.parse(text)
    wanted = set(targets)
    chosen: list[str] = []
    for node in reversed(tree.body):
        names = written(node)
        if (names & wanted) - ({"output", "gradInput"} - targets):
            chosen.append(ast.get_source_segment(text, node) or "")
            wanted |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    return chosen[::-1]


def written(node: ast.stmt) -> set[str]:
    """Return the names that a statement assigns to, adds to, or hands to np.add.at first."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args:
        places: list[ast.AST] = [node.value.args[0]]
    else:
        places = [
            place
            for inner in ast.walk(node)
            for place in (
                inner.targets
                if isinstance(inner, ast.Assign)
                else [inner.target]
                if isinstance(inner, ast.AugAssign)
                else []
            )
        ]
    found = set()
    for place in places:
        while isinstance(place, (ast.Subscript, ast.Attribute, ast.Call)):
            if isinstance(place, ast.Call):
                # np.moveaxis(x, 1, 0)[i] = ..., x.T[i] = ...: what is written to is a view of x.
                place = place.args[0] if place.args else place.func
            else:
                place = place.value
        entries = place.elts if isinstance(place, ast.Tuple) else [place]
        found |= {entry.id for entry in entries if isinstance(entry, ast.Name)}
    return found


@lru_cache(1024)
def parsed(lines: tuple[str, ...]) -> ast.Module:
    """Return the tree of the statements: every view asks for it, and none changes it."""
    with warnings.catch_warnings(action="ignore"):
        return ast.parse("\n".join(lines))


def _dimensions(shapes: dict[str, str], name: str) -> Any:
    text = shapes.get(name, "")
    return ast.literal_eval(text) if text.startswith("(") else None


def _size(value: Any) -> str:
    return "a number" if isinstance(value, (int, float, complex)) else shapes(value)


def _is_as_large(value: Any, result: Any) -> bool:
    return _size(value) == _size(result)


def _fits(value: Any, result: Any, start: Any, arguments: dict[str, Any]) -> bool:
    """Tell whether what Maths gives is what a result has grown by from its start.

    Of integers, zeros go back where Maths speaks of gradients.
    """
    given = leaves([*arguments.values(), result])
    numbers = [a for a in given if is_array(a) and a.dtype.kind in "fc"]
    size = max(map(_largest, numbers), default=0)
    pairs = zip(leaves(value), leaves(result), strict=True)
    return all(
        np.array_equal(a, b) if is_integral(b) else b is None or _near(a, b - start, size)
        for a, b in pairs
    )


def _near(value: Any, result: Any, size: float) -> bool:
    """Tell whether numbers are the same, but for rounding of numbers of this size."""
    with np.errstate(all="ignore"):
        near = 1e-3 * _largest(result) + 1e-6 * size
        return bool(np.allclose(value, result, 1e-3, near, equal_nan=True))


def _largest(value: Any) -> float:
    """Return the largest distance from 0 of what is finite."""
    sizes = np.abs(value if is_array(value) else np.asarray(value))
    return float(sizes[np.isfinite(sizes)].max(initial=0))


def _attributes(part: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if not name.startswith("_")}
