"""Result records with known scores, as runs write them."""

import numpy as np

from tasks import reuters
from tasks.experiment.settings import flags_of_the_run
from tasks.experiment.settings import parse
from tasks.training.evaluation import scores_of

COUNTS = [60, 20, 10, 10]  # One class holds over half, so that three are minor.
NAMES = ["<script>x</script>", "$x$", "a|b", "_c_"]


def record(right, method="m2m", seed=0, loss="ce", accepted=None, **changes):
    """A finished run that gets `right[k]` of 1000 test samples of class k."""
    right = np.array(right)
    confusion = np.diag(right)
    confusion[np.arange(4), (np.arange(4) + 1) % 4] = 1000 - right
    return {
        **_about(method, seed, loss, changes),
        **scores_of(confusion, COUNTS),
        "acceptance_rate": accepted,
    }


def failed(method="m2m", seed=0, loss="ce", why="loss is not finite", **changes):
    """A run that diverged."""
    return {**_about(method, seed, loss, changes), "failed": why}


def runs(scores, method="m2m", seed_from=0, **changes):
    """A finished run for each balanced accuracy, of as many seeds."""
    return [
        record([round(1000 * score)] * 4, method, seed, **changes)
        for seed, score in enumerate(scores, seed_from)
    ]


def by_loss_and_method(records):
    """Records by `(loss, method)` of their flags, as a `Column` takes them."""
    found = {}
    for record in records:
        flags = record["flags"]
        found.setdefault((flags["loss"], flags["method"]), []).append(record)
    return found


def _about(method, seed, loss, changes):
    arguments = [f"--method={method}", f"--seed={seed}", f"--loss={loss}"]
    flags = flags_of_the_run(parse(reuters.TASK, arguments))
    return {
        "task": "reuters",
        "source": "made up",
        "protocol": "m2m",
        "class_names": NAMES,
        "class_counts": COUNTS,
        "flags": {**flags, **changes.pop("flags", {})},
        "seed": seed,
        "backend": "jax",
        "versions": {"keras": "3.15.1"},
        "commit": "abc1234",
        **changes,
    }
