"""Builds the sdist and the wheel from what git knows of, and tests both.

python .ci/dist.py               everything
python .ci/dist.py tests/a.py    these tests only

The sdist must hold every file, and its tests must pass where it is unpacked. The wheel must hold
the package and nothing else, although an older build has left a module behind, and must pass the
tests installed, from a folder that has no torchlite in it.
"""

import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(tests):
    files = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(files, cwd=ROOT, check=True, capture_output=True, text=True)
    known = {name for name in listed.stdout.split("\n") if (ROOT / name).is_file()}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        source, built, elsewhere = work / "source", work / "built", work / "elsewhere"
        for name in [*known, "build/lib/torchlite/deleted.py"]:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes() if name in known else b"")
        venv.create(work / "venv", with_pip=True)
        scripts = work / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        pip, python, pytest = scripts / "pip", scripts / "python", scripts / "pytest"

        run(work, pip, "install", "-q", "build")
        run(work, python, "-m", "build", "--sdist", "--wheel", "--outdir", built, source)
        (sdist,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
        with tarfile.open(sdist) as archive:
            archive.extractall(work, filter="data")
        unpacked = work / sdist.name.removesuffix(".tar.gz")
        must_be_none("the sdist lacks", known - names(unpacked))
        with zipfile.ZipFile(wheel) as archive:
            held = {name for name in archive.namelist() if ".dist-info/" not in name}
        package = {name for name in known if name.startswith("torchlite/")}
        must_be_none("the wheel lacks", package - held)
        must_be_none("the wheel has", held - package)

        run(work, pip, "install", "-q", f"{wheel}[test]")
        print("==> the sdist's tests", flush=True)
        run(unpacked, python, "-m", "pytest", "-q", *tests)
        print("==> the same tests of the wheel", flush=True)
        elsewhere.mkdir()
        # A folder without it stands behind the wheel's package, wherever on the path.
        (unpacked / "torchlite" / "__init__.py").unlink()
        paths = [unpacked / test for test in tests] or [unpacked / "tests"]
        run(elsewhere, pytest, "-q", "-c", unpacked / "pyproject.toml", *paths)


def run(folder, *command):
    subprocess.run([str(part) for part in command], cwd=folder, check=True)


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def must_be_none(problem, files):
    if files:
        sys.exit(f"{problem}: {', '.join(sorted(files))}")


if __name__ == "__main__":
    main(sys.argv[1:])
