"""`train`: what it does is what the same steps do by hand."""

import warnings

import keras
import numpy as np
import pytest

import keras_m2m
from keras_m2m import heads
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import Recipe
from keras_m2m.recipes import TrainingSet
from keras_m2m.recipes.arguments import schedule
from keras_m2m.recipes.health import warn_of_narrow_g
from keras_m2m.recipes.identity import identity_of
from keras_m2m.recipes.identity import structure

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
SHORT = {"epochs": 3, "defer_epoch": 1, "batch_size": 14, "verbose": 0}
M2M = {"beta": 0.9, "gamma": 0.0, "steps": 2, "step_size": 0.3}


def blobs(counts=(12, 40, 4), seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], counts)
    centers = np.array([[2, 0], [-2, 0], [0, 2]])[y]
    return (centers + rng.normal(size=centers.shape)).astype("float32"), y


X, Y = blobs()


def build(head):
    return keras_m2m.mlp(3, (2,), hidden=8, head=head)


def train(**changes):
    return keras_m2m.train(build, X, Y, **{**SHORT, **M2M, **changes})


def same(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all((a == b).all() for a, b in pairs)


def by_hand(method):
    """The long form of `train`, f alone for DRS and DRW."""

    def fit(model, sampling, first, last, seed, **more):
        batches = keras_m2m.ResampledDataset(X, Y, 14, sampling, last, first, seed)
        rate = keras_m2m.warmup_step_decay(0.1, drops={2: 0.1})
        schedule = keras_m2m.MomentumCorrectedScheduler(rate)
        model.fit(**batches.fit_arguments, callbacks=[schedule], verbose=0, **more)

    def new(seed):
        keras.utils.set_random_seed(seed)
        network = build("dense")
        network.compile(keras.optimizers.SGD(momentum=0.9), CROSS_ENTROPY)
        return network

    if method == "m2m":
        g = new(1)
        fit(g, "instance", 0, 3, seed=1)
    f = new(0)
    fit(f, "instance", 0, 1, seed=0)
    model = f
    if method == "m2m":
        counts = keras_m2m.count_classes(Y, 3)
        units = keras_m2m.standard_units(X)
        model = keras_m2m.M2mModel(f, g, counts, lam=0.1, units=units, seed=0, **M2M)
        model.compile(f.optimizer, CROSS_ENTROPY)
    if method == "drw":
        weights = keras_m2m.effective_number_weights(np.bincount(Y))
        by_class = {k: float(weight) for k, weight in enumerate(weights)}
        fit(f, "instance", 1, 3, seed=0, class_weight=by_class)
    else:
        fit(model, "class", 1, 3, seed=0)
    return f


@pytest.mark.parametrize("method", ["drw", "drs", "m2m"])
def test_one_call_does_what_the_long_form_does(method):
    trained = train(method=method, drops={2: 0.1})
    expected = by_hand(method)
    for ours, own in zip(trained.f.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, own, atol=1e-6)


@pytest.mark.no_backend
def test_g_is_the_plain_training_of_the_next_seed():
    assert same(train().g, train(method="erm", seed=1).f)


@pytest.mark.no_backend
def test_a_given_g_is_not_trained_again():
    g = build("dense")
    before = g.get_weights()
    trained = train(g=g)
    assert trained.g is g
    assert all((a == b).all() for a, b in zip(before, g.get_weights(), strict=True))


@pytest.mark.no_backend
@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains(method):
    trained = train(method=method)
    assert [row["epoch"] for row in trained.history] == [0, 1, 2]
    assert np.isfinite([row["loss"] for row in trained.history]).all()
    assert ("acceptance_rate" in trained.history[-1]) == (method == "m2m")


@pytest.mark.no_backend
def test_a_training_cut_off_goes_on_and_a_finished_one_is_there(tmp_path):
    class Cut(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole = train(folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(folder=tmp_path / "cut", callbacks=[Cut()])
    assert same(train(folder=tmp_path / "cut").f, whole.f)
    again = train(folder=tmp_path / "whole", callbacks=[Cut()])  # Fits nothing.
    assert same(again.f, whole.f)
    assert again.history == whole.history


@pytest.mark.no_backend
def test_a_folder_that_cannot_be_is_refused_by_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"`folder` must .*folder='.*file"):
        train(folder=tmp_path / "file")


@pytest.mark.no_backend
def test_another_training_in_the_same_folder_begins_anew(tmp_path):
    train(method="erm", folder=tmp_path)
    # Not pytest.warns, which hands other warnings on without their module.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        other = train(method="erm", folder=tmp_path, learning_rate=0.05)
    assert any("is of another training" in str(w.message) for w in caught)
    assert same(other.f, train(method="erm", learning_rate=0.05).f)


def tanh(head):
    inputs = keras.Input((2,))
    x = keras.layers.Dense(8, "tanh")(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


def relu(head):
    inputs = keras.Input((2,))
    x = keras.layers.Dense(8, "relu")(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


@pytest.mark.no_backend
def test_a_network_of_the_same_shapes_does_not_go_on_from_another(tmp_path):
    one = structure(relu("dense"))
    assert one == structure(relu("dense")) != structure(tanh("dense"))
    data, about = TrainingSet(X, Y, 3), Recipe()
    found = [identity_of(made("dense"), data, about) for made in (relu, relu, tanh)]
    assert found[0] == found[1] != found[2]


@pytest.mark.no_backend
def test_other_validation_or_another_g_make_another_training():
    data, f, validation = TrainingSet(X, Y, 3), relu("dense"), (X[:9], Y[:9])
    shorter = validation[0][:8], validation[1][:8]
    parts = [(None, None), (validation, None), (shorter, None)]
    parts += [(None, relu("dense")), (None, relu("dense"))]
    digests = [identity_of(f, data, Recipe(), *part) for part in parts]
    assert len(set(digests)) == 5
    assert digests[1] == identity_of(relu("dense"), data, Recipe(), validation)


@pytest.mark.no_backend
def test_the_best_epoch_on_validation_is_kept():
    trained = train(method="erm", validation_data=blobs((10, 10, 10), 1), epochs=5)
    values = [row["val_balanced_accuracy"] for row in trained.history]
    last = max(epoch for epoch, value in enumerate(values) if value == max(values))
    assert trained.tested_epoch == last


@pytest.mark.no_backend
def test_few_validation_samples_choose_no_epoch():
    """The network begins with what validation, whose labels are wrong, asks for."""
    x, y = blobs((10, 10, 10), 1)
    wrong = (y + 1) % 3

    def mistaken(head):
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        kernel = 0.1 * np.array([[0, 2, -2], [2, 0, 0]])
        network.layers[-1].set_weights([kernel, np.zeros(3)])
        return network

    options = {**SHORT, **M2M, "method": "erm", "epochs": 5, "batch_size": 8}
    tested = []
    for rows in (30, 29):
        options["validation_data"] = (x[:rows], wrong[:rows])
        tested.append(keras_m2m.train(mistaken, X, Y, **options).tested_epoch)
    assert tested == [0, 4]


@pytest.mark.no_backend
def test_sample_weights_are_those_of_repeated_samples():
    """One full batch an epoch: the gradient of weights 2 is that of samples twice."""
    one = {"method": "erm", "epochs": 2, "defer_epoch": 0, "drops": {}}
    weights = np.where(Y == 2, 2.0, 1.0)
    weighted = train(**one, batch_size=len(Y), sample_weight=weights)
    twice = np.repeat(np.arange(len(Y)), np.where(Y == 2, 2, 1))
    # Keras divides by the rows of the batch, of which there are more here.
    rate = 0.1 * len(twice) / len(Y)
    repeated = keras_m2m.train(
        *(build, X[twice], Y[twice]),
        **{**SHORT, **one, "batch_size": len(twice), "learning_rate": rate},
    )
    pairs = zip(weighted.f.get_weights(), repeated.f.get_weights(), strict=True)
    for ours, own in pairs:
        np.testing.assert_allclose(ours, own, atol=1e-6)


@pytest.mark.no_backend
def test_sample_weights_multiply_class_weights():
    loss = {"method": "rw", "epochs": 1, "defer_epoch": 0, "batch_size": len(Y)}
    weights = np.linspace(0, 2, len(Y))
    found = train(**loss, sample_weight=weights).history[0]["loss"]
    keras.utils.set_random_seed(0)
    logits = build("dense").predict(X, verbose=0).astype("float64")
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(Y)), Y]
    own = 1 / np.bincount(Y)
    own = 3 * own / own.sum()
    assert found == pytest.approx((weights * own[Y] * losses).mean(), rel=1e-5)


@pytest.mark.no_backend
def test_a_head_is_made_after_the_training():
    trained = train(method="erm", head="ncm")
    expected = heads.nearest_class_mean(train(method="erm").f, X, Y)
    assert same(trained.f, expected)
    adjusted = train(method="erm", adjust=1)
    by_counts = heads.adjust_logits(train(method="erm").f, [12, 40, 4])
    assert same(adjusted.f, by_counts)
    assert adjusted.after == {"tau": 1.0}


@pytest.mark.no_backend
def test_an_optimizer_of_the_user_trains_at_its_own_rate():
    own = keras.optimizers.Adam(1e-3)
    trained = train(optimizer=own)
    assert isinstance(trained.f.optimizer, keras.optimizers.Adam)
    assert trained.f.optimizer is not own
    assert own.iterations == 0
    assert float(trained.f.optimizer.learning_rate) == pytest.approx(1e-3)


@pytest.mark.no_backend
def test_a_network_may_be_built_without_a_head():
    network = lambda: build("dense")  # noqa: E731  as users write it
    trained = keras_m2m.train(network, X, Y, method="erm", **SHORT)
    assert same(trained.f, train(method="erm").f)
    with pytest.raises(ValueError, match="needs a cosine head: let `build` take"):
        keras_m2m.train(network, X, Y, loss="ldam", **SHORT)


@pytest.mark.no_backend
@pytest.mark.parametrize(
    "changes, message",
    [
        ({"method": "m3m"}, "`method` must be one of erm, rs, smote"),
        ({"loss": ["ce"]}, "`loss` must be one of ce, focal"),
        ({"mix": None}, "`mix` must be one of none, mixup"),
        ({"head": "best"}, "`head` must be one of trained, tau_norm"),
        ({"adjust": "much"}, r"`adjust` must be a number in \[0, 10\]"),
        ({"method": "rs", "loss": "la"}, "LA corrects for the class frequencies"),
        ({"adjust": 1}, "batches of M2m have a uniform prior"),
        ({"method": "erm", "adjust": "auto"}, "needs validation_data"),
        ({"loss": "bce"}, "BCE is for two classes, and there are 3"),
        ({"defer_epoch": 3}, "`defer_epoch` must be"),
        ({"epochs": 0}, "`epochs` must be"),
        ({"optimizer": "adam"}, "`optimizer` must be a keras.optimizers.Optimizer"),
        ({"restore_best": True}, "`restore_best` needs validation_data"),
        ({"sample_weight": [1.0]}, "`sample_weight` must be one number for each of 56"),
        ({"sample_weight": -np.ones(56)}, "finite and at least 0"),
        ({"bounds": (0, 1)}, "leave bounds"),
        ({"beta": 1.0}, "`beta` is out of range"),
        ({"lam": -1}, "`lam` must"),
        ({"gamma": 2}, "`gamma` must"),
        ({"steps": 0}, "`steps` must"),
        ({"step_size": "long"}, "`step_size` must"),
        ({"noise": -1}, "`noise` must"),
        ({"units": "std"}, "`units` must"),
        ({"num_classes": 2}, "Labels must lie in 0..1"),
        ({"class_names": ["a", "b"]}, "`class_names` must be 3 names"),
        ({"drops": 0.1}, "`drops` must map epochs to factors"),
        ({"callbacks": [print]}, "`callbacks` must be keras.callbacks.Callback"),
        ({"validation_data": X}, r"`validation_data` must be \(x, y\)"),
        ({"validation_data": (X, Y + 1)}, "`validation_data` does not fit: Labels"),
        ({"validation_data": (X[:, :1], Y)}, "does not fit: Samples must have the"),
        ({"validation_data": (X, Y[1:])}, "does not fit: Samples and labels must"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_trained(changes, message):
    def never(head):
        raise AssertionError

    with pytest.raises(ValueError, match=message):
        keras_m2m.train(never, X, Y, **{**SHORT, **M2M, **changes})


@pytest.mark.no_backend
def test_a_build_that_is_no_function_is_refused():
    with pytest.raises(ValueError, match="`build` must be a function"):
        keras_m2m.train(build("dense"), X, Y, **SHORT, loss="ldam")
    with pytest.raises(ValueError, match="`build` must be a function"):
        keras_m2m.train("mlp", X, Y, **SHORT)


@pytest.mark.no_backend
def test_what_a_build_returns_is_checked():
    short = {**SHORT, "method": "erm"}
    with pytest.raises(ValueError, match=r"`build\(...\)` must be a keras.Model"):
        keras_m2m.train(lambda: None, X, Y, **short)
    with pytest.raises(ValueError, match=r"4 logits: .* output_shape=\(None, 3\)"):
        keras_m2m.train(build, X, Y + 1, **short)


@pytest.mark.no_backend
def test_a_default_of_a_build_is_no_head():
    def sized(units=8):
        return keras_m2m.mlp(3, (2,), hidden=units)

    def named(units=8, head="dense"):
        return keras_m2m.mlp(3, (2,), hidden=units, head=head)

    expected = train(method="erm").f
    for made in (sized, named):
        trained = keras_m2m.train(made, X, Y, method="erm", **SHORT)
        assert same(trained.f, expected)
    with pytest.raises(ValueError, match=r"as build\(head\) or build\(\)"):
        keras_m2m.train(keras_m2m.mlp, X, Y, **SHORT)


def test_a_loss_that_explodes_is_said_with_its_likely_cause():
    with pytest.raises(keras_m2m.Diverged, match="learning rate is too high"):
        train(method="erm", learning_rate=1e18, epochs=20, defer_epoch=0)


@pytest.mark.no_backend
def test_a_step_is_chosen_where_none_is_given():
    trained = train(step_size=None, gamma=0.5, epochs=4, defer_epoch=2)
    assert trained.step_size == trained.model.step_size > 0
    assert train(method="drs").step_size is None


@pytest.mark.no_backend
@pytest.mark.parametrize("epochs, first", [(1, 0), (2, 1), (3, 2), (60, 48)])
def test_the_last_epochs_are_deferred_however_few_there_are(epochs, first):
    assert schedule(epochs, None, None)["defer_epoch"] == first


@pytest.mark.no_backend
def test_warnings_name_classes():
    with pytest.raises(UserWarning, match="'common', 'rarest'"):
        train(gamma=1.0, class_names=["common", "rare", "rarest"])


def test_units_that_differ_in_one_entry_of_many_make_another_training():
    data, units = TrainingSet(X, Y, num_classes=3), np.ones(3000)
    other = units.copy()
    other[1500] += 1e-9
    one, same_again, another = (
        identity_of(build("dense"), data, Recipe(m2m={"units": each}))
        for each in (units, units.copy(), other)
    )
    assert one == same_again != another


def narrow(known):
    """Warnings of a g that knows so many of the 10 samples of class 1."""
    x = np.r_[np.full(90, -1.0), np.where(np.arange(10) < known, 1.0, -1.0)]
    g = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    g.set_weights([np.array([[-9.0, 9.0]]), np.zeros(2)])
    data = TrainingSet(x[:, None].astype("float32"), np.repeat([0, 1], [90, 10]), 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_narrow_g(g, data)
    return [str(w.message) for w in caught if w.category is UserWarning]


def test_a_g_that_knows_little_of_a_rare_class_is_warned_of():
    (message,) = narrow(known=4)
    assert "rare classes: 40% of '1'. Translations" in message
    assert narrow(known=5) == []


@pytest.mark.no_backend
def test_m2m_warns_of_such_a_g_and_other_methods_do_not():
    g = keras_m2m.mlp(3, (2,), hidden=8)
    *_, bias = g.weights
    bias.assign([0.0, 99.0, 0.0])  # The largest class, whatever it sees.
    for method, expected in (("m2m", 1), ("drs", 0)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train(method=method, g=g)
        found = [w for w in caught if "g knows few" in str(w.message)]
        assert len(found) == expected
