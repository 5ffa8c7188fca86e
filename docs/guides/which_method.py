# %% [markdown]
# # Which method, and when none
#
# What our own runs say, and no more. Balanced accuracy in percent; each row names the page with
# its seeds, commands and tests. M2m is one of the methods here, not always the one to take.
#
# ## The short answer
#
# 1. **Train plainly and look at the recall of each class.** Are the rare ones recognised? Then do
#    nothing. Put logistic regression beside it, which takes a second.
# 2. **Is it only the decisions?** A plain network whose scores rank samples well needs another
#    threshold, not another training: `adjust=1`, or [offsets and costs](probabilities.py).
# 3. **Features of a frozen network:** logistic regression with class weights, or nearest class means.
# 4. **A small table:** with fewer than ten validation samples of the rare class, to choose by them, as a
#    report does, loses more than always to take mixup with deferred re-sampling
#    (`method="drs", mix="mixup"`). With more, let the [report](../estimator.md#a-report) choose.
# 5. **A network trained from scratch:** try DRS, the logit-adjusted loss (`loss="la"`) and M2m. M2m is
#    worth its time where *g* recognises rare classes, so that its translations are accepted.
# 6. **Is g weak in the rare classes, or hardly a translation accepted?** Then M2m is DRS or worse:
#    take DRS.
#
# ## The evidence
#
# | data | plain training | best of others | M2m | what it says |
# |---|---|---|---|---|
# | [100 small tables](../results/keel.md), 5 folds | 81.7 | mixup-DRS 86.9, LA 86.1, DRS 84.5 | 84.1 | M2m minus DRS: -0.40 points, within noise; mixup-DRS is 2.76 above M2m |
# | the same, logistic regression | | [85.3](../results/keel.md) | | M2m minus it: -1.21, within noise |
# | [a choice on 100 tables](../results/regret.md), 1 fold | 9.6 points lost | report 4.1, mixup-DRS 3.4 | 6.7 | points below what would have been best, afterwards |
# | [frozen features](../results/frozen_features.md), 5 seeds | 72.2 | logistic regression 77.3, adjusted 75.8 | 75.0 | logistic regression is best |
# | [MiniLM of Reuters](../results/after2020.md), 5 seeds | 79.0 | class means 83.8, LA 83.3 | 82.1 | nothing trained after the plain network is best |
# | [Reuters, bags of words](../results/after2020.md), 5 seeds | 66.0 | LDAM-DRW 72.3, RW 71.4 | 72.4 | M2m has the best mean; over DRS (69.4) it is within noise |
# | [Twitter, word vectors](../results/after2020.md), 5 seeds | 69.6 | LA 80.0, LDAM-DRW 79.5 | 78.6 | 0.4 to 0.6 % accepted: M2m is DRS (78.2) |
# | [CIFAR-LT-10, the paper's size](../results/cifar_lt.md), 2 to 3 seeds | 71.4 | DRS 75.1 | 76.9 | 84.1 % accepted; its lead, 2.0 and 1.5 points, is two seeds |
# | [CIFAR-LT-10, small](../results/cifar_lt.md), JPEG, 3 seeds | 50.1 | DRS 59.0 | 59.5 | 38.4 % accepted; over DRS within noise |
# | [the same, original pixels](../results/after2020.md), 3 seeds | 53.1 | LA 63.2, Remix-DRS 62.5, adjusted 61.3 | 62.1 | what is free is as good; over DRS (60.7) M2m is within noise |
#
# Reuters, Twitter and MiniLM are tested at the last epoch. Nowhere is M2m ahead of DRS by more than
# noise, and it takes several times as long; over plain training it is far ahead on images and text
# from scratch, and on tables where that does badly, as below.
#
# ## "Do nothing", looked at
#
# The runs of the 100 tables are in the repository. Below, the gain over plain training by how well
# that does already: where it has 90 % or more, there is nothing to gain by anything.

# %%
# %matplotlib inline
import pathlib

import pandas

import keras_m2m

folder = pathlib.Path(keras_m2m.__file__).parents[1] / "results" / "keel"
folds = pandas.read_csv(folder / "folds.csv")
scores = 100 * folds.pivot_table("balanced_accuracy", "table", "method")
gain = scores.sub(scores["ERM"], axis=0)
bands = pandas.cut(scores["ERM"], [0, 60, 75, 90, 101], right=False)
shown = ["logistic regression", "ERM + adjustment", "DRS", "mixup-DRS", "M2m"]
by_band = gain[shown].groupby(bands, observed=True).mean()
by_band.index = ["below 60", "60 to 75", "75 to 90", "90 or more"]
by_band.insert(0, "tables", bands.value_counts(sort=False).to_numpy())
print(by_band.round(1).to_string())

# %% alt="Mean gain over plain training on 100 tables, for five methods, by the balanced accuracy of plain training"
axes = by_band[shown].plot.bar(figsize=(8, 3.5), rot=0, width=0.8)
axes.axhline(0, color="black", linewidth=0.8)
axes.set_xlabel("balanced accuracy of plain training, %")
axes.set_ylabel("mean gain, points")
axes.legend(frameon=False)


# %% [markdown]
# Tables of one data set are no independent samples, and tables are grouped by a score that is noisy
# itself: groups of a low score gain by chance, too. The [page](../results/keel.md) has tests.
#
# ## How to tell on your data
#
# ```bash
# python -m tasks.table --task=folder --data_dir=claims.csv --label=fraud --seeds=3
# ```
#
# tries six methods and three simpler classifiers, chooses on validation samples and confirms on
# test samples. Two traps, both seen here:
#
# - **Few validation samples choose badly.** With two of the rarest class, the best epoch came before
#   deferred methods began, on all five seeds ([frozen features](../results/frozen_features.md)).
#   With fewer than ten of a class, `train` and `tasks.folder` therefore take the last epoch.
# - **One seed says little.** On Reuters the spread of a method over seeds is one to two points, as large
#   as the differences between methods.
