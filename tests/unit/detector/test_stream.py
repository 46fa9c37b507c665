from __future__ import annotations

import numpy as np
import pytest

from glottis.audio import PCM
from glottis.detector import Detector, Stream
from glottis.errors import BundleError, ConfigError, InputError
from glottis.testing import voice
from glottis.verdict import Decision


@pytest.fixture(scope="session")
def detector(bundle):
    return Detector(bundle)


def test_windows_come_as_they_are_done(detector, talk):
    with detector.stream(16_000, name="mic") as live:
        assert isinstance(live, Stream)
        given = [len(live.feed(talk[at : at + 8_000])) for at in range(0, len(talk), 8_000)]
        verdict = live.finish()
    assert given == [0, 1] * 7 + [0]
    assert len(verdict.windows) == 8
    assert (verdict.source, verdict.codec, verdict.channel, verdict.complete) == ("mic", None, None, True)
    assert verdict.duration_s == 7.5


def test_the_windows_that_were_given_are_those_of_the_verdict(detector, talk):
    live = detector.stream(16_000)
    given = live.feed(talk)
    assert tuple(given) == live.finish().windows[: len(given)]


def test_integers_are_their_floats(detector, talk):
    whole = np.round(talk * 32_767).astype(np.int16)
    by_int, by_float = detector.stream(16_000), detector.stream(16_000)
    by_int.feed(whole)
    by_float.feed(whole.astype(np.float32) / 32_768)
    assert by_int.finish().windows == by_float.finish().windows


def test_what_is_fed_may_be_overwritten(detector, talk):
    kept, reused = detector.stream(16_000), detector.stream(16_000)
    buffer = np.empty(3_000, np.float32)
    for at in range(0, len(talk), 3_000):
        buffer[:] = talk[at : at + 3_000]
        reused.feed(buffer)
        buffer[:] = 9.0
        kept.feed(talk[at : at + 3_000])
    assert reused.finish().windows == kept.finish().windows


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        (np.array([0, np.nan], np.float32), "not_finite"),
        (np.array([np.inf]), "not_finite"),
        (np.zeros((10, 2), np.float32), "not_audio"),
        (np.float32(0), "not_audio"),
        (np.array(["a"]), "not_audio"),
        (np.zeros(3, np.complex64), "not_audio"),
        ([[0.0], [0.0, 0.0]], "not_audio"),
        (None, "not_audio"),
        (b"\0\0", "not_audio"),
    ],
)
def test_a_chunk_that_is_refused_was_not_taken(detector, talk, chunk, code):
    live, clean = detector.stream(16_000), detector.stream(16_000)
    live.feed(talk[:20_000])
    with pytest.raises(InputError) as caught:
        live.feed(chunk)
    assert caught.value.code == code
    live.feed(talk[20_000:])
    clean.feed(talk)
    assert live.finish().windows == clean.finish().windows


def test_where_the_model_failed_the_stream_is_over(bundle, talk, monkeypatch):
    """A window is missing then, and a verdict on the rest would be one on the whole."""
    detector = Detector(bundle)
    live = detector.stream(16_000)

    def broken(_):
        raise BundleError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(detector._open().members[0].session, "score", broken)
        with pytest.raises(BundleError, match="broken"):
            live.feed(talk)
    for again in (live.finish, lambda: live.feed(talk)):
        with pytest.raises(ConfigError, match="finished"):
            again()


def test_empty_chunks_are_nothing(detector, talk):
    live, clean = detector.stream(8_000), detector.stream(8_000)
    assert live.feed(np.zeros(0, np.float32)) == []
    live.feed(talk)
    live.feed([])
    clean.feed(talk)
    assert live.finish().windows == clean.finish().windows


def test_finished_is_finished(detector):
    live = detector.stream(16_000)
    live.feed(voice(1))
    live.finish()
    for again in (live.finish, lambda: live.feed(np.zeros(5, np.float32))):
        with pytest.raises(ConfigError, match="finished"):
            again()


def test_leaving_the_block_ends_it(detector):
    with detector.stream(16_000) as live:
        pass
    with pytest.raises(ConfigError, match="finished"):
        live.feed(np.zeros(5, np.float32))


def test_nothing_was_fed(detector):
    with pytest.raises(InputError) as caught:
        detector.stream(16_000).finish()
    assert caught.value.code == "no_samples"


@pytest.mark.parametrize("rate_hz", [0, 3_999, 192_001, -16_000])
def test_an_impossible_rate(detector, rate_hz):
    with pytest.raises(InputError) as caught:
        detector.stream(rate_hz)
    assert caught.value.code == "bad_rate"


def test_silence_is_no_speech(detector):
    live = detector.stream(8_000)
    live.feed(np.zeros(20_000, np.int16))
    assert live.finish().verdict is Decision.NO_SPEECH


def test_the_prior_and_the_bandwidth(bundle, talk):
    detector = Detector(bundle, prior_spoof=0.1)
    live = detector.stream(8_000, prior_spoof=0.3)
    live.feed(talk)
    verdict, whole = live.finish(), detector.scan(PCM(talk, 8_000))
    assert (verdict.prior_spoof, whole.prior_spoof) == (0.3, 0.1)
    assert verdict.bandwidth_hz == whole.bandwidth_hz
    assert [reason.code for reason in verdict.reasons] == [reason.code for reason in whole.reasons]
