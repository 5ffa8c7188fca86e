"""What `tasks.predict` makes of networks, whatever their head and their samples."""

import keras
import numpy as np
import pandas
import pytest

import keras_m2m
from helpers.own_data import write_arrays
from tasks import predict
from tasks.experiment.errors import UserError
from tasks.records import records

pytestmark = pytest.mark.no_backend


def run_of(folder, f):
    """A folder as a run leaves it, of the network and its classes."""
    f.save(folder / "f.keras")
    about = {"source": "made up", "protocol": "m2m", "seed": 0, "failed": "untrained"}
    about |= {"class_names": ["a", "b"], "class_counts": [2, 1]}
    records.write(folder / "result.json", about)
    return folder


def network(head, shape=(3,)):
    return keras_m2m.mlp(2, shape, hidden=4, head=head)


X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def test_logits_become_probabilities():
    f = network("dense")
    logits = f.predict(X, verbose=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predict.probabilities(f, X), expected, rtol=1e-5)


def test_one_logit_is_of_the_second_class():
    f = network("logit")
    expected = 1 / (1 + np.exp(-f.predict(X, verbose=0)[:, 0]))
    found = predict.probabilities(f, X)
    np.testing.assert_allclose(found[:, 1], expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_cosines_are_scaled_as_their_loss_scales_them():
    f = network("cosine")
    logits = 30 * f.predict(X, verbose=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predict.probabilities(f, X), expected, rtol=1e-4)


def test_vectors_of_an_archive_are_predicted(tmp_path):
    folder = run_of(tmp_path, network("dense"))
    path = write_arrays(tmp_path / "new.npz", x=X.astype("float64"))
    found = predict.predict(folder, path)
    f = keras.saving.load_model(folder / "f.keras")
    chances = predict.probabilities(f, X)
    np.testing.assert_allclose(found[["probability of a", "probability of b"]], chances)
    assert found["predicted"].tolist() == ["ab"[k] for k in chances.argmax(axis=1)]


def test_images_of_an_archive_are_scaled_as_in_training(tmp_path):
    first = keras.config.image_data_format() == "channels_first"
    f = network("dense", (1, 4, 4) if first else (4, 4, 1))
    folder = run_of(tmp_path, f)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4)).astype("uint8")
    by_bytes, by_floats = (
        predict.predict(folder, write_arrays(tmp_path / "new.npz", x=x))
        for x in (pixels, pixels.astype("float32") / 255)
    )
    pandas.testing.assert_frame_equal(by_bytes, by_floats)


@pytest.mark.parametrize(
    "arrays, match",
    [
        ({"x": X[:, :2]}, r"samples of shape \(2,\).*takes \(3,\)"),
        ({"y": X}, "an .npz file with an array x"),
        ({"x": X.astype(str)}, "must be real numbers"),
    ],
)
def test_other_samples_are_refused(arrays, match, tmp_path):
    folder = run_of(tmp_path, network("dense"))
    with pytest.raises(UserError, match=match):
        predict.predict(folder, write_arrays(tmp_path / "new.npz", **arrays))


def test_a_table_needs_a_run_on_a_table(tmp_path):
    folder = run_of(tmp_path, network("dense"))
    (tmp_path / "new.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="not trained on a table"):
        predict.predict(folder, tmp_path / "new.csv")
