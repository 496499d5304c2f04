"""What the outputs read: what an audit finds is so and accepted, by exact numbers and by bounds; edits are refused."""

import json
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proof_of_absence.checker.graph.readout as limits
from proof_of_absence.checker.graph.certify import Audited, facts_of
from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.graph.features import NoEnd, end_of
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.graph import decide
from proof_of_absence.checker.independent.values.graph_end import end_of as own_end
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Concat, Conv, Dense, Rearrange, Relu
from proof_of_absence.models.objective import Objective
from proof_of_absence.models.windows import Window
from tests.checker.changed import changed
from tests.checker.independent.kinds import graph_readout as oracle
from tests.checker.independent.kinds.test_graph_idle import accepted, changes, subject
from tests.graphs import LAYERS, graphs

NOTHING = Objective(None, None, "")
KINDS = ("graph-readout", "graph-together")


def audited(net, train, deploy):
    """The audit, the facts of both kinds, and what the checker has of the rest."""
    audit = examine(net, train, NOTHING, deploy=deploy)
    facts, _ = facts_of(Audited(audit, net, train, deploy=deploy))
    factor = audit.end.readout.factor if audit.end and audit.end.readout else None
    known = subject(net, train, deploy=deploy, factor=factor)
    own = json.loads(json.dumps(facts))
    decide(known, own)
    return audit, {fact["kind"]: fact for fact in own if fact["kind"] in KINDS}, known


def twin(between=None, last=None):
    """Units 0 and 1 are one, read with opposite weights; 2 is dead in training, 3 is free."""
    first = Dense([[1.0, 0], [2, 0], [-1, -1], [0, 1]], [0, 0, 0, 0])
    nodes = [Node(first, (0,)), Node(Relu(), (1,), "r"), *([Node(between, (2,))] if between else [])]
    return Graph((2,), [*nodes, Node(last or Dense([[2.0, -1, 1, 1]], [0.5]), (len(nodes),))])


ROWS = np.array([[1.0, 2], [3, 1], [2, 0], [4, 4], [0.5, 3]])
THERE = np.array([[1.0, 1], [-3, 1], [10, -20], [1, -2]])


@pytest.mark.parametrize("exactly", [True, False], ids=["exact", "bounds"])
def test_twins_are_idle_together_and_free_where_a_dead_unit_fires(exactly, monkeypatch):
    if not exactly:
        monkeypatch.setattr(limits, "SMALL", 0)
    audit, facts, _ = audited(twin(), ROWS, THERE)
    (one,) = audit.end.together
    assert one.features == (0, 1) and one.fires == () and "1 set of features is idle only together" in audit.findings
    assert audit.end.readout.independent and (audit.end.readout.factor is None) == exactly
    free = [entry.get("free") is not None for entry in facts["graph-readout"]["rows"]["deployment"]]
    assert free == [False, True, True, True] and audit.undecided == ()
    parts = {"training": ROWS, "deployment": THERE}
    assert oracle.graph_readout(twin(), parts, facts["graph-readout"])
    assert oracle.graph_together(twin(), parts, facts["graph-together"])


def test_a_set_fires_where_its_share_is_no_longer_constant():
    net = Graph((1,), [Node(Dense([[1.0], [1.0]], [0, -5]), (0,)), Node(Relu(), (1,), "r"),
                       Node(Dense([[-1.0], [1.0]], [0, 0]), (0,)), Node(Concat(0), (2, 3), "both"),
                       Node(Dense([[1.0, 1.0, 1.0, 3.0]], [0.0]), (4,))])  # fmt: skip
    audit, facts, _ = audited(net, np.array([[1.0], [2], [3]]), np.array([[4.0], [-2], [7]]))
    assert (0, 2) in [one.features for one in audit.end.together]
    (first,) = [one for one in facts["graph-together"]["sets"] if one["features"] == [0, 2]]
    assert first["fires"] == [1]


@pytest.mark.parametrize("between", [Rearrange([3, 1, 0, 2]), Rearrange([[0, 1], [2, 3]]), Rearrange([0, 1, 2, 2])])
def test_ends_are_seen_through_what_rearranges_all_entries(between):
    last = Conv([[[[1.0, 2], [3, 4]]]], [0.0], Window((2, 2), (1, 1))) if between.index.ndim == 2 else None
    if last is not None:
        between = Rearrange(between.index[None])
    net = twin(between, last)
    node, weights = oracle.end(net)
    for found in ((end_of(net).node, end_of(net).weights), own_end(subject(net, ROWS).graph)):
        assert found[0] == node and (found[1] == weights).all()
    assert (node == 2) == (between.index.size == len(set(between.index.reshape(-1).tolist())))
    audited(net, ROWS, THERE)


@settings(max_examples=80, deadline=None)
@given(graphs(kinds=("halves", "near"), most=6), st.booleans(), st.data())
def test_what_is_found_is_so_and_accepted(problem, exactly, data):
    net, rows = problem
    rows = np.vstack([rows, np.roll(rows, 1, axis=1), rows / 2])
    count = data.draw(st.integers(1, len(rows)))
    with pytest.MonkeyPatch.context() as patch:
        if not exactly:
            patch.setattr(limits, "SMALL", 0)
        audit, facts, _ = audited(net, rows[:count], rows[-2:])
    parts = {"training": rows[:count], "deployment": rows[-2:]}
    if oracle.end(net) is None:
        assert audit.end is None and audit.unpriced
        return
    if "graph-readout" in facts and net.sizes[oracle.end(net)[0]] < 8:
        assert oracle.graph_readout(net, parts, facts["graph-readout"])
    if "graph-together" in facts:
        assert oracle.graph_together(net, parts, facts["graph-together"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from([-1.0, 0, 1, 2]), min_size=2, max_size=2), min_size=2, max_size=5), st.data())
def test_sets_are_those_of_brute_force(hidden, data):
    count = len(hidden)
    outgoing = st.lists(st.sampled_from([-1.0, 0, 1, 2]), min_size=count, max_size=count)
    weights = data.draw(st.lists(outgoing, min_size=1, max_size=2))
    net = Graph((2,), [Node(Dense(hidden, [0.0] * count), (0,)), Node(Relu(), (1,), "r"),
                       Node(Dense(weights, [0.0] * len(weights)), (2,))])  # fmt: skip
    rows = np.array(data.draw(st.lists(st.tuples(*[st.integers(-2, 2)] * 2), min_size=2, max_size=6)), dtype=float)
    audit, _, _ = audited(net, rows, THERE)
    table = oracle.features(net, rows, 2)
    there = [j for j in range(count) if any(w[j] for w in weights) and len({row[j + 1] for row in table}) > 1]
    still = [set(one) for size in range(2, count + 1) for one in combinations(there, size)
             if len(set(oracle.sent(net, rows, one))) == 1]  # fmt: skip
    least = [one for one in still if not any(other < one for other in still)]
    assert sorted(map(sorted, least)) == sorted(list(one.features) for one in audit.end.together)
    assert not any("together" in line for line in audit.undecided)


@settings(max_examples=40, deadline=None)
@given(graphs(names=("BatchNorm", "Relu", *LAYERS)))
def test_with_roots_what_is_found_is_accepted(problem):
    net, rows = problem
    audited(net, rows, rows[::-1] + 1)


def test_roots_do_not_hinder_prices():
    norm = BatchNorm([1, 1, 1], [0, 0, 0], [2, 3, 5], [0, 0, -9])
    net = Graph((1, 3), [Node(Rearrange([[0], [1], [2]]), (0,)), Node(norm, (1,)), Node(Relu(), (2,), "r"),
                         Node(Rearrange([0, 1, 2]), (3,)), Node(Dense([[1.0, 2, 3]], [0.0]), (4,))])  # fmt: skip
    rows = np.array([[1.0, 2, 3], [2, 1, 0], [4, 4, 4], [0, 1, 5]])
    audit, facts, _ = audited(net, rows, np.array([[1.0, 1, 1], [0, 0, 90]]))
    assert audit.end.readout.independent and audit.end.readout.factor is not None and audit.undecided == ()
    assert [entry.get("free") for entry in facts["graph-readout"]["rows"]["deployment"]] == [None, 0]


def test_more_features_than_inputs_are_no_pass():
    audit, facts, _ = audited(twin(), ROWS[:2], THERE[:1])
    assert not audit.end.readout.independent or audit.end.readout.readout.directions
    rng = np.random.default_rng(0)
    net = Graph((3,), [Node(Dense(rng.normal(size=(9, 3)), rng.normal(size=9)), (0,)), Node(Relu(), (1,), "r"),
                       Node(Dense(rng.normal(size=(2, 9)), [0, 0]), (2,))])  # fmt: skip
    audit, facts, _ = audited(net, rng.normal(size=(5, 3)) + 5, rng.normal(size=(2, 3)))
    assert "graph-readout" in facts and audit.end.together == ()


def _at(fact, path):
    for key in path:
        fact = fact[key]
    return fact


@pytest.mark.parametrize("exactly", [True, False], ids=["exact", "bounds"])
def test_every_edit_is_refused_or_so(exactly, monkeypatch):
    if not exactly:
        monkeypatch.setattr(limits, "SMALL", 0)
    _, facts, known = audited(twin(), ROWS, THERE)
    parts, refused = {"training": ROWS, "deployment": THERE}, 0
    says = {"graph-readout": oracle.graph_readout, "graph-together": oracle.graph_together}
    for kind, fact in facts.items():
        for path, value in changes(fact):
            if _at(fact, path) == value and type(_at(fact, path)) is type(value):
                continue
            other = changed(fact, path, value)
            if accepted(lambda pair, one: decide(pair, [one]), known, other):
                assert says[kind](twin(), parts, other), (path, value)
            else:
                refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("kind", "parts", "match"),
    [
        ("graph-readout", {"layer": 1}, "the node that the outputs read"),
        ("graph-readout", {"independent": 1}, "neither true nor false"),
        ("graph-together", {"node": 0}, "the node that the outputs read"),
        ("graph-together", {"sets": []}, "there are no sets"),
        ("graph-together", {"sets": [{"features": [0, 3], "fires": [], "witness": [[0, 1], [0, 1]]}]}, "has not"),
        ("graph-together", {"sets": [{"features": [0, 1], "fires": [1], "witness": [[0, 1]] * 2}]}, "fires where"),
        ("graph-together", {"sets": [{"features": [0, 1], "fires": [], "witness": [[0, 0]] * 2}]}, "has one value"),
        ("graph-together", {"sets": [{"features": [2], "fires": [], "witness": [[0, 1]]}]}, "does not vary"),
    ],
)
def test_another_statement_is_refused(kind, parts, match):
    _, facts, known = audited(twin(), ROWS, THERE)
    with pytest.raises(Refused, match=match):
        decide(known, [facts[kind] | parts])


def test_independence_that_no_factor_shows_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "SMALL", 0)
    _, facts, known = audited(twin(), ROWS, THERE)
    known.factor = known.factor[:, :1]
    with pytest.raises(Refused):
        decide(known, [facts["graph-readout"]])


def test_a_graph_without_such_an_end_says_so():
    net = Graph((2,), [Node(Dense([[1.0, 0], [0, 1]], [0, 0]), (0,)), Node(Relu(), (1,), "r")])
    audit = examine(net, ROWS, NOTHING, deploy=THERE)
    assert audit.end is None and "not those of one affine map" in audit.unpriced
    with pytest.raises(NoEnd):
        end_of(net)
