"""What notebooks show of modules, summaries, steps and reports; and the memory that is counted."""

import base64
import gc
import re
import struct
import tracemalloc
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest

import torchlite as nn
from torchlite import random
from torchlite.stepping import notebook, summary, trace
from torchlite.testing import check_module, check_network


class Still(nn.Linear):
    """A layer that stays as it is."""

    def parameters(self):
        """Return none: weight and bias stay."""
        return [], []


class Evil(nn.Identity):
    """No harm."""

    def __repr__(self):
        return "</details><script>alert(1)</script>\x1b"


class Read(HTMLParser):
    """Reads HTML, and holds it to what is closed and to the tags that are ours."""

    def __init__(self, page):
        super().__init__()
        self.text, self.images, self.open, self.deepest = "", [], [], 0
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert f" {tag} " in " style div details summary b i img table tr th td pre "
        if tag == "img":
            self.images.append(dict(attributes))
            return
        self.open.append(tag)
        self.deepest = max(self.deepest, self.open.count("details"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] != "style":
            self.text += data + "\n"


def pixels(image):
    """The pixels of a PNG."""
    data = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    size = struct.unpack(">I", data[33:37])[0]
    rows = np.frombuffer(zlib.decompress(data[41 : 41 + size]), "uint8").reshape(height, -1)
    assert not rows[:, 0].any()
    for start in (8, 33, 45 + size):
        length = struct.unpack(">I", data[start : start + 4])[0]
        chunk = data[start + 4 : start + 8 + length]
        assert struct.unpack(">I", data[start + 8 + length : start + 12 + length])[0] == (
            zlib.crc32(chunk)
        )
    return rows[:, 1:].reshape(height, width, 4)


def test_a_module_is_a_tree_with_its_parameters():
    inner = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Tanh())
    net = nn.Sequential(Still(2, 3), nn.ConcatTable(inner, nn.Identity()), nn.CAddTable(), Evil())
    net[1][0][0].weight[:] = [[1, -2, 0], [np.nan, 0, 0], [0, 0, 0.5]]
    shown = Read(net._repr_html_())
    lines = [" ".join(line.split()) for line in shown.text.split("\n") if line.strip()]
    assert lines[:9] == [
        "Sequential", "9 trainable, 9 frozen",
        "[0]", "Still(2 -> 3)", "9 frozen", "weight, frozen (3, 2)",
        text_of(net[0].weight), "bias, frozen (3,)", text_of(net[0].bias),
    ]  # fmt: skip
    assert lines[9:-8] == [
        "[1]", "ConcatTable", "9 trainable", "[0]", "Sequential", "9 trainable",
        "[0]", "Linear(3 -> 3) without bias", "9 trainable", "weight (3, 3)",
        "norm nan, min nan, max nan",
    ]  # fmt: skip
    assert lines[-8:] == [
        "[1]", "Tanh", "[1]", "Identity", "[2]", "CAddTable",
        "[3]", "</details><script>alert(1)</script>\\x1b",
    ]  # fmt: skip
    assert shown.deepest == 4
    blue, orange, odd = (33, 102, 172), (217, 120, 20), (176, 0, 94)
    assert pixels(shown.images[2]).tolist() == [
        [[*orange, 128], [*blue, 255], [*orange, 0]],
        [[*odd, 255], [*orange, 0], [*orange, 0]],
        [[*orange, 0], [*orange, 0], [*orange, 64]],
    ]


def text_of(array):
    norm = np.sqrt((array**2).sum())
    return f"norm {norm:.4g}, min {array.min():.4g}, max {array.max():.4g}"


def test_a_large_module_is_folded_and_its_pictures_are_few_and_small(monkeypatch):
    net = nn.Sequential(*(nn.Linear(200, 100) for _ in range(20)))
    monkeypatch.setattr(notebook, "MOST_MAPS", 7)
    page = net._repr_html_()
    assert page.count("<details open>") == 1
    assert page.count("<details>") == 20
    images = Read(page).images
    assert len(images) == 7
    assert pixels(images[0]).shape == (24, 64, 4)
    assert (images[0]["width"], images[0]["height"]) == ("320", "120")
    # Evenly picked, both ends with it.
    weight = np.zeros((100, 200))
    weight[[0, -1], [0, -1]] = 1
    net[0].weight[:] = weight
    strength = pixels(Read(net._repr_html_()).images[0])[..., 3]
    assert (strength[0, 0], strength[-1, -1], strength.astype(int).sum()) == (255, 255, 510)


def test_what_is_shared_counts_once_and_stands_everywhere():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].share(net[0], "weight", "bias", "gradWeight", "gradBias")
    shown = Read(net._repr_html_())
    assert shown.text.count("6 trainable") == 2
    assert shown.text.count("weight (2, 2)") == 2


def test_a_module_without_sound_parameters_is_shown_as_it_prints():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    memory = np.zeros((3, 2))
    net[0].weight, net[1].weight = memory[:2], memory[1:]
    shown = Read(net._repr_html_()).text
    assert shown.startswith(repr(net))
    assert "overlap" in shown


def test_arrays_that_are_no_pictures():
    net = nn.Linear(2, 2).type("complex128")
    assert Read(net._repr_html_()).images == []
    empty = nn.Linear(2, 2)
    empty.weight, empty.gradWeight = np.zeros((0, 2)), np.zeros((0, 2))
    assert len(Read(empty._repr_html_()).images) == 1


def test_a_summary_is_its_table():
    x = nn.Identity()()
    net = nn.gModule([x], [nn.CAddTable()([x, Evil()(Still(2, 2)(x))])])
    made = summary(net, (3, 2))
    shown = Read(made._repr_html_())
    cells = [cell for row in made.cells() for cell in row if cell]
    lines = [line.strip() for line in shown.text.split("\n") if line.strip()]
    assert lines[: len(cells)] == [cell.strip() for cell in cells]
    below = str(made).partition("\n0 trainable")[2]
    assert " ".join(lines[len(cells) :]).split() == f"0 trainable{below}".split()
    assert "0 trainable parameters, 6 frozen" in shown.text
    assert "6 frozen" in str(made).split("\n")[4]


def test_a_step_is_its_maths_and_its_arrays():
    net = nn.Sequential(nn.Linear(2, 2), Evil())
    net[0].weight[:], net[0].bias[:] = [[1, -2], [0, 0.5]], 0
    steps = trace(net, np.array([[1.0, 2.0]]), nn.MSECriterion(), np.zeros((1, 2)))
    page = steps[0]._repr_html_()
    lines = Read(page).text.split("\n")
    assert [line for line in lines if line] == [
        "step 1: updateOutput of net[0], Linear(2 -> 2)",
        "output (1, 2) = input (1, 2) @ weight.T (2, 2) + bias (2,)",
        "input (1, 2)", "1", "2", "output (1, 2)", "-3", "1",
    ]  # fmt: skip
    assert re.findall(r"rgba\([^)]*\)", page.partition("</style>")[2]) == [
        "rgba(217, 120, 20, 0.27)", "rgba(217, 120, 20, 0.55)",
        "rgba(33, 102, 172, 0.55)", "rgba(217, 120, 20, 0.18)",
    ]  # fmt: skip
    for step in steps:
        assert step.method in Read(step._repr_html_()).text
    large = trace(nn.Identity(), np.ones((9, 9)))[0]._repr_html_()
    assert [pixels(image).shape for image in Read(large).images] == [(9, 9, 4)] * 2


def test_a_report_unfolds_what_holds():
    report = check_module(nn.Linear(2, 3), shape=(4, 2))
    report.notes.append("<b>")
    shown = Read(report._repr_html_())
    lines = [line for line in shown.text.split("\n") if line]
    first, *rest = str(report).split("\n")
    assert lines == [first, ", ".join(report.passed), *rest]
    assert shown.deepest == 1
    net = nn.Sequential(nn.Linear(2, 3))
    report = check_network(net, nn.MSECriterion(), np.ones((2, 2)), np.ones((2, 3)))
    assert ", ".join(report.passed) in Read(report._repr_html_()).text


# memory


def mlp():
    return nn.Sequential(
        nn.Linear(300, 200), nn.Tanh(), nn.Dropout(0.5), Still(200, 100), nn.ReLU(),
        nn.Linear(100, 10), nn.LogSoftMax(),
    ), (64, 300)  # fmt: skip


def images():
    return nn.Sequential(
        nn.SpatialConvolution(3, 8, 5, 5), nn.ReLU(), nn.SpatialMaxPooling(2, 2),
        nn.SpatialBatchNormalization(8), nn.View(8 * 36).setNumInputDims(3), nn.Linear(288, 10),
    ), (16, 3, 16, 16)  # fmt: skip


def sequences():
    return nn.Sequential(nn.SeqLSTM(40, 50), nn.Sequencer(nn.RecGRU(50, 60))), (10, 32, 40)


def branches():
    block = [nn.ConcatTable(nn.Sequential(nn.Linear(90, 90), nn.Tanh()), nn.Identity())]
    return nn.Sequential(*block, nn.CAddTable(), nn.Linear(90, 50)), (64, 90)


@pytest.mark.parametrize("case", [mlp, images, sequences, branches])
def test_the_memory_of_a_step_is_what_numpy_allocates(case):
    """Within 3 percent: Python's own objects come on top."""
    net, shape = case()
    counted = summary(net, shape).memory
    x = np.random.default_rng(0).standard_normal(shape)
    net.forward(x)
    net.clearState()
    gc.collect()
    tracemalloc.start()
    try:
        made, _ = case()
        gc.collect()
        parameters, _ = tracemalloc.get_traced_memory()
        output = made.forward(x)
        gc.collect()
        forward, _ = tracemalloc.get_traced_memory()
        gradOutput = np.ones_like(output)
        made.backward(x, gradOutput)
        gc.collect()
        backward, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counted.parameters + counted.gradients == pytest.approx(parameters, rel=0.03, abs=2e4)
    assert counted.forward == pytest.approx(forward - parameters, rel=0.03)
    assert counted.backward == pytest.approx(backward - forward, rel=0.03)
    assert sum(counted) == pytest.approx(backward, rel=0.03)


def test_memory_counted_by_hand():
    """Each array once: of views nothing, of what goes back the gradOutput, too."""
    net = nn.Sequential(nn.Linear(2, 3), nn.View(3), nn.ReLU(), nn.Linear(3, 1))
    memory = summary(net, (5, 2)).memory
    assert memory == (8 * (9 + 4), 8 * (9 + 4), 8 * 5 * (3 + 3 + 1), 8 * 5 * (1 + 3 + 3 + 2))
    assert summary(net).memory is None
    assert summary(net.float(), (5, 2)).memory == tuple(size // 2 for size in memory)
    words = nn.Sequential(nn.LookupTable(5, 2))
    assert summary(words, (3,)).memory == (80, 80, 48, 48 + 24)


def test_memory_of_what_zeros_cannot_train():
    class Picky(nn.Identity):
        def updateGradInput(self, input, gradOutput):
            raise ValueError("never zeros")

    state = random.getRNGState()
    net = nn.Sequential(nn.Dropout(0.5), Picky())
    made = summary(net, (3, 2))
    assert made.memory is None
    assert "holds" not in str(made)
    assert np.array_equal(random.getRNGState(), state)


def test_frozen_parameters_are_those_left_out():
    net = nn.Sequential(Still(2, 3), nn.Linear(3, 2), Still(3, 2))
    # Trained under another name, it is not frozen.
    net[2].weight, net[2].gradWeight = net[1].weight, net[1].gradWeight
    made = summary(net)
    assert [row.frozen for row in made.rows] == [0, 9, 0, 2]
    assert (made.total.parameters, made.total.frozen) == (8, 11)
    assert made.counts() == ["8 trainable parameters, 11 frozen"]
    assert str(made).split("\n")[3].split() == ["net[0]", "Still(2", "->", "3)", "0", "9", "frozen"]
