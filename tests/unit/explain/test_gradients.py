"""Gradients, with torch: the same cells as occlusion, to first order."""

from __future__ import annotations

import numpy as np
import pytest

from glottis.audio import PCM
from glottis.bundle import open_bundle
from glottis.detector import Detector
from glottis.errors import BundleError
from glottis.explain import Settings, explain
from glottis.explain.gradients import gradient, gradient_effects
from glottis.explain.spectrum import Canvas, Grid
from glottis.testing import tiny_bundle

torch = pytest.importorskip("torch")

RATE_HZ = 16_000
NET = {"widths": [4, 4], "blocks": [1, 1], "frame_features": 8}


class Treble(torch.nn.Module):
    """The tiny bundle's formula."""

    def forward(self, samples):
        return 4 - 20 * (samples[:, 1:] - samples[:, :-1]).abs().mean(dim=1), samples


class Linear(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = torch.from_numpy(weights)

    def forward(self, samples):
        return samples @ self.weights, samples


def test_of_a_linear_net_the_effects_sum_to_the_score(speech):
    weights = np.random.default_rng(0).normal(size=len(speech)).astype(np.float32)
    canvas = Canvas(speech, RATE_HZ, Grid.of(2.0, RATE_HZ))
    effects = gradient_effects(Linear(weights), canvas, len(speech))
    assert effects.shape == (8, 5)
    assert effects.sum() == pytest.approx(float(weights.astype(float) @ speech), rel=1e-4)


def test_repetitions_of_a_sample_count_together():
    weights = np.arange(8, dtype=np.float32)
    np.testing.assert_array_equal(gradient(Linear(weights), np.ones(3, np.float32), 8), [0 + 3 + 6, 1 + 4 + 7, 2 + 5])


def test_they_find_what_the_formula_hears(with_beep):
    canvas = Canvas(with_beep, RATE_HZ, Grid.of(4.0, RATE_HZ))
    effects = gradient_effects(Treble(), canvas, len(with_beep))
    assert np.unravel_index(effects.argmin(), effects.shape) == (5, 6)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The tiny bundle, which says it is a small net of random weights; its model.onnx is another."""
    from safetensors.torch import save

    from glottis.bundle import write_bundle
    from glottis.nets import build_net

    folder = tiny_bundle(tmp_path_factory.mktemp("bundle") / "b")
    plain = open_bundle(folder)
    torch.manual_seed(0)
    weights = save(build_net("spectral_resnet", NET).state_dict())
    fields = {name: value for name, value in plain.manifest.to_dict().items() if name not in ("files", "schema")}
    fields["torch"] = {"net": "spectral_resnet", "args": NET, "weights": "model.safetensors"}
    return write_bundle(folder, fields, {"model.onnx": plain.read("model.onnx"), "model.safetensors": weights})


def test_a_bundle_with_its_net_is_explained_by_gradients(bundle, with_beep):
    found = explain(PCM(with_beep, RATE_HZ), Detector(bundle), settings=Settings(method="gradients"))
    assert found.method == "gradients"
    assert np.isfinite([cell.effect for cell in found.windows[0].cells]).all()
    assert any(cell.effect for cell in found.windows[0].cells)
    assert found.windows[0].check.cells == 2


def test_a_bundle_without_a_net_says_that_occlusion_works(tmp_path, with_beep):
    detector = Detector(tiny_bundle(tmp_path / "b"))
    with pytest.raises(BundleError, match="holds no trainable net") as caught:
        explain(PCM(with_beep, RATE_HZ), detector, settings=Settings(method="gradients"))
    assert caught.value.code == "no_torch"
    assert "occlusion" in caught.value.hint
