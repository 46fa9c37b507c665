from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest

import glottis
from glottis.audio import PCM, Limits
from glottis.bundle import open_bundle
from glottis.detector import Detector
from glottis.errors import BundleError, ConfigError, InputError
from glottis.testing import noise, tone, voice, write_wav
from glottis.verdict import Decision, Failed, Judge, Verdict


@pytest.fixture(scope="session")
def detector(bundle):
    return Detector(bundle)


@pytest.fixture(scope="session")
def crowd(bundle):
    return Detector(bundle, threads=3)


@pytest.fixture(scope="session")
def hates_loud(bundle_of):
    """A bundle to which what is loud is spoof."""
    return Detector(bundle_of({"score": (-100, 4)}))


@pytest.fixture(scope="session")
def call(talk):
    """A party on each side: the second is loud."""
    loud = np.tanh(10 * voice(7.5, seed=1))
    return PCM(np.stack([0.3 * talk, loud], axis=1), 16_000)


def untimed(results):
    return [replace(one, elapsed_s=0) if isinstance(one, Verdict) else one for one in results]


def test_a_file(detector, talk_wav, bundle):
    verdict = detector.scan(talk_wav)
    assert verdict.source == str(talk_wav)
    assert (verdict.codec, verdict.sample_rate_hz, verdict.duration_s, verdict.channel) == (
        "pcm_s16le",
        16_000,
        7.5,
        None,
    )
    assert verdict.verdict is Decision.BONAFIDE
    assert verdict.bundle.sha256 == open_bundle(bundle).sha256
    assert verdict.glottis == glottis.__version__
    assert verdict.to_json()
    assert detector.bundle.manifest.name == "tiny"


def test_every_kind_of_recording(detector, talk_wav, talk):
    by_path = detector.scan(talk_wav)
    with talk_wav.open("rb") as file:
        by_file = detector.scan(file)
    by_bytes = detector.scan(talk_wav.read_bytes())
    by_samples = detector.scan(PCM(talk, 16_000))
    assert by_path.windows == by_file.windows == by_bytes.windows
    assert len(by_samples.windows) == len(by_path.windows)
    assert [one.source for one in (by_file, by_bytes, by_samples)] == [str(talk_wav), "<bytes>", "<samples>"]


def test_it_is_a_judge(detector):
    assert isinstance(detector, Judge)


@pytest.mark.parametrize("recording", [None, 5, object(), np.zeros(3), "nowhere.wav", b"", b"text" * 100])
def test_what_is_no_recording(detector, recording):
    with pytest.raises(InputError):
        detector.scan(recording)


def test_elapsed_counts_from_the_opening(detector, talk_wav):
    assert 0 < detector.scan(talk_wav).elapsed_s < 60


def test_a_truncated_file_is_scanned_but_never_bonafide(detector, talk_wav):
    data = talk_wav.read_bytes()
    verdict = detector.scan(data[: len(data) // 2])
    assert not verdict.complete
    assert verdict.verdict is Decision.INCONCLUSIVE
    assert verdict.llr > verdict.thresholds["bonafide"]
    assert "incomplete" in [reason.code for reason in verdict.reasons]
    assert verdict.warnings


def test_limits_are_kept(bundle, talk_wav):
    verdict = Detector(bundle, limits=Limits(max_duration_s=2.0)).scan(talk_wav)
    assert (verdict.duration_s, verdict.complete) == (2.0, False)


class TestChannels:
    def test_each_lane_has_its_verdict(self, hates_loud, call):
        left, right = hates_loud.scan_channels(call)
        assert (left.channel, right.channel) == (0, 1)
        assert (left.verdict, right.verdict) == (Decision.BONAFIDE, Decision.SPOOF)

    def test_scan_takes_the_most_suspect_and_names_the_others(self, hates_loud, call):
        verdict = hates_loud.scan(call)
        assert (verdict.channel, verdict.verdict) == (1, Decision.SPOOF)
        notice = verdict.warnings[-1]
        assert (notice.code, notice.value) == ("other_channels", 2)
        assert "0: bonafide" in notice.text

    def test_scan_many_gives_all(self, hates_loud, call, talk_wav):
        got = list(hates_loud.scan_many([call, talk_wav]))
        assert [one.channel for one in got] == [0, 1, None]
        assert untimed(Detector(hates_loud.bundle.path, threads=3).scan_many([call, talk_wav])) == untimed(got)

    def test_a_lane_is_scanned_as_if_it_were_alone(self, detector, call):
        alone = detector.scan(PCM(call.samples[:, 1], 16_000))
        assert detector.scan(call, channel=1).windows == detector.scan(call).windows == alone.windows

    def test_mix(self, detector, call):
        assert detector.scan(call, channel="mix").channel is None

    @pytest.mark.parametrize("threads", [1, 3])
    def test_each_of_dual_mono(self, bundle, talk, threads):
        both = PCM(np.stack([talk, talk], axis=1), 16_000)
        one, other = Detector(bundle, threads=threads).scan_channels(both, channel="each")
        assert one.windows == other.windows

    def test_silence_on_each(self, detector):
        verdicts = detector.scan_channels(PCM(np.zeros((100, 2), np.float32), 16_000), channel="each")
        assert [one.verdict for one in verdicts] == [Decision.NO_SPEECH] * 2

    def test_a_channel_that_is_not_there(self, detector, call):
        with pytest.raises(InputError, match="no channel 2"):
            detector.scan(call, channel=2)

    @pytest.mark.parametrize("channel", ["left", True, None, 1.0, [0], np.zeros(2)])
    def test_no_channel_at_all(self, detector, call, channel):
        for start in (detector.scan, detector.scan_channels, lambda one, **k: detector.scan_many([one], **k)):
            with pytest.raises(ConfigError, match="channel must be"):
                start(call, channel=channel)


class TestMany:
    @pytest.mark.parametrize("threads", [1, 3])
    def test_in_order_and_no_bad_one_ends_the_others(self, bundle, talk_wav, threads):
        asked = [talk_wav, "nowhere.wav", talk_wav.read_bytes(), b"text", None, talk_wav]
        got = list(Detector(bundle, threads=threads).scan_many(asked))
        assert [type(one) for one in got] == [Verdict, Failed, Verdict, Failed, Failed, Verdict]
        assert [one.code for one in got if isinstance(one, Failed)] == ["missing", "not_audio", "not_audio"]
        assert got[1].source == "nowhere.wav"

    @pytest.mark.parametrize("threads", [1, 2])
    def test_recordings_are_asked_for_as_they_are_needed(self, bundle, threads):
        asked = 0

        def endless():
            nonlocal asked
            for asked in itertools.count(1):  # noqa: B007 (counts)
                yield PCM(voice(0.5), 16_000)

        results = Detector(bundle, threads=threads).scan_many(endless())
        assert asked == 0
        for _ in range(10):
            assert isinstance(next(results), Verdict)
        assert asked <= 10 + 2 * threads
        results.close()

    @pytest.mark.parametrize("threads", [1, 3])
    def test_of_five_hundred_names_few_are_held(self, bundle, tmp_path, threads):
        class Name(str):
            """A path that can be watched."""

            __slots__ = ("__weakref__",)

        short = write_wav(tmp_path / "short.wav", voice(0.1))
        held, most = weakref.WeakSet(), 0

        def names():
            nonlocal most
            for number in range(500):
                name = Name(short if number % 2 else tmp_path / f"none-{number}.wav")
                held.add(name)
                most = max(most, len(held))
                yield name
                del name

        assert len(list(Detector(bundle, threads=threads).scan_many(names()))) == 500
        assert most <= 2 * threads

    @pytest.mark.parametrize("threads", [1, 3])
    def test_an_error_of_the_list_comes_after_the_results_of_what_it_gave(self, bundle, talk_wav, threads):
        def listing():
            yield talk_wav
            yield "nowhere.wav"
            raise OSError("the disk is gone")

        results = Detector(bundle, threads=threads).scan_many(listing())
        assert [type(next(results)) for _ in range(2)] == [Verdict, Failed]
        with pytest.raises(OSError, match="the disk is gone"):
            next(results)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_a_bug_becomes_internal_and_no_memory_does_not(self, bundle, talk_wav, threads, monkeypatch):
        detector = Detector(bundle, threads=threads)
        monkeypatch.setattr("glottis.detector.detector.judge", lambda *_: 1 / 0)
        (failed,) = detector.scan_many([talk_wav])
        assert failed.code == "internal"
        assert "ZeroDivisionError" in failed.message

        def no_memory(*_):
            raise MemoryError

        monkeypatch.setattr("glottis.detector.detector.judge", no_memory)
        with pytest.raises(MemoryError):
            list(detector.scan_many([talk_wav]))

    def test_nothing_is_nothing(self, detector, crowd):
        assert list(detector.scan_many([])) == list(crowd.scan_many([])) == []

    def test_leaving_early_does_not_wait_for_long_recordings(self, bundle, talk):
        """Of an hour only what is in flight is still scanned."""
        hour = PCM(np.broadcast_to(np.zeros(1, np.float32), (3600 * 16_000,)), 16_000)
        results = Detector(bundle, threads=2).scan_many([PCM(talk, 16_000), hour, hour])
        next(results)
        before = threading.active_count()
        results.close()
        assert threading.active_count() < before

    @pytest.mark.parametrize("count", [1, 6])
    def test_never_more_threads_at_work_than_wanted(self, bundle, talk, count, monkeypatch):
        detector = Detector(bundle, threads=2)
        session = detector._open().members[0].session
        score, lock, at_work, most = session.score, threading.Lock(), 0, 0

        def counted(window):
            nonlocal at_work, most
            with lock:
                at_work += 1
                most = max(most, at_work)
            threading.Event().wait(0.003)
            with lock:
                at_work -= 1
            return score(window)

        monkeypatch.setattr(session, "score", counted)
        assert len(list(detector.scan_many([PCM(talk, 16_000)] * count))) == count
        assert most == 2


class TestSettings:
    @pytest.mark.parametrize("prior", [0, 1, -0.1, 2, float("nan"), "half"])
    def test_an_impossible_prior(self, bundle, detector, talk_wav, prior):
        for start in (detector.scan, detector.scan_channels, lambda one, **k: detector.scan_many([one], **k)):
            with pytest.raises(ConfigError, match="prior_spoof"):
                start(talk_wav, prior_spoof=prior)
        with pytest.raises(ConfigError, match="prior_spoof"):
            detector.stream(16_000, prior_spoof=prior)
        with pytest.raises(ConfigError, match="prior_spoof"):
            Detector(bundle, prior_spoof=prior)

    def test_the_nearest_prior_counts(self, bundle, talk_wav):
        detector = Detector(bundle, prior_spoof=0.2)
        assert Detector(bundle).scan(talk_wav).prior_spoof == 0.5
        assert detector.scan(talk_wav).prior_spoof == 0.2
        assert detector.scan(talk_wav, prior_spoof=0.3).prior_spoof == 0.3
        assert [one.prior_spoof for one in detector.scan_many([talk_wav])] == [0.2]

    @pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
    def test_impossible_threads(self, bundle, threads):
        with pytest.raises(ConfigError, match="threads"):
            Detector(bundle, threads=threads)

    @pytest.mark.parametrize("model", ["none", "a/none", b"none", "no\0ne", 5, []])
    def test_no_such_bundle(self, tmp_path, monkeypatch, model):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(BundleError) as caught:
            Detector(model)
        assert caught.value.code == "missing"


def test_a_closed_detector_says_so(bundle, talk_wav):
    with Detector(bundle) as detector:
        live = detector.stream(16_000)
    detector.close()
    for start in (lambda: detector.scan(talk_wav), lambda: detector.scan_many([]), lambda: detector.stream(8_000)):
        with pytest.raises(ConfigError, match="closed"):
            start()
    live.feed(voice(1))
    assert live.finish().windows


@pytest.mark.parametrize("rate_hz", ["16000", None, float("nan"), float("inf"), 16_000.5, 0, -8_000, 10**30])
def test_an_impossible_rate(detector, talk, rate_hz):
    for start in (lambda: detector.scan(PCM(talk, rate_hz)), lambda: detector.stream(rate_hz)):
        with pytest.raises(InputError) as caught:
            start()
        assert caught.value.code == "bad_rate"


@pytest.mark.parametrize("rate_hz", [8_000.0, np.int64(8_000), np.float32(8_000)])
def test_a_rate_of_another_type_is_that_rate(detector, talk, rate_hz):
    verdict = detector.scan(PCM(talk, rate_hz))
    live = detector.stream(rate_hz)
    live.feed(talk)
    assert live.finish().windows == verdict.windows
    assert '"sample_rate_hz": 8000,' in verdict.to_json()


@pytest.mark.parametrize("samples", [[[0.0], [0.0, 0.0]], None, "abc", np.zeros((1, 2, 3))])
def test_samples_that_are_none(detector, samples):
    with pytest.raises(InputError) as caught:
        detector.scan(PCM(samples, 16_000))
    assert caught.value.code == "not_audio"


def test_noise_and_silence_are_no_speech(detector):
    for samples in (np.zeros(50_000, np.float32), noise(3.0), tone(440, 3.0)):
        assert detector.scan(PCM(samples, 16_000)).verdict is Decision.NO_SPEECH


def test_the_shipped_detector_is_opened_once(bundle, talk_wav, monkeypatch):
    from glottis.detector import detector as module

    opened = []
    monkeypatch.setattr(module, "open_bundle", lambda _: opened.append(1) or open_bundle(bundle))
    module._shipped.cache_clear()
    try:
        assert glottis.scan(talk_wav).windows == glottis.scan(talk_wav, channel=0, prior_spoof=0.1).windows
        assert opened == [1]
    finally:
        module._shipped.cache_clear()


FORK = """
import os, sys, threading
from glottis import Detector
detector = Detector(sys.argv[1], threads=2)
here = detector.scan(sys.argv[2])
busy = threading.Thread(target=lambda: [detector.scan(sys.argv[2]) for _ in range(20)])
busy.start()
for _ in range(3):
    child = os.fork()
    if not child:
        try:
            same = detector.scan(sys.argv[2]).windows == here.windows
            many = [one.windows == here.windows for one in detector.scan_many([sys.argv[2]] * 4)]
            os._exit(0 if same and all(many) and len(many) == 4 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
busy.join()
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs os.fork")
def test_after_a_fork(bundle, talk_wav):
    subprocess.run([sys.executable, "-c", FORK, bundle, talk_wav], check=True, timeout=60)


def test_what_a_fork_took_over_is_not_freed_by_closing(bundle, monkeypatch):
    """Another thread of the parent may have held a lock of it."""
    from glottis.detector import detector as module

    kept = []
    monkeypatch.setattr(module, "_OF_ANOTHER_PROCESS", kept)
    detector = Detector(bundle)
    detector._process -= 1
    model = detector._model
    detector.close()
    assert kept == [model]
    with pytest.raises(ConfigError, match="closed"):
        detector.stream(16_000)


def test_opening_it_is_light():
    code = "import sys, glottis.detector; assert not {'onnxruntime', 'torch', 'onnx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_too_many_channels(detector, tmp_path):
    path = write_wav(tmp_path / "many.wav", np.zeros((100, 40), np.float32))
    (failed,) = detector.scan_many([path])
    assert failed.code == "too_many_channels"
