"""The JSON report: it fits its schema whatever the audit, loses nothing, and the schema refuses what is no report."""

import copy
import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from proof_of_absence.checker.audit.findings import Enclosure
from proof_of_absence.checker.audit.report.json_report import (
    decode,
    encode,
    exact_text,
    from_json,
    schema_text,
    short,
    to_json,
)
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.audits import audits, planted

PLANTED = planted()
SCHEMA = Draft202012Validator(json.loads(schema_text()))


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA.schema)


@settings(max_examples=100)
@given(audits())
def test_every_report_fits_the_schema_and_gives_the_audit_back(audit):
    report = to_json(audit)
    text = json.dumps(report, allow_nan=False)
    SCHEMA.validate(json.loads(text))
    assert from_json(json.loads(text)) == audit
    assert report["exit_code"] == (1 if audit.findings else 3 if audit.undecided else 0)


@given(audits(), st.data())
def test_the_schema_refuses_a_report_with_a_part_missing_or_strange(audit, data):
    report = to_json(audit)
    name = data.draw(st.sampled_from(sorted(report)))
    missing = {key: value for key, value in report.items() if key != name}
    assert not SCHEMA.is_valid(missing)
    assert not SCHEMA.is_valid(report | {"more": 1})
    assert not SCHEMA.is_valid(report | {"scope": "universal"})
    rounded = copy.deepcopy(report)
    rounded["data"]["loss"] = 0.25
    assert not SCHEMA.is_valid(rounded)


def test_what_is_no_report_is_refused():
    report = to_json(PLANTED)
    with pytest.raises(ValueError, match="format is 'x', this program reads 'absence-audit/1'"):
        from_json(report | {"format": "x"})
    del report["units"]
    with pytest.raises(ValueError, match="no audit report: KeyError"):
        from_json(report)


@given(st.fractions(), st.integers(-6000, 6000))
def test_exact_numbers_of_any_length(value, power):
    value *= Fraction(10) ** power
    assert decode(Fraction, encode(value)) == value
    assert decode(Enclosure, encode(Enclosure(value, value + 1))) == Enclosure(value, value + 1)
    near = encode(value)["approximate"]
    assert near is None or (near == float(value) and bool(near) == bool(value))


@given(st.fractions())
def test_short_is_the_number_to_six_digits(value):
    assert abs(Fraction(short(value)) - value) <= abs(value) / 100000


def test_short_of_what_no_float_holds():
    assert (short(Fraction(-(10**5000))), short(Fraction(0)), short(Fraction(1, 3 * 10**9))) == (
        "-1e5000",
        "0",
        "3.33333e-10",
    )
    assert exact_text(Fraction(1, 10**4999)) == "1/1" + 4999 * "0"


def test_nets_keep_every_bit():
    net = FloatNet([([[0.1, -(2.0**-1074)]], [1e308])], np.float64)
    again = decode(FloatNet, json.loads(json.dumps(encode(net))))
    assert again.dtype == net.dtype
    assert all((a == b).all() for x, y in zip(net.layers, again.layers, strict=True) for a, b in zip(x, y, strict=True))


def test_a_file_name_that_is_no_text():
    audit = replace(PLANTED, net=replace(PLANTED.net, source="\udcff.onnx"))
    assert to_json(audit)["net"]["source"] == "\\udcff.onnx"
