"""Reuters R52: topics of news stories, bags of 1,000 words, 36 classes, rho 710.

    python -m tasks.reuters --method=m2m

The paper's balanced accuracy with cross entropy (Table 2, mean of three runs):
ERM 59.8, RS 63.3, DRS 62.4, M2m 66.3. A run takes under a minute on two CPU cores,
g included. The two files are downloaded, or read from `--data_dir`.
"""

import hashlib
from pathlib import Path

import keras
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

import keras_m2m
from tasks import runner
from tasks.settings import Settings
from tasks.task import Data
from tasks.task import Flag
from tasks.task import Preset
from tasks.task import Task
from tasks.task import UserError

URL = (
    "https://raw.githubusercontent.com/hendrycks/error-detection/master/"
    "NLP/Categorization/data/"
)
SHA256 = {
    "r52-train.txt": "2bb8c5e400bd24a1fb3c5a8fb86bb9751c224e66b542cf75bc2ae0aa3952b5b9",
    "r52-test.txt": "05dbdf3a88be730ff614126fdd6c8912a8a3e03bb77be81c84eb12fb0144a7af",
}
LEAST_TEST_DOCUMENTS = 5  # Classes with fewer are dropped, as in the paper.


def load(settings: Settings) -> Data:
    """Read R52, drop the classes hardly tested, hold out a tenth of each."""
    train, test = (_read(name, settings) for name in SHA256)
    test_labels = [label for label, _ in test]
    class_names = sorted(
        name
        for name in set(test_labels)
        if test_labels.count(name) >= LEAST_TEST_DOCUMENTS
    )
    missing = set(class_names) - {label for label, _ in train}
    if missing or len(class_names) < 2:
        raise UserError(
            f"At least two classes with {LEAST_TEST_DOCUMENTS} test documents are "
            f"needed, and training documents of each. Found {len(class_names)}; "
            f"without training documents: {sorted(missing) or 'none'}"
        )
    train, test = (_keep(documents, class_names) for documents in (train, test))
    vectorizer = _vectorizer(settings.features).fit(train[0])
    x_train, x_test = (
        _features(vectorizer, texts, settings.features) for texts, _ in (train, test)
    )
    held_out = _held_out(train[1], settings)
    return Data(
        train=(x_train[~held_out], train[1][~held_out]),
        validation=(x_train[held_out], train[1][held_out]) if held_out.any() else None,
        test=(x_test, test[1]),
        class_names=class_names,
        source=f"Reuters R52, {settings.features} counts",
    )


def _read(name, settings):
    """`[label, text]` of every line of one of the two files."""
    if settings.data_dir is None:
        try:
            path = keras.utils.get_file(name, URL + name, file_hash=SHA256[name])
        except Exception as error:  # get_file raises plain Exception when offline.
            raise UserError(
                f"{name} cannot be downloaded: {error}\n"
                f"Put it into a folder and give --data_dir. It is at {URL + name}"
            ) from error
    else:
        path = Path(settings.data_dir) / name
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    found = hashlib.sha256(content).hexdigest()
    if settings.verify and found != SHA256[name]:
        raise UserError(
            f"{path} is not the file that was published: expected sha256 "
            f"{SHA256[name]}, received {found}. Get it again from {URL + name}, or "
            "give --noverify for documents of your own"
        )
    lines = content.decode("utf-8", errors="replace").splitlines()
    documents = [line.split("\t", 1) for line in lines if line]
    if not documents or any(len(document) != 2 for document in documents):
        raise UserError(f"{path} must hold a document a line: label, TAB, text")
    return documents


def _keep(documents, class_names):
    """Texts and labels `(n,)` of the documents of `class_names`."""
    index = {name: k for k, name in enumerate(class_names)}
    kept = [(text, index[label]) for label, text in documents if label in index]
    texts, labels = zip(*kept, strict=True)
    return texts, np.array(labels, "int64")


def _vectorizer(features):
    stop_words = "english" if features == "log" else None
    return CountVectorizer(max_features=1000, stop_words=stop_words)


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


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    """The paper's two-layer network; its inputs are not normalised."""
    return keras_m2m.mlp(
        len(data.class_names),
        data.train[0].shape[1:],
        head=head,
        weight_decay=settings.weight_decay,
    )


TASK = Task(
    name="reuters",
    load=load,
    build=build,
    flags=[
        Flag(
            "enum",
            "features",
            "raw",
            "raw: counts; log: log(1 + count) without English stop words",
            {"enum_values": ["raw", "log"]},
        ),
        Flag("boolean", "verify", True, "require the published files, by checksum"),
    ],
    defaults={
        "epochs": 15,
        "defer_epoch": 10,
        "drops": ["10:0.1"],
        "batch_size": 64,
        "weight_decay": 5e-5,
        "step_size": 1.0,
    },
    presets={"paper": Preset({"beta": 0.9, "lam": 0.5, "gamma": 0.9}, "ours", when={})},
)

if __name__ == "__main__":
    runner.main(TASK)
