"""Tell what a network is made of: layers, shapes, parameters, work, memory.

Without an argument that is the network of the demo; file.py:function names a function without
arguments that returns a network, or (net, criterion, input, target). Exit status: 0, or 2 for
arguments that cannot be used.
"""

import argparse
import importlib
import re
from typing import Any

from torchlite.commands import _terminal
from torchlite.commands._given import SHAPE, maker, refused, shape_of
from torchlite.errors import DTypeError, SettingError, fault
from torchlite.nn.module import Module

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="file.py:function", help="which network")
    parser.add_argument(
        "--input", help="the shape of an input: 64x784; several for a table: '64x5 64x2'"
    )
    parser.epilog = "example: torchlite summary --input 32x64"


def run(args: argparse.Namespace) -> int:
    # Here, because loading it would slow down every other command.
    from torchlite.stepping import summary
    from torchlite.stepping.given import four

    try:
        given = list(map(_shape, (args.input or "").split()))
        if args.source:
            net = maker("summary", args.source)()
            shape: Any = given[0] if len(given) == 1 else given or None
            if isinstance(net, tuple):
                net, _, input, _ = four("summary", args.source, net, bare=True)
                if shape is None and not isinstance(input, dict):
                    shape = input
            elif not isinstance(net, Module):
                argument, got = f"what {args.source} returns", type(net).__name__
                expected = "a Module, or (net, criterion, input, target)"
                raise fault(DTypeError, "summary", argument, expected, got)
        else:
            from torchlite.commands.demo import BATCH, network

            net, shape = network(), given[0] if given else (BATCH, 64)
        try:
            table = summary(net, shape)
        except KeyboardInterrupt as stop:
            _show(summary(net).within(_terminal.columns()))
            stop.add_note("while the network ran: shapes are missing")
            raise
    except Exception as error:
        return refused("summary", error)
    _show(table.within(_terminal.columns()))
    return 0


def _shape(text: str) -> tuple[int, ...]:
    if not re.fullmatch(SHAPE, text):
        expected = "a shape, or several with blanks between them"
        raise fault(SettingError, "summary", "--input", expected, repr(text), hint="'64x5 64x2'")
    return shape_of(text)


def _show(table: str) -> None:
    """Print the table; in a terminal where rich is installed, titles and totals stand out."""
    try:
        if not _terminal.styled():
            raise ImportError
        console, text = map(importlib.import_module, ("rich.console", "rich.text"))
    except ImportError:
        print(table)
        return
    title, *lines = table.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("total "))
    before, after = "\n".join(["", *lines[:at], ""]), "\n".join(["", *lines[at + 1 :]])
    parts = (title, "bold"), before, (lines[at], "bold green"), after
    console.Console(soft_wrap=True).print(text.Text.assemble(*parts))
