"""What the parts of an M2m step hand to one another."""

from typing import Any
from typing import NamedTuple

from keras import ops

from keras_m2m.translation import Choice


class Seeds(NamedTuple):
    """The samples that a step translates, all of length `n`.

    They are rows of the batch that they go back into. On several devices that is the
    global batch on JAX, where a step is one program over all devices, and a replica's
    own rows on TensorFlow, where each replica runs a step for itself.

    On JAX and in code that XLA compiles, where every new shape is compiled anew,
    `n` is the batch size and the wanted rows come first. Elsewhere it is the number
    of wanted rows, so that no other is translated.

    Attributes:
        samples: float32 tensor `(n, ...)`, the seeds x0.
        classes: int tensor `(n,)`, their classes k0.
        rows: int tensor `(n,)`, the rows of the batch they may replace.
        targets: int tensor `(n,)`, the classes of those rows.
        wanted: bool tensor `(n,)`, False where nothing is to be replaced.
    """

    samples: Any
    classes: Any
    rows: Any
    targets: Any
    wanted: Any


def wanted_seeds(x: Any, labels: Any, choice: Choice, static: bool) -> Seeds:
    """Take the chosen seeds out of the batch.

    Args:
        x: float32 tensor `(batch, ...)`.
        labels: int32 tensor `(batch,)`.
        choice: What `translation.choose_seeds` found.
        static: Whether all rows are taken, the wanted ones first.

    Returns:
        `Seeds`.

    Example:

    >>> from keras_m2m.translation import Choice
    >>> x, labels = ops.array([[5.0], [6.0]]), ops.array([0, 1])
    >>> choice = Choice(rows=ops.array([1, 0]), wanted=ops.array([False, True]))
    >>> seeds = wanted_seeds(x, labels, choice, static=True)
    >>> [ops.convert_to_numpy(part)[0].item() for part in seeds]
    [5.0, 0, 1, 1, True]
    """
    if static:
        rows = ops.argsort(ops.logical_not(choice.wanted))
    else:
        # The first row too: TensorFlow cannot run every network on no rows.
        first = ops.arange(ops.shape(labels)[0]) == 0
        (rows,) = ops.nonzero(ops.logical_or(choice.wanted, first))
    origin = ops.take(choice.rows, rows)
    return Seeds(
        samples=ops.take(x, origin, axis=0),
        classes=ops.take(labels, origin),
        rows=rows,
        targets=ops.take(labels, rows),
        wanted=ops.take(choice.wanted, rows),
    )
