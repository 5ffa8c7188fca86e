"""The paper's ablations and what is no network, and the names of what is trained."""

import functools
from dataclasses import replace

from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import MIXES
from keras_m2m.recipes import Loss
from keras_m2m.recipes import Method
from keras_m2m.recipes import Mix
from keras_m2m.recipes.methods import as_class
from keras_m2m.recipes.mixes import UNMIXED
from tasks.experiment import ablations


def _ablation(label, about, **changes):
    return replace(METHODS["m2m"], label=label, about=f"M2m, {about}", **changes)


# None to choose by --method.
ABLATIONS: dict[str, Method] = {
    # Table 3
    **{
        f"m2m_pool{size}": _ablation(
            f"{size} seeds a class",
            f"seeds from {size} samples per class",
            model=functools.partial(ablations.from_pool, size),
        )
        for size in (10, 50, 100, 200, 500)
    },
    # Table 4
    "m2m_lam0": _ablation("M2m (λ = 0)", "lam 0", flags={"lam": 0.0}),
    "m2m_clean": _ablation(
        "M2m-Clean", "seeds inserted untranslated", model=as_class(ablations.Clean)
    ),
    "m2m_rs": _ablation("M2m-RS", "from the first epoch", deferred=False),
    "m2m_rs_rand": _ablation(
        "M2m-RS-Rand",
        "from the first epoch, with random labels",
        deferred=False,
        model=as_class(ablations.RandomLabels),
    ),
    # Table 5
    "m2m_self": _ablation(
        "M2m-Self", "f in place of g", model=as_class(ablations.Self), teachers=0
    ),
    "m2m_no_reject": _ablation(
        "M2m-No-Reject", "R never rejects", model=as_class(ablations.NoReject)
    ),
    "m2m_no_threshold": _ablation("M2m (γ = 0)", "gamma 0", flags={"gamma": 0.0}),
    # "A higher gamma", says the paper; 0.99 is the higher one of its grid.
    "m2m_ensemble": _ablation(
        "M2m-Ensemble", "g the mean of two networks", teachers=2, flags={"gamma": 0.99}
    ),
}

# No networks; rows that tables of a user's own data compare networks with.
REFERENCES: dict[str, Method] = {
    "logistic": Method(
        "logistic regression", "class-balanced, on standardised samples"
    ),
    "boosted": Method("boosted trees", "gradient boosting, class-balanced"),
    "probe": Method(
        "linear probe", "logistic regression on the features of the network of ERM"
    ),
}
_OF_NETWORK = "probe"


def method_of(name: str) -> Method:
    """The method of a name of `METHODS`, a mix or not, `ABLATIONS`, `REFERENCES`."""
    return {**METHODS, **ABLATIONS, **REFERENCES}[split_mix(name)[1]]


def needs_network(name: str) -> bool:
    """Whether the numbers of a method follow from a network, as those of a probe do."""
    return name not in REFERENCES or name == _OF_NETWORK


def parts_of(loss: str, name: str) -> tuple[Method, Loss, Mix]:
    """What names stand for, in the order in which recipes are checked.

    Args:
        loss: A key of `LOSSES`.
        name: A `mixed_name`.
    """
    return method_of(name), LOSSES[loss], MIXES[split_mix(name)[0]]


def mixed_name(method: str, mix: str) -> str:
    """A method on mixed batches in one word, such as `"mixup-drs"`."""
    return method if mix == UNMIXED else f"{mix}-{method}"


def split_mix(name: str) -> tuple[str, str]:
    """The mix and the method of a `mixed_name`."""
    mix, dash, method = name.partition("-")
    return (mix, method) if dash else (UNMIXED, name)
