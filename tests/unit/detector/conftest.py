from __future__ import annotations

from dataclasses import asdict

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import pytest

from glottis.bundle import Costs, write_bundle
from glottis.testing import tiny_bundle, voice, write_wav

WINDOW = 16_000


def model_bytes(outputs, *, window=WINDOW, kind=None, inputs="samples", batch="batch"):
    """An ONNX model by formula: each output is gain * mean(abs(samples)) + offset, or a constant NaN."""
    helper, numbers = onnx.helper, onnx.numpy_helper
    floats = kind or onnx.TensorProto.FLOAT
    nodes = [helper.make_node("Abs", [inputs], ["size"])]
    nodes += [helper.make_node("ReduceMean", ["size"], ["mean"], axes=[1], keepdims=0)]
    constants = []
    for name, (gain, offset) in outputs.items():
        dtype = helper.tensor_dtype_to_np_dtype(floats)
        constants.append(numbers.from_array(np.array(gain, dtype), f"{name}_gain"))
        constants.append(numbers.from_array(np.array(offset, dtype), f"{name}_offset"))
        nodes.append(helper.make_node("Mul", ["mean", f"{name}_gain"], [f"{name}_scaled"]))
        nodes.append(helper.make_node("Add", [f"{name}_scaled", f"{name}_offset"], [name]))
    graph = helper.make_graph(
        nodes,
        "formula",
        [helper.make_tensor_value_info(inputs, floats, [batch, window])],
        [helper.make_tensor_value_info(name, floats, [batch]) for name in outputs],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture(scope="session")
def make_model():
    return model_bytes


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def talk():
    """Seven and a half seconds of a voice: seven windows and a last one that overlaps."""
    return voice(7.5)


@pytest.fixture(scope="session")
def talk_wav(tmp_path_factory, talk):
    return write_wav(tmp_path_factory.mktemp("talk") / "talk.wav", talk)


@pytest.fixture(scope="session")
def bundle_of(tmp_path_factory):
    """Write a bundle around a model by formula."""

    def write(outputs, *, min_speech_s=0.25, **changes):
        identity = {"kind": "platt", "scale": 1.0, "offset": 0.0}
        fields = {
            "name": "formula",
            "version": "1",
            "sample_rate_hz": 16_000,
            "window_samples": WINDOW,
            "hop_samples": WINDOW,
            "min_speech_s": min_speech_s,
            "outputs": sorted(outputs),
            "aggregate": {"kind": "mean"},
            "calibration": {"recording": identity, "window": identity},
            "decision": asdict(Costs()),
        }
        folder = tmp_path_factory.mktemp("formula")
        return write_bundle(folder, {**fields, **changes}, {"model.onnx": model_bytes(outputs)})

    return write
