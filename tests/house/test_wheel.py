"""The wheel works away from the repository, and holds what it should."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import keras
import pytest

import keras_m2m

ROOT = pathlib.Path(__file__).parents[2]
# What a build may read. `tasks` is among it, to be left out by setup.py.
SOURCES = [
    "keras_m2m",
    "tasks",
    "LICENSE",
    "MANIFEST.in",
    "README.md",
    "pyproject.toml",
    "requirements.txt",
    "setup.py",
]
EXTRAS = [
    "PIL",
    "imblearn",
    "jinja2",
    "keras_hub",
    "matplotlib",
    "pandas",
    "scipy",
    "skops",
    "skrub",
    "sklearn",
    "tensorboard",
]
# Keras imports some extras where they are. To ask for one again fails here.
REPORT = f"""
import json, sys
import keras
sys.modules.update(dict.fromkeys({EXTRAS}))
before = set(sys.modules)
import keras_m2m
added = sorted(set(sys.modules) - before)
has_tensorflow = "tensorflow" in sys.modules
names = [keras_m2m.__file__, keras_m2m.__version__]
print(json.dumps([*names, has_tensorflow, added]))
"""


def pip(*arguments):
    command = [sys.executable, "-m", "pip", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, so that no build folder is left or found in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, source / name)
    offline = ["--no-build-isolation", "--no-deps", "--no-index"]
    pip("wheel", *offline, "--wheel-dir", str(folder), str(source))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def imported(request, tmp_path_factory):
    """What REPORT tells of keras_m2m, imported from the wheel.

    Like the tests of the wheel, PyTorch alone has it; others import its sources.
    """
    target = ROOT
    if keras.config.backend() == "torch":
        wheel = request.getfixturevalue("wheel")
        target = wheel.parent / "site"
        pip("install", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    environment = {
        **os.environ,
        "KERAS_BACKEND": keras.config.backend(),
        "PYTHONPATH": str(target),
    }
    result = subprocess.run(
        [sys.executable, "-c", REPORT],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Backends may print a greeting first.
    file, version, has_tensorflow, added = json.loads(result.stdout.splitlines()[-1])
    assert pathlib.Path(file).is_relative_to(target)
    return {
        "version": version,
        "has_tensorflow": has_tensorflow,
        "added": {name.split(".")[0] for name in added},
    }


@pytest.mark.no_backend
def test_the_wheel_holds_the_library_and_nothing_else(wheel):
    folders = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert folders == {"keras_m2m", f"keras_m2m-{keras_m2m.__version__}.dist-info"}


@pytest.mark.no_backend
def test_the_wheel_holds_every_source_file(wheel):
    files = [
        path.relative_to(ROOT).as_posix()
        for ending in ("py", "json", "html")
        for path in ROOT.glob(f"keras_m2m/**/*.{ending}")
    ]
    assert set(files) <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.no_backend
def test_the_wheel_says_that_it_is_typed(wheel):
    assert "keras_m2m/py.typed" in zipfile.ZipFile(wheel).namelist()


def metadata_of(wheel):
    name = f"keras_m2m-{keras_m2m.__version__}.dist-info/METADATA"
    return zipfile.ZipFile(wheel).read(name).decode().splitlines()


@pytest.mark.no_backend
def test_what_tasks_need_is_no_tensorflow(wheel):
    metadata = metadata_of(wheel)
    needs = [line for line in metadata if line.endswith('extra == "tasks"')]
    assert any("tensorboard" in line for line in needs)
    assert not any("tensorflow" in line for line in needs)


@pytest.mark.no_backend
def test_the_wheel_needs_keras_and_numpy_only(wheel):
    metadata = metadata_of(wheel)
    needs = [line for line in metadata if line.startswith("Requires-Dist:")]
    assert [line.split()[1] for line in needs if "extra ==" not in line] == [
        "keras>=3.15.1",
        "numpy>=2.1",
    ]
    assert "License: Apache-2.0" in metadata


@pytest.mark.no_backend
def test_the_installed_wheel_imports_elsewhere(imported):
    assert imported["version"] == keras_m2m.__version__


def test_tensorflow_is_imported_under_its_own_backend_only(imported):
    assert imported["has_tensorflow"] == (keras.config.backend() == "tensorflow")


def test_importing_adds_no_other_backend_and_asks_for_no_extra(imported):
    others = {"tensorflow", "jax", "torch"} - {keras.config.backend()}
    assert not {*others, "absl", "tasks"} & imported["added"]
