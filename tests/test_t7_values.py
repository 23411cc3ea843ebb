"""Values in .t7 files: those that Torch7 wrote, and those that were written by hand."""

import golden
import pytest
from t7files import is_as_said

from torchlite.serial import t7

VALUES = [
    pytest.param(case, case["files"][kind], id=f"{case['id']}-{kind}")
    for case in golden.cases("t7")
    if case["kind"] == "t7_value"
    for kind in case["files"]
]


@pytest.mark.parametrize(("case", "file"), VALUES)
def test_values_are_what_torch7_saved(case, file):
    assert is_as_said(t7.load(golden.DATA / file), case["value"])
