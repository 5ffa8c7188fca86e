"""One run from the command line to the results: g, f, evaluation, pictures."""

import time
from pathlib import Path

import keras
from absl import app
from absl import flags

from keras_m2m.m2m_model import check_networks
from tasks.data.streams import own_errors
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import LOSSES
from tasks.experiment.recipes import METHODS
from tasks.experiment.settings import Settings
from tasks.experiment.settings import define_flags
from tasks.experiment.settings import read_settings
from tasks.experiment.task import Task
from tasks.records import folder_lock
from tasks.records import reports
from tasks.records import run_folder
from tasks.runs import commands
from tasks.runs.data_checks import missing
from tasks.runs.dry_run import print_plan
from tasks.training import devices
from tasks.training.determinism import make_deterministic
from tasks.training.evaluation import evaluate
from tasks.training.train import train


def main(task: Task) -> None:
    """Run a task from the command line; a user's mistake ends with one message.

    Args:
        task: The dataset's `Task`.
    """
    define_flags(task, flags.FLAGS)
    commands.prepare()

    def run_flags(arguments):
        if len(arguments) > 1:
            raise app.UsageError(f"unexpected argument: {arguments[1]}")
        settings = commands.call(lambda: read_settings(task, flags.FLAGS))
        commands.call(lambda: run(task, settings), lambda: _how_to_go_on(settings))

    app.run(run_flags)


def _how_to_go_on(settings):
    if settings.dry_run:
        return "A dry run saves nothing"
    command = commands.again("--resume", without="--overwrite")
    return f"{run_folder.saved(settings)}:\n  {command}"


def run(task: Task, settings: Settings) -> dict[str, dict]:
    """Train `settings.method`, and those to compare it with, and write results.

    Args:
        task: The dataset's `Task`.
        settings: The value of every flag.

    Returns:
        The result per method, as in `result.json`; that of `--method` is last.

    Raises:
        UserError: If the data, `g`, the output folder or the devices do not allow
            the run.
    """
    if settings.deterministic:
        make_deterministic()
    try:
        with devices.chosen_devices(settings), own_errors():
            return _run(task, settings)
    except OSError as error:
        raise UserError(
            f"A file of the run cannot be written or read: {error}. "
            f"{run_folder.saved(settings)}"
        ) from error


def _run(task, settings):
    _check_g_is_a_file(settings.g)
    if settings.dry_run:
        return _run_in(None, task, settings)
    folder = run_folder.make(settings)
    with folder_lock.held(folder):
        return _run_in(folder, task, settings)


def _run_in(folder, task, settings):
    began = time.perf_counter()
    data = task.load(settings)
    timing = {"load": time.perf_counter() - began}
    print(_describe(data, settings), flush=True)
    methods = [m for m in settings.compare if m != settings.method]
    methods.append(settings.method)
    _check_data(data, settings, methods)
    if settings.dry_run:
        print_plan(task, data, settings, methods)
        return {}
    places = {m: folder if m == settings.method else folder / m for m in methods}
    described = run_folder.start(folder, settings, data)
    if described is None:
        print(
            f"This run is finished. Its results are in {folder}; --overwrite trains it "
            "again"
        )
        return {method: reports.read_result(place) for method, place in places.items()}
    results, about_g = _train_all(task, data, settings, places, timing, began)
    run_folder.finish(folder, described)
    shown = {"g (erm)": about_g["scores"], **results} if about_g else results
    print(f"\n{_title(data, settings)}\n\n{reports.table(shown)}\n")
    print("GM*: a recall of zero counts as 0.001. accepted: of the translations.")
    print(f"Results are in {folder}")
    return results


def _check_data(data, settings, methods):
    for method in methods:
        what = missing(method, settings.loss, data)
        if what:
            flags = f"--method={method} --loss={settings.loss}"
            raise UserError(f"{flags} needs {what}. Received: {data.source}")


def _train_all(task, data, settings, places, timing, began):
    """Results by method, and what they say of g; all are written to `places`."""
    g, about_g, results = None, None, {}
    if any(METHODS[method].translate for method in places):
        folder = places[settings.method]
        g, about_g = _get_g(task, data, settings, folder, timing)
    for method, place in places.items():
        own = settings.replace(method=method)
        print(f"\n{method}: {METHODS[method].about}", flush=True)
        trained = train(task, data, own, place, g)
        result = reports.result_of(trained, data, own, about_g, timing)
        results[method] = result
        _write(place, trained, data, results, began)
        _tell_if_tested_early(own, trained.tested_epoch)
    return results, about_g


def _get_g(task, data, settings, folder, timing):
    """The frozen classifier, loaded or trained, and what the result says of it."""
    began = time.perf_counter()
    if settings.g:
        path, seed = Path(settings.g), None
        g = _load_g(path, task, data, settings)
        print(f"g is {path}", flush=True)
    else:
        path, seed = folder / "g.keras", settings.seed + 1
        print(f"\ng: plain training from seed {seed}", flush=True)
        own = settings.replace(method="erm", loss=LOSSES[settings.loss].of_g, seed=seed)
        g = train(task, data, own, folder / "g").f
        devices.save(g, path)
        print(f"g is saved as {path}; --g={path} uses it again", flush=True)
    timing["g"] = time.perf_counter() - began
    scores = evaluate(g, *data.test, data.class_counts)
    return g, {"path": settings.g or path.name, "seed": seed, "scores": scores}


def _check_g_is_a_file(g):
    if g and not (g.endswith(".keras") and Path(g).is_file()):
        raise UserError(f"--g={g} is no file that ends in .keras")


def _load_g(path, task, data, settings):
    try:
        # In Keras' safe mode, which runs no code out of the file.
        g = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a file it cannot read.
        reason = str(error).partition("\n")[0]
        raise UserError(f"--g={path} is no model that Keras loads: {reason}") from error
    try:
        check_networks(task.build(data, "dense", settings), g, len(data.class_names))
    except ValueError as error:
        raise UserError(f"--g={path} does not fit the data: {error}") from error
    return g


def _tell_if_tested_early(settings, tested_epoch):
    if METHODS[settings.method].deferred and tested_epoch < settings.defer_epoch:
        print(
            f"note: the best validation epoch, {tested_epoch}, is one of plain "
            f"training, so that {settings.method} is tested before it began"
        )


def _write(folder, trained, data, results, began):
    folder.mkdir(parents=True, exist_ok=True)
    *_, result = results.values()
    devices.save(trained.f, folder / "f.keras")
    reports.write_history(folder, trained.history)
    reports.write_pictures(folder, results, data)
    if data.are_images and trained.model is not trained.f:
        figure = reports.translations(trained.model, data)
        if figure is not None:
            reports.save_picture(figure, folder / "translations.png")
    result["timing"]["total"] = time.perf_counter() - began
    reports.write_result(folder, result)


def _title(data, settings):
    return (
        f"{settings.task}: {data.source}; loss {settings.loss}, seed {settings.seed}, "
        f"protocol {settings.protocol}, {keras.config.backend()}; test set, in percent"
    )


def _describe(data, settings):
    counts = data.class_counts
    ratio = counts.max() / counts.min()
    held_out = 0 if data.validation is None else len(data.validation[1])
    return (
        f"{data.source}\n{counts.sum()} training samples of {len(counts)} classes, "
        f"{counts.max()} to {counts.min()} each (ratio {ratio:g}); "
        f"{held_out} for validation, {len(data.test[1])} for the test"
    )
