"""A pre-trained speech encoder of `transformers` (wav2vec 2.0, XLS-R, HuBERT, WavLM, Whisper) with a head on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.heads import make_head
from glottis.nets.pretrained import need_transformers, refusing
from glottis.nets.ssl_heads import make_ssl_head
from glottis.nets.whisper import Whisper, make_whisper

FORMS = ("", "sls")
WHISPER = "whisper"
ENCODERS = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM", WHISPER: "Whisper"}
CONFIG = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "layer_norm_eps"),
    *("conv_dim", "conv_kernel", "conv_stride", "conv_bias", "feat_extract_norm", "feat_extract_activation"),
    *("do_stable_layer_norm", "num_conv_pos_embeddings", "num_conv_pos_embedding_groups"),
    *("num_buckets", "max_bucket_distance", "feat_proj_layer_norm"),
    *("d_model", "encoder_layers", "encoder_attention_heads", "encoder_ffn_dim", "activation_function"),
    *("num_mel_bins", "max_source_positions"),
)
"""What of an encoder's configuration decides the arithmetic."""

_EPS = 1e-7


class SSLNet(Countermeasure):
    """Samples through an encoder, all its layers to the head, an embedding to the last layer.

    Args:
        encoder: ``wav2vec2`` (XLS-R too), ``hubert``, ``wavlm`` or ``whisper``.
        checkpoint: A folder with ``config.json`` and ``model.safetensors``; empty: new weights by `config`. Nothing is
            ever fetched.
        config: Settings of the encoder's configuration, such as ``hidden_size``, over its defaults.
        mix: Whether the head sees one learned mixture of all layers in the place of the last one.
        layer: The one hidden state that the head sees, from 0 (before the first layer) on; by default the last one.
        form: Empty, or ``sls``, as that system was published: the last layer is heard before the closing norm of an
            encoder with norms in front (XLS-R), and a SELU and a log-softmax follow the last layer of two logits.
        back: The head: a key of `glottis.nets.ssl_heads.SSL_HEADS`.
        back_width: The width of its embedding, or 0 for its own; ``aasist`` and ``nes2net`` have only their own.
        back_args: Further settings of the head.
        normalise: Whether each window is brought to mean 0 and variance 1, as the encoders' own feature extractors do;
            the anti-spoofing code on fairseq does not. Ignored for Whisper, whose own does not either.
        head: A key of `glottis.nets.heads.HEADS`.

    Raises:
        MissingExtra: transformers is not installed (extra ``ssl``).
        RecipeError: The encoder or the form is unknown, the folder holds no encoder, or the encoder has no such layer.
    """

    ssl: nn.Module | None

    def __init__(
        self,
        *,
        encoder: str = "wav2vec2",
        checkpoint: str = "",
        config: Mapping[str, Any] | None = None,
        mix: bool = False,
        layer: int | None = None,
        form: str = "",
        back: str = "mean",
        back_width: int = 0,
        back_args: Mapping[str, Any] | None = None,
        normalise: bool = True,
        head: str = "two_logits",
    ) -> None:
        super().__init__()
        self.head_kind, self.layer, self.form = head, layer, form
        self.normalise = normalise and encoder != WHISPER
        self.ssl = _encoder(encoder, checkpoint, config or {})
        layers: int = self.ssl.config.num_hidden_layers  # type: ignore[union-attr, assignment]
        _check_choice(layers, mix=mix, layer=layer)
        if form not in FORMS:
            raise RecipeError(f"unknown form {form!r}", hint="sls, or leave it out")
        if form == "sls" and getattr(self.ssl.config, "do_stable_layer_norm", encoder == WHISPER):
            self.ssl.encoder.layer_norm = nn.Identity()  # type: ignore[union-attr]
        self.layer_weights = nn.Parameter(torch.zeros(layers + 1)) if mix else None
        features = cast("int", self.ssl.config.hidden_size)  # type: ignore[union-attr]
        self.back = make_ssl_head(back, features, back_width, back_args)
        self.output = make_head(head, cast("int", self.back.width))

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`; the encoder's layers."""
        return [] if self.ssl is None else list(self.ssl.encoder.layers)  # type: ignore[union-attr, arg-type]

    def time_last(self, found: Any) -> Tensor:
        """See `Countermeasure`."""
        frames: Tensor = found[0] if isinstance(found, tuple) else found
        return frames.transpose(1, 2)

    def portable(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """See `Countermeasure`: the encoder's configuration in the place of the folder that it came from."""
        of = None if self.ssl is None else self.ssl.config
        config = {name: getattr(of, name) for name in CONFIG if hasattr(of, name)}
        return {name: value for name, value in args.items() if name != "checkpoint"} | {"config": config}

    def drop_encoder(self) -> None:
        """Let go of the encoder: `embed` takes hidden states ``(batch, layers, frames, d)`` from now on."""
        self.ssl = None

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`."""
        hidden = samples.unbind(dim=1) if self.ssl is None else self.hidden(samples)
        if self.layer_weights is not None:
            weight = self.layer_weights.softmax(dim=0)
            hidden = (cast("Tensor", sum(w * one for w, one in zip(weight, hidden, strict=True))),)
        embedding: Tensor = self.back(hidden)
        return embedding

    def hidden(self, samples: Tensor) -> tuple[Tensor, ...]:
        """Samples ``(batch, n)`` to the hidden states that the head sees, ``(batch, frames, d)`` each.

        The last one is always that after the encoder's closing norm; `transformers` gives it so up to its version 4,
        and since its version 5 without.
        """
        if self.normalise:
            mean = samples.mean(dim=1, keepdim=True)
            deviation = (samples - mean).square().mean(dim=1, keepdim=True)
            samples = (samples - mean) / torch.sqrt(deviation + _EPS)
        encoder = cast("nn.Module", self.ssl)
        if isinstance(encoder, Whisper):
            found: tuple[Tensor, ...] = encoder(samples)
        else:
            heard = encoder(samples, output_hidden_states=True, return_dict=True)
            found = (*heard.hidden_states[:-1], heard.last_hidden_state)
        return found if self.layer is None else (found[self.layer],)

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return functional.selu(found).log_softmax(dim=1) if self.form == "sls" else found


def _check_choice(layers: int, *, mix: bool, layer: int | None) -> None:
    if layer is not None and not 0 <= layer <= layers:
        raise RecipeError(f"net.layer is {layer}", hint=f"the encoder's hidden states are 0 to {layers}")
    if layer is not None and mix:
        raise RecipeError("net.mix mixes all layers, and net.layer is one", hint="leave one of them out")


def _encoder(kind: str, checkpoint: str, settings: Mapping[str, Any]) -> nn.Module:
    if kind not in ENCODERS:
        raise RecipeError(f"unknown encoder {kind!r}", hint=f"one of {', '.join(ENCODERS)}")
    if checkpoint and not (Path(checkpoint) / "config.json").is_file():
        raise RecipeError(
            f"{checkpoint}: no {kind} encoder: it has no config.json",
            hint="a folder with config.json and model.safetensors, such as glottis models fetch leaves",
        )
    if kind == WHISPER:
        return make_whisper(checkpoint, settings)
    transformers = need_transformers()
    model = getattr(transformers, f"{ENCODERS[kind]}Model")
    fixed = {"attn_implementation": "eager", "layerdrop": 0.0, "apply_spec_augment": False}
    found: nn.Module
    if not checkpoint:
        with refusing("net.config", "such as num_attention_heads that divide hidden_size"):
            found = model(getattr(transformers, f"{ENCODERS[kind]}Config")(**settings, **fixed))
        return found
    with refusing(f"{checkpoint}: no {kind} encoder", "a folder with model.safetensors"):
        found = model.from_pretrained(checkpoint, local_files_only=True, use_safetensors=True, **settings, **fixed)
    return found
