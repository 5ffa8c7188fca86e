# %% [markdown]
# # Your own table
#
# Rows with numbers, categories, dates and holes, and a rare class: claims, of which a few are
# fraud. **Begin with mixup and deferred re-sampling, and logistic regression beside it**; on small
# tables M2m is no better than re-sampling ([100 tables](../results/keel.md)). This page shows how to find out on yours.
#
# You need, in a checkout, `pip install '.[torch,sklearn,tables,report]'`; for the command at the end
# `pip install '.[tasks,torch]'`.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pandas
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from keras_m2m.sklearn import M2mClassifier
from keras_m2m.tabular import TablePreprocessor

# %% [markdown]
# ## A table
#
# These claims are made up, so that the rare class can be found, but not always.

# %%
rng = np.random.default_rng(0)
fraud = rng.random(1500) < 0.06
claims = pandas.DataFrame(
    {
        "amount": rng.lognormal(np.where(fraud, 7.2, 6.0), 0.8).round(2),
        "days insured": rng.exponential(np.where(fraud, 120, 700)).astype(int),
        "region": rng.choice(["north", "south", "east"], 1500),
        "reported": pandas.Timestamp("2026-01-01")
        + pandas.to_timedelta(rng.integers(0, 300, 1500), unit="D"),
    }
)
claims.loc[rng.random(1500) < 0.1, "amount"] = np.nan
labels = np.where(fraud, "fraud", "legal")
X_train, X_held, y_train, y_held = train_test_split(
    claims, labels, test_size=0.4, stratify=labels, random_state=0
)
print(claims.head(4))
print(pandas.Series(y_train).value_counts().to_dict())

# %% [markdown]
# ## Simple ones, and M2m
#
# A frame goes into `M2mClassifier` as it is. What it does with columns,
# `TablePreprocessor` does for others: numbers are standardised, categories get an entry each, dates
# become numbers, holes are filled and marked ([the list](../own_data.md#tables)). M2m moves numbers
# by their spread, and leaves categories as they are.

# %%
logistic = LogisticRegression(class_weight="balanced", max_iter=1000)
logistic = make_pipeline(TablePreprocessor(), logistic).fit(X_train, y_train)
short = {"epochs": 12, "random_state": 0}
drs = M2mClassifier(method="drs", mix="mixup", **short).fit(X_train, y_train)
m2m = M2mClassifier(method="m2m", **short).fit(X_train, y_train)
print(m2m.preprocessor_.kinds_)
print(f"step {m2m.step_size_:.2g}, accepted {100 * m2m.acceptance_rate_:.0f} %")

# %% [markdown]
# ## Which to take
#
# `report` takes rows that no `fit` has seen. By half of them it chooses a method, a temperature and
# how to decide; the other half confirms. Here a fraud that is let through costs twenty times
# as much as a legal claim that somebody looks at.

# %%
costs = [[0, 20], [1, 0]]  # [true, predicted], in the order of classes_: fraud, legal.
compare = {"logistic": logistic, "mixup-drs": drs}
found = m2m.report(X_held, y_held, compare=compare, costs=costs)
print(*found.advice.sentences, sep="\n")

# %%
found.save("report.html")  # One file; opens without a network.
best = {**compare, "m2m": m2m}[found.advice.method]
decisions = m2m.classes_[found.advice.decide(best.predict_proba(X_held))]
print(pandas.crosstab(y_held, decisions, rownames=["true"], colnames=["decided"]))

# %% [markdown]
# With so few rows of the rare class, look at how wide the intervals on the page are before you
# believe any order. What such advice is worth: [regret](../results/regret.md).
#
# **From the command line** the same without Python, from CSV or Parquet, with several seeds and a
# learning curve:
#
# ```bash
# python -m tasks.table --task=folder --data_dir=claims.csv --label=fraud --seeds=3 --cost=costs.csv
# ```
#
# **Next:** [pipelines, searches and calibration](../estimator.md);
# [probabilities and thresholds](probabilities.py).
