"""What of a sweep comes before what."""

import pytest

from helpers import tiny
from keras_m2m.recipes.after import read_after
from tasks.records.trainings import Trainings
from tasks.runs.graph import Graph

pytestmark = pytest.mark.no_backend


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph")
    data = tiny.blobs(tiny.settings())
    return Trainings(tiny.TASK, data, path / "results", path / "runs")


def graph_of(cells, *wanted):
    """The steps of some settings: by short name, those that each needs."""
    graph = Graph()
    for settings in wanted:
        graph.add(None, cells, settings)
    short = short_names(graph.steps, cells.runs)
    return {short[n]: [short[o] for o in s.needs] for n, s in graph.steps.items()}


def short_names(names, runs):
    """Such as `starts/erm 0`, of `.../starts/erm-ce-seed0-DIGEST`."""
    found = {}
    for name in names:
        method, _, seed, _ = name.removeprefix(f"{runs}/").split("-")
        short = f"{method} {seed.removeprefix('seed')}"
        found[name] = f"{short}'" if short in found.values() else short
    return found


def method(name, seed=0, **changes):
    return tiny.settings(method=name, seed=seed, **changes)


def test_m2m_needs_g_of_the_next_seed_and_its_own_plain_epochs(cells):
    assert graph_of(cells, method("m2m")) == {
        "starts/erm 1": [],
        "erm 1": ["starts/erm 1"],
        "starts/erm 0": [],
        "m2m 0": ["erm 1", "starts/erm 0"],
    }


def test_what_several_need_is_made_once(cells):
    wanted = [method(name, seed) for seed in (0, 1) for name in ("erm", "drs", "m2m")]
    assert graph_of(cells, *wanted) == {
        **{f"starts/erm {seed}": [] for seed in (0, 1, 2)},
        **{f"erm {seed}": [f"starts/erm {seed}"] for seed in (0, 1, 2)},
        **{f"drs {seed}": [f"starts/erm {seed}"] for seed in (0, 1)},
        **{f"m2m {s}": [f"erm {s + 1}", f"starts/erm {s}"] for s in (0, 1)},
    }


def test_a_training_that_is_not_deferred_begins_by_itself(cells):
    assert graph_of(cells, method("rs")) == {"rs 0": []}
    assert graph_of(cells, method("erm", defer_epoch=0)) == {"erm 0": []}


def test_each_step_is_behind_those_that_it_needs(cells):
    graph = Graph()
    for name in ("m2m_ensemble", "m2m", "erm"):
        graph.add(None, cells, method(name))
    order = [*graph.steps]
    for name, step in graph.steps.items():
        assert all(order.index(need) < order.index(name) for need in step.needs)
    assert [s.settings.seed for s in graph.steps.values() if s.needs] == [1, 2, 0, 0, 0]


def test_a_training_that_is_needed_and_wanted_is_tested_too(cells):
    graph = Graph()
    graph.add(None, cells, method("m2m"))
    name = graph.add(None, cells, method("erm", seed=1))
    assert graph.steps[name].make is Trainings.result
    assert [step.make for step in graph.steps.values()].count(Trainings.result) == 2


def test_what_is_done_after_a_training_needs_that_alone(cells):
    adjusted = method("rs").followed_by(read_after("adjust"))
    found = graph_of(cells, adjusted, method("rs"), method("probe"))
    assert found == {
        "rs 0": [],
        "rs 0'": ["rs 0"],
        "starts/erm 0": [],
        "erm 0": ["starts/erm 0"],
        "probe 0": ["erm 0"],
    }


def test_what_is_trained_is_no_step_and_nor_is_what_it_began_with(cells, monkeypatch):
    from tasks.runs import graph

    trained = {"erm"}

    def known(folder):
        return {} if folder.name.partition("-")[0] in trained else None

    monkeypatch.setattr(graph, "known", known)
    assert graph_of(cells, method("m2m")) == {
        "starts/erm 0": [],
        "m2m 0": ["starts/erm 0"],
    }
    trained.add("m2m")  # But not tested.
    assert graph_of(cells, method("m2m")) == {"m2m 0": []}
