"""Make a notebook of every tutorial's program, with its last network as a page at the end.

python examples/notebooks/make_notebooks.py            write the notebooks beside this file
"""

import ast
import json
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = HERE.parent

# What is traced at the end: network, input, criterion, target.
LAST = {
    "chain_rule": "layer, column(1, 2, 3, 4), total, column(2, 4, 6, 8)",
    "fit_a_curve": "relu, x[:10], nn.MSECriterion(), y[:10]",
    "linear_regression": "l1, x, c1, y",
    "module_internals": "l2, x, nn.MSECriterion(), dj_dy",
    "sgd_by_sample": "layer([1]), tensor(2), criterion, tensor(4)",
    "step_by_hand": "net, x, criterion, y",
}

# A notebook has no command line and no file of its own.
CURVE = """\
with np.load("../fit_a_curve.npz") as reference:
    x, y = reference["x"], reference["y"]
    relu = network(reference, relu=True)
print(*train(relu, x, y), sep="\\n")"""


def notebook(name):
    """Return the notebook of an example, as text."""
    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    text, cells = blocks(source)
    if name == "fit_a_curve":
        text = text.split("\n\n    python ")[0]
        cells = [cell for cell in cells if not cell.startswith(("REFERENCE", "def main", "if __n"))]
        cells = [
            cell.replace("import argparse\nfrom pathlib import Path\n\n", "") for cell in cells
        ]
        cells.append(CURVE)
    text = text.split("\n\n    python ")[0]
    last = f"from torchlite.stepping import trace\n\ntrace({LAST[name]})"
    made = [
        {"cell_type": "markdown", "id": "text", "metadata": {}, "source": "# " + text},
        *(code(f"code-{i}", cell) for i, cell in enumerate(cells)),
        {
            "cell_type": "markdown",
            "id": "step",
            "metadata": {},
            "source": "One forward and backward, step by step. Click an entry of a table.",
        },
        code("page", last),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": made,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def code(identity, source):
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identity,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def blocks(source):
    """Return the docstring, and the program in pieces that end at an empty line outside."""
    lines = source.splitlines()
    docstring, *statements = ast.parse(source).body
    cells, start = [], docstring.end_lineno
    for before, after in zip(statements, [*statements[1:], None], strict=True):
        end = before.end_lineno
        imports = isinstance(before, (ast.Import, ast.ImportFrom)) and isinstance(
            after, (ast.Import, ast.ImportFrom)
        )
        if after is None or (not lines[end].strip() and not imports):
            cells.append("\n".join(lines[start:end]).strip("\n"))
            start = end
    return ast.get_docstring(ast.parse(source)), cells


if __name__ == "__main__":
    for name in LAST:
        (HERE / f"{name}.ipynb").write_text(notebook(name), encoding="utf-8")
