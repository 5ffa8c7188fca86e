"""What runs on a fold: methods of keras_m2m with one fixed setting, and references."""

import time
import warnings
from pathlib import Path

import keras
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics import recall_score
from sklearn.metrics import roc_auc_score

import keras_m2m
from keras_m2m import heads
from keras_m2m.recipes import Diverged
from over_tables import tables
from tasks.records.versions import commit

STEPS = 1500
BATCH_SIZE = 64
DEFERRED = (
    0.2  # The share of steps that a deferred method has in `train`, and cRT here.
)

# Arguments of `keras_m2m.train` by the name of a row.
TRAINED = {
    "ERM": {"method": "erm"},
    "RS": {"method": "rs"},
    "RW": {"method": "rw"},
    "SMOTE": {"method": "smote"},
    "Focal": {"method": "erm", "loss": "focal"},
    "LDAM-DRW": {"method": "drw", "loss": "ldam"},
    "DRS": {"method": "drs"},
    "LA": {"method": "erm", "loss": "la"},
    "mixup-DRS": {"method": "drs", "mix": "mixup"},
    "M2m": {"method": "m2m"},
}
# Made of the network of ERM, by its head.
OF_ERM = {
    "ERM + adjustment": lambda f, x, y, steps, seed: heads.adjust_logits(
        f, np.bincount(y)
    ),
    "ERM + cRT": lambda f, x, y, steps, seed: heads.retrained_head(
        *(f, x, y),
        epochs=epochs(len(x), round(DEFERRED * steps)),
        batch_size=BATCH_SIZE,
        learning_rate=0.1,
        seed=seed,
    ),
}
REFERENCES = {
    "logistic regression": lambda seed: LogisticRegression(
        class_weight="balanced", max_iter=1000, random_state=seed
    ),
    "boosted trees": lambda seed: HistGradientBoostingClassifier(
        class_weight="balanced", random_state=seed
    ),
}
RANKED = [*TRAINED, *OF_ERM]
NAMES = [*RANKED, *REFERENCES]


def backend() -> str:
    return keras.config.backend()


def epochs(num_samples: int, steps: int) -> int:
    """The fewest epochs that have so many steps."""
    return -(-steps // -(-num_samples // BATCH_SIZE))


def run(path: Path, fold: int, names: list[str], steps: int, seed: int) -> list[dict]:
    """The rows of some methods on one fold of a table, as `records` keeps them."""
    table = tables.read(path)
    train, test = tables.folds(table, seed)[fold]
    seen = tables.features(table, train, test)
    about = {
        **{"table": table.name, "fold": fold, "rows": len(table.y)},
        **{"positives": int(table.y.sum()), "features": seen.x.shape[1]},
        **{"words": seen.words, "moved": int((seen.units > 0).sum())},
        **{"steps": steps, "seed": seed, "backend": backend()},
        "commit": (commit() or "")[:7],
    }
    fold_of = Fold(seen, table.y[train], steps, seed)
    rows = []
    for name in names:
        score, kept = fold_of.score(name)
        rows.append({**about, "method": name, **measures(table.y[test], score), **kept})
    keras.backend.clear_session(free_memory=True)
    return rows


def measures(y, score) -> dict[str, str]:
    """Measures of test samples of which a score above 0 says that they are positive."""
    predicted = (score > 0).astype(int)
    recalls = recall_score(y, predicted, average=None, labels=[0, 1])
    found = {
        "balanced_accuracy": balanced_accuracy_score(y, predicted),
        "geometric_mean": np.sqrt(recalls.prod()),
        "auc": roc_auc_score(y, score),
    }
    return {name: f"{value:.6f}" for name, value in found.items()}


class Fold:
    """Training samples of a fold, and the scores of its test samples by any method.

    Args:
        seen: Training samples, test samples, and units of translations.
        y: Labels of training samples, 0 or 1.
        steps: Of a training, at least.
        seed: Of all trainings.
    """

    def __init__(self, seen: tables.Features, y, steps, seed):
        self.x, self.x_test, self.units, _ = seen
        self.y = y
        self.steps, self.seed = steps, seed
        self._erm = None

    def score(self, name: str) -> tuple[np.ndarray, dict[str, str]]:
        """Scores, positive where a method says so, and what to keep of its training.

        The latter are seconds, which of a network made of ERM's are with those of ERM;
        of M2m the shares of translations that were accepted and of rows that were
        replaced, and its step; and whether the loss was not finite any more, which
        counts as a guess: a score of 0 for all.
        """
        if name in REFERENCES:
            began = time.perf_counter()
            made = REFERENCES[name](self.seed).fit(self.x, self.y)
            seconds = time.perf_counter() - began
            return made.decision_function(self.x_test), _seconds(seconds)
        began = time.perf_counter()
        try:
            found, seconds = self._erm_or(name if name in TRAINED else "ERM")
        except Diverged:
            seconds = time.perf_counter() - began
            return np.zeros(len(self.x_test)), _seconds(seconds) | {"diverged": 1}
        f = found.f
        if name in OF_ERM:
            began = time.perf_counter()
            f = OF_ERM[name](f, self.x, self.y, self.steps, self.seed)
            seconds += time.perf_counter() - began
        logits = f.predict(self.x_test, batch_size=len(self.x_test), verbose=0)
        return logits[:, 1] - logits[:, 0], _seconds(seconds) | _of_m2m(found)

    def _erm_or(self, name):
        """A training and its seconds; that of ERM is kept."""
        if name != "ERM":
            return self._train(name)
        if self._erm is None:
            self._erm = self._train(name)
        return self._erm

    def _train(self, name):
        shape = self.x.shape[1:]
        began = time.perf_counter()
        with warnings.catch_warnings():
            # Of acceptance, which is kept.
            warnings.simplefilter("ignore", UserWarning)
            found = keras_m2m.train(
                lambda head: keras_m2m.mlp(2, shape, head=head),
                *(self.x, self.y),
                num_classes=2,
                epochs=epochs(len(self.x), self.steps),
                batch_size=BATCH_SIZE,
                units=self.units,
                seed=self.seed,
                verbose=0,
                **TRAINED[name],
            )
        return found, time.perf_counter() - began


def _seconds(seconds):
    return {"seconds": f"{seconds:.2f}"}


def _of_m2m(found):
    """Means over M2m's epochs, and its step; nothing of other methods."""
    logs = [logs for logs in found.history if "acceptance_rate" in logs]
    if not logs:
        return {}
    return {
        "acceptance": f"{np.mean([each['acceptance_rate'] for each in logs]):.6f}",
        "replaced": f"{np.mean([each['replaced_rate'] for each in logs]):.6f}",
        "step_size": f"{found.step_size:.6g}",
    }
