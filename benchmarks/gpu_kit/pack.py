"""Packs what a GPU machine without a network needs into one folder.

    python benchmarks/gpu_kit/pack.py build/gpu-kit --data_dir=PATH

`PATH` holds CIFAR-10 as `tasks.cifar_lt` reads it. The folder gets the last commit, the
wheels of `wheels.txt`, the images of CIFAR-LT-10 at rho 100 as `cifar10.npz`, and
`run.sh`, which says how it is used.
"""

import argparse
import importlib.metadata
import io
import pathlib
import shutil
import subprocess
import sys
import tarfile

import numpy as np

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT))
PACKED = ("keras_m2m", "tasks", "benchmarks", "LICENSE")
LARGEST = 60 * 2**20  # Bytes of the folder.
PYTHON = "3.12"
# What pip calls Linux with a C library of 2018 or later, on x86-64.
PLATFORMS = [f"manylinux{age}_x86_64" for age in ("_2_28", "_2_27", "_2_17", "2014")]


def checkout(folder: pathlib.Path) -> None:
    """Write the last commit, and a file that says which it is."""
    command = ["git", "archive", "--format=tar", "HEAD", *PACKED]
    archive = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    shutil.rmtree(folder / "benchmarks" / "results", ignore_errors=True)
    named = ["git", "describe", "--always", "--exclude=*", "--abbrev=10"]
    (folder / "COMMIT").write_bytes(subprocess.check_output(named, cwd=ROOT))
    changed = ["git", "status", "--porcelain", "--untracked-files=no"]
    if subprocess.check_output(changed, cwd=ROOT):
        print("note: changes that are not committed are not packed")


def pinned(listed: str) -> list[str]:
    """`name==version` of each package of a list, as they are installed here."""
    names = [line.partition("#")[0].strip() for line in listed.splitlines()]
    return [f"{name}=={importlib.metadata.version(name)}" for name in names if name]


def wheels(folder: pathlib.Path) -> None:
    """Download the wheels of `wheels.txt` for the Python of the GPU machine."""
    how = ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    how += [f"--python-version={PYTHON}"]
    how += [f"--platform={platform}" for platform in PLATFORMS]
    what = pinned((HERE / "wheels.txt").read_text())
    pip = [sys.executable, "-m", "pip", "download", "--quiet"]
    subprocess.run([*pip, *how, f"--dest={folder}", *what], check=True)


def images(path: pathlib.Path, data_dir: str | None) -> None:
    """Pack the images that CIFAR-LT-10 takes at rho 100, all of the test set."""
    from tasks import cifar_lt
    from tasks.data import packed_images
    from tasks.data.long_tail import tail_counts
    from tasks.data.small_images import first_rows

    (train, test), names, source = cifar_lt.read("cifar10", data_dir)
    largest = np.bincount(train[1]).max()
    # In file order, so that the first of each class are the first of all.
    rows = np.sort(first_rows(train[1], tail_counts(largest, len(names), 100)))
    train = tuple(part[rows] for part in train)
    packed_images.write(path, [train, test], names, source)


def check_size(folder: pathlib.Path) -> int:
    """The bytes of all files; ends the process where they are too many."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > LARGEST:
        sys.exit(f"error: {folder} has {size} bytes; expected at most {LARGEST}")
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="made anew")
    parser.add_argument("--data_dir", help="where CIFAR-10 is")
    options = parser.parse_args()
    folder = options.folder
    if folder.exists() and any(folder.iterdir()) and not (folder / "run.sh").exists():
        sys.exit(f"error: {folder} is no kit; expected a kit or no folder")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    checkout(folder / "checkout")
    images(folder / "data" / "cifar10.npz", options.data_dir)
    wheels(folder / "wheels")
    shutil.copy(HERE / "run.sh", folder)
    print(f"{folder}: {check_size(folder) / 2**20:.1f} MiB. There: bash run.sh SECONDS")


if __name__ == "__main__":
    main()
