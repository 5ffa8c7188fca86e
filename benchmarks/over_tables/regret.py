"""What the report advises on a table, and what the test samples say of that."""

from pathlib import Path

import keras
import numpy as np
from scipy.special import expit
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split

from keras_m2m.report import Held
from keras_m2m.report import report
from over_tables import methods
from over_tables import tables
from tasks.data import whole_files

# From the simplest; seconds sort those of a kind.
NAMES = (
    *methods.REFERENCES,
    *("ERM", "ERM + adjustment", "LA", "DRS", "mixup-DRS", "M2m"),
)
VALIDATION = 0.25  # Of the training part: a fifth of the table, as the test part is.
ADVICE = "the report"
COLUMNS = (
    *("table", "fold", "rare", "method"),
    *("validation", "as_it_is", "by_rule", "rule"),
)


def predict(path: Path, fold: int, steps: int, seed: int, folder: Path) -> None:
    """Write the predictions of all methods on one fold of a table, to be judged.

    Labels are `y_train`, `y_val` and `y_test`, logits of class 1 above class 0 `score`
    of `(method, sample)`, validation before test.
    """
    table = tables.read(path)
    whole, test = tables.folds(table, seed)[fold]
    train, validation = train_test_split(
        whole, test_size=VALIDATION, stratify=table.y[whole], random_state=seed
    )
    held_out = np.concatenate([validation, test])
    fold_of = methods.Fold(
        tables.features(table, train, held_out), table.y[train], steps, seed
    )
    scores, seconds = [], []
    for name in NAMES:
        score, kept = fold_of.score(name)
        scores.append(score)
        seconds.append(float(kept["seconds"]))
    keras.backend.clear_session(free_memory=True)
    with (
        whole_files.aside(file_of(path, fold, folder)) as part,
        part.open("wb") as file,
    ):
        np.savez(
            file,
            y_train=table.y[train],
            y_val=table.y[validation],
            y_test=table.y[test],
            score=np.array(scores),
            seconds=seconds,
        )


def file_of(path: Path, fold: int, folder: Path) -> Path:
    """Where the predictions on a fold of a table are."""
    return folder / f"{path.stem}-{fold}.npz"


def judge(path: Path) -> list[dict]:
    """A row for each method, and one for the advice, of a file of `predict`.

    `rare` is how many validation samples the rarer class has, `validation` a method's
    score there; `as_it_is` and `by_rule` are balanced accuracies on test samples, of
    the likeliest class and of the rule that the report chose. The row of the advice has
    the method's name as its `rule`.
    """
    with np.load(path) as file:
        seen = {name: file[name] for name in file.files}
    y_val, y_test = seen["y_val"], seen["y_test"]
    held, plain = [], {}
    for name, score, seconds in zip(NAMES, seen["score"], seen["seconds"], strict=True):
        p_val, p_test = np.split(
            np.stack([expit(-score), expit(score)], axis=1), [len(y_val)]
        )
        kind = "reference" if name in methods.REFERENCES else "network"
        held.append(Held(name, y_val, p_val, y_test, p_test, 0, kind, seconds))
        plain[name] = balanced_accuracy_score(y_test, p_test.argmax(axis=1))
    found = report(held, tables.LABELS, np.bincount(seen["y_train"]))
    table, _, fold = path.stem.rpartition("-")
    rows = [
        {
            "method": name,
            "validation": f"{found.validation[name]:.6f}",
            "as_it_is": f"{plain[name]:.6f}",
            "by_rule": f"{found.scores[name]:.6f}",
        }
        for name in NAMES
    ]
    used = found.advice.method
    advised = next(row for row in rows if row["method"] == used)
    rows.append({**advised, "method": ADVICE, "rule": used})
    about = {"table": table, "fold": fold, "rare": np.bincount(y_val).min()}
    return [{**about, **row} for row in rows]
