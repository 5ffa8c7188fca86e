"""Networks of examples, from files that were released, known by their checksums."""

import hashlib
import json
import os
import pathlib

import keras

from keras_m2m.keras_home import keras_home


def released() -> dict[str, dict[str, str]]:
    """What `make release-models` made last, by name: `sha256` and `command`.

    Example:

    >>> sorted(released()["digits_m2m"])
    ['command', 'sha256']
    """
    return json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())


def load_example(name: str, folder: str | os.PathLike | None = None) -> keras.Model:
    """A trained network of an example, from its released file.

    The files are attached to the release of this package, each `NAME.keras` with a
    model card `NAME.md`, which says what the network takes and how good it is. Nothing
    is downloaded here.

    Args:
        name: A data set and a method: `"digits_"`, `"reuters_"` or `"twitter_"`, and
            `"erm"`, `"drs"` or `"m2m"`, such as `"digits_m2m"`.
        folder: Where `NAME.keras` is, or the path of the file itself; None for
            `~/.keras/models` (or `$KERAS_HOME/models`).

    Returns:
        A `keras.Model` from samples to logits, not compiled.

    Raises:
        ValueError: If there is no such example, or the file is not the released one.
        FileNotFoundError: If the file is not there; it says which is wanted, its
            checksum, and the command that makes a network like it.

    Example:

    ```python
    f = keras_m2m.load_example("digits_m2m", "downloads")
    f.predict(images)  # float32 (n, 8, 8, 1) in [0, 1]
    ```
    """
    known = released()
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"There is no such example. Expected one of {sorted(known)}. "
            f"Received: name={name!r}"
        )
    path = _path(name, folder)
    _check_released(path, **known[name])
    return keras.saving.load_model(path, compile=False)


def _path(name, folder):
    path = keras_home() / "models" if folder is None else pathlib.Path(folder)
    return path if path.suffix == ".keras" else path / f"{name}.keras"


def _check_released(path, sha256, command):
    like_it = (
        f"A network like it, whose file is another, is trained by `{command}` and read "
        "by keras.saving.load_model"
    )
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there. It is attached to the release of keras_m2m; its "
            f"SHA-256 is {sha256}. {like_it}"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{path} is not the released file: it is damaged, or of another release. "
            f"Expected SHA-256 {sha256}. Received: {found}. {like_it}"
        )
