"""Check that a layer keeps the contract, with the right gradients.

The layer is named as package.module:Class or path/to/file.py:Class. Exit status: 0 if everything
holds, 1 with the report of what does not, 2 for arguments that cannot be used.
"""

import argparse
import ast
import importlib
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from torchlite.errors import SettingError, fault

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("layer", help="package.module:Class or path/to/file.py:Class")
    parser.add_argument(
        "--args", default="", help="the constructor's arguments, as in Python: 3,4 or 3,bias=False"
    )
    parser.add_argument(
        "--input",
        required=True,
        help="the shape of an input: 5,3; several for a table: '5,3 5,2'",
    )
    parser.add_argument("--only", action="append", metavar="PROPERTY", help="check this alone")
    parser.add_argument(
        "--exempt",
        action="append",
        default=[],
        metavar="PROPERTY=REASON",
        help="what the layer breaks by definition, and why",
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed, other numbers")


def run(args: argparse.Namespace) -> int:
    # Here, because loading it would slow down every other command.
    from torchlite.testing import ContractViolation, check_module

    try:
        kind = _named(args.layer)
        positional, named = _arguments(args.args)
        shapes = [_shape(shape) for shape in args.input.split()]
        exempt = dict(entry.partition("=")[::2] for entry in args.exempt)
        module = kind(*positional, **named)
    except Exception as error:
        print(f"check: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    try:
        report = check_module(
            module,
            shape=shapes[0] if len(shapes) == 1 else shapes,
            only=args.only,
            exempt=exempt,
            seed=args.seed,
        )
    except ContractViolation as violation:
        print(f"{type(violation).__name__}: {violation}")
        return 1
    except Exception as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        print(f"check: {type(error).__name__}: {error}{notes}", file=sys.stderr)
        return 2
    print(report)
    return 0


def _named(name: str) -> Any:
    """Return the class that package.module:Class or path/to/file.py:Class names."""
    place, _, attribute = name.rpartition(":")
    if not place:
        expected = "package.module:Class or file.py:Class"
        raise fault(SettingError, "named", "layer", expected, repr(name))
    if place.endswith(".py"):
        loader = SourceFileLoader(Path(place).stem, place)
        module = ModuleType(loader.name)
        module.__file__ = place
        sys.modules[loader.name] = module
        loader.exec_module(module)
    else:
        sys.path.insert(0, "")
        module = importlib.import_module(place)
    return getattr(module, attribute)


def _arguments(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call written as in Python; literals only."""
    try:
        match ast.parse(f"f({text})", mode="eval").body:
            case ast.Call(ast.Name(), positional, named) if all(key.arg for key in named):
                return (
                    [ast.literal_eval(argument) for argument in positional],
                    {str(key.arg): ast.literal_eval(key.value) for key in named},
                )
    except (SyntaxError, ValueError):
        pass
    raise fault(
        SettingError,
        "check",
        "--args",
        "a constructor's arguments as in Python, literals alone",
        repr(text),
        hint="--args 3,bias=False",
    )


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(map(int, text.split(",")))
    except ValueError:
        shape = (-1,)
    if min(shape) < 0:
        expected = "a shape, or several with blanks between them"
        raise fault(SettingError, "check", "--input", expected, repr(text), hint="'5,3 5,2'")
    return shape
