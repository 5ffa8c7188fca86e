"""References are records like others, found again by what they follow from."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from helpers import tiny
from keras_m2m import heads
from tasks.records.trainings import Trainings
from tasks.training import references

pytestmark = pytest.mark.usefixtures("untraced")


def cells(path):
    data = tiny.blobs(tiny.settings())
    return Trainings(tiny.TASK, data, path / "results", path / "runs")


def of(method, **changes):
    return tiny.settings(method=method, **changes)


@pytest.mark.no_backend
@pytest.mark.parametrize("method", ["logistic", "boosted"])
def test_scores_are_those_of_its_predictions(method, tmp_path):
    own = cells(tmp_path)
    result = own.result(of(method))
    _, p, y, p_test = own.references.fitted(of(method)).predictions
    found = balanced_accuracy_score(y, p_test.argmax(axis=1))
    assert result["balanced_accuracy"] == pytest.approx(found)
    assert len(p) == len(own.data.validation[1])
    assert result["timing"]["fit"] > 0


@pytest.mark.no_backend
def test_what_is_done_is_found_whatever_networks_are_trained_by(tmp_path, monkeypatch):
    own = cells(tmp_path)
    result = own.result(of("logistic"))
    monkeypatch.setattr(references, "fit", None)
    again = cells(tmp_path)
    assert again.result(of("logistic", epochs=9, batch_size=7)) == result
    assert "epochs" not in result["flags"]
    assert "backend" not in result  # It has none.


@pytest.mark.no_backend
def test_other_data_is_another_cell(tmp_path):
    own = cells(tmp_path)
    own.result(of("logistic"))
    data = tiny.two_blobs(tiny.settings())
    other = Trainings(tiny.TASK, data, tmp_path / "results", tmp_path / "runs")
    assert other.find(of("logistic")) is None


@pytest.mark.no_backend
def test_seeds_of_logistic_regression_have_one_fit(tmp_path, monkeypatch):
    own, fit, fitted = cells(tmp_path), references.fit, []

    def counted(name, *arguments):
        fitted.append(name)
        return fit(name, *arguments)

    monkeypatch.setattr(references, "fit", counted)
    first = own.result(of("logistic", seed=0))
    own.result(of("boosted"))
    second = own.result(of("logistic", seed=1))
    assert fitted == ["logistic", "boosted"]
    assert [first["seed"], second["seed"]] == [0, 1]


def test_a_probe_is_logistic_regression_on_the_features_of_erm(tmp_path):
    own = cells(tmp_path)
    result = own.result(of("probe"))
    f = own.network(of("erm"))
    features = [heads.features(f, x).values for x, _ in (own.data.train, own.data.test)]
    predict = references.fit("logistic", features[0], own.data.train[1], 0)
    found = own.references.fitted(of("probe")).predictions.p_test
    np.testing.assert_allclose(found, predict(features[1]), atol=1e-5)
    assert result["flags"]["epochs"] == 3
    assert own.find(of("probe", epochs=2)) is None
