from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest

from glottis.detector.crew import Crew


def test_an_offer_is_taken_only_where_a_place_is_free():
    go = threading.Event()
    with Crew(2) as crew:

        def file():
            taken = crew.offer(go.wait)
            refused = crew.offer(go.wait)
            go.set()
            return taken.result(), refused

        assert crew.do(file) == (True, None)
        assert crew.do(crew.offer, str, 7).result() == "7"


def test_never_more_at_work_than_places():
    at_work, most, lock = 0, 0, threading.Lock()

    def work(offers):
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.001)
        given = [crew.offer(work, 0) for _ in range(offers)]
        with lock:
            at_work -= 1
        return given

    with Crew(3) as crew:
        files = [crew.start(work, 2) for _ in range(20)]
        for file in files:
            for window in filter(None, file.result()):
                window.result()
    assert most == 3


def test_an_error_of_a_window_gives_its_place_back():
    with Crew(1) as crew:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                crew.offer(lambda: 1 / 0).result()


def test_who_leaves_does_not_wait_for_what_has_not_begun():
    began, go = threading.Event(), threading.Event()

    def file():
        began.set()
        go.wait()
        return crew.left

    with Crew(1) as crew:
        first, second = crew.start(file), crew.start(file)
        began.wait()
        threading.Timer(0.05, go.set).start()
    assert first.result()
    with pytest.raises(CancelledError):
        second.result()
