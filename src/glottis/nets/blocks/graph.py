"""Graph attention and graph pooling of RawGAT-ST and AASIST; parameters are named as in the published state dicts.

Sources: Tak et al., "End-to-end spectro-temporal graph attention networks", 2021; Jung et al., "AASIST", 2022.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def over_nodes(norm: nn.BatchNorm1d, nodes: Tensor) -> Tensor:
    """Batch normalisation of each feature over the nodes of the whole batch, ``(batch, n, d)``."""
    normed: Tensor = norm(nodes.reshape(-1, nodes.shape[2])).reshape(nodes.shape)
    return normed


def pairs(nodes: Tensor) -> Tensor:
    """Products of every two nodes: ``(batch, n, d)`` to ``(batch, n, n, d)``."""
    return nodes[:, :, None] * nodes[:, None]


class GraphAttention(nn.Module):
    """Nodes ``(batch, n, d_in)`` to ``(batch, n, d_out)``: each hears its neighbours, and itself.

    Args:
        d_in: Features of a node.
        d_out: Features of a node afterwards.
        temperature: The attention's logits are divided by it.
    """

    def __init__(self, d_in: int, d_out: int, temperature: float = 1.0) -> None:
        super().__init__()
        self.att_proj = nn.Linear(d_in, d_out)
        self.att_weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(d_out, 1)))
        self.proj_with_att = nn.Linear(d_in, d_out)
        self.proj_without_att = nn.Linear(d_in, d_out)
        self.bn = nn.BatchNorm1d(d_out)
        self.input_drop = nn.Dropout(0.2)
        self.temperature = temperature

    def forward(self, nodes: Tensor) -> Tensor:
        """See the class."""
        nodes = self.input_drop(nodes)
        attention = torch.tanh(self.att_proj(pairs(nodes))) @ self.att_weight / self.temperature
        heard = attention[..., 0].softmax(dim=-1) @ nodes
        return functional.selu(over_nodes(self.bn, self.proj_with_att(heard) + self.proj_without_att(nodes)))


class HeterogeneousAttention(nn.Module):
    """Two kinds of nodes and one master node that hears them all.

    The attention of a kind to itself has a weight of its own, that between the kinds one in common. The master is
    told before the nodes change.

    Args:
        d_in: Features of a node.
        d_out: Features of a node afterwards.
        temperature: The attention's logits are divided by it.
    """

    def __init__(self, d_in: int, d_out: int, temperature: float) -> None:
        super().__init__()
        self.proj_type1, self.proj_type2 = nn.Linear(d_in, d_in), nn.Linear(d_in, d_in)
        self.att_proj, self.att_projM = nn.Linear(d_in, d_out), nn.Linear(d_in, d_out)
        for name in ("11", "22", "12", "M"):
            weight = nn.Parameter(nn.init.xavier_normal_(torch.empty(d_out, 1)))
            self.register_parameter(f"att_weight{name}", weight)
        self.proj_with_att, self.proj_without_att = nn.Linear(d_in, d_out), nn.Linear(d_in, d_out)
        self.proj_with_attM, self.proj_without_attM = nn.Linear(d_in, d_out), nn.Linear(d_in, d_out)
        self.bn = nn.BatchNorm1d(d_out)
        self.input_drop = nn.Dropout(0.2)
        self.temperature = temperature

    def forward(self, first: Tensor, second: Tensor, master: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Nodes ``(batch, n1 or n2, d_in)`` and the master ``(batch or 1, 1, d_in)``, all to `d_out` features."""
        count = first.shape[1]
        nodes = self.input_drop(torch.cat([self.proj_type1(first), self.proj_type2(second)], dim=1))
        heard = self._attention(nodes, count) @ nodes
        master = self._tell(nodes, master)
        nodes = functional.selu(over_nodes(self.bn, self.proj_with_att(heard) + self.proj_without_att(nodes)))
        return nodes[:, :count], nodes[:, count:], master

    def _attention(self, nodes: Tensor, count: int) -> Tensor:
        hidden = torch.tanh(self.att_proj(pairs(nodes)))
        own1, own2, cross = (self.get_parameter(f"att_weight{name}") for name in ("11", "22", "12"))
        upper = torch.cat([hidden[:, :count, :count] @ own1, hidden[:, :count, count:] @ cross], dim=2)
        lower = torch.cat([hidden[:, count:, :count] @ cross, hidden[:, count:, count:] @ own2], dim=2)
        logits = torch.cat([upper, lower], dim=1)[..., 0] / self.temperature
        return logits.softmax(dim=-1)

    def _tell(self, nodes: Tensor, master: Tensor) -> Tensor:
        hidden = torch.tanh(self.att_projM(nodes * master)) @ self.get_parameter("att_weightM")
        attention = (hidden / self.temperature).softmax(dim=-2)
        told: Tensor = self.proj_with_attM(attention.transpose(1, 2) @ nodes) + self.proj_without_attM(master)
        return told


class GraphPool(nn.Module):
    """The nodes that matter most, in descending order, each scaled by how much: ``(batch, n, d)`` to ``(batch, k, d)``.

    Args:
        d: Features of a node.
        ratio: The share that is kept; k = int(n ratio), at least `least`.
        least: See `ratio`.
    """

    def __init__(self, d: int, ratio: float, *, least: int = 1) -> None:
        super().__init__()
        self.proj = nn.Linear(d, 1)
        self.drop = nn.Dropout(0.3)
        self.ratio, self.least = ratio, least

    def forward(self, nodes: Tensor) -> Tensor:
        """See the class."""
        weight = torch.sigmoid(self.proj(self.drop(nodes)))
        kept = max(int(nodes.shape[1] * self.ratio), self.least)
        places = weight.topk(kept, dim=1).indices
        return (nodes * weight).gather(1, places.expand(-1, -1, nodes.shape[2]))
