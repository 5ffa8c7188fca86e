"""Small files in the formats of the two text data sets, and settings to load them."""

import numpy as np

from tasks import reuters
from tasks import twitter
from tasks.experiment.settings import parse

TAGS = {"N": 30, "V": 12, "E": 6}
DOCUMENTS = {"earn": 40, "acq": 20, "tin": 12}


def read_reuters(folder, **changes):
    values = {"features": "raw", "verify": False, "protocol": "m2m", **changes}
    return reuters.load(parse(reuters.TASK, []).replace(data_dir=str(folder), **values))


def read_twitter(folder, **changes):
    values = {"embeddings": None, "verify": False, "protocol": "m2m", **changes}
    return twitter.load(parse(twitter.TASK, []).replace(data_dir=str(folder), **values))


def write_documents(folder, train=None, test=None):
    """R52 in small: words of its class beside words of all."""
    rng = np.random.default_rng(0)
    test = test or {name: count // 2 for name, count in DOCUMENTS.items()}
    for part, counts in {"train": train or DOCUMENTS, "test": test}.items():
        lines = []
        for name, count in counts.items():
            for _ in range(count):
                own = [f"{name}{rng.integers(5)}" for _ in range(6)]
                shared = [f"common{rng.integers(20)}" for _ in range(6)]
                lines.append(f"{name}\t{' '.join(own + shared)}")
        write_lines(folder / f"r52-{part}.txt", rng.permutation(lines))


def write_tweets(folder, train=None, dev=None, test=None):
    """Tokens `N0`, `N1`, ... of a tag; five tokens a tweet."""
    parts = {"train": train or TAGS, "dev": dev or TAGS, "devtest": test or TAGS}
    for part, counts in parts.items():
        lines = []
        for tag, count in counts.items():
            lines += [f"{tag}{i % 7}\t{tag}" for i in range(count)]
        tweets = ["\n".join(lines[i : i + 5]) + "\n" for i in range(0, len(lines), 5)]
        write_lines(folder / f"tweets-{part}.txt", tweets)


def write_vectors(path, tags=TAGS, size=4):
    """A vector near its tag's own for each token; returns them by token."""
    rng = np.random.default_rng(0)
    vectors = {}
    for k, tag in enumerate(tags):
        for i in range(7):
            vector = rng.normal(size=size) + 5 * np.eye(len(tags), size)[k]
            vectors[f"{tag}{i}"] = vector.astype("float32")
    lines = [f"{token}\t{' '.join(map(str, v))}" for token, v in vectors.items()]
    write_lines(path, lines)
    return vectors


def write_lines(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
