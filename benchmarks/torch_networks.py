"""The convolutional networks of `keras_m2m` in plain PyTorch, as most users write them.

Layers are made in the order that Keras lists those of `keras_m2m`'s networks in,
so that weights can be copied kind by kind.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional


class Normalised(nn.Module):
    def __init__(self, mean, variance, axes=2):
        super().__init__()
        # Buffers move to a GPU with the network; they are no weights of it.
        for name, values in {"mean": mean, "variance": variance}.items():
            values = torch.tensor(values).reshape(1, -1, *[1] * axes)
            self.register_buffer(name, values, persistent=False)

    def forward(self, x):
        return (x - self.mean) / torch.sqrt(self.variance)


def conv(channels, filters, stride=1, size=3):
    return nn.Conv2d(channels, filters, size, stride, padding=size // 2, bias=False)


def batch_norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)


class Block(nn.Module):
    """Two convolutions and a shortcut without parameters (option A)."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(channels, filters, stride), batch_norm(filters)
        self.conv2, self.bn2 = conv(filters, filters), batch_norm(filters)
        self.added, self.stride = filters - channels, stride

    def forward(self, x):
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        shortcut = x[:, :, :: self.stride, :: self.stride]
        padded = functional.pad(shortcut, (0, 0, 0, 0, 0, self.added))
        return functional.relu(y + padded)


def cifar_resnet(depth, num_classes, mean, variance):
    blocks = []
    for channels, filters, stride in [(16, 16, 1), (16, 32, 2), (32, 64, 2)]:
        blocks.append(Block(channels, filters, stride))
        blocks += [Block(filters, filters, 1) for _ in range((depth - 2) // 6 - 1)]
    return nn.Sequential(
        Normalised(mean, variance),
        conv(3, 16),
        batch_norm(16),
        nn.ReLU(),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, num_classes),
    )


class PreactivationBlock(nn.Module):
    """BatchNorm and ReLU before each convolution, a projection where sizes change."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.bn1 = batch_norm(channels)
        self.conv1, self.bn2 = conv(channels, filters, stride), batch_norm(filters)
        self.conv2 = conv(filters, filters)
        self.project = conv(channels, filters, stride, 1) if stride > 1 else None

    def forward(self, x):
        y = functional.relu(self.bn1(x))
        shortcut = self.project(y) if self.project else x
        return shortcut + self.conv2(functional.relu(self.bn2(self.conv1(y))))


def preact_resnet18(num_classes):
    blocks, channels = [], 64
    for filters, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        blocks.append(PreactivationBlock(channels, filters, stride))
        blocks.append(PreactivationBlock(filters, filters, 1))
        channels = filters
    return nn.Sequential(
        conv(3, 64),
        *blocks,
        batch_norm(512),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, num_classes),
    )


class Bottleneck(nn.Module):
    """Three convolutions, the stride in the second, and a projection at first."""

    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(channels, width, size=1), batch_norm(width)
        self.conv2, self.bn2 = conv(width, width, stride), batch_norm(width)
        self.conv3 = conv(width, 4 * width, size=1)
        first = channels != 4 * width
        self.project = conv(channels, 4 * width, stride, 1) if first else None
        self.bn3 = batch_norm(4 * width)
        self.bn_project = batch_norm(4 * width) if first else None

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        shortcut = self.bn_project(self.project(x)) if self.project else x
        return functional.relu(self.bn3(self.conv3(y)) + shortcut)


def resnet50(num_classes, mean, variance):
    blocks, channels = [], 64
    for width, count, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        for block in range(count):
            blocks.append(Bottleneck(channels, width, 1 if block else stride))
            channels = 4 * width
    return nn.Sequential(
        Normalised(mean, variance),
        conv(3, 64, 2, 7),
        batch_norm(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2048, num_classes),
    )


def series_conv(channels, filters, size):
    """As long as its input; of even sizes, one zero more after than before."""
    zeros = nn.ConstantPad1d(((size - 1) // 2, size // 2), 0.0)
    return nn.Sequential(zeros, nn.Conv1d(channels, filters, size, bias=False))


def series_norm(channels):
    return nn.BatchNorm1d(channels, eps=1e-5, momentum=0.1)


class SeriesBlock(nn.Module):
    """Convolutions over 8, 5 and 3 values, and a normalised shortcut."""

    def __init__(self, channels, filters):
        super().__init__()
        self.conv1 = series_conv(channels, filters, 8)
        self.conv2 = series_conv(filters, filters, 5)
        self.conv3 = series_conv(filters, filters, 3)
        widens = channels != filters
        self.project = series_conv(channels, filters, 1) if widens else nn.Identity()
        self.bn1, self.bn2 = series_norm(filters), series_norm(filters)
        self.bn3, self.bn_shortcut = series_norm(filters), series_norm(filters)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        shortcut = self.bn_shortcut(self.project(x))
        return functional.relu(self.bn3(self.conv3(y)) + shortcut)


def resnet1d(num_classes, mean, variance, width=64):
    widths = [len(mean), width, 2 * width, 2 * width]
    return nn.Sequential(
        Normalised(mean, variance, axes=1),
        *(SeriesBlock(*pair) for pair in itertools.pairwise(widths)),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(2 * width, num_classes),
    )
