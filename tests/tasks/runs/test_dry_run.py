"""`--dry_run`: the plan of a run and its cost."""

import re

import pytest

from helpers import tiny
from tasks.runs import runner


@pytest.fixture(scope="module")
def dry(tmp_path_factory):
    """The folder that a dry run was given."""
    return tmp_path_factory.mktemp("dry") / "out"


@pytest.mark.no_backend
def test_a_dry_run_prints_the_plan_and_leaves_nothing(dry, capsys):
    settings = tiny.settings(dry_run=True, compare=["drw"], out_dir=str(dry))
    assert runner.run(tiny.TASK, settings) == {}
    output = capsys.readouterr().out
    assert not dry.exists()
    assert "56 training samples of 3 classes, 40 to 4 each" in output
    assert "4 steps of 14 an epoch" in output  # 4 times 14 is 56
    lines = re.findall(
        r"^  (\w+): epochs (\d+) to (\d+), (.*);.* ms a step", output, re.M
    )
    assert lines == [
        ("g", "0", "2", "plain training"),
        ("drw", "0", "0", "plain training"),
        ("drw", "1", "2", "cb_rw after defer_epoch"),
        ("m2m", "1", "2", "Major-to-minor Translation after defer_epoch"),
    ]
    assert "Network: 51 parameters" in output  # 2 * 8 + 8, 8 * 3 + 3
    assert re.search(r"In all about \d+ s", output)


@pytest.mark.no_backend
def test_a_dry_run_does_not_warn_of_untrained_networks():
    # Nothing is accepted, of more than a hundred rows; warnings are errors here.
    settings = tiny.settings(dry_run=True, gamma=1.0, batch_size=56)
    assert runner.run(tiny.TASK, settings) == {}
