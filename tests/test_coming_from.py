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
    "LPPool2d": (2, 4, 6, 7),
    **dict.fromkeys(
        ["Upsample", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "ZeroPad2d"], (2, 3, 4, 6)
    ),
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


# ---------------------------------------------------------------- Keras

ROWS, IMAGES, STEPS = (5, 8), (2, 3, 8, 6), (2, 6, 3)
# Code of a row's left cell; ours of its right cell, one after the other; the shape of an input, and
# of the output, with the planes first and the steps in the middle; how many numbers are trained.
KERAS = [
    ("layers.Dense(4)", ["nn.Linear(8, 4)"], ROWS, (5, 4), 8 * 4 + 4),
    (
        'layers.Dense(4, activation="relu")',
        ["nn.Linear(8, 4)", "nn.ReLU()"],
        ROWS,
        (5, 4),
        8 * 4 + 4,
    ),
    ("layers.Dense(4, use_bias=False)", ["nn.Linear(8, 4, False)"], ROWS, (5, 4), 8 * 4),
    ("layers.Embedding(100, 8)", ["nn.LookupTable(100, 8)"], (5, 3), (5, 3, 8), 100 * 8),
    ("layers.Reshape((3, 4))", ["nn.View(3, 4)"], (5, 12), (5, 3, 4), 0),
    (
        "layers.Conv2D(6, 5)",
        ["nn.SpatialConvolution(3, 6, 5, 5)"],
        IMAGES,
        (2, 6, 4, 2),
        5 * 5 * 3 * 6 + 6,
    ),
    (
        'layers.Conv2D(6, 5, padding="same")',
        ["nn.SpatialConvolution(3, 6, 5, 5, 1, 1, 2, 2)"],
        IMAGES,
        (2, 6, 8, 6),
        5 * 5 * 3 * 6 + 6,
    ),
    (
        "layers.Conv1D(6, 5)",
        ["nn.TemporalConvolution(3, 6, 5)"],
        STEPS,
        (2, 2, 6),
        5 * 3 * 6 + 6,
    ),
    ("layers.MaxPooling2D(2)", ["nn.SpatialMaxPooling(2, 2, 2, 2)"], IMAGES, (2, 3, 4, 3), 0),
    (
        "layers.AveragePooling2D(2)",
        ["nn.SpatialAveragePooling(2, 2, 2, 2)"],
        IMAGES,
        (2, 3, 4, 3),
        0,
    ),
    ("layers.MaxPooling1D(2)", ["nn.TemporalMaxPooling(2)"], STEPS, (2, 3, 3), 0),
    ("layers.GlobalAveragePooling2D()", ["nn.Mean(-1)", "nn.Mean(-1)"], IMAGES, (2, 3), 0),
    (
        "layers.BatchNormalization()",
        ["nn.BatchNormalization(8, 1e-3, 0.01)"],
        ROWS,
        ROWS,
        8 + 8,
    ),
    (
        "layers.BatchNormalization()",
        ["nn.SpatialBatchNormalization(6, 1e-3, 0.01)"],
        (2, 6, 3, 4),
        (2, 6, 3, 4),
        6 + 6,
    ),
    ("layers.LayerNormalization()", ["nn.LayerNormalization(8, 0, 8e-3)"], ROWS, ROWS, 8 + 8),
    ("layers.Dropout(0.2)", ["nn.Dropout(0.2)"], ROWS, ROWS, 0),
    ("layers.SpatialDropout2D(0.2)", ["nn.SpatialDropout(0.2)"], IMAGES, IMAGES, 0),
    ("layers.GaussianNoise(0.1)", ["nn.WhiteNoise(0, 0.1)"], ROWS, ROWS, 0),
    ("layers.ReLU()", ["nn.ReLU()"], ROWS, ROWS, 0),
    ("layers.LeakyReLU(0.1)", ["nn.LeakyReLU(0.1)"], ROWS, ROWS, 0),
    ("layers.ELU()", ["nn.ELU()"], ROWS, ROWS, 0),
    ("layers.Softmax()", ["nn.SoftMax(-1)"], ROWS, ROWS, 0),
    ("layers.UpSampling2D(2)", ["nn.SpatialUpSamplingNearest(2)"], IMAGES, (2, 3, 16, 12), 0),
    ("layers.ZeroPadding2D(1)", ["nn.SpatialZeroPadding(1, 1, 1, 1)"], IMAGES, (2, 3, 10, 8), 0),
    ("layers.Concatenate()", ["nn.JoinTable(-1)"], [ROWS, (5, 3)], (5, 11), 0),
    ("layers.Add()", ["nn.CAddTable()"], [ROWS, ROWS], ROWS, 0),
    ("layers.Multiply()", ["nn.CMulTable()"], [ROWS, ROWS], ROWS, 0),
    ("layers.Subtract()", ["nn.CSubTable()"], [ROWS, ROWS], ROWS, 0),
    ("layers.Maximum()", ["nn.CMaxTable()"], [ROWS, ROWS], ROWS, 0),
    ("layers.Dot(1)", ["nn.DotProduct()"], [ROWS, ROWS], (5,), 0),
    ("layers.RepeatVector(3)", ["nn.Replicate(3, 1)"], ROWS, (5, 3, 8), 0),
    (
        "layers.LSTM(8, return_sequences=True)",
        ["nn.SeqLSTM(4, 8)"],
        (6, 5, 4),
        (6, 5, 8),
        4 * (4 * 8 + 8 * 8 + 8),
    ),
]
# PReLU has a slope for each entry there; the others want a layer, a function, or other words.
KERAS_ALONE = {
    "layers.Flatten()",
    "layers.PReLU()",
    "layers.Lambda(f)",
    "layers.TimeDistributed(layer)",
}


def of_keras(ours, sizes):
    """Return the layers of a row, and an input."""
    net = nn.Sequential(*(eval(code, {"nn": nn}) for code in ours))
    if isinstance(net[0], nn.SpatialDropout):
        net[0].v2 = True
    rng = np.random.default_rng(0)
    if isinstance(net[0], nn.LookupTable):
        return net, rng.integers(0, 100, sizes)
    if isinstance(sizes, list):
        return net, [rng.normal(size=size) for size in sizes]
    return net, rng.normal(size=sizes)


def test_the_rows_of_keras_are_those_that_are_tried():
    text = (DOCS / "coming_from_keras.md").read_text("utf-8")
    table = text.partition("\n## Layers\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ") for line in table.splitlines() if line.startswith("| `layers.")]
    for theirs, ours, *_ in KERAS:
        right = next(right for left, right in cells if f"`{theirs}`" in left)
        assert all(f"`{code}`" in right for code in ours), theirs
    written = set(re.findall(r"`(layers\.\w+\(.*?\))`", "".join(left for left, _ in cells)))
    assert written == {theirs for theirs, *_ in KERAS} | KERAS_ALONE


@pytest.mark.parametrize(("theirs", "ours", "sizes", "shape", "count"), KERAS)
def test_layers_have_the_shapes_and_parameters_of_keras(theirs, ours, sizes, shape, count):
    net, input = of_keras(ours, sizes)
    assert net.forward(input).shape == shape
    assert sum(array.size for array in net.parameters()[0]) == count


@pytest.fixture
def keras(monkeypatch, tmp_path):
    pytest.importorskip("torch")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    keras = pytest.importorskip("keras")
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx("float32")


def fill(net, kind, weights):
    """Give our layer the weights of Keras', as they are laid out here."""
    if kind in ("LSTM", "GRU"):
        kernel, recurrent, bias = weights
        # Input, forget, candidate, output there: the candidate is the last here. Update, reset,
        # candidate there: reset is the first here.
        order = [0, 1, 3, 2] if kind == "LSTM" else [1, 0, 2]
        weights = [
            np.concatenate([np.split(weight, len(order), -1)[at] for at in order], -1)
            for weight in (np.concatenate([kernel, recurrent]), bias)
        ]
    elif kind == "Conv1D":
        weights[0] = weights[0].reshape(-1, weights[0].shape[-1]).T
    elif kind != "Embedding" and weights and weights[0].ndim > 1:
        # Inputs before outputs there, and the window before both.
        weights[0] = np.moveaxis(weights[0], (-1, -2), (0, 1))
    arrays = net.parameters()[0]
    for array, weight in zip(arrays, weights, strict=kind != "BatchNormalization"):
        array[...] = weight
    if kind == "BatchNormalization":
        net[0].running_mean[...], net[0].running_var[...] = weights[2:]


def test_the_layers_have_keras_numbers(keras):
    rng, tried = np.random.default_rng(1), 0
    gru = "layers.GRU(8, return_sequences=True, reset_after=False)", ["nn.SeqGRU(4, 8)"]
    for theirs, ours, sizes, _, count in [*KERAS, (*gru, (6, 5, 4), None, 3 * (12 * 8 + 8))]:
        net, input = of_keras(ours, sizes)
        layer = eval(theirs, {"layers": keras.layers})

        def there(array, steps_first="return_sequences" in theirs):
            """Samples are the first there, and planes the last."""
            if steps_first:
                return np.swapaxes(array, 0, 1)
            return np.moveaxis(array, 1, -1) if np.ndim(array) == 4 else array

        x = [there(each) for each in input] if isinstance(input, list) else there(input)
        layer(x)
        weights = [rng.uniform(0.1, 0.3, weight.shape) for weight in layer.weights]
        layer.set_weights(weights)
        assert sum(int(np.prod(w.shape)) for w in layer.trainable_weights) == count, theirs
        fill(net, type(layer).__name__, weights)
        for training in (False, True):
            if training and type(net[0]) in (nn.Dropout, nn.SpatialDropout, nn.WhiteNoise):
                continue
            net.training() if training else net.evaluate()
            output = there(net.forward(input))
            changes = {"training": training} if "Batch" in theirs else {}
            wanted = np.asarray(layer(x, **changes).detach())
            if theirs == "layers.Dot(1)":
                assert wanted.shape == (5, 1)
                wanted = wanted[:, 0]
            # Products of some backends are of float32.
            assert np.shape(output) == wanted.shape, theirs
            assert np.allclose(output, wanted, rtol=1e-6, atol=1e-6), (theirs, training)
            tried += 1
    assert tried > 60


def test_the_losses_are_those_of_keras(keras):
    rng = np.random.default_rng(0)
    unit, wanted, number = (rng.uniform(0.1, 0.9, (5, 3)) for _ in range(3))
    number = 4 * number - 2
    classes, yes = np.array([0, 2, 1, 1, 0]), (wanted > 0.5) * 1.0
    rows = [
        ("MeanSquaredError()", "MSECriterion()", unit, wanted, wanted),
        ("MeanAbsoluteError()", "AbsCriterion()", unit, wanted, wanted),
        ("Huber()", "SmoothL1Criterion()", number, wanted, wanted),
        (
            "SparseCategoricalCrossentropy(from_logits=True)",
            "CrossEntropyCriterion()",
            number,
            classes,
            classes,
        ),
        (
            "CategoricalCrossentropy(from_logits=True)",
            "CrossEntropyCriterion()",
            number,
            np.eye(3)[classes],
            classes,
        ),
        ("BinaryCrossentropy()", "BCECriterion()", unit, yes, yes),
        (
            "BinaryCrossentropy(from_logits=True)",
            "MultiLabelSoftMarginCriterion()",
            number,
            yes,
            yes,
        ),
        ("Hinge()", "MarginCriterion()", number, 2 * yes - 1, 2 * yes - 1),
    ]
    for theirs, ours, x, target, own in rows:
        expected = float(eval(f"losses.{theirs}", {"losses": keras.losses})(target, x))
        loss = eval(f"nn.{ours}", {"nn": nn}).forward(x, own)
        assert np.isclose(loss, expected, rtol=1e-6), theirs
    rows_of_one = wanted / wanted.sum(1, keepdims=True)
    # By the rows alone there, by all entries here.
    expected = float(keras.losses.KLDivergence()(rows_of_one, unit)) / 3
    assert np.isclose(nn.DistKLDivCriterion().forward(np.log(unit), rows_of_one), expected)


def test_the_optimizers_of_keras_come_to_the_same_place(keras):
    rows = [
        ("SGD(0.1, momentum=0.9)", "sgd", {"momentum": 0.9, "dampening": 0}),
        (
            "SGD(0.1, momentum=0.9, nesterov=True)",
            "sgd",
            {"momentum": 0.9, "dampening": 0, "nesterov": True},
        ),
        ("Adam(0.1)", "adam", {}),
        ("Adamax(0.1)", "adamax", {}),
        ("Adadelta(1.0)", "adadelta", {"rho": 0.95, "eps": 1e-7}),
        ("RMSprop(0.1)", "rmsprop", {"alpha": 0.9}),
        ("Adagrad(0.1, initial_accumulator_value=0)", "adagrad", {}),
    ]
    for theirs, ours, config in rows:
        x, state = np.array([1.0, -2.0, 3.0]), {}
        variable = keras.Variable(x)
        optimizer = eval(f"optimizers.{theirs}", {"optimizers": keras.optimizers})
        for _ in range(5):
            there = np.asarray(variable.value.detach())
            optimizer.apply([keras.ops.convert_to_tensor(4 * there**3)], [variable])
            step = getattr(optim, ours)
            rate = {} if ours == "adadelta" else {"learningRate": 0.1}
            step(lambda x: (0.0, 4 * x**3), x, {**rate, **config}, state)
        assert np.allclose(x, variable.value.detach(), rtol=1e-5), theirs
