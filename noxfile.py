"""All tests on all Pythons in one command: `nox`. A Python that is missing is skipped, by name.

nox -s tests-3.13           one session
nox -s tests -- -x -k relu  arguments of pytest

`nox --list` tells what there is; .github/workflows runs the same sessions.
"""

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
OLDEST = ["numpy==2.0.0", "scipy==1.13.0", "pytest==8.0.0", "hypothesis==6.100.0"]
NIGHTLY = "https://pypi.anaconda.org/scientific-python-nightly-wheels/simple"

nox.options.sessions = ["lint", "tests", "oldest", "optional", "site", "coverage", "dist"]


@nox.session
def lint(session):
    """Ruff, mypy, spelling, and the type checkers on a user's program."""
    session.install("-e", ".[lint,test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("codespell")
    session.run("python", "-m", "pytest", "-q", "tests/test_types.py")


def run_tests(session, *more):
    session.install("-e", ".[test]", *more)
    session.run("python", "-m", "pytest", "-q", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session):
    """What README's test command runs, with the newest packages."""
    run_tests(session)


@nox.session(python=PYTHONS[0])
def oldest(session):
    """The same with the oldest packages that torchlite promises to work with."""
    run_tests(session, *OLDEST)


@nox.session
def optional(session):
    """The same, and what is skipped where PyTorch, matplotlib and others are missing."""
    run_tests(session, "-e", ".[optional]")


@nox.session
def browser(session):
    """The same, and the page of a trace in a browser, if there is one."""
    run_tests(session, "-e", ".[browser]")


@nox.session
def site(session):
    """The site, in build/site, and its tests, with those of a browser if there is one."""
    session.install("-e", ".[test,site,browser]")
    session.run("sphinx-build", "-W", "-j", "auto", "docs", "build/site")
    session.run("python", "-m", "pytest", "-q", "tests/test_site.py")


@nox.session
def links(session):
    """Whether what the site links to elsewhere is still there, which no commit can break."""
    session.install("-e", ".[site]")
    session.run("sphinx-build", "-b", "linkcheck", "docs", "build/links")


@nox.session
def coverage(session):
    """The same, and which lines and branches of torchlite no test takes: no more than before."""
    session.install("-e", ".[test,coverage]")
    session.run("coverage", "run", "-m", "pytest", "-q", *session.posargs)
    session.run("coverage", "report")


@nox.session
def dist(session):
    """The sdist, and the wheel, each built and tested away from the checkout."""
    session.run("python", ".ci/dist.py", *session.posargs)


@nox.session
def nightly(session):
    """The same with tonight's NumPy."""
    session.install("-e", ".[test]")
    session.install("--pre", "--upgrade", "--extra-index-url", NIGHTLY, "numpy")
    run_tests(session)
