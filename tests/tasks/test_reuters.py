"""Topics of news: facts of the published documents, and rules on made ones."""

import os
import pathlib

import numpy as np
import pytest

from helpers import made_texts
from tasks.experiment.errors import UserError

DATA = os.environ.get("DATA")
needs_data = pytest.mark.skipif(not DATA, reason="needs the folder named by DATA")


def published(**changes):
    folder = pathlib.Path(DATA) / "reuters_r52"
    return made_texts.read_reuters(folder, verify=True, **changes)


@pytest.fixture
def folder(tmp_path):
    made_texts.write_documents(tmp_path)
    return tmp_path


@needs_data
def test_reuters_has_the_published_size():
    data = published(protocol="field")
    assert data.class_counts.sum() == 6436
    assert len(data.class_names) == 36
    assert data.class_counts.max() / data.class_counts.min() == 710
    assert data.validation is None
    assert data.train[0].shape[1] == 1000


@needs_data
def test_reuters_holds_out_a_tenth_of_each_class():
    whole = published(protocol="field").class_counts
    data = published(protocol="m2m")
    np.testing.assert_array_equal(data.class_counts, whole - whole // 10)
    assert len(data.validation[1]) == (whole // 10).sum()


def test_samples_count_words(folder):
    test = ["tin\ttin0 tin1 tin0"] * 5 + ["acq\tacq0"] * 5 + ["earn\tnothing"] * 5
    made_texts.write_lines(folder / "r52-test.txt", test)
    samples = made_texts.read_reuters(folder).test[0]
    assert samples.sum(axis=1).tolist() == [3] * 5 + [1] * 5 + [0] * 5
    assert sorted(samples[0])[-3:] == [0, 1, 2]
    log = made_texts.read_reuters(folder, features="log").test[0]
    np.testing.assert_allclose(log, np.log(1 + samples), rtol=1e-6)


def test_fewer_than_five_test_documents_drop_a_class(folder):
    made_texts.write_documents(folder, test={"earn": 9, "acq": 5, "tin": 4})
    data = made_texts.read_reuters(folder, protocol="field")
    assert data.class_names == ["acq", "earn"]
    assert data.class_counts.tolist() == [20, 40]


def test_documents_without_words_say_so(folder):
    for part in ("train", "test"):
        lines = ["earn\t. ,"] * 5 + ["acq\t"] * 5
        made_texts.write_lines(folder / f"r52-{part}.txt", lines)
    with pytest.raises(UserError, match="no words to count"):
        made_texts.read_reuters(folder)


def test_a_line_without_a_label_says_so(folder):
    made_texts.write_lines(folder / "r52-test.txt", ["earn\tmoney", "money"])
    with pytest.raises(UserError, match=r"r52-test\.txt must hold a document a line"):
        made_texts.read_reuters(folder)


def test_one_class_is_too_few(folder):
    made_texts.write_documents(folder, test={"earn": 9})
    with pytest.raises(UserError, match="At least two classes are needed"):
        made_texts.read_reuters(folder)
