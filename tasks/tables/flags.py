"""What can be asked of the tables' command: its flags."""

import sys

from absl import flags

from keras_m2m.checks.scalars import LARGEST_WHOLE
from tasks.experiment.names_flag import define_names
from tasks.tables import after2020

METRICS = "balanced_accuracy", "macro_f1", "min_recall", "accuracy"


def define_flags(values: flags.FlagValues) -> None:
    """Define the flags of the command.

    Args:
        values: Where absl keeps them.
    """
    define = {"flag_values": values, "module_name": sys.argv[0]}
    number = f"number of the paper's table, or {after2020.NAME}"
    flags.DEFINE_enum("table", None, [*"123456", after2020.NAME], number, **define)
    define_names("datasets", [], "tasks, by their names", **define)
    flags.DEFINE_string("task", None, "one task, for a report of your own", **define)
    flags.DEFINE_integer("seeds", 5, "number of seeds, from 0", 1, 1000, **define)
    rows = (
        "rows by loss, method and what is done after it, such as ce-erm,ce-erm+crt,"
        "ce-erm+adjust=auto, or ce-mixup-drs on mixed batches; or logistic, boosted or "
        "probe, which are no networks; by default all of the table"
    )
    define_names("rows", [], rows, **define)
    flags.DEFINE_boolean("found", False, "run nothing, show what is there", **define)
    flags.DEFINE_boolean("tune", False, "choose beta, lam, gamma first", **define)
    tuning = "the seed that --tune trains with, none of the table's"
    most = LARGEST_WHOLE - 2  # The teachers of an ensemble have the next two.
    flags.DEFINE_integer("tuning_seed", 1000, tuning, 0, most, **define)
    _define_places(define)
    _define_cluster(define)
    _define_wishes(define)


def _define_places(define):
    flags.DEFINE_string("results", "results", "folder of results", **define)
    runs = "folder of networks and checkpoints"
    flags.DEFINE_string("runs", "runs/table", runs, **define)
    figures = "draw the figures too: into OUT_figures, as PNG and SVG"
    flags.DEFINE_boolean("figures", False, figures, **define)
    out = (
        "where the table goes, without .md or .html; default RUNS/tableN, or "
        "RUNS/TASK-DATA"
    )
    flags.DEFINE_string("out", None, out, **define)


def _define_cluster(define):
    where = (
        "train on a Ray cluster: auto for the one that runs here or RAY_ADDRESS names, "
        "local for one of this machine alone, or HOST:PORT"
    )
    flags.DEFINE_string("ray", None, where, **define)
    most = 10_000
    cpus = "with --ray: processors that a training takes, or a share of one"
    flags.DEFINE_float("num_cpus", 1.0, cpus, 0.01, most, **define)
    gpus = (
        "with --ray: GPUs that a training takes, or a share of one, such as 0.5; by "
        "default 1 where the cluster has any"
    )
    flags.DEFINE_float("num_gpus", None, gpus, 0.0, most, **define)


def _define_wishes(define):
    """What the report of --task decides by."""
    maximise = "with --task: the metric that decisions are chosen for, on validation"
    metrics = [*METRICS]
    flags.DEFINE_enum("maximise", METRICS[0], metrics, maximise, **define)
    costs = (
        "with --task: a CSV of what confusions cost, to decide by that instead: a line "
        "for each true class and a column for each predicted one, by their names; or "
        "columns true, predicted and cost"
    )
    flags.DEFINE_string("cost", None, costs, **define)
    prior = (
        "with --task: class frequencies where the model will be used, if others than "
        "in the data: a CSV with columns class and share, or cat:0.9,dog:0.1"
    )
    flags.DEFINE_string("test_prior", None, prior, **define)
    curve = (
        "with --task: train the method that is advised on a quarter and on half of the "
        "samples too, which shows whether more would help"
    )
    flags.DEFINE_boolean("learning_curve", False, curve, **define)
