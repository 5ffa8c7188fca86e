"""References, against scikit-learn used as anybody would."""

from dataclasses import replace

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import tiny
from tasks.training import references
from tasks.training import trees

pytestmark = pytest.mark.no_backend


@pytest.fixture(scope="module")
def data():
    return tiny.blobs(tiny.settings())


def test_logistic_regression_is_that_of_standardised_samples(data):
    x, y = data.train
    of_sklearn = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced")
    )
    expected = of_sklearn.fit(np.float64(x), y).predict_proba(data.test[0])
    for scale in (1, 1e6):  # Which standardised samples do not show.
        predict = references.fit("logistic", scale * x, y, 0)
        found = predict(scale * data.test[0])
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_images_are_vectors_of_pixels(data):
    x, y = data.train
    images = x.reshape(-1, 1, 2, 1)
    vectors = references.fit("logistic", x, y, 0)(x)
    for name in ("logistic", "boosted"):
        found = references.fit(name, images, y, 0)(images)
        assert found.shape == (len(y), 3)
        if name == "logistic":
            np.testing.assert_allclose(found, vectors, atol=1e-6)


def test_rare_classes_weigh_as_much_as_large_ones():
    # At x = 1 there are 20 of 1000 samples of class 0 and 10 of 10 of class 1.
    x = np.repeat([0, 1, 1], [980, 20, 10])[:, None].astype("float32")
    y = np.repeat([0, 0, 1], [980, 20, 10])
    for name in ("logistic", "boosted"):
        chances = references.fit(name, x, y, 0)(np.float32([[0], [1]]))
        assert chances.argmax(axis=1).tolist() == [0, 1]
        np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)


def test_an_entry_that_hardly_varies_is_not_blown_up(data):
    x, y = data.train
    noise = np.random.default_rng(0).normal(size=(len(x), 1)).astype("float32")
    wider = np.hstack([x, 5 + 1e-6 * noise])
    found = references.fit("logistic", wider, y, 0)(wider)
    expected = references.fit("logistic", x, y, 0)(x)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_what_has_not_converged_is_said(data, monkeypatch):
    monkeypatch.setattr(references, "_STEPS", 1)
    with pytest.warns(UserWarning, match="not converged in 1 steps"):
        references.fit("logistic", *data.train, 0)


def test_only_large_data_takes_long(data):
    assert references.seconds("boosted", data) < 10
    assert references.seconds("logistic", data) < 10
    names = [str(k) for k in range(100)]
    x = np.broadcast_to(np.float32(0), (50_000, 3000))  # Takes no memory.
    wide = replace(
        data,
        train=(x, np.arange(50_000) % 100),
        validation=None,
        test=(x[:1], np.zeros(1, int)),
        class_names=names,
    )
    for name in ("boosted", "logistic"):
        assert references.seconds(name, wide) > references.MOST_SECONDS


def test_trees_on_few_values_are_those_on_all(data):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [500, 100])
    x = rng.normal(size=(600, 3)) + y[:, None]
    x[:, 2] = x[:, 2].round()  # Few values, which stay as they are.
    x = x.astype("float32")
    of_sklearn = HistGradientBoostingClassifier(class_weight="balanced")
    of_sklearn = of_sklearn.fit(x, y).predict_proba(x)
    found = references.fit("boosted", x, y, 0)(x)
    # Its quantiles are weighted, those of the reference are not.
    assert np.corrcoef(found[:, 1], of_sklearn[:, 1])[0, 1] > 0.99
    few = np.unique(trees._binned(x, references.fit("boosted", x, y, 0).edges), axis=0)
    assert len(np.unique(few[:, 0])) == 255
    assert set(few[:, 2]) == set(x[:, 2])


@pytest.mark.parametrize("name", ["logistic", "boosted"])
def test_what_is_saved_predicts_the_same_to_the_bit(name, tmp_path):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [500, 100, 40])
    x = (rng.normal(size=(640, 2, 2)) + y[:, None, None]).astype("float32")
    x[:, 1, 1] = x[:, 1, 1].round()  # Of few values, which are not binned.
    fitted = references.fit(name, x, y, 0)
    assert references.load(tmp_path) is None
    references.save(fitted, tmp_path)
    again = references.load(tmp_path)
    assert tuple(again.shape) == (2, 2)
    np.testing.assert_array_equal(again(x), fitted(x))


@pytest.fixture
def boosted(data):
    return references.fit("boosted", *data.train, 0)


def damaged(boosted, **changes):
    """Trees with wrong numbers in the node that the first split is in."""
    nodes = next(
        tree.nodes
        for own in boosted.fitted._predictors
        for tree in own
        if len(tree.nodes) > 1
    )
    for name, value in changes.items():
        nodes[name][0] = value
    return boosted


@pytest.mark.parametrize(
    "changes",
    [{"left": 10**6}, {"right": 0}, {"feature_idx": 99}, {"is_categorical": 1}],
    ids=["outside", "circle", "entry", "category"],
)
def test_trees_that_would_lead_outside_of_their_nodes_are_refused(
    changes, boosted, tmp_path
):
    references.save(damaged(boosted, **changes), tmp_path)
    with pytest.raises(ValueError, match="its trees are damaged"):
        references.load(tmp_path)


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / references.FILE).write_bytes(b"PK")
    with pytest.raises(ValueError, match="holds no such classifier, or is damaged"):
        references.load(tmp_path)
    skops.io.dump({"fitted": StandardScaler()}, tmp_path / references.FILE)
    with pytest.raises(ValueError, match="holds no such classifier"):
        references.load(tmp_path)
