"""CPU seconds of a training step on a frozen speech encoder, and on embeddings of it; on one core.

    python benchmarks/embedding_speed.py --json results/embedding_speed.json

The encoder has the size of wav2vec 2.0 base (94 M parameters) and new weights, which cost the same; batches are of 16
crops of 4.0375 s, and the head is the recipe `ssl`'s.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from glottis.testing import tiny_corpus
from glottis.training.batches import Batches
from glottis.training.embed import Speech, embed_speech
from glottis.training.finished import build_recipe_net
from glottis.training.freezing import Freezing
from glottis.training.objective import Objective
from glottis.training.on_embeddings import head_recipe, open_embedded
from glottis.training.recipe import Recipe, read_recipe
from glottis.training.store import Clips, open_tables

WINDOW_S = 4.0375
RECIPE = Path(__file__).parents[1] / "recipes" / "ssl.toml"


def step_s(recipe: Recipe, clips: Clips, steps: int) -> float:
    """The least CPU time of a step: batch, loss, gradient, optimiser."""
    net = build_recipe_net(recipe)
    objective = Objective(net, recipe, torch.device("cpu"))
    freezing = Freezing(net, recipe.freeze, steps)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3)
    crop = round(WINDOW_S * recipe.sample_rate_hz)
    batches = Batches(clips, steps=steps, batch=16, crop_samples=crop, pair_share=0.0, seed=1, augment=None)
    took = []
    for step in range(steps):
        began = time.process_time()
        samples, bonafide = batches[step]
        net.train()
        freezing.apply(step + 1)
        objective(net, samples, bonafide, step + 1).backward()
        optimiser.step()
        optimiser.zero_grad()
        took.append(time.process_time() - began)
    return min(took)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, required=True)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        table = str(tiny_corpus(home / "corpus", clips=4, duration_s=WINDOW_S))
        Wav2Vec2Model(Wav2Vec2Config()).save_pretrained(home / "encoder")
        whole = read_recipe(RECIPE, [f"net.checkpoint={home}/encoder"])
        clips = open_tables([table], "train", home / "cache", whole.sample_rate_hz)
        paths = [str(trial.path(home / "corpus")) for trial in clips.trials]
        began = time.process_time()
        embed_speech(paths, Speech(home / "encoder", WINDOW_S), home / "kept", workers=0)
        embedding_s = (time.process_time() - began) / len(paths)
        recipe = read_recipe(RECIPE, [f"net.checkpoint={home}/encoder", f"data.embeddings={home}/kept"])
        found = {
            "embedding_s_a_clip": embedding_s,
            "step_with_the_encoder_s": step_s(whole, clips, 3),
            "step_on_embeddings_s": step_s(head_recipe(recipe), open_embedded(recipe, [table], "train"), 100),
        }
    parser.parse_args().json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
