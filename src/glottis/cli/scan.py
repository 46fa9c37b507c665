"""`glottis scan`: recordings in, verdicts out."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

import click

from glottis.cli.apart import apart
from glottis.cli.exits import DONE, FAIL_ON, OUR_BUG, UNREADABLE, StdoutGoneError, say
from glottis.cli.inputs import recordings

if TYPE_CHECKING:
    from glottis.cli.lines import Csv, JsonLines
    from glottis.cli.output import Output
    from glottis.cli.table import Table
    from glottis.verdict import Failed, Verdict

FORMATS = ("table", "jsonl", "csv")
VERDICTS = ("bonafide", "spoof", "inconclusive", "no_speech")
FAIL_ON_VERDICTS = VERDICTS[1:]


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("-r", "--recursive", is_flag=True, help="Scan what is inside folders: files with endings of audio.")
@click.option("--model", metavar="M", help="The path or the name of a bundle; by default the shipped one.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--timeline", is_flag=True, help="Draw the windows under each row of the table.")
@click.option("--channel", metavar="auto|mix|each|N", help="By default (auto) channels are mixed unless they differ.")
@click.option("--threads", metavar="N", help="How many threads scan; by default all cores.")
@click.option("--device", metavar="D", help="cpu, cuda, tensorrt, or auto; by default cpu.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(FAIL_ON_VERDICTS),
    help="Exit with 4 when there is such a verdict; may be given more than once.",
)
@click.option("--prior", metavar="P", help="How probable spoof is before listening; by default the bundle says.")
def scan(  # noqa: PLR0917 (click names them)
    paths: tuple[str, ...],
    recursive: bool,
    model: str | None,
    form: str,
    timeline: bool,
    channel: str | None,
    threads: str | None,
    device: str | None,
    fail_on: tuple[str, ...],
    prior: str | None,
) -> int:
    """Tell for each recording whether a person or a machine speaks.

    PATH is a file, a pattern, a folder (with -r), or - for stdin.

    Results go to stdout, line by line; everything else to stderr. Exit codes: 0 done, 1 a bug of Glottis, 2 wrong
    use, 3 some recording could not be read, 4 --fail-on matched (over 3), 130 interrupted.
    """
    _check(paths, form, timeline=timeline)
    from glottis.config import resolve

    flags = {"model": model, "threads": threads, "prior_spoof": prior, "channel": channel, "device": device}
    settings = resolve(flags)
    from glottis.detector import Detector

    detector = Detector(settings.model, threads=settings.threads, device=settings.device)
    results: Iterator[Verdict | Failed] = detector.scan_many(
        recordings(paths, recursive=recursive), channel=settings.channel, prior_spoof=settings.prior_spoof
    )
    if recursive:
        results = map(_of_folder, results)
    counts = _print_all(apart(results), form, timeline=timeline, inputs=recordings(paths, recursive=recursive))
    if any(counts[verdict] for verdict in fail_on):
        return FAIL_ON
    if counts["internal"]:
        return OUR_BUG
    return UNREADABLE if counts["failed"] else DONE


def _check(paths: tuple[str, ...], form: str, *, timeline: bool) -> None:
    if timeline and form != "table":
        raise click.UsageError(f"--timeline draws in a table, and --format is {form}; jsonl holds all windows anyway")
    if paths.count("-") > 1:
        raise click.UsageError("stdin (-) can be read only once")


def _of_folder(result: Verdict | Failed) -> Verdict | Failed:
    """With -r only a folder without recordings stands for itself; say that, rather than advise -r."""
    from glottis.verdict import Failed

    if not isinstance(result, Failed) or result.code != "directory":
        return result
    return Failed(
        source=result.source,
        code="no_recordings",
        message=f"{result.source}: holds no recordings that can be listed",
        hint="a file is named by itself, whatever its ending; check the folder's rights",
    )


def _kind(result: Verdict | Failed) -> str:
    """The verdict; else ``internal`` where a bug of Glottis was met, else ``failed``."""
    if getattr(result, "code", None) == "internal":
        return "internal"
    return str(getattr(result, "verdict", "failed"))


def _print_all(
    results: Iterator[Verdict | Failed], form: str, *, timeline: bool, inputs: Iterator[str | BinaryIO]
) -> Counter[str]:
    """Print each result when it is there, as long as somebody reads; the closing line comes even when interrupted."""
    from glottis.cli.output import Output, is_terminal
    from glottis.cli.progress import Bar

    output = Output()
    printer, write = _printer(form, output, timeline=timeline)
    shown = is_terminal(sys.stderr)
    counts: Counter[str] = Counter()
    began = time.monotonic()
    last = None
    try:
        write(printer.head())
        with Bar("scanning", sum(1 for _ in inputs) if shown else None) as bar:
            for result in results:
                counts[_kind(result)] += 1
                if output.is_terminal and shown:
                    with bar.away():
                        write(printer.line(result))
                else:
                    write(printer.line(result))
                if not (getattr(result, "channel", None) and result.source == last):
                    bar.advance()
                last = result.source
    except StdoutGoneError:
        pass
    finally:
        _close(counts, time.monotonic() - began)
    return counts


def _printer(form: str, output: Output, *, timeline: bool) -> tuple[Table | JsonLines | Csv, Callable[[str], None]]:
    if form == "table":
        from glottis.cli.table import Table

        return Table(output, timeline=timeline), output.write
    from glottis.cli.lines import Csv, JsonLines

    return (Csv() if form == "csv" else JsonLines()), output.write_data


def _close(counts: Counter[str], seconds: float) -> None:
    """The closing line: how many of each verdict, how many failed, how long it took."""
    said = [f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict]]
    if failed := counts["failed"] + counts["internal"]:
        said.append(f"{failed} failed")
    say(f"{', '.join(said) or 'nothing scanned'} in {seconds:.1f} s")
