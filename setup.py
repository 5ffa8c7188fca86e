"""Packages `keras_m2m`, the library. `tasks` stays in the repository."""

import pathlib
import re

import setuptools

ROOT = pathlib.Path(__file__).parent
# Each bound stands in one place: there for what tasks need too, here for the rest.
REQUIREMENTS = [
    line.partition("#")[0].strip()
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line.partition("#")[0].strip()
]
# The oldest version of each that `make test-matrix` tries.
JAX = "jax>=0.10"
TORCH = "torch>=2.6"
RAY = "ray>=2.60"  # No older one was tried.


def those(*names):
    """The requirements of these names."""
    return [one for one in REQUIREMENTS if one.partition(">=")[0] in names]


SKLEARN = those("scikit-learn", "scipy")
REPORT = those("jinja2", "matplotlib", "scikit-learn", "scipy")
# What makes vectors of tables.
TABLES = those("pandas", "pyarrow", "scikit-learn", "skops", "skrub")
# What reads the data sets that need TensorFlow on any backend.
DATASETS = those(
    "array_record", "importlib_resources", "tensorflow", "tensorflow-datasets"
)
# For tests/library, beside one backend. What else is missing skips its tests.
LIBRARY_TESTS = [
    *sorted({*REPORT, *TABLES, *those("imbalanced-learn", "pillow")}),
    "hypothesis>=6.170",
    "polars>=1.30",
    "pytest>=8.3",
]
TESTS = [
    *REQUIREMENTS,
    *LIBRARY_TESTS,
    JAX,
    # One version, so that plain `pip install` may pick a CPU build where there is one.
    "torch==2.13.0",
    "markdown-it-py>=3.0",
    "mypy==2.4.1",
    "pytest-xdist>=3.6",
    RAY,
    # Another version formats differently.
    "ruff==0.17.6",
    # tests/house/test_wheel.py builds a wheel without network.
    "setuptools>=77",
    "wheel",
]

# The site, and what looks at it. Its gallery is made by `tasks`.
DOCS = [
    *REQUIREMENTS,
    "axe-playwright-python>=0.1.7",
    "ipykernel>=6.29",
    "jupytext>=1.16",
    "mkdocs-material>=9.7",
    "mkdocstrings[python]>=1.0",
    "nbclient>=0.10",
]


def version():
    """Reads `__version__` without importing Keras."""
    source = (ROOT / "keras_m2m" / "__init__.py").read_text()
    return re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE).group(1)


setuptools.setup(
    name="keras_m2m",
    version=version(),
    description=(
        "Imbalanced classification via major-to-minor translation (M2m) "
        "for Keras 3: TensorFlow, JAX and PyTorch"
    ),
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    author="The keras_m2m Authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="keras imbalanced-learning long-tailed-recognition over-sampling m2m",
    project_urls={"Paper": "https://arxiv.org/abs/2004.00431"},
    packages=setuptools.find_packages(include=["keras_m2m", "keras_m2m.*"]),
    package_data={"keras_m2m": ["py.typed", "*.json", "report/*.html"]},
    python_requires=">=3.11",
    install_requires=those("keras", "numpy"),
    extras_require={
        "tensorflow": those("tensorflow"),
        "jax": [JAX],
        "torch": [TORCH],
        "plots": those("matplotlib"),
        "smote": those("imbalanced-learn"),
        "report": REPORT,
        "sklearn": SKLEARN,
        "tables": TABLES,
        # Presets of keras_hub; models of keras.applications need nothing more.
        "pretrained": ["keras-hub>=0.32"],
        "tasks": [one for one in REQUIREMENTS if one not in DATASETS],
        "datasets": DATASETS,
        "library-tests": LIBRARY_TESTS,
        "docs": DOCS,
        # Sweeps of `tasks.table` on a cluster.
        "ray": [RAY],
        "tests": TESTS,
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
