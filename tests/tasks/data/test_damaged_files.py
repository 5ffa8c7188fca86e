"""Damaged files of every kind that is read: right data, or a message, and no more.

`DAMAGED_FILES=500 pytest -s tests/tasks/data/test_damaged_files.py` damages as many.
"""

import hashlib
import io
import os
import shutil
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image

from helpers import made_texts
from helpers.own_data import load
from tasks.data import downloads
from tasks.data import kept_arrays
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend

NUMBER = int(os.environ.get("DAMAGED_FILES", "80"))
RNG = np.random.default_rng(0)
TEXT = b"label\ttext\n" * 20
PUBLISHED = downloads.PublishedFile(
    "t.txt", "http://127.0.0.1:9/t.txt", hashlib.sha256(TEXT).hexdigest()
)


def image(kind, pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


COLOURS = RNG.integers(0, 256, (20, 20, 3), "uint8")
DEEP = RNG.integers(0, 4096, (20, 20)).astype("uint16")
IMAGES = {
    "1.png": image("PNG", COLOURS),
    "2.png": image("PNG", DEEP),
    "3.jpg": image("JPEG", COLOURS),
    "4.tif": image("TIFF", COLOURS),
    "5.tif": image("TIFF", DEEP, compression="tiff_deflate"),
    "6.webp": image("WEBP", COLOURS),
}
TEXTS = ["tweets-train.txt", "embeddings-twitter.txt", "r52-train.txt", "r52-test.txt"]
X = RNG.normal(size=(12, 2)).astype("float32")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(folder / "home"))
        patch.setenv("no_proxy", "127.0.0.1")
        yield folder


# A damage is a place, how much of the file goes there, and what comes instead.
EDIT = st.tuples(
    st.floats(0, 1),
    st.sampled_from([0, 1, 1, 4, 30, 10**6]),
    st.one_of(st.just(b""), st.binary(max_size=4), st.just(b"\0" * 30)),
)
EDITS = st.lists(EDIT, min_size=1, max_size=3)


def damaged(content, edits):
    for where, length, piece in edits:
        start = int(where * len(content))
        content = content[:start] + piece + content[start + length :]
    return content


def check(data):
    """What is true of all data, whatever it was read from."""
    for x, y in filter(None, (data.train, data.validation, data.test)):
        assert x.dtype == "float32"
        assert len(x) == len(y) > 0
        assert np.isfinite(x).all()
        assert data.bounds is None or 0 <= x.min() <= x.max() <= 1
        assert 0 <= y.min() <= y.max() < len(data.class_names)


def read_archive(place, edits):
    path = place / "own.npz"
    np.savez(path, x=X, y=np.repeat(["a", "b"], 6), class_names=["a", "b"])
    path.write_bytes(damaged(path.read_bytes(), edits))
    data = load(path)
    parts = [part[0] for part in (data.train, data.validation, data.test)]
    found = np.concatenate(parts)
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(X, axis=0))
    return data


def read_image(name):
    def read(place, edits):
        own = place / "own"
        shutil.rmtree(own, ignore_errors=True)
        for folder in ("a", "b"):
            (own / folder).mkdir(parents=True)
            for other, content in IMAGES.items():
                (own / folder / other).write_bytes(content)
        (own / "a" / name).write_bytes(damaged(IMAGES[name], edits))
        return load(own, "--image_size=8")

    return read


def read_text(name):
    def read(place, edits):
        made_texts.write_tweets(place)
        made_texts.write_vectors(place / "embeddings-twitter.txt")
        made_texts.write_documents(place)
        path = place / name
        path.write_bytes(damaged(path.read_bytes(), edits))
        reuters = name.startswith("r52")
        return (made_texts.read_reuters if reuters else made_texts.read_twitter)(place)

    return read


def read_kept(place, edits):
    path = place / "kept.npz"
    kept_arrays.write(path, "about", x=X)
    path.write_bytes(damaged(path.read_bytes(), edits))
    found = kept_arrays.read(path, "about")
    if found is None:
        raise UserError("is made again")
    np.testing.assert_array_equal(found["x"], X)


def read_download(place, edits):
    """From the cache; where it is damaged there, from a server that is not there."""
    path = place / "home" / "datasets" / "t.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damaged(TEXT, edits))
    assert downloads.get(PUBLISHED).data == TEXT


READERS = {
    "npz": read_archive,
    **{name: read_image(name) for name in IMAGES},
    **{name: read_text(name) for name in TEXTS},
    "kept arrays": read_kept,
    "download": read_download,
}
OUTCOMES = Counter()


@pytest.mark.parametrize("kind", READERS)
@given(edits=EDITS)
@settings(max_examples=1 + NUMBER // len(READERS))
def test_a_damaged_file_is_read_right_or_refused_by_a_message(kind, edits, place):
    try:
        data = READERS[kind](place, edits)
    except UserError:
        OUTCOMES[kind, "message"] += 1
        return
    if data is not None:
        check(data)
    OUTCOMES[kind, "data"] += 1


def test_outcomes_of_both_kinds_are_there():
    for kind in READERS:
        print(kind, *(f"{OUTCOMES[kind, o]} {o}" for o in ("data", "message")))
    assert {outcome for _, outcome in OUTCOMES} == {"data", "message"}
