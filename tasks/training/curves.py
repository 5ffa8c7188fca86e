"""Curves over epochs for TensorBoard, written without TensorFlow."""

import contextlib
from pathlib import Path

import keras
from tensorboard.summary import Writer


class Curves(keras.callbacks.Callback):
    """What `keras.callbacks.TensorBoard` writes of epochs, under the same names.

    Keras' callback needs TensorFlow on every backend, and by default records batches,
    which takes longer than the step of an MLP.

    Args:
        folder: Gets `train/` and `validation/`.
    """

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder
        self._writers = {}

    def on_train_begin(self, logs=None):
        self._writers = {}

    def on_epoch_end(self, epoch, logs=None):
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        with _as_os_error():
            for name, value in {**logs, "learning_rate": rate}.items():
                kind = "validation" if name.startswith("val_") else "train"
                tag = f"epoch_{name.removeprefix('val_')}"
                self._writer(kind).add_scalar(tag, value, epoch)
            for writer in self._writers.values():
                writer.flush()

    def on_train_end(self, logs=None):
        with _as_os_error():
            for writer in self._writers.values():
                writer.close()

    def _writer(self, kind):
        if kind not in self._writers:
            self._writers[kind] = Writer(str(self.folder / kind))
        return self._writers[kind]


@contextlib.contextmanager
def _as_os_error():
    """TensorBoard writes by TensorFlow where it is, whose errors are its own."""
    try:
        yield
    except Exception as error:
        what = str(error).partition("\n")[0]
        raise OSError(f"TensorBoard cannot write its curves: {what}") from error
