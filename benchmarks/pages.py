"""Tables in pages, between two comments: ``<!-- name -->`` and ``<!-- end of name -->``."""

from __future__ import annotations

from pathlib import Path


def put_table(page: Path, name: str, table: str) -> None:
    """Put a table in the place of what stands between the comments."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = page.read_text(encoding="utf-8")
    if start not in text or end not in text:
        raise SystemExit(f"{page} has no {start} ... {end}")
    before, after = text.split(start)[0], text.split(end)[1]
    page.write_text(f"{before}{start}\n\n{table}\n\n{end}{after}", encoding="utf-8")
