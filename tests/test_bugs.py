"""The checker finds every bug of the corpus, and nothing in what is right."""

import numpy as np
import pytest
from bugs import CriterionBug, corpus, extremes
from bugs.good import BIG, GOOD, odd
from hypothesis import given, settings
from hypothesis import strategies as st

from torchlite import random
from torchlite.testing import (
    CRITERION_PROPERTIES,
    PROPERTIES,
    ContractViolation,
    check_criterion,
    check_module,
    values,
)

BUGS = corpus()


def draw(rng, shape):
    if callable(shape):
        return shape(rng)
    return [draw(rng, entry) for entry in shape] if isinstance(shape, list) else odd(rng, shape)


def check_layer(make, input, seed, **options):
    # A layer draws its own numbers for a shape; only what has to be special is given.
    given = {"input": input(np.random.default_rng(seed))} if callable(input) else {"shape": input}
    check_module(make, seed=seed, **given, **options)


def check_loss(make, input, target, seed, **options):
    rng = np.random.default_rng(seed)
    check_criterion(make, draw(rng, input), draw(rng, target), seed=seed, **options)


def killed(bug, only=None):
    """Tell whether these properties, or all, find the fault; any other error is the checker's."""
    random.manualSeed(1)
    options = {"only": only, "exempt": bug.exempt}
    try:
        if isinstance(bug, CriterionBug):
            check_loss(bug.make, bug.input, bug.target, 0, **options)
        else:
            check_layer(bug.make, bug.input, 0, **options)
    except ContractViolation:
        return True
    return False


def killers(bug):
    names = CRITERION_PROPERTIES if isinstance(bug, CriterionBug) else PROPERTIES
    return {name for name in names if name not in bug.exempt and killed(bug, name)}


def check_good(good, N, n, m, seed):
    random.manualSeed(seed)
    if good.target is not None:
        check_loss(
            lambda: good.make(n, m),
            good.input(N, n),
            good.target(N, n),
            seed,
            exempt=good.exempt,
        )
    else:
        check_layer(lambda: good.make(n, m), good.input(N, n), seed, exempt=good.exempt)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_is_found_by_each_property_listed_and_by_default(bug):
    assert [name for name in sorted(bug.kills) if not killed(bug, name)] == []
    assert killed(bug)


@pytest.mark.parametrize("name", sorted({*PROPERTIES, *CRITERION_PROPERTIES}))
def test_property_finds_a_bug_that_no_other_finds(name):
    only_listed = [bug for bug in BUGS if set(bug.kills) == {name}]
    assert any(killers(bug) == {name} for bug in only_listed)


def test_bugs_have_names_of_their_own():
    names = [bug.name for bug in BUGS]
    assert len(names) == len(set(names)) >= 90


@pytest.mark.parametrize("bug", extremes.BUGS, ids=lambda bug: bug.name)
def test_ordinary_numbers_do_not_find_what_extreme_ones_do(bug, monkeypatch):
    monkeypatch.setattr(values, "adversarial", lambda rng, shape, *_: values.sixteenths(rng, shape))
    monkeypatch.setattr(values, "HUGE", 1.0)
    assert not killed(bug)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.name)
def test_right_layer_passes(good, seed):
    check_good(good, 5, 3, 4, seed)


def test_large_right_layer_passes():
    check_good(BIG, 10, 300, 300, 0)


sizes = st.integers(1, 4)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(GOOD), sizes, sizes, sizes, st.integers(0, 2**32 - 1))
def test_right_layer_passes_in_any_size(good, N, n, m, seed):
    check_good(good, N, n, m, seed)
