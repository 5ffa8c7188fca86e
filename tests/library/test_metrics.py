import warnings

import hypothesis
import imblearn.metrics
import keras
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import strategies as st

from helpers import oracles
from helpers.gradients import to_numpy
from keras_m2m.losses import FocalLoss
from keras_m2m.metrics import BalancedAccuracy
from keras_m2m.metrics import GeometricMean

K = 4
METRICS = [BalancedAccuracy(K), GeometricMean(K), GeometricMean(K, correction=0.001)]
CORRECTIONS = st.sampled_from([0.0, 0.001, 0.5])
# PyTorch has no graph here; its compiler takes minutes for the smallest model.
COMPILED = [False] if keras.backend.backend() == "torch" else [False, True]

# (label, predicted class, weight) of each sample. Short lists leave classes out. Few
# lengths: JAX compiles each operation for each of them.
CLASSES = st.integers(0, K - 1)
SAMPLE = st.tuples(CLASSES, CLASSES, st.sampled_from([0.25, 1.0, 3.0]))
LENGTHS = [1, 8, 9]
SAMPLES = st.one_of(*(st.lists(SAMPLE, min_size=n, max_size=n) for n in LENGTHS))


def columns(samples):
    """Labels, predictions and weights as arrays."""
    labels, predictions, weights = zip(*samples) if samples else ((), (), ())
    return np.array(labels, int), np.array(predictions, int), np.array(weights)


def scores(predictions):
    """Logits whose largest is the prediction."""
    logits = np.tile(np.linspace(-1.0, 1.0, K), (len(predictions), 1))
    logits[np.arange(len(predictions)), predictions] = 2.0
    return logits.astype("float32")


def value(metric, labels, predictions, **weights):
    """The metric of these samples alone."""
    metric.reset_state()
    metric.update_state(labels, scores(predictions), **weights)
    return float(to_numpy(metric.result()))


# Balanced accuracy.


@hypothesis.given(SAMPLES)
def test_balanced_accuracy_is_scikit_learns(samples):
    labels, predictions, _ = columns(samples)
    with warnings.catch_warnings():
        # It warns of classes that are predicted, never true, and left out.
        warnings.simplefilter("ignore", UserWarning)
        expected = sklearn.metrics.balanced_accuracy_score(labels, predictions)
    assert value(METRICS[0], labels, predictions) == pytest.approx(expected, abs=1e-6)


@hypothesis.given(SAMPLES)
def test_weighted_balanced_accuracy_is_scikit_learns(samples):
    labels, predictions, weights = columns(samples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        expected = sklearn.metrics.balanced_accuracy_score(
            labels, predictions, sample_weight=weights
        )
    result = value(METRICS[0], labels, predictions, sample_weight=weights)
    assert result == pytest.approx(expected, abs=1e-6)


# Geometric mean.


@hypothesis.given(SAMPLES, CORRECTIONS)
def test_geometric_mean_is_imbalanced_learns_over_the_classes_in_y_true(
    samples, correction
):
    labels, predictions, _ = columns(samples)
    # Unless it is told the classes, a class predicted but never true counts
    # there, as one of zero recall.
    expected = imblearn.metrics.geometric_mean_score(
        labels, predictions, labels=np.unique(labels), correction=correction
    )
    metric = GeometricMean(K, correction=correction)
    assert value(metric, labels, predictions) == pytest.approx(expected, abs=1e-5)


@hypothesis.given(SAMPLES | st.just([]), CORRECTIONS)
def test_weighted_geometric_mean_is_the_root_of_the_product(samples, correction):
    labels, predictions, weights = columns(samples)
    expected = oracles.geometric_mean(labels, predictions, correction, weights)
    metric = GeometricMean(K, correction=correction)
    result = value(metric, labels, predictions, sample_weight=weights)
    assert result == pytest.approx(expected, abs=1e-5)


def test_one_class_never_recognised_makes_the_geometric_mean_zero():
    assert value(GeometricMean(K), [0, 1, 2], [0, 1, 1]) == 0.0


def test_correction_replaces_a_recall_of_zero():
    metric = GeometricMean(K, correction=0.001)
    # Recalls 1, 1 and 0.
    assert value(metric, [0, 1, 2], [0, 1, 1]) == pytest.approx(0.001 ** (1 / 3))


def test_correction_leaves_small_recalls_alone():
    metric = GeometricMean(2, correction=0.5)
    metric.update_state([0, 1, 1, 1, 1], np.eye(2)[[0, 1, 0, 0, 0]])
    assert float(to_numpy(metric.result())) == pytest.approx(0.25**0.5)


@pytest.mark.parametrize("correction", [-0.1, 1.1, float("nan")])
def test_correction_must_be_a_recall(correction):
    with pytest.raises(ValueError, match="Received: correction="):
        GeometricMean(K, correction=correction)


# Both.


@pytest.mark.parametrize("metric", METRICS)
def test_a_class_predicted_but_never_true_is_left_out(metric):
    # Recalls: class 0 one half, class 1 all; class 3 is only predicted.
    labels, predictions = np.array([0, 0, 1]), np.array([0, 3, 1])
    expected = 0.75 if isinstance(metric, BalancedAccuracy) else 0.5**0.5
    assert value(metric, labels, predictions) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
def test_a_class_of_zero_weight_is_left_out(metric):
    weights = np.array([1.0, 0.0], "float32")
    assert value(metric, [0, 1], [0, 2], sample_weight=weights) == 1.0


@pytest.mark.parametrize("metric", METRICS)
def test_without_samples_the_result_is_zero(metric):
    metric.reset_state()
    assert float(to_numpy(metric.result())) == 0.0


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("right, expected", [(True, 1.0), (False, 0.0)])
def test_a_single_sample_is_right_or_wrong(metric, right, expected):
    if getattr(metric, "correction", 0.0) and not right:
        expected = metric.correction
    result = value(metric, [2], [2 if right else 0])
    assert result == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@hypothesis.given(samples=SAMPLES, cut=st.sampled_from([0, *LENGTHS]))
@hypothesis.settings(max_examples=40)
def test_batches_add_up_to_the_epoch(metric, samples, cut):
    labels, predictions, weights = columns(samples)
    whole = value(metric, labels, predictions, sample_weight=weights)
    metric.reset_state()
    for part in (slice(0, cut), slice(cut, None)):
        if len(labels[part]):
            metric.update_state(
                labels[part], scores(predictions[part]), sample_weight=weights[part]
            )
    assert float(to_numpy(metric.result())) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_labels_and_weights_may_be_columns(metric):
    labels, predictions = np.array([0, 0, 1]), np.array([0, 2, 1])
    weights = np.array([1.0, 2.0, 3.0], "float32")
    flat = value(metric, labels, predictions, sample_weight=weights)
    column = value(metric, labels[:, None], predictions, sample_weight=weights[:, None])
    assert flat == column > 0


@pytest.mark.parametrize("metric", METRICS)
def test_probabilities_serve_as_well_as_logits(metric):
    labels, predictions = np.array([0, 0, 1, 3]), np.array([0, 2, 1, 3])
    from_logits = value(metric, labels, predictions)
    metric.reset_state()
    metric.update_state(labels, keras.ops.softmax(scores(predictions)))
    assert float(to_numpy(metric.result())) == from_logits


@pytest.mark.parametrize("metric", METRICS)
def test_one_hot_labels_are_rejected(metric):
    with pytest.raises(ValueError, match="not one-hot"):
        metric.update_state(np.eye(K), np.eye(K))


@pytest.mark.parametrize("metric", METRICS)
def test_predictions_of_another_number_of_classes_are_rejected(metric):
    with pytest.raises(ValueError, match="Received: y_pred of shape="):
        metric.update_state(np.array([0]), np.zeros((1, K + 1)))


@pytest.mark.parametrize("metric_class", [BalancedAccuracy, GeometricMean])
@pytest.mark.parametrize("num_classes", [1, 0, 3.0])
def test_number_of_classes_must_be_an_integer_of_at_least_2(metric_class, num_classes):
    with pytest.raises(ValueError, match="Received: num_classes="):
        metric_class(num_classes)


@pytest.mark.parametrize("metric", METRICS)
def test_metrics_survive_serialisation(metric):
    restored = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(restored) is type(metric)
    assert restored.get_config() == metric.get_config()


def test_names_are_the_keys_of_the_logs():
    assert BalancedAccuracy(K).name == "balanced_accuracy"
    assert GeometricMean(K).name == "geometric_mean"


@pytest.mark.usefixtures("float16_everywhere")
def test_counts_are_not_rounded_under_a_16_bit_floatx():
    # float16 counts in twos beyond 2048: 2048 + 1 would stay 2048.
    metric = BalancedAccuracy(2)
    for size, right in ((2048, 0), (1, 1)):
        metric.update_state(np.zeros(size, int), np.eye(2)[[1 - right] * size])
    assert float(to_numpy(metric.result())) == pytest.approx(1 / 2049, rel=1e-6)


@pytest.mark.parametrize("compiled", COMPILED)
def test_compiled_evaluation_counts_over_all_batches(compiled):
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(3, size=40), rng.integers(K, size=40)
    weights = rng.random(40)
    model = keras.Sequential([keras.Input((K,)), keras.layers.Identity()])
    model.compile(
        loss=FocalLoss(),
        metrics=[BalancedAccuracy(K)],
        weighted_metrics=[GeometricMean(K)],
        jit_compile=compiled,
    )
    logs = model.evaluate(
        scores(predictions),
        labels,
        sample_weight=weights,
        batch_size=8,
        return_dict=True,
        verbose=0,
    )
    assert logs["balanced_accuracy"] == pytest.approx(
        oracles.balanced_accuracy(labels, predictions), abs=1e-6
    )
    assert logs["geometric_mean"] == pytest.approx(
        oracles.geometric_mean(labels, predictions, weights=weights), abs=1e-6
    )
