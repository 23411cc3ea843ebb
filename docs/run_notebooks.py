"""Run the tutorials, and store in them what they print and draw.

python docs/run_notebooks.py                               all of them
python docs/run_notebooks.py docs/tutorials/01_*.ipynb     these

Needs the extra `optional`. What has not changed is written as it was.
"""

import base64
import importlib.util
import sys
from pathlib import Path

import nbclient
import nbformat

HERE = Path(__file__).parent
TUTORIALS = HERE / "tutorials"
SPEC = importlib.util.spec_from_file_location("make_gallery", HERE / "make_gallery.py")
make_gallery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_gallery)


def renewed(path):
    """Return the text of a notebook with the outputs of a fresh run."""
    notebook = nbformat.read(path, 4)
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(notebook, resources=where, kernel_name="python3").execute()
    # The versions and times of this run are nobody's business.
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = kept(cell.outputs)
    return nbformat.writes(notebook) + "\n"


def kept(outputs):
    """Return what is stored of a cell's outputs: its text in one piece, and its pictures."""
    text = "".join(output.text for output in outputs if output.output_type == "stream")
    pictures = [
        nbformat.v4.new_output("display_data", {"image/png": small(output.data["image/png"])})
        for output in outputs
        if output.output_type == "display_data"
    ]
    return ([nbformat.v4.new_output("stream", text=text)] if text else []) + pictures


def small(picture):
    """Return a picture in base 64 as one of fewer colours."""
    return base64.b64encode(make_gallery.small(base64.b64decode(picture))).decode() + "\n"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or sorted(TUTORIALS.rglob("*.ipynb"))):
        path.write_text(renewed(path), encoding="utf-8")
        print(path.name, len(path.read_bytes()) // 1000, "kB")
