"""Convert a network from one kind of file to another: .t7 to .npz or .safetensors, and back.

What is written is told by the ending: .npz is a network of torchlite, which `serial.load` reads,
.safetensors its arrays alone, .t7 a file for Torch7. What is read is told by the file itself. Exit
status: 0, or 2 for a file that cannot be read or written.
"""

import argparse
import os

from torchlite.commands._given import refused
from torchlite.errors import DTypeError, SettingError, fault

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="the file to read")
    parser.add_argument("target", help="the file to write: .npz, .safetensors or .t7")
    parser.add_argument(
        "--select",
        default="",
        metavar="PATH",
        help="where the network stands, if it is one of many things in the file: protos.rnn",
    )
    parser.epilog = "example: torchlite convert model.t7 model.npz --select protos.rnn"


def run(args: argparse.Namespace) -> int:
    # Here, because loading them would slow down every other command.
    from torchlite import serial
    from torchlite.commands import _files, _shown
    from torchlite.nn.stateful import Stateful
    from torchlite.serial import t7

    save = {".npz": serial.save, ".safetensors": serial.save_parameters, ".t7": t7.save}
    try:
        ending = os.path.splitext(args.target)[1]
        if ending not in save:
            expected = f"a name that ends with {' or '.join(save)}"
            raise fault(SettingError, "convert", "target", expected, repr(args.target))
        contents = _files.read(args.source)
        net = _files.selected("convert", contents.value, args.select)
        if not isinstance(net, Stateful):
            inside = list(_files.networks(net, args.select))
            hint = (
                f"--select {' or '.join(inside)}" if inside else "torchlite show says what is there"
            )
            what = args.select or args.source
            raise fault(DTypeError, "convert", what, "a network", _shown.described(net), hint=hint)
        save[ending](args.target, net)
    except Exception as error:
        return refused("convert", error)
    size = os.path.getsize(args.target)
    _files.say([*contents.notes, f"{args.target}: {type(net).__name__}, {size:,} bytes"])
    return 0
