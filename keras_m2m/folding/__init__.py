"""Networks as a translation runs them: weights fixed, BatchNorm folded away."""

from keras_m2m.folding.convolution import conv_with_forward_gradient
from keras_m2m.folding.network import FoldedNetwork

__all__ = ["FoldedNetwork", "conv_with_forward_gradient"]
