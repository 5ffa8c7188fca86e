"""Every public function and class: what it takes, and what is true of any result."""

import matplotlib.figure
import numpy as np
from hypothesis import strategies as st

import keras_m2m
from helpers import fuzz_decisions
from helpers import fuzz_heads
from helpers import fuzz_recipes
from helpers import fuzz_training
from helpers import fuzz_values as values
from helpers.fuzz_values import Call
from helpers.fuzz_values import K
from helpers.fuzz_values import N
from helpers.gradients import to_numpy
from keras_m2m import plots


def _between(low, high, total=None):
    """A check that a result holds finite numbers in an interval, of a sum."""

    def check(result, **_):
        result = np.asarray(result, "float64")
        assert result.size
        assert (result >= low).all()
        assert (result <= high).all()
        assert total is None or abs(result.sum() - total) < 1e-6

    return check


def _weights(result, class_counts, **_):
    _between(0, len(class_counts), total=len(class_counts))(result)


def _groups(result, **_):
    assert (np.sum(list(result.values()), axis=0) == 1).all()


def _cut(result, largest, num_classes, **_):
    assert len(result) == num_classes
    assert result[0] == largest
    assert (np.diff(result) <= 0).all()
    assert result[-1] >= 1


COUNTS = {"class_counts": values.class_counts()}
BETA = {**COUNTS, "beta": values.real(0, 0.9999)}
CUT = {
    "largest": values.whole(1, 5000),
    "num_classes": values.whole(2, 12),
    "rho": values.real(1, 100),
}
IMBALANCE = {
    "imbalance_ratio": (COUNTS, _between(1, 1e6)),
    "inverse_frequency_weights": (COUNTS, _weights),
    "effective_number_weights": (BETA, _weights),
    "effective_number": (BETA, _between(1, 1e6)),
    "generation_probability": (COUNTS, _between(0, 1)),
    "acceptance_probability": (BETA, _between(0, 1)),
    "translation_share": (BETA, _between(0, 1)),
    "major_classes": (COUNTS, _between(0, 1)),
    "many_medium_few": (COUNTS, _groups),
    "long_tailed_counts": (CUT, _cut),
    "step_counts": (CUT, _cut),
    "count_classes": (
        {"labels": values.labels(), "num_classes": values.whole(K, K)},
        _between(0, N),
    ),
}


def _batch(x, y, **arguments):
    dataset = keras_m2m.ResampledDataset(x, y, **arguments)
    # There are no batches if the first epoch is the one to stop before.
    return dataset, *(dataset[index] for index in {0, len(dataset) - 1} if len(dataset))


def _check_batches(result, y, **_):
    dataset, *batches = result
    number = dataset.batch_size // dataset.shard[1]
    for samples, own in batches:
        assert len(samples) == len(own) == number
        assert np.isfinite(samples).all()
        assert samples.dtype.kind == "f"
        assert set(own.tolist()) <= set(np.asarray(y).ravel().tolist())


def _pairs(first, second):
    dataset = keras_m2m.PairedDataset(first, second)
    return dataset, *(dataset[index] for index in range(len(dataset)))


def _check_pairs(result, first, **_):
    dataset, *batches = result
    for samples, labels in batches:
        assert len(samples) == len(labels) == 2 * first.batch_size
    assert len(batches) == len(dataset)


def _of_seed(seed):
    x, y = np.zeros((N, 3), "float32"), np.arange(N) % K
    return keras_m2m.ResampledDataset(x, y, batch_size=2, seed=seed)


def _check_smote(result, y, **_):
    new_x, new_y = result
    assert len(new_x) == len(new_y) >= np.size(y)
    assert np.isfinite(new_x).all()
    assert len(set(np.unique(new_y, return_counts=True)[1])) == 1


def _check_stream(result, **_):
    assert result in (True, False)


SAMPLING = {
    "ResampledDataset": Call(
        _batch,
        {
            "x": values.samples(),
            "y": values.labels(),
            "batch_size": values.whole(1, 6).map(lambda size: 2 * size),
            "sampling": values.texts("instance", "class"),
            "epochs": values.whole(1, 3),
            "first_epoch": values.whole(0, 0),
            "seed": values.whole(0, 9),
            "augment": st.sampled_from([None, lambda x, rng: x + rng.random()]),
            "samples_per_epoch": st.none() | values.whole(1, 9),
            "shard": st.sampled_from([(0, 1), (1, 2), [0, 2]]),
        },
        _check_batches,
    ),
    "PairedDataset": Call(
        _pairs,
        {
            "first": st.builds(_of_seed, st.integers(0, 1)),
            "second": st.builds(_of_seed, st.integers(1, 2)),
        },
        _check_pairs,
    ),
    "smote": Call(
        keras_m2m.smote,
        {
            "x": values.samples() | values.samples(N, 2, 2),
            "y": values.labels(),
            "seed": values.whole(0, 9),
        },
        _check_smote,
    ),
    "is_stream": Call(
        keras_m2m.sampling.is_stream, {"x": values.samples()}, _check_stream
    ),
}


def _check_moments(result, **_):
    mean, variance = result
    assert np.isfinite(mean).all()
    assert (variance > 0).all()


def _check_units(result, **_):
    assert np.isfinite(result).all()
    assert (result >= 0).all()
    assert result.any()


UNITS = {
    "moments": Call(
        keras_m2m.moments,
        {"x": values.samples() | values.samples(N, 2, 2)},
        _check_moments,
    ),
    "standard_units": Call(
        keras_m2m.standard_units,
        {"x": values.samples() | values.samples(N, 2, 2)},
        _check_units,
    ),
}

STATISTICS = st.shared(st.booleans(), key="statistics").flatmap(
    lambda given: values.arrays(values.rows(0.1, 1, 3)) if given else st.none()
)
NETWORK = {
    "num_classes": values.whole(2, 4),
    "mean": STATISTICS,
    "variance": STATISTICS,
    "head": values.texts("dense", "cosine", "logit"),
    "weight_decay": values.real(0, 0.1),
    "name": values.texts("f", "g"),
}
IMAGE = {**NETWORK, "input_shape": st.sampled_from([(8, 8, 3), [None, None, 3]])}


def _check_network(result, num_classes, head, **_):
    assert result.output_shape == (None, 1 if head == "logit" else num_classes)
    shape = [4 if size is None else size for size in result.input_shape[1:]]
    logits = result(np.full((2, *shape), 0.5, "float32"))
    assert np.isfinite(to_numpy(logits)).all()


MODELS = {
    "mlp": Call(
        keras_m2m.mlp,
        {
            **NETWORK,
            "input_shape": st.sampled_from([(3,), [4, 3], np.array([2, 2, 3])]),
            "hidden": values.whole(1, 8),
        },
        _check_network,
    ),
    "cifar_resnet": Call(
        keras_m2m.cifar_resnet, {**IMAGE, "depth": values.whole(8, 8)}, _check_network
    ),
    "resnet1d": Call(
        keras_m2m.resnet1d,
        {
            **NETWORK,
            "input_shape": st.sampled_from([(9, 3), [None, 3]]),
            "width": values.whole(1, 4),
        },
        _check_network,
    ),
}


def _logits(units, scale):
    inputs = np.random.default_rng(0).normal(size=(N, 3)).astype("float32")
    return to_numpy(keras_m2m.CosineDense(units, scale=scale)(inputs))


def _check_cosines(result, units, scale, **_):
    assert result.shape == (N, units)
    assert (np.abs(result) <= 1.001 * scale).all()


def _shortcut(filters, strides, data_format):
    layer = keras_m2m.OptionAShortcut(filters, strides, data_format)
    return to_numpy(layer(np.ones((1, 4, 4, 4), "float32")))


def _check_shortcut(result, filters, **_):
    assert filters in result.shape
    assert set(np.unique(result)) <= {0, 1}


LAYERS = {
    "CosineDense": Call(
        _logits,
        {
            "units": values.whole(1, 5),
            "scale": values.real(0.5, 50),
        },
        _check_cosines,
    ),
    "OptionAShortcut": Call(
        _shortcut,
        {
            "filters": values.whole(4, 6),
            "strides": values.whole(1, 3),
            "data_format": st.none() | values.texts("channels_last", "channels_first"),
        },
        _check_shortcut,
    ),
}


def _figure(result, **_):
    assert isinstance(result, matplotlib.figure.Figure)
    assert result.axes


NAMES = (
    st.none() | st.just(["cat", "dog", "$ho$rse"]) | st.just(np.array(["a", "b", "c"]))
)
MATRIX = values.arrays(values.rows(0, 9, K, K).map(np.floor))
RECALL = values.arrays(values.rows(0, 1, K))
RUNS = values.arrays(values.rows(0, 1, 2, K))
SHARES = values.arrays(values.rows(0, 1, N))
COUNTED = values.arrays(values.rows(0, 99, N).map(np.floor))
IMAGES = values.arrays(values.rows(0, 1, 2, 4, 4))
SERIES = values.arrays(values.rows(-9, 9, 2, 4, 3))
NAMED = {**COUNTS, "class_names": NAMES}


def _by_name(strategy):
    return st.dictionaries(values.texts("ERM", "M2m", "$x$"), strategy, min_size=1)


PLOTS = {
    "acceptance_by_pair": {
        **NAMED,
        "accepted": MATRIX,
        "translated": MATRIX.map(lambda tried: 9 + np.zeros((K, K))),
    },
    "class_sizes": {"counts": _by_name(values.class_counts())},
    "confusion_matrix": {"matrix": MATRIX, "class_names": NAMES},
    "critical_difference": {
        "mean_ranks": _by_name(values.real(1, 2)),
        "p_values": values.arrays(values.rows(0, 1, 2, 2).map(lambda p: (p + p.T) / 2)),
        "alpha": values.real(0, 1),
    },
    "cumulative_false_positives": {**COUNTS, "matrices": _by_name(MATRIX)},
    "feature_embedding": {
        "points": _by_name(values.arrays(values.rows(-1, 1, N, 2))),
        "labels": values.labels(),
        "class_names": NAMES,
        "class_counts": st.none() | values.class_counts(),
    },
    "precision_recall": {"curves": _by_name(st.tuples(SHARES, SHARES))},
    "recall_by_count": {**NAMED, "recall": RECALL},
    "recall_gain": {
        **NAMED,
        "recalls": _by_name(RUNS),
        "baseline": RUNS,
        "baseline_name": values.texts("ERM", "$"),
    },
    "reliability": {"curves": _by_name(st.tuples(SHARES, SHARES, COUNTED))},
    "series_translation_panel": {
        "seeds": SERIES,
        "translations": SERIES,
        "seed_names": values.texts("ab", ["cat", "dog"], [0, 1]),
        "target_names": values.texts("ab", ["cat", "dog"]),
        "confidences": st.none() | values.arrays(values.rows(0, 1, 2)),
    },
    "translation_panel": {
        "seeds": IMAGES,
        "translations": IMAGES,
        "seed_names": values.texts("ab", ["cat", "dog"], [0, 1]),
        "target_names": values.texts("ab", ["cat", "dog"]),
        "confidences": st.none() | values.arrays(values.rows(0, 1, 2)),
        "amplify": values.real(1, 20),
    },
}


CALLS = {
    **fuzz_decisions.CALLS,
    **fuzz_heads.CALLS,
    **fuzz_training.CALLS,
    **fuzz_recipes.CALLS,
    **{
        name: Call(getattr(keras_m2m, name), arguments, check)
        for name, (arguments, check) in IMBALANCE.items()
    },
    **SAMPLING,
    **UNITS,
    **MODELS,
    **LAYERS,
    **{
        f"plots.{name}": Call(getattr(plots, name), arguments, _figure)
        for name, arguments in PLOTS.items()
    },
}
