"""Archives as people have them: names, kinds of samples, labels that are missing."""

import numpy as np
import pytest

from helpers.own_data import RNG
from helpers.own_data import load
from helpers.own_data import vectors
from helpers.own_data import write_arrays
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend

X, Y = vectors([4, 4])
NAMES = np.repeat(["a", "b"], 4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own.npz"


def refused(path, match, *flags):
    with pytest.raises(UserError, match=match):
        load(path, *flags)


# Names of arrays.


def splits(x, y):
    """Three splits that can be told apart, by the names of their arrays."""
    return {
        x.format("train"): X,
        y.format("train"): Y,
        x.format("val"): X + 100,
        y.format("val"): Y,
        x.format("test"): X + 200,
        y.format("test"): Y,
    }


@pytest.mark.parametrize(
    "names",
    [
        ("{}_images", "{}_labels"),  # MedMNIST.
        ("x_{}", "y_{}"),  # Keras.
        ("X_{}", "y_{}"),  # scikit-learn.
        ("{}_x", "{}_y"),
        ("{}_data", "{}_targets"),
        ("features_{}", "labels_{}"),
    ],
)
def test_splits_have_the_names_that_people_give_them(names, path, capsys):
    data = load(write_arrays(path, **splits(*names)))
    for number, (x, y) in enumerate((data.train, data.validation, data.test)):
        np.testing.assert_array_equal(x, X + 100 * number)
        assert y.tolist() == Y.tolist()
    assert "not read" not in capsys.readouterr().out


@pytest.mark.parametrize("split", ["valid", "val", "validation", "Validation"])
def test_validation_samples_of_ones_own_are_used_by_any_name(split, path):
    own = {"X_train": X, "Y_train": Y, f"X_{split}": X + 100, f"y_{split}": Y}
    data = load(write_arrays(path, **own))
    np.testing.assert_array_equal(data.validation[0], X + 100)


@pytest.mark.parametrize("names", ["xy", "Xy", "XY", ("images", "labels")])
def test_samples_and_labels_without_splits_have_several_names(names, path):
    x, y = names
    assert load(write_arrays(path, **{x: X, y: Y})).class_counts.tolist() == [2, 2]


def test_labels_of_medmnist_are_a_column(path):
    arrays = splits("{}_images", "{}_labels")
    arrays = {n: a[:, None] if "labels" in n else a for n, a in arrays.items()}
    assert load(write_arrays(path, **arrays)).test[1].tolist() == Y.tolist()


@pytest.mark.parametrize(
    "more, match",
    [
        ({"x_val": X, "x_validation": X}, "one meaning, x_val and x_validation"),
        ({"X_train": X}, "one meaning, x_train and X_train"),
        ({"train_images": X}, "one meaning, x_train and train_images"),
        ({"x_val": X}, "holds no array y_validation"),
        ({"y": Y}, "holds both x, y and arrays of splits"),
    ],
)
def test_arrays_without_one_meaning_are_refused(more, match, path):
    refused(write_arrays(path, x_train=X, y_train=Y, **more), match)


# Kinds of samples.

SERIES = RNG.random((8, 187, 12), dtype="float32")


@pytest.mark.parametrize(
    "x",
    [
        SERIES,
        SERIES * 9 - 4,
        SERIES[..., None],
        (SERIES * 9).astype("int16"),
        (SERIES * 255).astype("uint8"),
    ],
)
def test_arrays_that_may_be_series_are_asked_about(x, path):
    write_arrays(path, x=x, y=Y)
    refused(path, r"Give --kind=images or --kind=series; or --kind=vectors")
    data = load(path, "--kind=series")
    assert data.are_series
    assert data.sample_shape == (187, 12)
    data = load(path, "--kind=vectors")
    assert data.bounds is None
    assert data.augment is None
    kept = np.concatenate([data.train[0], data.validation[0], data.test[0]])
    expected = x.reshape(8, -1).astype("float32")
    np.testing.assert_array_equal(np.sort(kept, axis=0), np.sort(expected, axis=0))


@pytest.mark.parametrize("x, shape", [(SERIES[..., 0], (187, 1)), (SERIES, (187, 12))])
def test_series_keep_their_values_and_are_not_augmented(x, shape, path):
    x = 1000 * x - 500
    data = load(write_arrays(path, x=x, y=Y), "--kind=series")
    kept = np.concatenate([data.train[0], data.validation[0], data.test[0]])
    expected = x.reshape(8, *shape)
    np.testing.assert_array_equal(np.sort(kept, axis=0), np.sort(expected, axis=0))
    assert data.augment is data.bounds is None


def test_one_channel_can_only_be_a_series(path, capsys):
    data = load(write_arrays(path, x=SERIES[..., :1], y=Y))
    assert data.are_series
    assert "taken for series of 187 values; see --kind" in capsys.readouterr().out


def test_channels_that_seem_to_come_first_are_told(path, capsys):
    swapped = SERIES.transpose(0, 2, 1)
    data = load(write_arrays(path, x=swapped, y=Y), "--kind=series")
    assert data.sample_shape == (12, 187)
    said = "12 values in 187 channels. If channels come first in it, save x.transpose"
    assert said in capsys.readouterr().out


def test_photographs_are_no_series(path):
    x = np.zeros((8, 4, 4, 3), "uint8")
    refused(
        write_arrays(path, x=x, y=Y), r"must be series \(n, length", "--kind=series"
    )


def test_grey_images_of_any_shape_are_images_if_that_is_said(path):
    write_arrays(path, x=SERIES, y=Y)
    data = load(path, "--kind=images")
    assert data.are_images
    assert data.bounds == (0, 1)


@pytest.mark.parametrize("shape", [(8, 28, 28), (8, 28, 28, 1), (8, 9, 4, 3)])
def test_arrays_of_the_shape_of_images_are_images(shape, path, capsys):
    for x in (RNG.random(shape), RNG.integers(0, 256, shape, "uint8")):
        assert load(write_arrays(path, x=x, y=Y)).are_images
        said = "taken for grey images of 28×28; see --kind" in capsys.readouterr().out
        assert said == (shape[1] == 28)


def test_vectors_may_be_booleans(path):
    x = np.arange(16).reshape(8, 2) % 3 == 0
    data = load(write_arrays(path, x=x, y=Y), "--protocol=field")
    kept = np.concatenate([data.train[0], data.test[0]])
    np.testing.assert_array_equal(np.sort(kept, axis=0), np.sort(x, axis=0))


def test_vectors_are_no_images(path):
    refused(write_arrays(path, x=X, y=Y), "must be vectors", "--kind=images")


@pytest.mark.parametrize(
    "shape, match",
    [
        ((8, 4, 4, 4), r"transparency, save x\[..., :3\], or blend with white"),
        ((8, 4, 4, 13), r"several bands choose three, x\[..., \[i, j, k\]\]"),
        ((8, 3, 4, 4), r"x.transpose\(0, 2, 3, 1\)"),
        ((8, 4, 4, 4, 1), "--kind=vectors makes a vector"),
    ],
)
def test_other_channels_are_refused_with_what_to_do(shape, match, path):
    refused(write_arrays(path, x=np.zeros(shape, "uint8"), y=Y), match)


def test_integers_of_more_bits_are_refused_with_what_to_divide_by(path):
    x = np.full((8, 4, 4), 4095, "uint16")
    refused(write_arrays(path, x=x, y=Y), "Divide by the largest value")


# Labels.


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_whole_floats_are_integers(dtype, path):
    data = load(write_arrays(path, x=X, y=Y.astype(dtype)))
    assert data.class_names == ["0", "1"]
    data = load(write_arrays(path, x=X, y=Y.astype(dtype), class_names=["n", "p"]))
    assert data.class_names == ["n", "p"]


@pytest.mark.parametrize(
    "y, match",
    [
        (np.linspace(0, 2, 8), "such as 0.28.*Give a class to each range"),
        (np.where(Y, np.inf, 0.0), "must be integers or strings"),
        (np.where(Y, 1e300, 0.0), "must be integers or strings"),
        (np.eye(8)[:, [0, 1]] * 1.0, "6 of 8 rows have several labels, or none"),
        (np.zeros((8, 4, 4), int), "[Mm]asks.*segmentation"),
        (np.eye(2)[Y], r"one-hot: save y.argmax\(axis=1\)"),
        (np.ones((8, 14), "uint8"), "8 of 8 rows have several labels"),
        (np.full((8, 2), 0.5), "Give the column"),
        (np.full((8, 2), "a"), r"shape \(n,\)"),
        (np.zeros((8, 1, 1), int), r"shape \(n,\)"),
        (np.array(["2020-01-01"] * 8, "datetime64[D]"), "dtype datetime64"),
    ],
)
def test_other_labels_are_refused_with_what_to_do(y, match, path):
    refused(write_arrays(path, x=X, y=y), match)


MISSING = ["", " ", "nan", "NaN", "None", "NA", "null", "<NA>"]


@pytest.mark.parametrize("spelling", [*MISSING, np.nan])
def test_rows_without_a_label_are_counted_and_refused_or_dropped(
    spelling, path, capsys
):
    y = NAMES.astype("U5") if isinstance(spelling, str) else Y.astype("float32")
    y[[1, 6]] = spelling
    write_arrays(path, x=X, y=y)
    refused(path, r"2 of 8 rows have no label, the first of them row 2.*--missing=drop")
    data = load(path, "--missing=drop", "--protocol=field")
    assert "2 of 8 rows have no label: left out" in capsys.readouterr().out
    assert len(data.class_names) == 2
    rows = np.concatenate([data.train[0], data.test[0]])[:, 0] // 3
    assert sorted(rows) == [0, 2, 3, 4, 5, 7]
    labels = np.concatenate([data.train[1], data.test[1]])
    np.testing.assert_array_equal(labels, rows >= 4)


@pytest.mark.parametrize("name", ["none", "Nan", "NONE", "nothing"])
def test_other_spellings_are_classes(name, path):
    data = load(write_arrays(path, x=X, y=np.repeat([name, "b"], 4)))
    assert name in data.class_names


@pytest.mark.parametrize("name", ["nan", "None", "<NA>"])
def test_what_stands_for_no_label_names_no_class_either(name, path):
    write_arrays(path, x=X, y=Y, class_names=["a", name])
    refused(path, f"the class '{name}', which is how a missing label is written")


def test_a_message_says_how_to_keep_a_class_that_is_called_none(path):
    y = np.repeat([b"None", b"b"], 4)
    refused(write_arrays(path, x=X, y=y), "name of a class, rename that class")


def test_a_split_without_any_label_is_refused(path):
    own = {"x_train": X, "y_train": NAMES, "x_test": X, "y_test": np.full(8, "nan")}
    refused(write_arrays(path, **own), "y_test of .* no label", "--missing=drop")


@pytest.mark.parametrize(
    "name",
    [
        "a\u200b",
        "\u202ea",
        "a\u2066",
        "a\ufeff",
        "a\u00ad",
        "\u3164",
    ],
)
def test_names_with_what_cannot_be_seen_are_refused(name, path):
    y = np.repeat([name, "b"], 4)
    refused(write_arrays(path, x=X, y=y), "cannot be seen or turns the text")


@pytest.mark.parametrize("name", ["b\u200d", "b\ufe0f", "b ", "B", "\u200cb"])
def test_names_of_one_look_are_refused(name, path):
    y = np.repeat([name, "b"], 4)
    refused(write_arrays(path, x=X, y=y), "two classes that differ only in case")


def test_joiners_are_part_of_words(path):
    name = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    data = load(write_arrays(path, x=X, y=np.repeat([name, "b"], 4)))
    assert name in data.class_names
