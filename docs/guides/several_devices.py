# %% [markdown]
# # Several devices, and clusters
#
# On one machine JAX and TensorFlow train on all of its devices; several runs are spread over machines
# without any of that, since each is small. Begin with the second.
#
# ## Several runs
#
# A table, a search or several seeds are many trainings that need nothing of each other. Two processes
# with the same `tasks.table` command on one folder share the work: each cell is run once, by
# whichever comes first, also where the folder is on a disk that several machines see. So on a cluster
# submit the same line as often as you have machines:
#
# ```bash
# sbatch --array=1-8 --wrap \
#   "python -m tasks.table --table=2 --seeds=5 reuters twitter --results=mine"
# ```
#
# A job that is killed loses an epoch or five seconds; the same line goes on
# ([long runs](long_runs.py)). On a Ray cluster one command does it, `--ray=auto`, and shares GPUs
# between trainings ([sweeps](../sweeps.md)).
#
# ## Several devices
#
# Keras distributes by `keras.distribution` on JAX. A CPU can stand for four devices, which is how this
# page tries it; set that before JAX is imported.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")

import keras
import numpy as np

import keras_m2m

print(len(keras.distribution.list_devices()), "devices")
y = np.repeat([0, 1, 2], [600, 60, 12])
x = np.random.default_rng(0).normal(3 * np.eye(3, 20)[y]).astype("float32")

# %% [markdown]
# Networks, optimizer and `M2mModel` are made in the scope of the devices. The batch size is that of all
# devices together.


# %%
def trained():
    """A network after a plain epoch and one of M2m."""
    keras.utils.set_random_seed(0)
    f, g = (keras_m2m.mlp(3, (20,)) for _ in "fg")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    f.compile(keras.optimizers.SGD(0.1), loss)
    f.fit(**keras_m2m.ResampledDataset(x, y, 64).fit_arguments, verbose=0)
    counts = keras_m2m.count_classes(y, 3)
    model = keras_m2m.M2mModel(f, g, counts, gamma=0.3, step_size=0.5, seed=0)
    model.compile(f.optimizer, loss)
    batches = keras_m2m.ResampledDataset(x, y, 64, sampling="class")
    model.fit(**batches.fit_arguments, verbose=0)
    return f.get_weights()


alone = trained()
with keras.distribution.DataParallel(auto_shard_dataset=False).scope():
    together = trained()
apart = max(np.abs(a - b).max() for a, b in zip(alone, together))
print(f"largest difference of a weight: {apart:.1e}")

# %% [markdown]
# The same batch, weights and drawn numbers give the same update, up to rounding. In the tasks that is
# `--distribute`, on the devices of one machine, or on JAX of several, one process each.
#
# How these find each other, what happens when one dies, `MirroredStrategy` on TensorFlow, BatchNorm
# over replicas, and where in-batch seeds come from: [more than one device](../several_devices.md). What a
# large run costs, before you book machines: [ImageNet-LT](../scaling.md).
