from __future__ import annotations

import threading
import time

import pytest

from glottis.cli.apart import apart


def test_the_same_results_in_the_same_order():
    assert list(apart(iter(range(100)))) == list(range(100))
    assert list(apart(iter([]))) == []
    assert list(apart(iter([None, None]))) == [None, None]


def test_on_another_thread():
    def names():
        yield threading.current_thread().name

    assert list(apart(names())) == ["glottis-results"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_errors_come_after_the_results_before_them(kind):
    def results():
        yield 1
        raise kind("oops")

    have = apart(results())
    assert next(have) == 1
    with pytest.raises(kind, match="oops"):
        next(have)


def test_at_most_two_are_made_ahead():
    made = []

    def results():
        for number in range(100):
            made.append(number)
            yield number

    have = apart(results())
    next(have)
    time.sleep(0.05)
    assert len(made) <= 3
    have.close()


def test_the_other_thread_ends_when_nobody_waits_any_more():
    closed = threading.Event()

    def results():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    have = apart(results())
    next(have)
    have.close()
    assert closed.wait(5)
