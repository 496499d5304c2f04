"""Dead, constant, varying: against brute force over Fraction, and at the edges where floats cannot tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit import idle
from proof_of_absence.checker.audit.findings import Activity
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.models.circuit import is_idle
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import any_nets, hidden_values


@given(any_nets(), st.sampled_from([1, 2, 512]))
def test_findings_are_those_of_brute_force(case, sample):
    net, inputs = case
    values = hidden_values(net, inputs)
    with pytest.MonkeyPatch.context() as patch:
        # A small sample sends more units through the later stages.
        patch.setattr(idle, "SAMPLE", sample)
        findings = unit_findings(net, inputs)
    assert [f.unit for f in findings] == [(k, j) for k, n in enumerate(net.widths[1:-1], 1) for j in range(n)]
    for finding in findings:
        layer, index = finding.unit
        column = [row[layer - 1][index] for row in values]
        expected = "varies" if len(set(column)) > 1 else "constant" if column[0] else "dead"
        assert finding.activity == expected
        assert finding.idle == is_idle(net.exact(), [finding.unit], inputs.tolist())
        assert (finding.witness is None) == (expected != "varies")
        if finding.witness:
            assert column[finding.witness[0]] != column[finding.witness[1]]


def one_unit(weights, bias):
    return FloatNet([([weights], [bias]), ([[1.0]], [0.0])])


def activity(net, inputs):
    return unit_findings(net, np.array(inputs, dtype=float))[0].activity


@pytest.mark.parametrize("scale", [1.0, 2.0**-1000, 2.0**900])
def test_one_ulp_from_idle(scale):
    # Of the floats nearest to 0.1, 0.2 and 0.3, the first two add up to 2^-55 more than the third:
    # exactly, not in floats.
    inputs = [[0.0, 0.0, 0.0], [0.1, 0.2, 0.3]]
    assert activity(one_unit([scale, scale, -scale], 0.0), inputs) is Activity.VARIES
    assert activity(one_unit([-scale, -scale, scale], 0.0), inputs) is Activity.DEAD


def test_denormal_weights_and_inputs():
    tiny = 2.0**-1074
    assert activity(one_unit([tiny], 0.0), [[0.0], [tiny]]) is Activity.VARIES
    assert activity(one_unit([tiny], -tiny), [[0.0], [1.0]]) is Activity.DEAD
    assert activity(one_unit([tiny], -tiny), [[0.0], [1 + 2.0**-52]]) is Activity.VARIES


def test_huge_sums_that_overflow():
    big = 1.7e308
    assert activity(one_unit([1.0, 1.0, -1.0, -1.0], 3.0), [[big] * 4, [-big] * 4]) is Activity.CONSTANT
    assert activity(one_unit([1.0, 1.0, -1.0, -1.0], 0.0), [[big] * 4, [-big] * 4]) is Activity.DEAD


def test_many_rows_with_one_exception():
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((20_000, 4))
    inputs[:, 3] = inputs[:, 2]
    net = FloatNet(
        [([[0, 0, 1.0, -1.0], [1.0, 0, 1.0, -1.0], [0, 0, -1.0, 1.0]], [0.5, -20.0, 0.0]), (np.ones((1, 3)), [0])]
    )
    assert [str(f.activity) for f in unit_findings(net, inputs)] == ["constant", "dead", "dead"]
    inputs[12_345, 3] = np.nextafter(inputs[12_345, 3], np.inf)
    found = unit_findings(net, inputs)
    assert [str(f.activity) for f in found] == ["varies", "dead", "varies"]
    assert all(12_345 in f.witness for f in found if f.witness)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((0, 1)), r"inputs of shape \(0, 1\): the net reads rows of 1 numbers"),
        (np.zeros((2, 2)), r"shape \(2, 2\)"),
        (np.zeros(2), r"shape \(2,\)"),
        ([[np.nan]], "hold NaN or infinity"),
        (np.array([[2**53 + 1]]), "not all float64 numbers"),
    ],
)
def test_bad_inputs_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        unit_findings(one_unit([1.0], 0.0), inputs)
