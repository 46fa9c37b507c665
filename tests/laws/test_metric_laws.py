"""Every registered metric is held to the laws that it declares, and must declare those that all owe."""

import inspect
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from glottis import metrics
from glottis.errors import ConfigError, CorpusError
from glottis.metrics import METRICS, OTHER_METRICS, Frames, Law, Shape, Stretch
from glottis.metrics.laws import OWED

NEAR = 1e-9
SURE = 1000.0

# A coarse grid makes ties within and across the classes likely, and keeps increasing maps strict in float64.
grid = st.integers(-40, 40).map(lambda n: n / 8)
scores = npst.arrays(np.float64, st.integers(1, 30), elements=grid, fill=st.nothing())
quick = settings(max_examples=15, deadline=None)
MAPS = [lambda x: 3 * x - 7, np.exp, lambda x: x**3, np.arctan, np.float32]


def scores_of(n):
    return npst.arrays(np.float64, n, elements=grid, fill=st.nothing())


def flags_of(n):
    return npst.arrays(np.bool_, n, fill=st.nothing())


@dataclass(frozen=True)
class Case:
    """One registered metric, whatever its shape."""

    name: str
    value: object
    shape: Shape
    inputs: tuple
    laws: frozenset
    better: str
    low: float
    high: float
    entry: object

    @property
    def best(self):
        return self.low if self.better == "lower" else self.high


CASES = [
    *(
        Case(m.name, m.function, Shape.CLASSES, ("bonafide", "spoof"), m.laws, m.better, m.low, m.high, m)
        for m in METRICS.values()
    ),
    *(
        Case(
            *(m.name, lambda *args, m=m: m.figure(m.function(*args)), m.shape, m.inputs),
            *(m.laws, m.better, m.low, m.high, m),
        )
        for m in OTHER_METRICS.values()
    ),
]


def cases(*laws, shapes=None):
    held = [one for one in CASES if set(laws) <= one.laws and (shapes is None or one.shape in shapes)]
    return pytest.mark.parametrize("case", held, ids=[one.name for one in held])


# For each shape: arguments for a case, and what becomes of them.


@st.composite
def classes(draw, case):
    return tuple(draw(scores) for _ in case.inputs)


@st.composite
def trials(draw, case):  # noqa: ARG001 - all shapes are drawn for a case
    n = draw(st.integers(1, 15))
    values, labels = draw(scores_of(2 * n + 2)), draw(flags_of(2 * n))
    return values, np.append(labels, [True, False]), np.append(np.arange(2 * n) % 3, [0, 0]).astype(str)


@st.composite
def attacks(draw, case):  # noqa: ARG001
    values = draw(scores)
    return values, np.array([f"A{i % 4}" for i in range(values.size)])


def recording(values, bonafide_s):
    """Frames of one second: bona fide, then spoof, then half a second more of bona fide."""
    end = values.size + 0.5
    return Frames(
        values,
        [
            Stretch(0, bonafide_s, bonafide=True),
            Stretch(bonafide_s, values.size, bonafide=False),
            Stretch(values.size, end, bonafide=True),
        ],
        end,
    )


@st.composite
def frames(draw, case):  # noqa: ARG001
    lengths = draw(st.lists(st.integers(3, 9), min_size=1, max_size=4))
    return ([recording(draw(scores_of(n)), draw(st.integers(1, n - 2))) for n in lengths],)


@st.composite
def systems(draw, case):  # noqa: ARG001
    n = draw(st.integers(1, 20))
    labels = np.append(draw(flags_of(n)), [True, False])
    return draw(scores_of(n + 2)), draw(scores_of(n + 2)), labels


@st.composite
def flags(draw, case):
    n = draw(st.integers(1, 30))
    return tuple(draw(flags_of(n)) for _ in case.inputs)


@st.composite
def detectors(draw, case):  # noqa: ARG001
    n, rows = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    return [draw(scores_of(n)) for _ in range(rows)], [draw(grid) for _ in range(rows)]


@st.composite
def rates(draw, case):
    pair = tuple(draw(st.integers(0, 16)) / 16 for _ in range(2))
    return pair if len(case.inputs) == 2 else (pair,)


DRAWN = {
    Shape.CLASSES: classes,
    Shape.TRIALS: trials,
    Shape.ATTACKS: attacks,
    Shape.FRAMES: frames,
    Shape.SYSTEMS: systems,
    Shape.FLAGS: flags,
    Shape.DETECTORS: detectors,
    Shape.RATES: rates,
}


def shuffled(shape, args, rng):
    if shape is Shape.CLASSES:
        return tuple(rng.permutation(one) for one in args)
    if shape is Shape.FRAMES:
        return ([args[0][i] for i in rng.permutation(len(args[0]))],)
    if shape is Shape.DETECTORS:
        order = rng.permutation(args[0][0].size)
        return [row[order] for row in args[0]], args[1]
    order = rng.permutation(args[0].size)
    return tuple(one[order] for one in args)


def doubled(shape, args):
    if shape is Shape.FRAMES:
        return (args[0] * 2,)
    if shape is Shape.DETECTORS:
        return [np.tile(row, 2) for row in args[0]], args[1]
    return tuple(np.tile(one, 2) for one in args)


def mapped(shape, args, change):
    """Only the scores are changed."""
    if shape is Shape.CLASSES:
        return tuple(change(one) for one in args)
    if shape is Shape.FRAMES:
        return ([Frames(change(np.asarray(one.scores)), one.stretches, one.duration_s) for one in args[0]],)
    count = 2 if shape is Shape.SYSTEMS else 1
    return (*(change(one) for one in args[:count]), *args[count:])


def broken(case, bad):
    """Arguments with `bad` among the scores, once for each input that has any, and what the message must name."""
    good = np.array([1.0, 0.5, -0.5])
    labels = np.array([True, False, True])
    if case.shape is Shape.CLASSES:
        for i, label in enumerate(case.inputs):
            yield tuple(np.append(good, bad) if i == j else good for j in range(len(case.inputs))), label.split()[-1]
    elif case.shape is Shape.TRIALS:
        yield (np.array([1.0, bad, 0.0]), labels, np.array(["a", "a", "a"])), "spoof"
        yield (np.array([1.0, 0.0, bad]), labels, np.array(["a", "a", "a"])), "bonafide"
    elif case.shape is Shape.ATTACKS:
        yield (np.array([bad]), np.array(["A1"])), "spoof"
    elif case.shape is Shape.SYSTEMS:
        yield (np.array([1.0, bad, 0.0]), good, labels), "first system"
        yield (good, np.array([1.0, bad, 0.0]), labels), "second system"
    elif case.shape is Shape.DETECTORS:
        yield ([good, np.array([0.0, bad, 1.0])], [0.0, 0.0]), "spoof"


@pytest.mark.parametrize("case", CASES, ids=[one.name for one in CASES])
def test_declares_its_laws(case):
    owed = {Law.REFUSES} if case.shape is Shape.RATES else OWED
    assert case.laws >= owed, f"{case.name} declares no laws, or not those that every metric owes"
    assert case.low < case.high
    assert case.inputs
    assert (METRICS | OTHER_METRICS)[case.name] is case.entry


def test_no_name_is_taken_twice():
    assert not set(METRICS) & set(OTHER_METRICS)


def test_every_law_is_declared_by_some_metric():
    assert set(Law) == set().union(*(case.laws for case in CASES))


def test_every_shape_is_drawn():
    assert set(Shape) == set(DRAWN) == {case.shape for case in CASES}


# Public functions that are no figures of merit, and why. A new public function is in a registry, or here.
HELPERS = {
    "gates and conversions": {"bonafide_mask", "checked", "checked_class", "checked_like", "probit", "segment_labels"},
    "curves and tables": {
        *("challenge_curve", "det_curve", "rocch", "pav", "pool", "tied", "risk_coverage", "reliability"),
        "confusion_at",
    },
    "a registered figure with its threshold": {
        *("challenge_eer_point", "apcer_at_bpcer_point", "bpcer_at_apcer_point"),
        *("min_dcf_point", "min_tdcf_point", "a_dcf_point"),
    },
    "constants of the costs": {"bayes_threshold", "tdcf_floor"},
    "intervals of any figure": {
        "bootstrap",
        "bootstrap_any",
        "bootstrap_each",
        "bootstrap_mean",
        "mean_eer_within_interval",
    },
    "dispatch to registered figures": {"eer", "metric"},
}


def test_every_public_function_is_registered_or_no_metric():
    public = {name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))}
    registered = set()
    for entry in (*METRICS.values(), *OTHER_METRICS.values()):
        function = entry.function
        while isinstance(function, partial):
            function = function.func
        registered.add(function.__name__)
    helpers = set().union(*HELPERS.values())
    assert public - registered - helpers == set(), "in no registry, and not listed as a helper"
    assert helpers <= public - registered, "listed as a helper, but registered or not public"
    assert registered <= public, "registered, but not public"


@cases()
@quick
@given(data=st.data())
def test_stays_in_its_range(case, data):
    value = case.value(*data.draw(DRAWN[case.shape](case)))
    assert isinstance(value, float)
    assert case.low - NEAR <= value <= case.high + NEAR


@cases(Law.ORDER)
@quick
@given(data=st.data(), seed=st.integers(0, 99))
def test_order(case, data, seed):
    args = data.draw(DRAWN[case.shape](case))
    moved = shuffled(case.shape, args, np.random.default_rng(seed))
    assert case.value(*moved) == pytest.approx(case.value(*args), abs=NEAR)


@cases(Law.REFUSES, shapes=set(Shape) - {Shape.FRAMES, Shape.FLAGS, Shape.RATES})
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_scores_that_are_not_finite(case, bad):
    met = 0
    for args, label in broken(case, bad):
        with pytest.raises(CorpusError, match=label) as caught:
            case.value(*args)
        assert caught.value.code == "not_finite"
        met += 1
    assert met


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_frames_refuse_scores_that_are_not_finite(bad):
    with pytest.raises(CorpusError, match="frame") as caught:
        Frames([0.0, bad], [], 2.0)
    assert caught.value.code == "not_finite"


@cases(Law.REFUSES, shapes={Shape.RATES})
@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.1])
def test_refuses_rates_that_are_none(case, bad):
    for pair in ((bad, 0.5), (0.5, bad)):
        with pytest.raises(ConfigError, match="not between 0 and 1"):
            case.value(*(pair if len(case.inputs) == 2 else (pair,)))


@cases(Law.REFUSES, shapes={Shape.CLASSES})
def test_refuses_empty_classes(case):
    for i, label in enumerate(case.inputs):
        with pytest.raises(CorpusError, match=f"no .*{label.split()[-1]}") as caught:
            case.value(*([] if i == j else [0.0, 1.0] for j in range(len(case.inputs))))
        assert caught.value.code == "empty_class"


ONE_CLASS = {
    Shape.TRIALS: [
        (([1.0], [True], ["a"]), "no spoof"),
        (([1.0], [False], ["a"]), "no bonafide"),
    ],
    Shape.ATTACKS: [(([], []), "no spoof")],
    Shape.SYSTEMS: [
        (([1.0], [2.0], [True]), "no spoof"),
        (([1.0], [2.0], [False]), "no bonafide"),
        (([], [], []), "no first system"),
    ],
    Shape.FLAGS: [(([], []), "there is no")],
    Shape.DETECTORS: [(([[]], [0.0]), "no spoof"), (([], []), "no detector")],
    Shape.FRAMES: [
        (([Frames([1.0], [Stretch(0, 1, bonafide=True)], 1.0)],), "spoof"),
        (([Frames([1.0], [Stretch(0, 1, bonafide=False)], 1.0)],), "bonafide"),
        (([],), "no recording"),
    ],
}


@cases(Law.REFUSES, shapes=set(ONE_CLASS))
def test_refuses_what_lacks_a_class(case):
    for args, said in ONE_CLASS[case.shape]:
        with pytest.raises(CorpusError, match=said) as caught:
            case.value(*args[: len(case.inputs)])
        assert caught.value.code == "empty_class"


@cases(Law.MONOTONE)
@quick
@given(data=st.data(), change=st.sampled_from(MAPS))
def test_monotone(case, data, change):
    args = data.draw(DRAWN[case.shape](case))
    assert case.value(*mapped(case.shape, args, change)) == pytest.approx(case.value(*args), abs=NEAR)


@cases(Law.DOUBLED)
@quick
@given(data=st.data())
def test_doubled(case, data):
    args = data.draw(DRAWN[case.shape](case))
    assert case.value(*doubled(case.shape, args)) == pytest.approx(case.value(*args), abs=NEAR)


@cases(Law.SIDES)
@quick
@given(data=st.data())
def test_sides(case, data):
    args = data.draw(DRAWN[case.shape](case))
    signs = mapped(case.shape, args, lambda x: np.where(x >= 0, 2.0, -3.0))
    assert case.value(*signs) == pytest.approx(case.value(*args), abs=NEAR)


@cases(Law.MIRROR)
@quick
@given(bonafide=scores, spoof=scores)
def test_mirror(case, bonafide, spoof):
    assert case.value(-spoof, -bonafide) == pytest.approx(case.value(bonafide, spoof), abs=NEAR)


@cases(Law.COMPLEMENT)
@quick
@given(bonafide=scores, spoof=scores)
def test_complement(case, bonafide, spoof):
    assert case.value(spoof, bonafide) == pytest.approx(1 - case.value(bonafide, spoof), abs=NEAR)


def apart(case, args, real, fake):
    """The arguments with the scores of bona fide raised by `real` and those of spoof by `fake`."""
    if case.shape is Shape.FRAMES:
        return (
            [
                Frames(
                    [
                        score + (real if i < one.stretches[0].end_s else fake)
                        for i, score in enumerate(np.asarray(one.scores)[:-1])
                    ],
                    [*one.stretches[:1], Stretch(one.stretches[1].start_s, len(one.scores) - 1, bonafide=False)],
                    len(one.scores) - 1.0,
                )
                for one in args[0]
            ],
        )
    raised = {"bonafide": real, "target": real}
    return tuple(one + raised.get(label, fake) for one, label in zip(args, case.inputs, strict=True))


@cases(Law.PERFECT)
@quick
@given(data=st.data())
def test_perfect(case, data):
    args = data.draw(DRAWN[case.shape](case))
    assert case.value(*apart(case, args, 20, 0)) == case.best


@cases(Law.SURE)
@quick
@given(data=st.data())
def test_sure(case, data):
    args = data.draw(DRAWN[case.shape](case))
    assert case.value(*apart(case, args, SURE, -SURE)) == pytest.approx(case.best, abs=NEAR)


@cases(Law.RISES)
@quick
@given(data=st.data(), step=st.integers(1, 16))
def test_rises(case, data, step):
    args = data.draw(DRAWN[case.shape](case))
    pair = args if len(case.inputs) == 2 else args[0]
    for i in range(2):
        more = tuple(min(1.0, rate + step / 16) if i == j else rate for j, rate in enumerate(pair))
        raised = case.value(*(more if len(case.inputs) == 2 else (more,)))
        assert raised >= case.value(*args) - NEAR


@cases(Law.EXCHANGE)
@quick
@given(data=st.data())
def test_exchange(case, data):
    first, second, *rest = data.draw(DRAWN[case.shape](case))
    there, back = case.value(first, second, *rest), case.value(second, first, *rest)
    assert abs(there) == pytest.approx(abs(back), abs=NEAR)
    if case.low < 0:
        assert there == pytest.approx(-back, abs=NEAR)


@quick
@given(bonafide=scores, spoof=scores)
def test_hull_is_under_the_curve(bonafide, spoof):
    interpolated = METRICS["eer_interpolated"].function(bonafide, spoof)
    assert METRICS["eer_rocch"].function(bonafide, spoof) <= interpolated + NEAR


@quick
@given(bonafide=scores, spoof=scores)
def test_a_least_figure_is_under_every_actual_one(bonafide, spoof):
    assert METRICS["min_cllr"].function(bonafide, spoof) <= METRICS["cllr"].function(bonafide, spoof) + NEAR
    for name in ("act_dcf", "dcf"):
        assert METRICS["min_dcf"].function(bonafide, spoof) <= METRICS[name].function(bonafide, spoof) + NEAR


@quick
@given(data=st.data(), n=st.integers(2, 40))
def test_challenge_and_distinct_agree_without_shared_scores(data, n):
    order = np.array(data.draw(st.permutations(range(n))), dtype=np.float64)
    cut = data.draw(st.integers(1, n - 1))
    have = [METRICS[name].function(order[:cut], order[cut:]) for name in ("eer", "eer_distinct")]
    assert have[0] == pytest.approx(have[1], abs=NEAR)
