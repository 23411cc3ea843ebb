"""What one example leaves unseen: other numbers, other parameters, other sizes, other examples.

A clip at 100, a ninth row, an id that comes twice: a subject is put where these show, as far as its
layer goes there. Its gradients are judged along one direction; where that finds a difference, the
oracle looks closely.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.nn.checks import is_integral
from torchlite.nn.container import Container
from torchlite.nn.nested import (
    cast_arrays,
    copy_arrays,
    is_array,
    is_finite,
    is_floating,
    leaves,
    map_arrays,
    scale_arrays,
    shapes,
)
from torchlite.testing import values
from torchlite.testing.module_subject import LARGE
from torchlite.testing.oracle import FLOOR, Backward, check_again
from torchlite.testing.slopes import CENTRAL, COMPLEX_STEP, GLANCE, LONGEST
from torchlite.testing.subject import ROUNDING, SLACK, Subject, attempt, quietly
from torchlite.testing.violations import GradientMismatch

__all__ = [
    "check_elsewhere",
    "check_there",
    "elsewhere",
    "examples",
    "gained",
    "larger",
    "others",
    "sizes",
    "with_others",
    "with_zeros",
]

AnySubject = TypeVar("AnySubject", bound=Subject)
# Axes by the ids of arguments.
Along = dict[int, list[int]]
# What puts other numbers into parameters.
Change = Callable[[list[Array]], None]

FACTORS = {"2^-6": 2.0**-6, "8": 8.0, "64": 64.0, "512": 512.0}
# Of parameters, which are moved to odd multiples of 1/64: never onto a whole number.
# A gain of 0 is that of every second entry alone.
GAINS = (-1.0, 0.0, 8.0, 48.0)
# What takes the size, or a part, of a complex number, and has no slope by it then.
BLIND = {"abs", "absolute", "fabs", "hypot", "norm", "real", "sign", "std", "var", "vdot"}
# Numbers of samples, where the example has fewer; one more of it where it is large.
SAMPLES = (9, 33, 65)
# And where it has more: of one or two an axis may be lost, or their number taken for True.
FEWER = (2, 1)
# Among few different numbers, most tie.
TIED: dict[str, Callable[[Any], Any]] = {
    "equal numbers": partial(values.tied, step=2.0),
    "numbers of one size": partial(values.tied, step=8.0),
    "one number": partial(map_arrays, lambda a: 0.75 + 0 * a if is_floating(a) else a),
}
LIKE = "samples equal to parameters"
STEPS = 33
# So many examples of other ids or classes are enough where any will do.
EXAMPLES = 3
# So often ids and classes that an example leaves out are put into it.
PARTS = 8
# The share of the largest gradient of several that a small one counts as, at least.
SMALL = 1e-6
# Of tables of more arrays, these are made longer together only.
APART = 4
ORDINALS = "first", "second", "third", "fourth", "fifth", "sixth"
_FEW_ROUNDINGS = 2.0**-49


def elsewhere(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject at other numbers, sizes and examples, one thing changed at a time."""
    few = s.of_few_samples()
    for changed, others in (
        ("numbers", numbers(few)),
        ("ids", examples(few)),
        ("few", fewer(few)),
        ("samples", sizes(s)),
        ("steps", steps(s)),
        ("axes", axes(few)),
    ):
        for other in others:
            other.changed = other.changed or changed
            yield other


def numbers(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject at tiny, large, negative and equal inputs, if it is finite there."""
    arrays = [a for a in leaves(s.input) if is_floating(a)]
    if not arrays:
        return
    changes = {"input * 2^-6": scale_arrays(s.input, FACTORS["2^-6"])}
    if _may_be_others(s):
        changes |= {f"input * {name}": scale_arrays(s.input, n) for name, n in FACTORS.items()}
        changes["-|input|"] = map_arrays(lambda a: -abs(a) if is_floating(a) else a, s.input)
        changes |= {what: tie(s.input) for what, tie in TIED.items()}
        if not s.composed:
            # Layers inside are asked by themselves; what is steep in one makes NaN of a zero after.
            changes["zeros"] = with_zeros(s.input)
            if s.names and not s.large:
                parameters = s.parameters_of(s.base)[0]
                changes[LIKE] = map_arrays(lambda a: _with_rows(a, parameters), s.input)
    for what, input in changes.items():
        for other in _at(s, what, {**s.asked, "input": input}):
            other.tied = what in TIED
            other.changed = "zeros" if what in {"zeros", LIKE} else "numbers"
            yield other
    if s.scalar:
        input, target = s.asked.values()
        alike = shapes(input) == shapes(target) and all(map(is_floating, leaves(target)))
        if alike and not _may_be_shares(target) and not any(map(_is_label, leaves(target))):
            yield from _at(s, "input and target exchanged", {"input": target, "target": input})
            for other in _at(s, "the target as input", {**s.asked, "input": copy_arrays(target)}):
                other.changed = "zeros"
                yield other
    if len(changes) > 1:
        yield from _at(s, "input * -64", {**s.asked, "input": scale_arrays(s.input, -64.0)})


def with_others(s: AnySubject, what: str, change: Change) -> AnySubject:
    """Return the subject with other parameters."""
    other = copy.copy(s)
    other.base = s.fresh()
    change(s.parameters_of(other.base)[0])
    vars(other).update(where=f"{s.where} at {what}", notes=[], kinks={}, changed="numbers")
    other.output = copy_arrays(attempt(other.forward, other.fresh(), copy_arrays(s.input)))
    return other


def gained(gain: float, number: int | None = None) -> Change:
    """Return what multiplies a parameter, or all, by a gain."""
    return partial(_multiply, gain=gain, number=number)


def _put(parameters: list[Array], others: list[Array]) -> None:
    for parameter, other in zip(parameters, others, strict=True):
        parameter[...] = other


def _multiply(parameters: list[Array], gain: float, number: int | None) -> None:
    """Multiply a parameter, or all, by a gain, of which every second entry gets the other sign.

    A gain of 0 leaves these as they are.
    """
    for i, parameter in enumerate(parameters):
        if number in (None, i):
            turns = np.where(np.arange(parameter.size) % 2, -gain or 1.0, gain)
            parameter *= turns.reshape(parameter.shape)


def with_zeros(table: Any) -> Any:
    """Return a table of which some numbers are 0."""
    number = itertools.count()
    return map_arrays(lambda a: _with_zeros(a, next(number)), table)


def _with_rows(array: Any, parameters: list[Array]) -> Any:
    """Return an array whose samples are rows, or columns, of parameters, as far as these fit.

    The distance to a centre is 0 there.
    """
    if not is_floating(array) or array.ndim < 2:
        return array
    firsts = [np.atleast_2d(side)[0] for p in parameters if p.size for side in (p, p.T)]
    changed = array.copy()
    for i, row in enumerate([row for row in firsts if row.shape == array.shape[-1:]][: len(array)]):
        changed[i] = row
    return changed


def _with_zeros(array: Any, number: int) -> Any:
    """Return an array whose first sample is 0, and each other in one entry, another for each.

    number: of the array in its table, each of which has them elsewhere.
    """
    if not is_floating(array) or not array.ndim or not array.size:
        return array
    changed = array.copy()
    changed[0] = 0
    rows = changed.reshape(len(array), -1)
    places = np.arange(len(rows))
    rows[places, (places + number) % rows.shape[1]] = 0
    return changed


def larger(s: Subject) -> list[list[tuple[str, Any]]]:
    """Return inputs that are larger than the subject's, the largest first, of each sign."""
    arrays = [a for a in leaves(s.input) if is_floating(a)]
    both = any((a > 0).any() and (a < 0).any() for a in arrays)
    factors: Any = 2.0 ** np.arange(9, 0, -1) if arrays and _may_be_others(s) else []
    return [
        [(f"input * {sign * n:g}", scale_arrays(s.input, float(sign * n))) for n in factors]
        for sign in ((1,) if both else (1, -1))
    ]


def _may_be_others(s: Subject) -> bool:
    """Tell whether inputs of other sizes mean something: of probabilities there are none."""
    return not (s.scalar and _may_be_shares(s.input))


def _may_be_shares(table: Any) -> bool:
    """Tell whether all numbers lie between 0 and 1, as probabilities do."""
    return all(((a >= 0) & (a <= 1)).all() for a in leaves(table) if is_floating(a))


def sizes(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject with more samples."""
    length = _length(s, 0)
    if length:
        for count in [length + 1] if _is_large(s) else [n for n in SAMPLES if n > length]:
            for other in _at(s, f"{count} samples", _resized(s, _along(s, 0, length), count)):
                yield other
                if length == 1 and count == SAMPLES[0]:
                    # Copies of one sample have one label.
                    yield from examples(other)


def fewer(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject with two samples, unless it is large; of a criterion with one, too."""
    length = 0 if s.large else _length(s, 0)
    for count in FEWER if s.scalar else FEWER[:1]:
        if length and length != count:
            changed = _resized(s, _along(s, 0, length), count)
            yield from _at(s, f"{count} sample{'s' * (count > 1)}", changed)


def steps(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject with more, and less, along the second axis."""
    target = leaves(s.asked.get("target"))
    if any(a.ndim and np.allclose(a.sum(-1), 1) for a in target if is_array(a)):
        # Shares of a whole, of which there are not more.
        return
    length = _length(s, 1)
    if not length or _is_large(s):
        return
    # Of matrices, the second axis has no steps.
    flat = all(a.ndim < 3 for a in leaves(s.input))
    counts = [] if flat else [n for n in FEWER if n < length]
    for count in [*counts, STEPS] if length < STEPS else counts:
        yield from _at_length(s, 1, _along(s, 1, length), count)


def axes(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject with each axis behind the second longer, or shorter where it is large.

    Height is not width, then, and as long as it after that; nor are arrays of a table alike whose
    lengths need not be.
    """
    arrays = list(filter(is_array, leaves(s.asked)))
    dims = max((a.ndim for a in arrays), default=0)
    large = _is_large(s)
    for axis in range(2, min(dims, len(ORDINALS))):
        length = _length(s, axis)
        shares = (np.allclose(a.sum(-1), 1) for a in arrays if a.ndim == axis + 1)
        if length < 2 or any(shares):
            # What is 1 may stand for any number; of shares of a whole there are not more.
            continue
        along = _along(s, axis, length)
        # The class of each pixel has no axis of classes.
        fewer = [a for a in arrays if a.ndim == dims - 1 and a.shape[axis - 1] == length]
        ways = [{**along, **{id(a): [axis - 1] for a in fewer}}, along] if fewer else [along]
        # What is pooled two by two, say, may take twos alone.
        # Of images, there are many numbers soon.
        most = STEPS if dims == 3 else SAMPLES[0]
        counts = [most, -(-most // length) * length] if length < most else [length // 2]
        tries = itertools.product(ways, [length // 2] if large else counts)
        yield from itertools.islice(
            (other for way, count in tries for other in _at_length(s, axis, way, count)), 1
        )
    if not large:
        behind = {id(a): [*range(2, dims)] for a in arrays if a.ndim == dims > 2}
        if behind:
            yield from _at(s, "1 along all axes behind the second", _resized(s, behind, 1))
        yield from _square(s, [a for a in arrays if a.ndim == dims > 3])
        yield from _apart(s)


def _square(s: AnySubject, arrays: list[Array]) -> Iterator[AnySubject]:
    """Yield the subject with all axes behind the second as long as each other, and longer."""
    shapes = {a.shape[2:] for a in arrays}
    if len(shapes) != 1:
        return
    lengths = shapes.pop()
    count = math.lcm(*lengths)
    if 1 in lengths or count > 2 * max(lengths):
        return
    count *= 1 + (count == max(lengths))
    along = {id(a): [*range(2, a.ndim)] for a in arrays}
    yield from _at(s, f"{count} along all axes behind the second", _resized(s, along, count))


def _apart(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject with one array of its table longer than the others, or all but one."""
    inputs = list(filter(is_array, leaves(s.input)))
    dims = max((a.ndim for a in inputs), default=0)
    for axis in range(1, min(dims, len(ORDINALS))):
        longer = [a for a in inputs if a.ndim > axis and a.shape[axis] > 1]
        if not 1 < len(longer) <= APART:
            continue
        groups = [[a] for a in longer]
        if len(longer) > 2:
            groups += [[b for b in longer if b is not a] for a in longer]
        for group in groups:
            lengths = {a.shape[axis] for a in group}
            if len(lengths) == 1:
                along = {id(a): [axis] for a in group}
                yield from _at_length(s, axis, along, 3 * lengths.pop())


def _at_length(s: AnySubject, axis: int, along: Along, count: int) -> Iterator[AnySubject]:
    """Yield the subject with arguments that are so long, along axes that are given by their ids."""
    what = f"{count} along the {ORDINALS[axis]} axis"
    if len(along) < sum(a.ndim > axis for a in leaves(s.asked) if is_array(a)):
        places = (i for i, a in enumerate(leaves(s.asked)) if id(a) in along)
        what += f" of {', '.join(f'[{i}]' for i in places)}"
    yield from _at(s, what, _resized(s, along, count))


def _comes_back(s: Subject) -> bool:
    """Tell whether gradInput has the input's shape, but for the order of axes and ones.

    Else its layer may only seem to take inputs of this length.
    """

    def lengths(table: Any) -> list[list[int]]:
        return [sorted(n for n in np.shape(a) if n != 1) for a in leaves(table)]

    return lengths(s.run().gradInput) == lengths(s.input)


def _along(s: Subject, axis: int, length: int) -> Along:
    """Return the axis by the ids of the arguments that are so long along it."""
    arrays = filter(is_array, leaves(s.asked))
    return {id(a): [axis] for a in arrays if a.ndim > axis and a.shape[axis] == length}


def _is_large(s: Subject) -> bool:
    return s.large or sum(a.size for a in leaves(s.input) if is_array(a)) > LARGE


def _length(s: Subject, axis: int) -> int:
    """Return the length that the arrays have in common along an axis, 0 if there is none."""
    arrays = [a for a in leaves(s.asked) if is_array(a) and a.ndim > axis]
    large = [a for a in arrays if a.ndim > axis + 1]
    lengths = {a.shape[axis] for a in large or arrays}
    return lengths.pop() if len(lengths) == 1 else 0


def _resized(s: Subject, along: Along, count: int) -> dict[str, Any]:
    """Return arguments that are so long along axes that are given by their ids.

    What is there comes again; numbers of the input a little smaller, unless they make up a whole.
    """
    moved = {id(a) for a in leaves(s.input)}

    def resized(array: Any) -> Any:
        if id(array) not in along:
            return array
        before = array.size
        whole = id(array) not in moved or _is_label(array) or np.allclose(array.sum(-1), 1)
        for axis in along[id(array)]:
            array = np.take(array, np.arange(count) % array.shape[axis], axis)
        if whole or array.size < before:
            return array
        # Zeros would tie.
        array = np.where(array == 0, s.rng.choice(array[array != 0], array.shape), array)
        return array * s.rng.uniform(0.8, 1, array.shape)

    changed: dict[str, Any] = map_arrays(resized, s.asked)
    return changed


def examples(s: AnySubject) -> Iterator[AnySubject]:
    """Yield the subject with its ids, classes and labels permuted, repeated and exchanged."""
    labels = [a for a in leaves(s.asked) if is_array(a) and _may_vary(s, a)]
    if not labels:
        return
    rng = s.rng

    def change(by: Callable[[Array], Array]) -> dict[str, Any]:
        changed: dict[str, Any] = map_arrays(
            lambda a: by(a) if is_array(a) and _may_vary(s, a) else a, s.asked
        )
        return changed

    def permuted(a: Array) -> Array:
        if _is_one_hot(a):
            return a[..., rng.permutation(a.shape[-1])]
        return rng.permutation(a.reshape(-1)).reshape(a.shape)

    def repeated(a: Array) -> Array:
        if _is_one_hot(a):
            return a[rng.permutation(len(a))]
        occurring = np.unique(a)
        return rng.choice(occurring[: (len(occurring) + 1) // 2], a.shape)

    def first_again(a: Array) -> Array:
        return np.broadcast_to(a[:1], a.shape).copy()

    what = "its ids or labels"
    yield from _at(s, f"{what} permuted", change(permuted))
    yield from _at(s, f"{what} repeated", change(repeated))
    yield from _at(s, f"{what} of the first sample", change(first_again))
    if s.scalar:
        yield from _at(s, f"{what} exchanged for the others", change(lambda a: _other(s, a)))
        yield from _at(s, "the classes that the input says", _agreeing(s, change))
    for array in labels:
        if is_integral(array) and not _is_one_hot(array) and not _are_signs(s, array):
            yield from _left_out(s, array)


def others(s: Subject) -> Iterator[list[Any]]:
    """Yield other arguments of backward in the same shapes: other numbers, ids and masks."""
    yield list(s.others())
    for other in itertools.islice(examples(s), EXAMPLES):
        if shapes(other.given) == shapes(s.given):
            yield list(other.given.values())
    if any(is_array(a) and a.dtype == bool for a in leaves(s.given)):
        yield map_arrays(
            lambda a: ~a if is_array(a) and a.dtype == bool else a, list(s.given.values())
        )


def _agreeing(s: Subject, change: Callable[[Callable[[Array], Array]], Any]) -> dict[str, Any]:
    """Return arguments where targets are the classes of the largest inputs, by far.

    Only of those that occur: classes may count from 1.
    """
    scores = leaves(s.input)[0]

    def largest(array: Array) -> Array:
        axis = _axis_of_classes(s, array)
        if axis is None:
            return array
        found = scores.argmax(axis).astype(array.dtype)
        return np.where(np.isin(found, array) & (array >= 0), found, array)

    return {**change(largest), "input": scale_arrays(s.input, FACTORS["8"])}


def _left_out(s: AnySubject, array: Array) -> Iterator[AnySubject]:
    """Yield the subject with ids or classes that an array has not, in the place of some of its."""

    def change(by: Callable[[Array], Array]) -> dict[str, Any]:
        changed: dict[str, Any] = map_arrays(lambda a: by(a) if a is array else a, s.asked)
        return changed

    def output_of(id: int) -> Any:
        # What overflows is no id, either.
        output = attempt(lambda: s.forward(s.fresh(), *change(lambda a: 0 * a + id).values()))
        return output if is_finite(output) else None

    first, last = _range(s, array, output_of)
    missing = np.setdiff1d(np.arange(first, min(last + 1, first + LARGE)), array)
    # The ends first: most mistakes are about these.
    missing = np.concatenate([missing[:1], missing[1:][::-1][:1], s.rng.permutation(missing[1:-1])])
    # Not in the first or the last sample, of which one might think that it is treated otherwise.
    places = np.argsort(np.abs(np.arange(array.size) - array.size / 2), kind="stable")
    for start in range(0, len(missing), array.size)[:PARTS]:
        part = missing[start : start + array.size]

        def with_part(a: Array, part: Array = part) -> Array:
            changed = a.copy()
            changed.reshape(-1)[places[: len(part)]] = part
            return changed

        yield from _at(s, "ids or labels that the example leaves out", change(with_part))


def _range(s: Subject, array: Array, output_of: Callable[[int], Any]) -> tuple[int, int]:
    """Return the first and the last of the ids or classes that an array may hold.

    Where a forward takes as many as a parameter or input has along an axis, and no more, it reads
    these by them. Else all that lie between those that occur are taken, and where nothing says that
    they are lengths, those from 0 on.
    """
    arrays = [*s.parameters_of(s.base)[0], *leaves(s.asked)]
    lengths = {n for a in arrays if is_floating(a) for n in a.shape}
    refused = [
        id
        for id in sorted({*lengths, *(n + 1 for n in lengths)} - {0})
        if output_of(id) is None and output_of(id - 1) is not None
    ]
    if refused:
        start, end = output_of(0), output_of(refused[0] - 1)
        # Counted from 1, 0 reads what the last reads.
        from_one = start is None or all(map(np.array_equal, leaves(start), leaves(end)))
        return int(from_one), refused[0] - 1
    first, last = max(int(array.min()), 0), int(array.max())
    inputs = leaves(s.input)
    if not s.scalar or any(a is array for a in inputs):
        return (first if len(inputs) > 1 else 0), last
    axis = _axis_of_classes(s, array)
    most = 0 if axis is None else inputs[0].shape[axis] - 1
    return 0, most if most > last and output_of(most) is not None else last


def _axis_of_classes(s: Subject, array: Array) -> int | None:
    """Return the axis of the input that a target of classes lacks, if it is one."""
    shape = leaves(s.input)[0].shape
    axes = [i for i in range(len(shape)) if shape[:i] + shape[i + 1 :] == array.shape]
    return axes[-1] if axes and is_integral(array) else None


def _may_vary(s: Subject, array: Array) -> bool:
    """Tell whether an array of ids, classes or labels may be exchanged for others."""
    if not array.ndim or not array.size or array.dtype == bool:
        return False
    is_target = s.scalar and any(array is a for a in leaves(s.asked["target"]))
    return is_integral(array) or (is_target and _is_label(array))


def _is_label(array: Array) -> bool:
    """Tell whether an array holds integers, or 0, 1 and -1 only."""
    return not is_floating(array) or bool(np.isin(array, (-1, 0, 1)).all())


def _is_one_hot(array: Array) -> bool:
    return array.ndim > 1 and bool((array >= 0).all() and (array.sum(-1) == 1).all())


def _other(s: Subject, array: Array) -> Array:
    """Return 0 for 1 and 1 for 0, or the other sign of labels."""
    if _is_one_hot(array):
        return np.roll(array, 1, -1)
    if _are_signs(s, array):
        return -array
    return 1 - array if np.isin(array, (0, 1)).all() else array


def _are_signs(s: Subject, array: Array) -> bool:
    """Tell whether an array holds 1 and -1 that are no classes."""
    inputs = leaves(s.input)
    classes = len(inputs) == 1 and inputs[0].shape != array.shape and is_integral(array)
    return s.scalar and not classes and bool(np.isin(array, (-1, 1)).all())


def _at(s: AnySubject, what: str, asked: dict[str, Any]) -> Iterator[AnySubject]:
    """Yield the subject at other arguments, unless it refuses them or gives no numbers."""
    other = copy.copy(s)
    vars(other).update(asked, pristine=copy_arrays(asked["input"]), notes=[], kinks={})
    other.where = f"{s.where} at {what}"
    output = attempt(other.forward, other.fresh(), *copy_arrays(asked).values())
    if output is None or not is_finite(output):
        return
    other.output = copy_arrays(output)
    if shapes(output) != shapes(s.output):
        other.gradOutput = map_arrays(lambda a: values.distinct(s.rng, a.shape), output)
    yield other


def check_elsewhere(
    s: Subject,
    kind: str,
    gradients: Callable[[Subject], Sequence[tuple[int | None, Backward, str]]],
) -> None:
    """Fail unless gradients are right at other numbers, sizes and examples, too."""
    # Of large layers, copies take longest: these are for all that agrees.
    layers = s.fresh(), s.fresh("complex128")
    of_input = kind == "input"
    with quietly():
        for other in elsewhere(s):
            if not of_input and other.where in s.agreed:
                continue
            try:
                if _agrees(other, of_input, bool(s.names), *layers):
                    if other.changed in {"numbers", "zeros", "few", "axes"}:
                        # Parameters moved, too, and the numbers are the same for whoever asks.
                        s.agreed.add(other.where)
                    continue
                if other.changed in {"steps", "axes"} and not _comes_back(other):
                    continue
                wrong = gradients(other)
                if not of_input and other.changed == "zeros":
                    # Of parameters, nothing is special there but NaN.
                    wrong = [each for each in wrong if not _is_finite(other, each[1])]
            except Exception:
                # What forward takes, backward may refuse: ids that come twice, a ninth step.
                continue
            check_there(other, kind, wrong)
        if s.names and not isinstance(s.base, Container):
            # Layers inside are asked by themselves.
            _check_gains(s.of_few_samples(), kind, gradients, *layers)


def _check_gains(
    s: Subject,
    kind: str,
    gradients: Callable[[Subject], Sequence[tuple[int | None, Backward, str]]],
    layer: Any,
    analytic: Any,
) -> None:
    """Fail unless gradients are right with parameters of other signs and sizes, too.

    And with those that it starts with. All together; where that is out of the domain of one, of a
    logarithm say, each by itself.
    """
    sides = [s.parameters_of(each)[0] for each in (layer, analytic)]

    def is_right(what: str, change: Change) -> bool | None:
        """Tell whether it is; None if the layer refuses such parameters, or has no numbers."""
        where = f"{s.where} at {what}"
        if where in s.agreed:
            return True
        before = copy_arrays(sides)
        try:
            for side in sides:
                change(side)
            if not is_finite(s.forward(layer, s.input)):
                return None
            right = _agrees(s, kind == "input", True, layer, analytic, doubted=True)
        except Exception:
            return None
        finally:
            for array, old in zip(leaves(sides), leaves(before), strict=True):
                array[...] = old
        if right:
            s.agreed.add(where)
        return right

    def check(what: str, change: Change) -> bool | None:
        right = is_right(what, change)
        if right is False:
            other = with_others(s, what, change)
            check_there(other, kind, gradients(other))
        return right

    if not s.large:
        # What is special about 0, 1 or 2 is met where a layer starts with it.
        check("the parameters it starts with", partial(_put, others=s.first))
    # Of which other signs are refused: 0 is the edge of what they may be.
    positive: set[int] = set()
    for gain in GAINS[:1] if s.large else GAINS:
        by = f"* {gain:g}" if gain else "with zeros"
        if (gain or not positive) and check(f"parameters {by}", gained(gain)) is not None:
            continue
        for i, name in enumerate(s.names):
            if gain or i not in positive:
                # A single one is all of them.
                right = check(f"{name}'s {by}", gained(gain, i)) if len(s.names) > 1 else None
                if right is None and gain < 0:
                    positive.add(i)


def check_there(
    s: Subject, kind: str, gradients: Sequence[tuple[int | None, Backward, str]]
) -> None:
    """Fail unless gradients are right but for what rounding may do where the subject is."""
    for number, backward, name in gradients:
        try:
            check_again(s, kind, number, backward, name)
        except GradientMismatch as mismatch:
            if not _is_rounding(s, backward, mismatch):
                raise


def _agrees(
    s: Subject,
    of_input: bool,
    of_parameters: bool,
    layer: Any,
    analytic: Any,
    doubted: bool = False,
) -> bool:
    """Tell whether a complex step along one direction, in all arrays at once, finds nothing.

    doubted: if so, ask central differences, too, where the complex step may be blind.
    """
    input = copy_arrays(cast_arrays(s.input, "complex128"))
    result = s.run(layer)
    arrays, gradients = [], list[Array]()
    if of_input:
        pairs = zip(leaves(result.gradInput), leaves(s.input), strict=False)
        gradients += [g for g, a in pairs if is_floating(a)]
        arrays += leaves(input)
    if of_parameters:
        gradients += result.gradients
        arrays += s.parameters_of(analytic)[0]
    arrays = [a for a in arrays if np.iscomplexobj(a)]
    if [np.shape(g) for g in gradients] != [a.shape for a in arrays]:
        return False
    # Each counts as much as the others: beside large ones a small one is nothing.
    norms = [float(np.linalg.norm(g)) for g in gradients]
    sizes = [max(norm, SMALL * max(norms)) or 1.0 for norm in norms]
    directions = [drawn / size for drawn, size in zip(_drawn(s, arrays), sizes, strict=True)]
    for array, direction in zip(arrays, directions, strict=True):
        array.imag = COMPLEX_STEP * direction
    with quietly():
        outputs = attempt(s.forward, analytic, input)
        for array in arrays:
            array.imag = 0
        if outputs is None:
            return False
        expected = got = size = floor = 0.0
        for weight, output in zip(leaves(s.gradOutput), leaves(outputs), strict=True):
            if not is_floating(output):
                continue
            if not np.iscomplexobj(output):
                return False
            terms = weight * (output.imag / COMPLEX_STEP)
            expected += terms.sum()
            size += np.abs(terms).sum()
            floor += np.abs(weight * output.real).sum()
        for gradient, direction, norm in zip(gradients, directions, norms, strict=True):
            got += float(np.vdot(gradient, direction))
            size += norm * float(np.linalg.norm(direction))
        if not abs(got - expected) <= ROUNDING * size + FLOOR * floor / min(sizes, default=1):
            return False
    if not doubted or not BLIND & s.words.keys():
        return True
    # What depends on the size of a complex number, central differences see.
    real = cast_arrays(input, "float64")
    moved = [a for a in leaves(real) if is_floating(a)] if of_input else []
    moved += s.parameters_of(layer)[0] if of_parameters else []
    return _is_slope(s, layer, real, moved, directions, float(expected), size, floor)


def _drawn(s: Subject, arrays: list[Array]) -> list[Array]:
    """Return numbers in the shapes of arrays: of a large layer the same each time it is asked."""
    of = tuple(a.shape for a in arrays)
    if not s.large or of not in s.drawn:
        s.drawn[of] = [s.rng.uniform(-1, 1, shape) for shape in of]
    return s.drawn[of]


def _is_slope(
    s: Subject,
    layer: Any,
    input: Any,
    arrays: list[Array],
    directions: list[Array],
    expected: float,
    size: float,
    floor: float,
) -> bool:
    """Tell whether one central difference, at first sight, is the slope along the directions."""
    scales = [
        float(np.abs(a).max(initial=0) or 1) / float(np.abs(d).max(initial=0) or 1)
        for a, d in zip(arrays, directions, strict=True)
    ]
    step = GLANCE * min(scales, default=1.0)
    ends, before = [], copy_arrays(arrays)
    for sign in (1, -1):
        for array, old, direction in zip(arrays, before, directions, strict=True):
            array[...] = old + sign * step * direction
        output = attempt(s.forward, layer, input)
        for array, old in zip(arrays, before, strict=True):
            array[...] = old
        if output is None:
            return False
        pairs = zip(leaves(s.gradOutput), leaves(output), strict=True)
        ends.append(sum(float((v * y).sum()) for v, y in pairs if is_floating(y)))
    slope = (ends[0] - ends[1]) / (2 * step)
    return bool(abs(slope - expected) <= 1e-6 * size + 1e-15 * floor / step)


def _is_finite(s: Subject, backward: Backward) -> bool:
    return bool(np.isfinite(backward(s, leaves(s.gradOutput))).all())


def _is_rounding(s: Subject, backward: Backward, mismatch: GradientMismatch) -> bool:
    """Tell whether a gradient is off by what rounding may do to the gradient, or to the oracle.

    Long sequences and large numbers may make much of a rounding: the gradient changes as much where
    all numbers move by a few. Of differences, large outputs leave little to small gradients.
    """
    weights = leaves(s.gradOutput)
    with quietly():
        got = backward(s, weights)
        off, far = (
            np.abs(backward(_rounded(s, by * _FEW_ROUNDINGS), weights) - got) for by in (1, 16)
        )
        # At a kink everything changes at once.
        off = np.where(far >= 4 * off, off, 0)
        size = float(np.abs(got).max(initial=0))
        weight = max(float(np.abs(v).max(initial=0)) for v in weights)
        floor = 1e-12 * (size + weight)
        numbers = [a for a in leaves(s.input) if is_floating(a)] + s.parameters_of(s.base)[0]
        largest = max((float(np.abs(a).max(initial=0)) for a in numbers), default=0)
        # What is nearly 0 may have lost all its digits, and be multiplied by large numbers then.
        rounding = np.finfo(float).eps * largest**2 * weight
        floor += rounding
        if mismatch.oracle == CENTRAL:
            # What the first step's difference makes of a rounding: of 1, or of products.
            floor += 1e-6 * size
            floor += 4 * max(np.finfo(float).eps * weight, rounding) / LONGEST
        if mismatch.index is None and off.max(initial=0) > 1e-9 * size:
            return True
        blur = 0.0 if mismatch.index is None else 4 * off[mismatch.index]
        if mismatch.difference is None:
            return False
        turned = [_turned(s, *signs) for signs in ((-1, 1), (1, -1))]
        there = [
            gradient for each in turned for gradient in leaves(attempt(backward, each, weights))
        ]
        found = [np.abs(g[np.isfinite(g)]).max(initial=0) for g in filter(is_array, there)]
        # What is nothing here, as 1 + tanh(x) far below 0, is rounded as what it is beyond 0.
        beyond = SLACK * np.finfo(float).eps * max(map(float, found), default=0)
        beyond *= got.size if mismatch.index is None else 1
        return bool(mismatch.difference <= max(floor, blur, beyond))


def _turned(s: Subject, *signs: int) -> Subject:
    """Return the subject at numbers, and with parameters, times these signs."""
    other = copy.copy(s)
    other.base = s.fresh()
    other.input = map_arrays(lambda a: signs[0] * a if is_floating(a) else a, s.input)
    for parameter in other.parameters_of(other.base)[0]:
        parameter *= signs[1]
    return other


def _rounded(s: Subject, by: float) -> Subject:
    """Return the subject at numbers that differ by such a share of their own."""
    other = copy.copy(s)
    other.base = s.fresh()
    rng = values.generator(s.seed, "roundings")
    for parameter in other.parameters_of(other.base)[0]:
        parameter *= 1 + by * rng.uniform(-1, 1, parameter.shape)
    # What is equal stays so: at a tie everything changes.
    other.input = map_arrays(
        lambda a: a * (1 + by * np.cos(1e4 * a)) if is_floating(a) else a, s.input
    )
    return other
