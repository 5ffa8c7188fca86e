"""Metrics that Keras' callbacks watch in mode "auto": whether more is better."""

import keras
import numpy as np
import pytest

from helpers.m2m_cases import UNCOMPILED
from keras_m2m.metrics import BalancedAccuracy
from keras_m2m.metrics import GeometricMean
from keras_m2m.metrics import OneVsRest

# Shares of class 1 that are recognised, an epoch each; class 0 always is.
RECALLS = [0.5, 1.0, 0.75, 0.25]
METRICS = [
    BalancedAccuracy(2),
    GeometricMean(2),
    OneVsRest(keras.metrics.Recall(name="recall"), class_id=1),
]


class Recall(keras.callbacks.Callback):
    """Gives the network of one weight the recall of an epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.set_weights([np.array([[RECALLS[epoch]]], "float32")])


def fit(metric, *callbacks):
    """A model that does not learn, of one weight: what part of class 1 is above 0.

    Samples are pairs; the logit is the weight less how hard a sample is.
    """
    share = keras.Input((1,))
    hardness = keras.Input((1,))
    weight = keras.layers.Dense(1, use_bias=False)(share)
    model = keras.Model([share, hardness], keras.layers.Subtract()([weight, hardness]))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss, metrics=[metric], **UNCOMPILED)
    hard = np.array([[9.0], [9.0], [0.2], [0.3], [0.6], [0.9]], "float32")
    x, y = [np.ones((6, 1), "float32"), hard], np.array([0, 0, 1, 1, 1, 1])
    history = model.fit(
        *(x, y),
        epochs=len(RECALLS),
        validation_data=(x, y),
        callbacks=[Recall(), *callbacks],
        verbose=0,
    )
    return model, history.history


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_callbacks_take_more_for_better(metric, tmp_path):
    monitor = {"monitor": f"val_{metric.name}"}
    path = tmp_path / "best.keras"
    save = keras.callbacks.ModelCheckpoint(path, save_best_only=True, **monitor)
    stop = keras.callbacks.EarlyStopping(
        patience=2, restore_best_weights=True, **monitor
    )
    slower = keras.callbacks.ReduceLROnPlateau(patience=2, **monitor)
    model, history = fit(metric, save, stop, slower)
    assert np.argmax(history[f"val_{metric.name}"]) == 1
    assert stop.best_epoch == 1
    assert model.get_weights()[0] == RECALLS[1]
    assert keras.saving.load_model(path).get_weights()[0] == RECALLS[1]
    # Of the rate nothing can be seen at 0, but that the plateau began after epoch 1.
    assert slower.best == history[f"val_{metric.name}"][1]


def test_less_is_better_where_the_metric_says_so():
    metric = OneVsRest(keras.metrics.BinaryCrossentropy(name="bce"), class_id=1)
    stop = keras.callbacks.EarlyStopping(patience=9, monitor="val_bce")
    _, history = fit(metric, stop)
    assert stop.best == min(history["val_bce"])
