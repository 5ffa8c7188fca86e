"""The class sizes of datasets, drawn as in the paper's Figure 3.

    python -m tasks.class_sizes --out=sizes.png \\
        "reuters --data_dir=PATH" "cifar_lt --rho=10" "folder --data_dir=PATH"

Each argument is a task with its flags, as it would be run; it is loaded and nothing is
trained. `--out` ends in .png or .svg.
"""

from pathlib import Path

from absl import flags

from keras_m2m import plots
from tasks import registry
from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.experiment.paths import read_path
from tasks.experiment.settings import parse
from tasks.experiment.task import Data
from tasks.runs import commands

_OUT = flags.DEFINE_string("out", "class_sizes.png", "the picture to write")


def load(command: str) -> Data:
    """The data of a task.

    Args:
        command: Its name, then its flags, as in `"cifar_lt --rho=10"`.

    Returns:
        `Data`.

    Raises:
        UserError: If there is no such task, or its flags or its data are wrong.
    """
    task, arguments = registry.find(command)
    return task.load(parse(task, arguments))


def _draw(arguments):
    if not arguments:
        raise UserError("name a task, as in: python -m tasks.class_sizes digits_lt")
    out = Path(read_path("out", _OUT.value))
    if out.suffix not in (".png", ".svg"):
        raise UserError(f"--out={out} must end in .png or .svg")
    loaded = [load(command) for command in arguments]
    counts = {data.source: data.class_counts for data in loaded}
    if len(counts) < len(loaded):
        raise UserError(f"the same data is named twice: {', '.join(counts)}")
    with whole_files.aside(out) as part:
        plots.class_sizes(counts).savefig(part, dpi=120)
    for data in loaded:
        print(f"{data.source}: {' '.join(map(str, data.class_counts))}")
    print(f"The picture is {out}")


if __name__ == "__main__":
    commands.main(_draw)
