# %% [markdown]
# # M2m in a `tf.data` pipeline
#
# `M2mModel.fit` takes a `tf.data.Dataset` as any Keras model does. Three things matter: batches
# are class-balanced, they are all of one size, and samples are floating point.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import keras_m2m

y = np.repeat([0, 1, 2], [600, 60, 12])
x = np.random.default_rng(0).normal(3 * np.eye(3, 20)[y]).astype("float32")
counts = keras_m2m.count_classes(y, 3)

# %% [markdown]
# ## Plain training
#
# *g*, and *f* up to the epoch from which M2m takes over, see the data as it is.

# %%
plain = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=0)
plain = plain.batch(64, drop_remainder=True)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
f, g = (keras_m2m.mlp(3, (20,)) for _ in "fg")
for network in (g, f):
    network.compile(keras.optimizers.SGD(0.1), loss)
    network.fit(plain, epochs=6, shuffle=False, verbose=0)  # The dataset shuffles.

# %% [markdown]
# ## Class-balanced batches
#
# A dataset for each class, repeated, and drawn from uniformly. `drop_remainder` keeps all batches of
# one size: another size is compiled anew. Augmentation goes in here, before the batch (`map`), not
# into the network, where each step of a translation would see another crop.

# %%
of_class = [
    tf.data.Dataset.from_tensor_slices((x[y == k], y[y == k])).shuffle(1000).repeat()
    for k in range(3)
]
balanced = tf.data.Dataset.sample_from_datasets(of_class, weights=[1 / 3] * 3)
balanced = balanced.batch(64, drop_remainder=True).prefetch(2)

# %% [markdown]
# ## M2m
#
# `fit` looks at the first batch alone, so choose the step on arrays that you have, or give a number.
# The dataset has no end: `steps_per_epoch` says what an epoch is.

# %%
units = keras_m2m.standard_units(x)
settings = {"beta": 0.9, "units": units}
chosen = keras_m2m.choose_step_size(f, g, x, y, counts, **settings, seed=0)
print(chosen)
model = keras_m2m.M2mModel(f, g, counts, step_size=chosen.step_size, **settings)
model.compile(f.optimizer, loss, metrics=[keras_m2m.BalancedAccuracy(3)])
epochs = {"epochs": 3, "steps_per_epoch": 10, "shuffle": False}
history = model.fit(balanced, **epochs, verbose=0).history
for name in ("balanced_accuracy", "acceptance_rate", "replaced_rate"):
    print(name, [round(value, 2) for value in history[name]])
f.save("f.keras")

# %% [markdown]
# `balanced_accuracy` is that of the rewritten training batches; judge *f* on data of its own.
# Samples that do not fit into memory need no `tf.data`: [`ResampledDataset`](../api.md#batches) takes
# any object that reads `x[rows]`, and its batches follow from seed and epoch, which a killed
# run needs to go on to the bit ([long runs](long_runs.py)).
#
# `tf.data` works under JAX and PyTorch, too, as long as TensorFlow is installed.
