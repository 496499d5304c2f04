"""The HTML report: one well-formed file from the JSON alone, nothing loaded, nothing run, whatever the names say."""

import json
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from proof_of_absence.checker.audit.findings import RegionFinding
from proof_of_absence.checker.audit.report.html_report import page, page_of
from proof_of_absence.checker.audit.report.json_report import to_json
from proof_of_absence.models.circuit import Unit
from tests.checker.audit.audits import audits, planted, wide

EMPTY = {"meta", "link", "img", "br", "input", "hr"}
ATTACK = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}'</title>"


class Reader(HTMLParser):
    """Elements, attributes and text of a page; complains where an element is not closed."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], Counter(), [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@settings(max_examples=25)
@given(audits())
def test_any_report_gives_a_well_formed_page_that_loads_nothing(audit):
    text = page(json.loads(json.dumps(to_json(audit))))
    assert page_of(audit) == text
    read = Reader(text)
    assert not read.tags.keys() & {"script", "link", "img", "iframe", "object", "form"}
    for tag, name, value in read.attributes:
        assert not name.startswith("on") and name not in ("src", "action")
        if name == "href":
            assert tag == "a" and value.startswith("#")
    ids = Counter(value for _, name, value in read.attributes if name == "id")
    assert max(ids.values()) == 1
    for _, name, value in read.attributes:
        if name in ("aria-labelledby",):
            assert set(value.split()) <= ids.keys()
        if name == "href":
            assert value[1:] in ids


def test_names_from_outside_stay_text():
    audit = planted(ATTACK)
    region = RegionFinding((Unit(1, 3),), ATTACK, "unknown", ATTACK)
    change = replace(audit.improvement, file=ATTACK)
    audit = replace(
        audit, data=replace(audit.data, source=ATTACK), regions=(region,), undecided=(ATTACK,), improvement=change
    )
    read = Reader(page(to_json(audit)))
    assert not read.tags.keys() & {"script", "img"}
    assert not any(name == "onerror" for _, name, _ in read.attributes)
    assert sum(ATTACK in text for text in read.text) >= 5


def test_every_picture_says_what_it_shows():
    text = page(to_json(planted()))
    read = Reader(text)
    assert read.tags["svg"] == read.tags["figcaption"] == read.tags["desc"] == 5
    assert "Layers of 2, 6, 1 units, 6 of them hidden, 3 of them in train-idle circuits." in read.text
    assert "Loss before: 0.333333; Loss after: 0.25; Noise floor: 0.111111 to 0.222223" in read.text
    assert "row 0: 1; row 1: 0; row 2: 1; row 3: 0; row 4: 0" in read.text
    assert ("html", "lang", "en") in read.attributes


@pytest.mark.parametrize("width", [50, 2000])
def test_wide_nets_are_summarised(width):
    text = page(to_json(wide(width)))
    assert len(text) < 200_000
    assert f"{width - 16} not drawn" in text


def test_what_is_no_report_is_refused():
    with pytest.raises(ValueError, match="format is 'other'"):
        page(to_json(planted()) | {"format": "other"})
