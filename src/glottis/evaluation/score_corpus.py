"""Scores of a whole corpus by a detector, one trial after the other, so that a run that was cut goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from glottis.audio import Recording
from glottis.corpora import Trial
from glottis.errors import CorpusError
from glottis.verdict import Failed, Verdict

ScanMany = Callable[[Iterable[Recording]], Iterable[Verdict | Failed]]
"""Recordings in, one result for each in their order: `glottis.Detector.scan_many` with the channels mixed."""


def score_corpus(
    scan_many: ScanMany,
    trials: Sequence[Trial],
    root: Path,
    output: Path,
    *,
    bundle_sha256: str,
    recording: Callable[[Trial], Recording] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> None:
    """Write a line of JSON for each trial, as ``glottis scan --format jsonl`` does, with the trial's name as `source`.

    What `output` holds of the same bundle is kept, and only the rest is scanned. `read_scores` reads the file.

    Args:
        scan_many: The detector.
        trials: The corpus's.
        root: Where their files lie.
        output: The file.
        bundle_sha256: Of the detector's bundle.
        recording: What is scanned of a trial; by default its file.
        progress: Called with the trials that are done, and how many there are.

    Raises:
        CorpusError: `output` holds the lines of another bundle, or none that can be read (``other_bundle``).
    """
    done = _done(output, bundle_sha256)
    left = [trial for trial in trials if trial.file not in done]
    count = len(trials) - len(left)
    heard = recording or (lambda trial: trial.path(root))
    progress(count, len(trials))
    with output.open("a", encoding="utf-8") as out:
        for trial, result in zip(left, scan_many(map(heard, left)), strict=True):
            line: dict[str, Any] = {**result.to_dict(), "source": trial.file}
            line.pop("windows", None)
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            out.flush()
            count += 1
            progress(count, len(trials))


def _done(output: Path, bundle_sha256: str) -> set[str]:
    """The trials that `output` has; a last line that was cut is taken off."""
    if not output.exists():
        return set()
    text = output.read_text(encoding="utf-8")
    whole, _, cut = text.rpartition("\n")
    if cut:
        output.write_text(whole + "\n" if whole else "", encoding="utf-8")
    done = set()
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            one = json.loads(line)
            other = "error" not in one and one["bundle"]["sha256"] != bundle_sha256
            done.add(str(one["source"]))
        except (ValueError, KeyError, TypeError):
            other = True
        if other:
            raise CorpusError(
                f"{output}, line {number}: not by this bundle",
                code="other_bundle",
                hint="write to another file, or remove this one",
            )
    return done
