"""Made heartbeats, 600, 60 and 12 of three classes, to try networks for series on.

    python benchmarks/heartbeats.py --out=beats.npz
    python -m tasks.folder --data_dir=beats.npz --kind=series --protocol=field

A window of 187 values at 125 Hz, like those of MIT-BIH, holds a beat: bumps of Gauss's
shape for P, QRS and T, each of random height, width and place, on a wandering base and
in noise. A premature atrial beat has its P close before the QRS and upside down; a
ventricular one has no P, a wide QRS and T upside down. Heights vary so much that some
beats of any class look like another's. 300 test samples of each class; in several
channels each sees the waves from a side of its own.
"""

import argparse
import pathlib

import numpy as np

CLASSES = ("normal", "atrial", "ventricular")
COUNTS = (600, 60, 12)
_RATE = 125  # Values a second.
_NOISE, _WANDER = 0.2, 0.15  # Of the height of a QRS.
# Of P, Q, R, S and T: seconds from R, width in seconds, height; of each class.
WAVES = {
    "normal": [
        (-0.16, 0.020, 0.15),
        (-0.03, 0.008, -0.12),
        (0.00, 0.010, 1.00),
        (0.03, 0.009, -0.20),
        (0.28, 0.050, 0.30),
    ],
    "atrial": [
        (-0.10, 0.018, -0.12),
        (-0.03, 0.008, -0.12),
        (0.00, 0.010, 0.95),
        (0.03, 0.009, -0.20),
        (0.26, 0.050, 0.28),
    ],
    "ventricular": [
        (-0.16, 0.020, 0.0),
        (-0.04, 0.015, -0.10),
        (0.00, 0.022, 1.05),
        (0.06, 0.020, -0.35),
        (0.28, 0.055, -0.15),
    ],
}


def heartbeats(counts, channels=1, length=187, seed=0):
    """Float32 series `(n, length, channels)` and int64 labels, by class."""
    rng = np.random.default_rng(seed)
    # The same for every seed: where the electrodes are.
    sides = np.random.default_rng(7).normal(1.0, 0.5, size=(channels, 5))
    sides[0] = 1
    beats = [
        _beat(rng, WAVES[CLASSES[k]], sides, length)
        for k, count in enumerate(counts)
        for _ in range(count)
    ]
    return np.stack(beats).astype("float32"), np.repeat(np.arange(len(counts)), counts)


def _beat(rng, waves, sides, length):
    seconds = np.arange(length) / _RATE
    middle = rng.uniform(0.35, 0.65) * seconds[-1]
    stretch = rng.normal(1.0, 0.08)
    places, widths, heights = np.array(waves).T
    places = middle + stretch * places + rng.normal(0, 0.008, 5)
    widths = widths * rng.lognormal(0, 0.25, 5)
    heights = heights * rng.normal(1.0, 0.3, 5) + rng.normal(0, 0.03, 5)
    distance = (seconds[:, None] - places) / widths
    bumps = heights * np.exp(-np.square(distance) / 2)
    phase, pace = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.5)
    base = _WANDER * np.sin(2 * np.pi * pace * seconds + phase)
    noise = _NOISE * rng.normal(size=(length, len(sides)))
    return bumps @ sides.T + base[:, None] + noise


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--channels", type=int, default=1)
    arguments = parser.parse_args()
    x_train, y_train = heartbeats(COUNTS, arguments.channels, seed=0)
    x_test, y_test = heartbeats((300,) * len(COUNTS), arguments.channels, seed=1)
    np.savez(
        arguments.out,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=np.array(CLASSES),
    )


if __name__ == "__main__":
    main()
