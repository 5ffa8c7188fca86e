"""The table's command on every backend, from training to figures of networks."""

import pytest

from helpers.table_commands import DIGITS
from helpers.table_commands import SMALL
from helpers.table_commands import command
from helpers.table_commands import row

pytestmark = pytest.mark.no_backend


def test_a_method_is_trained_tested_and_drawn(tmp_path):
    arguments = "--table=2", "--seeds=1", "--rows=ce-m2m", "--figures", *SMALL, DIGITS
    text = command(tmp_path / "results", tmp_path / "runs", *arguments)
    assert row(text, "M2m")[4] == "1"
    drawn = {file.name for file in (tmp_path / "runs/table2_figures").rglob("*.png")}
    assert {"feature_embedding.png", "translations.png"} <= drawn
