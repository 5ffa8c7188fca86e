"""Networks as a translation runs them: weights fixed, BatchNorm folded away."""

from keras_m2m.folding.convolution import conv2d_with_forward_gradient
from keras_m2m.folding.network import FoldedNetwork

__all__ = ["FoldedNetwork", "conv2d_with_forward_gradient"]
