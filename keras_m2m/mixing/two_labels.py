"""Labels of a mixed batch, two a row, and the loss on both."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from keras import ops


class Mixed(NamedTuple):
    """What mixing makes of a batch: rows of two of its rows each.

    Attributes:
        x: float tensor `(batch, ...)`, the mixed samples, of a batch of pairs half as
            many.
        labels_a: int tensor `(batch,)`, the labels of `rows`.
        labels_b: int tensor `(batch,)`, those of `partners`.
        share: float32 tensor `(batch,)` in `[0, 1]`, that of `labels_a` in the loss.
        partners: int tensor `(batch,)`, the row that each is mixed with.
        rows: int tensor `(batch,)`, the row that each was made of.
    """

    x: Any
    labels_a: Any
    labels_b: Any
    share: Any
    partners: Any
    rows: Any


class TwoLabels(NamedTuple):
    """What goes the way of labels through a training step on a mixed batch.

    Attributes:
        a: The first label of each row, of shape `(batch,)` or `(batch, 1)`.
        b: The second, of the same shape.
        share: float32 tensor `(batch,)` in `[0, 1]`, that of `a`.
        weights: The weights `(batch,)` of both, a pair, or None.
    """

    a: Any
    b: Any
    share: Any
    weights: tuple[Any, Any] | None = None

    def loss(self, of_labels: Callable[[Any, Any], Any]) -> Any:
        """`share * L(a) + (1 - share) * L(b)`, row by row, by any loss of one label.

        Args:
            of_labels: Function of labels and their weights `(batch,)` to the loss of
                the batch, which is linear in the weights: a sum, or a mean over the
                batch. What it adds that has no weight, such as a regulariser, comes
                into the result once.

        Returns:
            What `of_labels` does.

        Example:

        >>> import keras
        >>> import numpy as np
        >>> logits = np.array([[0.0, 3.0]], "float32")
        >>> cross_entropy = keras.losses.SparseCategoricalCrossentropy(True)
        >>> both = TwoLabels(np.array([1]), np.array([0]), np.array([0.75], "float32"))
        >>> loss = both.loss(lambda y, weights: cross_entropy(y, logits, weights))
        >>> round(float(loss), 4)  # log(1 + e^-3) + 3 / 4
        0.7986
        """
        # Twice the shares and half of the sum: each of the two is an ordinary loss.
        of_a, of_b = 2 * self.share, 2 * (1 - self.share)
        if self.weights is not None:
            of_a, of_b = of_a * self.weights[0], of_b * self.weights[1]
        return (of_labels(self.a, of_a) + of_labels(self.b, of_b)) / 2

    def larger(self) -> tuple[Any, Any]:
        """The label of the larger share of each row, and its weight or None.

        Example:

        >>> import numpy as np
        >>> share = np.array([0.5, 0.2], "float32")
        >>> labels, _ = TwoLabels(np.array([1, 1]), np.array([0, 0]), share).larger()
        >>> ops.convert_to_numpy(labels).tolist()
        [1, 0]
        """
        first = self.share >= 0.5
        weights = None
        if self.weights is not None:
            weights = ops.where(first, *self.weights)
        first = ops.reshape(first, ops.shape(self.a))
        return ops.where(first, self.a, self.b), weights
