"""Mixup and Remix as functions of a batch and of drawn numbers."""

import keras
import numpy as np
import pytest
import scipy.stats

from helpers.compilation import MODES
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from keras_m2m import Mixup
from keras_m2m import Remix
from keras_m2m.mixing.mixup import symmetric_beta

LABELS = np.array([0, 1, 2, 1], "int32")
COUNTS = [300, 100, 99]
# The partners are rows 2, 0, 3, 1.
ORDER = [0.5, 0.9, 0.1, 0.7]
PARTNERS = [2, 0, 3, 1]


def with_share(share):
    """Draws of a share under alpha 1: 1/2 + sqrt(1 - v) * cos / 2, with cos 1 or -1."""
    v, cosine = 1 - (2 * share - 1) ** 2, 0.0 if share >= 0.5 else 0.5
    return np.array([v, cosine, *ORDER], "float32")


def mixed(mixing, share, x=None, labels=LABELS):
    x = normal(len(labels), 3) if x is None else x
    return [to_numpy(part) for part in mixing.mix(x, labels, with_share(share))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(3,), (2, 2, 3)])
def test_mixup_is_a_convex_combination_of_rows_and_partners(mode, shape):
    x = normal(4, *shape)
    new, a, b, share, partners, _ = run(mode, Mixup().mix, x, LABELS, with_share(0.8))
    np.testing.assert_allclose(new, 0.8 * x + 0.2 * x[PARTNERS], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(a, LABELS)
    np.testing.assert_array_equal(b, LABELS[PARTNERS])
    np.testing.assert_allclose(share, 4 * [0.8], rtol=1e-6)
    np.testing.assert_array_equal(partners, PARTNERS)


def test_a_share_of_1_changes_no_sample_and_no_label():
    x = normal(4, 3)
    new, a, _, share, *_ = mixed(Mixup(), 1.0, x)
    np.testing.assert_array_equal(new, x)
    np.testing.assert_array_equal(a, LABELS)
    np.testing.assert_array_equal(share, np.ones(4))


def remix_shares(labels, partners, share, kappa, tau):
    """Chou et al., eq. (3), row by row: the share of the row's own label."""
    shares = []
    for i, j in zip(labels, np.asarray(labels)[partners]):
        n_i, n_j = COUNTS[i], COUNTS[j]
        if n_i / n_j >= kappa and share < tau:
            shares.append(0.0)
        elif n_i / n_j <= 1 / kappa and 1 - share < tau:
            shares.append(1.0)
        else:
            shares.append(share)
    return shares


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("share", [0.1, 0.45, 0.6, 0.95])
def test_remix_gives_labels_the_shares_of_its_equation(mode, share):
    remix = Remix(COUNTS, kappa=2.9, tau=0.5)
    x, draws = normal(4, 3), with_share(share)
    new, _, _, shares, *_ = run(mode, remix.mix, x, LABELS, draws)
    expected = remix_shares(LABELS, PARTNERS, share, 2.9, 0.5)
    np.testing.assert_allclose(shares, expected, rtol=1e-5)
    assert len(set(expected)) > 1
    # Samples are mixed as by mixup.
    np.testing.assert_array_equal(new, run(mode, Mixup().mix, x, LABELS, draws)[0])


def test_a_class_of_exactly_kappa_times_the_samples_is_the_larger_one():
    labels = np.array([0, 0, 1, 1], "int32")
    *_, shares, _, _ = mixed(Remix(COUNTS, kappa=3), 0.2, labels=labels)
    # Row 0 is mixed with one of class 1, of which there are a third; row 2 with its
    # own class, row 1 likewise; row 3 with the larger class, whose share is 0.8.
    np.testing.assert_allclose(shares, [0.0, 0.2, 0.2, 0.2], rtol=1e-5)


def test_remix_of_tau_0_is_mixup():
    *_, shares, _, _ = mixed(Remix(COUNTS, tau=0), 0.3)
    np.testing.assert_allclose(shares, 4 * [0.3], rtol=1e-6)


def shares(first, second, alpha):
    tensors = (keras.ops.convert_to_tensor(v, "float32") for v in (first, second))
    return to_numpy(symmetric_beta(*tensors, alpha))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_shares_have_the_beta_distribution(alpha):
    # On a grid, so that the distance is that of the formula and not of chance.
    first, second = np.meshgrid(*2 * [(np.arange(400) + 0.5) / 400])
    drawn = shares(first, second, alpha)
    beta = scipy.stats.beta(alpha, alpha)
    quantiles = np.linspace(0.1, 0.9, 25)
    found = [(drawn <= beta.ppf(q)).mean() for q in quantiles]
    np.testing.assert_allclose(found, quantiles, atol=5e-3)


@pytest.mark.parametrize("alpha", [1e-30, 0.1, 1.0, 1e18])
def test_no_share_leaves_the_unit_interval(alpha):
    ends = np.array([0.0, 1e-38, 0.5, 1 - 2**-24], "float32")
    first, second = (part.ravel() for part in np.meshgrid(ends, ends))
    drawn = shares(first, second, alpha)
    assert ((drawn >= 0) & (drawn <= 1)).all()


def test_one_seed_mixes_alike_and_another_does_not():
    x = normal(4, 3)
    one, again, other = (to_numpy(Mixup()(x, LABELS, seed).x) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize(
    "make",
    [
        lambda: Mixup(alpha=0),
        lambda: Mixup(alpha=float("nan")),
        lambda: Remix([10, 0]),
        lambda: Remix(COUNTS, kappa=0.5),
        lambda: Remix(COUNTS, tau=1.5),
        lambda: Remix(COUNTS, alpha="1"),
    ],
)
def test_arguments_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="Received: "):
        make()
