# %% [markdown]
# # Probabilities and thresholds
#
# A network that was trained on balanced batches, as by M2m, gives probabilities that hold as if all
# classes were equally frequent. Where numbers matter, correct them; where decisions matter, choose how
# to decide. Both need **held-out samples that training has not seen**, and neither needs another
# training.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from sklearn.metrics import balanced_accuracy_score

import keras_m2m
from keras_m2m import decisions

# %% [markdown]
# ## Two trainings
#
# Made samples of three classes that overlap: 4 of 100 are of the rarest.


# %%
def draw(number, seed):
    """Samples of classes with the shares 80, 16 and 4 %."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, number, p=[0.80, 0.16, 0.04])
    return rng.normal(1.8 * np.eye(3, 8)[y]).astype("float32"), y


x, y = draw(2500, 0)
x_val, y_val = draw(2500, 1)
x_test, y_test = draw(4000, 2)


def build(head):
    return keras_m2m.mlp(3, (8,), hidden=32, head=head)


def probabilities(f, x):
    logits = f.predict(x, batch_size=512, verbose=0).astype("float64")
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


options = {"epochs": 12, "defer_epoch": 6, "verbose": 0}
p_val, p_test = {}, {}
for method in ("erm", "m2m"):
    f = keras_m2m.train(build, x, y, method=method, **options).f
    p_val[method], p_test[method] = probabilities(f, x_val), probabilities(f, x_test)
    print(method, "mean probability", p_test[method].mean(axis=0).round(3))
print("shares of the test set", (np.bincount(y_test) / len(y_test)).round(3))

# %% [markdown]
# M2m's mean probabilities are not the shares: rare classes are promised too often.
#
# ## Calibrate
#
# `choose_calibration` takes nothing, a temperature, or a temperature and the missing prior,
# whichever held-out samples ask for by more than noise. It goes by likelihood, so NLL, the
# negative logarithm of the probability of what came, is what to look at: less is better.

# %%
calibrated = {}
for method in ("erm", "m2m"):
    calibration = decisions.choose_calibration(y_val, p_val[method])
    calibrated[method] = calibration(p_test[method])
    found = "nothing to correct"
    if calibration.changes:
        prior = "the prior, " if calibration.prior is not None else ""
        found = f"{prior}temperature {calibration.temperature:.2f}"
    before = decisions.negative_log_likelihood(y_test, p_test[method])
    after = decisions.negative_log_likelihood(y_test, calibrated[method])
    print(f"{method}: {found}; NLL on the test set {before:.3f} -> {after:.3f}")
    print("  mean probability now", calibrated[method].mean(axis=0).round(3))

# %% [markdown]
# The likelihood of M2m gains, and the whole prior goes a little too far: half of its epochs were plain.
# **Where probabilities matter, plain training is the simpler start**, with nothing to correct here.
# Whether the likeliest class is as often right as it is sure is another question, which
# `decisions.reliability` and `plots.reliability` draw.
#
# ## Decide
#
# Calibrated probabilities and what mistakes cost give Bayes' decision. To miss one of the rarest
# class costs 30 here, any other mistake 1. No threshold is chosen: it follows.

# %%
costs = np.ones((3, 3)) - np.eye(3)  # [true, predicted]
costs[2, :2] = 30
rules = {"ERM, the likeliest": decisions.decide(calibrated["erm"])}
rules["ERM, by costs"] = decisions.decide(calibrated["erm"], costs=costs)
rules["M2m, the likeliest"] = decisions.decide(calibrated["m2m"])
rules["M2m, by costs"] = decisions.decide(calibrated["m2m"], costs=costs)
for name, decided in rules.items():
    print(f"{name}: mean cost {costs[y_test, decided].mean():.3f}")

# %% [markdown]
# For decisions by costs plain training is enough: what they need is right probabilities, not balanced
# classes. For a metric instead of costs, `class_offsets` chooses a number for each class that is added to
# log-probabilities; of two classes that is a threshold. It says what to expect, and leaves all as it
# is where the gain is within noise. **A plain network with offsets is what to compare M2m with**:

# %%
for method in ("erm", "m2m"):
    choice = decisions.class_offsets(y_val, p_val[method], "balanced_accuracy")
    plain = balanced_accuracy_score(y_test, p_test[method].argmax(axis=1))
    decided = decisions.decide(p_test[method], offsets=choice.offsets)
    with_offsets = balanced_accuracy_score(y_test, decided)
    print(
        f"{method}: {100 * plain:.1f} % -> {100 * with_offsets:.1f} % ({choice.kind})"
    )

# %% [markdown]
# ## Other frequencies where the model is used
#
# `prior_replaced` changes the prior of calibrated probabilities; `prior_of_unlabelled` estimates the
# new one from samples without labels.

# %%
rare_more_often = np.concatenate([np.flatnonzero(y_test == 2), np.arange(600)])
p_there = calibrated["erm"][rare_more_often]
estimated = decisions.prior_of_unlabelled(p_there, np.bincount(y))
true = np.bincount(y_test[rare_more_often]) / len(rare_more_often)
print("estimated", estimated.round(2), "true", true.round(2))
p_there = decisions.prior_replaced(p_there, np.bincount(y), estimated)

# %% [markdown]
# `keras_m2m.heads` puts a temperature, a prior or logit adjustment
# [into the network itself](../api.md#after-training), for export. The [report](../estimator.md#a-report)
# does all of this and writes a page; what its advice is worth is
# [measured](../results/regret.md).
