"""What is done after a training: its names, its prior, and what is refused."""

import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from keras_m2m.recipes import HEADS
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import NOTHING
from keras_m2m.recipes import After
from keras_m2m.recipes.after import after_refusal
from keras_m2m.recipes.after import batch_prior
from keras_m2m.recipes.after import read_after
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import method_of
from tasks.experiment.recipes import parts_of
from tasks.experiment.rows import Row
from tasks.experiment.rows import read_row
from tasks.experiment.settings import parse

pytestmark = pytest.mark.no_backend

EACH = [
    *(After(head=name) for name in HEADS if name != "trained"),
    *(After(adjust=tau) for tau in ("1", "0.5", "auto")),
]


@pytest.mark.parametrize("after", EACH, ids=lambda after: after.name)
def test_what_is_done_is_read_by_its_name(after):
    assert read_after(after.name) == after
    row = Row("ldam", "m2m", after=after)
    assert read_row(row.name) == row


@pytest.mark.parametrize(
    "name, label",
    [
        ("ce-erm", "ERM"),
        ("ce-erm+adjust", "ERM + logit adjustment"),
        ("ce-erm+adjust=1.0", "ERM + logit adjustment"),
        ("ce-erm+adjust=0.5", "ERM + logit adjustment (τ = 0.5)"),
        ("ce-erm+adjust=auto", "ERM + logit adjustment (τ by validation)"),
        ("ce-m2m+crt", "M2m + cRT"),
        ("focal-erm+tau_norm", "Focal + τ-norm"),
        ("ldam-drw+ncm", "LDAM-DRW + NCM"),
    ],
)
def test_rows_are_labelled_by_the_same_words(name, label):
    assert read_row(name).label == label


@pytest.mark.parametrize(
    "name",
    ["ce-erm+", "ce-erm+adjust=0", "ce-erm+adjust=-1", "ce-erm+adjust=nan"]
    + ["ce-erm+trained", "ce-erm+crt+ncm", "erm+crt", "ce-none+crt", "+crt"],
)
def test_what_is_no_row_is_none(name):
    assert read_row(name) is None


def test_rows_of_one_training_have_keys_of_their_own():
    keys = {Row("ce", "erm", after=after).key for after in [NOTHING, *EACH]}
    assert len(keys) == 1 + len(EACH)
    assert Row("ce", "erm").key == ("ce", "erm")


COUNTS = np.array([60, 30, 10])


@pytest.mark.parametrize("method", ["rs", "smote", "rw", "drs", "m2m", "m2m_clean"])
def test_balanced_batches_have_a_uniform_prior(method):
    np.testing.assert_allclose(batch_prior(method_of(method), COUNTS), [1 / 3] * 3)


def test_the_prior_of_plain_batches_is_that_of_the_data():
    np.testing.assert_allclose(batch_prior(METHODS["erm"], COUNTS), [0.6, 0.3, 0.1])


def test_class_weights_are_part_of_the_prior():
    weighed = COUNTS * keras_m2m.effective_number_weights(COUNTS)
    found = batch_prior(METHODS["drw"], COUNTS)
    np.testing.assert_allclose(found, weighed / weighed.sum())


@pytest.mark.parametrize(
    "loss, method, after, message",
    [
        ("ce", "m2m", After(adjust="1"), "batches of M2m have a uniform prior"),
        ("ce", "drs", After(adjust="auto"), "batches of DRS have a uniform prior"),
        ("ldam", "erm", After(adjust="1"), "cosines and no log-probabilities"),
        ("ce", "erm", After("crt", "1"), "give a head or adjust"),
        ("la", "erm", After(adjust="1"), "must not be adjusted twice"),
        ("la", "m2m", After(adjust="1"), "batches of M2m have a uniform prior"),
        ("bce", "erm", After("crt"), "needs a logit for each class"),
        ("ldam", "erm", After("tau_norm"), "is normalised as it is"),
    ],
)
def test_what_makes_no_sense_is_refused_by_a_sentence(loss, method, after, message):
    assert message in after_refusal(*parts_of(loss, method), after)
    flags = [f"--method={method}", f"--loss={loss}", f"--head={after.head}"]
    flags += [f"--adjust={after.adjust}", "--compare=", "--epochs=3", "--defer_epoch=1"]
    with pytest.raises(UserError, match=message):
        parse(tiny.TASK, flags)


@pytest.mark.parametrize(
    "name", ["ce-m2m+crt", "ldam-erm+crt", "bce-erm+adjust", "la-drw+adjust"]
)
def test_what_makes_sense_is_not(name):
    row = read_row(name)
    assert after_refusal(*parts_of(row.loss, row.method), row.after) is None


def test_a_compared_method_counts_too():
    flags = ["--method=erm", "--compare=drs", "--adjust=1", "--epochs=3"]
    with pytest.raises(UserError, match="--method=drs: the batches of DRS"):
        parse(tiny.TASK, [*flags, "--defer_epoch=1"])


@pytest.mark.parametrize("tau", ["-1", "11", "nan", "much", ""])
def test_tau_is_a_number_or_chosen(tau):
    with pytest.raises(UserError, match=r"must be a number in \[0, 10\], or auto"):
        parse(tiny.TASK, ["--method=erm", "--compare=", f"--adjust={tau}"])


def test_spellings_of_tau_are_one():
    flags = [*tiny.FLAGS, "--method=erm"]
    found = {parse(tiny.TASK, [*flags, f"--adjust={t}"]).adjust for t in ("1", "1.00")}
    assert found == {"1"}
