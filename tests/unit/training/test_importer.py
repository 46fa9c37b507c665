"""Published checkpoints become bundles, and what is none is refused with a word on what to do."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

import glottis
from glottis.audio import PCM
from glottis.bundle import open_bundle
from glottis.cli import program
from glottis.errors import BundleError, RecipeError
from glottis.nets import build_net
from glottis.nets.of_bundle import torch_net
from glottis.testing import tiny_bundle, voice
from glottis.training.importer import import_checkpoint, read_state
from tiny_encoder import NORMS_IN_FRONT, TINY

SMALL = {"widths": [20, 20, 32, 32, 32, 32], "hidden": 16}


@pytest.fixture
def rawnet2(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    file = tmp_path / "rawnet2.pth"
    torch.save(build_net("rawnet2", {**SMALL, "form": "asvspoof5"}).state_dict(), file)
    return file


def imported(file: Path, **settings: object) -> Path:
    return import_checkpoint(file, file.parent / "bundle", settings, name="one", licence="MIT")


def test_the_bundle_scores_as_the_net_and_holds_it(rawnet2: Path) -> None:
    folder = imported(rawnet2, form="asvspoof5")
    net = torch_net(open_bundle(folder))
    samples = voice(4.1)[:64_600]
    verdict = glottis.Detector(folder).scan(PCM(samples, 16_000))
    with torch.inference_mode():
        assert verdict.score == pytest.approx(net(torch.from_numpy(samples)[None])[0].item(), abs=1e-4)
    assert verdict.verdict == "inconclusive"
    assert "uncalibrated" in {one.code for one in verdict.reasons}
    assert "RawNet2" in open_bundle(folder).read("README.md").decode()


def test_silence_is_scored_too_as_published(rawnet2: Path) -> None:
    verdict = glottis.Detector(imported(rawnet2, form="2021")).scan(PCM(torch.zeros(64_600).numpy(), 16_000))
    assert verdict.score is not None


def test_what_no_shape_tells_is_asked_for(rawnet2: Path) -> None:
    with pytest.raises(BundleError, match="do not tell form") as caught:
        imported(rawnet2)
    assert caught.value.code == "open_setting"
    assert "2021, asvspoof5" in caught.value.hint


@pytest.mark.parametrize("wrap", ["state_dict", "model"])
def test_wrappers_and_prefixes_are_taken_off(rawnet2: Path, wrap: str) -> None:
    plain = read_state(rawnet2)
    torch.save({wrap: {f"module.{key}": value for key, value in plain.items()}, "epoch": 3}, rawnet2)
    assert set(read_state(rawnet2)) == set(plain)


def test_safetensors_are_read(rawnet2: Path) -> None:
    file = rawnet2.with_suffix(".safetensors")
    save_file(dict(read_state(rawnet2)), file)
    assert set(read_state(file)) == set(read_state(rawnet2))


class Trap:
    """A pickle that would run code."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("kind", ["pickle", "torch pickle", "text", "missing", "empty", "no tensors"])
def test_what_is_no_state_dict_is_refused_and_no_code_runs(tmp_path: Path, monkeypatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "model.pth"
    if kind == "pickle":
        file.write_bytes(pickle.dumps(Trap()))
    elif kind == "torch pickle":
        torch.save({"a": Trap()}, file)
    elif kind == "text":
        file.write_text("no weights")
    elif kind == "empty":
        torch.save({}, file)
    elif kind == "no tensors":
        torch.save({"epoch": 3}, file)
    with pytest.raises(BundleError) as caught:
        read_state(file)
    assert caught.value.code == "checkpoint"
    assert str(file) in caught.value.message
    assert not (tmp_path / "ran").exists()


def test_an_unknown_system_and_weights_that_do_not_fit_are_named(rawnet2: Path) -> None:
    torch.save({"some.weight": torch.zeros(2)}, rawnet2)
    with pytest.raises(BundleError, match="no known system"):
        imported(rawnet2)
    torch.save(build_net("rawnet2", SMALL).state_dict(), rawnet2)
    with pytest.raises(RecipeError, match="widths is no table"):
        imported(rawnet2, form="2021", **{"widths.first": 3})
    with pytest.raises(BundleError, match="do not tell form"):
        imported(rawnet2, form="2020")
    state = build_net("rawnet2", SMALL).state_dict()
    del state["fc2_gru.bias"]
    torch.save(state, rawnet2)
    with pytest.raises(BundleError, match=r"fc2_gru\.bias"):
        imported(rawnet2, form="2021")


def test_the_command(rawnet2: Path) -> None:
    folder = rawnet2.parent / "mine"
    args = ["import", str(rawnet2), "--output", str(folder), "--licence", "MIT"]
    asked = CliRunner().invoke(program, args)
    assert asked.exit_code == 2
    assert "--set form=" in asked.stderr
    done = CliRunner().invoke(program, [*args, "--set", "form=2021"])
    assert (done.exit_code, done.stdout.strip()) == (0, str(folder))
    assert open_bundle(folder).manifest.name == "mine"
    assert CliRunner().invoke(program, [*args, "--set", "form"]).exit_code == 2


@pytest.mark.parametrize(
    ("labels", "form"),
    [
        ({0: "fake", 1: "real"}, {}),
        ({0: "bonafide", 1: "spoof"}, {"use_weighted_layer_sum": True}),
        ({0: "LABEL_0", 1: "LABEL_1"}, {}),
        ({0: "real", 1: "fake"}, NORMS_IN_FRONT),
    ],
)
def test_a_hugging_face_folder_scores_as_its_own_class_does(tmp_path: Path, labels: dict, form: dict) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(
        **(TINY | {"classifier_proj_size": 12, "id2label": labels} | form),
        label2id={name: number for number, name in labels.items()},
    )
    theirs = transformers.Wav2Vec2ForSequenceClassification(config).eval()
    torch.nn.init.normal_(theirs.wav2vec2.encoder.layer_norm.weight, 1, 0.3)
    theirs.save_pretrained(tmp_path / "theirs")
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path / "theirs")
    settings = {"bonafide": 1} if "LABEL_0" in labels.values() else {}
    if settings:
        with pytest.raises(BundleError, match="do not tell which is bona fide"):
            import_checkpoint(tmp_path / "theirs", tmp_path / "ours", {}, name="one", licence="MIT")
    folder = import_checkpoint(tmp_path / "theirs", tmp_path / "ours", settings, name="one", licence="MIT")
    samples = voice(4.1)[:64_600]
    inputs = transformers.Wav2Vec2FeatureExtractor()(samples, sampling_rate=16_000, return_tensors="pt").input_values
    with torch.inference_mode():
        logits = theirs(inputs).logits[0]
    real = next((n for n, name in labels.items() if name in {"real", "bonafide"}), 1)
    assert glottis.Detector(folder).scan(PCM(samples, 16_000)).score == pytest.approx(logits[real].item(), abs=1e-4)


def test_what_is_a_bundle_already_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is a bundle already"):
        import_checkpoint(tiny_bundle(tmp_path / "tiny"), tmp_path / "out", {}, name="one", licence="MIT")


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    for text, said in ((None, "config.json"), ("[]", "no object"), ('{"model_type": "bert"}', "model_type 'bert'")):
        if text is not None:
            (tmp_path / "config.json").write_text(text)
        with pytest.raises(BundleError, match=said):
            import_checkpoint(tmp_path, tmp_path / "out", {}, name="one", licence="MIT")


def test_bytes_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    (file := tmp_path / "w.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(BundleError, match="cannot be read as weights"):
        read_state(file)
