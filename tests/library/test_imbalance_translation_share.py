"""The share of a class-balanced batch that M2m translates."""

import numpy as np
import pytest

from helpers import oracles
from keras_m2m.imbalance import long_tailed_counts
from keras_m2m.imbalance import translation_share

pytestmark = pytest.mark.no_backend


@pytest.mark.parametrize("counts", [[5, 5], [9, 1, 4], [1000, 100, 10, 1]])
@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999])
def test_the_translated_share_is_the_chance_of_a_row(counts, beta):
    # One row of each class, so that a class's chance of being the seed is a row's.
    labels = range(len(counts))
    chances = oracles.seed_distribution(labels, counts, beta)
    kept = oracles.acceptance(counts, beta)
    generated = oracles.generation(counts)
    expected = np.mean(
        [generated[k] * sum(chances[k][j] * kept[k][j] for j in labels) for k in labels]
    )
    assert translation_share(counts, beta) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "largest, num_classes, rho, share",
    [(5000, 10, 100, 0.60), (500, 100, 100, 0.16), (500, 100, 10, 0.11)],
)
def test_r_leaves_few_rows_of_cifar_to_translate(largest, num_classes, rho, share):
    counts = long_tailed_counts(largest, num_classes, rho)
    assert translation_share(counts, 0.999) == pytest.approx(share, abs=0.02)
