"""Learning-rate schedules, in epochs rather than steps."""

import math
import types
from collections.abc import Callable
from collections.abc import Mapping

from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole

# ÷100 at epoch 160 and again at 180: the protocol of CIFAR-LT.
_CIFAR_DROPS = types.MappingProxyType({160: 0.01, 180: 0.01})


def warmup_step_decay(
    initial_rate: float = 0.1,
    warmup_epochs: int = 5,
    drops: Mapping[int, float] = _CIFAR_DROPS,
) -> Callable[[int], float]:
    """Learning rate that rises linearly at first and later drops in steps.

    For `MomentumCorrectedScheduler`. It depends on the epoch number alone, so that a
    run may stop and go on, or change from plain to re-balanced training, anywhere.

    Args:
        initial_rate: Rate after the warm-up and before the first drop, a
            positive float.
        warmup_epochs: Length of the warm-up in epochs, an integer of at least
            0. Epoch `e` of the warm-up has `(e + 1) / warmup_epochs` of the
            rate, so its last epoch has all of it.
        drops: Maps an epoch, counted from 0, to the factor in `(0, 1]` that the
            rate is multiplied by from that epoch on. Factors accumulate.
            Defaults to the drops of CIFAR-LT, by 0.01 at 160 and at 180.

    Returns:
        A function from an epoch, an integer counted from 0, to the rate of that
        epoch, a Python float.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> rate = warmup_step_decay(0.1, warmup_epochs=2, drops={30: 0.1})
    >>> [round(rate(epoch), 3) for epoch in (0, 1, 29, 30)]
    [0.05, 0.1, 0.1, 0.01]

    Source: Kim et al., M2m (CVPR 2020), section 3.1 and supplement A.
    """
    initial_rate = check_positive(initial_rate=initial_rate)
    check_whole(0, warmup_epochs=warmup_epochs)
    drops = _checked_drops(drops)

    def rate(epoch: int) -> float:
        warmed = min(1.0, (epoch + 1) / warmup_epochs) if warmup_epochs else 1.0
        factors = [factor for start, factor in drops.items() if epoch >= start]
        return float(initial_rate * warmed * math.prod(factors))

    return rate


def _checked_drops(drops: Mapping[int, float]) -> dict[int, float]:
    """A copy of `drops`, so that later changes of the caller's do not count."""
    if not isinstance(drops, Mapping):
        raise ValueError(
            "`drops` must map epochs to factors, and be {} for none. "
            f"Received: drops={drops!r}"
        )
    for epoch, factor in drops.items():
        check_whole(0, drop_epoch=epoch)
        if check_real(0, 1, drop_factor=factor) == 0:
            raise ValueError(
                "Each drop must map an epoch to a factor in (0, 1]. "
                f"Received: drops={dict(drops)}"
            )
    # As Python's: NumPy would compute the rate in the precision of a float32 factor.
    return {epoch: float(factor) for epoch, factor in drops.items()}
