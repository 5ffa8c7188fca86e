"""The step that `fit` chooses: by closed forms of linear networks."""

import keras
import numpy as np
import pytest

from helpers import oracles
from helpers.compilation import normal
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import COUNTS
from helpers.m2m_cases import LABELS
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import SHAPES
from helpers.m2m_cases import UNCOMPILED
from helpers.m2m_cases import assert_one_sgd_step
from helpers.m2m_cases import linear
from helpers.m2m_cases import sgd
from helpers.m2m_cases import translations
from keras_m2m import ExactResume
from keras_m2m import M2mModel
from keras_m2m import ResampledDataset
from keras_m2m import choose_step_size
from keras_m2m.m2m_model import step_choice

# To be sure to 0.9, logits (-a, a) take a >= ln(9) / 2 = 1.1.
FAR, NEAR = -3.0, -1.0
STEP_OF = {NEAR: 0.25, FAR: 0.5}  # Ten of 0.177 and of 0.354 fall short.
SIZES = [90, 10]
Y = np.repeat([0, 1], SIZES)


def to_the_right(gate=0.0):
    """Logits (-a, a + gate * b) of two entries a and b."""
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    network.set_weights([np.float32([[-1, 1], [0, gate]]), np.zeros(2, "float32")])
    return network


def samples(far=0, gated=0):
    """The larger class `NEAR` but for some, of which some have another b than 0."""
    x = np.zeros((100, 2), "float32")
    x[:90, 0], x[90:, 0] = NEAR, -NEAR
    x[:far, 0], x[:gated, 1] = FAR, 1
    return x


def chosen(x, y=Y, gate=0.0, **arguments):
    f, g = to_the_right(), to_the_right(gate)
    return choose_step_size(f, g, x, y, SIZES, **{"noise": 0, "seed": 0, **arguments})


@pytest.mark.parametrize("far, expected", [(0, NEAR), (36, NEAR), (54, FAR), (90, FAR)])
def test_the_shortest_step_is_chosen_by_which_half_arrives(far, expected):
    found = chosen(samples(far))
    assert found.step_size == STEP_OF[expected]
    near = 1 - far / 90
    share = 1.0 if expected == FAR else near
    assert found.acceptance_rate == pytest.approx(share, abs=0.1)
    before = [*found.tried.values()][-2]
    assert before == pytest.approx(near if expected == FAR else 0.0, abs=0.1)


def test_steps_are_tried_up_to_the_chosen_one_each_by_the_root_of_2_longer():
    tried = [*chosen(samples()).tried]
    np.testing.assert_allclose(np.diff(np.log2(tried)), 0.5)
    assert tried[-1] == 0.25
    assert len(tried) < 20


def test_its_text_is_what_fit_prints():
    found = chosen(samples())
    expected = "step_size 0.25: 100 % of 256 translations accepted (0.177: 0 %)"
    assert str(found) == expected


def test_a_step_is_in_units():
    units = np.float32([10.0, 1.0])
    f, g = to_the_right(), to_the_right()
    for network in (f, g):
        network.layers[0].kernel.assign(network.layers[0].kernel / 10)
    found = choose_step_size(
        f, g, 10 * samples(), Y, SIZES, noise=0, units=units, seed=0
    )
    assert found.step_size == 0.25


def test_where_no_step_is_enough_the_best_is_chosen_and_the_text_says_so():
    # An entry that does not move keeps 60 % of the larger class from arriving.
    found = chosen(samples(gated=54), gate=-100.0, units=[1, 0])
    assert found.step_size == 0.25
    assert found.acceptance_rate == max(found.tried.values()) < 0.5
    assert "the most of any step from" in str(found)
    assert max(found.tried) > found.step_size


def test_one_seed_gives_one_choice_whatever_the_form_of_samples():
    x = samples(45)
    assert chosen(x, seed=3) == chosen(x.astype("float64"), seed=3)
    assert chosen(x.tolist(), Y[:, None], seed=3) == chosen(x, seed=3)
    assert len({chosen(x, seed=seed).acceptance_rate for seed in (3, 4)}) == 2


def test_classes_of_one_size_have_nothing_to_translate():
    f, g = to_the_right(), to_the_right()
    found = choose_step_size(f, g, samples(), np.arange(100) % 2, [50, 50])
    assert found.step_size > 0
    assert "no class is translated" in str(found)


def test_samples_all_alike_have_a_step_too():
    x = np.zeros((100, 2), "float32")
    assert chosen(x, gamma=0.5).step_size > 0


@pytest.mark.parametrize("absent", [[], [0]])
def test_pairs_are_drawn_as_m2m_draws_them(absent):
    counts, beta, number = np.array([100, 40, 10, 10]), 0.97, 20_000
    labels = np.array([k for k in range(4) if k not in absent])
    kept, expected = oracles.acceptance(counts, beta), np.zeros((4, 4))
    kept[:, absent] = 0
    for k, chance in enumerate(oracles.generation(counts)):
        if kept[k].sum():
            expected[k] = chance * kept[k] / kept[k].sum() * kept[k]
    rng = np.random.default_rng(0)
    targets, seeds = step_choice._pairs(rng, labels, counts, beta, number)
    found = np.zeros((4, 4))
    np.add.at(found, (targets, seeds), 1 / number)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=0.015)


def test_rows_are_drawn_uniformly_from_their_class():
    labels = np.array([2, 0, 2, 2, 0])
    rows = step_choice._rows(np.random.default_rng(0), labels, np.repeat([0, 2], 3000))
    shares = np.bincount(rows, minlength=5) / 3000
    np.testing.assert_allclose(shares, [1 / 3, 1 / 2, 1 / 3, 1 / 3, 1 / 2], atol=0.03)


@pytest.mark.parametrize(
    "wrong",
    [{"gamma": 2.0}, {"translations": 0}, {"units": [0, 0]}, {"x": [[1.0, 2.0]]}],
    ids=str,
)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        chosen(**{"x": samples(), **wrong})


# In fit.


def model(mode=UNCOMPILED, **arguments):
    f, g = to_the_right(), to_the_right()
    model = M2mModel(f, g, SIZES, **{"noise": 0, "seed": 0, **arguments})
    model.compile(sgd(), LOSS, **mode)
    return model


@pytest.fixture
def untrained(monkeypatch):
    """Lets Keras train nothing."""
    monkeypatch.setattr(keras.Model, "fit", lambda self, **arguments: None)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return (samples(), Y) if index == 0 else (samples(far=90), Y)


def ways():
    x = samples()
    class_balanced = ResampledDataset(x, Y, 20, sampling="class")
    back = {"augment": lambda x, rng: np.where(x == FAR, np.float32(NEAR), x)}
    augmented = ResampledDataset(samples(far=90), Y, 20, sampling="class", **back)
    return {
        "arrays": {"x": x, "y": Y},
        "balanced": class_balanced.fit_arguments,
        "augmented": augmented.fit_arguments,
        "first batch": {"x": Batches()},
        "iterator": {"x": iter([(x, Y)])},
        # The last tenth, which Keras validates on, has no part.
        "split": {
            "x": np.concatenate([x, samples(far=90)]),
            "y": np.concatenate([Y, Y]),
            "validation_split": 0.5,
        },
    }


@pytest.mark.parametrize("way", ways())
def test_fit_chooses_on_training_samples(way, untrained, capsys):
    network = model()
    assert network.step_size == "auto"
    network.fit(**ways()[way])
    assert network.step_size == 0.25
    expected = "M2m: step_size 0.25: 100 % of 256 translations accepted (0.177: 0 %)\n"
    assert capsys.readouterr().out == expected


def test_samples_of_a_stream_are_augmented(untrained):
    class Stream:
        def __len__(self):
            return 100

        def __getitem__(self, rows):
            return rows

    batches = ResampledDataset(
        Stream(), Y, 20, "class", augment=lambda rows, rngs: samples()[rows]
    )
    network = model()
    network.fit(**batches.fit_arguments)
    assert network.step_size == 0.25


def test_fit_chooses_once_and_silently_if_asked(untrained, capsys):
    network = model()
    network.fit(samples(), Y, verbose=0)
    network.fit(samples(far=90), Y)
    assert network.step_size == 0.25
    assert capsys.readouterr().out == ""


def test_without_bounds_the_step_is_chosen_and_noise_follows_it(untrained):
    network = model(noise=None, step_size=None)
    assert (network.step_size, network.noise) == ("auto", None)
    network.fit(samples(), Y)
    assert network.noise == network.step_size > 0
    bounded = model(bounds=(-5, 5), noise=None, step_size="auto")
    assert (bounded.step_size, bounded.noise) == ("auto", None)


def test_a_given_step_is_no_variable():
    assert model(step_size=0.1).noise == 0
    given, free = model(step_size=0.1), model()
    assert len(given.variables) == len(free.variables) - 1


def test_a_step_that_is_not_chosen_is_an_error():
    network = model()
    batch = samples(), Y
    with pytest.raises(ValueError, match=r"give a number.*Received: step_size='auto'"):
        network.train_on_batch(*batch)


def test_data_that_cannot_be_looked_at_needs_a_number():
    network = model()
    with pytest.raises(ValueError, match="Give a number here"):
        network.fit(iter([(None, Y)]))


@pytest.mark.parametrize("step_size", ["automatic", -1.0, [0.1]])
def test_other_steps_are_refused(step_size):
    with pytest.raises(ValueError, match=r"`step_size` must be .*Received: step_size="):
        model(step_size=step_size)


# Kept.


@pytest.mark.parametrize("mode", SHAPES)
def test_training_takes_the_chosen_step_in_units(mode):
    moves = {"lam": 0.7, "steps": 2}
    units, x = np.float32([2.0, 0.0, 1.0, 0.5]), normal(5, 4)
    f, g = linear(1), linear(2)
    network = M2mModel(
        f, g, COUNTS, gamma=0, noise=0, step_size="auto", units=units, **moves
    )
    network.compile(keras.optimizers.SGD(1.0), LOSS, **COMPILE[mode])
    for step in (0.4, 0.1):  # The second without being compiled anew.
        network.keep_step_size(step)
        before, new, rows = f.get_weights(), np.float64(x), LABELS != 1
        new[rows] = translations(
            f, g, x[[0] * 4], LABELS[rows], step_size=step, units=units, **moves
        )
        network.fit(x, LABELS, batch_size=5, shuffle=False, verbose=0)
        assert_one_sgd_step(f, before, new, LABELS)


def test_a_saved_model_keeps_its_step(tmp_path):
    network = model()
    network.optimizer.build(network.trainable_variables)
    network.keep_step_size(0.25)
    network.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    assert other.step_size == 0.25
    assert other.get_config()["step_size"] == "auto"


def test_a_run_that_was_killed_goes_on_with_its_step(tmp_path):
    def fit(x, epochs):
        network = model()
        resume = ExactResume(tmp_path, network.f)
        resume.restore(network)
        network.fit(
            *(x, Y),
            initial_epoch=resume.epochs_done,
            epochs=epochs,
            callbacks=[resume],
            verbose=0,
        )
        return network.step_size

    assert fit(samples(), 1) == 0.25
    assert fit(samples(far=90), 2) == 0.25


# Units.


@pytest.mark.parametrize(
    "units, message",
    [
        ([1.0, -1.0], "finite numbers of at least 0"),
        ([1.0, np.nan], "finite numbers of at least 0"),
        ([1.0, np.inf], "finite numbers of at least 0"),
        ("std", "finite numbers of at least 0"),
        ([0.0, 0.0], "must not all be 0"),
        ([1.0, 1.0, 1.0], r"must broadcast to a sample, of shape \(2,\)"),
        ([[1.0, 1.0]], r"must broadcast to a sample, of shape \(2,\)"),
    ],
    ids=str,
)
def test_other_units_are_refused(units, message):
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        model(units=units, step_size=0.1)


@pytest.mark.parametrize("units", [2, 2.0, [2], [2.0, 0.5], np.float64([1, 0])])
def test_units_that_broadcast_to_a_sample_are_float32(units):
    found = model(units=units, step_size=0.1).units
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, units)
