"""Networks as ONNX files: run by onnxruntime and by ONNX's own reference, with the same numbers."""

import os

import cases
import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import ShapeError, StateError
from torchlite.interop.onnx import export
from torchlite.interop.onnx.rules import entry_of
from torchlite.nn.nested import leaves, map_arrays

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
onnxruntime = pytest.importorskip("onnxruntime")

ROWS = [
    pytest.param(case, id=f"{chapter}-{case.id}")
    for chapter, case in cases.rows()
    if isinstance(case.make(), nn.Module)
]
# ONNX's reference takes the samples for the planes.
WRONG_REFERENCE = {nn.SpatialCrossMapLRN}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Return where an ONNX file is to be, which is not waited for to reach the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return str(tmp_path / "net.onnx")


def run(file, input):
    """Return what onnxruntime computes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    return session.run(None, dict(zip(names, leaves(input), strict=True)))


def run_reference(file, input):
    """Return what ONNX's reference computes, which has float64 of every operator."""
    session = reference.ReferenceEvaluator(file)
    with np.errstate(all="ignore"):
        return session.run(None, dict(zip(session.input_names, leaves(input), strict=True)))


def compare(got, wanted, tolerance):
    for ours, theirs in zip(leaves(wanted), got, strict=True):
        assert (theirs.shape, theirs.dtype) == (ours.shape, ours.dtype)
        if ours.dtype.kind == "f":
            assert np.abs(theirs - ours).max(initial=0) <= tolerance * np.abs(ours).max(initial=0)
        else:
            assert np.array_equal(theirs, ours)


def cast(table, dtype):
    return map_arrays(lambda a: a.astype(dtype) if a.dtype.kind == "f" else a, table)


def batches(input):
    """Yield the dimension that may be the batch's, and None."""
    if len({a.shape[:1] for a in leaves(input)}) == 1 and leaves(input)[0].ndim:
        yield 0
    yield None


def exported(case, file, dtype="float32", **options):
    """Export a row, with a free batch if it has one; return the network, its input, the batch."""
    net, input = case.make(), case.draw(np.random.default_rng(0))
    for batch in batches(input):
        try:
            export(net, file, input, dtype=dtype, batch=batch, **options)
        except (ShapeError, StateError):
            if batch is None:
                raise
        else:
            return net.evaluate().type(dtype), cast(input, dtype), batch
    return None


def kinds_in(net):
    return {type(module) for module in net.listModules()}


@pytest.mark.parametrize("case", ROWS)
def test_every_row_has_the_same_numbers_or_is_refused(case, file):
    """Rows have batches of other sizes than those that the export tries."""
    unknown = {kind: entry_of(kind) for kind in kinds_in(case.make()) if entry_of(kind).but}
    try:
        net, input, _ = exported(case, file)
    except StateError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert unknown
        # What is inside of one that is refused is not asked.
        assert any(
            f"{kind.__name__}: {entry.but if entry.refused else ''}" in said
            for kind, entry in unknown.items()
        )
        assert not os.path.exists(file)
        return
    assert not any(entry.refused for entry in unknown.values())
    onnx.checker.check_model(file, full_check=True)
    compare(run(file, input), net.forward(input), 1e-5)
    if not kinds_in(net) & WRONG_REFERENCE:
        net, input, _ = exported(case, file, "float64")
        compare(run_reference(file, input), net.forward(input), 1e-6)
