"""SUN397 from made scenes of its schema: splits, the network, a whole run."""

import pathlib
from importlib.util import find_spec

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds

from helpers.made_datasets import colour_of
from helpers.made_datasets import encoded
from helpers.made_datasets import in_stored_order
from helpers.made_datasets import number_of
from helpers.made_datasets import write
from helpers.tiny import with_mlp
from tasks import sun397
from tasks.data.small_images import split_in_order
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.runs import runner

pytestmark = pytest.mark.no_backend
SCENES = ["/a/abbey", "/a/airplane_cabin", "/y/youth_hostel"]
COUNTS = [62, 80, 55]


def scene(number, label):
    """A wide or a high photograph, whose centre square has the number's colour."""
    side, margin = 33 + number % 20, 1 + number % 7
    size = (side, side + 2 * margin, 3)
    pixels = np.full(size, 255, "uint8")
    pixels[:, margin:-margin] = colour_of(number)
    if number % 2:
        pixels = pixels.swapaxes(0, 1)
    return {"image": encoded(pixels), "label": label, "file_name": str(number)}


def made(folder, counts):
    features = tfds.features.FeaturesDict(
        {
            "file_name": tfds.features.Text(),
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=SCENES),
        }
    )
    labels = np.repeat(np.arange(len(counts)), counts)
    scenes = {i: scene(i, label) for i, label in enumerate(labels)}
    write(folder, "sun397", "4.0.0", features, scenes, config="tfds")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("sun"), COUNTS)


def settings(folder, *flags):
    return parse(sun397.TASK, [f"--data_dir={folder}", *flags])


def test_of_each_class_10_are_for_validation_and_40_for_the_test(folder):
    data = sun397.load(settings(folder))
    assert data.class_names == SCENES
    assert data.class_counts.tolist() == [12, 30, 5]
    stored = in_stored_order(sun397.VERSION, folder)
    cuts = {"validation": (0, 10), "test": (10, 50), "train": (50, None)}
    for part, cut in cuts.items():
        images, labels = getattr(data, part)
        expected = [
            (int(record["file_name"]), k)
            for k in range(3)
            for record in [r for r in stored if r["label"] == k][slice(*cut)]
        ]
        if keras.config.image_data_format() == "channels_first":
            images = np.moveaxis(images, 1, -1)
        found = zip(number_of(images), labels.tolist(), strict=True)
        assert list(found) == expected
        assert (images == images[:, :1, :1]).all()  # Nothing of the margins.


def test_the_published_ratio_follows_from_the_images_that_tfds_lists():
    lists = pathlib.Path(tfds.__file__).parent / "image_classification"
    names = [
        line.rpartition("/")[0]
        for split in ("tr", "va", "te")
        for line in (lists / f"sun397_tfds_{split}.txt").read_text().split()
    ]
    class_names, labels = np.unique(names, return_inverse=True)
    train, validation, test = split_in_order(labels, class_names, 10, 40)
    counts = np.bincount(labels[train])
    assert len(counts) == 397
    assert len(train) + len(validation) + len(test) == 108_753
    assert (len(validation), len(test)) == (3970, 15_880)
    assert round(counts.max() / counts.min(), 1) == 46.2


def test_a_class_with_too_few_images_is_named(tmp_path):
    folder = made(tmp_path, [51, 50, 51])
    with pytest.raises(UserError, match="Class /a/airplane_cabin has 50 images"):
        sun397.load(settings(folder))


@pytest.mark.skipif(find_spec("cv2") is not None, reason="needs it to be missing")
def test_without_opencv_nothing_is_downloaded(tmp_path):
    with pytest.raises(UserError, match="pip install opencv-python-headless"):
        sun397.load(settings(tmp_path))


def test_the_network_is_the_papers(folder):
    network = sun397.build(sun397.load(settings(folder)), "dense", settings(folder))
    assert network.name == "preact_resnet18"
    assert network.output_shape == (None, 3)


def test_a_run_goes_from_scenes_to_results(folder, tmp_path):
    flags = ["--epochs=2", "--defer_epoch=1", "--method=drs", "--batch_size=16"]
    flags += [f"--out_dir={tmp_path}"]
    task = with_mlp(sun397.TASK)
    (result,) = runner.run(task, settings(folder, *flags)).values()
    assert result["class_names"] == SCENES
    assert np.sum(result["confusion_matrix"], axis=1).tolist() == [40] * 3
    assert (tmp_path / "confusion_matrix.png").exists()
