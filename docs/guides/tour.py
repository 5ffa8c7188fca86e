# %% [markdown]
# # Five minutes
#
# A training set has 80 images of one class and 2 of another. Plain training hardly learns
# the small classes. Here it is compared with class-balanced batches at the end (DRS) and with
# M2m, which makes images of rare classes out of those of frequent ones.
#
# You need, in a checkout, `pip install '.[torch,plots]' scikit-learn`. Every guide chooses PyTorch
# unless `KERAS_BACKEND` is set: JAX and TensorFlow do the same.

# %%
# %matplotlib inline
import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # Before Keras is imported.

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import recall_score

import keras_m2m
from keras_m2m import plots
from keras_m2m.translation import translate

# %% [markdown]
# ## Data with a long tail
#
# scikit-learn's digits, 8×8 pixels in [0, 1]. Class 0 keeps 80 images for training, class 9
# keeps 2; the test set has all classes alike.

# %%
digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
counts = keras_m2m.long_tailed_counts(80, num_classes=10, rho=40)
rng = np.random.default_rng(0)
of_class = [rng.permutation(np.flatnonzero(digits.target == k)) for k in range(10)]
train = np.concatenate([rows[:n] for rows, n in zip(of_class, counts)])
test = np.concatenate([rows[80:] for rows in of_class])
x, y = images[train], digits.target[train]
x_test, y_test = images[test], digits.target[test]
print(counts, "for training,", len(y_test), "for the test")

# %% [markdown]
# ## Three trainings
#
# `build` makes an untrained network, any Keras model that returns logits. It is called
# once for *f*, the network that you want, and for M2m once more for *g*, the judge.


# %%
def build(head):
    moments = {"mean": [x.mean()], "variance": [x.var()]}
    return keras_m2m.mlp(10, x.shape[1:], head=head, **moments)


settings = {"epochs": 40, "batch_size": 32, "verbose": 0}
of_m2m = {"bounds": (0, 1), "step_size": 0.2, "beta": 0.9}  # Pixels stay in [0, 1].
trained = {
    "ERM": keras_m2m.train(build, x, y, method="erm", **settings),
    "DRS": keras_m2m.train(build, x, y, method="drs", **settings),
    "M2m": keras_m2m.train(build, x, y, method="m2m", **settings, **of_m2m),
}


# %% [markdown]
# ## What came out
#
# Accuracy would hide the rare classes where the test set has few of them. Balanced accuracy
# is the mean of the recalls, so that each class counts alike.


# %%
def recalls(f):
    predicted = f.predict(x_test, verbose=0).argmax(axis=1)
    return recall_score(y_test, predicted, average=None)


recall = {name: recalls(one.f) for name, one in trained.items()}
for name, values in recall.items():
    print(f"{name}: balanced accuracy {100 * values.mean():.1f} %")
accepted = trained["M2m"].history[-1]["acceptance_rate"]
print(f"g accepted {100 * accepted:.0f} % of the translations of the last epoch")

# %% alt="Recall gained over ERM, class by class, for DRS and for M2m"
gained = {name: [recall[name]] for name in ("DRS", "M2m")}
plots.recall_gain(gained, [recall["ERM"]], counts)

# %% [markdown]
# In this run the rare classes, on the right, gain. One seed on a small test set: a difference of a
# point or two between DRS and M2m says nothing
# ([results with five seeds](../results/README.md)).
#
# ## What a translation is
#
# Ten steps move an image of a frequent class until *g* takes it for one of a rare class.
# From top to bottom: the image, what was added, and the result, with the
# probability that *g* gives to the new class. Training uses those with 0.9 or more (`gamma`); elsewhere
# the row of the batch stays as it was.

# %% alt="Images of zeros and ones, what is added, and their translations to rare digits"
f, g = trained["M2m"].f, trained["M2m"].g
seeds = np.array([0, 1, 2, 80, 81, 82])  # Rows of the classes 0 and 1.
targets = np.array([7, 8, 9, 7, 8, 9])
settings = {"lam": 0.1, "step_size": 0.2, "bounds": (0, 1)}  # As in the training.
moved = translate(f, g, x[seeds], y[seeds], targets, **settings)
moved = keras.ops.convert_to_numpy(moved)
sure = keras.ops.softmax(g.predict(moved, verbose=0))
sure = keras.ops.convert_to_numpy(sure)[np.arange(6), targets]
names = digits.target_names
plots.translation_panel(
    *(x[seeds], moved, names[y[seeds]], names[targets], sure), amplify=1
)

# %% [markdown]
# ## Keep it
#
# *f* is an ordinary Keras model; *g* is not needed any more.

# %%
f.save("f.keras")
again = keras.saving.load_model("f.keras")
print(again.predict(x_test[:5], verbose=0).argmax(axis=1), y_test[:5])

# %% [markdown]
# **Next:** [which method when](which_method.py), before you spend time on any of them; then
# [your own photographs](photographs.py) or [your own table](table.py).
