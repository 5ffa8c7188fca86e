# %% [markdown]
# # M2m in a PyTorch pipeline
#
# With a `DataLoader`, by `fit` or in a loop of your own with an optimizer of PyTorch.

# %%
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch
from keras import ops
from torch.utils.data import DataLoader
from torch.utils.data import TensorDataset
from torch.utils.data import WeightedRandomSampler

import keras_m2m

y = np.repeat([0, 1, 2], [600, 60, 12])
x = np.random.default_rng(0).normal(3 * np.eye(3, 20)[y]).astype("float32")
counts = keras_m2m.count_classes(y, 3)
data = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))

# %% [markdown]
# ## Plain and class-balanced loaders
#
# A sampler that weighs each sample by 1 / N of its class draws classes alike.

# %%
plain = DataLoader(data, batch_size=64, shuffle=True)
sampler = WeightedRandomSampler(1 / torch.tensor(counts)[y], num_samples=640)
balanced = DataLoader(data, batch_size=64, sampler=sampler)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
f, g = (keras_m2m.mlp(3, (20,)) for _ in "fg")
for network in (g, f):
    network.compile(keras.optimizers.SGD(0.1), loss)
    network.fit(plain, epochs=6, shuffle=False, verbose=0)  # The loader shuffles.

# %% [markdown]
# ## By `fit`
#
# It looks at the first batch alone, so choose the step on arrays that you have, or give a number.

# %%
settings = {"beta": 0.9, "units": keras_m2m.standard_units(x)}
chosen = keras_m2m.choose_step_size(f, g, x, y, counts, **settings, seed=0)
print(chosen)
model = keras_m2m.M2mModel(f, g, counts, step_size=chosen.step_size, **settings)
model.compile(f.optimizer, loss)
history = model.fit(balanced, epochs=3, shuffle=False, verbose=0).history
print("accepted", [round(rate, 2) for rate in history["acceptance_rate"]])

# %% [markdown]
# ## In a loop of your own
#
# Under this backend a Keras model is a `torch.nn.Module`, and the four methods of a step take and
# return tensors of PyTorch. Labels stay as they are; samples of rare classes are replaced.

# %%
optimizer = torch.optim.SGD(f.parameters(), lr=0.01, momentum=0.9)
f.train()
replaced = 0
for x_batch, y_batch in balanced:
    x_batch, y_batch = (ops.convert_to_tensor(part) for part in (x_batch, y_batch))
    seeds = model.draw_seeds(x_batch, y_batch)
    translated = model.translate(seeds)
    accepted = seeds.wanted & model.accept(seeds, translated)
    x_batch, y_batch = model.replace(x_batch, y_batch, seeds, translated, accepted)
    replaced += int(accepted.sum())
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(f(x_batch), y_batch).backward()
    optimizer.step()
print(f"{replaced} of 640 rows were replaced")

# %%
predicted = f.predict(x, verbose=0).argmax(axis=1)
recall = [float((predicted[y == k] == k).mean()) for k in range(3)]
print("recall on the training set", [round(share, 2) for share in recall])
f.save("f.keras")

# %% [markdown]
# The network is one of Keras: a module that was written in PyTorch goes in as
# `keras.layers.TorchModuleWrapper`, in *f* and in *g*.
#
# **Next:** [M2m in your own training loop](own_loop.py) shows the same for Keras' `train_step`.
