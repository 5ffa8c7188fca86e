"""Small networks of many architectures, which users bring: `ALL[name](seed)`."""

import keras
from keras import layers
from keras import ops

import keras_m2m

CLASSES = 3
IMAGE = (32, 32, 3)
SERIES = (8, 4)


def application(name, shape=IMAGE, **arguments):
    """A network of `keras.applications` without weights, as people fine-tune one."""

    def build():
        kind = getattr(keras.applications, name)
        base = kind(include_top=False, weights=None, input_shape=shape, **arguments)
        head = [layers.GlobalAveragePooling2D(), layers.Dense(CLASSES)]
        return keras.Sequential([keras.Input(shape), base, *head])

    return build


def stacked(*stack, shape=(12, 12, 3)):
    return keras.Sequential([keras.Input(shape), *stack, layers.Dense(CLASSES)])


def vision_transformer():
    image = keras.Input((16, 16, 3))
    x = layers.Reshape((16, 12))(layers.Conv2D(12, 4, strides=4)(image))
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 6)(y, y)])
        y = layers.Dense(24, "gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(12)(y)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(image, layers.Dense(CLASSES)(x))


def masked_lstm():
    norm = layers.BatchNormalization()
    return stacked(
        layers.Masking(), layers.Dense(6), norm, layers.LSTM(5), shape=SERIES
    )


def convolutional_gru():
    conv = layers.Conv1D(6, 3, activation="relu")
    return stacked(conv, layers.BatchNormalization(), layers.GRU(5), shape=SERIES)


def series_resnet():
    statistics = {"mean": [0.5] * 4, "variance": [2.0] * 4}
    return keras_m2m.resnet1d(CLASSES, SERIES, width=4, **statistics)


def unusual_layers():
    return stacked(
        layers.SeparableConv2D(6, 3),
        layers.GroupNormalization(3),
        layers.SpectralNormalization(layers.Conv2D(6, 3)),
        layers.PReLU(),
        layers.BatchNormalization(),
        layers.Conv2D(6, 3, dilation_rate=2),
        layers.GlobalMaxPooling2D(),
    )


def branches():
    image = keras.Input((12, 12, 3))
    parts = []
    for size in (1, 3, 5):
        x = layers.Conv2D(4, size, padding="same", use_bias=False)(image)
        x = layers.BatchNormalization()(x)
        parts.append(layers.GlobalAveragePooling2D()(ops.relu(x)))
    gate = layers.Dense(12, "sigmoid")(layers.Flatten()(image))
    x = layers.Multiply()([layers.Concatenate()(parts), gate])
    return keras.Model(image, layers.Dense(CLASSES)(x))


def nested():
    norm = layers.BatchNormalization()
    inner = keras.Sequential([keras.Input((12, 12, 3)), layers.Conv2D(6, 3), norm])
    return stacked(inner, layers.ReLU(), layers.Dropout(0.5), layers.Flatten())


class Subclass(keras.Model):
    """A gate that is declared last."""

    def __init__(self):
        super().__init__()
        self.features = layers.Conv2D(6, 3)
        self.norm = layers.BatchNormalization()
        self.head = layers.Dense(CLASSES)
        self.gate = layers.Dense(6, "sigmoid")

    def call(self, x, training=None):
        x = self.norm(self.features(x), training=training)
        x = ops.mean(ops.relu(x), axis=(1, 2))
        return self.head(x * self.gate(x))


def subclass():
    network = Subclass()
    network(ops.zeros((1, 12, 12, 3)))
    return network


SMALL = {
    "vision transformer": vision_transformer,
    "LSTM, Masking": masked_lstm,
    "GRU, Conv1D": convolutional_gru,
    "ResNet of series": series_resnet,
    "separable, group and spectral": unusual_layers,
    "branches": branches,
    "nested": nested,
    "subclass": subclass,
}
LARGE = {
    "MobileNetV2": application("MobileNetV2", alpha=0.35),
    "EfficientNetB0": application("EfficientNetB0"),
    "DenseNet121": application("DenseNet121"),
    "ResNet50V2": application("ResNet50V2"),
    "ConvNeXtTiny": application("ConvNeXtTiny"),
    "Xception": application("Xception", (71, 71, 3)),
    "NASNetMobile": application("NASNetMobile"),
}
ALL = {**SMALL, **LARGE}


def network(name, seed):
    """One of `ALL`, of weights that follow from the seed."""
    keras.utils.set_random_seed(seed)
    return ALL[name]()


def shape(built):
    """Of one sample."""
    shapes = getattr(built, "input_shape", None)
    return tuple((shapes or built.get_build_config()["input_shape"])[1:])
