"""Every layer and criterion against the numbers of the real Torch7."""

import copy
import json
import re

import golden
import numpy as np
import pytest

from torchlite import nn

CHAPTERS = golden.chapters()
# The classes that are still to come: nothing else is left out.
LATER: set[str] = set()
CASES = {
    f"{chapter}-{case['id']}": case
    for chapter in CHAPTERS
    for case in golden.cases(chapter)
    if not golden.missing(case)
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_torch7_agrees(case):
    golden.check(case)


def test_a_new_file_of_cases_is_run_and_one_of_another_kind_is_named(tmp_path):
    for name in ("pooling", "optim"):
        (tmp_path / f"{name}.json").write_text("[]")
    assert golden.chapters(tmp_path) == ["pooling"]
    case = {**CASES["simple-Linear_1"], "kind": "tostring"}
    with pytest.raises(AssertionError, match=r"^Linear_1 \(.*\) is of the kind tostring$"):
        golden.check(case)


def test_only_the_cases_of_classes_to_come_are_left_out():
    missing = [golden.missing(case) for chapter in CHAPTERS for case in golden.cases(chapter)]
    assert set().union(*missing) == LATER
    assert len(CASES) == len(missing) - sum(map(bool, missing))


def test_the_differences_that_the_comparison_knows_are_written_down():
    page = (golden.DATA.parents[1] / "docs" / "differences.md").read_text("utf-8")
    for row in (
        "| all with `inplace` | overwrites input and gradOutput;",
        "| CAddTable | in place writes to input[1];",
        "| CriterionTable | gradInput has no entry for the target | zeros |",
        "| MapTable | with `shared`, clones in `modules`, which share four names |",
        "| PartialLinear | weight deep inside;",
        "| Cosine, CosineDistance | add 1e-12 to lengths,",
        "| Normalize | eps in the derivative too",
        "| ClassNLLCriterion, SpatialClassNLLCriterion | forward returns (output, total_weight) |",
    ):
        assert f"\n{row}" in page, row


# The comparison itself


@pytest.mark.parametrize(
    ("case", "field", "key"),
    [
        ("simple-Linear_1", "output", None),
        ("simple-Linear_1", "gradInput", None),
        ("simple-Linear_1", "gradParams", "bias"),
        ("simple-Linear_1", "gradParams2", "weight"),
        ("simple-Linear_1", "params2", "bias"),
        ("simple-L1Penalty_1", "state", "loss"),
        ("transfer-RReLU_1", "state", "noise"),
        ("table-SplitTable_1", "output", 1),
        ("table-JoinTable_1", "gradInput", 0),
        ("containers-Concat_1", "gradParams", "modules.1.weight"),
        ("criterions-ClassNLLCriterion_1", "output", None),
        ("criterions-ClassNLLCriterion_1", "output2", None),
        ("criterions-ClassNLLCriterion_1", "gradInput", None),
    ],
)
@pytest.mark.parametrize("change", [1e-10, np.nan])
def test_a_changed_number_is_found(case, field, key, change):
    case = copy.deepcopy(CASES[case])
    array = case[field] if key is None else case[field][key]
    largest = np.unravel_index(np.abs(array).argmax(), array.shape)
    array[largest] *= 1 + change
    path = field if key is None else f"{field}.{key}"
    with pytest.raises(AssertionError) as caught:
        golden.check(case)
    message = str(caught.value)
    assert message.startswith(
        f"{case['id']} ({case['lua']}): {path}[{', '.join(map(str, largest))}]"
    )
    assert f"1 of {array.size} differ" in message


@pytest.mark.parametrize("field", ["output", "gradInput"])
def test_a_shape_a_dtype_and_a_table_are_compared_too(field):
    case = CASES["simple-Linear_1"]
    for wrong, problem in [
        (case[field][None], "must have shape"),
        (case[field].astype("float32"), "must be float32, got float64"),
        ([case[field]], "must be a table of 1"),
        ({"a": case[field]}, "must be a dict of"),
    ]:
        with pytest.raises(AssertionError, match=f"{field} {problem}"):
            golden.check({**case, field: wrong})


def test_a_field_of_which_nothing_is_known_is_refused():
    case = CASES["simple-Linear_1"]
    with pytest.raises(AssertionError, match=r"nothing is known of \['gradParams3'\]$"):
        golden.check({**case, "gradParams3": case["gradParams2"]})


def test_a_parameter_that_torch7_has_not_is_found():
    case = CASES["simple-Linear_1"]
    half = {"weight": case["gradParams"]["weight"]}
    with pytest.raises(AssertionError, match=r"parameters\(\) has 1 that Torch7 has not$"):
        golden.check({**case, "gradParams": half})


def test_an_array_that_was_written_to_is_found(monkeypatch):
    case = CASES["transfer-ReLU_3"]
    monkeypatch.setattr(golden, "same", lambda now, before: False)
    with pytest.raises(AssertionError, match=r"input was written to$"):
        golden.check(case)


def test_what_torch7_has_wrong_is_left_out():
    case = CASES["simple-Linear_1"]
    wrong = {path: -value for path, value in case["gradParams2"].items()}
    with pytest.raises(AssertionError):
        golden.check({**case, "gradParams2": wrong})
    golden.check({**case, "gradParams2": wrong, "bug_fields": ["gradParams2"]})
    half = {**wrong, "bias": case["gradParams2"]["bias"]}
    golden.check({**case, "gradParams2": half, "bug_fields": ["gradParams2.weight"]})


def test_what_is_fed_is_read_only_and_laid_out_as_in_torch7(monkeypatch):
    flags = []
    case = {**CASES["simple-Linear_1"], "noncontiguous": ["gradOutput"]}
    accumulate = nn.Linear.accGradParameters

    def spy(self, input, gradOutput, scale=1):
        flags.extend([input.flags.c_contiguous, gradOutput.flags.c_contiguous])
        flags.extend([input.flags.writeable, gradOutput.flags.writeable])
        accumulate(self, input, gradOutput, scale)

    monkeypatch.setattr(nn.Linear, "accGradParameters", spy)
    golden.check(case)
    assert flags == [True, False, False, False] * 2


def test_missing_classes_are_named():
    inner = {"class": "Nonsense", "args": []}
    case = {"class": "Sequential", "args": [], "calls": [["add", inner]]}
    assert golden.missing(case) == {"Nonsense"}
    with pytest.raises(AssertionError, match="torchlite has no Nonsense"):
        golden.build({**case, "id": "X_1", "lua": "", "dtype": "float64"})


def test_the_format_is_written_down():
    page = (golden.DATA / "README.md").read_text("utf-8")
    said = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", page))))
    for path in golden.DATA.glob("*.json"):
        cases = json.loads(path.read_text("utf-8"))
        fields = {field for case in cases for field in case}
        missing = (fields | {case["kind"] for case in cases} | {path.stem}) - said
        assert not missing, f"tests/data/README.md does not say what these are of {path.stem}"
