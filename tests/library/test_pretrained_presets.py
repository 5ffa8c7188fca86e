"""Presets of keras_hub, from folders with random weights; skipped where it is not."""

import keras
import numpy as np
import pytest

import keras_m2m
from keras_m2m.pretrained import fine_tuned
from keras_m2m.pretrained import joined
from keras_m2m.pretrained import load_backbone

# Its import alone takes seconds, and warns.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
hub = pytest.importorskip("keras_hub", exc_type=ImportError)

IMAGES = np.random.default_rng(0).random((2, 16, 16, 3), "float32")
MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
OF_IMAGENET = {
    "scale": (1 / 255 / SPREAD).tolist(),
    "offset": (-MEAN / SPREAD).tolist(),
}


def resnet():
    network = hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64],
        stackwise_num_blocks=[1],
        stackwise_num_strides=[1],
        block_type="basic_block",
    )
    scaled = hub.layers.ResNetImageConverter(image_size=(16, 16), **OF_IMAGENET)
    return network, scaled


def vit():
    network = hub.models.ViTBackbone(
        image_shape=(16, 16, 3),
        patch_size=4,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=8,
    )
    scaled = hub.layers.ViTImageConverter(
        image_size=(16, 16), scale=1 / 127.5, offset=-1
    )
    return network, scaled


def dino():
    network = hub.models.DINOV2Backbone(
        patch_size=4,
        num_layers=1,
        hidden_dim=8,
        num_heads=2,
        intermediate_dim=8,
        image_shape=(16, 16, 3),
        position_embedding_shape=(16, 16, 3),
    )
    scaled = hub.layers.DINOV2ImageConverter(image_size=(16, 16), **OF_IMAGENET)
    return network, scaled


def saved(folder, made):
    network, converter = made
    network.save_to_preset(str(folder))
    converter.save_to_preset(str(folder))
    return network


def of_imagenet(images):
    return ((images - MEAN) / SPREAD).astype("float32")


def predicted(network, images=IMAGES):
    return keras.ops.convert_to_numpy(network(images, training=False))


def test_maps_are_averaged_and_images_scaled_as_the_converter_says(tmp_path):
    network = saved(tmp_path, resnet())
    expected = predicted(network, of_imagenet(IMAGES)).mean(axis=(1, 2))
    found = predicted(load_backbone(tmp_path))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_of_a_transformer_the_class_token_is_taken(tmp_path):
    network = saved(tmp_path, vit())
    expected = predicted(network, 2 * IMAGES - 1)[:, 0]
    found = predicted(load_backbone(tmp_path))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_backbone_of_a_named_input_is_taken(tmp_path):
    network = saved(tmp_path, dino())
    expected = predicted(network, {"images": of_imagenet(IMAGES)})[:, 0]
    found = predicted(load_backbone(tmp_path))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("made", [resnet, vit, dino])
def test_a_network_joined_with_a_preset_is_one_file(tmp_path, made):
    saved(tmp_path / "preset", made())
    backbone = load_backbone(tmp_path / "preset")
    f = joined(backbone, keras_m2m.mlp(3, backbone.output_shape[1:], 4))
    f.save(tmp_path / "f.keras")
    loaded = keras.saving.load_model(tmp_path / "f.keras")
    np.testing.assert_array_equal(predicted(loaded), predicted(f))


@pytest.mark.parametrize("made", [resnet, vit])
def test_low_rank_updates_of_a_preset_start_at_its_features(tmp_path, made):
    saved(tmp_path, made())
    backbone = load_backbone(tmp_path)
    network = fine_tuned(backbone, "lora", rank=2)
    names = {v.name for v in network.trainable_variables}
    assert {"lora_kernel_a", "lora_kernel_b"} <= names
    np.testing.assert_array_equal(predicted(network), predicted(backbone))


def test_images_of_another_size_are_taken_where_the_backbone_does(tmp_path):
    saved(tmp_path / "resnet", resnet())
    saved(tmp_path / "vit", vit())
    assert load_backbone(tmp_path / "resnet", 32).input_shape == (None, 32, 32, 3)
    with pytest.raises(ValueError, match="no backbone for images of 32 pixels"):
        load_backbone(tmp_path / "vit", 32)


def test_a_folder_without_the_converter_is_refused(tmp_path):
    network, _ = resnet()
    network.save_to_preset(str(tmp_path))
    with pytest.raises(ValueError, match=r"without image_converter\.json"):
        load_backbone(tmp_path)


def test_an_unknown_preset_says_what_is_close():
    with pytest.raises(ValueError, match="Did you mean resnet_18_imagenet"):
        load_backbone("resnet_18_imagnet")


def test_without_a_network_the_message_says_which_files_go_where(monkeypatch):
    def no_network(*_, **__):
        raise ConnectionError("no network")

    monkeypatch.setattr(hub.models.Backbone, "from_preset", no_network)
    wanted = (
        r"Put its files config\.json, image_converter\.json and model\.weights\.h5, of "
        r"kaggle://keras/resnetv1/keras/resnet_18_imagenet/\d+, into a folder here"
    )
    with pytest.raises(FileNotFoundError, match=wanted):
        load_backbone("resnet_18_imagenet")
