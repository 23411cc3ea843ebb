"""A real browser for tests of pages: Debian's chromium and chromium-driver, and selenium.

Where one of them is missing the tests are skipped.
"""

import importlib
import shutil

import pytest

__all__ = ["MEASURE", "Reader", "complaints", "opened", "selenium"]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

APT = "apt install chromium chromium-driver"


def needed(there, what, how):
    if not there:
        pytest.skip(f"{what} is not installed: {how}")
    return there


def selenium(name):
    try:
        return importlib.import_module(f"selenium.webdriver.{name}".rstrip("."))
    except ImportError:
        return needed(None, "selenium", "pip install '.[browser]'")


def opened(profile):
    """Return a browser that keeps nothing but in this folder, or skip the test."""
    webdriver, service = selenium(""), selenium("chrome.service")
    options = webdriver.ChromeOptions()
    options.binary_location = needed(shutil.which("chromium"), "chromium", APT)
    driver = needed(shutil.which("chromedriver"), "chromium-driver", APT)
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=service.Service(driver))
    browser.set_window_size(1000, 1000)
    return browser


def complaints(browser):
    said = [entry["message"] for entry in browser.get_log("browser")]
    return [text for text in said if not text.startswith("chrome:")]


class Reader:
    """What a reader of a page does and sees."""

    def __init__(self, browser):
        self.browser = browser
        self.keys = selenium("common.keys").Keys

    def all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def one(self, selector):
        (element,) = self.all(selector)
        return element

    def press(self, *names):
        for name in names:
            keys = getattr(self.keys, name, name)
            self.browser.switch_to.active_element.send_keys(keys)


# How much wider than the window a page is, and its least contrast of text to what is behind it.
MEASURE = """
const rgba = (text) => {
  const [r, g, b, a] = text.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a === undefined ? 1 : a];
};
const behind = (element) => {
  const [r, g, b, a] = rgba(getComputedStyle(element).backgroundColor);
  if (a === 1 || !element.parentElement) return [r, g, b];
  const below = behind(element.parentElement);
  return [r, g, b].map((c, i) => a * c + (1 - a) * below[i]);
};
const light = (colour) => {
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const [r, g, b] = colour.map((c) => linear(c / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
let least = 21;
for (const element of document.querySelectorAll("body *")) {
  if (!element.offsetParent || element.disabled) continue;
  if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
  const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
  least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
}
return [document.documentElement.scrollWidth - innerWidth, least];
"""
