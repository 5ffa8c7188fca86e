"""What the report's advice is worth, and the page that says it."""

import pathlib

import numpy as np
import pytest
import regret
from over_tables import regret as on_tables

pytestmark = pytest.mark.no_backend
ROOT = pathlib.Path(regret.__file__).parents[1]


def rows_of(table, scores, advised, rare=9):
    """Rows of a fold on which methods have these test scores, as they are."""
    about = {"table": table, "fold": "0", "rare": rare, "validation": 0.5}
    rows = [
        {**about, "method": name, "as_it_is": score, "by_rule": score, "rule": ""}
        for name, score in zip(on_tables.NAMES, scores, strict=True)
    ]
    own = next(row for row in rows if row["method"] == advised)
    return [*rows, {**own, "method": on_tables.ADVICE, "rule": advised}]


def test_regret_is_of_the_best_of_each_fold():
    few = rows_of("a", [0.9, *[0.5] * 6, 0.8], "M2m", rare=3)
    many = rows_of("b", [0.6, *[0.5] * 6, 0.7], "M2m", rare=30)
    text = regret.summary([*few, *many])
    assert "2 folds of 2 tables" in text
    assert "accuracy of 80.0." in text
    # 80 and 70 of 90 and 70: no regret on the second, ten points on the first.
    assert "| the report | 75.0 | 5.0 | 5.0 | 1 |" in text
    assert "| always logistic regression | 75.0 | 5.0 | 5.0 | 1 |" in text
    assert "| 0 to 4 | 1 | 10.0 | 40.0 | 40.0 | 10.0 | 0.0 |" in text
    assert "| 30 or more | 1 | 0.0 | 20.0 | 20.0 | 0.0 | 10.0 |" in text
    assert "Advised: M2m 2" in text


def test_predictions_are_judged_by_what_is_right(tmp_path):
    """Of two classes, one method is always right, the others never."""
    y_val, y_test = np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [15, 5])
    sign = 2.0 * np.concatenate([y_val, y_test]) - 1
    score = np.stack([-sign] * 7 + [sign])
    path = tmp_path / "some-table-0.npz"
    np.savez(
        path,
        **{"y_train": np.repeat([0, 1], [90, 30]), "y_val": y_val, "y_test": y_test},
        **{"score": score, "seconds": np.ones(8)},
    )
    rows = on_tables.judge(path)
    assert {row["table"] for row in rows} == {"some-table"}
    assert [row["as_it_is"] for row in rows] == ["0.000000"] * 7 + ["1.000000"] * 2
    assert rows[-1]["method"] == on_tables.ADVICE
    assert rows[-1]["rule"] == "M2m"
    assert rows[-1]["rare"] == 10


def test_the_page_has_the_tables_of_the_results_beside_it():
    found = regret.summary(regret.read(ROOT / "results" / "regret" / "folds.csv"))
    assert found in (ROOT / "docs" / "results" / "regret.md").read_text()
