"""M2m in plain PyTorch, by hand: what keras_m2m is timed against.

Written as Algorithm 1 is printed: every candidate row is translated, and the
draw of R comes afterwards. `reject_first` draws it before, and translates only
what it left.
"""

import torch
from torch.nn import functional


def choose(labels, class_counts, acceptance):
    """Rows to generate, a seed row for each, and the chance that R keeps each."""
    counts = class_counts.float()
    generated = (
        torch.rand(len(labels), device=labels.device)
        < 1 - counts[labels] / counts.max()
    )
    rows_of_class = torch.bincount(labels, minlength=len(counts)).float()
    weights = acceptance[labels][:, labels] / rows_of_class[labels]
    generated &= weights.sum(dim=1) > 0
    rows = generated.nonzero().flatten()
    seeds = torch.multinomial(weights[rows], 1).flatten()
    return rows, seeds, acceptance[labels[rows], labels[seeds]]


def translate(f, g, x, seed_classes, targets, noise, lam, steps, step_size):
    """T normalised gradient steps on the input; images stay in [0, 1]."""
    x = (x + noise).clamp(0, 1)
    for _ in range(steps):
        x = x.detach().requires_grad_()
        loss = functional.cross_entropy(g(x), targets, reduction="sum")
        loss = loss + lam * f(x).gather(1, seed_classes[:, None]).sum()
        (gradient,) = torch.autograd.grad(loss, x)
        norm = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
        x = (x - step_size * gradient / norm[:, None, None, None]).clamp(0, 1)
    return x.detach()


def small_noise(x, norm):
    """Gaussian directions of the given L2 norm."""
    noise = torch.randn_like(x)
    return norm * noise / noise.flatten(1).norm(dim=1)[:, None, None, None]


def rewrite(f, g, x, labels, class_counts, acceptance, reject_first, **settings):
    """The batch with accepted translations in place of the rows they replace."""
    lam, gamma, steps, step_size = (
        settings[name] for name in ("lam", "gamma", "steps", "step_size")
    )
    rows, seeds, keep = choose(labels, class_counts, acceptance)
    kept = torch.rand(len(rows), device=keep.device) < keep
    if reject_first:
        rows, seeds, kept = rows[kept], seeds[kept], kept[kept]
    f.eval()
    start, targets = x[seeds], labels[rows]
    noise = small_noise(start, 0.1)
    moved = translate(f, g, start, labels[seeds], targets, noise, lam, steps, step_size)
    with torch.no_grad():
        confidence = functional.softmax(g(moved), dim=1)
        accepted = kept & (confidence.gather(1, targets[:, None])[:, 0] >= gamma)
    f.train()
    x = x.clone()
    x[rows[accepted]] = moved[accepted]
    return x


def ordinary_step(f, optimizer, x, labels):
    """One step of SGD on the cross entropy."""
    optimizer.zero_grad()
    functional.cross_entropy(f(x), labels).backward()
    optimizer.step()
