"""The paper's tables from runs of our own, beside what the paper reports.

python -m tasks.table --table=2 --datasets=reuters,twitter --seeds=5 --tune
python -m tasks.table --table=5 --seeds=5 "reuters --data_dir=PATH"
python -m tasks.table --task=folder --data_dir=PATH --seeds=5
"""

import importlib
import logging
import shlex
import warnings
from pathlib import Path
from typing import NamedTuple

from absl import app
from absl import flags
from tqdm import tqdm

from tasks import tuning
from tasks.ablations import method_of
from tasks.cells import Cells
from tasks.settings import Settings
from tasks.settings import parse

_TABLE = flags.DEFINE_integer("table", 2, "number of the paper's table", 1, 6)
_DATASETS = flags.DEFINE_list("datasets", [], "tasks by name")
_SEEDS = flags.DEFINE_integer("seeds", 5, "number of seeds, from 0", 1)
_ROWS = flags.DEFINE_list("rows", [], "such as ce-erm,ce-m2m; all without it")
_RESULTS = flags.DEFINE_string("results", "results", "folder for results, a file each")
_RUNS = flags.DEFINE_string("runs", "runs/table", "folder for networks and checkpoints")
_TUNE = flags.DEFINE_boolean("tune", False, "choose beta, lam, gamma on validation")
_TUNING_SEED = flags.DEFINE_integer("tuning_seed", 1000, "seed that --tune trains with")

_MAIN = [
    *(f"ce-{m}" for m in ("erm", "rs", "smote", "rw", "cb_rw", "drs", "m2m")),
    *("focal-erm", "ldam-erm", "ldam-drw", "ldam-m2m"),
]
_POOLS = [f"ce-m2m_pool{size}" for size in (10, 50, 100, 200, 500)]
_TABLE_4 = ("m2m_lam0", "m2m_clean", "rs", "m2m_rs", "m2m_rs_rand", "m2m")
_TABLE_5 = ("drs", "m2m_self", "m2m_no_reject", "m2m_no_threshold", "m2m")
ROWS = {
    1: _MAIN,
    2: _MAIN,
    3: [*_POOLS, "ce-m2m"],
    4: [f"ce-{method}" for method in _TABLE_4],
    5: [*(f"ce-{method}" for method in _TABLE_5), "ce-m2m_ensemble"],
    6: ["ce-erm", "ce-drs", "ce-m2m", "ldam-erm", "ldam-drw", "ldam-m2m"],
}


class Column(NamedTuple):
    """A dataset of a table."""

    cells: Cells
    arguments: list[str]

    def settings(self, row: str, seed: int) -> Settings:
        loss, method = row.split("-")
        own = [*self.arguments, f"--loss={loss}", f"--seed={seed}"]
        return parse(self.cells.task, own).replace(method=method)


def open_column(command: str, common: list[str], results: Path, runs: Path) -> Column:
    name, *own = shlex.split(command)
    task = importlib.import_module(f"tasks.{name}").TASK
    arguments = [*common, *own]
    data = task.load(parse(task, arguments))
    return Column(Cells(task, data, results, runs), arguments)


def _main(arguments):
    logging.getLogger("absl").setLevel(logging.ERROR)
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    common = [argument for argument in arguments[1:] if argument.startswith("--")]
    commands = [argument for argument in arguments[1:] if argument not in common]
    folders = Path(_RESULTS.value), Path(_RUNS.value)
    columns = [open_column(c, common, *folders) for c in [*_DATASETS.value, *commands]]
    rows = _ROWS.value or ROWS[_TABLE.value]
    plan = []
    for column in columns:
        tuned = {}
        for row in rows:
            settings = column.settings(row, _TUNING_SEED.value)
            method = method_of(settings.method)
            if method.translate and _TUNE.value and settings.loss not in tuned:
                own = settings.replace(method="m2m")
                tuned[settings.loss] = tuning.tune(column.cells, own)
        for seed in range(_SEEDS.value):
            for row in rows:
                settings = column.settings(row, seed)
                method = method_of(settings.method)
                if method.translate:
                    settings = settings.replace(**tuned.get(settings.loss, {}))
                plan.append((column, settings.replace(**method.flags)))
    for column, settings in tqdm(plan, unit="cell"):
        result = column.cells.result(settings)
        print(column.cells.name(settings), result.get("balanced_accuracy"), flush=True)


if __name__ == "__main__":
    app.run(_main, flags_parser=lambda argv: flags.FLAGS(argv, known_only=True))
