"""Training that goes on after a kill as if nothing had happened."""

import os
import pathlib
import time
import warnings

import keras
import numpy as np

from keras_m2m.callbacks import checkpoint_files
from keras_m2m.callbacks.best_weights import BestWeights
from keras_m2m.callbacks.watch_acceptance import WatchAcceptance
from keras_m2m.checks import check_flag
from keras_m2m.checks import check_model
from keras_m2m.checks import check_real


class ExactResume(keras.callbacks.Callback):
    """Saves all that a training follows from at the ends of its epochs.

    That is: the weights and moving statistics of the network, the optimizer with
    its momentum, the states of random generators (those of `M2mModel` too), the
    best weights so far, what was translated last, and the logs. `BackupAndRestore`
    of Keras and `.keras` files leave some of it out. With batches that follow from
    the epoch, as those of `ResampledDataset` do, a run that was killed at any moment
    goes on from the last epoch that was saved, and on a CPU its numbers are those of a
    run that was not.

    One object goes through several `fit` calls, of the network itself and of an
    `M2mModel` or `MixingModel` around it. Give it to `fit` as the last callback, so
    that it sees what the others logged. A checkpoint is written aside and renamed, and
    holds a digest: a damaged one is passed over with a warning, for the one before it.

    Args:
        folder: Folder for the checkpoints of this training and no other; the last
            two are kept. What it holds is read here.
        network: The `keras.Model` that is trained.
        best: The `BestWeights` of this training, or None.
        watch: The `WatchAcceptance` of this training, or None.
        training: A name of this training, which its checkpoints will say; those of
            another name are passed over with a warning. None to take any.
        begun_as: The name of a training whose checkpoints are taken too, since this one
            goes on from them; or None.
        least_seconds: Time from one checkpoint to the next, at least, in seconds: where
            epochs are short, what a kill may cost for the time of saving. The last
            epoch of a `fit` is always saved.
        saves: Whether checkpoints are written. Of several processes that train
            together, all are to read the same ones, and one is to write them.

    Raises:
        ValueError: If `network` is no model, `best` no `BestWeights`, `watch` no
            `WatchAcceptance`, a name no string or `least_seconds` negative; on PyTorch,
            if a `Dropout` of the network has no `seed`: Keras then draws from PyTorch's
            own generator, which is not saved.

    Attributes:
        epochs_done: Epochs that the newest checkpoint has seen; 0 without any.
        history: One dict of logs per epoch done, each with its `epoch`.

    Example:

    ```python
    resume = keras_m2m.ExactResume("checkpoints", f)
    for model, sampling, last in [(f, "instance", 160), (m2m_model, "class", 200)]:
        resume.restore(model)  # once it is compiled
        if resume.epochs_done < last:
            first = resume.epochs_done
            batches = ResampledDataset(x, y, 128, sampling, last, first)
            model.fit(**batches.fit_arguments, callbacks=[resume])
    ```
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        network: keras.Model,
        best: BestWeights | None = None,
        watch: WatchAcceptance | None = None,
        training: str | None = None,
        begun_as: str | None = None,
        least_seconds: float = 0.0,
        saves: bool = True,
    ) -> None:
        super().__init__()
        _check_seeds(check_model(network=network))
        _check_kinds(best, watch, training, begun_as)
        self.least_seconds = check_real(0, least_seconds=least_seconds)
        self.saves = check_flag(saves=saves)
        self.training = training
        self.folder = pathlib.Path(folder)
        self.network = network
        self.best = best
        self.watch = watch
        self.epochs_done, self.history = 0, []
        self._saved_at, self._epochs_saved = -float("inf"), 0
        self._found = checkpoint_files.read_newest(self.folder, _is_known)
        if self._found and training is not None:
            whose = self._found[1].get("training")
            if whose is None or whose not in (training, begun_as):
                self._found = None
                warnings.warn(
                    f"The checkpoint in {folder} is of another training and is passed "
                    f"over. Expected {training!r}. Received: {whose!r}",
                    stacklevel=2,
                )
        if self._found:
            self.epochs_done, about, _ = self._found
            self.history, self._epochs_saved = about["history"], self.epochs_done

    def restore(self, model: keras.Model) -> None:
        """Put the newest checkpoint's state into what is trained, the first time.

        Args:
            model: The compiled model that `fit` is about to be called on: the network
                itself, or an `M2mModel` or `MixingModel` around it.

        Raises:
            ValueError: If the checkpoint is of another training: its network has other
                shapes, or something is missing.
        """
        if self._found is None:
            return
        _, about, arrays = self._found
        # Of checkpoints that do not say so, those with variables of their own are of an
        # M2mModel.
        of, mine = about.get("model"), (type(model).__name__, len(self._own(model)))
        other = model is self.network if of is None else (of, about["own"]) != mine
        if about["own"] and other:
            # It is from another phase, whose model will be restored later.
            return
        self._found = None
        model.optimizer.build(model.trainable_variables)
        parts = self._parts(model)
        if not about["own"]:
            # A checkpoint of the first phase knows nothing of the second's model.
            del parts["own"]
        if self.best is not None and about["best"]:
            parts["best"] = self.network.weights
        values = {name: _values(arrays, name) for name in parts}
        for name, variables in parts.items():
            _check(variables, values[name], self.folder)
        best = values.pop("best", None)
        if self.best is not None and best is not None:
            self.best.epoch, self.best.value = about["best"]
            self.best.weights = best
        for name, found in values.items():
            for variable, value in zip(parts[name], found, strict=True):
                variable.assign(value)
        if self.watch is not None and about.get("translated"):
            counts = _dense(about["translated"], *_values(arrays, "translated"))
            self.watch.translated, self.watch.accepted = counts

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = {key: float(value) for key, value in (logs or {}).items()}
        self.history.append({"epoch": epoch, **logs})
        self.epochs_done = epoch + 1
        if time.monotonic() - self._saved_at >= self.least_seconds:
            self._save()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._epochs_saved < self.epochs_done:
            self._save()

    def _save(self):
        if not self.saves:
            return
        values = {
            name: [keras.ops.convert_to_numpy(v) for v in variables]
            for name, variables in self._parts(self.model).items()
        }
        best = None
        if self.best is not None and self.best.weights is not None:
            best = self.best.epoch, float(self.best.value)
            values["best"] = self.best.weights
        translated = None
        if self.watch is not None and self.watch.translated is not None:
            translated = len(self.watch.translated)
            values["translated"] = _sparse(self.watch.translated, self.watch.accepted)
        arrays = {
            f"{name}/{i}": value
            for name, several in values.items()
            for i, value in enumerate(several)
        }
        about = {
            "history": self.history,
            "best": best,
            "own": len(values["own"]),
            "model": type(self.model).__name__,
            "translated": translated,
            "training": self.training,
        }
        checkpoint_files.write(self.folder, self.epochs_done, about, arrays)
        self._saved_at, self._epochs_saved = time.monotonic(), self.epochs_done

    def _parts(self, model):
        """The variables that the rest of a training follows from."""
        return {
            "network": self.network.variables,
            "optimizer": model.optimizer.variables,
            "own": self._own(model),
        }

    def _own(self, model):
        """Those that are neither of the network nor of g."""
        g = getattr(model, "g", None)
        others = [*self.network.variables, *(g.variables if g else [])]
        known = {id(v) for v in others}
        return [v for v in model.variables if id(v) not in known]


def _check_kinds(best, watch, training, begun_as):
    if best is not None and not isinstance(best, BestWeights):
        raise ValueError(f"`best` must be a BestWeights. Received: best={best!r}")
    if watch is not None and not isinstance(watch, WatchAcceptance):
        raise ValueError(
            f"`watch` must be a WatchAcceptance. Received: watch={watch!r}"
        )
    for name in (training, begun_as):
        if not isinstance(name, str | None):
            raise ValueError(
                "`training` and `begun_as` must be strings or None. Received: "
                f"training={training!r}, begun_as={begun_as!r}"
            )


def _check_seeds(network):
    if keras.config.backend() != "torch":
        return

    def unseeded(layer):
        return layer.rate > 0 and layer.seed is None

    for layer in network.layers:
        if isinstance(layer, keras.Model):
            _check_seeds(layer)
        elif isinstance(layer, keras.layers.Dropout) and unseeded(layer):
            raise ValueError(
                "With PyTorch, a layer that drops out at random must have a `seed` for "
                "an exact resume, as in keras.layers.Dropout(0.5, seed=1). "
                f"Received: {layer.name!r} without a seed"
            )


def _is_known(epochs_done, about):
    """Whether `about` is what is saved after so many epochs."""
    history, best, own = (about.get(key) for key in ("history", "best", "own"))
    return (
        isinstance(history, list)
        and all(isinstance(row, dict) for row in history)
        and [row.get("epoch") for row in history[-1:]] == [epochs_done - 1]
        and isinstance(own, int)
        and (best is None or (isinstance(best, list) and len(best) == 2))
    )


def _values(arrays, name):
    """Those of one part, in order, as far as they are there."""
    count = sum(key.startswith(f"{name}/") for key in arrays)
    keys = [f"{name}/{i}" for i in range(count)]
    return [arrays[key] for key in keys if key in arrays]


def _sparse(translated, accepted):
    """Counts of the pairs that there were: most of many classes' were not."""
    at = np.nonzero(translated)
    return [*at, translated[at], accepted[at]]


def _dense(num_classes, targets, seeds, *counts):
    """What `_sparse` was given."""
    found = np.zeros((len(counts), num_classes, num_classes), "int64")
    found[:, targets, seeds] = counts
    return found


def _check(variables, values, folder):
    shapes = [tuple(variable.shape) for variable in variables]
    found = [value.shape for value in values]
    if shapes != found or any(value.dtype.kind in "OSUM" for value in values):
        raise ValueError(
            f"The checkpoint in {folder} is of another training. Expected numbers of "
            f"shapes {shapes}. Received: {found}"
        )
