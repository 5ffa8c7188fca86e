# %% [markdown]
# # Extending M2m: an ablation of your own
#
# A step of M2m is five methods of `M2mModel`, each of which can be overridden: `draw_numbers`,
# `draw_seeds`, `translate`, `accept`, `replace`. All else, schedule, checkpoints, tables, stays as it is.
#
# The question here: **does a translation have to go all the way?** `Halfway` puts the middle
# between seed and translation into the batch.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import dataclasses

import numpy as np
from sklearn.datasets import load_digits

import keras_m2m
from keras_m2m.recipes import METHODS
from keras_m2m.recipes.methods import as_class

# %% [markdown]
# ## The variant
#
# Tensors in, tensors out, by `keras.ops`, so that it runs on all backends. What does not change is
# left to `super()`.


# %%
class Halfway(keras_m2m.M2mModel):
    """Inserts the middle between the seed and its translation."""

    def replace(self, x, labels, seeds, translated, accepted):
        middle = (seeds.samples + translated) / 2
        return super().replace(x, labels, seeds, middle, accepted)


METHODS["halfway"] = dataclasses.replace(
    METHODS["m2m"], label="Halfway", about="M2m, half as far", model=as_class(Halfway)
)

# %% [markdown]
# It now has a name, and `train` does the rest: g, the plain epochs, the schedule.
#
# ## Is it what was meant?
#
# Test a variant on numbers that you know before you train it. Halfway between 0 and 2 is 1. (`Seeds`
# is a named tuple: `draw_seeds` of your own may return `seeds._replace(wanted=...)`.)

# %%
f, g = (keras_m2m.mlp(2, (1,)) for _ in "fg")
model = Halfway(f, g, [9, 3])
seed = keras_m2m.Seeds(
    samples=np.zeros((1, 1), "float32"),
    classes=np.array([0]),
    rows=np.array([1]),
    targets=np.array([1]),
    wanted=np.array([True]),
)
x, labels = np.array([[5.0], [6.0]], "float32"), np.array([0, 1])
replaced, _ = model.replace(x, labels, seed, np.array([[2.0]], "float32"), seed.wanted)
print(np.asarray(replaced).ravel())

# %% [markdown]
# ## Several seeds, paired
#
# Both train from the same seeds, and share g and the plain epochs.

# %%
digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
counts = keras_m2m.long_tailed_counts(80, num_classes=10, rho=40)
of_class = [np.flatnonzero(digits.target == k) for k in range(10)]
train = np.concatenate([rows[:n] for rows, n in zip(of_class, counts)])
test = np.concatenate([rows[80:] for rows in of_class])
x, y = images[train], digits.target[train]


def build(head):
    moments = {"mean": [x.mean()], "variance": [x.var()]}
    return keras_m2m.mlp(10, x.shape[1:], head=head, **moments)


def balanced_accuracy(f):
    predicted = f.predict(images[test], batch_size=512, verbose=0).argmax(axis=1)
    right = predicted == digits.target[test]
    return np.mean([right[digits.target[test] == k].mean() for k in range(10)])


settings = {"epochs": 25, "batch_size": 32, "verbose": 0}
of_m2m = {"bounds": (0, 1), "step_size": 0.2, "beta": 0.9}
leads = []
for seed in (0, 1):
    g = keras_m2m.train(build, x, y, method="erm", seed=seed + 1, **settings).f
    scores = {}
    for method in ("m2m", "halfway"):
        own = {"method": method, "seed": seed, "g": g}
        trained = keras_m2m.train(build, x, y, **own, **settings, **of_m2m)
        scores[method] = balanced_accuracy(trained.f)
    leads.append(100 * (scores["halfway"] - scores["m2m"]))
    print(
        f"seed {seed}:", {name: f"{100 * value:.1f}" for name, value in scores.items()}
    )
print(f"halfway minus M2m: {np.mean(leads):+.1f} points, two seeds")

# %% [markdown]
# Two seeds of a demonstration answer nothing: take five and a paired test, on data that you care about.
#
# ## A row of a table
#
# In a checkout an entry of `ABLATIONS` in `tasks/experiment/recipes.py`, made as above, is a row that
# `tasks.table` trains on every data set, with records, tests and figures. The paper's ablations are such
# entries: pools of seeds, random labels, an ensemble for g
# ([which is which](../paper_map.md), [how to add one](../../CONTRIBUTING.md#add-a-method)).
