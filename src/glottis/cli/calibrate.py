"""`glottis calibrate`: from scores of a development split to llrs, thresholds, and a bundle that knows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glottis.cli.evaluate import chosen, put, put_scores
from glottis.cli.exits import DONE, say
from glottis.cli.text import printable

if TYPE_CHECKING:
    from glottis.bundle import Bundle, Costs
    from glottis.calibration import Fusion
    from glottis.cli.output import Output
    from glottis.evaluation import Trials
    from glottis.evaluation.calibrate import Candidate

_FILE = click.Path(path_type=Path)
_RATE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@click.argument("scores", nargs=-1, required=True, type=_FILE)
@click.option("--protocol", metavar="FILE", required=True, type=_FILE, help="The trials and their labels.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only these trials: split=dev.")
@click.option("--groups", metavar="COLUMN", help="Hold its values out together: source, speaker.")
@click.option("--column", metavar="NAME", help="The score's column; of a scan's lines by default the raw score.")
@click.option(
    "--coverage",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="The least share of the trials that must have a score.",
)
@click.option("--kind", metavar="NAME", help="The calibration to take, by default the best.")
@click.option("--bpcer", metavar="RATE", type=_RATE, help="Call at most this share of bona fide trials spoof.")
@click.option("--apcer", metavar="RATE", type=_RATE, help="Call at most this share of spoof trials bona fide.")
@click.option("--cost-inconclusive", metavar="C", type=float, help="Of no answer; a wrong one costs 1.")
@click.option("--prior", metavar="P", type=_RATE, help="The prior of spoof that the bundle assumes.")
@click.option(
    "--model",
    metavar="M",
    multiple=True,
    help="The bundle whose copy gets the calibration, or that of each of the SCORES; default is the shipped one.",
)
@click.option("--output", metavar="DIR", type=_FILE, help="Where the copy or the ensemble goes.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write everything there, as JSON.")
@click.option("--fused", metavar="FILE", type=_FILE, help="Write the llrs of several SCORES there, as a score file.")
def calibrate(scores: tuple[Path, ...], **options: Any) -> int:
    """Fit calibrations to SCORES, compare them, and write the best into a copy of a bundle.

    All figures are of trials that the calibration saw nothing of. Trials of a split that judges (eval, test, hidden)
    are refused. Several SCORES are fused; with as many --model in the same order, --output gets an ensemble of them,
    and --fused the llrs that a fusion gives each trial without having seen its group.
    """
    from glottis.cli.output import Output
    from glottis.errors import ConfigError

    if options["fused"] is not None and len(scores) == 1:
        raise ConfigError("--fused takes several SCORES", code="setting", hint="name a second score file")
    bundles = [] if options["output"] is None else _bundles(len(scores), options["model"])
    _check_order(scores, bundles)
    systems = _systems(scores, options)
    if len(systems) > 1:
        return _fuse(Output(), systems, bundles, options)
    goal = None
    if bundles:
        goal = Goal(bundles[0].manifest.decision, partial(_copy, bundles[0], options["output"]))
    return _fit(Output(), systems[0], goal, options)


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a calibration goes.

    Attributes:
        decision: The costs from which it starts.
        write: Takes the changed fields of the manifest, gives the bundle's path.
    """

    decision: Costs
    write: Callable[[Mapping[str, Any]], Path]


def _bundles(count: int, models: Sequence[str]) -> list[Bundle]:
    """The bundle of each of the SCORES."""
    from glottis.bundle import open_bundle
    from glottis.errors import ConfigError

    names = models or (("default",) if count == 1 else ())
    if len(names) != count:
        raise ConfigError(
            f"--output with {count} SCORES takes {count} --model, got {len(names)}",
            code="setting",
            hint="name the bundle of each of the SCORES, in their order",
        )
    return [open_bundle(name) for name in names]


def _check_order(scores: Sequence[Path], bundles: Sequence[Bundle]) -> None:
    """Refuse scores that stand in the place of another bundle's, where they tell whose they are."""
    from glottis.errors import ConfigError
    from glottis.evaluation.scores import scored_by

    for path, bundle in zip(scores, bundles, strict=False):
        told = scored_by(path)
        if told != bundle.sha256 and told in {other.sha256 for other in bundles}:
            raise ConfigError(
                f"{path} was not scored by {bundle.path}, but by another --model",
                code="setting",
                hint="name the bundle of each of the SCORES, in their order",
            )


def _copy(bundle: Bundle, folder: Path, changes: Mapping[str, Any]) -> Path:
    from glottis.bundle import copy_bundle

    return copy_bundle(bundle, folder, changes=changes)


def _systems(scores: tuple[Path, ...], options: dict[str, Any]) -> list[Trials]:
    from glottis.evaluation import join, read_protocol, read_scores
    from glottis.evaluation.join import shared

    protocol = chosen(read_protocol(options["protocol"]), options["where"])
    found = []
    for path in scores:
        raw = "score" if options["column"] is None and path.name.endswith("jsonl") else options["column"]
        found.append(join(read_scores(path, column=raw), protocol, coverage_floor=options["coverage"]))
    found = shared(found)
    for one in found:
        for notice in one.notices:
            say(f"{one.name}: {notice}")
    return found


def _fit(output: Output, trials: Trials, goal: Goal | None, options: dict[str, Any], **more: Any) -> int:
    """Compare calibrations and write the best; `more` goes into the JSON."""
    from glottis.bundle import Costs
    from glottis.calibration import Platt
    from glottis.evaluation.calibrate import candidates, to_dict
    from glottis.metrics import min_cllr

    if options["groups"] is None:
        say("without --groups trials of one source or speaker are on both sides: the figures flatter")
    found = candidates(trials, groups=options["groups"])
    chosen_one = _by_name(found, options["kind"])
    costs = _costs(chosen_one, trials, Costs() if goal is None else goal.decision, options)
    output.write(f"{'calibration':<28}  {'Cllr':>7}  {'95 %':<16}  {'loss':>6}  {'act DCF':>7}\n")
    for one in found:
        mark = " <" if one is chosen_one else ""
        interval = f"{one.cllr.low:.4f} to {one.cllr.high:.4f}"
        output.write(
            f"{one.name:<28}  {one.cllr.value:7.4f}  {interval:<16}  {one.loss:6.4f}  {one.act_dcf:7.4f}{mark}\n"
        )
    output.write(f"least Cllr of the scores: {min_cllr(*trials.by_class):.4f}\n")
    decision = _decision(chosen_one, trials, costs)
    for name in ("spoof", "bonafide"):
        output.write(
            f"{name} at {'or under' if name == 'spoof' else 'or over'} {decision['thresholds'][name]:+.3f} nats\n"
        )
    for name, value in decision["figures"].items():
        output.write(f"{name.replace('_', ' ')}: {100 * value:.2f} %\n")
    if options["json_file"] is not None:
        everything = {**to_dict(found, trials), "chosen": chosen_one.name, **decision, **more}
        put(options["json_file"], json.dumps(everything, ensure_ascii=False, indent=1) + "\n")
    if goal is not None:
        # windows are calibrated as recordings of one window are
        calibration = {"recording": chosen_one.calibrator.to_json(), "window": Platt.fit(*trials.by_class).to_json()}
        output.write(f"{goal.write({'calibration': calibration, 'decision': asdict(costs)})}\n")
    return DONE


def _by_name(found: list[Candidate], name: str | None) -> Candidate:
    from glottis.errors import ConfigError

    for one in found:
        if name in (None, one.name):
            return one
    names = ", ".join(one.name for one in found)
    raise ConfigError(f"unknown kind {name!r}", code="setting", hint=f"one of {names}")


def _costs(one: Candidate, trials: Trials, base: Costs, options: dict[str, Any]) -> Costs:
    from glottis.errors import ConfigError
    from glottis.evaluation.calibrate import costs_of

    changes = {"cost_inconclusive": options["cost_inconclusive"], "prior_spoof": options["prior"]}
    base = replace(base, **{name: value for name, value in changes.items() if value is not None})
    if not 0 < base.cost_inconclusive < min(base.cost_spoof_accepted, base.cost_bonafide_rejected):
        raise ConfigError(
            f"--cost-inconclusive {base.cost_inconclusive:g}: no answer must cost something, and less than a wrong one",
            code="setting",
            hint="such as 0.2",
        )
    if options["bpcer"] is None and options["apcer"] is None:
        return base
    return costs_of(one.llrs, trials.bonafide, base, bpcer=options["bpcer"], apcer=options["apcer"])


def _decision(one: Candidate, trials: Trials, costs: Costs) -> dict[str, Any]:
    from glottis.detector.decide import thresholds_of
    from glottis.evaluation.calibrate import decided, error_against_decided

    thresholds = thresholds_of(costs, costs.prior_spoof)
    return {
        "costs": asdict(costs),
        "thresholds": thresholds,
        "figures": decided(one.llrs, trials.bonafide, thresholds),
        "error_against_decided": error_against_decided(one.llrs, trials.bonafide),
    }


def _fuse(output: Output, systems: list[Trials], bundles: list[Bundle], options: dict[str, Any]) -> int:
    from glottis.evaluation import ScoreFile
    from glottis.evaluation.calibrate import candidates, fuse, fused_or_alone
    from glottis.metrics import challenge_eer, cllr

    if bundles:  # one that tells speech leads
        order = sorted(range(len(bundles)), key=lambda i: "speech" not in bundles[i].manifest.outputs)
        systems, bundles = [systems[i] for i in order], [bundles[i] for i in order]
    fusion, llrs = fuse(systems, groups=options["groups"])
    real = systems[0].bonafide
    output.write(f"{'system':<28}  {'weight':>8}  {'EER, %':>8}  {'Cllr':>7}\n")
    costs = []
    for one, weight in zip(systems, fusion.weights, strict=True):
        costs.append(candidates(one, groups=options["groups"], resamples=1)[0].cllr.value)
        eer = 100 * challenge_eer(*one.by_class)
        output.write(f"{printable(one.name):<28}  {weight:8.4f}  {eer:8.3f}  {costs[-1]:7.4f}\n")
        if bundles and weight == 0:
            say(f"{one.name} gets the weight 0: it adds nothing but its time")
    eer, cost = challenge_eer(llrs[real], llrs[~real]), cllr(llrs[real], llrs[~real])
    output.write(f"{'fused':<28}  {'':>8}  {100 * eer:8.3f}  {cost:7.4f}\n")
    best = systems[costs.index(min(costs))]
    gain = fused_or_alone(best, llrs, groups=options["groups"])
    reach = f"{100 * gain.low:+.3f} to {100 * gain.high:+.3f}"
    output.write(f"fused - {printable(best.name)}: EER {100 * gain.value:+.3f} points ({reach})\n")
    found = {"fusion": fusion.to_json(), "eer": eer, "cllr": cost, "best_alone": best.name, "eer_change": asdict(gain)}
    if options["fused"] is not None:
        put_scores(options["fused"], ScoreFile("fused", systems[0].trials, llrs))
    if bundles:
        figures = {"dev_clips": int(llrs.size), "dev_pooled_eer": eer, "dev_cllr": cost}
        goal = Goal(bundles[0].manifest.decision, partial(_join, bundles, fusion, options["output"], figures))
        return _fit(output, replace(systems[0], name="fused", scores=llrs), goal, options, **found)
    if options["json_file"] is not None:
        put(options["json_file"], json.dumps({"schema": 1, **found}, ensure_ascii=False, indent=1) + "\n")
    return DONE


def _join(
    bundles: list[Bundle], fusion: Fusion, folder: Path, figures: Mapping[str, Any], changes: Mapping[str, Any]
) -> Path:
    import datetime as dt

    from glottis.bundle import write_ensemble

    today = dt.datetime.now(dt.UTC).date().isoformat()
    fields = {"name": folder.name, "version": "1", "created": today, "metrics": figures, **changes}
    return write_ensemble(folder, bundles, fusion.weights, fusion.offset, fields)
