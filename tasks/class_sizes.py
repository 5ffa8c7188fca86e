"""The class sizes of datasets, drawn as in the paper's Figure 3.

    python -m tasks.class_sizes --out=sizes.png \\
        "reuters --data_dir=PATH" "cifar_lt --rho=10" "folder --data_dir=PATH"

Each argument is a task with its flags, as it would be run; it is loaded and nothing is
trained. `--out` ends in .png or .svg.
"""

import logging
import sys
from pathlib import Path

from absl import app
from absl import flags

from keras_m2m import plots
from tasks import registry
from tasks.settings import parse
from tasks.task import Data
from tasks.task import UserError

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


def _main(arguments):
    # Else tensorflow-datasets logs each file that it reads.
    logging.getLogger("absl").setLevel(logging.ERROR)
    try:
        if not arguments[1:]:
            raise UserError("name a task, as in: python -m tasks.class_sizes digits_lt")
        if Path(_OUT.value).suffix not in (".png", ".svg"):
            raise UserError(f"--out={_OUT.value} must end in .png or .svg")
        loaded = [load(command) for command in arguments[1:]]
        counts = {data.source: data.class_counts for data in loaded}
        if len(counts) < len(loaded):
            raise UserError(f"the same data is named twice: {', '.join(counts)}")
        plots.class_sizes(counts).savefig(_OUT.value, dpi=120)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")
    for data in loaded:
        print(f"{data.source}: {' '.join(map(str, data.class_counts))}")
    print(f"The picture is {_OUT.value}")


if __name__ == "__main__":
    app.run(_main)
