"""Parts of the page: all methods, and how their scores were measured."""

from collections.abc import Iterator

from keras_m2m.report import words
from keras_m2m.report.contents import Contents
from keras_m2m.report.parts import Grid
from keras_m2m.report.parts import Part

_HEADER = (
    "method",
    "validation",
    "test",
    "95 % interval",
    "test, likeliest class",
    "trainings",
    "seconds",
)


def of_methods(contents: Contents) -> Part:
    """The table of all methods."""
    maximise = contents.question.objective.maximise
    name = words.NAMES[maximise]
    unit = "lower is better" if maximise == "cost" else "in percent"
    caption = f"{name[0].upper()}{name[1:]}, {unit}; from the simplest method"
    rows = [_row(own, maximise) for own in contents.judged]
    return Part(
        "methods",
        "The methods",
        grids=[Grid(caption, _HEADER, rows, contents.advice.method)],
        notes=list(_notes(contents)),
    )


def _row(own, maximise):
    spread = ""
    if own.spread is not None:
        scale = 1000 if maximise == "cost" else 100
        spread = f" ± {scale * own.spread:.1f}"
    seconds = own.method.seconds
    return [
        own.name,
        words.shown(own.validation, maximise),
        words.shown(own.test, maximise) + spread,
        words.ranged(own.interval, maximise),
        words.shown(own.plain, maximise),
        str(own.method.trainings),
        "–" if seconds is None else f"{seconds:,.3g}",
    ]


def _notes(contents: Contents) -> Iterator[str]:
    if contents.data.y_val is not None:
        asked = contents.question
        if asked.objective.maximise != "cost" and asked.test_prior is None:
            yield "Validation: the score of the likeliest class."
        else:
            yield (
                "Validation: each method decides by its best rule of one family (-τ "
                "log(prior), or the costs), on samples that were left out when that "
                "was chosen."
            )
        yield (
            "Test: by the rule that is advised for a method, on samples that played no "
            "part in any choice; beside it, what the likeliest class scores there."
        )
    if any(own.spread is not None for own in contents.judged):
        yield "±: the standard deviation over trainings."


def of_measures(contents: Contents) -> Part:
    """How it was measured."""
    data, sentences = contents.data, []
    tested = f"{len(data.y_test):,} test samples"
    if data.y_val is None:
        sentences.append(f"Measured on {tested}.")
    else:
        sentences += [
            f"Chosen on {len(data.y_val):,} validation samples, confirmed on {tested}.",
            "More than noise: if two methods were equally good, it would be chance "
            "which of two different decisions on a sample is whose. Decisions are "
            "swapped at random, sample by sample, 2,000 times; the standard error of "
            "the means over trainings, where there are several, is added. A lead is "
            "real where noise alone reaches it in fewer than 5 of 100 cases, which are "
            "shared among the methods that the best was picked from.",
            "The simplest method: references before networks, the faster before the "
            "slower where seconds are known, else in the order given.",
        ]
    if contents.question.test_prior is not None:
        sentences.append(
            "Scores count samples so that classes are as frequent as was asked for."
        )
    sentences.append(
        "Intervals of scores are over samples, drawn within each class. Those of "
        "recall and precision are Wilson's, of PR-AUC those of Boyd et al. (2013), of "
        "ROC-AUC those of Hanley and McNeil (1982)."
    )
    return Part("measures", "How this was measured", sentences)
