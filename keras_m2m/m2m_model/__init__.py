"""The M2m model, what passes between the parts of its step, and its checks."""

from keras_m2m.m2m_model.model import M2mModel
from keras_m2m.m2m_model.network_checks import check_networks
from keras_m2m.m2m_model.seeds import Seeds
from keras_m2m.m2m_model.step_choice import StepChoice
from keras_m2m.m2m_model.step_choice import choose_step_size

__all__ = ["M2mModel", "Seeds", "StepChoice", "check_networks", "choose_step_size"]
