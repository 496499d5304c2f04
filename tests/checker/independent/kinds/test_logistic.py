"""Logistic losses of C17: what is so is accepted; each thing that can be wrong is refused, with its reason."""

from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.kinds.logistic import _sigmoid, _softplus
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.series import ONE, logarithm
from proof_of_absence.proofs import c17_other_losses
from tests.checker.changed import refused
from tests.conftest import SMALL

DROP = c17_other_losses.descent(
    c17_other_losses.LABELS_NET, c17_other_losses.LABELS_CIRCUIT, c17_other_losses.LABELS
).fact
FLOOR = c17_other_losses.descent(
    c17_other_losses.UNDECIDED_NET, c17_other_losses.UNDECIDED_CIRCUIT, c17_other_losses.UNDECIDED
).fact["facts"][0]
GROUP = {"kind": "logistic-group", "net": DROP["before"], "data": DROP["data"]}


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (DROP, "not lower by that much", [(["over"], str(Fraction(DROP["over"]) + Fraction(1, 2**20)))]),
        (DROP, "not lower by that much", [(["after"], DROP["before"])]),
        (DROP, "not positive", [(["over"], "0")]),
        (DROP, "neither 0 nor 1", [(["data", "targets", 0], ["1/2"])]),
        (DROP, r"the bias of unit \(1, 0\) differs", [(["after", 0, "bias", 0], "7")]),
        (DROP, "not idle", [(["before", 1, "weights", 0, 1], "2")]),
        (DROP, "circuit is empty", [(["circuit"], [])]),
        (FLOOR, "do not sum to 0", [(["net", 1, "bias", 0], "1/1000000000000000000000000000000000000")]),
        (FLOOR, "do not sum to 0", [(["data", "targets", 0], ["1"])]),
        (GROUP, "no such group", [(["net"], FLOOR["net"]), (["data"], FLOOR["data"])]),
    ],
)
def test_a_descent_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)


@given(st.one_of(SMALL, st.fractions(-110, 110), st.sampled_from([Fraction(1, 10**30), Fraction(-(10**9))])))
def test_bounds_hold_the_logistic_functions(f):
    with mpmath.workdps(120):
        x = mpmath.mpf(f.numerator) / f.denominator
        low, high = _softplus(f)
        assert low <= (max(x, 0) + mpmath.log1p(mpmath.exp(-abs(x)))) * ONE <= high
        below, above = (mpmath.mpf(b.numerator) / b.denominator for b in _sigmoid(f))
        assert below <= 1 / (1 + mpmath.exp(-x)) <= above
        assert high - low < ONE >> 90 and above - below < mpmath.mpf(2) ** -90


@given(st.integers(0, 2**70), st.integers(0, 2**20))
def test_bounds_hold_the_logarithm(above, wide):
    low, high = logarithm(ONE + (above << 130), ONE + (above << 130) + wide)
    with mpmath.workdps(120):
        x = mpmath.mpf(above << 130) / ONE
        assert low <= mpmath.log1p(x) * ONE <= high
        assert high - low < ONE >> 150
    with pytest.raises(Refused, match="below 1"):
        logarithm(ONE - 1, ONE)
