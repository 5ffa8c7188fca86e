"""The methods and losses of the paper's tables, its ablations too, as data."""

import functools
from collections.abc import Callable
from collections.abc import Hashable
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


@dataclass(frozen=True)
class Loss:
    """A loss and the head of the network that it needs.

    Attributes:
        about: One line for `--help`.
        make: Function from class counts to a `keras.losses.Loss` on the outputs.
        head: `"dense"`, `"cosine"` or `"logit"`, of the models.
        of_g: The loss that g is trained by where f is trained by this one.
    """

    about: str
    make: Callable
    head: str = "dense"
    of_g: str = "ce"


def as_class(cls: type[keras_m2m.M2mModel]) -> Callable:
    """`Method.model` of M2m, or of a variant that takes the same arguments.

    Args:
        cls: `M2mModel` or a subclass.

    Returns:
        Function `(f, g, data, **arguments)` to an instance.
    """
    return lambda f, g, data, **arguments: cls(f, g, data.class_counts, **arguments)


_EFFECTIVE = keras_m2m.effective_number_weights

METHODS = {
    "erm": Method("plain training"),
    "rs": Method("class-balanced sampling", sampling="class"),
    "smote": Method("SMOTE in input space up to the largest class", smote=True),
    "rw": Method("class weights of 1/N_k", weights=keras_m2m.inverse_frequency_weights),
    "cb_rw": Method("class weights by effective number", weights=_EFFECTIVE),
    "drs": Method("rs after defer_epoch", sampling="class", deferred=True),
    "drw": Method("cb_rw after defer_epoch", weights=_EFFECTIVE, deferred=True),
    "m2m": Method(
        "Major-to-minor Translation after defer_epoch",
        sampling="class",
        deferred=True,
        model=as_class(keras_m2m.M2mModel),
        teachers=1,
    ),
}


def _variant(about, **changes):
    return replace(METHODS["m2m"], about=f"M2m, {about}", **changes)


# None to choose by --method.
ABLATIONS: dict[str, Method] = {
    # Table 3
    **{
        f"m2m_pool{size}": _variant(
            f"seeds from {size} samples per class",
            model=functools.partial(ablations.from_pool, size),
        )
        for size in (10, 50, 100, 200, 500)
    },
    # Table 4
    "m2m_lam0": _variant("lam 0", flags={"lam": 0.0}),
    "m2m_clean": _variant(
        "seeds inserted untranslated", model=as_class(ablations.Clean)
    ),
    "m2m_rs": _variant("from the first epoch", deferred=False),
    "m2m_rs_rand": _variant(
        "from the first epoch, with random labels",
        deferred=False,
        model=as_class(ablations.RandomLabels),
    ),
    # Table 5
    "m2m_self": _variant("f in place of g", model=as_class(ablations.Self), teachers=0),
    "m2m_no_reject": _variant("R never rejects", model=as_class(ablations.NoReject)),
    "m2m_no_threshold": _variant("gamma 0", flags={"gamma": 0.0}),
    # "A higher gamma", says the paper; 0.99 is the higher one of its grid.
    "m2m_ensemble": _variant(
        "g the mean of two networks", teachers=2, flags={"gamma": 0.99}
    ),
}

LOSSES = {
    "ce": Loss(
        "cross entropy",
        lambda counts: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ),
    "focal": Loss("focal loss, gamma 1", lambda counts: keras_m2m.FocalLoss(1.0)),
    "ldam": Loss("label-distribution-aware margin", keras_m2m.LDAMLoss, "cosine"),
    "bce": Loss(
        "binary cross entropy of one logit, for two classes",
        lambda counts: keras.losses.BinaryCrossentropy(from_logits=True),
        head="logit",
        of_g="bce",
    ),
}

_LOSS_NAMES = {"focal": "Focal", "ldam": "LDAM", "bce": "BCE"}
_METHOD_NAMES = {"cb_rw": "CB-RW", "m2m": "M2m"}


def method_of(name: str) -> Method:
    """The method of a name, of `METHODS` or of `ABLATIONS`."""
    return {**METHODS, **ABLATIONS}[name]


@dataclass(frozen=True)
class Row:
    """A method, or a variant of M2m in a table of ablations.

    Attributes:
        loss: A key of `recipes.LOSSES`.
        method: A key of `recipes.METHODS`.
        label: What the row is called; by default such as `"LDAM-M2m"`.
        variant: As `published/ablations.csv` has it, or None.
    """

    loss: str
    method: str
    label: str = ""
    variant: str | None = None

    def __post_init__(self):
        if not self.label:
            object.__setattr__(self, "label", _label(self.loss, self.method))

    @property
    def key(self) -> Hashable:
        """What records are kept by: the variant, or `(loss, method)`."""
        return self.variant or (self.loss, self.method)


def _label(loss, method):
    name = _METHOD_NAMES.get(method, method.upper())
    if loss == "ce":
        return name
    base = _LOSS_NAMES.get(loss, loss)
    return base if method == "erm" else f"{base}-{name}"
