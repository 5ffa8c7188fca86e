"""One run: trainings that are found or made, and a folder that shows them.

trainings/, records/   what is trained, as a table keeps it; see records/trainings.py
README.md, result.json, f.keras, history.csv, pictures
                       of `--method`; in METHOD/ of a compared one
crt/, adjust=1/        of what `--head` or `--adjust` makes of it, in the same place
g.keras                the frozen classifier of M2m
preprocessing.skops    what makes vectors of the rows of a table, beside each f.keras
training_features.npz  what photographs are compared with by `tasks.predict`, likewise
"""

import shutil
import time
import warnings
from pathlib import Path

import keras
from absl import flags

from keras_m2m.recipes import HEADS
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import NOTHING
from tasks.data import whole_files
from tasks.data.streams import own_errors
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import mixed_name
from tasks.experiment.settings import Settings
from tasks.experiment.settings import define_flags
from tasks.experiment.settings import read_settings
from tasks.experiment.task import Task
from tasks.records import folder_lock
from tasks.records import records
from tasks.records import served
from tasks.records.identity import differences
from tasks.records.teachers import given
from tasks.records.teachers import teachers
from tasks.records.trainings import Trainings
from tasks.runs import card
from tasks.runs import commands
from tasks.runs import following
from tasks.runs import pictures
from tasks.runs.about_data import description
from tasks.runs.about_data import notes_on_rare
from tasks.runs.data_checks import check_methods
from tasks.runs.dry_run import print_plan
from tasks.training import devices
from tasks.training.determinism import make_deterministic
from tasks.training.evaluation import evaluate


def main(task: Task) -> None:
    """Run a task from the command line; a user's mistake ends with one message.

    Args:
        task: The dataset's `Task`.
    """
    define_flags(task, flags.FLAGS)
    commands.main(lambda rest: run(task, _settings(task, rest)), _how_to_go_on)


def _settings(task, rest):
    if rest:
        raise UserError(f"unexpected argument: {rest[0]}")
    return read_settings(task, flags.FLAGS)


def _how_to_go_on():
    # What --overwrite removes is removed by now.
    command = commands.again(without=["--overwrite"])
    return f"What is trained stays, up to the last whole epoch. To go on:\n  {command}"


def run(task: Task, settings: Settings) -> dict[str, dict]:
    """Train `settings.method`, and those to compare it with, and write results.

    Args:
        task: The dataset's `Task`.
        settings: The value of every flag.

    Returns:
        The result per method, as in `result.json`, and as `"erm + cRT"` that of what is
        done after its training; those of `--method` are last.

    Raises:
        UserError: If the data, `g`, the output folder or the devices do not allow
            the run.
    """
    if settings.resume:
        print(
            "note: --resume is no longer needed, and goes in 0.3.0: "
            "the same command goes on"
        )
    if settings.deterministic:
        make_deterministic()
    try:
        with devices.chosen_devices(settings) as leads, own_errors():
            return (_run if leads else following.follow)(task, settings)
    except OSError as error:
        raise UserError(
            f"A file of the run cannot be written or read: {error}. What is trained "
            "stays, up to the last whole epoch: the same command goes on"
        ) from error


def _run(task, settings):
    _check_g_is_a_file(settings.g)
    if settings.dry_run:
        print_plan(task, _load(task, settings), settings, _methods(settings))
        return {}
    began, folder = time.perf_counter(), _folder_of(task, settings)
    with whole_files.made_folder("out_dir", folder):
        data = _load(task, settings)
    with folder_lock.held(folder):
        return _run_in(folder, task, data, settings, began)


def _folder_of(task, settings):
    if settings.out_dir:
        return Path(settings.out_dir)
    method = mixed_name(settings.method, settings.mix)
    of_data = task.name_with_data(settings)
    names = [of_data, method, settings.loss, f"seed{settings.seed}"]
    return Path("runs") / "-".join(names)


def _methods(settings):
    """The methods to train, that of `--method` last."""
    return [*(m for m in settings.compare if m != settings.method), settings.method]


def _load(task, settings):
    data = task.load(settings)
    notes = [f"note: {note}" for note in notes_on_rare(data, settings)]
    print("\n".join([description(data), *notes]), flush=True)
    methods = _methods(settings)
    check_methods(methods, settings, data)
    if settings.g and any(METHODS[method].translate for method in methods):
        given(settings, task, data)  # Which raises where it does not fit.
    return data


def _run_in(folder, task, data, settings, began):
    methods, shown = _methods(settings), _shown_of(folder, settings)
    kept = folder / "records", folder / "trainings"
    trainings = Trainings(task, data, *kept, quiet=False)
    following.announce(data)
    _claim(folder, trainings, settings)
    results = _finished(trainings, shown)
    if results:
        print(
            f"This run is finished. Its results are in {folder}; --overwrite trains it "
            "again"
        )
        return results
    of_g, results = _of_g(folder, trainings, settings, methods), {}
    for name, (place, own) in shown.items():
        print(f"\n{name}: {_about(own)}", flush=True)
        trainings.network(own)  # Which says why it diverged, if it did.
        results[name] = trainings.result(own)
        _show(place, trainings, own, results)
        if not own.after:
            _say_if_tested_early(own, results[name]["tested_epoch"])
    print(f"\n{_title(data, settings)}\n\n{pictures.table(of_g | results)}\n")
    print("GM*: a recall of zero counts as 0.001. accepted: of the translations.")
    print(f"Results are in {folder}, after {time.perf_counter() - began:.0f} s")
    return results


def _shown_of(folder, settings):
    """What is shown, in order: a folder and settings for each name of a result."""
    found = {}
    for method in _methods(settings):
        place = folder if method == settings.method else folder / method
        own = settings.replace(method=method)
        found[method] = place, own.followed_by(NOTHING)
        if own.after:
            found[f"{method} + {own.after.label}"] = place / own.after.name, own
    return found


def _about(settings):
    after = settings.after
    what = f"{after.label} of that network, which is not trained again"
    return what if after else METHODS[settings.method].about


def _claim(folder, trainings, settings):
    """Raise if the folder shows another run; remove that with `--overwrite`."""
    if settings.overwrite:
        for kept in (trainings.results, trainings.runs):
            shutil.rmtree(kept, ignore_errors=True)
        for place in (folder, *(folder / method for method in METHODS)):
            for pattern in (".", *HEADS, "adjust=*"):
                for path in place.glob(f"{pattern}/result.json"):
                    path.unlink()
    shown, about = _shown(folder), trainings.configuration(settings)
    del about["flags"]
    own = settings.followed_by(NOTHING)  # What comes after it stands beside it.
    changed = differences(shown, own, **about) if shown else []
    if changed:
        raise UserError(
            f"{folder} holds another run. Give the same flags, or another --out_dir, "
            "or replace that run by --overwrite. What differs:\n  "
            + "\n  ".join(changed)
        )


def _shown(place):
    """What `result.json` of a folder holds, or None."""
    path = place / "result.json"
    try:
        return records.read(path) if path.exists() else None
    except records.Damaged as error:
        warnings.warn(f"{error}. It is made again", stacklevel=2)
    return None


def _finished(trainings, places):
    """The results by name, if all are done and shown; else none."""
    found = {name: trainings.find(own) for name, (_, own) in places.items()}
    shown = {name: _shown(place) for name, (place, _) in places.items()}
    return found if None not in found.values() and found == shown else {}


def _of_g(folder, trainings, settings, methods):
    """What the table says of g, which is trained or loaded, if a method has one."""
    translating = [method for method in methods if METHODS[method].translate]
    if not translating:
        return {}
    own = settings.replace(method=translating[0]).followed_by(NOTHING)
    if settings.g:
        print(f"g is {settings.g}", flush=True)
        data = trainings.data
        scores = evaluate(trainings.teacher(own), *data.test, data.class_counts)
        return {"g (erm)": scores}
    (of_g,) = teachers(own)
    print(f"\ng: plain training from seed {of_g.seed}", flush=True)
    trainings.teacher(own)
    path = folder / "g.keras"
    whole_files.copy(trainings.folder(of_g) / "f.keras", path)
    print(f"g is saved as {path}; --g={path} uses it again", flush=True)
    return {"g (erm)": trainings.result(of_g)}


def _show(place, trainings, own, results):
    """Copy what a training left to where the user looks for it, and draw."""
    place.mkdir(parents=True, exist_ok=True)
    whole_files.copy(trainings.folder(own) / "history.csv", place / "history.csv")
    served.write(place, trainings, own)
    pictures.write(place, results, trainings.data)
    translates = METHODS[own.method].translate and not own.after
    if translates and (trainings.data.are_images or trainings.data.are_series):
        pictures.write_translations(place, trainings.model(own), trainings.data)
    *_, result = results.values()
    records.write(place / "result.json", result)
    card.write(place, result)


def _check_g_is_a_file(g):
    if g and not (g.endswith(".keras") and Path(g).is_file()):
        raise UserError(f"--g={g} is no file that ends in .keras")


def _say_if_tested_early(settings, tested_epoch):
    if METHODS[settings.method].deferred and tested_epoch < settings.defer_epoch:
        print(
            f"note: the best validation epoch, {tested_epoch + 1}, is one of plain "
            f"training, so that {settings.method} is tested before it began; "
            "--protocol=field tests the last epoch instead"
        )


def _title(data, settings):
    return (
        f"{settings.task}: {data.source}; loss {settings.loss}, seed {settings.seed}, "
        f"protocol {settings.protocol}, {keras.config.backend()}; test set, in percent"
    )
