"""Digits-LT: scikit-learn's 8x8 digits made long-tailed. Needs no download.

    python -m tasks.digits_lt

compares ERM, DRS and M2m with an MLP, in half a minute on two CPU cores. It is
a demonstration of the method and not one of the paper's datasets.
"""

import keras
import numpy as np
from sklearn.datasets import load_digits

import keras_m2m
from tasks.data.long_tail import tail_counts
from tasks.data.small_images import in_order_of_keras
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag
from tasks.experiment.task import Preset
from tasks.experiment.task import Task
from tasks.runs import runner

# Each class has 174 to 183 images, in a fixed random order: validation, then those that
# training may take, then the test.
VALIDATION = 30
TRAINING = 80


def load(settings: Settings) -> Data:
    """Split the digits per class, then cut the training part to a long tail."""
    digits = load_digits()
    images = (digits.images / 16).astype("float32")[..., None]
    images = in_order_of_keras(images)
    counts = tail_counts(settings.largest, 10, settings.rho)
    rng = np.random.default_rng(0)
    parts = {"validation": [], "test": [], "train": []}
    for k, count in enumerate(counts):
        rows = rng.permutation(np.flatnonzero(digits.target == k))
        parts["validation"].append(rows[:VALIDATION])
        parts["train"].append(rows[VALIDATION:][:count])
        parts["test"].append(rows[VALIDATION + TRAINING :])
    split = {
        name: (images[rows], digits.target[rows].astype("int64"))
        for name, rows in ((n, np.concatenate(p)) for n, p in parts.items())
    }
    return Data(
        **split,
        class_names=[str(name) for name in digits.target_names],
        source=f"scikit-learn digits, rho {settings.rho:g}",
        bounds=(0.0, 1.0),
    )


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    """The MLP of the paper's Twitter and Reuters experiments, on pixels."""
    images = data.train[0]
    return keras_m2m.mlp(
        len(data.class_names),
        images.shape[1:],
        mean=[images.mean()],
        variance=[images.var()],
        head=head,
        weight_decay=settings.weight_decay,
    )


TASK = Task(
    name="digits_lt",
    load=load,
    build=build,
    flags=[
        Flag(
            "float",
            "rho",
            40,
            "imbalance ratio of the training set",
            {"lower_bound": 1},
        ),
        Flag(
            "integer",
            "largest",
            TRAINING,
            "training images of the largest class",
            {"lower_bound": 1, "upper_bound": TRAINING},
        ),
    ],
    defaults={
        "compare": ["erm", "drs"],
        "epochs": 60,
        "defer_epoch": 40,
        "drops": ["40:0.1", "50:0.1"],
        "batch_size": 32,
        "weight_decay": 2e-4,
        "step_size": 0.2,
    },
    presets={"demo": Preset({"beta": 0.9, "lam": 0.1, "gamma": 0.9}, "ours", when={})},
)

if __name__ == "__main__":
    runner.main(TASK)
