"""What the detector listened to: occlusion without torch, gradients with it, and a check of either.

Read it in this order: `explainer` (a recording in, an explanation out), `hearing` (which windows), `spectrum` (cells
that can be replaced), `occlusion` and `gradients` (what each weighs), `check`, `explanation`, `words`, `picture`.
"""

from glottis.explain.explainer import Settings, explain
from glottis.explain.explanation import Cell, Check, Explained, Explanation

__all__ = ["Cell", "Check", "Explained", "Explanation", "Settings", "explain"]
