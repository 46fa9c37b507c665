"""`glottis models`: the bundles that are there, or one of them; and pre-trained encoders from a hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glottis.cli.exits import DONE, WRONG_USE, say
from glottis.cli.text import printable

if TYPE_CHECKING:
    from glottis.bundle import Bundle
    from glottis.cli.output import Output

_EER = "dev_pooled_eer"
_CARD = "README.md"
_MIB = 2**20


class Models(click.Group):
    """What is no command is what `show` shows, so that ``glottis models NAME`` needs no further word."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `show` in front of a bundle's name, of an option, and of nothing."""
        own = args and (args[0] in self.commands or args[0] in self.get_help_option_names(ctx))
        return super().parse_args(ctx, args if own else ["show", *args])


@click.group(cls=Models, options_metavar="[NAME] [OPTIONS]", subcommand_metavar="| COMMAND [ARGS]...")
def models() -> None:
    """List the bundles, show one, or fetch a pre-trained encoder.

    NAME is the name of a bundle or its path. Without a command it is shown; without both, all bundles are listed.
    """


@models.command()
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def show(name: str | None, form: str) -> int:
    """List the bundles, or show the manifest and the model card of one.

    NAME is the name of a bundle or its path.
    """
    from glottis.cli.output import Output

    output = Output()
    return _list(output, form) if name is None else _show(output, form, name)


@models.command()
@click.argument("repo")
@click.option("--revision", metavar="REV", default="main", show_default=True, help="A branch, a tag or a commit.")
@click.option(
    "--output", metavar="DIR", type=click.Path(path_type=Path), help="Where it goes, by default a folder of its name."
)
def fetch(repo: str, revision: str, output: Path | None) -> int:
    """Fetch a pre-trained encoder, OWNER/NAME, from the Hugging Face hub: safetensors and settings, no pickles.

    The folder goes to stdout, its commit and licence to stderr; fetched.json in it has both and the SHA-256 of each
    file. A fetch that was cut goes on when the same command is given again. The folder is what `net.checkpoint` of a
    recipe, `glottis embed` and `glottis import` take. Needs the extra: pip install 'glottis[ssl]'.
    """
    from glottis.bundle.hub import fetch as run
    from glottis.cli.output import Output

    folder = output or Path(repo.rpartition("/")[2])
    fetched = run(repo, folder, revision=revision)
    licence = fetched.licence or "not stated"
    say(f"{fetched.repo} at {fetched.commit}, {len(fetched.sha256)} files, licence: {licence}")
    Output().write(f"{folder}\n")
    return DONE


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
