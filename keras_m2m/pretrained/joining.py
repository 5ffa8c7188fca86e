"""A backbone and a head as one network, from photographs to logits."""

import keras

from keras_m2m.checks import check_model
from keras_m2m.checks import is_graph


def joined(backbone: keras.Model, head: keras.Model) -> keras.Model:
    """One network of a backbone and of what was trained on its features.

    It is saved to one `.keras` file, which needs `import keras_m2m` to be loaded, of a
    preset keras_hub too, and exported as one SavedModel.

    Args:
        backbone: What `load_backbone` gives: from images to features `(n, d)`.
        head: A network from features `(n, d)` to logits.

    Returns:
        A `keras.Model` from images to logits, which shares the layers of the backbone
        and copies those of the head. Where these come one after the other, its last
        layer is that of the head, as `keras_m2m.heads` needs it.

    Raises:
        ValueError: If the head does not take such features.

    Example:

    >>> import keras_m2m
    >>> images = keras.Input((8, 8, 3))
    >>> features = keras.layers.GlobalAveragePooling2D()(images)
    >>> backbone = keras.Model(images, features)
    >>> joined(backbone, keras_m2m.mlp(4, input_shape=(3,))).output_shape
    (None, 4)
    """
    check_model(backbone=backbone)
    _check_fit(backbone, check_model(head=head))
    layers = _chain(head) or [head]
    outputs = backbone.outputs[0]
    for layer in layers:
        copy = _copied(layer)
        outputs = copy(outputs)
        copy.set_weights(layer.get_weights())
    return keras.Model(backbone.inputs[0], outputs, name=f"joined_{head.name}")


def _check_fit(backbone, head):
    given, taken = backbone.output_shape, head.input_shape
    if not (is_graph(backbone) and len(given) == 2 and given == taken):
        raise ValueError(
            "`head` must take the features (n, d) of `backbone`, a graph of layers. "
            f"Received: backbone.output_shape={given}, head.input_shape={taken}"
        )


def _copied(layer):
    if isinstance(layer, keras.Model):
        return keras.models.clone_model(layer)
    return type(layer).from_config(layer.get_config())


def _chain(head):
    """The layers of a network that come one after the other; none where it branches."""
    if not is_graph(head):
        return []
    layers = [x for x in head.layers if not isinstance(x, keras.layers.InputLayer)]
    tensor = head.inputs[0]
    for layer in layers:
        try:
            if layer.input is not tensor:
                return []
            tensor = layer.output
        except (AttributeError, ValueError):  # It is called in several places.
            return []
    return layers if tensor is head.outputs[0] else []
