"""Stretches of a recording that stand out as spoof."""

from __future__ import annotations

from collections.abc import Sequence

from glottis.verdict import Segment, Window


def spoof_segments(windows: Sequence[Window], threshold: float) -> tuple[Segment, ...]:
    """Neighbouring windows whose llr is at most `threshold`, joined; the llr of a segment is their mean.

    A window without a score ends a segment.
    """
    runs: list[list[Window]] = []
    inside = False
    for window in windows:
        suspect = window.llr is not None and window.llr <= threshold
        if suspect and inside:
            runs[-1].append(window)
        elif suspect:
            runs.append([window])
        inside = suspect
    return tuple(
        Segment(run[0].start_s, run[-1].end_s, sum(window.llr or 0.0 for window in run) / len(run)) for run in runs
    )
