"""How many points a user loses by the report's advice, on the tables of KEEL.

    KERAS_BACKEND=jax python benchmarks/regret.py --data_dir=keel
    python benchmarks/regret.py --report

The first of five stratified folds of each table is the test part; a quarter of the rest
is for validation. Eight methods are trained, the report chooses one, and a rule, by
validation samples. The regret of a choice is the best of all methods on test samples,
each as it is, minus the choice. Predictions are kept, so that the same command goes on
after a kill, and judges the same predictions anew after a change of the report.
"""

import argparse
import csv
import io
import itertools
import pathlib
import time

import numpy as np
from over_tables import pool
from over_tables import regret

from tasks.data import whole_files

ROOT = pathlib.Path(__file__).parents[1]
FEW = (5, 10, 30)
SHOWN = ("mixup-DRS", "LA", "M2m", "logistic regression")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data_dir", type=pathlib.Path, help="folder of *.dat files")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "results/regret")
    parser.add_argument("--predictions", type=pathlib.Path, default="runs/regret")
    parser.add_argument("--report", action="store_true", help="print the table alone")
    parser.add_argument("--folds", type=int, default=1, help="how many of the five")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    return parser


def run(chosen):
    """Train what is not predicted yet, then judge all."""
    wanted = [
        (table, fold, chosen.steps, chosen.seed, chosen.predictions)
        for fold in range(chosen.folds)
        for table in sorted(chosen.data_dir.glob("*.dat"))
    ]
    files = [
        regret.file_of(table, fold, chosen.predictions) for table, fold, *_ in wanted
    ]
    chosen.predictions.mkdir(parents=True, exist_ok=True)
    calls = [call for call, file in zip(wanted, files) if not file.exists()]
    began = time.monotonic()
    for call, _, error in pool.finished(regret.predict, calls, chosen.processes):
        minutes = (time.monotonic() - began) / 60
        what = f"FAILED: {error!r}" if error else f"after {minutes:.1f} minutes"
        print(f"{call[0].stem}, fold {call[1]}, {what}", flush=True)
    calls = [(file,) for file in files if file.exists()]
    judged = pool.finished(regret.judge, calls, chosen.processes)
    rows = [row for _, found, error in judged if not error for row in found]
    rows.sort(key=lambda row: (row["table"], row["fold"]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, regret.COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    whole_files.write(chosen.results / "folds.csv", text.getvalue())


def read(path):
    """Rows of a file of results, scores as floats."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = ("rare", "validation", "as_it_is", "by_rule")
    return [{**row, **{key: float(row[key]) for key in numbers}} for row in rows]


def summary(rows) -> str:
    """Mean scores and regrets of choices, as tables of Markdown."""
    folds = {}
    for row in rows:
        folds.setdefault((row["table"], row["fold"]), {})[row["method"]] = row
    best = 100 * np.array(
        [max(own[name]["as_it_is"] for name in regret.NAMES) for own in folds.values()]
    )
    scores = {
        choice: 100 * np.array([own[name][column] for own in folds.values()])
        for choice, name, column in _choices()
    }
    lines = [
        f"{len(folds)} folds of {len({table for table, _ in folds})} tables. The best "
        f"method of each, afterwards, has a balanced accuracy of {best.mean():.1f}.",
        "",
        "| choice | balanced accuracy, % | mean regret, points | median regret "
        "| folds with regret above 5 |",
        "| --- | --: | --: | --: | --: |",
    ]
    for name, found in sorted(scores.items(), key=lambda item: -item[1].mean()):
        lost = best - found
        lines.append(
            f"| {name} | {found.mean():.1f} | {lost.mean():.1f} "
            f"| {np.median(lost):.1f} | {np.count_nonzero(lost > 5)} |"
        )
    used = [own[regret.ADVICE]["rule"] for own in folds.values()]
    names, counts = np.unique(used, return_counts=True)
    order = np.argsort(-counts)
    lines += ["", "Advised: " + ", ".join(f"{names[k]} {counts[k]}" for k in order)]
    rare = np.array([own[regret.ADVICE]["rare"] for own in folds.values()])
    return "\n".join([*lines, "", *_by_rare(best, scores, rare)])


def _choices():
    """The name of a choice, the method of its rows, and the column of its score."""
    yield regret.ADVICE, regret.ADVICE, "by_rule"
    for name in regret.NAMES:
        yield f"always {name}", name, "as_it_is"
        yield f"always {name}, by its rule", name, "by_rule"


def _by_rare(best, scores, rare):
    """Mean regret by the number of validation samples of the rarer class."""
    shown = (regret.ADVICE, *(f"always {name}" for name in SHOWN))
    yield (
        "| mean regret, points; validation samples of the rarer class | folds | "
        + " | ".join(shown)
        + " |"
    )
    yield "| --- |" + " --: |" * (1 + len(shown))
    for low, high in itertools.pairwise((0, *FEW, np.inf)):
        own = (rare >= low) & (rare < high)
        if own.any():
            lost = [f"{(best - scores[name])[own].mean():.1f}" for name in shown]
            span = f"{low} or more" if high == np.inf else f"{low} to {high - 1}"
            yield f"| {span} | {own.sum()} | " + " | ".join(lost) + " |"


def main():
    chosen = arguments().parse_args()
    if not chosen.report:
        if chosen.data_dir is None:
            raise SystemExit("give --data_dir, or --report")
        chosen.results.mkdir(parents=True, exist_ok=True)
        with pool.small_networks():
            run(chosen)
    print(summary(read(chosen.results / "folds.csv")))


if __name__ == "__main__":
    main()
