"""Runs the examples, and stores what they print and draw, for the gallery of the site.

python docs/make_gallery.py            all of them: some minutes
python docs/make_gallery.py segment    this one

It needs the extra `examples`. What is stored in docs/pictures is what a reader of the site sees.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
# PyTorch's part of another example.
LEFT_OUT = {"fit_a_curve_reference"}


def examples() -> list[Path]:
    """Return the programs that are shown, in alphabetical order."""
    return [file for file in sorted(ROOT.glob("examples/*.py")) if file.stem not in LEFT_OUT]


def store(file: Path) -> None:
    """Run a program, in a folder of its own if it draws, and store the results."""
    draws = '"folder", nargs="?"' in file.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, file, *([folder] if draws else [])]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        (PICTURES / f"{file.stem}.txt").write_text(done.stdout, "utf-8")
        for picture in Path(folder).glob("*.png"):
            (PICTURES / f"{file.stem}-{picture.name}").write_bytes(small(picture.read_bytes()))


def small(picture: bytes) -> bytes:
    """Return a picture in 64 colours, which look the same, in a third of the bytes."""
    from PIL import Image  # matplotlib needs it, too

    out = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for file in examples():
        if not sys.argv[1:] or file.stem in sys.argv[1:]:
            store(file)
            print(file.stem)
