"""Imports point downwards, and backends stay behind their seam."""

import ast
import graphlib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = ROOT / "keras_m2m"
TASKS = ROOT / "tasks"
MOST_LINES = 300  # Of a file.

# A module may import those of lower layers. Give a new one the lowest layer that
# its imports allow; a folder is one module, whose files may import each other.
LAYERS = {
    "_backend": 0,
    "checks": 0,
    "keras_home": 0,
    "classes": 1,
    "examples": 1,
    "units": 1,
    "imbalance": 1,
    "draws": 1,
    "tabular": 1,
    "layers": 1,
    "callbacks": 2,
    "decisions": 2,
    "folding": 2,
    "losses": 2,
    "metrics": 2,
    "plots": 2,
    "sampling": 2,
    "schedules": 2,
    "translation": 2,
    "heads": 3,
    "mixing": 3,
    "models": 3,
    "report": 3,
    "m2m_model": 4,
    "pretrained": 4,
    "recipes": 5,
    "sklearn": 6,
}
TOP = 7  # keras_m2m/__init__.py
# The floors of tasks/. Its other modules are the data sets, on the sixth.
FLOORS = {
    "experiment": 1,
    "data": 2,
    "training": 3,
    "records": 4,
    "runs": 5,
    "registry": 6,
    "tables": 7,
    "class_sizes": 8,
    "predict": 8,
    "table": 8,
}
OF_DATASETS = 6
BACKENDS = {"tensorflow", "jax", "torch"}
FORBIDDEN = {"absl", "tasks"}


def imported(tree, package):
    """Dotted names that a module imports; `package` is where it lies."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*(parents if node.level else []), node.module or ""])
            yield from (f"{base.strip('.')}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "keras.src":
            # Needs no import of its own.
            yield "keras.src"


def is_allowed(name, module):
    """Whether `module` of keras_m2m, None for its `__init__`, may import `name`."""
    top, _, rest = name.partition(".")
    if top in FORBIDDEN or name == "keras.src" or name.startswith("keras.src."):
        return False
    if top in BACKENDS:
        return module == "_backend"
    if top != "keras_m2m":
        return True
    target = rest.partition(".")[0]
    return target == module or LAYERS.get(target, TOP) < LAYERS.get(module, TOP)


def violations(source, module, package="keras_m2m"):
    names = imported(ast.parse(source), package)
    return sorted({name for name in names if not is_allowed(name, module)})


def module_of(path):
    """`losses` for losses.py, `plots` for plots/recall.py, None for __init__.py."""
    name = path.relative_to(PACKAGE).with_suffix("").parts[0]
    return None if name == "__init__" else name


def files():
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downwards(path):
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    assert violations(path.read_text(), module_of(path), package) == []


def test_every_module_has_a_layer():
    assert {module_of(path) for path in files()} - {None} == set(LAYERS)


@pytest.mark.parametrize(
    "source",
    [
        "import keras_m2m.m2m_model",
        "from keras_m2m import models",
        "from keras_m2m.models import mlp",
        "from . import models",
        "from .models import mlp",
        "from keras_m2m import M2mModel",
        "import keras_m2m",
        "from keras_m2m.metrics import GeometricMean",
        "def late():\n    import tensorflow as tf",
        "from jax import numpy",
        "import torch.nn",
        "from absl import flags",
        "import tasks.runs.runner",
        "from keras.src import backend",
        "import keras\nkeras.src.backend",
    ],
)
def test_a_loss_may_not_import(source):
    assert len(violations(source, "losses")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import keras\nimport numpy as np",
        "from keras_m2m import imbalance",
        "from keras_m2m.imbalance import check_class_counts",
        "from .imbalance import check_class_counts",
        "from keras_m2m._backend import input_gradient",
    ],
)
def test_a_loss_may_import(source):
    assert violations(source, "losses") == []


def test_a_backend_may_import_its_library_and_its_neighbours():
    source = "import torch\nfrom .torch import x\nfrom keras_m2m._backend.jax import y"
    assert violations(source, "_backend", "keras_m2m._backend") == []


def test_a_relative_import_out_of_a_folder_is_seen():
    source = "from ..m2m_model import M2mModel"
    assert violations(source, "plots", "keras_m2m.plots") == [
        "keras_m2m.m2m_model.M2mModel"
    ]


def files_of_tasks():
    # Not the first, which only lets commands listen to signals.
    return sorted(set(TASKS.rglob("*.py")) - {TASKS / "__init__.py"})


def modules_imported(path):
    """The files of tasks/ that one imports, as their names in tasks."""
    for name in imported(ast.parse(path.read_text()), "tasks"):
        parts = name.split(".")[1:] if name.startswith("tasks.") else []
        # The last one may be a module, or a name in it.
        for known in (parts, parts[:-1]):
            file = TASKS.joinpath(*known)
            if known and (file.with_suffix(".py").exists() or file.is_dir()):
                yield ".".join(known)
                break


def name_in_tasks(path):
    parts = path.relative_to(TASKS).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize("path", files_of_tasks(), ids=name_in_tasks)
def test_imports_of_tasks_point_downwards(path):
    wing = name_in_tasks(path).partition(".")[0]
    up = [
        name
        for name in modules_imported(path)
        if name.partition(".")[0] != wing
        and FLOORS.get(name.partition(".")[0], OF_DATASETS)
        >= FLOORS.get(wing, OF_DATASETS)
    ]
    assert up == []


def test_imports_of_tasks_go_in_no_circle():
    graph = {
        name_in_tasks(path): set(modules_imported(path)) - {name_in_tasks(path)}
        for path in files_of_tasks()
    }
    assert [*graphlib.TopologicalSorter(graph).static_order()]


def test_every_wing_has_a_floor():
    wings = {path.name for path in TASKS.iterdir() if (path / "__init__.py").exists()}
    assert wings < FLOORS.keys()


def test_a_module_is_imported_by_its_name_in_one_place():
    by_name = [p for p in files_of_tasks() if "import_module" in p.read_text()]
    assert [name_in_tasks(path) for path in by_name] == ["registry"]


@pytest.mark.parametrize("package", [PACKAGE, TASKS], ids=lambda p: p.name)
def test_no_file_is_long(package):
    lengths = {p: len(p.read_text().splitlines()) for p in package.rglob("*.py")}
    assert [p for p, lines in lengths.items() if lines > MOST_LINES] == []


def test_ray_is_imported_by_one_module_and_not_before_it_is_asked_for():
    trees = {p: ast.parse(p.read_text()) for p in files_of_tasks()}
    with_ray = {
        name_in_tasks(path): tree
        for path, tree in trees.items()
        if any(name.partition(".")[0] == "ray" for name in imported(tree, "tasks"))
    }
    assert [*with_ray] == ["runs.cluster"]
    first = ast.Module([n for n in with_ray["runs.cluster"].body if is_import(n)], [])
    assert "ray" not in imported(first, "tasks")


def is_import(node):
    return isinstance(node, ast.Import | ast.ImportFrom)
