"""What is said, embedded by a text encoder, becomes scores of held-out sources, which are fused with the audio's."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from glottis.cli import program
from glottis.corpora.embeddings import open_embeddings
from glottis.evaluation import read_scores
from tiny_encoder import save_text_encoder

transformers = pytest.importorskip("transformers")

SPOKEN = ("well", "er", "yes", "you", "know")
READ = ("welcome", "to", "our", "new", "offer")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A table of trials whose people hesitate and whose machines sell, mostly, and a text encoder."""
    folder = tmp_path_factory.mktemp("home")
    rng = np.random.default_rng(0)
    with (folder / "trials.csv").open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["file", "split", "label", "source", "system", "kind", "duration_s", "transcript"])
        for i in range(120):
            label, split = ("bonafide", "spoof")[i % 2], ("train", "dev")[i // 60]
            likely, other = (SPOKEN, READ) if label == "bonafide" else (READ, SPOKEN)
            words = rng.choice(likely if rng.random() < 0.8 else other, rng.integers(2, 7))
            table.writerow([f"{i}.wav", split, label, f"{split}{i % 6 // 2}", "x", "other", 1.0, " ".join(words)])
    save_text_encoder(folder / "encoder", SPOKEN + READ)
    return folder


def glottis(*args: object) -> str:
    done = CliRunner().invoke(program, list(map(str, args)), catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_a_text_is_the_mean_of_its_tokens_whatever_stands_beside_it(home, tmp_path):
    table = home / "trials.csv"
    glottis("embed", table, "--text", "transcript", "--encoder", home / "encoder", "--output", tmp_path / "kept")
    kept = open_embeddings(tmp_path / "kept")
    model = transformers.AutoModel.from_pretrained(home / "encoder").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(home / "encoder")
    with table.open() as rows:
        for place, row in enumerate(list(csv.DictReader(rows))[:5]):
            with torch.inference_mode():
                alone = model(**tokenizer(row["transcript"], return_tensors="pt")).last_hidden_state[0].mean(dim=0)
            np.testing.assert_allclose(kept.row(place)[0, 0], alone, atol=1e-5)


def test_its_scores_are_fused_with_those_of_an_audio_system(home, tmp_path):
    table, words, audio = home / "trials.csv", tmp_path / "words.csv", tmp_path / "audio.txt"
    glottis("embed", table, "--text", "transcript", "--encoder", home / "encoder", "--output", tmp_path / "kept")
    assert glottis(
        "probe", tmp_path / "kept", "--corpus", table, "--fit", "split=train", "--where", "split=dev", "--output", words
    ) == (f"{words}\n")
    rng = np.random.default_rng(1)
    heard = [(f"{i}.wav", rng.normal() + (i % 2 == 0)) for i in range(60, 120)]
    audio.write_text("".join(f"{name} {score}\n" for name, score in heard))
    fused = tmp_path / "fused.csv"
    shown = glottis(
        *("calibrate", audio, words, "--protocol", table, "--where", "split=dev", "--groups", "source"),
        *("--fused", fused),
    )
    eers = {line.split()[0]: float(line.split()[-2]) for line in shown.splitlines()[1:4]}
    assert eers["fused"] <= min(eers["audio"], eers["words"])
    assert sorted(read_scores(fused).trials) == sorted(name for name, _ in heard)
    assert "fused on trials" in glottis("evaluate", fused, "--protocol", table, "--where", "split=dev")


def test_a_folder_that_is_no_text_encoder(home, tmp_path):
    args = ["embed", home / "trials.csv", "--text", "transcript", "--encoder", tmp_path, "--output", tmp_path / "kept"]
    done = CliRunner().invoke(program, list(map(str, args)))
    assert done.exit_code == 2
    assert "no text encoder" in done.stderr


def test_code_of_a_text_encoder_is_not_run(home, tmp_path):
    folder = tmp_path / "encoder"
    folder.mkdir()
    config = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    args = ["embed", home / "trials.csv", "--text", "transcript", "--encoder", folder, "--output", tmp_path / "kept"]
    done = CliRunner().invoke(program, list(map(str, args)), input="y\n")
    assert done.exit_code == 2
    assert "no text encoder" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_one_score_file_is_not_fused(home, tmp_path):
    audio = tmp_path / "audio.txt"
    audio.write_text("".join(f"{i}.wav {i}\n" for i in range(60, 120)))
    args = ["calibrate", audio, "--protocol", home / "trials.csv", "--where", "split=dev", "--fused", tmp_path / "x"]
    done = CliRunner().invoke(program, list(map(str, args)))
    assert done.exit_code == 2
    assert "--fused takes several SCORES" in done.stderr
    assert not Path(tmp_path / "x").exists()
