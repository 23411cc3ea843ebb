"""Files damaged in a thousand ways are refused, and nothing has changed then."""

import copy
import importlib.util
import io
import json
import random as chance
import struct
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from saving import DATA, HEADERS, THOROUGH, dirty, members_of, packed, peak, rezipped, run, same

from torchlite import nn, random, serial
from torchlite.errors import FormatError
from torchlite.serial import t7

MUTATIONS = 10_000 if THOROUGH else 1_000


NODES = [
    None, [], {}, 0, -1, 10**30, 1e400, "os.system", {"part": 0}, {"part": 10**9}, {"part": -1},
    {"part": True}, {"part": "0"}, {"array": "nowhere"}, {"array": 0}, {"array": "0.weight"},
    {"gradient": "0.bias"}, {"gradient": []}, {"scalar": "0.weight"}, {"scalar": {}},
    {"tuple": 1}, {"tuple": [{"part": 1}]}, {"dict": [[1]]}, {"dict": [[{}, 1]]},
    {"dict": [[{"tuple": []}, 1]]}, {"dict": 5}, {"float": "1"}, {"float": []}, {"dtype": "O"},
    {"dtype": "<f4"}, {"dtype": {}}, {"import": "os"}, {"array": "0.bias", "part": 0}, [[[]]],
    {"class": "Linear", "state": {}}, {"class": "Sequential", "state": {"modules": []}},
    {"class": "os", "state": {}}, {"class": [], "state": 1}, "Linear", "Sequential", "WeightNorm",
]  # fmt: skip


def places(node):
    """Yield (container, key) for everything inside a JSON value."""
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for key, inside in list(entries):
        yield node, key
        if isinstance(inside, dict | list):
            yield from places(inside)


def torn(raw, kind, at, to, draws):
    """Return the bytes of a file of any format, damaged in one of seven ways."""
    if kind == 0:
        at = draws.randrange(len(raw))
        flipped = bytes([raw[at] ^ 1 << draws.randrange(8)])
        return raw[:at] + flipped + raw[at + 1 :]
    return [
        raw[:at],
        raw + draws.randbytes(draws.choice([1, 22, 98, 5000])),
        raw[:at] + raw[to:],
        raw[:at] + draws.randbytes(to - at) + raw[to:],
        raw[:to] + raw[at:],
        draws.randbytes(draws.randrange(300)) + raw[at:],
    ][kind - 1]


def mutated_tensors(raw, draws):
    """Return a safetensors file that is not as it was: torn, or with another header."""
    kind = draws.randrange(14)
    at, to = sorted(draws.randrange(len(raw) + 1) for _ in range(2))
    if kind < 7:
        return torn(raw, kind, at, to, draws)
    end = 8 + int.from_bytes(raw[:8], "little")
    said = json.loads(raw[8:end])
    container, key = draws.choice(list(places(said)))
    if draws.random() < 0.3:
        del container[key]
    else:
        container[key] = copy.deepcopy(draws.choice(NODES))
    header = json.dumps(said).encode()
    return len(header).to_bytes(8, "little") + header + raw[end:]


def mutated(raw, draws):
    """Return a file that is not as it was, and whether its checksums are right nevertheless.

    Files that have none are right in this sense, whatever was done to them.
    """
    if not raw.startswith(b"PK"):
        return mutated_tensors(raw, draws), True
    kind = draws.randrange(16)
    at, to = sorted(draws.randrange(len(raw) + 1) for _ in range(2))
    if kind < 7:
        return torn(raw, kind, at, to, draws), False
    if kind == 7:
        # A number in the records around the members.
        end = len(raw) - 98
        at = draws.choice([end, int.from_bytes(raw[end + 48 : end + 56], "little")])
        at += draws.randrange(len(raw) - at - 8)
        number = draws.choice([0, 1, 2**16 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
        return raw[:at] + number.to_bytes(8, "little") + raw[at + 8 :], False
    members = members_of(raw)
    i, j = draws.sample(range(len(members)), 2)
    if kind == 8:
        members[i][1], members[j][1] = members[j][1], members[i][1]
    elif kind == 9:
        del members[i]
    elif kind == 10:
        members.append([draws.choice([members[i][0], "a.npy", "../a.npy", "a"]), members[j][1]])
    elif kind == 11:
        options = draws.choice([{}, {"compression": zipfile.ZIP_DEFLATED}])
        if draws.random() < 0.5:
            members[max(i, 1)][1] = b"\0" * 10**7
        return rezipped(members, **options), False
    elif kind == 12:
        text = draws.choice(HEADERS).encode() + b" " * draws.randrange(3) + b"\n"
        length = draws.choice([len(text), len(text), 0, 2**16 - 1]).to_bytes(2, "little")
        version = draws.choice([b"\1\0", b"\1\0", b"\1\0", b"\2\0", b"\3\0"])
        inside = draws.choice([b"", bytes(24), bytes(8 * 10**5)])
        members[max(i, 1)][1] = b"\x93NUMPY" + version + length + text + inside
    elif kind == 13:
        said = json.loads(members[0][1])
        for _ in range(draws.choice([1, 1, 2, 5])):
            container, key = draws.choice(list(places(said)))
            action = draws.randrange(4)
            if action == 0:
                del container[key]
            elif action == 1 and isinstance(container, dict):
                container[draws.choice(["forward", "__class__", "output", "é", "a b", "x"])] = 1
            else:
                container[key] = copy.deepcopy(draws.choice(NODES))
        members[0][1] = json.dumps(said).encode()
    elif kind == 14:
        members[0][1] = draws.choice(
            [
                b"", b"{}", b"[]", b"null", b"\xff", b"NaN", b"1" * 5000, b"[" * 300_000,
                b'{"a":' * 100_000, b"[[]," * 100_000, b'"\\"[[[' * 1000, b'{"a":1,"a":2}',
                members[0][1].replace(b'"version":1', b'"version":2'),
                members[0][1].replace(b'"version":1', b'"version":1.0'),
                members[0][1].replace(b'"version":1', b'"version":true'),
                members[0][1].replace(b"false", b"NaN"),
            ]
        )  # fmt: skip
    else:
        at = draws.randrange(len(members[i][1]))
        inside = members[i][1]
        members[i][1] = (
            inside[:at] + bytes([inside[at] ^ 1 << draws.randrange(8)]) + inside[at + 1 :]
        )
        if draws.random() < 0.3:
            objects = io.BytesIO()
            np.save(objects, np.array([print]), allow_pickle=True)
            members[1][1] = objects.getvalue()
    return packed(members), True


def victims():
    """Return a network and, by name of what reads it, how it is saved and loaded."""
    random.manualSeed(1)
    net = nn.Sequential(
        nn.Linear(3, 2), nn.WeightNorm(nn.Linear(2, 2)), nn.BatchNormalization(2), nn.View(1, 2)
    )
    net.add(nn.ConcatTable(nn.ReLU(), nn.Dropout(0.25)))
    x = nn.Identity()()
    first, second = nn.Tanh()(x).annotate(name="x").split(2)
    net.add(nn.gModule([x], [nn.CAddTable()([first, second]), first])).training()
    state = {"t": 1, "m": np.ones(3), "s": np.float32(2), "l": [float("inf"), (1, None, "x")]}

    def save_checkpoint(path, net):
        serial.save_checkpoint(path, net, state, criterion=nn.MultiCriterion().add(nn.L1Cost()))

    def load_parameters(path, into):
        return serial.load_parameters(path, net.clone() if into is None else into)

    return net, {
        "load": (serial.save, serial.load),
        "load_checkpoint": (save_checkpoint, serial.load_checkpoint),
        "load_parameters": (serial.save_parameters, load_parameters),
    }


@pytest.mark.parametrize("name", [name for name in serial.__all__ if name.startswith("load")])
def test_whatever_can_be_read_is_mutated(name):
    assert name in victims()[1], f"add {name} to victims() in tests/test_serial_mutations.py"


def mutate(folder, count, seed):
    """Load so many mutated files of each kind; print how many were refused, and the memory."""
    draws = chance.Random(seed)
    path = Path(folder) / "mutated"
    net, kinds = victims()
    if not importlib.util.find_spec("safetensors"):
        del kinds["load_parameters"]
    refused = {}
    for name, (save, load) in kinds.items():
        save(path, net)
        load(path, into=None)
        raw = path.read_bytes()
        refused[name] = sum(is_refused(path, raw, load, net, draws) for _ in range(count))
    print(json.dumps(refused), peak())


def is_refused(path, raw, load, net, draws):
    """Tell whether the file is refused, mutated; nothing has changed then."""
    target = dirty(net.clone(), np.random.default_rng(0))
    before, rng = target.clone(), random.getRNGState()
    damaged, sealed = mutated(raw, draws)
    if damaged == raw:
        damaged = raw[:-1]
    path.write_bytes(damaged)
    try:
        load(path, into=target if draws.random() < 0.3 else None)
    except FormatError as error:
        message = str(error)
    else:
        # With right checksums it may be another network, and a good one.
        assert sealed, "a mutation was not noticed"
        random.setRNGState(rng)
        return False
    assert message.startswith(f"{path}: ")
    assert len(message) < 1000
    assert same(before, target)
    assert np.array_equal(rng, random.getRNGState())
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc")
def test_mutated_files_are_refused(tmp_path):
    count = MUTATIONS // 4
    for said in said_by("mutate", count, tmp_path):
        said, memory = said.rsplit(maxsplit=1)
        refused = json.loads(said)
        assert refused["load"] + refused["load_checkpoint"] > 0.8 * 2 * count
        assert int(memory) < 200, "MiB"
        print(f"{count} mutations each, refused {refused}, {memory} MiB")


WORDS = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 65, 255, 256, 10**4, 2**16, 2**24, 2**31 - 1, 2**31,
    2**32 - 1,
]  # fmt: skip
NAMES = [
    b"torch.DoubleTensor", b"torch.FloatTensor", b"torch.HalfStorage", b"torch.CudaTensor",
    b"nn.Linear", b"nn.Sequential", b"nn.gModule", b"nngraph.Node", b"nn.GPU", b"cudnn.ReLU",
    b"nn.DataParallelTable", b"nn.WeightNorm", b"my.Thing", b"os.system", b"V 2", b"V x",
]  # fmt: skip
NUMBERS_OF_T7 = [0.5, -1.0, 0.0, 2.0**31, 2.0**53, 1e300, float("inf"), float("nan"), 10.0**9]


def mutated_t7(raw, other, draws):
    """Return a .t7 file that is not as it was: torn, mixed with another, or with other numbers."""
    for _ in range(draws.choice([1, 1, 1, 2, 5, 20])):
        kind = draws.randrange(13)
        raw = raw or b"\0"
        at, to = sorted(draws.randrange(len(raw) + 1) for _ in range(2))
        if kind < 3:
            raw = torn(raw, draws.choice([0, 0, 0, 0, 1, 2, 3, 4, 5]), at, to, draws)
        elif kind == 3:
            raw = raw[:at] + other[draws.randrange(len(other)) :][:100] + raw[to:]
        elif kind < 8:
            order = draws.choice(["little", "little", "big"])
            word = draws.choice(WORDS).to_bytes(4, order)
            at = draws.choice([at, at - at % 4, raw.find(b"V 1", at) - 4])
            raw = raw[:at] + word + raw[at + 4 :]
        elif kind == 8:
            tokens = raw.split(b"\n")
            i = draws.randrange(len(tokens))
            tokens[i] = draws.choice(
                [b"", b"-1", b"1e999", b"9" * 70, b"1_0", b"nan", b"2", b"\xff"]
            )
            raw = b"\n".join(tokens)
        elif kind == 9:
            number = struct.pack("<d", draws.choice(NUMBERS_OF_T7))
            at = max(raw.find(b"\1\0\0\0", at), 0) + 4
            raw = raw[:at] + number + raw[at + 8 :]
        elif kind == 10:
            old, new = draws.choice(NAMES), draws.choice(NAMES)
            raw = raw.replace(
                len(old).to_bytes(4, "little") + old, len(new).to_bytes(4, "little") + new
            )
        else:
            # What names an object names another.
            tags = [i for i in range(len(raw) - 8) if raw[i : i + 4] in (b"\3\0\0\0", b"\4\0\0\0")]
            if tags:
                at = draws.choice(tags) + 4
                raw = raw[:at] + draws.randrange(20).to_bytes(4, "little") + raw[at + 4 :]
    return raw or b"\0"


def mutate_t7(folder, count, seed):
    """Load so many mutated .t7 files; print how many were refused, the slowest, and the memory."""
    warnings.simplefilter("ignore")
    draws = chance.Random(seed)
    path = Path(folder) / "mutated.t7"
    files = [file.read_bytes() for file in sorted((DATA / "t7").glob("*.t7"))]
    refused, slowest = 0, 0.0
    for _ in range(count):
        raw = mutated_t7(draws.choice(files), draws.choice(files), draws)
        path.write_bytes(raw)
        options = {"unknown": draws.choice(["keep", "refuse"])}
        if draws.random() < 0.2:
            options |= {"encoding": "latin-1", "long_size": draws.choice([4, 8])}
        start = time.perf_counter()
        message = None
        try:
            t7.load(path, **options)
        except FormatError as error:
            message = str(error)
        slowest = max(slowest, time.perf_counter() - start)
        if message is not None:
            refused += 1
            assert message.startswith(f"{path}: ")
            assert len(message) < 1500
    print(refused, slowest, peak())


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc")
def test_mutated_t7_files_are_refused(tmp_path):
    count = MUTATIONS // 4
    for said in said_by("mutate_t7", count, tmp_path):
        refused, slowest, memory = said.split()
        assert 0.5 * count < int(refused) < count
        assert int(memory) < 200, "MiB"
        print(f"{count} mutations, refused {refused}, slowest {slowest} s, {memory} MiB")


def said_by(function, count, tmp_path):
    """What two processes say that mutate so many files each at the same time."""
    code = f"import test_serial_mutations as it; it.{function}(sys.argv[1], {count}, sys.argv[2])"
    processes = [run(code, tmp_path_for(tmp_path, seed), seed) for seed in (1, 2)]
    for process in processes:
        with process:
            said = process.stdout.read()
        assert process.returncode == 0
        yield said


def tmp_path_for(tmp_path, seed):
    folder = tmp_path / str(seed)
    folder.mkdir()
    return folder
