"""ImageNet-LT: what is read of real files of its schema, and how images are cropped."""

import dataclasses
import gc
import io
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.datasets.imagenet2012 import imagenet_common

from helpers.encoded import flat
from helpers.encoded import ramp
from helpers.gradients import to_numpy
from keras_m2m import ResampledDataset
from tasks import imagenet_lt
from tasks.data import encoded_images
from tasks.data.encoded_images import EncodedImages
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.runs import runner

pytestmark = pytest.mark.no_backend
NAMES = ["n01440764", "n01443537", "n02085620", "n15075141"]
COUNTS = {"train": [3, 26, 9, 5], "validation": [2] * 4, "test": [3] * 4}
SIZE = 16


def records(split):
    labels = np.random.default_rng(0).permutation(np.repeat(range(4), COUNTS[split]))
    for i, label in enumerate(labels):
        name = f"{NAMES[label]}_{split}_{i}.JPEG"
        image = io.BytesIO(ramp(60 + i, 110 - 2 * i, "JPEG"))
        yield name, {"image": image, "label": NAMES[label], "file_name": name}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """ImageNet-LT as TensorFlow Datasets writes it, of four classes."""
    path = tmp_path_factory.mktemp("imagenet")
    (path / "names.txt").write_text("\n".join(NAMES))
    with pytest.MonkeyPatch.context() as patch:
        names = lambda: str(path / "names.txt")  # noqa: E731
        patch.setattr(imagenet_common, "label_names_file", names)
        prepare(path, "array_record")
        yield path


def prepare(path, file_format):
    builder = tfds.builder("imagenet_lt", data_dir=path, file_format=file_format)
    splits = {split: records(split) for split in COUNTS}
    builder._split_generators = lambda manager, *rest: splits
    builder.download_and_prepare()


def settings(folder, *flags):
    flags = ["--network=resnet8", f"--image_size={SIZE}", *flags]
    return parse(imagenet_lt.TASK, [f"--data_dir={folder}", *flags])


@pytest.fixture(scope="module")
def data(folder):
    return imagenet_lt.load(settings(folder))


# Batches.


def batches(data, **arguments):
    arguments = {"batch_size": 8, "epochs": 2, "augment": data.augment, **arguments}
    return ResampledDataset(*data.train, **arguments)


def test_batches_follow_from_seed_and_epoch_however_many_threads(data, monkeypatch):
    # The first batch of each epoch, once in a run of both and once in one of its own.
    whole = batches(data, seed=4)
    expected = [whole[0], whole[whole.steps_per_epoch]]
    other = batches(data, seed=5)[0]
    with ThreadPoolExecutor(1) as one:
        monkeypatch.setattr(encoded_images, "_threads", lambda: one)
        for epoch, (x, y) in enumerate(expected):
            again = batches(data, seed=4, first_epoch=epoch)[0]
            np.testing.assert_array_equal(again[0], x)
            np.testing.assert_array_equal(again[1], y)
    assert (other[0] != expected[0][0]).any()


def test_memory_does_not_grow_with_the_batches_read(data):
    dataset = batches(data, epochs=16, batch_size=64)
    batch = 64 * SIZE * SIZE * 3 * 4  # Far above what else the process holds.
    for index in range(3):  # Threads and caches come with the first.
        dataset[index]
    tracemalloc.start()
    try:
        dataset[3]
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for index in range(4, len(dataset)):
            dataset[index]
        gc.collect()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < batch
    assert peak - before < 8 * batch


# Splits and labels.


@pytest.mark.parametrize("protocol", ["m2m", "field"])
def test_its_own_splits_are_kept_in_both_protocols(protocol, folder):
    data = imagenet_lt.load(settings(folder, f"--protocol={protocol}"))
    assert data.class_counts.tolist() == COUNTS["train"]
    assert np.bincount(data.validation[1]).tolist() == COUNTS["validation"]
    assert np.bincount(data.test[1]).tolist() == COUNTS["test"]


def test_labels_are_those_of_the_file_names(data):
    images, labels = data.train
    names = [read()["file_name"].decode() for read in images[np.arange(len(labels))]]
    assert [data.class_names[k] for k in labels] == [n.partition("_")[0] for n in names]


def test_labels_are_read_from_the_records_once(data, folder, monkeypatch):
    def fail(self, rows):
        raise AssertionError("records are read")

    monkeypatch.setattr(EncodedImages, "__getitem__", fail)
    again = imagenet_lt.load(settings(folder))
    np.testing.assert_array_equal(again.train[1], data.train[1])


def test_the_recipe_is_the_papers():
    found = parse(imagenet_lt.TASK, [])
    assert found.network == "resnet50"
    assert (found.image_size, found.batch_size, found.epochs) == (128, 256, 200)
    assert (found.defer_epoch, found.rate_drops) == (160, {160: 0.1, 180: 0.1})
    assert (found.weight_decay, found.learning_rate) == (1e-4, 0.1)


# Mistakes.


def test_missing_archives_say_which_files_go_where(tmp_path):
    with pytest.raises(UserError) as raised:
        imagenet_lt.load(settings(tmp_path))
    for text in (*imagenet_lt.ARCHIVES, str(tmp_path / "downloads" / "manual")):
        assert text in str(raised.value)


def test_what_was_prepared_without_random_access_is_to_be_converted(folder, tmp_path):
    prepare(tmp_path, "tfrecord")
    with pytest.raises(UserError, match="tfds convert_format"):
        imagenet_lt.load(settings(tmp_path))


def test_a_folder_without_the_data_is_to_be_removed(folder, tmp_path):
    (tmp_path / "imagenet_lt" / "1.0.0").mkdir(parents=True)
    with pytest.raises(UserError, match="does not hold ImageNet-LT: remove it"):
        imagenet_lt.load(settings(tmp_path))


# All of it.


def test_the_network_takes_its_images_and_normalises_them_first(data, folder):
    network = imagenet_lt.build(data, "cosine", settings(folder))
    assert network.input_shape[1:] == data.sample_shape
    assert network.output_shape[1:] == (4,)
    mean = to_numpy(network.layers[1].mean).ravel()
    np.testing.assert_allclose(mean, [0.485, 0.456, 0.406], rtol=1e-6)


def test_m2m_trains_on_it(folder, tmp_path):
    flags = ["--epochs=2", "--defer_epoch=1", "--batch_size=16", "--steps=1"]
    flags += ["--gamma=0", "--beta=0", f"--out_dir={tmp_path}"]
    task = dataclasses.replace(imagenet_lt.TASK, build=flat)
    result = runner.run(task, settings(folder, *flags))["m2m"]
    assert result["class_counts"] == COUNTS["train"]
    assert np.sum(result["confusion_matrix"]) == sum(COUNTS["test"])
    assert 0 < result["acceptance_rate"] <= 1
    assert (tmp_path / "translations.png").is_file()


def test_a_dry_run_times_it_without_reading_it_all(folder, tmp_path, capsys):
    flags = ["--dry_run", "--method=erm", f"--out_dir={tmp_path / 'out'}"]
    task = dataclasses.replace(imagenet_lt.TASK, build=flat)
    runner.run(task, settings(folder, "--batch_size=4", *flags))
    output = capsys.readouterr().out
    assert "erm: epochs 0 to 199, plain training" in output
    assert "Memory: 0.0 MiB of samples" in output
    assert not (tmp_path / "out").exists()
