"""Labels outside the classes, and batches whose shapes do not belong together."""

import functools

import keras
import numpy as np
import pytest

import keras_m2m
from helpers.gradients import gradient
from helpers.gradients import to_numpy
from keras_m2m.losses import FocalLoss
from keras_m2m.losses import LabelAwareSmoothing
from keras_m2m.losses import LDAMLoss
from keras_m2m.losses import LogitAdjustedLoss
from keras_m2m.losses import VSLoss
from keras_m2m.metrics import BalancedAccuracy
from keras_m2m.metrics import GeometricMean
from keras_m2m.metrics import OneVsRest

K = 3
LABELS = np.array([0, 1, 2])
LOGITS = np.array([[0.5, 0.1, 0.0], [0.2, -0.4, 0.3], [0.1, 0.0, 0.9]], "float32")
WRONG = {
    "from 1 to K": LABELS + 1,
    "negative": LABELS - 1,
    "fractions": LABELS + 0.5,
    "NaN": np.array([0.0, np.nan, 2.0]),
    "beyond 32 bits": np.array([0, 2**32, 1]),
}
COUNTS = [20, 500, 100]
LOSSES = [
    FocalLoss(),
    LDAMLoss(COUNTS),
    LogitAdjustedLoss(COUNTS),
    VSLoss(COUNTS),
    LabelAwareSmoothing(COUNTS),
]
METRICS = [BalancedAccuracy(K), GeometricMean(K), OneVsRest("AUC", class_id=1)]
BOTH = [*LOSSES, *(metric.update_state for metric in METRICS)]
# Not by their `repr`: processes of one run must agree on the names of tests.
NAMES = [
    "focal",
    "LDAM",
    "logit-adjusted",
    "VS",
    "smoothing",
    "balanced accuracy",
    "geometric mean",
    "one class",
]
BY_NAME = pytest.mark.parametrize("call", BOTH, ids=NAMES)


def compiled(fn):
    """`fn` as a function of NumPy to NumPy, its values unknown where it is traced."""
    if keras.backend.backend() == "jax":
        import jax

        return lambda *arrays: to_numpy(jax.jit(fn)(*arrays))
    import tensorflow as tf

    graph = tf.function(fn)
    return lambda *arrays: to_numpy(graph(*map(tf.convert_to_tensor, arrays)))


in_a_graph = pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="PyTorch reads values in every step"
)


@BY_NAME
@pytest.mark.parametrize("labels", WRONG.values(), ids=WRONG)
def test_labels_outside_the_classes_are_an_error_where_they_can_be_read(call, labels):
    with pytest.raises(ValueError, match=r"Labels must .* Received: "):
        call(labels, LOGITS)


@BY_NAME
@pytest.mark.parametrize("labels", [[2, 0, 2], [2.0, 0.0, 1.0]])
def test_labels_may_be_of_any_dtype_that_holds_them(call, labels):
    call(np.array(labels), LOGITS)
    call(keras.ops.convert_to_tensor(labels), LOGITS)


@in_a_graph
@pytest.mark.parametrize(
    "kind",
    [
        FocalLoss,
        *(
            functools.partial(kind, COUNTS)
            for kind in (LDAMLoss, LogitAdjustedLoss, VSLoss, LabelAwareSmoothing)
        ),
    ],
)
@pytest.mark.parametrize("outside", [3.0, -1.0, 0.5, np.nan])
def test_compiled_losses_are_nan_for_a_label_outside_the_classes(kind, outside):
    labels = np.array([0.0, outside, 2.0], "float32")
    losses = compiled(kind(reduction=None))(labels, LOGITS)
    right = to_numpy(kind(reduction=None)(LABELS, LOGITS))
    expected = [right[0], np.nan, right[2]]
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-6)


@in_a_graph
@pytest.mark.parametrize("loss", LOSSES)
def test_a_label_outside_the_classes_adds_nothing_to_the_gradient(loss):
    labels = np.array([0.0, 3.0, 2.0], "float32")
    compute = compiled(lambda x, y: gradient_of(loss, y, x))
    slope = compute(LOGITS, labels)
    expected = gradient(lambda x: loss(LABELS, x), LOGITS)
    expected[1] = 0
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-5)


def gradient_of(loss, labels, x):
    from keras_m2m._backend import input_gradient

    return input_gradient(lambda z: loss(labels, z), x)


@pytest.fixture(scope="module")
def evaluate():
    """What a compiled `evaluate` logs of the loss and all metrics."""
    model = keras.Sequential([keras.Input((K,)), keras.layers.Identity()])
    model.compile(loss=FocalLoss(), weighted_metrics=METRICS)

    def logs(labels, weights=None):
        return model.evaluate(LOGITS, labels, None, 0, weights, return_dict=True)

    return logs


@in_a_graph
@pytest.mark.parametrize("labels", [WRONG["from 1 to K"], WRONG["negative"]])
def test_compiled_metrics_are_nan_once_a_label_is_outside_the_classes(evaluate, labels):
    assert np.isnan(list(evaluate(labels).values())).all()
    # They are reset, and the loss left no trace.
    assert np.isfinite(list(evaluate(LABELS).values())).all()


@in_a_graph
def test_compiled_metrics_leave_out_samples_of_weight_0_of_any_label(evaluate):
    weights = np.array([1.0, 1.0, 0.0], "float32")
    padded = evaluate(np.array([0, 1, -1]), weights)
    whole = evaluate(LABELS, weights)
    assert {**padded, "loss": None} == {**whole, "loss": None}


@BY_NAME
@pytest.mark.parametrize(
    "weights", [[1.0], [1.0, 2.0], np.ones((3, 3)), np.ones((1, 3)), "a"]
)
def test_weights_of_another_shape_are_rejected(call, weights):
    with pytest.raises(ValueError, match=r"[Ww]eights"):
        call(LABELS, LOGITS, sample_weight=weights)


@BY_NAME
@pytest.mark.parametrize("labels", [LABELS[:2], LABELS[:1]])
def test_fewer_labels_than_predictions_are_rejected(call, labels):
    with pytest.raises(ValueError, match=r"equally many. Received: [12] labels and 3"):
        call(labels, LOGITS)


@BY_NAME
@pytest.mark.parametrize(
    "batch",
    [
        (LABELS, "a"),
        (LABELS, None),
        (LABELS, 0.9),
        (LABELS, [1]),
        (0.9, 0.9),
        (None, LOGITS),
        (["a", "b", "c"], LOGITS),
        (LABELS + 1j, LOGITS),
        (np.eye(3), LOGITS),
    ],
    ids=str,
)
def test_what_is_no_batch_is_rejected_by_a_sentence(call, batch):
    with pytest.raises(ValueError, match=r"must be .* Received: "):
        call(*batch)


@pytest.mark.parametrize(
    "make",
    [
        FocalLoss,
        functools.partial(LDAMLoss, [9, 1]),
        functools.partial(LogitAdjustedLoss, [9, 1]),
        functools.partial(VSLoss, [9, 1]),
        functools.partial(LabelAwareSmoothing, [9, 1]),
        lambda **arguments: BalancedAccuracy(2, **arguments),
        lambda **arguments: GeometricMean(2, **arguments),
        lambda **arguments: OneVsRest("AUC", 1, **arguments),
    ],
)
def test_a_name_must_be_a_string(make):
    with pytest.raises(ValueError, match="`name` must be a string"):
        make(name=5)


@pytest.mark.parametrize("reduction", [[1], 3, "median"])
def test_a_reduction_must_be_one_of_keras(reduction):
    with pytest.raises(ValueError, match="`reduction`"):
        keras_m2m.FocalLoss(reduction=reduction)
