"""ImageNet-LT: what is read of real files of its schema, and how images are cropped."""

import functools
import io
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow_datasets as tfds
import tiny
from PIL import Image
from tensorflow_datasets.datasets.imagenet2012 import imagenet_common

from keras_m2m import ResampledDataset
from tasks import encoded_images
from tasks import imagenet_lt
from tasks import runner
from tasks.encoded_images import CentreCrops
from tasks.encoded_images import EncodedImages
from tasks.encoded_images import random_box
from tasks.encoded_images import random_crops
from tasks.settings import parse
from tasks.task import Data
from tasks.task import Task
from tasks.task import UserError

NAMES = ["n01440764", "n01443537", "n02085620", "n15075141"]
COUNTS = {"train": [3, 26, 9, 5], "validation": [2] * 4, "test": [3] * 4}
SIZE = 16
# Red grows by 2 a column, green by 1 a row, whatever is cut and resampled.
SLOPES = np.array([2.0, 1.0])


def ramp(width, height, form="PNG"):
    """An image file whose pixels say where they are."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([2 * x, y, np.full_like(x, 99)], -1).clip(0, 255)
    file = io.BytesIO()
    options = {"quality": 98, "subsampling": 0} if form == "JPEG" else {}
    Image.fromarray(pixels.astype("uint8")).save(file, form, **options)
    return file.getvalue()


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
        builder = tfds.builder("imagenet_lt", data_dir=path, file_format="array_record")
        splits = {split: records(split) for split in COUNTS}
        patch.setattr(builder, "_split_generators", lambda manager, *rest: splits)
        builder.download_and_prepare()
        yield path


def settings(folder, *flags):
    flags = ["--network=resnet8", f"--image_size={SIZE}", *flags]
    return parse(imagenet_lt.TASK, [f"--data_dir={folder}", *flags])


@pytest.fixture(scope="module")
def data(folder):
    return imagenet_lt.load(settings(folder))


class Rows(list):
    """Records in a list, which notes those that are read."""

    def __init__(self, images):
        names = (f"image {i}".encode() for i in range(len(images)))
        super().__init__(
            {"image": image, "file_name": name}
            for image, name in zip(images, names, strict=True)
        )
        self.read = []

    def __getitem__(self, row):
        self.read.append(row)
        return super().__getitem__(row)


def channels_last(images):
    first = keras.config.image_data_format() == "channels_first"
    return np.moveaxis(images, 1, -1) if first else images


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


# Cropping.


def ramp_values(box, size):
    """Red and green at the middle of each resampled pixel, `(size, size, 2)`."""
    left, top, right, bottom = box
    middles = (np.arange(size) + 0.5) / size
    x = left + middles * (right - left) - 0.5
    y = top + middles * (bottom - top) - 0.5
    return np.stack(np.meshgrid(SLOPES[0] * x, SLOPES[1] * y), -1) / 255


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("width, height", [(120, 80), (64, 128), (100, 100)])
def test_tests_see_the_middle_seven_eighths_of_the_shorter_side(width, height, form):
    images = EncodedImages(Rows([ramp(width, height, form)]), "ramps")
    stream = CentreCrops(images, SIZE)
    found = stream[np.array([0])]
    assert found.dtype == "float32"
    assert stream.shape == found.shape
    half = 7 / 8 * min(width, height) / 2
    x, y = width / 2, height / 2
    expected = ramp_values((x - half, y - half, x + half, y + half), SIZE)
    # Half a step of pixels; JPEG loses up to two more.
    atol = (0.6 if form == "PNG" else 2.6) / 255
    np.testing.assert_allclose(channels_last(found)[0, ..., :2], expected, atol=atol)


def test_training_sees_the_box_that_was_drawn_and_flips_it():
    width, height, n = 120, 90, 60
    images = EncodedImages(Rows([ramp(width, height)] * n), "ramps")[np.arange(n)]
    crops = channels_last(random_crops(images, np.random.default_rng(3).spawn(n), SIZE))
    flips = 0
    for crop, rng in zip(crops, np.random.default_rng(3).spawn(n), strict=True):
        box, flip = random_box(width, height, rng)
        flips += flip
        crop = crop[:, ::-1] if flip else crop
        inside = slice(1, -1)  # At the image's edge the filter has no other side.
        np.testing.assert_allclose(
            crop[inside, inside, :2],
            ramp_values(box, SIZE)[inside, inside],
            atol=0.6 / 255,
        )
    assert 0 < flips < n


def test_random_boxes_have_the_fields_areas_aspects_and_places():
    rng = np.random.default_rng(0)
    drawn = [random_box(500, 375, rng) for _ in range(2000)]
    left, top, right, bottom = np.array([box for box, _ in drawn]).T
    assert min(left.min(), top.min()) == 0
    assert (right.max(), bottom.max()) == (500, 375)
    w, h = right - left, bottom - top
    areas, aspects = w * h / (500 * 375), w / h
    # Sides are whole pixels, of which the shortest has some ninety.
    assert 0.079 < areas.min() < 0.09
    assert 0.95 < areas.max() <= 1
    assert 0.745 < aspects.min() < 0.77
    assert 1.3 < aspects.max() < 1.345
    assert np.mean([flip for _, flip in drawn]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("width, height, expected", [(1000, 30, 40), (30, 1000, 30)])
def test_of_an_image_too_narrow_the_middle_is_taken(width, height, expected):
    """One in which no allowed aspect has 8 % of the area in ten draws."""
    box, _ = random_box(width, height, np.random.default_rng(0))
    left, top, right, bottom = box
    assert right - left == pytest.approx(expected)
    assert (left + right, top + bottom) == (width, height)
    ratio = (right - left) / (bottom - top)
    assert ratio == pytest.approx(4 / 3 if width > height else 3 / 4)


def test_grey_and_transparent_images_become_colours():
    files = []
    for mode in ("L", "RGBA", "CMYK"):
        files.append(io.BytesIO())
        Image.new(mode, (20, 20)).save(files[-1], "TIFF")
    images = EncodedImages(Rows([file.getvalue() for file in files]), "modes")
    assert channels_last(CentreCrops(images, 8)[np.arange(3)]).shape == (3, 8, 8, 3)


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


def test_parts_join_to_the_batch_of_one_process_and_read_no_other_rows():
    images = Rows([ramp(40 + i, 40) for i in range(16)])
    arguments = {
        "y": np.arange(16) % 2,
        "batch_size": 8,
        "augment": functools.partial(random_crops, size=SIZE),
    }
    whole = ResampledDataset(EncodedImages(images, "ramps"), **arguments)[1]
    images.read.clear()
    parts = [
        ResampledDataset(EncodedImages(images, "ramps"), shard=(i, 2), **arguments)[1]
        for i in range(2)
    ]
    assert len(images.read) == 8
    for joined, expected in zip(zip(*parts), whole, strict=True):
        np.testing.assert_array_equal(np.concatenate(joined), expected)


def test_memory_does_not_grow_with_the_batches_read(data):
    dataset = batches(data, epochs=8, batch_size=16)
    batch = 16 * SIZE * SIZE * 3 * 4
    for index in range(3):  # Threads and caches come with the first.
        dataset[index]
    tracemalloc.start()
    try:
        dataset[3]
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for index in range(4, len(dataset)):
            dataset[index]
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < batch
    assert peak - before < 8 * batch


# Mistakes.


def test_missing_archives_say_which_files_go_where(tmp_path):
    with pytest.raises(UserError) as raised:
        imagenet_lt.load(settings(tmp_path))
    for text in (*imagenet_lt.ARCHIVES, str(tmp_path / "downloads" / "manual")):
        assert text in str(raised.value)


def test_a_preparation_that_has_no_random_access_says_how_to_convert_it(tmp_path):
    place = tmp_path / "imagenet_lt" / "1.0.0"
    place.mkdir(parents=True)
    (place / "imagenet_lt-train.tfrecord-00000-of-00001").touch()
    with pytest.raises(UserError, match="tfds convert_format"):
        imagenet_lt.load(settings(tmp_path))


def test_a_damaged_image_ends_training_by_an_error_that_names_it(tmp_path):
    images = Rows([ramp(20, 20, "JPEG")] * 24)
    images[5]["image"] = images[5]["image"][:-200]
    y = np.arange(24) % 3
    test = CentreCrops(EncodedImages(Rows([ramp(20, 20)] * 3), "test"), 8)

    def load(settings):
        return Data(
            train=(EncodedImages(images, "train"), y),
            validation=(test, np.arange(3)),
            test=(test, np.arange(3)),
            class_names=["a", "b", "c"],
            source="ramps",
            bounds=(0.0, 1.0),
            augment=functools.partial(random_crops, size=8),
        )

    def build(data, head, settings):
        inputs = keras.Input(data.sample_shape)
        return keras.Model(
            inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs))
        )

    task = Task("ramps", load, build, {}, {})
    own = tiny.settings(method="erm", batch_size=8, out_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"^the image image 5 cannot be decoded"):
        runner.run(task, own)


def test_rows_that_cannot_be_read_name_the_data():
    class Broken(Rows):
        def __getitem__(self, row):
            raise RuntimeError("checksum")

    with pytest.raises(UserError, match=r"^some images cannot be read: checksum"):
        CentreCrops(EncodedImages(Broken([b""]), "some images"), 8)[np.array([0])]


# All of it.


def test_m2m_trains_on_it(folder, tmp_path):
    flags = [
        "--epochs=2",
        "--defer_epoch=1",
        "--batch_size=16",
        "--gamma=0",
        "--beta=0",
    ]
    flags += ["--gamma=0", "--beta=0", f"--out_dir={tmp_path}"]
    own = settings(folder, *flags)
    result = runner.run(imagenet_lt.TASK, own)["m2m"]
    assert result["class_counts"] == COUNTS["train"]
    assert np.sum(result["confusion_matrix"]) == sum(COUNTS["test"])
    assert 0 < result["acceptance_rate"] <= 1
    f = keras.saving.load_model(tmp_path / "f.keras")
    assert f.input_shape[1:] == imagenet_lt.load(own).sample_shape
