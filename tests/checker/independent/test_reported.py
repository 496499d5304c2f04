"""Numbers of a report: read as they were written, however long, and refused in any other form."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit.findings import Enclosure
from proof_of_absence.checker.audit.report.json_report import encode
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.reported import bounds, exact, rational, require_same

NUMBERS = st.fractions() | st.floats(allow_nan=False, allow_infinity=False).map(Fraction)


@given(NUMBERS, NUMBERS)
def test_what_is_written_is_read(one, other):
    assert exact(encode(one)) == one
    low, high = sorted([one, other])
    assert bounds(encode(Enclosure(low, high))) == (low, high)


@given(NUMBERS, st.sampled_from(["exact", "approximate"]), st.integers(1, 9))
def test_another_number_is_another_or_refused(number, part, by):
    one, other = encode(number), encode(number + by)
    if one["approximate"] != other["approximate"]:
        with pytest.raises(Refused):
            exact(one | {part: other[part]})


@pytest.mark.parametrize("number", [Fraction(10**9000 + 7, 3), Fraction(-1, 7**6000), Fraction(10**4000)])
def test_more_digits_than_python_reads_at_a_time(number):
    assert exact(encode(number)) == number


@pytest.mark.parametrize(
    "text", ["2/4", "1/1", "-0", "+1", "01", "1/0", "1.5", "1e3", " 1", "1 ", "", "١", None, 1, "1/-2"]
)
def test_other_forms_are_refused(text):
    with pytest.raises(Refused):
        rational(text)


def test_crossed_bounds_are_refused():
    with pytest.raises(Refused, match="crossed"):
        bounds({"low": "1", "high": "0", "approximate": 0.5})


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (1, 1.0), ([1], [True])])
def test_a_truth_value_is_no_number(one, other):
    with pytest.raises(Refused, match="another type"):
        require_same("it", one, other)
