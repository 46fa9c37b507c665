"""What can befall a recording beyond the transforms of training: lost packets, speed, cut pauses, clean-up, replay.

Each takes samples ``(n,)`` at a rate and gives new ones, perhaps of another length; what is random comes from `rng`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glottis.augment import BandLimit, Noise, Room, apply, draw_equaliser, resample
from glottis.verdict import Samples

FRAME_S = 0.02
"""A packet of telephony, and the step in which pauses are found."""

_QUIET_DB = 40.0
_KEPT_PAUSE_S = 0.1
_STFT, _HOP = 512, 128
_QUIETEST = 0.1
_SEED = 2**31
_TINY = 1e-12


def lose_packets(samples: Samples, rate_hz: int, rng: np.random.Generator, *, share: float) -> Samples:
    """A share of the packets of 20 ms is lost, in bursts of two on average; the last one is repeated, 6 dB down a time.

    The bursts are those of Gilbert's two-state model ("Capacity of a burst-noise channel", 1960).
    """
    frame = round(FRAME_S * rate_hz)
    changed, lost = samples.copy(), False
    for start in range(frame, samples.size, frame):
        lost = rng.random() < (0.5 if lost else 0.5 * share / (1 - share))
        if lost:
            end = min(start + frame, samples.size)
            changed[start:end] = 0.5 * changed[start - frame : end - frame]
    return changed


def change_speed(samples: Samples, rate_hz: int, _rng: np.random.Generator, *, factor: float) -> Samples:
    """Played so many times as fast: tempo and pitch together."""
    return resample(samples, round(rate_hz * factor), rate_hz)


def cut_silence(samples: Samples, rate_hz: int, _rng: np.random.Generator, *, inside: bool) -> Samples:
    """Without the silence at both ends; with `inside`, pauses too are cut to a tenth of a second.

    Silent is what lies 40 dB under the loud frames of the recording.
    """
    frame = round(FRAME_S * rate_hz)
    count = -(-samples.size // frame)
    padded = np.zeros(count * frame)
    padded[: samples.size] = samples
    level_db = 10 * np.log10(np.square(padded).reshape(count, frame).mean(axis=1) + _TINY)
    loud = np.flatnonzero(level_db > np.quantile(level_db, 0.95) - _QUIET_DB)
    if not loud.size:
        return samples.copy()
    kept = np.zeros(count, np.bool_)
    kept[loud[0] : loud[-1] + 1] = True
    if inside:
        reach = round(_KEPT_PAUSE_S / FRAME_S / 2)
        near = np.zeros(count, np.bool_)
        for shift in range(-reach, reach + 1):
            near[np.clip(loud + shift, 0, count - 1)] = True
        kept &= near
    return samples[np.repeat(kept, frame)[: samples.size]].copy()


def overdrive(samples: Samples, _rate_hz: int, _rng: np.random.Generator, *, over_db: float) -> Samples:
    """So loud that the peak lies `over_db` over full scale, and cut off there."""
    peak = float(np.abs(samples).max(initial=0.0))
    factor = 10 ** (over_db / 20) / max(peak, _TINY)
    return np.asarray(np.clip(samples * factor, -1, 1), np.float32)


def denoise(samples: Samples, _rate_hz: int, _rng: np.random.Generator, *, strength: float, floor_db: float) -> Samples:
    """Spectral subtraction (Boll, 1979) with a floor; Gaussian noise whose quietest tenth a band's quietest tenth is.

    Args:
        samples: Shape ``(n,)``.
        _rate_hz: Passed over.
        _rng: Passed over.
        strength: How many times the noise's power is taken away.
        floor_db: The least gain of a cell.
    """
    window = np.hanning(_STFT + 1)[:-1]
    padded = np.pad(samples.astype(np.float64), (_STFT, 2 * _STFT))
    starts = np.arange(0, padded.size - _STFT + 1, _HOP)
    spectrum = np.fft.rfft(padded[starts[:, None] + np.arange(_STFT)] * window, axis=1)
    power = np.square(np.abs(spectrum))
    inner = power[(starts >= _STFT) & (starts + _STFT <= _STFT + samples.size)]
    noise = np.quantile(inner if len(inner) else power, _QUIETEST, axis=0) / -np.log(1 - _QUIETEST)
    gain = np.sqrt(np.maximum(1 - strength * noise / np.maximum(power, _TINY), 10 ** (floor_db / 10)))
    frames = np.fft.irfft(spectrum * gain, axis=1) * window
    out, weight = np.zeros(padded.size), np.zeros(padded.size)
    for start, piece in zip(starts.tolist(), frames, strict=True):
        out[start : start + _STFT] += piece
        weight[start : start + _STFT] += np.square(window)
    return np.asarray((out / np.maximum(weight, _TINY))[_STFT : _STFT + samples.size], np.float32)


def level_out(samples: Samples, rate_hz: int, _rng: np.random.Generator, *, ratio: float) -> Samples:
    """A compressor without a threshold: differences of level over 50 ms become `ratio` times smaller in dB."""
    width = max(1, round(0.05 * rate_hz))
    power = np.convolve(np.square(samples, dtype=np.float64), np.full(width, 1 / width))
    envelope: NDArray[np.float64] = np.sqrt(power[width // 2 : width // 2 + samples.size])
    loudest = float(envelope.max(initial=0.0))
    if loudest == 0:
        return samples.copy()
    gain = np.maximum(envelope / loudest, 1e-3) ** (1 / ratio - 1)
    changed = samples * gain
    factor = np.abs(samples).max() / max(np.abs(changed).max(), _TINY)
    return np.asarray(changed * factor, np.float32)


def replay(samples: Samples, rate_hz: int, rng: np.random.Generator, *, drr_db: float, snr_db: float) -> Samples:
    """Played by a small loudspeaker and recorded by a telephone in a room.

    Args:
        samples: Shape ``(n,)``.
        rate_hz: Their rate.
        rng: For the loudspeaker's colour, the room and the noise.
        drr_db: Ratio of the direct sound to the room's: the further away, the lower.
        snr_db: Ratio of the voice to the noise of the room and of the microphone.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    driven = samples if peak == 0 else np.tanh(samples * np.float32(1.5 / peak)) * np.float32(peak)
    chain = (
        BandLimit(low_hz=250.0, high_hz=7000.0, edge=0.25),
        draw_equaliser(rng, deviation_db=5.0),
        Room(rt60_s=0.4, drr_db=drr_db, delay_s=0.004, damping=0.5, seed=int(rng.integers(_SEED))),
        Noise(slope=1.0, snr_db=snr_db, seed=int(rng.integers(_SEED))),
        BandLimit(low_hz=0.0, high_hz=7600.0),
    )
    return apply(chain, driven.astype(np.float32), rate_hz)
