"""Check that a layer or criterion keeps the contract, with the right gradients.

It is named as package.module:Class or path/to/file.py:Class. Exit status: 0 if everything
holds, 1 with the report of what does not, 2 for arguments that cannot be used.
"""

import argparse
import ast
import importlib
import re
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from torchlite.errors import SettingError, fault
from torchlite.nn.criterion import Criterion

__all__ = ["add_arguments", "run"]

# A kind, a shape, and the limit of whole numbers.
_ARRAY = re.compile(r"(?:(ids|signs|unit):)?(\d+(?:[,x]\d+)*)(?:<(\d+))?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("layer", help="package.module:Class or path/to/file.py:Class")
    parser.add_argument(
        "--args", default="", help="the constructor's arguments, as in Python: 3,4 or 3,bias=False"
    )
    parser.add_argument(
        "--input",
        required=True,
        help="the shape of an input: 5x3; several for a table: '5x3 5x2'; 'ids:5x3<10' for whole "
        "numbers below 10, signs:5 for -1 and 1, unit:5x3 for numbers between 0 and 1",
    )
    parser.add_argument("--target", help="of a criterion, like --input: 'ids:5<3' for classes")
    parser.add_argument("--only", action="append", metavar="PROPERTY", help="check this alone")
    parser.add_argument(
        "--level",
        default="contract",
        choices=["gradients", "contract", "strict"],
        help="how much is asked (default: contract)",
    )
    parser.add_argument(
        "--all", action="store_true", help="report all that does not hold, not the first alone"
    )
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
    from torchlite.testing import ContractViolation, check_criterion, check_module
    from torchlite.testing.raised import line_of

    try:
        kind = _named(args.layer)
        positional, named = _arguments(args.args)
        rng = np.random.default_rng(args.seed)
        arguments = [_drawn(rng, "--input", args.input)]
        exempt = dict(entry.partition("=")[::2] for entry in args.exempt)
        layer = kind(*positional, **named)
        check: Any = check_module
        if isinstance(layer, Criterion):
            check = check_criterion
            arguments.append(args.target and _drawn(rng, "--target", args.target))
        elif args.target:
            expected = "left out for a layer; criterions have one"
            raise fault(SettingError, "check", "--target", expected, repr(args.target))
        report = check(
            layer,
            *arguments,
            only=args.only,
            exempt=exempt,
            level=args.level,
            all_failures=args.all,
            seed=args.seed,
        )
    except ContractViolation as violation:
        print(f"{type(violation).__name__}: {violation}")
        return 1
    except Exception as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        print(f"check: {type(error).__name__}: {error}{line_of(error)}{notes}", file=sys.stderr)
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
        # No import statement can mean this name: a random.py is not Python's. A pickle can.
        loader = SourceFileLoader(f"{Path(place).stem.replace('.', '_')} (checked)", place)
        module = ModuleType(loader.name)
        module.__file__ = place
        sys.modules[loader.name] = module
        # What lies beside it can be imported, but hides nothing.
        sys.path.append(str(Path(place).parent))
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


def _drawn(rng: np.random.Generator, option: str, text: str) -> Any:
    """Return an array as described, or a table of several."""
    arrays = [_array(rng, option, word) for word in text.split()]
    return arrays[0] if len(arrays) == 1 else arrays


def _array(rng: np.random.Generator, option: str, text: str) -> Any:
    from torchlite.testing import values

    found = _ARRAY.fullmatch(text)
    kind, sizes, below = found.groups() if found else ("", "", None)
    # Whole numbers need a limit, and nothing else has one.
    if not found or (kind == "ids" and not below) or (below and (kind or "ids") != "ids"):
        expected = "a shape, or several with blanks between them"
        hint = "'5x3 5x2', 'ids:5x3<10' for whole numbers below 10, signs:5, unit:5x3"
        raise fault(SettingError, "check", option, expected, repr(text), hint=hint)
    shape = tuple(map(int, re.split("[,x]", sizes)))
    if below:
        return rng.integers(0, int(below), shape)
    if kind == "signs":
        return values.signs(rng, shape)
    if kind == "unit":
        return (values.distinct(rng, shape) + 4) / 8
    return values.distinct(rng, shape)
