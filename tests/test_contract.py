"""Every class, by its row in tests/cases/, through every property of the checker."""

from functools import partial

import cases
import numpy as np
import pytest

from torchlite import nn
from torchlite.nn.nested import leaves, map_arrays, shapes
from torchlite.testing import CRITERION_PROPERTIES, PROPERTIES, check_criterion, check_module

ROWS = [pytest.param(case, id=f"{chapter}-{case.id}") for chapter, case in cases.rows()]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", ROWS)
def test_contract(case, seed):
    rng = np.random.default_rng(seed)
    options = {"exempt": case.exempt, "level": "strict", "seed": seed}
    if isinstance(case.make(), nn.Criterion):
        target = None if case.target is None else case.draw(rng, "target")
        report = check_criterion(case.make, case.draw(rng), target, **options)
        assert {*report.passed, *report.exempt} == {*CRITERION_PROPERTIES}
    else:
        report = check_module(case.make, case.draw(rng), **options)
        assert {*report.passed, *report.exempt} == {*PROPERTIES}


@pytest.mark.parametrize("case", ROWS)
def test_one_sample_is_a_row(case):
    """One sample, where a layer takes it, gives what it gives as a batch of one."""
    module = case.make()
    if (
        isinstance(module, nn.Criterion)
        or "batch" in {**case.exempt, **module.exempt}
        or module.remembers
    ):
        return
    x = case.draw(np.random.default_rng(0))
    rows = map_arrays(lambda a: a[:1], x)
    sample = map_arrays(lambda a: a[0], x)
    try:
        one, batch = module.clone(), module.clone()
        output, outputs = one.forward(sample), batch.forward(rows)
        if shapes(output) != shapes(map_arrays(lambda a: a[0], outputs)):
            return
    except (ValueError, TypeError, IndexError):
        return
    if not all(map(np.allclose, leaves(output), leaves(map_arrays(lambda a: a[0], outputs)))):
        # A dimension less means something else here: SoftMax over planes, Max over features.
        return
    gradOutput = map_arrays(lambda a: np.arange(1.0, a.size + 1).reshape(a.shape), output)
    gradOutputs = map_arrays(lambda a: a[None], gradOutput)
    gradInput, gradInputs = one.backward(sample, gradOutput), batch.backward(rows, gradOutputs)
    expected = map_arrays(lambda a: a[0], gradInputs)
    assert all(map(np.allclose, leaves(gradInput), leaves(expected)))
    for ours, theirs in zip(one.parameters()[1], batch.parameters()[1], strict=True):
        assert np.allclose(ours, theirs)


def test_every_class_has_a_row():
    rows = [row.values[0].make() for row in ROWS]
    made = {type(row) for row in rows}
    # What refers to a module elsewhere is tested in a network that has both.
    for row in rows:
        if isinstance(row, nn.Container):
            made |= {type(module) for module in row.listModules() if module.refers}
    missing = [
        f"add a row for {kind.__name__} to tests/cases/{kind.__module__.split('.')[2]}.py"
        for kind in map(partial(getattr, nn), nn.__all__)
        if issubclass(kind, (nn.Module, nn.Criterion)) and kind not in made
        if kind not in {nn.Module, nn.Container, nn.Criterion}
    ]
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)
