"""Convert a network from one kind of file to another: .t7 to .npz, .safetensors or .onnx, and back.

What is written is told by the ending: .npz is a network of torchlite, which `serial.load` reads,
.safetensors its arrays alone, .t7 a file for Torch7, .onnx one that many programs run. What is read
is told by the file itself: it is one of the first three. Exit status: 0, or 2 for a file that
cannot be read or written.
"""

import argparse
import os
import re
from typing import Any

import numpy as np

from torchlite.commands._given import SHAPE, refused, shape_of
from torchlite.errors import DTypeError, SettingError, fault

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", help="the file to read")
    parser.add_argument("target", help="the file to write: .npz, .safetensors, .t7 or .onnx")
    parser.add_argument(
        "--select",
        default="",
        metavar="PATH",
        help="where the network stands, if it is one of many things in the file: protos.rnn",
    )
    parser.add_argument(
        "--input-shape",
        metavar="SHAPE",
        help="for .onnx, the shape of an input, with any number for the batch: 1,3,224,224; "
        "several for a table: '1,20 1,8'; 'ids:1,20' for whole numbers",
    )
    parser.epilog = "example: torchlite convert model.t7 model.npz --select protos.rnn"


def run(args: argparse.Namespace) -> int:
    # Here, because loading them would slow down every other command.
    from torchlite import serial
    from torchlite.commands import _files, _shown
    from torchlite.nn.stateful import Stateful
    from torchlite.serial import t7

    def export(path: str, net: Any) -> None:
        from torchlite.interop import onnx

        onnx.export(net, path, _inputs(args.input_shape))

    save = {
        ".npz": serial.save,
        ".safetensors": serial.save_parameters,
        ".t7": t7.save,
        ".onnx": export,
    }
    try:
        ending = os.path.splitext(args.target)[1].lower()
        if ending not in save:
            expected = f"a name that ends with {' or '.join(save)}"
            raise fault(SettingError, "convert", "target", expected, repr(args.target))
        if (args.input_shape is not None) != (ending == ".onnx"):
            expected = "given for .onnx, and for nothing else"
            got = "none" if args.input_shape is None else repr(args.input_shape)
            hint = "--input-shape 1,3,224,224 has the batch first" if ending == ".onnx" else None
            raise fault(SettingError, "convert", "--input-shape", expected, got, hint=hint)
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


def _inputs(text: str) -> Any:
    """Return what is written as the shape of an input, or of several, as `onnx.export` takes it."""
    given = []
    for word in text.split() or [""]:
        found = re.fullmatch(f"(ids:)?({SHAPE})", word)
        if not found:
            expected, hint = "a shape, or several with blanks between them", "'1,20 ids:1,8'"
            raise fault(SettingError, "convert", "--input-shape", expected, repr(text), hint=hint)
        shape = shape_of(found[2])
        given.append(np.zeros(shape, "int64") if found[1] else shape)
    return given[0] if len(given) == 1 else given
