"""The encoder of Whisper (Radford et al., 2023) as an encoder of samples, after Kawa et al. (2023)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError, one_line
from glottis.nets.frontends.cepstra import corners_hz, triangles
from glottis.nets.frontends.spectrum import PowerSpectrum, in_float32
from glottis.nets.pretrained import need_transformers

N_FFT, HOP, TOP_HZ = 400, 160, 8000.0
_FLOOR, _RANGE = 1e-10, 8.0


class LogMel(nn.Module):
    """Samples ``(batch, n)`` at 16 kHz to what Whisper hears, ``(batch, bands, n // 160)``.

    Slaney's bands of equal area, log10 of their power down to 80 dB below the window's maximum, shifted and divided by
    4; as `transformers.WhisperFeatureExtractor`, but of the window alone, which is not padded to 30 s.

    Args:
        bands: How many.
    """

    bank: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.spectrum = PowerSpectrum(N_FFT, HOP, centre=False)
        corners = corners_hz(bands, TOP_HZ, "slaney")
        bank = triangles(bands, self.spectrum.bins, TOP_HZ, "slaney") * (2 / (corners[2:] - corners[:-2])).float()
        self.register_buffer("bank", bank, persistent=False)

    @in_float32
    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        padded = functional.pad(samples[:, None], (N_FFT // 2, N_FFT // 2), mode="reflect")[:, 0]
        bands = torch.log10(torch.matmul(self.bank.T, self.spectrum(padded)[..., :-1]).clamp(min=_FLOOR))
        return (torch.maximum(bands, bands.amax(dim=(1, 2), keepdim=True) - _RANGE) + 4) / 4


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
            RecipeError: The window is longer than the table of positions, which ends at 30 s.
        """
        encoder: Any = self.encoder
        heard = functional.gelu(encoder.conv2(functional.gelu(encoder.conv1(self.mel(samples)))))
        if heard.shape[2] > self.config.max_source_positions:
            raise RecipeError("Whisper hears at most 30 s at once", hint="a smaller data.crop_s and export.window_s")
        states = [heard.transpose(1, 2) + encoder.embed_positions.weight[: heard.shape[2]]]
        for layer in encoder.layers:
            found = layer(states[-1], None)
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
        try:
            return Whisper(make(transformers.WhisperConfig(**settings, **eager)))
        except ValueError as error:
            raise RecipeError(f"net.config: {error}", hint="such as heads that divide d_model") from error
    try:
        encoder: nn.Module = make(transformers.WhisperConfig.from_pretrained(checkpoint, **settings, **eager))
        encoder.load_state_dict(_weights(Path(checkpoint)))
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise RecipeError(
            f"{checkpoint}: no whisper encoder: {one_line(error)}",
            hint="a folder with config.json and model.safetensors, such as glottis models fetch leaves",
        ) from error
    return Whisper(encoder)


def _weights(folder: Path) -> dict[str, Tensor]:
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as weights:
            for name in weights.keys():  # noqa: SIM118 (it is no mapping)
                if name.startswith(("encoder.", "model.encoder.")):
                    found[name.removeprefix("model.").removeprefix("encoder.")] = weights.get_tensor(name).float()
    return found
