import doctest
import inspect
import pathlib
import re

import keras
import numpy as np
import pytest

import keras_m2m
from keras_m2m import decisions
from keras_m2m import heads
from keras_m2m import plots
from keras_m2m import pretrained
from keras_m2m import report
from keras_m2m import sklearn
from keras_m2m import tabular
from keras_m2m import translation

ROOT = pathlib.Path(__file__).parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"
CITATION = ROOT / "CITATION.cff"
INDEX = ROOT / "docs" / "api.md"
OF_HEADS = {f"heads.{name}": getattr(heads, name, None) for name in heads.__all__}
OF_DECISIONS = {f"decisions.{n}": getattr(decisions, n) for n in decisions.__all__}
OF_REPORT = {f"report.{name}": getattr(report, name) for name in report.__all__}
OF_TABULAR = {f"tabular.{name}": getattr(tabular, name) for name in tabular.__all__}
OF_SKLEARN = {f"sklearn.{name}": getattr(sklearn, name) for name in sklearn.__all__}
OF_PRETRAINED = {
    f"pretrained.{name}": getattr(pretrained, name) for name in pretrained.__all__
}
PUBLIC = {name: getattr(keras_m2m, name, None) for name in keras_m2m.__all__}
PUBLIC |= OF_HEADS | OF_TABULAR | OF_SKLEARN | OF_DECISIONS | OF_REPORT
PUBLIC |= OF_PRETRAINED
FUNCTIONS = {name: o for name, o in PUBLIC.items() if inspect.isfunction(o)}
CLASSES = {name: o for name, o in PUBLIC.items() if inspect.isclass(o)}


def sections(documented):
    """The titles of a docstring's sections, as `Args` in `Args:`."""
    text = inspect.getdoc(documented) or ""
    return set(re.findall(r"^([A-Z][a-z ]+):", text, re.MULTILINE))


def signature(public):
    """Of a function, or of what a class is made with."""
    if not inspect.isclass(public):
        return inspect.signature(public)
    maker = "__init__" if "__init__" in vars(public) else "__new__"
    parameters = inspect.signature(vars(public)[maker]).parameters.values()
    return inspect.Signature(list(parameters)[1:])


def functions(namespace):
    """Public functions that are defined in a module or a class."""
    home = getattr(namespace, "__module__", namespace.__name__)
    for name, value in vars(namespace).items():
        function = inspect.unwrap(getattr(value, "fget", value))
        is_public = name == "__call__" or not name.startswith("_")
        if is_public and inspect.isfunction(function) and function.__module__ == home:
            yield function


def methods(public):
    """Those of a class and of its bases in this package; properties too."""
    own = [each for each in public.__mro__ if each.__module__.startswith("keras_m2m.")]
    return [function for each in own for function in functions(each)]


def is_typed(function):
    """Whether all parameters but `self` and the result have types."""
    found = inspect.signature(function)
    untyped = [p for p in found.parameters.values() if p.annotation is p.empty]
    return {p.name for p in untyped} <= {"self", "cls"} and (
        found.return_annotation is not found.empty
    )


@pytest.mark.no_backend
@pytest.mark.parametrize("name", PUBLIC)
def test_an_example_runs_after_the_imports_that_are_promised(name):
    finder = doctest.DocTestFinder(recurse=False)
    modules = {"keras": keras, "np": np, "keras_m2m": keras_m2m}
    packages = (decisions, heads, pretrained, report, tabular)
    own = [(package, n) for package in packages for n in package.__all__]
    known = {**modules, **PUBLIC, **{n: getattr(package, n) for package, n in own}}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    for test in finder.find(PUBLIC[name], name, globs=known):
        assert runner.run(test).failed == 0


def test_every_public_name_is_a_function_or_a_class():
    assert FUNCTIONS.keys() | CLASSES.keys() == PUBLIC.keys()


@pytest.mark.parametrize(
    "package",
    [keras_m2m, decisions, heads, pretrained, report, sklearn, tabular],
    ids=lambda p: p.__name__,
)
def test_public_names_are_sorted_and_unique(package):
    assert package.__all__ == sorted(set(package.__all__))


def test_every_class_and_function_of_the_package_is_listed():
    own = {
        name
        for name, value in vars(keras_m2m).items()
        if (inspect.isfunction(value) or inspect.isclass(value))
        and not name.startswith("_")
    }
    assert own == set(keras_m2m.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_document_arguments_results_errors_and_use(name):
    needed = {"Args", "Raises", "Example"}
    if signature(FUNCTIONS[name]).return_annotation is not None:
        needed.add("Returns")
    assert needed <= sections(FUNCTIONS[name])


@pytest.mark.parametrize("name", CLASSES)
def test_classes_document_what_they_are_made_with(name):
    found = sections(CLASSES[name])
    assert {"Args", "Raises", "Example"} <= found or "Attributes" in found


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_is_documented(name):
    text = inspect.getdoc(PUBLIC[name])
    for parameter in signature(PUBLIC[name]).parameters.values():
        stars = {parameter.VAR_KEYWORD: r"\*\*"}.get(parameter.kind, "")
        assert re.search(rf"^ +{stars}{parameter.name}: ", text, re.MULTILINE)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_has_a_type(name):
    for parameter in signature(PUBLIC[name]).parameters.values():
        assert parameter.annotation is not parameter.empty, parameter.name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_result_has_a_type(name):
    assert signature(FUNCTIONS[name]).return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_of_a_public_class_has_types(name):
    assert [each for each in methods(CLASSES[name]) if not is_typed(each)] == []


def test_the_equations_have_types():
    assert [each for each in functions(translation) if not is_typed(each)] == []


def test_the_version_is_the_newest_in_the_changelog_and_the_one_to_cite():
    newest = re.search(r"^## \[(\d.*?)\] - (.+)$", CHANGELOG.read_text(), re.MULTILINE)
    cited = dict(re.findall(r"^([\w-]+): (.+)$", CITATION.read_text(), re.MULTILINE))
    assert newest.groups() == (cited["version"], cited["date-released"])
    assert keras_m2m.__version__ == newest[1]


def test_the_index_has_each_exported_name_once():
    listed = re.findall(r"^\| `([\w.]+)` \|", INDEX.read_text(), re.MULTILINE)
    exported = [*PUBLIC, *(f"plots.{name}" for name in plots.__all__)]
    assert sorted(listed) == sorted(exported)
