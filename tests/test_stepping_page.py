"""The page of a trace in a real browser: Debian's chromium and chromium-driver, and selenium.

Where one of them is missing the tests are skipped.
"""

import json
from importlib import resources

import numpy as np
import pytest
from browsing import MEASURE, Reader, complaints, selenium

import torchlite as nn
from torchlite.datasets import digits
from torchlite.stepping import record, summary, trace


@pytest.fixture
def show(browser, tmp_path):
    """Open the page of a trace; afterwards, nothing was complained of and nothing was asked for.

    What the browser's own pages ask for and complain of, under chrome:, does not count.
    """

    def open_page(steps):
        steps.to_html(tmp_path / "page.html")
        browser.get((tmp_path / "page.html").as_uri())
        return Page(browser)

    browser.get_log("performance")
    yield open_page
    assert complaints(browser) == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not event["params"]["documentURL"].startswith("chrome:")
    ]
    assert asked
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert len({url.partition("#")[0] for url in asked if url.startswith("file:")}) == 1


class Page(Reader):
    """What a reader of the page does and sees."""

    def until(self, holds):
        """Wait for what the browser does by and by: a new size, another address."""
        selenium("support.wait").WebDriverWait(self.browser, 120).until(lambda _: holds())

    @property
    def title(self):
        return self.one(".step:not([hidden]) h2").text

    def table(self, caption):
        name, _, role = caption.partition(", ")
        for table in self.all(".step:not([hidden]) table"):
            text = table.find_element("css selector", "caption").text
            if text.startswith(f"{name} ") and text.endswith(role):
                return table
        raise AssertionError(f"no table {caption}")

    def cell(self, caption, *index):
        place = ",".join(map(str, index))
        return self.table(caption).find_element("css selector", f'td[data-index="{place}"]')

    def marked(self, caption):
        cells = self.table(caption).find_elements("css selector", "td.source")
        return [cell.get_attribute("data-index") for cell in cells]

    @property
    def detail(self):
        return self.one("#detail").text.split("\n")


@pytest.fixture
def heat_map(browser, tmp_path):
    """Open a page that has a heat map alone."""

    def open_page(**options):
        parts = resources.files("torchlite.stepping")
        style, script = (
            parts.joinpath(f"arrays.{kind}").read_text("utf-8") for kind in ("css", "js")
        )
        (tmp_path / "map.html").write_text(
            f"<!DOCTYPE html><meta charset=utf-8><style>{style}</style><script>{script}"
            f"const chosen = [];"
            f"const map = arrays.heatMap({{choose: (place) => chosen.push(place),"
            f" ...{json.dumps(options)}}});"
            f"document.documentElement.append(map.element)</script>",
            "utf-8",
        )
        browser.get((tmp_path / "map.html").as_uri())
        return Page(browser)

    yield open_page
    assert complaints(browser) == []


# What is painted in the middle of an entry, so many tiles, lines and columns from the corner.
COLOUR = """
const [shape, tile, number, i, j] = arguments;
const { cell, width } = arrays.layout(shape, tile, 620);
const canvas = document.querySelector("canvas"), copy = canvas.cloneNode();
const context = copy.getContext("2d", { willReadFrequently: true });
context.drawImage(canvas, 0, 0);
const x = number * (width * cell + 4) + (j + 0.5) * cell, y = (i + 0.5) * cell;
return [[...context.getImageData(x, y, 1, 1).data].slice(0, 3), x, y];
"""


@pytest.mark.parametrize(
    ("scheme", "zero", "minus", "plus"),
    [
        ("light", [255, 255, 255], [33, 102, 172], [217, 120, 20]),
        ("dark", [23, 24, 26], [60, 130, 215], [205, 105, 20]),
    ],
)
def test_a_heat_map_is_blue_below_0_and_orange_above(heat_map, scheme, zero, minus, plus):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page = heat_map(name="w", shape=[2, 3], values=[0, 1, 2, -4, 4, float("nan")])
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        page.until(lambda: page.browser.execute_script(COLOUR, [2, 3], None, 0, 0, 0)[0] == zero)
        colours = [
            page.browser.execute_script(COLOUR, [2, 3], None, 0, i, j)[0]
            for i in range(2)
            for j in range(3)
        ]
        half = [round((a + b) / 2) for a, b in zip(zero, plus, strict=True)]
        assert (colours[0], colours[3], colours[4]) == (zero, minus, plus)
        assert colours[2] == pytest.approx(half, abs=1)
        # What is no number has a colour of its own, and is counted.
        assert colours[5] not in colours[:5]
        assert page.one(".legend").text.split() == ["-4", "4", "1", "not", "finite"]
        page.browser.execute_script("map.update([0, 0, 0, 0, 0, 0])")
        assert page.browser.execute_script(COLOUR, [2, 3], None, 0, 1, 0)[0] == zero
        assert page.one(".legend").text == "all 0"
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_heat_map_tells_its_numbers_by_pointer_and_by_keyboard(heat_map):
    # Two samples of two channels of 2 x 3: what stands where.
    shape = [2, 2, 2, 3]
    page = heat_map(name="x", shape=shape, values=list(range(24)))
    canvas = page.one("canvas")
    _, x, y = page.browser.execute_script(COLOUR, shape, None, 1, 1, 2)
    actions = selenium("common.action_chains").ActionChains(page.browser)
    size = canvas.size
    actions.move_to_element_with_offset(canvas, x - size["width"] / 2, y - size["height"] / 2)
    actions.perform()
    assert page.one(".readout").text == "x[0, 1, 1, 2]: 11"
    actions.click().perform()
    assert page.browser.execute_script("return chosen") == [11]
    told = []
    for key in ("ARROW_DOWN", "ARROW_LEFT", "ARROW_LEFT", "ARROW_LEFT", "ARROW_UP", "ARROW_UP"):
        page.press(key)
        told.append(page.one(".readout").text)
    # Into the channel on the left, and the sample above.
    assert told == [
        "x[1, 1, 0, 2]: 20",
        "x[1, 1, 0, 1]: 19",
        "x[1, 1, 0, 0]: 18",
        "x[1, 0, 0, 2]: 14",
        "x[0, 0, 1, 2]: 5",
        "x[0, 0, 0, 2]: 2",
    ]
    page.press("ARROW_UP")
    assert page.one(".readout").text == told[-1]
    page.press("ENTER")
    assert page.browser.execute_script("return chosen") == [11, 2]


def test_each_row_of_a_matrix_can_be_a_picture(heat_map):
    page = heat_map(name="x", shape=[2, 6], tile=[3, 2], values=list(range(12)))
    page.one("canvas").click()
    page.browser.execute_script("map.choose(0)")
    told = []
    for key in ("ARROW_DOWN", "ARROW_RIGHT", "ARROW_RIGHT"):
        page.press(key)
        told.append(page.one(".readout").text)
    assert told == ["x[0, 2]: 2", "x[0, 3]: 3", "x[1, 2]: 8"]


@pytest.fixture
def case():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    net[0].weight[:], net[0].bias[:] = [[1, 2], [-1, 1], [0.5, -1]], [0, 0.5, 1]
    net[2].weight[:], net[2].bias[:] = [[1, -1, 2], [0.5, 1, -1]], 0
    x = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25], [-1.0, 2.0]])
    return net, x, nn.MSECriterion(), np.ones((4, 2))


def test_to_the_end_and_back_by_keyboard(show, case):
    page = show(trace(*case))
    assert page.title == "Step 1: updateOutput of net[0], Linear(2 -> 3)"
    titles = [page.title]
    for _ in range(13):
        page.press("ARROW_RIGHT")
        titles.append(page.title)
    assert titles[-1] == "Step 14: accGradParameters of net, Sequential"
    assert len(set(titles)) == 14
    assert not page.one("#next").is_enabled()
    page.press("ARROW_RIGHT")
    for title in titles[::-1]:
        assert page.title == title
        page.press("ARROW_LEFT")
    page.press("END")
    assert page.title == titles[-1]
    page.press("HOME")
    assert page.title == titles[0]


def test_buttons_and_slider(show, case):
    page = show(trace(*case))
    page.one("#next").click()
    page.one("#next").click()
    page.one("#back").click()
    assert page.title.startswith("Step 2:")
    page.one("#last").click()
    assert page.one("#count").text == "step 14 of 14"
    page.one("#first").click()
    page.one("#slider").send_keys(page.keys.ARROW_RIGHT)
    assert page.title.startswith("Step 2:")
    assert "Step 2" in page.one("#slider").get_attribute("aria-valuetext")


def test_a_clicked_entry_shows_what_makes_it_up_and_its_numeric_derivative(show, case):
    steps = trace(*case)
    page = show(steps)
    page.press(*["ARROW_RIGHT"] * 12)
    assert page.title == "Step 13: accGradParameters of net[0], Linear(2 -> 3)"
    value = steps[12].after["gradWeight"].values[2, 1]
    cell = page.cell("gradWeight, increment", 2, 1)
    written, numeric = cell.text.split("\n")
    assert float(written) == pytest.approx(value, rel=1e-3)
    assert float(numeric.removeprefix("≈ ")) == pytest.approx(value, rel=1e-3)
    cell.click()
    assert page.marked("gradOutput") == ["0,2", "1,2", "2,2", "3,2"]
    assert page.marked("input") == ["0,1", "1,1", "2,1", "3,1"]
    entry, derivative, made, terms, chain, meaning = page.detail
    assert entry.startswith("gradWeight[2, 1], increment = ")
    shown = derivative.removeprefix("numeric derivative of the loss: ").partition(",")
    assert float(shown[0]) == pytest.approx(value, rel=1e-6)
    assert shown[2] == " which agrees"
    assert made == "made of column 2 of gradOutput and column 1 of input"
    assert terms.count("×") == 4
    assert terms.endswith(f" = {value:.4g}")
    assert chain == (
        "The chain rule: each gradOutput, which came from behind, times its local derivative, the "
        "input that meets it; then their sum."
    )
    fall = "falls" if value < 0 else "rises"
    assert meaning == (
        f"When weight[2, 1] grows by 0.01, the loss {fall} by about {abs(value) / 100:.4g}."
    )


def test_a_clicked_entry_shows_the_window_and_the_weights_that_make_it_up(show):
    net = nn.Sequential(nn.SpatialConvolution(2, 2, 2, 2), nn.SpatialMaxPooling(2, 2, 1, 1))
    net[0].weight[:] = np.arange(16).reshape(2, 2, 2, 2)
    net[0].bias[:] = [10, 20]
    x = np.arange(18.0).reshape(1, 2, 3, 3)
    target = np.ones((1, 2, 1, 1))
    page = show(trace(net, x, nn.MSECriterion(), target))
    page.cell("output", 0, 1, 0, 1).click()
    assert page.marked("input") == [
        f"0,{c},{y},{x}" for c in (0, 1) for y in (0, 1) for x in (1, 2)
    ]
    assert page.marked("weight") == [
        f"1,{c},{i},{j}" for c in (0, 1) for i in (0, 1) for j in (0, 1)
    ]
    assert page.marked("bias") == ["1"]
    _, made, terms = page.detail
    assert made == "made of input[0, :, 0:2, 1:3] and weight[1, :, :, :] and bias[1]"
    assert terms == (
        "1 × 8 + 2 × 9 + 4 × 10 + 5 × 11 + 10 × 12 + 11 × 13 + 13 × 14 + 14 × 15 + 20 = 796"
    )
    page.press("ARROW_RIGHT")
    page.one("#next").click()
    assert page.title.startswith("Step 2: updateOutput of net[1], SpatialMaxPooling")
    page.cell("output", 0, 1, 0, 0).click()
    assert page.marked("input") == ["0,1,0,0", "0,1,0,1", "0,1,1,0", "0,1,1,1"]
    assert page.detail[1:] == ["made of input[0, 1, :, :]"]


# What is said of output[0, 1], and of gradInput[0, 1], between what it is made of and the loss.
TOLD = {
    "Linear": (
        lambda: ones(nn.Linear(2, 2)),
        ["1 × 1 + 2 × 1 + 1 = 4"],
        [
            "0.25 × 1 + 0.5 × 1 = 0.75",
            "The chain rule: each gradOutput, which came from behind, times its local derivative, "
            "the weight that meets it; then their sum.",
        ],
    ),
    "Linear without bias": (
        lambda: ones(nn.Linear(2, 2, bias=False)),
        ["1 × 1 + 2 × 1 = 3"],
        [
            "0.25 × 1 + 0.5 × 1 = 0.75",
            "The chain rule: each gradOutput, which came from behind, times its local derivative, "
            "the weight that meets it; then their sum.",
        ],
    ),
    "ReLU": (
        nn.ReLU,
        ["max(2, 0) = 2"],
        [
            "0.5 × (2 > 0) = 0.5",
            "The chain rule: what came from behind, 0.5, times the local derivative, (2 > 0) = 1.",
        ],
    ),
    "Tanh": (
        nn.Tanh,
        ["tanh(2) = 0.964"],
        [
            "0.5 × (1 - 0.964 × 0.964) = 0.03533",
            "The chain rule: what came from behind, 0.5, times the local derivative, "
            "1 - 0.964 × 0.964 = 0.07065.",
        ],
    ),
    "LogSoftMax": (
        nn.LogSoftMax,
        [
            "0 - log(exp(-1) + exp(0)) = -0.3133",
            "where shifted[0, 1] = 2 - max(1, 2) = 0",
            "where shifted[0, 0] = 1 - max(1, 2) = -1",
        ],
        ["0.5 - exp(-0.3133) × (0.25 + 0.5) = -0.04829"],
    ),
    "Identity": (
        nn.Identity,
        [],
        ["The chain rule: the local derivative is 1, so what came from behind goes on."],
    ),
    "Threshold": (
        lambda: nn.Threshold(3, -5),
        ["(2 > 3 is not so: -5) = -5"],
        [
            "0.5 × (2 > 3) = 0",
            "The chain rule: what came from behind, 0.5, times the local derivative, (2 > 3) = 0.",
        ],
    ),
    "MulConstant": (
        lambda: nn.MulConstant(-3),
        ["2 × (-3) = -6"],
        [
            "0.5 × (-3) = -1.5",
            "The chain rule: what came from behind, 0.5, times the local derivative, -3.",
        ],
    ),
}


def ones(layer):
    for parameter in layer.parameters()[0]:
        parameter[:] = 1
    return layer


@pytest.mark.parametrize("name", TOLD)
def test_a_clicked_entry_shows_how_the_layer_comes_to_it(show, name):
    make, forward, backward = TOLD[name]
    layer, x = make(), np.array([[1.0, 2.0], [-3.0, 4.0]])
    with record(layer) as steps:
        layer.forward(x)
        layer.updateGradInput(x, np.array([[0.25, 0.5], [1.0, 2.0]]))
    page = show(steps)
    page.cell("output", 0, 1).click()
    assert page.detail[2:] == forward
    page.press("ENTER")
    assert page.detail[2:] == forward
    page.one("#next").click()
    page.cell("gradInput", 0, 1).click()
    assert page.detail[3:] == backward


def test_entries_of_tables_show_what_they_are_made_of(show):
    x = np.array([[1.0, -2.0]])
    product = nn.Sequential(nn.ConcatTable(nn.Identity(), nn.MulConstant(3)), nn.CMulTable())
    total = nn.Sequential(nn.ConcatTable(nn.Identity(), nn.MulConstant(3)), nn.CAddTable())
    page = show(trace(product, x, nn.MSECriterion(), x))
    reach(page, "updateOutput of net[1]")
    page.cell("output", 0, 1).click()
    assert page.detail[1:] == ["made of input[0][0, 1] and input[1][0, 1]", "-2 × (-6) = 12"]
    assert page.marked("input[1]") == ["0,1"]
    reach(page, "updateGradInput of net[1]")
    page.cell("gradInput[1]", 0, 1).click()
    assert page.detail[2:] == [
        "made of gradOutput[0, 1] and input[0][0, 1]",
        "14 × (-2) = -28",
        "The chain rule: what came from behind, 14, times the local derivative, -2.",
        "When input[1][0, 1] grows by 0.01, the loss falls by about 0.28.",
    ]
    page = show(trace(total, x, nn.MSECriterion(), x))
    reach(page, "updateOutput of net[1]")
    page.cell("output", 0, 1).click()
    assert page.detail[1:] == ["made of input[0][0, 1] and input[1][0, 1]", "-2 + (-6) = -8"]
    reach(page, "updateGradInput of net[1]")
    page.cell("gradInput[0]", 0, 1).click()
    assert page.detail[2:] == [
        "made of gradOutput[0, 1]",
        "The chain rule: the local derivative is 1, so what came from behind goes on.",
        "When input[0][0, 1] grows by 0.01 for this module alone, the loss falls by about 0.06.",
    ]


def test_the_loss_is_told_as_a_formula_with_its_numbers(show):
    x = np.array([[1.0, 2.0], [-3.0, 4.0]])
    page = show(trace(nn.Identity(), x, nn.MSECriterion(), np.ones((2, 2))))
    reach(page, "updateOutput of criterion")
    step = page.one(".step:not([hidden])")
    assert step.find_element("css selector", "pre").text.split("\n") == [
        "output = ((input (2, 2) - target (2, 2)) ** 2).sum() / n",
        "where n = input.size = 4",
    ]
    assert step.find_element("css selector", ".terms").text == (
        "((1 - 1) ** 2 + (2 - 1) ** 2 + (-3 - 1) ** 2 + (4 - 1) ** 2) / 4 = 6.5"
    )
    reach(page, "updateGradInput of criterion")
    page.cell("gradInput", 1, 0).click()
    assert page.detail[2:] == [
        "made of input[1, 0] and target[1, 0]",
        "2 / 4 × (-3 - 1) = -2",
        "When input[1, 0] grows by 0.01, the loss falls by about 0.02.",
    ]
    purpose = page.one(".step:not([hidden]) .purpose").text
    assert purpose.endswith("When input[1, 0] grows by 0.01, the loss falls by about 0.02.")


def test_the_right_class_is_told_from_others(show):
    log = np.log([[0.5, 0.5], [0.25, 0.75]])
    page = show(trace(nn.Identity(), log, nn.ClassNLLCriterion(), np.array([1, 0])))
    reach(page, "updateOutput of criterion")
    assert [line.text for line in page.all(".step:not([hidden]) .terms")] == [
        "-(1 × (-0.6931) + 1 × (-1.386)) / 2 = 1.04",
        "where total_weight = 1 + 1 = 2",
    ]
    reach(page, "updateGradInput of criterion")
    page.cell("gradInput", 0, 1).click()
    assert page.detail[3] == "-1 / 2 = -0.5"
    page.cell("gradInput", 0, 0).click()
    assert page.detail[-1] == "When input[0, 0] grows by 0.01, the loss stays as it is."


def test_what_a_gradient_says_takes_the_scale_out_and_owns_up_to_what_is_wrong(show, case):
    class Wrong(nn.Linear):
        def accGradParameters(self, input, gradOutput, scale=1):
            super().accGradParameters(input, 2 * gradOutput, scale)

    x, y = np.array([[1.0]]), np.array([[0.0]])
    criterion = nn.MSECriterion()
    for kind, slope, said in (
        (nn.Linear, 4, "When bias[0] grows by 0.01, the loss rises by about 0.04."),
        (
            Wrong,
            8,
            "By this gradient, which the numeric derivative contradicts, when bias[0] grows by "
            "0.01, the loss rises by about 0.08.",
        ),
    ):
        net = ones(kind(1, 1))
        with record(net, criterion) as steps:
            output = net.forward(x)
            net.backward(x, criterion.backward(output, y), 3)
        page = show(steps)
        reach(page, "accGradParameters of net")
        page.cell("gradBias, increment", 0).click()
        assert page.detail[0] == f"gradBias[0], increment = {3 * slope}"
        assert page.detail[-1] == said
        assert "the scale, 3, is a factor of it, and of the numeric derivative" in page.detail


def test_of_a_kink_and_of_one_use_of_several_no_more_is_said_than_is_so(show):
    x = np.array([[0.0, 1.0]])
    page = show(trace(nn.Sequential(nn.ReLU()), x, nn.MSECriterion(), np.ones((1, 2))))
    reach(page, "updateGradInput of net[0]")
    page.cell("gradInput", 0, 0).click()
    assert page.detail[-1] == (
        "Where input[0, 0] is now the loss has a kink: it changes by one slope when input[0, 0] "
        "grows, by another when it shrinks, and no one number is both."
    )
    shared = ones(nn.Linear(1, 1))
    net = nn.Sequential(shared, nn.Identity(), shared)
    page = show(trace(net, np.array([[1.0]]), nn.MSECriterion(), np.array([[0.0]])))
    reach(page, "accGradParameters of net[2]")
    page.cell("gradBias, increment", 0).click()
    assert page.detail[-1].startswith(
        "When bias[0] grows by 0.01 in this one of its 2 uses alone, the loss rises by about "
    )


def test_of_one_branch_of_several_it_is_said_that_it_is_one(show, table):
    page = show(trace(*table))
    for position, alone in (("net[0][0]", " for this module alone"), ("net[0]", "")):
        reach(page, f"updateGradInput of {position}")
        page.cell("gradInput", 0, 0).click()
        assert page.detail[-1].startswith(f"When input[0, 0] grows by 0.01{alone}, the loss ")
        purpose = page.one(".step:not([hidden]) .purpose").text
        assert f" grows by 0.01{alone}, the loss " in purpose


def test_without_a_loss_a_gradient_says_nothing_of_it(show):
    layer = nn.Identity()
    with record(layer) as steps:
        layer.forward(np.ones((1, 2)))
        layer.updateGradInput(np.ones((1, 2)), np.ones((1, 2)))
    page = show(steps)
    page.press("END")
    page.cell("gradInput", 0, 0).click()
    assert not [line for line in page.detail if "the loss" in line.partition(":")[2]]
    assert "0.01" not in page.one(".step:not([hidden]) .purpose").text


def test_what_stands_in_a_table_is_called_what_it_is(show):
    net = nn.Sequential(nn.Tanh(), nn.BatchNormalization(2))
    page = show(trace(net, np.eye(2), nn.MSECriterion(), np.eye(2)))
    reach(page, "updateGradInput of net[0]")
    captions = [caption.text for caption in page.all(".step:not([hidden]) caption")]
    assert captions == [
        "input (2, 2) argument",
        "gradOutput (2, 2) argument",
        "output (2, 2) of its forward",
        "gradInput (2, 2) result",
    ]
    reach(page, "updateGradInput of net[1]")
    captions = [caption.text for caption in page.all(".step:not([hidden]) caption")]
    assert "weight (2,) parameter" in captions
    assert "save_std (2,) held by the layer" in captions


def test_a_layer_without_maths_says_how_to_get_them(show):
    class Mine(nn.Identity):
        """Nothing more."""

        def updateOutput(self, input):
            self.output = 2 * input
            return self.output

    page = show(trace(nn.Sequential(Mine()), np.ones((1, 2))))
    assert page.one(".step:not([hidden]) .note").text.startswith(
        "No section Maths in the docstring of Mine gives this result. Write one"
    )


def test_a_table_by_keyboard(show, case):
    page = show(trace(*case))
    page.cell("output", 0, 0).click()
    page.press("ARROW_DOWN", "ARROW_RIGHT", "ARROW_RIGHT", "ARROW_RIGHT", "ENTER")
    assert page.title.startswith("Step 1:")
    assert page.detail[0].startswith("output[1, 2] = ")
    assert page.marked("input") == ["1,0", "1,1"]
    assert page.marked("weight") == ["2,0", "2,1"]
    assert page.marked("bias") == ["2"]
    said = page.cell("output", 1, 2).get_attribute("aria-label")
    assert said == "output[1, 2]: 3.5"
    page.press("ESCAPE", "ARROW_RIGHT")
    assert page.title.startswith("Step 2:")


def test_a_column_by_keyboard(show, case):
    net, x, criterion, _ = case
    net = nn.Sequential(net, nn.Linear(2, 1))
    page = show(trace(net, x, criterion, np.ones((4, 1))))
    reach(page, "updateOutput of net[1]")
    page.cell("output", 0, 0).click()
    page.press("ARROW_DOWN", "ARROW_DOWN", "ARROW_UP", "ARROW_DOWN", "ARROW_RIGHT", "ENTER")
    assert page.detail[0].startswith("output[2, 0] = ")


def test_a_box_leads_to_the_steps_of_its_module(show, case):
    page = show(trace(*case))
    for title in (
        "Step 2: updateOutput of net[1], ReLU",
        "Step 8: updateGradInput of net[1], ReLU",
        "Step 12: accGradParameters of net[1], ReLU",
        "Step 2: updateOutput of net[1], ReLU",
    ):
        page.all(".box .name")[2].click()
        assert page.title == title
    page.press("ENTER")
    assert page.title == "Step 8: updateGradInput of net[1], ReLU"
    page.all(".box .name")[-1].click()
    assert page.title == "Step 5: updateOutput of criterion, MSECriterion"


def test_a_container_leads_to_the_steps_that_it_is_made_of(show, case):
    page = show(trace(*case))
    page.press("END")
    assert page.all(".step:not([hidden]) p")[0].text == "Made of steps 11 to 13."
    first, last = page.all(".step:not([hidden]) a")
    last.click()
    assert page.title.startswith("Step 13:")
    page.press("END")
    page.browser.execute_script("arguments[0].focus()", first)
    page.press("ENTER")
    assert page.title.startswith("Step 11:")


def test_a_step_has_an_address(show, case):
    page = show(trace(*case))
    browser = page.browser
    for wrong in ("#step=999", "#step=0", "#step=abc"):
        browser.execute_script("location.hash = arguments[0]", wrong)
        page.until(lambda: browser.current_url.endswith("page.html#step=1"))
    page = show(trace(*case))
    assert "#" not in browser.current_url
    page.press("ARROW_RIGHT", "ARROW_RIGHT")
    assert browser.current_url.endswith("page.html#step=3")
    browser.back()
    page.until(lambda: page.title.startswith("Step 2:"))
    browser.back()
    page.until(lambda: page.title.startswith("Step 1:"))
    browser.forward()
    page.until(lambda: page.title.startswith("Step 2:"))
    browser.execute_script("location.hash = 'step=8'")
    page.until(lambda: page.title.startswith("Step 8:"))
    browser.refresh()
    assert page.title.startswith("Step 8:")
    browser.execute_script("location.hash = 'step=99'")
    page.press("ARROW_RIGHT")
    assert page.title.startswith("Step 9:")


@pytest.mark.parametrize("by_keyboard", [False, True])
def test_what_repeats_can_be_skipped(show, case, by_keyboard):
    page = show(trace(*case))
    skip = page.one("#skip")
    if by_keyboard:
        page.browser.execute_script("arguments[0].focus()", skip)
        page.press("SPACE")
    else:
        skip.click()
    met = [page.title.split(",")[0]]
    while page.one("#next").is_enabled():
        if by_keyboard:
            page.press("ARROW_RIGHT")
        else:
            page.one("#next").click()
        met.append(page.title.split(",")[0])
    # Neither net's own steps, nor the one with nothing to add.
    assert met == [
        "Step 1: updateOutput of net[0]",
        "Step 2: updateOutput of net[1]",
        "Step 3: updateOutput of net[2]",
        "Step 5: updateOutput of criterion",
        "Step 6: updateGradInput of criterion",
        "Step 7: updateGradInput of net[2]",
        "Step 8: updateGradInput of net[1]",
        "Step 9: updateGradInput of net[0]",
        "Step 11: accGradParameters of net[2]",
        "Step 13: accGradParameters of net[0]",
    ]
    assert page.one("#slider").get_attribute("max") == "10"
    assert page.one("#count").text == "step 13 of 14"
    skip.click()
    page.one("#next").click()
    assert page.title.startswith("Step 14:")


@pytest.fixture
def images():
    """A network that sees four of the digits."""
    nn.manualSeed(0)
    net = nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10))
    return net, digits()[0][:4], nn.MSECriterion(), np.zeros((4, 10))


def read(page):
    return [text.text for text in page.all(".step:not([hidden]) .readout")]


def test_large_arrays_are_pictures_with_their_numbers_by_keyboard(show, images):
    x = images[1]
    page = show(trace(*images))
    captions = page.all(".step:not([hidden]) .caption")
    assert [caption.text for caption in captions] == [
        "input (4, 64) argument",
        "weight (8, 64) parameter",
    ]
    page.browser.execute_script("document.querySelector('.step canvas').focus()")
    assert read(page) == ["input[0, 0]: 0", ""]
    # The fourth line of the picture of the first digit is entries 24 to 31; the second one is right
    # of it.
    page.press(*["ARROW_DOWN"] * 3, "ARROW_RIGHT")
    assert read(page)[0] == f"input[0, 25]: {x[0, 25]:.7g}"
    page.press(*["ARROW_RIGHT"] * 7)
    assert read(page)[0] == f"input[1, 24]: {x[1, 24]:.7g}"
    # As rows of 64 they are as they lie in memory.
    page.all(".tile input")[0].click()
    page.browser.execute_script("document.querySelector('.step canvas').focus()")
    page.press(*["ARROW_RIGHT"] * 25, "ARROW_DOWN")
    assert read(page)[0] == f"input[1, 25]: {x[1, 25]:.7g}"
    page.press("ENTER")
    assert page.detail[0] == f"input[1, 25] = {x[1, 25]:.7g}"
    page.press("ESCAPE", "ARROW_RIGHT")
    assert page.title.startswith("Step 2:")


def test_large_arrays_are_pictures_with_their_numbers_under_the_pointer(show, images, sized):
    net = images[0]
    page = show(trace(*images))
    sized(1000, 1200)
    actions = selenium("common.action_chains").ActionChains(page.browser)
    canvas = page.all(".step:not([hidden]) canvas")[1]
    actions.move_to_element_with_offset(canvas, -30, -10).perform()
    _, told = read(page)
    name, _, number = told.partition(": ")
    place = tuple(map(int, name.removeprefix("weight[").removesuffix("]").split(", ")))
    assert float(number) == pytest.approx(net[0].weight[place], rel=1e-6)
    # What an entry of a table is made of is framed in pictures.
    cell = page.cell("output", 1, 3)
    page.browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", cell)
    cell.click()
    framed = page.browser.execute_script(FRAMED)
    assert page.detail[1] == "made of row 1 of input and row 3 of weight and bias[3]"
    assert framed == [True, True]
    page.press("ESCAPE", "ARROW_RIGHT", "ARROW_LEFT")
    assert page.browser.execute_script(FRAMED) == [False, False]


# Which pictures of the step have something in the colour of marks.
FRAMED = """
return [...document.querySelectorAll(".step:not([hidden]) canvas")].map((canvas) => {
  const copy = canvas.cloneNode();
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === 176 && data[i + 1] === 0 && data[i + 2] === 94) return true;
  }
  return false;
});
"""


@pytest.fixture
def sized(browser):
    """Give the page so many pixels."""

    def size(width, height):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    yield size
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_phone_names_are_read_in_lines_and_the_controls_stay_at_hand(show, sized):
    net = nn.Linear(3, 3)
    for _ in range(5):
        net = nn.Sequential(net, nn.Tanh())
    page = show(trace(net, np.ones((4, 3)), nn.MSECriterion(), np.ones((4, 3))))
    sized(390, 844)
    page.press("END")
    names = page.all(".box .name")
    assert len(names) == 12
    # Of a line or two, and what is inside is no wider than the page.
    assert max(name.size["height"] for name in names) < 45
    assert page.browser.execute_script(MEASURE)[0] <= 0
    page.browser.execute_script("scrollTo(0, document.documentElement.scrollHeight)")
    for control in ("first", "back", "next", "last", "slider", "count", "skip"):
        assert page.browser.execute_script(IN_VIEW, page.one(f"#{control}")), control
    page.one("#back").click()
    assert page.title.startswith("Step 34:")


# Whether a reader sees all of an element, and it is the topmost there.
IN_VIEW = """
const { left, right, top, bottom } = arguments[0].getBoundingClientRect();
const topmost = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight
  && (arguments[0].contains(topmost) || topmost.contains(arguments[0]));
"""


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1000, 800), (1600, 900)])
def test_what_is_said_of_a_chosen_entry_is_in_view_and_so_is_the_entry(
    show, case, sized, width, height
):
    page = show(trace(*case))
    sized(width, height)
    for title, table in (
        ("updateGradInput of net[1]", "gradInput"),
        ("accGradParameters of net[0]", "gradWeight, increment"),
    ):
        reach(page, title)
        for index in ((0, 0), (2, 1)):
            cell = page.cell(table, *index)
            page.browser.execute_script("arguments[0].focus()", cell)
            page.press("ENTER")
            assert page.detail[0].startswith(f"{table.split(',')[0]}[{index[0]}, {index[1]}]")
            assert page.browser.execute_script(IN_VIEW, page.one("#detail"))
            assert page.browser.execute_script(IN_VIEW, cell)


def test_shapes_on_the_arrows(show, case):
    page = show(trace(*case))
    assert [arrow.text for arrow in page.all(".arrow .ahead")][:3] == ["(4, 2) →", "(4, 3) →", "→"]
    page.press("END")
    backward = [arrow.text for arrow in page.all(".arrow .back") if arrow.text.strip()]
    assert backward == ["← (4, 2)", "← (4, 3)", "← (4, 3)", "← (4, 2)", "← (4, 2)"]
    assert page.one('[aria-current="step"] > .name b').text == "net"


def arrows(page):
    """What stands at the arrows of backward, from left to right."""
    return [arrow.text.removeprefix("← ") for arrow in page.all(".arrow .back")]


def reach(page, title):
    page.press("HOME")
    while f": {title}, " not in page.title:
        before = page.title
        page.press("ARROW_RIGHT")
        assert page.title != before


def test_the_result_of_a_backward_stands_at_the_arrow_at_once(show, case):
    page = show(trace(*case))
    reach(page, "updateGradInput of criterion")
    # Left of net[0], net[1], net[2], at the end of net, left and right of the criterion.
    assert arrows(page) == ["", "", "", "(4, 2)", "(4, 2)", ""]
    reach(page, "updateGradInput of net[2]")
    assert arrows(page) == ["", "", "(4, 3)", "(4, 2)", "(4, 2)", ""]
    reach(page, "updateGradInput of net[1]")
    assert arrows(page) == ["", "(4, 3)", "(4, 3)", "(4, 2)", "(4, 2)", ""]
    reach(page, "updateGradInput of net[0]")
    assert arrows(page) == ["(4, 2)", "(4, 3)", "(4, 3)", "(4, 2)", "(4, 2)", ""]


def test_the_result_of_a_backward_stands_at_the_arrows_around_nested_modules(show):
    inner = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.Tanh()))
    branches = nn.ConcatTable(nn.Tanh(), nn.ReLU())
    net = nn.Sequential(nn.Linear(2, 3), inner, branches, nn.CAddTable())
    page = show(trace(net, np.ones((5, 2)), nn.MSECriterion(), np.ones((5, 4))))
    reach(page, "updateGradInput of net[2][0]")
    # Left of net[0], net[1], net[1][0] and the Linear in it; between it and Tanh; behind Tanh,
    # net[1][0] and net[1]; left and right of both branches; behind these, and the rest.
    behind = ["[(5, 4), (5, 4)]", "(5, 4)", "(5, 4)", ""]
    assert arrows(page) == [*[""] * 8, "(5, 4)", "(5, 4)", "", "", *behind]
    reach(page, "updateGradInput of net[2]")
    assert arrows(page) == [*[""] * 5, *["(5, 4)"] * 7, *behind]
    reach(page, "updateGradInput of net[1][0][1]")
    assert arrows(page) == [*[""] * 4, *["(5, 4)"] * 8, *behind]
    reach(page, "updateGradInput of net[1][0][0]")
    assert arrows(page) == ["", *["(5, 3)"] * 3, *["(5, 4)"] * 8, *behind]


def test_accumulation_is_visible(show, case):
    net, x, criterion, y = case
    trace(*case)
    with record(net, criterion) as steps:
        output = net.forward(x)
        net.backward(x, criterion.backward(output, y), 2)
    page = show(steps)
    for step in steps:
        if (step.position, step.method) == ("net[2]", "accGradParameters"):
            before, increment, after = (
                float(page.cell(f"gradBias, {role}", 0).text.split("\n")[0])
                for role in ("before", "increment", "after")
            )
            assert before + increment == pytest.approx(after, rel=1e-3)
            assert increment == pytest.approx(2 * before, rel=1e-3)
            return
        page.press("ARROW_RIGHT")
    raise AssertionError


def test_without_criterion_the_page_says_so(show, case):
    net, x, *_ = case
    page = show(trace(net, x))
    assert "There are no numeric derivatives" in page.one("#note").text


def test_names_from_the_program_are_text(show, case):
    class Evil(nn.Identity):
        """No harm."""

        def __repr__(self):
            return '</script><img src="http://nowhere.invalid/" onerror="alert(1)">'

    page = show(trace(nn.Sequential(Evil()), np.ones((1, 2))))
    assert "<img" in page.title
    assert not page.all("img")


def test_on_paper_every_step_is_there(show, case):
    page = show(trace(*case))
    page.browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        titles = [title.text for title in page.all(".step h2")]
        assert [title.split(":")[0] for title in titles] == [f"Step {i}" for i in range(1, 15)]
        assert all(title.is_displayed() for title in page.all(".step h2"))
        assert not page.one(".controls").is_displayed()
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_what_the_browser_asks_for_itself_does_not_count(show, case):
    browser = show(trace(*case)).browser
    page = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get("chrome://version")
    browser.close()
    browser.switch_to.window(page)


@pytest.fixture
def table():
    branches = nn.ConcatTable(nn.Linear(2, 2), nn.Sequential(nn.Tanh(), nn.Linear(2, 2)))
    net = nn.Sequential(branches, nn.CAddTable(), nn.LogSoftMax())
    return net, np.eye(2), nn.ClassNLLCriterion(), np.array([0, 1])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000, 1600])
@pytest.mark.parametrize("which", ["case", "images", "table"])
def test_nothing_is_clipped_and_everything_can_be_read(show, sized, request, which, scheme, width):
    """Text has a contrast of at least 4.5 to what is behind it, and boxes stay on the page."""
    steps = trace(*request.getfixturevalue(which))
    page = show(steps)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    sized(width, 1000)
    try:
        for _ in steps:
            page.browser.execute_script(
                "const all = document.querySelectorAll('.step:not([hidden]) td[data-index]');"
                "if (all.length) all[all.length - 1].click()"
            )
            wide, contrast = page.browser.execute_script(MEASURE)
            assert wide <= 0
            assert contrast >= 4.5
            page.press("ARROW_RIGHT")
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_an_entry_of_means_of_means_takes_each_number_a_few_times(show):
    x = np.random.default_rng(0).standard_normal((300, 3))
    page = show(trace(nn.BatchNormalization(3), x, nn.MSECriterion(), x**3))
    page.press("END", "ARROW_LEFT")
    assert page.title.startswith("Step 4: updateGradInput of net, BatchNormalization")
    taken, lines = page.browser.execute_script(
        "const step = steps[current], array = step.arrays.find((one) => one.name === 'gradInput');"
        "let taken = 0;"
        "const counted = (one) => valuesOf(one) && new Proxy(valuesOf(one), {"
        "  get: (values, key) => { taken += /^\\d+$/.test(key); return values[key]; } });"
        "explain.entry(step, 'gradInput', indexOf(array.shape, 1), counted);"
        "choose(step, array, 1);"
        "return [taken, document.querySelectorAll('#detail .terms').length]"
    )
    assert lines == 5
    # Means of rows of means of rows would take 300 * 300.
    assert x.size < taken < 10 * x.size


@pytest.fixture
def graph():
    x = nn.Identity()()
    h = nn.Tanh()(nn.Linear(2, 2)(x))
    first, second = nn.ConcatTable(nn.ReLU(), nn.Identity())(h).split(2)
    return nn.gModule([x], [nn.CAddTable()([x, first, second])])


@pytest.mark.parametrize("width", [390, 1000, 1600])
def test_a_graph_leads_from_left_to_right_and_follows_the_steps(show, graph, width):
    x = np.array([[1.0, 2.0], [3.0, -1.0]])
    page = show(trace(nn.Sequential(graph, nn.Tanh()), x, nn.MSECriterion(), x))
    page.browser.set_window_size(width, 1000)
    try:
        left = [page.browser.execute_script(LEFT, i) for i in range(len(graph))]
        assert left == sorted(left)
        # input and output lead to or from modules, and [0] goes to [4] on a way of its own.
        assert len(page.all(".edges path:not(.head)")) == len(graph.edges) == 8
        labels = page.browser.execute_script(
            "return [...document.querySelectorAll('.edges text')].map((text) => text.textContent)"
        )
        assert labels == ["[0]", "[1]"]
        # Both lead from [3] to [4], one below the other.
        first, second = (element.rect for element in page.all(".edges text"))
        assert first["y"] + first["height"] <= second["y"] + 1
        for _ in range(20):
            wide, contrast = page.browser.execute_script(MEASURE)
            assert wide <= 0
            assert contrast >= 4.5
            page.press("ARROW_RIGHT")
            assert page.browser.execute_script(SEEN)
    finally:
        page.browser.set_window_size(1000, 1000)


# Where the box of a module of net[0] begins.
LEFT = """
const box = [...document.querySelectorAll(".graph .box")].find(
  (box) => box.querySelector("b").textContent === `net[0][${arguments[0]}]`);
return box.getBoundingClientRect().left;
"""
# Whether the middle of the box whose step this is can be seen.
SEEN = """
const box = document.querySelector(".graph .active");
if (!box) return true;
const outer = document.querySelector(".graph").getBoundingClientRect();
const { left, right } = box.getBoundingClientRect();
return outer.left <= (left + right) / 2 && (left + right) / 2 <= outer.right;
"""


def test_in_a_notebook_the_page_runs_in_a_frame(browser, case, tmp_path):
    file = tmp_path / "notebook.html"
    steps = trace(*case)
    file.write_text(f"<!DOCTYPE html><meta charset=utf-8>{steps._repr_html_()}", "utf-8")
    browser.get(file.as_uri())
    browser.switch_to.frame(browser.find_element("css selector", "iframe"))
    page = Page(browser)
    page.one("#next").click()
    assert page.title.startswith("Step 2:")
    browser.switch_to.default_content()
    browser.get_log("browser")


def test_time_is_drawn(show):
    net = nn.Sequential(nn.Sequencer(nn.Sequential(nn.RecGRU(2, 1), nn.Mul())), nn.Identity())
    x = np.arange(12.0).reshape(3, 2, 2) / 4
    page = show(trace(net, x, nn.MSECriterion(), np.ones((3, 2, 1))))
    assert page.title == "Step 1: updateOutput of net[0][0][0][0] at time 0, RecGRU(2 -> 1)"
    assert len(page.all(".times")) == 1

    def cells():
        return [(cell.text, cell.get_attribute("class")) for cell in page.all(".times li")]

    assert cells() == [("0", "now"), ("1", ""), ("2", "")]
    for _ in range(5):
        page.press("ARROW_RIGHT")
    assert cells() == [("0", "ahead"), ("1", "now"), ("2", "")]
    while "updateGradInput of net[0][0] at time 2" not in page.title:
        page.press("ARROW_RIGHT")
    assert cells() == [("0", "ahead"), ("1", "ahead"), ("2", "back now")]
    page.press("END")
    assert cells() == [("0", "back"), ("1", "back"), ("2", "back")]


def test_the_window_and_the_kernel_of_an_entry_of_a_large_picture(show):
    net = nn.Sequential(nn.SpatialConvolution(1, 2, 3, 3))
    net[0].weight[:] = np.arange(18).reshape(2, 1, 3, 3)
    net[0].bias[:] = [10, 20]
    x = np.arange(256.0).reshape(1, 1, 16, 16)
    page = show(trace(net, x))
    canvas = page.all(".step:not([hidden]) canvas")[-1]
    page.browser.execute_script("arguments[0].focus()", canvas)
    page.press(*["ARROW_DOWN"] * 3, *["ARROW_RIGHT"] * 16, "ENTER")
    value = (x[0, 0, 3:6, 2:5] * net[0].weight[1, 0]).sum() + 20
    entry, made, terms = page.detail
    assert entry == f"output[0, 1, 3, 2] = {value:.0f}"
    assert made == "made of input[0, 0, 3:6, 2:5] and weight[1, 0, :, :] and bias[1]"
    assert terms.startswith("50 × 9 + 51 × 10 + 52 × 11 + 66 × 12 + ")
    assert terms.endswith(f" + 20 = {value:.0f}")
    assert page.marked("weight") == [f"1,0,{i},{j}" for i in range(3) for j in range(3)]
    assert page.marked("bias") == ["1"]


def test_a_sequence_in_one_call_is_unrolled_into_columns(show):
    net = nn.Sequential(nn.SeqLSTM(2, 1))
    x = np.arange(12.0).reshape(3, 2, 2) / 4
    page = show(trace(net, x, nn.MSECriterion(), np.ones((3, 2, 1))))

    def classes():
        return [cell.get_attribute("class") for cell in page.all(".times li")]

    def columns():
        panels = page.all(".step:not([hidden]) .array")
        return {
            panel.text.split(" ")[0]: len(panel.find_elements("css selector", ".unrolled > table"))
            for panel in panels
        }

    assert [cell.text for cell in page.all(".times li")] == ["0", "1", "2"]
    assert classes() == ["ahead now"] * 3
    # What has a dimension of time is unrolled, the weight is not, though it has three rows.
    assert net[0].weight.shape == (3, 4)
    assert columns() == {"input": 3, "weight": 0, "bias": 0, "gates": 3, "output": 3}
    arrows = "return getComputedStyle(document.querySelector('.times li'), '::after').content"
    assert page.browser.execute_script(arrows) == '"→"'
    cell = page.all('.step:not([hidden]) td[data-index="1,0,0"]')[0]
    cell.click()
    assert page.detail[0] == "input[1, 0, 0] = 1"
    cell.send_keys(page.keys.ARROW_DOWN, page.keys.ARROW_DOWN)
    focused = page.browser.switch_to.active_element
    assert focused.get_attribute("aria-label") == "input[2, 0, 0]: 2"
    page.press("ESCAPE")
    while not page.title.split(": ")[1].startswith("updateGradInput of net[0]"):
        assert classes()[0].startswith("ahead")
        page.press("ARROW_RIGHT")
    assert classes() == ["back now"] * 3
    unrolled = {"input": 3, "gradOutput": 3, "gradInput": 3}
    assert columns() == {**unrolled, "weight": 0, "bias": 0}
    assert page.browser.execute_script(arrows) == '"⇄"'
    page.press("END")
    assert classes() == ["back"] * 3


@pytest.mark.parametrize(
    "colours", ["background: #fff; color: #000", "background: #111; color: #eee"]
)
def test_a_module_in_a_notebook_folds_by_keyboard_and_can_be_read(browser, tmp_path, colours):
    net = nn.Sequential(nn.SpatialConvolution(3, 8, 5, 5), *(nn.Linear(9, 9) for _ in range(20)))
    steps = trace(nn.Sequential(nn.Linear(9, 9)), np.ones((2, 9)))
    shown = net._repr_html_() + summary(net)._repr_html_() + steps[0]._repr_html_()
    page = f"<!DOCTYPE html><meta charset=utf-8><body style='{colours}'>{shown}"
    (tmp_path / "notebook.html").write_text(page, "utf-8")
    browser.set_window_size(500, 1000)
    try:
        browser.get((tmp_path / "notebook.html").as_uri())
        first = browser.find_elements("css selector", "details details")[0]
        image = first.find_element("css selector", "img")
        assert not image.is_displayed()
        first.find_element("css selector", "summary").send_keys(selenium("common.keys").Keys.ENTER)
        assert image.is_displayed()
        assert image.get_attribute("naturalWidth") == "64"
        wide, contrast = browser.execute_script(MEASURE)
        assert wide <= 0
        assert contrast >= 4.5
        assert not [
            entry for entry in browser.get_log("browser") if "chrome:" not in entry["message"]
        ]
    finally:
        browser.set_window_size(1000, 1000)
