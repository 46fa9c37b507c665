"""A second output of the net: does somebody speak in the window, or is it music or noise?

Speech detection by frames, which costs next to nothing, takes many instruments for voices. A very small net on the
same spectrum, smoothed, tells them apart; it is trained after the countermeasure, which it does not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from glottis.audio import open_recording
from glottis.training.batches import Augment
from glottis.training.made_sounds import made_sounds
from glottis.training.store import ClipStore, fit

WINDOWS_A_SOUND = 60
WINDOWS_OF_SPEECH = 9000
HARDER_SPEECH = 5000
MADE_SOUNDS = 1500
MIXED_SOUNDS = 3000
BEDS = 1500
"""How many windows without speech are held as samples, to be mixed with speech and with one another."""

EPOCHS = 12
BATCH = 64
LEARNING_RATE = 2e-3
SPEECH_KEPT = 0.9965
"""The share of windows of plain speech that the output must take for speech."""

MASKED = 0.25
"""The widest part of the bands, and of the frames, that is hidden in training."""

Window = NDArray[np.float32]


class SpeechNet(nn.Module):
    """A log spectrum ``(batch, 1, bands, frames)`` to a logit ``(batch,)`` of speech; 20,000 parameters."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        widths = (1, 16, 32, 48)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            bands = (bands - 1) // 2 + 1
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.3)
        self.output = nn.Linear(2 * widths[-1] * bands, 1)

    def forward(self, smooth: Tensor) -> Tensor:
        """See the class; over time the maps' mean and deviation count."""
        maps = self.layers(smooth).flatten(1, 2)
        mean = maps.mean(dim=2)
        deviation = (maps.square().mean(dim=2) - mean.square()).clamp(min=1e-5).sqrt()
        logit: Tensor = self.output(self.dropout(torch.cat([mean, deviation], dim=1)))[:, 0]
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
    both = WithSpeech(net).eval()
    beds: list[Window] = []
    found = (w for path in _files(sounds) for w in _windows(path, window_samples, sample_rate_hz))
    negative = [_smoothed(both, _keeping(found, beds, rng), augment, rng)]
    negative.append(_smoothed(both, made_sounds(MADE_SOUNDS, window_samples, sample_rate_hz, rng), augment, rng))
    negative.append(_smoothed(both, (_two(beds, rng) for _ in range(MIXED_SOUNDS)), augment, rng))
    chosen = rng.permutation(len(speech))[:WINDOWS_OF_SPEECH].tolist()
    positive = _smoothed(both, (fit(speech.clip(i), window_samples, rng) for i in chosen), augment, rng)
    spoken = (fit(speech.clip(i), window_samples, rng) for i in chosen[:HARDER_SPEECH])
    harder = _smoothed(both, (_harder(w, beds[int(rng.integers(len(beds)))], rng) for w in spoken), augment, rng)
    _train(both.head, torch.cat([positive, harder]), torch.cat(negative))
    with torch.no_grad():
        logits = torch.cat([both.head(rows.float()) for rows in torch.split(positive, BATCH)])
        both.level.copy_(torch.quantile(logits, 1 - SPEECH_KEPT))  # type: ignore[operator]  # a buffer
    return both


def _keeping(windows: Iterable[Window], beds: list[Window], rng: np.random.Generator) -> Iterator[Window]:
    """The windows as they come; `beds` becomes a fair sample of them (Vitter, 1985, algorithm R)."""
    for count, window in enumerate(windows):
        if count < BEDS:
            beds.append(window)
        elif (place := int(rng.integers(count + 1))) < BEDS:
            beds[place] = window
        yield window


def _two(beds: list[Window], rng: np.random.Generator) -> Window:
    """Two sounds at once, the second up to 10 dB weaker."""
    first, second = (beds[int(i)] for i in rng.integers(len(beds), size=2))
    gain = np.sqrt(float(np.mean(first**2)) / (float(np.mean(second**2)) + 1e-12)) * 10 ** -float(rng.uniform(0, 0.5))
    mixed = first + second * np.float32(gain)
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _windows(path: Path, window_samples: int, sample_rate_hz: int) -> list[Window]:
    """The first `WINDOWS_A_SOUND` windows that are not silent, each one window after the last."""
    windows: list[Window] = []
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
def _smoothed(both: WithSpeech, windows: Iterable[Window], augment: Augment | None, rng: np.random.Generator) -> Tensor:
    """Their smooth spectra in half precision, which is plenty and keeps a great many in little memory."""
    rows, left = [], iter(windows)
    while some := list(islice(left, BATCH)):
        changed = [w if augment is None or rng.random() < 0.5 else augment(rng)(w) for w in some]  # noqa: PLR2004
        rows.append(both.smooth(torch.from_numpy(np.stack(changed))).half())
    return torch.cat(rows)


def _train(head: SpeechNet, positive: Tensor, negative: Tensor) -> None:
    """Adam on batches that are half of each class, the rate falling by a cosine."""
    steps = EPOCHS * max(1, len(positive) // BATCH)
    optimiser = torch.optim.AdamW(head.parameters(), LEARNING_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    target = torch.cat([torch.ones(BATCH // 2), torch.zeros(BATCH // 2)])
    head.train()
    for _ in range(steps):
        rows = torch.cat([some[torch.randint(len(some), (BATCH // 2,))] for some in (positive, negative)]).float()
        loss = functional.binary_cross_entropy_with_logits(head(_masked(rows)), target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        schedule.step()
    head.eval()


def _masked(rows: Tensor) -> Tensor:
    """A stretch of bands and one of frames set to 0, the mean, in each row (Park et al., 2019)."""
    for dim in (2, 3):
        size = rows.shape[dim]
        shape = [1, 1, 1, 1]
        shape[dim] = size
        place = torch.arange(size).view(shape)
        length = torch.rand(len(rows), 1, 1, 1) * MASKED * size
        start = torch.rand(len(rows), 1, 1, 1) * (size - length)
        rows = rows * ~((place >= start) & (place < start + length))
    return rows
