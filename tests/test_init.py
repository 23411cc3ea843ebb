"""Initial parameters: the same seed gives those of Torch7, from the same draws."""

import golden
import pytest

from torchlite import random

CASES = {case["id"]: case for case in golden.cases("init") if not golden.missing(case)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_same_seed_same_parameters(case):
    random.manualSeed(case["seed"])
    module = golden.build({**case, "params": {}})
    if "reset" in case:
        module.reset(case["reset"])
    golden.compare_attributes(case, "params", module)
    assert random.random() == case["next_random"]
