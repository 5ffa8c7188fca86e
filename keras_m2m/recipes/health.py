"""What stops a training that has gone wrong, with the likely cause."""

import math
import warnings

import keras
import numpy as np

from keras_m2m.checks import is_sparse
from keras_m2m.classes import class_logits
from keras_m2m.m2m_model.replicas import own_part
from keras_m2m.recipes.recipe import TrainingSet
from keras_m2m.sampling import is_stream


class Diverged(ArithmeticError):
    """A training whose loss is not finite any more.

    Args:
        training: Which it is.
        what: What happened.
        advice: What to do about it.

    Attributes:
        what: What happened.
        advice: What to do about it.
    """

    def __init__(self, training: str, what: str, advice: str = "") -> None:
        super().__init__(f"{training}: {what}{advice}")
        self.what, self.advice = what, advice


class StopAtNonFiniteLoss(keras.callbacks.Callback):
    """Raises after an epoch whose loss is NaN or infinite.

    Give it to `fit` before the callback that saves checkpoints, so that the last
    good one stays.

    Args:
        training: What is trained, for the message.
        weighted: Whether the loss has class weights.
        translated: Whether samples are translated.
    """

    def __init__(self, training: str, weighted: bool, translated: bool = False) -> None:
        super().__init__()
        self.training, self.weighted = training, weighted
        self.translated = translated

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        loss = (logs or {})["loss"]
        if math.isfinite(loss):
            return
        cause = "The learning rate is too high for this network and data"
        if self.weighted:
            cause = "The class weights of rare classes make some steps far too long"
        if self.translated:
            cause = (
                "Translations left the range of the samples (unscaled entries are the "
                "usual cause: scale them alike, or lower the step_size), or the "
                "learning rate is too high"
            )
        what = f"the loss was {loss} in epoch {epoch}, counted from 0"
        raise Diverged(
            self.training,
            what,
            f". {cause}: try a lower learning_rate. The same call would come to the "
            "same point",
        )


_FAR_ABOVE = 10  # Times what guessing has, or the loss before where that is more.


class WarnOfExplosion(keras.callbacks.Callback):
    """Warns, once, where the loss is far above all reason since M2m began.

    Translations then go where no sample is, by far: steps are too long for some
    entries of the samples.

    Args:
        before: Logs of the last epoch of plain training.
        num_classes: Whose number says what guessing has for its cross entropy.
    """

    def __init__(self, before: dict[str, float], num_classes: int) -> None:
        super().__init__()
        self.before, self.guessing = before, math.log(num_classes)
        self.warned = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if "cross_entropy" not in logs:
            return  # Outputs are cosines, which stay in bounds.
        before, now = self.before["cross_entropy"], logs["cross_entropy"]
        if self.warned or now <= _FAR_ABOVE * max(before, self.guessing):
            return
        self.warned = True
        warnings.warn(
            f"Epoch {epoch}: the cross entropy of training is {now:.3g}, "
            f"and was {before:.3g} before M2m began. Translations leave the range of "
            "the samples, and scores of M2m mean little. Scale the entries of the "
            "samples alike (unscaled ones are the usual cause), or lower the step_size",
            stacklevel=2,
        )


_NARROW = 0.5  # Share of a class's training samples that g should know at least.
_FEWEST = 5  # Samples of a class that show it.
_LOOKED_AT = 2**14  # Samples in all.
_BATCH_SIZE = 512  # Divides by the devices that there may be.
_MOST_NAMED = 5


def warn_of_narrow_g(g: keras.Model, data: TrainingSet) -> None:
    """Warn of rare classes of which g knows few of its own training samples.

    Translations into such a class all end where g knows it, however many g accepts: the
    acceptance rate does not show it.

    Args:
        g: The frozen classifier.
        data: What it was trained on; a stream is not looked at, nor anything in one of
            several processes of JAX, which cannot predict.
    """
    counts = data.class_counts
    rare = np.flatnonzero((counts < counts.max()) & (counts >= _FEWEST))
    if is_stream(data.x) or not len(rare) or own_part()[1] > 1:
        return
    known = _shares_known(g, data, rare)
    narrow = np.flatnonzero(known < _NARROW)
    if not len(narrow):
        return
    names = data.class_names or [str(k) for k in range(data.num_classes)]
    told = [f"{known[i]:.0%} of {names[rare[i]]!r}" for i in narrow[:_MOST_NAMED]]
    more = len(narrow) - len(told)
    told += [f"too few of {more} more"] if more else []
    warnings.warn(
        f"g knows few of the training samples of rare classes: {', '.join(told)}. "
        "Translations into these all go where g knows them, however many it accepts: "
        'train g longer or better, or compare with method="drs", which is often better '
        "then",
        stacklevel=2,
    )


def _shares_known(g, data, classes):
    """The recall of g on training samples of each of some classes."""
    most = max(_FEWEST, _LOOKED_AT // len(classes))
    rows = [np.flatnonzero(data.y == k)[:most] for k in classes]
    every = np.concatenate(rows)
    # Repeated to whole batches: one shape to compile.
    filled = np.resize(every, -(-len(every) // _BATCH_SIZE) * _BATCH_SIZE)
    x = data.x[filled]
    x = x.toarray() if is_sparse(x) else x
    logits = g.predict(x, batch_size=_BATCH_SIZE, verbose=0)[: len(every)]
    found = keras.ops.convert_to_numpy(class_logits(logits)).argmax(axis=1)
    right = np.split(found == data.y[every], np.cumsum([len(r) for r in rows])[:-1])
    return np.array([share.mean() for share in right])
