"""PyTorch: the gradient of a detached leaf; state lives in variables."""

import torch


def input_gradient(fn, x):
    # autograd.grad, never backward(): that would add to the weights' gradients.
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(fn(leaf), leaf)
    return gradient


def run_stateful(model, state, fn, *args):
    with torch.no_grad():
        return fn(*args), state


def device_count(model):
    return 1


def replica_number():
    return 0


def over_devices(x):
    return x
