"""Layers that PyTorch has too give its numbers."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "data" / "make_pytorch_layers.py"
SPEC = importlib.util.spec_from_file_location("make_pytorch_layers", SCRIPT)
made = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(made)

with np.load(made.FILE, allow_pickle=False) as archive:
    STORED = dict(archive)


@pytest.mark.parametrize("name", made.LAYERS)
def test_pytorch_agrees(name):
    _, make, shape = made.LAYERS[name]
    layer = make()

    def stored(what):
        keys = [f"{name}/{what}{i}" for i in range(9)]
        return [STORED[key] for key in keys if key in STORED]

    parameters, gradients = layer.parameters()
    for parameter, values in zip(parameters, stored("parameter"), strict=True):
        parameter[...] = values.reshape(parameter.shape)
    inputs = stored("input")
    input = inputs if isinstance(shape, list) else inputs[0]
    gradOutput = STORED[f"{name}/gradOutput"]
    layer.zeroGradParameters()
    output = layer.forward(input)
    gradInput = layer.backward(input, gradOutput)
    found = [output, *(gradInput if isinstance(gradInput, list) else [gradInput]), *gradients]
    expected = [STORED[f"{name}/output"], *stored("gradInput"), *stored("gradient")]
    for got, wanted in zip(found, expected, strict=True):
        size = np.abs(wanted).max()
        assert got.size == wanted.size
        assert np.abs(got.reshape(wanted.shape) - wanted).max() <= 1e-12 * (1 + size)
