"""Whatever a file holds: a clear error, or what could be read with a warning; never another file or the network."""

from __future__ import annotations

import contextlib
import gc
import io
import socket
import threading

import numpy as np
import pytest

from glottis.audio import PCM, Limits, open_recording
from glottis.errors import InputError
from glottis.testing import tone, write_wav


def read(recording, **settings):
    with open_recording(recording, sample_rate_hz=16_000, **settings) as recording_read:
        blocks = list(recording_read.blocks())
    return recording_read, np.concatenate(blocks, axis=1)


def code_of(recording, **settings):
    with pytest.raises(InputError) as caught:
        read(recording, **settings)
    assert caught.value.message
    assert caught.value.hint
    return caught.value.code


def test_missing(tmp_path):
    assert code_of(tmp_path / "none.wav") == "missing"
    assert code_of("nul\0byte.wav") == "missing"
    assert code_of("") == "missing"


def test_directory(tmp_path):
    assert code_of(tmp_path) == "directory"


def test_unreadable(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "locked.wav"
    path.write_bytes(b"RIFF")
    monkeypatch.setattr("builtins.open", refuse)
    assert code_of(path) == "unreadable"


def test_a_file_object_in_text_mode():
    assert code_of(io.StringIO("text")) == "unreadable"


def test_empty(tmp_path):
    path = tmp_path / "empty.wav"
    path.touch()
    assert code_of(path) == "empty"
    assert code_of(b"") == "empty"


@pytest.mark.parametrize(
    "content", [b"hello, this is text\n" * 50, b"\0" * 5000, b"\x89PNG\r\n\x1a\n" + bytes(200), b"R"]
)
def test_what_is_no_sound(content, tmp_path):
    path = tmp_path / "text.wav"
    path.write_bytes(content)
    assert code_of(path) in {"not_audio", "no_samples"}
    assert code_of(content) in {"not_audio", "no_samples"}


def test_zero_samples(wav):
    at = wav.index(b"data") + 4
    assert code_of(wav[:at] + bytes(4)) == "no_samples"
    assert code_of(PCM(np.zeros(0, np.float32), 16_000)) == "no_samples"


def test_random_bytes_behind_every_magic_never_raise_anything_else(encoder, voice_of):
    rng = np.random.default_rng(0)
    voice = voice_of(1, 16_000)
    for container, codec in [
        ("wav", "pcm_s16le"),
        ("flac", "flac"),
        ("ogg", "flac"),
        ("mp3", "libmp3lame"),
        ("mp4", "aac"),
    ]:
        content = encoder(voice, 16_000, container, codec)
        for _ in range(12):
            spoiled = bytearray(content)
            for at in rng.integers(0, len(spoiled), 30):
                spoiled[at] = rng.integers(256)
            with contextlib.suppress(InputError):
                read(bytes(spoiled))


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz"),
    [
        ("wav", "pcm_s16le", 16_000),
        ("wav", "pcm_alaw", 8_000),
        ("w64", "pcm_s16le", 16_000),
        ("flac", "flac", 16_000),
        ("ogg", "libopus", 48_000),
        ("mp3", "libmp3lame", 16_000),
        ("matroska", "libopus", 48_000),
        ("aiff", "pcm_s16be", 16_000),
        ("caf", "pcm_s16be", 16_000),
        ("asf", "wmav2", 16_000),
        ("au", "pcm_s16be", 16_000),
    ],
)
def test_a_file_cut_in_the_middle_is_read_as_far_as_it_goes(container, codec, rate_hz, encoder, voice_of):
    content = encoder(voice_of(4, rate_hz), rate_hz, container, codec)
    recording, samples = read(content[: len(content) * 6 // 10])
    assert not recording.complete
    assert "truncated" in [warning.code for warning in recording.warnings]
    assert 1.0 < samples.shape[1] / 16_000 < 3.2


def test_an_mp4_without_its_index_says_so(encoder, voice_of):
    content = encoder(voice_of(2, 16_000), 16_000, "mp4", "aac")
    with pytest.raises(InputError, match="no sound file") as caught:
        read(content[: len(content) // 2])
    assert "index" in caught.value.hint


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz"),
    [("flac", "flac", 16_000), ("ogg", "libopus", 48_000), ("mp3", "libmp3lame", 16_000), ("mp4", "aac", 16_000)],
)
def test_damage_in_the_middle_is_reported(container, codec, rate_hz, encoder, voice_of):
    content = bytearray(encoder(voice_of(8, rate_hz), rate_hz, container, codec))
    middle = len(content) // 2
    content[middle : middle + 2000] = np.random.default_rng(0).bytes(2000)
    recording, samples = read(bytes(content))
    assert not recording.complete
    assert recording.warnings
    assert samples.shape[1] > 4 * 16_000


def test_one_flipped_bit_in_flac_is_found(encoder, voice_of):
    content = bytearray(encoder(voice_of(4, 16_000), 16_000, "flac", "flac"))
    content[len(content) // 2] ^= 4
    recording, _ = read(bytes(content))
    assert not recording.complete


def test_a_header_that_promises_hours(wav):
    at = wav.index(b"data") + 4
    recording, samples = read(wav[:at] + (2**31).to_bytes(4, "little") + wav[at + 4 :])
    assert samples.shape == (1, 48_000)
    assert not recording.complete


def test_a_file_that_shrinks_while_it_is_read(tmp_path, encoder, voice_of):
    path = tmp_path / "shrinks.wav"
    path.write_bytes(encoder(voice_of(60, 16_000), 16_000, "wav", "pcm_s16le"))
    with open_recording(path, sample_rate_hz=16_000) as recording:
        blocks = recording.blocks()
        next(blocks)
        with path.open("r+b") as file:
            file.truncate(700_000)
        list(blocks)
    assert not recording.complete


def test_a_file_object_that_fails_while_it_is_read(encoder, voice_of):
    class Failing(io.BytesIO):
        def read(self, count=-1):
            if self.tell() > 500_000:
                raise OSError(5, "Input/output error")
            return super().read(count)

    recording, samples = read(Failing(encoder(voice_of(60, 16_000), 16_000, "wav", "pcm_s16le")))
    assert samples.shape[1] > 100_000
    assert not recording.complete


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_finite_numbers(value, encoder, voice_of):
    voice = voice_of(2, 16_000)
    voice[20_000] = value
    assert code_of(PCM(voice, 16_000)) == "not_finite"
    assert code_of(encoder(voice, 16_000, "wav", "pcm_f32le")) == "not_finite"


def test_samples_of_a_wrong_type_or_shape():
    assert code_of(PCM(np.zeros((2, 3, 4)), 16_000)) == "not_audio"
    assert code_of(PCM(np.array(["a"]), 16_000)) == "not_audio"
    assert code_of(PCM(np.zeros((2, 16_000)), 16_000)) == "too_many_channels"
    assert code_of(PCM(np.zeros((10, 0)), 16_000)) == "no_samples"


@pytest.mark.parametrize("rate_hz", [0, -1, 3_999, 192_001])
def test_rates_out_of_bounds(rate_hz):
    assert code_of(PCM(np.zeros(100), rate_hz)) == "bad_rate"


def test_more_channels_than_the_limit(encoder, voice_of):
    voice = voice_of(1, 16_000)
    content = encoder(np.stack([voice] * 6), 16_000, "wav", "pcm_s16le")
    assert code_of(content, limits=Limits(max_channels=4)) == "too_many_channels"


@pytest.fixture
def listener():
    """An address, and the list of what connected to it."""
    touched = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    stop = threading.Event()

    def accept():
        while not stop.is_set():
            try:
                peer, address = server.accept()
            except TimeoutError:
                continue
            touched.append(address)
            peer.close()

    thread = threading.Thread(target=accept)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", touched
    stop.set()
    thread.join()
    server.close()


def playlists(address, other):
    yield "hls", f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}/a.ts\n#EXT-X-ENDLIST\n"
    yield "hls local", f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n"
    yield "ffconcat", f"ffconcat version 1.0\nfile '{other}'\n"
    yield "ffconcat net", f"ffconcat version 1.0\nfile '{address}/a.wav'\n"
    yield "sdp", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0\r\n"
    yield "dash", f'<?xml version="1.0"?><MPD><BaseURL>{address}/a.mp4</BaseURL></MPD>'
    yield "image2", f"{other}\n"


def test_playlists_touch_neither_the_network_nor_another_file(tmp_path, listener, wav, monkeypatch):
    address, touched = listener
    other = tmp_path / "secret.wav"
    other.write_bytes(wav)
    monkeypatch.chdir(tmp_path)
    for name, text in playlists(address, other):
        content = text.encode()
        path = tmp_path / f"{name}.wav"
        path.write_bytes(content)
        for recording in (content, path, io.BytesIO(content), path.open("rb")):
            assert code_of(recording) in {"forbidden_format", "not_audio"}, name
            if isinstance(recording, io.BufferedReader):
                recording.close()
    assert touched == []


def test_the_white_list_holds_where_the_look_at_the_head_does_not(tmp_path, wav, monkeypatch):
    from glottis.audio import source

    monkeypatch.setattr(source, "_PLAYLISTS", (b"nothing like it",))
    (tmp_path / "secret.wav").write_bytes(wav)
    for text in (
        f"ffconcat version 1.0\nfile '{tmp_path}/secret.wav'\n",
        f"#EXTM3U\n#EXTINF:5,\n{tmp_path}/secret.wav\n",
    ):
        assert code_of(text.encode()) == "not_audio"


def test_names_with_a_protocol_are_names(tmp_path, wav, listener, monkeypatch):
    address, touched = listener
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").write_bytes(wav)
    for name in ("concat:a.wav|a.wav", "file:a.wav", "subfile,,start,0,end,9,,:a.wav", f"{address}/a.wav", "pipe:0"):
        assert code_of(name) == "missing"
    assert touched == []


def test_a_channel_that_is_not_there_leaves_no_file_open(tmp_path):
    path = write_wav(tmp_path / "a.wav", tone(300, 0.5))
    with pytest.raises(InputError, match="no channel 7"):
        open_recording(path, sample_rate_hz=16_000, channel=7)
    gc.collect()
