"""SoftMaxTree."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from torchlite.errors import DTypeError, SettingError
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import product
from torchlite.kernels.like import like
from torchlite.kernels.sums import sum_along, sum_rows
from torchlite.nn import checks, table_checks
from torchlite.nn.initial import uniform
from torchlite.nn.module import Module

__all__ = ["SoftMaxTree"]


class SoftMaxTree(Module):
    """The logarithm of a leaf's probability, where each node of a tree chooses among its children.

    Maths
    -----
    With x the input, and for each node on the path from the root to the target: rows, where its
    siblings and itself stand in weight, and own, where it does::

        logits = x @ weight[rows].T + bias[rows]
        output = sum of logits[own] - log(sum(exp(logits))) over the path
        gradLogits = gradOutput * (one_hot(own) - exp(logits) / sum(exp(logits)))
        gradInput = sum of gradLogits @ weight[rows] over the path, and zeros for the target
        gradWeight[rows] += scale * outer(gradLogits, x)
        gradBias[rows] += scale * gradLogits

    So a batch costs as many products as it has nodes on its paths, not as there are leaves.

    Shapes
    ------
    input: a list of x (N, inputSize) and targets (N,), integers, the leaves' ids; output (N,).

    Parameters
    ----------
    inputSize
        An integer of at least 0.
    hierarchy
        A dict of the children's ids, integers of at least 0, by the id of their parent. Whoever has
        no entry is a leaf.
    rootId
        The id of the root.

    Attributes
    ----------
    weight, gradWeight
        (nodes but the root, inputSize).
    bias, gradBias
        (nodes but the root,).
    childIds
        An array: row i of weight and bias belongs to the node childIds[i].

    Conventions
    -----------
    Weight and bias are drawn from U(-s, s) with s = 1 / sqrt(weight.size), the weight row by row
    first; `reset(stdv)` takes s = stdv * sqrt(3). Targets have no gradient: in its place stand
    zeros of their dtype. Remembers nothing.

    Raises
    ------
    SettingError
        hierarchy is no tree below rootId, or an id is negative.
    IndexError
        A target is no leaf.
    ShapeError, DTypeError
        input or gradOutput does not fit; hierarchy is no dict of lists of integers.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.SoftMaxTree(2, {0: np.array([1, 2]), 2: np.array([3, 4, 5])})
    >>> layer.weight[:], layer.bias[:] = 0, 0
    >>> x = [np.ones((2, 2)), np.array([1, 4])]
    >>> np.exp(layer.forward(x)).round(4)
    array([0.5   , 0.1667])

    Reference
    ---------
    nnx, SoftMaxTree.lua. Morin and Bengio, Hierarchical probabilistic neural network language
    model, 2005.
    """

    _validates = True

    transient = (*Module.transient, "_tree")
    _caches = (*Module._caches, "_tree")
    # The row of each node but the root, the rows of each parent's children, and how large ids are.
    _tree: Any = None

    def __init__(
        self, inputSize: int, hierarchy: Mapping[int, Sequence[int] | Array], rootId: int = 0
    ) -> None:
        inputSize = checks.size(self, "inputSize", inputSize)
        self.rootId = checks.whole(self, "rootId", rootId)
        if not isinstance(hierarchy, Mapping):
            expected, got = "a dict of ids by the id of their parent", type(hierarchy).__name__
            raise checks.misbuilt(DTypeError, self, "hierarchy", expected, got)
        tree = {
            self._id("hierarchy", parent): self._ids(f"hierarchy[{parent}]", children)
            for parent, children in hierarchy.items()
        }
        self.childIds: list[int] = [child for ids in tree.values() for child in ids]
        self.parentIds: list[int] = [parent for parent, ids in tree.items() for _ in ids]
        self._must_be_tree(tree)
        rows = len(self.childIds)
        self.weight: Array = np.zeros((rows, inputSize))
        self.gradWeight: Array = np.zeros((rows, inputSize))
        self.bias: Array = np.zeros(rows)
        self.gradBias: Array = np.zeros(rows)
        self.reset()

    def _ids(self, argument: str, children: Any) -> list[int]:
        try:
            each = list(children)
        except TypeError:
            got = repr(children)
            raise checks.misbuilt(DTypeError, self, argument, "a list of ids", got) from None
        return [self._id(argument, child) for child in each]

    def _id(self, argument: str, value: Any) -> int:
        node = checks.whole(self, argument, value)
        if node < 0:
            raise checks.misbuilt(SettingError, self, argument, "ids of at least 0", str(node))
        return node

    def _must_be_tree(self, hierarchy: Mapping[int, list[int]]) -> None:
        """Raise unless every node but the root is the child of one parent, and the root's heir."""
        wrong = None
        row_of, families, _ = self._places()
        below = [self.rootId]
        for node in below:
            # A node that comes twice has been met already when its family has no end.
            if node in families and len(below) <= len(self.childIds) + 1:
                below += self.childIds[families[node]]
        if not all(map(len, hierarchy.values())):
            wrong = "a parent without children"
        elif self.rootId not in families:
            wrong = f"no children of rootId {self.rootId}"
        elif len(row_of) < len(self.childIds) or self.rootId in row_of:
            wrong = "a node with two parents, or a root with one"
        elif not hierarchy.keys() <= set(below):
            wrong = f"parents that do not come from rootId {self.rootId}"
        if wrong:
            raise checks.misbuilt(SettingError, self, "hierarchy", "a tree", wrong)

    def _places(self) -> tuple[dict[int, int], dict[int, slice], int]:
        if self._tree is None:
            families: dict[int, slice] = {}
            for row, parent in enumerate(self.parentIds):
                start = families[parent].start if parent in families else row
                families[parent] = slice(start, row + 1)
            row_of = {child: row for row, child in enumerate(self.childIds)}
            self._tree = row_of, families, max(row_of, default=0)
        row_of, families, largest = self._tree
        return row_of, families, largest

    def updateOutput(self, input: Sequence[Array]) -> Array:
        x, target = self._parts("updateOutput", input)
        output = np.zeros_like(x, shape=x.shape[:1])
        for _, samples, chosen, log_p in self._families(x, target):
            gains = np.take_along_axis(log_p, chosen.reshape(-1, 1), 1)
            output[samples] = output[samples] + gains.reshape(-1)
        self.output = output
        return output

    def updateGradInput(self, input: Sequence[Array], gradOutput: Array) -> list[Array]:
        x, target = self._parts_back("updateGradInput", input, gradOutput)
        gradX = np.zeros_like(x, dtype=gradOutput.dtype)
        for rows, samples, gradLogits in self._gradients(x, target, gradOutput):
            gradX[samples] = gradX[samples] + product(gradLogits, self.weight[rows])
        self.gradInput = [gradX, np.zeros_like(input[1])]
        return self.gradInput

    def accGradParameters(
        self, input: Sequence[Array], gradOutput: Array, scale: Number = 1
    ) -> None:
        scale = checks.scale(self, scale)
        x, target = self._parts_back("accGradParameters", input, gradOutput)
        increments = [
            (rows, scale * product(gradLogits.T, x[samples]), scale * sum_rows(gradLogits))
            for rows, samples, gradLogits in self._gradients(x, target, gradOutput)
        ]
        for rows, by_weight, by_bias in increments:
            self.gradWeight[rows] += by_weight
            self.gradBias[rows] += by_bias

    def _gradients(
        self, x: Array, target: list[int], gradOutput: Array
    ) -> Iterator[tuple[slice, Array, Array]]:
        """Yield the gradients of the logits of each family on the paths, with rows and samples."""
        for rows, samples, chosen, log_p in self._families(x, target):
            one_hot = like(np.arange(rows.stop - rows.start), x) == chosen.reshape(-1, 1)
            yield rows, samples, gradOutput[samples].reshape(-1, 1) * (one_hot - np.exp(log_p))

    def _families(self, x: Array, target: list[int]) -> Iterator[tuple[slice, Array, Array, Array]]:
        """Yield the rows of each family on the paths, and of the samples that come through it

        which they are, which child they choose, and the logarithms of all the probabilities.
        """
        row_of, families, _ = self._places()
        passing: dict[int, list[tuple[int, int]]] = {}
        for sample, node in enumerate(target):
            while node != self.rootId:
                row = row_of[node]
                node = self.parentIds[row]
                passing.setdefault(node, []).append((sample, row - families[node].start))
        for parent in sorted(passing):
            rows = families[parent]
            pairs = np.array(passing[parent])
            samples, chosen = like(pairs[:, 0], x), like(pairs[:, 1], x)
            logits = product(x[samples], self.weight[rows].T) + self.bias[rows]
            logits = logits - logits.real.max(axis=1, keepdims=True)
            total = sum_along(np.exp(logits), 1, keepdims=True)
            yield rows, samples, chosen, logits - np.log(total)

    def _parts(self, method: str, input: Any) -> tuple[Array, list[int]]:
        """Return x and the targets."""
        table_checks.must_be_table(self, method, "input", input, 2)
        x, target = input
        n = self.weight.shape[1]
        checks.must_be_floating(self, method, "input[0]", x, self.weight.dtype)
        if x.ndim != 2 or x.shape[1] != n:
            raise checks.misshapen(self, method, "input[0]", f"(N, {n})", x)
        row_of, families, largest = self._places()
        checks.integers(self, method, "input[1]", target, 1 + largest, "nodes")
        if target.shape != x.shape[:1]:
            raise checks.misshapen(self, method, "input[1]", f"({len(x)},)", target)
        leaves = [target[i].item() for i in range(len(target))]
        for i, node in enumerate(leaves):
            if node in families or node not in row_of:
                name = checks.title(self)
                raise IndexError(f"{name}.{method}: input[1][{i}] = {node} is no leaf")
        return x, leaves

    def _parts_back(self, method: str, input: Any, gradOutput: Array) -> tuple[Array, list[int]]:
        x, target = self._parts(method, input)
        checks.must_be_typed_back(self, method, x, gradOutput, x.shape[:1], self.weight.dtype)
        return x, target

    def reset(self, stdv: Any = None) -> Self:
        """Draw weight and bias from U(-s, s): s is stdv * sqrt(3), or 1 / sqrt(weight.size)."""
        uniform(self, stdv, self.weight.size, self.weight, self.bias)
        return self
