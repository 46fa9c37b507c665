"""The speed of every net in the runtime on one core: a window through ONNX Runtime, one thread, batch of one.

usage: python benchmarks/net_speed.py [--repeats 15] [--json results/net_speed.json] [--page docs/systems.md]

Weights are new: they do not change the time. Windows are of 64,600 samples, as published. CPU time of the process, the
least of the repeats, in turns over all nets, so that a busy minute hits all alike. `--page` writes the table there.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from glottis.nets import build_net
from glottis.training.exporter import to_onnx
from pages import put_table

WINDOW = 64_600
RATE_HZ = 16_000
LIGHT = {"widths": [32, 32, 24, 24, 24, 24], "dims": [24, 32], "ratios": [0.4, 0.5, 0.7]}
NETS: dict[str, tuple[str, dict[str, Any]]] = {
    "shipped (spectral_resnet)": ("spectral_resnet", {"raise_to": 0.3}),
    "AASIST": ("aasist", {}),
    "AASIST-L": ("aasist", LIGHT),
    "RawGAT-ST": ("rawgat_st", {}),
    "RawNet2, 2019": ("rawnet2", {"form": "2019"}),
    "RawNet2, 2021": ("rawnet2", {"form": "2021"}),
    **{f"ECANet{d}, F0 subband": ("se_resnet", {"depth": d, "attention": "eca"}) for d in (9, 18, 34, 50)},
    **{f"SENet{d}, F0 subband": ("se_resnet", {"depth": d, "attention": "se"}) for d in (9, 18, 34, 50)},
    "ECANet18, log spectrum": ("se_resnet", {"frontend": "log_spectrum"}),
    "ECANet18, LFCC": ("se_resnet", {"frontend": "lfcc"}),
    "LFCC-LCNN-BLSTM": ("lcnn", {"n_fft": 1024, "bins": 256}),
    "Light CNN of 2019, log spectrum": ("lcnn", {"frontend": "log_spectrum", "pooling": "fixed"}),
    "LFCC-GMM": ("gmm", {}),
    "SpecRNet": ("specrnet", {}),
    "wav2vec 2.0 base, mean": ("ssl", {}),
    "wav2vec 2.0 base, AASIST": ("ssl", {"back": "aasist"}),
    "wav2vec 2.0 base, SLS": ("ssl", {"back": "layers"}),
    "wav2vec 2.0 base, Nes2Net-X": ("ssl", {"back": "nes2net"}),
    "wav2vec 2.0 base, Conformer with TCM": ("ssl", {"back": "conformer", "back_args": {"attention": "tokens"}}),
    "Whisper tiny, linear": ("ssl", {"encoder": "whisper"}),
    "MobileNetV2, mel": ("mobile", {}),
    "EfficientNet-B0, mel": ("mobile", {"backbone": "efficientnet_b0"}),
    "hybrid: ECANet18 on the F0 subband and on LFCC": ("hybrid", {}),
    "Conformer, mel": ("conformer", {}),
    "MFCC, CNN, attention": ("cepstral_attention", {}),
    "MFCC and wavelet, CNN, attention": ("cepstral_attention", {"wavelet": True}),
}


def session(net: torch.nn.Module) -> tuple[onnxruntime.InferenceSession, int]:
    """The net in the runtime, and the bytes of its graph."""
    model = to_onnx(net, WINDOW)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]), len(model)


def measure(repeats: int) -> dict[str, Any]:
    """Every net's CPU milliseconds for a window."""
    samples = np.random.default_rng(0).normal(0, 0.1, (1, WINDOW)).astype(np.float32)
    sessions, rows = {}, {}
    for name, (kind, args) in NETS.items():
        net = build_net(kind, args).eval()
        sessions[name], size = session(net)
        rows[name] = {"parameters": sum(p.numel() for p in net.parameters()), "onnx_bytes": size}
    times: dict[str, list[float]] = {name: [] for name in NETS}
    for _ in range(repeats):
        for name, one in sessions.items():
            one.run(["score"], {"samples": samples})
            began = time.process_time()
            one.run(["score"], {"samples": samples})
            times[name].append(time.process_time() - began)
    for name, row in rows.items():
        least = min(times[name])
        row |= {"ms": 1000 * least, "x_realtime": WINDOW / RATE_HZ / least}
    return {"window_samples": WINDOW, "repeats": repeats, "nets": rows}


def table(found: dict[str, Any]) -> str:
    """The table as Markdown."""
    lines = ["| net | parameters | ONNX, MB | ms a window | times real time |", "| --- | --- | --- | --- | --- |"]
    for name, one in found["nets"].items():
        size = f"{one['onnx_bytes'] / 1e6:.1f}"
        lines.append(f"| {name} | {one['parameters']:,} | {size} | {one['ms']:.1f} | {one['x_realtime']:.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    a = parser.parse_args()
    warnings.simplefilter("ignore")
    found = measure(a.repeats)
    print(table(found))
    if a.json:
        a.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if a.page:
        put_table(a.page, "speed", table(found))


if __name__ == "__main__":
    main()
