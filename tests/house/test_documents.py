"""Links of the documents lead somewhere, and the README's first code runs."""

import pathlib
import re

import keras
import mypy.api
import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    ROOT / "tasks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "docs" / "guides").glob("*.py")),
]


def anchor(heading):
    """The name that GitHub gives a heading in a link."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page):
    return {anchor(line) for line in re.findall(r"^#+ (.+)$", page.read_text(), re.M)}


def is_there(link, page):
    """Whether a link to this repository leads to a file, and to a heading of it."""
    path, _, heading = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not heading or heading in anchors(target))


@pytest.mark.no_backend
@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not is_there(link, page)] == []


@pytest.mark.no_backend
def test_code_names_documents_that_are_there():
    folders = ("keras_m2m", "tasks", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    named = {
        (path.name, document)
        for path in files
        for document in re.findall(r"\bdocs/[\w/]+\.md", path.read_text())
    }
    assert named
    assert [each for each in named if not (ROOT / each[1]).is_file()] == []


def codes(page="README.md"):
    return re.findall(r"```python\n(.+?)```", (ROOT / page).read_text(), re.S)


def first_code():
    """What a stranger who reads the README tries first."""
    return codes()[0]


def test_the_first_code_of_the_readme_trains_f(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(first_code(), names)
    assert is_right(keras.saving.load_model("f.keras"), names)


def with_few_epochs(code):
    """The code, which runs as well on networks that have hardly learned."""
    code = re.sub(r"\bepochs=\d+", "epochs=2", code)
    return re.sub(r"\bcv=\d+", "cv=2", code)


def is_right(f, names):
    """Whether a network knows the classes of the samples that it was trained on."""
    return (f.predict(names["x"], verbose=0).argmax(1) == names["y"]).mean() > 0.9


@pytest.mark.no_backend
def test_each_other_code_of_the_readme_runs_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # PyTorch exports no SavedModel.
    runs = [code for code in codes()[1:] if ".export(" not in code]
    assert len(runs) == len(codes()) - 2
    for code in runs:
        exec(code, {})  # As it stands: with fewer epochs, M2m rightly warns.
    assert (tmp_path / "adjusted.keras").is_file()


@pytest.mark.no_backend
@pytest.mark.filterwarnings("ignore:.*g accepted 0 of")  # It has hardly learned.
def test_each_code_about_the_estimator_runs_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for code in codes("docs/estimator.md"):
        exec(with_few_epochs(code), {})
    assert (tmp_path / "f.keras").is_file()
    assert (tmp_path / "report.html").is_file()


@pytest.mark.no_backend
def test_each_code_about_pretrained_networks_runs_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for code in codes("docs/pretrained.md"):
        exec(code, {})
    assert (tmp_path / "f.keras").is_file()


@pytest.mark.no_backend
def test_the_first_code_of_the_readme_has_the_types_that_are_asked_for(monkeypatch):
    monkeypatch.chdir(ROOT)
    guide = (ROOT / "docs" / "guides" / "own_loop.py").read_text()
    lists = "M2mModel(f, g, [600, 60, 12]), M2mModel(f, g, {0: 600, 1: 60, 2: 12})\n"
    code = f"{first_code()}\n{guide}\n{lists}"
    found, _, status = mypy.api.run(["-c", code])
    assert status == 0, found


@pytest.mark.no_backend
def test_a_wrong_type_of_a_user_is_found(monkeypatch):
    monkeypatch.chdir(ROOT)
    code = "import keras_m2m\nkeras_m2m.count_classes([0, 1], num_classes='two')\n"
    found, _, status = mypy.api.run(["-c", code])
    assert status == 1
    assert 'Argument "num_classes" to "count_classes"' in found
