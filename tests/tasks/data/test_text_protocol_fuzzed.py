"""Damaged and odd text files: data that is right, or a message, and nothing else."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import event
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from helpers import made_texts
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend

# Pieces that formats are made of, or broken by.
WORDS = ["N0", "N1", "V0", "N", "V", "E", "acq", "earn", "UUUNKKK", "é", "\xa0", "\x85"]
NUMBERS = ["0", "1.5", "-2e3", "nan", "inf", "1e39", "1e999", "1_0", "0x1", "1,5", "--"]
BREAKS = ["\t", "\n", "\r\n", "\r", " ", "\n\n", "\ufeff", "\x00", "\u2028"]
PIECES = [piece.encode() for piece in WORDS + NUMBERS + BREAKS] + [b"\xff", b"\xe9"]
BYTES = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)
# Where a valid file is cut, how much of it goes, and what comes there.
EDITS = st.tuples(st.floats(0, 1), st.integers(0, 3), st.sampled_from([b"", *PIECES]))

TOKENS = st.sampled_from(["N0", "N1", "V0", "V1", "\xa0", "#x", "\x85"])
ENDS = st.sampled_from(["\n", "\r\n", "\n\n"])
TWEETS = st.lists(st.tuples(TOKENS, st.sampled_from("NVE")), min_size=6, max_size=12)
SOUND = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=2)
VECTORS = st.dictionaries(
    TOKENS | st.just("UUUNKKK"), SOUND, min_size=3, max_size=8
) | st.dictionaries(TOKENS, SOUND | st.lists(st.floats(), max_size=3), max_size=8)
TEXTS = st.text("ab \x85é.", max_size=8)
DOCUMENTS = st.lists(
    st.tuples(st.sampled_from(["acq", "earn", "tin"]), TEXTS),
    min_size=12,
    max_size=30,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("texts")


def loaded(read, folder, **changes):
    """The data, or None where the user is told why there is none."""
    try:
        data = read(folder, **changes)
    except UserError:
        event("a message")
        return None
    event("data")
    for x, y in filter(None, (data.train, data.validation, data.test)):
        assert x.dtype == np.float32
        assert len(x) == len(y) > 0
        assert np.isfinite(x).all()
        assert 0 <= y.min() <= y.max() < len(data.class_names)
    assert data.class_counts.min() > 0
    assert set(data.test[1]) == set(range(len(data.class_names)))
    return data


def edited(path, edit):
    """The bytes of a file with a piece of it replaced."""
    place, length, piece = edit
    content = path.read_bytes()
    start = int(place * len(content))
    return content[:start] + piece + content[start + length :]


@settings(max_examples=60)
@given(
    name=st.sampled_from(
        ["tweets-train.txt", "tweets-dev.txt", "tweets-devtest.txt"]
        + ["embeddings-twitter.txt"]
    ),
    change=EDITS | BYTES,
)
@example("tweets-train.txt", b"")
@example("embeddings-twitter.txt", b"N0\t1 2\nN1\t1 2 3")
@example("embeddings-twitter.txt", b"N0\t1e39")
@example("embeddings-twitter.txt", b"N0\t\xff")
def test_any_file_of_twitter_is_data_or_a_message(folder, name, change):
    made_texts.write_tweets(folder)
    made_texts.write_vectors(folder / "embeddings-twitter.txt")
    path = folder / name
    path.write_bytes(change if isinstance(change, bytes) else edited(path, change))
    loaded(made_texts.read_twitter, folder)


@settings(max_examples=60)
@given(
    name=st.sampled_from(["r52-train.txt", "r52-test.txt"]),
    change=EDITS | BYTES,
    features=st.sampled_from(["raw", "log"]),
)
@example("r52-train.txt", b"acq\t.\nearn\t.\ntin\t.", "raw")
@example("r52-train.txt", b"acq\tthe\nearn\tthe\ntin\tthe", "log")
@example("r52-test.txt", b"", "raw")
def test_any_file_of_reuters_is_data_or_a_message(folder, name, change, features):
    made_texts.write_documents(folder)
    path = folder / name
    path.write_bytes(change if isinstance(change, bytes) else edited(path, change))
    loaded(made_texts.read_reuters, folder, features=features)


def write_pairs(path, pairs, ends, mark=False):
    lines = [f"{first}\t{second}{end}" for (first, second), end in zip(pairs, ends)]
    path.write_bytes(("\ufeff" * mark + "".join(lines)).encode())


def is_sound_corpus(parts, vectors):
    """Whether data can be made of it: the rules of `twitter.load` again."""
    train, dev, test = ({tag for _, tag in part} for part in parts)
    words = {word for part in parts for word, tag in part if tag in test}
    return (
        2 <= len(test & train) == len(test)
        and bool(dev & test)
        and all(
            len(v) == 2 and np.abs(v).max() <= np.finfo("float32").max
            for v in vectors.values()
        )
        and bool(words & set(vectors))
    )


def are_sound_documents(train, test):
    """Whether data can be made of them: the rules of `reuters.load` again."""
    counts = Counter(label for label, _ in test)
    classes = {label for label in counts if counts[label] >= 5}
    texts = [text for label, text in train if label in classes]
    # scikit-learn's words have two characters or more.
    return 2 <= len(classes & {label for label, _ in train}) == len(classes) and any(
        re.search(r"\w\w", text) for text in texts
    )


@settings(max_examples=60)
@given(
    parts=st.tuples(TWEETS, TWEETS, TWEETS),
    vectors=VECTORS.map(dict.items).map(list),
    ends=st.lists(ENDS, min_size=12, max_size=12),
    mark=st.booleans(),
)
def test_tokens_are_the_vectors_of_their_words(folder, parts, vectors, ends, mark):
    for name, part in zip(("train", "dev", "devtest"), parts):
        write_pairs(folder / f"tweets-{name}.txt", part, ends, mark)
    lines = [(word, " ".join(map(repr, numbers))) for word, numbers in vectors]
    write_pairs(folder / "embeddings-twitter.txt", lines, ends, mark)
    data = loaded(made_texts.read_twitter, folder)
    if data is None:
        assert not is_sound_corpus(parts, dict(vectors))
        return
    known = {word: np.array(numbers, "float32") for word, numbers in vectors}
    default = known.get("UUUNKKK", np.zeros(data.sample_shape))
    for (x, y), part in zip((data.train, data.validation, data.test), parts):
        kept = [pair for pair in part if pair[1] in data.class_names]
        expected = [known.get(word, default) for word, _ in kept]
        np.testing.assert_array_equal(x, expected)
        assert [data.class_names[k] for k in y] == [tag for _, tag in kept]


@settings(max_examples=60)
@given(train=DOCUMENTS, test=DOCUMENTS, ends=st.lists(ENDS, min_size=40, max_size=40))
def test_documents_are_counted_by_their_lines(folder, train, test, ends):
    for name, documents in {"train": train, "test": test}.items():
        write_pairs(folder / f"r52-{name}.txt", documents, ends)
    data = loaded(made_texts.read_reuters, folder, protocol="field")
    if data is None:
        assert not are_sound_documents(train, test)
        return
    for (_, y), documents in zip((data.train, data.test), (train, test)):
        labels = [label for label, _ in documents if label in data.class_names]
        assert [data.class_names[k] for k in y] == labels
