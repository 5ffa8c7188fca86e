"""Networks that were trained on other images, as functions from images to features.

Weights are downloaded by Keras. Presets of keras_hub need
`pip install keras-hub`; `keras.applications` and files need nothing more.
"""

from keras_m2m.pretrained.backbones import load_backbone
from keras_m2m.pretrained.fine_tuning import fine_tuned
from keras_m2m.pretrained.joining import joined

__all__ = [
    "fine_tuned",
    "joined",
    "load_backbone",
]
