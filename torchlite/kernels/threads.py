"""Threads that share out the pieces of one long piece of work.

NumPy lets other threads of Python run while it computes. So a work that falls into pieces, which
stay in the cache each, is done by several threads: whoever is free takes the next piece. Where the
pieces begin and end, and in which order what is found in them is added up, depends on sizes alone,
so the numbers are the same for any number of threads.

The threads of a pool sleep until there is work. It is made at the first use, and anew in the child
of a fork. Small works are not shared out: to wake a thread takes some twenty microseconds.

Linux likes to wake a thread where it ran last, and of two processors does not look for the idle
one. So one that ran last where its waker is would wait there until the waker is done; and the
waker, whom it wakes in turn, would follow it to its processor. Where the system lets them, the
waker stays where it is during a work, and the others elsewhere.

NumPy's OpenBLAS has threads of its own for large products, and lets in but one such product at a
time. So that several pieces have their products at the same time, each of them gets one thread
while the pool is at work. This is the one place that tells OpenBLAS. Another BLAS, or one that
cannot be reached, keeps products to itself: what consists of them is not shared out here.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import cache
from queue import SimpleQueue
from threading import Lock, RLock, Thread, get_native_id
from typing import Any

import numpy as np

from torchlite.errors import DTypeError, SettingError, fault
from torchlite.kernels.arrays import Array
from torchlite.kernels.openblas import openblas

__all__ = ["LONG", "by_rows", "entrywise", "share_out", "threads"]

_Work = Callable[..., Any]

# Arrays of so many entries are shared out.
LONG = 1 << 19
# Rows are shared out in pieces of about so many bytes. Before each call of NumPy's, one thread of
# Python waits for another: with smaller pieces too often.
_PIECE = 1 << 20
# So many pieces for each thread may have been done and not yet been added up.
_AHEAD = 2
# No machine has more, and an int of C can hold it.
_MOST = 1 << 15


def threads(n: int | None = None) -> int:
    """Return how many threads share out large works, after setting it to n, if that is given.

    At first as many as NumPy's OpenBLAS has for products: as many as there are processors that the
    program may use, or fewer if the environment variable OPENBLAS_NUM_THREADS or OMP_NUM_THREADS
    says so. There is one number for both, and for the whole program: n holds for the products of
    NumPy, too, and what else limits OpenBLAS, as threadpoolctl does, holds here. What is returned
    is less than n where OpenBLAS cannot have so many.

    Raises
    ------
    DTypeError, SettingError
        n is no whole number, or less than 1.

    Example
    -------
    >>> before = threads()
    >>> threads(2)
    2
    >>> threads(before) == before
    True
    """
    if n is not None:
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise fault(DTypeError, "threads", "n", "a whole number", repr(n))
        if n < 1:
            raise fault(SettingError, "threads", "n", "at least 1", repr(n))
        n = min(n.__index__(), _MOST)
    return _pool.number(n)


def share_out(
    array: Array,
    pieces: Sequence[Any],
    work: _Work,
    then: Callable[[Any], None] | None = None,
    products: bool = False,
    memory: Callable[[], Any] | None = None,
) -> None:
    """Call work with every piece of an array, and `then` with what it returns.

    Several threads do so if it is an array of NumPy's. Pieces are begun in their order; `then` is
    called for one after the other, in their order. products: work makes products of matrices.
    memory: makes what each thread needs for itself; work gets it as a second argument.

    An exception ends the work; of several that of the earliest piece is raised.

    Example
    -------
    >>> x, sums = np.arange(8.0), []
    >>> share_out(x, [slice(0, 4), slice(4, 8)], lambda part: x[part].sum(), sums.append)
    >>> np.array(sums)
    array([ 6., 22.])
    """
    plain = len(pieces) > 1 and type(array) is np.ndarray
    helpers = _pool.helpers(len(pieces), products) if plain else 0
    if not helpers:
        work = _with(memory, work)
        for piece in pieces:
            result = work(piece)
            if then is not None:
                then(result)
        return
    job = _Job(work, pieces, then, memory, helpers, _Alone() if products else None)
    try:
        _pool.wake(job, helpers)
        job.help()
    finally:
        error = job.finish()
    if error is not None:
        try:
            raise error
        finally:
            # Its traceback holds this frame.
            del error, job


def by_rows(
    function: Callable[..., Array],
    *arrays: Array,
    in_place: bool = False,
    in_pieces: bool = False,
) -> Array:
    """Return `function(*arrays)`, which makes each row of the rows at its place alone.

    Rows are along the first dimension, and hold whatever there is along the others. in_place: they
    are made in the first array. That, and in_pieces, takes some of many at a time, so that what is
    large on the way is not.

    Example
    -------
    >>> by_rows(lambda a, b: (a * b).sum(1), np.ones((2, 3)), np.eye(2, 3))
    array([1., 1.])
    """
    first, n = arrays[0], len(arrays[0])
    plain = first.size >= LONG and type(first) is np.ndarray
    helpers = _pool.helpers(n, False) if plain else 0
    if not helpers and not (plain and (in_place or in_pieces)):
        return function(*arrays)
    if in_place:
        result = first
    else:
        # Of no rows it is nothing, but its dtype and further dimensions tell those of all.
        none = function(*(a[:0] for a in arrays))
        result = np.empty((n, *none.shape[1:]), none.dtype)

    def fill(part: slice) -> None:
        made = function(*(a[part] for a in arrays))
        if not in_place:
            result[part] = made

    share_out(first, _even(n, min(n, max(helpers + 1, first.nbytes // _PIECE))), fill)
    return result


def entrywise(function: Callable[..., Array], *arrays: Array) -> Array:
    """Return `function(*arrays)`, which makes each entry of the entries at its place alone.

    It is also called with `out`, an array of the dtype of the others, if these have one, that it
    fills and returns. Shapes: all arrays alike.

    Example
    -------
    >>> entrywise(np.maximum, np.array([1.0, 5.0]), np.array([4.0, 2.0]))
    array([4., 5.])
    """
    size = arrays[0].size
    pieces = 1 + _pool.helpers(2 * size // LONG, False)
    shape, dtype = arrays[0].shape, arrays[0].dtype
    if pieces < 2 or not all(
        type(a) is np.ndarray and a.dtype == dtype and a.flags.c_contiguous for a in arrays
    ):
        return function(*arrays)
    flat = [a.reshape(-1) for a in arrays]
    result = np.empty(shape, dtype)
    made = result.reshape(-1)

    def fill(part: slice) -> None:
        function(*(a[part] for a in flat), out=made[part])

    share_out(result, _even(size, pieces), fill)
    return result


def _even(n: int, pieces: int) -> list[slice]:
    return [slice(n * i // pieces, n * (i + 1) // pieces) for i in range(pieces)]


def _with(memory: Callable[[], Any] | None, work: _Work) -> _Work:
    """Return work with memory of its own."""
    if memory is None:
        return work
    own = memory()
    return lambda piece: work(piece, own)


# Whether this thread is at a piece of work: what is within one is not shared out again.
_within = ContextVar("_within", default=False)


class _Job:
    """A work, as far as it has got."""

    def __init__(
        self,
        work: _Work,
        pieces: Sequence[Any],
        then: Callable[[Any], None] | None,
        memory: Callable[[], Any] | None,
        helpers: int,
        alone: "_Alone | None",
    ) -> None:
        self._work, self._pieces, self._then, self._memory = work, pieces, then, memory
        self._alone = alone
        self.apart: _Apart | None = None
        self._context = copy_context()
        # Of Python's locks and queues these alone are free again after an interruption.
        self._lock, self._adding = Lock(), Lock()
        self._taken = self._added = self._entered = 0
        self._stopped = False
        # Who takes a piece takes an entry of room, if there is something to be added up.
        self._room: SimpleQueue[None] = SimpleQueue()
        for _ in range(_AHEAD * (helpers + 1)):
            self._room.put(None)
        self._ready: dict[int, Any] = {}
        self._left: SimpleQueue[None] = SimpleQueue()
        self._gone = 0
        self._error: tuple[int, BaseException] | None = None

    def serve(self) -> None:
        """Help, unless all is done."""
        with self._lock:
            if self._stopped:
                return
            self._entered += 1
        try:
            self.help()
        finally:
            with self._lock:
                self._gone += 1
            self._left.put(None)

    def help(self) -> None:
        """Do pieces until there are no more."""
        # A context is one thread's at a time. What is set in a copy is gone with it.
        self._context.copy().run(self._do)

    def _do(self) -> None:
        _within.set(True)
        number = None
        try:
            work = _with(self._memory, self._work)
            while (number := self._take()) is not None:
                result = work(self._pieces[number])
                if self._then is not None:
                    self._add(number, result, self._then)
                    del result
        except BaseException as error:
            self._fail(len(self._pieces) if number is None else number, error)

    def _take(self) -> int | None:
        """Return the number of the next piece; of none, if all are taken or one has failed."""
        if self._then is not None:
            self._room.get()
        with self._lock:
            if not self._stopped and self._taken < len(self._pieces):
                self._taken += 1
                return self._taken - 1
        self._stop()
        return None

    def _stop(self) -> None:
        self._stopped = True
        # Whoever waits for room finds some, and comes here, too.
        self._room.put(None)

    def _add(self, number: int, result: Any, then: Callable[[Any], None]) -> None:
        self._ready[number] = result
        with self._adding:
            while self._added in self._ready:
                then(self._ready.pop(self._added))
                self._added += 1
                self._room.put(None)

    def _fail(self, number: int, error: BaseException) -> None:
        with self._lock:
            if self._error is None or number < self._error[0]:
                self._error = number, error
        self._stop()

    def finish(self) -> BaseException | None:
        """Wait until nobody is at work, let go of it, and return what ended it early."""
        interruption = None
        while True:
            try:
                self._stop()
                with self._lock:
                    entered = self._entered
                while self._gone < entered:
                    self._left.get()
                break
            except BaseException as error:
                # What others still write to is not left to them.
                interruption = error
        for held in (self.apart, self._alone):
            if held is not None:
                held.end()
        # Who comes too late to help still holds the job.
        del self._work, self._then, self._memory, self._alone, self.apart
        self._pieces, found, self._error = (), self._error, None
        if interruption is not None:
            try:
                raise interruption
            finally:
                # Its traceback holds this frame.
                del interruption
        return None if found is None else found[1]


class _Held:
    """What is otherwise until it is at its end."""

    _held = False

    def end(self) -> None:
        """Make it as it was before."""
        self._let_go()
        self._held = False

    def _let_go(self) -> None:
        raise NotImplementedError

    # What is interrupted between a beginning and a try ends here.
    def __del__(self) -> None:
        if self._held:
            self.end()


class _Alone(_Held):
    """Until it is at its end, OpenBLAS has one thread for each product."""

    def __init__(self) -> None:
        self._held = True
        _pool.hold(id(self))

    def _let_go(self) -> None:
        _pool.let_go(id(self))


class _Apart(_Held):
    """Until it is at its end, the thread that makes it keeps to fewer of its processors."""

    def __init__(self, before: set[int], processors: set[int]) -> None:
        self._thread, self._before = get_native_id(), before
        self._held = True
        os.sched_setaffinity(self._thread, processors)

    def _let_go(self) -> None:
        # Others may have taken processors away in between.
        with suppress(OSError):
            os.sched_setaffinity(self._thread, self._before)


class _Pool:
    """The threads that wait for work, and how many there are to be."""

    def __init__(self) -> None:
        # Whoever holds it may be interrupted, and so drop an _Alone.
        self.lock = RLock()
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._size = 0
        # How many threads OpenBLAS had before it had one, and for whose sake it has.
        self._before = 0
        self._holders: set[int] = set()
        # How many there are to be if OpenBLAS does not say it.
        self._own = 0
        # Which processors each thread keeps to, by the system's number of the thread.
        self._processors: dict[int, set[int]] = {}

    def number(self, n: int | None = None) -> int:
        """Return how many threads there are to be, after setting it to n, if that is given."""
        blas = openblas()
        with self.lock:
            if blas is None:
                self._own = n or self._own or _from_environment()
                return self._own
            self._settle()
            if self._before:
                self._before = n or self._before
                return self._before
            if n is not None:
                blas.set_threads(n)
            return blas.get_threads()

    def helpers(self, pieces: int, products: bool) -> int:
        """Return how many others may help with so many pieces."""
        if _within.get() or (products and openblas() is None):
            return 0
        return min(self.number(), pieces) - 1

    def hold(self, holder: int) -> None:
        """Let OpenBLAS have one thread for each product."""
        blas = openblas()
        if blas is not None:
            with self.lock:
                self._settle()
                self._before = self._before or blas.get_threads()
                self._holders.add(holder)
                blas.set_threads(1)

    def let_go(self, holder: int) -> None:
        """Let OpenBLAS have as many as before, if nobody else needs it to have one."""
        with self.lock:
            self._holders.discard(holder)
            self._settle()

    def _settle(self) -> None:
        # Whoever was to do so before may have been interrupted.
        blas = openblas()
        if self._before and not self._holders and blas is not None:
            blas.set_threads(self._before)
            self._before = 0

    def wake(self, job: _Job, helpers: int) -> None:
        """Let so many threads help with a job."""
        with self.lock:
            try:
                while self._size < helpers:
                    args = self._jobs, self._processors
                    Thread(target=_serve, args=args, daemon=True).start()
                    self._size += 1
            except RuntimeError:
                # There are as many as can be, or the interpreter ends: who is there does it all.
                pass
        job.apart = self._part()
        for _ in range(min(helpers, self._size)):
            self._jobs.put(job)

    def _part(self) -> _Apart | None:
        """Keep this thread on its processor, and the pool's off it; None if that cannot be."""
        if (here := _processor()) is None:
            return None
        allowed = os.sched_getaffinity(0)
        # One processor may be all that there is, or the system does not allow it.
        with suppress(OSError):
            for thread, processors in self._processors.copy().items():
                if processors != allowed - {here}:
                    os.sched_setaffinity(thread, allowed - {here})
                    self._processors[thread] = allowed - {here}
            return _Apart(allowed, {here})
        return None

    def after_fork(self) -> None:
        """Forget the threads, which are not in the child."""
        self._jobs, self._size, self._processors = SimpleQueue(), 0, {}
        self._holders.clear()
        self._settle()
        self.lock.release()


def _serve(jobs: SimpleQueue[_Job], processors: dict[int, set[int]]) -> None:
    processors[get_native_id()] = set()
    while True:
        jobs.get().serve()


def _processor() -> int | None:
    """Return on which processor this thread is, if threads can be kept off it."""
    ask = _ask_processor()
    return None if ask is None else ask()


@cache
def _ask_processor() -> Callable[[], int] | None:
    import ctypes

    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        # Python keeps its lock: it takes a tenth of a microsecond.
        return ctypes.PyDLL(None).sched_getcpu
    except AttributeError:
        return None


def _from_environment() -> int:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        said = os.environ.get(name, "")
        if said.isdecimal() and int(said):
            return int(said)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_pool.lock.acquire,
        after_in_parent=_pool.lock.release,
        after_in_child=_pool.after_fork,
    )
