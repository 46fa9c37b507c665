"""SpecRNet: a light residual net on a spectrogram, with a GRU.

Source: Kawa et al., "SpecRNet: towards faster and more accessible audio DeepFake detection", 2022, and
piotrkawa/specrnet, whose names the parameters have.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.blocks.leaky_residual import LeakyResidual, scaled
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, SpecAugment, find_frontend, rows_of

WIDTHS = (1, 20, 64, 64)
HIDDEN = 64


class SpecRNet(Countermeasure):
    """SpecRNet; its six poolings must bring the front-end's bands to one, so that there are 64 to 127 of them.

    Args:
        frontend: A key of `glottis.nets.frontends.FRONTENDS` with 64 to 127 bands, such as ``lfb80`` or ``mel80``.
        mask_bands: See `SpecAugment`.
        mask_frames: See `SpecAugment`.
        sample_rate_hz: Of the samples.

    Raises:
        RecipeError: The front-end has too few bands, or too many.
    """

    head_kind = "logit"

    def __init__(
        self,
        *,
        frontend: str = "lfb80",
        mask_bands: int = 0,
        mask_frames: int = 0,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        self.frontend = find_frontend(frontend, sample_rate_hz)
        rows = rows_of(self.frontend)
        if rows // 64 != 1:
            raise RecipeError(f"specrnet: {rows} bands of {frontend}", hint="64 to 127, such as lfb80 or mel80")
        self.mask = SpecAugment(mask_bands, mask_frames)
        self.first_bn = nn.BatchNorm2d(1)
        for i, (c_in, c_out) in enumerate(pairwise(WIDTHS)):
            self.add_module(f"block{2 * i}", nn.Sequential(LeakyResidual(c_in, c_out, axes=2, pool=2, first=i == 0)))
            self.add_module(f"fc_attention{2 * i}", nn.Sequential(nn.Linear(c_out, c_out)))
        self.bn_before_gru = nn.BatchNorm2d(WIDTHS[-1])
        self.gru = nn.GRU(WIDTHS[-1], HIDDEN, num_layers=2, batch_first=True, bidirectional=True)
        self.fc1_gru = nn.Linear(2 * HIDDEN, 2 * HIDDEN)
        self.fc2_gru = nn.Linear(2 * HIDDEN, 1)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return [self.get_submodule(f"block{i}") for i in (0, 2, 4)]

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 128)``."""
        return self.embed_maps(self.mask(self.frontend(samples)))

    def embed_maps(self, maps: Tensor) -> Tensor:
        """From the front-end's ``(batch, 1, bands, frames)``."""
        maps = functional.selu(self.first_bn(maps))
        for i in (0, 2, 4):
            maps = self.get_submodule(f"block{i}")(maps)
            maps = functional.max_pool2d(scaled(maps, self.get_submodule(f"fc_attention{i}")), 2)
        frames = functional.selu(self.bn_before_gru(maps))[:, :, 0].transpose(1, 2)
        heard, _ = self.gru(frames)
        embedding: Tensor = self.fc1_gru(heard[:, -1])
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logit: Tensor = self.fc2_gru(embedding)
        return logit
