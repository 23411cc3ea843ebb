"""How much Hypothesis draws, where networks are saved, what is compiled, and a browser for pages.

`pytest --hypothesis-profile=thorough` draws a hundred times more.
"""

import os
import signal
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# Their asserts show what they compared, too.
pytest.register_assert_rewrite("optimizers", "saving")

# What a shell runs in the background ignores Ctrl-C, and so would programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long it takes to draw says how busy the machine is.
whenever = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", whenever, max_examples=20, derandomize=True)
settings.register_profile("thorough", whenever, max_examples=2000)
settings.load_profile("ci")


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Return the path of a file to be, which is not waited for to reach the disk.

    Thousands of saves ask whether the bytes are right, not whether they survive a crash.
    """
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return tmp_path / "net.npz"


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory):
    """Let the programs that tests start share their byte code, even where Python is to write none.

    To compile torchlite takes each of them as long as to import all else.
    """
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        yield


@pytest.fixture(autouse=True)
def errors_of_numpy():
    """Let no test change what NumPy does about errors: others would not see theirs."""
    before = np.geterr()
    yield
    assert np.geterr() == before


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Return a browser for the tests of a file, which are skipped where there is none."""
    # Here, because few tests need one.
    from browsing import opened

    browser = opened(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.quit()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Let a test file that cannot be imported fail: with doctests, pytest passes over it."""
    report = yield
    if report.skipped and "unable to import module" in str(report.longrepr):
        report.outcome = "failed"
    return report
