"""Torch7's answers to short scripts on Module, Container and Criterion: every one, every field.

Names lose their `nn.`, types are NumPy's, positions count from 0. Where torchlite answers otherwise
on purpose, DIFFERENT says which row of docs/differences.md tells so.
"""

import golden
import numpy as np
import pytest

import torchlite
from torchlite import nn

CASES = {case["id"]: case["results"] for case in golden.cases("api")}

# By script and field, torchlite's answer and the row that says why.
DIFFERENT = {
    ("module_base", "parameters_is_nil"): (False, "| Module | parameters() of a layer without"),
    ("module_base", "train_is_nil"): (False, "| Module | `train` is nil at first"),
    ("training_evaluate", "linear_at_first"): (False, "| Module | `train` is nil at first"),
    ("share", "shared_flag"): (None, "| Module | share sets `shared`"),
    ("get_parameters_twice", "first_is_alive"): (True, "| Module | getParameters makes new memory"),
    ("update_parameters_twice_added", "difference"): (
        np.full((2, 2), -0.1),
        "| Container | a module added twice",
    ),
    ("criterion_forward", "gradInput"): (
        np.array([-2.0, -3.0]),
        "| Criterion | calling it is forward and backward",
    ),
}


def mlp():
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


def names(modules):
    return [type(module).__name__ for module in modules]


def module_base():
    m = nn.Module()
    return {
        "type": m.type(),
        "parameters_is_nil": m.parameters() is None,
        "output_size": m.output.size,
        "train_is_nil": m.train is None,
        "name": repr(m),
    }


def container_base():
    c = nn.Container().add(nn.Linear(2, 2)).add(nn.Tanh())
    p, g = c.parameters()
    return {
        "size": c.size(),
        "get2": repr(c.get(1)),
        "n_parameters": len(p),
        "n_gradients": len(g),
    }


def criterion_base():
    c = nn.Criterion()
    return {"output": c.output, "grad_elements": c.gradInput.size, "name": type(c).__name__}


def get_parameters():
    m = mlp()
    p, g = m.getParameters()
    before = p.copy()
    p.fill(0.5)
    return {
        "flat": before,
        "weight_after_fill": m.get(0).weight,
        "n": p.size,
        "n_grad": g.size,
    }


def get_parameters_shared():
    a = nn.Linear(2, 2)
    b = a.clone("weight", "bias", "gradWeight", "gradBias")
    p, _ = nn.Sequential(a, nn.Linear(2, 1), b).getParameters()
    return {"n": p.size, "flat": p}


def get_parameters_twice():
    m = nn.Linear(2, 1)
    p, _ = m.getParameters()
    q, _ = m.getParameters()
    q.fill(1)
    return {"first_is_alive": bool(p[0] == 1), "weight": m.weight}


def update_parameters_twice_added():
    layer = nn.Linear(2, 2)
    m = nn.Sequential(layer, layer)
    before = layer.weight.copy()
    m.zeroGradParameters()
    layer.gradWeight.fill(1)
    layer.gradBias.fill(1)
    m.updateParameters(0.1)
    return {"difference": layer.weight - before}


def share():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.share(a, "weight")
    a.weight.fill(3)
    return {
        "b_weight": b.weight,
        "b_bias_differs": bool(np.abs(b.bias - a.bias).sum() > 0),
        "shared_flag": getattr(b, "shared", None),
    }


def find_modules():
    m = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.Tanh()), nn.Tanh())
    n, c = m.findModules("nn.Linear")
    return {
        "linear": len(n),
        "tanh": len(m.findModules("nn.Tanh")[0]),
        "second_container": type(c[1]).__name__,
        "list": names(m.listModules()),
    }


def apply_order():
    m = nn.Sequential(nn.Linear(1, 1), nn.Concat(0, nn.Tanh(), nn.Abs()))
    met = []
    m.apply(met.append)
    return {"order": names(met)}


def replace():
    m = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh()))
    r = m.replace(lambda x: nn.ReLU() if isinstance(x, nn.Tanh) else x)
    return {"tree": repr(r), "same_object": r is m}


def training_evaluate():
    m = nn.Sequential(nn.Dropout(), nn.Linear(1, 1))
    results = {"linear_at_first": m.get(1).train is None}
    m.evaluate()
    results["dropout_evaluate"] = m.get(0).train
    results["linear_evaluate"] = m.get(1).train
    m.training()
    results["dropout_training"] = m.get(0).train
    return results


def clear_state():
    m = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    m.forward(np.ones((3, 2)))
    m.backward(np.ones((3, 2)), np.ones((3, 2)))
    r = m.clearState()
    return {
        "returns_self": r is m,
        "output": m.output.size,
        "child_output": m.get(0).output.size,
        "child_grad_input": m.get(1).gradInput.size,
        "again": m.forward(np.ones((3, 2))),
    }


def type_conversion():
    m = nn.Sequential(nn.Linear(2, 2))
    d = m.get(0).weight.copy()
    m.float()
    return {
        "type": m.type(),
        "child": m.get(0).type(),
        "weight": m.get(0).weight,
        "weight_double": d,
    }


def backward_update():
    m = nn.Linear(2, 2)
    x, g = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[0.5, -1.0], [2.0, 0.25]])
    w, b = m.weight.copy(), m.bias.copy()
    m.forward(x)
    gi = m.backwardUpdate(x, g, 0.1)
    return {"weight0": w, "bias0": b, "gradInput": gi, "weight": m.weight, "bias": m.bias}


def no_grad_input():
    m = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    m.get(0).gradInput = None
    m.zeroGradParameters()
    x = np.ones((1, 2))
    m.forward(x)
    g = m.backward(x, np.ones((1, 2)))
    return {"grad_input_is_nil": g is None, "gradWeight": m.get(0).gradWeight}


def tables():
    return {
        "full": nn.tables.full(2, 3) + 1.0,
        "one": nn.tables.oneToOne(3) + 1.0,
        "random": nn.tables.random(4, 3, 2) + 1.0,
    }


def clone_shares():
    a = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    b = a.clone("weight", "bias")
    a.get(0).weight.fill(7)
    return {"b_weight": b.get(0).weight, "other": a.clone().get(0).weight}


def criterion_forward():
    c = nn.MSECriterion()
    x, y = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    f = c.forward(x, y)
    c.backward(x, y)
    field, c2 = c.output, c.clone()
    return {
        "output": f,
        "field": field,
        "call": c(np.zeros(2), np.ones(2)),
        "gradInput": c.gradInput,
        "clone": type(c2).__name__,
    }


def simplex_predictions():
    c = nn.ClassSimplexCriterion(3)
    x = np.array([[1.0, 0.0, 0.0], [-1.0, 1.0, 0.0], [-0.5, -1.0, 2.0]])
    return {
        "simplex": c.simplex,
        "predictions": c.getPredictions(x),
        "top": c.getTopPrediction(x) + 1,
    }


def ours(value):
    """Return Torch7's answer in torchlite's words."""
    if isinstance(value, dict):
        return value["array"]
    if isinstance(value, list):
        return [ours(entry) for entry in value]
    if value in golden.DTYPES:
        return np.dtype(golden.DTYPES[value])
    if isinstance(value, str):
        for position in (1, 2):
            value = value.replace(f"({position})", f"({position - 1})")
        return value.replace("nn.", "")
    return value


def same(got, expected):
    if isinstance(expected, np.ndarray):
        return got.shape == expected.shape and np.allclose(got, expected, rtol=1e-14, atol=1e-15)
    return isinstance(got, bool) == isinstance(expected, bool) and got == expected


@pytest.mark.parametrize("script", CASES)
def test_a_script_gives_what_it_gives_in_torch7(script):
    torchlite.manualSeed(5 if script == "tables" else 4)
    results = globals()[script]()
    assert results.keys() == CASES[script].keys()
    page = (golden.DATA.parents[1] / "docs" / "differences.md").read_text("utf-8")
    for field, got in results.items():
        expected = ours(CASES[script][field])
        if (script, field) in DIFFERENT:
            assert not same(got, expected), field
            expected, row = DIFFERENT[script, field]
            assert f"\n{row}" in page, row
        assert same(got, expected), (field, got, expected)
