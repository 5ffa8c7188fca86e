"""The weights of the best validation epoch."""

import keras

from keras_m2m.checks import check_model


class BestWeights(keras.callbacks.Callback):
    """Remembers the weights of a network at its best validation epoch.

    One object can go through several `fit` calls, of the network itself and of
    an `M2mModel` around it. A tie goes to the later epoch.

    Args:
        network: The `keras.Model` whose weights are kept.
        monitor: Key of the logs to compare; higher is better.

    Raises:
        ValueError: If `network` is no model or `monitor` no text; at the end of an
            epoch, if its logs lack `monitor`.

    Example:

    ```python
    best = keras_m2m.BestWeights(f)
    f.fit(..., validation_data=validation, callbacks=[best])
    best.restore()
    ```

    Source: the protocol of the authors' released code, which tests the best
    validation epoch.
    """

    def __init__(
        self, network: keras.Model, monitor: str = "val_balanced_accuracy"
    ) -> None:
        super().__init__()
        self.network = check_model(network=network)
        self.monitor = _check_monitor(monitor)
        self.epoch: int | None = None
        self.value = float("-inf")
        self.weights: list | None = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        value = self._monitored(logs or {})
        if value >= self.value:
            self.epoch, self.value = epoch, value
            self.weights = self.network.get_weights()

    def restore(self) -> None:
        """Put the remembered weights back; does nothing before the first epoch."""
        if self.weights is not None:
            self.network.set_weights(self.weights)

    def _monitored(self, logs):
        if self.monitor not in logs:
            raise ValueError(
                "`monitor` must be a key of the logs of an epoch, which hold "
                f"{sorted(logs)}; give `fit` the metric, and validation data for a "
                f"key in val_. Received: monitor={self.monitor!r}"
            )
        return logs[self.monitor]


def _check_monitor(monitor):
    if not isinstance(monitor, str):
        raise ValueError(
            f"`monitor` must be a key of the logs. Received: monitor={monitor!r}"
        )
    return monitor
