"""A task on windows of signals, from an archive to predictions."""

import io
import json

import keras
import numpy as np
import pytest
from heartbeats import CLASSES
from heartbeats import heartbeats
from PIL import Image

import keras_m2m
from helpers.own_data import load
from helpers.own_data import write_arrays
from tasks import folder
from tasks import predict
from tasks.data.own.array_samples import read_samples
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.runs import runner
from tasks.tables import shown_samples
from tasks.training.evaluation import probabilities
from tasks.training.recipe import recipe_of

pytestmark = pytest.mark.no_backend
QUICK = ["--epochs=2", "--defer_epoch=1", "--steps=1", "--gamma=0", "--batch_size=16"]
COUNTS = (12, 6, 4)


@pytest.fixture
def path(tmp_path):
    x, y = heartbeats(COUNTS, channels=2, length=24)
    x *= [1.0, 500.0]  # The second in other units.
    return write_arrays(tmp_path / "own.npz", x=x, y=y, class_names=CLASSES)


def settings_of(path, *flags):
    return parse(folder.TASK, [f"--data_dir={path}", "--kind=series", *flags])


def test_series_go_through_to_pictures_and_predictions(path, tmp_path):
    # An MLP compiles in less time, and the runner does not know networks apart.
    place = tmp_path / "run"
    flags = [*QUICK, "--network=mlp", "--beta=0.5", f"--out_dir={place}"]
    runner.run(folder.TASK, settings_of(path, *flags))
    assert json.loads((place / "result.json").read_text())["class_names"] == [*CLASSES]
    assert (place / "translations.png").exists()
    x, _ = heartbeats((2, 2, 2), channels=2, length=24, seed=1)
    found = predict.predict(place, write_arrays(tmp_path / "new.npz", x=x))
    f = keras.saving.load_model(place / "f.keras")
    chances = probabilities(f, x)
    np.testing.assert_allclose(found[[f"probability of {k}" for k in CLASSES]], chances)


@pytest.mark.parametrize(
    "flag, name", [("auto", "resnet1d"), ("resnet1d",) * 2, ("mlp",) * 2]
)
def test_series_have_the_network_that_is_named(flag, name, path):
    settings = settings_of(path, f"--network={flag}")
    network = folder.build(folder.load(settings), "dense", settings)
    assert network.name == name
    assert network.input_shape == (None, 24, 2)
    convolutions = [k for k in network.layers if isinstance(k, keras.layers.Conv1D)]
    assert [k.filters for k in convolutions[:1]] == [32] * (name == "resnet1d")


def test_the_network_normalises_each_channel_by_the_training_set(path):
    settings = settings_of(path)
    data = folder.load(settings)
    network = folder.build(data, "dense", settings)
    (layer,) = (k for k in network.layers if isinstance(k, keras.layers.Normalization))
    x = data.train[0].astype("float64")
    np.testing.assert_allclose(np.ravel(layer.input_mean), x.mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(np.ravel(layer.input_variance), x.var((0, 1)), rtol=1e-5)


def test_a_step_is_of_one_size_for_all_times_of_a_channel(path):
    settings = settings_of(path)
    data = folder.load(settings)
    units = recipe_of(settings, data).m2m["units"]
    spread = data.train[0].astype("float64").std((0, 1))
    np.testing.assert_allclose(units, spread, rtol=1e-5)
    assert settings.step_size is None  # Which chooses one.


@pytest.mark.parametrize("name", ["resnet", "preact_resnet18"])
def test_series_have_no_network_for_images(name, path):
    with pytest.raises(UserError, match="is for images; give mlp"):
        load(path, "--kind=series", f"--network={name}")


@pytest.mark.parametrize("kind", ["vectors", "images"])
def test_other_samples_have_no_network_for_series(kind, tmp_path):
    x = np.random.default_rng(0).random((8, 6, 6), dtype="float32")
    path = write_arrays(tmp_path / "own.npz", x=x, y=[0, 1] * 4)
    with pytest.raises(UserError, match="--network=resnet1d is for series"):
        load(path, f"--kind={kind}", "--network=resnet1d")


def test_cmo_is_refused_for_series(path, tmp_path):
    flags = ["--mix=cmo", f"--out_dir={tmp_path / 'run'}"]
    with pytest.raises(UserError, match="--mix=cmo needs images"):
        runner.run(folder.TASK, settings_of(path, *flags))


def test_smote_fills_up_series_between_neighbours_of_a_class(path):
    x, y = folder.load(settings_of(path)).train
    new, labels = keras_m2m.smote(x, y)
    assert new.shape == (3 * np.bincount(y).max(), 24, 2)
    mine = x[y == 2]
    others = new[len(x) :][labels[len(x) :] == 2]
    # On a straight line between two, so within the bounds of all at each time.
    assert (others >= mine.min(axis=0) - 1e-3).all()
    assert (others <= mine.max(axis=0) + 1e-3).all()


def test_a_single_channel_may_lack_its_axis():
    x, _ = heartbeats((3, 3, 3), length=24)
    found, expected = (read_samples(each, "series", "x") for each in (x[..., 0], x))
    np.testing.assert_array_equal(found, expected)


def test_a_report_shows_a_sample_as_a_line_per_channel(path):
    data = folder.load(settings_of(path))
    found = shown_samples.shown(data)(1)
    assert found["test sample"] == "1"
    with Image.open(io.BytesIO(found["series"])) as picture:
        dark = np.asarray(picture.convert("L")) < 128
    # Rows with ink, in as many runs as there are channels.
    inked = dark.any(axis=1)
    assert np.count_nonzero(np.diff(inked.astype(int)) == 1) == 2
