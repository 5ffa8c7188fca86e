"""Backbones from files, joined with heads, and trained further."""

import sys

import keras
import numpy as np
import pytest

import keras_m2m
from keras_m2m.pretrained import fine_tuned
from keras_m2m.pretrained import joined
from keras_m2m.pretrained import load_backbone

IMAGES = np.random.default_rng(0).random((4, 8, 8, 3), "float32")


def maps(shape=(8, 8, 3)):
    """A network from images to maps, with BatchNorm."""
    inputs = keras.Input(shape)
    x = keras.layers.Conv2D(6, 3, use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.ReLU()(x))


def backbone():
    inputs = keras.Input((8, 8, 3))
    features = keras.layers.GlobalAveragePooling2D()(maps()(inputs))
    network = keras.Model(inputs, features)
    network.trainable = False
    return network


def predicted(network):
    return keras.ops.convert_to_numpy(network(IMAGES, training=False))


def test_maps_of_a_file_are_averaged(tmp_path):
    network = maps()
    network.save(tmp_path / "own.keras")
    found = predicted(load_backbone(tmp_path / "own.keras"))
    np.testing.assert_allclose(found, predicted(network).mean((1, 2)), rtol=1e-5)


def test_a_backbone_is_frozen(tmp_path):
    maps().save(tmp_path / "own.keras")
    assert load_backbone(tmp_path / "own.keras").trainable_variables == []


def test_images_of_any_size_are_taken_where_the_file_does(tmp_path):
    maps((None, None, 3)).save(tmp_path / "own.keras")
    network = load_backbone(tmp_path / "own.keras", image_size=8)
    assert network.input_shape == (None, 8, 8, 3)
    with pytest.raises(ValueError, match="give image_size"):
        load_backbone(tmp_path / "own.keras")


def test_another_size_than_the_files_is_refused(tmp_path):
    maps().save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match=r"Expected \(8, 8, 3\)"):
        load_backbone(tmp_path / "own.keras", image_size=16)


def test_a_network_of_vectors_is_no_backbone(tmp_path):
    keras_m2m.mlp(3, (4,), hidden=2).save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match=r"images \(n, s, s, 3\)"):
        load_backbone(tmp_path / "own.keras")


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "own.keras").write_bytes(b"no network")
    with pytest.raises(ValueError, match="no model that Keras loads"):
        load_backbone(tmp_path / "own.keras")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is no file"):
        load_backbone(tmp_path / "own.keras")


@pytest.mark.no_backend
def test_without_keras_hub_an_unknown_name_says_what_is_close(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ImportError, match=r"MobileNetV3Small.*pip install keras-hub"):
        load_backbone("MobileNetV3Smal")


@pytest.mark.parametrize("head", ["dense", "cosine"])
def test_a_joined_network_is_the_head_of_the_features(head):
    body = backbone()
    features = predicted(body)
    top = keras_m2m.mlp(
        *(3, (6,), 4), mean=features.mean(0), variance=features.var(0), head=head
    )
    network = joined(body, top)
    expected = keras.ops.convert_to_numpy(top(features))
    np.testing.assert_allclose(predicted(network), expected, rtol=1e-5, atol=1e-6)
    assert keras_m2m.heads.feature_network(network).output_shape == (None, 4)


def test_a_joined_network_copies_the_head():
    top = keras_m2m.mlp(3, (6,), 4)
    network = joined(backbone(), top)
    assert not {id(v) for v in network.variables} & {id(v) for v in top.variables}


def test_a_head_that_branches_is_joined_too():
    inputs = keras.Input((6,))
    x = keras.layers.Dense(6)(inputs)
    top = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.add([x, inputs])))
    body = backbone()
    expected = keras.ops.convert_to_numpy(top(predicted(body)))
    np.testing.assert_allclose(predicted(joined(body, top)), expected, rtol=1e-5)


def test_a_joined_network_is_one_file(tmp_path):
    network = joined(backbone(), keras_m2m.mlp(3, (6,), 4))
    network.save(tmp_path / "f.keras")
    loaded = keras.saving.load_model(tmp_path / "f.keras")
    np.testing.assert_array_equal(predicted(loaded), predicted(network))


def test_a_head_of_other_features_is_refused():
    with pytest.raises(ValueError, match="must take the features"):
        joined(backbone(), keras_m2m.mlp(3, (5,), 4))


def trained_further(how):
    """A backbone that is trained a few steps with a head; and as it was before."""
    body = backbone()
    network = fine_tuned(body, how, **({"rank": 2} if how == "lora" else {}))
    logits = keras.layers.Dense(2)(network.outputs[0])
    f = keras.Model(network.inputs[0], logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    f.compile(keras.optimizers.SGD(0.5), loss, run_eagerly=True, jit_compile=False)
    f.fit(IMAGES, np.array([0, 1, 0, 1]), epochs=3, verbose=0)
    return body, network, f


@pytest.mark.parametrize("how", ["lora", "all"])
def test_fine_tuning_starts_from_the_weights_of_the_backbone(how):
    body = backbone()
    np.testing.assert_array_equal(predicted(fine_tuned(body, how)), predicted(body))


@pytest.mark.parametrize("how", ["lora", "all"])
def test_fine_tuning_changes_a_copy_and_is_saved(tmp_path, how):
    body, network, f = trained_further(how)
    before = predicted(body)
    assert abs(predicted(network) - before).max() > 1e-3
    assert body.trainable_variables == []
    f.save(tmp_path / "f.keras")
    loaded = keras.saving.load_model(tmp_path / "f.keras")
    np.testing.assert_allclose(predicted(loaded), predicted(f), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("how", ["lora", "all"])
def test_batch_norm_stays_that_of_the_backbone(how):
    body, network, _ = trained_further(how)
    norms = [each.layers[1].layers[2].get_weights() for each in (body, network)]
    assert len(norms[0]) == 4
    for before, after in zip(*norms, strict=True):
        np.testing.assert_array_equal(before, after)


def test_low_rank_updates_are_all_that_is_trained():
    network = fine_tuned(backbone(), "lora", rank=2)
    shapes = [tuple(v.shape) for v in network.trainable_variables]
    assert shapes == [(3, 3, 3, 2), (2, 6)]


def test_a_backbone_without_such_layers_has_no_low_rank_updates():
    inputs = keras.Input((8, 8, 3))
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(ValueError, match="No layer of `backbone`"):
        fine_tuned(network, "lora")


def test_another_way_of_fine_tuning_is_refused():
    with pytest.raises(ValueError, match="`how` must be"):
        fine_tuned(backbone(), "half")
