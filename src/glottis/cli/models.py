"""`glottis models`: the bundles that are there, or one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glottis.cli.exits import DONE, WRONG_USE
from glottis.cli.text import printable

if TYPE_CHECKING:
    from glottis.bundle import Bundle
    from glottis.cli.output import Output

_EER = "dev_pooled_eer"
_CARD = "README.md"
_MIB = 2**20


@click.command()
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def models(name: str | None, form: str) -> int:
    """List the bundles, or show the manifest and the model card of one.

    NAME is the name of a bundle or its path.
    """
    from glottis.cli.output import Output

    output = Output()
    return _list(output, form) if name is None else _show(output, form, name)


@dataclass(frozen=True, slots=True)
class Row:
    """One bundle in the list; `broken` says why it cannot be used."""

    name: str
    path: str
    version: str | None = None
    sample_rate_hz: int | None = None
    size_bytes: int | None = None
    dev_eer: float | None = None
    broken: str | None = None


def _list(output: Output, form: str) -> int:
    from glottis.bundle import list_bundles

    rows = [_row(name, Path(path)) for name, path in list_bundles()]
    if form == "json":
        have = [{field: getattr(row, field) for field in Row.__slots__} for row in rows]
        output.write_data(json.dumps(have, ensure_ascii=False, indent=1) + "\n")
    else:
        wide = max([len(row.name) for row in rows] + [4])
        output.write(f"{'name':<{wide}}  {'version':<10}  {'rate':>8}  {'size':>9}  {'dev EER':>7}  path\n")
        for row in rows:
            output.write(_line(row, wide) + "\n")
    return WRONG_USE if any(row.broken for row in rows) else DONE


def _row(name: str, path: Path) -> Row:
    from glottis.bundle import open_bundle
    from glottis.errors import BundleError

    try:
        manifest = open_bundle(path).manifest
    except BundleError as error:
        return Row(name, str(path), broken=error.message)
    eer = manifest.metrics.get(_EER)
    return Row(
        name,
        str(path),
        version=manifest.version,
        sample_rate_hz=manifest.sample_rate_hz,
        size_bytes=size_of(path),
        dev_eer=float(eer) if isinstance(eer, int | float) else None,
    )


def _line(row: Row, wide: int) -> str:
    start = f"{printable(row.name):<{wide}}  "
    if row.broken:
        return f"{start}broken: {printable(row.broken)}"
    eer = "-" if row.dev_eer is None else f"{100 * row.dev_eer:.1f} %"
    rate = f"{row.sample_rate_hz} Hz"
    size = f"{(row.size_bytes or 0) / _MIB:.2f} MiB"
    return f"{start}{printable(row.version or '-'):<10}  {rate:>8}  {size:>9}  {eer:>7}  {printable(row.path)}"


def size_of(path: Path) -> int:
    """The bytes of a bundle, a folder or a zip."""
    return (
        sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size
    )


def _show(output: Output, form: str, name: str) -> int:
    from glottis.bundle import open_bundle

    bundle = open_bundle(name)
    manifest = bundle.manifest.to_dict()
    card = _card_of(bundle)
    if form == "json":
        have = {"path": str(bundle.path), "sha256": bundle.sha256, "manifest": manifest, "card": card}
        output.write_data(json.dumps(have, ensure_ascii=False, indent=1) + "\n")
        return DONE
    for field, value in {**manifest, "sha256": bundle.sha256, "path": str(bundle.path)}.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        output.write(f"{printable(field):<16} {printable(text)}\n")
    if card:
        output.write("\n" + "\n".join(printable(line) for line in card.splitlines()) + "\n")
    return DONE


def _card_of(bundle: Bundle) -> str:
    return bundle.read(_CARD).decode("utf-8", "replace") if _CARD in bundle.manifest.files else ""
