"""Whatever comes as labels: the right result, or a ValueError that says what is wrong.

What is right is told by plain Python, element by element.
"""

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import keras_m2m
from helpers.m2m_cases import linear
from keras_m2m.m2m_model.data_checks import check_data

K = 3
ANY_SIZE = st.integers(0, 6)
FEW_SIZES = st.sampled_from([0, 4])  # JAX compiles for each.
OUTSIDE = st.integers(-2, K + 1)
DTYPES = ["int64", "int32", "uint8", "int8", "uint64", "float32", "float64", "bool"]
DTYPES += ["complex64", "<U2", "S2", "datetime64[s]", "object"]


@st.composite
def label_arrays(draw, sizes=ANY_SIZE):
    """Arrays of any shape and dtype, most of them nearly labels."""
    inside = draw(st.booleans())
    n = draw(sizes)
    shape = draw(st.sampled_from([(n,), (n, 1), (n, K), (), (n, 1, 1), (1, n)]))
    values = st.integers(0, K - 1) if inside else OUTSIDE | st.integers(-(2**40), 2**40)
    size = int(np.prod(shape))
    flat = draw(st.lists(values, min_size=size, max_size=size))
    dtype = draw(st.sampled_from(DTYPES[:3]) | st.sampled_from(DTYPES))
    with np.errstate(all="ignore"):
        return np.array(flat, "int64").astype(dtype).reshape(shape)


ANYTHING = st.one_of(
    label_arrays(),
    hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=3)),
    label_arrays().map(lambda y: y.tolist()),
    st.none() | st.text(max_size=3) | st.just([[0], [1, 2]]) | st.just({0: 1}),
)


def right_labels(y, booleans=False):
    """The labels as integers where they are sound, else None."""
    try:
        y = np.asarray(y)
    except ValueError:  # Lists of several lengths.
        return None
    column = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
    if not column or y.dtype.kind not in "iufO" + "b" * booleans:
        return None
    labels = y.ravel().tolist()
    # Only what is a whole number is among them.
    sound = all(label in range(K) for label in labels)
    return [int(label) for label in labels] if sound else None


def result_or_message(function):
    """`(result, None)`, or `(None, message)` of a ValueError; others pass through."""
    try:
        return function(), None
    except ValueError as error:
        return None, str(error)


@hypothesis.given(y=ANYTHING)
@hypothesis.settings(max_examples=150)
def test_classes_are_counted_or_what_is_wrong_is_told(y):
    labels = right_labels(y)
    counts, message = result_or_message(lambda: keras_m2m.count_classes(y, K))
    if labels is None:
        assert len(message) > 20
    else:
        assert counts.tolist() == [labels.count(k) for k in range(K)]


@hypothesis.given(y=ANYTHING, sampling=st.sampled_from(["instance", "class"]))
@hypothesis.settings(max_examples=150)
def test_a_dataset_gives_each_sample_its_label_or_what_is_wrong_is_told(y, sampling):
    labels = right_labels(y, booleans=True)
    n = 1 if labels is None else max(len(labels), 1)
    x = np.arange(n, dtype="float32")[:, None]
    make = keras_m2m.ResampledDataset
    dataset, message = result_or_message(lambda: make(x, y, 4, sampling))
    absent = labels is None or not labels or {*range(max(labels))} - {*labels}
    if dataset is None:
        # Labels up to K - 1 are no rule here: the largest label is that of K.
        alone = sampling == "class" and (absent or len({*labels}) < 2)
        assert labels is None or not labels or alone
        assert len(message) > 20
    else:
        given = np.asarray(y).ravel().tolist()
        assert len(given) == n
        samples, own = dataset[0]
        assert [given[int(row)] for row in samples[:, 0]] == own.tolist()


@pytest.fixture(scope="module")
def model():
    model = keras_m2m.M2mModel(linear(1), linear(2), [10, 5, 2], step_size=0.1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=True)
    return model


@hypothesis.given(y=label_arrays())
@hypothesis.settings(max_examples=60)
def test_fit_takes_sound_labels_and_tells_what_is_wrong_with_others(y, model):
    labels = right_labels(y)
    x = np.zeros((max(y.size, 1), 4), "float32")
    if labels is not None:
        check_data(x, y, None, np.ones(K, "int64"))
    else:
        _, message = result_or_message(lambda: model.fit(x, y, verbose=0))
        assert len(message) > 20


METRICS = {
    keras_m2m.BalancedAccuracy: np.mean,
    keras_m2m.GeometricMean: lambda recalls: np.prod(recalls) ** (1 / len(recalls)),
}


@pytest.mark.parametrize("kind", METRICS)
@hypothesis.given(y=label_arrays(FEW_SIZES), data=st.data())
@hypothesis.settings(max_examples=100)
def test_metrics_count_sound_labels_and_tell_what_is_wrong_with_others(kind, y, data):
    n = data.draw(st.sampled_from([len(np.atleast_1d(y)), 4]))
    shape = data.draw(st.sampled_from([(n, K), (n, K), (n, K), (n,), (n, K + 1)]))
    scores = np.random.default_rng(0).random(shape).astype("float32")
    metric = kind(K)
    _, message = result_or_message(lambda: metric.update_state(y, scores))
    # Objects become no tensor, nor does uint64 on PyTorch.
    labels = None if y.dtype in ("object", "uint64") else right_labels(y)
    if message is not None:
        assert labels is None or shape != (len(labels), K)
        assert len(message) > 20
    elif labels is not None:
        # Others cannot be told in a compiled step: values are not read there.
        predicted = scores.argmax(axis=1)
        present = sorted(set(labels))
        hits = [predicted[np.array(labels) == k] == k for k in present]
        expected = METRICS[kind]([hit.mean() for hit in hits]) if present else 0
        assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
