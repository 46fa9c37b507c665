"""Long recordings by rule: of one source and one label, or a short fake inside a real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from glottis.corpora import LongRecording, long_recordings, read_trials
from glottis.testing import tiny_corpus
from glottis.verdict import Label

RATE_HZ = 16_000
SECONDS = 10.0


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_corpus(tmp_path_factory.mktemp("corpus"), clips=5)


def built(table: Path, **settings: object) -> list[LongRecording]:
    trials = read_trials(table, split="dev")
    return list(long_recordings(table.parent, trials, SECONDS, sample_rate_hz=RATE_HZ, **settings))  # type: ignore[arg-type]


def test_each_source_gives_one_of_each_label_and_a_splice(table: Path) -> None:
    made = [(one.source, one.label, one.splice_s is not None) for one in built(table)]
    for source in ("dev-1", "dev-2"):
        assert [m[1:] for m in made if m[0] == source] == [
            (Label.BONAFIDE, False),
            (Label.SPOOF, True),
            (Label.SPOOF, False),
        ]


def test_all_have_the_wanted_length(table: Path) -> None:
    assert {len(one.samples) for one in built(table)} == {round(SECONDS * RATE_HZ)}


def test_a_splice_differs_from_the_real_recording_only_between_its_ends(table: Path) -> None:
    real, splice = built(table)[:2]
    assert splice.splice_s is not None
    start, end = (round(at_s * RATE_HZ) for at_s in splice.splice_s)
    assert 1.0 <= (end - start) / RATE_HZ <= 4.0
    np.testing.assert_array_equal(splice.samples[:start], real.samples[:start])
    np.testing.assert_array_equal(splice.samples[end:], real.samples[end:])
    assert not np.array_equal(splice.samples[start:end], real.samples[start:end])


def test_the_same_seed_builds_the_same_and_another_another(table: Path) -> None:
    first, again, other = (built(table, seed=seed)[1].samples for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_source_with_too_few_clips_gives_none(tmp_path: Path) -> None:
    assert built(tiny_corpus(tmp_path, clips=4)) == []


def test_splices_can_be_left_out(table: Path) -> None:
    assert all(one.splice_s is None for one in built(table, splices=False))
