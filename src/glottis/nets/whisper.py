"""The encoder of Whisper (Radford et al., 2023) as an encoder of samples, after Kawa et al. (2023)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.frontends.log_mel import HOP_SAMPLES, N_FFT, LogMel
from glottis.nets.frontends.spectrum import USUAL_HZ
from glottis.nets.pretrained import need_transformers, refusing


class Whisper(nn.Module):
    """Samples ``(batch, n)`` at 16 kHz to the hidden states of Whisper's encoder, a frame every 20 ms.

    Args:
        encoder: `transformers`' ``WhisperEncoder``. Its table of positions is cut to the window.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.config = encoder, cast("Any", encoder.config)
        self.mel = LogMel(self.config.num_mel_bins)

    def forward(self, samples: Tensor) -> tuple[Tensor, ...]:
        """All hidden states ``(batch, frames, d)``, from that before the first layer on; the last one is normed.

        Raises:
            RecipeError: The window is shorter than half a transform or longer than the table of positions.
        """
        least, most = N_FFT // 2 + 1, self.config.max_source_positions * 2 * HOP_SAMPLES
        if not least <= samples.shape[1] <= most:
            given = samples.shape[1] / USUAL_HZ
            raise RecipeError(
                f"Whisper hears {least / USUAL_HZ:.3f} to {most / USUAL_HZ:g} s at once, not {given:g}",
                hint="another data.crop_s and export.window_s, or --window-s",
            )
        encoder: Any = self.encoder
        heard = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(self.mel(samples)))))
        states = [heard.transpose(1, 2) + encoder.embed_positions.weight[: heard.shape[2]]]
        for layer in encoder.layers:
            # version 4 of the library wants a mask of heads and gives a tuple, version 5 neither
            found = layer(states[-1], attention_mask=None, layer_head_mask=None)
            states.append(found[0] if isinstance(found, tuple) else found)
        return (*states[:-1], encoder.layer_norm(states[-1]))


def make_whisper(checkpoint: str, settings: Mapping[str, Any]) -> Whisper:
    """The encoder of a folder, or one with new weights where `checkpoint` is empty.

    Of the folder's weights those of the encoder alone are read.

    Raises:
        MissingExtra: transformers is not installed.
        RecipeError: The folder holds no such encoder, or the settings make none.
    """
    transformers = need_transformers()
    make = transformers.models.whisper.modeling_whisper.WhisperEncoder
    eager = {"attn_implementation": "eager"}
    if not checkpoint:
        with refusing("net.config", "such as encoder_attention_heads that divide d_model"):
            return Whisper(make(transformers.WhisperConfig(**settings, **eager)))
    with refusing(f"{checkpoint}: no whisper encoder", "a folder with model.safetensors"):
        config = transformers.WhisperConfig.from_pretrained(checkpoint, local_files_only=True, **settings, **eager)
        encoder: nn.Module = make(config)
        encoder.load_state_dict(_weights(Path(checkpoint)))
    return Whisper(encoder)


def _weights(folder: Path) -> dict[str, Tensor]:
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as weights:
            for name in weights.keys():  # noqa: SIM118 (it is no mapping)
                if name.startswith(("encoder.", "model.encoder.")):
                    found[name.removeprefix("model.").removeprefix("encoder.")] = weights.get_tensor(name).float()
    return found
