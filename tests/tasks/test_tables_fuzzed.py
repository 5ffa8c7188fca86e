"""Whatever a file of a table holds: vectors of finite numbers, or one clear message."""

import csv
import io

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from helpers.own_data import loaded_or_refused

pytestmark = pytest.mark.no_backend


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzzed")


CELLS = st.one_of(
    st.sampled_from(["", "NA", "?", "1", "0", "-2.5", "1,5", "1e400", "inf", "true"]),
    st.sampled_from(["2024-01-31", "31/01/2024", "10:30", "9" * 30, "a;b", "ä", '"']),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.text(max_size=5),
)
NAMES = st.sampled_from(["a", "b", "y", "label", "split", "a", "", "é", "1"])


@st.composite
def tables(draw):
    columns = draw(st.integers(1, 4))
    rows = draw(st.integers(0, 8))
    # Each column of a few values, so that classes have several rows.
    cells = []
    for _ in range(columns):
        values = draw(st.lists(CELLS, min_size=1, max_size=3))
        column = st.lists(st.sampled_from(values), min_size=rows, max_size=rows)
        cells.append(draw(column))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",;\t|")))
    writer.writerow([draw(NAMES) for _ in range(columns)])
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue()


def check(path, *flags):
    data = loaded_or_refused(path, *flags)
    if data is None:
        return
    assert len(data.class_names) >= 2
    for x, y in (data.train, data.test):
        assert x.dtype == "float32"
        assert np.isfinite(x).all()
        assert x.shape == (len(y), len(data.units))


@hypothesis.given(
    text=tables() | st.text(max_size=60),
    name=st.sampled_from(["own.csv", "own.tsv", "own.dat"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-8-sig"]),
)
@hypothesis.settings(max_examples=60)
def test_any_text_loads_or_is_refused_by_a_message(text, name, encoding, place):
    (place / name).write_bytes(text.encode(encoding, errors="replace"))
    check(place / name, "--missing=drop", "--protocol=field")


@hypothesis.given(content=st.binary(max_size=200))
@hypothesis.settings(max_examples=30)
def test_any_bytes_are_refused_by_a_message(content, place):
    for name in ("own.parquet", "own.csv.gz", "own.csv"):
        (place / name).write_bytes(content)
        check(place / name)
