"""Networks of keras.applications: their scaling, sizes and weights."""

import inspect
import re
import urllib.error

import keras
import numpy as np
import pytest

from keras_m2m.pretrained import applications

FAMILIES = sorted(
    name
    for name, module in vars(keras.applications).items()
    if inspect.ismodule(module) and hasattr(module, "preprocess_input")
)
# With a head too they take other images than those of their training, of 224 pixels.
ANY_SIZE = {"MobileNetV3Large", "MobileNetV3Small", "NASNetMobile"}


@pytest.mark.parametrize("name", FAMILIES)
def test_images_are_scaled_as_the_family_was_trained(name):
    preprocess_input = getattr(keras.applications, name).preprocess_input
    images = np.random.default_rng(0).random((2, 3, 3, 3), "float32")
    inputs = keras.Input((3, 3, 3))
    scaled = keras.Model(inputs, applications.as_in_training(inputs, preprocess_input))
    expected = preprocess_input(255 * images)
    found = keras.ops.convert_to_numpy(scaled(images))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.no_backend
@pytest.mark.parametrize("name", sorted({*applications.names()} - ANY_SIZE))
def test_images_are_as_large_as_in_training(name):
    build = getattr(keras.applications, name)
    # With the head of ImageNet no other size is taken, and the message says which is.
    with pytest.raises(ValueError) as refused:
        build(weights="imagenet", input_shape=(999, 999, 3))
    sides = re.findall(r"should be \((\d+), \1, 3\)", str(refused.value))
    assert sides == [str(applications.side_of(name))]


def test_a_network_gives_the_average_of_its_last_maps():
    network = applications.load("MobileNetV3Small", 32, weights=None)
    images = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    own = keras.applications.MobileNetV3Small(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    own.set_weights(network.get_weights())
    expected = own.predict(255 * images, verbose=0).mean(axis=(1, 2))
    found = network.predict(images, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.no_backend
def test_without_a_network_the_message_says_which_file_goes_where(
    tmp_path, monkeypatch
):
    def no_network(*_):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    files = "keras.src.utils.file_utils"
    monkeypatch.setattr(f"{files}.urlretrieve", no_network)
    monkeypatch.setattr(f"{files}.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(FileNotFoundError) as refused:
        applications.load("MobileNetV3Small", 32)
    name = "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"
    assert f"put it here as {tmp_path / 'models' / name}" in str(refused.value)
    assert f"keras-applications/mobilenet_v3/{name} elsewhere" in str(refused.value)


@pytest.mark.no_backend
def test_files_that_keras_keeps_under_another_name_are_called_so():
    source = inspect.getsource(inspect.getmodule(keras.applications.NASNetMobile))
    for address, kept in applications._KEPT_AS.items():
        assert f"{address}" in source
        assert f'"{kept}"' in source


def test_images_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="at least 32x32"):
        applications.load("ResNet50", 16, weights=None)
