"""24 kHz and 48 kHz are one line of a recipe."""

from __future__ import annotations

import pytest

import glottis
from glottis.bundle import open_bundle
from glottis.nets.of_bundle import torch_net
from glottis.testing import voice, write_wav
from glottis.training import train
from glottis.training.exporter import to_onnx

AUGMENT = [f"augment.{name}=0.5" for name in ("room", "noise", "equaliser", "band_limit", "gain", "codec")]
NETS = {
    "se_resnet on the F0 subband": ['net={name="se_resnet",depth=9,widths=[4,8,8,8]}', "loss.name=a_softmax"],
    "se_resnet on LFCC": ['net={name="se_resnet",depth=9,widths=[4,8,8,8],frontend="lfcc"}', "loss.name=a_softmax"],
    "MFCC and wavelet packets": [
        'net={name="cepstral_attention",wavelet=true,widths=[4,8],features=16}',
        "loss.name=weighted_ce",
    ],
    "conformer": ['net={name="conformer",blocks=1,features=16,kernel=7}', "loss.name=weighted_ce"],
}


@pytest.mark.slow
def test_a_recipe_at_48_khz_becomes_a_bundle_that_scans(small_recipe, tmp_path):
    bundle = train(small_recipe, ["sample_rate_hz=48000", "schedule.steps=4", *AUGMENT], tmp_path / "run")
    manifest = open_bundle(bundle).manifest
    assert (manifest.sample_rate_hz, manifest.window_samples) == (48_000, 24_000)
    recording = write_wav(tmp_path / "call.wav", voice(3, 44_100, seed=5), 44_100)
    verdict = glottis.Detector(bundle).scan(recording)
    assert len(verdict.windows) == 6
    assert verdict.score is not None
    again = torch_net(open_bundle(bundle))
    assert again.frontend.spectrum.n_fft == 3 * 512


@pytest.mark.parametrize("net", NETS)
def test_every_kind_of_front_end_learns_and_exports_at_24_khz(net, fit, tmp_path):
    found = fit(["sample_rate_hz=24000", "schedule.steps=2", *NETS[net]], tmp_path / "run")
    assert to_onnx(found, 12_000)
