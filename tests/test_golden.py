"""Every layer and criterion against the numbers of the real Torch7."""

import golden
import pytest

CHAPTERS = ["transfer", "simple", "table", "containers", "criterions", "normalization"]
CASES = {
    f"{chapter}-{case['id']}": case
    for chapter in CHAPTERS
    for case in golden.cases(chapter)
    if not golden.missing(case)
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_torch7_agrees(case):
    golden.check(case)
