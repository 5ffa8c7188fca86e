"""A task on data of the user's own, from files to results."""

import json

import keras
import numpy as np
import pytest

from helpers.own_data import RNG
from helpers.own_data import load
from helpers.own_data import vectors
from helpers.own_data import write_arrays
from helpers.own_data import write_images
from tasks import folder
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.predict import predict
from tasks.runs import runner

pytestmark = pytest.mark.no_backend
FIRST = keras.config.image_data_format() == "channels_first"
QUICK = ["--epochs=2", "--defer_epoch=1", "--steps=1", "--gamma=0", "--batch_size=16"]


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images", {"dog": 12, "cat": 6, "owl": 3})


def channels_last(x):
    return np.moveaxis(x, 1, -1) if FIRST else x


def run(path, out_dir, *flags):
    flags = [*QUICK, f"--data_dir={path}", f"--out_dir={out_dir}", *flags]
    runner.run(folder.TASK, parse(folder.TASK, flags))
    return json.loads((out_dir / "result.json").read_text())


# End to end.


def test_a_folder_of_images_goes_through_to_the_pictures(images, tmp_path):
    # A ResNet compiles for a minute; R would reject most of so few images.
    flags = ["--network=mlp", "--image_size=8", "--beta=0.5"]
    result = run(images, tmp_path / "out", *flags)
    assert result["class_names"] == ["cat", "dog", "owl"]
    assert result["class_counts"] == [4, 9, 1]
    assert np.sum(result["confusion_matrix"], axis=1).tolist() == [1, 2, 1]
    assert result["step_size"] == pytest.approx(0.1)
    out = tmp_path / "out"
    assert (out / "translations.png").exists()
    assert result["reading"] == {"size": 8, "bits": None, "group": None}
    assert "| class " in (out / "README.md").read_text()
    found = predict(out, images)
    assert found["file"][0] == "cat/0.png"
    assert set(found["predicted"]) <= {"cat", "dog", "owl"}
    assert (out / "training_features.npz").exists()


def test_vectors_train_an_mlp_that_normalises_them(tmp_path):
    x = np.float32(1000) * RNG.normal(size=(30, 4)).astype("float32") + 5000
    x[:, 3] = 0.1  # Never changes, so that it has no variance to divide by.
    path = write_arrays(tmp_path / "own.npz", x=x, y=np.repeat(["b", "a"], [20, 10]))
    result = run(path, tmp_path / "out", "--method=erm")
    assert result["class_names"] == ["a", "b"]
    f = keras.saving.load_model(tmp_path / "out" / "f.keras")
    normalise = f.layers[1]
    train = load(path).train[0]
    expected = (train - train.mean(0)) / np.where(train.std(0) > 1, train.std(0), 1)
    normalised = keras.ops.convert_to_numpy(normalise(train))
    np.testing.assert_allclose(normalised, expected, atol=1e-3)


def test_vectors_of_any_scale_are_translated_by_a_step_that_is_chosen(tmp_path):
    x, y = vectors([30, 6])
    x = np.concatenate([1e4 * x, 1e-3 * x, 0 * x + 7], axis=1)
    path = write_arrays(tmp_path / "own.npz", x=x, y=y)
    result = run(path, tmp_path / "out", "--beta=0.5")
    assert result["flags"]["units"] == "auto"
    assert result["flags"]["step_size"] is None
    assert 0.001 < result["step_size"] < 100


def test_smote_and_names_with_dollars_go_through(tmp_path):
    x, y = vectors([8, 4])
    names = ["5$ note of a long name indeed", "$10_ and it's no mathematics$"]
    path = write_arrays(tmp_path / "own.npz", x=x, y=y, class_names=names)
    result = run(path, tmp_path / "out", "--method=smote")
    assert result["class_names"] == names


@pytest.mark.parametrize(
    "name, part", [("photos", "photos"), ("my data.npz", "my_data"), ("v1.2", "v1.2")]
)
def test_the_default_folder_of_results_names_the_data(name, part, tmp_path):
    path = tmp_path / name
    path.touch() if path.suffix == ".npz" else path.mkdir()
    settings = parse(folder.TASK, [f"--data_dir={path}", "--method=erm"])
    out = runner._folder_of(folder.TASK, settings)
    assert str(out) == f"runs/folder-{part}-erm-ce-seed0"


# Splits.


@pytest.mark.parametrize("protocol", ["m2m", "field"])
def test_splits_are_of_each_class_alike_apart_complete_and_repeatable(
    protocol, tmp_path
):
    x, y = vectors([100, 19, 3])
    path = write_arrays(tmp_path / "own.npz", x=x, y=y)
    first, second = (load(path, f"--protocol={protocol}") for _ in range(2))
    # A fifth for the test and a tenth for validation, rounded down; 1 at least.
    held_out = {"test": [20, 3, 1]}
    if protocol == "m2m":
        held_out["validation"] = [10, 1, 1]
    parts = {"train": np.array([100, 19, 3]) - np.sum([*held_out.values()], axis=0)}
    seen = []
    for split, counts in (held_out | parts).items():
        samples, labels = getattr(first, split)
        assert np.bincount(labels).tolist() == list(counts)
        np.testing.assert_array_equal(samples, getattr(second, split)[0])
        np.testing.assert_array_equal(y[(samples[:, 0] // 3).astype(int)], labels)
        seen += samples[:, 0].tolist()
    assert sorted(seen) == x[:, 0].tolist()
    assert (first.validation is None) == (protocol == "field")


def test_splits_of_ones_own_stay_and_a_missing_one_is_drawn(tmp_path):
    for split, counts in {"train": {"a": 9, "b": 3}, "test": {"a": 2, "b": 5}}.items():
        write_images(tmp_path / "own" / split, counts)
    data = load(tmp_path / "own", "--image_size=8")
    assert np.bincount(data.test[1]).tolist() == [2, 5]
    assert data.class_counts.tolist() == [8, 2]
    write_images(tmp_path / "own" / "val", {"a": 1, "b": 1})
    data = load(tmp_path / "own", "--image_size=8")
    assert np.bincount(data.validation[1]).tolist() == [1, 1]
    assert data.class_counts.tolist() == [9, 3]


def test_a_class_too_small_to_split_is_named_with_what_it_has_and_needs(tmp_path):
    x, y = vectors([9, 2, 1])
    path = write_arrays(tmp_path / "own.npz", x=x, y=y, class_names=["a", "b", "c"])
    match = r"'b \(2\)', 'c \(1\)'. Each class needs 3"
    with pytest.raises(UserError, match=match):
        load(path)
    match = r": 'c \(1\)'. Each class needs 2.*or bring splits of your own$"
    with pytest.raises(UserError, match=match):
        load(path, "--protocol=field")


def test_a_class_is_trained_on_but_need_not_be_tested(tmp_path, capsys):
    x, y = vectors([4, 4, 4])
    rows = y < 2
    own = {"x_train": x, "y_train": y, "x_test": x[rows], "y_test": y[rows]}
    assert len(load(write_arrays(tmp_path / "own.npz", **own)).class_names) == 3
    assert "no test samples of '2'" in capsys.readouterr().out
    own = {"x_train": x[rows], "y_train": y[rows], "x_test": x, "y_test": y}
    with pytest.raises(UserError, match="No training samples of '2'"):
        load(write_arrays(tmp_path / "own.npz", **own))


# Images.


@pytest.mark.parametrize(
    "suffix", ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "PNG"]
)
def test_each_kind_of_file_is_read(suffix, tmp_path):
    path = write_images(tmp_path / "own", {"dark": 3, "light": 3}, suffix=suffix)
    data = load(path, "--image_size=8")
    assert channels_last(data.test[0]).shape == (2, 8, 8, 3)
    dark, light = data.test[0].mean(axis=(1, 2, 3))
    assert 0 <= dark < 0.4 < 0.5 < light <= 1


def test_arrays_of_images_are_scaled_and_keep_their_size(tmp_path):
    x = RNG.integers(0, 256, (9, 6, 4, 3), "uint8")
    x[0], x[1] = 0, 255
    y = np.array([0] * 5 + [1] * 4)
    data = load(write_arrays(tmp_path / "own.npz", x=x, y=y), "--augment=none")
    found = [channels_last(p[0]) for p in (data.train, data.validation, data.test)]
    found = np.concatenate(found)
    assert sorted(found.sum(axis=(1, 2, 3))) == pytest.approx(
        sorted(x.sum(axis=(1, 2, 3)) / 255), rel=1e-5
    )
    assert data.bounds == (0, 1)
    assert data.augment is None
    grey = load(write_arrays(tmp_path / "own.npz", x=x[..., 0], y=y))
    assert channels_last(grey.train[0]).shape[1:] == (6, 4, 1)
    assert grey.augment is not None


@pytest.mark.parametrize(
    "name, expected",
    [
        ("resnet", "resnet8"),
        ("preact_resnet18",) * 2,
        ("mlp",) * 2,
        ("auto", "resnet8"),
    ],
)
def test_images_have_the_network_that_is_named(name, expected, tmp_path):
    if name == "preact_resnet18" and keras.config.backend() == "jax":
        pytest.skip("drawing its eleven million weights compiles for seconds")
    x = RNG.random((6, 4, 4, 1), dtype="float32")
    path = write_arrays(tmp_path / "own.npz", x=x, y=[0, 0, 0, 1, 1, 1])
    flags = [f"--data_dir={path}", f"--network={name}", "--depth=8"]
    settings = parse(folder.TASK, flags)
    network = folder.build(folder.load(settings), "dense", settings)
    assert network.name == expected


@pytest.mark.parametrize("name", ["resnet", "preact_resnet18"])
def test_vectors_have_no_convolutions(name, tmp_path):
    x, y = vectors([3, 3])
    path = write_arrays(tmp_path / "own.npz", x=x, y=y)
    with pytest.raises(UserError, match="is for images; give mlp"):
        load(path, f"--network={name}")


# Labels.


@pytest.mark.parametrize(
    "values, names",
    [
        ([-5, 7, 300], ["-5", "7", "300"]),
        (["b", "a", "ä"], ["a", "b", "ä"]),
        ([b"b", b"a", "é".encode()], ["a", "b", "é"]),
        ([False, True], ["False", "True"]),
        (np.array([2**63, 0], "uint64"), ["0", str(2**63)]),
    ],
)
def test_labels_of_any_values_name_their_classes(values, names, tmp_path):
    y = np.repeat(np.asarray(values), 4)
    x, _ = vectors([len(y)])
    data = load(write_arrays(tmp_path / "own.npz", x=x, y=y))
    assert data.class_names == names
    rows = (data.test[0][:, 0] // 3).astype(int)
    labels = [value.decode() if isinstance(value, bytes) else str(value) for value in y]
    assert [labels[row] for row in rows] == [names[k] for k in data.test[1]]


def test_class_names_name_integers_and_order_strings(tmp_path):
    x, y = vectors([4, 4])
    names = np.array(["zebra", "ape"])
    path = tmp_path / "own.npz"
    for labels in (y, names[y]):
        data = load(write_arrays(path, x=x, y=labels, class_names=names))
        assert data.class_names == ["zebra", "ape"]
        assert data.test[1].tolist() == [0, 1]
        assert data.test[0][0, 0] < 4 * 3 <= data.test[0][1, 0]
