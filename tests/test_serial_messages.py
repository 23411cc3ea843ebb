"""What is said of a file that is wrong, and that it steers no terminal."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from saving import HEADERS, described, forged, members_of, mlp, packed, run

from torchlite import nn, serial
from torchlite.errors import DTypeError, FormatError
from torchlite.serial import archive, classes, describe
from torchlite.serial.values import path_to


def test_what_is_wrong_is_named(path):
    def header(text):
        def change(members):
            text_ = text.encode() + b"\n"
            members[1][1] = b"\x93NUMPY\1\0" + len(text_).to_bytes(2, "little") + text_ + bytes(96)

        return forged(path, change)

    def description(old, new):
        def change(members):
            assert old.encode() in members[0][1]
            members[0][1] = members[0][1].replace(old.encode(), new.encode(), 1)

        return forged(path, change)

    assert header(HEADERS[1]) == (
        "0.weight.npy: an array of float64 in (1000000000000,) has not the 96 bytes that are there"
    )
    assert header(HEADERS[0]).startswith(
        "0.weight.npy: b\"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }\\n\" is no "
    )
    assert forged(path, lambda members: members.pop(2)) == (
        "[0].bias: there is no array '0.bias' in the file"
    )
    assert forged(path, lambda members: members.append(["x.npy", members[1][1]])) == (
        "x: nothing refers to this array"
    )
    assert forged(path, lambda members: members.append(["x.exe", b""])) == (
        "x.exe: a torchlite file has no such member"
    )
    assert forged(path, lambda members: members.append(members[1])) == (
        "0.weight.npy: there are two members of this name"
    )
    assert forged(path, lambda members: members.append(["../x.npy", b""])) == (
        "member 5: b'../x.npy' is no name of a member"
    )
    assert forged(path, lambda members: members.pop(0)) == (
        "torchlite.json: this member is missing: it is no torchlite file"
    )
    assert description('"version":1', '"version":2') == (
        "torchlite.json: it is of version 2, this torchlite reads 1\n"
        "  hint: a newer torchlite may have written it"
    )
    for version, shown in (("true", "True"), ("1.0", "1.0")):
        assert description('"version":1', f'"version":{version}').startswith(
            f"torchlite.json: it is of version {shown}, this torchlite reads 1\n"
        )
    assert description('"Tanh"', '"Tan"').startswith("[1]: 'Tan' is not a class that files know")
    assert description('"weight":', '"wait":').startswith(
        "[0]: this cannot be the state of a Linear"
    )
    assert description('"weight":', '"forward":') == (
        "[0]: forward is a method or property of Linear, not something to be saved"
    )
    assert description('"weight":', '"output":') == (
        "[0]: output is what a call leaves behind, not something to be saved"
    )
    assert description('"weight":', '"__class__":') == (
        "[0]: '__class__' is no name of an attribute"
    )
    for name in ("transient", "remembers", "refers", "_uncast"):
        assert description('"weight":', f'"{name}":') == (
            f"[0]: {name} is said by the class, not saved with what is made of it"
        )
    for value, shown in [
        ("1", "1"),
        ('"float64"', "'float64'"),
        ('{"dtype":"<i8"}', "dtype('int64')"),
    ]:
        assert description('"weight":', f'"_dtype":{value},"weight":') == (
            f"[0]: _dtype must be float32, float64, complex64 or complex128, got {shown}"
        )
    assert description('"modules":[', '"modules":[1,') == (
        "Sequential: modules must be a list of modules"
    )
    assert description('"gradients":false', '"gradients":0') == (
        "torchlite.json: gradients is not what it must be"
    )
    for old, new in (('"gradients":false,', ""), ('"version":1', '"version":1,"more":1')):
        assert description(old, new) == (
            "torchlite.json: it must say format, version, holds, gradients, content, parts, and "
            "nothing else"
        )
    no_json = "torchlite.json: it is not the JSON of a description: "
    assert description('"version":1', '"version":1,"version":1') == (
        f"{no_json}a key stands there twice"
    )
    assert description('"version":1', '"version":NaN') == f"{no_json}NaN is no number of JSON"
    assert description('"content":{"part":0}', '"content":1') == (
        "what it holds is no module and no criterion"
    )
    assert description('{"array":"0.weight"}', '{"eval":"1"}') == (
        "[0].weight: {'eval': '1'} describes no value"
    )


NESTED = "torchlite.json: it is nested more than 256 deep"


def test_what_is_said_is_of_bearable_length():
    error = archive.broken(SimpleNamespace(name="net"), "w" * 201, "p" * 501)
    assert str(error) == f"net: {'w' * 200}: {'p' * 500}"


def test_brackets_are_counted_before_they_are_read(path):
    def said(text):
        return forged(path, lambda members: members[0].__setitem__(1, text.encode()))

    assert said("[" * 257 + "]" * 257) == NESTED
    assert said('{"a":' * 257 + "1" + "}" * 257) == NESTED
    assert said("[" * 256 + "]" * 256) == "torchlite.json: it does not describe a torchlite file"
    # Brackets in text are none, whatever stands before them.
    text = json.dumps("[" * 999 + '"' + "{" * 999 + "\\")
    assert said(f"[{text}]") == "torchlite.json: it does not describe a torchlite file"


@pytest.mark.parametrize(
    ("around", "step"),
    [
        (lambda value: [value], "[0]"),
        (lambda value: {"tuple": [value]}, "[0]"),
        (lambda value: {"dict": [["k", value]]}, ".k"),
        (lambda value: {"dict": [[value, 1]]}, ".key"),
    ],
)
def test_values_in_files_are_nested_64_deep_at_most(around, step, path):
    def load(depth):
        value = 1
        for _ in range(depth):
            value = around(value)
        path.write_bytes(described([{"class": "ReLU", "state": {"held": value}}]))
        return serial.load(path).held

    if step != ".key":
        assert str(load(64)).count("1") == 1
    with pytest.raises(FormatError) as error:
        load(65)
    where = ("held" + 65 * step)[:80]
    assert str(error.value) == f"{path}: {where}: values are nested more than 64 deep"


@pytest.mark.parametrize("bracket", ["[", '{"":'])
def test_a_raised_limit_of_recursion_lets_no_file_crash_the_interpreter(bracket, path):
    path.write_bytes(packed([["torchlite.json", bracket.encode() * 400_000]]))
    code = """
from torchlite import serial
sys.setrecursionlimit(10**9)
try:
    serial.load(sys.argv[1])
except serial.archive.FormatError as error:
    print(error)
"""
    with run(code, path) as process:
        assert process.stdout.read() == f"{path}: {NESTED}\n"
    assert process.returncode == 0


STEERING = "\x1b[2J\ud800\u202e"
WRITTEN_OUT = r"\x1b[2J\ud800\u202e"


def test_what_is_said_of_a_file_steers_no_terminal(path, capsys):
    said = json.dumps(STEERING)

    def description(old, new):
        def change(members):
            members[0][1] = members[0][1].replace(old.encode(), new.encode(), 1)

        message = forged(path, change)
        print(message)
        assert message.replace("\n", "").isprintable()
        return message

    assert description('"network"', said) == f"it holds a {WRITTEN_OUT}, not a network"
    assert description('"version":1', f'"version":{said}').startswith(
        f"torchlite.json: it is of version {WRITTEN_OUT}, this torchlite reads 1\n"
    )
    assert description('"Tanh"', said).startswith(f"[1]: '{WRITTEN_OUT}' is not a class")
    assert description('"weight"', said) == f"[0]: '{WRITTEN_OUT}' is no name of an attribute"
    assert description('{"array":"0.weight"}', f'{{"array":{said}}}') == (
        f"[0].weight: there is no array '{WRITTEN_OUT}' in the file"
    )
    assert description('"weight":', f'"x":{{"dict":[[{said},{{"part":9}}]]}},"weight":') == (
        f"[0].x['{WRITTEN_OUT}']: there is no part 9 in the file"
    )
    path.write_bytes(described([{"class": "View", "state": {"size": ["\x1b[2J"]}}]))
    with pytest.raises(FormatError, match=r"cannot be the state of a View: .* print") as e:
        serial.load(path)
    assert str(e.value).isprintable()
    with pytest.raises(FormatError) as error:
        serial.load(path.with_name("\x1b.npz").write_bytes(b"") or path.with_name("\x1b.npz"))
    assert str(error.value).startswith(f"{path.parent}/\\x1b.npz: its end")


def test_what_is_loaded_steers_no_terminal(path):
    net = nn.Sequential(nn.SelectTable("a\x1b"), nn.NaN(nn.ReLU(), "b\ud800"))
    serial.save(path, net)
    net = serial.load(path)
    assert (net[0].index, net[1].id) == ("a\x1b", "b\ud800")
    assert repr(net[0]) == r"SelectTable(a\x1b)"
    assert repr(net).replace("\n", "").isprintable()
    with pytest.raises(DTypeError) as error:
        net[0].forward(np.ones(3))
    assert str(error.value).startswith(r"SelectTable(a\x1b).updateOutput: ")


def test_a_layer_of_ones_own_may_print_in_colour(path, monkeypatch):
    class Red(nn.Module):
        def __repr__(self):
            return "\x1b[31mRed\x1b[0m"

    monkeypatch.setattr(classes, "_registered", {})
    serial.register("Red", Red)
    serial.save(path, Red())
    assert isinstance(serial.load(path), Red)


def test_damage_to_the_numbers_is_named(path):
    net = mlp()
    net[2].weight.fill(0.1234)
    serial.save(path, net)
    raw = path.read_bytes()
    at = raw.index(net[2].weight.tobytes())
    path.write_bytes(raw[:at] + b"\0" + raw[at + 1 :])
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == (
        f"{path}: 2.weight.npy: its bytes have changed: the checksum does not fit"
    )
    path.write_bytes(raw[:-1])
    with pytest.raises(FormatError, match="its end is not that of a torchlite file"):
        serial.load(path)


def test_every_bit_counts(path):
    """No byte of a file can change, wherever it is, without being noticed."""
    serial.save(path, nn.Linear(1, 1))
    raw = bytearray(path.read_bytes())
    for at in range(len(raw)):
        raw[at] ^= 1 << at % 8
        path.write_bytes(raw)
        with pytest.raises(FormatError):
            serial.load(path)
        raw[at] ^= 1 << at % 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: entries.pop(), "a checkpoint must hold net, optimizer, extra, random"),
        (
            lambda entries: entries.reverse(),
            "a checkpoint must hold net, optimizer, extra, random",
        ),
        (lambda entries: entries[0].insert(1, 3), "net: it is no module and no criterion"),
        (lambda entries: entries[2].insert(1, 3), "extra: it is no dict"),
        (
            lambda entries: entries[3].insert(1, 3),
            "random: setRNGState: state must be a uint8 array, got int",
        ),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_named(change, message, path):
    wrong_checkpoint(path, lambda said: change(said["content"]["dict"]), message)


def test_a_list_is_no_checkpoint(path):
    keys = ["net", "optimizer", "extra", "random"]
    message = "a checkpoint must hold net, optimizer, extra, random"
    wrong_checkpoint(path, lambda said: said.update(content=keys), message)


def wrong_checkpoint(path, change, message):
    serial.save_checkpoint(path, nn.ReLU(), {})
    members = members_of(path.read_bytes())
    said = json.loads(members[0][1])
    change(said)
    if isinstance(said["content"], dict):
        for entry in said["content"]["dict"]:
            del entry[2:]
    members[0][1] = json.dumps(said).encode()
    if b'"array"' not in members[0][1]:
        del members[1]
    path.write_bytes(packed(members))
    with pytest.raises(FormatError) as error:
        serial.load_checkpoint(path)
    assert str(error.value) == f"{path}: {message}"


RELU = {"class": "ReLU", "state": {"inplace": False}}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([3], "part 0 is not a class and its state"),
        ([{"class": "ReLU"}], "part 0 is not a class and its state"),
        ([{**RELU, "more": 1}], "part 0 is not a class and its state"),
        ([{"class": "ReLU", "state": []}], "the state of part 0 is not a dict"),
        ([RELU, RELU], "nothing refers to part 1"),
        (
            [{"class": "Sequential", "state": {"modules": [{"part": 2}]}}, RELU],
            "[0]: there is no part 2 in the file",
        ),
        (
            [{"class": "Sequential", "state": {"modules": [{"part": True}]}}, RELU],
            "[0]: there is no part True in the file",
        ),
        (
            [{"class": "Sequential", "state": {"modules": [{"part": -1}]}}, RELU],
            "[0]: there is no part -1 in the file",
        ),
    ],
)
def test_what_is_wrong_with_parts_is_named(parts, message, path):
    path.write_bytes(described(parts))
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == f"{path}: {message}"


def test_of_long_places_both_ends_are_said():
    assert path_to("", "x" * 700) == "x" * 700
    assert path_to("x" * 300, "y" * 400) == "x" * 100 + "..." + "x" * 196 + "." + "y" * 400


def test_what_is_no_attribute_to_be_saved():
    class Own(nn.ReLU):
        @property
        def level(self):
            return 1

        @level.setter
        def level(self, level):
            raise AssertionError

    problem = describe.attribute_problem
    said = "is a method or property of Own, not something to be saved"
    assert problem(Own, "level", 1) == f"level {said}"
    assert problem(Own, "forward", 1) == f"forward {said}"
    for name in (3, "a b", "__x"):
        assert problem(Own, name, 1) == f"{name!r} is no name of an attribute"
    assert problem(Own, "output", None) is problem(nn.Sequential, "train", True) is None
    assert problem(Own, "_dtype", np.dtype("float32")) is None


def test_an_array_is_no_number(path):
    parts = [{"class": "ReLU", "state": {"held": {"scalar": "w"}}}]
    path.write_bytes(described(parts, ("w", np.ones(2))))
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == f"{path}: held: w is an array, not a number"
    path.write_bytes(described(parts, ("w", np.array(2.5))))
    assert serial.load(path).held == 2.5
