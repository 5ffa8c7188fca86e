"""What `M2mModel.fit` makes of its arguments before Keras gets them."""

import inspect
import math
from typing import Any

import keras
import numpy as np

from keras_m2m.callbacks import WatchAcceptance
from keras_m2m.checks import only_input
from keras_m2m.m2m_model import replicas
from keras_m2m.m2m_model.data_checks import check_data
from keras_m2m.m2m_model.settings import AUTO
from keras_m2m.m2m_model.step_choice import choose_step_size

_FIT = inspect.signature(keras.Model.fit)


def fit_arguments(model: keras.Model, *args: Any, **kwargs: Any) -> dict:
    """Check the arguments of `model.fit`, and bring them to the form that Keras takes.

    Where the step of the model is to be chosen, it is chosen and printed.

    Args:
        model: A compiled `M2mModel`.
        *args: As for `keras.Model.fit`.
        **kwargs: As for `keras.Model.fit`; `class_weight` may be an array.

    Returns:
        Arguments of `keras.Model.fit` by name: x without a dict around it, weights as
        a dict, and among the callbacks a `WatchAcceptance`.

    Raises:
        ValueError: If data, weights, devices, the batch size or the steps of an epoch
            do not fit.
    """
    given = _FIT.bind(model, *args, **kwargs).arguments
    del given["self"]
    samples = only_input(given.get("x"))
    given["x"], given["y"], seen = check_data(
        samples, given.get("y"), model.bounds, model.class_counts
    )
    replicas.check_devices(model, **given)
    _check_steps(given.get("steps_per_epoch"), model.steps_per_execution)
    if model.step_size == AUTO:
        part = given.get("validation_split") or 0.0
        _choose_step_size(model, *seen, part, given.get("verbose", "auto"))
    given["class_weight"] = _by_class(given.get("class_weight"), model.class_counts)
    given["callbacks"] = _watched(given.get("callbacks"))
    return given


def _choose_step_size(model, x, y, validation_split, verbose):
    if x is None or y is None:
        raise ValueError(
            '`step_size` "auto" is chosen from samples and labels that can be read '
            "before the first step, such as arrays. Give a number here, as "
            "keras_m2m.choose_step_size finds it. Received: step_size='auto'"
        )
    if validation_split:
        training = math.floor(len(x) * (1 - validation_split))  # As Keras does.
        x, y = x[:training], y[:training]
    arguments = ("beta", "lam", "gamma", "steps", "bounds", "noise", "units", "seed")
    arguments = {name: getattr(model, name) for name in arguments}
    found = choose_step_size(*(model.f, model.g, x, y, model.class_counts), **arguments)
    model.keep_step_size(found.step_size)
    if verbose:
        print(f"M2m: {found}", flush=True)


def _check_steps(of_epoch, at_once):
    """Keras takes whole executions, and the missing steps from the next epoch."""
    if isinstance(of_epoch, int) and of_epoch % at_once:
        divisors = [n for n in range(1, of_epoch + 1) if of_epoch % n == 0]
        raise ValueError(
            "`steps_per_execution` must divide the steps of an epoch, or Keras takes "
            f"steps of the next one into it: compile with one of {divisors}. Received: "
            f"steps_per_epoch={of_epoch}, steps_per_execution={at_once}"
        )


def _by_class(weights, class_counts):
    if weights is None or isinstance(weights, dict):
        return weights
    if np.shape(weights) != class_counts.shape:
        raise ValueError(
            "`class_weight` must be a dict, or an array of one weight for each of "
            f"{len(class_counts)} classes. Received: class_weight={weights!r}"
        )
    return dict(enumerate(np.asarray(weights, dtype="float64").tolist()))


def _watched(callbacks):
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    several = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    several = [each for each in several if each is not None]
    if not any(isinstance(each, WatchAcceptance) for each in several):
        several.append(WatchAcceptance(once=True, least_rows=100))
    return several
