"""What `tasks.predict` makes of networks, whatever their head and their samples."""

import keras
import numpy as np
import pandas
import pytest
from PIL import Image
from sklearn.metrics.pairwise import cosine_similarity

import keras_m2m
from helpers.own_data import load
from helpers.own_data import write_arrays
from helpers.own_data import write_images
from keras_m2m import heads
from keras_m2m.decisions import Calibration
from keras_m2m.decisions import Rule
from tasks import predict
from tasks.experiment.errors import UserError
from tasks.experiment.task import Data
from tasks.records import records
from tasks.records import served
from tasks.runs import new_samples
from tasks.training import evaluation
from tasks.training import familiarity

pytestmark = pytest.mark.no_backend


def run_of(folder, f, reading=None):
    """A folder as a run leaves it, of the network and its classes."""
    folder.mkdir(exist_ok=True)
    f.save(folder / "f.keras")
    about = {"source": "made up", "protocol": "m2m", "seed": 0, "failed": "untrained"}
    about |= {"class_names": ["a", "b"], "class_counts": [2, 1]}
    about |= {"reading": reading} if reading else {}
    records.write(folder / "result.json", about)
    return folder


def network(head, shape=(3,), hidden=4):
    return keras_m2m.mlp(2, shape, hidden=hidden, head=head)


X = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")


def test_logits_become_probabilities():
    f = network("dense")
    logits = f.predict(X, verbose=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(evaluation.probabilities(f, X), expected, rtol=1e-5)


def test_one_logit_is_of_the_second_class():
    f = network("logit")
    expected = 1 / (1 + np.exp(-f.predict(X, verbose=0)[:, 0]))
    found = evaluation.probabilities(f, X)
    np.testing.assert_allclose(found[:, 1], expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_cosines_are_scaled_as_their_loss_scales_them():
    f = network("cosine")
    logits = 30 * f.predict(X, verbose=0)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(evaluation.probabilities(f, X), expected, rtol=1e-4)


def test_vectors_of_an_archive_are_predicted(tmp_path):
    folder = run_of(tmp_path, network("dense"))
    path = write_arrays(tmp_path / "new.npz", x=X.astype("float64"))
    found = predict.predict(folder, path)
    f = keras.saving.load_model(folder / "f.keras")
    chances = evaluation.probabilities(f, X)
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


# What to look at.


def test_the_share_of_least_margin_is_unsure(tmp_path):
    x = np.random.default_rng(1).normal(size=(30, 3)).astype("float32")
    folder = run_of(tmp_path, network("dense"))
    path = write_arrays(tmp_path / "new.npz", x=x)
    found = predict.predict(folder, path, look=0.11)
    margin = (found["probability of a"] - found["probability of b"]).abs()
    unsure = set(np.flatnonzero(found["look"] == "unsure"))
    assert unsure == {*np.argsort(margin)[:3]}  # 3.3, rounded down.
    assert (predict.predict(folder, path, look=0)["look"] == "").all()
    assert (predict.predict(folder, path, look=1)["look"] == "unsure").all()


# By a rule.


def ruled(folder, rule, names=("a", "b")):
    folder.mkdir(exist_ok=True)
    served.write_rule(folder, rule, names)
    return folder / served.RULE


COSTS = np.array([[0, 1], [9, 0.0]])
BY_COSTS = Rule(Calibration(0.5, np.array([0.6, 0.4])), None, COSTS, None)
BY_OFFSETS = Rule(Calibration(1.0, None), np.array([0, 1.0]), None, None)


@pytest.mark.parametrize("rule", [BY_COSTS, BY_OFFSETS], ids=["costs", "offsets"])
def test_the_rule_in_the_folder_decides(rule, tmp_path):
    folder = run_of(tmp_path, network("dense"))
    path = write_arrays(tmp_path / "new.npz", x=X)
    chances = evaluation.probabilities(keras.saving.load_model(folder / "f.keras"), X)
    ruled(folder, rule)
    found = predict.predict(folder, path, look=0.2)
    shown = found[["probability of a", "probability of b"]]
    np.testing.assert_allclose(shown, rule.probabilities(chances), rtol=1e-5)
    assert found["predicted"].tolist() == ["ab"[k] for k in rule.decide(chances)]
    (unsure,) = np.flatnonzero(found["look"] == "unsure")
    assert unsure == rule.margins(chances).argmin()
    plain = predict.predict(folder, path, rule="none")
    assert plain["predicted"].tolist() == ["ab"[k] for k in chances.argmax(axis=1)]


def test_a_rule_is_taken_from_another_folder(tmp_path):
    folder = run_of(tmp_path / "run", network("dense"))
    path = write_arrays(tmp_path / "new.npz", x=X)
    elsewhere = ruled(tmp_path / "report", BY_COSTS)
    by_flag = predict.predict(folder, path, rule=elsewhere)
    ruled(folder, BY_COSTS)
    pandas.testing.assert_frame_equal(by_flag, predict.predict(folder, path))


@pytest.mark.parametrize(
    "content, match",
    [
        (None, "holds no rule of a report"),
        ("{", "holds no rule of a report"),
        ("[]", "A rule must be a dictionary"),
        ('{"temperature": -1}', "`temperature` must be"),
        ('{"temperature": 1}', "for other classes than the model's, 'a', 'b'"),
        ('{"temperature": 1, "class_names": ["b", "a"]}', "for other classes"),
    ],
)
def test_what_is_no_rule_for_the_model_is_refused(content, match, tmp_path):
    folder = run_of(tmp_path, network("dense"))
    path = write_arrays(tmp_path / "new.npz", x=X)
    rule = tmp_path / "own.json"
    if content is not None:
        rule.write_text(content)
    with pytest.raises(UserError, match=match):
        predict.predict(folder, path, rule=rule)


# Photographs.

READING = {"size": 8, "bits": None, "group": None}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


def image_network(hidden=4):
    first = keras.config.image_data_format() == "channels_first"
    return network("dense", (3, 8, 8) if first else (8, 8, 3), hidden)


@pytest.fixture
def seen(monkeypatch):
    """What networks are shown, batch by batch."""
    batches, probabilities = [], served.probabilities

    def keep(f, x):
        batches.append(x)
        return probabilities(f, x)

    monkeypatch.setattr(served, "probabilities", keep)
    return batches


def write_grey(folder, values):
    """Grey images of 16 bits."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, value in enumerate(values):
        pixels = np.full((8, 8), value, "uint16")
        Image.fromarray(pixels).save(folder / f"{k}.png")


@pytest.mark.parametrize("deep", [False, True])
def test_photographs_are_the_same_pixels_as_in_training(deep, kept, seen, tmp_path):
    own = write_images(tmp_path / "own", {"a": 5, "b": 5}, side=12)
    if deep:
        write_grey(own / "c", [0, 77, 4000])
    data = load(own, "--image_size=8")
    folder = run_of(tmp_path / "run", image_network(), data.reading)
    found = predict.predict(folder, own)
    (x,) = seen
    assert found["file"].tolist()[:6] == [*(f"a/{i}.png" for i in range(5)), "b/0.png"]
    parts = (data.train, data.validation, data.test)
    trained = np.concatenate([part[0] for part in parts])
    assert x.dtype == trained.dtype
    assert sorted(map(bytes, trained)) == sorted(map(bytes, x))


def test_photographs_are_read_a_few_at_a_time(kept, seen, tmp_path, monkeypatch):
    monkeypatch.setattr(new_samples, "_BATCH", 0)
    own = write_images(tmp_path / "own", {"x/y/z": 40}, side=8)
    folder = run_of(tmp_path / "run", image_network(), READING)
    found = predict.predict(folder, own)
    assert [len(x) for x in seen] == [16, 16, 8]
    one = predict.predict(folder, own / "x" / "y" / "z" / "7.png")
    expected = found[found["file"] == "x/y/z/7.png"]
    assert one["file"].tolist() == ["7.png"]
    columns = ["probability of a", "probability of b"]
    np.testing.assert_allclose(one[columns], expected[columns], rtol=1e-5)


def test_a_damaged_photograph_has_a_line_and_no_prediction(kept, tmp_path):
    own = write_images(tmp_path / "own", {"x": 3})
    (own / "x" / "1.png").write_bytes(b"none")
    write_grey(own / "y", [300])
    folder = run_of(tmp_path / "run", image_network(), READING)
    ruled(folder, BY_COSTS)  # Which cannot decide by what is missing.
    found = predict.predict(folder, own, look=0)
    assert found["predicted"].isna().tolist() == [False, True, False, True]
    assert found["probability of a"].isna().tolist() == [False, True, False, True]
    assert found["look"][1].startswith("cannot be read: cannot identify image")
    assert "grey of more than 8 bits, with values up to 300" in found["look"][3]
    assert found["look"].tolist()[::2] == ["", ""]
    with pytest.raises(UserError, match="no image can be read"):
        predict.predict(folder, own / "x" / "1.png")


def own_data(x, y, held_out):
    return Data((x, y), (held_out, y[:1]), (x, y), ["a", "b"], "made up")


def test_photographs_unlike_those_of_the_training_are_named(kept, seen, tmp_path):
    own = write_images(tmp_path / "own", {"x": 9})
    f = image_network(64)  # By few features, some of them are alike.
    folder = run_of(tmp_path / "run", f, READING)
    expected = predict.predict(folder, own, look=0)
    (x,) = seen
    rows = [0, 3, 4]
    y = np.array([0, 1, 1])
    known = familiarity.familiar(f, own_data(x[rows], y, x[rows]))
    assert known.limit == pytest.approx(0, abs=1e-3)  # But for float16.
    familiarity.save(known._replace(limit=1e-3), folder)
    found = predict.predict(folder, own, look=0)
    unlike = np.setdiff1d(np.arange(9), rows)
    assert np.flatnonzero(found["look"] == "unlike training").tolist() == [*unlike]
    both = predict.predict(folder, own, look=1)["look"]
    assert both[1] == "unsure; unlike training"
    columns = ["probability of a", "probability of b"]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-4)


def test_the_limit_is_what_99_of_100_held_out_samples_keep():
    rng = np.random.default_rng(0)
    f, x = network("dense"), rng.normal(size=(40, 3)).astype("float32")
    held_out = rng.normal(size=(200, 3)).astype("float32")
    known = familiarity.familiar(f, own_data(x, np.arange(40) % 2, held_out))
    features = heads.features(f, x).values, heads.features(f, held_out).values
    cosines = cosine_similarity(*features).max(axis=0)
    assert known.limit == pytest.approx(np.sort(1 - cosines)[-2], abs=1e-3)
    assert (1 - cosines > known.limit + 1e-3).sum() <= 1


def test_of_many_training_samples_equally_many_of_each_class_are_kept(monkeypatch):
    monkeypatch.setattr(familiarity, "_MOST", 10)
    x = np.random.default_rng(0).normal(size=(50, 3)).astype("float32")
    y = np.array([0] * 47 + [1] * 3)
    known = familiarity.familiar(network("dense"), own_data(x, y, x))
    assert len(known.directions) == 5 + 3


def test_a_network_without_a_head_points_nothing_out(tmp_path):
    f = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu")])
    known = familiarity.familiar(f, own_data(X[:2], np.array([0, 1]), X))
    familiarity.save(known, tmp_path)
    assert known is None
    assert [*tmp_path.iterdir()] == []


def test_what_is_damaged_or_gone_points_nothing_out(tmp_path):
    assert familiarity.load(tmp_path) is None
    (tmp_path / familiarity.FILE).write_bytes(b"PK")
    assert familiarity.load(tmp_path) is None


@pytest.mark.parametrize(
    "files, reading, match",
    [
        ({}, READING, "holds no images"),
        ({"a.txt": b"?"}, READING, "holds no images"),
        ({"a.png": b"?"}, None, "was not trained on a folder of some"),
    ],
)
def test_folders_that_cannot_be_predicted_are_refused(files, reading, match, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for name, content in files.items():
        (own / name).write_bytes(content)
    folder = run_of(tmp_path / "run", image_network(), reading)
    with pytest.raises(UserError, match=match):
        predict.predict(folder, own)


def test_other_files_and_masks_in_a_folder_are_told(kept, tmp_path, capsys):
    own = write_images(tmp_path / "own", {"x": 2, "masks": 2})
    (own / "notes.txt").write_text("?")
    folder = run_of(tmp_path / "run", image_network(), READING)
    assert len(predict.predict(folder, own)) == 2
    out = capsys.readouterr().out
    assert "1 files or folders are masks: 'masks'" in out
    assert "1 files or folders are no images: 'notes.txt'" in out
