"""The experiments: one module per dataset, run as `python -m tasks.NAME`."""

import os

# TensorFlow's start-up notes would bury the run's own lines. Before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
