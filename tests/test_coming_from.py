"""The pages for who comes from elsewhere: names are there, and numbers are those of there."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import torchlite
from torchlite import nn, optim
from torchlite.elsewhere import NAMES

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ["coming_from_pytorch", "coming_from_keras", "coming_from_torch7"]


def rows(page):
    """Return the code in the left and in the right cell of each row of the page's tables."""
    text = (DOCS / f"{page}.md").read_text("utf-8")
    cells = [re.findall(r"(?:`[^`]*`|[^|`])+", line) for line in text.splitlines()]
    found = [[re.findall("`([^`]*)`", cell) for cell in row] for row in cells if len(row) == 2]
    return [row for row in found if all(row)]


def program(page):
    """Return the first program of theirs, and ours."""
    text = (DOCS / f"{page}.md").read_text("utf-8")
    theirs = re.search(r"^```text\n(.*?)^```", text, re.M | re.S)[1]
    ours = re.search(r"^```python\n(.*?)^```", text, re.M | re.S)[1]
    return theirs, "".join(re.findall(r"^(?:>>>|\.\.\.) ?(.*\n)", ours, re.M))


def resolved(name):
    """Whether there is something of this name."""
    first, *rest = name.split(".")
    if first == "net":
        input = nn.Identity()()
        nets = nn.Sequential(nn.Linear(2, 2)), nn.gModule([input], [nn.Tanh()(input)])
        return any(hasattr(net, rest[0]) for net in nets)
    found = torchlite if first == "nn" else importlib.import_module(f"torchlite.{first}")
    for part in rest:
        if not hasattr(found, part):
            return importlib.util.find_spec(f"{found.__name__}.{part}") is not None
        found = getattr(found, part)
    return True


@pytest.mark.parametrize("page", PAGES)
def test_every_name_of_ours_is_there(page):
    parts = "nn|net|optim|serial|datasets|testing|stepping|distributed|interop"
    names = {
        name
        for _, ours in rows(page)
        for code in ours
        for name in re.findall(rf"(?<![\w.])(?:{parts})(?:\.[A-Za-z]\w*)+", code)
    }
    assert len(names) > 20
    assert [name for name in names if not resolved(name)] == []


@pytest.mark.parametrize("page", PAGES[:2])
def test_what_is_called_in_the_tables_can_be_called(page):
    input = nn.Identity()()
    given = {"inputs": [input], "outputs": [nn.Tanh()(input)]}
    names = {"nn": torchlite, "n": 6, "layer": nn.Tanh(), "f": nn.Tanh(), **given}
    calls = [
        code for _, ours in rows(page) for code in ours if re.fullmatch(r"nn\.\w+\(.*\)", code)
    ]
    assert len(calls) > 35
    for code in calls:
        eval(code, dict(names))


@pytest.mark.parametrize("page", PAGES[:2])
def test_the_tables_say_what_the_errors_say(page):
    """An AttributeError that says nn.X, and a table that says something else, would not do."""
    compared = 0
    for theirs, ours in rows(page):
        for name in re.findall(r"\b(?:nn|layers|losses)\.(\w+)", " ".join(theirs)):
            hint = NAMES["torchlite.nn"].get(name)
            if hint in nn.__all__:
                assert f"nn.{hint}" in " ".join(ours), name
                compared += 1
    assert compared > 12


def made(section, column, names):
    """Return what the code of a section's first table makes, in the left (0) or right column."""
    text = (DOCS / "coming_from_pytorch.md").read_text("utf-8")
    table = re.search(rf"^## {section}\n.*?^\|--.*?\n(.*?)\n\n", text, re.M | re.S)[1]
    for line in table.splitlines():
        for code in re.findall("`([^`]*)`", line.split(" | ")[column]):
            yield code, eval(code, dict(names))


def pytorch():
    torch = pytest.importorskip("torch")
    return torch, {"torch": torch, "nn": torch.nn}


SHAPES = {
    "Conv2d": (2, 3, 6, 7),
    "ConvTranspose2d": (2, 3, 4, 5),
    "Conv3d": (2, 3, 4, 5, 6),
    "BatchNorm2d": (4, 8, 2, 3),
    "PixelShuffle": (2, 8, 3, 2),
    "Softmax": (2, 4, 3),
    "LogSoftmax": (2, 4, 3),
    **dict.fromkeys(["MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "ZeroPad2d"], (2, 3, 4, 6)),
}


def test_the_layers_have_pytorchs_numbers():
    """In training and in evaluation: outputs, gradients of inputs and of parameters."""
    torch, theirs = pytorch()
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    pairs = list(zip(made("Layers", 0, theirs), made("Layers", 1, {"nn": nn}), strict=True))
    assert len(pairs) > 25
    for (code, module), (_, ours) in pairs:
        kind = type(module).__name__
        module.double()
        # Small numbers: an epsilon shows.
        shapes = [(5, 8), (5, 4)] if kind == "Bilinear" else [SHAPES.get(kind, (5, 8))]
        xs = [0.01 * rng.normal(size=shape) for shape in shapes]
        if kind == "Embedding":
            xs = [rng.integers(0, 100, (5, 3))]
        parameters, gradients = ours.parameters() or ([], [])
        given = list(module.parameters())
        assert len(parameters) == len(given), code
        for array, tensor in zip(parameters, given, strict=True):
            array[...] = tensor.detach().numpy().reshape(array.shape)
        for training in (True, False):
            module.train(training)
            ours.training() if training else ours.evaluate()
            module.zero_grad()
            ours.zeroGradParameters()
            tensors = [torch.tensor(x, requires_grad=kind != "Embedding") for x in xs]
            expected = module(*tensors)
            input = xs if len(xs) > 1 else xs[0]
            output = ours.forward(input)
            if kind == "Dropout" and training:
                # Another mask: what is kept is as large.
                kept = (output != 0) & (expected.detach().numpy() != 0)
                assert kept.any(), code
                assert np.allclose(output[kept], expected.detach()[kept]), code
                continue
            assert np.allclose(output, expected.detach(), rtol=1e-9, atol=1e-12), (code, training)
            slope = rng.normal(size=output.shape)
            expected.backward(torch.tensor(slope))
            back = ours.backward(input, slope)
            if kind != "Embedding":
                for got, tensor in zip(back if len(xs) > 1 else [back], tensors, strict=True):
                    assert np.allclose(got, tensor.grad, rtol=1e-8, atol=1e-12), (code, training)
            for got, tensor in zip(gradients, given, strict=True):
                wanted = tensor.grad.numpy().reshape(got.shape)
                assert np.allclose(got, wanted, rtol=1e-8, atol=1e-12), (code, training)


def test_the_losses_are_pytorchs():
    torch, theirs = pytorch()
    rng = np.random.default_rng(0)
    unit, number = rng.uniform(0.1, 0.9, (5, 3)), rng.normal(size=(5, 3))
    signs, classes = np.where(number > 0, 1.0, -1.0), np.array([0, 2, 1, 1, 0])
    targets = {
        **dict.fromkeys(["CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"], classes),
        **dict.fromkeys(["BCELoss", "BCEWithLogitsLoss"], (signs + 1) / 2),
        "SoftMarginLoss": signs,
    }
    pairs = list(zip(made("Losses", 0, theirs), made("Losses", 1, {"nn": nn}), strict=True))
    assert len(pairs) == 11
    for (code, loss), (_, criterion) in pairs:
        target = targets.get(type(loss).__name__, 1 - unit)
        x = torch.tensor(unit, requires_grad=True)
        result = loss(x, torch.tensor(target))
        result.backward()
        assert np.isclose(criterion.forward(unit, target), result.item(), rtol=1e-12), code
        assert np.allclose(criterion.backward(unit, target), x.grad, rtol=1e-12), code


def test_the_optimizers_come_to_the_same_place():
    torch, theirs = pytorch()
    table = (DOCS / "coming_from_pytorch.md").read_text("utf-8").partition("## Optimizers")[2]
    compared = []
    for left, right in re.findall(r"^\| `(torch\.optim.*?)` \| `(optim.*?)` \|$", table, re.M):
        p = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, requires_grad=True)
        x = p.detach().numpy().copy()
        optimizer = eval(left, {**theirs, "p": [p]})
        names = {"optim": optim, "x": x, "opfunc": lambda x: (float((x**4).sum()), 4 * x**3)}
        state = {}
        call = compile(re.sub(r"\)$", ", state=state)", right), left, "eval")
        if type(optimizer).__name__ in ("RMSprop", "Rprop", "LBFGS"):
            eval(call, {**names, "state": state})
            continue
        for _ in range(5):
            optimizer.zero_grad()
            (p**4).sum().backward()
            optimizer.step()
            eval(call, {**names, "state": state})
        assert np.allclose(x, p.detach(), rtol=1e-6), left
        compared.append(type(optimizer).__name__)
    assert compared == ["SGD", "SGD", "Adam", "Adamax", "Adagrad", "Adadelta"]


def test_the_program_of_pytorch_has_the_same_losses():
    pytorch()
    theirs, ours = map(run, program("coming_from_pytorch"))
    assert len(ours["losses"]) == 5
    # Adam's epsilon stands elsewhere in the formula.
    assert np.allclose(theirs["losses"], ours["losses"], rtol=1e-5)


def run(code):
    names = {}
    exec(code, names)
    return names


def test_numpy_does_to_arrays_what_is_said():
    text = (DOCS / "coming_from_torch7.md").read_text("utf-8").partition("\n## Tensors\n")[2]
    table = re.search(r"^\|--.*?\n(.*?)\n\n", text, re.M | re.S)[1]
    compared = 0
    for line in table.splitlines():
        _, codes, expected = (re.findall("`([^`]*)`", cell) for cell in line.split(" | "))
        codes = [code for code in codes if code not in ("*", "np.argsort")]
        for code, value in zip(codes, expected, strict=True):
            names = {"np": np, "x": np.array([[1.0, 2, 3], [4, 5, 6]])}
            try:
                got = eval(code, names)
            except SyntaxError:
                got = exec(code, names)
            if got is None:
                got = names["x"]
            wanted = eval(value)
            same = got == wanted if isinstance(wanted, str) else np.allclose(got, wanted, atol=0)
            assert same, (code, got)
            assert np.shape(got) == np.shape(wanted), code
            compared += 1
    assert compared > 60
