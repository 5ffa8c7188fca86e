"""What can be known of trainings before the first of them."""

from collections.abc import Sequence

from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import NOTHING
from keras_m2m.recipes import After
from keras_m2m.recipes.mixes import UNMIXED
from keras_m2m.sampling import is_stream
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.recipes import method_of
from tasks.experiment.recipes import mixed_name
from tasks.experiment.recipes import split_mix
from tasks.experiment.rows import Row
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.training import references


def missing(method: str, loss: str, data: Data, after: After = NOTHING) -> str | None:
    """What data lacks for a method and a loss, as in "needs two classes", or None.

    Args:
        method: A method, or an ablation, or a `mixed_name`.
        loss: A key of `recipes.LOSSES`.
        data: The dataset.
        after: What is done after the training.
    """
    if after.needs_validation and data.validation is None:
        return "a validation set, and this protocol keeps none"
    in_memory = method_of(method).smote or method.startswith("m2m_pool")
    in_memory = in_memory or method in REFERENCES
    if in_memory and is_stream(data.train[0]):
        return "all samples in memory, not a stream"
    if method == "m2m_rs_rand" and len(data.class_names) < 3:
        return "three classes or more"
    if split_mix(method)[0] == "cmo" and not data.are_images:
        return "images"
    if LOSSES[loss].head == "logit" and len(data.class_names) != 2:
        return "two classes"
    return None


def check_methods(methods: Sequence[str], settings: Settings, data: Data) -> None:
    """Raise if one of a run's methods cannot be trained on its data.

    Args:
        methods: Of `recipes.METHODS`.
        settings: The loss, how batches are mixed, and what is done after the trainings.
        data: The dataset.

    Raises:
        UserError: If the data lacks what a method needs.
    """
    mix, after = settings.mix, settings.after
    for method in methods:
        name = mixed_name(method, mix)
        what = missing(name, settings.loss, data, after)
        if what:
            flags = f"--method={method} --loss={settings.loss}"
            if mix != UNMIXED:
                flags += f" --mix={mix}"
            if after:
                flags += f" --head={after.head} --adjust={after.adjust}"
            raise UserError(f"{flags} needs {what}. Received: {data.source}")


def left_out(rows: Sequence[Row], data: Data) -> dict[tuple[str, ...], str]:
    """Rows that nobody asked for and that data does not allow, or that take too long.

    Args:
        rows: The rows.
        data: The dataset.

    Returns:
        By `Row.key`, why.
    """
    found = {}
    for row in rows:
        what = missing(row.method, row.loss, data, row.after)
        long = what is None and row.method in REFERENCES
        minutes = references.seconds(row.method, data) / 60 if long else 0
        if what:
            found[row.key] = f"it needs {what}"
        elif 60 * minutes > references.MOST_SECONDS:
            found[row.key] = (
                f"by estimate its fit takes {minutes:,.0f} minutes; --rows={row.name} "
                "makes it all the same"
            )
    return found


def check_data(label: str, data: Data, rows: Sequence[Row], tune: bool) -> None:
    """Raise if a row of a table cannot be trained on a dataset.

    Args:
        label: What the dataset is called.
        data: The dataset.
        rows: The rows.
        tune: Whether M2m's parameters are to be chosen on validation.

    Raises:
        UserError: If the data lacks what a row needs, or there is nothing to tune on.
    """
    for row in rows:
        what = missing(row.method, row.loss, data, row.after)
        if what:
            raise UserError(
                f"{label}: {row.label} needs {what}. Leave it out by --rows"
            )
    translated = any(method_of(row.method).translate for row in rows)
    if tune and translated and data.validation is None:
        raise UserError(
            f"{label}: --tune needs a validation set, and this protocol keeps none"
        )
