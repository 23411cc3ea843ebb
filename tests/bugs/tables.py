"""Layers that take or return tables."""

import numpy as np

from bugs import Bug
from bugs.good import Added, Bilinear, Columns, Dot, Flipped, Joined, Mixed, Nested, odd
from torchlite import nn


class AddedGoesToFirstOnly(Added):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput.copy()] + [np.zeros_like(entry) for entry in input[1:]]
        return self.gradInput


class AddedIntoFirst(Added):
    def updateOutput(self, input):
        output = input[0]
        for entry in input[1:]:
            output += entry
        self.output = output
        return output


class AddedExpectsTwo(Added):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput.copy(), gradOutput.copy()]
        return self.gradInput


class AddedStartsAtZeros(Added):
    def updateOutput(self, input):
        output = np.zeros(input[0].shape, np.result_type(input[0], np.float64))
        for entry in input:
            output = output + entry
        self.output = output
        return output


class AddedAveragesBackwards(Added):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput / len(input) for _ in input]
        return self.gradInput


class TableReplacedInside(Added):
    """Keeps the arrays as they are and changes the list that holds them."""

    def updateOutput(self, input):
        self.output = input[0] + input[1]
        input[0] = self.output
        return self.output


class TableEmptied(Added):
    def updateOutput(self, input):
        output = input[0].copy()
        while len(input) > 1:
            output += input.pop()
        self.output = output
        return output


class GradInputIsOneArray(Added):
    """Forgets that gradInput of a table is a table."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput
        return gradOutput


class DotGoesBackUnexchanged(Dot):
    def updateGradInput(self, input, gradOutput):
        a, b = input
        self.gradInput = [gradOutput * a, gradOutput * b]
        return self.gradInput


class DotForgetsSecond(Dot):
    def updateGradInput(self, input, gradOutput):
        _, b = input
        self.gradInput = [gradOutput * b, np.zeros_like(b)]
        return self.gradInput


class DotOfWholeBatch(Dot):
    """With a consistent gradient."""

    def updateOutput(self, input):
        a, b = input
        self.output = np.zeros_like(a[..., :1]) + (a * b).sum()
        return self.output

    def updateGradInput(self, input, gradOutput):
        a, b = input
        total = gradOutput.sum()
        self.gradInput = [total * b, total * a]
        return self.gradInput


class DifferenceForgetsSign(nn.Module):
    def updateOutput(self, input):
        a, b = input
        self.output = a - b
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput.copy(), gradOutput.copy()]
        return self.gradInput


class JoinedCutEvenly(Joined):
    """As if all arrays had the same number of columns."""

    def updateGradInput(self, input, gradOutput):
        width = gradOutput.shape[-1] // len(input)
        gradInput = []
        for i, entry in enumerate(input):
            piece = np.zeros_like(entry)
            part = gradOutput[..., i * width : (i + 1) * width][..., : entry.shape[-1]]
            piece[..., : part.shape[-1]] = part
            gradInput.append(piece)
        self.gradInput = gradInput
        return gradInput


class ColumnsInOneList(Columns):
    """Fills the same list again at each forward."""

    def updateOutput(self, input):
        columns = [input[..., i].copy() for i in range(input.shape[-1])]
        if not isinstance(self.output, list):
            self.output = []
        self.output[:] = columns
        return self.output


class ColumnsGoBackReversed(Columns):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.stack(gradOutput[::-1], axis=-1)
        return self.gradInput


class ColumnsTakenFromGradOutput(Columns):
    def updateGradInput(self, input, gradOutput):
        columns = []
        while gradOutput:
            columns.append(gradOutput.pop(0))
        gradOutput.extend(columns)
        gradOutput[0] = 2 * gradOutput[0]
        self.gradInput = np.stack(columns, axis=-1)
        return self.gradInput


class FlippedIdsGetGradients(Flipped):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput[..., ::-1].copy()
        return self.gradInput


class FlippedIdsGetFloats(Flipped):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.zeros_like(gradOutput)
        return self.gradInput


class FlippedIdsGetRoundedGradients(Flipped):
    """Of the right dtype, and zeros for a gradOutput of zeros alone."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput[..., ::-1].astype(input.dtype)
        return self.gradInput


class FlippedLooksAtGradOutput(Flipped):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = (0 * gradOutput).astype(input.dtype)
        return self.gradInput


class FlippedRefusesIntegersBack(Flipped):
    def updateGradInput(self, input, gradOutput):
        if gradOutput.dtype.kind not in "fc":
            raise TypeError("no gradient can be an integer")
        return super().updateGradInput(input, gradOutput)


class AddedIdsToo(Added):
    """Takes ids for numbers: what they get is their sum."""

    def updateOutput(self, input):
        numbers, _ = input
        self.output = numbers.copy()
        return self.output

    def updateGradInput(self, input, gradOutput):
        _, ids = input
        self.gradInput = [gradOutput.copy(), ids + ids]
        return self.gradInput


class BilinearGradientExchanged(Bilinear):
    """Only fits when both arrays have the same size."""

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input[::-1], gradOutput, scale)


class MixedKnowsFirstOnly(Mixed):
    def accGradParameters(self, input, gradOutput, scale=1):
        self.gradWeight[0] += scale * (input[0] * gradOutput).sum()


class MixedForgetsWeights(Mixed):
    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput.copy() for _ in input]
        return self.gradInput


class NestedComesBackFlat(Nested):
    def updateGradInput(self, input, gradOutput):
        a, (b, c) = super().updateGradInput(input, gradOutput)
        self.gradInput = [a, b, c]
        return self.gradInput


class TableOfLastForward(Dot):
    def updateOutput(self, input):
        self._table = input
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        return super().updateGradInput(self._table, gradOutput)


PAIR = [(5, 3), (5, 3)]


def ids(rng):
    return rng.integers(1, 9, (5, 3))


def flags(rng):
    return ids(rng) > 4


def numbers_and_ids(rng):
    return [odd(rng, (5, 3)), ids(rng)]


BUGS = [
    Bug(
        lambda: AddedGoesToFirstOnly(),
        PAIR,
        {"gradInput"},
        "the others get no gradient",
        pattern="never written",
    ),
    Bug(lambda: AddedIntoFirst(), PAIR, {"mutation"}, "the first array becomes the sum"),
    Bug(
        lambda: AddedExpectsTwo(),
        [(5, 3)] * 3,
        {"gradInput"},
        "two gradients for however many arrays",
        pattern="expected [(5, 3), (5, 3), (5, 3)]",
    ),
    Bug(lambda: AddedStartsAtZeros(), PAIR, {"dtype"}, "float64 zeros upcast the sum"),
    Bug(
        lambda: AddedAveragesBackwards(),
        PAIR,
        {"gradInput"},
        "the gradient is divided up",
        pattern="factor of 2",
    ),
    Bug(
        lambda: TableReplacedInside(),
        PAIR,
        {"mutation"},
        "the list gets another first array",
        pattern="changed its input",
    ),
    Bug(
        lambda: TableEmptied(),
        PAIR,
        {"mutation"},
        "the list loses its arrays",
        pattern="changed its input",
    ),
    Bug(
        lambda: GradInputIsOneArray(),
        PAIR,
        {"gradInput"},
        "one array instead of a table",
        pattern="expected [(5, 3), (5, 3)]",
    ),
    Bug(
        lambda: DotGoesBackUnexchanged(),
        PAIR,
        {"gradInput"},
        "each gets its own gradient",
        pattern="entries swapped",
    ),
    Bug(
        lambda: DotForgetsSecond(),
        PAIR,
        {"gradInput"},
        "the second array gets no gradient",
        pattern="never written",
    ),
    Bug(lambda: DotOfWholeBatch(), PAIR, {"batch"}, "the products of all samples are summed"),
    Bug(
        lambda: DifferenceForgetsSign(),
        PAIR,
        {"gradInput"},
        "what is subtracted gets a plus",
        pattern="wrong sign",
    ),
    Bug(
        lambda: JoinedCutEvenly(),
        [(5, 3), (5, 2), (5, 4)],
        {"gradInput"},
        "the gradient is cut into equal parts",
        pattern="off by one",
    ),
    Bug(lambda: ColumnsInOneList(), (5, 3), {"aliasing"}, "the next forward refills the list"),
    Bug(
        lambda: ColumnsGoBackReversed(),
        (5, 3),
        {"gradInput"},
        "the last column comes first",
        pattern="reversed",
    ),
    Bug(
        lambda: ColumnsTakenFromGradOutput(),
        (5, 3),
        {"mutation"},
        "gradOutput's list gets another first array",
        pattern="changed gradOutput",
    ),
    Bug(lambda: FlippedIdsGetGradients(), ids, {"integers"}, "ids get gradients, as numbers do"),
    Bug(lambda: FlippedIdsGetFloats(), flags, {"integers"}, "zeros of gradOutput's dtype"),
    Bug(lambda: FlippedIdsGetRoundedGradients(), ids, {"integers"}, "gradients of ids' dtype"),
    Bug(lambda: FlippedLooksAtGradOutput(), flags, {"integers"}, "0 times NaN is not 0"),
    Bug(lambda: FlippedRefusesIntegersBack(), ids, {"integers"}, "floats alone may come back"),
    Bug(lambda: AddedIdsToo(), numbers_and_ids, {"integers"}, "the ids' gradients are ids"),
    Bug(
        lambda: BilinearGradientExchanged(3, 3, 4),
        PAIR,
        {"gradParameters"},
        "the two arrays are exchanged, which only equal sizes do not refuse",
        pattern="transposed",
    ),
    Bug(
        lambda: MixedKnowsFirstOnly(2),
        PAIR,
        {"gradParameters"},
        "one weight learns",
        pattern="only at index",
    ),
    Bug(
        lambda: MixedForgetsWeights(2),
        PAIR,
        {"gradInput"},
        "gradients are not weighted",
        pattern="parameter of gradWeight were 1",
    ),
    Bug(
        lambda: NestedComesBackFlat(),
        [(5, 3), [(5, 3), (5, 2)]],
        {"gradInput"},
        "the gradient of a nested table is flat",
        pattern="expected [(5, 3), [(5, 3), (5, 2)]]",
    ),
    Bug(lambda: TableOfLastForward(), PAIR, {"interleave"}, "uses the table of the last forward"),
]
