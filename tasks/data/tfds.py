"""A dataset of TensorFlow Datasets, downloaded and prepared."""

from importlib.util import find_spec

import keras

from tasks.experiment.errors import UserError


def missing_packages(*more: str) -> list[str]:
    """What is not installed of the packages that datasets are read by.

    Nothing is imported.

    Args:
        *more: Packages that are needed too.
    """
    # tensorflow-datasets imports the last one and does not ask for it.
    needed = ("tensorflow", "tensorflow_datasets", "importlib_resources", *more)
    return [name for name in needed if find_spec(name) is None]


def prepared_builder(
    name: str, data_dir: str | None, opencv: bool = False, **arguments
):
    """The builder of a dataset, after download and preparation.

    Args:
        name: Its name in TensorFlow Datasets, such as `"cifar10"`.
        data_dir: Where it is or goes to; None for `~/tensorflow_datasets`.
        opencv: Whether its preparation, not its reading, takes OpenCV.
        **arguments: Further ones of `tfds.builder`.

    Returns:
        A `tfds.core.DatasetBuilder`.

    Raises:
        UserError: If it can be neither read nor downloaded, or packages are missing.
    """
    in_any_order = arguments.get("file_format") == "array_record"
    missing = missing_packages(*(["array_record"] if in_any_order else []))
    if missing:
        raise UserError(
            f"{name} is read through tensorflow-datasets and TensorFlow. Not "
            f"installed: {', '.join(missing)}. Give `pip install '.[datasets]'` in "
            "the project's folder; any backend can then train on it"
        )
    import tensorflow as tf
    import tensorflow_datasets as tfds

    if keras.config.backend() != "tensorflow":
        tf.config.set_visible_devices([], "GPU")  # It would take all the memory.
    try:
        builder = tfds.builder(name, data_dir=data_dir, **arguments)
        if opencv and not builder.is_prepared() and find_spec("cv2") is None:
            # TensorFlow Datasets would miss it only after the download.
            raise ModuleNotFoundError("pip install opencv-python-headless first")
        builder.download_and_prepare()
    except Exception as error:  # tfds raises many kinds, from offline to corrupt.
        raise UserError(
            f"{name} cannot be read or downloaded through tensorflow-datasets: "
            f"{error}\nGive --data_dir=PATH of a folder that holds it prepared"
        ) from error
    return builder
