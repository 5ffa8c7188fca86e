"""What the parts of an M2m step hand to one another."""

from typing import NamedTuple


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

    samples: object
    classes: object
    rows: object
    targets: object
    wanted: object
