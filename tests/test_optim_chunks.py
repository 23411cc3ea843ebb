"""Long arrays in pieces: which pieces, and what is computed with them."""

import math

import numpy as np
import pytest

from torchlite.optim import _chunks
from torchlite.optim._chunks import chunks, decayed, dotted


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(_chunks, "_BYTES", 8 * 8)


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
    rows = list(chunks(x, None, other, scratch=2))
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
    ((piece, match),) = chunks(x, other)
    assert piece is x
    assert match is other


def test_arrays_of_another_layout_come_in_one_piece():
    long = np.ones((4, 8))
    for arrays in ((long.T, long.T), (long, None, long.reshape(8, 4).T)):
        ((x, *others, scratch),) = chunks(*arrays, scratch=1)
        assert x is arrays[0]
        assert all(other is array for other, array in zip(others, arrays[1:], strict=True))
        assert scratch.shape == x.shape


def test_scratch_arrays_are_plain():
    class Other(np.ndarray):
        pass

    for size in (3, 30):
        x = np.ones(size, np.float32).view(Other)
        for _, scratch in chunks(x, scratch=1):
            assert type(scratch) is np.ndarray


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
