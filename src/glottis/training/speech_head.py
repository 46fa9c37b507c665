"""A second output of the net: does somebody speak in the window, or is it music or noise?

Speech detection by frames, which costs next to nothing, takes many instruments for voices. A very small net on the
same spectrum, smoothed, tells them apart; it is trained after the countermeasure, which it does not change.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from glottis.audio import open_recording
from glottis.training.batches import Augment, fit
from glottis.training.store import ClipStore

WINDOWS_A_SOUND = 20
WINDOWS_OF_SPEECH = 4000
MADE_SOUNDS = 800
EPOCHS = 15
BATCH = 64
LEARNING_RATE = 2e-3
SPEECH_KEPT = 0.9965
"""The share of windows of plain speech that the output must take for speech."""

Windows = list[NDArray[np.float32]]


class SpeechNet(nn.Module):
    """A log spectrum ``(batch, 1, bands, frames)`` to a logit ``(batch,)`` of speech; 19,000 parameters."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        widths = (1, 16, 32, 48)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            bands = (bands - 1) // 2 + 1
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.3)
        self.output = nn.Linear(widths[-1] * bands, 1)

    def forward(self, smooth: Tensor) -> Tensor:
        """See the class."""
        maps = self.layers(smooth).mean(dim=3).flatten(1)
        logit: Tensor = self.output(self.dropout(maps))[:, 0]
        return logit


class WithSpeech(nn.Module):
    """A net with a further output: samples to ``(score, embedding, speech)``; `speech` is a probability."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.head = SpeechNet(self.smooth(torch.zeros(1, 16_000)).shape[2])
        self.register_buffer("level", torch.zeros(()))

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        score, embedding = self.net(samples)
        return score, embedding, torch.sigmoid(self.head(self.smooth(samples)) - self.level)

    def smooth(self, samples: Tensor) -> Tensor:
        """The front-end's log spectrum, averaged over 4 bands and 4 frames: ``(batch, 1, bands / 4, frames / 4)``."""
        spectrum = cast("nn.Module", self.net.frontend)(samples)
        return functional.avg_pool2d(spectrum[:, :, 1:], 4)


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
    """Train the output on training clips, some of them short or over music, and on sounds without speech.

    Args:
        net: ``samples -> (score, embedding)`` with a ``frontend``.
        speech: Clips in which somebody speaks.
        sounds: A folder of recordings in which nobody does.
        window_samples: Of a window.
        sample_rate_hz: Of the net.
        augment: Applied to half of all windows.
        seed: Of the draws and the weights.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    others = [window for path in _files(sounds) for window in _windows(path, window_samples, sample_rate_hz)]
    others += made_sounds(MADE_SOUNDS, window_samples, sample_rate_hz, rng)
    chosen = rng.permutation(len(speech))[:WINDOWS_OF_SPEECH]
    plain = [fit(speech.clip(int(i)), window_samples, rng) for i in chosen]
    hard = [_harder(window, others[int(rng.integers(len(others)))], rng) for window in plain]
    both = WithSpeech(net).eval()
    positive, mixed, negative = (_smoothed(both, windows, augment, rng) for windows in (plain, hard, others))
    _train(both.head, torch.cat([positive, mixed]), negative)
    with torch.no_grad():
        both.level.copy_(torch.quantile(both.head(positive), 1 - SPEECH_KEPT))  # type: ignore[operator]  # a buffer
    return both


def made_sounds(count: int, window_samples: int, sample_rate_hz: int, rng: np.random.Generator) -> Windows:
    """Chords and glides, plucked notes and a telephone's signals, in coloured noise; a third of them with tremolo."""
    time_s = np.arange(window_samples) / sample_rate_hz
    sounds: Windows = []
    for index in range(count):
        wave = (_chord, _notes, _signals)[index % 3](time_s, rng)
        spectrum = np.fft.rfft(rng.standard_normal(window_samples))
        spectrum *= np.arange(1, len(spectrum) + 1) ** -float(rng.uniform(0, 1.2))
        noise = np.fft.irfft(spectrum, window_samples)
        wave = wave + noise / noise.std() * 10 ** float(rng.uniform(-5, 0))
        if rng.random() < 1 / 3:
            wave = wave * (1 + np.sin(2 * np.pi * float(rng.uniform(0.5, 8)) * time_s))
        sounds.append((wave / np.abs(wave).max() * 10 ** float(rng.uniform(-2, 0))).astype(np.float32))
    return sounds


def _chord(time_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Up to four voices of one to five harmonics, held or gliding; perhaps none."""
    wave = np.zeros(len(time_s))
    for hz in rng.uniform(60, 4000, int(rng.integers(0, 5))):
        glide = float(rng.choice([0.0, rng.uniform(-0.5, 0.5)]))
        phase = 2 * np.pi * hz * (time_s + 0.5 * glide * time_s**2 / time_s[-1])
        wave += sum(np.sin(n * phase) / n for n in range(1, int(rng.integers(2, 7))))
    return wave / 4


def _notes(time_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Two to ten notes a second that are struck and die away."""
    wave = np.zeros(len(time_s))
    for start_s in rng.uniform(0, time_s[-1], max(2, int(time_s[-1] * rng.uniform(1, 8)))):
        since_s = np.maximum(time_s - start_s, 0)
        hz = 55 * 2 ** (int(rng.integers(0, 60)) / 12)
        envelope = (time_s >= start_s) * np.exp(-since_s * float(rng.uniform(1, 12))) * np.minimum(1, since_s / 0.005)
        wave += envelope * sum(
            np.sin(2 * np.pi * n * hz * since_s) / n ** float(rng.uniform(0.5, 2))
            for n in range(1, int(rng.integers(2, 8)))
        )
    return wave / 3


def _signals(time_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Beeps of one or two frequencies, each 50 ms to 2 s, some of them sweeps, with silence between."""
    wave = np.zeros(len(time_s))
    at_s = 0.0
    while at_s < time_s[-1]:
        long_s = float(np.exp(rng.uniform(np.log(0.05), np.log(2))))
        here = (time_s >= at_s) & (time_s < at_s + long_s)
        sweep = float(rng.choice([0, 0, rng.uniform(-0.8, 4)])) / long_s
        for hz in rng.uniform(200, 2500, int(rng.integers(1, 3))):
            since_s = time_s[here] - at_s
            wave[here] += np.sin(2 * np.pi * hz * (since_s + 0.5 * sweep * since_s**2)) / 2
        at_s += long_s + float(rng.choice([0, rng.uniform(0.02, 1.5)]))
    return wave


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _windows(path: Path, window_samples: int, sample_rate_hz: int) -> Windows:
    """The first `WINDOWS_A_SOUND` windows that are not silent, each one window after the last."""
    windows: Windows = []
    held = np.zeros(0, np.float32)
    with open_recording(path, sample_rate_hz=sample_rate_hz, channel="mix") as recording:
        for block in recording.blocks():
            held = np.concatenate([held, block[0]])
            while len(held) >= 2 * window_samples:
                window, held = held[:window_samples], held[2 * window_samples :]
                if np.abs(window).max() > 1e-3:  # noqa: PLR2004 (-60 dB)
                    windows.append(window.copy())
            if len(windows) >= WINDOWS_A_SOUND:
                break
    return windows[:WINDOWS_A_SOUND]


def _harder(window: NDArray[np.float32], other: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Speech in 40 % of the window or more, over another sound that is 5 dB weaker or more."""
    power = float(np.mean(window**2)) + 1e-12
    bed = other * np.float32(np.sqrt(power / (float(np.mean(other**2)) + 1e-12)) * 10 ** -float(rng.uniform(0.25, 2)))
    length = int(len(window) * rng.uniform(0.4, 1))
    start = int(rng.integers(len(window) - length + 1))
    mixed = bed.copy()
    mixed[start : start + length] += window[:length]
    return mixed


@torch.no_grad()
def _smoothed(both: WithSpeech, windows: Windows, augment: Augment | None, rng: np.random.Generator) -> Tensor:
    rows = []
    for first in range(0, len(windows), BATCH):
        some = windows[first : first + BATCH]
        changed = [w if augment is None or rng.random() < 0.5 else augment(w, rng) for w in some]  # noqa: PLR2004
        rows.append(both.smooth(torch.from_numpy(np.stack(changed))))
    return torch.cat(rows)


def _train(head: SpeechNet, positive: Tensor, negative: Tensor) -> None:
    """Adam on batches that are half of each class, the rate falling by a cosine."""
    steps = EPOCHS * max(1, len(positive) // BATCH)
    optimiser = torch.optim.AdamW(head.parameters(), LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    target = torch.cat([torch.ones(BATCH // 2), torch.zeros(BATCH // 2)])
    head.train()
    for _ in range(steps):
        rows = [some[torch.randint(len(some), (BATCH // 2,))] for some in (positive, negative)]
        loss = functional.binary_cross_entropy_with_logits(head(torch.cat(rows)), target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        schedule.step()
    head.eval()
