import numpy as np
import pytest

from glottis.errors import ConfigError, CorpusError
from glottis.metrics import (
    Frames,
    Stretch,
    distinct_eer,
    range_eer,
    range_f1,
    range_rates,
    segment_eer,
    segment_labels,
)


def drawn(seed, n=6):
    """Recordings whose stretches end on whole frames of 0.02 s."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        frames = int(rng.integers(10, 60))
        cut = int(rng.integers(1, frames))
        bonafide = np.arange(frames) < cut
        scores = np.round(rng.normal(bonafide.astype(float), 1), 1)
        ends = [Stretch(0, cut * 0.02, bonafide=True), Stretch(cut * 0.02, frames * 0.02, bonafide=False)]
        made.append((Frames(scores, ends, frames * 0.02), bonafide))
    return made


@pytest.mark.parametrize("seed", range(3))
def test_on_whole_frames_ranges_and_points_agree(seed):
    made = drawn(seed)
    recordings = [one for one, _ in made]
    scores = np.concatenate([np.asarray(one.scores) for one in recordings])
    bonafide = np.concatenate([labels for _, labels in made])
    want = distinct_eer(scores[bonafide], scores[~bonafide])
    assert segment_eer(recordings, 0.02, mode="distinct") == pytest.approx(want, abs=1e-12)
    assert range_eer(recordings, 0.02) == pytest.approx(want, abs=1e-9)
    miss, false_alarm = np.mean(scores[bonafide] < 0.5), np.mean(scores[~bonafide] >= 0.5)
    assert range_rates(recordings, 0.02, 0.5) == pytest.approx((miss, false_alarm), abs=1e-9)
    called = scores < 0.5
    precision, recall = np.mean(~bonafide[called]), np.mean(called[~bonafide])
    assert range_f1(recordings, 0.02, 0.5) == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-9)


def test_a_coarser_grid_takes_the_least():
    recording = Frames(
        [3, 2, 1, 0.5, 4],
        [Stretch(0, 3, bonafide=True), Stretch(3, 4, bonafide=False), Stretch(4, 5, bonafide=True)],
        5,
    )
    # Pairs: (2, bona fide), (0.5, spoof), and the last one alone (4, bona fide).
    assert segment_eer([recording], 1.0, grid_s=2.0) == 0.0
    assert segment_eer([recording, Frames([0.1], [Stretch(0, 1, bonafide=True)], 1)], 1.0, grid_s=2.0) > 0.0


def test_labels_are_rounded_to_frames():
    recording = Frames([0.0], [Stretch(0.1, 0.26, bonafide=False)], 0.5)
    assert segment_labels(recording, 0.1).tolist() == [True, False, False, True, True]
    assert segment_labels(recording, 0.01).sum() == 50 - 16


def test_silence_weighs_nothing_in_ranges():
    recording = Frames([1, -5, -1], [Stretch(0, 1, bonafide=True), Stretch(2, 3, bonafide=False)], 3)
    assert range_rates([recording], 1.0, 0.0) == (0.0, 0.0)


def test_the_last_frame_reaches_to_the_end():
    recording = Frames([1, -1], [Stretch(0, 1, bonafide=True), Stretch(1, 9, bonafide=False)], 9)
    assert range_rates([recording], 1.0, 0.0) == (0.0, 0.0)
    assert range_rates([recording], 1.0, -2.0) == (0.0, 1.0)


def test_refusals():
    recording = drawn(0)[0][0]
    with pytest.raises(ConfigError, match="does not fit frames"):
        segment_eer([recording], 0.02, grid_s=0.03)
    with pytest.raises(ConfigError, match="frame_s"):
        range_eer([recording], 0.0)
    with pytest.raises(ConfigError, match="threshold"):
        range_f1([recording], 0.02, np.nan)
    with pytest.raises(CorpusError, match="from 1 to 3 s in a recording"):
        Frames([0.0], [Stretch(1, 3, bonafide=True)], 2)
    with pytest.raises(CorpusError, match="no frame"):
        Frames([], [], 2)
