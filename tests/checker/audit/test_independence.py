"""Full rank and dependencies of a layer's features against exact elimination over Q."""

from fractions import Fraction

import numpy as np
from hypothesis import given

from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.independence import rank_findings, rest_findings
from proof_of_absence.checker.numbers.linear_algebra import rank
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import any_nets, hidden_values


def columns(net, inputs, layer):
    return [[Fraction(1), *row[layer - 1]] for row in hidden_values(net, inputs)]


@given(any_nets())
def test_findings_agree_with_elimination(case):
    """Of the units that send something; the others are left out."""
    net, inputs = case
    found = {finding.layer: finding for finding in rank_findings(net, inputs)}
    above = enumerate(net.exact().layers[1:], 1)
    sending = {layer: [j for j, column in enumerate(zip(*a.weights, strict=True)) if any(column)] for layer, a in above}
    assert set(found) == {layer for layer, members in sending.items() if members}
    for finding in found.values():
        every, members = columns(net, inputs, finding.layer), sending[finding.layer]
        table = [[row[0], *(row[1 + j] for j in members)] for row in every]
        assert finding.columns == len(table[0])
        assert finding.units in ((tuple(members),) if finding.full and len(members) < len(every[0]) - 1 else (None,))
        assert finding.full == (rank(table) == finding.columns)
        if finding.full:
            assert len(finding.rows) == finding.columns
            assert rank([table[i] for i in finding.rows]) == finding.columns
        elif finding.dependency:
            assert any(finding.dependency)
            assert not any(sum(v * x for v, x in zip(finding.dependency, row, strict=True)) for row in every)
            assert not any(v for j, v in enumerate(finding.dependency[1:]) if j not in members)
        else:
            assert finding.distinct_inputs == len(set(map(tuple, inputs.tolist()))) < finding.columns


def test_a_relation_among_many_rows():
    rng = np.random.default_rng(1)
    inputs, weights = rng.standard_normal((3000, 6)), rng.standard_normal((20, 6))
    bias = rng.standard_normal(20)
    net = FloatNet([(weights, bias), (np.ones((1, 20)), [0.0])])
    (full,) = rank_findings(net, inputs)
    assert full.full and len(full.rows) == 21
    # Both active on all the data, so they differ by a constant there.
    weights[3], bias[3] = weights[4], 60.0
    bias[4] = 50.0
    net = FloatNet([(weights, bias), (np.ones((1, 20)), [0.0])])
    (broken,) = rank_findings(net, inputs)
    assert broken.full is False
    assert {i: v for i, v in enumerate(broken.dependency) if v} == {0: 10, 4: -1, 5: 1}


@given(any_nets())
def test_the_rest_is_independent_where_it_says_so(case):
    net, inputs = case
    units = unit_findings(net, inputs)
    found = {finding.layer: finding for finding in rest_findings(net, inputs, units)}
    for layer, width in enumerate(net.widths[1:-1], 1):
        rest = [u.unit.index for u in units if u.unit.layer == layer and not u.idle]
        if not rest or len(rest) == width:
            assert layer not in found
            continue
        table = [[row[0], *(row[1 + j] for j in rest)] for row in columns(net, inputs, layer)]
        assert (rank(table) == len(rest) + 1) == (layer in found)
        if layer in found:
            assert found[layer].units == tuple(rest)
            assert rank([table[i] for i in found[layer].rows]) == len(rest) + 1 == len(found[layer].rows)


def test_distinct_rows_know_one_zero():
    assert distinct_rows(np.array([[0.0], [-0.0], [1.0], [0.0]])).tolist() == [0, 2]
