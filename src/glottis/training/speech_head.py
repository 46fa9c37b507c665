"""A second output of the net: does somebody speak in the window, or is it music or noise?

Speech detection by frames, which costs next to nothing, takes many instruments for voices. A linear layer on the
embedding, which is there anyway, tells them apart; it is fitted after the net, which it does not change.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glottis.audio import open_recording
from glottis.training.batches import Augment, fit
from glottis.training.store import ClipStore

ROWS = 16
WINDOWS_A_SOUND = 12
WINDOWS_OF_SPEECH = 3000
RIDGE = 1e-3
SPEECH_KEPT = 0.997
"""The share of training windows with speech that the output must take for speech."""


class WithSpeech(nn.Module):
    """A net with a further output: samples to ``(score, embedding, speech)``."""

    def __init__(self, net: nn.Module, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class; `speech` is a probability, shape ``(batch,)``."""
        score, embedding = self.net(samples)
        return score, embedding, torch.sigmoid(embedding @ self.weight + self.bias)


def add_speech(
    net: nn.Module,
    speech: ClipStore,
    sounds: Path,
    *,
    window_samples: int,
    sample_rate_hz: int,
    augment: Augment | None,
    seed: int,
) -> WithSpeech:
    """Fit the output on training clips and on sounds without speech.

    A logistic regression with a ridge, each class weighing half; then its bias is moved so that `SPEECH_KEPT` of the
    windows with speech pass at 0.5.

    Args:
        net: ``samples -> (score, embedding)``.
        speech: Clips in which somebody speaks.
        sounds: A folder of recordings in which nobody does.
        window_samples: Of a window.
        sample_rate_hz: Of the net.
        augment: Applied to half of all windows.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(speech))[:WINDOWS_OF_SPEECH]
    spoken = [fit(speech.clip(int(i)), window_samples, rng) for i in chosen]
    others = [window for path in _files(sounds) for window in _windows(path, window_samples, sample_rate_hz)]
    others += made_sounds(window_samples, sample_rate_hz, rng)
    positive = _embeddings(net, [_changed(window, augment, rng) for window in spoken])
    negative = _embeddings(net, [_changed(window, augment, rng) for window in others])
    weight, bias = _logistic(positive, negative)
    level = torch.quantile(positive @ weight + bias, 1 - SPEECH_KEPT)
    return WithSpeech(net, weight, bias - level).eval()


def made_sounds(window_samples: int, sample_rate_hz: int, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Tones, chords, clicks and coloured noise by formula, with and without tremolo."""
    time_s = np.arange(window_samples) / sample_rate_hz
    sounds = []
    for index in range(120):
        count = int(rng.integers(0, 5))
        wave = sum((np.sin(2 * np.pi * f * time_s) for f in rng.uniform(60, 4000, count)), np.zeros(window_samples))
        spectrum = np.fft.rfft(rng.standard_normal(window_samples))
        spectrum *= np.arange(1, len(spectrum) + 1) ** -float(rng.uniform(0, 1.2))
        noise = np.fft.irfft(spectrum, window_samples)
        wave = wave / max(1, count) + noise / noise.std() * 10 ** float(rng.uniform(-3, 0))
        if index % 2:
            wave = wave * (1 + np.sin(2 * np.pi * float(rng.uniform(0.5, 8)) * time_s))
        sounds.append((wave / np.abs(wave).max() * 10 ** float(rng.uniform(-2, 0))).astype(np.float32))
    return sounds


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _windows(path: Path, window_samples: int, sample_rate_hz: int) -> list[NDArray[np.float32]]:
    """The first `WINDOWS_A_SOUND` windows that are not silent, each two windows after the last."""
    windows: list[NDArray[np.float32]] = []
    held = np.zeros(0, np.float32)
    with open_recording(path, sample_rate_hz=sample_rate_hz, channel="mix") as recording:
        for block in recording.blocks():
            held = np.concatenate([held, block[0]])
            while len(held) >= 3 * window_samples:
                window, held = held[:window_samples], held[3 * window_samples :]
                if np.abs(window).max() > 1e-3:  # noqa: PLR2004 (-60 dB)
                    windows.append(window.copy())
            if len(windows) >= WINDOWS_A_SOUND:
                break
    return windows[:WINDOWS_A_SOUND]


def _changed(window: NDArray[np.float32], augment: Augment | None, rng: np.random.Generator) -> NDArray[np.float32]:
    return window if augment is None or rng.random() < 0.5 else augment(window, rng)  # noqa: PLR2004 (half)


@torch.inference_mode()
def _embeddings(net: nn.Module, windows: Sequence[NDArray[np.float32]]) -> Tensor:
    net.eval()
    rows = [np.stack(windows[first : first + ROWS]) for first in range(0, len(windows), ROWS)]
    return torch.cat([net(torch.from_numpy(row))[1] for row in rows]).clone()


def _logistic(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    weight = torch.zeros(positive.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        softplus = nn.functional.softplus
        fit_loss = softplus(-(positive @ weight + bias)).mean() + softplus(negative @ weight + bias).mean()
        total: Tensor = fit_loss + RIDGE * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()
