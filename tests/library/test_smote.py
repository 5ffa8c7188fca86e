import numpy as np
import pytest
from imblearn.over_sampling import SMOTE

from keras_m2m.sampling import smote


def clouds(class_counts, dtype="float64"):
    """Samples `(n, 2, 2)` of classes far from each other, labels in no order."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(len(class_counts)), class_counts))
    x = 60 * y[:, None, None] + rng.integers(0, 50, (len(y), 2, 2))
    return x.astype(dtype), y


def test_two_classes_come_out_of_imbalanced_learn():
    x, y = clouds((9, 40))
    expected, labels = SMOTE(k_neighbors=5, random_state=7).fit_resample(
        x.reshape(len(x), -1).astype("float32"), y
    )
    new_x, new_y = smote(x, y, seed=7)
    np.testing.assert_allclose(new_x.reshape(len(new_x), -1), expected)
    np.testing.assert_array_equal(new_y, labels)


@pytest.mark.parametrize("class_counts", [(5, 1, 30), (30, 5, 2), (6, 30, 7)])
def test_all_classes_reach_the_largest(class_counts):
    _, y = smote(*clouds(class_counts))
    assert np.bincount(y).tolist() == [30, 30, 30]


def test_a_class_that_does_not_occur_stays_empty():
    x, y = clouds((9, 4))
    _, new_y = smote(x, 2 * y)
    assert np.bincount(new_y).tolist() == [9, 0, 9]


def test_the_given_samples_come_first_and_unchanged():
    x, y = clouds((5, 1, 30))
    kept_x, kept_y = x.copy(), y.copy()
    new_x, new_y = smote(x, y)
    for before, given, after in [(kept_x, x, new_x), (kept_y, y, new_y)]:
        np.testing.assert_array_equal(given, before)
        np.testing.assert_array_equal(after[: len(before)], before)


def on_segment(point, a, b):
    return np.isclose(
        np.linalg.norm(point - a) + np.linalg.norm(point - b),
        np.linalg.norm(a - b),
        rtol=1e-5,
    )


def neighbours(members, i, k):
    """Rows of the k nearest of a sample, without itself."""
    return np.argsort(np.linalg.norm(members - members[i], axis=1))[1 : k + 1]


@pytest.mark.parametrize("count", [2, 4, 6, 12])
def test_new_samples_lie_between_nearest_neighbours_of_their_class(count):
    """Of the 5 nearest; of all others, where there are fewer."""
    x, y = clouds((count, 30))
    new_x, new_y = smote(x, y)
    members = x[y == 0].reshape(count, -1)
    new = new_x[len(x) :].reshape(-1, 4)
    assert (new_y[len(x) :] == 0).all()
    for point in new:
        assert any(
            on_segment(point, members[i], members[j])
            for i in range(count)
            for j in neighbours(members, i, k=min(5, count - 1))
        )
    assert len(np.unique(new, axis=0)) > 1


def test_a_lone_sample_is_repeated():
    x, y = clouds((1, 6))
    new_x, new_y = smote(x, y)
    copies = new_x[new_y == 0]
    assert len(copies) == 6
    np.testing.assert_array_equal(copies, np.repeat(x[y == 0], 6, axis=0))


def test_pixels_are_rounded_to_the_nearest():
    x, y = clouds((4, 30), "uint8")
    rounded, _ = smote(x, y)
    exact, _ = smote(x.astype("float64"), y)
    assert rounded.dtype == "uint8"
    assert (exact % 1 > 0.5).any()
    np.testing.assert_array_equal(rounded, np.rint(exact))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_dtypes_stay(dtype):
    x, y = clouds((4, 30), dtype)
    new_x, new_y = smote(x, y.astype("int32"))
    assert (new_x.dtype, new_y.dtype) == (dtype, "int32")


def test_new_samples_follow_from_the_seed():
    (first, _), (again, _), (other, _) = (
        smote(*clouds((4, 30)), seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
