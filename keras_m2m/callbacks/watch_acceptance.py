"""A warning where hardly any translation is accepted, or all are."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_flag
from keras_m2m.checks import check_names
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole

_MOST = 5  # Classes that a warning names.
FEW, ALL = 0.05, 0.999  # Rates below and above which something can be better.
_TELLING_FEW, _TELLING = 200, 1000  # Translations from which such a rate is no chance.


def advice(rate: float) -> str | None:
    """What to try where a rate of acceptance is below 5 % or above 99.9 %, or None.

    Args:
        rate: Share of translations that was accepted, in `[0, 1]`.

    Example:

    >>> advice(0.5) is None
    True
    """
    if rate < FEW:
        return (
            "M2m hardly differs from class-balanced sampling: try a longer or shorter "
            'step_size ("auto" looks for one), a g that is trained longer or better, '
            "or a smaller gamma"
        )
    if rate > ALL:
        return (
            "g may be convinced too easily, or steps are longer than needed: try a "
            "shorter step_size, a larger gamma, or a g that is trained better"
        )
    return None


class WatchAcceptance(keras.callbacks.Callback):
    """Warns after an epoch of `M2mModel` in which `g` let hardly anything pass.

    M2m is then class-balanced sampling and nothing more. While it watches a
    `fit` of another model it does nothing.

    Args:
        least: Acceptance rate in `[0, 1]` below which it warns.
        class_names: Names for the warning, one per class; None for numbers.
        once: Whether to warn after the first such epoch alone, and at the end of `fit`
            of how many there were. If there was none, it warns at the end where 5 % of
            all translations or less were accepted, or 99.9 % or more: then it says what
            to try.
        least_rows: Translated rows below which an epoch shows nothing.

    Attributes:
        translated: Rows translated in the last epoch, int64 `(K, K)` indexed
            `[target, seed]`; None before the first.
        accepted: Rows of them that were accepted, likewise.

    Example:

    ```python
    model.fit(**batches.fit_arguments, callbacks=[keras_m2m.WatchAcceptance()])
    ```
    """

    def __init__(
        self,
        least: float = 0.01,
        class_names: Sequence[str] | None = None,
        once: bool = False,
        least_rows: int = 0,
    ) -> None:
        super().__init__()
        self.least = check_real(0, 1, least=least)
        self.least_rows = check_whole(0, least_rows=least_rows)
        self.class_names = check_names(class_names=class_names)
        self.once = check_flag(once=once)
        self.translated: np.ndarray | None = None
        self.accepted: np.ndarray | None = None
        self._counts: Any = None
        self._warned = False
        self._epochs = self._low = 0
        self._tried = self._passed = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._epochs = self._low = 0
        self._tried = self._passed = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._counts = None

    def on_test_begin(self, logs: dict | None = None) -> None:
        # Validation at the end of an epoch sets all metrics back.
        self._read()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._read()
        if self._counts is None:
            return
        self.translated, self.accepted = self._counts
        self._epochs += 1
        translated, accepted = self.translated.sum(), self.accepted.sum()
        self._tried += int(translated)
        self._passed += int(accepted)
        if translated < self.least_rows:
            return
        if accepted < self.least * translated or not translated:
            self._low += 1
            self._warn(epoch)

    def on_train_end(self, logs: dict | None = None) -> None:
        if not self.once:
            return
        few = self._passed < FEW * self._tried
        if not self._low and self._tried >= (_TELLING_FEW if few else _TELLING):
            self._advise(self._passed / self._tried)
        if self._low > 1:
            warnings.warn(
                f"In {self._low} of {self._epochs} epochs g accepted hardly a "
                "translation; the first warning says what helps",
                stacklevel=2,
            )

    def _advise(self, rate):
        # Without a threshold all are accepted.
        tried = advice(rate) if getattr(self.model, "gamma", None) else None
        if tried:
            warnings.warn(
                f"g accepted {100 * rate:.3g} % of {self._tried} translations. {tried}",
                stacklevel=3,
            )

    def _warn(self, epoch):
        if self.once and self._warned:
            return
        self._warned = True
        names = self.class_names or []
        message = _message(epoch, self.translated, self.accepted, names)
        warnings.warn(message, stacklevel=3)

    def _read(self):
        counts = getattr(self.model, "translation_counts", None)
        if counts is not None and self._counts is None:
            self._counts = counts.by_class()


def _message(epoch, translated, accepted, names):
    tried, passed = (part.sum(axis=1) for part in (translated, accepted))
    if not tried.any():
        return (
            f"Epoch {epoch}: nothing was translated, since R rejected all. A "
            "smaller `beta` rejects less"
        )
    empty = np.flatnonzero((tried > 0) & (passed == 0))
    # Rather a number than no warning, if there are too few names.
    known = [repr(names[k] if k < len(names) else str(k)) for k in empty]
    shown = ", ".join(known[:_MOST])
    if len(known) > _MOST:
        shown += f" and {len(known) - _MOST} more"
    into = "class" if len(known) == 1 else "classes"
    none = f"Not one into {into} {shown}. " if known else ""
    return (
        f"Epoch {epoch}: g accepted {passed.sum()} of {tried.sum()} translations. "
        f"{none}Scale samples, if their entries do not spread by about 1 or lie in "
        "`bounds`, or give `units`; train g longer or better; lower `gamma` or `lam`; "
        'try a longer or shorter `step_size` ("auto" looks for one), or more `steps`'
    )
