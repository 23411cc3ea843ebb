"""Break functions in thousands of small ways, one at a time, and show what no test notices.

python .ci/mutants.py torchlite/optim/adam.py -- tests/test_optim_*.py
python .ci/mutants.py torchlite/nn/*.py --every 5

The tests that stand behind -- (without it, all) are collected, and run once to know which take
which lines, and how long. Then each mutant is a fork of this process: it gives functions other
code, in memory, and runs the tests that take its line, the fastest first, until one fails. What
runs at import alone is not mutated. Needs Linux, Python 3.12 and what the tests need.
"""

import argparse
import ast
import gc
import importlib
import os
import pickle
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType

import pytest

OTHERS = {
    ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt], ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt], ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is], ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.And: [ast.Or],
    ast.Or: [ast.And], ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div],
    ast.Div: [ast.Mult], ast.FloorDiv: [ast.Div], ast.Mod: [ast.Mult], ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
    ast.BitXor: [ast.BitAnd], ast.LShift: [ast.RShift], ast.RShift: [ast.LShift],
}  # fmt: skip


def variants(node):
    """Yield what may stand in the place of a node."""
    others = [other() for other in OTHERS.get(type(getattr(node, "op", None)), ())]
    match node:
        case ast.Compare(left, ops, right):
            for i, op in enumerate(ops):
                for other in OTHERS[type(op)]:
                    yield ast.Compare(left, [*ops[:i], other(), *ops[i + 1 :]], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(others[0], values)
            for i in range(len(values)):
                rest = without(values, i)
                yield ast.BoolOp(op, rest) if len(rest) > 1 else rest[0]
        case ast.BinOp(left, _, right):
            yield from (ast.BinOp(left, op, right) for op in others)
        case ast.AugAssign(target, _, value):
            yield from (ast.AugAssign(target, op, value) for op in others)
            yield ast.Pass()
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(float(value)):
            yield ast.Constant(2 * value or 1.0)
        case ast.Constant(str(value)):
            yield ast.Constant(f"{value}XX")
        case ast.Call(function, arguments, keywords):
            for i in range(len(keywords)):
                yield ast.Call(function, arguments, without(keywords, i))
        case ast.Return(value) if value:
            yield ast.Return(ast.Constant(None))
        case ast.Break() | ast.Continue():
            yield ast.Break() if isinstance(node, ast.Continue) else ast.Continue()
        case ast.Expr() | ast.Raise() | ast.Assign([ast.Attribute() | ast.Subscript(), *_]):
            yield ast.Pass()
        case ast.If(test) | ast.While(test) | ast.IfExp(test):
            if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
                yield type(node)(**{**vars(node), "test": ast.UnaryOp(ast.Not(), test)})


def without(values, i):
    return [*values[:i], *values[i + 1 :]]


class Mutant:
    """A node in the place of another, which is holder.field, or holder.field[index].

    To notice it, a test must take one of the lines.
    """

    def __init__(self, holder, field, index, new, lines, function):
        self.values = vars(holder) if index is None else getattr(holder, field)
        self.key = field if index is None else index
        self.old = self.values[self.key]
        self.new = ast.copy_location(new, self.old)
        self.in_text = isinstance(holder, ast.JoinedStr)
        self.lines, self.function = lines, function

    def __str__(self):
        old, new = (" ".join(ast.unparse(node).split()) for node in (self.old, self.new))
        return f"{self.old.lineno}: {old[:150]}  ->  {new[:150]}"

    def compiled(self, tree, path):
        # The old node stays, and is not run: closures keep their variables.
        new, yes = self.new, ast.Constant(True)
        if isinstance(self.old, ast.stmt):
            new = ast.If(yes, [new], [self.old])
        elif not self.in_text:
            new = ast.IfExp(yes, new, self.old)
        self.values[self.key] = ast.copy_location(new, self.old)
        try:
            return compile(ast.fix_missing_locations(tree), path, "exec")
        finally:
            self.values[self.key] = self.old


def mutants(holder, function="", inside=False, lines=()):
    """Yield the mutants of all function bodies in a tree."""
    for field, value in ast.iter_fields(holder):
        listed = isinstance(value, list)
        for index, node in enumerate(value if listed else [value]):
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            declared = field in ("annotation", "returns", "decorator_list")
            if docstring or declared or not isinstance(node, ast.AST):
                continue
            if isinstance(node, ast.arguments | ast.pattern):
                continue
            name, within, here = function, inside, lines
            if isinstance(node, ast.stmt):
                body = getattr(node, "body", None)
                here = range(node.lineno, body[0].lineno if body else node.end_lineno + 1)
            if inside:
                place = holder, field, index if listed else None
                yield from (Mutant(*place, new, here, function) for new in variants(node))
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                name, within = f"{name}.{node.name}", inside or isinstance(node, ast.FunctionDef)
            yield from mutants(node, name, within, here)


def inner(code):
    """Yield a code object and those in it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from inner(const)


def place(code):
    return code.co_qualname, code.co_firstlineno


class Hunt:
    """What pytest does with the tests: not run them once, but on every mutant."""

    def __init__(self, options):
        self.options = options

    def pytest_collection(self):
        from hypothesis import Phase, settings

        # To make what it found smaller takes long, and nobody looks at it.
        settings.register_profile("hunt", phases=[Phase.explicit, Phase.generate], database=None)
        settings.load_profile("hunt")

    def pytest_runtestloop(self, session):
        self.session, self.functions = session, {}
        for file in self.options.files:
            importlib.import_module(".".join(file.with_suffix("").parts).removesuffix(".__init__"))
            self.functions[os.path.abspath(file)] = []
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                self.functions.get(thing.__code__.co_filename, []).append(thing)
        gc.freeze()
        tests = pickle.loads(self.fork(self.measure)[1])
        for path in self.functions:
            self.hunt(path, tests)
        return True

    def fork(self, work):
        """Return how a fork that does the work ended, and what it told."""
        read, write = os.pipe()
        if not (child := os.fork()):
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            with os.fdopen(write, "wb", 0) as pipe:
                work(pipe.write)
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read()
        return os.waitpid(child, 0)[1], told

    def passes(self, index, following=None):
        item, failed = self.session.items[index], self.session.testsfailed
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        return self.session.testsfailed == failed

    def measure(self, tell):
        """Tell of each test that passes its number, the time it takes, and its lines, as bits."""
        seen, tests, monitoring = {}, [], sys.monitoring

        def line(code, number):
            seen[code.co_filename] = seen.get(code.co_filename, 0) | 1 << number
            return monitoring.DISABLE

        monitoring.use_tool_id(3, "mutants")
        monitoring.register_callback(3, monitoring.events.LINE, line)
        for functions in self.functions.values():
            for code in {code for each in functions for code in inner(each.__code__)}:
                monitoring.set_local_events(3, code, monitoring.events.LINE)
        for index, following in enumerate([*self.session.items[1:], None]):
            seen.clear()
            monitoring.restart_events()
            begin = time.process_time()
            if self.passes(index, following) and seen:
                tests.append((time.process_time() - begin, index, dict(seen)))
        tell(pickle.dumps(sorted(tests, key=lambda test: test[:2])))

    def hunt(self, path, tests):
        tree, groups = ast.parse(Path(path).read_text("utf-8")), {}
        for mutant in mutants(tree):
            groups.setdefault(mutant.function, []).append(mutant)
        chosen = [mutant for group in groups.values() for mutant in group[:: self.options.every]]
        killers, alive, name = [], 0, os.path.relpath(path)
        for mutant in chosen:
            bits = sum(1 << number for number in mutant.lines)
            able = [test[:2] for test in tests if test[2].get(path, 0) & bits]
            # What found the last ones is likely to find this.
            able.sort(key=lambda test: test[1] not in killers[-9:])
            status, told = self.fork(partial(self.judge, mutant, tree, path, able))
            if status:
                killers.append(int(told.split()[-1]) if told else None)
            else:
                alive += 1
                print(f"{name}:{mutant}{'' if able else '  (no test takes it)'}", flush=True)
        total = sum(map(len, groups.values()))
        print(f"{name}: {alive} of {len(chosen)} survive, {total} there are", flush=True)

    def judge(self, mutant, tree, path, tests, tell):
        """End this fork with an error if one of the tests fails."""
        codes = {place(code): code for code in inner(mutant.compiled(tree, path))}
        for function in self.functions[path]:
            function.__code__ = codes.get(place(function.__code__), function.__code__)
        spent = 0.0
        for taken, index in tests:
            spent += taken
            if spent > self.options.seconds:
                break
            # It may have no end.
            signal.setitimer(signal.ITIMER_PROF, 10 * taken + 2)
            tell(b" %d" % index)
            if not self.passes(index):
                os._exit(1)


def main():
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th of each function's")
    parser.add_argument("--seconds", type=float, default=10, help="of tests, at most, for each")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:end])
    with tempfile.TemporaryDirectory() as folder:
        given = ["-q", "-s", "-p", "no:cacheprovider", f"--basetemp={folder}/tests"]
        sys.exit(pytest.main([*given, *sys.argv[end + 1 :]], [Hunt(options)]))


if __name__ == "__main__":
    main()
