"""What metrics promise, and the two kinds of entries of the registry; tests hold each entry to what it declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal


class Law(StrEnum):
    """What a metric promises for all finite scores."""

    ORDER = "order"
    """The order of the trials does not matter. Every metric of trials owes this."""
    REFUSES = "refuses"
    """Empty classes, NaN and infinite scores are refused with a CorpusError, rates that are none with a ConfigError.
    Every metric owes this."""
    MONOTONE = "monotone"
    """A strictly increasing map of all scores does not matter."""
    DOUBLED = "doubled"
    """Each trial counted twice does not matter."""
    MIRROR = "mirror"
    """Swapping the classes and negating the scores does not matter."""
    COMPLEMENT = "complement"
    """Swapping the classes gives 1 minus the value."""
    PERFECT = "perfect"
    """Separated classes give the best value of the range, exactly."""
    SIDES = "sides"
    """Only the side of 0 on which a score lies matters: 0 is the threshold, and counts as bona fide."""
    SURE = "sure"
    """Scores far on the right sides of 0 give the best value of the range."""
    RISES = "rises"
    """The value never falls when a rate rises."""
    EXCHANGE = "exchange"
    """Exchanging the two systems changes no more than the sign."""


class Shape(StrEnum):
    """What a metric takes, beside settings."""

    CLASSES = "classes"
    """One array of scores for each class, in the order of `inputs`."""
    TRIALS = "trials"
    """Scores, labels and groups, one of each for each trial."""
    ATTACKS = "attacks"
    """The scores of spoof trials and their attacks."""
    FRAMES = "frames"
    """A list of `Frames` with a score for each second."""
    SYSTEMS = "systems"
    """The scores of two systems, and which trials are bona fide."""
    FLAGS = "flags"
    """One or two arrays of booleans, one for each trial."""
    DETECTORS = "detectors"
    """The scores of the same spoof trials by each detector, and the detectors' thresholds."""
    RATES = "rates"
    """Figures that are fractions: two of them as `inputs` names, or a list of two."""


OWED = frozenset({Law.ORDER, Law.REFUSES})


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of merit of two classes of scores.

    Attributes:
        name: Its name in JSON and on the command line.
        function: (bona fide scores, spoof scores) to the figure.
        better: Whether lower or higher is better.
        low: The least value.
        high: The greatest, or infinity.
        takes: Whether any scores do, or only calibrated llrs make sense.
        laws: What it promises.
        settings: What was set for it here; the function behind it takes others.
    """

    name: str
    function: Callable[..., float]
    better: Literal["lower", "higher"]
    low: float
    high: float
    takes: Literal["scores", "llrs"]
    laws: frozenset[Law]
    settings: str = ""


@dataclass(frozen=True, slots=True)
class OtherMetric:
    """One figure of merit of another shape.

    Attributes:
        name: Its name.
        function: What is called; what it takes is in `shape`.
        shape: What it takes.
        inputs: What its arguments are, in order.
        laws: What it promises.
        better: Whether lower or higher is better, or neither.
        low: The least value.
        high: The greatest.
        figure: From what the function gives to one number.
        settings: What was set for it here.
    """

    name: str
    function: Callable[..., Any]
    shape: Shape
    inputs: tuple[str, ...]
    laws: frozenset[Law]
    better: Literal["lower", "higher", "neither"] = "lower"
    low: float = 0.0
    high: float = 1.0
    figure: Callable[[Any], float] = float
    settings: str = ""


RANKING = OWED | {Law.MONOTONE, Law.DOUBLED, Law.PERFECT}
"""What figures of the order of the scores promise, beside what all owe."""
AT_0 = OWED | {Law.DOUBLED, Law.SIDES, Law.SURE}
"""What counts of calls at threshold 0 promise."""
COSTS = "prior_spoof 0.05, cost_miss 1, cost_false_alarm 10 (ASVspoof 5)"
"""The settings of the detection costs in the registry."""
