"""The trainable net that a bundle carries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glottis.bundle import open_bundle
from glottis.errors import BundleError
from glottis.nets.of_bundle import torch_net
from glottis.testing import tiny_bundle

NET = {"widths": [4, 4], "blocks": [1, 1], "frame_features": 8}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The tiny bundle, which says it is a small net of random weights; its model.onnx is another."""
    from safetensors.torch import save

    from glottis.bundle import write_bundle
    from glottis.nets import build_net

    folder = tiny_bundle(tmp_path_factory.mktemp("bundle") / "b")
    plain = open_bundle(folder)
    weights = save(build_net("spectral_resnet", NET).state_dict())
    fields = {name: value for name, value in plain.manifest.to_dict().items() if name not in ("files", "schema")}
    fields["torch"] = {"net": "spectral_resnet", "args": NET, "weights": "model.safetensors"}
    return write_bundle(folder, fields, {"model.onnx": plain.read("model.onnx"), "model.safetensors": weights})


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"net": "os:system", "weights": "w"}, "unknown net 'os:system'"),
        (
            {"net": "hybrid", "args": {"parts": [{"name": "os:getcwd"}, {"name": "lcnn"}]}, "weights": "w"},
            "'os:getcwd'",
        ),
        ({"net": "hybrid", "args": {"parts": ["lcnn", "lcnn"]}, "weights": "w"}, "does not fit"),
        ({"net": "ssl", "args": {"checkpoint": "/an/encoder"}, "weights": "w"}, "needs the folder /an/encoder"),
        ({"weights": "w"}, "'net'"),
        ({"net": "spectral_resnet", "args": NET, "weights": "model.onnx"}, "does not fit"),
        ({"net": "spectral_resnet", "args": {}, "weights": "model.safetensors"}, "does not fit"),
        ({"net": "spectral_resnet", "args": {"depth": 3}, "weights": "model.safetensors"}, "depth"),
        ({"net": "spectral_resnet", "args": 3, "weights": "model.safetensors"}, "does not fit"),
        ({"net": ["a"], "weights": "model.safetensors"}, "does not fit"),
    ],
)
def test_a_net_that_does_not_fit_is_refused(bundle, part, said):
    whole = open_bundle(bundle)
    broken = replace(whole, manifest=replace(whole.manifest, torch=part))
    with pytest.raises(BundleError, match=said):
        torch_net(broken)


def test_the_shipped_bundle_scores_in_torch_as_in_onnx():
    import numpy as np
    import onnxruntime
    import torch

    from glottis.testing import noise, voice

    whole = open_bundle()
    samples = np.stack([voice(4.0, seed=seed) + noise(4.0, seed=seed, level=0.003) for seed in range(4)])
    session = onnxruntime.InferenceSession(whole.read("model.onnx"), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        got = torch_net(whole)(torch.from_numpy(samples))[0].numpy()
    np.testing.assert_allclose(got, session.run(["score"], {"samples": samples})[0], atol=1e-3)
