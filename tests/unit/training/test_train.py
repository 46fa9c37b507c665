"""The whole way on a tiny corpus: clips to a bundle that scans; a killed run ends as if it had not been."""

import csv
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import glottis
from full_disk import full_disk
from glottis.bundle import open_bundle
from glottis.corpora import load_clip
from glottis.errors import RecipeError
from glottis.nets.of_bundle import torch_net
from glottis.testing import tiny_bundle, voice, write_wav
from glottis.training import _keep_recipe, read_recipe, train
from glottis.training.em import fit_mixtures
from glottis.training.processes import processes
from glottis.training.store import open_tables

COLUMNS = [
    "file",
    "split",
    "label",
    "system",
    "kind",
    "speaker",
    "language",
    "utterance",
    "origin",
    "source",
    "duration_s",
]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """People speak in a little noise; machines are pure: separable in a few steps."""
    root = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(5)
    with (root / "trials.csv").open("w", newline="") as f:
        table = csv.DictWriter(f, COLUMNS, restval="")
        table.writeheader()
        for split in ("train", "dev"):
            for i in range(32):
                label = ("bonafide", "spoof")[i % 2]
                noise = rng.normal(0, 0.01 if label == "bonafide" else 0.0003, 24000)
                name = f"{split}{i}.wav"
                write_wav(root / name, (voice(1.5, seed=i) + noise).astype(np.float32), 16000)
                table.writerow(
                    {"file": name, "split": split, "label": label, "source": f"s{i // 16}", "duration_s": 1.5}
                )
    path = root / "r.toml"
    path.write_text(
        f"""
[data]
train = ["{root}/trials.csv"]
dev = "{root}/trials.csv"
cache = "{root}/cache"
crop_s = 0.5
workers = 0
[net]
name = "spectral_resnet"
widths = [8, 8]
blocks = [1, 1]
frame_features = 16
[optimiser]
batch = 8
ema = 0.5
[schedule]
steps = 12
check_every = 6
threads = 1
[export]
window_s = 0.5
hop_s = 0.5
min_speech_s = 0.1
"""
    )
    return path


def test_a_recipe_becomes_a_bundle_that_tells_the_two_apart(recipe, tmp_path):
    lines = []
    folder = train(recipe, [], tmp_path / "run", lines.append)
    manifest = json.loads((folder / "bundle.json").read_text())
    assert manifest["window_samples"] == 8000
    assert manifest["metrics"]["dev_pooled_eer"] < 0.2
    assert [line["step"] for line in lines] == list(range(1, 13))
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [6, 12]


def assert_same_state(one, other):
    """To the last bit: what was learned, its average, and where the random numbers are."""
    states = [torch.load(folder / "last.pt", weights_only=True) for folder in (one, other)]
    for part in ("objective", "average"):
        first, second = (state[part] for state in states)
        assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert torch.equal(states[0]["random"], states[1]["random"])
    assert states[0]["step"] == states[1]["step"]


def test_a_killed_run_goes_on_and_ends_with_the_same_bits(recipe, tmp_path):
    class Killed(Exception):  # noqa: N818
        pass

    def kill(line):
        if line["step"] == 8:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, [], tmp_path / "killed", kill)
    resumed = train(recipe, [], tmp_path / "killed")
    whole = train(recipe, [], tmp_path / "whole")
    assert (resumed / "model.onnx").read_bytes() == (whole / "model.onnx").read_bytes()
    assert_same_state(tmp_path / "killed", tmp_path / "whole")


def test_a_folder_with_a_run_of_another_recipe_is_refused(recipe, tmp_path):
    train(recipe, ["schedule.steps=1"], tmp_path / "run")
    with pytest.raises(RecipeError, match="another recipe"):
        train(recipe, ["schedule.steps=2"], tmp_path / "run")


def test_a_run_that_never_began_claims_no_folder(recipe, tmp_path):
    with pytest.raises(RecipeError, match="'depht'"):
        train(recipe, ["net.depht=34"], tmp_path / "run")
    train(recipe, ["schedule.steps=1"], tmp_path / "run")


def test_a_cut_while_the_recipe_is_written_blocks_nothing(recipe, tmp_path):
    read = read_recipe(recipe)
    for _ in range(2):
        with full_disk(after_bytes=100), pytest.raises(OSError, match="too large"):
            _keep_recipe(read, tmp_path)
        _keep_recipe(read, tmp_path)
        assert json.loads((tmp_path / "recipe.json").read_text())["recipe"]["net"]["name"] == read.net["name"]


MIXTURES = ["net={name='gmm', components=4}", "schedule.steps=6", "schedule.check_every=2"]


def test_mixtures_become_a_bundle_that_tells_the_two_apart(recipe, tmp_path):
    folder = train(recipe, MIXTURES, tmp_path / "run")
    assert json.loads((folder / "bundle.json").read_text())["metrics"]["dev_pooled_eer"] < 0.1
    assert glottis.Detector(folder).scan(recipe.parent / "dev0.wav").score > 0
    losses = [line["loss"] for line in log_of(tmp_path / "run")]
    assert losses == sorted(losses, reverse=True)


def test_a_killed_fit_of_mixtures_ends_with_the_same_bits(recipe, tmp_path):
    read = read_recipe(recipe, MIXTURES)
    cache = Path(read.data.cache)
    train_clips, dev_clips = (open_tables(read.data.train, split, cache, 16_000) for split in ("train", "dev"))

    def fit(run, progress):
        (tmp_path / run).mkdir(exist_ok=True)
        with processes(read) as fabric:
            clips = {"train": train_clips, "dev": dev_clips}
            net = fit_mixtures(read, fabric=fabric, **clips, augment=None, output=tmp_path / run, progress=progress)
        return net.state_dict()

    class Killed(Exception):  # noqa: N818
        pass

    def kill(line):
        if line["step"] == 5:
            raise Killed

    with pytest.raises(Killed):
        fit("killed", kill)
    resumed, whole = (fit(run, lambda _line: None) for run in ("killed", "whole"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_mixtures_refuse_what_needs_a_gradient_and_more_components_than_frames(recipe, tmp_path):
    for setting in ("self_distil.on=true", "adversarial.share=0.5", "freeze.patterns=['m*']"):
        with pytest.raises(RecipeError, match=r"needs a gradient, and net gmm"):
            train(recipe, [*MIXTURES, setting], tmp_path / setting[:8])
    with pytest.raises(RecipeError, match=r"net\.components 4000"):
        train(recipe, ["net={name='gmm', components=4000}"], tmp_path / "many")


def test_a_recipe_at_another_rate_is_one_line(recipe, tmp_path):
    net = "net={name='conformer', blocks=1, features=16, kernel=7}"
    folder = train(
        recipe, ["sample_rate_hz=24000", net, "schedule.steps=2", "schedule.check_every=2"], tmp_path / "run"
    )
    manifest = json.loads((folder / "bundle.json").read_text())
    assert (manifest["sample_rate_hz"], manifest["window_samples"]) == (24_000, 12_000)
    assert manifest["torch"]["args"]["sample_rate_hz"] == 24_000
    clip = recipe.parent / "dev0.wav"
    scores = [window.score for window in glottis.Detector(folder).scan(clip).windows]
    windows = torch.from_numpy(load_clip(clip, 24_000).reshape(-1, 12_000))
    with torch.inference_mode():
        expected = torch_net(open_bundle(folder))(windows)[0]
    np.testing.assert_allclose(scores, expected, atol=1e-3)
    with pytest.raises(RecipeError, match="net ssl has no setting 'sample_rate_hz'"):
        train(recipe, ["sample_rate_hz=24000", "net={name='ssl'}"], tmp_path / "ssl")


def log_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_gradients_are_gathered_over_some_batches(recipe, tmp_path):
    steady = ["data.pair_share=0.0", "schedule.shape=constant", "optimiser.name=adam"]
    train(recipe, [*steady, "optimiser.accumulate=2", "schedule.steps=4", "schedule.check_every=4"], tmp_path / "two")
    assert log_of(tmp_path / "two")[-1]["step"] == 4
    with pytest.raises(RecipeError, match=r"no multiple of optimiser\.accumulate"):
        train(recipe, ["optimiser.accumulate=5"], tmp_path / "odd")


def test_it_stops_when_nothing_gets_better_and_stays_so(recipe, tmp_path):
    settings = ["optimiser.learning_rate=0.0", "schedule.steps=40", "schedule.check_every=2", "stop.patience=3"]
    train(recipe, settings, tmp_path / "run")
    found = log_of(tmp_path / "run")
    assert found[-1]["step"] < 40
    train(recipe, settings, tmp_path / "run")
    assert log_of(tmp_path / "run") == found


def test_only_the_head_of_a_finished_run_is_tuned(recipe, tmp_path):
    train(recipe, [], tmp_path / "first")
    train(
        recipe,
        [f'schedule.start="{tmp_path / "first"}"', 'freeze.patterns=["s*", "frames*", "pooling*", "norm*"]'],
        tmp_path / "second",
    )
    before, after = (torch.load(tmp_path / run / "best.pt", weights_only=True)["net"] for run in ("first", "second"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed <= {"output.weight", "output.bias"}
    assert changed


def test_a_run_that_teaches_itself_is_killed_and_ends_with_the_same_bits(recipe, tmp_path):
    settings = ["self_distil.on=true"]
    train(recipe, settings, tmp_path / "whole")

    class Killed(Exception):  # noqa: N818
        pass

    def kill(line):
        if line["step"] == 7:
            raise Killed

    with pytest.raises(Killed):
        train(recipe, settings, tmp_path / "cut", kill)
    train(recipe, settings, tmp_path / "cut")
    assert_same_state(tmp_path / "whole", tmp_path / "cut")


def test_a_speech_output_is_taken_over_from_a_bundle(recipe, tmp_path):
    windows = ["export.window_s=4.0", "export.hop_s=4.0"]
    settings = ["schedule.steps=1", "export.speech_of=default", *windows]
    folder = train(recipe, settings, tmp_path / "run")
    samples = np.stack([np.resize(load_clip(recipe.parent / f"dev{i}.wav", 16_000), 64_000) for i in range(2)])
    ours, theirs = (
        onnxruntime.InferenceSession(open_bundle(model).read("model.onnx")).run(["speech"], {"samples": samples})[0]
        for model in (folder, "default")
    )
    assert np.array_equal(ours, theirs)
    assert json.loads((folder / "bundle.json").read_text())["outputs"] == ["score", "embedding", "speech"]
    assert glottis.Detector(folder).scan(recipe.parent / "dev0.wav").score is not None


def test_a_speech_output_that_does_not_fit_is_refused_before_anything_is_trained(recipe, tmp_path):
    with pytest.raises(RecipeError, match=r"hears 64000 samples at 16000 Hz, the recipe's windows have 8000"):
        train(recipe, ["export.speech_of=default"], tmp_path / "short")
    mute = tiny_bundle(tmp_path / "mute")
    with pytest.raises(RecipeError, match="has no speech output"):
        train(recipe, [f"export.speech_of='{mute}'"], tmp_path / "mute_run")
    with pytest.raises(RecipeError, match="fits a speech output"):
        train(recipe, ["export.speech_of=default", "export.no_speech=sounds"], tmp_path / "both")
    with pytest.raises(RecipeError, match=r"export\.no_speech .* is no folder"):
        train(recipe, [f"export.no_speech='{tmp_path / 'sounds'}'"], tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["mute"]
