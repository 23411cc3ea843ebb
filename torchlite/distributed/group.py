"""Group: the processes that train together."""

import os
import pickle
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any, NoReturn, Self

import numpy as np

from torchlite.errors import SettingError, StateError, fault
from torchlite.kernels.arrays import Array
from torchlite.kernels.threads import threads

__all__ = ["Group", "Waiting"]

# The tags of what ranks tell one another beside the numbers.
_ASK, _HERE, _LEFT, _NOTE = 1, 2, 3, 4
# How long, in seconds, ranks have to say that they are there, and how often a waiting one listens.
_GRACE = 2.0
_LISTEN = 0.02


class Waiting:
    """Something that is on its way, for `Group.wait`.

    Attributes
    ----------
    what
        What it is, in words.
    """

    def __init__(
        self, what: str, done: Callable[[], bool], call: tuple[bool, int] | None = None
    ) -> None:
        self.what = what
        self._done = done
        # Where all take part, the order and the number in it.
        self._call = call

    def __str__(self) -> str:
        return self.what if self._call is None else f"{self.what} (call {self._call[1]})"


class Group:
    """The processes that run this program together, as `mpiexec -n 4 python train.py` starts them.

    Each has a number, its rank. All run the same program on data of their own, and call the methods
    that all must take part in, which says each of them, in the same order. Under `python train.py`
    it is one process alone.

    As a context manager it ends all processes where one fails: an exception on one rank is printed,
    and ends the others within moments. At the end of the block all wait for one another.

    Parameters
    ----------
    timeout
        How many seconds a rank waits for others before it takes them for lost.

    Attributes
    ----------
    rank, size
        The number of this process, and how many there are.

    Conventions
    -----------
    Where several ranks share a machine, each one has threads for its part of the cores; a
    warning tells of more ranks than cores. Arrays are handed to MPI as they are.

    Raises
    ------
    ImportError
        mpi4py, or an MPI, is not installed.
    TimeoutError
        Ranks did not answer in time: the message names them.
    StateError
        Ranks left, or are not at the same place of the same program.

    Example
    -------
    >>> from torchlite import distributed
    >>> with distributed.Group(timeout=60) as world:  # doctest: +SKIP
    ...     print(world.rank, "of", world.size)
    0 of 1

    Reference
    ---------
    The Message Passing Interface, through mpi4py.
    """

    def __init__(self, timeout: float = 60) -> None:
        if not timeout > 0:
            raise fault(
                SettingError, "Group", "timeout", "a positive number of seconds", repr(timeout)
            )
        mpi = _mpi()
        self.timeout = float(timeout)
        self._mpi = mpi
        world = mpi.COMM_WORLD
        # What is summed in other orders, and what ranks tell one another, do not meet.
        self._numbers, self._beside, self._words = (world.Dup() for _ in range(3))
        self.rank: int = world.Get_rank()
        self.size: int = world.Get_size()
        # How many calls that all take part in were started, in either order.
        self._started = {False: 0, True: 0}
        self._left: dict[int, tuple[dict[bool, int], float]] = {}
        # What the rank before this one started, by order and number.
        self._notes: dict[tuple[bool, int], str] = {}
        self._told: list[Any] = []
        self._waits_for = "nothing"
        self._heard = 0.0
        self._cores = _CoresOfOne(world, mpi)

    def __repr__(self) -> str:
        return f"rank {self.rank} of {self.size}"

    def __deepcopy__(self, memo: Any) -> Self:
        # There is one world: copies of what trains in it train in the same.
        return self

    def __reduce__(self) -> NoReturn:
        raise StateError(
            "Group: the processes of a program cannot be saved",
            hint="save the network that is inside: parallel.modules[0]",
        )

    # ---------------------------------------------------------------- begin and end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.size == 1:
            self._free()
            return
        status = _exit_status(error)
        if status:
            story = "" if isinstance(error, SystemExit) else traceback.format_exception(error)
            self._abort(status, "".join(story))
        try:
            self._leave()
        except Exception as lost:
            self._abort(1, f"{lost}\n")
        self._free()

    def _free(self) -> None:
        self._cores.restore()
        for communicator in (self._numbers, self._beside, self._words):
            communicator.Free()

    def _abort(self, status: int, story: str) -> NoReturn:
        if story:
            sys.stderr.write(f"rank {self.rank}: {story}")
        sys.stdout.flush()
        sys.stderr.flush()
        # What launches ranks stops to listen to them as soon as one ends.
        time.sleep(_GRACE / 2)
        self._mpi.COMM_WORLD.Abort(status)
        # With some launchers it returns, and the end comes later.
        os._exit(status)

    def _leave(self) -> None:
        """Wait until all leave: not at a barrier, which some MPIs open when a rank dies."""
        for other in self._others():
            self._tell(other, _LEFT, self._started)

        def all_leave() -> bool:
            self._listen()
            return len(self._left) == self.size - 1

        self._wait(Waiting("the end of the program", all_leave))

    # ---------------------------------------------------------------- what all take part in

    def start_sum(self, array: Array, beside: bool = False) -> Waiting:
        """Start to put, into an array in one piece of memory, its sum over all ranks.

        All ranks take part, in the same order, each with an array of the same size and dtype.
        Sums beside the others have an order of their own.
        """
        if self.size == 1:
            return Waiting("a sum", lambda: True)
        what = f"a sum of {array.size} {array.dtype}" + " beside the others" * beside
        numbers = self._beside if beside else self._numbers
        return self._start(what, numbers.Iallreduce(self._mpi.IN_PLACE, array), beside)

    def wait(self, waiting: Waiting) -> None:
        """Wait until something has arrived."""
        if not waiting._done():
            self._wait(waiting)
        if waiting._call is not None:
            self._must_agree(waiting, waiting._call)
            # To wait again is to find it there.
            waiting._call = None

    def broadcast(self, array: Array, root: int = 0) -> Array:
        """Fill an array in one piece of memory with rank root's; return it. All take part."""
        if self.size > 1:
            request = self._numbers.Ibcast(array, root)
            self.wait(self._start(f"a broadcast of {array.size} {array.dtype}", request))
        return array

    def gather(self, value: Any) -> list[Any]:
        """Return every rank's value, by rank. All take part; values are pickled."""
        if self.size == 1:
            return [value]
        packed = np.frombuffer(pickle.dumps(value, 5), np.uint8)
        sizes = np.zeros(self.size, np.int64)
        sent = np.array([packed.size])
        self.wait(self._start("a gather", self._numbers.Iallgather(sent, sizes)))
        all_packed = np.empty(int(sizes.sum()), np.uint8)
        starts = np.concatenate([[0], sizes.cumsum()])
        request = self._numbers.Iallgatherv(
            packed, [all_packed, sizes, starts[:-1], self._mpi.BYTE]
        )
        self.wait(self._start("a gather", request))
        return [pickle.loads(all_packed[begin:end].data) for begin, end in pairwise(starts)]

    def same(self, value: Any, what: str) -> None:
        """Raise StateError, on all ranks, unless every rank's value is this one.

        All take part; what says what the value is, as in "the network".
        """
        values = self.gather(value)
        others = [rank for rank, other in enumerate(values) if other != values[0]]
        if others:
            raise StateError(
                f"Group.same: {what} must be the same on all ranks, but rank {others[0]} has\n"
                f"{values[others[0]]}\nand rank 0\n{values[0]}",
                argument=what,
            )

    # ---------------------------------------------------------------- from one to another

    def send(self, value: Any, to: int) -> Waiting:
        """Start to send a value, an array or a table, to a rank that receives it."""
        request = self._numbers.isend(value, to)
        return Waiting(f"that rank {to} receives", request.Test)

    def recv(self, source: int) -> Any:
        """Return what a rank sent, in the order of sending."""
        found: list[Any] = []

        def has_come() -> bool:
            if not found:
                message = self._numbers.improbe(source=source)
                if message is None:
                    return False
                found.append(message.irecv())
            done, value = found[0].test()
            if done:
                found.append(value)
            return bool(done)

        self.wait(Waiting(f"what rank {source} sends", has_come))
        return found[-1]

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Let messages pass, inside a with block, while this rank computes.

        Most MPIs move a large message only while somebody waits. A thread looks after them here.
        """
        if self.size == 1 or self._mpi.Query_thread() < self._mpi.THREAD_MULTIPLE:
            yield
            return
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(0.0005):
                self._numbers.iprobe()

        thread = threading.Thread(target=look, name="torchlite progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def rows(self, n: int, shards: int | None = None) -> slice:
        """Return which of n samples are this rank's: near to n / size, and none twice.

        With shards: those of the shards that are this rank's, which must be as many on each.

        Example
        -------
        >>> from torchlite.distributed.group import shares
        >>> [shares(10, 4, part) for part in range(4)]
        [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
        """
        if not isinstance(n, int | np.integer) or n < 0:
            raise fault(SettingError, "Group.rows", "n", "a number of samples", repr(n))
        if shards is None:
            return shares(n, self.size, self.rank)
        mine = shares(shards, self.size, self.rank)
        return slice(shares(n, shards, mine.start).start, shares(n, shards, mine.stop - 1).stop)

    # ---------------------------------------------------------------- waiting

    def _others(self) -> list[int]:
        return [rank for rank in range(self.size) if rank != self.rank]

    def _start(self, what: str, request: Any, beside: bool = False) -> Waiting:
        self._started[beside] += 1
        call = beside, self._started[beside]
        self._tell((self.rank + 1) % self.size, _NOTE, (call, what))
        return Waiting(what, request.Test, call)

    def _must_agree(self, waiting: Waiting, call: tuple[bool, int]) -> None:
        """Raise unless the rank before this one has started the same.

        MPI pairs calls by their order alone, whatever they are.
        """

        def is_noted() -> bool:
            self._listen()
            return call in self._notes

        if call not in self._notes:
            self._wait(Waiting(waiting.what, is_noted, call))
        what, before = self._notes.pop(call), (self.rank - 1) % self.size
        if what != waiting.what:
            raise StateError(
                f"Group.wait: call {call[1]} that all take part in is {waiting.what} on rank "
                f"{self.rank}, and {what} on rank {before}",
                hint="all ranks must make the same calls, with arrays of the same size and dtype",
            )

    def _wait(self, waiting: Waiting) -> None:
        begin = time.monotonic()
        pause = 0.00005
        self._waits_for = str(waiting)
        while not waiting._done():
            now = time.monotonic()
            if now - self._heard > _LISTEN:
                self._heard = now
                self._listen()
                self._refuse_if_left(waiting, now)
            if now - begin > self.timeout:
                raise self._lost(waiting)
            # At first a message is a matter of microseconds, and who sleeps may wake up late.
            if now - begin > 0.001:
                time.sleep(pause)
                pause = min(0.001, pause + 0.00005)
        self._waits_for = "nothing"

    def _tell(self, other: int, tag: int, word: Any) -> None:
        self._told = [request for request in self._told if not request.Test()]
        self._told.append(self._words.isend(word, other, tag))

    def _listen(self) -> dict[int, str]:
        """Answer who asks, and note who has left; return what is waited for, by rank."""
        status = self._mpi.Status()
        here: dict[int, str] = {}
        while self._words.iprobe(status=status):
            source, tag = status.Get_source(), status.Get_tag()
            word = self._words.recv(source=source, tag=tag)
            if tag == _ASK:
                self._tell(source, _HERE, self._waits_for)
            elif tag == _LEFT:
                self._left[source] = word, time.monotonic()
            elif tag == _NOTE:
                self._notes[word[0]] = word[1]
            else:
                here[source] = word
        return here

    def _refuse_if_left(self, waiting: Waiting, now: float) -> None:
        for rank, (started, since) in self._left.items():
            if now - since <= _GRACE:
                continue
            if waiting._call is None:
                if waiting.what == f"what rank {rank} sends":
                    raise StateError(f"Group.recv: rank {rank} has left and sends nothing more")
            elif started[waiting._call[0]] < waiting._call[1]:
                raise StateError(
                    f"Group.wait: rank {rank} has left after {sum(started.values())} calls that "
                    f"all take part in, and rank {self.rank} waits in the next for {waiting.what}",
                    hint="each rank must take as many steps as the others: "
                    "give a rank without samples an empty batch",
                )

    def _lost(self, waiting: Waiting) -> TimeoutError:
        """Return the error that names who does not answer."""
        for other in self._others():
            self._tell(other, _ASK, None)
        here: dict[int, str] = {}
        end = time.monotonic() + _GRACE
        while time.monotonic() < end and len({*here, *self._left}) < self.size - 1:
            here.update(self._listen())
            time.sleep(0.001)
        lost = [rank for rank in self._others() if rank not in here and rank not in self._left]
        where = f"Group.wait: rank {self.rank} waited {self.timeout:g} s for {waiting}"
        if lost:
            names = ", ".join(map(str, lost))
            which = f"rank {names} does" if len(lost) == 1 else f"ranks {names} do"
            return TimeoutError(f"{where}, and {which} not answer")
        places = "; ".join(f"rank {rank} for {place}" for rank, place in sorted(here.items()))
        return TimeoutError(
            f"{where}; all ranks are there, but wait for other things: {places or 'they have left'}"
        )


def shares(n: int, parts: int, part: int) -> slice:
    """Return which of n samples belong to a part: the first parts take one more where needed."""
    size, more = divmod(n, parts)
    begin = part * size + min(part, more)
    return slice(begin, begin + size + (part < more))


# ---------------------------------------------------------------- the machine


def _mpi() -> Any:
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            "torchlite.distributed needs mpi4py and an MPI: pip install mpi4py threadpoolctl, and "
            "where the machine has no MPI of its own, pip install mpich (on Windows: impi-rt)"
        ) from error
    return MPI


class _CoresOfOne:
    """Of a machine's cores those of one rank, as many as it has threads until `restore`."""

    def __init__(self, world: Any, mpi: Any) -> None:
        self._limits: Any = None
        self._threads = threads()
        neighbours = world.Split_type(mpi.COMM_TYPE_SHARED)
        ranks = neighbours.Get_size()
        neighbours.Free()
        if ranks == 1:
            return
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if ranks > (cores or 1) and world.Get_rank() == 0:
            warnings.warn(
                f"{ranks} ranks share {cores} cores of a machine: they take turns", stacklevel=4
            )
        from threadpoolctl import ThreadpoolController

        most = max(1, (cores or 1) // ranks)
        controller = ThreadpoolController()
        if any(library["num_threads"] > most for library in controller.info()):
            self._limits = controller.limit(limits=most)
        threads(min(self._threads, most))

    def restore(self) -> None:
        if self._limits is not None:
            self._limits.restore_original_limits()
        threads(self._threads)


def _exit_status(error: BaseException | None) -> int:
    """Return the status with which an exception ends a program: 0 for none."""
    if error is None:
        return 0
    if isinstance(error, SystemExit):
        code = error.code
        return code if isinstance(code, int) else 1 if code is not None else 0
    return 130 if isinstance(error, KeyboardInterrupt) else 1
