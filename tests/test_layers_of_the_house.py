"""Imports point downwards, and backends stay behind their seam."""

import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_m2m"

# A module may import those of lower layers. Give a new one the lowest layer that
# its imports allow; a folder is one module, whose files may import each other.
LAYERS = {
    "_backend": 0,
    "checks": 0,
    "classes": 1,
    "imbalance": 1,
    "layers": 1,
    "callbacks": 2,
    "folding": 2,
    "losses": 2,
    "metrics": 2,
    "plots": 2,
    "sampling": 2,
    "schedules": 2,
    "translation": 2,
    "m2m_model": 3,
    "models": 3,
}
TOP = 4  # keras_m2m/__init__.py
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
