"""The result of a training, and its history."""

import csv
import io
import time
from pathlib import Path

import keras

from keras_m2m.recipes import Trained
from tasks.data import whole_files
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.records.identity import flags_of
from tasks.records.versions import versions
from tasks.training import devices
from tasks.training.evaluation import evaluate


def result_of(
    trained: Trained, data: Data, settings: Settings, about_g, timing: dict
) -> dict:
    """Scores of a training on the test set, and all that they follow from.

    Args:
        trained: What was trained.
        data: What it was trained on.
        settings: By what flags.
        about_g: What is said of g, if the method has one.
        timing: Seconds of what came before, by name.

    Returns:
        The content of `result.json`: what `evaluate` gives, the protocol, classes,
        flags, backend, versions and timing; of photographs also how they are read.
    """
    began = time.perf_counter()
    scores = evaluate(trained.f, *data.test, data.class_counts)
    timing = {**timing, **trained.seconds, "evaluate": time.perf_counter() - began}
    reading = {} if data.reading is None else {"reading": dict(data.reading)}
    return {
        "task": settings.task,
        "source": data.source,
        **scores,
        "acceptance_rate": trained.history[-1].get("acceptance_rate"),
        "protocol": settings.protocol,
        "tested_epoch": trained.tested_epoch,
        "class_names": data.class_names,
        "class_counts": data.class_counts.tolist(),
        "parameters": trained.f.count_params(),
        "flags": flags_of(settings),
        "seed": settings.seed,
        "g": about_g if method_of(settings.method).translate else None,
        "backend": keras.config.backend(),
        "devices": devices.count(),
        "versions": versions(),
        "timing": timing,
        **reading,
    }


def failed_result(data: Data, settings: Settings, what: str) -> dict:
    """What is known of a training that diverged.

    Args:
        data: What it was trained on.
        settings: By what flags.
        what: What happened.
    """
    return {
        "failed": what,
        "seed": settings.seed,
        "protocol": settings.protocol,
        "class_names": data.class_names,
        "class_counts": data.class_counts.tolist(),
        "versions": versions(),
    }


def write_history(folder: Path, history: list[dict]) -> None:
    """Write `history.csv`: a row per epoch, empty where a phase logs no such key."""
    keys = list(dict.fromkeys(key for row in history for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, keys)
    writer.writeheader()
    writer.writerows(history)
    whole_files.write(folder / "history.csv", text.getvalue())
