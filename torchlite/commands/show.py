"""Show what is in a file: .t7 of Torch7, .npz of torchlite or NumPy, .safetensors.

Tables as a tree, arrays by dtype and shape, networks as they print and as a summary. Nothing in the
file is run. Exit status: 0, or 2 for a file that cannot be read.
"""

import argparse
import os

from torchlite.commands._given import refused

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="which file")
    parser.add_argument(
        "--select", default="", metavar="PATH", help="a part of it alone: protos.rnn, models[0]"
    )
    parser.epilog = "example: torchlite show model.t7 --select protos.rnn"


def run(args: argparse.Namespace) -> int:
    # Here, because loading them would slow down every other command.
    from torchlite.commands import _files, _shown, _terminal

    try:
        contents = _files.read(args.file, unknown="keep")
        value = _files.selected("show", contents.value, args.select)
        lines = [
            f"{args.file}: {contents.format}, {os.path.getsize(args.file):,} bytes",
            *contents.notes,
            *_shown.lines(value, args.select),
        ]
    except Exception as error:
        return refused("show", error)
    # What goes into a file or to another program is not cut.
    _files.say(lines, _terminal.columns())
    return 0
