"""Two nets with different views of the same samples, joined by their embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ
from glottis.nets.heads import make_head

SECONDS = 4.0375


class Hybrid(Countermeasure):
    """Each part hears the samples through its own front-end; one last layer sees both embeddings, normalised.

    The parts' own last layers are not used, and rest.

    Args:
        parts: Two nets or more, each a table with `name` and its settings.
        dropout: Before the last layer.
        head: A key of `glottis.nets.heads.HEADS`.
        sample_rate_hz: Of the samples; each part is told it where it is not 16 kHz.

    Raises:
        RecipeError: Fewer than two parts, or one without a name.
    """

    def __init__(
        self,
        *,
        parts: list[Mapping[str, Any]] | None = None,
        dropout: float = 0.2,
        head: str = "two_logits",
        sample_rate_hz: int = USUAL_HZ,
    ) -> None:
        from glottis.nets.registry import build_net

        super().__init__()
        if parts is None:
            parts = [{"name": "se_resnet"}, {"name": "se_resnet", "frontend": "lfcc"}]
        if len(parts) < 2 or not all("name" in part for part in parts):  # noqa: PLR2004 (of one there is no hybrid)
            raise RecipeError("net.parts must be two tables or more, each with a name")
        self.head_kind = head
        rate = {} if sample_rate_hz == USUAL_HZ else {"sample_rate_hz": sample_rate_hz}
        nets = [
            build_net(part["name"], rate | {key: value for key, value in part.items() if key != "name"})
            for part in parts
        ]
        self.parts = nn.ModuleList(nets)
        widths = []
        for part in nets:
            with torch.no_grad():
                widths.append(part.eval().embed(torch.zeros(1, round(SECONDS * sample_rate_hz))).shape[1])
            part.train()
            for parameter in _last_layer(part, widths[-1]):
                parameter.requires_grad = False
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths)
        self.output = make_head(head, sum(widths), dropout)

    def portable(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """See `Countermeasure`."""
        parts = zip(self.parts, args.get("parts") or (), strict=False)
        return {**args, "parts": [cast("Countermeasure", net).portable(part) for net, part in parts]}

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`."""
        parts = (cast("Countermeasure", part) for part in self.parts)
        found = [norm(part.embed(samples)) for norm, part in zip(self.norms, parts, strict=True)]
        return torch.cat(found, dim=1)

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        found: Tensor = self.output(embedding)
        return found


def _last_layer(part: Countermeasure, width: int) -> list[nn.Parameter]:
    """The parameters that the part's own `outputs` uses."""
    every = list(part.parameters())
    slopes = torch.autograd.grad(part.outputs(torch.randn(2, width)).sum(), every, allow_unused=True)
    return [parameter for parameter, slope in zip(every, slopes, strict=True) if slope is not None]
