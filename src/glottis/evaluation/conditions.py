"""The channels and distortions under which a detector is measured, in families of growing strength."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from glottis.augment import FORMATS, BandLimit, Codec, Gain, Noise, Room, Transform, apply, resample
from glottis.errors import ConfigError
from glottis.evaluation import distortions as made
from glottis.verdict import Samples

Alter = Callable[[Samples, int, np.random.Generator, bool], tuple[Samples, int]]
"""Samples ``(n,)``, their rate, random numbers, and whether they are bona fide, to other samples and their rate."""

Attack = Callable[[Samples, bool, float, int], Samples]
"""Samples, whether they are bona fide, the ratio of signal to perturbation in dB, steps; to perturbed samples."""

Change = Callable[[Samples, int, np.random.Generator], Samples]
"""Samples, their rate and random numbers, to other samples at that rate."""

CLEAN = "clean"
_SEED = 2**31


@dataclass(frozen=True, slots=True)
class Condition:
    """One channel or distortion at one strength.

    Attributes:
        family: What is done.
        strength: How much of it, in words: ``10 dB``.
        at: The strength as a number, mild first, or None where a family has no order.
        alter: Does it.
    """

    family: str
    strength: str
    at: float | None
    alter: Alter

    @property
    def name(self) -> str:
        """Family and strength, fit for the name of a file."""
        return f"{self.family}-{self.strength}".replace(" %", "pc").replace(" ", "").replace("/", "_").rstrip("-")

    def apply(self, samples: Samples, rate_hz: int, trial: str, *, bonafide: bool) -> tuple[Samples, int]:
        """The altered samples and their rate; the same for a trial in every run, and blind to the others."""
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), zlib.crc32(trial.encode())])
        return self.alter(samples, rate_hz, rng, bonafide)


def _through(
    samples: Samples, rate_hz: int, rng: np.random.Generator, _bonafide: bool, *, chain: tuple[Transform, ...]
) -> tuple[Samples, int]:
    """Transforms one after the other, those that are random with seeds of the trial's own."""
    seeded = [replace(one, seed=int(rng.integers(_SEED))) if isinstance(one, Noise | Room) else one for one in chain]
    return apply(seeded, samples, rate_hz), rate_hz


def _changed(
    samples: Samples, rate_hz: int, rng: np.random.Generator, _bonafide: bool, *, change: Change
) -> tuple[Samples, int]:
    return change(samples, rate_hz, rng), rate_hz


def _at_rate(
    samples: Samples, rate_hz: int, _rng: np.random.Generator, _bonafide: bool, *, wanted_hz: int
) -> tuple[Samples, int]:
    return resample(samples, rate_hz, wanted_hz), wanted_hz


def _attacked(
    samples: Samples,
    rate_hz: int,
    _rng: np.random.Generator,
    bonafide: bool,
    *,
    attack: Attack,
    snr_db: float,
    steps: int,
) -> tuple[Samples, int]:
    return attack(samples, bonafide, snr_db, steps), rate_hz


def _chain(family: str, strength: str, at: float | None, *chain: Transform) -> Condition:
    return Condition(family, strength, at, partial(_through, chain=chain))


def _made(family: str, strength: str, at: float | None, change: Change) -> Condition:
    return Condition(family, strength, at, partial(_changed, change=change))


def _noises() -> Iterator[Condition]:
    for family, slope in (("white noise", 0.0), ("pink noise", 1.0)):
        for snr_db in (30.0, 20.0, 10.0, 5.0, 0.0):
            yield _chain(family, f"{snr_db:g} dB", -snr_db, Noise(slope, snr_db, seed=0))


def _rooms() -> Iterator[Condition]:
    for rt60_s, drr_db in ((0.2, 9.0), (0.4, 5.0), (0.7, 2.0), (1.0, 0.0), (1.4, -3.0)):
        yield _chain("room", f"{rt60_s:g} s", rt60_s, Room(rt60_s, drr_db, delay_s=0.005, damping=0.4, seed=0))


def _codecs() -> Iterator[Condition]:
    for name, form in FORMATS.items():
        rate_hz = form.rates_hz[-1] if name == "opus_voip" else form.rates_hz[0]
        if not form.bit_rates:
            yield _chain("other codecs", name, None, Codec(name, rate_hz, None))
        for rate in sorted(form.bit_rates, reverse=True):
            yield _chain(name, f"{rate / 1000:g} kbit/s", -rate / 1000, Codec(name, rate_hz, rate))


def _telephones() -> Iterator[Condition]:
    band = BandLimit(low_hz=300.0, high_hz=3400.0)
    landline, mulaw = Codec("g711_alaw", 8000, None), Codec("g711_mulaw", 8000, None)
    yield _chain("telephone", "landline", None, band, landline)
    yield _chain("telephone", "mobile", None, band, Codec("amr_nb", 8000, 12200))
    yield _chain("telephone", "bad mobile", None, band, Codec("amr_nb", 8000, 4750))
    yield _chain("telephone", "mobile to landline", None, band, Codec("amr_nb", 8000, 7400), mulaw)


def _transport() -> Iterator[Condition]:
    for share in (0.01, 0.03, 0.1, 0.2, 0.3):
        yield _made("packet loss", f"{100 * share:g} %", 100 * share, partial(made.lose_packets, share=share))
    for factor in (0.8, 0.9, 1.1, 1.25):
        yield _made("speed", f"{factor:g}", factor, partial(made.change_speed, factor=factor))
    for rate_hz in (44100, 24000, 12000, 11025, 8000):
        yield Condition("sample rate", f"{rate_hz} Hz", -rate_hz, partial(_at_rate, wanted_hz=rate_hz))
    for metres, drr_db, snr_db in ((0.2, 9.0, 35.0), (0.5, 3.0, 28.0), (1.5, -3.0, 20.0)):
        yield _made("replay", f"{metres:g} m", metres, partial(made.replay, drr_db=drr_db, snr_db=snr_db))


def _editing() -> Iterator[Condition]:
    for words, inside in (("ends", False), ("ends and pauses", True)):
        yield _made("silence cut", words, None, partial(made.cut_silence, inside=inside))
    for gain_db in (-10.0, -20.0, -30.0, -40.0):
        yield _chain("level", f"{gain_db:g} dB", -gain_db, Gain(gain_db))
    for over_db in (3.0, 6.0, 12.0, 20.0):
        yield _made("clipping", f"{over_db:g} dB", over_db, partial(made.overdrive, over_db=over_db))
    for words, strength, floor_db in (("denoised", 1.0, -12.0), ("denoised hard", 3.0, -30.0)):
        yield _made("processed", words, None, partial(made.denoise, strength=strength, floor_db=floor_db))
    yield _made("processed", "levelled", None, partial(made.level_out, ratio=3.0))


def all_conditions() -> list[Condition]:
    """The clean one first, then every family from mild to strong."""
    clean = _chain(CLEAN, "", None)
    return [clean, *_noises(), *_rooms(), *_codecs(), *_telephones(), *_transport(), *_editing()]


def attacks(attack: Attack) -> list[Condition]:
    """The attacks by who knows the net: FGSM in one step, PGD in ten (Goodfellow et al., 2015; Madry et al., 2018).

    Args:
        attack: Moves the samples against their label; see `glottis.training.adversarial`.
    """
    return [
        Condition(family, f"{snr_db:g} dB", -snr_db, partial(_attacked, attack=attack, snr_db=snr_db, steps=steps))
        for family, steps in (("FGSM", 1), ("PGD", 10))
        for snr_db in (60.0, 50.0, 40.0, 30.0)
    ]


def chosen(conditions: list[Condition], families: str) -> list[Condition]:
    """Those of some families, with commas between, and the clean one.

    Raises:
        ConfigError: A family is unknown.
    """
    known = list(dict.fromkeys(one.family for one in conditions))
    wanted = [name.strip() for name in families.split(",") if name.strip()] or known
    for name in wanted:
        if name not in known:
            raise ConfigError(f"unknown family {name!r}", code="setting", hint=f"one of: {', '.join(known)}")
    return [one for one in conditions if one.family in {CLEAN, *wanted}]
