"""Files like those that people share: shown, loaded, run, trained on, converted, loaded again."""

import importlib.util
import re
from pathlib import Path

import golden
import numpy as np
import pytest
from saving import same
from test_t7_modules import CASES, OneHot, case_of

from torchlite import nn, serial
from torchlite.__main__ import main
from torchlite.nn.nested import map_arrays
from torchlite.serial import classes, t7
from torchlite.serial.t7 import modules

PAGE = (Path(__file__).parents[1] / "docs" / "torch7_models.md").read_text("utf-8")
TABLE = PAGE.partition("## Files like those that people share")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip().strip("`") for cell in line.strip("|").split("|")]
    for line in re.findall(r"^\| `.*$", TABLE, re.MULTILINE)
]


@pytest.fixture(autouse=True)
def unregistered(monkeypatch):
    monkeypatch.setattr(modules, "_registered", {})
    monkeypatch.setattr(classes, "_registered", {})


def test_the_table_has_every_file():
    assert [row[0] for row in ROWS] == [
        "resnet.t7", "resnet_cudnn.t7", "char_rnn.t7", "char_rnn_embed.t7", "lenet_training.t7"
    ]  # fmt: skip


@pytest.mark.parametrize(("file", "what", "at", "register"), ROWS, ids=lambda cell: cell[:16])
def test_from_an_old_file_to_a_new_one(file, what, at, register, tmp_path, capsys):
    path = golden.DATA / "t7" / file
    names = [name for name, case in CASES.items() if case["files"].get("bin") == f"t7/{file}"]
    case = case_of(names[0])

    assert main(["show", str(path)]) == 0
    said = capsys.readouterr().out
    assert ("does not know" in said) == bool(register)
    assert case["class"].removeprefix("nn.") in said
    if register:
        assert register in said
        t7.register(register, OneHot)
        serial.register(f"char_rnn.{register}", OneHot)

    net = t7.load(path)
    for key in filter(None, at.split(".")):
        net = net[key]
    golden.check_model(case, net)

    input = golden._fed(case, "input")
    net.zeroGradParameters()
    output = net.forward(input)
    before = net.getParameters()[0].copy()
    net.backward(input, map_arrays(np.ones_like, output))
    net.updateParameters(0.01)
    assert not same(before, net.getParameters()[0])

    new = tmp_path / "net.npz"
    assert main(["convert", str(path), str(new), *(["--select", at] if at else [])]) == 0
    converted = serial.load(new)
    assert type(converted) is getattr(nn, case["class"].removeprefix("nn."))
    golden.check_model(case, converted)
    assert main(["convert", str(new), str(tmp_path / "again.t7")]) == 0
    golden.check_model(case, t7.load(tmp_path / "again.t7"))
    if importlib.util.find_spec("safetensors"):
        assert main(["convert", str(new), str(tmp_path / "net.safetensors")]) == 0
