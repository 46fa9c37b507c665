"""The report: one file that needs nothing else."""

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from glottis.errors import MissingExtra
from glottis.evaluation.compare import compare
from glottis.evaluation.evaluate import evaluate
from glottis.evaluation.report import html_report


class Page(HTMLParser):
    """What a page asks for, its open tags, and its text."""

    def __init__(self, text):
        super().__init__()
        self.asks, self.open, self.text, self.tags = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.asks += [value for name, value in attrs if name in {"src", "href", "xlink:href", "action"}]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.asks += [value for name, value in attrs if name in {"src", "href", "xlink:href"}]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(made):
    systems = [made("one"), made("two <b>", seed=5)]
    evaluations = [evaluate(one, by=["attack", "duration_s"], groups="speaker", resamples=20) for one in systems]
    return html_report(evaluations, compare(systems, resamples=20))


def test_it_asks_for_nothing_from_elsewhere(page):
    read = Page(page)
    assert all(ask.startswith("#") for ask in read.asks)
    assert "script" not in read.tags
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_its_tags_are_closed(page):
    assert Page(page).open == []


def test_it_has_every_section_and_picture(page):
    read = Page(page)
    for text in ("Figures", "Curves", "Are they different?", "By attack", "By duration_s", "Worst trials", "oracle"):
        assert text in read.text
    assert read.tags.count("svg") == 6
    assert "spoof trials accepted, %" in read.text


def test_names_are_no_markup(page):
    assert "two <b>" not in page
    assert "two &lt;b&gt;" in page


def test_notices_are_shown(trials):
    said = replace(trials, notices=("3 of 9 trials have no score",))
    assert "3 of 9 trials have no score" in html_report([evaluate(said, resamples=20)])


def test_constant_scores_make_a_report_too(trials):
    flat = replace(trials, scores=trials.scores * 0)
    assert "<svg" in html_report([evaluate(flat, resamples=20)])


def test_without_matplotlib(trials, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra) as caught:
        html_report([evaluate(trials, resamples=20)])
    assert "glottis[plots]" in caught.value.hint
