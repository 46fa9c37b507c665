"""Channels taken out of a net, so that what is left is the same kind of net with smaller widths.

Sources: Li et al., "Pruning filters for efficient ConvNets", 2017 (the channels of least norm go); Fang et al.,
"DepGraph: towards any structural pruning", 2023 (the norm is that of all that belongs to a channel).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from glottis.errors import RecipeError
from glottis.nets import NETS, build_net
from glottis.nets.contract import Countermeasure
from glottis.training.exporter import PARITY

LANES = 8
"""Widths become multiples of what a processor multiplies at once."""


def narrow(
    net: Countermeasure, name: str, args: Mapping[str, Any], keep: float, window_samples: int
) -> tuple[Countermeasure, dict[str, Any]]:
    """The net with the strongest channels of each stage alone, and its settings, whose ``widths`` are smaller.

    What belongs to a channel (all that makes, normalises or reads it) is found by building the net with that stage
    wider and looking which weights grow. It is proved that the result scores as the whole net does with the
    other channels silent.

    Args:
        net: Built by `name` and `args`; it is left as it is.
        name: A key of `NETS`.
        args: Its settings.
        keep: The share of each stage's channels that stays, over 0.
        window_samples: Of the samples on which it is proved.

    Raises:
        RecipeError: The net has no ``widths``, no channel would go, or its channels cannot be taken out so.
    """
    widths = _widths(name, args)
    wanted = [min(width, LANES * max(1, round(keep * width / LANES))) for width in widths]
    if wanted == widths:
        raise RecipeError(f"of the widths {widths} nothing goes", hint=f"keep less; they stay multiples of {LANES}")
    whole = {key: value.detach().clone() for key, value in net.state_dict().items()}
    left, silent = dict(whole), {key: value.clone() for key, value in whole.items()}
    settings = {**args, "widths": wanted}
    sizes = build_net(name, settings).state_dict()
    for stage, (width, stay) in enumerate(zip(widths, wanted, strict=True)):
        belongs = _belongs(name, args, widths, stage, whole)
        chosen = _strongest(whole, belongs, width, stay)
        for key, dim in belongs:
            size = whole[key].shape[dim]
            places = _places(chosen, size, width, sizes[key].shape[dim])
            left[key] = left[key].index_select(dim, places)
            silent[key].index_fill_(dim, _others(places, size), 0)
    pruned = _filled(name, settings, left)
    _prove(name, _filled(name, args, silent), pruned, window_samples)
    return pruned, settings


def _widths(name: str, args: Mapping[str, Any]) -> list[int]:
    known = inspect.signature(NETS[name]).parameters.get("widths")
    widths = args.get("widths", known and known.default)
    if not widths:
        raise RecipeError(f"net {name} has no widths that could be pruned", hint="compress has other steps")
    return list(widths)


def _belongs(
    name: str, args: Mapping[str, Any], widths: Sequence[int], stage: int, whole: Mapping[str, Tensor]
) -> list[tuple[str, int]]:
    """The weights, and which of their dimensions, that grow with a stage."""
    wider = next(times * widths[stage] for times in (3, 5, 7) if times * widths[stage] not in widths)
    grown = build_net(name, {**args, "widths": [*widths[:stage], wider, *widths[stage + 1 :]]}).state_dict()
    if set(grown) != set(whole):
        raise RecipeError(f"net {name} cannot be pruned: other widths are other parts")
    return [
        (key, dim) for key, had in whole.items() for dim in range(had.dim()) if grown[key].shape[dim] != had.shape[dim]
    ]


def _strongest(state: Mapping[str, Tensor], belongs: Sequence[tuple[str, int]], width: int, stay: int) -> Tensor:
    """The channels of the greatest norm over all weights that belong to them; each weight counts alike."""
    power = torch.zeros(width)
    for key, dim in belongs:
        weight = state[key]
        if weight.dim() > 1 and weight.shape[dim] % width == 0:
            each = weight.movedim(dim, 0).reshape(width, -1).square().sum(dim=1)
            power += each / each.sum().clamp(min=1e-12)
    return power.topk(stay).indices.sort().values


def _places(chosen: Tensor, size: int, width: int, stay: int) -> Tensor:
    """Where the chosen channels are among `size`: each in one place or in several in a row.

    Of what is only made smaller with them, such as the inside of a gate, the first `stay`.
    """
    row = size // width
    if size % width or stay != row * len(chosen):
        return torch.arange(stay)
    return (chosen[:, None] * row + torch.arange(row)).flatten()


def _others(places: Tensor, size: int) -> Tensor:
    stays = torch.zeros(size, dtype=torch.bool)
    stays[places] = True
    return torch.nonzero(~stays)[:, 0]


def _filled(name: str, args: Mapping[str, Any], state: Mapping[str, Tensor]) -> Countermeasure:
    net = build_net(name, args)
    try:
        net.load_state_dict(dict(state))
    except RuntimeError as error:
        raise RecipeError(
            f"net {name} cannot be pruned: not all of its parts shrink with its widths (the gates of an ECANet read a "
            "channel's neighbours)",
            hint="compress has other steps",
        ) from error
    return net.eval()


@torch.inference_mode()
def _prove(name: str, silent: Countermeasure, pruned: Countermeasure, window_samples: int) -> None:
    samples = 0.1 * torch.randn(2, window_samples, generator=torch.Generator().manual_seed(0))
    expected, got = silent(samples)[0], pruned(samples)[0]
    if not torch.allclose(got, expected, rtol=PARITY, atol=PARITY):
        far = float((got - expected).abs().max())
        raise RecipeError(f"net {name} cannot be pruned: silent channels move its score by {far:.2g}")
