"""Which samples a batch holds: instance- or class-balanced, and SMOTE."""

from keras_m2m.sampling.paired_dataset import PairedDataset
from keras_m2m.sampling.resampled_dataset import ResampledDataset
from keras_m2m.sampling.resampled_dataset import is_stream
from keras_m2m.sampling.smote import smote

__all__ = ["PairedDataset", "ResampledDataset", "is_stream", "smote"]
