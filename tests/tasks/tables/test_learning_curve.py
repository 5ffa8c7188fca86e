"""Recall by the share of training samples."""

import numpy as np
import pytest

from helpers import tiny
from tasks.experiment.rows import Row
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep
from tasks.tables import learning_curve as module
from tasks.tables.learning_curve import learning_curve
from tasks.tables.learning_curve import part_of
from tasks.training import references

pytestmark = pytest.mark.no_backend


def test_parts_hold_each_class_and_each_other():
    data = tiny.blobs(tiny.settings())
    quarter, half = (part_of(data, parts) for parts in (4, 2))
    assert quarter.class_counts.tolist() == [3, 10, 1]  # Of 12, 40 and 4.
    assert half.class_counts.tolist() == [6, 20, 2]
    rows = [set(map(tuple, own.train[0])) for own in (quarter, half, data)]
    assert rows[0] < rows[1] < rows[2]
    assert part_of(data, 1000).class_counts.tolist() == [1, 1, 1]


def test_trainings_on_a_part_have_as_many_steps():
    settings = tiny.settings(mix_until=2)  # Three epochs, the last two deferred.
    longer = module._longer(settings, 4)
    assert [longer.epochs, longer.defer_epoch, longer.mix_until] == [12, 4, 8]
    assert longer.rate_drops == {8: 0.1}


def test_the_curve_is_of_recall_on_the_test_set_and_found_again(tmp_path, monkeypatch):
    rows = [Row("ce", "logistic"), Row("ce", "boosted")]
    entry = Entry(tiny.TASK, [])
    places = tmp_path / "results", tmp_path / "runs"
    sweep = Sweep([entry], rows, 2, *places)
    sweep.run()
    curve = learning_curve(sweep, "logistic regression")
    assert [*curve] == [0.25, 0.5, 1.0]
    data = tiny.blobs(tiny.settings())
    x, y = data.test
    for parts, recall in zip((4, 2, 1), curve.values(), strict=True):
        predict = references.fit("logistic", *part_of(data, parts).train, 0)
        right = predict(x).argmax(axis=1) == y
        np.testing.assert_allclose(recall, [right[y == k].mean() for k in range(3)])
    monkeypatch.setattr(references, "fit", None)
    again = learning_curve(Sweep([entry], rows, 2, *places), "logistic regression")
    np.testing.assert_equal(again, curve)
    # The table's own results are still found by their flags alone.
    assert len(sweep.found()[0]["ce", "logistic"]) == 2
