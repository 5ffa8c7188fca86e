"""The M2m model, what passes between the parts of its step, and its checks."""

from keras_m2m.m2m_model.model import M2mModel
from keras_m2m.m2m_model.network_checks import check_networks
from keras_m2m.m2m_model.seeds import Seeds

__all__ = ["M2mModel", "Seeds", "check_networks"]
