"""Packages `keras_m2m`, the library. `tasks` stays in the repository."""

import pathlib
import re

import setuptools

ROOT = pathlib.Path(__file__).parent
MATPLOTLIB = "matplotlib>=3.9"
SCIKIT_LEARN = "scikit-learn>=1.6"
IMBALANCED_LEARN = "imbalanced-learn>=0.14"
TENSORFLOW = "tensorflow>=2.21"
JINJA2 = "jinja2>=3.1"
JAX = "jax>=0.10"
REQUIREMENTS = [
    line.partition("#")[0].strip()
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line.partition("#")[0].strip()
]
# What makes vectors of tables.
TABLES = [
    one
    for one in REQUIREMENTS
    if one.startswith(("pandas", "pyarrow", "scikit-learn", "skops", "skrub"))
]
# What reads the data sets that need TensorFlow on any backend.
DATASETS = [
    one
    for one in REQUIREMENTS
    if one.startswith(("array_record", "importlib_resources", "tensorflow"))
]
TESTS = [
    *REQUIREMENTS,
    JAX,
    # One version, so that plain `pip install` may pick a CPU build where there is one.
    "torch==2.13.0",
    "hypothesis>=6.100",
    "markdown-it-py>=3.0",
    "mypy==2.4.1",
    "polars>=1.30",
    "pytest>=8.3",
    "pytest-xdist>=3.6",
    # Another version formats differently.
    "ruff==0.17.6",
    # tests/house/test_wheel.py builds a wheel without network.
    "setuptools>=77",
    "wheel",
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
    packages=setuptools.find_packages(include=["keras_m2m", "keras_m2m.*"]),
    package_data={"keras_m2m": ["py.typed", "report/*.html"]},
    python_requires=">=3.11",
    install_requires=["keras>=3.15.1", "numpy>=2.0"],
    extras_require={
        "tensorflow": [TENSORFLOW],
        "jax": [JAX],
        "torch": ["torch>=2.6"],
        "plots": [MATPLOTLIB],
        "smote": [IMBALANCED_LEARN],
        "report": [JINJA2, MATPLOTLIB, SCIKIT_LEARN],
        "sklearn": [SCIKIT_LEARN],
        "tables": TABLES,
        # Presets of keras_hub; models of keras.applications need nothing more.
        "pretrained": ["keras-hub>=0.32"],
        "tasks": [one for one in REQUIREMENTS if one not in DATASETS],
        "datasets": DATASETS,
        "tests": TESTS,
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
