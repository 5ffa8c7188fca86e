"""The tables of the documentation are those of the results in the repository."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.table_commands import command
from tasks import reuters
from tasks.experiment.settings import parse
from tasks.experiment.task import Flag
from tasks.records import records

pytestmark = pytest.mark.no_backend

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "docs" / "tables"
COMMANDS = re.findall(
    r"^python -m tasks\.table (.+)$", (TABLES / "README.md").read_text(), re.MULTILINE
)


def path_in(arguments, flag, default=None):
    """Takes a flag out of the arguments; the path that it names."""
    given = [part for part in arguments if part.startswith(f"--{flag}=")]
    for part in given:
        arguments.remove(part)
    (path,) = [part.partition("=")[2] for part in given] or [default]
    return ROOT / path


@pytest.mark.parametrize("text", COMMANDS)
def test_a_table_of_the_documentation_is_made_of_the_results(text, tmp_path):
    arguments = shlex.split(text)
    written = path_in(arguments, "out").with_suffix(".md")
    results = path_in(arguments, "results", "results")
    command(results, tmp_path, *arguments, f"--out={tmp_path / 'table'}")
    assert (tmp_path / "table.md").read_text() == written.read_text()


def test_every_table_has_its_command():
    named = {f"{path_in(shlex.split(text), 'out').name}.md" for text in COMMANDS}
    assert named | {"README.md"} == {file.name for file in TABLES.glob("*.md")}


def test_results_name_their_commit_and_nothing_of_a_machine():
    files = sorted((ROOT / "results").rglob("*.json"))
    assert files
    for file in files:
        text = file.read_text()
        commit = json.loads(text)["commit"]
        assert commit, file
        assert not commit.endswith("-dirty"), file
        assert not re.search(r"\"[^\"]*(/home|/root|/tmp|/work)", text), file


NEWER = Flag("float", "temperature", 1.0, "made up")
ABOUT = "backend", "devices", "checksum of the data"
OF_REUTERS = sorted((ROOT / "results" / "reuters").glob("[!t]*.json"))


@pytest.fixture(scope="module")
def newer():
    """Settings of Reuters, whose task has got a flag since its records were written."""
    return parse(replace(reuters.TASK, flags=[*reuters.TASK.flags, NEWER]), [])


def found(settings, recorded, **changes):
    own = settings.replace(**recorded["flags"], **changes)
    about = {key: recorded[key] for key in ABOUT}
    return records.find(ROOT / "results", own, **about)


def test_a_flag_that_records_lack_counts_as_its_default(newer):
    for recorded in map(records.read, OF_REUTERS):
        assert found(newer, recorded) == recorded


def test_of_another_value_of_such_a_flag_there_is_no_record(newer):
    assert found(newer, records.read(OF_REUTERS[0]), temperature=2.0) is None
