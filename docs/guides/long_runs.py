# %% [markdown]
# # Long runs
#
# A machine is switched off, a job runs out of time, somebody presses Ctrl-C. With a `folder`, the same
# call goes on from the last epoch that was saved and ends with the numbers that an unbroken run
# would have had: on a CPU to the bit.

# %%
# %matplotlib inline
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import pathlib

import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_m2m

y = np.repeat([0, 1, 2], [600, 60, 12])
x = np.random.default_rng(0).normal(3 * np.eye(3, 20)[y]).astype("float32")


def build(head):
    return keras_m2m.mlp(3, (20,), hidden=32, head=head)


def train(folder=None, callbacks=()):
    options = {"folder": folder, "callbacks": callbacks, "verbose": 0}
    return keras_m2m.train(build, x, y, epochs=8, defer_epoch=4, **options)


# %% [markdown]
# ## A run that is killed
#
# After epoch 6 of *f*, two epochs into M2m, an error ends it, as a kill would.


# %%
class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 6:
            raise KeyboardInterrupt


try:
    train("run", callbacks=[Kill()])
except KeyboardInterrupt:
    print("killed; what is there:")
for path in sorted(pathlib.Path("run").glob("*/*")):
    print("  ", path)

# %% [markdown]
# *g* is whole: its last epoch is there. *f* has its first checkpoint; the next is due five seconds
# later, and this run was over sooner. So *f* goes on after epoch 1.
#
# ## The same call

# %%
resumed = train("run")
unbroken = train()
pairs = zip(resumed.f.get_weights(), unbroken.f.get_weights())
print("same weights:", all((a == b).all() for a, b in pairs))

# %% [markdown]
# A finished folder returns at once. A folder belongs to one training: checkpoints of another seed, of
# other data or settings are passed over with a warning, and training begins anew.

# %%
again = train("run")
print("seconds of training:", round(sum(again.seconds.values()), 1))

# %% [markdown]
# ## Look at it while it runs
#
# Every epoch's logs are in `history`; `acceptance_rate` begins with M2m.

# %% alt="Loss of each epoch, and from epoch five on the share of accepted translations"
loss = [logs["loss"] for logs in resumed.history]
accepted = [logs.get("acceptance_rate", np.nan) for logs in resumed.history]
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
left.plot(range(1, 9), loss, marker="o")
left.set(xlabel="epoch", ylabel="loss of the training batches")
right.plot(range(1, 9), accepted, marker="o")
right.set(
    xlabel="epoch",
    ylabel="share of translations accepted",
    ylim=(0, 1),
    xlim=left.get_xlim(),
)


# %% [markdown]
# A loss that is not finite stops the training with the likely cause (`Diverged`); an acceptance rate
# near 0, a g that knows little of rare classes and a loss that jumps when M2m begins are warnings.
#
# ## From the command line
#
# ```bash
# python -m tasks.cifar_lt --dry_run              # phases, memory, and the time they will take
# python -m tasks.cifar_lt --out_dir=runs/a       # killed? The same command goes on
# ```
#
# It writes checkpoints (`--checkpoint_seconds`), `history.csv`, and curves for TensorBoard. In a loop of
# your own the callback is `ExactResume` (`help(keras_m2m.ExactResume)` has the six lines); its batches
# must follow from the epoch, as those of `ResampledDataset` do. That a run is the same after any kill was
# [tried at random moments](../results/killed_and_resumed.md).
