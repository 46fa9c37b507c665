"""Checkpoints with a speech encoder of fairseq inside (SSL-AASIST, SLS): its names and its shapes, as ours.

Source of the names: the converter of `transformers` for wav2vec 2.0; TakHemlata/SSL_Anti-spoofing (Tak et al., 2022);
QiShanZhang/SLSforASVspoof-2021-DF (Zhang et al., 2024).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

PREFIX = "ssl_model.model."
"""Before the names of the encoder, in the code built on SSL_Anti-spoofing."""

ATTENTION_HEADS = {768: 12, 1024: 16, 1280: 16, 1920: 16}
"""Of the published encoders by width; no shape tells them."""

_PRE_TRAINING = ("quantizer.", "project_q.", "final_proj.")
_NAMES = (
    (r"mask_emb", "masked_spec_embed"),
    (r"layer_norm\.", "feature_projection.layer_norm."),
    (r"post_extract_proj\.", "feature_projection.projection."),
    (r"feature_extractor\.conv_layers\.(\d+)\.0\.", r"feature_extractor.conv_layers.\1.conv."),
    (r"feature_extractor\.conv_layers\.(\d+)\.2\.(?:1\.)?", r"feature_extractor.conv_layers.\1.layer_norm."),
    (r"encoder\.pos_conv\.0\.weight_g", "encoder.pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"encoder\.pos_conv\.0\.weight_v", "encoder.pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"encoder\.pos_conv\.0\.bias", "encoder.pos_conv_embed.conv.bias"),
    (r"(encoder\.layers\.\d+)\.self_attn_layer_norm\.", r"\1.layer_norm."),
    (r"(encoder\.layers\.\d+)\.self_attn\.", r"\1.attention."),
    (r"(encoder\.layers\.\d+)\.fc1\.", r"\1.feed_forward.intermediate_dense."),
    (r"(encoder\.layers\.\d+)\.fc2\.", r"\1.feed_forward.output_dense."),
)


def encoder_name(name: str) -> str | None:
    """What `transformers` calls a weight of fairseq's wav2vec 2.0; None for one that only pre-training uses."""
    if name.startswith(_PRE_TRAINING):
        return None
    for pattern, ours in _NAMES:
        if re.match(pattern, name):
            return re.sub(f"^{pattern}", ours, name)
    return name


def ssl_name(name: str, *, last: str, form: str = "") -> str | None:
    """What `glottis.nets.ssl.SSLNet` calls a weight; `last` is what the checkpoint calls its last layer."""
    if form == "sls" and name.startswith(f"{PREFIX}encoder.layer_norm."):
        return None
    if name.startswith(PREFIX):
        ours = encoder_name(name.removeprefix(PREFIX))
        return None if ours is None else f"ssl.{ours}"
    return name.replace(last, "output.linear", 1) if name.startswith(f"{last}.") else f"back.{name}"


def ssl_settings(state: Mapping[str, Tensor], *, back: str, form: str = "") -> dict[str, Any]:
    """The settings of `glottis.nets.ssl.SSLNet` that the shapes tell.

    An encoder whose convolutions are normalised by layer (XLS-R, LV-60) has its norms in front of each layer; one with
    a group norm (base, LS-960) behind.
    """
    convolutions = [state[name] for name in _numbered(state, "feature_extractor.conv_layers.{}.0.weight")]
    layers = _numbered(state, "encoder.layers.{}.fc1.weight")
    place, width = state[f"{PREFIX}encoder.pos_conv.0.weight_v"], len(state[f"{PREFIX}encoder.layer_norm.weight"])
    by_layer = f"{PREFIX}feature_extractor.conv_layers.0.2.1.weight" in state
    config = {
        "hidden_size": width,
        "num_hidden_layers": len(layers),
        "intermediate_size": len(state[layers[0]]),
        "conv_dim": [len(one) for one in convolutions],
        "conv_kernel": [one.shape[2] for one in convolutions],
        "conv_bias": f"{PREFIX}feature_extractor.conv_layers.0.0.bias" in state,
        "feat_extract_norm": "layer" if by_layer else "group",
        "do_stable_layer_norm": by_layer,
        "num_conv_pos_embeddings": place.shape[2],
        "num_conv_pos_embedding_groups": width // place.shape[1],
    }
    if width in ATTENTION_HEADS:
        config["num_attention_heads"] = ATTENTION_HEADS[width]
    return {
        "encoder": "wav2vec2",
        "config": config,
        "back": back,
        "normalise": False,
        **({"form": form} if form else {}),
    }


def open_heads(state: Mapping[str, Tensor]) -> dict[str, Sequence[int]]:
    """The number of attention heads is open where the width is of no published encoder."""
    width = len(state[f"{PREFIX}encoder.layer_norm.weight"])
    fits = [heads for heads in (2, 4, 6, 8, 10, 12, 16, 20, 24) if width % heads == 0]
    return {} if width in ATTENTION_HEADS else {"config.num_attention_heads": fits}


def _numbered(state: Mapping[str, Tensor], pattern: str) -> list[str]:
    """The names that fit, from 0 to the last one."""
    found, number = [], 0
    while (name := PREFIX + pattern.format(number)) in state:
        found.append(name)
        number += 1
    return found
