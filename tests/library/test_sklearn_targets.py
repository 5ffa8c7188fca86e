import warnings

import numpy as np
import pytest

from helpers.tiny_classifier import tiny
from helpers.tiny_classifier import two_classes
from keras_m2m.sklearn.targets import checked_labels
from keras_m2m.sklearn.targets import numbered

pytestmark = pytest.mark.no_backend


@pytest.mark.parametrize(
    "names",
    [["no", "yes"], [False, True], [1, 2], [-1, 1], [1.0, 2.0], [3, 70]],
    ids=str,
)
def test_labels_of_any_kind_are_predicted_as_they_came(names):
    x, y = two_classes()
    names = np.array(names)
    made = tiny().fit(x, names[(y == "fraud").astype(int)])
    assert made.classes_.tolist() == names.tolist()
    assert made.predict(x).dtype == names.dtype
    assert made.predict(x)[[0, -1]].tolist() == names.tolist()


@pytest.mark.parametrize(
    "objects, dtype", [(["b", "a"], "U"), ([2, 1], "i"), ([True, False], "b")], ids=str
)
def test_objects_are_what_they_hold(objects, dtype):
    assert checked_labels(np.array(objects, dtype=object)).dtype.kind == dtype


def refused(y):
    with pytest.raises(ValueError) as error:
        numbered(checked_labels(y))
    return str(error.value)


def test_a_quantity_is_for_a_regressor():
    assert "HistGradientBoostingRegressor" in refused([0.5, 1.5, 2.5])


def test_several_labels_are_for_a_classifier_of_each():
    assert "MultiOutputClassifier" in refused([[0, 1, 1], [1, 0, 1]])
    assert "MultiOutputClassifier" in refused([[0.3, 0.7], [0.5, 7.0]])


def test_one_hot_labels_are_for_argmax():
    assert "y.argmax(axis=1)" in refused(np.eye(3)[[0, 1, 2, 1]])


def test_a_map_of_labels_is_for_segmentation():
    assert "segmentation" in refused(np.zeros((3, 8, 8), int))


@pytest.mark.parametrize(
    "y", [[1.0, np.nan, 2.0], ["a", None, "b"], np.array(["a", np.nan], object)]
)
def test_missing_labels_are_counted(y):
    assert "1 label" in refused(y)


def test_text_among_numbers_is_refused():
    assert "1 texts among 3 labels" in refused([1, 2, "a"])


def test_one_class_is_named():
    assert "classes=['cat']" in refused(["cat", "cat"])


def test_more_classes_than_can_be_are_refused():
    assert "10,001 classes in 10,001 samples" in refused(np.arange(10_001))


def test_nearly_as_many_classes_as_samples_are_told():
    with pytest.warns(UserWarning, match="regression"):
        numbered(np.arange(40))


def test_a_class_of_one_sample_is_learnt():
    x, y = two_classes(rare=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*g accepted")
        made = tiny("m2m").fit(x, y)
    assert made.class_counts_.tolist() == [1, 60]


def test_a_class_of_one_sample_cannot_be_held_out():
    with pytest.raises(ValueError, match=r"`validation_fraction` .*\['fraud'\]"):
        tiny(validation_fraction=0.2).fit(*two_classes(rare=1))
