"""To break a layer, a saved run, and the widget, in a real browser."""

import json
import threading
import time

import pytest
from browsing import MEASURE, Reader, complaints, selenium

from torchlite.play import PROBLEMS, Trainer
from torchlite.play.server import Server


class Page(Reader):
    """What a reader of a page does and sees."""

    @property
    def active(self):
        element = self.browser.switch_to.active_element
        return element.get_attribute("aria-label") or element.text

    def until(self, holds):
        end = time.monotonic() + 120
        while not (found := holds(self)):
            assert time.monotonic() < end
            time.sleep(0.02)
        return found


def asked(browser):
    """Return the addresses that were asked for since the last time."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
        and not event["params"]["documentURL"].startswith("chrome:")
    ]


@pytest.fixture
def live(browser):
    """The page of a run of XOR, and the trainer behind it."""
    with Trainer([PROBLEMS["xor"]]) as trainer, Server(trainer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            # What the page before still did after it was looked at is not this one's.
            complaints(browser), asked(browser)
            browser.get(server.address)
            page = Page(browser)
            page.until(lambda page: page.all(".breaking option"))
            yield page, trainer
            assert complaints(browser) == []
            assert {url.split("/")[2] for url in asked(browser) if url.startswith("http")} <= {
                server.own
            }
        finally:
            browser.get("data:,")
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A run that was broken in its middle, as a file."""
    file = tmp_path_factory.mktemp("saved") / "run.html"
    with Trainer([PROBLEMS["spirals"]]) as trainer:
        after = json.loads(trainer.next(0))["frame"]
        for step in range(4):
            trainer.do({"do": "step"})
            if step == 2:
                trainer.do({"do": "break", "position": "net[1]", "fault": "no derivative"})
            after = json.loads(trainer.next(after))["frame"]
        trainer.save(file)
    return file


@pytest.fixture
def over(browser, file):
    """The page of a run that is over. Nothing was complained of, and nothing asked for."""
    asked(browser)
    browser.get(file.as_uri())
    yield Page(browser)
    assert complaints(browser) == []
    addresses = asked(browser)
    assert {url.partition(":")[0] for url in addresses} <= {"file", "data"}
    assert sum(url.startswith("file:") for url in addresses) == 1


def test_a_layer_is_broken_and_mended_by_keyboard(live):
    page, trainer = live
    layer = page.all(".breaking select")[0]
    assert [option.text for option in layer.find_elements("css selector", "option")] == [
        *["net[0] Linear(2 -> 4)", "net[1] Tanh", "net[2] Linear(4 -> 2)", "net[3] LogSoftMax"],
        "the loop",
    ]
    layer.send_keys("net[2]")
    assert page.one(".breaking .note").text == (
        "gradInput has the wrong sign: everything before it climbs."
    )
    page.press("TAB")
    page.press("bias averaged")
    words = "gradBias is the mean over the batch where it must be the sum."
    assert page.one(".breaking .note").text == words
    page.press("TAB", "ENTER")
    page.until(lambda page: page.all(".breaking li"))
    assert trainer.run.broken == {"net[2]": "bias averaged"}
    said = page.one(".breaking li").text
    assert said.startswith(f"net[2] Linear(4 -> 2): bias averaged. {words}")
    assert "The checker notices it by gradParameters:" in said
    assert "averaged instead of summed?" in said
    assert page.active == "Break it"
    # What was added is read out.
    assert page.one(".breaking ul").get_attribute("aria-live") == "polite"
    page.press("TAB")
    assert page.active == "Mend it"
    page.press("ENTER")
    page.until(lambda page: not page.all(".breaking li"))
    assert trainer.run.broken == {}
    page.until(lambda page: page.browser.switch_to.active_element == layer)


def test_the_loop_is_broken_by_pointer_and_stays_so(live):
    page, trainer = live
    select = selenium("support.ui").Select
    layer, fault = map(select, page.all(".breaking select"))
    layer.select_by_visible_text("the loop")
    assert [option.text for option in fault.options] == ["no zeroing", "no learning rate", "uphill"]
    fault.select_by_visible_text("uphill")
    page.one(".breaking .controls button").click()
    page.until(lambda page: page.all(".breaking li"))
    said = page.one(".breaking li").text
    assert "The checker notices it by update:" in said
    assert "check_network sees nothing of it: the gradients are right." in said
    page.one("[data-do=reset]").click()
    page.until(lambda page: trainer.view.run.steps == 0)
    assert trainer.run.broken == {"net": "uphill"}
    assert page.one(".breaking li").text == said


def test_faults_are_asked_for_until_there_is_an_answer(live):
    page, trainer = live
    do, asked = trainer.do, []

    def busy(command):
        if command == {"do": "faults"}:
            asked.append(command)
            if len(asked) < 3:
                return {"ok": False, "error": "StateError: play: busy"}
        return do(command)

    trainer.do = busy
    page.one("[data-do=reset]").click()
    page.until(lambda page: asked)
    page.one("[data-do=train]").click()
    page.until(lambda page: len(asked) == 3)
    page.until(
        lambda page: page.browser.execute_script(
            "return document.querySelector('[data-part=trouble]').hidden"
        )
    )
    step = trainer.run.steps
    page.until(lambda page: int(page.one("[data-part=step]").text.replace(",", "")) > step)
    page.one("[data-do=train]").click()
    assert len(asked) == 3


def test_through_a_saved_run_by_keyboard(over):
    page = over
    slider, output = page.one(".saved input"), page.one(".saved output")
    assert output.text == "step 4, moment 5 of 5"
    assert page.one("[data-part=step]").text == "4"
    assert "The checker notices it by gradInput:" in page.one(".breaking li").text
    slider.send_keys(page.keys.ARROW_LEFT)
    page.until(lambda page: page.one("[data-part=step]").text == "3")
    slider.send_keys(page.keys.HOME)
    page.until(lambda page: page.one("[data-part=step]").text == "0")
    assert output.text == slider.get_attribute("aria-valuetext") == "step 0, moment 1 of 5"
    assert not page.one(".breaking").is_displayed()
    assert not page.all(".saved button")[1].is_enabled()
    page.press("TAB", "ENTER")
    page.until(lambda page: page.one("[data-part=step]").text == "1")
    # What needs a program is disabled, or not there.
    assert not any(button.is_enabled() for button in page.all("[data-do], [data-set]"))
    assert not page.one("[data-part=save]").is_displayed()
    assert not page.one("[data-part=stepping]").is_displayed()


def test_a_saved_run_is_replayed_to_its_end(over):
    page = over
    replay = page.all(".saved button")[0]

    def click(times):
        """Return what is written there right after so many clicks: the replay takes a second."""
        script = "for (let i = arguments[1]; i--;) arguments[0].click();"
        return page.browser.execute_script(script + "return arguments[0].innerText", replay, times)

    assert replay.text == "▶ Replay"
    assert click(1) == "❚❚ Pause"
    page.until(lambda page: page.one(".saved output").text == "step 4, moment 5 of 5")
    assert replay.text == "▶ Replay"
    assert click(2) == "▶ Replay"
    moment = page.one(".saved output").text
    time.sleep(0.5)
    assert page.one(".saved output").text == moment


def can_be_read(page, width, scheme):
    """Check that nothing is wider than the window, and every word has a contrast of 4.5."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.browser.set_window_size(width, 1000)
    try:
        wide, contrast = page.browser.execute_script(MEASURE)
        assert wide <= 0
        assert contrast >= 4.5
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        page.browser.set_window_size(1000, 1000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000, 1600])
def test_a_saved_run_can_be_read(over, width, scheme):
    over.until(lambda page: page.one("[data-part=step]").text == "4")
    can_be_read(over, width, scheme)


def test_what_is_broken_can_be_read(live):
    page, trainer = live
    for position, fault in (("net[0]", "transposed weight"), ("net", "no zeroing")):
        trainer.do({"do": "break", "position": position, "fault": fault})
    page.until(lambda page: len(page.all(".breaking li")) == 2)
    for width in (390, 1000, 1600):
        for scheme in ("light", "dark"):
            can_be_read(page, width, scheme)


# A notebook's front end: what the widget asks waits in `sent` until it is fetched.
NOTEBOOK = """<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,"><div></div>
<script type="module">
window.sent = [];
const listeners = [];
window.answer = (message) => listeners.forEach((listener) => listener(message));
const values = VALUES;
const model = {
  get: (name) => values[name],
  send: (message) => window.sent.push(message),
  on: (name, listener) => listeners.push(listener),
  off: () => { listeners.length = 0; },
};
const code = new Blob([CODE], { type: "text/javascript" });
const { default: widget } = await import(URL.createObjectURL(code));
window.end = widget.render({ model, el: document.querySelector("div") });
</script>"""


def test_the_widget_in_a_cell(browser, tmp_path):
    pytest.importorskip("anywidget")
    from torchlite import play

    widget = play.widget()
    answers = []
    widget.send = answers.append
    values = {"page": widget.page, "height": "900px"}
    page = NOTEBOOK
    for name, value in (("VALUES", values), ("CODE", str(widget._esm))):
        page = page.replace(name, json.dumps(value).replace("<", "\\u003c"), 1)
    (tmp_path / "notebook.html").write_text(page, "utf-8")
    complaints(browser), asked(browser)
    browser.get((tmp_path / "notebook.html").as_uri())

    def serve(page):
        """Hand on what was asked, and what was answered; return what the frame shows."""
        for message in browser.execute_script("return window.sent.splice(0)"):
            widget._handle_custom_msg(message, [])
        for answer in answers[:]:
            answers.remove(answer)
            browser.execute_script("window.answer(arguments[0])", answer)
        if not page.all("iframe"):
            return ["", ""]
        browser.switch_to.frame(0)
        try:
            # Until it is loaded it has neither.
            return [
                "".join(found.text for found in page.all(f"[data-part={name}]"))
                for name in ("step", "words")
            ]
        finally:
            browser.switch_to.default_content()

    try:
        page = Page(browser)
        page.until(lambda page: "Which of two spirals is a point on?" in serve(page)[1])
        browser.switch_to.frame(0)
        page.one("[data-do=step]").click()
        assert not page.one(".links").is_displayed()
        browser.switch_to.default_content()
        page.until(lambda page: serve(page)[0] == "1")
        assert widget.trainer.run.steps == 1
        widget.trainer.close()
        lost = "return document.querySelector('.play').classList.contains('lost')"

        def ended(page):
            serve(page)
            browser.switch_to.frame(0)
            try:
                return browser.execute_script(lost)
            finally:
                browser.switch_to.default_content()

        page.until(ended)
        browser.execute_script("window.end()")
        assert complaints(browser) == []
        assert {url.partition(":")[0] for url in asked(browser)} <= {
            "file",
            "data",
            "about",
            "blob",
        }
    finally:
        browser.get("data:,")
        widget.close()
