"""What the arrays of an archive are, by the names that people give them."""

from collections.abc import Iterable
from pathlib import Path

from tasks.data.own.class_names import listed
from tasks.data.own.split_names import SPLITS
from tasks.experiment.errors import UserError

_KINDS = {
    **dict.fromkeys(("x", "images", "data", "features"), "x"),
    **dict.fromkeys(("y", "labels", "targets"), "y"),
}
_CLASS_NAMES = "class_names"


def find_pairs(
    names: Iterable[str], path: Path
) -> tuple[dict[str, tuple[str, str]], str | None]:
    """The names of samples and labels by split, and that of the names of classes.

    Samples are called `x`, `images`, `data` or `features`, labels `y`, `labels` or
    `targets`; before or after it goes a split, as in `x_train`, `X_val` or
    `test_images`. Upper and lower case are one.

    Args:
        names: Names of all arrays. Those without a meaning are named and left out.
        path: The archive, for messages.

    Returns:
        `({split: (samples, labels)}, class_names)`; samples without a split are
        `"train"`.

    Raises:
        UserError: If two arrays are the same by name, or one is missing.
    """
    found = _by_meaning(names, path)
    class_names = found.pop(_CLASS_NAMES, None)
    plain = {("x", None), ("y", None)} & set(found)
    if plain and len(plain) < len(found):
        raise UserError(
            f"{path} holds both x, y and arrays of splits: {listed([*found.values()])}."
            " Keep one, or call x and y x_train and y_train"
        )
    whole = {None: "train"}
    splits = {whole.get(split, split) for _, split in found} | {"train"}
    pairs = {}
    for split in dict.fromkeys(SPLITS.values()):
        if split in splits:
            own = None if plain else split
            pairs[split] = tuple(_named(found, kind, own, path) for kind in "xy")
    return pairs, class_names


def _by_meaning(names, path):
    found, others = {}, []
    for name in names:
        meaning = _meaning(name)
        if meaning is None:
            others.append(name)
        elif meaning in found:
            raise UserError(
                f"{path} holds two arrays of one meaning, {found[meaning]} and {name}. "
                "Keep one"
            )
        else:
            found[meaning] = name
    if others:
        print(f"note: {path}: not read: {listed(others)}")
    return found


def _meaning(name):
    """`("x" or "y", split or None)`, `"class_names"`, or None."""
    name = name.lower()
    if name == _CLASS_NAMES:
        return name
    if name in _KINDS:
        return _KINDS[name], None
    first, _, second = name.partition("_")
    for kind, split in ((first, second), (second, first)):
        if kind in _KINDS and split in SPLITS:
            return _KINDS[kind], SPLITS[split]
    return None


def _named(found, kind, split, path):
    try:
        return found[kind, split]
    except KeyError:
        name = kind if split is None else f"{kind}_{split}"
        raise UserError(
            f"{path} holds no array {name}. Expected x and y, or x_train, y_train, "
            "x_test, y_test (or train_images, train_labels and so on). Received: "
            f"{listed([*found.values()]) or 'none'}"
        ) from None
