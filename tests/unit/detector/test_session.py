from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from glottis.detector.session import Scored, Session, available_devices
from glottis.errors import BundleError, ConfigError


def windows(count, size=16_000):
    return np.random.default_rng(0).normal(0, 0.1, (count, size)).astype(np.float32)


def test_score_and_speech(make_model):
    session = Session(
        make_model({"speech": (0, 0.75), "score": (2, 1)}), window_samples=16_000, outputs=("score", "speech")
    )
    assert session.score(np.full(16_000, 0.5, np.float32)) == Scored(2.0, 0.75)


def test_a_model_that_tells_no_speech(make_model):
    session = Session(make_model({"score": (2, 1)}), window_samples=16_000)
    assert session.score(np.zeros(16_000, np.float32)) == Scored(1.0, None)


def test_threads_at_once_give_the_same_bits(make_model):
    session = Session(make_model({"score": (2, 1)}), window_samples=16_000)
    many = windows(60)
    alone = [session.score(window) for window in many]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(session.score, many)) == alone


@pytest.mark.parametrize(
    ("kwargs", "outputs", "says"),
    [
        ({"window": 8_000}, ("score",), r"float32 \(batch, 16000\), and is tensor\(float\) \['batch', 8000\]"),
        ({"batch": 4}, ("score",), r"float32 \(batch, 16000\)"),
        ({"kind": onnx.TensorProto.DOUBLE}, ("score",), r"and is tensor\(double\)"),
        ({"inputs": "audio"}, ("score",), "input must be samples, and is audio"),
        ({}, ("score", "speech"), "must give speech, and gives score"),
        ({}, ("score", "embedding"), "must give embedding"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(make_model, kwargs, outputs, says):
    with pytest.raises(BundleError, match=says) as caught:
        Session(make_model({"score": (2, 1)}, **kwargs), window_samples=16_000, outputs=outputs)
    assert caught.value.code == "model"


@pytest.mark.parametrize("model", [b"", b"no model"])
def test_bytes_that_are_no_model(model):
    with pytest.raises(BundleError, match=r"here/model: the model cannot be loaded"):
        Session(model, window_samples=16_000, name="here/model")


@pytest.mark.parametrize("offset", [float("nan"), float("inf")])
def test_a_score_that_is_no_number(make_model, offset):
    session = Session(make_model({"score": (1, offset)}), window_samples=16_000)
    with pytest.raises(BundleError, match="must give one finite number a window"):
        session.score(np.zeros(16_000, np.float32))


def test_speech_that_is_no_probability(make_model):
    model = make_model({"score": (1, 0), "speech": (0, 1.5)})
    with pytest.raises(BundleError, match=re.escape("must be a probability, and is 1.5")):
        Session(model, window_samples=16_000, outputs=("score", "speech")).score(np.zeros(16_000, np.float32))


def test_a_model_that_fails_on_a_window(make_model):
    session = Session(make_model({"score": (2, 1)}), window_samples=16_000)
    with pytest.raises(BundleError, match="fails on a window"):
        session.score(np.zeros(8_000, np.float32))


needs_no_gpu = pytest.mark.skipif(available_devices() != ["cpu"], reason="this ONNX Runtime has more devices than one")


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
@needs_no_gpu
def test_a_device_that_is_not_there_is_refused_by_name(make_model, device):
    with pytest.raises(ConfigError, match=f"the device {device} is not there; this ONNX Runtime has cpu") as caught:
        Session(make_model({"score": (2, 1)}), window_samples=16_000, device=device)
    assert caught.value.code == "device"
    assert "onnxruntime-gpu" in caught.value.hint


@pytest.mark.filterwarnings("ignore:Specified provider")
@needs_no_gpu
def test_a_device_that_is_there_and_does_not_work_is_no_silent_cpu(make_model, monkeypatch):
    everything = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: everything)
    with pytest.raises(ConfigError, match="cuda does not work: ONNX Runtime fell back to CPUExecutionProvider"):
        Session(make_model({"score": (2, 1)}), window_samples=16_000, device="cuda")
    assert Session(make_model({"score": (2, 1)}), window_samples=16_000, device="auto").score(windows(1)[0])


@needs_no_gpu
def test_auto_is_the_cpu_where_there_is_nothing_else(make_model):
    model, window = make_model({"score": (2, 1)}), windows(1)[0]
    found = [Session(model, window_samples=16_000, device=device).score(window) for device in ("cpu", "auto")]
    assert found[0] == found[1]
