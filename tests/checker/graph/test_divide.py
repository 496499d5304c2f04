"""Units that bounds leave open over a box, decided by dividing it: against z3, and on cases at the very boundary."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.graph import divide
from proof_of_absence.checker.graph.certify import Audited, facts_of
from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.independent.kinds.graph_idle import graph_idle
from proof_of_absence.checker.independent.kinds.graph_irrelevant import graph_irrelevant
from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.checker.passes.graph_forms import ROOT, Limits
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Sum,
)
from proof_of_absence.models.objective import NO_TARGETS, Objective
from proof_of_absence.models.windows import Window
from tests import solved
from tests.checker.independent.kinds.test_graph_idle import NAMES, subject
from tests.graphs import graphs

NOTHING = Objective(None, None, NO_TARGETS)


def box_of(*ends):
    return Region("box", tuple((Fraction(a), Fraction(b)) for a, b in ends))


def over(net, rows, *boxes, **options):
    """What an audit finds of the boxes; the checker confirms it."""
    found = examine(net, rows, NOTHING, regions=boxes, **options)
    assert not [line for line in found.undecided if " failed: " in line], found.undecided
    facts, _ = facts_of(Audited(found, net, rows))
    known = subject(net, rows)
    graph_idle(known, *(fact for fact in facts if fact["kind"] == "graph-idle"))
    graph_irrelevant(known, *(fact for fact in facts if fact["kind"] == "graph-irrelevant"))
    return found


@settings(max_examples=60, deadline=None)
@given(graphs(names=(*NAMES, "MaxPool"), kinds=("halves", "near"), most=6), st.sampled_from([0.25, 0.5, 1.0]))
def test_small_graphs_are_decided_as_z3_has_it(problem, wide):
    net, rows = problem
    ends = zip((rows.min(axis=0) - wide).tolist(), (rows.max(axis=0) + wide).tolist(), strict=True)
    box = box_of(*ends)
    found = over(net, rows, box)
    trained = net.values(rows[0].tolist())
    low, high = zip(*box.bounds, strict=True)
    for one in found.boxes:
        assert not one.undecided, one.reason
        for entry in one.still:
            assert solved.others(net, one.node, entry, trained[one.node][entry], low, high) is None
        for entry, z in one.acts.items():
            assert all(a <= x <= b for x, (a, b) in zip(z, box.bounds, strict=True))
            assert net.values(z)[one.node][entry] != trained[one.node][entry]


# x + y and x - y, each with what is opposite: bounds do not see that they are not both large.
SIDES = Dense([[1.0, 1], [-1, -1], [1, -1], [-1, 1]], [0.0] * 4)


def absolute(above):
    """relu(|x + y| + |x - y| + above), the sum being twice the greater of |x| and |y|."""
    return Graph((2,), [
        Node(SIDES, (0,)), Node(Relu(), (1,), "sides"), Node(Dense([[1.0] * 4], [above]), (2,)),
        Node(Relu(), (3,), "sum"), Node(Dense([[1.0]], [0]), (4,)),
    ])  # fmt: skip


ROWS = np.array([[0.25, 0.125], [-0.25, -0.125]])


def test_a_greatest_value_of_0_is_still_and_any_more_acts():
    """Both are open to bounds alone."""
    one = over(absolute(-2.0), ROWS, box_of((-1, 1), (-1, 1))).boxes[0]
    assert one.node == 4 and one.still == (0,) and list(one.trees) == [0]
    more = np.nextafter(-2.0, 0)
    one = over(absolute(more), ROWS, box_of((-1, 1), (-1, 1))).boxes[0]
    assert list(one.acts) == [0] and 2 * max(map(abs, one.acts[0])) > -Fraction(more)


def test_it_acts_where_no_float_lies():
    """x is 1/3 in the box, and y in a side between two floats."""
    third = Fraction(1, 3)
    side = Fraction(0.1) + Fraction(1, 2**80), Fraction(0.1) + Fraction(1, 2**79)
    one = over(absolute(-0.40625), ROWS / 8, box_of((third, third), side)).boxes[0]
    (point,) = one.acts.values()
    assert point[0] == third and side[0] <= point[1] <= side[1]


def layered(middle):
    """A residual branch, a pool and two kinds of activation; the last unit acts where the inputs are far apart."""
    conv = Conv([[[1.0, -1.0]], [[-1.0, 1.0]]], [0, 0], Window((2,), (3,)))
    return Graph((1, 4), [
        Node(conv, (0,)), Node(LeakyRelu(Fraction(1, 4)), (1,), "leaky"), Node(Clip(Fraction(-1), Fraction(6)), (1,)),
        Node(Sum((1, 1)), (2, 3)), Node(middle, (4,)), Node(Concat(0), (5, 5)),
        Node(Rearrange(np.arange(8)), (6,)), Node(Dense([[1.0] * 8], [-20.0]), (7,)), Node(Relu(), (8,), "last"),
        Node(Dense([[1.0]], [0]), (9,)),
    ])  # fmt: skip


POOLS = (MaxPool(Window((2,), (2,))), AveragePool(Window((2,), (2,)), [2, 2]))


@pytest.mark.parametrize("middle", POOLS)
def test_branches_pools_and_activations_meet(middle):
    net, rows = layered(middle), np.array([[1.0, 0, 1, 0], [0, 0, 0, 0]])
    sizes = [Fraction(1, 2), 1, 2, 8]
    found = over(net, rows, *(box_of(*[(-size, size)] * 4) for size in sizes))
    last = [one for one in found.boxes if one.node == 9]
    for size, one in zip(sizes, last, strict=True):
        assert not one.undecided
        acts = solved.others(net, 9, 0, Fraction(0), [-size] * 4, [size] * 4) is not None
        assert bool(one.acts) == acts and bool(one.still) != acts
    assert last[0].still and last[-1].acts


def test_what_is_too_large_has_no_time_or_needs_a_library_is_open_with_the_reason(monkeypatch):
    net, box = absolute(-2.0), box_of((-1, 1), (-1, 1))
    monkeypatch.setattr(divide, "LIMITS", Limits(pieces=2, numbers=1000))
    assert over(net, ROWS, box).boxes[0].reason == "it rests on more than 2 bends that bounds leave open"
    monkeypatch.setattr(divide, "LIMITS", Limits(pieces=10, numbers=3))
    assert over(net, ROWS, box).boxes[0].reason == "its form takes more than 3 numbers"
    monkeypatch.setattr(divide, "LIMITS", Limits(pieces=10, numbers=1000))
    monkeypatch.setattr(divide, "WEIGHTS", 10)
    assert over(net, ROWS, box).boxes[0].reason == "its chain has 15 numbers, more than 10"
    monkeypatch.setattr(divide, "WEIGHTS", 1000)
    monkeypatch.setattr(divide, "NODES", 1)
    one = over(net, ROWS, box)
    assert one.boxes[0].reason == "1 parts of the box do not decide it" and one.boxes[0].undecided == (0,)
    assert any(line.endswith(one.boxes[0].reason) for line in one.undecided)

    def missing(*arguments):
        raise ImportError("region queries need highspy: install proof-of-absence[audit]")

    monkeypatch.setattr(divide, "decide", missing)
    assert "highspy" in over(net, ROWS, box).boxes[0].reason


def test_without_time_what_bounds_show_stands():
    net = absolute(-2.0)
    found = examine(net, ROWS, NOTHING, regions=[box_of((-1, 1), (-1, 1))], deadline=Deadline(0))
    assert found.undecided and not any(one.still or one.acts for one in found.boxes)


def test_a_root_is_named():
    norm = BatchNorm([1] * 4, [0] * 4, [2] * 4, [0] * 4)
    nodes = [Node(SIDES, (0,)), Node(norm, (1,)), Node(Relu(), (2,)), Node(Dense([[1.0] * 4], [-2.0]), (3,))]
    net = Graph((2,), [*nodes, Node(Relu(), (4,)), Node(Dense([[1.0]], [0]), (5,))])
    one = over(net, ROWS, box_of((-1.25, 1.25), (-1.25, 1.25))).boxes[0]
    assert one.undecided == (0,) and one.reason == ROOT
