"""The site: built as CONTRIBUTING says, in a copy of what git knows of, without a network.

Where Sphinx, selenium or chromium is missing the tests that need it are skipped.
"""

import ast
import code
import doctest
import html
import importlib.util
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote

import pytest
from browsing import MEASURE, Reader, needed, selenium

import torchlite
from torchlite import nn

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"


def module(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


make_layers, make_gallery = module("make_layers"), module("make_gallery")

OFFLINE = """
import socket, sys
def refuse(*arguments): raise OSError("the site is built without a network")
socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    needed(importlib.util.find_spec("sphinx"), "Sphinx", "pip install '.[site]'")
    copy = tmp_path_factory.mktemp("clone")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, files.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    said = re.search(r"sphinx-build (.*)$", (copy / "CONTRIBUTING.md").read_text("utf-8"), re.M)
    command = [sys.executable, "-c", OFFLINE, *said[1].split()]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout[-2000:]
    return copy / "build" / "site"


@pytest.fixture(scope="module")
def pages(site):
    """The text of every page, by its path from the first one."""
    found = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    return {
        name: path.read_text("utf-8")
        for name, path in found.items()
        if not name.startswith("_static/")  # the theme's own
    }


@pytest.mark.parametrize("name", ["code", "docstrings", "links", "pages", "pasting"])
def test_examples_of_what_builds_the_site(monkeypatch, name):
    needed(importlib.util.find_spec("sphinx"), "Sphinx", "pip install '.[site]'")
    monkeypatch.syspath_prepend(ROOT / "docs")
    failed, tried = doctest.testmod(importlib.import_module(f"_site.{name}"))
    assert tried
    assert not failed


def test_every_link_leads_to_a_page_and_to_its_anchor(site, pages):
    anchors = {
        page: set(re.findall(r'\b(?:id|name)="([^"]*)"', text)) for page, text in pages.items()
    }
    broken = set()
    for page, text in pages.items():
        for found in set(re.findall(r'<\w[^>]*\b(?:href|src)="([^"]*)"', text)):
            target, _, anchor = html.unescape(found).partition("#")
            target = target.partition("?")[0]
            if re.match(r"[a-z]+:", target):
                continue
            file = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(target)))
            file = file if target else page
            anchor = unquote(anchor)
            known = anchors.get(file, {anchor})
            if not (site / file).is_file() or (anchor and anchor not in known):
                broken.add((page, found))
    assert not broken
    assert len(pages) > 300


def test_nothing_comes_from_another_host(site, pages):
    asked = [
        (page, tag)
        for page, text in pages.items()
        for tag in re.findall(r"<(?:script|link|img|iframe|source|video)\b[^>]*>", text)
        if re.search(r'(?:src|href|srcset)="(?:https?:)?//', tag)
    ]
    for sheet in site.rglob("*.css"):
        asked += re.findall(
            r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\s]*", sheet.read_text("utf-8")
        )
    assert not asked


def test_a_class_has_a_page_of_all_that_its_docstring_says(pages):
    faults = []
    for kind in make_layers.classes():
        page = pages[f"reference/{page_of(kind)}.html"]
        titles = re.findall(r"<h2>([^<]*)<", page)
        missing = make_layers.sections(kind).keys() - {"", *titles}
        source = f'href="../source/{kind.__module__.replace(".", "/")}.html#line-'
        chapter = make_layers.TITLES[make_layers.chapter(kind)].replace("'", "’")
        if missing or source not in page or f'<span class="doc">{chapter}</span>' not in page:
            faults.append((kind.__name__, missing))
    assert not faults


def page_of(kind):
    namesake = ".element_research." in kind.__module__
    return f"{'element_research' if namesake else 'nn'}.{kind.__name__}"


def test_what_differs_from_torch7_stands_on_the_page_of_its_class(pages):
    differing = set()
    for line in (ROOT / "docs" / "differences.md").read_text("utf-8").splitlines():
        if line.startswith("| "):
            differing |= {*re.findall(r"\w+", line.split("|")[1])} & {*nn.__all__}
    assert len(differing) > 100
    found = {
        name
        for name in nn.__all__
        if ">Differences from Torch7<" in pages[f"reference/nn.{name}.html"]
    }
    assert found == differing


def test_every_public_part_has_a_page(pages):
    for part in torchlite._PARTS - {"interop", "kernels"}:
        assert f"reference/{part}.html" in pages
    for folder in (ROOT / "torchlite" / "interop").iterdir():
        if not folder.stem.startswith("_"):
            assert f"reference/interop.{folder.stem}.html" in pages


def test_every_class_is_found_by_its_task_and_its_name_is_a_link(pages):
    text = pages["by_task.html"].replace("<wbr>", "")
    words = re.findall(r"`([^`]+)`", (ROOT / "docs" / "by_task.md").read_text("utf-8"))
    assert set(nn.__all__) <= set(words)
    for word in words:
        link = (
            rf'<a class="reference internal" href="[^"]*"><code[^>]*>(<[^>]*>)?{re.escape(word)}<'
        )
        assert re.search(link, text), word


def test_the_changelog_and_the_versions_are_there(pages):
    assert f"<h2>{torchlite.__version__}" in pages["project/changelog.html"]
    assert torchlite.__version__ in re.search("<title>.*</title>", pages["index.html"])[0]
    assert "project/changelog.html" in pages["project.html"]


@pytest.mark.parametrize("file", make_gallery.examples(), ids=lambda file: file.stem)
def test_the_gallery_has_what_an_example_prints_and_draws(file):
    stored, drawn = PICTURES / f"{file.stem}.txt", list(PICTURES.glob(f"{file.stem}-*.png"))
    complete = stored.exists() and bool(drawn) == ("savefig" in file.read_text("utf-8"))
    assert complete, f"run: python docs/make_gallery.py {file.stem}"
    printed = stored.read_text("utf-8")
    assert all(picture.stat().st_size < 60_000 for picture in drawn)
    expected = ROOT / "tests" / "data" / "examples" / f"{file.stem}.txt"
    if expected.exists():
        lines = iter(without_numbers(printed))
        for wanted in without_numbers(expected.read_text("utf-8")):
            found = any(fnmatchcase(line, wanted.replace("[", "[[]")) for line in lines)
            assert found, f"not printed: {wanted}; run: python docs/make_gallery.py"


def without_numbers(text):
    """The last digits depend on the machine, and are compared in test_examples.py."""
    return [" ".join(re.sub(r"\d+", "0", line).split()) for line in text.splitlines()]


def opened(browser, page, width, mode):
    """Open a page in a window of that width, and return what MEASURE does."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": mode}]},
    )
    browser.get(page.as_uri())
    return browser.execute_script(MEASURE)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_pages_fit_the_window_and_ask_for_nothing(site, browser, width, mode):
    browser.get_log("performance")
    names = [
        "index",
        "reference/nn.Linear",
        "by_task",
        "differences",
        "gallery/index",
        "performance",
    ]
    for name in names:
        wider, contrast = opened(browser, site / f"{name}.html", width, mode)
        assert wider <= 0, name
        assert contrast >= 4.5, name
        colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", colour)[:3])) > 384
        assert light == (mode == "light"), name
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert len(asked) > len(names)
    assert not [url for url in asked if not url.startswith(("file:", "data:", "chrome:"))]
    # The theme says at the lower levels which theme it is.
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_tables_fit_a_wide_window(site, pages, browser):
    scrolled = """
        return [...document.querySelectorAll(".bd-article table")].filter(table => {
            const around = table.closest(".pst-scrollable-table-container");
            return around && around.scrollWidth > around.clientWidth;
        }).length
    """
    # Those of a class have none that is wide.
    for name in pages:
        if "<table" in pages[name] and not name.startswith(("source/", "reference/")):
            opened(browser, site / name, 1400, "light")
            assert browser.execute_script(scrolled) == 0, name


class Prompt(code.InteractiveConsole):
    """Python's own, up to 3.12, that runs nothing."""

    def __init__(self):
        super().__init__()
        self.refused = []

    def runcode(self, code):
        pass

    def showsyntaxerror(self, *arguments, **named):
        self.refused.append("\n".join(self.buffer))


CODE = re.compile(
    r'<div class="highlight-(?:default|ipython3|python)\b[^>]*><div class="highlight"><pre>'
    r"(.*?)</pre>",
    re.S,
)


def shown_code(pages):
    """Yield the code of each page as the button copies it: without what is printed."""
    for name, text in pages.items():
        for shown in CODE.findall(text):
            lines = html.unescape(re.sub("<[^>]*>", "", shown)).split("\n")
            typed = [line for line in lines if re.match(r"(>>>|\.\.\.) |$", line)]
            yield name, "\n".join(line[4:] for line in typed) if any(typed) else "\n".join(lines)


def test_what_is_copied_can_be_put_into_the_prompt(pages):
    refused, blocks = [], 0
    for name, text in shown_code(pages):
        try:
            ast.parse(text)
        except SyntaxError:
            continue
        prompt = Prompt()
        for line in [*text.split("\n"), ""]:
            prompt.push(line)
        refused += [(name, each) for each in prompt.refused]
        blocks += 1
    assert blocks > 500
    assert not refused


def test_the_button_copies_what_the_prompt_needs(site, browser):
    actions = selenium("common.action_chains").ActionChains
    opened(browser, site / "howto/schedules.html", 1400, "light")
    button = Reader(browser).all("button.copybtn")[1]
    actions(browser).move_to_element(button).click().perform()
    browser.execute_script("""
        const area = document.createElement("textarea");
        area.id = "pasted";
        document.querySelector("article").append(area);
        area.focus();
    """)
    pasted = Reader(browser).one("#pasted")
    pasted.send_keys(selenium("common.keys").Keys.CONTROL, "v")
    assert pasted.get_property("value") == (
        "rate, best, waited = 0.1, math.inf, 0\n"
        "for loss in [0.9, 0.5, 0.6, 0.7, 0.4]:\n"
        "    best, waited = (loss, 0) if loss < best else (best, waited + 1)\n"
        "    if waited == 2:\n"
        "        rate, waited = rate / 10, 0\n"
        "\n"
        "rate\n"
    )


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("LogSoftMax", "reference/nn.LogSoftMax.html"),
        ("clip gradients", "howto/clip_gradients.html"),
        ("learningRateDecay", "howto/schedules.html"),
    ],
)
def test_the_search_works_without_a_server(site, browser, words, page):
    browser.get(f"{(site / 'search.html').as_uri()}?q={words.replace(' ', '+')}")
    script = """
        const done = arguments[0];
        const timer = setInterval(() => {
            const results = document.querySelector("#search-results");
            if (!/finished|matching/.test(results.textContent)) return;
            clearInterval(timer);
            done([...results.querySelectorAll("li a")].map(link => link.href));
        }, 50);
    """
    found = browser.execute_async_script(script)
    first = [re.sub(r"[?#].*", "", link) for link in found[:5]]
    assert (site / page).as_uri() in first
