"""The command line: presets, checks, and nonsense of every kind."""

import importlib
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.settings import parse
from tasks.registry import TASKS

pytestmark = pytest.mark.no_backend


def task(name):
    return importlib.import_module(f"tasks.{name}").TASK


@pytest.mark.parametrize("text, value", [("0.5", 0.5), ("1", 1.0), ("auto", "auto")])
def test_a_step_is_a_number_or_auto(text, value):
    assert parse(task("reuters"), [f"--step_size={text}"]).step_size == value


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e19", "std", ""])
def test_another_step_is_refused(text):
    with pytest.raises(UserError, match="step_size"):
        parse(task("reuters"), [f"--step_size={text}"])


def test_tasks_of_the_paper_have_its_steps_and_vectors_of_others_chosen_ones():
    expected = {"reuters": (1.0, "none"), "twitter": (0.1, "none")}
    expected |= {"digits_lt": (0.2, "none"), "folder": (None, "auto")}
    for name, values in expected.items():
        settings = parse(task(name), [])
        assert (settings.step_size, settings.units) == values


def test_fewer_epochs_alone_keep_the_shape_of_the_schedule():
    own = parse(task("folder"), ["--epochs=10"])  # Of 60: from 48; drops at 48 and 54.
    assert (own.defer_epoch, own.rate_drops) == (8, {8: 0.1, 9: 0.1})
    small = parse(task("cifar_lt"), ["--preset=small", "--epochs=10"])
    assert small.defer_epoch == 8
    assert parse(task("folder"), ["--epochs=49"]).defer_epoch == 48
    assert parse(task("folder"), ["--epochs=5"]).drops == ["4:0.1"]
    given = parse(task("folder"), ["--epochs=10", "--drops=7:0.1", "--method=erm"])
    assert (given.defer_epoch, given.rate_drops) == (48, {7: 0.1})


def test_names_given_one_by_one_count_as_those_given_together():
    flags = ["--id=a,b", "--id=c", "--compare=erm", "--compare=drs"]
    own = parse(task("folder"), flags)
    assert (own.id, own.compare) == (["a", "b", "c"], ["erm", "drs"])
    assert parse(task("folder"), ["--compare=erm", "--compare="]).compare == []


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_values_of_the_papers_grid_by_default(name):
    settings = parse(task(name), [])
    assert settings.beta in (0.9, 0.99, 0.999)
    assert settings.lam in (0.01, 0.1, 0.5)
    assert settings.gamma in (0.9, 0.99)
    assert settings.preset in task(name).presets


def test_a_preset_holds_where_its_flags_do_and_what_is_given_goes_first():
    cifar = task("cifar_lt")
    assert parse(cifar, []).preset == "cifar10_rho100"
    other = parse(cifar, ["--dataset=cifar100", "--rho=10"])
    assert other.preset == "cifar100_rho10"
    assert other.beta == cifar.presets["cifar100_rho10"].values["beta"]
    assert parse(cifar, ["--dataset=cifar100", "--beta=0.5"]).beta == 0.5
    assert parse(cifar, ["--rho=37"]).preset is None
    assert parse(cifar, ["--preset=small"]).epochs == 60
    assert parse(cifar, ["--preset=small", "--epochs=70"]).epochs == 70


def test_only_the_values_that_the_authors_state_are_marked_as_theirs():
    marked = {
        (name, preset)
        for name in TASKS
        for preset, values in task(name).presets.items()
        if values.source == "authors"
    }
    assert marked == {("cifar_lt", "cifar10_rho100")}


@pytest.mark.parametrize("method", ["rs", "rw", "cb_rw", "smote"])
@pytest.mark.parametrize("loss", ["la", "vs"])
def test_a_loss_corrects_no_frequencies_that_a_method_changes_from_the_start(
    method, loss
):
    own, refused = [f"--loss={loss}"], f"--method={method} --loss={loss}: .* take erm"
    with pytest.raises(UserError, match=refused):
        parse(task("cifar_lt"), [*own, "--compare=", f"--method={method}"])
    with pytest.raises(UserError, match=refused):
        parse(task("cifar_lt"), [*own, "--method=m2m", f"--compare={method}"])
    for known in ("erm", "drs", "drw", "m2m"):
        flags = [*own, "--compare=", f"--method={known}"]
        assert parse(task("cifar_lt"), flags).loss == loss


@pytest.mark.parametrize("more", ["--loss=la", "--adjust=1"])
def test_nothing_corrects_frequencies_that_remix_changes(more):
    flags = ["--method=erm", "--compare=", more]
    with pytest.raises(UserError, match="Remix changes"):
        parse(task("cifar_lt"), [*flags, "--mix=remix"])
    assert parse(task("cifar_lt"), [*flags, "--mix=mixup"]).mix == "mixup"


@pytest.mark.parametrize(
    "flag", ["--rho=nan", "--learning_rate=inf", "--lam=nan", "--noise=inf"]
)
def test_numbers_must_be_finite(flag):
    message = r"must be a finite number|not a number in the range"
    with pytest.raises(UserError, match=message):
        parse(task("cifar_lt"), [flag])


def flag_names():
    known = parse(task("cifar_lt"), []).values
    return st.sampled_from(sorted(known)) | st.text(max_size=8)


VALUES = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "none", "m2m", "erm,drs", "1:0.5,2:0.1", "True", "-1", "1e400"]
    ),
    st.text(max_size=12),
)
ARGUMENTS = st.builds("--{}={}".format, flag_names(), VALUES) | st.text(max_size=12)


@pytest.mark.parametrize("name", TASKS)
@examples(max_examples=40)
@given(arguments=st.lists(ARGUMENTS, max_size=4))
def test_any_command_line_is_read_or_refused_with_a_message(name, arguments):
    try:
        settings = parse(task(name), arguments)
    except UserError:
        return
    assert isinstance(settings, Settings)
    numbers = [value for value in settings.values.values() if isinstance(value, float)]
    assert all(map(math.isfinite, numbers))
    assert 0 <= settings.beta < 1
    assert all(0 < factor <= 1 for factor in settings.rate_drops.values())


def test_settings_are_the_same_in_another_process():
    settings = parse(task("reuters"), ["--lam=0.3", "--seed=4"])
    again = pickle.loads(pickle.dumps(settings))
    assert again.values == settings.values
    assert again.flags == settings.flags
    assert again.task == settings.task
