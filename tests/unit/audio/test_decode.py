"""Every format a person has, from a path, bytes, a file object and a stream."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest

from glottis.audio import PCM, Limits, name_of, open_recording
from glottis.errors import InputError

FORMATS = [
    ("wav", "pcm_u8", 8_000, "mono", 0.0),
    ("wav", "pcm_s16le", 16_000, "mono", 0.0),
    ("wav", "pcm_s24le", 44_100, "stereo", 0.0),
    ("wav", "pcm_s32le", 48_000, "mono", 0.0),
    ("wav", "pcm_f32le", 16_000, "mono", 0.0),
    ("wav", "pcm_f64le", 16_000, "mono", 0.0),
    ("wav", "pcm_alaw", 8_000, "mono", 0.0),
    ("wav", "pcm_mulaw", 8_000, "mono", 0.0),
    ("wav", "adpcm_ms", 16_000, "mono", 0.2),
    ("w64", "pcm_s16le", 16_000, "mono", 0.0),
    ("flac", "flac", 44_100, "mono", 0.0),
    ("ogg", "flac", 16_000, "mono", 0.0),
    ("ogg", "vorbis", 48_000, "stereo", 0.1),
    ("ogg", "libopus", 48_000, "mono", 0.1),
    ("mp3", "libmp3lame", 44_100, "stereo", 0.1),
    ("mp4", "aac", 16_000, "mono", 0.1),
    ("ipod", "alac", 16_000, "mono", 0.1),
    ("mov", "pcm_s16le", 16_000, "mono", 0.0),
    ("3gp", "libopencore_amrnb", 8_000, "mono", 0.1),
    ("adts", "aac", 16_000, "mono", 0.15),
    ("matroska", "libopus", 48_000, "mono", 0.1),
    ("webm", "libopus", 48_000, "mono", 0.1),
    ("amr", "libopencore_amrnb", 8_000, "mono", 0.1),
    ("aiff", "pcm_s16be", 16_000, "mono", 0.0),
    ("caf", "pcm_s16be", 16_000, "mono", 0.0),
    ("asf", "wmav2", 16_000, "mono", 0.3),
    ("au", "pcm_s16be", 16_000, "mono", 0.0),
]


def read(recording, rate_hz=16_000, **settings):
    with open_recording(recording, sample_rate_hz=rate_hz, **settings) as recording_read:
        blocks = list(recording_read.blocks())
    return recording_read, np.concatenate(blocks, axis=1)


class Pipe(io.RawIOBase):
    """A stream that cannot go back and gives little at a time."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    def readable(self):
        return True

    def read(self, count=-1):
        return self._file.read(min(count, 3000) if count > 0 else count)


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
def test_every_format_is_read_alike_from_bytes_path_file_and_pipe(kind, tmp_path, encoder, voice_of):
    container, codec, rate_hz, layout, slack_s = kind
    voice = voice_of(2, rate_hz)
    content = encoder(voice if layout == "mono" else np.stack([voice, voice]), rate_hz, container, codec)
    recording, samples = read(content)
    assert recording.complete, recording.warnings
    assert recording.warnings == []
    assert recording.source_rate_hz == rate_hz
    assert recording.lanes == (None,)
    assert samples.dtype == np.float32
    assert abs(samples.shape[1] / 16_000 - 2) <= slack_s + 1e-4
    assert abs(recording.duration_s - 2) <= slack_s + 1e-4
    assert 0.5 < np.sqrt(np.mean(samples**2)) / np.sqrt(np.mean(voice**2)) < 1.5
    path = tmp_path / "recording"
    path.write_bytes(content)
    with path.open("rb") as file:
        for other in (path, str(path), file, Pipe(content)):
            assert np.array_equal(read(other)[1], samples)
        assert not file.closed


def test_lossless_formats_give_the_same_bits(encoder, voice_of):
    voice = np.round(voice_of(1, 44_100) * 32767) / np.float32(32768)
    outcomes = [
        read(encoder(voice, 44_100, container, codec))[1]
        for container, codec in [("wav", "pcm_s16le"), ("flac", "flac"), ("aiff", "pcm_s16be"), ("wav", "pcm_f32le")]
    ]
    outcomes.append(read(PCM(voice, 44_100))[1])
    outcomes.append(read(PCM((voice * 32768).astype(np.int16), 44_100))[1])
    for outcome in outcomes[1:]:
        assert np.array_equal(outcome, outcomes[0])


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_samples_of_every_type_have_full_scale_at_one(kind):
    wave = np.array([-0.5, 0.0, 0.25, 0.5])
    if np.dtype(kind).kind == "f":
        samples = wave.astype(kind)
    else:
        samples = (wave * 2.0 ** (8 * np.dtype(kind).itemsize - 1) + (128 if kind == np.uint8 else 0)).astype(kind)
    assert np.array_equal(read(PCM(samples, 16_000))[1][0], wave.astype(np.float32))


def test_rf64_is_read_and_its_promise_kept(wav):
    data_at = wav.index(b"data")
    samples = wav[data_at + 8 :]
    ds64 = (len(wav)).to_bytes(8, "little") + len(samples).to_bytes(8, "little") + bytes(12)
    unknown = b"\xff" * 4
    fmt = wav[12 : 12 + 24]
    content = b"RF64" + unknown + b"WAVEds64" + len(ds64).to_bytes(4, "little") + ds64 + fmt + b"data" + unknown
    recording, whole = read(content + samples)
    assert recording.complete
    assert np.array_equal(whole, read(wav)[1])
    recording, _ = read(content + samples[: len(samples) // 2])
    assert not recording.complete


def test_a_file_object_is_read_from_where_it_stands(wav):
    file = io.BytesIO(b"preface" + wav)
    file.seek(7)
    assert np.array_equal(read(file)[1], read(wav)[1])


@pytest.mark.parametrize("name", ["a\nb.wav", "concat:x|y", "-x.wav", "ü.wav", b"\xff\xfe.wav", "http:x.wav", "%d.wav"])
def test_any_name_is_read_and_can_be_shown(name, tmp_path, wav, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(name)
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(wav)
    recording, _ = read(name)
    assert recording.complete
    assert recording.name.encode("utf-8")


def test_names():
    assert name_of("a/b.wav") == "a/b.wav"
    assert name_of(b"RIFF") == "<bytes>"
    assert name_of(PCM(np.zeros(3), 8_000)) == "<samples>"
    assert name_of(io.BytesIO()) == "<stream>"


def test_a_stream_of_unknown_length_is_complete(wav):
    at = wav.index(b"data") + 4
    recording, samples = read(wav[:at] + b"\xff" * 4 + wav[at + 4 :])
    assert recording.complete
    assert samples.shape[1] == 48_000


@pytest.mark.parametrize("rate_hz", [4_000, 11_025, 22_050, 96_000, 192_000])
def test_all_rates(rate_hz, encoder, voice_of):
    recording, samples = read(encoder(voice_of(1, rate_hz), rate_hz, "wav", "pcm_s16le"))
    assert recording.source_rate_hz == rate_hz
    assert samples.shape == (1, 16_000)


def test_blocks_can_be_read_once(wav):
    with open_recording(wav, sample_rate_hz=16_000) as recording:
        list(recording.blocks())
        with pytest.raises(ValueError, match="once"):
            list(recording.blocks())


def test_first_blocks_come_while_the_rest_is_unread(encoder, voice_of):
    content = encoder(voice_of(60, 16_000), 16_000, "wav", "pcm_s16le")
    file = io.BytesIO(content)
    with open_recording(file, sample_rate_hz=16_000) as recording:
        next(recording.blocks())
        assert file.tell() < len(content) / 4


def test_the_limit_counts_decoded_samples_of_a_small_file(encoder):
    content = encoder(np.zeros(300 * 16_000, np.float32), 16_000, "flac", "flac")
    assert len(content) < 100_000
    recording, samples = read(content, limits=Limits(max_duration_s=12.5))
    assert samples.shape == (1, 200_000)
    assert recording.duration_s == 12.5
    assert not recording.complete
    assert [warning.code for warning in recording.warnings] == ["limit"]


def test_a_recording_as_long_as_the_limit_is_complete(wav):
    assert read(wav, limits=Limits(max_duration_s=3.0))[0].complete


def test_of_several_tracks_the_first_with_sound_is_read(voice_of):
    import av

    file = io.BytesIO()
    voice = voice_of(2, 16_000)
    with av.open(file, "w", format="matroska") as output:
        streams = [output.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(3)]
        for stream, samples in zip(streams, [np.zeros_like(voice), voice, voice * 0.5], strict=True):
            whole = (samples[None] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, 0
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    recording, samples = read(file.getvalue())
    assert [(warning.code, warning.value) for warning in recording.warnings] == [("other_tracks", 1)]
    assert recording.complete
    assert np.allclose(samples[0], voice, atol=1e-3)


def test_video_is_ignored(voice_of):
    import av

    file = io.BytesIO()
    voice = voice_of(2, 16_000)
    with av.open(file, "w", format="mp4") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = output.add_stream("aac", rate=16_000, layout="mono")
        for _ in range(20):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            output.mux(video.encode(picture))
        output.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(voice[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16_000, 0
        output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    recording, samples = read(file.getvalue())
    assert recording.codec == "aac"
    assert recording.complete, recording.warnings
    assert abs(samples.shape[1] - 32_000) < 1600


@pytest.mark.parametrize("codec", ["ffv1", "mpeg4"])
def test_no_video_decoder_runs(codec):
    import av

    from glottis.audio.container import Container
    from glottis.audio.source import ByteSource, Limits

    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        video = output.add_stream(codec, rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = output.add_stream("pcm_s16le", rate=16_000, layout="mono")
        output.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        output.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16_000, 0
        output.mux(audio.encode(frame))
    source = ByteSource(file.getvalue(), Limits())
    container = Container(source, [])
    assert container._container.streams.video[0].codec_context.pix_fmt is None
    container.close()
    source.close()


def test_video_alone_is_refused():
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        output.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        output.mux(video.encode(None))
    with pytest.raises(InputError) as caught:
        read(file.getvalue())
    assert caught.value.code == "no_audio_track"


def test_a_rate_that_changes_in_the_middle_is_reported_and_followed(encoder, voice_of):
    pieces = [encoder(voice_of(2, rate_hz), rate_hz, "adts", "aac") for rate_hz in (16_000, 32_000)]
    recording, samples = read(b"".join(pieces))
    assert "rate_changed" in [warning.code for warning in recording.warnings]
    assert abs(samples.shape[1] / 16_000 - 4) < 0.4


def test_channels_that_change_in_the_middle_are_reported(encoder, voice_of):
    voice = voice_of(2, 16_000)
    pieces = [encoder(v, 16_000, "adts", "aac") for v in (voice, np.stack([voice, voice]))]
    recording, samples = read(b"".join(pieces))
    assert "channels_changed" in [warning.code for warning in recording.warnings]
    assert abs(samples.shape[1] / 16_000 - 4) < 0.4


def test_bandwidth_is_that_of_the_recording(encoder):
    noise = np.random.default_rng(0).standard_normal(44_100 * 2).astype(np.float32) * 0.1
    recording, _ = read(encoder(noise, 44_100, "wav", "pcm_s16le"))
    assert recording.bandwidth_hz > 21_000
