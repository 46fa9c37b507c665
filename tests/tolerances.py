"""How near is near enough, and why; tests import these rather than choose a number each.

Where results are to be equal (threads, batches, chunks, wav against flac on the CPU), tests compare bits and need no
number from here.
"""

from __future__ import annotations

SCORE_TORCH_ONNX = 1e-4
"""A score in torch against the same in ONNX Runtime: other kernels, other order of sums in float32."""

SCORE_OTHER_DEVICE = 1e-4
"""A score on another execution provider than the CPU: the promise of docs/limits.md."""

SCORE_BATCH_SIZE = 1e-5
"""A net's score alone against the same in a batch of another size, in torch, where kernels choose by shape."""

STOPBAND_DB = 80.0
"""How far a sine above the new Nyquist frequency is at least below its old level after resampling."""

SCORE_PROCESSES = 1e-4
"""A score, or a loss, of a net that several processes trained against that of one: other order of sums in float32, over
some dozen steps."""

PCM16_STEP = 1.0 / 32768.0
"""One step of 16 bit samples: what storing in 16 bits may move a sample."""

CLOSED_FORM = 1e-9
"""A double-precision result against its formula evaluated by hand: rounding only."""

TIME_S = 1e-6
"""Two times that came from the same sample count by different divisions."""
