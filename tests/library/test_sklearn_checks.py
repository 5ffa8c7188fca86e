"""scikit-learn's own checks of estimators.

`CHECKED_METHOD=m2m KERAS_BACKEND=jax pytest tests/library/test_sklearn_checks.py` runs
them with another method, on another backend.
"""

import os
import pathlib

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from helpers.tiny_classifier import HARDLY_ACCEPTED
from helpers.tiny_classifier import tiny

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "estimator.md"
_WEIGHTS = (
    "a repeated sample comes in more batches, a sample of weight 2 counts twice in "
    "those that it comes in: alike on average, not to the bit"
)
# Checks that cannot pass, and why. Users read the same in docs/estimator.md.
FAILED = {
    "check_sample_weight_equivalence_on_dense_data": _WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": _WEIGHTS,
}


@pytest.mark.no_backend
@pytest.mark.filterwarnings(HARDLY_ACCEPTED)
@parametrize_with_checks(
    [tiny(os.environ.get("CHECKED_METHOD", "erm"), random_state=None)],
    expected_failed_checks=lambda estimator: FAILED,
    xfail_strict=True,
)
def test_a_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


@pytest.mark.no_backend
@pytest.mark.parametrize("name", FAILED)
def test_the_documents_name_each_check_that_cannot_pass(name):
    assert f"`{name}`" in PAGE.read_text()
