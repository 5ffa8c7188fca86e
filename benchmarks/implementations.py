"""What `m2m_step.py` times: names, and how each is run."""

import dataclasses
import importlib.util
import itertools


@dataclasses.dataclass(frozen=True)
class Implementation:
    """One row of the result.

    Attributes:
        arguments: Of the worker.
        backend: Keras backend, also the package that must be there.
        rejected_first: Whether R is drawn before the translation.
        by_fit: Whether `fit` is timed, not single steps.
        device: "cpu" or "gpu" if it is timed by default on that alone; "gpu only" if
            it can run nowhere else.
    """

    arguments: tuple = ()
    backend: str = "torch"
    rejected_first: bool = True
    by_fit: bool = False
    device: str | None = None


def _keras(backend, *arguments, **others):
    return Implementation(arguments, backend, **others)


def _plain(*arguments, **others):
    return Implementation(("--plain", *arguments), **others)


# In order of worth: a run that is cut short has the first.
IMPLEMENTATIONS = {
    "plain PyTorch": _plain(rejected_first=False),
    "JAX, fit": _keras("jax", by_fit=True, device="gpu"),
    "JAX": _keras("jax"),
    "plain PyTorch, CUDA graphs": _plain("--graphs", device="gpu only"),
    "plain PyTorch, CUDA graphs, compiled": _plain(
        "--graphs", "--compiled", device="gpu only"
    ),
    "PyTorch, fit": _keras("torch", by_fit=True, device="gpu"),
    "PyTorch": _keras("torch"),
    "plain PyTorch, reject first": _plain("--reject_first"),
    "plain PyTorch, channels last": _plain("--channels_last", rejected_first=False),
    "plain PyTorch, compiled": _plain("--compiled", device="gpu"),
    "TensorFlow, fit": _keras("tensorflow", by_fit=True, device="gpu"),
    "TensorFlow": _keras("tensorflow"),
    "TensorFlow, XLA": _keras("tensorflow", "--xla", device="cpu"),
}
REFERENCE = "plain PyTorch"

# What `M2mModel(compilation=...)` lets choose, by backend; what contradicts itself, or
# cannot be met, is left out when it is tried.
_OF_XLA = {
    "unroll": (False, True),
    "branches": (True, False),
    "forward_gradient": (False, True),
}
CHOICES = {
    "jax": _OF_XLA,
    "tensorflow": _OF_XLA,
    "torch": {
        "alone": (True, False),
        "static": (False, True),
        "branches": (False, True),
    },
}


def chosen(only, on_gpu):
    """The implementations to time, and why the others are not: two dicts by name."""
    wanted, left = {}, {}
    for name, found in IMPLEMENTATIONS.items():
        by_default = found.device in (None, "gpu" if on_gpu else "cpu")
        by_default = by_default or (on_gpu and found.device == "gpu only")
        if name != REFERENCE and not (name in only if only else by_default):
            if found.device == "gpu only" and not only:
                left[name] = "there is no GPU"
            continue
        if found.device == "gpu only" and not on_gpu:
            left[name] = "there is no GPU"
        elif importlib.util.find_spec(found.backend) is None:
            left[name] = f"{found.backend} is not installed"
        else:
            wanted[name] = found
    return wanted, left


def with_choices(backend, choices, by_fit):
    """`{name: Implementation}` of texts like `unroll=True,branches=False`."""
    return {
        f"{backend}, {each}": Implementation(
            (f"--choices={each}",), backend, by_fit=by_fit
        )
        for each in choices
    }


def all_choices(backend):
    """Every combination of the values of `CHOICES`, as texts."""
    names = CHOICES[backend]
    return [
        ",".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        for values in itertools.product(*names.values())
    ]
