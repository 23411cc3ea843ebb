"""Every class, by its row in tests/cases/, through every property of the checker."""

from collections import defaultdict

import cases
import numpy as np
import pytest

from torchlite import nn, random
from torchlite.nn.nested import leaves, map_arrays, shapes
from torchlite.testing import (
    CRITERION_PROPERTIES,
    PROPERTIES,
    check,
    check_criterion,
    check_module,
)
from torchlite.testing.maths import statements
from torchlite.testing.properties import behaviour

CLASSES = [
    getattr(home, name) for home in (nn, nn.recurrent.element_research) for name in home.__all__
]
ROWS = [pytest.param(case, id=f"{chapter}-{case.id}") for chapter, case in cases.rows()]


# What a Sequential gives is what its module gives, as `container` finds: whether this is the
# derivative, in however many ways, the module has been asked alone.
DERIVATIVES = {"gradInput", "gradParameters"}


@pytest.mark.parametrize("case", ROWS)
def test_contract(case, monkeypatch):
    """A layer inside a Sequential, which checks it alone, too, on the input that it gets there."""
    rng, made = np.random.default_rng(0), case.make()
    options = {"exempt": case.exempt, "level": "strict"}
    if isinstance(made, nn.Criterion):
        target = None if case.target is None else case.draw(rng, "target")
        report = check_criterion(case.make, case.draw(rng), target, **options)
        assert {*report.passed, *report.exempt} == {*CRITERION_PROPERTIES}
        return
    assert not any(gradient.any() for gradient in made.parameters()[1])
    asked = defaultdict(set)
    guarded = check._guarded

    def noting(subject, name, of):
        where = subject.where.partition(" ")[0]
        if where.startswith("net[0]["):
            # What a layer is made of has rows of its own, where it is asked.
            if type(subject.base) in CLASSES:
                return
        elif not where.startswith("net[") and name in DERIVATIVES:
            return
        asked[where].add(name)
        guarded(subject, name, of)

    x = case.draw(rng)
    with monkeypatch.context() as patch:
        patch.setattr(check, "_guarded", noting)
        report = check_module(lambda: nn.Sequential(case.make()), x, **options)
    # Of what is inside, it may say more.
    exempt = [name for name in report.exempt if not name.startswith("[")]
    assert {*report.passed, *exempt} == {*PROPERTIES}
    if "net[0]" not in asked:
        # What refers to a module elsewhere, or gets no arrays alone, is not checked inside.
        check_module(case.make, x, **options)
    else:
        inside = {name for part in made.listModules() for name in part.exempt}
        assert asked["net[0]"] | {*case.exempt, *inside} >= {*PROPERTIES}, asked


class Tagged(np.ndarray):
    """Arrays that are no other than NumPy's, but by name."""


def tagged(array):
    return array.view(Tagged)


def went_both_ways(case, seen_as):
    """Return the numbers of forward and updateGradInput, of arrays seen as another class."""
    rng = np.random.default_rng(0)
    random.manualSeed(0)
    layer = case.make()
    x = map_arrays(seen_as, case.draw(rng))
    output = layer.forward(x)
    gradOutput = map_arrays(lambda a: seen_as(rng.integers(-2, 3, a.shape).astype(a.dtype)), output)
    found = leaves([output, layer.updateGradInput(x, gradOutput)])
    return [np.asarray(array) for array in found if array is not None]


def test_a_subclass_of_arrays_is_taken_for_its_numbers():
    for _, case in cases.rows():
        if not isinstance(case.make(), nn.Criterion):
            expected, got = went_both_ways(case, np.asarray), went_both_ways(case, tagged)
            for a, b in zip(expected, got, strict=True):
                np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-12, err_msg=case.id)


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


def test_maths_of_every_class_are_compared(monkeypatch):
    compared = set()
    compare = behaviour._compare_with

    def noting(block, subject):
        compare(block, subject)
        compared.add(type(subject.base))

    monkeypatch.setattr(behaviour, "_compare_with", noting)
    for row in ROWS:
        case, rng = row.values[0], np.random.default_rng(0)
        if type(case.make()) in compared:
            continue
        arguments = [case.make, case.draw(rng)]
        if isinstance(case.make(), nn.Criterion):
            arguments.append(None if case.target is None else case.draw(rng, "target"))
            check_criterion(*arguments, only="maths", exempt=case.exempt)
        else:
            check_module(*arguments, only="maths", exempt=case.exempt)
    missing = [
        f"no row of {kind.__name__} compares its Maths"
        for kind in CLASSES
        # A trainer is no layer, and what refers to another is not checked alone.
        if statements(kind) and kind not in {*compared, nn.StochasticGradient} and not kind.refers
    ]
    assert not missing


def test_every_class_has_a_row():
    rows = [row.values[0].make() for row in ROWS]
    made = {type(row) for row in rows}
    # What refers to a module elsewhere is tested in a network that has both.
    for row in rows:
        if isinstance(row, nn.Container):
            made |= {type(module) for module in row.listModules() if module.refers}
    missing = [
        f"add a row for {kind.__name__} to tests/cases/{kind.__module__.split('.')[2]}.py"
        for kind in CLASSES
        if issubclass(kind, (nn.Module, nn.Criterion)) and kind not in made
        if kind not in {nn.Module, nn.Container, nn.Criterion}
    ]
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)
