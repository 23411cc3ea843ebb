"""Every class, by its row in tests/cases/, through every property of the checker."""

import importlib
import pkgutil

import cases
import numpy as np
import pytest

from torchlite import nn
from torchlite.testing import CRITERION_PROPERTIES, PROPERTIES, check_criterion, check_module

CHAPTERS = {
    chapter.name: importlib.import_module(f"cases.{chapter.name}").CASES
    for chapter in pkgutil.iter_modules(cases.__path__)
}
ROWS = [
    pytest.param(case, id=f"{chapter}-{case.id}")
    for chapter, rows in CHAPTERS.items()
    for case in rows
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", ROWS)
def test_contract(case, seed):
    rng = np.random.default_rng(seed)
    if isinstance(case.make(), nn.Criterion):
        target = None if case.target is None else case.draw(rng, "target")
        report = check_criterion(case.make, case.draw(rng), target, exempt=case.exempt, seed=seed)
        assert {*report.passed, *report.exempt} == {*CRITERION_PROPERTIES}
    else:
        report = check_module(case.make, case.draw(rng), exempt=case.exempt, seed=seed)
        assert {*report.passed, *report.exempt} == {*PROPERTIES}


def test_every_class_has_a_row():
    rows = {type(row.values[0].make()).__name__ for row in ROWS}
    contracts = {"Module", "Container", "Criterion"}
    assert set(nn.__all__) - contracts == rows
