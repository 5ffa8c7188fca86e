"""What a training is: all that its numbers follow from."""

import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_m2m.recipes.mixes import UNMIXED
from keras_m2m.sampling import is_stream
from tasks.experiment.recipes import method_of
from tasks.experiment.recipes import mixed_name
from tasks.experiment.recipes import needs_network
from tasks.experiment.settings import Settings
from tasks.experiment.settings import flags_of_the_run
from tasks.experiment.task import Data
from tasks.training import devices


def configuration(settings: Settings, checksum_of_data: int) -> dict[str, Any]:
    """All that the numbers of a training follow from, ready for JSON.

    Args:
        settings: Its method, loss, seed and all other flags.
        checksum_of_data: What `checksum` gives.
    """
    found = {"flags": flags_of(settings), "checksum of the data": checksum_of_data}
    if needs_network(settings.method):
        found |= {"backend": keras.config.backend(), "devices": devices.count()}
    if has_given_g(settings):
        content = Path(settings.g).read_bytes()
        found["content of --g"] = hashlib.sha256(content).hexdigest()
    return found


def with_after(configuration: dict, settings: Settings) -> dict[str, Any]:
    """What the numbers of a result follow from: a training, and what is done after it.

    Args:
        configuration: Of the training.
        settings: Of the result.
    """
    if not settings.after:
        return configuration
    flags = {**configuration["flags"], **_after(settings)}
    return {**configuration, "flags": flags}


def _after(settings):
    """The flags of what is done after a training."""
    known = settings.flags.values()
    return {f.name: settings.values[f.name] for f in known if f.role == "after"}


def name_of(configuration: dict) -> str:
    """The name of a training's file and folder."""
    text = json.dumps(configuration, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    flags = configuration["flags"]
    method = mixed_name(flags["method"], flags.get("mix", UNMIXED))
    return f"{method}-{flags['loss']}-seed{flags['seed']}-{digest}"


def has_given_g(settings: Settings) -> bool:
    """Whether the method needs g, and `--g` names it."""
    return bool(settings.g) and method_of(settings.method).teachers > 0


def flags_of(settings: Settings) -> dict[str, Any]:
    """The flags that a cell's numbers follow from: not those its method ignores.

    Those that are as before there was the flag are left out, so that trainings keep
    the names that they had then.
    """
    before = {flag.name: flag.before for flag in settings.flags.values()}
    read = _flags_that_are_read(settings).items()
    return {name: v for name, v in read if v is None or v != before.get(name)}


def _flags_that_are_read(settings):
    method = method_of(settings.method)
    reads = {
        "translation": method.translate,
        "deferred": method.deferred,
        "mixing": settings.mix != UNMIXED,
        "network": needs_network(settings.method),
    }
    known = settings.flags.values()
    ignored = {flag.name for flag in known if not reads.get(flag.read_by, True)}
    flags = flags_of_the_run(settings).items()
    return {name: value for name, value in flags if name not in ignored}


def differences(record: dict, settings: Settings, **about: object) -> list[str]:
    """Where a record is not of settings, as in `"loss: ce then, focal now"`.

    Args:
        record: What `read_json` gave.
        settings: Of a training. Flags that the record lacks count as `Flag` says.
        **about: What else the record must say.
    """
    flags = record.get("flags")
    older = {
        flag.name: flag.default if flag.before is None else flag.before
        for flag in settings.flags.values()
    }
    before = {**older, **record, **(flags if isinstance(flags, dict) else {})}
    flags = {**_flags_that_are_read(settings), **_after(settings)}
    now = {**json.loads(json.dumps(flags)), **about}
    return [
        f"{key}: {before.get(key)} then, {now[key]} now"
        for key in sorted(now)
        if before.get(key) != now[key]
    ]


def places(settings: Settings) -> dict[str, Any]:
    """What is looked up, by flag: columns, and of paths the last part alone.

    A path is one of a machine, and says nothing elsewhere.

    Args:
        settings: Of a training.
    """
    known = settings.flags.values()
    looked_up = [f for f in known if f.role == "place" and f.kind != "enum"]
    found = {flag.name: settings.values[flag.name] for flag in looked_up}
    paths = {f.name for f in looked_up if f.kind == "path" and found[f.name]}
    return found | {key: os.path.basename(os.path.abspath(found[key])) for key in paths}


def about_data(data: Data, settings: Settings) -> dict[str, Any]:
    """What a record says of its data, beside what its numbers follow from.

    Args:
        data: What a training is on.
        settings: Of it.
    """
    found = {"source": data.source, "places": places(settings)}
    if data.defaults:
        found["defaults"] = dict(data.defaults)
    if data.notes:
        found["notes"] = [*data.notes]
    return found


def is_of_other_columns(record: dict, settings: Settings) -> bool:
    """Whether a record is of other columns, or another file of them, than settings.

    The folder of the data may have another name by now, and older records do not say.
    What is not given is what the record says that it means.

    Args:
        record: What `read_json` gave.
        settings: Of a training.
    """
    then, now = record.get("places"), places(settings)
    known = then.keys() & now.keys() - {"data_dir"} if isinstance(then, dict) else ()
    defaults = record.get("defaults")
    default = defaults.get if isinstance(defaults, dict) else lambda name: None
    return any(
        (then[name] or default(name)) != (now[name] or default(name)) for name in known
    )


def checksum(data: Data) -> int:
    """A number that changes with the data: of a stream, with what it says of itself."""
    found = zlib.crc32("\n".join(data.class_names).encode())
    for samples, labels in filter(None, (data.train, data.validation, data.test)):
        found = zlib.crc32(labels.tobytes(), found)
        if not is_stream(samples):
            found = zlib.crc32(memoryview(samples.ravel()).cast("B"), found)
        elif hasattr(samples, "checksum"):
            found = zlib.crc32(f"{samples.checksum}".encode(), found)
    for weights in data.start.get_weights() if data.start else ():
        found = zlib.crc32(np.ascontiguousarray(weights).tobytes(), found)
    return found
