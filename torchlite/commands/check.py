"""Check that a layer or criterion keeps the contract, with the right gradients.

It is named as package.module:Class or path/to/file.py:Class. Exit status: 0 if everything
holds, 1 with the report of what does not, 2 for arguments that cannot be used.
"""

import argparse
import ast
import copy
import re
from typing import Any

import numpy as np

from torchlite.commands._given import SHAPE, named, refused, shape_of, unfit, wants
from torchlite.errors import SettingError, fault
from torchlite.nn.criterion import Criterion

__all__ = ["add_arguments", "run"]

# A kind, a shape, and the limit of whole numbers, for those that hold some.
_ARRAY = re.compile(rf"(?:(ids|pairs|signs|unit):)?({SHAPE})(?:<(\d+))?")
_WHOLE = {"ids", "pairs"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("layer", help="package.module:Class or path/to/file.py:Class")
    parser.add_argument(
        "--args", default="", help="the constructor's arguments, as in Python: 3,4 or 3,bias=False"
    )
    parser.add_argument(
        "--input",
        required=True,
        help="the shape of an input: 5x3; several for a table: '5x3 5x2'; 'ids:5x3<10' for whole "
        "numbers below 10, 'pairs:4<10' for 4 rows of one and its value, as SparseLinear takes "
        "them, signs:5 for -1 and 1, unit:5x3 for numbers between 0 and 1",
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
    parser.epilog = "example: torchlite check torchlite.nn:Linear --args 3,2 --input 5x3"


def run(args: argparse.Namespace) -> int:
    # Here, because loading it would slow down every other command.
    from torchlite.testing import ContractViolation, check_criterion, check_module, values
    from torchlite.testing.subject import attempt

    try:
        kind = named("check", args.layer)
        positional, by_name = _arguments(args.args)
        takes = unfit(kind, *positional, **by_name)
        if takes:
            expected = f"what {args.layer.rpartition(':')[2]}{takes} takes"
            missing = wants(takes).replace(" ", "")
            hint = f"--args {missing}" if missing else None
            got = repr(args.args) if args.args else "none"
            raise fault(SettingError, "check", "--args", expected, got, hint=hint)
        rng = values.generator(args.seed)
        arguments = [_drawn(rng, "--input", args.input)]
        only = args.only and list(map(_alone, args.only))
        exempt = dict(map(_exempt, args.exempt))
        layer = kind(*positional, **by_name)
        check: Any = check_module
        if isinstance(layer, Criterion):
            check = check_criterion
            arguments.append(args.target and _drawn(rng, "--target", args.target))
            if not args.target and attempt(copy.deepcopy(layer).forward, *arguments) is None:
                # Some have no target.
                hint = "--target 5x3, or --target 'ids:5<3' for classes"
                raise fault(
                    SettingError, "check", "--target", "given for a criterion", "none", hint=hint
                )
        elif args.target:
            expected = "left out for a layer; criterions have one"
            raise fault(SettingError, "check", "--target", expected, repr(args.target))
        report = check(
            layer,
            *arguments,
            only=only,
            exempt=exempt,
            level=args.level,
            all_failures=args.all,
            seed=args.seed,
        )
    except ContractViolation as violation:
        print(f"{type(violation).__name__}: {violation}")
        return 1
    except Exception as error:
        return refused("check", error)
    print(report)
    return 0


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


def _alone(name: str) -> str:
    if "," in name:
        hint = " ".join(f"--only {each}" for each in name.split(","))
        expected = "one PROPERTY, and given once for each"
        raise fault(SettingError, "check", "--only", expected, repr(name), hint=hint)
    return name


def _exempt(text: str) -> tuple[str, str]:
    """Return a property, and the reason why it is not asked."""
    name, _, reason = text.partition("=")
    if not (name and reason):
        expected = "PROPERTY=REASON, once for each property"
        hint = " ".join(f"--exempt '{each}=why'" for each in name.split(","))
        raise fault(SettingError, "check", "--exempt", expected, repr(text), hint=hint)
    return name, reason


def _drawn(rng: np.random.Generator, option: str, text: str) -> Any:
    """Return an array as described, or a table of several."""
    arrays = [_array(rng, option, word) for word in text.split()]
    return arrays[0] if len(arrays) == 1 else arrays


def _array(rng: np.random.Generator, option: str, text: str) -> Any:
    from torchlite.testing import values

    found = _ARRAY.fullmatch(text)
    kind, sizes, below = found.groups() if found else ("", "", None)
    # Whole numbers need a limit, and nothing else has one.
    if not found or (kind in _WHOLE and not below) or (below and kind not in {None, *_WHOLE}):
        expected = "a shape, or several with blanks between them"
        hint = "'5x3 5x2', 'ids:5x3<10' for whole numbers below 10, signs:5, unit:5x3, 'pairs:4<10'"
        raise fault(SettingError, "check", option, expected, repr(text), hint=hint)
    shape = shape_of(sizes)
    if below:
        whole = rng.integers(0, int(below), shape)
        return np.stack([whole, values.distinct(rng, shape)], -1) if kind == "pairs" else whole
    if kind == "signs":
        return values.signs(rng, shape)
    if kind == "unit":
        return (values.distinct(rng, shape) + 4) / 8
    return values.distinct(rng, shape)
