"""Stretches of a recording that stand out as spoof."""

from __future__ import annotations

from collections.abc import Sequence

from glottis.verdict import Segment, Window


def spoof_segments(windows: Sequence[Window], threshold: float) -> tuple[Segment, ...]:
    """Windows whose llr is at most `threshold`, neighbours joined; the llr of a segment is the mean of its windows'.

    Another window between two ends a segment, with a score or without, unless the two overlap in time: segments
    never do.

    Args:
        windows: In order.
        threshold: In nats.
    """
    runs: list[list[tuple[Window, float]]] = []
    last = -2
    for place, window in enumerate(windows):
        if window.llr is None or window.llr > threshold:
            continue
        if runs and (last == place - 1 or window.start_s < runs[-1][-1][0].end_s):
            runs[-1].append((window, window.llr))
        else:
            runs.append([(window, window.llr)])
        last = place
    return tuple(Segment(run[0][0].start_s, run[-1][0].end_s, sum(llr for _, llr in run) / len(run)) for run in runs)
