"""M2m in plain PyTorch by CUDA graphs: the strongest opponent written by hand.

All that a step does on the GPU is captured: once for the ordinary step, and once for
each of a few numbers of rows for the translation. Rows are chosen on the host, which so
knows their number without waiting for the GPU, and filled up to the next size.
"""

import functools
import gc
import itertools

import setting
import torch
import torch_m2m
import torch_steps
from torch.nn import functional

ROWS = 8  # The sizes are multiples of it.
_WARM_UP = 3


def rewrite_padded(f, g, x, labels, rows, seeds, noise, lam, gamma, steps, step_size):
    """The batch with accepted translations, from as many rows as there are `rows`.

    The last row of `x` is spare: what fills up `rows` is written there.

    Args:
        f: The network to train, in inference mode.
        g: The frozen one.
        x: Images `(batch + 1, ...)`.
        labels: `(batch + 1,)`.
        rows: Rows to replace `(size,)`, filled up with `batch`.
        seeds: A seed row for each.
        noise: Where translations start, as an offset `(size, ...)`.
        lam: As for `M2mModel`, and so the others.

    Returns:
        Images `(batch + 1, ...)`.
    """
    targets = labels[rows]
    moved = torch_m2m.translate(
        f, g, x[seeds], labels[seeds], targets, noise, lam, steps, step_size
    )
    with torch.no_grad():
        confidence = functional.softmax(g(moved), dim=1)
        accepted = confidence.gather(1, targets[:, None]) >= gamma
        new = torch.where(accepted[:, :, None, None], moved, x[rows])
        return x.index_copy(0, rows, new)


def padded(rows, seeds, batch_size):
    """Rows and seeds `(2, size)`, the size the next multiple of `ROWS`."""
    size = min(-(-max(len(rows), 1) // ROWS) * ROWS, batch_size)
    filled = torch.tensor([[batch_size], [0]]).repeat(1, size)
    filled[0, : len(rows)], filled[1, : len(rows)] = rows, seeds
    return filled


def sizes(batch_size):
    """All lengths that `padded` returns."""
    return sorted({min(n, batch_size) for n in range(ROWS, batch_size + ROWS, ROWS)})


def captured(fn, pool=None):
    """A graph of what `fn` does on the GPU, after a few runs to warm up."""
    stream = _stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UP):
            fn()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    gc.collect()
    gc.disable()  # The end of an old graph would break off this one.
    try:
        # Other threads may do as they like meanwhile.
        with torch.cuda.graph(graph, pool, stream, "thread_local"):
            fn()
    finally:
        gc.enable()
    torch.cuda.current_stream().wait_stream(stream)
    return graph


@functools.cache
def _stream():
    # One for all: libraries keep a workspace for every stream that they saw.
    return torch.cuda.Stream()


class Buffers:
    """Where the graphs read the batch and write the new one; a spare row each."""

    def __init__(self, options, device):
        rows, pixels = options.batch_size + 1, options.image_size
        images = torch.zeros(rows, 3, pixels, pixels, device=device)
        self.x = images.contiguous(memory_format=torch.channels_last)
        self.new = self.x.clone()
        self.labels = torch.zeros(rows, dtype=torch.int64, device=device)

    def fill(self, x, labels):
        """Copy a pinned batch of the host, `(batch, height, width, 3)`."""
        self.x[:-1].permute(0, 2, 3, 1).copy_(x, non_blocking=True)
        self.labels[:-1].copy_(labels, non_blocking=True)


def graph_steps(options, compiled):
    """`(parts, {name: function that makes one step})`, replaying graphs."""
    parts = torch_steps.Parts(options, by_hand=True)
    f, f_to_train, g = torch_steps.frozen_twin(parts.f), parts.f, parts.g
    if compiled:
        torch_steps.allow_compilations()
        f, f_to_train, g = (torch.compile(network) for network in (f, f_to_train, g))
    buffers = Buffers(options, parts.device)
    train = {
        name: captured(
            lambda x=x: torch_m2m.ordinary_step(
                f_to_train, parts.optimizer, x[:-1], buffers.labels[:-1]
            )
        )
        for name, x in {"ordinary": buffers.x, "m2m": buffers.new}.items()
    }
    translations = translation_graphs(f, g, buffers, options, parts)
    counts, acceptance = parts.counts.cpu(), parts.acceptance.cpu()
    data = itertools.cycle(
        [
            [torch.from_numpy(values).pin_memory() for values in batch]
            for batch in setting.batches(options)
        ]
    )

    def ordinary():
        buffers.fill(*next(data))
        train["ordinary"].replay()

    def m2m():
        x, labels = next(data)
        buffers.fill(x, labels)
        rows, seeds, keep = torch_m2m.choose(labels, counts, acceptance)
        kept = torch.rand(len(rows)) < keep
        chosen = padded(rows[kept], seeds[kept], options.batch_size).pin_memory()
        graph, chosen_there = translations[chosen.shape[1]]
        chosen_there.copy_(chosen, non_blocking=True)
        graph.replay()
        train["m2m"].replay()

    return parts, {"ordinary": ordinary, "m2m": m2m}


def translation_graphs(f, g, buffers, options, parts):
    """`{size: (graph, its rows and seeds)}`; graphs share memory, largest first."""
    graphs, pool = {}, None
    for size in reversed(sizes(options.batch_size)):
        nothing = torch.tensor([], dtype=torch.int64)
        chosen = padded(nothing, nothing, options.batch_size)[:, :1].repeat(1, size)
        chosen = chosen.to(parts.device)

        def translate(chosen=chosen):
            rows, seeds = chosen
            noise = torch_m2m.small_noise(buffers.x[seeds], 0.1)
            new = rewrite_padded(
                f,
                g,
                buffers.x,
                buffers.labels,
                rows,
                seeds,
                noise,
                **parts.settings,
            )
            buffers.new.copy_(new)

        graph = captured(translate, pool)
        pool = graph.pool()
        graphs[size] = graph, chosen
    return graphs
