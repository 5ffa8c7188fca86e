"""One command makes a table from cells that are run, or found."""

import re
import shutil
from dataclasses import replace

import pytest
from absl import flags

from helpers import tiny
from helpers.table_commands import DIGITS
from helpers.table_commands import SMALL
from helpers.table_commands import command
from helpers.table_commands import row
from tasks import table
from tasks.data import encoded_images
from tasks.experiment.errors import UserError
from tasks.experiment.rows import Row
from tasks.records import trainings
from tasks.runs import commands
from tasks.runs.data_checks import check_data

# Trainings are tested on every backend, and in test_table_networks so is the command.
pytestmark = pytest.mark.no_backend


def make(path, *arguments):
    return command(path / "results", path / "runs", *arguments)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder and the table of three methods on two seeds."""
    path = tmp_path_factory.mktemp("table")
    rows = "--rows=ce-erm,ce-drs,ce-m2m"
    text = make(path, "--table=2", "--seeds=2", rows, "--figures", *SMALL, DIGITS)
    return path, text


def test_every_cell_is_in_the_table(made):
    path, text = made
    for name in ("ERM", "DRS", "M2m"):
        assert re.fullmatch(r"(\*\*)?\d+\.\d ± \d+\.\d(\*\*)?", row(text, name)[1])
        assert row(text, name)[4] == "2"
    # The two of g are trained and are in no row: plain runs of the next seeds.
    assert len(list((path / "results/digits_lt").iterdir())) == 6


def test_the_table_is_written_as_text_and_page(made):
    path, text = made
    assert (path / "runs/table2.md").read_text() in text
    assert "<table" in (path / "runs/table2.html").read_text()


def test_figures_are_drawn_of_results_and_of_networks(made):
    path, _ = made
    folder = path / "runs/table2_figures"
    drawn = {file.name for file in folder.rglob("*") if file.is_file()}
    stems = {name.partition(".")[0] for name in drawn}
    assert stems >= {"class_sizes", "feature_embedding", "recall_gain"}
    assert {f"{stem}.{kind}" for stem in stems for kind in ("png", "svg")} == drawn


def test_figures_of_a_table_of_ablations_show_networks_too(made):
    path, _ = made
    rows = "--rows=ce-drs,ce-m2m"
    make(path, "--table=5", "--seeds=1", rows, "--figures", *SMALL, DIGITS)
    drawn = {file.name for file in (path / "runs/table5_figures").rglob("*.png")}
    assert {"feature_embedding.png", "class_sizes.png"} <= drawn


def test_what_is_done_is_found_and_the_table_is_the_same(made, tmp_path):
    path, text = made
    rows = "--rows=ce-erm,ce-drs,ce-m2m"
    out = f"--out={tmp_path / 'again'}"
    found = make(path, "--table=2", "--seeds=2", rows, "--found", out, *SMALL, DIGITS)
    assert found.partition("\nWritten")[0] == text.partition("\nWritten")[0]


def test_a_row_more_trains_that_row_alone(made):
    path, _ = made
    before = {p: p.stat().st_mtime_ns for p in (path / "results").rglob("*.json")}
    trained = set((path / "runs/digits_lt").iterdir())
    rows = "--rows=ce-erm,ce-rw"
    text = make(path, "--table=2", "--seeds=1", rows, *SMALL, DIGITS)
    assert row(text, "RW")[4] == "1"
    new = set((path / "runs/digits_lt").iterdir()) - trained
    assert [folder.name.partition("-")[0] for folder in new] == ["rw"]
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_rows_of_what_comes_after_train_nothing(made, monkeypatch, tmp_path):
    path = shutil.copytree(made[0], tmp_path / "made")
    monkeypatch.setattr(trainings, "train", None)
    rows = "--rows=ce-erm,ce-erm+adjust,ce-erm+adjust=auto,ce-m2m+crt"
    out = f"--out={tmp_path / 'after'}"
    more = (rows, out, "--figures", *SMALL, DIGITS)
    text = make(path, "--table=2", "--seeds=2", *more)
    labels = ["ERM", r"ERM \+ logit adjustment", "ERM .* validation.", "M2m .* cRT"]
    assert [row(text, label)[4] for label in labels] == ["2"] * 4
    found = make(path, "--table=2", "--seeds=2", "--found", *more)
    assert found.partition("\nWritten")[0] == text.partition("\nWritten")[0]


def test_the_table_of_methods_after_2020_is_of_its_rows(made):
    path, _ = made
    text = make(path, "--table=after2020", "--found", "--seeds=1", *SMALL, DIGITS)
    assert row(text, "ERM")[4] == "1"
    missing = re.search(r"no run of (.+)\.", text)[1].split(", ")
    assert {"LA", "mixup-M2m", "M2m + NCM"} < set(missing)
    assert (path / "runs/after2020.md").exists()


def test_without_a_deferred_method_its_epoch_does_not_matter(tmp_path):
    task = "digits_lt --epochs=3 --drops=2:0.1"
    text = make(tmp_path, "--table=2", "--rows=ce-erm,ce-rs", "--found", task)
    assert "no run of ERM, RS" in text


def test_data_of_ones_own_has_a_winner(made):
    path, _ = made
    task, *own = DIGITS.split()
    rows = "--rows=ce-erm,ce-drs,ce-m2m"
    text = make(path, f"--task={task}", "--seeds=2", rows, "--found", *SMALL, *own)
    assert re.search(r"^- (ERM|DRS|M2m) (wins|leads|has|and)", text, re.MULTILINE), text


def test_a_chief_and_its_workers_do_one_search(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    with pytest.raises(UserError, match="this makes 2 searches"):
        make(tmp_path, "--table=2", "--tune", "digits_lt")
    assert not (tmp_path / "runs/digits_lt").exists()


def test_what_is_missing_is_said(tmp_path):
    rows = "--rows=ce-erm,ce-m2m"
    text = make(tmp_path, "--table=2", rows, "--found", "digits_lt")
    assert "no run of ERM, M2m" in text


def test_a_flag_of_pace_goes_to_the_trainings(tmp_path):
    pace = ["--checkpoint_seconds=0", "--steps_per_execution=2"]
    text = make(tmp_path, "--table=2", "--rows=ce-erm", "--found", *pace, "digits_lt")
    assert "no run of ERM" in text


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--table=2"], "name the datasets"),
        (["digits_lt"], "--table=1 to 6 or after2020, or --task"),
        (["--table=2", "--task=digits_lt"], "--table=1 to 6 or after2020, or --task"),
        (["--task=digits_lt", "reuters"], "for --task nothing else"),
        (["--task=digits_lt", "--datasets=reuters"], "for --task nothing else"),
        (
            ["--table=2", "folder --data_dir=a", "folder --data_dir=b"],
            "folder is named",
        ),
        (["--table=2", "--out=.", "digits_lt"], "--out=. is a folder"),
        (["--table=2", "digits_lt --defer_epoch=60"], "--defer_epoch must be below"),
        (["--table=2", "nothing"], "'nothing' is no task"),
        (["--table=2", "--datasets=digits"], "'digits' is no task"),
        (["--table=2", "digits_lt --nosuch=1"], "nosuch"),
        (["--table=2", "--nosuch=1", "digits_lt"], "nosuch"),
        (["--table=2", "digits_lt --method=erm"], "--method has no use here"),
        (["--table=2", "--seed=3", "digits_lt"], "--seed has no use here"),
        (["--table=2", "--rows=m2m", "digits_lt"], "ce-erm"),
        (["--table=2", "--rows=ce-erm+none", "digits_lt"], "such as ce-erm+crt"),
        (["--table=2", "--rows=ce-m2m+adjust", "digits_lt"], "have a uniform prior"),
        (["--table=2", "digits_lt --head=crt"], "--head has no use here"),
        (
            ["--table=2", "--rows=ce-erm+adjust,ce-erm+adjust=1.0", "digits_lt"],
            "ce-erm+adjust=1 is named twice",
        ),
        (["--table=2", "--tune", "--tuning_seed=1", "digits_lt"], "one of the 5"),
        (["--table=2", "-x", "digits_lt"], "unexpected argument: -x"),
        (["--table=2", "'digits_lt"], "no command line"),
        (["--table=2", "digits_lt -seed=3"], "--seed has no use here"),
        (["--table=2", "digits_lt", "--dry_run"], "--dry_run has no use here"),
        (["--table=2", "--rows=ce-rs,ce-rs", "digits_lt"], "ce-rs is named twice"),
        (["--table=2", "--rows=la-rs", "digits_lt"], "--rows=la-rs: LA corrects"),
        (["--table=2", "--rows=ce-mixed-rs", "digits_lt"], "ce-mixup-drs"),
        (["--table=2", "digits_lt --mix=mixup"], "--mix has no use here"),
        (["--table=2", "digits_lt", "digits_lt"], "digits_lt is named twice"),
        (
            ["--table=2", "digits_lt --deterministic", "digits_lt"],
            "--deterministic to all",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(arguments, message, tmp_path):
    with pytest.raises(UserError, match=re.escape(message)):
        make(tmp_path, *arguments)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("flag", ["results", "runs", "out"])
def test_a_folder_that_cannot_be_is_said_before_anything_runs(flag, tmp_path):
    file = tmp_path / "file"
    file.touch()
    place = f"--{flag}={file / 'inside/table'}"
    with pytest.raises(UserError, match=f"--{flag}: .* cannot be made"):
        make(tmp_path, "--table=2", place, "digits_lt --largest=30")
    assert not (tmp_path / "runs/digits_lt").exists()


@pytest.mark.parametrize("flag", ["--table=9", "--seeds=none"])
def test_a_value_out_of_range_is_an_error_of_one_line(flag, monkeypatch):
    values = flags.FlagValues()
    table.define_flags(values)
    monkeypatch.setattr(flags, "FLAGS", values)
    with pytest.raises(SystemExit, match=f"^error: .*{flag}"):
        commands.read(["tasks.table", flag], known_only=True)


def test_where_data_lies_is_not_in_the_table(tmp_path):
    text = make(
        *(tmp_path, "--table=2", "--found"),
        *("twitter --data_dir /here --epochs=20", "reuters --data_dir=/here"),
    )
    assert "### twitter --epochs=20" in text
    assert "/here" not in text


def test_what_is_to_be_tuned_is_not_shown_untuned(made, tmp_path):
    path, _ = made
    rows = "--rows=ce-erm,ce-m2m"
    out = f"--out={tmp_path / 'tuned'}"
    text = make(
        *(path, "--table=2", "--seeds=2", rows, "--found", "--tune", out),
        *(*SMALL, DIGITS),
    )
    assert row(text, "ERM")[4] == "2"
    assert "no run of M2m" in text


def test_results_that_cannot_be_drawn_together_leave_the_table(made, tmp_path):
    path, _ = made
    results = tmp_path / "results/digits_lt"
    results.mkdir(parents=True)
    for name in ("erm-ce-seed0", "drs-ce-seed1"):  # Of no seed in common.
        (file,) = (path / "results/digits_lt").glob(f"{name}-*.json")
        shutil.copy(file, results)
    rows = "--rows=ce-erm,ce-drs"
    arguments = "--table=2", "--seeds=2", rows, "--found", "--figures", *SMALL, DIGITS
    with pytest.warns(UserWarning, match="no seed in common"):
        text = make(tmp_path, *arguments)
    assert row(text, "DRS")[4] == "1"


def test_what_cannot_be_trained_is_said_before_the_rest_is():
    data = tiny.blobs(tiny.settings())
    rows = [Row("ce", "erm"), Row("ce", "m2m_rs_rand")]
    x, y = data.train
    two = replace(data, train=(x[y < 2], y[y < 2]), class_names=["right", "left"])
    with pytest.raises(UserError, match="three classes"):
        check_data("blobs", two, rows, tune=False)
    check_data("blobs", data, rows, tune=True)
    unvalidated = replace(data, validation=None)
    with pytest.raises(UserError, match="validation set"):
        check_data("blobs", unvalidated, [Row("ce", "m2m")], tune=True)
    check_data("blobs", unvalidated, rows[:1], tune=True)  # Nothing to be tuned.
    stream = replace(data, train=(encoded_images.EncodedImages([], "none"), y))
    for method in ("smote", "m2m_pool10"):
        with pytest.raises(UserError, match="not a stream"):
            check_data("blobs", stream, [Row("ce", method)], tune=False)
