"""What stops a run that has gone wrong, with the likely cause."""

import math

import keras

from tasks.task import UserError


class Diverged(UserError):
    """A training whose loss is not finite any more.

    Attributes:
        what: What happened, without what to do about it.
    """

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


class StopAtNonFiniteLoss(keras.callbacks.Callback):
    """Raises after an epoch whose loss is NaN or infinite.

    Give it to `fit` before the callback that saves checkpoints, so that the last
    good one stays.

    Args:
        training: What is trained, for the message.
        weighted: Whether the loss has class weights.
    """

    def __init__(self, training: str, weighted: bool) -> None:
        super().__init__()
        self.training, self.weighted = training, weighted

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {})["loss"]
        if math.isfinite(loss):
            return
        cause = "The learning rate is too high for this network and data"
        if self.weighted:
            cause = "The class weights of rare classes make some steps far too long"
        what = f"the loss was {loss} in epoch {epoch}, counted from 0"
        raise Diverged(
            f"{self.training}: {what}. {cause}: try a lower --learning_rate, in "
            "another --out_dir. The last checkpoint stays, but --resume would come to "
            "the same point",
            what,
        )
