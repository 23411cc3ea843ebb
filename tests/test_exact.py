"""Rows with a formula against its 50 digits; the comparison itself."""

from dataclasses import replace

import numpy as np
import pytest
from cases import Case, rows

from torchlite import nn

pytest.importorskip("mpmath")

import exact

ROWS = {f"{chapter}-{case.id}": case for chapter, case in rows() if case.formula}


@pytest.mark.parametrize("case", ROWS.values(), ids=ROWS.keys())
def test_the_formula_agrees(case):
    exact.check(case)


class Wrong(nn.Linear):
    """Linear, of which one result is wrong by a ten-thousandth of a millionth."""

    where = ""

    def updateOutput(self, input):
        return self._spoilt("output", super().updateOutput(input))

    def updateGradInput(self, input, gradOutput):
        return self._spoilt("gradInput", super().updateGradInput(input, gradOutput))

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        for i, gradient in enumerate([self.gradWeight, self.gradBias]):
            self._spoilt(f"gradient {i} of parameters()", gradient)

    def _spoilt(self, name, array):
        if name == self.where:
            array.flat[-1] += 1e-10
        return array


@pytest.mark.parametrize(
    "where", ["output", "gradInput", "gradient 0 of parameters()", "gradient 1 of parameters()"]
)
def test_a_wrong_number_is_found(where):
    def make():
        layer = Wrong(3, 2)
        layer.where = where
        return layer

    case = replace(ROWS["simple-Linear"], make=make)
    with pytest.raises(AssertionError) as caught:
        exact.check(case)
    assert str(caught.value).startswith(f"Wrong: {where} is wrong by 1e-10, of ")


class Halved(nn.ClassNLLCriterion):
    def updateGradInput(self, input, target):
        return super().updateGradInput(input, target) / 2


def test_tables_and_criterions_have_formulas_too():
    exact.check(
        Case(
            lambda: nn.CMulTable(),
            input=[(2, 3), (2, 3)],
            formula=lambda mp, table: table[0] * table[1],
        )
    )
    case = Case(
        lambda: nn.ClassNLLCriterion(),
        input=(4, 3),
        target=lambda rng: rng.integers(0, 3, 4),
        formula=lambda mp, x, target: -np.sum(x[np.arange(4), target]) / 4,
    )
    exact.check(case)
    with pytest.raises(AssertionError, match=r"^ClassNLLCriterion: output is wrong by "):
        exact.check(replace(case, formula=lambda mp, x, target: -np.sum(x[:, 0]) / 4))
    with pytest.raises(AssertionError, match=r"^Halved: gradInput is wrong by 0\.125, of 1$"):
        exact.check(replace(case, make=Halved))
