"""`tasks.folder --backbone`: heads on features, and networks trained further."""

import keras
import numpy as np
import pytest

from helpers import own_data
from tasks import folder
from tasks import predict
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.records import records
from tasks.records import served
from tasks.records.identity import checksum
from tasks.records.trainings import Trainings
from tasks.runs import runner
from tasks.training.evaluation import probabilities

pytestmark = [
    pytest.mark.usefixtures("untraced"),
    # Of trainings this short.
    pytest.mark.filterwarnings(r"ignore:(Epoch|In) \d"),
]
SHORT = ["--epochs=2", "--defer_epoch=1", "--drops=", "--batch_size=8", "--steps=2"]
SHORT += ["--beta=0", "--gamma=0"]


def save_backbone(path, size=8):
    """A network from images to maps with a channel that says how bright they are."""
    inputs = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.BatchNormalization()(x)
    keras.Model(inputs, keras.layers.concatenate([x, x])).save(path)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of images and a backbone; what is kept is kept there too."""
    place = tmp_path_factory.mktemp("pretrained")
    own_data.write_images(place / "photos", {"a": 20, "b": 8})
    save_backbone(place / "own.keras")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(place / "keras"))
        yield place


def settings(place, *flags):
    of_data = [f"--data_dir={place / 'photos'}", f"--backbone={place / 'own.keras'}"]
    return parse(folder.TASK, [*of_data, *SHORT, *flags])


@pytest.fixture(scope="module")
def run(place, untraced):
    runner.run(folder.TASK, settings(place, f"--out_dir={place / 'run'}"))
    return place / "run"


def test_the_network_of_a_run_takes_photographs(run, place):
    f = keras.saving.load_model(run / "f.keras")
    assert f.input_shape == (None, 8, 8, 3)
    images = np.random.default_rng(0).random((2, 8, 8, 3), "float32")
    maps = keras.saving.load_model(place / "own.keras").predict(images, verbose=0)
    (head,) = run.glob("trainings/folder/m2m-*/f.keras")
    head = keras.saving.load_model(head)
    expected = head.predict(maps.mean(axis=(1, 2)), verbose=0)
    np.testing.assert_allclose(f.predict(images, verbose=0), expected, rtol=1e-4)


def test_new_photographs_go_through_the_backbone_and_the_head(run, place):
    found = predict.predict(run, place / "photos", look=0)
    data = folder.load(settings(place))
    (head,) = run.glob("trainings/folder/m2m-*/f.keras")
    parts = (data.train, data.validation, data.test)
    x = np.concatenate([samples for samples, _ in parts])
    expected = probabilities(keras.saving.load_model(head), x)[:, 0]
    given = found["probability of a"]
    np.testing.assert_allclose(np.sort(given), np.sort(expected), rtol=1e-3)
    unlike = (found["look"] == "unlike training").sum()
    assert unlike <= len(data.test[1])  # None of those it was trained on.


@pytest.mark.no_backend
@pytest.mark.parametrize("method", ["logistic", "boosted", "probe"])
def test_what_is_no_network_takes_photographs_too(method, place, tmp_path):
    own = settings(place).replace(method=method)
    data = folder.load(own)
    cells = Trainings(folder.TASK, data, tmp_path / "results", place / "cells")
    result = cells.result(own)
    served.write(tmp_path, cells, own)
    about = {**result, "reading": dict(data.reading)}
    records.write(tmp_path / "result.json", about)
    found = predict.predict(tmp_path, place / "photos", look=0).set_index("file")
    tested = [data.shown(row)["file"] for row in range(len(data.test[1]))]
    expected = cells.references.fitted(own).predictions.p_test
    chances = found.loc[tested, ["probability of a", "probability of b"]]
    np.testing.assert_allclose(chances, expected, rtol=1e-3, atol=1e-5)
    unlike = (found["look"] == "unlike training").sum()
    assert unlike <= len(tested)  # None of those it was fitted to.


def test_g_of_a_run_is_a_head_that_may_be_given_again(run, place):
    given = settings(place, f"--g={run / 'g.keras'}", f"--out_dir={place / 'again'}")
    results = runner.run(folder.TASK, given)
    assert results["m2m"]["g"] == {"file": "g.keras"}


def test_samples_are_features_and_say_whose(place):
    data = folder.load(settings(place))
    assert data.sample_shape == (8,)
    assert data.source == "photos, samples of shape 8 by own_features"
    assert (data.reading["size"], data.reading["bits"]) == (8, None)


def test_a_run_is_called_by_the_data_and_the_backbone(place):
    assert folder.TASK.data_name(settings(place)) == "photos-own"


def test_images_are_as_large_as_the_backbone_wants_and_else_of_32_pixels(place):
    assert settings(place).image_size is None
    assert parse(folder.TASK, [f"--data_dir={place}"]).image_size == 32


def test_another_size_than_the_backbones_is_refused(place):
    with pytest.raises(UserError, match=r"own\.keras does not take images"):
        folder.load(settings(place, "--image_size=16"))


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--network=mlp"], "--network=mlp does not go with --backbone"),
        (["--backbone=nothing.keras"], "--backbone=nothing.keras: .* is no file"),
    ],
)
def test_what_does_not_go_with_a_backbone_is_refused(place, flags, message):
    with pytest.raises(UserError, match=message):
        folder.load(settings(place, *flags))


def test_a_backbone_of_arrays_is_refused(place):
    path = own_data.write_arrays(place / "data.npz", x=np.ones((9, 4)), y=[0, 1, 2] * 3)
    with pytest.raises(UserError, match="--backbone is for folders of photographs"):
        own_data.load(path, f"--backbone={place / 'own.keras'}")


def test_fine_tuning_needs_a_backbone(place):
    with pytest.raises(UserError, match="--finetune=all trains a pretrained network"):
        own_data.load(place / "photos", "--finetune=all")


@pytest.fixture(scope="module")
def images(place):
    return folder.load(settings(place, "--finetune=all"))


def backbones_weights(f):
    return [v for v in f.variables if not v.path.startswith("logits")]


def test_a_fine_tuned_network_starts_from_the_backbone_and_trains_it(place, images):
    own = settings(place, "--finetune=all")
    first, second = (folder.build(images, "dense", own) for _ in range(2))
    for a, b in zip(backbones_weights(first), backbones_weights(second), strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))
    # The kernel and the bias of the convolution, and those of the head.
    assert len(first.trainable_variables) == 4


def test_low_rank_updates_are_trained_alone(place, images):
    own = settings(place, "--finetune=lora")
    names = [v.name for v in folder.build(images, "dense", own).trainable_variables]
    assert sorted(names) == [
        *("bias", "bias", "kernel", "lora_kernel_a", "lora_kernel_b")
    ]


def test_fine_tuning_says_what_it_costs(place, capsys):
    folder.load(settings(place, "--finetune=lora"))
    assert "--finetune=lora trains through own_features" in capsys.readouterr().out


def test_fine_tuning_has_a_smaller_learning_rate(place):
    assert settings(place, "--finetune=all").learning_rate == 0.01
    assert settings(place).learning_rate == 0.1
    given = settings(place, "--finetune=all", "--learning_rate=0.05")
    assert given.learning_rate == 0.05


def test_a_training_of_another_backbone_is_another(place, images):
    keras.utils.set_random_seed(1)
    save_backbone(place / "other.keras")
    other = settings(place, "--finetune=all", f"--backbone={place / 'other.keras'}")
    assert checksum(folder.load(other)) != checksum(images)


def test_a_fine_tuned_network_is_what_the_run_leaves(place):
    out = place / "lora"
    own = settings(place, "--finetune=lora", "--step_size=0.1", f"--out_dir={out}")
    results = runner.run(folder.TASK, own)
    assert results["m2m"]["acceptance_rate"] is not None
    f = keras.saving.load_model(out / "f.keras")
    assert f.input_shape == (None, 8, 8, 3)
    assert (out / "confusion_matrix.png").is_file()
