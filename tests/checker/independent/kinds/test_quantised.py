"""The least net of a grid: accepted exactly if there is no better one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.n7_quantised import BINARY, TERNARY, coarse, least_in_class
from tests.checker.changed import accepted
from tests.checker.independent.kinds import quantised as oracle

signs = st.sampled_from(BINARY)


@settings(max_examples=60, deadline=None)
@given(st.lists(signs, min_size=4, max_size=4), st.lists(st.integers(-1, 2), min_size=3, max_size=3))
def test_least_on_a_grid_is_judged_as_the_definition_does(parameters, targets):
    net = Architecture((1, 1, 1)).net(parameters)
    fact = least_in_class(net, Dataset([[0], [1], [2]], [[y] for y in targets]), BINARY)
    assert accepted(fact) == oracle.least_in_class(fact)


@settings(max_examples=30, deadline=None)
@given(st.lists(signs, min_size=6, max_size=6), st.lists(st.integers(-1, 1), min_size=6, max_size=6))
def test_the_same_for_two_outputs(parameters, targets):
    net = Architecture((1, 1, 2)).net(parameters)
    data = Dataset([[0], [1], [2]], [targets[:2], targets[2:4], targets[4:]])
    assert accepted(fact := least_in_class(net, data, BINARY)) == oracle.least_in_class(fact)


LEAST = least_in_class(coarse(TERNARY, 1).net, coarse(TERNARY, 1).data, TERNARY)


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("a net of the class has a lower loss", {"data": data_json(Dataset([[0], [1]], [[0], [1]]))}),
        ("the grid lists a value twice", {"grid": ["-1", "0", "1", "0"]}),
        ("the grid lists a value twice, or none", {"grid": []}),
        ("is not on the grid", {"grid": ["0", "1"]}),
        ("too many nets", {"grid": [str(v) for v in range(-9, 10)]}),
        ("a net of the class has a lower loss", {"grid": ["-1", "-1/2", "0", "1/2", "1"]}),
        ("not a shallow net", {"net": net_json(MLP((Affine([[1]], [0]),)))}),
    ],
)
def test_a_least_net_that_is_not_so(match, changes):
    check_fact(LEAST)
    with pytest.raises(Refused, match=match):
        check_fact(LEAST | changes)
