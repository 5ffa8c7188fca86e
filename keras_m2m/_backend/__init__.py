"""The operations that Keras has no backend-neutral form of.

`input_gradient(fn, x)` is the gradient of the scalar `fn(x)` with respect to the
tensor `x`, of the same shape and dtype as `x`. Only `x` is differentiated: no
gradient reaches a variable that `fn` reads, and none is accumulated anywhere.

`gradient_and_output(fn, x)` is the same for a `fn` that returns `(scalar, output)`:
it gives the gradient, None where the scalar does not depend on `x` by differentiable
operations (on JAX zeros), and the output.

`compiled(fn, for_once)` is `fn` compiled by itself, for where nothing around it is: on
JAX, whose operations are slow one by one, on TensorFlow as a graph, and on PyTorch on a
GPU, which records what `fn` launches (`cuda_graphs.py`). `fn` takes a list of weights
and tensors, returns tensors, and reads no variable. What is called once or twice is
compiled quickly, to slower code, and not recorded.

`is_recorded(model)` says whether `compiled` records functions of the weights of
`model`.

`run_stateful(model, state, fn, *args)` runs `fn(*args)`, which may read and
update the variables of `model`, inside a `train_step`. It returns
`(result, state)`. TensorFlow and PyTorch keep their state in the variables, so
there `state` is the empty list and is handed back; JAX passes values around, so
there `state` is what Keras gave to `train_step`, and comes back updated.

`unhindered(model)` is a context for a step of `model`, in which PyTorch launches what
comes after a translation while a GPU still runs that.

`values_kept(model)` is a context for `fit`, which on JAX takes the values out of the
variables of `model` and its optimizer: if it fails in its first step, they come back.

`fused_batch_norm(x, scale, offset, epsilon)` normalises a batch `(batch, height,
width, channels)` by its own statistics, in one kernel where Keras takes several. It
returns the result, the means and the (biased) variances. None where there is no such
kernel.

Three more are for several devices. `device_count(model)` is how many devices hold
the variables of `model`. `replica_number()` is, inside a step, the number of this one
among the programs that run it side by side; only TensorFlow runs several, and
elsewhere it is 0. `over_devices(x)` divides the rows of `x`, shape `(n, ...)`, among
the devices of a step that is one program over all of them, as JAX's is; values stay.

`is_readable(x)` says whether the values of the tensor `x` can be read without harm:
there are none inside compiled code, and for those on a GPU PyTorch's step would wait.
"""

import keras

if keras.config.backend() == "tensorflow":
    from keras_m2m._backend.tensorflow import compiled
    from keras_m2m._backend.tensorflow import device_count
    from keras_m2m._backend.tensorflow import fused_batch_norm
    from keras_m2m._backend.tensorflow import gradient_and_output
    from keras_m2m._backend.tensorflow import input_gradient
    from keras_m2m._backend.tensorflow import is_readable
    from keras_m2m._backend.tensorflow import is_recorded
    from keras_m2m._backend.tensorflow import over_devices
    from keras_m2m._backend.tensorflow import replica_number
    from keras_m2m._backend.tensorflow import run_stateful
    from keras_m2m._backend.tensorflow import unhindered
    from keras_m2m._backend.tensorflow import values_kept
elif keras.config.backend() == "jax":
    from keras_m2m._backend.jax import compiled
    from keras_m2m._backend.jax import device_count
    from keras_m2m._backend.jax import fused_batch_norm
    from keras_m2m._backend.jax import gradient_and_output
    from keras_m2m._backend.jax import input_gradient
    from keras_m2m._backend.jax import is_readable
    from keras_m2m._backend.jax import is_recorded
    from keras_m2m._backend.jax import over_devices
    from keras_m2m._backend.jax import replica_number
    from keras_m2m._backend.jax import run_stateful
    from keras_m2m._backend.jax import unhindered
    from keras_m2m._backend.jax import values_kept
elif keras.config.backend() == "torch":
    from keras_m2m._backend.torch import compiled
    from keras_m2m._backend.torch import device_count
    from keras_m2m._backend.torch import fused_batch_norm
    from keras_m2m._backend.torch import gradient_and_output
    from keras_m2m._backend.torch import input_gradient
    from keras_m2m._backend.torch import is_readable
    from keras_m2m._backend.torch import is_recorded
    from keras_m2m._backend.torch import over_devices
    from keras_m2m._backend.torch import replica_number
    from keras_m2m._backend.torch import run_stateful
    from keras_m2m._backend.torch import unhindered
    from keras_m2m._backend.torch import values_kept
else:
    raise ImportError(
        "keras_m2m runs on the Keras backends tensorflow, jax and torch. "
        f"Received: KERAS_BACKEND={keras.config.backend()}"
    )

__all__ = [
    "compiled",
    "device_count",
    "fused_batch_norm",
    "gradient_and_output",
    "input_gradient",
    "is_readable",
    "is_recorded",
    "over_devices",
    "replica_number",
    "run_stateful",
    "unhindered",
    "values_kept",
]
