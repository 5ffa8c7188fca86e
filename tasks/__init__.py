"""The experiments: one module per dataset, run as `python -m tasks.NAME`."""

import os
import sys

# TensorFlow's start-up notes would bury the run's own lines. Before its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# What Python puts there while it looks for the module of `python -m tasks.NAME`: this
# is a command, whose imports take seconds in which it may be stopped.
if sys.argv[:1] == ["-m"]:
    from tasks.runs import stopping

    stopping.listen()
