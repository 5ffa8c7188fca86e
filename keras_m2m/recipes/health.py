"""What stops a training that has gone wrong, with the likely cause."""

import math
import warnings

import keras


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
