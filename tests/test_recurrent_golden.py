"""Sequences, and what else the recurrent packages of Torch7 have, against their own numbers."""

import copy
from functools import reduce
from operator import getitem

import golden
import numpy as np
import pytest

from torchlite import nn, random

CASES = {case["id"]: case for case in golden.cases("recurrent")}

# The classes of Element-Research that have a namesake of another meaning.
NAMESAKES = frozenset(nn.recurrent.element_research.__all__)
# Of what may have biases before a normalization, whose gradients are rounding alone.
NORMALIZED = {"Inception"}
# What Torch7 says of another thing than torchlite: by script and result, torchlite's own.
DIFFERENT = {
    # It divides the gradient by the number of steps, where Torch7 fails.
    ("RepeaterCriterion", "backward_works"): True,
    # The mean of the squared differences, not of the squared sums, as the paper has it.
    ("NormStabilizer", "loss"): ((np.sqrt(5) - 2) ** 2 + (5 - np.sqrt(2)) ** 2) / 2,
}
# By kind, what a case says about itself.
SAID = {
    "id", "kind", "class", "package", "lua", "args", "net", "calls", "fields", "dtype", "note",
    "torch7_bug", "bug_note", "bug_fields", "one_based", "tolerance", "param_order", "params",
}  # fmt: skip
COMPARED = {
    "sequence": {"by_step", "passes"},
    "sequence_training": {
        "module", "module_lua", "criterion", "criterion_lua", "ctor_seed", "before", "seed",
        "zero_mask", "inputs", "targets", "steps", "clip", "learningRate", "losses", "norms",
        "params2", "output_evaluate",
    },
    "param_method": {"calls"},
    "criterion": {"input", "target", "output", "gradInput"},
    "init": {"seed", "next_random"},
    "script": {"results"},
}  # fmt: skip
OF_A_PASS = {
    "mode", "before", "zero_grad", "seed", "input", "output", "state", "after", "gradOutput",
    "gradInput", "gradParams", "update", "params2",
}  # fmt: skip


class InOrder:
    """A module whose parameters are found by their places in `parameters()`.

    Those of Torch7 stand deep inside of modules that torchlite does not have.
    """

    def __init__(self, module):
        self.module = module

    def __getitem__(self, position):
        return self.module.parameters()[0][position]

    def __getattr__(self, name):
        return getattr(self.module, name)


def prepared(case):
    """Return a case as golden.py takes it: parameters by their places, classes by their homes."""
    unknown = case.keys() - SAID - COMPARED[case["kind"]]
    assert not unknown, f"{case['id']}: nothing is known of {sorted(unknown)}"
    if case["package"].startswith("Element-Research"):
        case = at_home(case)
    case = with_keywords(case)
    return in_order(case, {path: str(i) for i, path in enumerate(case.get("param_order", ()))})


def in_order(case, places):
    """Return a case, or a part of one, with the paths of parameters replaced by their places."""
    renamed = dict(case)
    for field in ("params", "gradParams", "params2", "gradParams2"):
        if field in case:
            # What is no parameter, a running average, say, stands where it does in Torch7.
            assert case[field].keys() >= places.keys(), f"{field} must be those of param_order"
            renamed[field] = {places.get(path, path): a for path, a in case[field].items()}
    for field in ("passes", "calls"):
        if all(isinstance(entry, dict) for entry in case.get(field, [""])):
            renamed[field] = [in_order(entry, places) for entry in case[field]]
    if "bug_fields" in case:
        fields = [field.partition(".") for field in case["bug_fields"]]
        renamed["bug_fields"] = [f"{a}{dot}{places.get(b, b)}" for a, dot, b in fields]
    return renamed


def at_home(value):
    """Return what is made of classes with Element-Research's own where they have a namesake."""
    if isinstance(value, list):
        return [at_home(entry) for entry in value]
    if isinstance(value, dict):
        made = {key: at_home(entry) for key, entry in value.items()}
        if made.get("class") in NAMESAKES:
            made["class"] = f"recurrent.element_research.{made['class']}"
        return made
    return value


def without_bytes(value):
    """Return a value with booleans in the place of bytes: masks."""
    if isinstance(value, list):
        return [without_bytes(entry) for entry in value]
    is_mask = isinstance(value, np.ndarray) and value.dtype == np.uint8
    return value.astype(bool) if is_mask else value


def inner(case, path):
    """Return what the case says of what stands at a path, as of a case of its own."""
    return {
        field: [
            name.removeprefix(f"{path}.")
            for name in case.get(field, ())
            if name.startswith(f"{path}.")
        ]
        for field in ("one_based", "bug_fields")
    }


def with_keywords(value):
    """Return what is made of classes with what only dpnn's Dropout takes by its names."""
    if isinstance(value, list):
        return [with_keywords(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    made = {key: with_keywords(entry) for key, entry in value.items()}
    if made.get("class") == "Dropout" and "args" in made:
        made["keywords"] = dict(zip(("lazy", "mono"), made["args"][3:], strict=False))
        made["args"] = made["args"][:3]
    return made


# ---------------------------------------------------------------- running


def built(case):
    """Return the module of a case, with its parameters."""
    module = InOrder(golden.build({**case, "params": {}}))
    assert len(module.parameters()[0]) == len(case.get("param_order", ())), case["id"]
    for path, array in case.get("params", {}).items():
        held = golden._attribute(module, path)
        assert held.shape == array.shape, f"{case['id']}: parameter {path}"
        held[...] = array
    return module


def check_sequence(case):
    module = built(case)
    for number, turn in enumerate(case["passes"]):
        about = {**case, **inner(case, f"passes.{number}"), **turn}
        if case["class"] in NORMALIZED:
            gradients = [np.abs(array).max() for array in turn.get("gradParams", {}).values()]
            about["largest"] = {"gradParams": max(gradients, default=0)}
        unknown = turn.keys() - OF_A_PASS
        assert not unknown, f"{case['id']}: nothing is known of {sorted(unknown)}"
        {"train": module.training, "evaluate": module.evaluate}[turn["mode"]]()
        for method, *arguments in turn.get("before", ()):
            getattr(module, method)(*without_bytes(arguments))
        if turn.get("zero_grad"):
            module.zeroGradParameters()
        if "seed" in turn:
            random.manualSeed(turn["seed"])
        input = golden._fed(about, "input")
        steps = input if case.get("by_step") else None
        output = module.forward(input) if steps is None else list(map(module.forward, steps))
        golden._compare(about, "output", output)
        golden.compare_attributes(about, "state", module)
        for method, *arguments in turn.get("after", ()):
            getattr(module, method)(*arguments)
        if "gradOutput" not in turn:
            continue
        gradOutput = golden._fed(about, "gradOutput")
        if steps is None:
            gradInput = module.backward(input, gradOutput)
        else:
            back = zip(steps[::-1], gradOutput[::-1], strict=True)
            gradInput = [module.backward(*pair) for pair in back][::-1]
        if "gradInput" in turn:
            golden._compare(about, "gradInput", gradInput)
        golden._compare_gradients(about, "gradParams", module)
        if "update" in turn:
            module.updateParameters(turn["update"])
            golden.compare_attributes(about, "params2", module)


def check_sequence_training(case):
    facts = {"id": case["id"], "dtype": case["dtype"], "lua": case["module_lua"]}
    case = {**case, **facts}
    random.manualSeed(case["ctor_seed"])
    module = InOrder(golden.build({**case["module"], **facts}))
    criterion = golden.build({**case["criterion"], **facts})
    golden.compare_attributes(case, "params", module)
    for method, *arguments in case.get("before", ()):
        getattr(module, method)(*arguments)
    if "seed" in case:
        random.manualSeed(case["seed"])
    inputs, targets = golden._fed(case, "inputs"), golden._fed(case, "targets")
    module.training()
    losses, norms = [], []
    for step in range(case["steps"]):
        input, target = inputs[step % len(inputs)], targets[step % len(targets)]
        if "zero_mask" in case:
            module.setZeroMask(without_bytes(case["zero_mask"]))
            criterion.setZeroMask(without_bytes(case["zero_mask"]))
        module.zeroGradParameters()
        output = module.forward(input)
        losses.append(criterion.forward(output, target))
        module.backward(input, criterion.backward(output, target))
        if "clip" in case:
            norms.append(module.gradParamClip(case["clip"]))
        module.updateParameters(case["learningRate"])
    golden._compare(case, "losses", np.array(losses))
    if "norms" in case:
        golden._compare(case, "norms", np.array(norms))
    golden.compare_attributes(case, "params2", module)
    module.evaluate()
    module.forget()
    if "zero_mask" in case:
        module.setZeroMask(without_bytes(case["zero_mask"]))
    golden._compare(case, "output_evaluate", module.forward(inputs[0]))


def check_param_method(case):
    # Its calls are what is done, not how it is made.
    module = built({**case, "calls": []})
    for turn in case["calls"]:
        about = {**case, **turn}
        for place, gradient in enumerate(module.parameters()[1]):
            gradient[...] = turn["gradParams"][str(place)]
        method, *arguments = turn["call"]
        returned = getattr(module, method)(*arguments)
        if "returned" in turn:
            golden._compare(about, "returned", returned)
        golden.compare_attributes(about, "params2", module)
        golden._compare_gradients(about, "gradParams2", module)


def check_init(case):
    random.manualSeed(case["seed"])
    module = InOrder(golden.build({**case, "params": {}}))
    golden.compare_attributes(case, "params", module)
    assert random.random() == case["next_random"]


def check_script(case):
    results = SCRIPTS[case["class"]]()
    assert results.keys() == case["results"].keys()
    about = {**case, "dtype": "float64", "bug_fields": ()}
    for name, expected in case["results"].items():
        wanted = DIFFERENT.get((case["class"], name), arrays(expected))
        if isinstance(wanted, bool):
            assert results[name] is wanted
        else:
            golden._compare_nested(about, f"results.{name}", results[name], wanted)


def arrays(value):
    if isinstance(value, list):
        return [arrays(entry) for entry in value]
    return value["array"] if isinstance(value, dict) else value


# ---------------------------------------------------------------- the scripts


def script_of_repeater_criterion():
    criterion = nn.RepeaterCriterion(nn.MSECriterion(), True)
    x, t = [np.array([1.0, 2.0]), np.array([3.0, 5.0])], np.array([0.0, 1.0])
    loss = criterion.forward(x, t)
    gradInput = criterion.backward(x, t)
    return {"loss": loss, "backward_works": np.array_equal(gradInput, [[0.5, 0.5], [1.5, 2.0]])}


def script_of_norm_stabilizer():
    module = nn.NormStabilizer(2)
    module.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    module.forward(np.array([[2.0, 0.0], [1.0, 1.0]]))
    return {"loss": module.updateLoss()}


def script_of_vr_class_reward():
    random.manualSeed(71)
    module = nn.ReinforceCategorical()
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25], [0.3, 0.4, 0.3]])
    module.forward(p)
    criterion = nn.VRClassReward(module, 1)
    scores = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 1.0], [5.0, 1.0, 1.0]])
    input = [scores, np.array([[0.5], [0.25], [0.75]])]
    return of_reward(criterion, module, p, input, np.array([1, 1, 2]))


def script_of_binary_class_reward():
    random.manualSeed(73)
    module = nn.ReinforceBernoulli()
    p = np.array([[0.2], [0.6], [0.9]])
    module.forward(p)
    criterion = nn.BinaryClassReward(module, 1)
    input = [np.array([0.7, 0.2, 0.9]), np.array([0.5, 0.25, 0.75])]
    return of_reward(criterion, module, p, input, np.array([1.0, 1.0, 0.0]))


def of_reward(criterion, module, p, input, target):
    loss = criterion.forward(input, target)
    gradInput = criterion.backward(input, target)
    return {
        "sample": module.output,
        "loss": loss,
        "gradInput": gradInput,
        "reward": module.reward,
        "gradProbability": module.backward(p, p),
    }


def script_of_max_bptt_step():
    random.manualSeed(95)
    module = nn.RecGRU(2, 2)
    module.maxBPTTstep(3)
    module.training()
    steps = range(1, 7)
    x = [np.array([[t / 4, -1], [0.5, t / 8 - 1]]) for t in steps]
    g = [np.array([[1, -t / 4], [t / 2, 0.25]]) for t in steps]
    parameters, gradients = module.getParameters()
    module.zeroGradParameters()
    outputs = [module.forward(entry) for entry in x]
    back = [module.backward(x[t], g[t]) for t in (5, 4, 3)]
    return {
        "parameters": parameters,
        "outputs": outputs,
        "gradInputs_from_the_last": back,
        "gradParameters": gradients,
    }


def script_of_get_hidden_state():
    random.manualSeed(97)
    module = nn.RecLSTM(2, 3)
    module.forward(np.array([[1.0, 2.0]]))
    module.forward(np.array([[-1.0, 0.5]]))
    hidden, cell = module.getHiddenState(2)
    other = nn.RecLSTM(2, 3)
    for own, theirs in zip(other.parameters()[0], module.parameters()[0], strict=True):
        own[...] = theirs
    other.setHiddenState(0, [hidden.copy(), cell.copy()])
    weight, bias = module.parameters()[0]
    x = np.array([[0.25, 0.75]])
    return {
        "weight": weight,
        "bias": bias,
        "hidden": hidden,
        "cell": cell,
        "next_of_m": module.forward(x),
        "next_of_n": other.forward(x),
    }


def script_of_soft_max_tree():
    random.manualSeed(401)
    tree = {0: [1, 2, 3], 1: [4, 5], 2: [6, 7, 8], 3: [9, 10]}
    module = nn.SoftMaxTree(3, {parent: np.array(ids) for parent, ids in tree.items()}, 0)
    weight, bias = module.weight.copy(), module.bias.copy()
    x = np.array([[1, -0.5, 2], [0.25, 0.75, -1], [0.5, 1, 1.5]])
    target = np.array([4, 8, 9])
    module.zeroGradParameters()
    y = module.forward([x, target])
    criterion = nn.TreeNLLCriterion()
    loss = criterion.forward(y, target)
    gradLoss = criterion.backward(y, target)
    gradInput = module.backward([x, target], gradLoss)[0]
    module.updateParameters(0.5)
    return {
        "weight": weight,
        "bias": bias,
        "childIds": np.asarray(module.childIds) + 1,
        "logProbability": y,
        "loss": loss,
        "gradLoss": gradLoss,
        "gradInput": gradInput,
        "weight_after": module.weight,
        "bias_after": module.bias,
    }


SCRIPTS = {
    "BinaryClassReward": script_of_binary_class_reward,
    "NormStabilizer": script_of_norm_stabilizer,
    "RepeaterCriterion": script_of_repeater_criterion,
    "SoftMaxTree": script_of_soft_max_tree,
    "VRClassReward": script_of_vr_class_reward,
    "getHiddenState": script_of_get_hidden_state,
    "maxBPTTstep": script_of_max_bptt_step,
}
CHECKS = {
    "criterion": golden.check,
    "init": check_init,
    "param_method": check_param_method,
    "script": check_script,
    "sequence": check_sequence,
    "sequence_training": check_sequence_training,
}


# ---------------------------------------------------------------- the tests


@pytest.mark.parametrize("name", CASES)
def test_torch7_agrees(name):
    case = CASES[name]
    CHECKS[case["kind"]](prepared(case))


def test_both_packages_are_compared():
    assert len(CASES) == 157
    packages = {case["package"].partition("/")[0] for case in CASES.values()}
    assert packages == {"torch", "Element-Research", "nnx 1c28e23"}


def test_what_torch7_has_wrong_is_written_down():
    page = (golden.DATA.parents[1] / "docs" / "differences.md").read_text("utf-8")
    rows = {
        "MaskZero": "MaskZero (both) | accGradParameters gets the gradOutput of masked samples",
        "NormStabilizer": "NormStabilizer | `updateLoss` adds the norms",
        "SeqLSTMP": "SeqLSTM with a projection, SeqLSTMP | the forget gate's ones",
        "Sequencer": "Dropout | with lazy, in a recurrent module, every step has a noise",
    }
    assert {case["class"] for case in CASES.values() if case.get("torch7_bug")} == set(rows)
    for row in rows.values():
        assert f"\n| {row}" in page, row


# The replay itself


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("StepLSTM_1", ("passes", 0, "output", 1)),
        ("StepLSTM_1", ("passes", 0, "gradInput", 2)),
        ("StepLSTM_2", ("passes", 0, "gradParams", "weightO")),
        ("StepGRU_2", ("passes", 0, "output")),
        ("MaskZero_2", ("passes", 0, "gradInput")),
        ("LookupTableMaskZero_1", ("passes", 0, "gradParams", "weight")),
        ("SequencerCriterion_4", ("gradInput",)),
        ("RecLSTM_1", ("passes", 0, "output", 2)),
        ("RecLSTM_1", ("passes", 0, "gradInput", 0)),
        ("training_1", ("norms",)),
        ("training_5", ("losses",)),
        ("training_5", ("params2", "modules.0.weight")),
        ("init_SeqGRU_1", ("params", "weight")),
        ("gradParamClip_1", ("calls", 1, "gradParams2", "modules.0.bias")),
        ("script_RepeaterCriterion_1", ("results", "loss")),
    ],
)
def test_a_changed_number_is_found(name, path):
    case = copy.deepcopy(CASES[name])
    *outer, last = path
    holder = reduce(getitem, outer, case)
    holder[last] = np.array(holder[last])
    holder[last][np.unravel_index(np.abs(holder[last]).argmax(), holder[last].shape)] *= 1 + 1e-10
    with pytest.raises(AssertionError, match=r"1 of \d+ differ"):
        CHECKS[case["kind"]](prepared(case))


def test_what_is_not_known_of_a_case_is_refused():
    case = CASES["StepGRU_1"]
    with pytest.raises(AssertionError, match=r"^StepGRU_1: nothing is known of \['more'\]"):
        prepared({**case, "more": 1})
    passes = [{**case["passes"][0], "more": 1}]
    with pytest.raises(AssertionError, match=r"^StepGRU_1: nothing is known of \['more'\]"):
        check_sequence(prepared({**case, "passes": passes}))
    with pytest.raises(AssertionError, match="params must be those of param_order"):
        check_sequence(prepared({**case, "params": {"weight": case["params"]["weight"]}}))
