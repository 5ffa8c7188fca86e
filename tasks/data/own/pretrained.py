"""`--backbone`: photographs as a pretrained network sees them, or trains on them."""

import hashlib
import time
from pathlib import Path

import keras
import numpy as np

import keras_m2m
from keras_m2m.models.parts import decay_of
from keras_m2m.models.parts import head_layer
from keras_m2m.pretrained import fine_tuned
from keras_m2m.pretrained import load_backbone
from keras_m2m.recipes import METHODS
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag

FLAGS = [
    Flag(
        "path",
        "backbone",
        None,
        "a pretrained network, on whose features f and g are heads: a model of "
        "keras.applications, a preset of keras_hub or its folder, or a .keras file "
        "(docs/pretrained.md)",
        role="place",
    ),
    Flag(
        "enum",
        "finetune",
        "none",
        "what of the backbone is trained with each f and g, on pixels; lora: low-rank "
        "updates of its layers",
        {"enum_values": ["none", "lora", "all"]},
        before="none",
    ),
]
_TIMED = 32  # Images that an estimate of time rests on.


def backbone_of(
    settings: Settings, path: Path, photographs: bool
) -> keras.Model | None:
    """The network of `--backbone`, frozen; None without one.

    Args:
        settings: The flags here, and the side of the images.
        path: The data.
        photographs: Whether that is a folder of them.

    Raises:
        UserError: If there is none such, its weights are not here, or it is not for
            such data.
    """
    if settings.backbone is None:
        if settings.finetune != "none":
            raise UserError(
                f"--finetune={settings.finetune} trains a pretrained network: give "
                "--backbone"
            )
        return None
    if not photographs:
        raise UserError(
            f"--backbone is for folders of photographs. Received: {path}. Of arrays of "
            "images, compute features yourself (keras_m2m.pretrained.load_backbone)"
        )
    if settings.network != "auto":
        raise UserError(
            f"--network={settings.network} does not go with --backbone, on whose "
            "features a small head is trained"
        )
    try:
        return load_backbone(settings.backbone, settings.image_size)
    except (ImportError, OSError, ValueError) as error:
        raise UserError(f"--backbone={settings.backbone}: {error}") from error


def digest_of(backbone: keras.Model, name: str) -> str:
    """What the numbers of a backbone follow from, as a hexadecimal number.

    Args:
        backbone: What `load_backbone` gave for it.
        name: Of `--backbone`.
    """
    path = Path(name)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    about = [file.read_bytes() for file in files if file.is_file()]
    digest = hashlib.sha256(repr(backbone.input_shape).encode())
    for part in about or [name.encode()]:
        digest.update(hashlib.sha256(part).digest())
    for weights in backbone.get_weights():
        digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


def note_cost(
    backbone: keras.Model, class_counts: np.ndarray, settings: Settings
) -> None:
    """Print what training through a backbone costs on this machine, roughly.

    Args:
        backbone: What `load_backbone` gave.
        class_counts: Training images per class.
        settings: The schedule and the method.
    """
    images = np.zeros((_TIMED, *backbone.input_shape[1:]), "float32")
    ends = [time.perf_counter()]
    for _ in range(4):  # The first one compiles.
        backbone.predict(images, batch_size=_TIMED, verbose=0)
        ends.append(time.perf_counter())
    forward = np.diff(ends).min() / _TIMED
    passes = _passes(class_counts, settings)
    minutes = passes * class_counts.sum() * forward / 60
    about = f"{minutes / 60:.2g} hours" if minutes > 90 else f"{minutes:.2g} minutes"
    print(
        f"note: --finetune={settings.finetune} trains through {backbone.name}, "
        f"{1000 * forward:.2g} ms an image forward: {settings.method} takes some "
        f"{about} on this machine; --dry_run times its steps. --finetune=none computes "
        "features once",
        flush=True,
    )


def _passes(class_counts, settings):
    """Forward passes a training image that a training of the method is worth."""
    step = 3  # Forward, and backward twice that.
    if not METHODS[settings.method].translate:
        return step * settings.epochs
    share = keras_m2m.translation_share(class_counts, settings.beta)
    # Each step of a translation goes through f and g, forward and to the pixels.
    steps = 2 * step * share * settings.steps
    both = 2 * step * settings.epochs  # g, and f.
    return both + steps * (settings.epochs - settings.defer_epoch)


def network(data: Data, head: str, settings: Settings) -> keras.Model:
    """A backbone that is trained further, from the same weights each time, and a head.

    Args:
        data: With `start`.
        head: As for `keras_m2m.mlp`.
        settings: What of the backbone is trained.
    """
    body = fine_tuned(data.start, settings.finetune)
    decay = decay_of(settings.weight_decay)
    logits = head_layer(body.outputs[0], head, len(data.class_names), decay)
    return keras.Model(body.inputs[0], logits, name=f"{settings.finetune}_fine_tuned")
