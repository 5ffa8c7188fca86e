"""The model card of a run, of its result alone."""

import json
import re

import markdown_it
import pytest

import keras_m2m
from tasks import folder
from tasks.experiment.settings import parse
from tasks.records.identity import places
from tasks.runs import card

pytestmark = pytest.mark.no_backend

RESULT = {
    "task": "folder",
    "source": "skin, samples of shape 4×4×3",
    "balanced_accuracy": 0.6,
    "geometric_mean": None,
    "accuracy": 0.75,
    "per_class_recall": [0.9, 0.3, None],
    "confusion_matrix": [[9, 1, 0], [6, 3, 1], [0, 0, 0]],
    "class_names": ["nv", "mel | <b>", "df"],
    "class_counts": [90, 30, 4],
    "tested_epoch": 7,
    "parameters": 1234,
    "flags": {
        **{"task": "folder", "method": "drs", "loss": "ce", "epochs": 9},
        **{"defer_epoch": 5, "drops": ["6:0.1", "8:0.1"]},
    },
    "seed": 3,
    "backend": "jax",
    "commit": "abc",
    "versions": {"keras": "3.15.1"},
    "reading": {"size": 4, "bits": None, "group": "lesion_id"},
}


def result(**changes):
    return {
        **RESULT,
        "flags": {**RESULT["flags"], **changes.pop("flags", {})},
        **changes,
    }


def front_matter(text):
    """The fields before the text; each line is a name and JSON, and so is YAML."""
    _, head, _ = text.split("---\n", 2)
    fields = (line.split(": ", 1) for line in head.splitlines())
    return {name: json.loads(value) for name, value in fields}


def section(text, name):
    return text.partition(f"## {name}\n\n")[2].partition("\n\n## ")[0]


def test_fields_in_front_are_those_of_hugging_face():
    fields = front_matter(card.card(RESULT))
    assert fields["library_name"] == "keras"
    assert fields["pipeline_tag"] == "image-classification"
    assert fields["tags"] == ["keras", "imbalanced-classification", "drs"]
    assert fields["metrics"] == ["balanced_accuracy", "accuracy"]
    (model,) = fields["model-index"]
    (found,) = model["results"]
    assert found["task"] == {"type": "image-classification"}
    assert found["dataset"]["name"] == RESULT["source"]
    assert found["metrics"] == [
        {"type": "balanced_accuracy", "value": 0.6},
        {"type": "accuracy", "value": 0.75},
    ]


def test_classes_have_their_counts_recall_and_precision():
    html = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(
        section(card.card(RESULT), "Classes")
    )
    rows = re.findall(r"<tr>\n(.*?)</tr>", html, re.S)
    cells = [re.findall(r"<td.*?>(.*?)</td>", row) for row in rows[1:]]
    assert cells == [
        ["nv", "90", "10", "90.0 %", "60.0 %"],
        ["mel | &lt;b&gt;", "30", "10", "30.0 %", "75.0 %"],
        ["df", "4", "0", "", "0.0 %"],
    ]


def test_of_many_classes_those_of_least_recall_are_shown():
    recalls = [1 - k / 30 for k in range(30)]
    many = result(
        class_names=[f"c{k}" for k in range(30)],
        class_counts=[9] * 30,
        per_class_recall=recalls,
        confusion_matrix=[[int(j == k) for j in range(30)] for k in range(30)],
    )
    text = section(card.card(many), "Classes")
    assert re.findall(r"^\| (c\d+)", text, re.M) == [f"c{k}" for k in range(29, 9, -1)]


def test_confusions_are_named_in_order_of_their_share():
    lines = section(card.card(RESULT), "Scores").splitlines()[-3:]
    assert lines == [
        r"- 6 of 10 of mel \| \<b\> are taken for nv",
        r"- 1 of 10 of nv are taken for mel \| \<b\>",
        r"- 1 of 10 of mel \| \<b\> are taken for df",
    ]


@pytest.mark.parametrize(
    "method, loss, after, balanced",
    [
        ("drs", "ce", None, True),
        ("m2m", "ce", None, True),
        ("erm", "ce", None, False),
        ("erm", "la", None, True),
        ("erm", "ce", {"tau": 1.0}, True),
    ],
)
def test_it_says_what_probabilities_are_of(method, loss, after, balanced):
    flags = {"method": method, "loss": loss, "head": "crt", "adjust": 1.0}
    text = section(card.card(result(flags=flags, after=after)), "Probabilities")
    assert ("as if all classes were equally frequent" in text) == balanced


def test_training_says_the_method_the_flags_and_what_stays_together():
    text = section(card.card(RESULT), "Training")
    about = "class-balanced sampling after epoch 5"
    assert f"Method DRS: {about}. Loss: cross entropy." in text
    assert "Tested after epoch 8 of 9." in text
    assert r"Photographs of one lesion\_id are in one split." in text
    assert (
        "\n--method=drs --loss=ce --epochs=9 --defer_epoch=5 --drops=6:0.1,8:0.1\n"
        in text
    )


def test_flags_say_where_the_data_was_looked_up_without_paths_of_a_machine():
    given = ["--data_dir=/home/me/skin/", "--group=lesion_id", "--id=a", "--id=b c"]
    own = result(places=places(parse(folder.TASK, given)))
    text = section(card.card(own), "Training")
    expected = "\n--data_dir=skin --group=lesion_id '--id=a,b c' --method=drs "
    assert expected in text
    assert "Of paths the flags have the last part: complete them." in text
    assert "complete them" not in card.card(RESULT)


def test_flags_that_have_no_value_are_left_out():
    text = card.card(result(flags={"step_size": None, "lam": 0.1}))
    assert "--lam=0.1" in text
    assert "step_size" not in text


@pytest.mark.parametrize("epoch, is_plain", [(4, True), (5, False)])
def test_a_network_from_before_the_deferred_phase_is_of_plain_training(epoch, is_plain):
    own = result(flags={"method": "m2m"}, tested_epoch=epoch, acceptance_rate=0.02)
    text = card.card(own)
    (title,) = re.findall("^# .+: (.+)$", text, re.M)
    assert title == ("ERM" if is_plain else "M2m")
    assert front_matter(text)["tags"][-1] == ("erm" if is_plain else "m2m")
    training = section(text, "Training")
    assert f"Tested after epoch {epoch + 1} of 9." in training
    assert ("is of plain training: M2m had not begun" in training) == is_plain
    frequent = "of classes as frequent as in the training set"
    assert (frequent in section(text, "Probabilities")) == is_plain


@pytest.mark.parametrize("rate, is_said", [(0.049, True), (0.05, False), (None, False)])
def test_it_says_where_translations_were_hardly_accepted(rate, is_said):
    text = card.card(result(flags={"method": "m2m"}, acceptance_rate=rate))
    assert ("hardly accepted: 4.9 % of them in the last epoch" in text) == is_said


def test_limits_name_the_class_with_fewest_tests_and_those_without():
    text = section(card.card(RESULT), "Limits")
    assert "Fewest test samples of a class: 10, of 'nv', 'mel " in text
    assert "moves its recall by 10.0 points" in text
    assert "Never tested: 'df'." in text


@pytest.mark.parametrize("head, loss", [("dense", "ce"), ("logit", "bce")])
def test_its_code_runs_beside_the_network(head, loss, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    f = keras_m2m.mlp(2, (4, 4, 3), hidden=2, head=head)
    bias = f.layers[-1].bias
    bias.assign([-9.0, 9.0] if head == "dense" else [-9.0])
    f.save("f.keras")
    own = result(flags={"loss": loss}, class_names=["a", "b", "c"])
    (tmp_path / "result.json").write_text(json.dumps(own))
    card.write(tmp_path, own)
    text = (tmp_path / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.+?)```", text, re.S)
    exec(code, {})
    assert capsys.readouterr().out == ("b\n" if head == "dense" else "a\n")


def test_what_is_to_know_of_the_data_is_a_limit():
    text = card.card(result(notes=["'claim': each row has a value of its own"]))
    limits = section(text, "Limits").splitlines()
    assert limits[-1] == "- Of the data: 'claim': each row has a value of its own."
