"""What an encoder makes of clips is kept, and a head learns from it as it would from the encoder itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from glottis import Detector
from glottis.cli import program
from glottis.corpora import load_clip, read_trials
from glottis.corpora.embeddings import open_embeddings
from glottis.errors import BundleError, CorpusError, RecipeError
from glottis.nets import build_net
from glottis.testing import tiny_corpus, voice, write_wav
from glottis.training import train
from glottis.training.finished import finished
from tiny_encoder import NORMS_IN_FRONT, save_encoder, save_whisper

pytest.importorskip("transformers")
pytest.importorskip("onnx")

WINDOW_S = 0.5


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a corpus and an encoder in it."""
    folder = tmp_path_factory.mktemp("home")
    tiny_corpus(folder / "corpus", clips=7, duration_s=WINDOW_S)
    save_encoder(folder / "encoder", **NORMS_IN_FRONT)
    return folder


def embed(home: Path, output: Path, *more: str) -> Path:
    encoder = ["--encoder", str(home / "encoder"), "--output", str(output), "--window-s", str(WINDOW_S)]
    inputs = [] if any(one.endswith(".wav") for one in more) else [str(home / "corpus" / "trials.csv")]
    done = CliRunner().invoke(program, ["embed", *inputs, *encoder, *more], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, f"{output}\n"), done.stderr
    return output


def states_of(home: Path, path: Path, **settings: object) -> torch.Tensor:
    net = build_net("ssl", {"checkpoint": str(home / "encoder"), **settings}).eval()
    clip = np.round(load_clip(path, 16_000) * 32767) / 32767
    with torch.inference_mode():
        return torch.stack(net.hidden(torch.from_numpy(clip.astype(np.float32))[None]))[:, 0]


def test_of_each_clip_the_mean_over_time_of_every_layer(home, tmp_path):
    kept = open_embeddings(embed(home, tmp_path / "kept", "--batch", "3"))
    trials = read_trials(home / "corpus" / "trials.csv")
    assert len(kept) == len(trials) == 56
    for place in (0, 7, 55):
        path = trials[place].path(home / "corpus")
        assert kept.names[place] == str(path)
        np.testing.assert_allclose(kept.row(place)[:, 0], states_of(home, path).mean(dim=1), atol=2e-6)


def test_all_frames_of_one_layer_of_one_split_of_raw_samples(home, tmp_path):
    kept = open_embeddings(embed(home, tmp_path / "kept", "--layer", "1", "--split", "dev", "--raw", "--workers", "0"))
    trials = read_trials(home / "corpus" / "trials.csv", split="dev")
    expected = states_of(home, trials[3].path(home / "corpus"), normalise=False)[1]
    np.testing.assert_allclose(kept.row(3)[0], expected, atol=2e-6)
    assert kept.how["frames_of_layer"] == 1


def test_recordings_longer_and_shorter_than_the_window(home, tmp_path):
    files = [write_wav(tmp_path / f"{seconds}.wav", voice(seconds)) for seconds in (0.2, 3.0)]
    kept = open_embeddings(embed(home, tmp_path / "kept", "--layer", "last", *map(str, files)))
    assert kept.names == tuple(map(str, files))
    assert kept.row(0).shape == kept.row(1).shape == (1, 24, 32)


def test_a_recording_that_cannot_be_read_is_named(home, tmp_path):
    (tmp_path / "bad.wav").write_text("no sound")
    args = ["embed", str(tmp_path / "bad.wav"), "--encoder", str(home / "encoder"), "--output", str(tmp_path / "kept")]
    done = CliRunner().invoke(program, args)
    assert (done.exit_code, done.stdout) == (3, "")
    assert "bad.wav" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--layer", "3"], "there is no layer 3"),
        (["--layer", "first"], "--layer is a number"),
        (["--encoder", "nowhere"], "nowhere: no encoder"),
        (["--text", "transcript"], "nothing in the column 'transcript'"),
        (["--split", "test"], "no trials of split 'test'"),
    ],
)
def test_what_cannot_be_embedded(home, tmp_path, more, said):
    args = ["embed", str(home / "corpus" / "trials.csv"), "--encoder", str(home / "encoder")]
    done = CliRunner().invoke(program, [*args, "--output", str(tmp_path / "kept"), *more])
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


RECIPE = """
[data]
train = ["{home}/corpus/trials.csv"]
dev = "{home}/corpus/trials.csv"
cache = "{home}/cache"
crop_s = 0.5
pair_share = 0.5
workers = 0

[net]
name = "ssl"
checkpoint = "{home}/encoder"

[freeze]
patterns = ["ssl*"]

[loss]
name = "weighted_ce"

[optimiser]
batch = 4
learning_rate = 1e-2

[schedule]
steps = 6
check_every = 3
threads = 1
precision = "float32"

[export]
window_s = 0.5
hop_s = 0.5
min_speech_s = 0.0
"""


def trained(home: Path, output: Path, *settings: str) -> Path:
    recipe = output.with_suffix(".toml")
    recipe.write_text(RECIPE.format(home=home))
    return train(recipe, settings, output)


def scores_of(home: Path, bundle: Path) -> list[float]:
    detector = Detector(bundle)
    trials = read_trials(home / "corpus" / "trials.csv", split="dev")
    return [detector.scan(trial.path(home / "corpus")).score for trial in trials]


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        (["net.mix=true"], []),
        pytest.param(["net.back=mlp", "net.layer=1"], [], marks=pytest.mark.slow),
        pytest.param(["net.back=bilstm", "net.back_width=8"], ["--layer", "last"], marks=pytest.mark.slow),
        pytest.param(["net.layer=1", "net.normalise=false"], ["--layer", "1", "--raw"], marks=pytest.mark.slow),
    ],
)
def test_the_bundle_is_that_of_the_training_with_the_encoder(home, tmp_path, monkeypatch, settings, kept):
    monkeypatch.setattr("glottis.training.calibrate.LONG_S", ())  # aggregates are fitted on clips alone, in less time
    folder = embed(home, tmp_path / "kept", *kept)
    with_it = trained(home, tmp_path / "slowly", *settings)
    without = trained(home, tmp_path / "quickly", *settings, f"data.embeddings={folder}")
    np.testing.assert_allclose(scores_of(home, without), scores_of(home, with_it), atol=1e-4)
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("slowly", "quickly")]
    for one, other in zip(*(map(json.loads, log) for log in logs), strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4)
    kept_weights = torch.load(tmp_path / "quickly" / "best.pt", weights_only=True)["net"]
    assert not [name for name in kept_weights if name.startswith("ssl.")]
    whole = finished(tmp_path / "quickly").net.state_dict()
    for name, value in finished(without).net.state_dict().items():
        torch.testing.assert_close(whole[name], value)


@pytest.mark.slow
def test_a_head_on_whisper_learns_from_embeddings_as_it_would_from_whisper(home, tmp_path, monkeypatch):
    monkeypatch.setattr("glottis.training.calibrate.LONG_S", ())
    encoder = str(save_whisper(tmp_path / "whisper"))
    folder = embed(home, tmp_path / "kept", "--encoder", encoder)
    settings = ["net.encoder=whisper", f"net.checkpoint={encoder}", "net.mix=true"]
    with_it = trained(home, tmp_path / "slowly", *settings)
    without = trained(home, tmp_path / "quickly", *settings, f"data.embeddings={folder}")
    np.testing.assert_allclose(scores_of(home, without), scores_of(home, with_it), atol=1e-4)


@pytest.fixture(scope="module")
def means(home):
    return embed(home, home / "means")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["freeze.patterns=[]"], "freeze.patterns"),
        (["freeze.first=0.5", "freeze.until=0.6"], "never thaws"),
        (["augment.gain=0.5"], "augment"),
        (["adversarial.share=0.5"], "adversarial"),
        (["net.name=lcnn"], "net.name is not ssl"),
        (["data.crop_s=1.0"], "window_samples"),
        (["export.window_s=4.0"], "export.window_s"),
        (["net.normalise=false"], "normalise"),
        (["net.encoder=hubert"], "encoder"),
        (["net.back=bilstm"], "glottis embed --layer last"),
        (["net.checkpoint={home}/other"], "weights"),
        (["net.checkpoint={home}/nowhere"], "no encoder"),
    ],
)
def test_what_embeddings_cannot_stand_for_is_refused(home, means, tmp_path, settings, said):
    if not (home / "other").exists():
        save_encoder(home / "other", num_hidden_layers=1)
    placed = [one.format(home=home) for one in settings]
    with pytest.raises((RecipeError, BundleError), match=said):
        trained(home, tmp_path / "run", f"data.embeddings={means}", *placed)


def test_frames_of_one_layer_are_not_those_of_all(home, tmp_path):
    folder = embed(home, tmp_path / "kept", "--layer", "0")
    with pytest.raises(RecipeError, match="frames_of_layer is 0, and not 2"):
        trained(home, tmp_path / "run", f"data.embeddings={folder}")
    with pytest.raises(RecipeError, match="a head on all layers"):
        trained(
            home,
            tmp_path / "run2",
            f"data.embeddings={embed(home, tmp_path / 'last', '--layer', 'last')}",
            "net.mix=true",
        )


def test_a_clip_that_was_not_embedded_is_named(home, tmp_path):
    folder = embed(home, tmp_path / "kept", "--split", "dev")
    with pytest.raises(CorpusError, match=r"bonafide-0\.wav"):
        trained(home, tmp_path / "run", f"data.embeddings={folder}")
