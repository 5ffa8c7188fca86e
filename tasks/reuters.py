"""Reuters R52: topics of news stories, bags of 1,000 words, 36 classes, rho 710.

    python -m tasks.reuters --method=m2m

The paper's balanced accuracy with cross entropy (Table 2, mean of three runs):
ERM 59.8, RS 63.3, DRS 62.4, M2m 66.3. A run takes under a minute on two CPU cores,
g included. The two files are downloaded, or read from `--data_dir`.
"""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

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
    "NLP/Categorization/data/"
)
TRAIN, TEST = (
    downloads.PublishedFile(name, URL + name, sha256)
    for name, sha256 in {
        "r52-train.txt": (
            "2bb8c5e400bd24a1fb3c5a8fb86bb9751c224e66b542cf75bc2ae0aa3952b5b9"
        ),
        "r52-test.txt": (
            "05dbdf3a88be730ff614126fdd6c8912a8a3e03bb77be81c84eb12fb0144a7af"
        ),
    }.items()
)
LEAST_TEST_DOCUMENTS = 5  # Classes with fewer are dropped, as in the paper.


def load(settings: Settings) -> Data:
    """Read R52, drop the classes hardly tested, hold out a tenth of each."""
    train, test = (_documents(published, settings) for published in (TRAIN, TEST))
    class_names = text_protocol.tested_classes(
        *([name for _, name in documents] for documents in (train, test)),
        least=LEAST_TEST_DOCUMENTS,
        kind="documents",
    )
    (texts, labels), (test_texts, test_labels) = (
        text_protocol.of_classes(documents, class_names) for documents in (train, test)
    )
    vectorizer = _fitted_vectorizer(texts, settings.features)
    x_train, x_test = (
        _features(vectorizer, part, settings.features) for part in (texts, test_texts)
    )
    held_out = _held_out(labels, settings)
    return Data(
        train=(x_train[~held_out], labels[~held_out]),
        validation=(x_train[held_out], labels[held_out]) if held_out.any() else None,
        test=(x_test, test_labels),
        class_names=class_names,
        source=f"Reuters R52, {settings.features} counts",
    )


def _documents(published, settings):
    """`(text, label)` of every line of one of the two files."""
    content = downloads.get(published, settings.data_dir, settings.verify)
    documents = [line.split("\t", 1)[::-1] for line in content.lines() if line]
    if not documents or any(len(document) != 2 for document in documents):
        raise UserError(f"{content.path} must hold a document a line: label, TAB, text")
    return documents


def _fitted_vectorizer(texts, features):
    stop_words = "english" if features == "log" else None
    vectorizer = CountVectorizer(max_features=1000, stop_words=stop_words)
    try:
        return vectorizer.fit(texts)
    except ValueError as error:
        raise UserError(
            f"The training documents have no words to count: {error}"
        ) from error


def _features(vectorizer, texts, features):
    counts = vectorizer.transform(texts).toarray().astype("float32")
    return np.log1p(counts) if features == "log" else counts


def _held_out(labels, settings):
    """Which training documents are validation: a tenth of each class, by seed 0."""
    held_out = np.zeros(len(labels), bool)
    if settings.protocol == "m2m":
        rng = np.random.default_rng(0)
        for k in range(labels.max() + 1):
            rows = np.flatnonzero(labels == k)
            held_out[rng.choice(rows, len(rows) // 10, replace=False)] = True
    return held_out


TASK = Task(
    name="reuters",
    load=load,
    build=text_protocol.build,
    flags=[
        Flag(
            "enum",
            "features",
            "raw",
            "raw: counts; log: log(1 + count) without English stop words",
            {"enum_values": ["raw", "log"]},
        ),
        text_protocol.VERIFY,
    ],
    defaults={**text_protocol.DEFAULTS, "step_size": 1.0},
    presets=text_protocol.PRESETS,
)

if __name__ == "__main__":
    runner.main(TASK)
