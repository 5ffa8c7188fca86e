import pickle

import joblib
import keras
import numpy as np
import pytest
import scipy.sparse
import scipy.special
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import keras_m2m
from helpers.tiny_classifier import HARDLY_ACCEPTED
from helpers.tiny_classifier import tiny
from helpers.tiny_classifier import two_classes
from keras_m2m.recipes import HEADS
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import MIXES

pytestmark = pytest.mark.filterwarnings(HARDLY_ACCEPTED)


@pytest.fixture(scope="module")
def fitted():
    return tiny("m2m").fit(*two_classes())


def test_classes_that_are_apart_are_told_apart(fitted):
    x, y = two_classes()
    assert fitted.score(x, y) == 1


def test_the_same_random_state_gives_the_same_numbers(fitted):
    x, y = two_classes()
    again = clone(fitted).fit(x, y)
    np.testing.assert_array_equal(again.predict_proba(x), fitted.predict_proba(x))


def test_probabilities_are_the_softmax_of_the_logits_of_the_model(fitted):
    x, _ = two_classes()
    logits = fitted.model_.predict(x.astype("float32"), verbose=0)
    expected = scipy.special.softmax(logits.astype("float64"), axis=1)
    np.testing.assert_allclose(fitted.predict_proba(x), expected, atol=1e-5)


def test_a_prediction_depends_on_its_own_row_alone(fitted):
    x, _ = two_classes()
    rows = [fitted.decision_function(row[None])[0] for row in x]
    np.testing.assert_allclose(fitted.decision_function(x), rows, rtol=1e-7)


def test_a_pickle_predicts_alike(fitted):
    x, _ = two_classes()
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        copy.decision_function(x), fitted.decision_function(x)
    )


@pytest.mark.no_backend
def test_a_file_of_joblib_predicts_alike(fitted, tmp_path):
    x, _ = two_classes()
    joblib.dump(fitted, tmp_path / "classifier.joblib")
    copy = joblib.load(tmp_path / "classifier.joblib")
    np.testing.assert_array_equal(
        copy.decision_function(x), fitted.decision_function(x)
    )


def test_what_was_learnt_is_there(fitted):
    assert fitted.classes_.tolist() == ["fraud", "legal"]
    assert fitted.class_counts_.tolist() == [20, 60]
    assert isinstance(fitted.model_, keras.Model)
    assert [logs["epoch"] for logs in fitted.history_] == [0, 1]
    assert fitted.step_size_ > 0
    assert fitted.acceptance_rate_ == fitted.history_[-1]["acceptance_rate"]
    assert fitted.n_features_in_ == 4


@pytest.mark.no_backend
def test_methods_without_translations_have_no_step():
    made = tiny("drs").fit(*two_classes())
    assert (made.step_size_, made.acceptance_rate_) == (None, None)


@pytest.mark.no_backend
@pytest.mark.parametrize(
    "parameters",
    [
        *({"method": name} for name in METHODS if name != "m2m"),
        *({"loss": name} for name in LOSSES if name != "ce"),
        *({"mix": name} for name in MIXES if name not in ("none", "cmo")),
        *({"head": name, "validation_fraction": 0.3} for name in HEADS),
        {"adjust": 1.0},
        {"adjust": "auto", "validation_fraction": 0.3},
        {"loss": "ldam", "method": "m2m"},
        {"loss": "bce", "method": "m2m"},
    ],
    ids=str,
)
def test_what_has_a_name_trains(parameters):
    x, y = two_classes()
    made = tiny(**parameters).fit(x, y)
    assert made.score(x, y) > 0.9
    np.testing.assert_allclose(made.predict_proba(x).sum(axis=1), 1)


@pytest.mark.no_backend
def test_probabilities_of_ldam_are_those_of_its_scaled_cosines():
    x, y = two_classes()
    made = tiny(loss="ldam").fit(x, y)
    cosines = made.model_.predict(x.astype("float32"), verbose=0).astype("float64")
    scale = keras_m2m.LDAMLoss([20, 60]).scale
    np.testing.assert_allclose(
        made.predict_proba(x), scipy.special.softmax(scale * cosines, 1), atol=1e-5
    )


@pytest.mark.no_backend
def test_of_three_classes_decisions_are_logits():
    x, y = two_classes()
    y = np.where(np.arange(80) % 2, y, "other")
    made = tiny().fit(x, y)
    assert made.decision_function(x).shape == (80, 3)
    best = made.classes_[made.decision_function(x).argmax(axis=1)]
    assert (made.predict(x) == best).all()


@pytest.mark.no_backend
def test_a_sample_of_weight_0_is_as_if_it_were_not_there():
    x, y = two_classes()
    weights = np.ones(80)
    weights[::3] = 0
    left_out = tiny().fit(x[weights > 0], y[weights > 0])
    weighted = tiny().fit(x, y, sample_weight=weights)
    np.testing.assert_array_equal(weighted.predict_proba(x), left_out.predict_proba(x))


@pytest.mark.no_backend
def test_only_the_ratios_of_weights_matter():
    x, y = two_classes()
    weights = np.where(y == "fraud", 4.0, 1.0)
    one, eight = (tiny().fit(x, y, sample_weight=k * weights) for k in (1, 8))
    np.testing.assert_array_equal(one.predict_proba(x), eight.predict_proba(x))


@pytest.mark.no_backend
def test_a_heavier_class_is_predicted_where_nothing_tells_classes_apart():
    x, (_, y) = np.zeros((80, 4)), two_classes()
    x[0] = 1  # Something must vary.
    weights = np.where(y == "fraud", 30.0, 1.0)
    assert (tiny().fit(x, y).predict(x[1:]) == "legal").all()
    weighted = tiny().fit(x, y, sample_weight=weights)
    assert (weighted.predict(x[1:]) == "fraud").all()


@pytest.mark.no_backend
def test_sparse_samples_are_learnt_as_dense_ones_are():
    x, y = two_classes()
    x = np.where(x > 1, x, 0)
    dense = tiny().fit(x, y).decision_function(x)
    sparse = scipy.sparse.csc_array(x)
    found = tiny().fit(sparse, y).decision_function(sparse)
    np.testing.assert_allclose(found, dense, rtol=1e-4)


@pytest.mark.no_backend
def test_held_out_samples_are_not_trained_on():
    made = tiny(validation_fraction=0.25).fit(*two_classes())
    assert made.class_counts_.tolist() == [15, 45]
    assert "val_balanced_accuracy" in made.history_[-1]


@pytest.mark.no_backend
def test_random_numbers_of_numpy_go_on():
    np.random.seed(3)  # noqa: NPY002
    tiny().fit(*two_classes())
    expected = np.random.RandomState(3).rand()
    assert np.random.rand() == expected  # noqa: NPY002


@pytest.mark.no_backend
def test_without_a_random_state_each_fit_is_another():
    x, y = two_classes()
    one, other = (tiny(random_state=None).fit(x, y) for _ in range(2))
    assert (one.decision_function(x) != other.decision_function(x)).all()


@pytest.mark.no_backend
def test_nothing_is_printed(capsys):
    x, y = two_classes()
    tiny("m2m").fit(x, y).predict(x)
    assert capsys.readouterr() == ("", "")


@pytest.mark.no_backend
def test_a_search_tries_methods_in_a_pipeline():
    x, y = two_classes()
    pipeline = make_pipeline(StandardScaler(), tiny())
    grid = {"m2mclassifier__method": ["erm", "drs"]}
    search = GridSearchCV(pipeline, grid, scoring="balanced_accuracy", cv=2)
    assert search.fit(x, y).best_score_ > 0.9


@pytest.mark.no_backend
def test_probabilities_are_calibrated_to_the_frequencies_of_the_data():
    x, y = two_classes()
    x = x / 10  # Not to be told apart for sure.
    calibrated = CalibratedClassifierCV(tiny("rs"), cv=2, ensemble=False).fit(x, y)
    assert abs(calibrated.predict_proba(x)[:, 0].mean() - 20 / 80) < 0.03


@pytest.mark.no_backend
def test_several_labels_are_learnt_one_by_one():
    x, y = two_classes()
    both = np.stack([y == "fraud", x[:, 0] > 1.5], axis=1)
    assert MultiOutputClassifier(tiny()).fit(x, both).predict(x).shape == (80, 2)


@pytest.mark.no_backend
def test_weights_are_routed():
    x, y = two_classes()
    weights = np.where(y == "fraud", 4.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(tiny().set_fit_request(sample_weight=True))
        routed = pipeline.fit(x, y, sample_weight=weights)
    expected = tiny().fit(x, y, sample_weight=weights)
    np.testing.assert_array_equal(routed.predict_proba(x), expected.predict_proba(x))


@pytest.mark.no_backend
def test_a_fit_that_failed_left_nothing_to_predict_by():
    x, y = two_classes()
    made = tiny(epochs=0)
    with pytest.raises(ValueError, match="`epochs`"):
        made.fit(x, y)
    with pytest.raises(NotFittedError):
        made.predict(x)
