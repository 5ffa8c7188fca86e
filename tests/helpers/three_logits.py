"""Networks of three logits: stacked, and by a `call`."""

import keras
import numpy as np
from keras import layers


class Subclass(keras.Model):
    """Three logits by layers in a `call` of its own, called once if `shape`."""

    def __init__(self, head=None, shape=(2, 4)):
        super().__init__()
        self.hidden, self.head = layers.Dense(5, "tanh"), head or layers.Dense(3)
        self.gate = layers.Dense(5, "sigmoid")
        if shape:
            self(np.zeros(shape, "float32"))

    def call(self, x):
        return self.head(self.hidden(x) * self.gate(x))


def stacked(*stack, shape=(4,), **arguments):
    return keras.Sequential([keras.Input(shape, **arguments), *stack])
