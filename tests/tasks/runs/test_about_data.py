"""What a run says of its data before it trains."""

import numpy as np
import pytest

from helpers import tiny
from tasks.experiment.task import Data
from tasks.runs.about_data import description
from tasks.runs.about_data import notes_on_rare

pytestmark = pytest.mark.no_backend


def part(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    return np.zeros((len(labels), 1), "float32"), labels


def data(validation, test, **further):
    names = ["benign", "malignant", "unclear"][: len(test)]
    train = [100, 10, 20][: len(test)]
    held_out = None if validation is None else part(validation)
    return Data(part(train), held_out, part(test), names, "skin", **further)


def notes(validation, test, protocol="m2m"):
    return notes_on_rare(data(validation, test), tiny.settings(protocol=protocol))


def test_the_samples_held_out_of_a_class_are_said():
    assert description(data([35, 1], [71, 2])) == (
        "skin\n110 training samples of 2 classes, 100 to 10 each (ratio 10); "
        "36 for validation, 1 to 35 a class; 73 for the test, 2 to 71 a class"
    )
    shown = description(data(None, [8, 8]))
    assert shown.endswith("; 0 for validation; 16 for the test, 8 a class")


def test_a_recall_that_rests_on_few_test_samples_is_noted():
    (note,) = notes([5, 5], [71, 2])
    assert note == (
        "the recall of 'malignant' rests on 2 test samples: more samples or several "
        "seeds (`python -m tasks.table --task=tiny ...`) say more"
    )
    (note,) = notes([5, 5, 5], [71, 4, 1])
    start = "each recall of 'malignant', 'unclear' rests on fewer than 5 test samples:"
    assert note.startswith(start)


def test_an_epoch_chosen_by_few_samples_is_noted_where_one_is_chosen():
    (note,) = notes([35, 1], [71, 5])
    assert note == (
        "the tested epoch is chosen by 1 validation sample of 'malignant' among "
        "others: --protocol=field tests the last epoch instead"
    )
    assert notes([35, 1], [71, 5], protocol="field") == []


def test_data_whose_epoch_few_samples_do_not_choose_is_noted():
    few, enough = (data([35, n], [71, 5], by_few=False) for n in (9, 10))
    assert notes_on_rare(few, tiny.settings()) == [
        "fewer than 10 samples of a class validate, too few to tell the best epoch by: "
        "the last one is tested"
    ]
    assert notes_on_rare(few, tiny.settings(protocol="field")) == []
    assert notes_on_rare(enough, tiny.settings()) == []


def test_enough_samples_and_none_at_all_are_no_note():
    assert notes([5, 5, 0], [5, 0, 5]) == []
    assert notes(None, [5, 5]) == []
