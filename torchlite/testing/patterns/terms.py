"""Slopes that are left out, or have changed places."""

from typing import Any

import numpy as np

from torchlite.testing.patterns.clues import Clues
from torchlite.testing.patterns.moves import subsets

__all__ = [
    "constant_statistics",
    "counted_once",
    "direct_path",
    "independent",
    "left_out",
    "mixes",
    "negative_gradOutput",
    "no_gradOutput",
    "other_entries",
    "other_slopes",
    "square_operand",
]


def no_gradOutput(c: Clues) -> str | None:
    """What came is the same for any gradOutput."""
    known = c.derivative
    if known is None or c.got.size < 2 or known.weights[0].ndim == 0:
        return None
    if all(c.near(answer, known.answers[0]) for answer in known.answers):
        return "got is the same for another gradOutput -> does not depend on gradOutput?"
    return None


def negative_gradOutput(c: Clues) -> str | None:
    """Negative gradients of the output do not count."""
    if c.has_slopes and c.gives(lambda weights: [np.maximum(w, 0) for w in weights]):
        return "only where gradOutput < 0 -> are negative gradients dropped?"
    return None


def other_slopes(c: Clues) -> str | None:
    """The slopes have lost their signs, or the negative ones are left out."""
    if not c.has_slopes:
        return None
    slopes = c.jacobian
    if (slopes < 0).any() and c.gives(None, np.abs(slopes)):
        return "got = expected with all slopes positive -> signs forgotten?"
    if (slopes < 0).any() and c.gives(None, np.maximum(slopes, 0)):
        return "got = expected with negative slopes left out -> negative numbers taken for 0?"
    return None


def square_operand(c: Clues) -> str | None:
    """A square operand is transposed: outputs and entries change places."""
    if not c.has_slopes or not c.outputs:
        return None
    slopes = c.jacobian.reshape(*c.outputs, *c.got.shape)
    n = len(c.outputs)
    permutes = c.outputs == c.got.shape and ((c.jacobian != 0).sum(axis=0) == 1).all()
    if permutes and c.gives(None, c.jacobian.T):
        return "got has the right numbers at other places -> a permutation for its inverse?"
    for a in range(n):
        for b in range(c.got.ndim):
            if c.outputs[a] == c.got.shape[b] > 1:
                turned = slopes.swapaxes(a, n + b).reshape(c.jacobian.shape)
                if c.gives(None, turned):
                    if is_symmetric_but_for_factors(slopes, a, n + b):
                        return (
                            "got = expected with each entry's factor taken before instead of "
                            "after what mixes them -> in the wrong order?"
                        )
                    return "got = expected with a square operand transposed -> transposed?"
    return None


def is_symmetric_but_for_factors(slopes: Any, a: int, b: int) -> bool:
    """Tell whether slopes, as a matrix of two axes, would be symmetric if each row had a factor."""
    matrices = np.moveaxis(slopes, (a, b), (-2, -1)).reshape(-1, slopes.shape[a], slopes.shape[b])
    matrices = matrices[(matrices != 0).all(axis=(1, 2))]
    if not len(matrices) or slopes.shape[a] < 3:
        return False
    ratios = np.log(np.abs(matrices)) - np.log(np.abs(matrices.swapaxes(1, 2)))
    # Then they are differences of one number a row, and those are not all alike.
    rows = ratios.mean(axis=2)
    return bool(np.allclose(ratios, rows[:, :, None] - rows[:, None], 0, 1e-6) and ratios.any())


def independent(c: Clues) -> str | None:
    """Along an axis, each output is taken to depend on its own entries alone."""
    if not c.has_slopes or not c.outputs:
        return None
    n = len(c.outputs)
    slopes = c.jacobian.reshape(*c.outputs, *c.got.shape)
    if c.outputs == c.got.shape:
        own = np.diag(np.diag(c.jacobian))
        if c.gives(None, own):
            return (
                "got = each output's slope by its own entry alone -> the cross terms are missing?"
            )
    for a in range(n):
        for b in range(c.got.ndim):
            if c.outputs[a] != c.got.shape[b] or c.outputs[a] < 2:
                continue
            grid = np.indices(slopes.shape, sparse=True)
            for name, mask in (
                ("its own place", grid[a] == grid[n + b]),
                ("places before its own", grid[a] > grid[n + b]),
                ("the place before its own", grid[a] == grid[n + b] + 1),
                ("its own place and the one before", (grid[a] - grid[n + b]) // 2 == 0),
                ("other places than its own", grid[a] != grid[n + b]),
            ):
                kept = (slopes * mask).reshape(c.jacobian.shape)
                if c.gives(None, kept):
                    return (
                        f"got = expected as if along axis {b} an output depended on {name} alone "
                        "-> cross terms missing?"
                    )
    return None


def constant_statistics(c: Clues) -> str | None:
    """Each entry by its own factor, and what is missing has the form of mean and deviation."""
    if not c.has_slopes or c.outputs != c.got.shape or c.got.size < 6:
        return None
    known = c.derivative
    # The layer's own slopes: each gradOutput by itself.
    theirs = c.derivative.own
    if theirs is None:
        return None
    missing = known.jacobian - theirs
    blocks = parts_of(known.jacobian)
    if min(map(len, blocks)) < 3:
        return None
    for block in blocks:
        square = np.ix_(block, block)
        own, lost, whole = theirs[square], missing[square], known.jacobian[square]
        size = np.abs(whole).max()
        rank = rank_of(lost, size)
        rest = np.abs(own - np.diag(np.diag(own))).max()
        if rest <= 1e-9 * size:
            # Nothing else is there: what is lost is all that the statistics do.
            if not 0 < rank <= 2 or len(block) < rank + 2 or not np.diag(own).all():
                return None
        else:
            # One statistic is lost, and one is left.
            left = completed(own)
            if rank != 1 or left is None or rank_of(left + -lost, size) != 2:
                return None
    return (
        "got = expected without the cross terms of a sum, mean or deviation -> as if these were "
        "constant?"
    )


def rank_of(matrix: Any, size: float) -> int:
    """Return the rank of a matrix beside numbers of a size."""
    return int((np.linalg.svd(matrix, compute_uv=False) > 1e-7 * size).sum())


def completed(matrix: Any) -> Any:
    """Return the matrix of rank 1 that has the same entries off the diagonal, or None."""
    n = len(matrix)
    if n < 4 or not (matrix + np.eye(n)).all():
        return None
    found = matrix.copy()
    for i in range(n):
        others = [j for j in range(n) if j != i]
        ways = [
            matrix[i, j] * matrix[k, i] / matrix[k, j] for j in others for k in others if j != k
        ]
        if np.ptp(ways) > 1e-6 * np.abs(matrix).max():
            return None
        found[i, i] = np.mean(ways)
    return found


def parts_of(slopes: Any) -> list[Any]:
    """Return the groups of entries that depend on each other and on no others."""
    linked = (slopes != 0) | (slopes.T != 0) | np.eye(len(slopes), dtype=bool)
    left, found = set(range(len(slopes))), list[Any]()
    while left:
        group, new = set[int](), {min(left)}
        while new:
            group |= new
            new = set(np.flatnonzero(linked[sorted(new)].any(axis=0)).tolist()) - group
        found.append(np.array(sorted(group)))
        left -= group
    return found


def counted_once(c: Clues) -> str | None:
    """Of several contributions to an entry, one counts."""
    if not c.has_slopes or not c.outputs or not c.got[c.wrong].any():
        # What is 0 has no part of anything.
        return None
    known = c.derivative
    slopes = c.jacobian.reshape(*c.outputs, -1)
    n = len(c.outputs)
    for summed in subsets(n):
        kept = [axis for axis in range(n) if axis not in summed]
        if not kept:
            continue
        several = False
        for weights, answer in zip(known.trials, known.answers, strict=True):
            parts = (slopes * weights[0][..., None]).sum(axis=tuple(summed))
            parts = parts.reshape(-1, c.got.size)
            present = np.abs(parts) > 0
            got = np.where(known.skipped, 0.0, answer).reshape(-1)
            one = (np.abs(parts - got) <= c.tolerance).any(axis=0)
            if not (one | ~present.any(axis=0) & (np.abs(got) <= c.tolerance)).all():
                break
            several = bool((present.sum(axis=0)[c.wrong.reshape(-1)] > 1).all())
        else:
            if several and c.wrong.sum() > 1:
                return (
                    "got = one of the parts that meet at each entry -> counted once where they "
                    "overlap or repeat?"
                )
    # A number of times that is taken for one.
    counts = c.jacobian
    whole = (counts == np.round(counts)).all() and counts.max() > 1 and counts.min() >= 0
    if whole and c.gives(None, np.minimum(counts, 1)):
        return "got = each part once, however often it occurs -> repeats counted once?"
    return None


def slopes_of(c: Clues) -> tuple[Any, Any] | None:
    """Return the slopes, and those that the layer's backward stands for; None if there are none."""
    if not c.has_slopes or not c.outputs or len(c.outputs) * c.got.ndim == 0:
        return None
    theirs = c.derivative.own
    if theirs is None:
        return None
    compared = ~np.broadcast_to(c.derivative.skipped, c.got.shape).reshape(-1)
    return c.jacobian * compared, theirs


def direct_path(c: Clues) -> str | None:
    """What is off is each entry's own gradOutput, times a number of its own."""
    pair = slopes_of(c)
    if pair is None or c.outputs != c.got.shape or c.got.size < 4:
        return None
    lost = pair[0] - pair[1]
    own = np.diag(lost)
    near = c.tolerance / np.abs(c.derivative.weights[0]).max()
    if (np.abs(lost - np.diag(own)) > near).any() or not (np.abs(own) > near).all():
        return None
    if (np.abs(pair[0] - np.diag(np.diag(pair[0]))) <= near).all():
        return None
    return (
        "got is off by each entry's own gradOutput times a number -> a direct path, as a shortcut "
        "or a gate, is missing or wrong?"
    )


def mixes(c: Clues) -> str | None:
    """What a sample gets depends on the gradOutput of others, though its output does not."""
    pair = slopes_of(c)
    rows = c.rows
    if pair is None or rows < 2 or not c.outputs[0] == c.got.shape[0] == rows:
        return None
    apart = ~np.eye(rows, dtype=bool)
    of_others = [
        np.abs(s).reshape(rows, -1, rows, c.got.size // rows).max(axis=(1, 3))[apart] for s in pair
    ]
    if of_others[0].any() or not (of_others[1] > c.tolerance).all():
        return None
    return (
        "got of a sample depends on the gradOutput of others -> a sum over the samples, by a wrong "
        "axis?"
    )


def left_out(c: Clues) -> str | None:
    """Some slopes are left out, or are too much, and the others are right."""
    pair = slopes_of(c)
    if pair is None:
        return None
    right, theirs = pair
    wrong = np.abs(right - theirs) > c.tolerance / max(
        np.abs(w).max() for w in c.derivative.weights
    )
    meeting = (right != 0).sum(axis=0)[c.wrong.reshape(-1)].min() > 1
    if meeting and not theirs[wrong].any():
        return (
            "got = expected without what some entries of gradOutput give -> left out, or "
            "overwritten where several meet?"
        )
    if not right[wrong].any() and ((right != 0) & ~wrong).any():
        return (
            "got = expected and what entries of gradOutput give that do not depend on it -> does "
            "the forward mask, or choose?"
        )
    return None


def other_entries(c: Clues) -> str | None:
    """Each gradOutput goes to one entry, and not to that which the forward reads."""
    pair = slopes_of(c)
    if pair is None:
        return None
    one_each = [(np.count_nonzero(slopes, axis=1) <= 1).all() for slopes in pair]
    if not all(one_each):
        return None
    sums = [slopes.sum(axis=1) for slopes in pair]
    unread = not (pair[0] != 0).any(axis=0).all()
    if not unread or np.abs(sums[0] - sums[1]).max() > 1e-6 * np.abs(sums[0]).max():
        return None
    return (
        "got has gradOutput at other places than those that the forward reads -> another index, or "
        "one of other numbers?"
    )
