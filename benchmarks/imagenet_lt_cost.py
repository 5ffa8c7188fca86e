"""What a full ImageNet-LT run costs, from multiply-adds and rows translated.

    KERAS_BACKEND=jax python benchmarks/imagenet_lt_cost.py

Prints the table of docs/scaling.md, which says what is assumed.
"""

import numpy as np
import setting

import keras_m2m

# Samples, classes, and those of the largest and the smallest.
IMAGENET_LT = SAMPLES, CLASSES, *_ = 115_846, 1000, 1280, 5
BATCH, EPOCHS, DEFER_EPOCH, STEPS = 256, 200, 160, 10
GPUS = 8
SUSTAINED = [10, 30, 60]  # TFLOP/s of one GPU


def class_counts(samples, classes, largest, smallest):
    """Counts between the two known ends that add up to the known total.

    A power of the rank: the published lists are not part of this project.
    """
    rank = np.linspace(1, 0, classes)
    low, high = 1.0, 50.0
    while high - low > 1e-6:
        power = (low + high) / 2
        total = np.sum(smallest + (largest - smallest) * rank**power)
        low, high = (power, high) if total > samples else (low, power)
    return np.rint(smallest + (largest - smallest) * rank**power).astype(int)


def main():
    network = keras_m2m.resnet50(CLASSES)
    per_pass = 2 * setting.multiply_adds(network)  # FLOP of one image forwards
    ordinary = 3 * BATCH * per_pass
    steps = -(-SAMPLES // BATCH)
    print(f"forward pass of one image: {per_pass / 1e9:.2f} GFLOP")
    print(f"ordinary step: {ordinary / 1e12:.2f} TFLOP; {steps} steps an epoch")
    lines = ["| β | rows translated | M2m step, TFLOP | g and f, PFLOP |"]
    lines[0] += "".join(f" {GPUS} GPUs at {rate} TFLOP/s |" for rate in SUSTAINED)
    lines.append("|---" * (4 + len(SUSTAINED)) + "|")
    for beta in (0.9, 0.99, 0.999):
        rows = BATCH * keras_m2m.translation_share(class_counts(*IMAGENET_LT), beta)
        m2m = ordinary + 4 * STEPS * rows * per_pass
        # g is an ordinary run of all epochs, f one up to the deferral.
        plain = steps * (EPOCHS + DEFER_EPOCH) * ordinary
        total = plain + steps * (EPOCHS - DEFER_EPOCH) * m2m
        hours = [total / (GPUS * rate * 1e12) / 3600 for rate in SUSTAINED]
        cells = [f"{beta}", f"{rows:.0f}", f"{m2m / 1e12:.2f}", f"{total / 1e15:.0f}"]
        lines.append(
            f"| {' | '.join([*cells, *(f'{hour:.1f} h' for hour in hours)])} |"
        )
    print("\n".join(lines))


if __name__ == "__main__":
    main()
