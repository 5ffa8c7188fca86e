"""The paper's networks, and one for series, as Keras models that return logits.

All take samples as they are, images in `[0, 1]`, and normalise them in the first
layer, so that translation, clipping and export live in the units of the data.
"""

from keras_m2m.models.large_images import resnet50
from keras_m2m.models.series import resnet1d
from keras_m2m.models.small_images import cifar_resnet
from keras_m2m.models.small_images import preact_resnet18
from keras_m2m.models.small_images import resnet32
from keras_m2m.models.vectors import mlp

__all__ = ["cifar_resnet", "mlp", "preact_resnet18", "resnet1d", "resnet32", "resnet50"]
