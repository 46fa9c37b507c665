"""Results for programs: JSON lines, and CSV with a fixed header."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glottis.verdict import Failed, Notice, Verdict

CSV_HEADER = (
    *("source", "channel", "verdict", "score", "llr", "p_spoof", "prior_spoof", "threshold_spoof"),
    *("threshold_bonafide", "reasons", "warnings", "complete", "duration_s", "analysed_s", "speech_s"),
    *("sample_rate_hz", "codec", "bandwidth_hz", "spoof_segments", "bundle", "bundle_version", "bundle_sha256"),
    *("glottis", "elapsed_s", "error_code", "error_message", "error_hint"),
)
"""The columns of CSV; new ones are only ever added at the end."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class JsonLines:
    """One JSON object a line, with the fields of the contract."""

    def head(self) -> str:
        """Nothing."""
        return ""

    def line(self, result: Verdict | Failed) -> str:
        """A verdict, or a failure with `error`."""
        return result.to_json() + "\n"


class Csv:
    """RFC 4180 with one row a result: flat fields, lists as codes or spans with spaces between.

    A text that a spreadsheet would run as a formula (it starts with ``=``, ``+``, ``-``, ``@``, a tab or a
    carriage return) gets an apostrophe before it. Numbers are written as they are.
    """

    def head(self) -> str:
        """The header."""
        return _row(CSV_HEADER)

    def line(self, result: Verdict | Failed) -> str:
        """A verdict, or a failure whose verdict is empty and whose last three columns are not."""
        from glottis.verdict import Failed

        if isinstance(result, Failed):
            have: dict[str, object] = {
                "source": result.source,
                "error_code": result.code,
                "error_message": result.message,
                "error_hint": result.hint,
            }
        else:
            have = _flat(result)
        return _row([_cell(have.get(name)) for name in CSV_HEADER])


def _flat(verdict: Verdict) -> dict[str, object]:
    thresholds = verdict.thresholds or {}
    return {
        **{name: getattr(verdict, name, None) for name in CSV_HEADER},
        "verdict": str(verdict.verdict),
        "threshold_spoof": thresholds.get("spoof"),
        "threshold_bonafide": thresholds.get("bonafide"),
        "reasons": _codes(verdict.reasons),
        "warnings": _codes(verdict.warnings),
        "complete": "true" if verdict.complete else "false",
        "spoof_segments": " ".join(f"{s.start_s:.2f}-{s.end_s:.2f}" for s in verdict.spoof_segments),
        "bundle": verdict.bundle.name,
        "bundle_version": verdict.bundle.version,
        "bundle_sha256": verdict.bundle.sha256,
    }


def _codes(notices: tuple[Notice, ...]) -> str:
    return " ".join(notice.code for notice in notices)


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _row(cells: tuple[str, ...] | list[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
