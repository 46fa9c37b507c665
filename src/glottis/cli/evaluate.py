"""`glottis evaluate`: scores and a protocol in, figures and a report out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glottis.cli.exits import DONE, say
from glottis.cli.text import printable

if TYPE_CHECKING:
    from glottis.evaluation import Protocol, SasvScores, ScoreFile, Trials
    from glottis.evaluation.compare import Comparison
    from glottis.evaluation.evaluate import Evaluation

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("scores", nargs=-1, type=_FILE)
@click.option("--protocol", metavar="FILE", type=_FILE, help="The trials and their labels, in any published layout.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only these trials: subset=eval.")
@click.option("--asv", metavar="FILE", type=_FILE, help="The scores of a speaker verifier, for the t-DCF.")
@click.option("--asv-keys", metavar="FILE", type=_FILE, help="Their keys, where they stand apart (ASVspoof 2021).")
@click.option("--by", metavar="COLUMNS", default="", help="Break down by these, with commas between: attack,codec.")
@click.option("--groups", metavar="COLUMN", help="Resample its values whole for the intervals: speaker, source.")
@click.option("--column", metavar="NAME", help="The score's column, where the file has a header and several.")
@click.option(
    "--coverage",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="The least share of the trials that must have a score; fewer is exit code 5.",
)
@click.option("--resamples", metavar="N", type=click.IntRange(1), help="Draws for the intervals.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write everything there, as JSON.")
@click.option("--html", "html_file", metavar="FILE", type=_FILE, help="Write a report there, one file.")
@click.option("--submission", metavar="FILE", type=_FILE, help="Write the scores there, in the form of --form.")
@click.option(
    "--form",
    type=click.Choice(["challenge", "arena", "asvspoof5"]),
    default="challenge",
    show_default=True,
    help="TRIAL score; file_name,score; or filename and cm-score with tabs.",
)
@click.option("--model", metavar="M", help="Score --corpus with this bundle first, or with the shipped one: default.")
@click.option("--corpus", metavar="FILE", type=_FILE, help="A table of trials; SCORES is then where the scores go.")
@click.option("--split", metavar="NAME", help="Only this split of --corpus.")
@click.option("--threads", metavar="N", type=click.IntRange(1), default=1, show_default=True, help="For scoring.")
def evaluate(scores: tuple[Path, ...], **options: Any) -> int:
    """Measure SCORES, one file for each system, on a protocol.

    Higher scores are more bona fide. Figures go to stdout, what did not fit to stderr. A table asv_score, cm_score,
    sasv_label needs no protocol, and neither does --submission. With --corpus the scores are made first; a run that
    was cut goes on.
    """
    from glottis.errors import ConfigError

    if options["corpus"] is not None:
        if len(scores) != 1:
            raise click.UsageError("--corpus needs one SCORES: the file to which the scores go")
        _score(scores[0], options)
        options["protocol"] = options["protocol"] or options["corpus"]
        if options["split"]:
            options["where"] = (*options["where"], f"split={options['split']}")
    if not scores:
        raise click.UsageError("give a score file")
    if options["submission"] is not None:
        _submit(scores, options)
        if options["protocol"] is None:
            return DONE
    sasv = _sasv(scores, options)
    if sasv is not None:
        return _print_sasv(sasv, options)
    if options["protocol"] is None:
        raise ConfigError("no protocol was given", code="setting", hint="--protocol FILE says what each trial is")
    evaluations, comparisons = _measured(_systems(scores, options), options)
    _print(evaluations, comparisons)
    _write(evaluations, comparisons, options)
    return DONE


def _score(output: Path, options: dict[str, Any]) -> None:
    from glottis.cli.progress import Bar
    from glottis.config import resolve
    from glottis.corpora import read_trials
    from glottis.detector import Detector
    from glottis.evaluation.score_corpus import score_corpus

    detector = Detector(options["model"], threads=options["threads"], device=resolve().device)
    trials = read_trials(options["corpus"], split=options["split"])
    with Bar("scoring") as bar:
        score_corpus(
            lambda paths: detector.scan_many(paths, channel="mix"),
            trials,
            options["corpus"].parent,
            output,
            bundle_sha256=detector.bundle.sha256,
            progress=lambda done, of: bar.show(done, of, "scoring"),
        )


def _submit(scores: Sequence[Path], options: dict[str, Any]) -> None:
    """Write one system's scores as a challenge or an arena takes them; what has no score is said."""
    from glottis.evaluation import read_scores

    if len(scores) != 1:
        raise click.UsageError("--submission takes one SCORES")
    found = read_scores(scores[0], column=options["column"])
    if found.unscored:
        say(f"{found.name}: {len(found.unscored)} trials have no score and are left out, first {found.unscored[0]!r}")
    put_scores(options["submission"], found, options["form"])


def _sasv(scores: Sequence[Path], options: dict[str, Any]) -> list[SasvScores] | None:
    from glottis.evaluation import read_sasv_scores

    if options["protocol"] is not None:
        return None
    found = [read_sasv_scores(path) for path in scores if not path.name.endswith("jsonl")]
    return [one for one in found if one is not None] if found and all(found) else None


def _systems(scores: Sequence[Path], options: dict[str, Any]) -> list[Trials]:
    from glottis.evaluation import join, read_protocol, read_scores

    protocol = chosen(read_protocol(options["protocol"]), options["where"])
    systems = []
    for path in scores:
        joined = join(read_scores(path, column=options["column"]), protocol, coverage_floor=options["coverage"])
        for notice in joined.notices:
            say(f"{joined.name}: {notice}")
        systems.append(joined)
    return systems


def chosen(protocol: Protocol, where: Sequence[str]) -> Protocol:
    """Only the trials that ``COLUMN=VALUE`` settings ask for."""
    from glottis.errors import ConfigError

    for one in where:
        column, equals, value = one.partition("=")
        if not equals:
            raise ConfigError(f"--where {one}: no COLUMN=VALUE", code="setting", hint="such as subset=eval")
        protocol = protocol.where(column, value)
    return protocol


def _measured(systems: Sequence[Trials], options: dict[str, Any]) -> tuple[list[Evaluation], tuple[Comparison, ...]]:
    from glottis.evaluation import read_asv_scores
    from glottis.evaluation.compare import compare
    from glottis.evaluation.evaluate import evaluate as measure

    asv = None if options["asv"] is None else read_asv_scores(options["asv"], keys=options["asv_keys"])
    by = [name for name in options["by"].split(",") if name]
    groups, resamples = options["groups"], options["resamples"]
    evaluations = [measure(one, asv=asv, by=by, groups=groups, resamples=resamples) for one in systems]
    comparisons = compare(systems, groups=groups, resamples=resamples) if len(systems) > 1 else ()
    return evaluations, comparisons


def _print(evaluations: Sequence[Evaluation], comparisons: Sequence[Comparison]) -> None:
    from glottis.cli.output import Output
    from glottis.evaluation.report import TITLES, shown, value_of

    output = Output()
    for one in evaluations:
        real, fake = one.trials.by_class
        output.write(f"{printable(one.name)} on {printable(one.trials.protocol)}: ")
        output.write(f"{real.size} bona fide, {fake.size} spoof; intervals of 95 % by {printable(one.unit)}\n")
        for name, figure in one.figures.items():
            value = value_of(name, figure.value)
            output.write(f"  {TITLES.get(name, name):<26}  {value:>10}   {shown(name, figure)}\n")
        for column, parts in one.parts.items():
            output.write(f"  by {printable(column)}\n")
            for part in parts:
                eer = "one class only" if part.eer is None else f"EER {100 * part.eer:9.6f} %"
                cost = "" if part.min_tdcf is None else f"  min t-DCF {part.min_tdcf:.6f}"
                name = printable(part.value)
                output.write(f"    {name:<24}  {part.n_bonafide:>7} {part.n_spoof:>7}  {eer}{cost}\n")
    for pair in comparisons:
        difference = pair.eer_difference
        output.write(
            f"{printable(pair.first)} - {printable(pair.second)}: EER {100 * difference.value:+.3f} points "
            f"({100 * difference.low:+.3f} to {100 * difference.high:+.3f}), McNemar p {pair.mcnemar.p_value:.2g}\n"
        )


def _print_sasv(found: Sequence[SasvScores], options: dict[str, Any]) -> int:
    from glottis.cli.output import Output
    from glottis.evaluation.sasv import evaluate_sasv

    output, results = Output(), [evaluate_sasv(one) for one in found]
    for result in results:
        output.write(f"{printable(result['system'])}: {result['n_target']} target, {result['n_nontarget']} nontarget, ")
        output.write(f"{result['n_spoof']} spoof\n")
        for name, value in result["figures"].items():
            shown = f"{100 * value:.6f} %" if name.endswith("eer") else f"{value:.6f}"
            output.write(f"  {name:<20}  {shown:>12}\n")
    if options["json_file"] is not None:
        put(options["json_file"], json.dumps({"schema": 1, "systems": results}, indent=1) + "\n")
    return DONE


def _write(evaluations: Sequence[Evaluation], comparisons: Sequence[Comparison], options: dict[str, Any]) -> None:
    if options["json_file"] is not None:
        from glottis.evaluation.evaluate import SCHEMA

        everything = {
            "schema": SCHEMA,
            "systems": [one.to_dict() for one in evaluations],
            "comparisons": [pair.to_dict() for pair in comparisons],
        }
        put(options["json_file"], json.dumps(everything, ensure_ascii=False, indent=1) + "\n")
    if options["html_file"] is not None:
        from glottis.evaluation.report import html_report

        put(options["html_file"], html_report(evaluations, comparisons))


def put(path: Path, text: str) -> None:
    """Write a file that the user named."""
    from glottis.errors import ConfigError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", code="setting", hint="choose a file in a folder") from error


def put_scores(path: Path, scores: ScoreFile, form: str = "arena") -> None:
    """Write a score file that the user named."""
    from glottis.errors import ConfigError
    from glottis.evaluation import write_scores

    try:
        write_scores(path, scores, form=form)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", code="setting", hint="choose a file in a folder") from error
