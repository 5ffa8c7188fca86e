"""Sections of the page: tables of Markdown out of scores."""

from collections.abc import Iterable
from collections.abc import Sequence

import numpy as np
import scipy.stats

from over_tables import ranks
from over_tables import scores
from over_tables.records import MEASURES
from over_tables.scores import MAIN
from over_tables.scores import Scores

OWN = "M2m"


def ranking(found: Scores) -> str:
    """Mean ranks and mean scores of the methods, the best first."""
    of_rank = {key: ranks.ranks(found.by_measure[key]).mean(axis=0) for key in MEASURES}
    mean = {key: 100 * found.by_measure[key].mean(axis=0) for key in MEASURES}
    best = ranks.ranks(found.by_measure[MAIN]).min(axis=1)
    first = (ranks.ranks(found.by_measure[MAIN]) == best[:, None]).sum(axis=0)
    titles = [f"rank by {about}" for about in MEASURES.values()]
    titles += [f"mean {about}, %" for about in MEASURES.values()]
    lines = [
        [
            found.methods[i],
            *(f"{of_rank[key][i]:.2f}" for key in MEASURES),
            *(f"{mean[key][i]:.1f}" for key in MEASURES),
            str(first[i]),
        ]
        for i in np.argsort(of_rank[MAIN], kind="stable")
    ]
    return markdown(["", *titles, "tables on which it is first, or shares that"], lines)


def tests_of_equality(found: Scores) -> str:
    """Friedman's and Iman and Davenport's test for each measure."""
    lines = []
    for key, about in MEASURES.items():
        test = ranks.friedman(found.by_measure[key])
        lines.append(
            [about, f"{test.chi_square:.1f}", p_text(test.p), f"{test.f:.2f}"]
            + [p_text(test.f_p)]
        )
    return markdown(["", "χ²", "p", "F", "p"], lines)


def against(found: Scores, others: Sequence[str] | None = None) -> str:
    """M2m beside each other method: differences, tables won, and tests."""
    corrected = ranks.wilcoxon_holm(found.by_measure[MAIN])
    by_family = ranks.wilcoxon_holm(
        scores.by_family(found.by_measure[MAIN], found.families)
    )
    own, mine = found.methods.index(OWN), found.of(OWN)
    lines = []
    for other in others or [name for name in found.methods if name != OWN]:
        column = found.methods.index(other)
        won = ranks.wins(mine, found.of(other))
        lead = 100 * (mine - found.of(other))
        lines.append(
            [
                other,
                f"{lead.mean():+.2f}",
                f"{np.median(lead):+.2f}",
                " / ".join(map(str, won)),
                p_text(corrected[own, column]),
                p_text(by_family[own, column]),
            ]
        )
    titles = ["M2m minus", "mean, points", "median", "tables won / equal / lost"]
    return markdown([*titles, "p (Holm)", "p by data set (Holm)"], lines)


# Bounds between groups of tables by what is known of them.
GROUPS = {
    "ratio of the classes": [5, 10, 30],
    "samples of the smaller class": [20, 50, 150],
    "rows": [250, 1000],
    "translations accepted, %": [5, 50, 90],
    "rows replaced, %": [5, 20],
    "balanced accuracy of ERM, %": [60, 75, 90],
    "entries that stay": [1],
}


def features_of(found: Scores) -> dict[str, np.ndarray]:
    """What tables are grouped by, a number a table."""
    positives = found.about["positives"]
    return {
        "ratio of the classes": found.ratios,
        "samples of the smaller class": np.minimum(
            positives, found.about["rows"] - positives
        ),
        "rows": found.about["rows"],
        "translations accepted, %": 100 * found.of(OWN, "acceptance"),
        "rows replaced, %": 100 * found.of(OWN, "replaced"),
        "balanced accuracy of ERM, %": 100 * found.of("ERM"),
        "entries that stay": found.about["features"] - found.about["moved"],
    }


def where(found: Scores) -> str:
    """M2m against DRS and ERM on groups of tables."""
    lines = []
    for name, values in features_of(found).items():
        group = np.digitize(values, GROUPS[name])
        for number in range(len(GROUPS[name]) + 1):
            rows = group == number
            if rows.any():
                lines.append([_group_name(name, number), str(rows.sum())])
                for other in ("DRS", "ERM"):
                    lines[-1] += difference(found.of(OWN)[rows], found.of(other)[rows])
    titles = ["tables with", "tables"]
    for other in ("DRS", "ERM"):
        titles += [f"M2m minus {other}, points", "won / equal / lost"]
    return markdown(titles, lines)


def _group_name(name, number):
    bounds = GROUPS[name]
    if bounds == [1]:
        return f"{name}: {('none', 'some')[number]}"
    if number == 0:
        return f"{name}: below {bounds[0]}"
    if number == len(bounds):
        return f"{name}: {bounds[-1]} or more"
    return f"{name}: {bounds[number - 1]} to below {bounds[number]}"


def difference(mine, other):
    won = ranks.wins(mine, other)
    return [f"{100 * (mine - other).mean():+.2f}", " / ".join(map(str, won))]


def correlations(found: Scores) -> str:
    """Spearman's correlations of M2m's lead with what is known of a table."""
    lines = []
    for name, values in features_of(found).items():
        if np.ptp(values) == 0:
            continue
        cells = [name]
        for other in ("DRS", "ERM"):
            lead = np.round(found.of(OWN) - found.of(other), 12)
            if np.ptp(lead) == 0:
                cells.append("")
                continue
            test = scipy.stats.spearmanr(values, lead)
            cells.append(f"{test.statistic:+.2f} (p {p_text(test.pvalue)})")
        lines.append(cells)
    return markdown(["", "with M2m minus DRS", "with M2m minus ERM"], lines)


def pairs(found: Scores) -> str:
    """The corrected p of each pair of methods, by falling rank."""
    table = found.by_measure[MAIN]
    order = np.argsort(ranks.ranks(table).mean(axis=0), kind="stable")
    corrected = ranks.wilcoxon_holm(table)[np.ix_(order, order)]
    names = [found.methods[i] for i in order]
    lines = [
        [name, *("" if i == j else p_text(p) for j, p in enumerate(row))]
        for i, (name, row) in enumerate(zip(names, corrected, strict=True))
    ]
    return markdown(["", *names], lines)


def costs(found: Scores) -> str:
    """Seconds of a training: median, longest, and of all folds in hours."""
    seconds = found.by_measure["seconds"]
    lines = [
        [
            name,
            f"{np.median(column):.2f}",
            f"{column.max():.1f} ({found.tables[column.argmax()]})",
            f"{column.sum() * found.folds / 3600:.2f}",
        ]
        for name, column in zip(found.methods, seconds.T, strict=True)
    ]
    total = seconds.sum(axis=1)
    lines.append(
        [
            "all of these",
            f"{np.median(total):.2f}",
            f"{total.max():.1f} ({found.tables[total.argmax()]})",
            f"{total.sum() * found.folds / 3600:.2f}",
        ]
    )
    return markdown(["", "median of a table, s", "longest, s", "all folds, h"], lines)


def by_table(found: Scores) -> str:
    """Balanced accuracy of all methods on each table, and what M2m did there."""
    lines = []
    for i, name in enumerate(found.tables):
        lines.append(
            [
                name,
                f"{found.about['rows'][i]:.0f}",
                f"{found.ratios[i]:.1f}",
                *(f"{100 * score:.1f}" for score in found.by_measure[MAIN][i]),
                f"{100 * found.of(OWN, 'acceptance')[i]:.0f}",
                f"{found.of(OWN, 'step_size')[i]:.3g}",
                f"{found.by_measure['seconds'][i].sum():.0f}",
            ]
        )
    titles = ["", "rows", "ratio", *found.methods, "accepted, %", "step", "seconds"]
    return markdown(titles, lines)


def p_text(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def markdown(titles: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """A table of Markdown, its first column of names."""
    titles = list(titles)
    rule = ["---", *["--:"] * (len(titles) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [titles, rule, *lines])
