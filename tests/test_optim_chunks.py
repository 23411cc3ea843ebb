"""Long arrays in pieces: which pieces, and what is computed with them."""

import math
import threading
from itertools import combinations

import numpy as np
import pytest

import torchlite
from torchlite import optim
from torchlite.kernels import blas
from torchlite.kernels.threads import share_out
from torchlite.optim import _chunks
from torchlite.optim._chunks import decayed, dotted, in_pieces


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(_chunks, "_BYTES", 8 * 8)


def rows_of(*arrays, **options):
    """What in_pieces calls work with."""
    rows = []
    in_pieces(lambda *row: rows.append(row), *arrays, **options)
    return rows


@pytest.mark.parametrize(
    ("dtype", "size", "pieces"),
    [
        ("float64", 7, [7]),
        ("float64", 8, [8]),
        ("float64", 9, [8, 1]),
        ("float64", 16, [8, 8]),
        ("float32", 16, [16]),
        ("float32", 17, [16, 1]),
    ],
)
def test_pieces_are_as_long_as_the_cache_allows(dtype, size, pieces):
    x, other = np.arange(size, dtype=dtype), np.arange(size, dtype=dtype) + size
    rows = rows_of(x, None, other, scratch=2)
    assert [len(piece) for piece, *_ in rows] == pieces
    assert np.array_equal(np.concatenate([row[0] for row in rows]), x)
    assert np.array_equal(np.concatenate([row[2] for row in rows]), other)
    for piece, nothing, match, *scratch in rows:
        assert nothing is None
        assert np.shares_memory(piece, x)
        assert np.shares_memory(match, other)
        assert len(scratch) == 2
        assert not np.shares_memory(*scratch)
        for buffer in scratch:
            assert (buffer.shape, buffer.dtype) == (piece.shape, x.dtype)
            assert not np.shares_memory(buffer, x)
    # The buffers of all pieces are the same memory.
    assert all(np.shares_memory(row[3], rows[0][3]) for row in rows)


@pytest.mark.parametrize("size", [3, 8])
def test_what_is_short_stays_as_it_is(size):
    x, other = np.ones(size), np.ones(size)
    ((piece, match),) = rows_of(x, other)
    assert piece is x
    assert match is other


def test_arrays_of_another_layout_come_in_one_piece():
    long = np.ones((4, 8))
    for arrays in ((long.T, long.T), (long, None, long.reshape(8, 4).T)):
        ((x, *others, scratch),) = rows_of(*arrays, scratch=1)
        assert x is arrays[0]
        assert all(other is array for other, array in zip(others, arrays[1:], strict=True))
        assert scratch.shape == x.shape


def test_scratch_arrays_are_plain():
    class Other(np.ndarray):
        pass

    for size in (3, 30):
        x = np.ones(size, np.float32).view(Other)
        for _, scratch in rows_of(x, scratch=1):
            assert type(scratch) is np.ndarray


@pytest.fixture
def three():
    before = torchlite.threads()
    torchlite.threads(3)
    yield
    torchlite.threads(before)


@pytest.mark.usefixtures("three")
def test_threads_share_pieces_out_if_they_are_worth_it():
    """Each has scratch arrays of its own."""
    x, meeting, found = np.arange(24.0), threading.Barrier(3, timeout=60), {}

    def work(piece, scratch):
        if threading.get_ident() not in found:
            meeting.wait()
            found[threading.get_ident()] = piece, scratch

    in_pieces(work, x, scratch=1, takes_long=True)
    pieces, buffers = zip(*found.values(), strict=True)
    assert sorted(piece[0] for piece in pieces) == [0, 8, 16]
    assert not any(np.shares_memory(a, b) for a, b in combinations(buffers, 2))
    found.clear()
    in_pieces(work, np.arange(8.0 * _chunks._MANY), scratch=1)
    assert len(found) == 3
    seen = set()
    in_pieces(lambda *_: seen.add(threading.get_ident()), x, scratch=1)
    assert seen == {threading.get_ident()}


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("method", "config"),
    [
        (optim.adadelta, {}),
        (optim.adagrad, {}),
        (optim.adam, {}),
        (optim.adamax, {}),
        (optim.asgd, {}),
        (optim.nag, {"momentum": 0.9}),
        (optim.rmsprop, {}),
        (optim.rprop, {}),
        (optim.sgd, {"momentum": 0.9}),
    ],
)
def test_steps_are_the_same_for_any_number_of_threads(monkeypatch, method, config):
    monkeypatch.setattr(_chunks, "_BYTES", 1 << 12)
    light = method in (optim.asgd, optim.nag, optim.sgd)
    monkeypatch.setattr(_chunks, "_MANY", 2 if light else 1 << 40)
    monkeypatch.setattr(blas, "_LONG", 100)
    gradients = np.random.default_rng(0).normal(size=(3, 5000)).astype("float32")
    shared = []
    monkeypatch.setattr(
        _chunks, "share_out", lambda *args, **options: shared.append(share_out(*args, **options))
    )

    def trained(n):
        torchlite.threads(n)
        x, state = gradients.sum(0), {}
        for gradient in gradients:
            method(lambda _, gradient=gradient: (0.0, gradient), x, config, state)
        return x

    assert np.array_equal(trained(3), trained(1))
    assert len(shared) == 6


def test_decayed():
    gradient, x, scratch = np.array([1.0, 2.0]), np.array([3.0, math.inf]), np.zeros(2)
    for nothing in (0, 0.0):
        assert decayed(gradient, x, nothing, scratch) is gradient
    x[1] = 5
    for decay, expected in ((1, [4, 7]), (0.5, [2.5, 4.5]), (np.array([0.0, 2.0]), [1, 12])):
        assert decayed(gradient, x, decay, scratch) is scratch
        assert scratch.tolist() == expected
    assert gradient.tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [2, 100_000])
def test_dot_products_may_be_no_numbers(size, dtype):
    a, b = np.ones(size, dtype), np.zeros(size, dtype)
    zero = dotted(a, b)
    assert (type(zero), math.copysign(1, dotted(-a, b))) == (float, 1)
    a[0] = math.inf
    assert math.isnan(dotted(a, b))
    a[-1], b[:] = -math.inf, 1
    assert math.isnan(dotted(a, b))
    a[-1] = math.inf
    assert dotted(a, b) == math.inf
    a[:] = np.finfo(dtype).max
    assert dotted(a, a) == math.inf
