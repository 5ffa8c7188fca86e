"""A folded copy follows its network, and hands masks on."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from helpers.compilation import ONCE
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import SHAPES
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel
from keras_m2m.folding import FoldedNetwork


def with_low_rank(network):
    """The network with an update of low rank, not zero, to its convolution and head."""
    for layer in (network.layers[0], network.layers[-1]):
        layer.enable_lora(2)
        layer.lora_kernel_b.assign(normal(*layer.lora_kernel_b.shape))
    return network


def test_a_copy_is_made_anew_only_for_other_variables():
    network = convolutional(1)
    folded = FoldedNetwork(network)
    assert not folded.refresh()
    with_low_rank(network)
    assert folded.refresh()
    assert not folded.refresh()


def test_a_copy_made_anew_has_the_low_rank_update():
    network, x = convolutional(1), ops.convert_to_tensor(normal(3, *image_shape()))
    folded = FoldedNetwork(network)
    before = to_numpy(folded.freeze()(x))
    with_low_rank(network)
    folded.refresh()
    after = to_numpy(folded.freeze()(x))
    assert np.abs(after - before).max() > 0.1
    np.testing.assert_allclose(after, to_numpy(network(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "mode, when", [(SHAPES[0], "before compile"), (SHAPES[-1], "between two fits")]
)
def test_training_goes_on_with_a_low_rank_update(mode, when):
    f, g = convolutional(1), convolutional(2)
    model = M2mModel(f, g, [10, 1000, 100], gamma=0.0, steps=1, step_size=0.1)
    x, y = normal(6, *image_shape()), np.arange(6) % 3
    if when == "between two fits":
        model.compile(sgd(), LOSS, **COMPILE[mode])
        model.fit(x, y, verbose=0)
    with_low_rank(f)
    update = to_numpy(f.layers[-1].lora_kernel_a)
    model.compile(sgd(), LOSS, **COMPILE[mode])
    history = model.fit(x, y, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert np.abs(to_numpy(f.layers[-1].lora_kernel_a) - update).max() > 0


def masked():
    stack = [layers.Masking(), layers.Dense(5), layers.BatchNormalization()]
    head = [layers.LSTM(3), layers.Dense(3)]
    return keras.Sequential([keras.Input((6, 4)), *stack, *head])


def test_masks_reach_the_layers_behind_a_normalisation():
    network, x = masked(), normal(5, 6, 4)
    norm = network.layers[2]
    norm.beta.assign(normal(5))  # So that steps of zeros are no zeros any more.
    x[:, 3:] = 0
    # Warnings are errors: Keras has one for a mask that is lost.
    found = run(ONCE, FoldedNetwork(network).freeze(), x)
    short = run(ONCE, network, x[:, :3])
    np.testing.assert_allclose(found, short, rtol=1e-5, atol=1e-6)
