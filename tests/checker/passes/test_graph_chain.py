"""Forms and chains of a graph's entries: on the box they are the entry, and the checker derives the same chain."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.graph.divide import stated
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.graph_chain import chain_of as derived
from proof_of_absence.checker.independent.values.graph_lines import spans as theirs
from proof_of_absence.checker.passes.graph_bounds import bounded
from proof_of_absence.checker.passes.graph_chain import chain_of
from proof_of_absence.checker.passes.graph_forms import ROOT, Limits, TooLarge, forms_of, surely_constant
from proof_of_absence.checker.passes.graph_intervals import Span
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Clip, Dense, LeakyRelu, MaxPool, Rearrange, Relu, Sum
from proof_of_absence.models.windows import Window
from tests.checker.independent.kinds.graph_irrelevant import points
from tests.checker.independent.kinds.test_graph_idle import NAMES, subject
from tests.checker.independent.kinds.test_graph_irrelevant import boxes
from tests.graphs import graphs

MANY = Limits(1000, 10**6)


def asked(net, low, high, node, entry, limits=MANY):
    """The forms and the chain of an entry over a box of floats."""
    ends = [list(map(Fraction, end.tolist())) for end in (low, high)]
    forms = forms_of(net, *ends, bounded(net, Span(low, high)), node, entry, limits)
    return ends, chain_of(forms, ends[0])


@given(graphs(names=(*NAMES, "MaxPool", "MaxPool", "Sum"), kinds=("halves", "floats", "near"), most=7), st.data())
def test_a_chain_is_the_entry_on_the_box_and_is_derived_again(problem, data):
    net, rows = problem
    low, high = data.draw(boxes(net.sizes[0], rows[0]))
    node = data.draw(st.integers(1, len(net.nodes)))
    entry = data.draw(st.integers(0, net.sizes[node] - 1))
    ends, chain = asked(net, low, high, node, entry)
    graph = subject(net, rows).graph
    again = derived(graph, ends, theirs(graph, low, high, {node: np.array([entry])}), node, entry, stated(chain))
    exact = chain.net.exact()
    for theirs_, ours in zip(again.net.layers[:-1], exact.layers, strict=False):
        assert theirs_[0] == [list(row) for row in ours.weights] and theirs_[1] == list(ours.bias)
    assert again.constant == chain.constant
    for z in points(*ends):
        value = net.values(list(z))[node][entry]
        own = [z[i] for i in chain.inputs]
        assert exact(own)[0] == value == again.net.output(own)[0] + again.constant


@given(graphs(names=NAMES, kinds=("halves", "near")), st.data())
def test_what_is_surely_constant_is_so_at_every_point(problem, data):
    net, rows = problem
    low, high = data.draw(boxes(net.sizes[0], rows[0]))
    for node in net.activations:
        sure = surely_constant(net, bounded(net, Span(low, high)), node, range(net.sizes[node]))
        ends = [list(map(Fraction, end.tolist())) for end in (low, high)]
        for entry in np.flatnonzero(sure).tolist():
            assert len({net.values(list(z))[node][entry] for z in points(*ends)}) == 1


def folded(layer):
    """What bends at 0 in one activation is read by two more and by a pool of three; over one input."""
    return Graph((1,), [
        Node(Dense([[1.0], [-1.0], [0.5]], [0, 0.5, 1]), (0,)), Node(layer, (1,)), Node(Sum((1, -1)), (1, 2)),
        Node(Relu(), (3,)), Node(Rearrange(np.arange(3)[None]), (4,)), Node(MaxPool(Window((3,), (1,))), (5,)),
        Node(Relu(), (6,)), Node(Dense([[1.0]], [0]), (7,)),
    ])  # fmt: skip


@pytest.mark.parametrize("layer", [Relu(), LeakyRelu(Fraction(-1, 3)), Clip(Fraction(-1, 2), Fraction(1, 2))])
def test_pieces_are_carried_past_layers(layer):
    net, ends = folded(layer), (np.array([-2.0]), np.array([2.0]))
    (low, _), chain = asked(net, *ends, 6, 0)
    assert len(chain.layers) > 2 and chain.carried()
    for z in (Fraction(k, 7) for k in range(-14, 15)):
        assert chain.net.exact()([z])[0] == net.values([z])[6][0]
    assert low == [-2]


def test_limits_and_roots_are_told_in_one_line():
    net, low, high = folded(Relu()), np.array([-2.0]), np.array([2.0])
    with pytest.raises(TooLarge, match="more than 3 bends that bounds leave open"):
        asked(net, low, high, 6, 0, Limits(3, 1000))
    with pytest.raises(TooLarge, match="more than 5 numbers"):
        asked(net, low, high, 6, 0, Limits(100, 5))
    norm = Node(BatchNorm([1, 1, 1], [0, 0, 0], [2, 2, 2], [0, 0, 0]), (1,))
    rooted = Graph((1,), [net.nodes[0], norm, Node(Relu(), (2,)), Node(Dense([[1.0] * 3], [0]), (3,))])
    with pytest.raises(TooLarge, match=ROOT):
        asked(rooted, low, high, 3, 0)
    with pytest.raises(TooLarge, match="larger than every float64"):
        huge = Graph((1,), [Node(Dense([[1e300]], [0]), (0,)), Node(Dense([[1e300]], [0]), (1,))])
        asked(huge, low, high, 2, 0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda told: told["layers"][0].pop(0), "reads a piece that the layer below does not hold"),
        (lambda told: [one.remove([2, 0, 0]) for one in told["layers"] if [2, 0, 0] in one], "is not in the chain"),
        (lambda told: told["layers"][0].append([2, 0, 1]), "does not rest on piece"),
        (lambda told: told["layers"][0].append([7, 0, 0]), "of a later node"),
        (lambda told: told["layers"][0].append([2, 3, 0]), "no entry of node 2"),
        (lambda told: told["layers"][0].append([2, 0]), "is no piece"),
        (lambda told: told["layers"][0].append([2, 0, True]), "is no piece"),
        (lambda told: told["layers"][0].append([2, 0, 0]), "named twice"),
        (lambda told: told["layers"][0].append([0, 0, 1]), "is not there to be carried"),
        (lambda told: told["layers"].append([]), "a layer without units"),
        (lambda told: told["layers"].reverse(), "reads a piece that the layer below does not hold"),
        (lambda told: told["inputs"].append(0), "named twice"),
        (lambda told: told["inputs"].append(1), "no entry of node 0"),
        (lambda told: told["inputs"].clear(), "has no inputs"),
        (lambda told: told["multiples"].append([2, 9, 0]), "no entry of node 2"),
        (lambda told: told["multiples"].extend([[2, 0, 0]] * 2), "named twice"),
        (lambda told: [one.remove([2, 1, 0]) for one in told["layers"] if [2, 1, 0] in one], "is not in the chain"),
    ],
)
def test_another_chain_is_refused(change, match):
    net, low, high = folded(Relu()), np.array([-2.0]), np.array([2.0])
    ends, chain = asked(net, low, high, 6, 0)
    told = stated(chain)
    graph = subject(net, np.zeros((1, 1))).graph
    spans = theirs(graph, low, high, {6: np.array([0])})
    derived(graph, ends, spans, 6, 0, told)
    change(told)
    with pytest.raises(Refused, match=match):
        derived(graph, ends, spans, 6, 0, told)


def test_a_root_is_refused():
    net = Graph((1,), [Node(BatchNorm([1], [0], [2], [0]), (0,)), Node(Relu(), (1,)), Node(Dense([[1.0]], [0]), (2,))])
    graph = subject(net, np.zeros((1, 1))).graph
    spans = theirs(graph, np.array([-1.0]), np.array([1.0]), {2: np.array([0])})
    told = {"inputs": [0], "layers": [[[2, 0, 0]]], "multiples": []}
    with pytest.raises(Refused, match="a root is left in node 1"):
        derived(graph, ([Fraction(-1)], [Fraction(1)]), spans, 2, 0, told)
