"""The picture of class sizes, and the command that draws it."""

import numpy as np
import pytest

from keras_m2m import long_tailed_counts
from keras_m2m import plots
from tasks import class_sizes
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend


def test_a_histogram_goes_from_the_largest_class_to_the_smallest():
    figure = plots.class_sizes({"made": [5, 500, 50]})
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [500, 50, 5]
    assert figure.axes[0].get_yscale() == "log"


def test_each_dataset_has_its_own_histogram_and_title():
    counts = {"one": [9, 3], "two $x$": [8, 8, 4], "three": [2, 1], "four": [5, 5]}
    figure = plots.class_sizes(counts)
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split("\n")[0].replace("\\", "") for title in titles] == [*counts]
    assert "3 classes, 20 samples, ρ 2" in titles[1]


def test_long_titles_do_not_run_into_each_other(tmp_path):
    name = "word vectors of fifty dimensions from a file of a long name, by hand"
    figure = plots.class_sizes({f"{name} {i}": [100, 10, 1] for i in range(6)})
    figure.savefig(tmp_path / "sizes.png")
    boxes = [axes.title.get_window_extent() for axes in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("counts", [{}, [100, 10], None])
def test_no_dataset_is_an_error(counts):
    with pytest.raises(ValueError, match="must map at least one name"):
        plots.class_sizes(counts)


def test_the_command_loads_a_task_with_its_flags():
    data = class_sizes.load("digits_lt --rho=4 --largest=40")
    np.testing.assert_array_equal(data.class_counts, long_tailed_counts(40, 10, 4))


@pytest.mark.parametrize(
    "command, message",
    [
        ("imagenet", "is no task"),
        ("", "is no task"),
        ("digits_lt --rho=0", "rho"),
        ("folder 'x", "is no command line"),
    ],
)
def test_a_mistake_in_the_command_says_so(command, message):
    with pytest.raises(UserError, match=message):
        class_sizes.load(command)
