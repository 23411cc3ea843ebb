"""Files that were made to cost much cost little."""

import json
import os
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from saving import calls_to_load, described, members_of, packed, peak, rezipped, run

from torchlite import nn, serial
from torchlite.errors import FormatError
from torchlite.serial import archive
from torchlite.serial.values import path_to


def hostile(name):
    """Return the bytes of a file that would cost much, if it could."""
    path = Path(f"{name}.npz")
    serial.save(path, nn.Sequential(nn.Linear(2, 2)))
    members = members_of(path.read_bytes())
    room = 2**21 - 200
    if name == "bomb":
        members[1][1] = bytes(10**8)
        return rezipped(members, compression=zipfile.ZIP_DEFLATED)
    if name == "members":
        return packed([*members, *([f"{i}.npy", b""] for i in range(65_000))])
    if name == "more members":
        return packed([*members, *([f"{i}.npy", b""] for i in range(70_000))])
    if name == "overlapping":
        # Many members, all of them the same bytes.
        inside = bytes(2 * 10**6)
        crc = zlib.crc32(inside)
        body = archive._local(b"10000.npy", crc, len(inside)) + inside
        names = (f"{i}.npy".encode() for i in range(10_000, 70_000))
        entries = b"".join(archive._entry(name, crc, len(inside), 0) for name in names)
        return body + entries + archive._end(60_000, len(entries), len(body))
    if name == "alike":
        return holding({"dict": [[i * (2**61 - 1), 0] for i in range(1, 70_000)]})
    if name == "around":
        # Each of 16 holds the one before twice: 2**16 modules, and much stands around them.
        parts = [{"class": "Sequential", "state": {"modules": [{"part": 1}]}}]
        parts += [twice_the_next("Sequential", "modules", i) for i in range(1, 15)]
        parts += [{"class": "ReLU", "state": {}}]
        parts += [of_one_weight("WeightNorm", [1]) for _ in range(10_000)]
        parts[0]["state"]["held"] = [{"part": 16 + i} for i in range(10_000)]
        return described(parts, ("w", np.ones((1, 1))))
    if name == "shape":
        text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }\n"
        members[1][1] = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text
    elif name == "deep":
        members[0][1] = b"[" * room
    elif name == "lists":
        members[0][1] = b'{"format":[' + b",".join([b"[]"] * (room // 3)) + b"]}"
    elif name == "dicts":
        members[0][1] = b'{"format":[' + b",".join([b'{"":0}'] * (room // 7)) + b"]}"
    elif name == "quotes":
        members[0][1] = b'"' * room
    elif name == "long":
        members[0][1] = b" " * 20_000_000
    elif name == "laughs":
        said = json.loads(members[0][1])
        twice = {"modules": [{"part": 0}, {"part": 0}]}
        said["parts"] = [{"class": "Sequential", "state": {"modules": []}}]
        for i in range(1, 80):
            twice = {"modules": [{"part": i - 1}, {"part": i - 1}]}
            said["parts"].append({"class": "Sequential", "state": twice})
        said["content"] = {"part": 79}
        members = [["torchlite.json", json.dumps(said).encode()]]
    elif name == "itself":
        said = json.loads(members[0][1])
        said["parts"] = [{"class": "Sequential", "state": {"modules": [{"part": 0}]}}]
        members = [["torchlite.json", json.dumps(said).encode()]]
    elif name == "parts":
        said = json.loads(members[0][1])
        modules = [{"part": i} for i in range(1, 40_000)]
        said["parts"] = [{"class": "Sequential", "state": {"modules": modules}}]
        said["parts"] += [{"class": "ReLU", "state": {"x": 1}}] * 39_998 + [0]
        members = [["torchlite.json", json.dumps(said, separators=(",", ":")).encode()]]
    return packed(members)


def attack(folder):
    """Load the hostile files; print how much memory the worst took, and how many calls each."""
    os.chdir(folder)
    for path in sorted(Path().glob("*.hostile")):
        calls, error = calls_to_load(path)
        each = calls / path.stat().st_size
        print(f"{peak()} MiB, {each:.2f} calls a byte: {(error or '')[:120]!r}")
        if error is None:
            print(f"{path} was loaded")


HOSTILE = [
    "alike", "around", "bomb", "deep", "dicts", "itself", "laughs", "lists", "long", "members",
    "more members", "overlapping", "parts", "quotes", "shape",
]  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc")
def test_hostile_files_cost_little(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in HOSTILE:
        Path(f"{name}.hostile").write_bytes(hostile(name))
    with run("import test_serial_hostile as it; it.attack(sys.argv[1])", tmp_path) as process:
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert len(lines) == len(HOSTILE)
    for line in lines:
        print(line)
        assert " was loaded" not in line
        assert int(line.split()[0]) < 200, "MiB"
        assert float(line.split()[2]) < 8, "calls a byte"


def twice_the_next(name, key, i):
    return {"class": name, "state": {key: [{"part": i + 1}] * 2}}


def holding(value):
    return described([{"class": "ReLU", "state": {"held": value}}])


def of_one_weight(name, modules):
    arrays = {key: {"array": "w"} for key in ("v", "g", "gradV", "gradG")}
    state = {"modules": [{"part": i} for i in modules], "outputDim": 0, **arrays}
    return {"class": name, "state": state}


def weight_norms(n, around):
    """Return a file of so many WeightNorms, each around one tree of so many modules."""
    first = 1 + around
    parts = [{"class": "Sequential", "state": {"modules": [{"part": i} for i in range(1, 2)]}}]
    parts[0]["state"]["held"] = [{"part": first + i} for i in range(n)]
    tree = [{"part": i} for i in range(2, first)]
    parts.append({"class": "Sequential", "state": {"modules": tree}})
    parts += [{"class": "ReLU", "state": {}} for _ in tree]
    parts += [of_one_weight("WeightNorm", [1]) for _ in range(n)]
    return described(parts, ("w", np.ones((1, 1))))


GROWING = {
    "a long list": lambda n: holding([0] * n),
    "a long key and a long list": lambda n: holding({"dict": [["k" * n, [0] * n]]}),
    "a long name and a long list": lambda n: described(
        [{"class": "ReLU", "state": {"k" * n: [0] * n}}]
    ),
    "many keys": lambda n: holding({"dict": [[f"k{i}", 0] for i in range(n)]}),
    "many parts": lambda n: described(
        [{"class": "Sequential", "state": {"modules": [{"part": 1 + i} for i in range(n)]}}]
        + [{"class": "ReLU", "state": {}}] * n
    ),
    "parts in parts": lambda n: described(
        [{"class": "ReLU", "state": {"held": {"part": 1 + i}}} for i in range(n)]
        + [{"class": "ReLU", "state": {}}]
    ),
    "many arrays": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"array": f"a{i}"} for i in range(n)]}}],
        *((f"a{i}", np.ones(1)) for i in range(n)),
    ),
    "one array": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"array": "a"}] * n}}], ("a", np.ones(1))
    ),
    "gradients": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"array": "a"}] + [{"gradient": "a"}] * n}}],
        ("a", np.ones(1)),
    ),
    "scalars": lambda n: described(
        [{"class": "ReLU", "state": {"held": [{"scalar": "a"}] * n}}], ("a", np.ones(()))
    ),
    "WeightNorms": lambda n: weight_norms(n, 10),
    "criterions": lambda n: described(
        [
            {"class": "MultiCriterion", "state": {"criterions": [{"part": 1}] * n}},
            {"class": "AbsCriterion", "state": {}},
        ]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GROWING)
def test_the_cost_of_reading_grows_as_the_file(name, path):
    costs = []
    for n in (100, 200, 400, 800):
        path.write_bytes(GROWING[name](n))
        calls, error = calls_to_load(path)
        assert error is None
        costs.append(calls)
    growth = [costs[i + 1] - costs[i] for i in range(3)]
    assert growth[1] <= 2.1 * growth[0]
    assert growth[2] <= 2.1 * growth[1]


def test_paths_are_short():
    """They are made for every entry: a long key would be copied as often as its list is long."""
    where = path_to(path_to(path_to("", "modules"), 0), "k" * 10**6)
    assert len(where) == 700
    assert where.startswith("[0].kkkk")
    assert len(path_to(where, 123)) == 700
    assert path_to(where, 123).endswith("k[123]")
    assert len(path_to("", "k\n" * 10**6)) == 700


def test_criterions_in_criterions_are_counted(path):
    twice = [twice_the_next("MultiCriterion", "criterions", i) for i in range(80)]
    path.write_bytes(described([*twice, {"class": "AbsCriterion", "state": {}}]))
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == (
        f"{path}: MultiCriterion: there are more than 65536 criterions in it"
    )
    itself = {"class": "MultiCriterion", "state": {"criterions": [{"part": 0}]}}
    path.write_bytes(described([itself]))
    with pytest.raises(FormatError, match="criterions are nested more than 100 deep"):
        serial.load(path)


def test_modules_around_the_same_modules_are_counted(path):
    path.write_bytes(weight_norms(300, 100))
    assert len(serial.load(path).held) == 300
    path.write_bytes(weight_norms(300, 300))
    calls, error = calls_to_load(path)
    assert error == (f"{path}: WeightNorm: several stand around the same more than 65536 modules")
    assert calls < 8 * path.stat().st_size


def test_keys_that_only_a_slow_dict_can_hold_are_refused(path):
    alike = [[i * (2**61 - 1), i] for i in range(1, 5000)]
    path.write_bytes(holding({"dict": alike}))
    with pytest.raises(FormatError, match=r"held: \{'dict': .* describes no value"):
        serial.load(path)
    path.write_bytes(holding({"dict": [*alike[:5], [-1, 0], [-2, 1]]}))
    assert len(serial.load(path).held) == 7
    for twice in ([[1, 0], [1, 1]], [[1, 0], [1.0, 1]], [["a", 0], ["a", 1]], [[True, 0], [1, 1]]):
        path.write_bytes(holding({"dict": twice}))
        with pytest.raises(FormatError, match="describes no value"):
            serial.load(path)
