"""Part of the page: mistakes that are worth looking at."""

from collections.abc import Mapping

import numpy as np

from keras_m2m.report.contents import Contents
from keras_m2m.report.contents import number
from keras_m2m.report.contents import percent
from keras_m2m.report.parts import Grid
from keras_m2m.report.parts import Mistake
from keras_m2m.report.parts import Part
from keras_m2m.report.parts import uri

_MOST_PAIRS, _MOST_MISTAKES = 8, 12
_MOST_OF_A_PAIR = 3
_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg"}


def of_mistakes(contents: Contents) -> Part:
    """The pairs that are confused most, and the most confident mistakes.

    Raises:
        ValueError: If `samples` returns what a page cannot show.
    """
    confusion = contents.confusion(contents.used.decisions)
    wrong = confusion - np.diag(confusion.diagonal())
    if not wrong.any():
        return Part("mistakes", "Mistakes to look at", ["There are none."])
    rows = []
    for cell in np.argsort(-wrong, axis=None, kind="stable")[:_MOST_PAIRS]:
        true, predicted = divmod(int(cell), len(wrong))
        if wrong[true, predicted]:
            share = wrong[true, predicted] / contents.tested[true]
            rows.append(
                [
                    f"{contents.names[true]} taken for {contents.names[predicted]}",
                    number(wrong[true, predicted]),
                    f"{percent(share)} % of {contents.names[true]}",
                ]
            )
    caption = f"The most frequent mistakes{contents.of_trainings}"
    first = " of the first training" if contents.used.method.trainings > 1 else ""
    meant = ""
    if contents.used.rule.costs is not None:
        meant = (
            " Some are meant: by the costs, another class than the likeliest is safer."
        )
    return Part(
        "mistakes",
        "Mistakes to look at",
        [
            f"Below the table, the surest mistakes{first}: often a wrong label, or a "
            f"sample that no class fits.{meant}"
        ],
        [Grid(caption, ["mistake", "test samples", "share"], rows)],
        mistakes=[_mistake(contents, row) for row in _surest(contents)],
    )


def _surest(contents):
    """Rows of the surest mistakes, a few of each pair of classes."""
    decided = contents.used.decisions[0]
    p = contents.used.rule.probabilities(contents.p[0])
    wrong = np.flatnonzero(decided != contents.y)
    sure = p[wrong, decided[wrong]] - p[wrong, contents.y[wrong]]
    found: list[int] = []
    pairs: dict[tuple[int, int], int] = {}
    for row in wrong[np.argsort(-sure, kind="stable")].tolist():
        pair = (contents.y[row], decided[row])
        pairs[pair] = pairs.get(pair, 0) + 1
        if pairs[pair] <= _MOST_OF_A_PAIR:
            found.append(row)
        if len(found) == _MOST_MISTAKES:
            break
    return found


def _mistake(contents, row):
    p = contents.used.rule.probabilities(contents.p[0, row : row + 1])[0]
    true, decided = contents.y[row], contents.used.decisions[0, row]
    title = f"{contents.names[true]}, taken for {contents.names[decided]}"
    about = (
        f"Test sample {row}. Probability of {contents.names[decided]} "
        f"{percent(p[decided])} %, of {contents.names[true]} {percent(p[true])} %."
    )
    shown = None if contents.samples is None else contents.samples(row)
    if shown is None:
        return Mistake(title, about, None, "", ())
    if isinstance(shown, str):
        return Mistake(title, about, None, "", [("text", shown)])
    if not isinstance(shown, Mapping):
        if not _kind(shown):
            raise ValueError(
                "`samples` must return a dictionary, the bytes of a PNG or JPEG image, "
                f"text or None. Received: {type(shown).__name__} for row {row}"
            )
        shown = {"image": shown}
    values = [(str(name), str(own)) for name, own in shown.items() if not _kind(own)]
    image = next((own for own in shown.values() if _kind(own)), None)
    source = None if image is None else uri(image, _kind(image))
    alt = "" if image is None else f"Test sample {row}, a {title}"
    return Mistake(title, about, source, alt, values)


def _kind(value):
    """What an image is, by its first bytes; None of all else."""
    for start, kind in _KINDS.items():
        if isinstance(value, bytes) and value.startswith(start):
            return kind
    return None
