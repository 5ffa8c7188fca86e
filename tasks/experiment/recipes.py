"""The methods and losses of the paper's tables, its ablations too, as data."""

import functools
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

import keras

import keras_m2m
from tasks.experiment import ablations


@dataclass(frozen=True)
class Method:
    """What a method does once it is active: from the start, or deferred.

    Attributes:
        label: What it is called in tables and figures.
        about: One line for `--help`.
        sampling: `"instance"` or `"class"`, of `ResampledDataset`.
        weights: Function from class counts to class weights, or None.
        deferred: Whether plain training comes first, up to `defer_epoch`.
        smote: Whether the training set is filled up by SMOTE.
        model: Function `(f, g, data, **arguments)` to the `M2mModel` that batches go
            through, whose arguments they are; None to fit the network itself.
        teachers: How many plainly trained networks g is made of.
        flags: Values that go before those of the settings, such as `{"lam": 0.0}`.
    """

    label: str
    about: str
    sampling: str = "instance"
    weights: Callable | None = None
    deferred: bool = False
    smote: bool = False
    model: Callable | None = None
    teachers: int = 0
    flags: Mapping[str, float] = field(default_factory=dict)

    @property
    def translate(self) -> bool:
        """Whether batches go through an `M2mModel`."""
        return self.model is not None

    @property
    def balances(self) -> bool:
        """Whether its batches or weights have other class frequencies than the data."""
        return self.sampling == "class" or self.weights is not None or self.smote


@dataclass(frozen=True)
class Loss:
    """A loss and the head of the network that it needs.

    Attributes:
        label: What stands before the method in tables and figures; empty for none.
        about: One line for `--help`.
        make: Function from class counts to a `keras.losses.Loss` on the outputs.
        head: `"dense"`, `"cosine"` or `"logit"`, of the models.
        of_g: The loss that g is trained by where f is trained by this one.
        balanced: The loss that takes its place where a method balances: one that
            corrects for class frequencies would correct twice. Empty for itself.
    """

    label: str
    about: str
    make: Callable
    head: str = "dense"
    of_g: str = "ce"
    balanced: str = ""


@dataclass(frozen=True)
class Mix:
    """A way to mix the rows of batches.

    Attributes:
        label: What stands before the method in tables and figures.
        about: One line for `--help`.
        make: Function from class counts to what mixes, as `MixingModel` takes it.
        keeps_prior: Whether labels keep the class frequencies of the batches.
        paired: Whether plain training gives it pairs of rows, the second one of each
            from class-balanced batches.
        balanced: As `make`, for the class-balanced batches of M2m; None for the same.
    """

    label: str
    about: str
    make: Callable
    keeps_prior: bool = True
    paired: bool = False
    balanced: Callable | None = None


def as_class(cls: type[keras_m2m.M2mModel]) -> Callable:
    """`Method.model` of M2m, or of an ablation that takes the same arguments.

    Args:
        cls: `M2mModel` or a subclass.

    Returns:
        Function `(f, g, data, **arguments)` to an instance.
    """
    return lambda f, g, data, **arguments: cls(f, g, data.class_counts, **arguments)


_EFFECTIVE = keras_m2m.effective_number_weights

METHODS = {
    "erm": Method("ERM", "plain training"),
    "rs": Method("RS", "class-balanced sampling", sampling="class"),
    "smote": Method(
        "SMOTE", "SMOTE in input space up to the largest class", smote=True
    ),
    "rw": Method(
        "RW", "class weights of 1/N_k", weights=keras_m2m.inverse_frequency_weights
    ),
    "cb_rw": Method("CB-RW", "class weights by effective number", weights=_EFFECTIVE),
    "drs": Method("DRS", "rs after defer_epoch", sampling="class", deferred=True),
    "drw": Method("DRW", "cb_rw after defer_epoch", weights=_EFFECTIVE, deferred=True),
    "m2m": Method(
        "M2m",
        "Major-to-minor Translation after defer_epoch",
        sampling="class",
        deferred=True,
        model=as_class(keras_m2m.M2mModel),
        teachers=1,
    ),
}


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

LOSSES = {
    "ce": Loss(
        "",
        "cross entropy",
        lambda counts: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ),
    "focal": Loss(
        "Focal", "focal loss, gamma 1", lambda counts: keras_m2m.FocalLoss(1.0)
    ),
    "ldam": Loss(
        "LDAM", "label-distribution-aware margin", keras_m2m.LDAMLoss, "cosine"
    ),
    "bce": Loss(
        "BCE",
        "binary cross entropy of one logit, for two classes",
        lambda counts: keras.losses.BinaryCrossentropy(from_logits=True),
        head="logit",
        of_g="bce",
    ),
    "la": Loss(
        "LA",
        "logit adjustment, tau 1, the balanced softmax; cross entropy once a deferred "
        "method balances",
        keras_m2m.LogitAdjustedLoss,
        balanced="ce",
    ),
    "vs": Loss(
        "VS",
        "VS-loss, gamma 0.05, tau 0.75; cross entropy once a deferred method balances",
        keras_m2m.VSLoss,
        balanced="ce",
    ),
    "las": Loss(
        "LAS", "label-aware smoothing from 0 to 0.3", keras_m2m.LabelAwareSmoothing
    ),
}

UNMIXED = "none"
MIXES = {
    UNMIXED: Mix("", "batches as they are", lambda counts: None),
    "mixup": Mix("mixup", "mixup, alpha 1", lambda counts: keras_m2m.Mixup()),
    "remix": Mix(
        "Remix",
        "Remix, kappa 3, tau 0.5, alpha 1",
        keras_m2m.Remix,
        keeps_prior=False,
    ),
    "cmo": Mix(
        "CMO",
        "patches of class-balanced images pasted into half of the batches",
        lambda counts: keras_m2m.CMO(),
        keeps_prior=False,
        paired=True,
        balanced=lambda counts: keras_m2m.CMO(paired=False),
    ),
}


def method_of(name: str) -> Method:
    """The method of a name, of `METHODS` or of `ABLATIONS`, with a mix or without."""
    return {**METHODS, **ABLATIONS}[split_mix(name)[1]]


def loss_of(method: Method, loss: str) -> Loss:
    """The loss that epochs of a method are trained by.

    Args:
        method: The method of a phase.
        loss: The loss of the training, a key of `LOSSES`.
    """
    return LOSSES[(method.balances and LOSSES[loss].balanced) or loss]


def mixed_name(method: str, mix: str) -> str:
    """A method on mixed batches in one word, such as `"mixup-drs"`."""
    return method if mix == UNMIXED else f"{mix}-{method}"


def split_mix(name: str) -> tuple[str, str]:
    """The mix and the method of a `mixed_name`."""
    mix, dash, method = name.partition("-")
    return (mix, method) if dash else (UNMIXED, name)


def loss_refusal(method: str, loss: str, mix: str) -> str | None:
    """Why a loss cannot go with a method, or with mixing, as a sentence, or None.

    Args:
        method: A key of `METHODS` or `ABLATIONS`.
        loss: A key of `LOSSES`.
        mix: A key of `MIXES`.
    """
    made = method_of(method)
    if not LOSSES[loss].balanced:
        return None
    if not MIXES[mix].keeps_prior:
        return (
            f"{loss} corrects for the class frequencies of the labels, which {mix} "
            "changes: take --mix=mixup or --loss=ce"
        )
    if not made.balances or made.deferred:
        return None
    return (
        f"{loss} corrects for the class frequencies of the data, and {method} changes "
        "them from the start: take erm, a deferred method (drs, drw, m2m), which goes "
        "on with cross entropy, or --loss=ce"
    )
