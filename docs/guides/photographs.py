# %% [markdown]
# # Your own photographs
#
# Put the pictures of each class into a folder of its own. One command trains, compares and
# reports; another one labels new pictures.
#
#     photos/temple/1.png
#     photos/temple/2.png
#     photos/flower/1.png
#
# You need a checkout and `pip install '.[tasks,torch]'`. If a table says what each picture
# shows, give it by `--labels`; if several pictures show the same patient, keep them together by
# `--group`. [Data of your own](../own_data.md) has all that is read, and what is refused.

# %%
# %matplotlib inline
import os
import pathlib
import re
import shlex
import subprocess
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

import keras_m2m

# %% [markdown]
# ## Some photographs
#
# Here they are pieces, 32 pixels wide, of two photographs that come with scikit-learn: 120 of a
# temple, 20 of a flower.

# %% alt="Pieces of two photographs: eight of a temple, eight of a flower"
photos = pathlib.Path("photos")


def write_pieces(photograph, name, number, side=32):
    """Save pieces of a photograph that do not overlap as pictures of one class."""
    (photos / name).mkdir(parents=True, exist_ok=True)
    whole = load_sample_image(photograph)
    height, width = (length // side for length in whole.shape[:2])
    grid = whole[: height * side, : width * side].reshape(height, side, width, side, 3)
    pieces = grid.swapaxes(1, 2).reshape(-1, side, side, 3)
    chosen = np.random.default_rng(0).permutation(pieces)[:number]
    for i, piece in enumerate(chosen):
        Image.fromarray(piece).save(photos / name / f"{i}.png")
    return chosen


temples = write_pieces("china.jpg", "temple", 120)
flowers = write_pieces("flower.jpg", "flower", 20)
figure, grid = plt.subplots(2, 8, figsize=(8, 2.2))
for axes, piece in zip(grid.ravel(), [*temples[:8], *flowers[:8]]):
    axes.imshow(piece)
    axes.set_axis_off()


# %% [markdown]
# ## Train and compare
#
# `--compare` trains other methods beside M2m: without them you cannot tell whether it is worth its
# time. `--network`, `--image_size` and `--epochs` are here so that this page runs in seconds: leave
# them out, and it is a ResNet-20 on 32×32 pixels, 60 epochs.


# %%
def run(command):
    """Run a command line, and show what it prints, but for the lines of epochs."""
    checkout = pathlib.Path(keras_m2m.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    line = [sys.executable, *shlex.split(command)[1:]]
    done = subprocess.run(line, env=environment, stdout=subprocess.PIPE, text=True)
    of_epochs = re.compile(r".*Epoch .*\n|.*/step .*\n|.*: epochs .*\n")
    print(of_epochs.sub("", done.stdout))
    done.check_returncode()


run(
    "python -m tasks.folder --data_dir=photos --compare=erm,drs --out_dir=run "
    "--network=mlp --image_size=16 --epochs=20"
)

# %% [markdown]
# The notes are meant seriously. With four pictures of flowers for the test, recall moves by
# steps of 25 points: enough to run, not to judge. Look at `accepted`: near 0, M2m is DRS and no
# more.
#
# ## What it leaves

# %%
for path in sorted(pathlib.Path("run").glob("*.*")):
    print(path)

# %% [markdown]
# `README.md` is a model card: classes, recall and precision of each, how it was trained, what it
# confuses. `f.keras` is an ordinary Keras model from pixels in [0, 1] to logits. These pictures are
# square; of others it wants the square in the middle (`PIL.ImageOps.fit`):

# %%
f = keras.saving.load_model("run/f.keras")
small = [Image.fromarray(piece).resize((16, 16)) for piece in flowers[:5]]
pixels = np.stack([np.asarray(image) for image in small]).astype("float32") / 255
print(["flower", "temple"], f.predict(pixels, verbose=0).argmax(axis=1))

# %% [markdown]
# The command for new pictures makes them small by the function that made the training's, and
# says which a person should look at:
#
# ```bash
# python -m tasks.predict --model=run --data=new_photos --out=predictions.csv
# ```
#
# **Next:** with a few hundred pictures, [features of a pretrained network](pretrained_features.py)
# do far more than any method for rare classes: `--backbone=MobileNetV3Small`. To choose a method
# and a rule for decisions, run
#
# ```bash
# python -m tasks.table --task=folder --data_dir=photos --seeds=3
# ```
#
# which tries several, and writes [a report](../own_data.md#which-method-and-how-to-decide-by-it).
