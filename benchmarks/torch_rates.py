"""What a machine does at most: products a second, launches a second, by PyTorch."""

import time

import torch

_LAUNCHES = 2000


def rates():
    """Multiply-adds a second by kind of arithmetic, and seconds of a tiny kernel.

    For a process that leaves the precision of products as it is, the highest.
    """
    if not torch.cuda.is_available():
        return {"float32": product_rate(2048)}
    found = {}
    for name, precision in {"tf32": "high", "float32": "highest"}.items():
        torch.set_float32_matmul_precision(precision)
        found[name] = product_rate(8192)
    found["bfloat16"] = product_rate(8192, torch.bfloat16)
    found.update(launch_rates())
    # The most that steps have held counts anew.
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return found


def product_rate(size, dtype=torch.float32):
    """Multiply-adds a second of large products of random matrices, the best of 10."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    a = torch.rand(size, size, device=device, dtype=dtype)
    for _ in range(3):
        a @ a
    return size**3 / min(seconds_of(lambda: a @ a) for _ in range(10))


def launch_rates():
    """Seconds of a kernel that does hardly anything, one by one and in a graph."""
    x = torch.zeros(1, device="cuda")

    def launches():
        for _ in range(_LAUNCHES):
            x.add_(1)

    launches()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        launches()
    graph.replay()
    return {
        f"seconds_per_launch{name}": min(seconds_of(run) for _ in range(5)) / _LAUNCHES
        for name, run in {"": launches, "_in_graph": graph.replay}.items()
    }


def seconds_of(run):
    """Seconds until the device has done it."""
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    if on_gpu:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def kernels(step):
    """Kernels that a step runs on the GPU, copies left out; None on a CPU."""
    if not torch.cuda.is_available():
        return None
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        step()
        torch.cuda.synchronize()
    names = [
        event.name
        for event in profile.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
    ]
    return sum(not name.startswith(("Memcpy", "Memset")) for name in names)
