"""Networks for vectors: words, and bags of words."""

from collections.abc import Sequence

import keras
from numpy.typing import ArrayLike

from keras_m2m.checks import check_whole
from keras_m2m.models.parts import check_head
from keras_m2m.models.parts import check_vector_shape
from keras_m2m.models.parts import decay_of
from keras_m2m.models.parts import dense
from keras_m2m.models.parts import head_layer
from keras_m2m.models.parts import normalised_input


def mlp(
    num_classes: int,
    input_shape: Sequence[int],
    hidden: int = 256,
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    head: str = "dense",
    weight_decay: float = 0.0,
    name: str = "mlp",
) -> keras.Model:
    """Two fully-connected layers, for word vectors and bags of words.

    Args:
        num_classes: Number of classes K.
        input_shape: Shape of a sample; flattened if it has several axes.
        hidden: Units of the ReLU layer.
        mean: Mean per entry of the last axis, or of the channel axis for images;
            None with `variance=None` for no normalisation.
        variance: Variance per entry of the same axis.
        head: `"dense"`, or `"cosine"` for the cosines that `LDAMLoss` expects
            (see `CosineDense` for the way to probabilities), or `"logit"` for one
            logit of two classes, whose sigmoid is the probability of class 1.
        weight_decay: Coupled weight decay c, as PyTorch's SGD has it: every
            parameter gets the regulariser `L2(c / 2)`, of gradient `c * w`.
        name: Name of the model.

    Returns:
        A `keras.Model` from `(batch, *input_shape)` to logits
        `(batch, num_classes)`, or `(batch, 1)` with `head="logit"`, weights drawn
        uniformly from `±1/sqrt(fan_in)`.

    Raises:
        ValueError: If `head` is unknown or `"logit"` for more than two classes, a size
            is not a positive integer, `weight_decay` is negative, only one of the
            statistics is given, or they are not as many finite numbers as there are
            entries, of a variance of at least 0.

    Example:

    >>> mlp(36, input_shape=(1000,)).count_params()
    265508

    Source: Kim et al., M2m (CVPR 2020), supplement A (Twitter, Reuters).
    """
    check_head(head, num_classes)
    input_shape = check_vector_shape(input_shape)
    inputs, x = normalised_input(input_shape, mean, variance)
    if len(input_shape) > 1:
        x = keras.layers.Flatten()(x)
    decay = decay_of(weight_decay)
    x = dense(x, check_whole(hidden=hidden), decay, activation="relu")
    return keras.Model(inputs, head_layer(x, head, num_classes, decay), name=name)
