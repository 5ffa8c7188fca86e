"""Datasets that are read through tensorflow-datasets."""

from importlib.util import find_spec

import pytest

from tasks import celeba5
from tasks import imagenet_lt
from tasks import sun397
from tasks.data import tfds
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse

pytestmark = pytest.mark.no_backend


@pytest.mark.parametrize(
    "task, missing",
    [
        (celeba5.TASK, "tensorflow"),
        (sun397.TASK, "tensorflow_datasets"),
        (imagenet_lt.TASK, "array_record"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    task, missing, monkeypatch, tmp_path
):
    def find(name):
        return None if name == missing else find_spec(name)

    monkeypatch.setattr(tfds, "find_spec", find)
    expected = rf"Not installed: {missing}\. Give `pip install '\.\[datasets\]'`"
    with pytest.raises(UserError, match=expected):
        task.load(parse(task, [f"--data_dir={tmp_path}"]))
