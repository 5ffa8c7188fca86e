"""A report of a user's own data: which method, and how to decide by it."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.own_data import load
from helpers.own_data import write_arrays
from helpers.own_data import write_images
from helpers.table_commands import command
from helpers.table_commands import row
from keras_m2m.report import report
from tasks import predict
from tasks.experiment.errors import UserError
from tasks.records import served
from tasks.training import references

# Trainings are tested on every backend, and in test_table_networks so is the command.
pytestmark = pytest.mark.no_backend
FAST = "--epochs=2", "--batch_size=32", "--seeds=2"
ROWS = "--rows=ce-erm,ce-erm+adjust,logistic,boosted"


def blobs(counts, rng):
    y = np.repeat([0, 1], counts)
    return (rng.normal(size=(len(y), 2)) + 1.5 * y[:, None]).astype("float32"), y


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """An archive of two overlapping classes, "healthy" and "ill"."""
    rng, arrays = np.random.default_rng(0), {}
    for part, counts in (("train", (90, 10)), ("val", (60, 20)), ("test", (60, 30))):
        arrays[f"x_{part}"], arrays[f"y_{part}"] = blobs(counts, rng)
    path = tmp_path_factory.mktemp("own") / "blood.npz"
    return write_arrays(path, class_names=["healthy", "ill"], **arrays)


def make(path, data, *arguments):
    where = f"--data_dir={data}", f"--out={path / 'out'}"
    return command(
        path / "results", path / "runs", "--task=folder", *where, *FAST, *arguments
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("table")
    return path, make(path, data, ROWS)


def test_what_is_no_network_has_rows(made):
    _, text = made
    for name in ("logistic regression", "boosted trees"):
        assert row(text, name)[4] == "2"


def test_the_page_is_the_report_and_its_advice_is_above_the_table(made):
    path, text = made
    page = (path / "out.html").read_text()
    above = text.partition("\n\n## Methods")[0].split("\n\n")
    heading, *advice, command = above
    assert heading.startswith("## What to do")
    assert 2 <= len(advice) <= 4  # The last one says what the command does.
    assert command == f"    python -m tasks.predict --model={path}/out_model --data=NEW"
    for sentence in advice:
        sentence = re.sub(r"\\(.)", r"\1", sentence)  # Escaped for Markdown.
        assert sentence.replace("'", "&#39;") in page
    assert text.startswith((path / "out.md").read_text())
    assert "<h1>Methods compared on blood.npz</h1>" in page
    assert "tested at the epoch that is best on validation, else at the last" in page


def test_what_is_found_makes_the_same_report(made, data, monkeypatch):
    path, text = made
    monkeypatch.setattr(references, "fit", None)
    assert make(path, data, ROWS, "--found") == text


COSTS = ["x,ill,healthy", "healthy,1,0", "ill,0,50"]


def write_costs(path, lines=COSTS):
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def noted(monkeypatch):
    """What was asked for in the last report, and what came of it."""
    asked = {}

    def keep(held, *arguments, **wishes):
        found = report(held, *arguments, **wishes)
        asked.update(wishes, held=held, advice=found.advice)
        return found

    monkeypatch.setattr("keras_m2m.report.report", keep)
    return asked


@pytest.mark.parametrize(
    "name", ["ce-erm", "ce-erm+adjust", "logistic", "boosted", "probe"]
)
def test_the_command_on_the_page_decides_as_the_report_did(
    name, made, data, tmp_path, noted
):
    path, _ = made
    out = tmp_path / "out"
    wishes = "--maximise=accuracy", "--test_prior=ill:0.9,healthy:0.1"
    make(path, data, f"--rows={name}", *wishes, f"--out={out}")
    said = r"<code>python -m tasks.predict --model=(\S+) --data=NEW</code>"
    (model,) = re.findall(said, out.with_suffix(".html").read_text())
    with np.load(data) as archive:
        new = write_arrays(tmp_path / "new.npz", x=archive["x_test"])
    found = predict.predict(Path(model), new)
    p = noted["held"][0].p_test
    decided = noted["advice"].decide(p)
    assert (decided != p.argmax(axis=1)).any()
    assert found["predicted"].tolist() == [("healthy", "ill")[k] for k in decided]
    chances = found[["probability of healthy", "probability of ill"]]
    expected = noted["advice"].probabilities(p)
    np.testing.assert_allclose(chances, expected, rtol=1e-4, atol=1e-6)


def test_other_costs_are_decided_by_without_another_training(made, data, tmp_path):
    path, _ = made
    out = f"--out={tmp_path / 'out'}"
    make(path, data, "--rows=logistic", out)
    files = {file.name for file in (tmp_path / "out_model").iterdir()}
    assert files == {"reference.skops", "result.json", "rule.json"}
    costs = f"--cost={write_costs(tmp_path / 'costs.csv')}"
    text = make(path, data, "--rows=logistic", costs, "--found", out)
    assert "python -m tasks.predict --model=" in text
    rule = served.read_rule(tmp_path / "out_model" / "rule.json", ["healthy", "ill"])
    np.testing.assert_array_equal(rule.costs, [[0, 1], [50, 0]])


def test_a_classifier_that_is_not_there_is_no_command(made, data, tmp_path):
    path, _ = made
    out = f"--out={tmp_path / 'out'}"
    make(path, data, "--rows=ce-erm", out)
    text = make(path, data, "--rows=boosted", "--found", out)
    assert "tasks.predict --model" not in text
    page = (tmp_path / "out.html").read_text()
    assert "without --found keeps boosted trees and this rule" in page
    make(path, data, "--rows=boosted", out)  # Without what was of a network.
    files = {file.name for file in (tmp_path / "out_model").iterdir()}
    assert files == {"reference.skops", "result.json", "rule.json"}


def test_by_default_the_page_is_named_after_the_data(made, data, tmp_path):
    path, _ = made
    runs = tmp_path / "runs"
    where = "--task=folder", f"--data_dir={data}"
    text = command(path / "results", runs, *where, *FAST, ROWS, "--found")
    assert f"{runs}/folder-blood.html" in text
    assert (runs / "folder-blood.html").is_file()


def test_records_alone_make_a_table(made, data, tmp_path):
    path, _ = made
    (tmp_path / "results").symlink_to(path / "results")
    text = make(tmp_path, data, ROWS, "--found")
    assert row(text, "logistic regression")[4] == "2"
    assert text.startswith("## Methods compared")  # No advice.
    assert "<table" in (tmp_path / "out.html").read_text()


def test_what_is_found_is_of_the_columns_that_are_asked_for(tmp_path):
    rng = np.random.default_rng(0)
    x, y = blobs((150, 50), rng)
    rows = [f"{a},{b},{9 * k + rng.integers(9)},{k}" for (a, b), k in zip(x, y)]
    claims = tmp_path / "claims.csv"
    claims.write_text("\n".join(["a,b,claim_no,label", *rows]))
    all_columns = make(tmp_path, claims, "--rows=logistic")
    without = make(tmp_path, claims, "--rows=logistic", "--id=claim_no")
    assert row(all_columns, "logistic regression") != row(
        without, "logistic regression"
    )
    found = make(tmp_path, claims, "--rows=logistic", "--id=claim_no", "--found")
    assert found == without
    page = (tmp_path / "out.html").read_text()
    assert "each row has a value of its own" not in page
    found = make(tmp_path, claims, "--rows=logistic", "--found")
    assert row(found, "logistic regression") == row(all_columns, "logistic regression")


def test_columns_that_look_like_identifiers_are_named_on_the_page(tmp_path):
    x, y = blobs((60, 30), np.random.default_rng(0))
    rows = [f"{a},{b},c{i},{k}" for i, ((a, b), k) in enumerate(zip(x, y))]
    claims = tmp_path / "claims.csv"
    claims.write_text("\n".join(["a,b,claim,label", *rows]))
    for more in ([], ["--found"]):
        make(tmp_path, claims, "--rows=logistic", *more)
        page = (tmp_path / "out.html").read_text()
        assert "Note: &#39;claim&#39;: each row has a value of its own" in page
        assert "--id=claim leaves such columns out." in page


@pytest.mark.parametrize("named", [True, False])
def test_the_usual_label_is_found_whether_it_is_named_or_not(named, tmp_path):
    x, y = blobs((60, 30), np.random.default_rng(0))
    claims = tmp_path / "claims.csv"
    rows = [f"{a},{b},{k},{int(a > 0)}" for (a, b), k in zip(x, y)]
    claims.write_text("\n".join(["a,b,label,other", *rows]))
    ways = [], ["--label=label"]
    text = make(tmp_path, claims, "--rows=logistic", *ways[named])
    found = make(tmp_path, claims, "--rows=logistic", "--found", *ways[not named])
    assert row(found, "logistic regression") == row(text, "logistic regression")
    other = make(tmp_path, claims, "--rows=logistic", "--found", "--label=other")
    assert row(other, "logistic regression")[1] == "—"


@pytest.mark.parametrize(
    "wish, is_other",
    [
        ("cost", True),
        ("maximise=min_recall", True),
        ("maximise=balanced_accuracy", False),
    ],
)
def test_of_another_wish_the_table_is_said_to_be_of_balanced_accuracy(
    wish, is_other, made, data, tmp_path
):
    path, _ = made
    (tmp_path / "results").symlink_to(path / "results")
    costs = write_costs(tmp_path / "costs.csv")
    asked = f"--cost={costs}" if wish == "cost" else f"--{wish}"
    make(tmp_path, data, ROWS, "--found", asked)
    first = (tmp_path / "out.md").read_text().partition("## Methods compared")[0]
    said = rf"balanced accuracy on the test set, and not of what --{wish} asks for"
    assert (said in first) == is_other


def test_the_report_has_what_the_user_wishes(made, data, tmp_path, noted):
    path, _ = made
    wishes = (
        f"--cost={write_costs(tmp_path / 'costs.csv')}",
        "--test_prior=ill:0.2,healthy:0.8",
    )
    make(path, data, ROWS, "--found", *wishes)
    asked = noted
    np.testing.assert_array_equal(asked["costs"], [[0, 1], [50, 0]])
    np.testing.assert_allclose(asked["test_prior"], [0.8, 0.2])
    make(path, data, ROWS, "--found", "--maximise=min_recall")
    assert asked["maximise"] == "min_recall"
    assert asked["costs"] is None
    kinds = {own.name: own.kind for own in asked["held"]}
    assert kinds["logistic regression"] == kinds["boosted trees"] == "reference"
    assert kinds["ERM"] == "network"
    assert all(own.seconds > 0 for own in asked["held"])


def test_without_validation_nothing_is_chosen(tmp_path):
    x, y = blobs((60, 20), np.random.default_rng(0))
    data = write_arrays(tmp_path / "blood.npz", x=x, y=y)
    text = make(tmp_path, data, "--rows=logistic,boosted", "--protocol=field")
    assert "No method is recommended" in text
    page = (tmp_path / "out.html").read_text()
    assert "No method is recommended" in page
    assert "at the epoch that is best on validation" not in page


def test_rows_that_nobody_asked_for_are_left_out_where_they_take_long(
    data, tmp_path, monkeypatch
):
    monkeypatch.setattr("tasks.tables.own_rows._ROWS", ("logistic", "boosted"))
    monkeypatch.setattr(
        references, "seconds", lambda name, data: 6000 if name == "boosted" else 0
    )
    text = make(tmp_path, data)
    assert row(text, "logistic regression")[4] == "2"
    assert re.search("boosted trees is left out: .* 100 minutes; --rows=boosted", text)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--cost=none.csv"], "--cost=none.csv cannot be read"),
        (["--test_prior=healthy:1,sick:1"], "sick"),
        (["--cost=a.csv", "--maximise=accuracy"], "decide by one of them"),
        (["--rows=logistic+crt"], "--rows=logistic+crt: expected"),
    ],
)
def test_a_wish_that_does_not_fit_is_said_before_anything_runs(
    arguments, message, data, tmp_path
):
    with pytest.raises(UserError, match=re.escape(message)):
        make(tmp_path, data, *arguments)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_wishes_are_of_a_task(tmp_path):
    with pytest.raises(UserError, match="--maximise: the report is of --task"):
        command(
            *(tmp_path / "results", tmp_path / "runs", "--table=2", "digits_lt"),
            "--maximise=accuracy",
        )


def test_mistakes_are_shown_as_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 3), "uint8")
    data = write_arrays(tmp_path / "noise.npz", x=images, y=[0, 1] * 20)
    make(tmp_path, data, "--rows=logistic", "--test_fraction=0.4")
    assert "data:image/png;base64" in (tmp_path / "out.html").read_text()


def test_photographs_are_shown_with_their_files(tmp_path):
    folder = write_images(tmp_path / "pets", {"cat": 6, "dog": 5}, side=20)
    data = load(folder, "--image_size=8", "--test_fraction=0.4")
    for index, label in enumerate(data.test[1]):
        found = data.shown(index)
        assert found["file"].startswith(data.class_names[label])
        with Image.open(io.BytesIO(found["image"])) as image:
            of_file = Image.open(folder / found["file"])
            np.testing.assert_array_equal(image, of_file)  # Not the small one.


def test_mistakes_are_shown_as_rows_of_the_table(tmp_path):
    rng = np.random.default_rng(0)
    lines = [
        f"{value:.3f},p{i},{'yn'[i % 2]}" for i, value in enumerate(rng.random(60))
    ]
    data = tmp_path / "claims.csv"
    data.write_text("\n".join(["amount,name,label", *lines]))
    make(tmp_path, data, "--rows=logistic", "--test_fraction=0.4", "--id=name")
    page = (tmp_path / "out.html").read_text()
    row, amount, name, label = re.search(
        r"<dt>row</dt><dd>(\d+)</dd>\s*<dt>amount</dt><dd>(.+?)</dd>\s*"
        r"<dt>name</dt><dd>(.+?)</dd>\s*<dt>label</dt><dd>(.+?)</dd>",
        page,
    ).groups()
    written = lines[int(row) - 1].split(",")
    assert [float(amount), name, label] == [float(written[0]), *written[1:]]
