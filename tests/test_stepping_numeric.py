"""Numeric derivatives: the same whichever way they are found, and at no great cost."""

import sys

import numpy as np
import pytest
from sparse import ROWS, SPARSE
from test_stepping import (
    arranged,
    by_hand,
    filled,
    nested,
    numbers,
    page_data,
    skipping,
    tables,
    verdicts,
)

import torchlite as nn
from torchlite.__main__ import main
from torchlite.stepping import derivatives, record, trace
from torchlite.stepping.text import spans


def residual():
    blocks = []
    for _ in range(3):
        inner = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
        blocks += [nn.ConcatTable(inner, nn.Identity()), nn.CAddTable(), nn.ReLU()]
    return filled(nn.Sequential(*blocks)), nn.MSECriterion(), numbers(2, 3), numbers(2, 3) / 3


def graph():
    net = nn.Sequential(skipping(), nn.JoinTable(1))
    return net, nn.MSECriterion(), numbers(2, 3), numbers(2, 6)


def sequence():
    net = nn.Sequential(
        nn.Sequencer(nn.Sequential(nn.RecGRU(2, 1), nn.Mul())), nn.SeqLSTM(1, 1), nn.Tanh()
    )
    return filled(net), nn.MSECriterion(), numbers(3, 2, 2), numbers(3, 2, 1)


def images():
    """A border of zeros, over which all of a window is the same."""
    x = np.maximum(0, numbers(1, 1, 6, 6))
    x[..., :3, :] = 0
    net = nn.Sequential(nn.SpatialConvolution(1, 2, 3, 3), nn.SpatialMaxPooling(2, 2), nn.ReLU())
    net.add(nn.View(8).setNumInputDims(3)).add(nn.Linear(8, 2)).add(nn.LogSoftMax())
    return filled(net), nn.ClassNLLCriterion(), x, np.array([1])


def together():
    """Layers whose samples know of one another, and one that draws."""
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNormalization(4), nn.ReLU(), nn.Dropout(0.5))
    return filled(net.add(nn.Linear(4, 2))), nn.MSECriterion(), numbers(6, 3), numbers(6, 2)


def dead():
    """One unit is 0 before the ReLU for every sample: a kink."""
    net = filled(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2), nn.Tanh()))
    net[0].weight[1], net[0].bias[1] = 0, 0
    return net, nn.MSECriterion(), numbers(3, 2), numbers(3, 2)


def numeric_of(steps, tmp_path):
    return [
        (array["name"], array["numeric"])
        for step in page_data(steps, tmp_path)["steps"]
        for array in step["arrays"]
        if "numeric" in array
    ]


@pytest.mark.parametrize(
    "case",
    [by_hand, nested, tables, residual, graph, sequence, images, together, dead],
    ids=lambda f: f.__name__,
)
def test_what_is_known_behind_gives_the_digits_of_the_loss_itself(case, tmp_path, monkeypatch):
    nn.manualSeed(3)
    made = case()
    state = nn.random.getRNGState()
    short = numeric_of(trace(*arranged(made)), tmp_path)
    way = derivatives.Derivatives._way
    monkeypatch.setattr(
        derivatives.Derivatives, "_way", lambda self, number, stops: way(self, number, False)
    )
    nn.random.setRNGState(state)
    for parameter in made[0].parameters()[1]:
        parameter[...] = 0
    whole = numeric_of(trace(*arranged(made)), tmp_path)
    assert [name for name, _ in short] == [name for name, _ in whole]
    assert len(short) > 1
    for (name, one), (_, other) in zip(short, whole, strict=True):
        assert [verdict for _, verdict in one] == [verdict for _, verdict in other], name
        # Where there is a kink, a central difference depends on its step.
        at_kinks = {"lies at a kink"} & {verdict for _, verdict in one}
        values = [[value for value, _ in entries] for entries in (one, other)]
        np.testing.assert_allclose(*values, rtol=1e-6, atol=1e-4 if at_kinks else 1e-8)


def pairs(n):
    net = nn.Sequential(*(nn.Linear(3, 3) if i % 2 == 0 else nn.Tanh() for i in range(2 * n)))
    return filled(net), numbers(4, 3), nn.MSECriterion(), numbers(4, 3)


def forwards(steps, tmp_path, monkeypatch):
    """How many forwards of layers there are in making a page."""
    count = 0
    for kind in (nn.Linear, nn.Tanh, nn.MSECriterion):
        method = kind.updateOutput

        def counted(self, *arguments, method=method):
            nonlocal count
            count += 1
            return method(self, *arguments)

        monkeypatch.setattr(kind, "updateOutput", counted)
        counted.__module__ = "torchlite.counted"
    assert verdicts(page_data(steps, tmp_path)) == {"agrees"}
    monkeypatch.undo()
    return count


def test_every_layer_of_a_chain_costs_as_much_however_deep_it_is(tmp_path, monkeypatch):
    counts = [forwards(trace(*pairs(n)), tmp_path, monkeypatch) for n in (2, 4, 8, 16)]
    # Of 12 entries of each input, 9 of the weight and 3 of the bias: two each, and two at once.
    each = 2 * (12 + 1 + 12 + 1 + 9 + 1 + 3 + 1)
    criterion = 2 * (12 + 1)
    assert counts == [criterion + n * each + 2 * n + 1 for n in (2, 4, 8, 16)]


class Skips(nn.Identity):
    """A layer that adds what another one had, of which nobody else knows."""

    refers = ("other",)
    other = None

    def updateOutput(self, input):
        self.output = input + (0 if self.other is None else 3 * self.other.output)
        return self.output


def test_what_layers_know_of_one_another_unseen_counts(tmp_path):
    """What the backward leaves out: of the gradient before the layer, three quarters."""
    net = nn.Sequential(nn.Mul(), nn.Tanh(), nn.Identity(), Skips())
    net[0].weight[:] = 0.5
    net[3].other = net[1]
    x = np.array([[0.25, -1.0]])
    with record(net, criterion := nn.MSECriterion()) as steps:
        output = net.forward(x)
        criterion.forward(output, np.zeros((1, 2)))
        net.backward(x, criterion.backward(output, np.zeros((1, 2))))
    found = {
        step["position"]: step["arrays"][-1]["numeric"]
        for step in page_data(steps, tmp_path)["steps"]
        if step["method"] == "updateGradInput"
    }
    slope = 1 - np.tanh(x / 2) ** 2
    for position, factor in (("net[3]", 1), ("net[2]", 1), ("net[1]", 4 * slope)):
        expected = (4 * np.tanh(x / 2) * factor)[0]
        values = [value for value, _ in found[position]]
        np.testing.assert_allclose(values, expected, rtol=1e-6)
    assert {verdict for _, verdict in found["net[1]"]} == {"differs"}


def test_a_kink_nearby_is_none_here(tmp_path):
    """And what is before it does not suffer."""
    net = nn.Sequential(nn.MulConstant(0.5), nn.Tanh(), nn.ReLU())
    x = np.array([[-4e-6, 2e-6, 1.0]])
    steps = trace(net, x, nn.MSECriterion(), np.array([[1.0, 2.0, 3.0]]))
    data = page_data(steps, tmp_path)
    assert verdicts(data) == {"agrees"}
    at_it = trace(net, 0 * x, nn.MSECriterion(), np.array([[1.0, 2.0, 3.0]]))
    assert verdicts(page_data(at_it, tmp_path)) == {"agrees", "lies at a kink"}


def test_one_array_for_two_calls_of_the_user(tmp_path):
    net = filled(nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)))
    criterion = nn.ParallelCriterion().add(nn.MSECriterion()).add(nn.MSECriterion())
    x, y = numbers(3, 2), [numbers(3, 2), numbers(3, 2) / 2]
    with record(net, criterion) as steps:
        hidden = net[0].forward(x)
        outputs = [net[1].forward(hidden), net[2].forward(hidden)]
        criterion.forward(outputs, y)
        gradients = criterion.backward(outputs, y)
        for layer, gradient in zip(net[1:], gradients, strict=True):
            layer.backward(hidden, gradient)
        # What goes back is the sum: a new array, of which nobody knows where it comes from.
        net[0].accGradParameters(x, gradients[0])
    data = page_data(steps, tmp_path)
    numeric = [array for step in data["steps"] for array in step["arrays"] if "numeric" in array]
    assert len(numeric) == 2 + 1 + 1 + 2 + 2
    assert {v for array in numeric[:6] for _, v in array["numeric"]} == {"agrees"}


def test_steps_that_the_user_makes_know_of_those_before(tmp_path):
    """What a step leaves behind for the next is an effect of its input, too."""
    net = filled(nn.Recursor(nn.Sequential(nn.RecGRU(2, 2), nn.Tanh())))
    criterion, x = nn.MSECriterion(), numbers(2, 3, 2)
    with record(net, criterion) as steps:
        net.forward(x[0])
        output = net.forward(x[1])
        criterion.forward(output, numbers(3, 2))
        net.backward(x[1], criterion.backward(output, numbers(3, 2)))
        net.backward(x[0], np.zeros((3, 2)))
    data = page_data(steps, tmp_path)
    assert verdicts(data) == {"agrees"}


def sparse(kind, doGradInput):
    return kind(5, 2, doGradInput).reset()


@pytest.mark.parametrize("doGradInput", [False, True])
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "inside"])
@pytest.mark.parametrize("name", SPARSE)
def test_what_is_read_as_sparse_has_no_numeric_derivative(name, inside, doGradInput, tmp_path):
    kind, input = SPARSE[name]
    net = layer = sparse(kind, doGradInput)
    if inside:
        net = nn.Sequential(nn.Sequential(layer), nn.Tanh())
    target = np.zeros_like(net.forward(input))
    data = page_data(trace(net, input, nn.MSECriterion(), target), tmp_path)
    assert verdicts(data) == {"agrees"}
    where = {"net", "net[0]", "net[0][0]"} if inside else {"net"}
    gradients = [
        (step["number"], array)
        for step in data["steps"]
        if step["method"] == "updateGradInput" and step["position"] in where
        for array in step["arrays"]
        if array["role"] == "result" and "values" in array and "int" not in array["dtype"]
    ]
    assert all(array.get("numeric") is None for _, array in gradients)
    numbers = sorted({number for number, _ in gradients})
    assert bool(numbers) is doGradInput
    said = f" There are none at {spans(numbers)}: gradInput is not by the entries of input, or"
    assert (said in data["note"]) is doGradInput


def test_a_dense_input_beside_a_sparse_one_has_its_own_derivatives(tmp_path):
    parallel = nn.ParallelTable(sparse(nn.SparseLinear, False), nn.Linear(3, 2))
    net = nn.Sequential(parallel, nn.CAddTable())
    steps = trace(net, [ROWS, numbers(3)], nn.MSECriterion(), np.zeros(2))
    data = page_data(steps, tmp_path)
    assert verdicts(data) == {"agrees"}
    (shown,) = [a for s in data["steps"] if s["position"] == "net" for a in s["arrays"][-1:]][1:]
    assert (shown["name"], len(shown["numeric"])) == ("gradInput[1]", 3)


class Choosy(nn.Identity):
    """Takes multiples of a half alone."""

    def updateOutput(self, input):
        if (2 * input % 1).any():
            raise ValueError("no multiple of a half")
        return super().updateOutput(input)


class Stretched(nn.Identity):
    """Has a gradInput of another shape."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = np.repeat(gradOutput, 2)
        return self.gradInput


class Boxed(nn.Identity):
    """Has a table for a gradInput."""

    def updateGradInput(self, input, gradOutput):
        self.gradInput = [gradOutput, gradOutput]
        return self.gradInput


@pytest.mark.parametrize("kind", [Choosy, Stretched, Boxed])
def test_no_page_dies_of_a_numeric_derivative(kind, tmp_path):
    steps = trace(kind(), np.array([0.5, 1.0]), nn.MSECriterion(), np.zeros(2))
    data = page_data(steps, tmp_path)
    own = [a for a in data["steps"][3]["arrays"] if a["role"] == "result"]
    assert [array["numeric"] for array in own] == [None] * len(own)
    assert data["note"].endswith(
        " There are none at step 4: gradInput is not by the entries of input, or a layer refuses "
        "numbers beside these."
    )


def test_the_page_says_that_large_arrays_have_no_numeric_derivatives(tmp_path):
    said = " Arrays of more than 200 entries have none."
    for size in (200, 201):
        x = numbers(1, size)
        steps = trace(nn.Tanh(), x, nn.MSECriterion(), np.zeros((1, size)))
        data = page_data(steps, tmp_path)
        assert (said in data["note"]) is (size > 200)
        assert [len(a.get("numeric", [])) for a in data["steps"][3]["arrays"][-1:]] == [
            size if size == 200 else 0
        ]


def test_a_page_without_numeric_derivatives(tmp_path, capsys):
    steps = trace(*pairs(2))
    file = tmp_path / "page.html"
    steps.to_html(file, numeric=False)
    page = file.read_text("utf-8")
    assert '"numeric": [' not in page
    assert '"note": "There are no numeric derivatives: none were asked for."' in page
    assert main(["trace", "--html", str(file), "--no-numeric"]) == 0
    assert "none were asked for" in file.read_text("utf-8")
    assert main(["trace", "--html", str(file)]) == 0
    assert "none were asked for" not in file.read_text("utf-8")


def test_it_is_seen_how_far_the_page_is(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    steps = trace(*pairs(1))
    steps.to_html(tmp_path / "page.html")
    said = capsys.readouterr().err.split("\r")
    assert said[-1].strip() == "steps of the page 11/11"
    assert len(steps) == 11


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([3], "step 3"),
        ([3, 4], "steps 3 to 4"),
        ([1, 3, 4, 5, 9], "steps 1, 3 to 5, 9"),
    ],
)
def test_spans_of_steps(numbers, said):
    assert spans(numbers) == said
