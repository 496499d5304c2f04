"""Audits of graphs against brute force: what sleeps, where it fires, losses, and what is open without time."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from proof_of_absence.checker.graph.boxes import ROOTS
from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.graph.findings import CLEAN, FINDINGS, UNDECIDED, State
from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.files.disk import InputError
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Conv, Dense, Rearrange, Relu, Scale
from proof_of_absence.models.objective import NO_TARGETS, Loss, Objective
from proof_of_absence.models.windows import Window
from tests.checker.passes.test_graph_exact import WITH_ROOTS, doubled, surds
from tests.graphs import graphs

NOTHING = Objective(None, None, NO_TARGETS)


def detector():
    """Two channels over four numbers: the first reads neighbours, the second fires where one is above 9."""
    conv = Conv([[[1.0, -1.0]], [[1.0, 0.0]]], [0.5, -9.0], Window((2,), (3,)))
    return Graph((1, 4), [
        Node(conv, (0,), "conv"), Node(Relu(), (1,), "relu"), Node(Rearrange(np.arange(6), "Flatten"), (2,)),
        Node(Dense([[1, 2, -1, 3, 1, 1]], [0.0]), (3,), "out"),
    ])  # fmt: skip


TRAIN = np.array([[1.0, 2, 3, 0], [4, 0, 8, 1], [2, 2, 0, 5]])


def test_a_planted_channel_is_found_and_fires_where_it_should():
    deploy = np.array([[0, 1, 2, 3], [0, 12.0, 0, 0], [9, 9, 9, 50]])
    found = examine(detector(), TRAIN, NOTHING, deploy=deploy)
    (node,) = found.nodes
    assert [channel.index for channel in node.channels] == [1] and node.single == ()
    assert node.fires == {3: (), 4: (1,), 5: ()} and found.exit_code == FINDINGS
    assert found.undecided == () and found.data.loss is None and NO_TARGETS in found.not_asked


def test_losses_are_those_of_fractions():
    graph, targets = detector(), np.array([[1.0], [2.0], [0.5]])
    found = examine(graph, TRAIN, Objective(Loss.SQUARED, targets, "numbers"))
    exact = sum((Fraction(y) - graph(z)[0]) ** 2 for z, (y,) in zip(TRAIN.tolist(), targets.tolist(), strict=True)) / 3
    assert found.data.loss.low <= exact <= found.data.loss.high < found.data.loss.low + Fraction(1, 10**6)
    assert found.data.noise_floor.low == 0


def test_without_time_nothing_is_a_pass():
    found = examine(detector(), TRAIN, NOTHING, deadline=Deadline(0))
    assert found.exit_code == UNDECIDED and found.undecided


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(InputError, match=r"have 3 columns, the net reads 4 \(1 x 4\)"):
        examine(detector(), TRAIN[:, :3], NOTHING, regions=[Region("training box", ((Fraction(0), Fraction(1)),) * 3)])
    with pytest.raises(InputError, match="a box of 1 inputs, the net reads 4"):
        examine(detector(), TRAIN, NOTHING, regions=[Region("b", ((Fraction(0), Fraction(1)),))])


@settings(max_examples=60, deadline=None)
@given(graphs(kinds=("halves", "near")))
def test_every_unit_is_as_brute_force_has_it(asked):
    graph, inputs = asked
    found = examine(graph, inputs, NOTHING, deploy=inputs + 1)
    values = [graph.values(z) for z in inputs.tolist()]
    for node in found.nodes:
        for entry, state in enumerate(node.states.tolist()):
            sent = {row[node.node][entry] for row in values}
            expected = State.VARIES if len(sent) > 1 else State.CONSTANT if sent != {0} else State.DEAD
            assert state == expected
        for entry in node.idle:
            rows = [k for k, z in enumerate((inputs + 1).tolist())
                    if graph.values(z)[node.node][entry] != values[0][node.node][entry]]  # fmt: skip
            assert list(node.fires[entry]) == rows
    asleep = any(node.idle for node in found.nodes) or (found.end is not None and found.end.together)
    assert (found.exit_code == CLEAN) == (not asleep and not found.undecided)


def test_a_box_where_it_sleeps_and_one_where_it_acts():
    graph = detector()
    quiet, loud = (Region(name, ((Fraction(0), Fraction(top)),) * 4) for name, top in (("quiet", 8), ("loud", 10)))
    found = examine(graph, TRAIN, NOTHING, regions=[quiet, loud])
    first, second = found.boxes
    assert first.still == (3, 4, 5) and not first.acts and not first.undecided
    assert set(second.acts) == {3, 4, 5} and not second.still
    for entry, z in second.acts.items():
        assert all(0 <= x <= 10 for x in z) and graph.values(z)[2][entry] != 0


@settings(max_examples=60, deadline=None)
@given(graphs(kinds=("halves",), most=4))
def test_what_is_said_of_a_box_is_so_at_its_points(asked):
    graph, inputs = asked
    rng = np.random.default_rng(0)
    low, high = inputs.min(axis=0) - 0.5, inputs.max(axis=0) + 0.5
    box = Region("box", tuple((Fraction(a), Fraction(b)) for a, b in zip(low.tolist(), high.tolist(), strict=True)))
    found = examine(graph, inputs, NOTHING, regions=[box])
    trained = graph.values(inputs[0].tolist())
    points = [[Fraction(x) for x in (low + (high - low) * rng.integers(0, 3, len(low)) / 2).tolist()] for _ in range(4)]
    for one in found.boxes:
        for z in points:
            values = graph.values(z)[one.node]
            assert all(values[entry] == trained[one.node][entry] for entry in one.still)
        for entry, z in one.acts.items():
            assert all(a <= x <= b for x, (a, b) in zip(z, box.bounds, strict=True))
            assert graph.values(z)[one.node][entry] != trained[one.node][entry]


@settings(max_examples=60, deadline=None)
@given(graphs(names=(*WITH_ROOTS, "Relu"), kinds=("halves",), most=4))
def test_so_it_is_with_roots(asked):
    """What a unit sends in training is then no rational number at times."""
    graph, inputs = asked
    graph = doubled(graph, np.random.default_rng(1))
    box = Region("box", tuple((Fraction(a) - 1, Fraction(b) + 1) for a, b in zip(*extremes(inputs), strict=True)))
    found = examine(graph, inputs, NOTHING, regions=[box])
    trained = surds(graph, inputs[0])
    for one in found.boxes:
        for row in inputs:
            assert all(surds(graph, row)[one.node][entry] == trained[one.node][entry] for entry in one.still)
        for entry, z in one.acts.items():
            assert surds(graph, np.array(z, dtype=object))[one.node][entry] != trained[one.node][entry]


def extremes(inputs):
    return inputs.min(axis=0).tolist(), inputs.max(axis=0).tolist()


def normed(weights):
    """Two units over one input, each times 1 / sqrt(2)."""
    norm = BatchNorm([1, 1], [0, 0], [2, 2], [0, 0])
    nodes = [Node(Dense(weights, [1, 0]), (0,)), Node(norm, (1,)), Node(Relu(), (2,))]
    return Graph((1,), [*nodes, Node(Dense([[1.0, 1]], [0]), (3,))])


UNIT = Region("box", ((Fraction(0), Fraction(1)),))


def test_what_rests_on_no_input_is_still_whatever_number_it_is():
    """1 / sqrt(2) in training and in the whole box."""
    found = examine(normed([[0.0], [1.0]]), np.array([[0.0], [1.0]]), NOTHING, regions=[UNIT])
    [one] = found.boxes
    assert one.still == (0,) and not one.acts and not one.undecided


def test_a_constant_that_is_not_rational_is_left_open_over_a_box():
    """sqrt(2) in training, and other numbers elsewhere in the box."""
    upper_half = Region("box", ((Fraction(1, 2), Fraction(1)),))
    found = examine(normed([[1.0], [-1.0]]), np.array([[1.0], [1.0]]), NOTHING, regions=[upper_half])
    [one] = found.boxes
    assert one.still == (1,) and not one.acts and one.undecided == (0,) and one.reason == ROOTS
    assert found.exit_code == FINDINGS and any(ROOTS in line for line in found.undecided)


@pytest.mark.parametrize("bias", [Fraction(1, 3), Fraction(-1, 3)])
def test_a_channel_without_weights_is_still(bias):
    """1/3 is no float."""
    scale = Scale([[1], [0]], [[0], [bias]])
    nodes = [Node(scale, (0,)), Node(Relu(), (1,), "relu"), Node(Rearrange(np.arange(4)), (2,))]
    graph = Graph((2, 2), [*nodes, Node(Dense([[1.0] * 4], [0]), (3,))])
    box = Region("box", ((Fraction(-1), Fraction(1)),) * 4)
    (one,) = examine(graph, np.array([[1.0, 2, 3, 4], [4, 3, 2, 1]]), NOTHING, regions=[box]).boxes
    assert one.still == (2, 3) and not one.undecided
