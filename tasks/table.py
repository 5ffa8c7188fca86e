"""The paper's tables from runs of our own, beside what the paper reports.

    python -m tasks.table --table=2 --datasets=reuters,twitter --seeds=5 --tune
    python -m tasks.table --table=5 --seeds=5 "reuters --data_dir=PATH"
    python -m tasks.table --task=folder --data_dir=PATH --seeds=5

A cell of a table, a training by a loss and a method from a seed, is run once: its
result is a small file in `--results`, under all that its numbers follow from. What is
there is not run again, and a command that was cut off goes on when it is given again.
`--found` runs nothing and loads no data: it makes the table of what is there.

Datasets are named by `--datasets`, or each in quotes with flags of its task. All other
flags go to every task: `--preset=small`, `--epochs=30`. The table is printed as Markdown
and written beside a page with plots, `--out`.md and .html.

`--tune` first chooses beta, lam and gamma for each loss from the paper's grid, on the
validation set with a seed of its own, `--tuning_seed`; see `tasks/tuning.py`.

`--task` is for data of your own: all methods of Table 2 or those of `--rows`, which one
wins, and whether its lead is more than noise.
"""

import logging
import sys
import warnings
from pathlib import Path

from absl import app
from absl import flags
from tqdm import tqdm

from tasks import devices
from tasks.selection import Selection
from tasks.selection import choose
from tasks.streams import own_errors
from tasks.tables import paper
from tasks.tables.markdown import markdown
from tasks.tables.page import page
from tasks.task import UserError

_FLAGS = flags.FlagValues()
