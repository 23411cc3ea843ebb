"""Parameters in files of safetensors."""

import random as chance
import sys

import numpy as np
import pytest
from saving import (
    DTYPES,
    LAYOUTS,
    ROWS,
    arrays_of,
    mlp,
    rearrange,
    same,
    without_gradients_of_any_layout,
)

from torchlite import nn, random, serial
from torchlite.errors import DTypeError, FormatError
from torchlite.serial import parameters


class TestSafetensors:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("safetensors")

    @pytest.mark.parametrize("case", [row for row in ROWS if arrays_of(row.values[0].make())])
    def test_every_layout(self, case, path):
        for dtype in DTYPES:
            for layout in LAYOUTS.values():
                random.manualSeed(1)
                made = case.make().type(dtype)
                rearrange(made, layout)
                serial.save_parameters(path, made)
                random.manualSeed(2)
                other = case.make().type(dtype)
                assert serial.load_parameters(path, other) is other
                assert same(without_gradients_of_any_layout(made), other, ignoring={"id"})

    def test_names(self, path):
        from safetensors.numpy import load_file

        net = nn.Sequential(nn.Linear(1, 2), nn.BatchNormalization(2))
        serial.save_parameters(path, net)
        assert set(load_file(path)) == {
            "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
        }  # fmt: skip

    def test_every_dtype(self, path):
        def holding(values):
            net = nn.Identity()
            bits = [f"{kind}{n}" for kind in ("int", "uint") for n in (8, 16, 32, 64)]
            kinds = ["bool", *bits, "float16", "float32", "float64"]
            net.held = {kind: np.array(values, kind) for kind in kinds}
            return net

        serial.save_parameters(path, holding([0, 1]))
        net = serial.load_parameters(path, holding([1, 0]))
        assert same(net, holding([0, 1]))

    def test_the_longest_header(self, path, monkeypatch):
        serial.save_parameters(path, mlp())
        raw = path.read_bytes()
        length = int.from_bytes(raw[:8], "little")
        monkeypatch.setattr(parameters, "_LONGEST_HEADER", length)
        serial.load_parameters(path, mlp())
        monkeypatch.setattr(parameters, "_LONGEST_HEADER", length - 1)
        for content in (raw, raw[:7]):
            path.write_bytes(content)
            with pytest.raises(FormatError) as error:
                serial.load_parameters(path, mlp())
            assert str(error.value) == (
                f"{path}: it has no header, or one of more than {length - 1} bytes"
            )

    def test_what_does_not_fit_changes_nothing(self, path):
        serial.save_parameters(path, mlp())

        def refused(net, message):
            before = net.clone()
            with pytest.raises(FormatError) as error:
                serial.load_parameters(path, net)
            assert str(error.value) == f"{path}: {message}"
            assert same(before, net)

        refused(mlp().add(nn.Mul()), "3.weight: there is no such array in the file")
        refused(mlp().remove(), "2.bias: there is no such array in the network")
        refused(
            mlp().float(), "0.weight: float64 (4, 3) in the file, float32 (4, 3) in the network"
        )
        refused(
            nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(4, 2)),
            "0.weight: float64 (4, 3) in the file, float64 (3, 4) in the network",
        )

    def test_an_array_that_is_read_only_is_refused(self, path):
        serial.save_parameters(path, mlp())
        net = mlp()
        net[2].bias.flags.writeable = False
        before = net.clone()
        with pytest.raises(FormatError) as error:
            serial.load_parameters(path, net)
        assert str(error.value) == f"{path}: 2.bias: the network's array is read-only"
        assert same(before, net)

    def test_complex_numbers_are_refused(self, path):
        with pytest.raises(DTypeError, match=r"save_parameters: 0.weight: complex64 is not in the"):
            serial.save_parameters(path, mlp().type("complex64"))
        assert not path.exists()

    def test_damaged_files(self, path):
        net = mlp()
        serial.save_parameters(path, net)
        raw = path.read_bytes()
        draws = chance.Random(1)
        before = net.clone()
        for _ in range(200):
            at = draws.randrange(len(raw))
            header = 8 + int.from_bytes(raw[:8], "little")
            damaged = draws.choice(
                [raw[:at], raw + b"\0", b"\xff" * 8 + raw[8:], raw[: header // 2] + raw[header:]]
            )
            path.write_bytes(damaged)
            with pytest.raises(FormatError):
                serial.load_parameters(path, net)
        assert same(before, net)


def test_safetensors_not_installed(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for call in (serial.save_parameters, serial.load_parameters):
        with pytest.raises(ImportError, match=r"pip install 'safetensors!=0\.8\.0'$"):
            call(path, mlp())
