"""Command lines, right, nearly right and nonsense: a message, and never a trace.

`COMMAND_LINES=1000 pytest tests/tasks/test_command_lines_fuzzed.py` tries so many of
each.
"""

import importlib
import os
from functools import partial

import pytest
from absl import flags
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from helpers import tiny
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import phases
from tasks import table
from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.experiment.settings import define_flags
from tasks.experiment.settings import parse
from tasks.registry import TASKS
from tasks.runs import runner
from tasks.runs import sweep
from tasks.runs import table_figures
from tasks.runs.data_checks import check_methods
from tasks.runs.sweep import Sweep
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set

pytestmark = pytest.mark.no_backend
COUNT = int(os.environ.get("COMMAND_LINES", 25))
EXAMPLES = examples(max_examples=COUNT, suppress_health_check=[*HealthCheck])


def task(name):
    return importlib.import_module(f"tasks.{name}").TASK


def flags_of(define):
    """Flags by their names."""
    values = flags.FlagValues()
    define(values)
    return {name: values[name] for name in values}


OF_TASKS = {name: flags_of(partial(define_flags, task(name))) for name in TASKS}
OF_TABLE = flags_of(table.define_flags)
NUMBERS = st.one_of(
    st.integers(-3, 30),
    st.integers(),
    st.floats(),
    st.sampled_from([2**31 - 2, 2**31 - 1, 2**32, 1e-38, 1e-320, 1e18, 1e19, -0.0]),
).map(str)
WORDS = st.sampled_from(
    [
        *("", " ", ",", "none", "None", "true", "false", "m2m", "erm", "erm,drs", "ce"),
        *("ldam", "auto", "field", "small", "cifar100", "1:0.5,2:0.1", "nan:0.1"),
        *("ce-erm", "ce-m2m,ldam-drw+ncm", "ce-erm+adjust=2", "focal-m2m"),
        *("digits_lt", "reuters,folder", "~"),
        *("2", "5", "7", "1,1", "0x10", "1_0", "1e3", "٣", "\x00", "\ud800", "a\nb"),
        *("--flagfile=/nowhere", "--flagfile=.", "--undefok=beta", "--help", "--", "-"),
        *("$HOME", "--beta", "'", '"a', "/dev/null/x", "x" * 300, "digits_lt --rho=2"),
    ]
)
VALUES = NUMBERS | WORDS | st.text(max_size=8)
NONSENSE = st.text(max_size=8) | WORDS


def right(flag):
    """A flag with a value that by itself is right, or nearly."""
    if flag.boolean:
        return st.sampled_from([f"--{flag.name}", f"--no{flag.name}"])
    kinds = {"int": st.integers(1, 30), "float": st.floats(0, 1)}
    value = kinds.get(flag.flag_type(), WORDS)
    if hasattr(flag.parser, "enum_values"):
        value = st.sampled_from(flag.parser.enum_values)
    return st.builds(f"--{flag.name}={{}}".format, value)


def lines(known):
    """Some flags, most of them right and some twice, and some nonsense."""
    name = st.sampled_from([*known]) | st.text(max_size=6)
    wrong = st.one_of(
        st.builds("--{}={}".format, name, VALUES),
        st.builds("-{}={}".format, name, VALUES),
        st.builds("--{}".format, name),
        st.builds("--no{}".format, name),
        NONSENSE,
    )
    some = st.sampled_from([*known.values()]).flatmap(right)
    parts = st.tuples(st.lists(some, max_size=5), st.lists(wrong, max_size=1))
    return parts.flatmap(lambda pair: st.permutations([*pair[0], *pair[1]]))


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory):
    """A current folder for what is made, and tables whose cells are not run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path_factory.mktemp("fuzzed"))
        patched.setattr(Sweep, "run", lambda self, _: [{} for _ in self.datasets])
        patched.setattr(table_figures, "draw_trained", lambda *_: [])
        patched.setattr(sweep, "make_deterministic", lambda: None)
        yield


@EXAMPLES
@given(st.data())
def test_a_command_of_a_task_is_ready_to_train_or_refused(data):
    name = data.draw(st.sampled_from(TASKS))
    line = data.draw(lines(OF_TASKS[name]))
    try:
        settings = parse(task(name), line)
        _begin(settings)
    except UserError:
        return


def _begin(settings):
    """All that comes before the first step, but for what a task loads and builds."""
    whole_files.make_folder("out_dir", runner._folder_of(tiny.TASK, settings))
    blobs = tiny.blobs(settings)
    check_methods(runner._methods(settings), settings, blobs)
    for method in {settings.method, *settings.compare}:
        own = settings.replace(method=method)
        f = tiny.untrained(blobs, own)
        g = tiny.untrained(blobs, own.replace(loss=LOSSES[own.loss].of_g))
        for phase in phases.phases(recipe_of(own)):
            phases.model_of(phase, f, g, training_set(blobs), recipe_of(own))
            phases.fit_arguments(phase, training_set(blobs), recipe_of(own))


@EXAMPLES
@given(
    st.sampled_from([["--table=2", "digits_lt"], ["--task=digits_lt"], []]),
    lines({**OF_TASKS["digits_lt"], **OF_TABLE}),
    st.sampled_from([[], [], [], ["reuters"], ["cifar_lt --rho=10"]]),
)
def test_a_command_of_a_table_is_made_or_refused(chosen, line, datasets):
    values = flags.FlagValues()
    table.define_flags(values)
    try:
        rest = values(["tables", *chosen, *line, *datasets], known_only=True)
        table.make(values, rest[1:])
    except (UserError, flags.Error):
        return
