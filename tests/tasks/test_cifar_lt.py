"""CIFAR-LT: both imbalances, made images of its schema, facts of the real ones."""

import os

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds

from helpers.made_datasets import colour_of
from helpers.made_datasets import encoded
from helpers.made_datasets import number_of
from helpers.made_datasets import write
from helpers.tiny import with_mlp
from tasks import cifar_lt
from tasks.data.long_tail import tail_counts
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.runs import runner

pytestmark = pytest.mark.no_backend
DATA = os.environ.get("DATA")
NAMES = [f"fine {k}" for k in range(100)]


def image(i):
    """Number i of the training set, or i - 1000 of the test set."""
    return {
        "id": f"{i:05d}",
        "image": encoded(np.tile(colour_of(i % 1000), (32, 32, 1))),
        "label": i % 100,
        "coarse_label": i % 20,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar")
    features = {
        "id": tfds.features.Text(),
        "image": tfds.features.Image(shape=(32, 32, 3)),
        "label": tfds.features.ClassLabel(names=NAMES),
        "coarse_label": tfds.features.ClassLabel(num_classes=20),
    }
    described = tfds.features.FeaturesDict(features)
    images = {i: image(i) for i in range(2000)}
    splits = ("train", "test")
    write(folder, "cifar100", "3.0.2", described, images, splits=splits)
    return folder


def settings(folder, *flags):
    flags = [f"--data_dir={folder}", "--dataset=cifar100", "--rho=5", *flags]
    return parse(cifar_lt.TASK, flags)


def numbers(images):
    if keras.config.image_data_format() == "channels_first":
        images = np.moveaxis(images, 1, -1)
    return number_of(images)


@pytest.mark.parametrize(
    "dataset, rho, total",
    [(10, 100, 12_406), (10, 10, 20_431), (100, 100, 10_847), (100, 10, 19_573)],
)
def test_the_long_tail_has_the_published_size(dataset, rho, total):
    assert tail_counts(50_000 // dataset, dataset, rho).sum() == total


def test_step_imbalance_halves_the_classes():
    assert tail_counts(5000, 10, 100, "step").tolist() == [5000] * 5 + [50] * 5


@pytest.mark.parametrize("imbalance", ["long_tail", "step"])
def test_a_ratio_above_the_largest_class_says_so(imbalance):
    with pytest.raises(UserError, match="--rho=9 leaves the rarest class"):
        tail_counts(8, 100, 9, imbalance)


def in_file_order(first, counts):
    """Numbers of `c = counts[k]` images of each class k, from the `first` one on."""
    return [
        100 * (first + n) + k for k, count in enumerate(counts) for n in range(count)
    ]


def test_the_classes_of_cifar100_are_its_fine_ones_cut_in_file_order(folder):
    data = cifar_lt.load(settings(folder))
    assert data.class_names == NAMES
    counts = tail_counts(10, 100, 5)
    assert data.class_counts.tolist() == counts.tolist()
    assert numbers(data.train[0]) == in_file_order(0, counts)


def test_the_first_tenth_of_the_test_set_is_validation(folder):
    data = cifar_lt.load(settings(folder))
    assert numbers(data.validation[0]) == in_file_order(0, [1] * 100)
    assert numbers(data.test[0]) == list(range(100, 1000))
    field = cifar_lt.load(settings(folder, "--protocol=field"))
    assert field.validation is None
    assert numbers(field.test[0]) == list(range(1000))


def test_a_run_on_cifar100_with_step_imbalance(folder, tmp_path):
    flags = ["--imbalance=step", "--epochs=2", "--defer_epoch=1", "--method=drs"]
    flags += [f"--out_dir={tmp_path}"]
    task = with_mlp(cifar_lt.TASK)
    (result,) = runner.run(task, settings(folder, *flags)).values()
    assert result["class_counts"] == [10] * 50 + [2] * 50
    assert "step" in result["source"]


@pytest.mark.parametrize("flags, name", [([], "resnet32"), (["--depth=8"], "resnet8")])
def test_the_network_is_resnet32_unless_a_depth_is_given(folder, flags, name):
    own = settings(folder, *flags)
    assert cifar_lt.TASK.build(cifar_lt.load(own), "dense", own).name == name


def test_a_resnet_trains_on_made_images_of_the_real_schema(tmp_path):
    flags = ["--preset=small", "--depth=8", "--largest=20", "--rho=4", "--method=drs"]
    # A batch is a third of the samples: all batches have one shape.
    flags += ["--epochs=2", "--defer_epoch=1", "--batch_size=35"]
    flags += [f"--out_dir={tmp_path}"]
    with tfds.testing.mock_data(num_examples=400):
        (result,) = runner.run(cifar_lt.TASK, parse(cifar_lt.TASK, flags)).values()
    assert result["class_counts"] == [20, 17, 14, 12, 10, 9, 7, 6, 5, 5]
    # The preset's value, where no flag was given.
    assert result["flags"]["drops"] == ["48:0.01", "54:0.01"]
    # A tenth of each class of the test set is for validation.
    assert np.sum(result["confusion_matrix"]) < 400


@pytest.mark.skipif(not DATA, reason="needs the folder named by DATA")
def test_cifar_lt_10_has_the_published_counts_and_a_tenth_of_the_test_set():
    data = cifar_lt.load(parse(cifar_lt.TASK, [f"--data_dir={DATA}/tfds"]))
    assert data.class_counts.tolist() == [
        *(5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50)
    ]
    assert np.bincount(data.validation[1]).tolist() == [100] * 10
    assert np.bincount(data.test[1]).tolist() == [900] * 10
    assert data.train[0].min() == 0
    assert data.train[0].max() == 1
