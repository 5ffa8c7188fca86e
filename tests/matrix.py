"""Tries the wheel in clean environments: each Python, each backend, oldest and newest.

`make test-matrix` builds wheel and sdist and calls this. A cell, such as
`jax-3.12-oldest`, is a new virtual environment with the wheel, one backend and what
tests/library needs: the oldest versions that the wheel allows, or the newest there are.
Its tests are those of the sdist, in a folder without the library's sources, so that the
wheel is what they import. build/matrix/ keeps a log, versions and a row for each cell.
"""

import argparse
import email
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "build" / "matrix"
BACKENDS = ["jax", "torch", "tensorflow"]
SHOWN = ["keras", "numpy", *BACKENDS, "scikit-learn", "scipy", "pandas", "matplotlib"]
EXTRA = "library-tests"
HEAD = """\
| Python | backend | versions | with | tests | minutes |
|---|---|---|---|---|---|
"""


class Cell(NamedTuple):
    backend: str
    python: str
    versions: str  # "oldest" or "newest"

    @property
    def name(self):
        return "-".join(self)

    @property
    def folder(self):
        return FOLDER / self.name

    @property
    def interpreter(self):
        return self.folder / "venv" / "bin" / "python"


def requirements(wheel, backend):
    """Names and lower bounds of what a cell installs, as the wheel states them."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    pattern = re.compile(r'([\w.-]+)>=([\w.]+)(?:; extra == "(.+)")?')
    found = [pattern.fullmatch(line) for line in metadata.get_all("Requires-Dist")]
    wanted = {None, backend, EXTRA}
    return {one[1]: one[2] for one in found if one and one[3] in wanted}


def run(cell, command, **options):
    """Runs a command of a cell's Python; what it prints goes to the cell's log."""
    with open(cell.folder / "log.txt", "a") as log:
        subprocess.run(
            [cell.interpreter, "-m", *command],
            check=True,
            stdout=log,
            stderr=subprocess.STDOUT,
            **options,
        )


def install(cell, interpreter, wheel):
    shutil.rmtree(cell.folder, ignore_errors=True)
    cell.folder.mkdir(parents=True)
    subprocess.run([interpreter, "-m", "venv", cell.folder / "venv"], check=True)
    constraints = cell.folder / "constraints.txt"
    if cell.versions == "oldest":
        oldest = requirements(wheel, cell.backend).items()
        constraints.write_text("".join(f"{name}=={bound}\n" for name, bound in oldest))
    else:
        constraints.touch()
    # Wheels alone: what must be compiled first is not for every user.
    options = [
        "-q",
        "--no-compile",
        "--only-binary=:all:",
        f"--constraint={constraints}",
    ]
    run(cell, ["pip", "install", *options, f"{wheel}[{cell.backend},{EXTRA}]"])
    run(cell, ["pip", "check"])


def versions(cell):
    """Version by package, of all that is installed."""
    command = [cell.interpreter, "-m", "pip", "list", "--format=freeze"]
    lines = subprocess.check_output(command, text=True).splitlines()
    (cell.folder / "versions.txt").write_text("\n".join(lines) + "\n")
    return dict(line.split("==") for line in lines)


def test(cell, sdist, options):
    """Runs the sdist's tests of the library, with nothing but the wheel to import."""
    with tarfile.open(sdist) as archive:
        archive.extractall(cell.folder, filter="data")
    source = cell.folder / sdist.name.removesuffix(".tar.gz")
    shutil.rmtree(source / "keras_m2m")
    environment = {**os.environ, "KERAS_BACKEND": cell.backend}
    environment.pop("PYTHONPATH", None)
    command = ["pytest", "-q", "-p", "no:cacheprovider", *options.tests]
    if cell.versions == "oldest":
        # Of what newer packages beside them deprecate.
        command += ["-W", "default::DeprecationWarning", "-W", "default::FutureWarning"]
    run(cell, command, cwd=source, env=environment, timeout=60 * options.minutes)


def outcome(cell):
    """`"812 passed, 9 skipped"`, or the last line of the log where there is none."""
    last = (cell.folder / "log.txt").read_text().strip().splitlines()[-1]
    found = re.search(r"(\d+ \w+(?:, \d+ \w+)*) in [\d.]+s", last)
    return found[1] if found else last


def tried(cell, interpreter, wheel, sdist, options):
    """Whether a cell passes; its row of the table is written either way."""
    begun, installed, passed = time.monotonic(), {}, False
    try:
        install(cell, interpreter, wheel)
        installed = versions(cell)
        test(cell, sdist, options)
        passed, result = True, outcome(cell)
    except subprocess.CalledProcessError:
        result = f"FAILED: {outcome(cell)}"
    except subprocess.TimeoutExpired:
        result = f"FAILED: not done after {options.minutes} minutes"
    shown = ", ".join(f"{n} {installed[n]}" for n in SHOWN if n in installed)
    took = round((time.monotonic() - begun) / 60)
    facts = [cell.python, cell.backend, cell.versions, shown, result, str(took)]
    (cell.folder / "row.md").write_text(f"| {' | '.join(facts)} |\n")
    if passed and not options.keep:
        shutil.rmtree(cell.folder / "venv")
    return passed


def version_of(interpreter):
    ask = "import sys; print('{}.{}'.format(*sys.version_info))"
    return subprocess.check_output([interpreter, "-c", ask], text=True).strip()


def chosen(names, pythons):
    """The cells of these names, or all."""
    every = itertools.product(BACKENDS, pythons, ["newest", "oldest"])
    cells = [Cell(*each) for each in every]
    if unknown := set(names) - {cell.name for cell in cells}:
        known = " ".join(cell.name for cell in cells)
        sys.exit(f"error: no such cell: {' '.join(unknown)}. Expected some of: {known}")
    return [cell for cell in cells if not names or cell.name in names]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs="*", default=[], help="as jax-3.12-oldest")
    parser.add_argument("--pythons", nargs="+", default=[sys.executable])
    parser.add_argument("--dist", type=pathlib.Path, default=ROOT / "dist")
    parser.add_argument("--minutes", type=int, default=60, help="for a cell's tests")
    parser.add_argument("--tests", nargs="+", default=["tests/library"])
    parser.add_argument("--keep", action="store_true", help="keep each environment")
    return parser.parse_args()


def main():
    options = parsed()
    (wheel,), (sdist,) = options.dist.glob("*.whl"), options.dist.glob("*.tar.gz")
    interpreters = {version_of(python): python for python in options.pythons}
    cells = chosen(options.cells, interpreters)
    passed = [
        tried(cell, interpreters[cell.python], wheel, sdist, options) for cell in cells
    ]
    rows = [path.read_text() for path in sorted(FOLDER.glob("*/row.md"))]
    print(HEAD, *rows, sep="")
    sys.exit(not all(passed))


if __name__ == "__main__":
    main()
