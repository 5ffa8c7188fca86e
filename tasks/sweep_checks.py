"""What can be known of a table's runs before the first of them."""

from collections.abc import Sequence

from keras_m2m.sampling import is_stream
from tasks.ablations import method_of
from tasks.tables.model import Row
from tasks.task import Data
from tasks.task import UserError


def check_data(label: str, data: Data, rows: Sequence[Row], tune: bool) -> None:
    """Raise if a row of a table cannot be trained on a dataset.

    Args:
        label: What the dataset is called.
        data: The dataset.
        rows: The rows.
        tune: Whether M2m's parameters are to be chosen on validation.

    Raises:
        UserError: If a row needs all samples in memory or three classes, or there is
            nothing to tune on.
    """
    for row in rows:
        without = f"{label}: {row.label} needs {{}}. Leave it out by --rows"
        in_memory = method_of(row.method).smote or row.method.startswith("m2m_pool")
        if in_memory and is_stream(data.train[0]):
            raise UserError(without.format("all samples in memory, not a stream"))
        if row.method == "m2m_rs_rand" and len(data.class_names) < 3:
            raise UserError(without.format("three classes or more"))
    translated = any(method_of(row.method).translate for row in rows)
    if tune and translated and data.validation is None:
        raise UserError(
            f"{label}: --tune needs a validation set, and this protocol keeps none"
        )
