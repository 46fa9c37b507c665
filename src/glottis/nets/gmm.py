"""Two Gaussian mixtures on cepstra, one for each class: the classical baselines of ASVspoof 2019 and 2021.

Sources: Todisco et al., "ASVspoof 2019", 2019, and the baselines of ASVspoof 2021 (LFCC-GMM, CQCC-GMM): 512 components
of diagonal covariance, the score a mean log-likelihood ratio. `glottis.training.em` fits them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from glottis.errors import RecipeError
from glottis.nets.contract import Countermeasure
from glottis.nets.frontends import USUAL_HZ, find_frontend, rows_of


class GMM(Countermeasure):
    """The mean over frames of ln p(frame given bona fide) - ln p(frame given spoof).

    The embedding is the two mean log-likelihoods, spoof first. Frames are brought to the mean 0 and the deviation 1 of
    the training data first, which moves both likelihoods alike, and keeps float32 exact.

    Args:
        frontend: A key of `glottis.nets.frontends.FRONTENDS`; its rows are the features of a frame.
        components: Of each mixture.
        sample_rate_hz: Of the samples.
    """

    head_kind = "logit"
    shift: Tensor
    scale: Tensor

    def __init__(self, *, frontend: str = "lfcc_2019", components: int = 512, sample_rate_hz: int = USUAL_HZ) -> None:
        super().__init__()
        self.frontend = find_frontend(frontend, sample_rate_hz)
        features = rows_of(self.frontend)
        if components < 1:
            raise RecipeError(f"net.components is {components}", hint="at least 1")
        self.register_buffer("shift", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.means = nn.Parameter(0.1 * torch.randn(2, components, features))
        self.log_variances = nn.Parameter(torch.zeros(2, components, features))
        self.log_weights = nn.Parameter(torch.zeros(2, components))

    def frames(self, samples: Tensor) -> Tensor:
        """Samples ``(batch, n)`` to normalised frames ``(batch, t, features)``."""
        rows: Tensor = self.frontend(samples)[:, 0]
        return (rows.transpose(1, 2) - self.shift) / self.scale

    def joint(self, frames: Tensor, label: int) -> Tensor:
        """Ln p(frame, component) in one mixture, 0 for spoof: of frames ``(..., features)``, ``(..., components)``."""
        means, log_variances = self.means[label], self.log_variances[label]
        precision = torch.exp(-log_variances)
        offset = (means.square() * precision + log_variances + math.log(2 * math.pi)).sum(dim=1)
        linear, square = frames @ (means * precision).T, frames.square() @ precision.T
        return self.log_weights[label].log_softmax(dim=0) - 0.5 * (offset + square) + linear

    def embed(self, samples: Tensor) -> Tensor:
        """See `Countermeasure`; ``(batch, 2)``."""
        frames = self.frames(samples)
        return torch.stack([self.joint(frames, label).logsumexp(dim=2).mean(dim=1) for label in (0, 1)], dim=1)

    def outputs(self, embedding: Tensor) -> Tensor:
        """See `Countermeasure`."""
        return embedding[:, 1:] - embedding[:, :1]
