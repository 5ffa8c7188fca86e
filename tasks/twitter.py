"""Twitter: parts of speech of tokens, 50-d word vectors, 23 classes, rho 147.9.

    python -m tasks.twitter --method=m2m

The paper's balanced accuracy with cross entropy (Table 2, mean of three runs):
ERM 74.7, RS 75.8, DRS 77.8, M2m 78.2. A run takes about a minute on two CPU cores,
g included. The files are downloaded, or read from `--data_dir`; `--embeddings` takes
the vectors from another file, and results name the file they used.
"""

from pathlib import Path

import numpy as np

from tasks.data import downloads
from tasks.data import text_protocol
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag
from tasks.experiment.task import Task
from tasks.runs import runner

URL = (
    "https://raw.githubusercontent.com/hendrycks/error-detection/master/"
    "NLP/POS/data/Tweets/"
)
TRAIN, VALIDATION, TEST = (
    downloads.PublishedFile(name, URL + name, sha256)
    for name, sha256 in {
        "tweets-train.txt": (
            "0eeb02801b1097aa32bfac490a61c0919c9e74f2c74dd0048b520041bf218f7c"
        ),
        "tweets-dev.txt": (
            "304eedc25cf601111ed2daac954092a026e11bc515effda8f9de09616e91dbc8"
        ),
        "tweets-devtest.txt": (
            "5bb2323a63a17d073468b9436980232e2e7b92d0dc1e5e46e722aae189229e3c"
        ),
    }.items()
)
VECTORS = downloads.PublishedFile(
    "embeddings-twitter.txt",
    URL + "embeddings-twitter.txt",
    "771febee0aec21c1f736401e30621f1594646d2b",
    instead="give --embeddings for other vectors",
)
UNKNOWN = "UUUNKKK"  # Whose vector the published file has for words without one.


def load(settings: Settings) -> Data:
    """Read tokens, drop the tags that are never tested, look up the vectors."""
    parts = [_tokens(file, settings) for file in (TRAIN, VALIDATION, TEST)]
    tags = [[tag for _, tag in part] for part in parts]
    class_names = text_protocol.tested_classes(tags[0], tags[2], least=1, kind="tokens")
    parts = [text_protocol.of_classes(part, class_names) for part in parts]
    if not parts[1][0]:
        raise UserError(
            f"{VALIDATION.name} has no token of the classes: {', '.join(class_names)}"
        )
    words = sorted({word for part_words, _ in parts for word in part_words})
    vectors, about_vectors = _vectors(words, settings)
    row = {word: i for i, word in enumerate(words)}
    train, validation, test = (
        (vectors[[row[word] for word in part_words]], labels)
        for part_words, labels in parts
    )
    return Data(
        train=train,
        validation=validation,
        test=test,
        class_names=class_names,
        source=f"ARK Twitter parts of speech, {about_vectors}",
    )


def _tokens(published, settings):
    """`(token, tag)` of every line of one of the three files."""
    content = downloads.get(published, settings.data_dir, settings.verify)
    tokens = []
    for number, line in enumerate(content.lines(), 1):
        pieces = line.split("\t")
        if len(pieces) == 2 and all(pieces):
            tokens.append(pieces)
        elif line:
            raise UserError(
                f"{content.path}, line {number}: expected token, TAB, tag, or an empty "
                f"line between tweets. Received: {line[:80]!r}"
            )
    return tokens


def _vectors(words, settings):
    """A vector per word, float32 `(words, size)`, and what the result says of them."""
    if settings.embeddings is None:
        content = downloads.get(VECTORS, settings.data_dir, settings.verify)
    else:
        content = downloads.read(Path(settings.embeddings), "--embeddings names it")
    found = _parse(content, {*words, UNKNOWN})
    unknown = found.get(UNKNOWN)
    missing = sum(word not in found for word in words)
    if missing == len(words):
        raise UserError(f"{content.path} has a vector for none of the tweets' words")
    size = len(next(iter(found.values())))
    other = np.zeros(size, "float32") if unknown is None else unknown
    about = f"{size}-d vectors {content.path.name} (git blob {content.git_blob[:7]})"
    if missing:
        what = "zeros" if unknown is None else f"that of {UNKNOWN}"
        about += f", {missing} of {len(words)} words without one get {what}"
    return np.stack([found.get(word, other) for word in words]), about


def _parse(content, words):
    """Vectors of `words`, float32; a word's last line counts."""
    found, size = {}, None
    for number, line in enumerate(content.lines(), 1):
        # A token may hold spaces where a TAB ends it.
        word, _, numbers = line.partition("\t" if "\t" in line else " ")
        if word not in words:
            continue
        vector = _vector(numbers)
        if vector is None or len(vector) != (size or len(vector)):
            expected = f"{size} finite numbers" if size else "finite numbers"
            raise UserError(
                f"{content.path}, line {number}: expected a token, then {expected}. "
                f"Received: {line[:80]!r}"
            )
        size, found[word] = len(vector), vector
    return found


def _vector(numbers):
    """float32 numbers of a text, or None where they are none or not finite."""
    try:
        vector = np.array([float(number) for number in numbers.split()])
    except ValueError:
        return None
    fits = np.abs(vector) <= np.finfo("float32").max  # NaN does not.
    return vector.astype("float32") if len(vector) and fits.all() else None


TASK = Task(
    name="twitter",
    load=load,
    build=text_protocol.build,
    flags=[
        Flag(
            "path",
            "embeddings",
            None,
            "a file of other word vectors: a token, then TAB or space, then numbers",
            role="place",
        ),
        text_protocol.VERIFY,
    ],
    defaults=text_protocol.DEFAULTS,
    presets=text_protocol.PRESETS,
)

if __name__ == "__main__":
    runner.main(TASK)
