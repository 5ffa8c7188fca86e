"""CelebA-5 from made faces of CelebA's schema: classes, splits, counts, a whole run."""

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
from tasks import celeba5
from tasks.celeba5 import training_counts
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.runs import runner

pytestmark = pytest.mark.no_backend
HAIR = ["Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair", "Bald"]
NAMES = ["black", "brown", "blond", "gray", "bald"]
# Faces with one of the attributes; with two of them; with none.
ALONE = [176, 172, 168, 160, 158]
TOGETHER = {("Black_Hair", "Gray_Hair"): 8, ("Brown_Hair", "Blond_Hair"): 12}
NONE = 10
TOTALS = [176 + 8, 172 + 12, 168 + 12, 160 + 8, 158]


def face(number, features, hair):
    """A record of CelebA whose colour and landmarks tell its number."""
    pixels = np.tile(colour_of(number), (218, 178, 1))
    # Above and below the centre square, which starts at row 20.
    pixels[:20] = pixels[198:] = 255
    return {
        "image": encoded(pixels, "JPEG"),
        "attributes": {name: name in hair for name in features["attributes"]},
        "landmarks": dict.fromkeys(features["landmarks"], number),
        "identity": dict.fromkeys(features["identity"], 0),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("celeba")
    features = tfds.builder(celeba5.VERSION, data_dir=folder).info.features
    sets = [{hair} for hair, count in zip(HAIR, ALONE) for _ in range(count)]
    sets += [set(hair) for hair, count in TOGETHER.items() for _ in range(count)]
    sets += [{"Bangs"}] * NONE
    faces = {i: face(i, features, hair) for i, hair in enumerate(sets)}
    write(folder, "celeb_a", "2.1.0", features, faces)
    return folder


def settings(folder, *flags):
    return parse(celeba5.TASK, [f"--data_dir={folder}", "--subsample=10", *flags])


def numbers(images):
    if keras.config.image_data_format() == "channels_first":
        images = np.moveaxis(images, 1, -1)
    return number_of(images)


def test_each_class_is_held_out_in_stored_order_and_then_trained_on(folder):
    data = celeba5.load(settings(folder))
    assert data.class_names == NAMES
    stored = in_stored_order(celeba5.VERSION, folder)
    expected = {"validation": [], "test": [], "train": []}
    for hair, total in zip(HAIR, TOTALS):
        alone = [
            int(record["landmarks"]["nose_x"])
            for record in stored
            if [name for name in HAIR if record["attributes"][name]] == [hair]
        ]
        expected["validation"] += alone[:50]
        expected["test"] += alone[50:150]
        expected["train"] += alone[150 : 150 + total // 10]
    # Faces are numbered class by class.
    class_of = np.repeat(range(5), ALONE)
    for part, wanted in expected.items():
        images, labels = getattr(data, part)
        assert numbers(images) == wanted
        assert images.dtype == np.float32
        assert labels.tolist() == class_of[wanted].tolist()


def test_both_protocols_have_the_same_splits(folder):
    own, field = (
        celeba5.load(settings(folder, f"--protocol={protocol}"))
        for protocol in ("m2m", "field")
    )
    for part in ("train", "validation", "test"):
        for one, other in zip(getattr(own, part), getattr(field, part), strict=True):
            np.testing.assert_array_equal(one, other)


def test_training_takes_a_share_of_all_faces_with_the_attribute(folder):
    # 8 with the last class: there are no more than 158 - 50 - 100.
    expected = [184 // 10, 184 // 10, 180 // 10, 10, 8]
    assert celeba5.load(settings(folder)).class_counts.tolist() == expected
    whole = celeba5.load(settings(folder, "--subsample=1"))
    assert whole.class_counts.tolist() == [count - 150 for count in ALONE]


def test_the_published_counts_are_a_twentieth_of_celebas_attributes():
    totals = np.array([48472, 41572, 29983, 8499, 4547])  # of list_attr_celeba.txt
    counts = training_counts(totals, 20)
    assert counts.tolist() == [2423, 2078, 1499, 424, 227]
    assert celeba5.TASK.flags[0].default == 20


def test_too_large_a_divisor_is_an_error(folder):
    with pytest.raises(UserError, match="--subsample=170 leaves a class without"):
        celeba5.load(settings(folder, "--subsample=170"))


def test_the_network_is_resnet32(folder):
    own = settings(folder)
    network = celeba5.TASK.build(celeba5.load(own), "dense", own)
    assert network.name == "resnet32"
    assert network.output_shape == (None, 5)


def test_a_run_goes_from_faces_to_results(folder, tmp_path):
    flags = ["--epochs=2", "--defer_epoch=1", "--method=drs", "--batch_size=16"]
    flags += [f"--out_dir={tmp_path}"]
    task = with_mlp(celeba5.TASK)
    (result,) = runner.run(task, settings(folder, *flags)).values()
    assert result["class_names"] == NAMES
    assert np.sum(result["confusion_matrix"], axis=1).tolist() == [100] * 5
    assert (tmp_path / "confusion_matrix.png").exists()
