"""One system on one test: figures with intervals, thresholds, and the parts that the columns tell apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from glottis.errors import CorpusError
from glottis.evaluation.breakdown import Part, break_down
from glottis.evaluation.join import Trials
from glottis.evaluation.scores import AsvScores
from glottis.evaluation.tables import Texts
from glottis.metrics import (
    METRICS,
    AsvRates,
    Confusion,
    Interval,
    bayes_threshold,
    bootstrap_each,
    challenge_eer_point,
    confusion_at,
    min_tdcf,
)

SCHEMA = 1
HEADLINE = (
    *("eer", "eer_interpolated", "auc", "min_dcf", "act_dcf", "cllr", "min_cllr"),
    *("apcer_at_bpcer_1", "apcer_at_bpcer_5", "bpcer_at_apcer_5", "bpcer_at_apcer_10"),
)
"""The metrics of the registry that every evaluation has."""

OF_LLRS = frozenset({"act_dcf", "cllr"})
"""Those that mean something only where the scores are llrs."""

RESAMPLES = 1000
MANY_TRIALS = 200_000
RESAMPLES_OF_MANY = 200


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What one threshold does.

    Attributes:
        name: Where it comes from.
        oracle: Whether it was found on these very trials, so that no detector could have known it.
        threshold: A trial is accepted if and only if score >= threshold.
        confusion: The counts.
    """

    name: str
    oracle: bool
    threshold: float
    confusion: Confusion


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All that is said of a system on a test.

    Attributes:
        trials: The joined trials.
        figures: By name; the t-DCF only with ASV scores.
        thresholds: What some thresholds do.
        parts: By column, then one for each value.
        asv: The verifier's error rates, or None.
        unit: What the intervals resample: ``trial``, or the name of a column.
    """

    trials: Trials
    figures: Mapping[str, Interval]
    thresholds: tuple[AtThreshold, ...]
    parts: Mapping[str, tuple[Part, ...]]
    asv: AsvRates | None
    unit: str

    @property
    def name(self) -> str:
        """The system's."""
        return self.trials.name

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; infinite thresholds are None. Rates are fractions."""
        real, fake = self.trials.by_class
        return {
            "system": self.name,
            "protocol": self.trials.protocol,
            "n_bonafide": int(real.size),
            "n_spoof": int(fake.size),
            "coverage": self.trials.coverage,
            "notices": list(self.trials.notices),
            "resampled_by": self.unit,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "asv": None if self.asv is None else asdict(self.asv),
            "thresholds": [_threshold(one) for one in self.thresholds],
            "parts": {column: [asdict(part) for part in parts] for column, parts in self.parts.items()},
        }


def evaluate(
    trials: Trials,
    *,
    asv: AsvScores | None = None,
    by: Sequence[str] = (),
    groups: str | None = None,
    resamples: int | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure a system.

    Args:
        trials: Joined scores and labels.
        asv: A speaker verifier's scores, for the t-DCF.
        by: Columns of the protocol to break the figures down by.
        groups: A column whose values are resampled whole (speaker, source), or None to resample trials.
        resamples: Draws for the intervals; by default `usual_resamples`.
        seed: Of the draws.

    Raises:
        CorpusError: A class has no trial (``empty_class``), or a column is not there (``missing_column``).
    """
    real, fake = trials.by_class
    count = resamples or usual_resamples(trials.scores.size)
    rates = None if asv is None else asv.rates()
    metrics: dict[str, Any] = {name: METRICS[name].function for name in HEADLINE}
    if rates is not None:
        metrics |= {f"min_tdcf_{form}": partial(min_tdcf, asv=rates, form=form) for form in ("2019", "2021")}
    of = None if groups is None else column_of(trials, groups)
    figures = bootstrap_each(
        metrics,
        real,
        fake,
        bonafide_groups=None if of is None else of[trials.bonafide],
        spoof_groups=None if of is None else of[~trials.bonafide],
        resamples=count,
        seed=seed,
    )
    parts = {name: break_down(trials, column_of(trials, name), asv=asv if name == "attack" else None) for name in by}
    return Evaluation(trials, figures, _thresholds(trials), parts, rates, groups or "trial")


def usual_resamples(n_trials: int) -> int:
    """How many draws an interval gets where nobody says: 1,000, and 200 with more than 200,000 trials."""
    return RESAMPLES if n_trials <= MANY_TRIALS else RESAMPLES_OF_MANY


def column_of(trials: Trials, name: str) -> Texts:
    """A column by name.

    Raises:
        CorpusError: There is none (``missing_column``); the hint lists those that there are.
    """
    if name not in trials.columns:
        have = ", ".join(trials.columns) or "none"
        raise CorpusError(f"{trials.protocol}: no column {name!r}", code="missing_column", hint=f"its columns: {have}")
    return trials.columns[name]


def _thresholds(trials: Trials) -> tuple[AtThreshold, ...]:
    real, fake = trials.by_class
    _, rejected = challenge_eer_point(real, fake)
    every = np.concatenate([real, fake])
    above = every[every > rejected]
    known = [
        ("EER of these trials", True, float(above.min()) if above.size else math.inf),
        ("llr 0: even odds, equal costs", False, 0.0),
        ("Bayes, ASVspoof 5: spoof 5 %, cost 10", False, bayes_threshold()),
    ]
    return tuple(
        AtThreshold(name, oracle, threshold, confusion_at(real, fake, threshold)) for name, oracle, threshold in known
    )


def _threshold(one: AtThreshold) -> dict[str, Any]:
    counts = asdict(one.confusion)
    confusion = one.confusion
    figures = {
        name: getattr(confusion, name)
        for name in ("accuracy", "balanced_accuracy", "precision_spoof", "recall_spoof", "f1_spoof", "f1_bonafide")
    }
    threshold = one.threshold if math.isfinite(one.threshold) else None
    return {"name": one.name, "oracle": one.oracle, "threshold": threshold, **counts, **figures}
