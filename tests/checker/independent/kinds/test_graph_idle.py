"""Facts about the units of a graph: those that are so are accepted, and a change of one that is not so is refused."""

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.graph.findings import State
from proof_of_absence.checker.graph.firing import firing
from proof_of_absence.checker.graph.idle import unit_states
from proof_of_absence.checker.independent.kinds import graph_idle as kind
from proof_of_absence.checker.independent.kinds.graph_firing import graph_firing
from proof_of_absence.checker.independent.kinds.graph_idle import graph_idle
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values import graph_settled
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graph_files import MALFORMED, read_graph
from proof_of_absence.checker.kernel.graph_facts import firing_fact, idle_fact
from proof_of_absence.checker.kernel.graph_json import graph_arrays, graph_text
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Clip, Conv, Dense, Rearrange, Relu, Sum
from proof_of_absence.models.windows import Window
from tests.checker.changed import changed
from tests.checker.graph.test_idle import deep
from tests.checker.independent.kinds import graph_firing as firing_oracle
from tests.checker.independent.kinds import graph_idle as oracle
from tests.graphs import LAYERS, graphs

# Many activations, and numbers that tie.
NAMES = ("Relu", "Clip", "LeakyRelu", *LAYERS)


def subject(net, train, **data):
    """What the checker reads."""
    return GraphSubject(read_graph(json.loads(graph_text(net)), graph_arrays(net)), train, **data)


def found(net, train, node, undecided=()):
    """The fact about a node, from its values as Fractions."""
    every = oracle.columns(net, train, node)
    still = {entry: values[0] for entry, values in enumerate(every) if len(set(values)) == 1 and entry not in undecided}
    rest = [entry for entry in range(len(every)) if entry not in still and entry not in undecided]
    return idle_fact(
        node,
        len(train),
        dead=[entry for entry, value in still.items() if not value],
        constant={entry: value for entry, value in still.items() if value},
        undecided=undecided,
        witness=[(0, next(i for i, x in enumerate(every[entry]) if x != every[entry][0])) for entry in rest],
        unread=oracle.unread(net, node),
    )


def fired(net, train, deploy, node):
    """The fact about the node's idle units in deployment."""
    before, after = oracle.columns(net, train, node), oracle.columns(net, deploy, node)
    idle = [e for e, values in enumerate(before) if len(set(values)) == 1 and e not in oracle.unread(net, node)]
    return firing_fact(node, len(deploy), {e: [i for i, x in enumerate(after[e]) if x != before[e][0]] for e in idle})


def still_at_times(data, rows):
    """The rows, of which some entries are made those of the first row."""
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=rows.shape[1], max_size=rows.shape[1])))
    return np.where(kept, rows[:1], rows)


@given(graphs(names=NAMES), st.data())
def test_what_is_so_is_accepted(problem, data):
    net, rows = problem
    rows = still_at_times(data, rows)
    train, deploy = rows[:2], rows[-2:]
    known = subject(net, train, deploy=deploy)
    facts = [found(net, train, node) for node in net.activations]
    assert all(oracle.graph_idle(net, train, fact) for fact in facts)
    graph_idle(known, *facts)
    moves = [fired(net, train, deploy, node) for node in net.activations]
    assert all(firing_oracle.graph_firing(net, train, deploy, fact) for fact in moves)
    graph_firing(known, *moves)
    # And one after the other.
    known.idle.clear()
    for fact in facts:
        graph_idle(known, fact)


def stated(states, count):
    """What the passes of the audit found, as a fact."""
    entries = {state: np.flatnonzero(states.states == state).tolist() for state in State}
    return idle_fact(
        states.node,
        count,
        dead=entries[State.DEAD],
        constant={entry: states.values.get(entry) for entry in entries[State.CONSTANT]},
        undecided=entries[State.UNDECIDED],
        witness=states.witness[entries[State.VARIES]],
        unread=np.flatnonzero(~states.read),
    )


@given(graphs(names=(*NAMES, "BatchNorm")), st.data())
def test_what_the_audit_finds_is_accepted(problem, data):
    """With roots too: what either decides, the other does not contradict."""
    net, rows = problem
    rows = still_at_times(data, rows)
    found, known = unit_states(net, rows), subject(net, rows, deploy=rows[::-1])
    graph_idle(known, *(stated(states, len(rows)) for states in found))
    moves = [firing_fact(one.node, len(rows), one.rows, one.undecided) for one in firing(net, rows, found, rows[::-1])]
    graph_firing(known, *moves)


def changes(node, path=()):
    """Every number and text in a fact, and ways to change it."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from changes(value, (*path, key))
    if isinstance(node, list) and path:
        yield path, [*node, *(node[-1:] or [0])]
        if node:
            yield path, node[:-1]
    elif type(node) is int:
        yield from ((path, value) for value in (node + 1, node - 1, True, None))
    elif isinstance(node, str) and path[-1] != "kind":
        yield from ((path, value) for value in (f"{node}1", "0", "1/0", node.upper() + "g"))


def accepted(check, *arguments):
    try:
        check(*arguments)
    except (Refused, *MALFORMED):
        return False
    return True


@given(graphs(names=NAMES, kinds=("halves", "near"), most=4, rows=3), st.data())
def test_a_change_is_refused_or_so(problem, data):
    net, rows = problem
    rows = still_at_times(data, rows)
    if not net.activations:
        return
    node = data.draw(st.sampled_from(net.activations))
    undecided = data.draw(st.sets(st.integers(0, net.sizes[node] - 1), max_size=1))
    fact, known = found(net, rows, node, undecided), subject(net, rows, deploy=rows)
    graph_idle(known, fact)
    path, value = data.draw(st.sampled_from(list(changes(fact))))
    other = changed(fact, path, value)
    if path != ("node",) and accepted(graph_idle, subject(net, rows), other):
        assert oracle.graph_idle(net, rows, other), (path, value)
    if not undecided:
        fact = fired(net, rows, rows, node)
        graph_firing(known, fact)
        path, value = data.draw(st.sampled_from(list(changes(fact))))
        if path != ("node",):
            other = changed(fact, path, value)
            if accepted(graph_firing, known, other):
                assert firing_oracle.graph_firing(net, rows, rows, other), (path, value)


# Channel 0 of the convolution is on at the left; unit 1 of the sum is dead by cancellation alone.
NET = Graph((1, 4), [
    Node(Conv([[[1.0, 1.0]], [[0.1, -0.3]]], [0.0, 0.25], Window((2,), (3,))), (0,), "conv"),
    Node(Relu(), (1,), "relu"),
    Node(Rearrange(np.arange(6)), (2,)),
    Node(Dense([[0.1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1.0]], [-0.5, 0]), (3,)),
    Node(Dense([[-0.1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0.0]], [0.5, 3.0]), (3,)),
    Node(Sum((1, 1)), (4, 5)),
    Node(Relu(), (6,), "last"),
    Node(Dense([[1.0, 0.0]], [0.0]), (7,)),
])  # fmt: skip
TRAIN = np.array([[1.0, 2, 0, 0], [0.7, 0.1, 0, 0], [3, 3, 0, 0]])
DEPLOY = np.array([[1.0, 2, 0, 0], [1, 2, 0, 5]])
FACTS = [found(NET, TRAIN, 2), found(NET, TRAIN, 7)]


def test_the_example_has_all_kinds_of_units():
    first, last = FACTS
    assert first["dead"] == [2] and [entry for entry, _ in first["constant"]] == [5] and first["unread"] == [1, 2, 3, 4]
    assert (last["dead"], last["constant"], last["unread"]) == ([0], [[1, "d/4"]], [1])
    assert fired(NET, TRAIN, DEPLOY, 2)["fires"] == [[5, [1], []]]


def test_rows_of_which_nothing_is_said_are_not_decided():
    known = subject(NET, TRAIN, deploy=DEPLOY)
    graph_idle(known, *FACTS)
    for rows, open_, so in (([], [1], True), ([0], [1], False), ([1], [0], True), ([1], [1], False), ([], [0], False)):
        fact = firing_fact(2, 2, {5: rows}, {5: open_})
        assert accepted(graph_firing, known, fact) == so == firing_oracle.graph_firing(NET, TRAIN, DEPLOY, fact)


@pytest.mark.parametrize(("path", "value"), [pair for k, fact in enumerate(FACTS) for pair in changes(fact, (k,))])
def test_every_change_of_the_example_is_refused(path, value):
    graph_idle(subject(NET, TRAIN), *FACTS)
    other = changed(FACTS, path, value)
    if not (path[1] == "witness" and accepted(oracle.graph_idle, NET, TRAIN, other[path[0]])):
        assert not accepted(graph_idle, subject(NET, TRAIN), *other) or oracle.graph_idle(NET, TRAIN, other[path[0]])


@pytest.mark.parametrize("layer", range(8))
def test_another_weight_is_another_graph(layer):
    """Each weight and bias at a time; what is then still so is accepted, and nothing else."""
    for name in ("weights", "bias"):
        array = getattr(NET.nodes[layer].layer, name, None)
        for at in np.ndindex(array.shape) if array is not None else ():
            moved = array.copy()
            moved[at] -= 2.0
            own = {"weights": NET.nodes[layer].layer.weights, "bias": NET.nodes[layer].layer.bias} | {name: moved}
            old = NET.nodes[layer].layer
            new = Conv(own["weights"], own["bias"], old.window) if isinstance(old, Conv) else Dense(*own.values())
            nodes = [Node(new, n.reads, n.name) if k == layer else n for k, n in enumerate(NET.nodes)]
            net = Graph(NET.input_shape, nodes)
            so = all(oracle.graph_idle(net, TRAIN, fact) for fact in FACTS)
            assert accepted(graph_idle, subject(net, TRAIN), *FACTS) == so


def test_units_behind_roots_are_decided_and_their_values_enclosed():
    """sqrt(2) x - sqrt(8) x / 2 is 0 at every x, which no enclosure shows."""
    norm = BatchNorm([2, 4], [0, 0], [2, 8], [0, 0])
    net = Graph((1,), [
        Node(Dense([[1.0], [1.0]], [0, 0]), (0,)), Node(norm, (1,)),
        Node(Dense([[1.0, -1.0], [1.0, 0.0]], [0, 0]), (2,)), Node(Clip(Fraction(-1), None), (3,)),
        Node(Dense([[1.0, 1.0]], [0]), (4,)),
    ])  # fmt: skip
    train = np.array([[1.0], [3.0]])
    fact = idle_fact(4, 2, dead=[0], constant={}, undecided=[], witness=[(0, 1)], unread=[])
    graph_idle(subject(net, train), fact)
    other = idle_fact(4, 2, dead=[], constant={}, undecided=[], witness=[(0, 1)] * 2, unread=[])
    with pytest.raises(Refused, match="has one value at rows 0 and 1"):
        graph_idle(subject(net, train), other)
    between = Fraction(14, 10), Fraction(15, 10)
    same = np.array([[1.0], [1.0]])
    asked = {"dead": [0], "undecided": [], "witness": [], "unread": []}
    graph_idle(subject(net, same), idle_fact(4, 2, constant={1: between}, **asked))
    graph_idle(subject(net, same), idle_fact(4, 2, constant={1: None}, **asked))
    with pytest.raises(Refused, match="is rational, and is not stated"):
        graph_idle(subject(net, same), idle_fact(4, 2, constant={0: None, 1: None}, **asked | {"dead": []}))
    for value in (Fraction(14, 10), (Fraction(14, 10), Fraction(141, 100)), (Fraction(3, 2), Fraction(2))):
        with pytest.raises(Refused, match="what unit 1 of node 4 sends"):
            graph_idle(subject(net, same), idle_fact(4, 2, constant={1: value}, **asked))


def test_what_is_said_of_no_activation_or_twice_is_refused():
    known = subject(NET, TRAIN)
    for node in (0, 1, 8, 9, -1, True, None):
        with pytest.raises(Refused, match="is no activation node"):
            graph_idle(known, FACTS[0] | {"node": node})
    with pytest.raises(Refused, match="two facts about one node"):
        graph_idle(known, FACTS[0], FACTS[0])
    with pytest.raises(Refused, match="which units of node 2 are idle is not stated"):
        graph_firing(subject(NET, TRAIN, deploy=DEPLOY), fired(NET, TRAIN, DEPLOY, 2))
    with pytest.raises(Refused, match="names no deployment inputs"):
        graph_firing(known, fired(NET, TRAIN, DEPLOY, 2))


def test_many_batch_normalisations_are_checked_without_exact_numbers(monkeypatch):
    net, rows = deep(60), np.random.default_rng(2).standard_normal((6, 4))
    facts = [stated(one, len(rows)) for one in unit_states(net, rows)]

    def refuse(*arguments):
        raise AssertionError("exact numbers")

    monkeypatch.setattr(graph_settled, "as_at", refuse)
    monkeypatch.setattr(kind, "as_at", refuse)
    monkeypatch.setattr(kind, "value_at", refuse)
    graph_idle(subject(net, rows), *facts)
    last, deepest = facts[-1], facts[-2]
    other = changed(last, ("dead",), last["dead"][1:])
    other = changed(other, ("witness",), [[0, 1]])
    monkeypatch.undo()
    with pytest.raises(Refused, match="has one value at rows 0 and 1"):
        graph_idle(subject(net, rows), *facts[:-1], other)
    rest = [*facts[:-2], last]
    other = changed(changed(deepest, ("dead",), [2]), ("witness",), deepest["witness"][1:])
    with pytest.raises(Refused, match="what unit 2 of node"):
        graph_idle(subject(net, rows), *rest, other)
