"""The paper's values as printed, and the runs that may stand beside them."""

import pytest

from tasks import celeba5
from tasks import cifar_lt
from tasks import folder
from tasks import imagenet_lt
from tasks import reuters
from tasks import sun397
from tasks import twitter
from tasks.experiment.settings import flags_of_the_run
from tasks.experiment.settings import parse
from tasks.tables import published

pytestmark = pytest.mark.no_backend

CIFAR10 = "cifar_lt_10 rho=100"


def flags(task, *arguments):
    return flags_of_the_run(parse(task, [*arguments]))


@pytest.mark.parametrize(
    "table, dataset, loss, method, printed",
    [
        (1, CIFAR10, "ce", "erm", (68.7, 1.43, 66.4, 1.69)),
        (1, CIFAR10, "ce", "m2m", (78.3, 0.16, 77.8, 0.16)),
        (1, "cifar_lt_10 rho=10", "ce", "cb_rw", (86.8, 0.49, 86.6, 0.53)),
        (1, "cifar_lt_100 rho=100", "ldam", "drw", (42.1, 0.09, 29.2, 0.27)),
        (1, "cifar_lt_100 rho=10", "focal", "erm", (55.3, 0.42, 50.7, 0.43)),
        (2, "celeba5", "ldam", "m2m", (75.9, 1.09, 75.0, 0.94)),
        (2, "sun397", "ce", "smote", (23.7, 0.09, 14.8, 0.39)),
        (2, "twitter", "focal", "erm", (74.2, 2.35, 70.4, 4.03)),
        (2, "reuters", "ldam", "m2m", (70.0, 0.68, 63.9, 0.49)),
        (6, "imagenet_lt", "ldam", "erm", (41.0, 0.07, 28.5, 0.11)),
    ],
)
def test_results_are_those_that_the_paper_prints(table, dataset, loss, method, printed):
    assert published.result(table, dataset, loss, method)[:4] == printed


@pytest.mark.parametrize(
    "table, method, printed",
    [
        (3, "m2m_pool10", (74.9, 0.29, 73.7, 0.33)),
        (4, "m2m_rs_rand", (71.6, 0.36, 70.3, 0.8, 93.6, 2.34, 66.1, 1.04)),
        (5, "m2m_ensemble", (78.5, 0.2, 78.0, 0.22)),
    ],
)
def test_ablations_are_those_that_the_paper_prints(table, method, printed):
    none = (None,) * (8 - len(printed))
    assert published.ablation(table, "ce", method) == (*printed, *none)


def test_the_paper_prints_two_spreads_of_the_same_score():
    spreads = [
        published.result(1, CIFAR10, "ce", "drs").gm_std,
        published.ablation(5, "ce", "drs").gm_std,
    ]
    assert spreads == [0.17, 0.32]


@pytest.mark.parametrize("loss, method", published.rows(4))
def test_balanced_accuracy_follows_from_major_and_minor_but_for_one_row(loss, method):
    value = published.ablation(4, loss, method)
    # Two of the ten classes are major. Each figure is rounded to 0.1.
    agrees = abs((2 * value.major + 8 * value.minor) / 10 - value.bacc) < 0.1 + 1e-9
    assert agrees == (method != "m2m_clean")


def test_every_row_of_a_table_has_every_dataset():
    assert [len(published.rows(table)) for table in (1, 2, 6)] == [11, 11, 6]
    datasets = {
        1: [f"cifar_lt_{k} rho={rho}" for k in (10, 100) for rho in (100, 10)],
        2: ["celeba5", "sun397", "twitter", "reuters"],
        6: ["imagenet_lt"],
    }
    missing = [
        (table, dataset, *row)
        for table, names in datasets.items()
        for dataset in names
        for row in published.rows(table)
        if published.result(table, dataset, *row) is None
    ]
    assert missing == []


def test_what_the_paper_does_not_have_is_none():
    assert published.result(1, CIFAR10, "focal", "m2m") is None
    assert published.ablation(3, "ce", "m2m_rs") is None


@pytest.mark.parametrize(
    "task, arguments, label",
    [
        (cifar_lt, [], CIFAR10),
        (cifar_lt, ["--rho=10"], "cifar_lt_10 rho=10"),
        (cifar_lt, ["--dataset=cifar100"], "cifar_lt_100 rho=100"),
        (celeba5, [], "celeba5"),
        (sun397, ["--method=rs", "--loss=ldam"], "sun397"),
        (twitter, ["--embeddings=vectors.txt"], "twitter"),
        (reuters, ["--beta=0.99", "--seed=4"], "reuters"),
        (imagenet_lt, [], "imagenet_lt"),
    ],
)
def test_a_run_by_the_papers_protocol_has_its_dataset(task, arguments, label):
    found = flags(task.TASK, *arguments)
    assert published.dataset_label(task.TASK.name, found) == label
    assert published.departures(task.TASK, found) == []


@pytest.mark.parametrize(
    "task, argument",
    [
        (cifar_lt, "--rho=50"),
        (cifar_lt, "--protocol=field"),
        (cifar_lt, "--imbalance=step"),
        (cifar_lt, "--preset=small"),
        (celeba5, "--subsample=1"),
        (reuters, "--features=log"),
        (reuters, "--noverify"),
        (imagenet_lt, "--network=resnet8"),
    ],
)
def test_a_run_of_another_protocol_is_told(task, argument):
    assert published.departures(task.TASK, flags(task.TASK, argument))


def test_it_is_told_what_another_protocol_is():
    changed = flags(reuters.TASK, "--epochs=20", "--drops=9:0.1", "--step_size=0.5")
    assert published.departures(reuters.TASK, changed) == [
        "epochs 20, not 15",
        "drops 9:0.1, not 10:0.1",
        "step_size 0.5, not 1",
    ]


def test_a_dataset_of_the_users_own_has_no_published_values():
    assert published.dataset_label("folder", {"protocol": "m2m"}) is None
    expected = ["the paper has no such dataset"]
    assert published.departures(folder.TASK, {}) == expected
