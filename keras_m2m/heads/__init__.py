"""What can be done with a network after its training, without training it again.

Each function takes a trained f and returns a new `keras.Model` of logits, which is
saved, loaded and exported like any f; f stays as it is to the bit. What is found goes
into the weights of the head, so that the new network is no larger.

The head is the last layer, a `Dense` without activation or a `CosineDense`, and the
features are what it is given. They are computed in inference mode, BatchNorm by its
moving statistics; `features` computes them once for several functions.

Nothing may be chosen on test data: `x` and `y` are training or validation samples, as
each function says.
"""

from keras_m2m.heads.choice import TauChoice
from keras_m2m.heads.choice import choose_tau
from keras_m2m.heads.features import Features
from keras_m2m.heads.features import features
from keras_m2m.heads.head import feature_network
from keras_m2m.heads.priors import adjust_logits
from keras_m2m.heads.priors import estimate_prior
from keras_m2m.heads.priors import with_prior
from keras_m2m.heads.retraining import retrained_head
from keras_m2m.heads.retraining import scaled_head
from keras_m2m.heads.temperature import temperature_scaled
from keras_m2m.heads.weights import nearest_class_mean
from keras_m2m.heads.weights import tau_normalised

__all__ = [
    "Features",
    "TauChoice",
    "adjust_logits",
    "choose_tau",
    "estimate_prior",
    "feature_network",
    "features",
    "nearest_class_mean",
    "retrained_head",
    "scaled_head",
    "tau_normalised",
    "temperature_scaled",
    "with_prior",
]
