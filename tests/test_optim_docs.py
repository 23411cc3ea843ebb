"""That all optimizers are exported, documented and in the tests of all."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest
from optimizers import (
    CONFIGURED,
    FIRST_ORDER,
    FOR_DIGITS,
    METHODS,
    STATEFUL,
    STEPWISE,
    file_of,
    methods_in,
)

from torchlite import optim


def documented(name, heading):
    """Return, of an optimizer's docstring, the section under a heading."""
    section = rf"^{heading}\n-+\n(.*?)\n\n\w+\n---"
    doc = inspect.getdoc(getattr(optim, name)) + "\n\nEnd\n---"
    found = re.search(section, doc, re.DOTALL | re.MULTILINE)
    assert found, f"add {heading} to the docstring of {name}"
    return found[1]


@pytest.mark.parametrize("name", CONFIGURED)
def test_the_docs_list_the_config(name):
    listed = dict(re.findall(r"^(\w+)(?: : (.*))?$", documented(name, "Config"), re.MULTILINE))
    keys = METHODS[name].keys
    assert list(listed) == list(keys), f"list the keys of the Method in the Config of {name}"
    for key, text in listed.items():
        default = keys[key].default
        assert text == "" if key == "sigma" else text
        try:
            said = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            said = None  # a formula, or nothing
        assert said == default, f"give the default of {key} of {name}, {default}, in its Config"


@pytest.mark.parametrize("name", STATEFUL)
def test_the_docs_list_the_state(name):
    missing = METHODS[name].state - set(re.findall(r"\w+", documented(name, "State")))
    assert not missing, f"say what {', '.join(sorted(missing))} is in the State of {name}"


@pytest.mark.parametrize("name", optim.__all__)
def test_no_name_is_left_over_from_a_copy(name):
    file, called = file_of(name), f"_{name.upper()}"
    stem, methods = file.__name__.rpartition(".")[2], methods_in(file)
    assert not methods or called in methods or stem.startswith("_"), (
        f"call the Method of {name} {called}, not {', '.join(methods)}"
    )
    for key, method in methods.items():
        assert key == f"_{method.name.upper()}", f'name it Method("{name}", ...), as its function'
    example = documented(name, "Example")
    assert re.search(rf"\b{name}\(", example), f"call {name} in the Example of {name}"
    lua = re.findall(r"optim/(\w+)\.lua", inspect.getdoc(getattr(optim, name)))
    fits = not lua or lua[0].lower() == stem.replace("_", "")
    assert fits, f"name the source of {name} in its Reference"


def test_every_optimizer_is_exported():
    assert optim.__all__ == sorted(optim.__all__)
    for path in Path(optim.__file__).parent.glob("[!_]*.py"):
        file = importlib.import_module(f"torchlite.optim.{path.stem}")
        assert any(vars(file)[name] is vars(optim).get(name) for name in file.__all__), (
            f"export {file.__all__[0]} of torchlite/optim/{path.name} in "
            "torchlite/optim/__init__.py"
        )


def test_every_optimizer_has_settings_for_the_tests_of_all():
    for name in STATEFUL:
        assert getattr(optim, name) in dict(STEPWISE), (
            f"add {name} to STEPWISE in tests/optimizers.py"
        )
    for name in FIRST_ORDER:
        assert name in FOR_DIGITS, f"add {name} to FOR_DIGITS in tests/optimizers.py"
