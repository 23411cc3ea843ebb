"""What the project says of itself in several places is the same, and its links lead somewhere.

What takes minutes, building and testing the sdist and the wheel, is done by `.ci/dist.py`.
"""

import configparser
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

import torchlite

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("index_page", ROOT / "docs" / "index_page.py")
index_page = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(index_page)

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", "utf-8")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (".", "docs", "docs/howto", "benchmarks", "tests/data", ".github")
    for path in (ROOT / folder).glob("*.md")
)


def text(name):
    return (ROOT / name).read_text("utf-8")


def listed(section, key):
    return SETUP[section][key].split("\n")[1:]


def pythons_of_nox():
    return re.findall(r'"([\d.]+)"', re.search(r"^PYTHONS = .*", text("noxfile.py"), re.M)[0])


def test_the_version_stands_in_one_place():
    version = torchlite.__version__
    assert SETUP["metadata"]["version"] == "attr: torchlite.__version__"
    assert Path(torchlite.__file__).read_text("utf-8").count(version) == 1
    for name in ("setup.cfg", "pyproject.toml", "CITATION.cff"):
        assert version not in text(name), name


def test_the_changelog_begins_with_what_is_unreleased_then_this_version():
    titles = re.findall(r"^## (\S+)(?: - \d{4}-\d\d-\d\d)?$", text("CHANGELOG.md"), re.M)
    assert titles[:2] == ["Unreleased", torchlite.__version__]


def test_every_version_has_each_kind_of_change_once():
    kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    for version in text("CHANGELOG.md").split("\n## ")[1:]:
        found = re.findall(r"^### (.*)$", version, re.M)
        assert found == sorted(set(found), key=kinds.index), version.partition("\n")[0]


def test_authors_and_licence_are_said_alike():
    who, licence = SETUP["metadata"]["author"], SETUP["metadata"]["license"]
    assert f"- name: {who}\n" in text("CITATION.cff")
    assert f"license: {licence}\n" in text("CITATION.cff")
    assert who.lower() in text("LICENSE")


def test_every_list_of_pythons_is_the_same():
    prefix = "Programming Language :: Python :: "
    classified = [
        line.removeprefix(prefix)
        for line in listed("metadata", "classifiers")
        if re.fullmatch(rf"{prefix}3\.\d+", line)
    ]
    workflow = re.search(r"^ +python: \[(.*)\]", text(".github/workflows/tests.yml"), re.M)[1]
    assert classified == pythons_of_nox() == re.findall(r'"(.*?)"', workflow)
    assert SETUP["options"]["python_requires"] == f">={classified[0]}"


def test_workflows_run_sessions_of_nox():
    known = set(re.findall(r"^def (\w+)\(session\):", text("noxfile.py"), re.M))
    for name in ("tests", "nightly", "site", "links"):
        workflow = text(f".github/workflows/{name}.yml")
        run = set(re.findall(r"nox -s (\w+)", workflow))
        run |= set(re.findall(r"session: (\w+)", workflow))
        run |= {s for row in re.findall(r"session: \[(.*)\]", workflow) for s in row.split(", ")}
        assert run <= known
        known -= run
    assert not known, "a session that no workflow runs"


def test_the_oldest_packages_are_those_that_are_promised():
    extras = SETUP["options.extras_require"]
    lines = [
        *listed("options", "install_requires"),
        *(line for e in extras for line in listed("options.extras_require", e)),
    ]
    promised = dict(re.findall(r"^(\w+)>=(.*)$", "\n".join(lines), re.M))
    oldest = re.search(r"^OLDEST = .*", text("noxfile.py"), re.M)[0]
    tested = dict(re.findall(r'"(\w+)==([\d.]+)"', oldest))
    assert {"numpy", "scipy"} <= tested.keys() <= promised.keys()
    for name, version in tested.items():
        assert f"{version}.".startswith(f"{promised[name]}."), name
    assert f"'{' '.join(f'{name}=={version}' for name, version in tested.items())}'" in text(
        ".ci/run"
    )


def test_linters_are_of_one_version():
    pins = re.findall(r'"(\w+==.*?)"', text(".pre-commit-config.yaml"))
    assert pins
    assert set(pins) <= set(listed("options.extras_require", "lint"))


def test_every_extra_is_explained():
    needs = text("README.md").partition("## What it needs")[2].partition("\n## ")[0]
    for extra in SETUP["options.extras_require"]:
        assert f"`{extra}`" in needs or f"[{extra}]" in needs, extra


def test_a_test_file_that_cannot_be_imported_fails(tmp_path):
    for name in ("pyproject.toml", "tests/conftest.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text(name), "utf-8")
    broken = "from torchlite.nn import nowhere\n\ndef test_nothing():\n    pass\n"
    (tmp_path / "tests" / "test_broken.py").write_text(broken)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unable to import module" in done.stdout


def test_badges_say_what_is_so():
    badges = re.findall(
        r"^!\[([^]]*)\]\(https://img\.shields\.io/badge/(.*)\)$", text("README.md"), re.M
    )
    shown = [re.sub("-(?!-)", ": ", unquote(said).rsplit("-", 1)[0], count=1) for _, said in badges]
    pythons = " | ".join(pythons_of_nox())
    assert shown == ["licence: BSD--3--Clause", f"python: {pythons}", "needs: NumPy alone"]
    assert SETUP["metadata"]["license"] == "BSD-3-Clause"
    assert listed("options", "install_requires") == ["numpy>=2.0"]
    assert [words for words, _ in badges] == [
        "Licence: BSD-3-Clause",
        f"Python: {', '.join(pythons_of_nox())}",
        "needs NumPy alone",
    ]


def test_the_tests_do_not_need_a_browser():
    assert "selenium" not in listed("options.extras_require", "test")
    assert listed("options.extras_require", "browser") == ["anywidget", "selenium"]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for code, _, shown, target in index_page.LINK.findall(text(page)):
        if code or "://" in target:
            continue
        name, _, heading = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), f"{page}: [{shown}]({target})"
        if heading:
            titles = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.M)
            assert heading in map(anchor, titles), f"{page}: [{shown}]({target})"


def anchor(title):
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_the_index_page_has_absolute_links_alone():
    page = index_page.absolute(text("README.md"), "https://example.org/t", "1.2")
    links = [
        (image, target) for code, image, _, target in index_page.LINK.findall(page) if not code
    ]
    assert ("!", "https://example.org/t/raw/v1.2/docs/backprop_page.png") in links
    assert ("", "https://example.org/t/blob/v1.2/examples") in links
    assert all("://" in target for _, target in links)
    assert page.count("](") == text("README.md").count("](")


def test_without_an_address_the_index_page_says_so(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["index_page.py", "--write"])
    monkeypatch.setattr(index_page, "published_at", lambda: None)
    with pytest.raises(SystemExit, match=r"^setup\.cfg has no url under \[metadata\]"):
        index_page.main()


def test_the_page_for_the_index_is_written_over_readme(monkeypatch, tmp_path):
    (tmp_path / "setup.cfg").write_text("[metadata]\nurl = https://example.org/t/\n", "utf-8")
    (tmp_path / "README.md").write_text("[a](b.md)\n", "utf-8")
    monkeypatch.setattr(index_page, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["index_page.py", "--write"])
    index_page.main()
    expected = f"[a](https://example.org/t/blob/v{torchlite.__version__}/b.md)\n"
    assert (tmp_path / "README.md").read_text("utf-8") == expected


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info < (3, 12), reason="it needs Linux and Python 3.12"
)
def test_what_no_test_notices_is_shown(tmp_path):
    (tmp_path / "small.py").write_text(
        "def above(x):\n    return x > 2\n\ndef unused(x):\n    return not x\n", "utf-8"
    )
    (tmp_path / "test_small.py").write_text(
        "from small import above\n\n"
        "def test_above():\n    assert above(3)\n    assert above(1) is False\n",
        "utf-8",
    )
    command = [sys.executable, ROOT / ".ci" / "mutants.py", "small.py", "--", "test_small.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[:4] == [
        "small.py:2: x > 2  ->  x >= 2",
        "small.py:5: return not x  ->  return None  (no test takes it)",
        "small.py:5: not x  ->  x  (no test takes it)",
        "small.py: 3 of 6 survive, 6 there are",
    ]
