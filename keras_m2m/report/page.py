"""The page: advice first, then what it follows from."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from keras_m2m.report import by_class
from keras_m2m.report import comparison
from keras_m2m.report import mistakes
from keras_m2m.report import probabilities
from keras_m2m.report import what_changes
from keras_m2m.report.contents import Contents
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


def rendered(
    contents: Contents,
    learning_curve: Mapping[float, Any] | None,
    first: Sequence[Part] = (),
    last: Sequence[Part] = (),
) -> str:
    """The page as HTML.

    Args:
        contents: What it shows.
        learning_curve: Recall of each class by share of training samples, or None.
        first: Parts that stand before those of the library.
        last: Parts that stand at the end.

    Raises:
        ValueError: If `learning_curve` does not fit.
    """
    return _PAGES.get_template("page.html").render(
        title=contents.title,
        advice=contents.advice.sentences,
        parts=[*first, *_parts(contents, learning_curve), *last],
    )


def _parts(contents: Contents, learning_curve) -> Iterator[Part]:
    yield comparison.of_methods(contents)
    yield by_class.of_classes(contents)
    yield probabilities.of_calibration(contents)
    yield what_changes.of_decisions(contents)
    yield probabilities.of_priors(contents)
    yield mistakes.of_mistakes(contents)
    if learning_curve is not None:
        yield by_class.of_learning(contents, learning_curve)
    yield comparison.of_measures(contents)
