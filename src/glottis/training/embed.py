"""Embeddings of a corpus by a pre-trained encoder: of speech in windows, or of its words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from glottis.corpora import Embeddings, load_clip
from glottis.corpora.embeddings import Floats, keep_embeddings
from glottis.errors import BundleError, InputError, RecipeError, one_line
from glottis.nets import build_net
from glottis.nets.pretrained import need_transformers
from glottis.nets.ssl import ENCODERS, WHISPER, SSLNet
from glottis.training.store import fit, from_pcm, to_pcm

RATE_HZ = 16_000
LAST = -1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Speech:
    """How a speech encoder hears clips.

    Attributes:
        encoder: Its folder: ``config.json``, ``model.safetensors``.
        window_s: Seconds of each clip, from its start; a shorter clip is repeated, as in training.
        layer: None keeps the mean over time of every layer; a number all frames of that one, from 0 (before the first
            layer) on, `LAST` the last.
        normalise: As of `glottis.nets.ssl.SSLNet`.
    """

    encoder: Path
    window_s: float = 4.0375
    layer: int | None = None
    normalise: bool = True

    @property
    def window_samples(self) -> int:
        """Of the window."""
        return round(self.window_s * RATE_HZ)


class _Windows(Dataset[Floats | InputError]):
    """The first window of each recording, rounded to 16 bits as training keeps it; or why it cannot be read."""

    def __init__(self, paths: Sequence[str | Path], samples: int) -> None:
        self.paths, self.samples = paths, samples

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Floats | InputError:
        try:
            clip = load_clip(self.paths[index], RATE_HZ)
        except InputError as error:
            return error
        return fit(from_pcm(to_pcm(clip)), self.samples, None)


def embed_speech(
    paths: Sequence[str | Path],
    how: Speech,
    folder: Path,
    *,
    batch: int = 8,
    workers: int = 1,
    progress: Progress = lambda _done, _of: None,
) -> Embeddings:
    """Embed the first window of each recording; what the folder already has is kept. A GPU is used where there is one.

    Args:
        paths: The recordings.
        how: The encoder, and what is kept of it.
        folder: Where the embeddings go.
        batch: Windows at once.
        workers: Processes that decode; 0 decodes in this one.
        progress: Called with the clips that are done, and how many there are.

    Raises:
        BundleError: The folder holds no known encoder (``checkpoint``, ``unknown_system``).
        RecipeError: It cannot be loaded, or has no such layer.
        InputError: A recording cannot be read; what was done before it is kept.
        ConfigError: `folder` holds other embeddings.
    """
    kind = encoder_kind(how.encoder)
    net = cast(
        "SSLNet", build_net("ssl", {"encoder": kind, "checkpoint": str(how.encoder), "normalise": how.normalise})
    )
    layers: int = net.ssl.config.num_hidden_layers + 1  # type: ignore[union-attr, operator, assignment]
    facts = speech_facts(kind, how, layers)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net.eval().to(device)
    with torch.inference_mode():
        net.hidden(torch.zeros(1, how.window_samples, device=device))  # a window that it refuses leaves no folder

    def make(todo: Sequence[int]) -> Iterator[Floats]:
        windows = Subset(_Windows(paths, how.window_samples), todo)
        for found in DataLoader(windows, batch, num_workers=workers, collate_fn=list):
            with torch.inference_mode():
                states = net.hidden(_whole(found).to(device))
            layer = facts["frames_of_layer"]
            kept = [one.mean(dim=1, keepdim=True) for one in states] if layer is None else [states[layer]]
            yield from torch.stack(kept, dim=1).float().cpu().numpy()

    return keep_embeddings(folder, [str(path) for path in paths], facts, make, progress)


def speech_facts(kind: str, how: Speech, layers: int) -> dict[str, Any]:
    """What decides the embeddings, as it stands beside them.

    Raises:
        RecipeError: The encoder has no such layer.
    """
    layer = layers - 1 if how.layer == LAST else how.layer
    if layer is not None and not 0 <= layer < layers:
        raise RecipeError(f"there is no layer {layer}", hint=f"the encoder's hidden states are 0 to {layers - 1}")
    return {
        "of": "speech",
        "encoder": kind,
        "weights": digest(how.encoder),
        "normalise": how.normalise and kind != WHISPER,
        "sample_rate_hz": RATE_HZ,
        "window_samples": how.window_samples,
        "layers": layers,
        "frames_of_layer": layer,
    }


def embed_texts(
    names: Sequence[str],
    texts: Sequence[str],
    encoder: Path,
    folder: Path,
    *,
    batch: int = 32,
    progress: Progress = lambda _done, _of: None,
) -> Embeddings:
    """Embed texts by a Hugging Face text encoder: the mean of its last hidden states over the tokens.

    Args:
        names: Of the clips, as `embed_speech` names them.
        texts: What is said in each.
        encoder: A folder with ``config.json``, ``model.safetensors`` and ``tokenizer.json``; no code of it is run.
        folder: Where the embeddings go.
        batch: Texts at once.
        progress: Called with the clips that are done, and how many there are.

    Raises:
        BundleError: The folder holds no text encoder (``checkpoint``).
        ConfigError: `folder` holds other embeddings.
    """
    transformers = need_transformers()
    try:
        own = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(encoder, **own)
        model = transformers.AutoModel.from_pretrained(encoder, use_safetensors=True, **own).eval()
    except (OSError, TypeError, ValueError, KeyError, SafetensorError) as error:
        said = one_line(error)
        raise BundleError(
            f"{encoder}: no text encoder: {said}",
            code="checkpoint",
            hint="a folder with config.json, model.safetensors and tokenizer.json, such as glottis models fetch leaves",
        ) from error
    model.to("cuda" if torch.cuda.is_available() else "cpu")

    def make(todo: Sequence[int]) -> Iterator[Floats]:
        for first in range(0, len(todo), batch):
            chosen = [texts[i] for i in todo[first : first + batch]]
            tokens = tokenizer(chosen, return_tensors="pt", padding=True, truncation=True).to(model.device)
            with torch.inference_mode():
                states = model(**tokens).last_hidden_state
                mask = tokens["attention_mask"][:, :, None].to(states.dtype)
                mean = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
            yield from mean[:, None, None].float().cpu().numpy()

    how = {"of": "text", "weights": digest(encoder), "texts": hashlib.sha256("\0".join(texts).encode()).hexdigest()}
    return keep_embeddings(folder, names, how, make, progress)


def encoder_kind(folder: Path) -> str:
    """Which of the known speech encoders a folder holds.

    Raises:
        BundleError: None (``checkpoint``, ``unknown_system``).
    """
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{folder}: no encoder: {error}", code="checkpoint", hint="a folder, such as glottis models fetch leaves"
        ) from error
    if kind not in ENCODERS:
        raise BundleError(f"{folder}: model_type {kind!r}", code="unknown_system", hint=f"known: {', '.join(ENCODERS)}")
    return str(kind)


def digest(folder: Path) -> str:
    """Of an encoder's settings and weights, so that embeddings tell which one made them."""
    whole = hashlib.sha256()
    for file in (folder / "config.json", *sorted(folder.glob("*.safetensors"))):
        with file.open("rb") as data:
            whole.update(hashlib.file_digest(data, "sha256").digest())
    return whole.hexdigest()


def _whole(found: Sequence[Floats | InputError]) -> Tensor:
    """A batch of windows; the first that could not be read is raised here, not in the process that met it."""
    for one in found:
        if isinstance(one, InputError):
            raise one
    return torch.from_numpy(np.stack(cast("Sequence[Floats]", found)))
