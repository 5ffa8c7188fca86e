"""Major-to-minor Translation (M2m) for imbalanced classification, in Keras 3.

Start with `help(keras_m2m.M2mModel)`.

Source: Kim, Jeong, Shin, M2m: Imbalanced Classification via Major-to-minor
Translation (CVPR 2020).
"""

from keras_m2m import heads
from keras_m2m import pretrained
from keras_m2m.callbacks import BestWeights
from keras_m2m.callbacks import ExactResume
from keras_m2m.callbacks import MomentumCorrectedScheduler
from keras_m2m.callbacks import WatchAcceptance
from keras_m2m.examples import load_example
from keras_m2m.imbalance import acceptance_probability
from keras_m2m.imbalance import count_classes
from keras_m2m.imbalance import effective_number
from keras_m2m.imbalance import effective_number_weights
from keras_m2m.imbalance import generation_probability
from keras_m2m.imbalance import imbalance_ratio
from keras_m2m.imbalance import inverse_frequency_weights
from keras_m2m.imbalance import long_tailed_counts
from keras_m2m.imbalance import major_classes
from keras_m2m.imbalance import many_medium_few
from keras_m2m.imbalance import step_counts
from keras_m2m.imbalance import translation_share
from keras_m2m.layers import CosineDense
from keras_m2m.layers import OptionAShortcut
from keras_m2m.layers import synchronize_batch_norm
from keras_m2m.losses import FocalLoss
from keras_m2m.losses import LabelAwareSmoothing
from keras_m2m.losses import LDAMLoss
from keras_m2m.losses import LogitAdjustedLoss
from keras_m2m.losses import VSLoss
from keras_m2m.m2m_model import M2mModel
from keras_m2m.m2m_model import Seeds
from keras_m2m.m2m_model import StepChoice
from keras_m2m.m2m_model import choose_step_size
from keras_m2m.metrics import BalancedAccuracy
from keras_m2m.metrics import GeometricMean
from keras_m2m.metrics import OneVsRest
from keras_m2m.mixing import CMO
from keras_m2m.mixing import MixingModel
from keras_m2m.mixing import Mixup
from keras_m2m.mixing import Remix
from keras_m2m.models import cifar_resnet
from keras_m2m.models import mlp
from keras_m2m.models import preact_resnet18
from keras_m2m.models import resnet1d
from keras_m2m.models import resnet32
from keras_m2m.models import resnet50
from keras_m2m.recipes import Diverged
from keras_m2m.recipes import Trained
from keras_m2m.recipes import train
from keras_m2m.sampling import PairedDataset
from keras_m2m.sampling import ResampledDataset
from keras_m2m.sampling import smote
from keras_m2m.schedules import warmup_step_decay
from keras_m2m.units import moments
from keras_m2m.units import standard_units

__version__ = "0.2.0"

__all__ = [  # noqa: RUF022  it takes CMO for a constant
    "BalancedAccuracy",
    "BestWeights",
    "CMO",
    "CosineDense",
    "Diverged",
    "ExactResume",
    "FocalLoss",
    "GeometricMean",
    "LDAMLoss",
    "LabelAwareSmoothing",
    "LogitAdjustedLoss",
    "M2mModel",
    "MixingModel",
    "Mixup",
    "MomentumCorrectedScheduler",
    "OneVsRest",
    "OptionAShortcut",
    "PairedDataset",
    "Remix",
    "ResampledDataset",
    "Seeds",
    "StepChoice",
    "Trained",
    "VSLoss",
    "WatchAcceptance",
    "acceptance_probability",
    "choose_step_size",
    "cifar_resnet",
    "count_classes",
    "effective_number",
    "effective_number_weights",
    "generation_probability",
    "imbalance_ratio",
    "inverse_frequency_weights",
    "load_example",
    "long_tailed_counts",
    "major_classes",
    "many_medium_few",
    "mlp",
    "moments",
    "preact_resnet18",
    "resnet1d",
    "resnet32",
    "resnet50",
    "smote",
    "standard_units",
    "step_counts",
    "synchronize_batch_norm",
    "train",
    "translation_share",
    "warmup_step_decay",
]
