"""PyTorch on a GPU: what a function launches, recorded once and replayed.

To launch an operation takes the host longer than many of a small network's take the
GPU. A recording (a CUDA graph) is launched as one.
"""

import contextlib
import functools
import gc
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch.overrides import TorchFunctionMode


def replayed(fn: Callable) -> Callable:
    """`fn`, recorded on a GPU for each shape of its tensors; elsewhere `fn` itself.

    What cannot be recorded, such as code that waits for values, is called as it is
    after one warning.

    Args:
        fn: Function of a list of weights and of tensors, returning a tensor. Weights
            are read where they are, so that a recording sees the values of the day.

    Returns:
        Function of the same arguments and result.
    """
    recordings: dict = {}
    pool = functools.cache(torch.cuda.graph_pool_handle)
    places, sound = None, True

    def run(weights, *tensors):
        nonlocal places, sound
        if not sound or not _on_gpu(tensors):
            return fn(weights, *tensors)
        now = [weight.data_ptr() for weight in weights]
        if now != places:
            recordings.clear()
            places = now
        key = tuple((tensor.shape, tensor.dtype) for tensor in tensors)
        if key not in recordings:
            try:
                recordings[key] = _record(fn, weights, tensors, pool())
            except Exception as error:  # Whatever a user's network raises.
                recordings.clear()
                sound = False
                warnings.warn(
                    "A translation could not be recorded as a CUDA graph and is "
                    f"launched step by step, which is slower. Received: {error}",
                    stacklevel=2,
                )
                return fn(weights, *tensors)
        return recordings[key](tensors)

    return run


def _on_gpu(tensors):
    return all(tensor.is_cuda for tensor in tensors)


@torch.no_grad()
def _record(fn, weights, tensors, pool):
    """A function that replays `fn` on tensors like these."""
    inputs = [torch.clone(tensor) for tensor in tensors]
    stream, graph = _recording_stream(), torch.cuda.CUDAGraph()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream), NumbersMadeOnDevice():
        fn(weights, *inputs)  # Lets libraries choose and allocate what they need.
        with _waiting_refused():  # A recording broken off would be hard to clean up.
            fn(weights, *inputs)
        # Other threads, which fetch data, may do as they like meanwhile.
        mode = "thread_local"
        with _no_garbage(), torch.cuda.graph(graph, pool, stream, mode):
            output = fn(weights, *inputs)
    torch.cuda.current_stream().wait_stream(stream)

    @torch.no_grad()
    def replay(tensors):
        for place, tensor in zip(inputs, tensors, strict=True):
            place.copy_(tensor)
        graph.replay()
        return output.clone()  # The next replay writes to the same place.

    return replay


@functools.cache
def _recording_stream():
    # One for all: cuBLAS keeps a workspace for every stream that it ever saw.
    return torch.cuda.Stream()


@contextlib.contextmanager
def _no_garbage():
    """Nothing is freed: the end of an old recording would break off a new one."""
    gc.collect()
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextlib.contextmanager
def _waiting_refused():
    """Operations that wait for the GPU raise, which a recording cannot hold."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # A prototype, it says, which may miss some.
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


class NumbersMadeOnDevice(TorchFunctionMode):
    """Tensors of a Python number are filled on the device, not copied from the host.

    Keras makes such tensors of the constants in `keras.ops.maximum(x, 0.1)`. To copy
    one to a GPU waits for all that was launched before.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in (torch.as_tensor, torch.tensor) and len(args) == 1:
            return self._made(func, args[0], **kwargs)
        return func(*args, **kwargs)

    def _made(self, func, value, **kwargs):
        if isinstance(value, bool | int | float):
            return torch.full((), value, **kwargs)
        return func(value, **kwargs)


class ValuesSentAhead(NumbersMadeOnDevice):
    """For code that is not recorded: arrays go to a GPU without a wait, too.

    A recording would read their place on the host again when they are gone.
    """

    def _made(self, func, value, device=None, **kwargs):
        if (
            isinstance(value, np.ndarray)
            and torch.device(device or "cpu").type == "cuda"
        ):
            return func(value, **kwargs).pin_memory().to(device, non_blocking=True)
        return super()._made(func, value, device=device, **kwargs)
