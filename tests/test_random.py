"""`torchlite.random` against the numbers that Torch7 drew."""

import copy
import itertools
import json
import math
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchlite import random
from torchlite.errors import DTypeError, SettingError, ShapeError

DATA = pathlib.Path(__file__).parent / "data"


def golden(chapter):
    """The cases of a chapter, with their arrays."""
    cases = json.loads((DATA / f"{chapter}.json").read_text(encoding="utf-8"))
    with np.load(DATA / f"{chapter}.npz") as arrays:
        for case in cases:
            if "output" in case:
                case["output"] = arrays[f"{case['id']}/output"]
            for name in case.get("params", ()):
                case["params"][name] = arrays[f"{case['id']}/params.{name}"]
    return cases


CASES = {case["id"]: case for case in golden("random")}


def cases(*draws):
    return pytest.mark.parametrize(
        "case", [pytest.param(c, id=i) for i, c in CASES.items() if c["draws"] in draws]
    )


def same_bits(actual, expected):
    """Equal dtype, shape and bytes: -0.0 is not 0.0."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    return (
        actual.dtype == expected.dtype
        and actual.shape == expected.shape
        and actual.tobytes() == expected.tobytes()
    )


@pytest.fixture(autouse=True)
def _same_stream_afterwards():
    state = random.getRNGState()
    yield
    random.setRNGState(state)


# ---------------------------------------------------------------- Torch7's numbers


def test_the_golden_chapter_holds_what_is_tested_here():
    kinds = {case["draws"] for case in CASES.values()}
    assert kinds == {"scalar", "tensor", "function", "sequence", "none"}
    assert len(CASES) == 154


@cases("scalar")
def test_single_draws(case):
    draw = getattr(random, case["class"])
    random.manualSeed(case["seed"])
    drawn = [draw(*case["args"]) for _ in case["output"]]
    whole = case["class"] in ("random", "geometric", "bernoulli")
    assert {type(number) for number in drawn} == {int if whole else float}
    assert same_bits(np.array(drawn, np.float64), case["output"])
    assert random.random() == case["next_random"]


@cases("scalar")
def test_a_new_array_holds_the_single_draws(case):
    random.manualSeed(case["seed"])
    drawn = getattr(random, case["class"])(*case["args"], size=len(case["output"]))
    assert same_bits(drawn, case["output"])
    assert random.random() == case["next_random"]


LAYOUTS = {
    "C": np.empty,
    "Fortran": lambda shape, dtype: np.empty(shape, dtype, order="F"),
    "every second": lambda shape, dtype: np.empty([2 * n for n in shape], dtype)[
        tuple(slice(None, None, 2) for _ in shape)
    ],
    "backwards": lambda shape, dtype: np.flip(np.empty(shape, dtype)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@cases("tensor")
def test_fills(case, layout):
    expected = case["output"]
    if "torch7_bug" in case:
        # Torch7 turns the negative numbers of float tensors into 2**64; the rest is right.
        random.manualSeed(case["seed"])
        right = [random.random(*case["args"]) for _ in expected]
        expected = np.where(expected < 2.0**63, expected, right).astype(expected.dtype)
        assert expected.tolist() == right
    out = LAYOUTS[layout](expected.shape, expected.dtype)
    random.manualSeed(case["seed"])
    assert getattr(random, case["class"])(*case["args"], out=out) is out
    assert same_bits(out, expected)
    assert random.random() == case["next_random"]


FUNCTIONS = {
    "torch.rand(7)": lambda: random.uniform(size=7),
    "torch.rand(3, 6)": lambda: random.uniform(size=(3, 6)),
    "torch.randn(7)": lambda: random.normal(size=7),
    "torch.randn(4, 5)": lambda: random.normal(size=(4, 5)),
    "torch.randperm(10)": lambda: random.randperm(10) + 1.0,
    "torch.randperm(1)": lambda: random.randperm(1) + 1.0,
    "torch.multinomial(torch.Tensor{1, 2, 3, 4}, 6, true)": (
        lambda: random.multinomial(np.array([1.0, 2, 3, 4]), 6, True) + 1
    ),
    "torch.multinomial(torch.Tensor{1, 2, 3, 4}, 3, false)": (
        lambda: random.multinomial(np.array([1.0, 2, 3, 4]), 3, False) + 1
    ),
    # The tensor is not taken for probabilities: it is filled.
    "torch.bernoulli(torch.Tensor{.1, .5, .9, .5})": lambda: random.bernoulli(out=np.empty(4)),
}


@cases("function")
def test_functions(case):
    random.manualSeed(case["seed"])
    assert same_bits(FUNCTIONS[case["lua"]](), case["output"])
    assert random.random() == case["next_random"]


def test_multinomial_draws_row_by_row():
    weights = np.array([[1, 2, 3], [0, 5, 0]])
    random.manualSeed(3)
    rows = [random.multinomial(row, 4, True).tolist() for row in weights]
    random.manualSeed(3)
    assert random.multinomial(weights, 4, True).tolist() == rows
    assert rows[1] == [1, 1, 1, 1]
    assert random.multinomial(np.ones((0, 3)), 2).shape == (0, 2)


@pytest.mark.parametrize("weights", [[1, 2, 3, 4], [1e-20, 1, 1, 1e-300], [1e300, 1, 1e-300, 1e9]])
def test_multinomial_without_replacement_draws_every_position_once(weights):
    given = np.array(weights, float)
    for seed in range(20):
        random.manualSeed(seed)
        assert sorted(random.multinomial(given, 4)) == [0, 1, 2, 3]
    assert given.tolist() == weights


def test_multinomial_draws_by_weight():
    random.manualSeed(1)
    drawn = random.multinomial([1.0, 0.0, 3.0], 100_000, True)
    assert np.bincount(drawn) / 100_000 == pytest.approx([0.25, 0, 0.75], abs=5e-3)


@cases("sequence")
def test_the_spare_normal_waits_through_mixed_draws(case):
    calls = {
        "tensorNormal": lambda n: random.normal(size=n).tolist(),
        "tensorUniform": lambda n: random.uniform(size=n).tolist(),
        "randperm": lambda n: (random.randperm(n) + 1).tolist(),
        "manualSeed": lambda seed: random.manualSeed(seed) or [],
    }
    random.manualSeed(case["seed"])
    drawn = []
    for name, *args in case["sequence"]:
        drawn += calls[name](*args) if name in calls else [getattr(random, name)(*args)]
    assert same_bits(np.array(drawn, np.float64), case["output"])
    assert random.random() == case["next_random"]


@cases("none")
def test_the_words_that_loading_nn_draws(case):
    random.manualSeed(case["seed"])
    random.random(size=case["words_drawn_by_require"])
    assert random.random() == case["next_random"]


def test_arguments_are_rounded_to_the_dtype_of_the_array():
    [case] = [c for c in golden("init") if c["dtype"] == "float32" and c["class"] == "Linear"]
    stdv = 1 / math.sqrt(case["args"][0])
    random.manualSeed(case["seed"])
    for expected in (case["params"]["weight"], case["params"]["bias"]):
        assert same_bits(random.uniform(-stdv, stdv, out=np.empty_like(expected)), expected)
    assert random.random() == case["next_random"]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("normal", (0.1, 0.3)),
        ("exponential", (0.3,)),
        ("cauchy", (0.1, 0.3)),
        ("logNormal", (0.1, 0.3)),
    ],
)
def test_so_are_those_of_the_other_real_distributions(name, args):
    draw = getattr(random, name)
    random.manualSeed(6)
    drawn = draw(*args, out=np.empty(1000, np.float32))
    random.manualSeed(6)
    expected = draw(*map(np.float32, args), size=1000).astype(np.float32)
    assert same_bits(drawn, expected)
    random.manualSeed(6)
    assert not same_bits(draw(*args, size=1000).astype(np.float32), expected)


def test_a_probability_is_not_rounded_and_may_be_hit():
    random.manualSeed(6)
    chances = random.uniform(size=50)
    for dtype in (np.float64, np.float32, np.uint8):
        random.manualSeed(6)
        assert all(random.bernoulli(p, out=np.empty(1, dtype)) == 1 for p in chances)
    random.manualSeed(6)
    assert not any(random.bernoulli(math.nextafter(p, 0)) for p in chances)


def test_the_example_of_torch7s_manual():
    random.manualSeed(123)
    printed = [f"{random.uniform():.14g}" for _ in range(3)]
    assert printed == ["0.69646918727085", "0.71295532141812", "0.28613933874294"]


LOG_NEAR_0 = math.log(1 - 1e-15)


def test_many_normals_are_the_formula_in_math():
    random.manualSeed(7)
    u = random.uniform(size=20_000).tolist()
    expected = []
    for x, y in zip(u[::2], u[1::2], strict=True):
        rho = math.sqrt(-2.0 * math.log(1.0 - y))
        expected.append(rho * math.cos(2.0 * math.pi * x) * 0.3 + 0.1)
        expected.append(rho * math.sin(2.0 * math.pi * x) * 0.3 + 0.1)
    random.manualSeed(7)
    assert same_bits(random.normal(0.1, 0.3, size=20_000), np.array(expected))


@pytest.mark.parametrize(
    ("name", "args", "formula"),
    [
        ("exponential", (0.3,), lambda u: -1.0 / 0.3 * math.log(1.0 - u)),
        ("cauchy", (0.1, 0.3), lambda u: 0.1 + 0.3 * math.tan(math.pi * (u - 0.5))),
        ("geometric", (0.3,), lambda u: float(int(math.log(1.0 - u) / math.log(0.3)) + 1)),
        ("geometric", (1 - 1e-15,), lambda u: float(int(math.log(1.0 - u) / LOG_NEAR_0) + 1)),
    ],
)
def test_many_draws_are_the_formula_in_math(name, args, formula):
    random.manualSeed(7)
    expected = [formula(u) for u in random.uniform(size=20_000).tolist()]
    random.manualSeed(7)
    assert same_bits(getattr(random, name)(*args, size=20_000), np.array(expected))


def test_defaults():
    def first(name, *args):
        random.manualSeed(2)
        return getattr(random, name)(*args)

    assert first("uniform") == first("uniform", 0, 1)
    assert first("normal") == first("normal", 0, 1)
    assert first("cauchy") == first("cauchy", 0, 1)
    assert first("logNormal") == first("logNormal", 1, 2)
    assert first("bernoulli") == first("bernoulli", 0.5)


# ---------------------------------------------------------------- arrays


@given(st.lists(st.integers(0, 5)))
def test_normals_are_one_stream_however_they_are_asked_for(sizes):
    random.manualSeed(1)
    expected = random.normal(size=sum(sizes) + 1)
    random.manualSeed(1)
    drawn = [random.normal(size=n) for n in sizes]
    assert same_bits(np.concatenate([*drawn, [random.normal()]]), expected)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("random", (6,)),
        ("uniform", ()),
        ("normal", ()),
        ("exponential", (1,)),
        ("cauchy", ()),
        ("logNormal", ()),
        ("geometric", (0.5,)),
        ("bernoulli", ()),
    ],
)
def test_empty_arrays_draw_nothing(name, args):
    draw = getattr(random, name)
    random.manualSeed(1)
    random.normal()
    state = random.getRNGState()
    assert draw(*args, size=0).shape == (0,)
    assert draw(*args, size=(2, 0, 3)).shape == (2, 0, 3)
    assert draw(*args, out=np.empty((0, 4), np.float32)).shape == (0, 4)
    assert np.array_equal(random.getRNGState(), state)


def test_shapes():
    random.manualSeed(1)
    assert random.uniform(size=()).shape == ()
    assert random.uniform(size=np.int64(3)).shape == (3,)
    assert random.random(6, size=(2, 3)).dtype == np.float64
    zero_d = np.array(0.0)
    assert random.normal(out=zero_d) is zero_d
    assert zero_d != 0


def test_a_fill_writes_to_its_array_only():
    around = np.zeros((4, 4))
    random.uniform(1, 2, out=around[1:3, 1:3])
    assert around[1:3, 1:3].all()
    assert np.count_nonzero(around) == 4


def test_all_integer_dtypes_hold_whole_numbers():
    random.manualSeed(3)
    expected = random.random(0, 100, size=20)
    for dtype in np.typecodes["AllInteger"]:
        random.manualSeed(3)
        assert np.array_equal(random.random(0, 100, out=np.empty(20, dtype)), expected)


def test_random_reaches_both_ends_of_64_bits():
    random.manualSeed(0)
    word = random.random()
    for low in (-(2**63), 2**63):
        random.manualSeed(0)
        out = np.empty(1, np.int64 if low < 0 else np.uint64)
        assert random.random(low, low + 2**63 - 1, out=out).item() == low + word
    random.manualSeed(0)
    assert random.random(-(2**63), 2**63 - 1) == word - 2**63
    random.manualSeed(0)
    assert random.random(out=np.empty(1, np.uint64)).item() == word


def test_arguments_may_be_any_real_numbers():
    random.manualSeed(4)
    expected = [random.uniform(-2, 3), random.random(2, 5), random.normal(0.5, 2)]
    random.manualSeed(4)
    drawn = [
        random.uniform(np.float32(-2), np.int8(3)),
        random.random(np.int8(2), np.uint64(5)),
        random.normal(Fraction(1, 2), np.float16(2)),
    ]
    assert drawn == expected
    assert [type(number) for number in drawn] == [float, int, float]


def test_log_normals_overflow_to_infinity():
    assert random.logNormal(1000, 1) == math.inf


# ---------------------------------------------------------------- seeds and states


def test_the_lowest_32_bits_of_a_seed_decide():
    def first(seed):
        random.manualSeed(seed)
        return random.random()

    assert first(5) == first(5 + 2**32) == first(np.uint8(5)) == first(5 - 2**100) != first(6)
    assert first(5) != first(5 + 2**31)
    assert first(-1) == first(2**32 - 1) == first(np.int64(-1))


@pytest.mark.parametrize(
    ("seed", "initial"), [(7, 7), (-7, -7), (2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64, 0)]
)
def test_the_initial_seed_is_a_long(seed, initial):
    random.manualSeed(seed)
    random.uniform(size=1000)
    assert random.initialSeed() == initial
    random.setRNGState(random.getRNGState())
    assert random.initialSeed() == initial


def test_the_operating_systems_seed_can_be_used_again():
    random.normal()
    seed = random.seed()
    assert 0 <= seed < 2**32
    assert random.initialSeed() == seed
    drawn = random.normal(size=3)
    random.manualSeed(seed)
    assert same_bits(random.normal(size=3), drawn)
    assert random.seed() != seed


def test_unseeded_generators_differ():
    first, second = random.Generator(), random.Generator()
    assert first.initialSeed() != second.initialSeed()
    assert not np.array_equal(first.random(size=4), second.random(size=4))


def test_generators_are_independent():
    random.manualSeed(1)
    expected = random.uniform(size=3)
    random.manualSeed(1)
    other = random.Generator()
    other.manualSeed(1)
    assert same_bits(other.uniform(size=3), expected)
    assert same_bits(random.uniform(size=3), expected)


@pytest.mark.parametrize("words", [0, 1, 623, 624, 625])
@pytest.mark.parametrize("spare", [False, True])
def test_a_state_restores_the_stream(words, spare):
    def draw():
        return np.hstack(
            [random.uniform(), random.normal(), random.random(), random.normal(size=3)]
        )

    random.manualSeed(9)
    random.random(size=words)
    if spare:
        random.normal()
    state = random.getRNGState()
    expected = draw()
    assert not np.array_equal(random.getRNGState(), state)
    random.manualSeed(10)
    random.normal()
    random.setRNGState(pickle.loads(pickle.dumps(state)))
    assert np.array_equal(random.getRNGState(), state)
    assert same_bits(draw(), expected)


def test_a_state_is_a_copy():
    random.manualSeed(9)
    state = random.getRNGState()
    kept = state.copy()
    random.setRNGState(state)
    random.normal(size=701)
    assert np.array_equal(state, kept)
    state[:] = 0
    random.setRNGState(np.repeat(kept, 2)[::2])
    assert np.array_equal(random.getRNGState(), kept)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_generators_can_be_copied_and_pickled(duplicate):
    generator = random.Generator()
    generator.manualSeed(2)
    generator.normal()
    twin = duplicate(generator)
    assert same_bits(twin.normal(size=5), generator.normal(size=5))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_so_can_those_that_have_no_seed_yet(duplicate):
    generator = random.Generator()
    twin = duplicate(generator)
    assert twin.initialSeed() == generator.initialSeed()
    assert twin.random() == generator.random()


def test_a_copy_keeps_what_a_class_of_ones_own_has():
    class Named(random.Generator):
        def __init__(self):
            super().__init__()
            self.name = "mine"

    generator = Named()
    for twin in (copy.deepcopy(generator), generator.jumped(0)):
        assert type(twin) is Named
        assert twin.name == "mine"
        assert twin.random(size=0).shape == (0,)


def test_jumped_streams_of_an_unseeded_generator_are_those_of_one_seed():
    generator = random.Generator()
    jumped = [generator.jumped(jumps) for jumps in range(3)]
    again = random.Generator()
    again.manualSeed(generator.initialSeed())
    assert [stream.initialSeed() for stream in jumped] == [generator.initialSeed()] * 3
    words = [stream.random() for stream in jumped]
    assert words == [again.jumped(jumps).random() for jumps in range(3)]
    assert words[0] == generator.random()


def test_so_are_those_of_the_default_one():
    program = """
from torchlite import random
jumped = [random.jumped(1), random.jumped(1), random.jumped(0)]
assert [stream.initialSeed() for stream in jumped] == [random.initialSeed()] * 3
one, same, first = (stream.random() for stream in jumped)
assert one == same != first == random.random()
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=DATA.parent.parent)


# ---------------------------------------------------------------- blocks


def seeded(seed):
    generator = random.Generator()
    generator.manualSeed(seed)
    return generator


def words_of(seed, n=4):
    return seeded(seed).random(size=n).tolist()


def test_in_a_block_the_generator_draws_from_its_own_stream():
    random.manualSeed(1)
    mine, default = words_of(2), words_of(1)
    generator = seeded(2)
    with random.drawing_from(generator):
        assert [generator.random(), random.random(), generator.random()] == mine[:3]
        assert generator.initialSeed() == random.initialSeed() == 2
        assert np.array_equal(generator.getRNGState(), random.getRNGState())
        assert copy.deepcopy(generator).random() == generator.jumped(0).random() == mine[3]
    assert generator.random() == mine[3]
    assert [random.random(), random.random()] == default[:2]


def test_in_a_block_the_spare_normal_is_the_generators():
    random.manualSeed(1)
    random.normal()
    default, alone = random.getRNGState(), seeded(2)
    generator = seeded(2)
    with random.drawing_from(generator):
        assert [random.normal(), generator.normal()] == [alone.normal(), alone.normal()]
        random.normal()
    alone.normal()
    assert generator.normal() == alone.normal()
    assert np.array_equal(random.getRNGState(), default)


@pytest.mark.parametrize("inside", ["function", "method"])
def test_seeds_and_states_set_in_a_block_are_the_generators(inside):
    random.manualSeed(1)
    generator, state = seeded(2), seeded(4).getRNGState()
    source = random if inside == "function" else generator
    with random.drawing_from(generator):
        source.manualSeed(3)
        assert [random.random(), generator.random()] == words_of(3, 2)
        source.setRNGState(state)
        assert [random.random(), generator.random()] == words_of(4, 2)
        seed = source.seed()
        assert random.initialSeed() == generator.initialSeed() == seed
    assert generator.random() == words_of(seed)[0]
    assert random.random() == words_of(1)[0]


def test_blocks_in_blocks():
    random.manualSeed(1)
    two, three = seeded(2), seeded(3)
    drawn = []

    def draw():
        drawn.append(random.random())

    draw()
    with random.drawing_from(two):
        draw()
        with random.drawing_from(three):
            draw()
            with random.drawing_from(two), random.drawing_from(two):
                draw()
            draw()
        draw()
    draw()
    of = {seed: iter(words_of(seed)) for seed in (1, 2, 3)}
    assert drawn == [next(of[seed]) for seed in (1, 2, 3, 2, 3, 2, 1)]
    assert [two.random(), three.random()] == [next(of[2]), next(of[3])]


def test_blocks_may_end_in_any_order():
    """As those of threads do."""
    for order in itertools.permutations(range(3)):
        random.manualSeed(1)
        blocks = [random.drawing_from(seeded(seed)) for seed in (2, 3, 4)]
        for block in blocks:
            block.__enter__()
        running = [2, 3, 4]
        for place in order:
            assert random.initialSeed() == running[-1]
            blocks[place].__exit__(None, None, None)
            running.remove(place + 2)
        assert random.random() == words_of(1)[0]


def test_blocks_of_threads_leave_the_default_stream_as_it_was():
    random.manualSeed(1)

    def act():
        generator = seeded(2)
        with random.drawing_from(generator):
            return generator.random()

    assert {word for mine in drawn_by_threads(act) for word in mine} == {words_of(2)[0]}
    assert random.random() == words_of(1)[0]


# Where the fields of Torch7's THGenerator lie.
LEFT, SEEDED, NEXT, WORDS, X, RHO, IS_VALID = 8, 12, 16, 24, 5016, 5032, 5040


def test_the_bytes_of_a_state_are_torch7s():
    words = [123]
    for i in range(1, 624):
        words.append((1812433253 * (words[-1] ^ words[-1] >> 30) + i) % 2**32)
    random.manualSeed(123 + 2**32)
    state = random.getRNGState()
    assert state.dtype == np.uint8
    assert state.shape == (5048,)
    assert struct.unpack_from("<qiiQ", state) == (123 + 2**32, 1, 1, 624)
    assert list(struct.unpack_from("<624Q", state, WORDS)) == words
    assert not state[X:].any()
    u1, u2 = random.uniform(), random.uniform()
    random.manualSeed(123)
    random.normal()
    state = random.getRNGState()
    assert struct.unpack_from("<iiQ", state, LEFT) == (623, 1, 2)
    assert struct.unpack_from("<3di", state, X) == (u1, 0, math.sqrt(-2 * math.log(1 - u2)), 1)


def test_a_state_that_torch7_saved_right_after_seeding():
    random.manualSeed(123)
    state = random.getRNGState()
    expected = random.normal(size=3)
    struct.pack_into("<Q", state, NEXT, 0)
    random.setRNGState(state)
    assert same_bits(random.normal(size=3), expected)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("format", "offset", "values"),
    [
        ("<i", LEFT, (0,)),
        ("<i", LEFT, (500,)),
        ("<iiQ", LEFT, (625, 1, 0)),
        ("<iiQ", LEFT, (0, 1, 625)),
        ("<i", SEEDED, (0,)),
        ("<Q", NEXT, (3,)),
        ("<Q", WORDS + 8, (2**32,)),
        ("<i", IS_VALID, (2,)),
        ("<d", X, (1.0,)),
        ("<d", X, (-0.5,)),
        ("<d", X, (math.nan,)),
        ("<d", RHO, (-1.0,)),
        ("<d", RHO, (math.inf,)),
    ],
)
def test_a_damaged_state_is_refused(format, offset, values):
    random.manualSeed(1)
    random.normal()
    state = random.getRNGState()
    damaged = state.copy()
    struct.pack_into(format, damaged, offset, *values)
    with pytest.raises(SettingError, match=r"^setRNGState: state must be one that getRNGState"):
        random.setRNGState(damaged)
    assert np.array_equal(random.getRNGState(), state)


READ_ONLY = np.broadcast_to(0.0, (2, 2))

REFUSED = [
    (DTypeError, "manualSeed: seed must be a whole number, got 1.5", "manualSeed", (1.5,), {}),
    (DTypeError, "manualSeed: seed must be a whole number, got True", "manualSeed", (True,), {}),
    (DTypeError, "setRNGState: state must be a uint8 array, got bytes", "setRNGState", (b"1",), {}),
    (
        DTypeError,
        "setRNGState: state must be a uint8 array, got float64 array",
        "setRNGState",
        (np.zeros(5048),),
        {},
    ),
    (
        ShapeError,
        "setRNGState: state must be 5048 bytes, got shape (2, 2524)",
        "setRNGState",
        (np.zeros((2, 2524), np.uint8),),
        {},
    ),
    (DTypeError, "random: b must be a whole number, got 2.0", "random", (2.0,), {}),
    (DTypeError, "random: a must be a whole number, got None", "random", (None, 5), {}),
    (DTypeError, "random: b must be a whole number, got 2.5", "random", (1, 2.5), {}),
    (SettingError, "random: b must be at least 1, got 0", "random", (0,), {}),
    (SettingError, "random: b must be at least a = 9, got 3", "random", (9, 3), {}),
    (
        SettingError,
        "random: out must be of a dtype that holds draws from 1 to 9223372036854775808, got int64",
        "random",
        (2**63,),
        {},
    ),
    (
        SettingError,
        "random: out must be of a dtype that holds draws from -1 to 5, got uint8",
        "random",
        (-1, 5),
        {"out": np.zeros(2, np.uint8)},
    ),
    (
        SettingError,
        "random: out must be of a dtype that holds draws from 1 to 128, got int8",
        "random",
        (128,),
        {"out": np.zeros(2, np.int8)},
    ),
    (
        DTypeError,
        "random: out must be a float32, float64 or integer array, got complex128 array",
        "random",
        (),
        {"out": np.zeros(2, complex)},
    ),
    (SettingError, "uniform: b must be at least a = 3, got 1", "uniform", (3, 1), {}),
    (SettingError, "uniform: a must be a finite float64, got nan", "uniform", (math.nan,), {}),
    (SettingError, "uniform: b must be a finite float64, got inf", "uniform", (0, math.inf), {}),
    (
        SettingError,
        f"uniform: b must be a finite float64, got {10**400}",
        "uniform",
        (0, 10**400),
        {},
    ),
    (
        SettingError,
        "uniform: b - a must be a finite float64, got inf",
        "uniform",
        (-1e308, 1e308),
        {},
    ),
    (
        SettingError,
        "uniform: b must be a finite float32, got 1e+39",
        "uniform",
        (0, 1e39),
        {"out": np.zeros(2, np.float32)},
    ),
    (DTypeError, "uniform: a must be a real number, got '0'", "uniform", ("0",), {}),
    (DTypeError, "uniform: b must be a real number, got 1j", "uniform", (0, 1j), {}),
    (DTypeError, "uniform: b must be a real number, got True", "uniform", (0, True), {}),
    (
        ShapeError,
        "uniform: size must be a length or a tuple of lengths, got (2, -1)",
        "uniform",
        (),
        {"size": (2, -1)},
    ),
    (
        ShapeError,
        "uniform: size must be a length or a tuple of lengths, got 2.0",
        "uniform",
        (),
        {"size": 2.0},
    ),
    (
        SettingError,
        "uniform: size must be None beside out, got 2",
        "uniform",
        (),
        {"size": 2, "out": np.zeros(2)},
    ),
    (
        DTypeError,
        "uniform: out must be a float32 or float64 array, got list",
        "uniform",
        (),
        {"out": [0.0]},
    ),
    (
        DTypeError,
        "uniform: out must be a float32 or float64 array, got int64 array",
        "uniform",
        (),
        {"out": np.zeros(2, np.int64)},
    ),
    (
        SettingError,
        "uniform: out must be writeable, got a read-only array",
        "uniform",
        (),
        {"out": READ_ONLY},
    ),
    (SettingError, "normal: mean must be a finite float64, got -inf", "normal", (-math.inf,), {}),
    (SettingError, "normal: stdv must be positive, got 0", "normal", (0, 0), {}),
    (
        SettingError,
        "normal: stdv must be positive, got 1e-50",
        "normal",
        (0, 1e-50),
        {"out": np.zeros(2, np.float32)},
    ),
    (SettingError, "normal: stdv must be a finite float64, got nan", "normal", (0, math.nan), {}),
    (SettingError, "exponential: lambd must be positive, got -2", "exponential", (-2,), {}),
    (
        SettingError,
        "exponential: -1 / lambd must be a finite float64, got -inf",
        "exponential",
        (5e-324,),
        {},
    ),
    (SettingError, "cauchy: sigma must be positive, got 0", "cauchy", (0, 0), {}),
    (SettingError, "logNormal: stdv must be positive, got -1", "logNormal", (0, -1), {}),
    (
        SettingError,
        "geometric: p must be between 0 and 1, both excluded, got 1",
        "geometric",
        (1,),
        {},
    ),
    (
        SettingError,
        "geometric: p must be between 0 and 1, both excluded, got 0",
        "geometric",
        (0,),
        {},
    ),
    (
        SettingError,
        "geometric: out must be of a dtype that holds draws from 1 to 2207, got int8",
        "geometric",
        (0.99,),
        {"out": np.zeros(2, np.int8)},
    ),
    (SettingError, "bernoulli: p must be between 0 and 1, got 1.5", "bernoulli", (1.5,), {}),
    (SettingError, "bernoulli: p must be between 0 and 1, got -0.5", "bernoulli", (-0.5,), {}),
    (SettingError, "bernoulli: p must be a finite float64, got nan", "bernoulli", (math.nan,), {}),
    (SettingError, "randperm: n must be at least 1, got 0", "randperm", (0,), {}),
    (DTypeError, "randperm: n must be a whole number, got 2.0", "randperm", (2.0,), {}),
    (
        DTypeError,
        "multinomial: prob_dist must be real numbers, got complex128",
        "multinomial",
        (np.ones(3, complex), 1),
        {},
    ),
    (
        ShapeError,
        "multinomial: prob_dist must be (n,) or (N, n), got (2, 0)",
        "multinomial",
        (np.ones((2, 0)), 1),
        {},
    ),
    (
        SettingError,
        "multinomial: num_samples must be at least 1, got 0",
        "multinomial",
        (np.ones(3), 0),
        {},
    ),
    *(
        (
            SettingError,
            "multinomial: prob_dist must be at least 0, with a finite sum above 0 in each row, "
            f"got {np.array(weights)}",
            "multinomial",
            (weights, 1),
            {},
        )
        for weights in ([1.0, -1.0], [0.0, 0.0], [1.0, math.nan], [1.0, math.inf])
    ),
    (
        SettingError,
        "multinomial: num_samples must be at most 1, the positions with a weight above 0, got 2",
        "multinomial",
        ([[1.0, 0.0], [1.0, 2.0]], 2),
        {},
    ),
]


@pytest.mark.parametrize(
    ("error", "message", "name", "args", "keywords"),
    [pytest.param(*row, id=row[1][:80]) for row in REFUSED],
)
def test_a_refused_call_has_changed_nothing(error, message, name, args, keywords):
    random.manualSeed(1)
    random.normal()
    state = random.getRNGState()
    with pytest.raises(error) as caught:
        getattr(random, name)(*args, **keywords)
    assert type(caught.value) is error
    assert str(caught.value) == message
    argument, expected, got = caught.value.argument, caught.value.expected, caught.value.got
    assert message == f"{name}: {argument} must be {expected}, got {got}"
    assert caught.value.method == name
    assert np.array_equal(random.getRNGState(), state)
    assert not np.any(keywords.get("out", 0))


def test_the_limits_of_a_range_are_not_refused():
    random.manualSeed(1)
    assert random.uniform(2, 2) == 2
    assert random.random(5, 5) == 5
    assert random.random(1) == 1
    assert random.bernoulli(1) == 1
    assert random.bernoulli(0) == 0
    assert random.random(-128, 127, out=np.empty(3, np.int8)).dtype == np.int8
    # 16 is the largest draw when p is 0.25: 32 bits are 16 times 2.
    random.geometric(0.25, out=np.empty(3, np.int8))


# ---------------------------------------------------------------- what importing costs


def test_importing_does_not_load_numpys_random():
    program = (
        "import sys, numpy\n"
        "before = 'numpy.random' in sys.modules\n"
        "from torchlite import random\n"
        "assert ('numpy.random' in sys.modules) == before\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=DATA.parent.parent)


def drawn_by_threads(draw):
    """Return what each of four threads drew, while they take turns as often as is bearable."""
    drawn, wrong = [[], [], [], []], []
    start = threading.Barrier(4)

    def run(mine):
        start.wait()
        try:
            mine.extend(draw() for _ in range(400))
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=[mine], daemon=True) for mine in drawn]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            # A deadlock is to be seen as one.
            thread.join(300)
    finally:
        sys.setswitchinterval(interval)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong
    return drawn


@pytest.mark.parametrize(
    "draw",
    [
        lambda g, n: g.random(size=n),
        lambda g, n: g.uniform(size=n),
        lambda g, n: g.normal(size=n),
        lambda g, n: g.logNormal(size=n),
        lambda g, n: g.exponential(1, size=n),
        lambda g, n: g.cauchy(size=n),
        lambda g, n: g.geometric(0.5, size=n),
        lambda g, n: g.bernoulli(size=n),
    ],
)
@pytest.mark.parametrize("size", [1, 3])
def test_what_threads_draw_is_one_stream_cut_into_calls(draw, size):
    generator, alone = random.Generator(), random.Generator()
    generator.manualSeed(5)
    alone.manualSeed(5)
    drawn = [
        list(call) for mine in drawn_by_threads(lambda: draw(generator, size)) for call in mine
    ]
    stream = [list(draw(alone, size)) for _ in range(1600)]
    assert sorted(drawn) == sorted(stream)
    assert np.array_equal(generator.getRNGState(), alone.getRNGState())


def test_permutations_drawn_by_threads():
    generator, alone = random.Generator(), random.Generator()
    generator.manualSeed(5)
    alone.manualSeed(5)
    drawn = [
        list(call) for mine in drawn_by_threads(lambda: generator.randperm(9)) for call in mine
    ]
    assert sorted(drawn) == sorted(list(alone.randperm(9)) for _ in range(1600))


def test_a_state_is_read_and_set_as_a_whole():
    generator = random.Generator()
    states, twins = [], []
    for seed in (1, 2):
        generator.manualSeed(seed)
        if seed == 2:
            generator.normal()
        states.append(generator.getRNGState())
        twins.append(states[-1].tobytes())
    turns = itertools.cycle(states)

    def act():
        generator.setRNGState(next(turns))
        return generator.getRNGState().tobytes(), copy.deepcopy(generator).getRNGState().tobytes()

    for mine in drawn_by_threads(act):
        assert {state for pair in mine for state in pair} <= set(twins)


def test_the_first_draws_of_threads_seed_once():
    generator = random.Generator()
    seeds = drawn_by_threads(lambda: (generator.uniform(), generator.initialSeed())[1])
    assert len({seed for mine in seeds for seed in mine}) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_while_another_thread_draws():
    """The children can draw, and draw what the parent would have drawn."""
    program = """
import os, sys, threading
from torchlite import random
other = random.Generator()
def draw():
    while True:
        other.normal(size=100)
threading.Thread(target=draw, daemon=True).start()
sys.setswitchinterval(1e-6)
for seed in range(20):
    random.manualSeed(seed)
    random.normal()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        other.normal(), random.random()
        os.write(writing, repr(random.normal()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    random.random()
    assert os.read(reading, 100).decode() == repr(random.normal())
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
