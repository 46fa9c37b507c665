"""`glottis robustness`: a bundle under many conditions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glottis.cli.evaluate import put
from glottis.cli.exits import DONE, say

if TYPE_CHECKING:
    from glottis.bundle import Bundle
    from glottis.evaluation.conditions import Condition
    from glottis.evaluation.robustness import Result

_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--corpus", metavar="FILE", type=_FILE, help="A table of trials.")
@click.option("--split", metavar="NAME", help="Only this split of --corpus.")
@click.option("--most", metavar="N", type=click.IntRange(1), help="At most so many trials, spread over the sources.")
@click.option("--only", metavar="FAMILIES", default="", help="Only these, with commas between: room,mp3,speed.")
@click.option("--output", metavar="FOLDER", type=_FILE, help="Where every scan is kept; a run that was cut goes on.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write the table there, as JSON.")
@click.option("--picture", metavar="FILE", type=_FILE, help="Draw EER against strength there, as SVG.")
@click.option("--model", metavar="M", help="The path or the name of a bundle; by default the shipped one.")
@click.option("--threads", metavar="N", help="How many threads; by default all cores.")
@click.option("--list", "only_list", is_flag=True, help="Name all conditions, and do nothing else.")
def robustness(**options: Any) -> int:
    """Measure a bundle under noise, rooms, codecs, telephones, loss, replay, clean-up and attacks.

    Every trial of both classes is altered alike. EER is of the trials that still have a score; its change is against
    the same trials when clean.
    """
    if options["only_list"]:
        return _list()
    if options["corpus"] is None or options["output"] is None:
        raise click.UsageError("give --corpus FILE and --output FOLDER")
    results, bundle = _measured(options)
    _print(results)
    if options["json_file"] is not None:
        from glottis.evaluation.robustness import to_dict

        name = {"name": bundle.manifest.name, "verdict_sha256": bundle.verdict_sha256}
        put(options["json_file"], json.dumps(to_dict(results, name), indent=1) + "\n")
    if options["picture"] is not None:
        from glottis.evaluation.robustness_picture import robustness_picture

        put(options["picture"], robustness_picture(results) + "\n")
    return DONE


def _measured(options: dict[str, Any]) -> tuple[list[Result], Bundle]:
    from glottis.cli.progress import Bar
    from glottis.config import resolve
    from glottis.corpora import pick, read_trials
    from glottis.detector import Detector
    from glottis.evaluation.conditions import all_conditions, chosen
    from glottis.evaluation.robustness import measure

    settings = resolve({"model": options["model"], "threads": options["threads"]})
    detector = Detector(settings.model, threads=settings.threads, device=settings.device)
    bundle = detector.bundle
    conditions = chosen([*all_conditions(), *_attacks(bundle)], options["only"])
    trials = pick(read_trials(options["corpus"], split=options["split"]), options["most"])
    with Bar("scanning") as bar:
        results = measure(
            lambda recordings: detector.scan_many(recordings, channel="mix"),
            trials,
            options["corpus"].parent,
            options["output"],
            conditions,
            bundle_sha256=bundle.sha256,
            sample_rate_hz=bundle.manifest.sample_rate_hz,
            progress=bar.show,
        )
    return results, bundle


def _attacks(bundle: Bundle) -> list[Condition]:
    """The attacks on the net, where the bundle holds it and torch is installed."""
    from glottis.errors import BundleError, MissingExtra
    from glottis.evaluation.conditions import attacks

    try:
        from glottis.nets.of_bundle import torch_net

        net = torch_net(bundle)
    except (BundleError, MissingExtra) as error:
        say(f"no attacks on the net: {error}")
        return []
    from glottis.training.adversarial import attack

    window = bundle.manifest.window_samples
    return attacks(
        lambda samples, bonafide, snr_db, steps: attack(
            net, samples, window_samples=window, bonafide=bonafide, snr_db=snr_db, steps=steps
        )
    )


def _print(results: Sequence[Result]) -> None:
    from glottis.cli.output import Output

    output = Output()
    output.write(f"{'condition':<34}{'EER, %':>8}  {'95 %':<14}{'change':>8}  {'95 %':<16}")
    output.write("real as spoof  spoof as real  undecided\n")
    for one in results:
        eer = "one class only" if one.eer is None else f"{100 * one.eer.value:.1f}"
        span = "" if one.eer is None else f"{100 * one.eer.low:.1f} to {100 * one.eer.high:.1f}"
        change = "" if one.change is None else f"{100 * one.change.value:+.1f}"
        reach = "" if one.change is None else f"{100 * one.change.low:+.1f} to {100 * one.change.high:+.1f}"
        shares = (one.bonafide_called_spoof, one.spoof_called_bonafide, one.undecided)
        first, second, third = (f"{100 * share:.1f} %" for share in shares)
        output.write(f"{one.family + ' ' + one.strength:<34}{eer:>8}  {span:<14}{change:>8}  {reach:<16}")
        output.write(f"{first:>13}  {second:>13}  {third:>9}\n")


def _list() -> int:
    from glottis.cli.output import Output
    from glottis.evaluation.conditions import all_conditions, attacks

    output = Output()
    for one in [*all_conditions(), *attacks(lambda samples, *_: samples)]:
        output.write(f"{one.family} {one.strength}".strip() + "\n")
    return DONE
