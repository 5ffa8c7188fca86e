# %% [markdown]
# # M2m in your own training loop
#
# `keras_m2m.train` is short for a few steps. Here they are, for an optimizer with a plan, a loop or
# a `train_step` of your own. Pipelines have pages of their own: [tf.data](tf_data.py) and
# [PyTorch's DataLoader](data_loader.py).

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import ops

from keras_m2m import M2mModel
from keras_m2m import ResampledDataset
from keras_m2m import count_classes
from keras_m2m import mlp
from keras_m2m import standard_units

# %% [markdown]
# ## What `train` does
#
# Plain training of *g* and of *f*; then M2m, on class-balanced batches, with the optimizer of *f*.

# %%
y = np.repeat([0, 1, 2], [600, 60, 12])  # your labels and samples
x = np.random.default_rng(0).normal(3 * np.eye(3, 20)[y]).astype("float32")
f, g = mlp(3, (20,)), mlp(3, (20,))  # any Keras models that return logits
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
for network in (g, f):
    network.compile(keras.optimizers.SGD(0.1), loss)
    network.fit(x, y, epochs=8, verbose=0)
counts = count_classes(y, 3)
units = standard_units(x)
model = M2mModel(f, g, counts, beta=0.9, step_size="auto", units=units)
model.compile(f.optimizer, loss)
batches = ResampledDataset(x, y, sampling="class", epochs=4)
model.fit(**batches.fit_arguments, verbose=2)
f.save("f.keras")  # f is the result; g is not needed any more

# %% [markdown]
# `train` does a little more. g and f begin from seeds of their own; the learning rate warms up, and
# drops at 80 and 90 % of the epochs (`warmup_step_decay`, `MomentumCorrectedScheduler`); a loss that
# is not finite stops it, with the likely cause. DRS is the last `fit` on `f` itself, without
# `M2mModel`: compare with it.
#
# ## A loop of your own
#
# `M2mModel` is a `keras.Model`: `train_on_batch` takes a batch, rewrites it, and does an ordinary
# step. It needs a step size that is a number, since it has seen no data.

# %%
step = model.step_size  # As `fit` chose it.
model = M2mModel(f, g, counts, beta=0.9, step_size=step, units=units)
model.compile(f.optimizer, loss)
for x_batch, y_batch in ResampledDataset(x, y, sampling="class"):
    logs = model.train_on_batch(x_batch, y_batch, return_dict=True)
print({name: round(float(value), 2) for name, value in logs.items()})

# %% [markdown]
# ## A loss of your own
#
# On all backends: override `compute_loss` of `M2mModel`. The batch is rewritten by then.


# %%
class Penalised(M2mModel):
    """Keeps logits small, too."""

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        ordinary = super().compute_loss(x, y, y_pred, sample_weight, training)
        return ordinary + 1e-3 * ops.mean(ops.square(y_pred))


penalised = Penalised(f, g, counts, beta=0.9, step_size=step, units=units)
penalised.compile(f.optimizer, loss)
history = penalised.fit(**batches.fit_arguments, verbose=0)
print([round(value, 3) for value in history.history["loss"]])

# %% [markdown]
# ## A `train_step` of your own
#
# On PyTorch and TensorFlow your `train_step` can ask an `M2mModel` for the batch. These five lines
# are all of M2m; each of the methods can be overridden ([extending M2m](extend.py)).


# %%
def rewritten(m2m, x, y):
    """A batch in which rows of rare classes are translations."""
    seeds = m2m.draw_seeds(x, y)
    translated = m2m.translate(seeds)
    accepted = ops.logical_and(seeds.wanted, m2m.accept(seeds, translated))
    return m2m.replace(x, y, seeds, translated, accepted)


class Mine(keras.Model):
    """A model with a step that somebody wrote before M2m came."""

    def train_step(self, data):
        x, y = data
        x, y = rewritten(m2m, x, ops.cast(y, "int32"))  # The one new line.
        return super().train_step((x, y))


# %% [markdown]
# On JAX a step must hand on all state: there, override `train_step` of `M2mModel`, whose
# `super().train_step(*arguments)` rewrites the batch and does the rest.

# %%
if keras.config.backend() != "jax":
    mine = Mine(f.inputs, f.outputs)
    m2m = M2mModel(mine, g, counts, beta=0.9, step_size=step, units=units)
    mine.compile(keras.optimizers.SGD(0.01), loss, metrics=["accuracy"])
    mine.fit(**batches.fit_arguments, verbose=2)

# %% [markdown]
# **Next:** [long runs](long_runs.py), which go on after a kill;
# `help(keras_m2m.M2mModel)` for every argument.
