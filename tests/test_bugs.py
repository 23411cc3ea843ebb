"""The checker finds every bug of the corpus, and nothing in what is right."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from bugs import CriterionBug, bases, corpus, extremes, of_gradients, right, verdict
from bugs.good import BIG, GOOD
from bugs.said import SAID
from cases import draw
from hypothesis import given, settings
from hypothesis import strategies as st

from torchlite import random
from torchlite.testing import (
    CRITERION_PROPERTIES,
    PROPERTIES,
    ContractViolation,
    GradientMismatch,
    check_criterion,
    check_module,
    values,
)
from torchlite.testing.properties import ADVICE

BUGS = corpus()
NAMED = {bug.name: bug for bug in BUGS}
WRITTEN = right()


# What share of wrong gradients the first answer must name at least, and may misname at most.
RIGHT, WRONG = 0.5, 0.02


def check_layer(make, input, seed, **options):
    # A layer draws its own numbers for a shape; only what has to be special is given.
    given = {"input": input(np.random.default_rng(seed))} if callable(input) else {"shape": input}
    check_module(make, seed=seed, **given, **options)


def check_loss(make, input, target, seed, **options):
    rng = np.random.default_rng(seed)
    check_criterion(make, draw(rng, input), draw(rng, target), seed=seed, **options)


def violation(bug, **options):
    """Return what is said of the fault by default; any other error is the checker's."""
    random.manualSeed(1)
    level = "strict" if set(bug.kills) <= ADVICE else "contract"
    options = {"exempt": bug.exempt, "level": level, **options}
    try:
        if isinstance(bug, CriterionBug):
            check_loss(bug.make, bug.input, bug.target, 0, **options)
        else:
            check_layer(bug.make, bug.input, 0, **options)
    except ContractViolation as violation:
        return violation
    return None


def killed(bug, only=None):
    return violation(bug, only=only) is not None


@cache
def first_answer(name):
    """Return what the checker says by default of the bug of this name."""
    return violation(NAMED[name])


@pytest.mark.parametrize(("name", "property", "problem", "hint"), SAID)
def test_what_to_write_instead(name, property, problem, hint):
    found = violation(NAMED[name], only=property)
    assert found.problem.startswith(problem)
    assert found.hint == hint


def killers(bug):
    """Return the properties that find the bug."""
    found = violation(bug, level="strict", all_failures=True)
    return {each.property for each in getattr(found, "violations", [found])}


def check_good(good, N, n, m, seed, level="strict"):
    random.manualSeed(seed)
    options = {"exempt": good.exempt, "level": level}
    if good.target is not None:
        input, target = good.input(N, n), good.target(N, n)
        check_loss(lambda: good.make(n, m), input, target, seed, **options)
    else:
        check_layer(lambda: good.make(n, m), good.input(N, n), seed, **options)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_is_found_by_default(bug):
    assert first_answer(bug.name) is not None


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_is_found_by_each_property_listed(bug):
    # What the first answer tells of the property is what that property tells alone.
    others = set(bug.kills) - {first_answer(bug.name).property}
    assert [name for name in sorted(others) if not killed(bug, name)] == []


def test_guesses_are_right_more_often_than_wrong():
    verdicts = {bug.name: verdict(bug, first_answer(bug.name)) for bug in of_gradients()}
    shares = {what: n / len(verdicts) for what, n in Counter(verdicts.values()).items()}
    assert shares["right"] >= RIGHT, shares
    wrong = [name for name, what in verdicts.items() if what == "wrong"]
    assert shares.get("wrong", 0) <= WRONG, wrong


def test_what_is_no_wrong_gradient_says_what_to_write():
    answers = {bug.name: first_answer(bug.name) for bug in BUGS}
    silent = [
        name
        for name, found in answers.items()
        if not (found.hint or isinstance(found, GradientMismatch) or " it raises " in str(found))
    ]
    assert silent == []


@pytest.mark.parametrize("name", sorted({*PROPERTIES, *CRITERION_PROPERTIES}))
def test_property_finds_a_bug_that_no_other_finds(name):
    only_listed = [bug for bug in BUGS if set(bug.kills) == {name}]
    assert any(killers(bug) == {name} for bug in only_listed)


def test_bugs_have_names_of_their_own():
    names = [bug.name for bug in BUGS]
    assert len(names) == len(set(names)) >= 450


@pytest.mark.parametrize("bug", extremes.BUGS, ids=lambda bug: bug.name)
def test_ordinary_numbers_do_not_find_what_extreme_ones_do(bug, monkeypatch):
    monkeypatch.setattr(values, "adversarial", lambda rng, shape, *_: values.sixteenths(rng, shape))
    monkeypatch.setattr(values, "HUGE", 1.0)
    assert not killed(bug)


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.name)
def test_right_layer_passes(good):
    check_good(good, 5, 3, 4, 0)


@pytest.mark.parametrize("good", bases(), ids=lambda good: good.name)
def test_right_layer_that_bugs_were_made_of_passes(good):
    check_good(good, 5, 3, 4, 0)


@pytest.mark.parametrize(
    "good",
    WRITTEN,
    ids=lambda good: good.name,
)
def test_right_layer_as_users_write_it_passes(good):
    """At its first size and its last; `benchmarks/checker_alarms.py` has more seeds."""
    for seed, size in enumerate((good.sizes[0], good.sizes[-1])):
        check_good(good, *size, seed, level="contract")


@pytest.mark.parametrize(
    ("name", "size", "seed"),
    [
        # The complex step is off by less than differences see, or these by more than they say.
        ("LayerNormByVar-nearly equal rows", (1, 2, 3), 2),
        ("LayerNormByVar-nearly equal rows", (1, 2, 3), 8),
        ("LayerNormByVar-nearly equal rows", (5, 2, 4), 21),
        # A kink beside an entry is no noise.
        ("Triangle-large", (64, 128, 4), 6),
        ("SoftThreshold-many", (16, 40, 4), 9),
        ("LargestMagnitude-large", (64, 128, 4), 9),
        # Of kinks that add up, at zeros, gradients may lie beyond the slopes on both sides.
        ("FeedForward", (1, 2, 3), 7),
    ],
)
def test_no_number_deceives_the_oracles(name, size, seed):
    (good,) = (good for good in WRITTEN if good.name == name)
    check_good(good, *size, seed, level="contract")


def test_a_derivative_of_1e_12_is_rounding_to_differences():
    (good,) = (good for good in WRITTEN if good.name == "Ignoring")
    rng = np.random.default_rng(12)
    target, input = draw(rng, good.target(1, 2)), draw(rng, good.input(1, 2))
    random.manualSeed(12)
    check_criterion(lambda: good.make(2, 3), input, target, seed=12)


def test_right_layers_have_names_of_their_own():
    names = [good.name for good in WRITTEN]
    assert len(names) == len(set(names)) >= 280


def test_large_right_layer_passes():
    check_good(BIG, 10, 300, 300, 0)


sizes = st.integers(1, 4)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(GOOD), sizes, sizes, sizes, st.integers(0, 2**32 - 1))
def test_right_layer_passes_in_any_size(good, N, n, m, seed):
    check_good(good, N, n, m, seed)
