"""Ordinary and M2m steps with keras_m2m, on the backend that Keras has."""

import ast
import itertools
import time

import keras
import setting

import keras_m2m


class Batches(keras.utils.PyDataset):
    """The prepared batches, in turn, `steps` of them."""

    def __init__(self, batches, steps):
        super().__init__()
        self.batches, self.steps = batches, steps

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        return self.batches[index % len(self.batches)]


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch, until the device has done it."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        # Its metrics are there when its last step is done; except PyTorch's.
        [float(value) for value in (logs or {}).values()]
        if keras.backend.backend() == "torch":
            wait_for_torch()
        self.seconds.append(time.perf_counter() - self.start)


class KerasSteps:
    """Times steps of f alone and of M2m.

    Args:
        options: Those of the worker.
    """

    def __init__(self, options):
        keras.config.set_dtype_policy(options.precision)
        counts = setting.class_counts(options.num_classes, options.rho)
        f, g = setting.keras_network(options), setting.keras_network(options)
        model = keras_m2m.M2mModel(
            f,
            g,
            counts,
            beta=options.beta,
            steps=options.steps,
            bounds=(0, 1),
            compilation=compilation(options.choices),
            **setting.M2M,
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.models = {"ordinary": f, "m2m": model}
        for trained in self.models.values():
            trained.compile(
                keras.optimizers.SGD(1e-3, 0.9),
                loss,
                jit_compile=True if options.xla else "auto",
                steps_per_execution=options.steps_per_execution,
            )
        self.batches = setting.batches(options)
        self.data = itertools.cycle(self.batches)

    def single(self, name, count):
        """Seconds of a step, one after another by `train_on_batch`."""
        model = self.models[name]
        start = time.perf_counter()
        for _ in range(count):
            model.train_on_batch(*next(self.data))
        wait_for(model)
        return (time.perf_counter() - start) / count

    def fit(self, name, count):
        """Seconds of a step in the second epoch of `fit`."""
        clock = Clock()
        self.models[name].fit(
            Batches(self.batches, count),
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        return clock.seconds[-1] / count


def compilation(choices):
    """`M2mModel(compilation=...)` from `name=value,...`; None from nothing."""
    pairs = (pair.split("=") for pair in choices.split(",") if pair)
    return {name: ast.literal_eval(value) for name, value in pairs} or None


def wait_for(model):
    """Until the device has done what changes the model's variables."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        jax.block_until_ready([variable.value for variable in model.variables])
    elif backend == "torch":
        wait_for_torch()
    else:
        keras.ops.convert_to_numpy(model.trainable_variables[-1])


def wait_for_torch():
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def device_memory():
    """Most bytes of the GPU that were held at once; None on a CPU."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        statistics = jax.devices()[0].memory_stats() or {}
        return statistics.get("peak_bytes_in_use")
    if backend == "torch":
        import torch

        gpu = torch.cuda.is_available()
        return torch.cuda.max_memory_allocated() if gpu else None
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return None
    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def device():
    """ "cpu" or "gpu", whatever the backend computes on."""
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        return "gpu" if torch.cuda.is_available() else "cpu"
    names = keras.distribution.list_devices()
    return "cpu" if names[0].lower().startswith("cpu") else "gpu"


def precision(options):
    """What the arithmetic is, in words: what the backends do unless told otherwise."""
    if options.precision != "float32":
        return "mixed_bfloat16 policy"
    if device() == "cpu":
        return "float32"
    products = "float32" if keras.backend.backend() == "torch" else "TF32"
    return f"TF32 convolutions, {products} products"
