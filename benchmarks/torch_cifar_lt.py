"""CIFAR-LT-10 by the paper's protocol in plain PyTorch: an oracle of whole trainings.

    python benchmarks/torch_cifar_lt.py PATH --seeds=0,1 --json=OUT

`PATH` is the folder with `cifar10.npz` (`tasks/data/packed_images.py`). For each seed
ResNet-32 is trained for 160 epochs, and from there 40 more by plain training and 40 by
class-balanced batches (ERM and DRS). It shares the reading of images with `tasks`, and
nothing else: the tail, batches, crops, SGD, schedule and metrics are written here anew.
On a GPU a step is one CUDA graph.
"""

import argparse
import json
import pathlib
import time

import numpy as np
import torch
import torch_graphs
import torch_networks
from torch.nn import functional

from tasks.data import packed_images

BATCH, MOMENTUM, WEIGHT_DECAY = 128, 0.9, 2e-4
RHO, EPOCHS, DEFERRAL, LAST_DROP = 100, 200, 160, 180
HELD_OUT = 100  # Images of each class of the test set, its first ones, that validate.
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Images:
    """The long tail and the test set, on the device."""

    def __init__(self, path, limit):
        (train, test), self.names, self.source = packed_images.read(path)
        classes = len(self.names)
        wanted = [int(limit * RHO ** (-k / (classes - 1))) for k in range(classes)]
        rows = np.concatenate(
            [np.flatnonzero(train[1] == k)[:n] for k, n in enumerate(wanted)]
        )
        self.counts = torch.tensor(wanted)
        images = train[0][rows]
        self.mean = (images / 255.0).mean(axis=(0, 1, 2))
        self.variance = (images / 255.0).var(axis=(0, 1, 2))
        borders = ((0, 0), (4, 4), (4, 4), (0, 0))
        self.padded = torch.tensor(np.pad(images, borders), device=DEVICE)
        self.labels = torch.tensor(train[1][rows], device=DEVICE)
        self.test = torch.tensor(test[0], device=DEVICE)
        self.test_labels = torch.tensor(test[1])
        self.validates = torch.zeros(len(test[1]), dtype=torch.bool)
        for k in range(classes):
            self.validates[np.flatnonzero(test[1] == k)[:HELD_OUT]] = True

    def epoch(self, balanced):
        """All batches of an epoch: images `(steps, BATCH, 3, 32, 32)` and labels."""
        n = len(self.labels)
        drawn = -(-n // BATCH) * BATCH
        if balanced:
            chances = (1 / self.counts.double().to(DEVICE))[self.labels]
            rows = torch.multinomial(chances, drawn, replacement=True)
        else:
            rows = torch.cat([torch.randperm(n, device=DEVICE) for _ in range(2)])
            rows = rows[:drawn]
        across = torch.arange(32, device=DEVICE)
        top, left = torch.randint(0, 9, (2, drawn, 1), device=DEVICE)
        flipped = torch.rand(drawn, 1, device=DEVICE) < 0.5
        columns = left + torch.where(flipped, 31 - across, across)
        x = self.padded[
            rows[:, None, None], (top + across)[:, :, None], columns[:, None, :]
        ]
        x = x.permute(0, 3, 1, 2).reshape(-1, BATCH, 3, 32, 32)
        return x, self.labels[rows].reshape(-1, BATCH)


class Training:
    """A network, its velocity, and one step of SGD on what `x` and `labels` hold."""

    def __init__(self, images):
        network = torch_networks.cifar_resnet(
            32, len(images.names), images.mean, images.variance
        )
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight, mode="fan_out")
        self.network = network.float().to(DEVICE, memory_format=torch.channels_last)
        self.parameters = list(self.network.parameters())
        self.velocity = [torch.zeros_like(weights) for weights in self.parameters]
        self.rate = torch.zeros((), device=DEVICE)
        x = torch.zeros(BATCH, 3, 32, 32, dtype=torch.uint8, device=DEVICE)
        self.x = x.contiguous(memory_format=torch.channels_last)
        self.labels = torch.zeros(BATCH, dtype=torch.int64, device=DEVICE)
        self.step = self._step
        if DEVICE == "cuda":
            first = self.state()
            self.step = torch_graphs.captured(self._step).replay
            self.restore(first)

    def _step(self):
        loss = functional.cross_entropy(self.network(self.x / 255.0), self.labels)
        gradients = list(torch.autograd.grad(loss, self.parameters))
        with torch.no_grad():
            torch._foreach_add_(gradients, self.parameters, alpha=WEIGHT_DECAY)
            torch._foreach_mul_(self.velocity, MOMENTUM)
            torch._foreach_add_(self.velocity, gradients)
            moves = torch._foreach_mul(self.velocity, self.rate)
            torch._foreach_sub_(self.parameters, moves)

    def _variables(self):
        return [*self.parameters, *self.velocity, *self.network.buffers()]

    def state(self):
        return [variable.detach().clone() for variable in self._variables()]

    @torch.no_grad()
    def restore(self, state):
        for variable, value in zip(self._variables(), state, strict=True):
            variable.copy_(value)

    def epoch(self, images, number, balanced):
        self.network.train()
        rate = 0.1 * min(1, (number + 1) / 5)
        rate /= 100 ** sum(number >= drop for drop in (DEFERRAL, LAST_DROP))
        self.rate.fill_(rate)
        for x, labels in zip(*images.epoch(balanced), strict=True):
            self.x.copy_(x)
            self.labels.copy_(labels)
            self.step()

    @torch.no_grad()
    def recalls(self, images):
        """Of each class: on what validates, on the rest of the test set, on all."""
        self.network.eval()
        predicted = torch.cat(
            [
                self.network(part.permute(0, 3, 1, 2) / 255.0).argmax(dim=1)
                for part in images.test.split(2500)
            ]
        ).cpu()
        right, labels = predicted == images.test_labels, images.test_labels
        parts = images.validates, ~images.validates, torch.ones_like(right)
        return [
            [right[part & (labels == k)].double().mean().item() for k in range(10)]
            for part in parts
        ]


def train(images, seed, epochs):
    """Yield the method, epoch and recalls after each epoch."""
    torch.manual_seed(seed)
    training = Training(images)
    at_deferral = None
    for method in ("erm", "drs"):
        if at_deferral:
            training.restore(at_deferral)
        for epoch in range(DEFERRAL if at_deferral else 0, epochs):
            if epoch == DEFERRAL and not at_deferral:
                at_deferral = training.state()
            training.epoch(images, epoch, method == "drs")
            yield method, epoch, training.recalls(images)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", type=pathlib.Path)
    parser.add_argument("--seeds", default="0", help="comma-separated")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--largest", type=int, default=5000)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    images = Images(options.data_dir / "cifar10.npz", options.largest)
    began, epochs = time.perf_counter(), []
    for seed in map(int, options.seeds.split(",")):
        for method, epoch, recalls in train(images, seed, options.epochs):
            seconds = round(time.perf_counter() - began, 2)
            epochs.append([seed, method, epoch, seconds, *recalls])
            if epoch % 10 == 9 or epoch + 1 == options.epochs:
                options.json.write_text(json.dumps(epochs))
                print(seed, method, epoch, f"{np.mean(recalls[2]):.3f}", flush=True)


if __name__ == "__main__":
    main()
