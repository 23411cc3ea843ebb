"""The pool of threads: what is shared out, that nothing depends on it, and what ends it early."""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from interruption import Interrupted, break_off, lines

import torchlite
from torchlite.errors import DTypeError, SettingError
from torchlite.kernels import threads as pool
from torchlite.kernels.convolution import conv, conv_transposed, conv_weight
from torchlite.kernels.openblas import openblas
from torchlite.kernels.threads import share_out
from torchlite.testing.duck import Duck

ARRAY = np.zeros(1)

reaches_openblas = pytest.mark.skipif(
    openblas() is None, reason="NumPy has another BLAS, or one that cannot be reached"
)
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


@pytest.fixture(autouse=True)
def three():
    before = torchlite.threads()
    assert torchlite.threads(3) == 3
    yield
    assert torchlite.threads() == 3
    torchlite.threads(before)


@pytest.fixture
def elsewhere(monkeypatch):
    """NumPy with a BLAS that cannot be told."""
    monkeypatch.setattr(pool, "openblas", lambda: None)
    monkeypatch.setattr(pool._pool, "_own", 3)


class Meeting:
    """Work in which so many threads must be at a time, or else it fails."""

    def __init__(self, n=3):
        self.barrier, self.seen = threading.Barrier(n, timeout=300), set()

    def __call__(self, piece):
        self.barrier.wait()
        self.seen.add(threading.get_ident())
        return piece


# ---------------------------------------------------------------- how many


def test_threads_are_counted_and_set():
    assert torchlite.threads is pool.threads
    assert torchlite.threads(2) == torchlite.threads() == 2
    assert torchlite.threads(np.int64(3)) == 3


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (0, SettingError, "threads: n must be at least 1, got 0"),
        (-1, SettingError, "threads: n must be at least 1, got -1"),
        (2.0, DTypeError, "threads: n must be a whole number, got 2.0"),
        (True, DTypeError, "threads: n must be a whole number, got True"),
        ("2", DTypeError, "threads: n must be a whole number, got '2'"),
    ],
)
def test_a_number_of_threads_is_checked(n, error, message):
    with pytest.raises(error) as caught:
        torchlite.threads(n)
    assert str(caught.value) == message


def test_more_threads_than_can_be_are_as_many_as_can():
    assert torchlite.threads(1 << 40) >= 3
    torchlite.threads(3)


PRINT = "import torchlite, threading; print(torchlite.threads(), threading.active_count())"


@pytest.mark.parametrize("hidden", [False, True])
def test_the_environment_says_how_many_at_first(hidden):
    """Whether NumPy's BLAS says it or we look ourselves; and no thread is made before its time."""
    program = PRINT
    if hidden:
        program = f"from torchlite.kernels import threads as t; t.openblas = lambda: None; {PRINT}"
    names = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
    others = {name: value for name, value in os.environ.items() if name not in names}
    known = hasattr(os, "sched_getaffinity")
    processors = len(os.sched_getaffinity(0)) if known else os.cpu_count()
    for said, expected in (
        ({"OPENBLAS_NUM_THREADS": "1"}, 1),
        ({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"}, 1),
        ({"OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "none"}, processors),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=others | said,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [str(expected), "1"], said


@reaches_openblas
def test_products_of_numpy_have_as_many():
    blas = pool.openblas()
    torchlite.threads(2)
    assert blas.get_threads() == 2
    # What else limits OpenBLAS holds here.
    blas.set_threads(1)
    assert torchlite.threads() == 1
    seen = set()
    share_out(ARRAY, range(20), lambda piece: seen.add(threading.get_ident()))
    assert seen == {threading.get_ident()}
    torchlite.threads(3)


@pytest.mark.parametrize("before", ["scipy_", ""])
@pytest.mark.parametrize(("after", "integer"), [("64_", ctypes.c_int64), ("", ctypes.c_int)])
def test_openblas_by_the_names_that_its_builds_have(monkeypatch, before, after, integer):
    def build(kind):
        names = ("openblas_get_num_threads", "openblas_set_num_threads", "openblas_get_parallel")
        names += ("cblas_saxpby", "cblas_daxpby")
        functions = [mock.Mock(name=name, return_value=kind) for name in names]
        spelled = [f"{before}{name}{after}" for name in names]
        library = SimpleNamespace(**dict(zip(spelled, functions, strict=True)))
        monkeypatch.setattr(ctypes, "CDLL", lambda path: library)
        return functions, openblas.__wrapped__()

    (get, set_, _, *functions), found = build(1)
    assert found[:2] == (get, set_)
    y = np.zeros(3)
    numbers = ctypes.c_float, ctypes.c_double
    for dtype, function, number in zip("fd", functions, numbers, strict=True):
        found.axpby[np.dtype(dtype)](y, 2, y, 4)
        assert function.call_args[0][::6] == (3, 1)
        each = number, ctypes.c_void_p, integer
        assert function.argtypes == (integer, *each, *each)
    # Without threads, and with those of OpenMP.
    assert build(0)[1] is None
    assert build(2)[1] is None
    monkeypatch.setattr(ctypes, "CDLL", lambda path: SimpleNamespace())
    assert openblas.__wrapped__() is None


# ---------------------------------------------------------------- work


@pytest.mark.parametrize("products", [False, True])
def test_as_many_threads_work_at_a_time(products):
    if products and pool.openblas() is None:
        pytest.skip("products stay with the BLAS")
    for n in (3, 2):
        torchlite.threads(n)
        work = Meeting(n)
        share_out(ARRAY, range(n), work, products=products)
        assert len(work.seen) == n
        assert threading.get_ident() in work.seen
    torchlite.threads(3)


@reaches_openblas
def test_each_piece_has_one_thread_of_openblas():
    get = pool.openblas().get_threads
    for products, expected in ((True, {1}), (False, {3})):
        seen = set()
        share_out(ARRAY, range(9), lambda _, seen=seen: seen.add(get()), products=products)
        assert seen == expected
        assert get() == 3


@reaches_openblas
def test_a_number_that_is_set_meanwhile_holds_afterwards():
    share_out(ARRAY, range(9), lambda _: torchlite.threads(2), products=True)
    assert pool.openblas().get_threads() == torchlite.threads() == 2
    torchlite.threads(3)


def test_results_are_taken_in_order_and_not_too_many_wait():
    found, waiting, most = [], set(), 0
    slow = threading.Event()

    def work(piece):
        nonlocal most
        if piece == 0:
            slow.wait(300)
        waiting.add(piece)
        most = max(most, len(waiting))
        if len(waiting) == 3 * pool._AHEAD - 1:
            slow.set()
        return piece

    def then(piece):
        waiting.discard(piece)
        found.append(piece)

    share_out(ARRAY, range(50), work, then)
    assert found == list(range(50))
    assert most <= 3 * pool._AHEAD


def test_each_thread_has_memory_of_its_own():
    meeting, made = Meeting(), []

    def memory():
        made.append([])
        return made[-1]

    def work(piece, own):
        own.append(threading.get_ident())
        meeting(piece)

    share_out(ARRAY, range(6), work, memory=memory)
    assert sum(map(len, made)) == 6
    assert all(len(set(own)) == 1 for own in made)


def alone(array, pieces, **more):
    """Return whether the caller does all of the pieces."""
    seen, count = set(), 0

    def work(piece):
        nonlocal count
        count += 1
        seen.add(threading.get_ident())
        threading.Event().wait(0.002)

    share_out(array, pieces, work, **more)
    assert count == len(pieces)
    return seen == {threading.get_ident()}


class Mine(np.ndarray):
    pass


def test_what_is_not_shared_out(elsewhere):
    share_out(ARRAY, range(3), Meeting())
    assert alone(ARRAY, range(20), products=True)
    assert alone(Duck(ARRAY), range(20))
    assert alone(ARRAY.view(Mine), range(20))
    share_out(ARRAY, [], Meeting())


def test_what_is_within_a_piece_is_not_shared_out(monkeypatch):
    found, woken, wake = [], [], pool._pool.wake

    def waking(job, helpers):
        woken.append(helpers)
        wake(job, helpers)

    # All three are there, and of two pieces one of them has none.
    share_out(ARRAY, range(3), Meeting())
    monkeypatch.setattr(pool._pool, "wake", waking)
    share_out(ARRAY, range(2), lambda _: found.append(alone(ARRAY, range(6))))
    assert found == [True] * 2
    assert woken == [1]
    share_out(ARRAY, range(3), Meeting())


def test_threads_of_the_user_share_the_pool():
    found = {}

    def use(name):
        sums = []
        for _ in range(30):
            share_out(ARRAY, range(9), lambda n: n, sums.append, products=name % 2)
        found[name] = sums

    users = [threading.Thread(target=use, args=[name]) for name in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join(300)
    assert found == {name: [*range(9)] * 30 for name in range(4)}


@reaches_openblas
def test_openblas_has_one_thread_until_the_last_of_several_works_ends():
    get, seen = pool.openblas().get_threads, []
    both, ended = threading.Barrier(2, timeout=300), threading.Event()

    def first(piece):
        if piece == 0:
            both.wait()

    def last(piece):
        if piece == 0:
            both.wait()
            seen.extend([ended.wait(300), get()])

    def use():
        share_out(ARRAY, range(2), first, products=True)
        ended.set()

    user = threading.Thread(target=use)
    user.start()
    share_out(ARRAY, range(2), last, products=True)
    user.join(300)
    assert seen == [True, 1]
    assert get() == 3


@pytest.mark.skipif(
    pool._processor() is None or len(os.sched_getaffinity(0)) == 1,
    reason="threads cannot be kept off a processor",
)
def test_threads_keep_to_processors_of_their_own_during_a_work(monkeypatch):
    allowed = os.sched_getaffinity(0)
    me, found = threading.get_native_id(), {}

    def look(piece):
        meet(piece)
        found[threading.get_native_id()] = os.sched_getaffinity(0)
        if piece is None:
            raise ZeroDivisionError

    meet = Meeting()
    # Where there are more processors, others have made threads that do not come to every work.
    monkeypatch.setattr(pool, "_pool", pool._Pool())
    torchlite.threads(3)
    for here in (*sorted(allowed)[:2], min(allowed)):
        monkeypatch.setattr(pool, "_processor", lambda here=here: here)
        # Whoever has just been made is not yet known.
        share_out(ARRAY, range(3), look)
        share_out(ARRAY, range(3), look)
        assert found.pop(me) == {here}
        assert list(found.values()) == [allowed - {here}] * len(found)
        assert os.sched_getaffinity(0) == allowed
    with pytest.raises(ZeroDivisionError):
        share_out(ARRAY, [0, 1, None], look)
    assert os.sched_getaffinity(0) == allowed
    monkeypatch.setattr(os, "sched_setaffinity", refused := Refusal())
    share_out(ARRAY, range(3), look)
    assert refused.calls
    assert found[me] == allowed


class Refusal:
    """A system that does not let threads be kept off a processor."""

    calls = 0

    def __call__(self, thread, processors):
        self.calls += 1
        raise PermissionError


def test_without_more_threads_the_caller_does_it_all(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(pool, "_pool", pool._Pool())
    monkeypatch.setattr(pool.Thread, "start", start)
    torchlite.threads(3)
    assert alone(ARRAY, range(9))


# ---------------------------------------------------------------- what ends it early


@pytest.mark.parametrize("products", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_error_of_the_earliest_piece_is_raised(error, products, monkeypatch):
    if products and pool.openblas() is None:
        pytest.skip("products stay with the BLAS")
    fail, failed = pool._Job._fail, threading.Event()

    def failing(*args):
        fail(*args)
        failed.set()

    def work(piece):
        if piece in (7, 8):
            # The later one comes first.
            assert piece == 8 or failed.wait(300)
            raise error(piece)

    monkeypatch.setattr(pool._Job, "_fail", failing)
    with pytest.raises(error) as caught:
        share_out(ARRAY, range(1000), work, products=products)
    assert caught.value.args == (7,)
    share_out(ARRAY, range(3), Meeting())


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_elsewhere_no_piece_is_begun(error, monkeypatch):
    caller, fail, begun = threading.get_ident(), pool._Job._fail, []
    meet, failed = Meeting(), threading.Semaphore(0)

    def failing(*args):
        fail(*args)
        failed.release()

    def work(piece):
        begun.append(piece)
        meet(piece)
        if threading.get_ident() != caller:
            raise error(piece)
        for _ in range(2):
            assert failed.acquire(timeout=300)

    monkeypatch.setattr(pool._Job, "_fail", failing)
    with pytest.raises(error):
        share_out(ARRAY, range(1000), work)
    assert sorted(begun) == [0, 1, 2]


def test_an_error_of_what_adds_is_raised():
    found = []

    def then(piece):
        if piece == 5:
            raise ValueError("no more")
        found.append(piece)

    with pytest.raises(ValueError, match="no more"):
        share_out(ARRAY, range(100), lambda piece: piece, then)
    assert found == [0, 1, 2, 3, 4]


def test_an_error_of_what_makes_memory_is_raised_and_ends_no_thread():
    def memory():
        raise MemoryError("nothing is left")

    for _ in range(5):
        with pytest.raises(MemoryError, match="nothing is left"):
            share_out(ARRAY, range(9), lambda piece, own: piece, memory=memory)
    share_out(ARRAY, range(3), Meeting())


def test_an_error_keeps_nothing_alive():
    class Big:
        pass

    big = Big()
    gone = weakref.ref(big)

    def fail(big):
        share_out(ARRAY, range(9), lambda piece: [big, 1 // 0])

    gc.disable()
    try:
        with pytest.raises(ZeroDivisionError):
            fail(big)
        del big
        # A thread that came too late may hold it for a moment.
        share_out(ARRAY, range(3), Meeting())
        assert gone() is None
    finally:
        gc.enable()


def test_what_numpy_is_to_do_about_errors_holds_in_all_threads():
    numbers = np.ones(3)

    def divide(piece):
        meeting(piece)
        return numbers / 0

    for kind, error in (("ignore", None), ("raise", FloatingPointError), ("warn", RuntimeWarning)):
        meeting = Meeting()
        with np.errstate(divide=kind):
            if error is None:
                share_out(ARRAY, range(3), divide)
                continue
            with pytest.raises(error, match="divide by zero"):
                share_out(ARRAY, range(3), divide)


@reaches_openblas
def test_breaking_off_leaves_openblas_its_threads_and_this_one_its_processors():
    """Whatever line it happens at, whoever is at work ends its piece and nobody else begins one."""
    get, processors = pool.openblas().get_threads, getattr(os, "sched_getaffinity", lambda _: None)
    busy, before = set(), processors(0)

    def work(piece):
        busy.add(piece)
        busy.discard(piece)

    def call(_):
        share_out(ARRAY, range(6), work, lambda _: None, products=True)

    for n in range(len(lines(call, None))):
        # How many pieces, and so how many lines, are this thread's depends on how soon others come.
        place = break_off(call, None, n, Interrupted)
        # Others may be about to let go of it.
        share_out(ARRAY, range(3), Meeting())
        assert torchlite.threads() == 3 == get(), place
        assert processors(0) == before, place
        assert not busy, place
        share_out(ARRAY, range(3), Meeting(), products=True)


@reaches_openblas
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="the system has no such signals")
def test_who_is_interrupted_while_others_work_waits_for_them():
    get, processors = pool.openblas().get_threads, getattr(os, "sched_getaffinity", lambda _: None)
    me, before, ended = threading.get_ident(), processors(0), []
    meeting, once, told = Meeting(), threading.Lock(), threading.Event()

    def interrupt(number, frame):
        told.set()
        raise Interrupted

    def work(piece):
        meeting(piece)
        if threading.get_ident() == me:
            return
        while sys._current_frames()[me].f_code.co_name != "finish":
            time.sleep(0.01)
        if once.acquire(blocking=False):
            # It has nothing left but to wait.
            time.sleep(0.1)
            signal.pthread_kill(me, signal.SIGUSR1)
        told.wait()
        time.sleep(0.1)
        ended.append(piece)

    def call():
        array = np.zeros(1)
        with suppress(Interrupted):
            share_out(array, range(3), work, products=True)
        return weakref.ref(array)

    handler = signal.signal(signal.SIGUSR1, interrupt)
    gc.disable()
    try:
        # Nothing of it stays, either.
        assert call()() is None
    finally:
        gc.enable()
        signal.signal(signal.SIGUSR1, handler)
    assert told.is_set()
    assert len(ended) == 2
    assert torchlite.threads() == 3 == get()
    assert processors(0) == before


# ---------------------------------------------------------------- forks and the end


@forks
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_has_threads_of_its_own():
    share_out(ARRAY, range(3), Meeting())
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            torchlite.threads(3)
            share_out(ARRAY, range(3), Meeting())
            os.write(writing, b"done")
        finally:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 9) == b"done"
    os.close(reading)
    os.waitpid(child, 0)
    share_out(ARRAY, range(3), Meeting())


@forks
@reaches_openblas
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_made_during_work_has_all_threads_of_openblas():
    status = []

    def work(piece):
        if piece == 1:
            child = os.fork()
            if not child:
                os._exit(torchlite.threads() * 10 + pool.openblas().get_threads())
            status.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    share_out(ARRAY, range(3), work, products=True)
    assert status == [33]


PROGRAM = """
import atexit, threading
import numpy as np
from torchlite.kernels.threads import share_out, threads

threads(3)
x = np.ones(1 << 20)
found = []

def use():
    share_out(x, range(8), lambda piece: np.exp(x).sum(), found.append)
    print(len(found), flush=True)

class Late:
    def __del__(self):
        share_out(x, range(8), lambda piece: x.sum(), found.append)

use()
atexit.register(use)
late = [Late()]
late.append(late)
"""


def test_a_program_ends_while_threads_sleep():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=True
    )
    assert (done.stdout.split(), done.stderr) == (["8", "16"], "")


# ---------------------------------------------------------------- the same numbers

GEOMETRIES = {
    "layers": ((64, 8, 20, 20), (12, 8, 5, 5), 1, 2, 1),
    "samples": ((40, 64, 8, 8), (64, 64, 3, 3), 1, 1, 1),
    "rows": ((1, 64, 64, 64), (64, 64, 3, 3), 1, 1, 1),
    "strides": ((16, 16, 63, 33), (32, 16, 4, 4), 2, 1, 1),
    "one pixel": ((36, 256, 14, 14), (64, 256, 1, 1), 1, 0, 1),
    "depthwise": ((16, 32, 32, 32), (32, 1, 3, 3), 1, 1, 32),
    "volumes": ((4, 8, 12, 12, 12), (16, 8, 3, 3, 3), 1, 1, 1),
}


@reaches_openblas
@pytest.mark.parametrize("name", GEOMETRIES)
def test_convolutions_have_the_same_bits_with_any_number_of_threads(name, monkeypatch):
    shape, kernels, stride, padding, groups = GEOMETRIES[name]
    dims = len(kernels) - 2
    rng = np.random.default_rng(0)
    input, weight, bias = (
        rng.standard_normal(s).astype("f") for s in (shape, kernels, kernels[:1])
    )
    steps = (stride,) * dims, (padding,) * dims
    helped = []
    wake = pool._pool.wake
    monkeypatch.setattr(pool._pool, "wake", lambda job, n: helped.append(n) or wake(job, n))

    def found():
        output = conv(input, weight, *steps, bias=bias)
        gradient = np.sin(output)
        back = conv_transposed(gradient, weight, shape[2:], *steps, groups=groups, bias=None)
        return output, back, conv_weight(input, gradient, kernels[2:], *steps, groups=groups)

    several = found()
    assert len(helped) == 3
    for n in (1, 2):
        torchlite.threads(n)
        for one, other in zip(found(), several, strict=True):
            assert np.array_equal(one, other)
    torchlite.threads(3)


def layered(layer, *shape):
    """Return forward, backward and gradients of a layer, and what it does to running statistics."""

    def found():
        rng = np.random.default_rng(0)
        torchlite.manualSeed(1)
        module = layer().float()
        input = rng.standard_normal(shape).astype("f")
        output = module.forward(input)
        gradOutput = rng.standard_normal(output.shape).astype("f")
        results = [output, module.backward(input, gradOutput), *module.parameters()[1]]
        results += [getattr(module, name) for name in ("running_mean", "running_var")]
        return [*results, module.evaluate().forward(input), module.forward(input[0])]

    return found


def entries(layer):
    def found():
        rng = np.random.default_rng(0)
        input = 5 * rng.standard_normal((3, 200_001)).astype("f")
        gradOutput = input - 1j * input
        results = [layer.forward(input), layer.backward(input, input)]
        return [*results, layer.backward(input, gradOutput), layer.forward(gradOutput)]

    return found


def pooled(layer):
    def found():
        input = np.random.default_rng(0).standard_normal((16, 32, 32, 32)).astype("f")
        output = layer.forward(input)
        return output, layer.backward(input, output)

    return found


@pytest.mark.parametrize(
    "found",
    [
        layered(lambda: torchlite.SpatialBatchNormalization(16), 36, 16, 32, 32),
        layered(lambda: torchlite.SpatialBatchNormalization(2), 2, 2, 600, 600),
        layered(
            lambda: torchlite.VolumetricBatchNormalization(8, 1e-3, 0.1, False), 18, 8, 16, 16, 16
        ),
        layered(lambda: torchlite.BatchNormalization(600), 900, 600),
        *map(entries, (torchlite.Tanh(), torchlite.Sigmoid(), torchlite.SoftPlus(2))),
        *map(entries, (torchlite.ELU(), torchlite.ELU(0.3), torchlite.LogSigmoid())),
        pooled(torchlite.SpatialMaxPooling(2, 2, 2, 2)),
        pooled(torchlite.SpatialAveragePooling(3, 3, 2, 2)),
    ],
)
def test_layers_have_the_same_bits_with_any_number_of_threads(found, monkeypatch):
    helped = []
    wake = pool._pool.wake
    monkeypatch.setattr(pool._pool, "wake", lambda job, n: helped.append(n) or wake(job, n))
    several = found()
    assert helped
    torchlite.threads(1)
    for one, other in zip(found(), several, strict=True):
        assert np.array_equal(one, other)
    torchlite.threads(3)
