"""Accumulating products, by SciPy and by NumPy; arrays that tile a piece of memory."""

import itertools
import platform
import subprocess
import sys
import threading
import time
from contextvars import Context, copy_context

import numpy as np
import pytest

import torchlite
from torchlite import nn
from torchlite.kernels import blas, buffers, flat, functions, views
from torchlite.kernels.masks import blank_rows, zeroed
from torchlite.kernels.openblas import openblas


def has_scipy():
    try:
        import scipy  # noqa: F401
    except ImportError:
        return False
    return True


BACKENDS = ["numpy", *(["scipy"] if has_scipy() else [])]
DTYPES = ["float32", "float64", "complex64", "complex128"]


def swapped(dtype):
    """Return the name of the dtype in the byte order that is not this machine's."""
    return np.dtype(dtype).newbyteorder().str


def drawn(rng, shape, dtype):
    numbers = (2 * rng.integers(-32, 32, shape) + 1) / 16
    if dtype.startswith("complex"):
        numbers = numbers + 1j * (2 * rng.integers(-32, 32, shape) + 1) / 16
    return numbers.astype(dtype)


LAYOUTS = {
    "C": lambda a: a,
    "Fortran": np.asfortranarray,
    "sliced": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("alpha", [1, -0.5, 0, 2.0])
def test_every_way_gives_the_same(backend, dtype, layout, alpha):
    rng = np.random.default_rng(0)
    change = LAYOUTS[layout]
    a, b = drawn(rng, (4, 3), dtype), drawn(rng, (4, 5), dtype)
    for target_of in (
        np.ascontiguousarray,
        np.asfortranarray,
        lambda t: np.repeat(t, 2, 1)[:, ::2],
    ):
        product = target_of(drawn(rng, (3, 5), dtype))
        rows = drawn(rng, (5,), dtype)
        moved = target_of(drawn(rng, (4, 5), dtype))
        wanted = (
            product + alpha * (a.T @ b),
            rows + alpha * b.sum(0),
            moved + alpha * b,
        )
        with blas.using(backend):
            blas.addmm(product, alpha, change(a).T, change(b))
            blas.addrows(rows, alpha, change(b))
            blas.axpy(moved, alpha, change(b))
        for got, expected in zip((product, rows, moved), wanted, strict=True):
            assert got.dtype == dtype
            assert np.array_equal(got, expected.astype(dtype))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [4, blas._SHARED, blas._CACHED])
@pytest.mark.parametrize("alpha", [1, -0.5])
def test_arrays_of_the_other_byte_order(backend, dtype, rows, alpha):
    rng = np.random.default_rng(0)
    target, a = (drawn(rng, (rows, 2), dtype) for _ in range(2))
    places = rng.permutation(rows)
    small, coefficients = drawn(rng, (3, 2), dtype), drawn(rng, (rows, 3), dtype)
    for target_dtype, a_dtype in itertools.product((dtype, swapped(dtype)), repeat=2):
        if target_dtype == a_dtype == dtype:
            continue
        change, given = (lambda x, to=target_dtype: x.astype(to)), a.astype(a_dtype)
        moved, placed, product, summed = map(change, (target, target, small, target[0]))
        with blas.using(backend):
            blas.axpy(moved, alpha, given)
            blas.addat(placed, alpha, places, given)
            blas.addmm(product, alpha, coefficients.T, given)
            blas.addrows(summed, alpha, given)
        assert np.array_equal(moved, target + alpha * a)
        expected = target.copy()
        expected[places] += alpha * a
        assert np.array_equal(placed, expected)
        close = {"rtol": 1e-5, "atol": 1e-5 * rows}
        np.testing.assert_allclose(product, small + alpha * (coefficients.T @ a), **close)
        np.testing.assert_allclose(summed, target[0] + alpha * a.sum(0), **close)
        assert {x.dtype for x in (moved, placed, product, summed)} == {np.dtype(target_dtype)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_zero_times_nan_is_nan(backend):
    nan = np.full((2, 2), np.nan)
    with blas.using(backend):
        for target, call in [
            (np.ones((2, 2)), lambda t: blas.addmm(t, 0, nan, np.ones((2, 2)))),
            (np.ones(2), lambda t: blas.addrows(t, 0, nan)),
            (np.ones((2, 2)), lambda t: blas.axpy(t, 0, nan)),
        ]:
            call(target)
            assert np.isnan(target).all()


def test_zero_times_nan_is_nan_where_one_operand_is_one_number():
    zero, nan = np.zeros((1, 1)), np.full((3, 1), np.nan)
    assert np.isnan(blas.product(nan, zero)).all()
    assert np.isnan(blas.product(zero, nan.T)).all()
    assert np.isnan(blas.product(nan[0], zero)).all()
    blas.addmm(total := np.zeros((1, 3)), 1, zero, nan.T)
    assert np.isnan(total).all()
    blas.addrows(total := np.zeros(1), 1, nan[:1])
    assert np.isnan(total).all()
    blas.addmm(total := np.zeros((1, 1)), 1, nan[:1], zero)
    assert np.isnan(total).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_the_smallest_matrices(dtype):
    for m, k, n in itertools.product(range(3), range(4), range(3)):
        a, b = np.ones((m, k), dtype), np.full((k, n), 2, dtype)
        for left in (a, *a):
            found = blas.product(left, b)
            assert found.dtype == dtype
            assert found.shape == (*left.shape[:-1], n)
            assert np.array_equal(found, left @ b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [2, np.nan, np.inf, 0.0, -0.0])
def test_a_product_with_one_number_is_that_of_matrices(dtype, number):
    a = np.array([[1.0], [np.nan], [np.inf], [-np.inf], [-0.0]], dtype)
    b = np.array([[number]], dtype)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(blas.product(a, b), a @ b)
        np.testing.assert_array_equal(blas.product(b, a.T), b @ a.T)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shapes", [((0, 3), (0, 2)), ((4, 0), (4, 2)), ((4, 3), (4, 0))])
def test_empty_arrays(backend, shapes):
    a, b = map(np.ones, shapes)
    product, rows = np.ones((a.shape[1], b.shape[1])), np.ones(b.shape[1])
    with blas.using(backend):
        blas.addmm(product, 2, a.T, b)
        blas.addrows(rows, 2, b)
        blas.axpy(moved := b.copy(), 2, b)
    assert np.array_equal(product, 1 + 2 * (a.T @ b))
    assert np.array_equal(rows, 1 + 2 * b.sum(0))
    assert np.array_equal(moved, 3 * b)


@pytest.mark.parametrize("backend", BACKENDS)
def test_real_operands_of_a_complex_target(backend):
    total = np.zeros((2, 2), complex)
    with blas.using(backend):
        blas.addmm(total, 1j, np.ones((2, 3)), np.ones((3, 2)))
        blas.addmm(total, 1, np.ones((2, 3)), 1j * np.ones((3, 2)))
        blas.axpy(total, 1, np.ones((2, 2)))
    assert np.array_equal(total, np.full((2, 2), 1 + 6j))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_read_only_target_is_refused(backend):
    target = np.zeros((2, 2))
    target.flags.writeable = False
    with blas.using(backend):
        for call in (
            lambda: blas.addmm(target, 1, np.eye(2), np.eye(2)),
            lambda: blas.addrows(target[0], 1, np.eye(2)),
            lambda: blas.axpy(target, 1, np.eye(2)),
        ):
            with pytest.raises(ValueError, match="read-only"):
                call()
    assert not target.any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_masked_operands_keep_their_mask(backend):
    target = np.ma.zeros((2, 2))
    with blas.using(backend):
        blas.axpy(target, 1, np.ma.array(np.eye(2), mask=[[1, 0], [0, 0]]))
    assert target[1, 1] == 1
    assert target.mask[0, 0]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [*DTYPES, "int64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("columns", [0, 1, 3, 64])
def test_rows_are_added_at_places_in_their_order(backend, dtype, layout, columns):
    rng = np.random.default_rng(columns)
    for (m, k), alpha in itertools.product([(3, 200), (50, 50), (1, 1), (4, 0)], (1, -3, 0)):
        places = rng.integers(m, size=k)
        start, rows = (9 * rng.standard_normal((2, n, columns)) for n in (m, k))
        start, rows = ((a[0] + 1j * a[1] if dtype[0] == "c" else a[0]) for a in (start, rows))
        start, rows = start.astype(dtype), rows.astype(dtype)
        if dtype != "int64":
            rows[: k // 9] = np.inf
        for target_of in (np.array, np.asfortranarray, lambda t: np.repeat(t, 2, 1)[:, ::2]):
            target, expected = target_of(start), start.copy()
            # 0 * inf is NaN, and so is inf - inf of a part.
            with blas.using(backend), np.errstate(invalid="ignore"):
                blas.addat(target, alpha, places, LAYOUTS[layout](rows))
                for place, row in zip(places, rows, strict=True):
                    expected[place] += row if alpha == 1 else alpha * row
            assert target.dtype == dtype
            found = [np.stack([a.real, a.imag]) for a in (target, expected)]
            np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_at_places_that_are_not_there_are_refused(backend):
    memory = np.zeros((5, 4))
    for place in (3, -4, 10**9):
        with blas.using(backend), pytest.raises(IndexError, match="out of bounds"):
            blas.addat(memory[1:4], 1, np.array([0, place]), np.ones((2, 4)))
    assert not memory[[0, 4]].any()


@pytest.mark.skipif(not has_scipy(), reason="SciPy is not installed")
def test_where_scipy_has_no_such_loop_any_more_numpy_adds(monkeypatch):
    places, rows = np.array([1, 1]), np.ones((2, 3), "float32")
    monkeypatch.setitem(sys.modules, "scipy.sparse._sparsetools", None)
    blas._row_adder.cache_clear()
    try:
        with blas.using("scipy"):
            assert blas._row_adder() is None
            blas.addat(total := np.zeros((2, 3), "float32"), 1, places, rows)
    finally:
        blas._row_adder.cache_clear()
    assert total.tolist() == [[0] * 3, [2] * 3]


@pytest.mark.skipif(not has_scipy(), reason="SciPy is not installed")
@pytest.mark.parametrize("dtype", DTYPES)
def test_scipy_adds_the_rows_of_a_lookup_table(dtype, monkeypatch):
    asked = []
    add = blas._row_adder()
    monkeypatch.setattr(blas, "_row_adder", lambda: lambda *call: asked.append(add(*call)))
    layer = nn.LookupTable(3, 2).type(dtype)
    with blas.using("scipy"):
        layer.backward(np.array([2, 0, 2]), np.ones((3, 2), dtype), scale=2)
    assert asked == [None]
    assert layer.gradWeight.tolist() == [[2, 2], [0, 0], [4, 4]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [2 * blas._SHARED + 3, blas._CACHED + 1])
def test_a_vector_longer_than_a_piece(backend, size):
    x = np.arange(float(size))
    target = np.ones_like(x)
    with blas.using(backend):
        blas.axpy(target, 2, x)
        blas.axpy(target.reshape(1, -1), 1, x.reshape(1, -1))
    assert np.array_equal(target, 1 + 3 * x)


def test_scipy_gets_what_its_threads_would_not_share(monkeypatch):
    lengths = []
    pair = lambda x, y, n, *_: lengths.append(n), None
    monkeypatch.setattr(blas, "_pairs", {np.dtype("d"): pair})
    for n in (0, 2 * blas._SHARED + 3, blas._LONG):
        blas.axpy(np.ones(n), 2, np.ones(n))
    assert lengths == [blas._SHARED, blas._SHARED, 3]


reaches_openblas = pytest.mark.skipif(
    openblas() is None, reason="NumPy has another BLAS, or one that cannot be reached"
)
FACTORS = [(-0.5, 0.75), (1, 0.5), (2, 1), (0, 0.5), (0.5, 0), (1e-60, 1), (0.5, 1e-60)]
PARTS = [np.s_[:], np.s_[::2], np.s_[:, 1:], np.s_[:, 0], np.s_[0], np.s_[1:5:2, ::2], np.s_[:0]]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("long", [0, 1 << 40])
@pytest.mark.parametrize("part", PARTS)
def test_a_weighted_sum(monkeypatch, backend, dtype, long, part):
    """Whoever makes it, wherever the arrays lie, and with NaN that nothing loses."""
    monkeypatch.setattr(blas, "_LONG", long)
    rng = np.random.default_rng(0)
    for alpha, beta in FACTORS:
        x, target = drawn(rng, (6, 5), dtype), drawn(rng, (6, 5), dtype)
        if x[part].size:
            x[part].flat[0] = target[part].flat[-1] = np.nan
        for a, b in [(x[part], target[part]), (x[part], target[part].copy())]:
            expected = alpha * a + beta * b
            # What is only to be read is read.
            a.flags.writeable = False
            with blas.using(backend):
                blas.axpy(b, alpha, a, beta)
                assert np.allclose(b, expected, 1e-6, 0, equal_nan=True)
                expected = b + alpha * a
                blas.axpy(b, alpha, a)
                assert np.allclose(b, expected, 1e-6, 0, equal_nan=True)
                expected = b + alpha * b
                blas.axpy(b, alpha, b)
            assert np.allclose(b, expected, 1e-6, 0, equal_nan=True)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float16", *DTYPES, "int64"])
@pytest.mark.parametrize(("alpha", "beta"), [(2, 1), (0, 1), (2, 3)])
def test_a_number_in_an_array(backend, dtype, alpha, beta):
    target = np.array(5, dtype)
    with blas.using(backend):
        blas.axpy(target, alpha, np.array(7, dtype), beta)
    assert target == 5 * beta + 7 * alpha


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [3, blas._LONG])
@pytest.mark.parametrize("more", [-1, 1])
def test_nothing_is_written_beyond_what_does_not_fit(backend, size, more):
    memory = np.zeros(size + 10)
    for shape in (-1, (1, -1)):
        target, x = memory[:size].reshape(shape), np.ones(size + more).reshape(shape)
        with blas.using(backend):
            with pytest.raises(ValueError, match="broadcast"):
                blas.axpy(target, 2, x)
            with pytest.raises(ValueError, match="broadcast"):
                blas.axpy(target, 2, x, 0.5)
    assert not memory.any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", [3, 400])
def test_an_update_by_a_gradient_that_does_not_fit(backend, n):
    memory = np.zeros(10 * n * n)
    layer = nn.Linear(n, n, bias=False)
    layer.weight = memory[: n * n].reshape(n, n)
    layer.gradWeight = np.ones((2 * n, 2 * n))
    with blas.using(backend), pytest.raises(ValueError, match="broadcast"):
        layer.updateParameters(0.1)
    assert not memory.any()


@reaches_openblas
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_openblas_adds_long_vectors(monkeypatch, backend, dtype):
    """Each where it stands, in pieces that its integers can count."""
    seen, known = [], openblas().axpby[np.dtype(dtype)]

    def counted(target, *call):
        seen.append(target.size)
        known(target, *call)

    monkeypatch.setitem(openblas().axpby, np.dtype(dtype), counted)
    n = blas._LONG
    monkeypatch.setattr("torchlite.kernels.openblas._MOST", n // 2)
    x = np.arange(n + 1, dtype=dtype) / 4
    target = np.ones_like(x)
    with blas.using(backend):
        blas.axpy(target[:-1], 0.5, x[1:])
        blas.axpy(target[:-1], 2, x[1:], 4)
        blas.axpy(target[:-1].reshape(-1, 1), 2, x[1:].reshape(-1, 1), 4)
        blas.axpy(target[:-2], 2, x[2:], 4)
        blas.axpy(target[:-1], np.array([2.0]), x[1:])
    assert seen == [n, n, n]
    expected = np.append((1 + 0.5 * x[1:]) * 16 + 10 * x[1:], 1)
    expected[:-2] = expected[:-2] * 4 + 2 * x[2:]
    expected[:-1] += 2 * x[1:]
    assert np.array_equal(target, expected)


@pytest.mark.parametrize("n", [3, blas._LONG])
def test_factors_that_no_blas_takes(n):
    """Too large ones. And NumPy would warn of reading as if one wrote."""
    for add in (blas.axpy, lambda *call: blas.axpy(*call, beta=0.5)):
        with pytest.raises(OverflowError):
            add(np.ones(n), 10**400, np.ones(n))
    x, target = np.broadcast_arrays(np.ones((1, n)), np.ones(n))[1], np.ones((1, n))
    blas.axpy(target, 2, x, 3)
    assert (target == 5).all()


@reaches_openblas
def test_openblas_lets_other_threads_run():
    x = np.ones(1 << 24)
    done, counted = threading.Event(), []

    def add():
        for _ in range(20):
            blas.axpy(x, 0.5, x, 0.5)
        done.set()

    adding = threading.Thread(target=add)
    before = sys.getswitchinterval()
    # Nobody is asked to let others run: who does so does it of their own accord.
    sys.setswitchinterval(1000)
    try:
        adding.start()
        while not done.is_set():
            counted.append(None)
            time.sleep(0)
        adding.join()
    finally:
        sys.setswitchinterval(before)
    assert len(counted) > 20


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_number_of_threads_adds_the_same_bits(backend, dtype):
    rng, before = np.random.default_rng(0), torchlite.threads()
    vectors = [rng.normal(size=int(n)).astype(dtype) for n in rng.integers(1, 1 << 19, 20)]
    made = []
    try:
        for n in (1, 2, 3):
            torchlite.threads(n)
            targets = [x[::-1].copy() for x in vectors]
            with blas.using(backend):
                for target, x in zip(targets, vectors, strict=True):
                    blas.axpy(target, 0.1, x, 0.9)
                    blas.axpy(target, 0.1, x)
            made.append([target.tobytes() for target in targets])
    finally:
        torchlite.threads(before)
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("backend", BACKENDS)
def test_many_rows(backend):
    a = np.ones(((1 << 16) + 1, 2))
    total = np.zeros(2)
    with blas.using(backend):
        blas.addrows(total, 1, a)
        blas.addrows(total, 1, a[:3])
        blas.addrows(total, 1, a[:5])
    assert total.tolist() == [len(a) + 8] * 2


def test_who_is_active():
    with blas.using("numpy"):
        assert blas.active() == "numpy"
    if has_scipy():
        assert blas.active() == "scipy"
        with blas.using("scipy"):
            assert blas.active() == "scipy"
    message = "backend must be 'scipy' or 'numpy', got 'cuda'"
    with pytest.raises(ValueError, match=message), blas.using("cuda"):
        pass


def test_without_scipy():
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "import numpy as np\n"
        "from torchlite.kernels import blas\n"
        "t = np.zeros(2); blas.axpy(t, 2, np.ones(2)); print(t.tolist(), blas.active())\n"
        "try:\n"
        "    with blas.using('scipy'): pass\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[2.0, 2.0] numpy\nSciPy is not installed: pip install scipy\n"


# ---------------------------------------------------------------- functions


@pytest.mark.parametrize("dtype", ["float32", "float64", swapped("float32"), swapped("float64")])
@pytest.mark.parametrize("repeats", [1, functions._FEW])
def test_choose_gives_the_bits_of_where(dtype, repeats):
    info = np.finfo(dtype)
    special = np.array(
        [0.0, -0.0, np.nan, np.inf, -np.inf, info.max, -info.max, info.smallest_subnormal], dtype
    )
    yes, no = np.repeat(special, 8), np.tile(special, 8)
    yes, no = np.tile(yes, (repeats, 1)), np.tile(no, (repeats, 1))
    condition = np.random.default_rng(0).random(yes.shape) < 0.5
    for one, other in (
        (yes, no),
        (1, no),
        (yes, -0.25),
        (yes, no[0]),
        (np.inf, -1),
        (0, no),
        (-0.0, no),
        (0, 2),
    ):
        got = functions.choose(condition, one, other, yes.dtype)
        expected = np.where(condition, np.asarray(one, dtype), np.asarray(other, dtype))
        expected = expected.astype(dtype)
        assert got.dtype == dtype
        assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softplus_is_right_to_a_few_units(dtype):
    x = np.concatenate([np.linspace(-30, 30, 20_001), [0, 1e4, -1e4]]).astype(dtype)
    exact = np.logaddexp(0, x.astype("longdouble"))
    off = np.abs(functions.softplus(x) - exact) / np.spacing(exact.astype(dtype))
    assert off.max() <= 5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("slope", [0.01, 1.0, 0.0, -0.2, 3.0, 1e-46])
def test_leaky_gives_what_where_gives(dtype, slope):
    info = np.finfo(dtype)
    ends = [0.0, np.nan, np.inf, -np.inf, info.max / 4, -info.max / 4, info.smallest_subnormal]
    x = np.array([*ends, -2.0, 3.0], dtype)
    with np.errstate(invalid="ignore"):
        got, expected = functions.leaky(x, slope), np.where(x > 0, x, slope * x)
    np.testing.assert_array_equal(got, expected, strict=True)


def test_small_slopes_are_mended_beside_nan_too():
    slope, x = np.array([0.5, 1e-9, np.nan]), np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(functions.mended(slope, x, np.negative), [0.5, -2.0, np.nan])
    assert not functions.mended(np.zeros(0), np.zeros(0), np.negative).size


def test_products_with_a_slope_take_its_memory_where_they_fit():
    gradient, slope = np.array([2.0, 3.0]), np.array([1.0, 0.5])
    product = functions.times(gradient, slope)
    assert product is slope
    np.testing.assert_array_equal(product, [2.0, 1.5])
    product = functions.times(1j * gradient, slope)
    np.testing.assert_array_equal(product, [4j, 4.5j])
    product = functions.times(gradient.astype(np.float32), gradient > 2)
    np.testing.assert_array_equal(product, np.array([0, 3], np.float32), strict=True)
    out = np.empty(2)
    assert functions.times(gradient, slope, out) is out
    np.testing.assert_array_equal(gradient, [2.0, 3.0])


# ---------------------------------------------------------------- buffers


@pytest.mark.parametrize(
    ("shape", "axis", "short"),
    [
        ((100, 384), 1, True),
        ((100, 384), -1, True),
        ((100, 384), 0, True),
        ((4, 30, 20, 20), 1, True),
        ((100, 383), 1, False),
        ((300, 30, 4, 4), 1, False),
        ((3, 10_000), 1, False),
        ((0, 500), 1, False),
    ],
)
def test_rows_that_are_long_enough_are_not_buffered(shape, axis, short):
    before = np.getbufsize()
    with buffers.broadcasting(np.zeros(shape), axis):
        assert np.getbufsize() == (buffers._ROW if short else before)
    with pytest.raises(KeyError), buffers.broadcasting(np.zeros(shape), axis):
        raise KeyError
    assert np.getbufsize() == before


def test_long_rows_leave_nothing_in_the_context():
    """Whoever looks there whether NumPy was told something sees at once that it was not."""

    def left():
        with buffers.broadcasting(np.zeros((100, 384)), 1):
            assert len(copy_context()) == 1
        return len(copy_context())

    assert Context().run(left) == 0


FAULTS = """
import resource
import numpy as np
import torchlite as nn
layer, x = nn.{}(), np.ones({}, "{}")
def steps(n):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(n):
        layer.forward(x)
        layer.backward(x, x)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
steps(3)
print(steps(10))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another malloc")
@pytest.mark.parametrize(
    ("layer", "shape", "dtype"),
    [
        ("LogSoftMax", (256, 1000), "float64"),
        # Programs of these load little else of torchlite.
        ("SoftSign", (1000, 1000), "float32"),
        ("TanhShrink", (1000, 1000), "float32"),
    ],
)
def test_memory_is_not_got_anew_at_every_step(layer, shape, dtype):
    program = FAULTS.format(layer, shape, dtype)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    # Each array of the ten steps has 500 pages at least.
    assert int(done.stdout) < 1000


# ---------------------------------------------------------------- flat


def test_stretch():
    memory = np.arange(10.0)
    a, b, c = memory[2:4], memory[4:8].reshape(2, 2), memory[8:9]
    whole = flat.stretch([a, b, c])
    assert whole.tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert np.shares_memory(whole, memory)
    assert flat.stretch([a, np.zeros(0), b]).size == 6
    assert flat.stretch([b, a]) is None
    assert flat.stretch([a, c]) is None
    assert flat.stretch([a, a]) is None
    assert flat.stretch([np.zeros(2), np.zeros(2)]) is None
    assert flat.stretch([a, memory[4:8].reshape(2, 2).T]) is None
    assert flat.stretch([a, memory.view("int64")[4:8]]) is None
    assert flat.stretch([np.ones((2, 2))[:, :1]]) is None
    assert flat.stretch([]) is None


def test_runs_join_neighbours_on_both_sides():
    p, g = np.arange(6.0), np.arange(6.0)
    parameters = [p[:2], p[2:4], np.zeros(3), p[4:]]
    gradients = [g[:2], g[2:4], np.zeros(3), g[4:]]
    covered = flat.runs(parameters, gradients)
    assert [a.size for a, _ in covered] == [4, 3, 2]
    gradients[1] = g[2:4].copy()
    assert [a.size for a, _ in flat.runs(parameters, gradients)] == [2, 2, 3, 2]


# ---------------------------------------------------------------- directions


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1, 1e-3, 1e20, 1e-20, "max", "tiny"])
def test_units_of_rows_of_any_length(dtype, size):
    info = np.finfo(dtype)
    largest = np.dtype(dtype).type(getattr(info, size) if isinstance(size, str) else size)
    rows = np.array([[1, -1, 1, 1], [0, 0, 0, 0], [0, 0.25, 0, 0]], dtype) * largest
    unit, length, scale = functions.units(rows, 0.5)
    assert unit.dtype == length.dtype == scale.dtype == dtype
    np.testing.assert_allclose(unit, [[0.5, -0.5, 0.5, 0.5], [0, 0, 0, 0], [0, 1, 0, 0]])
    np.testing.assert_allclose(length, [[2], [1], [1]])
    np.testing.assert_allclose(scale, [[largest], [0.5], [largest / 4]])


def test_units_of_nothing_and_of_nan():
    assert functions.units(np.ones((2, 0)), 1)[0].shape == (2, 0)
    assert np.isnan(functions.units(np.array([np.nan, 1]), 1)[0]).all()


def test_the_absolute_of_complex_numbers_can_be_differentiated():
    x = np.array([0.5 + 1e-20j, -0.5 + 1e-20j, 0])
    assert functions.absolute(x).tolist() == [0.5 + 1e-20j, 0.5 - 1e-20j, 0]
    assert functions.absolute(x.real).tolist() == [0.5, 0.5, 0]


def test_choose_takes_complex_numbers():
    condition, dtype = np.arange(5000) % 2 == 0, np.dtype("complex128")
    chosen = functions.choose(condition, 1j, 2.0, dtype)
    assert chosen.dtype == dtype
    assert chosen[:3].tolist() == [1j, 2, 1j]


MEMORY = np.zeros((3, 4))
FLAT = MEMORY.reshape(-1)
WHOLE = FLAT[1:7].reshape(2, 3)
BYTES = np.zeros(64, "uint8")


@pytest.mark.parametrize(
    ("whole", "view", "found"),
    [
        (WHOLE, WHOLE, (0, (3, 1), (2, 3))),
        (WHOLE, WHOLE.T, (0, (1, 3), (3, 2))),
        (WHOLE, WHOLE[::-1, ::-1], (5, (-3, -1), (2, 3))),
        (WHOLE, WHOLE[:, 1], (1, (3,), (2,))),
        (WHOLE, WHOLE[1:, 2:], (5, (0, 0), (1, 1))),
        (WHOLE, FLAT[3:7:2], (2, (2,), (2,))),
        (WHOLE, np.broadcast_to(WHOLE[0], (2, 3)), (0, (0, 1), (2, 3))),
        # Beyond its ends, and between its numbers.
        (WHOLE, FLAT[:7], None),
        (WHOLE, FLAT[1:8], None),
        (WHOLE, FLAT[6:9], None),
        (BYTES[8:56].view("float64"), BYTES[12:52].view("float64"), None),
        (MEMORY[:, ::2], MEMORY[:, ::2].T, (0, (1, 2), (2, 3))),
        (MEMORY[:, ::2], MEMORY[:, 1::2], None),
        (MEMORY[:, ::2], MEMORY[:, 1], None),
        (MEMORY[:, ::2], MEMORY, None),
        # At no regular distances.
        (MEMORY[:, :3], FLAT[:10:2], None),
        (MEMORY[:, :3], FLAT[:3], (0, (1,), (3,))),
    ],
)
def test_where_the_numbers_of_a_view_stand(whole, view, found):
    assert views.lattice(whole, view) == (found and views.Lattice(*found))


def test_whether_arrays_share_is_seen_byte_by_byte_where_it_is_hard_to_tell(monkeypatch):
    def too_hard(*arrays, max_work):
        raise np.exceptions.TooHardError

    monkeypatch.setattr(np, "shares_memory", too_hard)
    for one, other, shared in (
        (FLAT[:4], FLAT[3:], True),
        (FLAT[3:], FLAT[:4], True),
        (FLAT[::2], FLAT[1::2], False),
        (FLAT[::2], FLAT[4:5], True),
        (FLAT[:2], FLAT[2:4], False),
        (FLAT[2:4], FLAT[:2], False),
        (FLAT[:2], FLAT[1:1], False),
    ):
        assert views.share(one, other) is shared


def test_masks_keep_dtypes_and_what_they_are_given():
    array = np.ones((2, 2), "float32")
    made = zeroed(array, np.array([True, False]))
    assert made.dtype == "float32"
    assert made.tolist() == [[0, 0], [1, 1]]
    assert array.tolist() == [[1, 1], [1, 1]]
    assert blank_rows(np.array([[np.nan, 0.0], [-0.0, 0.0]]), 1).tolist() == [False, True]
