"""Attacks by who knows the net: the smallest change of the samples that moves the score against the label.

Sources: Goodfellow, Shlens and Szegedy, "Explaining and harnessing adversarial examples", 2015 (FGSM); Madry et al.,
"Towards deep learning models resistant to adversarial attacks", 2018 (PGD).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glottis.training.recipe import Adversarial
from glottis.verdict import Samples

Net = Callable[[Tensor], tuple[Any, ...]]
"""Samples ``(batch, n)`` to the score ``(batch,)`` and more."""

STRIDE = 2.5
"""All steps of PGD together may go so many times as far as the perturbation may be."""


def perturb(net: Net, samples: Tensor, bonafide: Tensor, epsilon: Tensor, *, steps: int = 1) -> Tensor:
    """Samples that differ by at most `epsilon` each and look to the net as unlike their label as it can be done.

    One step is FGSM; more are PGD, without a random start. The net's mode and gradients are left as they are.

    Args:
        net: What is attacked.
        samples: Shape ``(batch, n)``.
        bonafide: 1 where the label is bona fide, else 0, ``(batch,)``.
        epsilon: The largest change of a sample, ``(batch,)``.
        steps: How many gradients are taken.

    Returns:
        Shape ``(batch, n)``.
    """
    direction = (1 - 2 * bonafide.to(samples.dtype))[:, None]
    bound = epsilon.to(samples.dtype)[:, None]
    stride = bound if steps == 1 else STRIDE * bound / steps
    moved = samples.detach().clone()
    for _ in range(steps):
        moved.requires_grad_()
        (slope,) = torch.autograd.grad(net(moved)[0].sum(), moved)
        further = moved.detach() + direction * stride * slope.sign()
        moved = torch.minimum(torch.maximum(further, samples - bound), samples + bound)
    return moved.detach()


def attack(net: Net, samples: Samples, *, window_samples: int, bonafide: bool, snr_db: float, steps: int) -> Samples:
    """A recording, attacked window by window.

    Args:
        net: In evaluation mode.
        samples: Shape ``(n,)``.
        window_samples: The net's window; what is shorter is repeated to fill one, as in a scan.
        bonafide: The label.
        snr_db: The perturbation lies so far under the mean power of the recording.
        steps: 1 is FGSM, more are PGD.

    Returns:
        Shape ``(n,)``.
    """
    level = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
    epsilon = torch.tensor([level * 10 ** (-snr_db / 20)])
    label = torch.tensor([float(bonafide)])
    changed = samples.copy()
    for start in range(0, samples.size, window_samples):
        piece = samples[start : start + window_samples].copy()
        times = -(-window_samples // piece.size)
        repeated = partial(_repeated, net, times, window_samples)
        moved = perturb(repeated, torch.from_numpy(piece)[None], label, epsilon, steps=steps)
        changed[start : start + piece.size] = moved[0].numpy()
    return changed


def attack_some(net: nn.Module, samples: Tensor, bonafide: Tensor, settings: Adversarial) -> Tensor:
    """A batch ``(batch, n)`` of which each crop is attacked with the probability `share`.

    The attack sees the net as it scores, in evaluation mode; its mode and gradients are left as they are.
    """
    chosen = torch.rand(len(samples)) < settings.share
    if not chosen.any():
        return samples
    modes = {module: module.training for module in net.modules()}  # what rests stays in evaluation mode
    level = samples[chosen].square().mean(dim=1).sqrt()
    epsilon = level * 10 ** (-settings.snr_db / 20)
    moved = samples.clone()
    moved[chosen] = perturb(net.eval(), samples[chosen], bonafide[chosen], epsilon, steps=settings.steps)
    for module, training in modes.items():
        module.training = training
    return moved


def _repeated(net: Net, times: int, window_samples: int, short: Tensor) -> tuple[Any, ...]:
    """The net on pieces that fill its window by repetition, so that repetitions change together."""
    return net(short.repeat(1, times)[:, :window_samples])
