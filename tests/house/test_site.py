"""What the site has a place for, and what it makes of files, without MkDocs."""

import json
import re
from pathlib import Path

import pytest

import keras_m2m
from docs.site import api
from docs.site import cite
from docs.site import gallery
from docs.site import links
from docs.site.sections import as_griffe_knows_them
from keras_m2m import decisions
from keras_m2m import heads
from keras_m2m import plots
from keras_m2m import pretrained
from keras_m2m import report
from keras_m2m import sklearn
from keras_m2m import tabular

pytestmark = pytest.mark.no_backend

ROOT = Path(__file__).parents[2]
MODULES = decisions, heads, plots, pretrained, report, sklearn, tabular
CELLS = "table1_cifar_full"


@pytest.fixture(scope="module")
def topics():
    return api.topics((ROOT / "docs" / "api.md").read_text())


def test_every_exported_name_is_on_one_page_of_the_api(topics):
    exported = [*keras_m2m.__all__]
    for module in MODULES:
        of = module.__name__.removeprefix("keras_m2m.")
        exported += [f"{of}.{name}" for name in module.__all__]
    shown = re.findall(r"^::: (\S+)$", "".join(map(api.page, topics)), re.MULTILINE)
    assert sorted(shown) == sorted(map(api.path_of, exported))


def test_a_name_that_a_file_has_too_is_looked_for_in_it():
    assert api.path_of("report.report") == "keras_m2m.report.report.report"
    assert api.path_of("report.Held") == "keras_m2m.report.Held"


def test_topics_of_the_api_have_pages_of_their_own(topics):
    assert len({topic.uri for topic in topics}) == len(topics)


def test_a_name_of_the_index_is_a_link():
    assert api.linked("| `heads.a` | what |") == (
        "| [`heads.a`][keras_m2m.heads.a] | what |"
    )


def test_every_document_has_a_place_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2].partition("\n\n")[0]
    named = re.findall(r"[\w/]+(?:\.md|/)$", nav, re.MULTILINE)
    folders = tuple(name for name in named if name.endswith("/"))
    docs = ROOT / "docs"
    own = [file.relative_to(docs).as_posix() for file in docs.rglob("*.md")]
    assert [p for p in own if p not in named and not p.startswith(folders)] == []


@pytest.mark.parametrize(
    "link, expected",
    [
        ("[a](docs/api.md)", "[a](../api.md)"),
        ("[a](docs/api.md#x)", "[a](../api.md#x)"),
        ("[a](setup.py)", "a"),
        ("[a](no_such_file.md)", "[a](no_such_file.md)"),
        ("[a](#x)", "[a](#x)"),
        ("[a](https://keras.io/api/)", "[a](https://keras.io/api/)"),
        ("![a](docs/images/scaling.png)", "![a](../images/scaling.png)"),
    ],
)
def test_links_to_files_become_links_to_pages(link, expected):
    shown = "api.md", "images/scaling.png"
    pages = {ROOT / "docs" / name: name for name in shown}
    found = links.rewritten(link, ROOT / "README.md", pages, "folder/start.md")
    assert found == expected


def test_an_example_is_indented_up_to_the_source():
    found = as_griffe_knows_them(
        "What.\n\nExample:\n\nWords:\n\n>>> 1\n1\n\nSource: A,\nB."
    )
    assert found == (
        "What.\n\nExamples:\n    Words:\n\n    >>> 1\n    1\n\nSource: A,\nB."
    )


def test_an_example_may_be_the_last_section():
    found = as_griffe_knows_them("What.\n\nExample:\n\n>>> 1\n1")
    assert found == "What.\n\nExamples:\n    >>> 1\n    1"


def test_authors_are_cited_as_bibtex_has_them():
    who = [{"family-names": "Kim", "given-names": "Jaehyung"}, {"name": "The Team"}]
    paper = {"authors": who, "title": "M2m", "conference": {"name": "C"}, "year": 2020}
    about = {"message": "Cite.", "authors": who[1:], "title": "T", "version": "1"}
    text = cite.page({**about, "references": [paper]}, "")
    assert "  author = {Kim, Jaehyung and {The Team}}," in text


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """The cells of a small table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        (command,) = [x for x in gallery.commands(ROOT) if x[-1].endswith(CELLS)]
        (part,) = gallery.parts_of(ROOT, command)
    return part


def test_a_cell_has_the_scores_of_its_records(part):
    m2m = {cell.row.label: cell for cell in part.cells}["M2m"]
    scores = [
        json.loads((ROOT / file).read_text())["balanced_accuracy"] for file in m2m.runs
    ]
    mean = 100 * sum(scores) / len(scores)
    (line,) = [x for x in gallery.page(part).splitlines() if x.startswith("| M2m ")]
    assert f"| {mean:.1f} ± " in re.sub(" +", " ", line)


def test_the_command_of_a_cell_is_of_its_row_alone(part):
    command = gallery.command_of(part, part.cells[0])
    assert command == (
        "KERAS_BACKEND=jax python -m tasks.table --table=1 --rows=ce-erm --seeds=3 "
        "cifar_lt"
    )
