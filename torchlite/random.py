"""Torch7's random numbers, bit for bit.

A generator is a Mersenne Twister (MT19937): a stream of 32-bit words that the seed decides. Every
distribution is a formula over `u = word / 2**32`, a number in [0, 1), and everything takes its
words from the same stream, so that after `manualSeed(n)` the same calls in the same order give the
numbers that Torch7 gives after `torch.manualSeed(n)`.

The functions of this module draw from one default generator, as Torch7's do; `Generator` makes
others, and says what they share: the arguments `size` and `out`, which draw whole arrays, threads,
and the errors. Until a seed is set, the operating system chooses one at the first draw.

Logarithms, sines and the like come from `math` and `cmath`, which use the C library as Torch7 does.
NumPy's own differ from it in the last bit on some processors.
"""

import cmath
import copy
import math
import numbers
import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torchlite.errors import DTypeError, SettingError, ShapeError, fault

__all__ = [
    "Generator",
    "bernoulli",
    "cauchy",
    "drawing_from",
    "exponential",
    "geometric",
    "getRNGState",
    "initialSeed",
    "jumped",
    "logNormal",
    "manualSeed",
    "multinomial",
    "normal",
    "random",
    "randperm",
    "seed",
    "setRNGState",
    "uniform",
]

Size = int | tuple[int, ...]

_FLOAT64: np.dtype[Any] = np.dtype(np.float64)

# Who reads or moves the state of a generator holds this. One for all: each is held for moments
# only, and a generator without a lock of its own is as easy to copy as ever.
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    # A thread that is not in the child cannot release there what it holds.
    os.register_at_fork(
        before=_lock.acquire, after_in_child=_lock.release, after_in_parent=_lock.release
    )

_N = 624  # words in the state of the Mersenne Twister

# Torch7's THGenerator as it lies in the memory of a 64-bit machine.
_STATE = np.dtype(
    [
        ("the_initial_seed", "<i8"),
        ("left", "<i4"),
        ("seeded", "<i4"),
        ("next", "<u8"),
        ("state", "<u8", _N),
        ("normal_x", "<f8"),
        ("normal_y", "<f8"),
        ("normal_rho", "<f8"),
        ("normal_is_valid", "<i4"),
        ("padding", "V4"),
    ]
)


class _Stream:
    """Where a generator stands; what draws from the same stream holds the same one of these."""

    __slots__ = ("half", "initial_seed", "twister")

    def __init__(self) -> None:
        self.initial_seed = 0
        self.twister: Any = None
        # x and rho of the Box-Muller pair of which the sine is still to be given.
        self.half: tuple[float, float] | None = None


class Generator:
    """A stream of random numbers of its own (Torch7's `torch.Generator`).

    Every method that draws gives a Python number, or fills an array:

    size
        An int or a tuple: draw a new float64 array of this shape.
    out
        A float32 or float64 array of any memory layout (`random`, `geometric` and `bernoulli` take
        integer arrays too) that is filled and returned.

    An array gets exactly the numbers that as many single draws would give, in row-major order.
    For float32, Torch7 first rounds a, b, mean, stdv, median, sigma and lambd to float32, computes
    in double precision and rounds the draw; so a float32 uniform can be b itself.

    Threads may share a generator: the numbers of one call follow each other in the stream, and no
    number is given twice or lost. Which thread's call comes first, the threads' race decides, so
    numbers that shall be the same in every run need a generator for each thread. After a fork,
    parent and children draw the same numbers: give each a seed of its own.

    Raises
    ------
    DTypeError
        An argument has the wrong type, or out the wrong dtype.
    ShapeError
        size is not a shape.
    SettingError
        An argument is out of range or not finite, out is read-only or its dtype cannot hold every
        possible draw, or both size and out are given.

    A call that raises has drawn nothing.

    Example
    -------
    >>> from torchlite import random
    >>> mine = random.Generator()
    >>> mine.manualSeed(123)
    >>> mine.random(6), mine.random(6)
    (5, 2)
    >>> mine.uniform(-1, 1, size=(2, 2))
    array([[-0.42772132, -0.14305815],
           [-0.54629709,  0.3817697 ]])
    """

    def __init__(self) -> None:
        self._stream = _Stream()

    # ------------------------------------------------------------ seeds and states

    def manualSeed(self, seed: int) -> None:
        """Start the stream that belongs to a seed, and drop the spare normal.

        Any integer will do. Its lowest 32 bits decide the stream: -1 and 2**32 - 1 are one seed.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(0)
        >>> random.random()
        2357136044
        """
        seed = _whole("manualSeed", "seed", seed)
        # NumPy loads numpy.random when it is first named: here, not when torchlite is imported.
        twister = np.random.MT19937(0)
        np.random.RandomState(twister).seed(seed % 2**32)
        self._set(twister, (seed + 2**63) % 2**64 - 2**63, None)

    def seed(self) -> int:
        """Start a stream that the operating system chooses; return its seed.

        Torch7 reads 64 bits, of which its generator uses 32 and a Lua number cannot hold all; here
        the seed has 32, and `manualSeed` of it starts the same stream again.
        """
        seed = int.from_bytes(os.urandom(4), "little")
        self.manualSeed(seed)
        return seed

    def initialSeed(self) -> int:
        """Return the seed that started the stream, as a signed 64-bit integer.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(42)
        >>> random.initialSeed()
        42
        """
        with _lock:
            return self._seeded().initial_seed

    def getRNGState(self) -> NDArray[np.uint8]:
        """Return everything that decides what will be drawn, the spare normal included.

        The 5,048 bytes are laid out as Torch7's own on 64-bit machines. Generators that will draw
        the same and had the same initial seed have equal states.

        Example
        -------
        >>> from torchlite import random
        >>> state = random.getRNGState()
        >>> before = random.normal()
        >>> random.setRNGState(state)
        >>> random.normal() == before
        True
        """
        with _lock:
            stream = self._seeded()
            twister, initial, half = stream.twister.state["state"], stream.initial_seed, stream.half
        record = np.zeros(1, _STATE)
        record["the_initial_seed"] = initial
        record["left"] = _N + 1 - twister["pos"]
        record["seeded"] = 1
        record["next"] = twister["pos"]
        record["state"] = twister["key"]
        if half is not None:
            record["normal_x"], record["normal_rho"] = half
            record["normal_is_valid"] = 1
        return record.view(np.uint8)

    def setRNGState(self, state: NDArray[np.uint8]) -> None:
        """Go on as from the moment when `getRNGState`, Torch7's own too, returned this state."""
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            raise fault(DTypeError, "setRNGState", "state", "a uint8 array", _type_name(state))
        if state.shape != (_STATE.itemsize,):
            expected = f"{_STATE.itemsize} bytes"
            raise fault(ShapeError, "setRNGState", "state", expected, f"shape {state.shape}")
        record = np.ascontiguousarray(state).view(_STATE)[0]
        left, x, rho = record["left"], record["normal_x"], record["normal_rho"]
        # A freshly seeded Torch7 has left = 1 and next = 0.
        if not (
            record["seeded"] == 1
            and 1 <= left <= _N
            and (left == 1 or record["next"] == _N + 1 - left)
            and record["state"].max() < 2**32
            and record["normal_is_valid"] in (0, 1)
            and (not record["normal_is_valid"] or (0 <= x < 1 and 0 <= rho < math.inf))
        ):
            raise fault(
                SettingError, "setRNGState", "state", "one that getRNGState returned", "another"
            )
        twister = np.random.MT19937(0)
        twister.state = {
            "bit_generator": "MT19937",
            "state": {"key": record["state"].astype(np.uint32), "pos": int(_N + 1 - left)},
        }
        half = (float(x), float(rho)) if record["normal_is_valid"] else None
        self._set(twister, int(record["the_initial_seed"]), half)

    def jumped(self, jumps: int) -> "Generator":
        """Return a generator whose stream begins 2**128 * jumps words further on.

        So many words nobody draws: generators of other jumps never draw the same ones.

        Example
        -------
        >>> from torchlite import random
        >>> one = random.Generator()
        >>> one.manualSeed(123)
        >>> one.jumped(1).random(), one.jumped(2).random(), one.random()
        (1109590029, 1016233427, 2991312382)
        """
        if _whole("jumped", "jumps", jumps) < 0:
            raise fault(SettingError, "jumped", "jumps", "at least 0", str(jumps))
        with _lock:
            stream, other = self._seeded(), copy.deepcopy(self)
            other._set(stream.twister.jumped(jumps), stream.initial_seed, None)
        return other

    # ------------------------------------------------------------ draws

    def random(
        self,
        a: int | None = None,
        b: int | None = None,
        /,
        *,
        size: Size | None = None,
        out: NDArray[Any] | None = None,
    ) -> Any:
        """Draw whole numbers: `random(a, b)` from a to b, both included, `random(b)` from 1 to b.

        Maths: `word % (b + 1 - a) + a`. One word each; so no draw exceeds a + 2**32 - 1.

        Without bounds a single draw is the word itself. An array gets `word % m`, as in Torch7,
        where m is 2**24 + 1 for float32, 2**53 + 1 for float64 and the dtype's largest value + 1
        for integers.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.random(), random.random(6), random.random(3, 9)
        (2991312382, 2, 3)
        """
        n, dtype = _request("random", size, out, integers=True)
        if a is None and b is None:
            largest = 2 ** (np.finfo(dtype).nmant + 1) if dtype.kind == "f" else np.iinfo(dtype).max
            low, high = 0, int(largest)
        elif b is None:
            low, high = 1, _whole("random", "b", a)
            if high < low:
                raise fault(SettingError, "random", "b", "at least 1", str(high))
        else:
            low, high = _whole("random", "a", a), _whole("random", "b", b)
            if high < low:
                raise fault(SettingError, "random", "b", f"at least a = {low}", str(high))
        _must_hold("random", low, high, dtype)
        # From 2**32 on a modulus leaves every word as it is.
        steps = self._words(n) % min(high + 1 - low, 2**32)
        # Modulo 2**64, int64 and uint64 are the same bits.
        return _deliver((steps + np.uint64(low % 2**64)).view(np.int64), size, out)

    def uniform(
        self,
        a: float = 0,
        b: float = 1,
        *,
        size: Size | None = None,
        out: NDArray[Any] | None = None,
    ) -> Any:
        """Draw uniformly from [a, b).

        Maths: `u * (b - a) + a`. One word each.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.uniform()
        0.6964691872708499
        >>> random.uniform(-0.5, 0.5, size=3)
        array([ 0.21295532, -0.21386066, -0.07152908])
        """
        n, dtype = _request("uniform", size, out)
        low, high = _number("uniform", "a", a, dtype), _number("uniform", "b", b, dtype)
        if high < low:
            raise fault(SettingError, "uniform", "b", f"at least a = {a}", str(b))
        width = _number("uniform", "b - a", high - low)
        return _deliver(self._unit(n) * width + low, size, out)

    def normal(
        self,
        mean: float = 0,
        stdv: float = 1,
        *,
        size: Size | None = None,
        out: NDArray[Any] | None = None,
    ) -> Any:
        """Draw from the normal distribution (Box-Muller).

        Maths: `rho * cos(2 pi u1) * stdv + mean`, then `rho * sin(2 pi u1) * stdv + mean`, with
        `rho = sqrt(-2 log(1 - u2))`. Two words every second time: the second number of a pair
        waits, whatever else is drawn in between, for the next normal or logNormal.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.normal()
        -0.5214430627124417
        >>> random.normal(10, 2)
        7.017161128036918
        """
        n, dtype = _request("normal", size, out)
        mean = _number("normal", "mean", mean, dtype)
        stdv = _positive_number("normal", "stdv", stdv, dtype)
        return _deliver(self._gauss(n) * stdv + mean, size, out)

    def exponential(
        self, lambd: float, *, size: Size | None = None, out: NDArray[Any] | None = None
    ) -> Any:
        """Draw from the exponential distribution, of density `lambd * exp(-lambd * x)`.

        Maths: `-1 / lambd * log(1 - u)`. One word each.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.exponential(2)
        0.5961360744964317
        """
        n, dtype = _request("exponential", size, out)
        lambd = _positive_number("exponential", "lambd", lambd, dtype)
        factor = _number("exponential", "-1 / lambd", -1 / lambd)
        return _deliver(factor * _libm(math.log, 1 - self._unit(n)), size, out)

    def cauchy(
        self,
        median: float = 0,
        sigma: float = 1,
        *,
        size: Size | None = None,
        out: NDArray[Any] | None = None,
    ) -> Any:
        """Draw from the Cauchy distribution, of density `sigma / pi / (sigma^2 + (x - median)^2)`.

        Maths: `median + sigma * tan(pi * (u - 0.5))`. One word each.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.cauchy()
        0.709729693025559
        """
        n, dtype = _request("cauchy", size, out)
        median = _number("cauchy", "median", median, dtype)
        sigma = _positive_number("cauchy", "sigma", sigma, dtype)
        return _deliver(
            median + sigma * _libm(math.tan, math.pi * (self._unit(n) - 0.5)), size, out
        )

    def logNormal(
        self,
        mean: float = 1,
        stdv: float = 2,
        *,
        size: Size | None = None,
        out: NDArray[Any] | None = None,
    ) -> Any:
        """Draw numbers whose logarithm has the normal distribution of this mean and deviation.

        Maths: `exp(normal(mean, stdv))`. Words as for `normal`.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.logNormal(0.5, 0.25)
        1.4472124159047
        """
        n, dtype = _request("logNormal", size, out)
        mean = _number("logNormal", "mean", mean, dtype)
        stdv = _positive_number("logNormal", "stdv", stdv, dtype)
        return _deliver(_libm(_exp, self._gauss(n) * stdv + mean), size, out)

    def geometric(
        self, p: float, *, size: Size | None = None, out: NDArray[Any] | None = None
    ) -> Any:
        """Draw whole numbers i >= 1 with probability `(1 - p) * p**(i - 1)`.

        This is Torch7's p, the chance to go on; elsewhere it is often the chance to stop.

        Maths: `floor(log(1 - u) / log(p)) + 1`. One word each.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.geometric(0.5)
        2
        """
        n, dtype = _request("geometric", size, out, integers=True)
        going_on = _number("geometric", "p", p)
        if not 0 < going_on < 1:
            raise fault(SettingError, "geometric", "p", "between 0 and 1, both excluded", str(p))
        log_p = math.log(going_on)
        _must_hold("geometric", 1, int(math.log(2.0**-32) / log_p) + 1, dtype)
        trials = _libm(math.log, 1 - self._unit(n)) / log_p
        return _deliver(trials.astype(np.int64) + 1, size, out)

    def bernoulli(
        self, p: float = 0.5, *, size: Size | None = None, out: NDArray[Any] | None = None
    ) -> Any:
        """Draw 1 with probability p, else 0.

        Maths: `u <= p`. One word each. Torch7's `<=` makes p = 0 give a 1 in 2**32 draws.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.bernoulli(), random.bernoulli(0.75)
        (0, 1)
        """
        n, _ = _request("bernoulli", size, out, integers=True)
        chance = _number("bernoulli", "p", p)
        if not 0 <= chance <= 1:
            raise fault(SettingError, "bernoulli", "p", "between 0 and 1", str(p))
        # u <= p of the words themselves: no rounding, and a pass over memory less.
        ones = self._words(n) <= math.floor(chance * 2**32)
        return _deliver(ones.view(np.int8), size, out)

    def randperm(self, n: int) -> NDArray[np.int64]:
        """Return the numbers 0 to n - 1 in random order: Torch7's permutation, minus one.

        Maths: for i = 0, 1, ..., n - 2: swap the elements i and `i + word % (n - i)`
        (Fisher-Yates). n - 1 words.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.randperm(5)
        array([2, 0, 1, 3, 4])
        """
        n = _whole("randperm", "n", n)
        if n < 1:
            raise fault(SettingError, "randperm", "n", "at least 1", str(n))
        order = list(range(n))
        steps = self._words(n - 1) % np.arange(n, 1, -1, dtype=np.uint64)
        for i, step in enumerate(steps.tolist()):
            order[i], order[i + step] = order[i + step], order[i]
        return np.array(order, dtype=np.int64)

    def multinomial(
        self, prob_dist: Any, num_samples: int, replacement: bool = False
    ) -> NDArray[np.int64]:
        """Draw num_samples positions by their weights, from each row of prob_dist.

        A vector of weights gives a vector of positions, counted from 0, a matrix one row for each
        of its own. The weights need not add up to 1; without replacement, no position comes twice.

        Maths: the first position at which `cumsum(prob_dist) / sum(prob_dist)` reaches u; without
        replacement the share of what was drawn is then taken out, and the rest divided by what
        remains. One word each, row by row.

        Example
        -------
        >>> from torchlite import random
        >>> random.manualSeed(123)
        >>> random.multinomial([1, 2, 3, 4], 6, True)
        array([3, 3, 1, 2, 1, 3])
        >>> random.multinomial(np.array([[0.5, 0, 0.5], [0, 0.5, 0.5]]), 2)
        array([[2, 0],
               [2, 1]])
        """
        function, argument = "multinomial", "prob_dist"
        weights = np.asarray(prob_dist)
        if weights.dtype.kind not in "fiu":
            raise fault(DTypeError, function, argument, "real numbers", str(weights.dtype))
        if not 1 <= weights.ndim <= 2 or not weights.shape[-1]:
            raise fault(ShapeError, function, argument, "(n,) or (N, n)", str(weights.shape))
        n = _whole(function, "num_samples", num_samples)
        if n < 1:
            raise fault(SettingError, function, "num_samples", "at least 1", str(n))
        rows = np.atleast_2d(weights).astype(np.float64)
        sums = rows.sum(1)
        if not ((rows >= 0).all() and (sums > 0).all() and (sums < np.inf).all()):
            expected = "at least 0, with a finite sum above 0 in each row"
            raise fault(SettingError, function, argument, expected, str(weights))
        possible = (rows > 0).sum(1).min(initial=n)
        if not replacement and possible < n:
            expected = f"at most {possible}, the positions with a weight above 0"
            raise fault(SettingError, function, "num_samples", expected, str(n))
        draws = self._unit(len(rows) * n).reshape(len(rows), n).tolist()
        pick = _with_replacement if replacement else _without_replacement
        samples = [pick(row, shares) for row, shares in zip(rows, draws, strict=True)]
        return np.array(samples, np.int64).reshape(*weights.shape[:-1], n)

    # ------------------------------------------------------------ where the numbers come from

    def _set(self, twister: Any, initial: int, half: tuple[float, float] | None) -> None:
        with _lock:
            stream = self._stream
            stream.twister, stream.initial_seed, stream.half = twister, initial, half

    def __getstate__(self) -> dict[str, Any]:
        state = vars(self).copy()
        del state["_stream"]
        with _lock:
            # Copies of a generator without a seed would each be given another one.
            stream = self._seeded()
            state["_twister"] = copy.deepcopy(stream.twister)
            state["_initial_seed"], state["_half"] = stream.initial_seed, stream.half
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _stream=_Stream())
        self._set(*(vars(self).pop(name) for name in ("_twister", "_initial_seed", "_half")))

    def _seeded(self) -> _Stream:
        """Return the stream, which is started at its first use; the caller holds the lock."""
        if self._stream.twister is None:
            self.seed()
        return self._stream

    def _words(self, n: int) -> NDArray[np.uint64]:
        with _lock:
            twister = self._stream.twister or self._seeded().twister
            words: NDArray[np.uint64] = twister.random_raw(n)
        return words

    def _unit(self, n: int) -> NDArray[np.float64]:
        return self._words(n) * np.float64(2.0**-32)

    def _gauss(self, n: int) -> NDArray[np.float64]:
        """Standard normals: the spare one, if there is one, then pair after pair."""
        with _lock:
            stream = self._stream
            half = stream.half
            spare = 0 if half is None else 1
            pairs = (n - spare + 1) // 2
            x, y = self._unit(2 * pairs).reshape(pairs, 2).T
            rho = np.sqrt(-2 * _libm(math.log, 1 - y))
            if half is not None:
                x, rho = np.append(half[0], x), np.append(half[1], rho)
            left_over = 2 * x.size - spare > n
            stream.half = (float(x[-1]), float(rho[-1])) if left_over else None
        # In one call cmath.rect gives what Torch7 computes as rho * cos(angle), rho * sin(angle).
        points = np.fromiter(
            map(cmath.rect, rho.data, (2 * math.pi * x).data), np.complex128, rho.size
        )
        return points.view(np.float64)[spare : spare + n]


def _with_replacement(weights: NDArray[np.float64], draws: list[float]) -> list[int]:
    cumulative = _cumulative(weights)
    return [bisect_left(cumulative, u) for u in draws]


def _without_replacement(weights: NDArray[np.float64], draws: list[float]) -> list[int]:
    cumulative = _cumulative(weights)
    positions: list[int] = []
    for u in draws:
        position = bisect_left(cumulative, u)
        if position in positions:
            # Only rounding is left of the other weights: Torch7 draws a position again.
            weights[positions] = -1
            position = int(weights.argmax())
        positions.append(position)
        before = cumulative[position - 1] if position else 0.0
        share = cumulative[position] - before
        with np.errstate(all="ignore"):
            cumulative[position:] -= share
            cumulative /= 1 - share
        cumulative[-1] = 1
    return positions


def _cumulative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    cumulative = weights.cumsum()
    cumulative /= cumulative[-1]
    cumulative[-1] = 1
    return cumulative


def _libm(function: Callable[[float], float], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply a function of the C library to every value: the buffer hands out Python floats."""
    return np.fromiter(map(function, values.data), np.float64, values.size)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


# ---------------------------------------------------------------- arguments and results


def _request(
    function: str, size: Any, out: Any, integers: bool = False
) -> tuple[int, np.dtype[Any]]:
    """How many numbers are wanted, and of what dtype."""
    if out is None:
        lengths = size if isinstance(size, tuple) else () if size is None else (size,)
        if not all(_is_a(k, numbers.Integral) and k >= 0 for k in lengths):
            expected = "a length or a tuple of lengths"
            raise fault(ShapeError, function, "size", expected, repr(size))
        return math.prod(map(int, lengths)), _FLOAT64
    if size is not None:
        raise fault(SettingError, function, "size", "None beside out", repr(size))
    kinds = "float32, float64 or integer" if integers else "float32 or float64"
    if not (
        isinstance(out, np.ndarray)
        and (out.dtype in (np.float32, np.float64) or (integers and out.dtype.kind in "iu"))
    ):
        raise fault(DTypeError, function, "out", f"a {kinds} array", _type_name(out))
    if not out.flags.writeable:
        raise fault(SettingError, function, "out", "writeable", "a read-only array")
    return out.size, out.dtype


def _deliver(values: NDArray[Any], size: Size | None, out: NDArray[Any] | None) -> Any:
    """Hand the drawn values over in the form that was asked for."""
    if out is not None:
        out[...] = values.reshape(out.shape)
        return out
    if size is not None:
        return values.astype(np.float64, copy=False).reshape(size)
    return values.item()


def _number(function: str, argument: str, value: Any, dtype: np.dtype[Any] = _FLOAT64) -> float:
    """Return a real argument as Torch7 sees it: rounded to the dtype of the array to fill."""
    if not _is_a(value, numbers.Real):
        raise fault(DTypeError, function, argument, "a real number", repr(value))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not abs(number) <= float(np.finfo(dtype).max):
        raise fault(SettingError, function, argument, f"a finite {dtype}", str(value))
    return float(dtype.type(number))


def _positive_number(function: str, argument: str, value: Any, dtype: np.dtype[Any]) -> float:
    number = _number(function, argument, value, dtype)
    if not number > 0:
        raise fault(SettingError, function, argument, "positive", str(value))
    return number


def _whole(function: str, argument: str, value: Any) -> int:
    if not _is_a(value, numbers.Integral):
        raise fault(DTypeError, function, argument, "a whole number", repr(value))
    return int(value)


def _is_a(value: Any, kind: type) -> bool:
    """Whether a value is a number of this kind; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _must_hold(function: str, low: int, high: int, dtype: np.dtype[Any]) -> None:
    """Refuse draws from low to high that an array of this dtype cannot hold."""
    limits = np.iinfo(dtype if dtype.kind in "iu" else np.int64)
    if low < limits.min or high > limits.max:
        expected = f"of a dtype that holds draws from {low} to {high}"
        raise fault(SettingError, function, "out", expected, str(limits.dtype))


def _type_name(value: Any) -> str:
    return f"{value.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__


_default = Generator()

# The streams that the default generator has drawn from and will draw from again: its own, then one
# for each block that is running, the latest last.
_streams: dict[object, _Stream] = {None: _default._stream}


@contextmanager
def drawing_from(generator: Generator) -> Iterator[None]:
    """Let the functions of this module draw from a generator inside a with block.

    What the block draws, layers that drop and initial weights too, comes from the generator and
    moves it on, as do the generator's own methods; the default one is left as it was. It is so for
    all threads: of several blocks that run, the one that began last decides.

    Example
    -------
    >>> from torchlite import random
    >>> mine = random.Generator()
    >>> mine.manualSeed(123)
    >>> with random.drawing_from(mine):
    ...     random.random(6), random.random(6)
    (5, 2)
    """
    block = object()
    try:
        with _lock:
            _streams[block] = generator._stream
            _default._stream = generator._stream
        yield
    finally:
        with _lock:
            # Not always the latest: threads leave their blocks in any order.
            _streams.pop(block, None)
            _default._stream = next(reversed(_streams.values()))


manualSeed = _default.manualSeed
seed = _default.seed
initialSeed = _default.initialSeed
getRNGState = _default.getRNGState
setRNGState = _default.setRNGState
random = _default.random
uniform = _default.uniform
normal = _default.normal
exponential = _default.exponential
cauchy = _default.cauchy
logNormal = _default.logNormal
geometric = _default.geometric
bernoulli = _default.bernoulli
randperm = _default.randperm
multinomial = _default.multinomial
jumped = _default.jumped
