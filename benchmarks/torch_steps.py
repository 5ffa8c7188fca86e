"""Ordinary and M2m steps in plain PyTorch, eager or by `torch.compile`."""

import copy
import itertools

import setting
import torch
import torch_m2m
from torch import nn

import keras_m2m


class InPrecision(nn.Module):
    """A network under autocast, whose logits are float32 all the same."""

    def __init__(self, network, device):
        super().__init__()
        self.network, self.device = network, device

    def forward(self, x):
        with torch.autocast(self.device, torch.bfloat16):
            return self.network(x).float()


class Parts:
    """What every kind of step in plain PyTorch is made of.

    Attributes:
        device: "cuda" where there is one, else "cpu".
        f: The network to train; `g` the frozen one.
        optimizer: Of f.
        counts: Samples per class, on the device; `acceptance` likewise.
        layout: Memory format of networks and images.
        tf32: Whether products may use TF32 too, as PyTorch lets convolutions anyway.
    """

    def __init__(self, options, channels_last=True, by_hand=False):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        counts = setting.class_counts(options.num_classes, options.rho)
        acceptance = keras_m2m.acceptance_probability(counts, options.beta)
        self.counts = torch.tensor(counts, device=self.device)
        self.acceptance = torch.tensor(
            acceptance, dtype=torch.float32, device=self.device
        )
        self.f, self.g = (self._network(options) for _ in range(2))
        self.g.eval().requires_grad_(False)
        fused = True if by_hand else None
        self.optimizer = torch.optim.SGD(
            self.f.parameters(), 1e-3, momentum=0.9, fused=fused
        )
        self.settings = {"steps": options.steps, **setting.M2M}
        self.tf32 = by_hand
        if by_hand:
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.benchmark = True

    def _network(self, options):
        network = setting.torch_network(options)
        network = network.to(self.device, memory_format=self.layout)
        if options.precision == "float32":
            return network
        return InPrecision(network, self.device)

    def synchronize(self):
        if self.device == "cuda":
            torch.cuda.synchronize()


def eager_steps(options, channels_last, reject_first, compiled):
    """`(parts, {name: function that makes one step})`, one operation at a time.

    Compiled, f and g are `torch.compile`d: in training f by itself, in the
    translation a twin that needs no gradients of weights. A second number of rows
    makes the compiled code one for any.
    """
    parts = Parts(options, channels_last or compiled, by_hand=compiled)
    f, f_to_train, g = parts.f, parts.f, parts.g
    if compiled:
        allow_compilations()
        f, f_to_train, g = (
            torch.compile(network) for network in (frozen_twin(f), f, g)
        )
    data = itertools.cycle(setting.batches(options))

    def batch():
        x, labels = next(data)
        x = torch.from_numpy(x).to(parts.device).permute(0, 3, 1, 2)
        x = x.contiguous(memory_format=parts.layout)
        return x, torch.from_numpy(labels).to(parts.device)

    def ordinary():
        torch_m2m.ordinary_step(f_to_train, parts.optimizer, *batch())

    def m2m():
        x, labels = batch()
        statistics = parts.counts, parts.acceptance
        x = torch_m2m.rewrite(
            f, g, x, labels, *statistics, reject_first, **parts.settings
        )
        f_to_train.train()
        torch_m2m.ordinary_step(f_to_train, parts.optimizer, x, labels)

    return parts, {"ordinary": ordinary, "m2m": m2m}


def frozen_twin(network):
    """The network in inference mode, of the same weights, which get no gradients.

    Compiled code computes the gradients of all that asks for them, wanted or not.
    """
    twin = copy.deepcopy(network).eval().requires_grad_(False)
    shared = zip(
        [*twin.parameters(), *twin.buffers()],
        [*network.parameters(), *network.buffers()],
        strict=True,
    )
    for mine, theirs in shared:
        mine.data = theirs.data
    return twin


def allow_compilations():
    """f, g and several numbers of rows are more than `torch.compile` expects."""
    torch._dynamo.config.recompile_limit = 64


def precision(parts, options):
    """What the arithmetic is, in words."""
    if options.precision != "float32":
        return "bfloat16 by autocast"
    if parts.device == "cpu":
        return "float32"
    return f"TF32 convolutions, {'TF32' if parts.tf32 else 'float32'} products"
