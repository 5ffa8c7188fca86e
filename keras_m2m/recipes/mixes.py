"""The ways of mixing batches that trainings are named by."""

from collections.abc import Callable
from dataclasses import dataclass

from keras_m2m.mixing import CMO
from keras_m2m.mixing import Mixup
from keras_m2m.mixing import Remix


@dataclass(frozen=True)
class Mix:
    """A way to mix the rows of batches.

    Attributes:
        label: What stands before the method in tables and figures.
        about: One line for `--help`.
        make: Function from class counts to what mixes, as `MixingModel` takes it.
        paired: Whether plain training gives it pairs of rows, the second one of each
            from class-balanced batches.
        balanced: As `make`, for the class-balanced batches of M2m; None for the same.
    """

    label: str
    about: str
    make: Callable
    paired: bool = False
    balanced: Callable | None = None

    @property
    def mixes(self) -> bool:
        return self.make([2, 1]) is not None

    @property
    def keeps_prior(self) -> bool:
        """Whether labels keep the class frequencies of the batches."""
        mixing = self.make([2, 1])
        return mixing is None or mixing.keeps_prior


UNMIXED = "none"
MIXES = {
    UNMIXED: Mix("", "batches as they are", lambda counts: None),
    "mixup": Mix("mixup", "mixup, alpha 1", lambda counts: Mixup()),
    "remix": Mix("Remix", "Remix, kappa 3, tau 0.5, alpha 1", Remix),
    "cmo": Mix(
        "CMO",
        "patches of class-balanced images pasted into half of the batches",
        lambda counts: CMO(),
        paired=True,
        balanced=lambda counts: CMO(paired=False),
    ),
}
