"""The commands show and convert: what is in a file, and other files made of it."""

import io
import json
import os
import shutil
import struct
import subprocess
import sys

import golden
import numpy as np
import pytest
from t7files import Hand

import torchlite
from torchlite import nn, serial
from torchlite.__main__ import main
from torchlite.serial import t7
from torchlite.serial.t7 import modules

FILES = golden.DATA / "t7"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command in an empty folder: lines, errors and status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    # What docs and other tests have made known is not known here.
    monkeypatch.setattr(modules, "_registered", {})

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return said.out.splitlines(), said.err, status

    return run


def shown(run, *arguments):
    """Return what is shown, but for the first line."""
    lines, errors, status = run("show", *arguments)
    assert (errors, status) == ("", 0)
    return lines[1:]


# show


def test_show_draws_tables_as_a_tree(run):
    lines, _, _ = run("show", FILES / "mixed_table.bin.t7")
    assert lines == [
        f"{FILES / 'mixed_table.bin.t7'}: Torch7, 210 bytes",
        "table of 7",
        "[1]: 1",
        "[2]: 2",
        "[True]: 'yes'",
        "x: 'y'",
        "nested: table of 2",
        "  ['a b']: list of 0",
        "  a: False",
        "[10]: 'ten'",
        "[1.5]: 'half'",
    ]


def test_show_draws_what_stands_in_several_places_once(run):
    assert shown(run, FILES / "cyclic.ascii.t7") == [
        "table of 3",
        "[1]: 1",
        "child: table of 1",
        "  parent: the same as the whole",
        "self: the same as the whole",
    ]
    assert shown(run, FILES / "shared_storage.bin.t7") == [
        "table of 4",
        "a: float64 (4,): 1.0 2.0 3.0 4.0",
        "b: float64 (4,): 3.0 4.0 5.0 6.0",
        "whole: float64 (6,): 1.0 2.0 3.0 4.0 5.0 6.0",
        "storage: float64 (6,): 1.0 2.0 3.0 4.0 5.0 6.0",
    ]
    assert shown(run, FILES / "same_tensor_twice.bin.t7")[-1] == "[1]: the same as [0]"


def test_show_has_networks_as_they_print_and_as_a_summary(run):
    assert shown(run, FILES / "checkpoint.bin.t7") == [
        "table of 4",
        "epoch: 7",
        "best: table of 1",
        "  loss: 0.25",
        "opt: table of 2",
        "  learningRate: 0.1",
        "  name: 'run'",
        "model: Sequential, 8 parameters, float64",
        "",
        "model",
        "-----",
        "Sequential {",
        "  [input -> (0) -> (1) -> output]",
        "  (0): Linear(3 -> 2)",
        "  (1): LogSoftMax",
        "}",
        "",
        "position  layer           parameters",
        "------------------------------------",
        "net       Sequential",
        "  net[0]  Linear(3 -> 2)           8",
        "  net[1]  LogSoftMax               0",
        "------------------------------------",
        "total                              8",
        "8 trainable parameters, 0 frozen",
    ]


def test_show_marks_unknown_classes(run):
    lines = shown(run, FILES / "char_rnn.t7", "--select", "protos.rnn")
    assert lines[0] == "gModule, 4,482 parameters, float32"
    assert lines[-2:] == [
        "torchlite does not know OneHot (first at protos.rnn[1])",
        "t7.register(...) makes classes known to a program",
    ]
    lines = shown(run, FILES / "char_rnn.t7", "--select", "protos.rnn[1]")
    assert lines[0] == "OneHot, a class that torchlite does not know"
    hand = Hand()
    code = hand.function(2, b"code", hand.table(3, hand.number(1), hand.number(5)))
    thing = hand.torch(1, "my.Thing", hand.table(4, hand.string("f"), code))
    with open("thing.t7", "wb") as file:
        file.write(thing)
    assert shown(run, "thing.t7") == [
        "my.Thing with 1 fields, a class that torchlite does not know",
        "f: <Function of 4 bytes>",
        "  upvalues: list of 1: 5",
        "",
        "torchlite does not know my.Thing (first at the top)",
        "t7.register(...) makes classes known to a program",
    ]


def test_show_is_never_endless(run):
    value = {"many": {f"k{i}": i for i in range(50)}, "long": "x" * 100, "numbers": [0.5] * 50}
    t7.save("many.t7", value)
    lines = shown(run, "many.t7")
    assert lines[:3] == ["table of 3", "many: table of 50", "  k0: 0"]
    assert lines[21:] == [
        "  k19: 19",
        "  ... and more",
        f"long: '{'x' * 60}'...",
        "numbers: list of 50: 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, ...",
    ]
    assert len(shown(run, "many.t7", "--select", "many")) == 51
    t7.save("many.t7", [[i] for i in range(1000)])
    lines = shown(run, "many.t7")
    assert len(lines) == 401
    assert lines[-1] == "... and more: --select PATH shows a part"
    deep = []
    for _ in range(5000):
        deep = [deep]
    t7.save("deep.t7", deep)
    lines = shown(run, "deep.t7")
    assert lines[0] == "list of 1"
    assert lines[-2:] == ["  " * 9 + "[0]: list of 1", "  " * 10 + "..."]


def test_show_says_what_a_key_begins_with_if_it_is_long(run):
    t7.save("keys.t7", {"a b" * 60: 1, "b": 2})
    assert shown(run, "keys.t7")[1:] == [f"['{('a b' * 60)[:40]}'...]: 1", "b: 2"]


def test_show_does_not_let_a_file_steer_the_terminal(run):
    t7.save("x.t7", {"\x1b[2J": "\x1b[2J", "b": [b"\xff\x1b"]})
    assert shown(run, "x.t7") == [
        "table of 2", r"['\x1b[2J']: '\x1b[2J'", r"b: list of 1: b'\xff\x1b'"
    ]  # fmt: skip


def test_show_writes_out_what_the_output_cannot_have(run, monkeypatch):
    t7.save("x.t7", {"ß": "日本", "b": 1})
    output = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", output)
    assert main(["show", "x.t7"]) == 0
    monkeypatch.undo()
    lines = output.buffer.getvalue().decode("latin-1").splitlines()
    assert lines[1:] == ["table of 2", r"ß: '\u65e5\u672c'", "b: 1"]


def test_show_fits_a_narrow_terminal(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    lines = shown(run, FILES / "checkpoint.bin.t7")
    assert lines[7] == "model: Sequential..."
    assert max(map(len, lines)) == 20


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (list(range(123)), "list of 123: 0, 1, 2, 3, 4, 5, ..."),
        ('{"lr": 0.1}', "'{\"lr\": 0.1}'"),
        (struct.unpack("<d", b"\0\0\0\0{\0\0@")[0], "2.000234603881836"),
    ],
)
def test_show_takes_no_table_text_or_number_for_safetensors(run, value, said):
    """At byte 8 of these files stands the brace with which a header of safetensors begins."""
    t7.save("value.t7", value)
    with open("value.t7", "rb") as file:
        assert file.read()[8:9] == b"{"
    lines, errors, status = run("show", "value.t7")
    assert (errors, status) == ("", 0)
    assert lines[0].startswith("value.t7: Torch7, ")
    assert lines[1] == said


def test_show_knows_the_other_formats(run):
    pytest.importorskip("safetensors")
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    serial.save("net.npz", net)
    lines, _, _ = run("show", "net.npz")
    assert lines[0].startswith("net.npz: a network of torchlite, ")
    assert lines[1:4] == ["Sequential, 9 parameters, float64", "", "the network"]
    serial.save_checkpoint("check.npz", net, {"t": 3}, epoch=5)
    lines, _, _ = run("show", "check.npz")
    assert lines[0].startswith("check.npz: a checkpoint of torchlite, ")
    assert lines[1:7] == [
        "table of 3", "net: Sequential, 9 parameters, float64", "optimizer: table of 1", "  t: 3",
        "extra: table of 1", "  epoch: 5",
    ]  # fmt: skip
    serial.save_parameters("net.safetensors", net)
    lines, _, _ = run("show", "net.safetensors")
    assert lines[0].startswith("net.safetensors: safetensors, ")
    assert lines[1:] == ["table of 2", "['0.bias']: F64 (3,)", "['0.weight']: F64 (3, 2)"]
    np.savez_compressed("arrays.npz", a=np.zeros((2, 3)), b=np.arange(4))
    lines, _, _ = run("show", "arrays.npz")
    assert lines[0].startswith("arrays.npz: arrays of NumPy, ")
    assert lines[1:] == ["table of 2", "a: float64 (2, 3)", "b: int64 (4,)"]


def test_show_goes_on_where_there_is_no_summary(run):
    hand = Hand()
    weight = hand.tensor(4, [1, 2], [2, 1], 1, hand.storage(5, 1.0, 2.0))
    bias = hand.tensor(6, [1], [1], 1, hand.ref(5, 4))
    fields = hand.table(3, hand.string("weight"), weight, hand.string("bias"), bias)
    with open("tied.t7", "wb") as file:
        file.write(hand.torch(1, "nn.Linear", fields))
    lines = shown(run, "tied.t7")
    assert lines[4] == "Linear(2 -> 1)"
    assert lines[6].startswith(
        "no summary: Linear(2 -> 1).located_parameters: Linear(2 -> 1) weight"
    )


def test_show_tells_what_load_warned_of(run):
    hand = Hand()
    storage = hand.storage(5, 1.0, 2.0, kind="Half", code="e")
    weight = hand.tensor(4, [1, 2], [2, 1], 1, storage, kind="Half")
    bias = hand.tensor(6, [1], [1], 1, hand.storage(7, 1.0, kind="Half", code="e"), kind="Half")
    fields = hand.table(3, hand.string("weight"), weight, hand.string("bias"), bias)
    with open("half.t7", "wb") as file:
        file.write(hand.torch(1, "nn.Linear", fields))
    lines = shown(run, "half.t7")
    assert lines[:2] == [
        "modules in half precision become float32", "Linear(2 -> 1), 3 parameters, float32"
    ]  # fmt: skip


def zipped(*members):
    """Return the bytes of a zip of such members."""
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def header(said):
    text = json.dumps(said).encode()
    return len(text).to_bytes(8, "little") + text


ZIP = "its end is not that of a torchlite file\n  hint: it is cut off, continued, or was zipped by "
BAD = {
    "net.ONNX": (b"\x08\x08\x12\x09torchlite", "ONNX files are written, and not read"),
    "net.onnx": (b"", "ONNX files are written, and not read"),
    "text": (b"hello", "it does not begin as a .t7 file does"),
    "zip": (zipped(("data.pkl", b"x")), ZIP + "another program"),
    "npy": (zipped(("a.npy", b"x")), ZIP + "another program"),
    "cut": (b"PK\3\4", ZIP + "another program"),
    "header": (header([])[:8] + b"{", "its header is not that of a safetensors file"),
    "no rows": (header({"a": 5}), "its header is not that of a safetensors file"),
    "no shape": (header({"a": {"dtype": "F32"}}), "its header is not that of a safetensors file"),
    "short": (header({})[:9], "its header is not that of a safetensors file"),
    "long": ((2**22 + 1).to_bytes(8, "little") + b"{", "it does not begin as a .t7 file does"),
}


@pytest.mark.parametrize("what", BAD)
def test_show_refuses_other_files(run, what):
    raw, message = BAD[what]
    name = what if "." in what else "bad"
    with open(name, "wb") as file:
        file.write(raw)
    assert run("show", name) == ([], f"show: FormatError: {name}: {message}\n", 2)
    said = run("convert", name, "net.npz")
    assert said == ([], f"convert: FormatError: {name}: {message}\n", 2)


def test_show_says_of_torchlites_files_what_torchlite_says(run):
    """Zipped anew by another program, it would be an archive of NumPy's."""
    serial.save("net.npz", nn.Linear(2, 3))
    with np.load("net.npz") as archive:
        members = [(f"{name}.npy", b"") for name in archive.files if name != "torchlite.json"]
    with open("net.npz", "wb") as file:
        file.write(zipped(("torchlite.json", "{}"), *members))
    assert run("show", "net.npz")[1:] == (f"show: FormatError: net.npz: {ZIP}another program\n", 2)


def test_show_names_a_file_that_is_not_there(run):
    error = "show: FileNotFoundError: [Errno 2] No such file or directory: 'nowhere'\n"
    assert run("show", "nowhere") == ([], error, 2)


TOP = "val_losses, vocab, protos, epoch, train_losses, opt, val_loss, i"
SELECTED = {
    "protos.rn": "one of rnn, criterion in protos, got rn",
    "proto": f"one of {TOP}, got proto",
    "a b": f"one of {TOP}, got a b",
    "+": "a path such as protos.rnn or models[0], got '+'",
    "opt.x": "one of max_epochs, seed, batch_size, gpuid, decay_rate, savefile, model, grad_clip, "
    "data_dir, seq_length, ... in opt, got x",
    "train_losses[3]": "one of [0], [1], [2] in train_losses, got [3]",
    "epoch.x": "no longer than epoch, got epoch.x",
    "protos[rnn]": "one of rnn, criterion in protos, got [rnn]",
    "protos.rnn[99]": "no longer than protos.rnn, got protos.rnn[99]",
}


@pytest.mark.parametrize("path", SELECTED)
def test_what_is_not_there_cannot_be_selected(run, path):
    error = f"show: SettingError: show: --select must be {SELECTED[path]}\n"
    assert run("show", FILES / "char_rnn_embed.t7", "--select", path) == ([], error, 2)


def test_parts_can_be_selected(run):
    file = FILES / "char_rnn_embed.t7"
    assert shown(run, file, "--select", "train_losses[1]") == ["3.5"]
    assert shown(run, file, "--select", "['opt']['rnn_size']") == ["10"]
    assert shown(run, file, "--select", "protos.rnn[2]")[0] == (
        "Linear(6 -> 40), 280 parameters, float32"
    )
    assert shown(run, FILES / "mixed_table.bin.t7", "--select", "[True]") == ["'yes'"]


# convert


@pytest.mark.parametrize("target", ["net.npz", "net.safetensors", "net.t7"])
def test_convert_makes_other_files_of_a_network(run, target):
    if target.endswith(".safetensors"):
        pytest.importorskip("safetensors")
    file = FILES / "checkpoint.bin.t7"
    lines, errors, status = run("convert", file, target, "--select", "model")
    assert (errors, status) == ("", 0)
    assert lines == [f"{target}: Sequential, {os.path.getsize(target):,} bytes"]
    net = t7.load(file)["model"]
    if target == "net.npz":
        again = serial.load(target)
    elif target == "net.t7":
        again = t7.load(target)
    else:
        again = serial.load_parameters(target, net.clone().reset())
    x = np.ones((2, 3))
    assert np.array_equal(again.forward(x), net.forward(x))


def test_the_name_of_a_target_may_end_in_capitals(run):
    serial.save("net.npz", nn.Linear(2, 3))
    lines, errors, status = run("convert", "net.npz", "NET.T7")
    assert (lines, errors, status) == (
        [f"NET.T7: Linear, {os.path.getsize('NET.T7'):,} bytes"], "", 0
    )  # fmt: skip
    assert isinstance(t7.load("NET.T7"), nn.Linear)


def test_convert_goes_back_to_torch7(run):
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    serial.save("net.npz", net)
    assert run("convert", "net.npz", "net.t7")[1:] == ("", 0)
    x = np.ones((2, 2))
    assert np.array_equal(t7.load("net.t7").forward(x), net.forward(x))


@pytest.mark.parametrize("shape", ["1,3", "7x3"])
def test_convert_makes_onnx_of_torch7_and_npz(run, shape):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    file = FILES / "checkpoint.bin.t7"
    assert run("convert", file, "a.onnx", "--select", "model", "--input-shape", shape)[1:] == (
        "",
        0,
    )
    net = t7.load(file)["model"]
    serial.save("net.npz", net)
    lines, errors, status = run("convert", "net.npz", "b.onnx", "--input-shape", shape)
    assert (errors, status) == ("", 0)
    assert lines == [f"b.onnx: Sequential, {os.path.getsize('b.onnx'):,} bytes"]
    x = np.ones((2, 3))
    for path in ("a.onnx", "b.onnx"):
        session = onnxruntime.InferenceSession(path)
        (output,) = session.run(None, {"input": x.astype("float32")})
        assert np.abs(output - net.evaluate().forward(x)).max() <= 1e-6


def test_convert_takes_ids(run):
    onnx = pytest.importorskip("onnx")
    file = FILES / "char_rnn_embed.t7"
    shape = "ids:1 1,10 1,10"
    _, errors, status = run(
        "convert", file, "net.onnx", "--select", "protos.rnn", "--input-shape", shape
    )
    assert (errors, status) == ("", 0)
    inputs = onnx.load("net.onnx").graph.input
    assert [value.name for value in inputs] == ["input_0", "input_1", "input_2"]
    kinds = [value.type.tensor_type.elem_type for value in inputs]
    assert kinds == [onnx.TensorProto.INT64, onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT]


def test_convert_says_what_to_do(run):
    def refused(*arguments):
        lines, error, status = run("convert", *arguments)
        assert (lines, status) == ([], 2)
        assert not os.path.exists("net.npz")
        assert not os.path.exists("net.onnx")
        return error

    file = FILES / "checkpoint.bin.t7"
    assert refused(file, "net.npz") == (
        f"convert: DTypeError: convert: {file} must be a network, got table of 4\n"
        "  hint: --select model\n"
    )
    assert refused(file, "net.npz", "--select", "epoch") == (
        "convert: DTypeError: convert: epoch must be a network, got 7\n"
        "  hint: torchlite show says what is there\n"
    )
    assert refused(file, "net.pth") == (
        "convert: SettingError: convert: target must be a name that ends with .npz or .safetensors "
        "or .t7 or .onnx, got 'net.pth'\n"
    )
    assert refused(file, "net.onnx", "--select", "model") == (
        "convert: SettingError: convert: --input-shape must be given for .onnx, and for nothing "
        "else, got none\n  hint: --input-shape 1,3,224,224 has the batch first\n"
    )
    assert refused(file, "net.npz", "--select", "model", "--input-shape", "1,3") == (
        "convert: SettingError: convert: --input-shape must be given for .onnx, and for nothing "
        "else, got '1,3'\n"
    )
    for shape in ("", "1,a", "1,3 ids", "ids"):
        assert refused(file, "net.onnx", "--select", "model", "--input-shape", shape) == (
            "convert: SettingError: convert: --input-shape must be a shape, or several with blanks "
            f"between them, got {shape!r}\n  hint: '1,20 ids:1,8'\n"
        )
    file = FILES / "char_rnn.t7"
    assert refused(file, "net.npz", "--select", "protos.rnn") == (
        f"convert: FormatError: {file}: ['protos'].rnn.modules[1], byte 62852: torchlite does not "
        'know the class OneHot\n  hint: t7.register("OneHot", ...) makes one known, load(path, '
        'unknown="keep") keeps fields\n'
    )


# all commands


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    t7.save(tmp_path / "many.t7", {f"k{i}": "x" * 60 for i in range(390)})
    command = [sys.executable, "-m", "torchlite", "show", str(tmp_path / "many.t7")]
    folder = os.path.dirname(os.path.dirname(torchlite.__file__))
    # It is gone before anything is written, which a pipe would hold.
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=folder, check=False)
    os.close(writing)
    assert (done.stderr, done.returncode) == (b"", 141)


@pytest.mark.parametrize("command", ["show", "convert"])
def test_help_ends_with_an_example_that_works(run, capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        main([command, "--help"])
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith(f"example: torchlite {command} model.t7 ")
    shutil.copy(FILES / "char_rnn_embed.t7", "model.t7")
    _, errors, status = run(*last.split()[2:])
    assert (errors, status) == ("", 0)
