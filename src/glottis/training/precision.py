"""What a net multiplies in while it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import MixedPrecision, Precision

from glottis.errors import RecipeError

KINDS = ("auto", "float32", "bf16", "fp16")
BF16_FLAGS = ("avx512_bf16", "amx_bf16")


class Mixed(MixedPrecision):
    """Fabric's mixed precision, but samples go in as they are: of 8 bits little would be left."""

    def convert_input(self, data: Any) -> Any:
        """Nothing is converted."""
        return data


def find_precision(name: str, device: str) -> Precision:
    """What `schedule.precision` names, for ``cpu`` or ``cuda``.

    Raises:
        RecipeError: It is unknown.
    """
    if name not in KINDS:
        raise RecipeError(f"unknown schedule.precision {name!r}", hint=f"one of {', '.join(KINDS)}")
    if name == "fp16":
        return Mixed("16-mixed", device)
    if name == "bf16" or (name == "auto" and multiplies_bf16(device)):
        return Mixed("bf16-mixed", device)
    return Precision()


def multiplies_bf16(device: str) -> bool:
    """Whether the hardware does it; elsewhere it is emulated, slowly."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and any(flag in cpu.read_text() for flag in BF16_FLAGS)
