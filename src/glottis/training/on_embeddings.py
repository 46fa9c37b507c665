"""A head on a frozen speech encoder, trained on what the encoder made of each clip once, and joined with it again.

It is the training of the same recipe without ``data.embeddings`` on clips that are cut to their start, at a small part
of its cost: same weights to begin with, same batches, same steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from glottis.corpora import Embeddings, Trial, open_embeddings, read_trials
from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.training.embed import LAST, Speech, encoder_kind, speech_facts
from glottis.training.finished import build_whole_net
from glottis.training.recipe import Recipe

ENCODER = ("ssl*", "ssl.*")
OF_MEANS = ("mean", "mlp")
"""Heads to which the mean over time is all that they hear of a layer."""


@dataclass(frozen=True, eq=False)
class EmbeddedClips:
    """Clips of which a net hears the embeddings; see `glottis.training.store.Clips`.

    Attributes:
        trials: The clips' rows.
        embeddings: Of these and perhaps more clips.
        places: The row of each in `embeddings`.
        layers: Which of the kept layers the net hears.
    """

    trials: tuple[Trial, ...]
    embeddings: Embeddings
    places: NDArray[np.int64]
    layers: slice

    def __len__(self) -> int:
        return len(self.trials)

    def crop(self, index: int, _samples: int, _rng: np.random.Generator | None) -> NDArray[np.float32]:
        """A clip's ``(layers, frames, d)``; they are of one window, so that nothing is left to draw."""
        return self.embeddings.row(int(self.places[index]))[self.layers]


def open_embedded(recipe: Recipe, tables: Sequence[str], split: str) -> EmbeddedClips:
    """The embeddings of one split of some tables of trials.

    Raises:
        CorpusError: A table does not fit, the embeddings are not whole, or a clip has none.
        RecipeError: They cannot stand for what the recipe's net would hear.
    """
    embeddings = open_embeddings(recipe.data.embeddings)
    layers = _check_how(recipe, embeddings)
    trials = [(Path(table).parent, trial) for table in tables for trial in read_trials(table, split=split)]
    places = embeddings.places(str(trial.path(root)) for root, trial in trials)
    return EmbeddedClips(tuple(trial for _, trial in trials), embeddings, places, layers)


def head_recipe(recipe: Recipe) -> Recipe:
    """The recipe of the head alone: nothing of the encoder is there to rest.

    Raises:
        RecipeError: The recipe does something to samples or to the encoder, which embeddings cannot stand for.
    """
    rests = any(one in ENCODER for one in recipe.freeze.patterns) and recipe.freeze.until >= 1
    needs = {
        "net.name is not ssl": recipe.net["name"] != "ssl",
        "net.checkpoint is empty": not recipe.net.get("checkpoint"),
        'freeze.patterns has no "ssl*" that never thaws': not rests,
        "augment changes samples": bool(recipe.augment),
        "adversarial.share attacks samples": recipe.adversarial.share > 0,
        "distil.teacher hears samples": bool(recipe.distil.teacher),
        "self_distil teaches the encoder": recipe.self_distil.on,
        "schedule.start brings weights of an encoder": bool(recipe.schedule.start),
        "export.no_speech needs samples": bool(recipe.export.no_speech),
    }
    for said, is_so in needs.items():
        if is_so:
            raise RecipeError(f"data.embeddings: {said}", hint="train without data.embeddings, or leave that out")
    own = tuple(one for one in recipe.freeze.patterns if not one.startswith("ssl"))
    return replace(recipe, freeze=replace(recipe.freeze, patterns=own))


def with_encoder(recipe: Recipe, head: Mapping[str, Tensor]) -> Countermeasure:
    """The recipe's whole net, its encoder from the checkpoint, the rest the trained head's; in evaluation mode."""
    net = build_whole_net(recipe)
    net.load_state_dict(head, strict=False)
    return net.eval()


def _check_how(recipe: Recipe, embeddings: Embeddings) -> slice:
    """Refuse embeddings of another encoder or window; else which of their layers the net hears."""
    net, have = recipe.net, embeddings.how
    encoder_kind(Path(str(net["checkpoint"])))
    layer = net.get("layer")
    of_means = have.get("frames_of_layer") is None
    how = Speech(
        Path(str(net["checkpoint"])),
        recipe.data.crop_s,
        None if of_means else cast("int", LAST if layer is None else layer),
        bool(net.get("normalise", True)),
    )
    wanted: dict[str, Any] = speech_facts(str(net.get("encoder", "wav2vec2")), how, int(have.get("layers", 1)))
    wrong = [
        f"{name} is {have.get(name)!r}, and not {value!r}" for name, value in wanted.items() if have.get(name) != value
    ]
    wrong += ["net.config changes the encoder"] if net.get("config") else []
    wrong += ["export.window_s is not data.crop_s"] if recipe.export.window_s != recipe.data.crop_s else []
    wrong += ["net.form hears another last layer"] if net.get("form") else []
    if of_means and net.get("back", "mean") not in OF_MEANS:
        wrong += [f"net.back {net.get('back')!r} needs frames: glottis embed --layer last"]
    if not of_means and (net.get("mix") or net.get("back") == "layers"):
        wrong += ["a head on all layers needs their means: leave --layer out of glottis embed"]
    if wrong:
        raise RecipeError(
            f"{embeddings.folder} does not fit the recipe: {wrong[0]}", hint="embed anew, or change the recipe"
        )
    return slice(None) if layer is None or not of_means else slice(layer, layer + 1)
