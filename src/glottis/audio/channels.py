"""Which channels of a recording are scanned: mixed unless they differ.

A call has a party on each side: then each channel is a lane of its own. Else the channels are mixed into one, those
of opposite phase turned first. Silent channels and second copies are left out. The decision is made once, on at
most the first minute of sound; afterwards the channels are watched, and what no longer fits is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glottis.errors import InputError
from glottis.verdict import Notice

ChannelPolicy = Literal["auto", "mix", "each"] | int
"""``auto``, ``mix`` (the mean of all), ``each`` (all, alone), or the number of one, from 0."""

Block = NDArray[np.float32]

DECIDE_S = 60.0
_MAX_HELD = 12_000_000
_FRAME_S = 0.25
_MAX_LAG_S = 0.005
_ANALYSIS_HZ = 8_000
_QUIET_RMS = 10.0 ** (-70 / 20)
_QUIET_BELOW_LOUDEST = 10.0 ** (-55 / 20)
_ACTIVE_POWER = 0.01
_ALIKE = 0.5
_COPY = 0.98
_SHARE_THAT_DIFFERS = 0.15
_LEAST_FRAMES = 3


class ChannelChooser:
    """Blocks of all channels to blocks of lanes.

    Args:
        channels: The rows of every block.
        sample_rate_hz: Their rate.
        policy: What the user wants.
        name: The recording's name, for errors.

    Raises:
        InputError: ``no_channel`` when the policy names a channel that is not there.
    """

    def __init__(self, channels: int, sample_rate_hz: int, policy: ChannelPolicy, name: str) -> None:
        self.warnings: list[Notice] = []
        self.complete = True
        self.lanes: tuple[int | None, ...] | None = None
        self._rate_hz = sample_rate_hz
        self._held: list[Block] = []
        self._held_samples = 0
        self._sound_samples = 0
        self._watch: _Watch | None = None
        self._signs = np.ones(channels, np.float32)
        self._mixed = tuple(range(channels))
        self._settle(channels, policy, name)

    def _settle(self, channels: int, policy: ChannelPolicy, name: str) -> None:
        if isinstance(policy, int):
            if not 0 <= policy < channels:
                raise InputError(
                    f"{name}: has no channel {policy}; its channels are 0 to {channels - 1}",
                    code="no_channel",
                    hint="choose one of them, or mix, or each",
                )
            self.lanes = (policy,)
        elif policy == "each":
            self.lanes = tuple(range(channels))
        elif policy == "mix" or channels == 1:
            self.lanes = (None,)

    def push(self, samples: Block) -> Block | None:
        """Take ``(channels, n)``; give ``(len(lanes), m)``, or None as long as it is undecided."""
        if self.lanes is not None:
            if self._watch is not None:
                self._report(self._watch.push(samples))
            return self._choose(samples)
        self._held.append(samples)
        self._held_samples += samples.shape[1]
        if np.abs(samples).max(initial=0.0) > _QUIET_RMS:
            self._sound_samples += samples.shape[1]
        enough = self._sound_samples >= DECIDE_S * self._rate_hz
        if enough or self._held_samples * len(samples) >= _MAX_HELD:
            return self._decide(watch=True)
        return None

    def finish(self) -> Block | None:
        """The recording is over: decide on what there is."""
        return self._decide(watch=False) if self.lanes is None and self._held else None

    def _decide(self, *, watch: bool) -> Block:
        held = np.concatenate(self._held, axis=1)
        self._held = []
        sounding = _sounding(held, self._rate_hz)
        kept = self._group(held, sounding)
        if len(kept) == 1 and len(sounding) == 1 < len(held):
            self.lanes = (kept[0],)
        elif len(kept) == 1:
            self.lanes, self._mixed = (None,), sounding or (0,)
        else:
            self.lanes = kept
        if watch:
            silent = tuple(channel for channel in range(len(held)) if channel not in sounding)
            self._watch = _Watch(self._mixed if self.lanes == (None,) else (), silent, self._rate_hz)
        return self._choose(held)

    def _group(self, held: Block, sounding: Sequence[int]) -> tuple[int, ...]:
        """The lanes: one when no channel differs from the loudest, else all but second copies."""
        if len(sounding) < 2:  # noqa: PLR2004 (a pair)
            return tuple(sounding[:1]) or (0,)
        loudest = max(sounding, key=lambda channel: float(np.square(held[channel], dtype=np.float64).sum()))
        others = [channel for channel in sounding if channel != loudest]
        likeness = {channel: _compare(held[loudest], held[channel], self._rate_hz) for channel in others}
        if not any(likeness[channel].differs for channel in others):
            for channel in others:
                self._signs[channel] = likeness[channel].sign
            return (loudest,)
        kept: list[int] = []
        for channel in sounding:
            if not any(_compare(held[lane], held[channel], self._rate_hz).copy for lane in kept):
                kept.append(channel)
        return tuple(kept)

    def _choose(self, samples: Block) -> Block:
        numbers = [lane for lane in self.lanes or () if lane is not None]
        if numbers:
            return np.ascontiguousarray(samples[numbers])
        if len(self._mixed) == 1:
            return samples[self._mixed[0], None]
        mixed: Block = samples[self._mixed[0], None] * self._signs[self._mixed[0]]
        for channel in self._mixed[1:]:
            mixed += samples[channel] * self._signs[channel]
        mixed /= np.float32(len(self._mixed))
        return mixed

    def _report(self, notice: Notice | None) -> None:
        if notice is None or any(notice.code == have.code for have in self.warnings):
            return
        self.warnings.append(notice)
        if notice.code == "silent_channel_sounds":
            self.complete = False


class _Watch:
    """After the decision: do mixed channels begin to differ, does a silent one begin to sound?"""

    def __init__(self, mixed: tuple[int, ...], silent: tuple[int, ...], rate_hz: int) -> None:
        self._mixed = mixed if len(mixed) > 1 else ()
        self._silent = silent
        self._rate_hz = rate_hz
        self._held: list[Block] = []
        self._held_samples = 0
        self._position = 0

    def push(self, samples: Block) -> Notice | None:
        """Look at ten seconds at a time."""
        if not self._mixed and not self._silent:
            return None
        self._held.append(samples)
        self._held_samples += samples.shape[1]
        self._position += samples.shape[1]
        if self._held_samples < min(10.0 * self._rate_hz, _MAX_HELD / len(samples)):
            return None
        held = np.concatenate(self._held, axis=1)
        self._held, self._held_samples = [], 0
        return self._look(held)

    def _look(self, held: Block) -> Notice | None:
        at_s = round((self._position - held.shape[1]) / self._rate_hz + DECIDE_S, 1)
        sounding = _sounding(held, self._rate_hz)
        for channel in self._silent:
            if channel in sounding:
                text = f"channel {channel} was silent at first and left out, but sounds later"
                return Notice("silent_channel_sounds", text, at_s)
        if self._mixed:
            first = self._mixed[0]
            for channel in self._mixed[1:]:
                pair = {first, channel} & set(sounding)
                if pair and _compare(held[first], held[channel], self._rate_hz).differs:
                    text = "the channels were alike at first and mixed, but differ later; --channel each scans each"
                    return Notice("channels_differ", text, at_s)
        return None


class _Likeness:
    """How two channels go together: they differ, are copies, or have opposite signs."""

    def __init__(self, correlations: NDArray[np.float64]) -> None:
        size = np.abs(correlations)
        enough = len(size) >= _LEAST_FRAMES
        self.differs = enough and float(np.mean(size < _ALIKE)) > _SHARE_THAT_DIFFERS
        self.copy = len(size) > 0 and float(np.quantile(size, 0.1)) > _COPY
        self.sign = -1.0 if len(size) and float(np.median(correlations)) < -_ALIKE else 1.0


def _compare(left: Block, right: Block, rate_hz: int) -> _Likeness:
    """Correlate frames in which at least one of the two sounds, at the lag within 5 ms where they fit best.

    A frame in which one is much weaker than its share of the whole recording counts as unlike.
    """
    if np.array_equal(left, right) or np.array_equal(left, -right):
        return _Likeness(np.full(_LEAST_FRAMES, 1.0 if np.array_equal(left, right) else -1.0))
    step = max(rate_hz // _ANALYSIS_HZ, 1)
    frames = [_frames(channel, step, rate_hz) for channel in (left, right)]
    if not len(frames[0]):
        return _Likeness(np.zeros(0))
    energy = [np.square(part).sum(axis=1, dtype=np.float64) for part in frames]
    floor = frames[0].shape[1] * _QUIET_RMS**2
    usual = [max(float(e.max()), floor) for e in energy]
    active = np.maximum(energy[0] / usual[0], energy[1] / usual[1]) > _ACTIVE_POWER
    active &= np.maximum(energy[0], energy[1]) > floor
    picked = np.flatnonzero(active)
    picked = picked[:: max(len(picked) // 120, 1)]
    size = 2 * frames[0].shape[1]
    spectra = [np.fft.rfft(part[picked], size, axis=1) for part in frames]
    correlation = np.fft.irfft(spectra[0] * np.conj(spectra[1]), size, axis=1)
    reach = max(int(_MAX_LAG_S * rate_hz / step), 1)
    near = np.concatenate([correlation[:, :1], correlation[:, 1 : reach + 1], correlation[:, -reach:]], axis=1)
    best = near[np.arange(len(near)), np.abs(near).argmax(axis=1)]
    return _Likeness(best / np.sqrt(np.maximum(energy[0][picked] * energy[1][picked], floor**2 * 1e-4)))


def _frames(channel: Block, step: int, rate_hz: int) -> Block:
    whole = len(channel) // step * step
    thin = channel[:whole:step] / np.float32(step)
    for offset in range(1, step):
        thin += channel[offset:whole:step] / np.float32(step)
    size = max(int(_FRAME_S * rate_hz / step), 1)
    if len(thin) < size:
        return thin[None] if len(thin) else np.zeros((0, size), np.float32)
    return thin[: len(thin) // size * size].reshape(-1, size)


def _sounding(held: Block, rate_hz: int) -> tuple[int, ...]:
    """The channels that are not silent, next to full scale and next to the loudest."""
    loudness = []
    for channel in held:
        size = min(max(int(0.1 * rate_hz), 1), len(channel))
        frames = channel[: len(channel) // size * size].reshape(-1, size)
        loudness.append(float(np.sqrt(np.square(frames).mean(axis=1).max())))
    least = max(_QUIET_RMS, max(loudness) * _QUIET_BELOW_LOUDEST)
    return tuple(index for index, value in enumerate(loudness) if value > least)
