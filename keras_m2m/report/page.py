"""The page: advice first, then what it follows from."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import NamedTuple

import jinja2
import numpy as np

from keras_m2m.report import words
from keras_m2m.report.advice import Advice
from keras_m2m.report.held import Gathered
from keras_m2m.report.judged import Judged
from keras_m2m.report.judged import Question
from keras_m2m.report.parts import Grid
from keras_m2m.report.parts import Part

# Of this page, and the base that other pages extend too.
TEMPLATES = Path(__file__).parent
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


class Contents(NamedTuple):
    """All that a page is made of."""

    title: str
    advice: Advice
    used: Judged
    judged: Sequence[Judged]
    data: Gathered
    question: Question
    names: Sequence[str]
    counts: np.ndarray
    samples: Callable[[int], Any] | None


def rendered(
    contents: Contents,
    learning_curve: Mapping[float, Any] | None,
    more: Sequence[Part] = (),
) -> str:
    """The page as HTML.

    Args:
        contents: What it shows.
        learning_curve: Recall of each class by share of training samples, or None.
        more: Parts that stand at the end.
    """
    return _PAGES.get_template("page.html").render(
        title=contents.title,
        advice=contents.advice.sentences,
        parts=[*_parts(contents, learning_curve), *more],
    )


def _parts(contents: Contents, learning_curve) -> Iterator[Part]:
    yield methods(contents)


def methods(contents: Contents) -> Part:
    """The table of all methods."""
    maximise = contents.question.objective.maximise
    name = words.NAMES[maximise]
    in_percent = "" if maximise == "cost" else ", in percent"
    rows = [
        [
            own.name,
            words.shown(own.validation, maximise),
            words.shown(own.test, maximise),
            words.ranged(own.interval, maximise),
            words.shown(own.plain, maximise),
            str(own.method.trainings),
            "–" if own.method.seconds is None else f"{own.method.seconds:.3g}",
        ]
        for own in contents.judged
    ]
    header = (
        "method",
        "validation",
        "test",
        "95 % interval",
        "test, likeliest class",
        "trainings",
        "seconds",
    )
    caption = f"{name[0].upper()}{name[1:]}{in_percent}, from the simplest method"
    return Part(
        "methods",
        "The methods",
        grids=[Grid(caption, header, rows, contents.advice.method)],
    )
