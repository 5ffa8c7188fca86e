"""What of an ordinary ResNet-32 step is convolution, on JAX and on PyTorch.

    KERAS_BACKEND=jax python benchmarks/convolutions.py
    KERAS_BACKEND=torch python benchmarks/convolutions.py

Milliseconds of the convolutions of a step, each kind by itself times how often it
occurs: forwards, gradient of the input, gradient of the weights. Beside them a step of
Keras; on JAX also the same gradients and update as one compiled function, so that the
rest is what Keras does around it.
"""

import argparse
import statistics
import time

import keras
import numpy as np
from keras_steps import wait_for

import keras_m2m

BACKEND = keras.config.backend()

# Height and width of the input, its channels, filters, strides, occurrences.
CONVOLUTIONS = [
    (32, 3, 16, 1, 1),
    (32, 16, 16, 1, 10),
    (32, 16, 32, 2, 1),
    (16, 32, 32, 1, 9),
    (16, 32, 64, 2, 1),
    (8, 64, 64, 1, 9),
]


def milliseconds(run, rounds):
    """Median of calls that return when the work is done; the first is not counted."""
    run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


def jax_parts(x, kernel, strides):
    """Three functions without arguments: forwards, and the two gradients."""
    import jax

    def conv(x, kernel):
        dimensions = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(
            x, kernel, (strides, strides), "SAME", dimension_numbers=dimensions
        )

    x, kernel = jax.numpy.asarray(x), jax.numpy.asarray(kernel)
    forwards = jax.jit(conv)
    incoming = forwards(x, kernel)

    def gradient(argument):
        def of_one(x, kernel, incoming):
            return jax.vjp(conv, x, kernel)[1](incoming)[argument]

        return jax.jit(of_one)

    functions = [
        (forwards, (x, kernel)),
        (gradient(0), (x, kernel, incoming)),
        (gradient(1), (x, kernel, incoming)),
    ]
    return [
        lambda fn=fn, arguments=arguments: jax.block_until_ready(fn(*arguments))
        for fn, arguments in functions
    ]


def torch_parts(x, kernel, strides):
    """The same in PyTorch, in its channels-last memory format."""
    import torch

    last = torch.channels_last
    x = torch.tensor(x).permute(0, 3, 1, 2).contiguous(memory_format=last)
    kernel = torch.tensor(kernel).permute(3, 2, 0, 1).contiguous(memory_format=last)
    padding = kernel.shape[-1] // 2

    def forwards():
        with torch.no_grad():
            return torch.nn.functional.conv2d(x, kernel, None, strides, padding)

    incoming = forwards()

    def gradient(*wanted):
        def run():
            pairs = [[size] * 2 for size in (strides, padding, 1, 0)]
            torch.ops.aten.convolution_backward(
                incoming, x, kernel, None, *pairs[:3], False, pairs[3], 1, wanted
            )

        return run

    return [forwards, gradient(True, False, False), gradient(False, True, False)]


def steps(batch_size, rounds):
    """Milliseconds of a step of Keras, and on JAX of the compiled function alone."""
    f = keras_m2m.resnet32(10)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    f.compile(keras.optimizers.SGD(1e-3, 0.9), loss)
    x = np.random.default_rng(0).random((batch_size, 32, 32, 3), "float32")
    y = np.arange(batch_size) % 10

    def step():
        f.train_on_batch(x, y)
        wait_for(f)

    found = {"step of Keras": milliseconds(step, rounds)}
    if BACKEND == "jax":
        found["the same in one function"] = milliseconds(by_hand(f, loss, x, y), rounds)
    return found


def by_hand(f, loss, x, y):
    """A step as whoever writes JAX by hand would write it."""
    import jax

    weights = [v.value for v in f.trainable_variables]
    rest = [v.value for v in f.non_trainable_variables]
    velocities = [jax.numpy.zeros_like(w) for w in weights]

    def objective(weights, rest, x, y):
        logits, rest, losses = f.stateless_call(
            weights, rest, x, training=True, return_losses=True
        )
        return loss(y, logits) + sum(losses), rest

    @jax.jit
    def step(weights, velocities, rest, x, y):
        gradients, rest = jax.grad(objective, has_aux=True)(weights, rest, x, y)
        velocities = [0.9 * v - 1e-3 * g for v, g in zip(velocities, gradients)]
        return [w + v for w, v in zip(weights, velocities)], velocities, rest

    return lambda: jax.block_until_ready(step(weights, velocities, rest, x, y))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    size_of_batch, rounds = options.batch_size, options.rounds
    rng = np.random.default_rng(0)
    parts = {"jax": jax_parts, "torch": torch_parts}[BACKEND]
    total = np.zeros(3)
    print(f"{BACKEND}, batch {size_of_batch}, ms: forwards, input, weights")
    for size, channels, filters, strides, times in CONVOLUTIONS:
        x = rng.random((size_of_batch, size, size, channels), "float32")
        kernel = rng.random((3, 3, channels, filters), "float32")
        found = [milliseconds(run, rounds) for run in parts(x, kernel, strides)]
        total += times * np.array(found)
        name = f"{times} x {size}x{size}x{channels} to {filters}"
        print(f"{name:24}", *(f"{value:7.2f}" for value in found))
    print(f"{'all of a step':24}", *(f"{value:7.0f}" for value in total))
    for name, value in steps(size_of_batch, rounds).items():
        print(f"{name:24} {value:7.0f}")


if __name__ == "__main__":
    main()
