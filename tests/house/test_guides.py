"""Each guide runs as a script, and its page shows what it printed."""

import base64
import contextlib
import io
import os
import pathlib
import re
import subprocess
from types import SimpleNamespace
from unittest import mock

import keras
import matplotlib
import pytest
from matplotlib import pyplot

from docs.site import guides
from keras_m2m.recipes import METHODS
from tasks import folder
from tasks.experiment.settings import parse
from tasks.runs import runner

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "guides"
# Others run on PyTorch, which starts fastest: what they show has tests on all backends.
BACKENDS = {"tf_data": "tensorflow", "several_devices": "jax"}
# Of these fewer epochs are tested; `make guides` runs all.
SHORTER = {"extend", "photographs", "pretrained_features", "probabilities", "table"}
SHORTER |= {"tour"}
OWN = [
    path
    for path in sorted(FOLDER.glob("*.py"))
    if BACKENDS.get(path.stem, "torch") == keras.config.backend()
]


def in_this_process(line, in_another=subprocess.run, **options):
    """`subprocess.run`, but `tasks.folder` here, where all is imported already."""
    if line[1:3] != ["-m", "tasks.folder"]:
        return in_another(line, **options)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        runner.run(folder.TASK, parse(folder.TASK, line[3:]))
    return subprocess.CompletedProcess(line, 0, printed.getvalue())


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs a guide in an empty folder and returns its names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", in_this_process)
    matplotlib.use("Agg")

    def result(path):
        code = path.read_text()
        if path.stem in SHORTER:
            code = re.sub(r"""\b(epochs"?[=:] ?)\d+""", r"\g<1>2", code)
            code = code.replace('"defer_epoch": 6', '"defer_epoch": 1')
        names = {"__name__": "__main__"}
        exec(compile(code, path.name, "exec"), names)
        return names

    with mock.patch.dict(os.environ), mock.patch.dict(METHODS):
        yield result
    pyplot.close("all")


@pytest.mark.filterwarnings("ignore:.*g accepted 0 of")  # It has hardly learned.
@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_a_guide_runs_as_a_script(path, run):
    names = run(path)
    if path.stem == "own_loop":  # Its f has learned.
        f = keras.saving.load_model("f.keras")
        right = f.predict(names["x"], verbose=0).argmax(axis=1) == names["y"]
        assert right.mean() > 0.9


@pytest.mark.no_backend
def test_the_index_has_each_guide_once():
    listed = re.findall(r"\]\((\w+)\.py\)", (FOLDER / "README.md").read_text())
    assert sorted(listed) == [path.stem for path in sorted(FOLDER.glob("*.py"))]


@pytest.mark.no_backend
def test_figures_of_the_evidence_are_on_the_pages_that_it_names():
    lines = (FOLDER / "which_method.py").read_text().splitlines()
    rows = [line for line in lines if line.startswith("# | ") and "results/" in line]
    assert len(rows) > 5
    for row in rows:
        pages = re.findall(r"\]\((\.\./results/\w+\.md)\)", row)
        known = re.findall(
            r"\d+\.\d+", " ".join((FOLDER / page).read_text() for page in pages)
        )
        figures = set(re.findall(r"\d+\.\d+", row))
        assert figures <= set(known), row


def notebook(metadata, outputs):
    text = SimpleNamespace(cell_type="markdown", source="# Title\n[next](tour.py)")
    code = SimpleNamespace(
        cell_type="code",
        source="%matplotlib inline\nprint(1)",
        metadata=metadata,
        outputs=[SimpleNamespace(**output) for output in outputs],
    )
    return SimpleNamespace(cells=[text, code])


PRINTED = {"output_type": "stream", "name": "stdout", "text": "1\n"}
PNG = {"image/png": base64.b64encode(b"picture").decode()}
DRAWN = {"output_type": "display_data", "data": PNG}


@pytest.mark.no_backend
def test_a_page_shows_text_code_what_was_printed_and_what_was_drawn():
    text, pictures = guides.page(notebook({"alt": "A curve"}, [PRINTED, DRAWN]), "own")
    assert text == (
        "# Title\n[next](tour.py)\n\n```python\nprint(1)\n```\n\n"
        "```text\n1\n```\n\n![A curve](own_1.png)\n"
    )
    assert pictures == {"own_1.png": b"picture"}


@pytest.mark.no_backend
def test_a_picture_without_words_is_refused():
    with pytest.raises(ValueError, match="A picture of own has no words"):
        guides.page(notebook({}, [DRAWN]), "own")
