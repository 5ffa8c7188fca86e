"""The kit for a GPU machine without a network: what is in it."""

import importlib.metadata
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from gpu_kit import pack

from tasks import cifar_lt
from tasks.data import packed_images
from tasks.experiment.settings import parse

pytestmark = pytest.mark.no_backend
NAMES = [f"class {k}" for k in range(10)]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """A CIFAR-10 of 100 images a class, each of a colour of its own, and 20 to test."""
    folder = tmp_path_factory.mktemp("data")
    numbers = np.arange(1020)
    colours = np.stack([numbers % 256, numbers // 256, 7 + 0 * numbers], axis=-1)
    images = np.broadcast_to(colours[:, None, None], (1020, 32, 32, 3)).astype("uint8")
    splits = [(part, np.arange(len(part)) % 10) for part in np.split(images, [1000])]
    packed_images.write(folder / "cifar10.npz", splits, NAMES, "colours")
    return folder


@pytest.fixture(scope="module")
def kit(data_dir, tmp_path_factory):
    """A kit without wheels, which take a network."""
    if not (pack.ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    folder = tmp_path_factory.mktemp("made") / "kit"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pack, "wheels", lambda folder: None)
        patched.setattr(sys, "argv", ["", str(folder), f"--data_dir={data_dir}"])
        pack.main()
    return folder


def test_a_kit_holds_what_is_run_and_neither_tests_nor_results(kit):
    assert {path.name for path in kit.iterdir()} == {"checkout", "data", "run.sh"}
    expected = {"keras_m2m", "tasks", "benchmarks", "LICENSE", "COMMIT"}
    assert {path.name for path in (kit / "checkout").iterdir()} == expected
    assert (kit / "checkout" / "benchmarks" / "m2m_step.py").is_file()
    assert len((kit / "checkout" / "COMMIT").read_text().strip()) == 10


def test_the_images_of_a_kit_make_the_same_data_as_all_images(kit, data_dir):
    ours, whole = (
        cifar_lt.load(parse(cifar_lt.TASK, [f"--data_dir={folder}"]))
        for folder in (kit / "data", data_dir)
    )
    assert ours.class_counts.tolist() == [100, 59, 35, 21, 12, 7, 4, 2, 1, 1]
    for part in ("train", "validation", "test"):
        for one, other in zip(getattr(ours, part), getattr(whole, part), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_folder_that_is_no_kit_stays(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path)])
    with pytest.raises(SystemExit, match="is no kit"):
        pack.main()
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_kit_that_is_too_large_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(bytes(100))
    assert pack.check_size(tmp_path) == 100
    monkeypatch.setattr(pack, "LARGEST", 99)
    with pytest.raises(SystemExit, match="has 100 bytes; expected at most 99"):
        pack.check_size(tmp_path)


def test_wheels_are_of_the_versions_that_are_installed_here():
    version = importlib.metadata.version("keras")
    assert pack.pinned("# A comment.\nkeras  # another\n\n") == [f"keras=={version}"]
    listed = (pathlib.Path(pack.__file__).parent / "wheels.txt").read_text()
    assert f"keras=={version}" in pack.pinned(listed)
    assert not [name for name in pack.pinned(listed) if name.startswith("tensorflow")]


def test_the_script_of_a_kit_is_bash():
    script = pathlib.Path(pack.__file__).with_name("run.sh")
    subprocess.run(["bash", "-n", script], check=True)
