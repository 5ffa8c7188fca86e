"""Metrics of two classes for one class against all others."""

import keras
import numpy as np
import pytest
import sklearn.metrics

from helpers.gradients import to_numpy
from keras_m2m.metrics import OneVsRest

COMPILED = [False] if keras.backend.backend() == "torch" else [False, True]
RNG = np.random.default_rng(0)
SIZE, K, CLASS_ID = 60, 3, 2
LABELS = RNG.integers(K, size=SIZE)
WEIGHTS = RNG.integers(1, 4, size=SIZE).astype("float32")
# On a grid that the thresholds of Keras' AUC tell apart.
PROBABILITY = RNG.integers(2, 39, size=SIZE) / 40
SHARE = RNG.random(SIZE)
REST = 1 - PROBABILITY
PROBABILITIES = np.stack([SHARE * REST, (1 - SHARE) * REST, PROBABILITY], 1)
LOGITS = (np.log(PROBABILITIES) + 3.0).astype("float32")
POSITIVE, PREDICTED = CLASS_ID == LABELS, PROBABILITY > 0.5


def by_threshold(name):
    score = getattr(sklearn.metrics, f"{name}_score")
    return lambda weights: score(POSITIVE, PREDICTED, sample_weight=weights)


def area(weights):
    return sklearn.metrics.roc_auc_score(POSITIVE, PROBABILITY, sample_weight=weights)


def area_of_keras(weights):
    """Keras' interpolation between precisions is not scikit-learn's."""
    metric = keras.metrics.AUC(curve="PR")
    metric.update_state(POSITIVE, PROBABILITY, sample_weight=weights)
    return float(to_numpy(metric.result()))


METRICS = {
    "AUC": (lambda: "AUC", area),
    "AUC, PR": (lambda: keras.metrics.AUC(curve="PR"), area_of_keras),
    "Precision": (
        keras.metrics.Precision,
        by_threshold("precision"),
    ),
    "Recall": (lambda: "Recall", by_threshold("recall")),
    "F1Score": (
        lambda: keras.metrics.F1Score(threshold=0.5),
        by_threshold("f1"),
    ),
    "BinaryAccuracy": (
        keras.metrics.BinaryAccuracy,
        by_threshold("accuracy"),
    ),
}
EACH = pytest.mark.parametrize("make, expected", METRICS.values(), ids=METRICS)


def value(metric, predictions, labels=LABELS, weights=None):
    """The metric over two batches."""
    metric.reset_state()
    for part in (slice(0, 30), slice(30, None)):
        own = None if weights is None else weights[part]
        metric.update_state(labels[part], predictions[part], sample_weight=own)
    return to_numpy(metric.result())


@EACH
@pytest.mark.no_backend
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
def test_a_metric_of_one_class_is_scikit_learns(make, expected, weights):
    metric = OneVsRest(make(), CLASS_ID)
    found = value(metric, LOGITS, weights=weights)
    assert found.shape == ()
    assert found == pytest.approx(expected(weights), abs=1e-5)


@EACH
def test_probabilities_give_what_their_logits_give(make, expected):
    metric = OneVsRest(make(), CLASS_ID, from_logits=False)
    found = value(metric, PROBABILITIES.astype("float32"))
    assert found == pytest.approx(expected(None), abs=1e-5)


@EACH
def test_one_logit_is_of_class_1(make, expected):
    logit = np.log(PROBABILITY / REST).astype("float32")[:, None]
    found = value(OneVsRest(make(), 1), logit, POSITIVE.astype(int))
    assert found == pytest.approx(expected(None), abs=1e-5)


@pytest.mark.parametrize("from_logits", [True, False])
def test_of_one_column_class_0_is_the_other(from_logits):
    column = np.log(PROBABILITY / REST) if from_logits else PROBABILITY
    metric = OneVsRest(keras.metrics.Recall(), 0, from_logits)
    found = value(metric, column.astype("float32")[:, None], POSITIVE.astype(int))
    expected = sklearn.metrics.recall_score(~POSITIVE, ~PREDICTED)
    # A probability of one half is predicted as neither.
    halves = ~POSITIVE & (PROBABILITY == 0.5)
    assert found == pytest.approx(expected - halves.sum() / (~POSITIVE).sum(), abs=1e-5)


def test_several_thresholds_give_several_values():
    metric = OneVsRest(keras.metrics.Recall(thresholds=[0.0, 1.0]), CLASS_ID)
    np.testing.assert_array_equal(value(metric, LOGITS), [1.0, 0.0])


@EACH
def test_it_survives_serialisation(make, expected):
    metric = OneVsRest(make(), CLASS_ID, from_logits=False, name="rare")
    restored = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert restored.get_config() == metric.get_config()
    found = value(restored, PROBABILITIES.astype("float32"))
    assert found == pytest.approx(expected(None), abs=1e-5)


BUILT_LATE = ["AUC, PR", "F1Score", "BinaryAccuracy"]  # At the first batch, or wrapped.


@pytest.mark.parametrize("compiled", COMPILED)
def test_a_model_evaluates_it_also_after_loading(compiled, tmp_path):
    model = keras.Sequential([keras.Input((K,)), keras.layers.Identity()])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = [OneVsRest(METRICS[n][0](), CLASS_ID, name=n) for n in BUILT_LATE]
    model.compile("sgd", loss, metrics=metrics, jit_compile=compiled)
    data = {"x": LOGITS, "y": LABELS, "batch_size": 20, "verbose": 0}
    logs = model.evaluate(**data, return_dict=True)
    for name in BUILT_LATE:
        assert logs[name] == pytest.approx(METRICS[name][1](None), abs=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(**data, return_dict=True) == logs


def test_its_name_is_that_of_the_metric_unless_it_is_given():
    assert OneVsRest("AUC", 1).name == "AUC"
    assert OneVsRest(keras.metrics.AUC(name="pr"), 1).name == "pr"
    assert OneVsRest("AUC", 1, name="fraud").name == "fraud"


@pytest.mark.parametrize(
    "arguments",
    [
        {"metric": "accuracy of mine"},
        {"metric": None},
        {"metric": 3},
        {"metric": keras.metrics.binary_accuracy},
        {"metric": keras.metrics.AUC(from_logits=True)},
        {"metric": "F1Score"},
        {"class_id": -1},
        {"class_id": 1.0},
        {"from_logits": "yes"},
    ],
)
def test_nonsense_is_rejected(arguments):
    with pytest.raises(ValueError, match=r"metric|class_id|from_logits"):
        OneVsRest(**{"metric": "AUC", "class_id": 1, **arguments})


@pytest.mark.parametrize("columns, class_id", [(3, 3), (1, 2)])
def test_a_class_beyond_those_of_the_predictions_is_rejected(columns, class_id):
    with pytest.raises(ValueError, match=f"Received: class_id={class_id}"):
        OneVsRest("AUC", class_id).update_state([0, 1], np.zeros((2, columns)))
