"""RawNet2 for anti-spoofing, in its published forms.

Source: Tak et al., "End-to-end anti-spoofing with RawNet2", 2021 (eurecom-asp, 2019 form), the baselines of ASVspoof
2021 and 5, and Jung et al., "Improved RawNet", 2020. Parameters have the names of the published state dicts.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from glottis.errors import RecipeError
from glottis.nets.blocks.leaky_residual import LeakyResidual, scaled
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, Sinc

FORMS = ("2019", "2021", "asvspoof5")


class RawNet2(Countermeasure):
    """RawNet2 on samples; the score is the logit, or in the form of 2021 the log probability, of bona fide.

    Args:
        form: ``2019`` (128 filters of 129 taps, wide blocks), ``2021`` (20 of 1,025; `bn1` dead, log probabilities) or
            ``asvspoof5`` (as 2021, `bn1` alive, logits).
        widths: Channels of the six blocks, by default the form's.
        hidden: Of the three-layer GRU.
        learned: Whether the edges of the sinc filters are learned.
        sample_rate_hz: Of the samples.
    """

    head_kind = "two_logits"

    def __init__(
        self,
        *,
        form: str = "2021",
        widths: Sequence[int] | None = None,
        hidden: int = 1024,
        learned: bool = False,
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        super().__init__()
        if form not in FORMS:
            raise RecipeError(f"unknown form {form!r}", hint=f"one of {', '.join(FORMS)}")
        self.form = form
        first = form == "2019"
        bands = 128 if first else 20
        wide = tuple(widths or ((128, 128, 512, 512, 512, 512) if first else (20, 20, 128, 128, 128, 128)))
        self.Sinc_conv = Sinc(
            bands,
            129 if first else 1025,
            points=131 if first else None,
            learned=learned,
            sample_rate_hz=sample_rate_hz,
        )
        self.first_bn = nn.BatchNorm1d(bands)
        for i, (c_in, c_out) in enumerate(zip((bands, *wide[:-1]), wide, strict=True)):
            block = LeakyResidual(c_in, c_out, axes=1, pool=3, first=i == 0, alive=form != "2021")
            self.add_module(f"block{i}", nn.Sequential(block))
            self.add_module(f"fc_attention{i}", nn.Sequential(nn.Linear(c_out, c_out)))
        self.bn_before_gru = nn.BatchNorm1d(wide[-1])
        self.gru = nn.GRU(wide[-1], hidden, num_layers=3, batch_first=True)
        self.fc1_gru = nn.Linear(hidden, hidden)
        self.fc2_gru = nn.Linear(hidden, 2)
        self.depth = len(wide)

    def blocks(self) -> list[nn.Module]:
        """See `Countermeasure`."""
        return [self.get_submodule(f"block{i}") for i in range(self.depth)]

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, hidden)``."""
        features = functional.max_pool1d(self.Sinc_conv(samples).abs(), 3)
        features = functional.selu(self.first_bn(features))
        for i in range(self.depth):
            features = self.get_submodule(f"block{i}")(features)
            features = scaled(features, self.get_submodule(f"fc_attention{i}"))
        features = functional.selu(self.bn_before_gru(features))
        heard, _ = self.gru(features.transpose(1, 2))
        embedding: Tensor = self.fc1_gru(heard[:, -1])
        return embedding

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        logits: Tensor = self.fc2_gru(embedding)
        return logits.log_softmax(dim=1) if self.form == "2021" else logits
