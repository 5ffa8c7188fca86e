import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from helpers import oracles
from keras_m2m.imbalance import acceptance_by_size
from keras_m2m.imbalance import acceptance_probability
from keras_m2m.imbalance import effective_number
from keras_m2m.imbalance import effective_number_weights
from keras_m2m.imbalance import generation_probability
from keras_m2m.imbalance import imbalance_ratio
from keras_m2m.imbalance import inverse_frequency_weights
from keras_m2m.imbalance import long_tailed_counts
from keras_m2m.imbalance import major_classes
from keras_m2m.imbalance import many_medium_few
from keras_m2m.imbalance import step_counts

pytestmark = pytest.mark.no_backend

COUNTS = st.lists(st.integers(1, 200), min_size=2, max_size=8)
BETAS = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 0.9999])


# Long-tailed counts.


def test_cifar_lt_10_has_the_published_classes():
    published = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert long_tailed_counts(5000, 10, 100).tolist() == published


@pytest.mark.parametrize(
    "largest, num_classes, rho, total",
    [
        (5000, 10, 100, 12406),
        (5000, 10, 10, 20431),
        (500, 100, 100, 10847),
        (500, 100, 10, 19573),
    ],
)
def test_cifar_lt_has_the_published_totals(largest, num_classes, rho, total):
    counts = long_tailed_counts(largest, num_classes, rho)
    assert counts.sum() == total
    assert counts[-1] == largest // rho


@hypothesis.given(
    largest=st.integers(1, 3000), num_classes=st.integers(2, 30), data=st.data()
)
def test_long_tailed_counts_are_those_of_integer_arithmetic(largest, num_classes, data):
    rho = data.draw(st.integers(1, largest))
    expected = [
        oracles.long_tailed_count(largest, num_classes, rho, k)
        for k in range(num_classes)
    ]
    assert long_tailed_counts(largest, num_classes, rho).tolist() == expected


@pytest.mark.parametrize("counts", [long_tailed_counts, step_counts])
@pytest.mark.parametrize(
    "arguments",
    [(0, 10, 1), (100.0, 10, 1), (100, 1, 1), (100, 10, 0.5), (100, 10, 101)],
)
def test_cut_counts_reject_arguments_out_of_range(counts, arguments):
    with pytest.raises(ValueError, match="Received: "):
        counts(*arguments)


def test_imbalance_ratio_does_not_depend_on_the_order():
    assert imbalance_ratio([3, 30, 10]) == imbalance_ratio([30, 10, 3]) == 10.0


# Weights.


@hypothesis.given(COUNTS)
def test_inverse_frequency_weights_balance_the_classes(class_counts):
    weights = inverse_frequency_weights(class_counts)
    shares = weights * class_counts
    np.testing.assert_allclose(shares, shares[0], rtol=1e-12)
    assert weights.sum() == pytest.approx(len(class_counts))


@hypothesis.given(COUNTS, BETAS)
def test_effective_number_is_the_geometric_series(class_counts, beta):
    expected = [oracles.effective_number(n, beta) for n in class_counts]
    np.testing.assert_allclose(
        effective_number(class_counts, beta), expected, rtol=1e-11
    )


def test_effective_number_does_not_cancel_where_beta_is_almost_one():
    beta = 1 - 2.0**-45
    np.testing.assert_allclose(effective_number([1, 7], beta), [1, 7], rtol=1e-12)


@hypothesis.given(COUNTS, BETAS)
def test_effective_number_weights_balance_the_effective_classes(class_counts, beta):
    weights = effective_number_weights(class_counts, beta)
    shares = weights * effective_number(class_counts, beta)
    np.testing.assert_allclose(shares, shares[0], rtol=1e-12)
    assert weights.sum() == pytest.approx(len(class_counts))


def test_effective_number_weights_use_the_beta_of_the_paper():
    class_counts = [5000, 50]
    np.testing.assert_array_equal(
        effective_number_weights(class_counts),
        effective_number_weights(class_counts, beta=0.9999),
    )


# The two probabilities of M2m.


@hypothesis.given(COUNTS)
def test_generation_fills_up_to_the_largest_class(class_counts):
    np.testing.assert_allclose(
        generation_probability(class_counts),
        oracles.generation(class_counts),
        rtol=1e-15,
    )


@hypothesis.given(COUNTS, BETAS)
def test_acceptance_is_one_minus_eq_3(class_counts, beta):
    np.testing.assert_allclose(
        acceptance_probability(class_counts, beta),
        oracles.acceptance(class_counts, beta),
        rtol=1e-12,
    )


@pytest.mark.parametrize("beta, surplus", [(0.999, 4602), (0.9999, 46049)])
def test_acceptance_passes_99_percent_where_the_paper_says(beta, surplus):
    at, past = (
        acceptance_probability([1 + n, 1], beta)[1, 0] for n in (surplus, surplus + 1)
    )
    assert at < 0.99 < past


def test_acceptance_is_exact_where_it_is_tiny():
    beta = 1 - 2.0**-50
    # 1 - (1 - e) ** n = n e to first order; the next term is 1e-15 of it.
    assert acceptance_probability([4, 1], beta)[1, 0] == pytest.approx(
        3 * 2.0**-50, rel=1e-13
    )


def test_with_beta_0_any_surplus_is_accepted_and_none_is_not():
    np.testing.assert_array_equal(
        acceptance_probability([5, 4, 5], beta=0.0),
        [[0, 0, 0], [1, 0, 1], [0, 0, 0]],
    )


@hypothesis.given(COUNTS, BETAS, st.randoms())
def test_acceptance_follows_the_classes_when_they_are_reordered(counts, beta, random):
    order = random.sample(range(len(counts)), len(counts))
    reordered = acceptance_probability(np.array(counts)[order], beta)
    original = acceptance_probability(counts, beta)
    np.testing.assert_array_equal(reordered, original[np.ix_(order, order)])


@hypothesis.given(COUNTS, BETAS)
def test_classes_of_one_size_share_a_row_and_a_column_of_acceptance(counts, beta):
    table, size_of = acceptance_by_size(counts, beta)
    assert len(table) == len(set(counts))
    expected = acceptance_probability(counts, beta)
    np.testing.assert_array_equal(table[size_of][:, size_of], expected)


@pytest.mark.parametrize("beta", [-0.1, 1.0, 1.5, float("nan")])
@pytest.mark.parametrize(
    "function", [effective_number, effective_number_weights, acceptance_probability]
)
def test_beta_must_be_below_1_and_not_negative(function, beta):
    with pytest.raises(ValueError, match="Received: beta="):
        function([10, 5], beta)


# Groups of classes.


def test_major_classes_are_the_two_largest_of_cifar_lt_10():
    # 5000 alone is 40 % of 12,406; with 2997 it is 64 %.
    counts = long_tailed_counts(5000, 10, 100)
    assert np.flatnonzero(major_classes(counts)).tolist() == [0, 1]


@hypothesis.given(COUNTS)
def test_major_classes_are_the_fewest_with_over_half_of_the_samples(class_counts):
    counts = np.array(class_counts)
    major = counts[major_classes(class_counts)]
    assert 2 * major.sum() > counts.sum()
    assert 2 * (major.sum() - major.min()) <= counts.sum()
    assert major.min() >= np.sort(counts)[-len(major)]


def test_exactly_half_is_not_over_half():
    assert major_classes([50, 50]).tolist() == [True, True]


def test_of_equal_classes_the_first_is_major():
    assert major_classes([10, 30, 30, 30]).tolist() == [False, True, True, False]


def test_groups_part_at_more_than_100_and_fewer_than_20():
    groups = many_medium_few([19, 101, 20, 100])
    assert groups["many"].tolist() == [False, True, False, False]
    assert groups["medium"].tolist() == [False, False, True, True]
    assert groups["few"].tolist() == [True, False, False, False]


@hypothesis.given(COUNTS)
def test_every_class_is_in_one_group(class_counts):
    groups = many_medium_few(class_counts)
    assert sum(mask.astype(int) for mask in groups.values()).tolist() == [1] * len(
        class_counts
    )
