"""Whatever a table of labels holds: the right data, or one clear message."""

import os

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image

from helpers.own_data import loaded_or_refused

pytestmark = pytest.mark.no_backend
EXAMPLES = int(os.environ.get("LABEL_TABLES", 40))
COUNT = 12


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of images, each of a shade of its own, and one for what is prepared."""
    folder = tmp_path_factory.mktemp("fuzzed")
    for k in range(COUNT):
        path = folder / "own" / f"part_{k % 2}" / f"{k:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), k).save(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(folder / "home"))
        yield folder


HEADS = st.sampled_from(
    ["file", "id", "label", "dx", "split", "patient_id", "", "file", "é", "x;y", "1"]
)
CELLS = st.one_of(
    st.integers(0, COUNT).map(lambda k: f"{k:02d}"),
    st.integers(0, COUNT).map(lambda k: f"part_{k % 2}/{k:02d}.png"),
    st.sampled_from(["a", "b", "0", "1", "1.0", "nan", "", "train", "test", "a|b"]),
    st.sampled_from(["../../etc/passwd", r"C:\x\01.png", "\0", '"', "\u202ea", "/"]),
    st.text(max_size=4),
)
RIGHT = st.lists(st.sampled_from(["a", "b"]), min_size=COUNT, max_size=COUNT).map(
    lambda labels: [[f"{k:02d}.png", label] for k, label in enumerate(labels)]
)


@st.composite
def tables(draw):
    """The bytes of a table, of right rows and of others, and what is right."""
    heads = draw(st.lists(HEADS, max_size=2))
    right = draw(RIGHT)
    rows = [[*row, *(draw(CELLS) for _ in heads)] for row in right]
    rows += draw(st.lists(st.lists(CELLS, max_size=5), max_size=3))
    mark = draw(st.sampled_from(",;\t|"))
    lines = [mark.join(row) for row in [["file", "label", *heads], *rows]]
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    content = "\n".join(lines).encode(encoding, errors="replace")
    cut = draw(st.sampled_from([None, 0, 1, 7, len(content) // 2]))
    return content[:cut], [label for _, label in right]


FLAGS = st.lists(
    st.sampled_from(
        [
            *("--labels=labels.csv", "--label=label", "--label=file", "--id=file"),
            *("--id=label", "--group=patient_id", "--group=folder", "--missing=drop"),
        ]
    ),
    max_size=3,
    unique=True,
)


@hypothesis.given(table=tables(), flags=FLAGS)
@hypothesis.settings(max_examples=EXAMPLES, deadline=None)
def test_any_table_of_labels_is_read_or_refused_by_a_message(table, flags, place):
    content, right = table
    (place / "own" / "labels.csv").write_bytes(content)
    data = loaded_or_refused(place / "own", "--image_size=4", *flags)
    if data is None:
        return
    parts = (data.train, data.validation, data.test)
    x = np.concatenate([samples for samples, _ in parts])
    shades = np.rint(x.reshape(len(x), -1)[:, 0] * 255).astype(int)
    assert len(np.unique(shades)) == len(shades) <= COUNT  # Each image once.
    y = np.concatenate([labels for _, labels in parts])
    assert [data.class_names[k] for k in y] == [right[shade] for shade in shades]
