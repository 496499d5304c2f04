"""Norms (C25): what is so is accepted, each thing that can be wrong refused, random nets judged as by oracles."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import c25_norms, facts
from tests.checker.changed import accepted, refused
from tests.checker.independent.kinds import norms as oracle
from tests.conftest import SMALL, vectors

ONE = facts.path_norm_minimum(c25_norms.ONE_UNIT, c25_norms.ZIGZAG, Fraction(1))
TWO = facts.path_norm_minimum(c25_norms.TWO_UNITS, c25_norms.LINE, Fraction(1))
DECAYED = c25_norms._minimiser().fact["facts"][1]


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (ONE, "the path norm is 1, above 1/2", [(["most"], "1/2")]),
        (ONE, "product with the outputs: stated 1/2, recomputed 1", [(["most"], "2")]),
        (ONE, "do not sum to 0", [(["net", 1, "bias", 0], "0")]),
        (ONE, "do not sum to 0", [(["data", "targets", 0, 0], "1")]),
        (TWO, "product with the outputs", [(["net", 0, "bias", 0], "-2"), (["net", 1, "bias", 0], "-1/2")]),
        (TWO, "not a shallow net of one input", [(["net", 0, "weights"], [["1", "0"], ["1", "0"]])]),
        (TWO, "not on the line", [(["data", "targets"], [["0", "0"]] * 4)]),
        (DECAYED, "the gain: stated 0", [(["gain"], "0")]),
        (DECAYED, "the difference: stated 0", [(["difference"], "0")]),
        (DECAYED, "the bound: stated 0", [(["bound"], "0")]),
        (DECAYED, "the gain", [(["biases"], False)]),
        (DECAYED, "the bound", [(["row"], 1), (["away"], "2")]),
        (DECAYED, "farther away", [(["away"], "99/100")]),
        (DECAYED, "farther away", [(["row"], 0)]),
        (DECAYED, "the distance negative", [(["away"], "-1")]),
        (DECAYED, "penalty is not positive", [(["penalty"], "0")]),
        (DECAYED, "no such row", [(["row"], 3)]),
        (DECAYED, "no such row", [(["row"], -1)]),
        (DECAYED, "no such row", [(["biases"], 1)]),
    ],
)
def test_another_norm_or_another_bound_is_refused(fact, match, changes):
    refused(fact, match, *changes)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=1, max_size=2),
    st.lists(st.tuples(st.integers(0, 3), SMALL), min_size=1, max_size=5),
    st.sampled_from([0, 0, 0, 1]),
)
def test_a_minimum_within_a_path_norm_is_judged_as_by_derivatives(units, rows, slack):
    data = Dataset([[z] for z, _ in rows], [[y] for _, y in rows])
    bare = shallow([([w], b, [a]) for w, b, a in units], [0])
    mean = sum((r for (r,) in data.residuals(bare)), start=Fraction(0)) / len(data)
    net = shallow([([w], b, [a]) for w, b, a in units], [mean])
    fact = facts.path_norm_minimum(net, data, oracle.path_norm(net) + slack)
    assert accepted(fact) == oracle.path_norm_minimum(fact)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=1, max_size=3), SMALL)
def test_no_net_within_the_norm_is_below_a_minimum(units, shift):
    for net, data in ((c25_norms.ONE_UNIT, c25_norms.ZIGZAG), (c25_norms.TWO_UNITS, c25_norms.LINE)):
        other = shallow([([w], b, [a]) for w, b, a in units], [shift])
        norm = oracle.path_norm(other)
        scaled = shallow([([w], b, [a / max(norm, 1)]) for w, b, a in units], [shift])
        assert data.loss(net) <= data.loss(scaled)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 2), st.booleans())
def test_two_nets_compare_as_by_the_definitions_and_as_c25_says(data, d, biases):
    units = st.lists(st.tuples(vectors(d), SMALL, vectors(1)), min_size=1, max_size=2)
    net, base = (shallow(data.draw(units), data.draw(vectors(1))) for _ in range(2))
    inputs = data.draw(st.lists(vectors(d), min_size=1, max_size=3))
    examples = Dataset(inputs, [data.draw(vectors(1)) for _ in inputs])
    z, x = examples.inputs[0], vector(data.draw(vectors(d)))
    away = sum((abs(a - b) for a, b in zip(x, z, strict=True)), start=Fraction(0))
    penalty = data.draw(st.fractions(Fraction(1, 9), 3, max_denominator=9))
    fact = facts.decay_bound(net, base, examples, penalty, (0, x), away, biases=biases)
    check_fact(fact)
    assert oracle.decay_bound(fact)
    assert Fraction(fact["gain"]) < 0 or Fraction(fact["difference"]) <= Fraction(fact["bound"])
