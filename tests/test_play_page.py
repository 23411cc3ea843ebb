"""The page that trains, in a real browser, by pointer and by keyboard."""

import json
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
from browsing import MEASURE, Reader, complaints, selenium

import torchlite as nn
from torchlite.play import PROBLEMS, Problem, Trainer
from torchlite.play.server import Server

SPIRALS, XOR, DIGITS = (PROBLEMS[name] for name in ("spirals", "xor", "digits"))


@contextmanager
def served(*problems):
    """Serve the page of a trainer; it is the server's trainer that is looked at."""
    with Trainer([*problems]) as trainer, Server(trainer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def show(browser):
    """Open the page of problems; afterwards nothing was complained of, and nobody else asked."""
    with _shown(browser) as show:
        yield show


@contextmanager
def _shown(browser):
    opened = []

    def show(*problems):
        context = served(*problems)
        server = context.__enter__()
        opened.append((context, server))
        browser.get(server.address)
        page = Page(browser, server)
        page.until(page.is_drawn)
        return page

    browser.get_log("performance")
    complaints(browser)
    try:
        yield show
        assert complaints(browser) == []
        events = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
        asked = {
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
            and not event["params"]["documentURL"].startswith("chrome:")
        }
        assert asked
        own = tuple(server.address for _, server in opened)
        assert [url for url in asked if not url.startswith((*own, "data:"))] == []
    finally:
        browser.get("about:blank")
        for context, _ in opened:
            context.__exit__(None, None, None)


class Page(Reader):
    """What one who looks at the page does and sees."""

    def __init__(self, browser, server):
        super().__init__(browser)
        self.server = server

    def part(self, name):
        return self.one(f"[data-part={name}]")

    def click(self, name):
        self.one(f"[data-do={name}]").click()

    def run(self, script, *given):
        return self.browser.execute_script(script, *given)

    @property
    def step(self):
        return int(self.part("step").text.replace(",", ""))

    def is_drawn(self):
        """Whether layers are drawn: which of them can be seen the browser says last of all."""
        return self.all(".layer .fold[aria-expanded]")

    @property
    def focused(self):
        return self.run(
            "const e = document.activeElement;"
            "return e.dataset.do || e.dataset.set || e.dataset.part || e.className || e.localName"
        )

    def until(self, holds):
        end = time.monotonic() + 120
        while not (held := holds()):
            assert time.monotonic() < end, self.one("body").text[:500]
            time.sleep(0.02)
        return held


def test_it_trains_pauses_steps_and_goes_back(show):
    page = show(SPIRALS)
    assert page.step == 0
    picture = "return document.querySelector('.plane canvas').toDataURL()"
    first = page.run(picture)
    page.click("train")
    page.until(lambda: page.step > 20)
    assert page.one("[data-do=train]").text == "❚❚ Pause"
    page.click("train")
    page.until(lambda: page.one("[data-do=train]").text == "▶ Train")
    step = page.step
    assert page.run(picture) != first
    page.click("step")
    page.until(lambda: page.step == step + 1)
    page.click("reset")
    page.until(lambda: page.step == 0)
    page.until(lambda: page.run(picture) == first)


def test_it_trains_by_keyboard_alone(show):
    page = show(SPIRALS, XOR)
    seen = []
    for _ in range(20):
        page.press("TAB")
        seen.append(page.focused)
    assert seen[:10] == [
        "problem", "train", "step", "call", "reset",
        "optimizer", "learning_rate", "batch", "seed", "speed",
    ]  # fmt: skip
    assert {"canvas", "fold"} <= {*seen}
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.run("document.querySelector('[data-part=problem]').focus()")
    page.press("TAB", "SPACE")
    page.until(lambda: page.step > 5)
    page.press("SPACE")
    page.until(lambda: page.one("[data-do=train]").text == "▶ Train")
    page.press("TAB", "TAB", "TAB", "TAB", "TAB")
    assert page.focused == "learning_rate"
    page.press(page.keys.CONTROL + "a", "0.5", "ENTER")
    page.until(lambda: page.server.trainer.run.settings.learning_rate == 0.5)


def test_the_numbers_are_those_of_the_run(show):
    page = show(XOR)
    page.click("step")
    page.until(lambda: page.step == 1)
    run = page.server.trainer.run
    assert page.part("loss").text == f"{run.loss:#.3g}"
    weight = page.all(".layer .parameter canvas[role=application]")[0]
    weight.click()
    page.until(lambda: page.part("editor").is_displayed())
    shape = page.all(".layer .parameter .caption")[0].text
    assert shape == "weight (4, 2)"
    titles = [title.text for title in page.all(".layer .fold")]
    assert titles == [
        "net[0] Linear(2 -> 4)", "net[1] Tanh", "net[2] Linear(4 -> 2)", "net[3] LogSoftMax"
    ]  # fmt: skip
    ratios = [item.text for item in page.all(".layer .ratios li")][:2]
    assert ratios[0].startswith("update / weight: 0.0")
    assert len(page.all(".layer")[0].find_elements("css selector", ".units canvas")) == 4


def test_a_weight_is_changed_by_pointer_and_what_changes_is_told(show):
    page = show(XOR)
    page.click("train")
    page.until(lambda: page.step > 3)
    canvas = page.all(".layer .parameter canvas[role=application]")[0]
    actions = selenium("common.action_chains").ActionChains(page.browser)
    left, top = (4 - canvas.size[side] // 2 for side in ("width", "height"))
    actions.move_to_element_with_offset(canvas, left, top).click().perform()
    page.until(lambda: page.part("editor").is_displayed())
    # To change a number the training pauses.
    page.until(lambda: page.one("[data-do=train]").text == "▶ Train")
    assert page.part("edited").text == "net[0].weight[0, 0]"
    number = page.one(".editor input[type=number]")
    run = page.server.trainer.run
    old = run.net[0].weight[0, 0]
    assert float(number.get_attribute("value")) == pytest.approx(old, rel=1e-4)
    number.clear()
    number.send_keys("2.5", page.keys.ENTER)
    page.until(lambda: run.net[0].weight[0, 0] == 2.5)
    page.until(lambda: "→ 2.5; the loss of this batch: " in page.part("told").text)
    page.part("undo").click()
    page.until(lambda: run.net[0].weight[0, 0] == old)
    page.part("close").click()
    assert not page.part("editor").is_displayed()


def test_a_weight_is_changed_by_keyboard(show):
    page = show(XOR)
    page.run("document.querySelector('.layer .parameter canvas').focus()")
    page.press("ARROW_DOWN", "ARROW_RIGHT", "ENTER")
    page.until(lambda: page.part("editor").is_displayed())
    assert page.part("edited").text == "net[0].weight[1, 1]"
    before = page.server.trainer.run.net[0].weight[1, 1]
    page.press("ARROW_RIGHT")
    page.until(lambda: page.server.trainer.run.net[0].weight[1, 1] > before)
    page.press("ESCAPE")
    assert not page.part("editor").is_displayed()
    assert page.run("return document.activeElement.localName") == "canvas"


def test_the_input_is_changed(show):
    page = show(XOR)
    page.run("document.querySelector('.batch .input canvas').focus()")
    page.press("ENTER")
    page.until(lambda: page.part("editor").is_displayed())
    assert page.part("edited").text == "input[0, 0]"
    number = page.one(".editor input[type=number]")
    number.clear()
    number.send_keys("7", page.keys.ENTER)
    page.until(lambda: page.server.trainer.run.x[0, 0] == 7)


def test_a_number_counts_when_it_is_whole(show):
    """By Enter, or when the field is left, and not at each key: 1e40 is on the way to 1e400."""
    page = show(XOR)
    run = page.server.trainer.run
    edited = []
    edit = run.edit

    def editing(position, name, index, value):
        edited.append(value)
        return edit(position, name, index, value)

    run.edit = editing
    page.run("document.querySelector('.layer .parameter canvas').focus()")
    page.press("ENTER")
    page.until(lambda: page.part("editor").is_displayed())
    page.press("TAB")
    whole = page.keys.CONTROL + "a"
    page.press(whole, "1e400", "ENTER")
    assert page.run("return document.activeElement.validity.badInput")
    page.press(whole, "-2.5", "ENTER")
    page.until(lambda: run.net[0].weight[0, 0] == -2.5)
    page.press(whole, "1.25", "TAB")
    page.until(lambda: run.net[0].weight[0, 0] == 1.25)
    page.run("document.querySelector('.editor input[type=number]').focus()")
    page.press(whole, "99", "ESCAPE")
    assert not page.part("editor").is_displayed()
    page.click("step")
    page.until(lambda: page.step == 1)
    assert edited == [-2.5, 1.25]


def test_one_call_after_another(show):
    page = show(XOR)
    titles = []
    for i in range(1, 19):
        page.click("call")
        page.until(lambda i=i: page.part("pass").text.startswith(f"Call {i} of 18: "))
        titles.append(page.one("[data-part=pass] h2").text)
    assert titles[1] == "Call 2 of 18: updateOutput of net[0], Linear(2 -> 4)"
    assert titles[9] == "Call 10 of 18: updateGradInput of net[2], Linear(4 -> 2)"
    assert page.step == 0
    page.click("call")
    page.until(lambda: page.step == 1)
    assert not page.part("pass").is_displayed()


def test_the_call_that_is_shown_is_marked_at_its_layer(show):
    page = show(XOR)
    page.click("call")
    page.click("call")
    page.until(lambda: page.all(".layer.active"))
    assert page.one(".layer.active .fold").text == "net[0] Linear(2 -> 4)"
    pre = page.one("[data-part=pass] pre").text
    assert pre == "output (16, 4) = input (16, 2) @ weight.T (2, 4) + bias (4,)"


def test_problems_and_settings_are_chosen(show):
    page = show(SPIRALS, DIGITS)
    page.part("problem").find_element("css selector", "[value=digits]").click()
    page.until(lambda: page.part("images").is_displayed())
    assert not page.part("plane").is_displayed()
    assert len(page.all(".images li")) == 24
    page.one("[data-set=optimizer] [value=nag]").click()
    page.until(lambda: page.server.trainer.run.settings.optimizer == "nag")
    page.one("[data-set=speed] [value='']").click()
    page.until(lambda: page.server.trainer.speed is None)
    page.click("train")
    page.until(lambda: page.step > 30)
    page.until(lambda: page.all(".images .right"))


def test_the_current_step_opens_in_the_stepping_page(show):
    page = show(XOR)
    here = page.browser.current_window_handle
    page.part("stepping").click()
    page.until(lambda: len(page.browser.window_handles) == 2)
    (there,) = set(page.browser.window_handles) - {here}
    page.browser.switch_to.window(there)
    page.until(lambda: page.all("#steps h2"))
    assert page.one("h1").text == "Backpropagation, step by step"
    page.browser.close()
    page.browser.switch_to.window(here)


def test_two_tabs_show_the_same_run(show):
    page = show(XOR)
    here = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.browser.get(page.server.address)
    page.until(page.is_drawn)
    page.click("step")
    page.until(lambda: page.step == 1)
    page.browser.close()
    page.browser.switch_to.window(here)
    page.until(lambda: page.step == 1)


class Raising(nn.Identity):
    """Raises when it is trained."""

    def updateGradInput(self, input, gradOutput):
        raise ValueError("<b>no way back</b>")


def test_an_error_of_the_network_is_shown_with_its_line(show):
    def make():
        x = np.ones((4, 2))
        return nn.Sequential(nn.Linear(2, 2), Raising()), nn.MSECriterion(), x, x

    page = show(Problem("raising", make))
    page.click("train")
    line = Raising.updateGradInput.__code__.co_firstlineno + 1
    page.until(lambda: page.part("trouble").is_displayed())
    assert page.part("trouble").text.startswith(
        f"ValueError: <b>no way back</b> (test_play_page.py:{line})"
    )
    assert page.one("[data-do=train]").text == "▶ Train"
    assert page.step == 0


def test_nan_is_shown_with_a_word_why(show):
    def make():
        x = np.arange(1.0, 9.0).reshape(8, 1)
        return nn.Sequential(nn.Linear(1, 1)), nn.MSECriterion(), x, 2 * x

    page = show(Problem("fast", make, optimizer="sgd", learning_rate=1e9))
    page.click("train")
    page.until(lambda: page.part("trouble").is_displayed())
    assert "Often the learning rate is too large (it is 1e+09)" in page.part("trouble").text
    assert page.one("[data-do=train]").text == "▶ Train"
    page.click("reset")
    page.until(lambda: not page.part("trouble").is_displayed())


def test_a_setting_that_cannot_be_is_told(show):
    page = show(XOR)
    page.run(
        "const field = document.querySelector('[data-set=batch]');"
        "field.removeAttribute('min'); field.value = '-3';"
        "field.dispatchEvent(new Event('change'))"
    )
    page.until(lambda: page.part("trouble").is_displayed())
    assert page.part("trouble").text == (
        "SettingError: Run.set: batch must be a whole number of at least 1, got -3"
    )
    page.click("step")
    page.until(lambda: page.step == 1)
    assert not page.part("trouble").is_displayed()


def test_the_end_of_the_program_is_told_with_how_to_start_it_again(show):
    page = show(SPIRALS)
    page.click("train")
    page.until(lambda: page.step > 0)
    page.server.farewell("start it again: python -m torchlite play")
    page.until(lambda: page.part("trouble").is_displayed())
    words = "The program has ended; start it again: python -m torchlite play"
    assert page.part("trouble").text == words
    assert page.one("[data-do=train]").text == "▶ Train"
    # There is nobody who could do anything, and nothing is asked of anybody.
    assert not any(field.is_enabled() for field in page.all("button, select, input"))
    assert not page.part("save").is_displayed()
    page.all(".layer .parameter canvas[role=application]")[0].click()
    assert not page.part("editor").is_displayed()
    assert page.part("trouble").text == words
    assert page.run(MEASURE)[1] >= 4.5


def test_a_program_that_has_ended_is_told(browser):
    def gone(after):
        raise ConnectionError

    with served(XOR) as server:
        browser.get(server.address)
        page = Page(browser, server)
        page.until(page.is_drawn)
        server.trainer.told = gone
        page.click("step")
        page.until(lambda: page.part("trouble").is_displayed())
    assert page.part("trouble").text == (
        "The program does not answer any more; start the program again"
    )
    browser.get("about:blank")
    # That nobody answers is what it complains of.
    complaints(browser)


# Of a page's colours, how far the two nearest are from one another as the eye sees it (OKLab), and
# how many signs there are.
NEAREST = """
const marks = [...document.querySelectorAll(".plane .classes canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, 14, 14);
  const at = 4 * (14 * 7 + 7);
  const shape = data.filter((_, i) => i % 4 === 3).map((a) => Number(a > 127));
  return { colour: [...data.slice(at, at + 3)], shape: shape.join("") };
});
const seen = marks.map(({ colour }) => {
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = colour.map((c) => linear(c / 255));
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s];
});
let nearest = Infinity;
seen.forEach((a, i) => seen.slice(0, i).forEach((b) => {
  nearest = Math.min(nearest, Math.hypot(...a.map((x, c) => x - b[c])));
}));
return [nearest, new Set(marks.map(({ shape }) => shape)).size];
"""


def classes(answers, labels, signs=False):
    """A network with so many answers, whose samples have so many classes."""
    target = np.arange(200) % labels

    def make():
        points = np.stack([target + 0.0, np.arange(200) // labels % 10], 1)
        if signs:
            return nn.Linear(2, 1), nn.MSECriterion(), points, 2.0 * target[:, None] - 1
        return nn.Linear(2, answers), nn.CrossEntropyCriterion(), points, target

    return Problem("classes", make)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("answers", "labels", "listed", "says"),
    [
        (2, 2, 0, "Circles are 0, blue; squares are 1, orange."),
        (12, 2, 12, ""),
        (12, 12, 12, ""),
        (40, 40, 30, "There are 40 classes: from 30 on, colours come again with other signs."),
    ],
)
def test_each_class_has_a_colour_that_the_legend_names(show, answers, labels, listed, says, scheme):
    page = show(classes(answers, labels))
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        page.click("step")
        page.until(lambda: page.step == 1)
        items = [item.text for item in page.all(".plane .classes li")]
        assert items == [str(label) for label in range(listed)]
        assert page.part("box").text.partition(" up.")[2].strip() == says
        if listed:
            nearest, signs = page.run(NEAREST)
            assert nearest > 0.09
            assert signs == 4
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_classes_are_named_as_the_targets_are(show):
    page = show(classes(1, 2, signs=True))
    assert page.part("box").text.endswith("Circles are -1, blue; squares are 1, orange.")


@pytest.mark.parametrize(("outputs", "whose"), [(1, "the output"), (2, "the first of 2 outputs")])
def test_the_plane_of_a_regression_has_a_scale(show, outputs, whose):
    def make():
        net = nn.Linear(2, outputs)
        net.weight[:], net.bias[:] = 0, -2.5
        return net, nn.MSECriterion(), XOR.make()[2], np.full((200, outputs), 0.5)

    page = show(Problem("regression", make, learning_rate=0.0))
    assert page.part("scale").text.split() == ["-2.5", "0", "2.5"]
    words = f"Colours are {whose}: blue, -2.5, over 0 to orange, 2.5."
    assert page.part("box").text.endswith(words)
    # What is drawn there is the scale's lower end.
    ends = page.run(
        "const to = document.querySelector('.plane canvas').getContext('2d');"
        "const at = to.getImageData(1, 1, 1, 1);"
        "const [zero, minus] = ['--zero', '--minus'].map((name) => getComputedStyle("
        "document.querySelector('.play')).getPropertyValue(name).match(/[\\d.]+/g).map(Number));"
        "return [[...at.data.slice(0, 3)], zero.map((c, i) => c + 0.75 * (minus[i] - c))]"
    )
    assert np.abs(np.subtract(*ends)).max() <= 1
    page.server.trainer.run.net.bias[:] = 0
    page.click("step")
    page.until(lambda: page.part("box").text.endswith(f"Everywhere {whose} is 0."))
    assert not page.part("scale").is_displayed()
    assert not page.part("classes").is_displayed()


def test_that_a_row_joins_the_batch_before_is_told(show):
    page = show(XOR)
    words = page.part("words").text
    assert words.endswith("22 parameters, ClassNLLCriterion.")
    page.run(
        "const field = document.querySelector('[data-set=batch]');"
        "field.value = '199'; field.dispatchEvent(new Event('change'))"
    )
    joins = " The last row of an epoch has no batch of its own: it joins the one before."
    page.until(lambda: page.part("words").text == words + joins)


def test_layers_are_folded_and_unfolded(show):
    page = show(XOR)
    fold = page.all(".layer .fold")[0]
    assert fold.get_attribute("aria-expanded") == "true"
    fold.click()
    page.until(lambda: fold.get_attribute("aria-expanded") == "false")
    assert not page.all(".layer")[0].find_element("css selector", ".arrays").is_displayed()
    fold.send_keys(page.keys.ENTER)
    page.until(lambda: fold.get_attribute("aria-expanded") == "true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000, 1600])
@pytest.mark.parametrize("problem", [SPIRALS, DIGITS], ids=lambda problem: problem.name)
def test_nothing_is_clipped_and_everything_can_be_read(show, problem, scheme, width):
    page = show(problem)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.click("step")
        page.click("call")
        page.until(lambda: page.part("pass").is_displayed())
        wide, contrast = page.run(MEASURE)
        assert wide <= 0
        assert contrast >= 4.5
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_everything_has_a_name(show):
    page = show(SPIRALS)
    page.click("step")
    page.until(lambda: page.step == 1)
    nameless = page.run(
        "return [...document.querySelectorAll('button, select, input, canvas, meter, svg, a')]"
        ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()"
        " || (e.labels && e.labels.length)) && e.offsetParent)"
        ".map((e) => e.outerHTML)"
    )
    assert nameless == []


def test_with_less_motion_there_are_fewer_pictures(show):
    page = show(XOR)
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        page.run(
            "window.drawn = 0; const draw = Play.prototype.draw;"
            "Play.prototype.draw = function() { window.drawn++; return draw.call(this); }"
        )
        page.click("train")
        page.until(lambda: page.step > 0)
        page.run("window.drawn = 0; window.since = performance.now()")
        time.sleep(1.2)
        drawn, passed = page.run("return [window.drawn, performance.now() - window.since]")
        assert drawn <= passed / 500 + 1
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
