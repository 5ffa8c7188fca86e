"""PyTorch: the gradient of a detached leaf; state lives in variables."""

import contextlib

import torch

from keras_m2m._backend.cuda_graphs import ValuesSentAhead
from keras_m2m._backend.cuda_graphs import replayed


def fused_batch_norm(x, scale, offset, epsilon):
    # Channels-last images are, to PyTorch, of channels-last memory format.
    y, mean, inverse_deviation = torch.native_batch_norm(
        x.permute(0, 3, 1, 2), scale, offset, None, None, True, 0.0, epsilon
    )
    return y.permute(0, 2, 3, 1), mean, inverse_deviation**-2 - epsilon


def input_gradient(fn, x):
    # autograd.grad, never backward(): that would add to the weights' gradients.
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(fn(leaf), leaf)
    return gradient


def gradient_and_output(fn, x):
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        value, output = fn(leaf)
        if not value.requires_grad:
            return None, output
        (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True)
    return gradient, output


def compiled(fn, for_once=False):
    return fn if for_once else replayed(fn)


def is_recorded(model):
    return next(model.parameters()).is_cuda


def unhindered(model):
    eager = not torch.compiler.is_compiling()
    on_gpu = eager and is_recorded(model)
    return ValuesSentAhead() if on_gpu else contextlib.nullcontext()


@torch.compiler.disable  # What is traced cannot be recorded as a CUDA graph.
def run_stateful(model, state, fn, *args):
    with torch.no_grad():
        return fn(*args), state


def device_count(model):
    return 1


def replica_number():
    return 0


def over_devices(x):
    return x


def is_readable(x):
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def values_kept(model):
    return contextlib.nullcontext()
