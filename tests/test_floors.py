"""The house's floors: nothing imports from a floor above its own; importing is cheap."""

import ast
import builtins
import configparser
import inspect
import re
import subprocess
import sys
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

import pytest

import torchlite

PACKAGE = Path(torchlite.__file__).parent

# Where a module lives -> what of torchlite it may know. Longest name first.
FLOORS = {
    "errors": set(),
    "elsewhere": set(),
    "random": {"errors"},
    "progress": {"errors"},
    "kernels": {"errors", "elsewhere", "random", "progress", "kernels"},
    "nn": {"errors", "elsewhere", "random", "progress", "kernels", "nn"},
    "optim": {"errors", "elsewhere", "random", "progress", "kernels", "optim"},
    "datasets": {"errors", "elsewhere", "random", "progress", "datasets"},
    "testing": {"errors", "elsewhere", "random", "progress", "kernels", "nn", "testing"},
    "serial": {"errors", "elsewhere", "random", "progress", "kernels", "nn", "serial"},
    "distributed": {
        "errors",
        "elsewhere",
        "random",
        "progress",
        "kernels",
        "nn",
        "optim",
        "serial",
        "distributed",
    },
    "interop": {
        "errors",
        "elsewhere",
        "random",
        "progress",
        "kernels",
        "nn",
        "optim",
        "datasets",
        "serial",
        "interop",
    },
    "stepping": {
        "errors",
        "elsewhere",
        "random",
        "progress",
        "kernels",
        "nn",
        "testing",
        "stepping",
    },
    "play": {
        "errors",
        "elsewhere",
        "random",
        "progress",
        "kernels",
        "nn",
        "optim",
        "datasets",
        "testing",
        "stepping",
        "play",
    },
}
# What opens upwards, when it is called: `cuda()` and `cpu()`, and what notebooks show.
UPWARDS = {
    "nn/stateful.py": {"interop"},
    "nn/module.py": {"stepping"},
    "testing/check.py": {"stepping"},
    "testing/network.py": {"stepping"},
}
# The loop beneath SciPy's sparse products, which has no public name.
PRIVATE_ELSEWHERE = {"kernels/blas.py": {"scipy.sparse._sparsetools.csc_matvecs"}}
# These stand above all.
TOP = {"__init__", "__main__", "commands"}


def modules():
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse((PACKAGE / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports by full names only"
            yield node.module
            if node.module == "torchlite":
                yield from (f"torchlite.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules())
def test_nothing_imports_from_above(path):
    place = path.split("/")[0].removesuffix(".py")
    if place in TOP:
        return
    known = FLOORS[place] | UPWARDS.get(path, set())
    for name in imported(path):
        if name.startswith("torchlite."):
            assert name.split(".")[1] in known, f"{path} imports {name}"


@pytest.mark.parametrize("path", modules())
def test_what_is_private_stays_where_it_is(path):
    """A file with an underscore is its folder's, a name with one its file's."""
    where = f"torchlite.{path.removesuffix('.py').replace('/', '.')}".split(".")
    for node in ast.walk(ast.parse((PACKAGE / path).read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            private = [i for i, part in enumerate(parts) if re.match("_(?!_)", part)]
            if name in PRIVATE_ELSEWHERE.get(path, ()):
                continue
            assert all(parts[:i] == where[:i] for i in private), f"{path} imports {name}"


@pytest.mark.parametrize("path", modules())
def test_nothing_is_left_to_assertions(path):
    """What a user passes is refused under python -O, too."""
    tree = ast.parse((PACKAGE / path).read_text("utf-8"))
    asserted = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not asserted, f"{path}: raise an error instead, in lines {asserted}"


def test_the_page_of_the_architecture_has_the_floors():
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition("## Floors\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*)\|$", table, re.MULTILINE)
    assert {where: set(re.findall(r"`(\w+)`", knows)) for where, knows in rows} == FLOORS
    assert all(f"`{name}" in table for name in TOP - {"__init__"})


def test_the_page_of_the_architecture_has_every_error():
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition("## Errors\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| .+ \|$", table, re.MULTILINE)
    public = {
        name: value
        for part in map(partial(getattr, torchlite), sorted(torchlite._PARTS))
        for name in {*dir(part), *getattr(part, "__all__", ())}
        if inspect.isclass(value := getattr(part, name)) and issubclass(value, BaseException)
    }
    assert sorted(name for name, _ in rows) == sorted(public)
    for name, built_in in rows:
        assert issubclass(public[name], getattr(builtins, built_in))
        assert name in sys.modules[public[name].__module__].__all__


@pytest.mark.parametrize("path", modules())
def test_numpy_alone_at_import(path):
    """Everything but NumPy is imported inside the function that needs it."""
    needs_hypothesis = path in {"testing/drawn.py", "testing/strategies.py"}
    needs_sklearn = path == "interop/sklearn.py"
    tree = ast.parse((PACKAGE / path).read_text("utf-8"))
    tried = [inner for node in tree.body if isinstance(node, ast.Try) for inner in node.body]
    for node in [*tree.body, *tried]:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        for name in names:
            top = name.split(".")[0]
            known = top in sys.stdlib_module_names or top in {"numpy", "torchlite"}
            known = known or (needs_sklearn and top == "sklearn")
            assert known or needs_hypothesis, f"{path} imports {name} at the top"


def test_importing_loads_little():
    code = (
        "import sys, numpy; before = set(sys.modules); import torchlite;"
        "loaded = set(sys.modules) - before;"
        "print([name for name in loaded if name.startswith(("
        "'scipy', 'numpy.random', 'torchlite.testing', 'torchlite.optim', 'torchlite.datasets',"
        "'torchlite.interop', 'hypothesis', 'tqdm'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_parts_load_when_first_named():
    code = "import torchlite as t; print(t.datasets.digits().x_train.shape, 'random' in dir(t))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(1437, 64) True"
    with pytest.raises(AttributeError, match="module 'torchlite' has no attribute 'nowhere'"):
        torchlite.nowhere  # noqa: B018


def test_dir_shows_public_names_alone():
    assert dir(torchlite.nn) == sorted(
        [*torchlite.nn.__all__, "graph", "hessian", "init", "recurrent", "tables", "utils"]
    )
    files = {path.stem for path in PACKAGE.iterdir() if path.suffix in {"", ".py"}}
    parts = files - TOP - {"__pycache__", "elsewhere"}
    names = {*dir(torchlite.nn), *parts, "__version__", "manualSeed", "threads"}
    assert dir(torchlite) == sorted(names)
    assert all(hasattr(torchlite, name) for name in names)


def test_type_checkers_see_every_part():
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and node.orelse]
    seen = {
        alias.asname
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module == "torchlite"
        for alias in node.names
    }
    assert seen == torchlite._PARTS


def test_the_index_has_every_class():
    """Every public file in a chapter holds a class, and so does one that has a module."""
    folder, homes = PACKAGE / "nn", torchlite.nn._HOMES
    namesakes = {
        f"recurrent.element_research.{home}": name
        for name, home in torchlite.nn.recurrent.element_research._HOMES.items()
    }
    index = {home: name for name, home in homes.items()} | namesakes
    missing = [
        f"add torchlite/nn/{home.replace('.', '/')}.py, with the class {name}, which is in _HOMES"
        for home, name in index.items()
        if not (folder / f"{home.replace('.', '/')}.py").is_file()
    ]
    for path in sorted(folder.rglob("[!_]*.py")):
        home = ".".join(path.relative_to(folder).with_suffix("").parts)
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                public = "." in home or bases & {"Stateful", *homes}
                if public and index.get(home) != node.name:
                    missing.append(
                        f'add "{node.name}": "{home}" to _HOMES in torchlite/nn/__init__.py'
                    )
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)


def test_every_file_is_installed():
    """What is no module is installed by its pattern in setup.cfg."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[1] / "setup.cfg", "utf-8")
    patterns = [
        f"{package.replace('.', '/')}/{pattern}"
        for package, listed in config["options.package_data"].items()
        for pattern in listed.split()
    ]
    for path in PACKAGE.rglob("*.*"):
        name = path.relative_to(PACKAGE.parent).as_posix()
        known = path.suffix in {".py", ".pyc"} or any(fnmatch(name, p) for p in patterns)
        assert known, f"add {name} to options.package_data in setup.cfg"


def test_a_star_import_brings_classes_alone():
    space = {}
    exec("from torchlite import *", space)
    names = set(space) - {"__builtins__"}
    assert {"Linear", "Sequential", "Module"} <= names
    assert all(isinstance(space[name], type) for name in names)


@pytest.mark.parametrize("path", [path for path in modules() if path.endswith("checks.py")])
def test_a_check_that_only_raises_says_so(path):
    """A function that returns what it was given, made right, is called by what it returns."""
    for node in ast.parse((PACKAGE / path).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.returns) == "None":
            named = re.match("_?(must|refuse)_", node.name) or node.name == "locate"
            assert named, f"{path}: {node.name} is no must_ or refuse_"


# What adds up numbers of which there are many, as methods, functions or an operator.
SUMS = {
    "sum",
    "mean",
    "var",
    "std",
    "einsum",
    "dot",
    "vdot",
    "inner",
    "matmul",
    "tensordot",
    "trace",
}
# Booleans are counted exactly; of classes there are few.
COUNTS = {
    "class_simplex_criterion.py",
    "masked_select.py",
    "multi_label_margin_criterion.py",
    "rrelu.py",
}


def test_layers_leave_sums_to_the_kernels():
    found = set()
    for path in (PACKAGE / "nn").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Attribute(attr=name)) if name in SUMS:
                    found.add(path.name)
                case ast.BinOp(op=ast.MatMult()):
                    found.add(path.name)
    assert found == COUNTS


def test_what_stands_beside_the_chapters_is_described():
    described = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text("utf-8")
    files = {file.name for file in (PACKAGE / "nn").glob("*.py*")} - {"__init__.py", "__init__.pyi"}
    assert [name for name in sorted(files) if f"`{name}`" not in described] == []
