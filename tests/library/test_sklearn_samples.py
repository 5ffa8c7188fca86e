import datetime
import functools
import importlib
import pickle
import sys

import keras
import numpy as np
import pandas
import polars
import pytest

import keras_m2m
from helpers.tiny_classifier import HARDLY_ACCEPTED
from helpers.tiny_classifier import tiny
from helpers.tiny_classifier import two_classes
from keras_m2m.sklearn import fitting
from keras_m2m.sklearn.samples import image_bounds
from keras_m2m.sklearn.samples import is_mixed_frame
from keras_m2m.sklearn.samples import outputs

pytestmark = [
    pytest.mark.no_backend,
    pytest.mark.filterwarnings(HARDLY_ACCEPTED),
]


def images(highest):
    """Bright images of the rare class, dark ones of the other; 20 and 20."""
    y = np.repeat(["legal", "fraud"], 20)
    dark = np.random.default_rng(0).uniform(0, 0.5, (40, 8, 8, 1))
    return highest * (dark + (y == "fraud")[:, None, None, None] * 0.5), y


@pytest.fixture(scope="module")
def of_images():
    return tiny().fit(*images(highest=1))


def test_images_go_through_a_resnet(of_images):
    assert of_images.model_.name == "resnet20"
    assert of_images.predict(images(highest=1)[0]).shape == (40,)


def test_images_of_another_range_than_those_of_fit_are_refused(of_images):
    with pytest.raises(ValueError, match=r"\(0.0, 1.0\).* to 25"):
        of_images.predict(images(highest=255)[0])


def test_images_of_another_shape_than_those_of_fit_are_refused(of_images):
    with pytest.raises(ValueError, match=r"\(8, 8, 1\)"):
        of_images.predict(np.zeros((2, 8, 4, 1)))


@pytest.mark.parametrize("highest, bounds", [(1, (0, 1)), (255, (0, 255)), (300, None)])
def test_bounds_of_images_are_those_of_pixels(highest, bounds):
    assert image_bounds(np.full((1, 2, 2, 3), float(highest))) == bounds


def test_vectors_and_series_have_no_bounds():
    assert image_bounds(np.zeros((3, 4))) is image_bounds(np.zeros((3, 4, 2))) is None


def test_a_series_goes_through_an_mlp():
    x, y = two_classes()
    made = tiny().fit(x.reshape(80, 2, 2), y)
    assert made.score(x.reshape(80, 2, 2), y) > 0.9
    assert made.model_.input_shape == (None, 2, 2)


def test_vectors_are_normalised_in_the_network():
    x, y = two_classes()
    far = x * [1, 1e-3, 1e3, 1] + [0, 0, 0, 500]
    found = tiny().fit(far, y).decision_function(far)
    expected = tiny().fit(x, y).decision_function(x)
    np.testing.assert_allclose(found, expected, rtol=0.01)


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint8", "bool", "object"])
def test_numbers_of_any_type_are_learnt_alike(dtype):
    x, y = two_classes()
    x = (x > 1).astype("float32")
    found = tiny().fit(x.astype(dtype), y).decision_function(x.astype(dtype))
    np.testing.assert_array_equal(found, tiny().fit(x, y).decision_function(x))


def test_rows_come_in_batches_of_few_sizes():
    sizes = []

    class Spy(keras.Model):
        def predict_on_batch(self, x):
            sizes.append(len(x))
            return x

    rows = np.arange(3000.0).reshape(1500, 2)
    np.testing.assert_array_equal(outputs(Spy(), rows), rows)
    np.testing.assert_array_equal(outputs(Spy(), rows[:5]), rows[:5])
    assert sizes == [1024, 1024, 32]


def test_large_images_come_in_small_batches():
    sizes = []

    class Spy(keras.Model):
        def predict_on_batch(self, x):
            sizes.append(len(x))
            return np.zeros((len(x), 2))

    outputs(Spy(), np.zeros((9, 1024, 1024, 1), "float32"))
    assert sizes == [4, 4, 4]


def test_build_makes_the_network():
    build = functools.partial(keras_m2m.mlp, hidden=3)
    made = tiny(build=build).fit(*two_classes())
    assert made.model_.count_params() == 4 * 3 + 3 + 3 * 2 + 2


def test_a_series_goes_through_the_network_for_series_if_that_is_given():
    x, y = two_classes()
    x = x.reshape(80, 2, 2)
    build = functools.partial(keras_m2m.resnet1d, width=4)
    found = tiny(build=build, epochs=8).fit(x, y)
    assert found.model_.input_shape == (None, 2, 2)
    assert found.score(x, y) > 0.9
    np.testing.assert_allclose(normalised_by(found), x.mean((0, 1)), rtol=1e-5)


def normalised_by(classifier):
    """The means that the first layer takes off."""
    layers = classifier.model_.layers
    (layer,) = (k for k in layers if isinstance(k, keras.layers.Normalization))
    return np.ravel(layer.input_mean)


def test_a_build_with_statistics_of_its_own_keeps_them():
    x, y = two_classes()
    given = {"mean": [1.0] * 4, "variance": [4.0] * 4}
    made = tiny(build=functools.partial(keras_m2m.mlp, hidden=3, **given)).fit(x, y)
    np.testing.assert_array_equal(normalised_by(made), given["mean"])


def test_a_build_of_other_arguments_is_refused():
    with pytest.raises(ValueError, match=r"build\(num_classes, input_shape, head=head"):
        tiny(build=lambda num_classes: None).fit(*two_classes())


def test_a_build_that_makes_no_model_is_refused():
    with pytest.raises(ValueError, match=r"`build\(\.\.\.\)` must be a keras.Model"):
        tiny(build=lambda num_classes, input_shape, head: None).fit(*two_classes())


def test_without_scikit_learn_the_package_is_named(monkeypatch):
    for name in [each for each in sys.modules if each.startswith("keras_m2m.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        importlib.import_module("keras_m2m.sklearn")


def claims():
    """80 rows: an amount, a region of three, and a number that is missing in places."""
    x, y = two_classes()
    region = np.array(["north", "south", "east"])[np.arange(80) % 3]
    score = np.where(np.arange(80) % 7, x[:, 1], np.nan)
    frame = pandas.DataFrame({"amount": x[:, 0], "region": region, "score": score})
    return frame, y


@pytest.mark.parametrize("frame_of", [pandas.DataFrame, polars.DataFrame])
def test_a_frame_of_numbers_is_learnt_as_its_array(frame_of):
    x, y = two_classes()
    frame = frame_of(dict(zip("abcd", x.T)))
    made = tiny().fit(frame, y)
    assert made.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    found = made.decision_function(frame)
    np.testing.assert_array_equal(found, tiny().fit(x, y).decision_function(x))


@pytest.mark.parametrize("frame_of", [pandas.DataFrame, polars.from_pandas])
def test_a_frame_of_mixed_columns_is_preprocessed(frame_of):
    frame, y = claims()
    made = tiny("m2m").fit(frame_of(frame), y)
    assert made.feature_names_in_.tolist() == ["amount", "region", "score"]
    assert made.n_features_in_ == 3
    # Two numbers, one mark of what is missing, three regions.
    assert made.model_.input_shape == (None, 6)
    assert made.score(frame_of(frame), y) > 0.9


def test_a_pickle_takes_its_preprocessing_along():
    frame, y = claims()
    made = tiny().fit(frame, y)
    copy = pickle.loads(pickle.dumps(made))
    expected = made.decision_function(frame)
    np.testing.assert_array_equal(copy.decision_function(frame), expected)


def test_other_columns_than_those_of_fit_are_refused():
    frame, y = claims()
    with pytest.raises(ValueError, match="feature names should match"):
        tiny().fit(frame, y).predict(frame.drop(columns="region"))


@pytest.mark.no_backend
@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_smote_of_a_mixed_frame_makes_no_half_of_a_category(fraction):
    seen = []

    def watch(samples, rng):
        seen.append(samples)
        return samples

    frame, y = claims()
    frame.index = frame.index[::-1]  # Rows are taken by place.
    made = tiny("smote", augment=watch, epochs=2, validation_fraction=fraction)
    made.fit(frame, y)
    samples = np.concatenate(seen)
    of_categories = samples[:, made.preprocessor_.units_ == 0]
    assert of_categories.shape[1] == 4
    assert set(np.unique(of_categories)) == {0.0, 1.0}
    # Those of the smaller class that were not in the frame.
    known = made.preprocessor_.transform(frame)
    assert (samples[:, None] != known[None]).any(axis=2).all(axis=1).any()


def test_no_translation_moves_entries_of_categories(monkeypatch):
    given = {}

    def train(*arguments, **options):
        given.update(options)
        return keras_m2m.train(*arguments, **options)

    monkeypatch.setattr(fitting, "train", train)
    tiny("m2m").fit(*claims())
    assert given["units"].tolist() == [1, 1, 0, 0, 0, 0]
    assert given["class_names"] == ["fraud", "legal"]  # Of warnings.


@pytest.mark.parametrize(
    "column, mixed",
    [
        ([1, 2], False),
        ([True, False], False),
        ([1.5, None], True),
        (["a", "b"], True),
        ([datetime.date(2026, 1, 1), datetime.date(2026, 1, 2)], True),
    ],
    ids=str,
)
def test_what_is_more_than_numbers_is_seen(column, mixed):
    frames = pandas.DataFrame({"x": column}), polars.DataFrame({"x": column})
    assert [is_mixed_frame(frame) for frame in frames] == [mixed, mixed]


def test_no_rows_and_text_outside_of_a_frame_are_refused_with_what_to_do():
    frame = pandas.DataFrame({"a": [1.0, 2.0, None, 4.0] * 5, "b": list("nsne") * 5})
    y = [0, 0, 0, 1] * 5
    of_frames = tiny().fit(frame, y)
    with pytest.raises(ValueError, match="one at least"):
        of_frames.predict(frame[:0])
    with pytest.raises(ValueError, match="Text is taken in frames"):
        tiny().fit(frame.to_numpy(), y)
