"""Statements of Maths for the page: with what settings decide put in, and as trees for a script."""

import ast
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np

from torchlite.stepping.formulas import filled, parsed, takes_a_size, written
from torchlite.testing import maths

__all__ = ["settled", "shown", "trees"]

_OPERATORS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.FloorDiv: "//",
    ast.Mod: "%", ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|", ast.USub: "-", ast.UAdd: "+",
    ast.Invert: "~", ast.Not: "~", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=",
    ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip


def settled(
    lines: Any, settings: dict[str, Any] | None, names: dict[str, Any]
) -> list[tuple[str, Any]]:
    """Return the statements with what settings decide decided: [(statement, its value)].

    Of two expressions the one that is taken remains. The value is there where it is a number, or
    some, that the sizes and the settings give; otherwise it is None. Where the statements cannot
    be run with these names, or there are no settings, they remain as they are.

    Example
    -------
    >>> lines = ["n = (input.size or 1) if mean else 1", "output = input.sum() / n"]
    >>> settled(lines, {"mean": True}, {"input": np.ones((2, 3))})
    [('n = input.size', 6), ('output = input.sum() / n', None)]
    >>> settled(lines, {}, {})[0]
    ('n = (input.size or 1) if mean else 1', None)
    """
    text = "\n".join(lines)
    body = parsed(tuple(lines)).body
    tests = [_tests(statement) for statement in body]
    unsettled = [(ast.get_source_segment(text, statement) or "", None) for statement in body]
    if settings is None:
        return unsettled
    perhaps = set(settings).union(*map(written, body))
    if not any(tests) and not any(_may_be_fixed(statement, perhaps) for statement in body):
        return unsettled
    run, number = [], 0
    for statement, asked in zip(body, tests, strict=True):
        for test in asked:
            run.append(f"decided{number} = bool({ast.unparse(test)})")
            number += 1
        run.append(ast.unparse(statement))
    try:
        with np.errstate(all="ignore"):
            values = maths.evaluate(run, SimpleNamespace(**settings), **names)
    except Exception:
        return unsettled
    made: list[tuple[str, Any]] = []
    fixed = set(settings)
    number = 0
    for statement, asked in zip(body, tests, strict=True):
        truths = {ast.dump(t): values[f"decided{number + i}"] for i, t in enumerate(asked)}
        number += len(asked)
        line, value = ast.get_source_segment(text, statement) or "", None
        if truths:
            # A copy: the tree is everybody's.
            statement = ast.parse(line).body[0]
            line = ast.unparse(_Decided(truths).visit(statement))
        # A setting may have the name of what is computed here.
        target = written(statement)
        fixed -= target
        if _may_be_fixed(statement, fixed) and _is_plain(values.get(min(target))):
            value = values[min(target)]
            fixed |= target
        made.append((line, value))
    return made


def shown(
    statements: list[tuple[str, Any]], shapes: dict[str, str], results: Iterable[str]
) -> list[str]:
    r"""Return settled statements as one reads them: those of the results, then what is in them.

    With shapes filled in, and with values.

    Example
    -------
    >>> shapes = {"input": "(2, 3)", "target": "(2, 3)"}
    >>> settled = [("n = input.size", 6), ("output = (input - target).sum() / n", None)]
    >>> print("\n".join(shown(settled, shapes, ["output"])))
    output = (input (2, 3) - target (2, 3)).sum() / n
    where n = input.size = 6
    >>> shown([("n = 1", 1)], {}, ["output"])
    ['n = 1']
    """
    lines = []
    for line, value in statements:
        ending = "" if value is None or line.endswith(f"= {value}") else f" = {value}"
        lines.append("\n".join(filled([line], shapes)) + ending)
    names = [written(parsed((line,)).body[0]) for line, _ in statements]
    wanted = set(results)
    each = [bool(found & wanted) for found in names]
    others = [name for found in names if not found & wanted for name in found]
    # What is written more than once is read in the order in which it runs.
    if len(others) > len(set(others)) or not any(each):
        return lines
    where = [f"where {line}" for line, mine in zip(lines, each, strict=True) if not mine]
    return [line for line, mine in zip(lines, each, strict=True) if mine] + where


def trees(statements: list[tuple[str, Any]]) -> list[Any]:
    """Return the statements for the page's script: [what is written, "=" or "+=", its tree].

    A tree is a list: what it is, and its parts. What the script does not know is ["?"].

    Example
    -------
    >>> trees([("n = input.size", 6), ("output = -input / n", None)])[0]
    ['n', '=', ['number', 6]]
    >>> trees([("output = -input / n", None)])
    [['output', '=', ['two', '/', ['one', '-', ['name', 'input']], ['name', 'n']]]]
    """
    made = []
    for line, value in statements:
        for statement in parsed((line,)).body:
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                node = _tree(statement.value) if value is None else _constant(value)
                made.append([_target(statement.targets[0]), "=", node])
            elif isinstance(statement, ast.AugAssign):
                sign = _OPERATORS.get(type(statement.op), "?")
                made.append([_target(statement.target), f"{sign}=", _tree(statement.value)])
            else:
                made.append(["?", "?", ["?"]])
    return made


def _tests(statement: ast.AST) -> list[ast.expr]:
    """Return what decides which of two expressions is taken, outside of loops."""
    if isinstance(statement, (ast.For, ast.comprehension, ast.ListComp, ast.GeneratorExp)):
        return []
    own: list[ast.expr] = []
    if isinstance(statement, ast.IfExp):
        own = [statement.test]
    elif isinstance(statement, ast.BoolOp) and len(statement.values) == 2:
        own = [statement.values[0]]
    return own + [test for child in ast.iter_child_nodes(statement) for test in _tests(child)]


class _Decided(ast.NodeTransformer):
    def __init__(self, truths: dict[str, bool]) -> None:
        self.truths = truths

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        truth = self.truths.get(ast.dump(node.test))
        self.generic_visit(node)
        return node if truth is None else node.body if truth else node.orelse

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        truth = self.truths.get(ast.dump(node.values[0])) if len(node.values) == 2 else None
        self.generic_visit(node)
        return node if truth is None else node.values[truth != isinstance(node.op, ast.Or)]


def _may_be_fixed(statement: ast.stmt, fixed: set[str]) -> bool:
    """Tell whether settings and sizes give the value of the one name that is written."""
    return (
        isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and _is_of_sizes(statement.value, fixed)
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    return isinstance(value, (bool, int, float, np.integer, np.floating))


def _is_of_sizes(node: ast.AST, fixed: set[str]) -> bool:
    """Tell whether an expression is given by settings, and by the sizes of arrays."""
    if takes_a_size(node):
        return True
    if isinstance(node, ast.Name):
        return node.id in fixed or isinstance(node.ctx, ast.Store) or node.id == "np"
    parts = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        parts.remove(node.func)
    return all(_is_of_sizes(part, fixed) for part in parts)


def _constant(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return ["table", [_constant(entry) for entry in value]]
    if isinstance(value, np.generic):
        value = value.item()
    known = isinstance(value, (bool, int)) or (isinstance(value, float) and np.isfinite(value))
    return ["number", value] if known else ["?"]


def _target(node: ast.AST) -> Any:
    """Return a name, a list of names, or ["entries", name, indices]."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Tuple) and all(isinstance(entry, ast.Name) for entry in node.elts):
        return [_target(entry) for entry in node.elts]
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return ["entries", node.value.id, _indices(node.slice)]
    return "?"


def _tree(node: Any) -> list[Any]:
    match node:
        case ast.Constant(value=None):
            return ["none"]
        case ast.Constant(value=str(text)):
            return ["text", text]
        case ast.Constant(value=number):
            return _constant(number)
        case ast.Name(id=name):
            return ["name", name]
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return ["two", _OPERATORS[type(operator)], _tree(left), _tree(right)]
        case ast.UnaryOp(op=operator, operand=operand):
            return ["one", _OPERATORS[type(operator)], _tree(operand)]
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            sign = _OPERATORS.get(type(operator))
            return ["two", sign, _tree(left), _tree(right)] if sign else ["?"]
        case ast.Attribute(value=value, attr=name):
            return ["of", name, _tree(value)]
        case ast.Subscript(value=value, slice=index):
            return ["entries", _tree(value), _indices(index)]
        case ast.Starred(value=value):
            return ["all of", _tree(value)]
        case ast.Tuple(elts=entries) | ast.List(elts=entries):
            return ["table", [_tree(entry) for entry in entries]]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=name)):
            return ["call", name, *_given(node)]
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return ["method", name, _tree(value), *_given(node)]
        case ast.Call(func=ast.Name(id=name)):
            return ["call", name, *_given(node)]
        case (
            ast.ListComp(elt=made, generators=[one]) | ast.GeneratorExp(elt=made, generators=[one])
        ) if isinstance(one.target, ast.Name) and not one.ifs:
            return ["each", one.target.id, _tree(one.iter), _tree(made)]
    return ["?"]


def _given(call: ast.Call) -> list[Any]:
    named = {keyword.arg or "?": _tree(keyword.value) for keyword in call.keywords}
    return [[_tree(argument) for argument in call.args], named]


def _indices(node: ast.AST) -> list[Any]:
    return [_index(one) for one in (node.elts if isinstance(node, ast.Tuple) else [node])]


def _index(node: ast.AST) -> list[Any]:
    if isinstance(node, ast.Slice):
        ends = (node.lower, node.upper, node.step)
        return ["slice", *(None if end is None else _tree(end) for end in ends)]
    return _tree(node)
