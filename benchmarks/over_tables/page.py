"""The page of results and its pictures, made of the rows of a file alone."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

from keras_m2m import plots
from over_tables import methods
from over_tables import ranks
from over_tables import scores
from over_tables import sections
from over_tables.scores import MAIN
from over_tables.scores import Scores
from over_tables.sections import OWN

STEM = "keel_critical_difference"
PAGE = Path(__file__).with_name("page.md")


def write(rows: Sequence[dict], docs: Path) -> Path:
    """Write the page, the table of all scores, and the pictures.

    Args:
        rows: As `records.read` gives them.
        docs: The folder of documents: `results/keel.md` and `images/` are in it.

    Returns:
        The path of the page.
    """
    found = scores.of_rows(rows, methods.RANKED)
    everything = scores.of_rows(rows, methods.NAMES)
    for stem, own in ((STEM, found), (f"{STEM}_with_references", everything)):
        _save(diagram(own), docs / "images" / f"{stem}.svg")
    text = PAGE.read_text().format(
        num_tables=len(found.tables),
        num_families=len(set(found.families)),
        folds=found.folds,
        setting=setting(rows),
        summary=summary(found),
        ranking=sections.ranking(found),
        friedman=sections.tests_of_equality(found),
        against=sections.against(found),
        where=sections.where(found),
        correlations=sections.correlations(found),
        ranking_with_references=sections.ranking(everything),
        friedman_with_references=sections.tests_of_equality(everything),
        against_references=sections.against(everything, list(methods.REFERENCES)),
        pairs=sections.pairs(everything),
        costs=sections.costs(everything),
        by_table=sections.by_table(everything),
    )
    path = docs / "results" / "keel.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def diagram(found: Scores):
    """The critical-difference diagram of balanced accuracy."""
    table = found.by_measure[MAIN]
    means = dict(zip(found.methods, ranks.ranks(table).mean(axis=0), strict=True))
    return plots.critical_difference(means, ranks.wilcoxon_holm(table))


def setting(rows: Sequence[dict]) -> str:
    """Backend, commits, steps and seed of the rows, as a sentence."""
    found = {
        key: ", ".join(sorted({row[key] for row in rows}))
        for key in ("backend", "commit", "steps", "seed")
    }
    diverged = sum(bool(row["diverged"]) for row in rows)
    return (
        f"Backend {found['backend']}, commit {found['commit']}, {found['steps']} steps "
        f"a training, seed {found['seed']}. Of {len(rows):,} trainings {diverged} "
        "ended in a loss that was not finite, which counts as a guess."
    )


def summary(found: Scores) -> str:
    """What a reader in a hurry looks for: M2m's place, and beside DRS and ERM."""
    table = found.by_measure[MAIN]
    means = ranks.ranks(table).mean(axis=0)
    place = int((means < means[found.methods.index(OWN)]).sum()) + 1
    best = found.methods[means.argmin()]
    lines = [
        f"- By mean rank of balanced accuracy M2m is number {place} of "
        f"{len(found.methods)}; the first is {best}."
    ]
    corrected = ranks.wilcoxon_holm(table)
    for other in ("DRS", "ERM"):
        p = corrected[found.methods.index(OWN), found.methods.index(other)]
        lead, won = sections.difference(found.of(OWN), found.of(other))
        lines.append(
            f"- M2m minus {other}: {lead} points in the mean; tables won / equal "
            f"/ lost {won}; p {sections.p_text(p)}, corrected."
        )
    return "\n".join(lines)


def _save(figure, path: Path) -> None:
    """The same bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": path.stem}):
        figure.savefig(path, metadata={"Date": None})
