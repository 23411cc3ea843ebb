"""A batch is its samples, be there many or none."""

import copy
import itertools
from typing import Any

import numpy as np

from torchlite.nn.module import Module
from torchlite.nn.nested import (
    copy_arrays,
    is_array,
    is_floating,
    leaves,
    map_arrays,
    rebuilt,
    scale_arrays,
    shapes,
)
from torchlite.testing import values
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.raised import line_of, method_of
from torchlite.testing.readings import together
from torchlite.testing.subject import Result, attempt, quietly, states
from torchlite.testing.variations import axes, examples, sizes
from torchlite.testing.violations import ContractViolation
from torchlite.testing.words import words

__all__ = ["batch", "empty"]


# So many samples are compared one by one; of more, these many at both ends and one in the middle;
# of a large layer, one at each.
FEW = 16
ENDS = 4
# Height beyond width, and width beyond height.
FEW_OTHERS = 2


def _rows(table: Any, start: int, stop: int) -> Any:
    return map_arrays(lambda a: a[start:stop] if is_array(a) else a, table)


def batch(s: ModuleSubject) -> None:
    """A batch gives what its samples give one by one; gradients of parameters are their sum."""
    outputs = leaves(s.output)
    if not s.rows or any(a.ndim == 0 or a.shape[0] != s.rows for a in outputs):
        s.notes.append("batch: not applicable, input and output have no common first dimension")
        return
    if s.base.train and (s.draws or _batch_statistics(s)):
        s.notes.append("batch: checked in evaluation mode, training draws or mixes the samples")
        s = copy.copy(s)
        s.base = s.fresh().evaluate()
        s.output = copy_arrays(s.forward(s.fresh(), s.input))
    try:
        pieces = _check_batch(s)
    except Exception:
        pair = together(s) if _may_be_one_sample(s) else None
        if pair is None:
            raise
        s.notes.append("batch: checked with two samples, the input is one")
        s = pair
        pieces = _check_batch(s)
    # What is computed across the samples, a shift by the largest of all say, costs the small ones.
    factors = np.resize([1, values.HUGE, 1 / values.HUGE], s.rows)
    apart = s.at("samples of very different size", scale_arrays(s.input, factors))
    whole = attempt(apart.run)
    if whole is not None:
        with quietly(), apart.where_steady(whole):
            _check_samples(apart, whole, pieces)
    bare = is_array(s.input) and is_array(s.output) and s.input.ndim == s.output.ndim == 2
    if bare and words(s.base, inside=False).keys() & {"ndim", "atleast_2d"}:
        _check_bare_sample(s)


def _check_batch(s: ModuleSubject) -> list[tuple[int, int]]:
    """Check a batch, and others of other sizes and examples; return its pieces."""
    pieces = _pieces(s)
    if len(pieces) < s.rows:
        alone = sum(stop - start == 1 for start, stop in pieces)
        s.notes.append(f"batch: of {s.rows} samples, {alone} alone and the others together")
    _check_samples(s, s.run(), pieces)
    for other in (*sizes(s), *examples(s)):
        # The samples along another axis may be those.
        if all(a.shape[0] == other.rows for a in leaves(other.output)):
            whole = attempt(other.run)
            if whole is not None:
                _check_samples(other, whole, _growing(other))
    if s.rows > 1:
        for other in itertools.islice(axes(s), FEW_OTHERS):
            _check_first_sample(other)
    return pieces


def _check_first_sample(s: ModuleSubject) -> None:
    """Check a batch of other lengths as two parts, if its layer takes these."""
    try:
        _check_samples(s, s.run(), [(0, 1), (1, s.rows)])
    except ContractViolation:
        raise
    except Exception:
        # What it takes of a batch, it may refuse of one sample.
        return


def _may_be_one_sample(s: ModuleSubject) -> bool:
    """Tell whether the first dimension may be one of the sample.

    Of a matrix, it is the batch's, unless one row makes as much as all: those of a sparse sample.
    """
    if max(array.ndim for array in leaves(s.input)) > 2:
        return True
    one = attempt(s.forward, s.fresh(), _rows(s.input, 0, 1))
    return s.rows > 1 and shapes(one) == shapes(s.output)


def _pieces(s: ModuleSubject) -> list[tuple[int, int]]:
    """Return where pieces of a batch begin and end, most of them of one sample."""
    middle = s.rows // 2
    starts = list(range(s.rows))
    if s.rows > FEW:
        ends = 1 if s.large else ENDS
        starts = [*starts[: ends + 1], middle, middle + 1, *starts[-ends:]]
    return list(zip(starts, [*starts[1:], s.rows], strict=True))


def _growing(s: ModuleSubject) -> list[tuple[int, int]]:
    """Return where pieces of two, three and more samples begin and end; two of a large layer."""
    starts = [0, 2] if s.large else [n * (n + 3) // 2 for n in range(s.rows)]
    starts = [start for start in starts if start < s.rows]
    return list(zip(starts, [*starts[1:], s.rows], strict=True))


def _check_samples(s: ModuleSubject, whole: Result, pieces: list[tuple[int, int]]) -> None:
    module = s.fresh()
    sums = [np.zeros_like(gradient) for gradient in whole.gradients]
    size = [0.0] * len(sums)
    for start, stop in pieces:
        single = s.run(module, _rows(s.input, start, stop), _rows(s.gradOutput, start, stop))
        of, rows = f"sample {start}", f"row {start}"
        if stop - start > 1:
            of, rows = f"samples {start} to {stop - 1}", f"rows {start} to {stop - 1}"
        s.compare(
            "updateOutput",
            f"the output of {of} alone is not {rows} of the batch's: samples mix.",
            single.output,
            _rows(whole.output, start, stop),
        )
        s.compare(
            "updateGradInput",
            f"the gradInput of {of} alone is not {rows} of the batch's.",
            single.gradInput,
            _rows(whole.gradInput, start, stop),
        )
        for k, gradient in enumerate(single.gradients):
            sums[k] += gradient
            size[k] += float(np.abs(gradient).max(initial=0))
    for name, got, expected, magnitude in zip(s.names, whole.gradients, sums, size, strict=True):
        s.compare(
            "accGradParameters",
            f"{name} of a batch is not the sum over its samples.",
            got,
            expected,
            allowed=1e-10 * (1 + magnitude),
        )


def _check_bare_sample(s: ModuleSubject) -> None:
    """A layer whose code looks at dimensions gives a sample without batch what it gives its row."""
    output = attempt(s.forward, s.fresh(), s.input[0])
    if output is None:
        return
    row = s.run(input=s.input[:1], gradOutput=s.gradOutput[:1])
    problem = "for one sample without batch dimension it is not what it is for a batch of one."
    if not is_array(output) or output.ndim != 1:
        s.fail("updateOutput", f"{problem} It is {shapes(output)}.")
    s.compare("updateOutput", problem, output, row.output[0])
    bare = s.run(input=s.input[0], gradOutput=s.gradOutput[0])
    s.compare("updateGradInput", problem, bare.gradInput, row.gradInput[0])
    for name, got, expected in zip(s.names, bare.gradients, row.gradients, strict=True):
        s.compare("accGradParameters", f"{name}: {problem}", got, expected)


def _batch_statistics(s: ModuleSubject) -> bool:
    """Tell whether samples mix in training mode, but not in evaluation mode: on purpose."""
    if not s.base.train:
        return False

    def mixes(module: Module, input: Any) -> bool:
        whole = s.forward(module, input)
        try:
            single = s.forward(module, _rows(input, 0, 1))
        except Exception:
            return True
        pairs = zip(leaves(single), leaves(_rows(whole, 0, 1)), strict=True)
        return any(a.shape != b.shape or not np.allclose(a, b, 1e-9, 1e-9) for a, b in pairs)

    def differ(input: Any) -> bool:
        return mixes(s.fresh(), input) and not mixes(s.fresh().evaluate(), input)

    # Of samples that are alike, their mean is no other than each.
    return differ(s.input) or (len(s.variants()) > 1 and differ(s.other_input()))


def empty(s: ModuleSubject) -> None:
    """A batch of no samples gives empty results and no gradients."""
    if s.rows < 2 or any(a.ndim == 0 or a.shape[0] != s.rows for a in leaves(s.output)):
        return
    none = map_arrays(lambda a: a[:0], s.input)
    if s.base.train and _batch_statistics(s):
        _check_statistics_of_nothing(s, none)
        s = copy.copy(s)
        s.base = s.fresh().evaluate()
    expected = _output_of_nothing(s)
    try:
        with np.errstate(all="raise"):
            result = s.run(input=none, gradOutput=expected)
    except Exception as error:
        problem = f"a batch of no samples raises {type(error).__name__}: {error}"
        s.fail(method_of(error, type(s.base)) or "updateOutput", problem + line_of(error))
    for method, got, usual in [
        ("updateOutput", result.output, expected),
        ("updateGradInput", result.gradInput, none),
    ]:
        if shapes(got) != shapes(usual):
            s.fail(
                method,
                f"for a batch of no samples it gives {shapes(got)}, expected {shapes(usual)}.",
            )
    for name, gradient in zip(s.names, result.gradients, strict=True):
        if gradient.any():
            s.fail("accGradParameters", f"a batch of no samples changes {name}.")


def _output_of_nothing(s: ModuleSubject) -> Any:
    """Return an output of no samples; what has an entry a pair of samples has none of these."""
    outputs, single = leaves(s.output), leaves(attempt(s.forward, s.fresh(), _rows(s.input, 0, 1)))
    if list(map(np.ndim, single)) != list(map(np.ndim, outputs)):
        return map_arrays(lambda a: a[:0], s.output)
    arrays = [
        np.zeros(
            [0 if pair == (s.rows, 1) else pair[0] for pair in zip(a.shape, b.shape, strict=True)]
        )
        for a, b in zip(outputs, single, strict=True)
    ]
    return rebuilt(s.output, arrays)


def _check_statistics_of_nothing(s: ModuleSubject, none: Any) -> None:
    """A training forward of no samples may be refused, but must not spoil what is remembered."""
    module = s.fresh()
    attempt(s.forward, module, none)
    for name, value in states(module):
        if is_floating(value) and np.isnan(value).any():
            s.fail(
                "updateOutput",
                f"a batch of no samples makes {name.partition('.')[2]} NaN in training.",
            )
