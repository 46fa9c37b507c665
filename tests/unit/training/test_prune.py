"""Channels taken out of a net: which go, that what is left is exact, and the bundle that comes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import glottis
from glottis.audio import PCM
from glottis.bundle import copy_bundle, open_bundle
from glottis.corpora import read_trials
from glottis.errors import BundleError, ConfigError, RecipeError
from glottis.nets import build_net
from glottis.nets.of_bundle import torch_net
from glottis.testing import tiny_bundle, tiny_corpus, voice
from glottis.training.compress import compress
from glottis.training.exporter import MODEL, WEIGHTS, to_onnx, weights_of
from glottis.training.finished import start_from
from glottis.training.graft import graft
from glottis.training.narrow import narrow
from glottis.training.prune import Pruning, tuning_recipe
from glottis.training.speech_head import WithSpeech

WINDOW = 16_000
ARGS = {"widths": [16, 24], "blocks": [1, 1], "frame_features": 8}
TUNE = [
    *("schedule.steps=2", "schedule.threads=1", "optimiser.batch=4", "optimiser.ema=0.0"),
    *("data.crop_s=1.0", "data.workers=0", "data.pair_share=0.0"),
]


def lively(name: str, args: dict) -> nn.Module:
    """A net whose normalisations are not those of a new one."""
    torch.manual_seed(0)
    net = build_net(name, args).eval()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return net


@pytest.mark.parametrize(
    ("name", "args", "widths"),
    [
        ("spectral_resnet", ARGS, [8, 16]),
        ("spectral_resnet", ARGS | {"blocks": [2, 1], "attention": "none"}, [8, 16]),
        ("se_resnet", {"depth": 9, "attention": "se", "widths": [16, 32, 48, 64]}, [8, 16, 32, 40]),
        ("cepstral_attention", {"widths": [16, 16], "features": 16}, [8, 8]),
    ],
)
def test_the_pruned_net_is_the_whole_one_with_the_other_channels_silent(name, args, widths):
    """The proof is `narrow`'s own: it raises where this is not so."""
    net = lively(name, args)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    pruned, settings = narrow(net, name, args, 0.6, WINDOW)
    assert settings == args | {"widths": widths}
    assert sum(p.numel() for p in pruned.parameters()) < 0.8 * sum(p.numel() for p in net.parameters())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    build_net(name, settings).load_state_dict(pruned.state_dict())


def test_the_strongest_channels_stay():
    net = lively("spectral_resnet", ARGS)
    weak = [1, 2, 5, 6, 7, 8, 11, 15]
    stays = [channel for channel in range(16) if channel not in weak]
    with torch.no_grad():
        for module in (net.stem[0], net.stages[0].conv1, net.stages[0].conv2):
            module.weight[weak] *= 1e-3
    pruned, _ = narrow(net, "spectral_resnet", ARGS, 0.5, WINDOW)
    assert torch.equal(pruned.stem[0].weight, net.stem[0].weight[stays])
    assert torch.equal(pruned.stages[0].conv1.weight, net.stages[0].conv1.weight[stays][:, stays])
    assert pruned.stages[1].conv1.weight.shape == (16, 8, 3, 3)


@pytest.mark.parametrize(
    ("name", "args", "keep", "said"),
    [
        ("conformer", {"blocks": 1, "features": 16, "kernel": 7}, 0.5, "has no widths"),
        ("spectral_resnet", ARGS, 0.99, r"of the widths \[16, 24\] nothing goes"),
        ("se_resnet", {"depth": 9, "widths": [16, 32, 48, 64]}, 0.5, "silent channels move its score"),
        ("aasist", {}, 0.5, "other widths are other parts"),
    ],
)
def test_a_net_that_cannot_be_pruned_says_why(name, args, keep, said):
    """ECA's gates read a channel's neighbours, which pruning changes."""
    with pytest.raises(RecipeError, match=said):
        narrow(lively(name, args), name, args, keep, WINDOW)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with its net, and a speech output that is not the net's."""
    folder = tmp_path_factory.mktemp("whole")
    net = lively("spectral_resnet", ARGS)
    both = WithSpeech(net).eval()
    both.level.fill_(-5.0)
    changes = {
        "outputs": ["score", "embedding", "speech"],
        "torch": {"net": "spectral_resnet", "args": ARGS, "weights": WEIGHTS},
    }
    files = {MODEL: to_onnx(both, WINDOW), WEIGHTS: weights_of(net), "README.md": b"# the card\n"}
    plain = open_bundle(tiny_bundle(folder / "tiny", min_speech_s=0.0))
    assert plain.manifest.window_samples == WINDOW
    return copy_bundle(plain, folder / "bundle", changes=changes, files=files)


def heard(model: bytes, outputs: list[str]) -> list[np.ndarray]:
    samples = np.stack([voice(1.0, seed=seed) for seed in range(3)])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(outputs, {"samples": samples})


def test_an_output_of_another_model_is_computed_beside_and_the_front_end_once(whole):
    donor = open_bundle(whole).read(MODEL)
    model = to_onnx(lively("spectral_resnet", ARGS | {"widths": [8, 8]}), WINDOW)
    both = graft(model, donor, "speech")
    assert np.array_equal(heard(both, ["speech"])[0], heard(donor, ["speech"])[0])
    assert np.array_equal(heard(both, ["score"])[0], heard(model, ["score"])[0])
    logarithms = [node for node in onnx.load_from_string(both).graph.node if node.op_type == "Log"]
    assert len(logarithms) == 1


def pruned(whole: Path, folder: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch, **changes: object) -> list:
    monkeypatch.chdir(folder)
    table = tiny_corpus(folder / "corpus", clips=7)
    return list(
        compress(
            open_bundle(whole),
            folder / "out",
            steps,
            root=table.parent,
            ranges=read_trials(table),
            judges=read_trials(table),
            most_eer=1.0,
            pruning=Pruning(0.5, table, TUNE, **changes),
        )
    )


def test_a_pruned_bundle_is_smaller_and_can_be_tuned_further(whole, tmp_path, monkeypatch):
    lines = []
    found = pruned(whole, tmp_path, ["prune"], monkeypatch, progress=lines.append)
    assert [(one.name, one.kept) for one in found] == [("as it was", True), ("prune", True)]
    assert found[1].model_bytes < found[0].model_bytes
    assert [line["step"] for line in lines] == [1, 2]
    small, big = open_bundle(tmp_path / "out"), open_bundle(whole)
    assert small.manifest.torch["args"]["widths"] == [8, 16]
    assert np.array_equal(*(heard(one.read(MODEL), ["speech"])[0] for one in (small, big)))
    net = torch_net(small)
    with torch.inference_mode():
        expected = net(torch.from_numpy(np.stack([voice(1.0, seed=seed) for seed in range(3)])))[0].numpy()
    np.testing.assert_allclose(heard(small.read(MODEL), ["score"])[0], expected, atol=1e-3)
    start_from(build_net("spectral_resnet", dict(small.manifest.torch["args"])), tmp_path / "out")


def test_a_pruned_bundle_is_no_longer_calibrated_and_its_card_says_so(whole, tmp_path, monkeypatch):
    assert open_bundle(whole).manifest.calibration is not None
    pruned(whole, tmp_path, ["prune"], monkeypatch)
    small = open_bundle(tmp_path / "out")
    assert small.manifest.calibration is None
    assert "Pruned from tiny 1" in small.read("README.md").decode()
    assert "# the card" in small.read("README.md").decode()
    verdict = glottis.Detector(tmp_path / "out").scan(PCM(voice(2.0), 16_000))
    assert verdict.llr is None


def test_int8_after_pruning_has_no_net(whole, tmp_path, monkeypatch):
    found = pruned(whole, tmp_path, ["prune", "int8_static"], monkeypatch)
    assert [one.kept for one in found] == [True, True, True]
    assert found[2].model_bytes < found[1].model_bytes
    assert open_bundle(tmp_path / "out").manifest.torch is None


def test_prune_comes_first(whole, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="prune must be the first step"):
        pruned(whole, tmp_path, ["half", "prune"], monkeypatch)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["schedule=3"], "schedule"),
        (["optimiser=3"], "optimiser"),
        (["schedule={steps='x'}"], r"schedule\.steps must be int"),
        (["optimiser.accumulate='x'"], r"optimiser\.accumulate must be int"),
        (["optimiser.accumulate=3"], r"schedule\.steps 500 is no multiple of optimiser\.accumulate 3"),
    ],
)
def test_settings_of_the_tuning_that_do_not_fit_are_refused_before_anything_is_scored(whole, settings, message):
    pruning = Pruning(0.5, Path("trials.csv"), settings)
    steps = compress(
        open_bundle(whole),
        Path("out"),
        ["prune"],
        root=Path(),
        ranges=[],
        judges=[],
        most_eer=1.0,
        pruning=pruning,
    )
    with pytest.raises(RecipeError, match=message):
        next(steps)


def test_a_bundle_without_its_net_is_refused_before_anything_is_scored(tmp_path):
    plain = open_bundle(tiny_bundle(tmp_path / "plain"))
    pruning = Pruning(0.5, Path("trials.csv"))
    with pytest.raises(BundleError):
        next(compress(plain, Path("out"), ["prune"], root=Path(), ranges=[], judges=[], most_eer=1.0, pruning=pruning))


@pytest.mark.parametrize("settings", [["schedule.steps=6", "optimiser.accumulate=3"], ["schedule={steps=6}"]])
def test_the_tuning_looks_at_dev_when_it_ends(whole, settings):
    recipe = tuning_recipe(open_bundle(whole), {"name": "spectral_resnet"}, Pruning(0.5, Path("trials.csv"), settings))
    assert (recipe.schedule.steps, recipe.schedule.check_every) == (6, 6)
