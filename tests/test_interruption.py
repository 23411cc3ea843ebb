"""The tool that breaks calls off in the middle, and what a call broken off leaves behind."""

import contextlib

import numpy as np
import pytest
from interruption import Exhausted, Interrupted, break_off, interruptions, lines

from torchlite import nn

X = np.array([[1.0, 2.0], [3.0, -1.0]])

# ---------------------------------------------------------------- the tool


class Counting(nn.Module):
    """Nothing of its own is torchlite's but what it calls."""

    count = 0

    def updateOutput(self, input):
        self.count += 1
        nn.nested.shapes(input)
        self.count += 1
        return input


@pytest.mark.parametrize("opcodes", [False, True])
@pytest.mark.parametrize("error", [Exhausted, Interrupted])
def test_a_call_is_broken_off_before_each_of_its_lines(error, opcodes):
    def call(layer):
        return layer.forward(X)

    expected = lines(call, Counting(), opcodes)
    assert {file for file, _ in expected} == {"nn/module.py", "nn/nested.py"}
    places, counts = [], []
    for layer, place in interruptions(Counting, call, error, opcodes):
        places.append(place)
        counts.append(layer.count)
    assert places == expected
    assert sorted(counts) == counts
    # 2 where it is broken off between the return and the caller.
    assert set(counts) == ({0, 1, 2} if opcodes else {0, 1})
    assert break_off(call, Counting(), len(expected)) is None
    assert len(list(interruptions(Counting, call, most=2))) == 2


def test_it_tells_when_the_error_is_swallowed():
    def call(layer):
        with contextlib.suppress(MemoryError):
            layer.forward(X)

    with pytest.raises(AssertionError, match="was swallowed"):
        break_off(call, Counting(), 0)
