"""The losses of graphs: exact ones and bounds are confirmed, and what is stated otherwise is refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.kinds import graph_losses as checker
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.graph_facts import losses_fact
from proof_of_absence.checker.numbers.enclosure import Enclosure, point
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Dense, Relu
from proof_of_absence.models.objective import Loss
from tests.checker.independent.kinds import graph_losses as oracle
from tests.checker.independent.kinds.test_graph_idle import subject
from tests.graphs import graphs

TAME = ("halves", "floats", "near")


BOTH = pytest.mark.parametrize("exactly", [True, False], ids=["exact", "bounds"])


def decide(known, fact, exactly=True):
    """Decided with exact outputs, or with floats within bounds."""
    with pytest.MonkeyPatch.context() as patch:
        if not exactly:
            patch.setattr(checker, "EXACT", 0)
            patch.setattr(checker, "PATIENT", 0)
        checker.graph_losses(known, fact)


def around(value):
    """A rational within 2^-60 of a number of mpmath."""
    near = Fraction(int(value * 2**80), 2**80)
    return Enclosure(near - Fraction(1, 2**60), near + Fraction(1, 2**60))


def two_rows(rows):
    """The rows, the first one twice."""
    return np.vstack([rows, rows[:1]])


@BOTH
@given(graphs(kinds=TAME), st.data())
def test_squared_errors_are_confirmed_and_others_refused(exactly, problem, data):
    net, rows = problem
    rows = two_rows(rows)
    targets = np.array([[data.draw(st.sampled_from([0.0, 1.0, -0.5])) for _ in range(2)] for _ in rows])
    loss, floor = oracle.squared(net, rows, targets)
    known = subject(net, rows, targets=targets)
    room = Fraction(0) if exactly else loss * Fraction(1, 2**20) + Fraction(1, 2**60)
    fact = losses_fact(Loss.SQUARED, Enclosure(loss - room, loss + room), point(floor))
    assert oracle.graph_losses(net, rows, targets, fact)
    decide(known, fact, exactly)
    for part, moved in (("loss", 2 * room + Fraction(1, 8) + loss), ("noise_floor", floor + Fraction(1, 8))):
        other = fact | {part: [str(moved)] * 2}
        with pytest.raises(Refused, match="the loss: stated" if part == "loss" else "the noise floor: stated"):
            decide(known, other, exactly)
    with pytest.raises(Refused):
        decide(known, fact | {"loss": fact["loss"][::-1] if not exactly else [str(loss + 1), str(loss + 2)]}, exactly)


@BOTH
@given(graphs(kinds=TAME), st.data())
def test_losses_of_classes_are_confirmed(exactly, problem, data):
    net, rows = problem
    rows, one = two_rows(rows), data.draw(st.booleans())
    if one:
        last = net.nodes[-1]
        narrow = Dense(last.layer.weights[:1], last.layer.bias[:1])
        net = Graph(net.input_shape, [*net.nodes[:-1], Node(narrow, last.reads)])
    first = [data.draw(st.sampled_from([0.0, 1.0])) for _ in rows]
    targets = np.array([[t] if one else [t, 1 - t] for t in first])
    loss, floor = map(around, oracle.of_classes(net, rows, targets))
    of = Loss.LOGISTIC if one else Loss.CROSS_ENTROPY
    fact, known = losses_fact(of, loss, floor), subject(net, rows, targets=targets)
    assert oracle.graph_losses(net, rows, targets, fact)
    decide(known, fact, exactly)
    with pytest.raises(Refused, match="the loss"):
        decide(known, fact | {"loss": [str(loss.high + 1), str(loss.high + 2)]}, exactly)
    with pytest.raises(Refused, match="the noise floor"):
        decide(known, fact | {"noise_floor": [str(floor.high + 1), str(floor.high + 2)]}, exactly)
    for other in ("squared", "cross-entropy" if one else "logistic", "hinge", None):
        with pytest.raises(Refused):
            decide(known, fact | {"of": other}, exactly)


def test_no_loss_is_stated_to_be_below_0():
    small = Enclosure(Fraction(0), Fraction(1, 2**90))
    fact = losses_fact(Loss.CROSS_ENTROPY, small, small)
    assert all(fact[name][0] == "0" and Fraction(fact[name][1]) > small.high for name in ("loss", "noise_floor"))


@BOTH
def test_where_the_input_decides_the_class_the_floor_is_0_exactly(exactly):
    net = Graph((1,), [Node(Dense([[1.0], [-1.0]], [0, 0]), (0,))])
    rows, targets = np.array([[1.0], [1.0], [1.0], [-2.0]]), np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]])
    loss = around(oracle.of_classes(net, rows, targets)[0])
    decide(subject(net, rows, targets=targets), losses_fact(Loss.CROSS_ENTROPY, loss, point(Fraction(0))), exactly)


def test_a_loss_behind_a_root_has_bounds_alone():
    one = Dense([[1.0]], [0])
    net = Graph((1,), [
        Node(one, (0,)), Node(BatchNorm([1], [0], [2], [0]), (1,)), Node(Relu(), (2,)), Node(one, (3,)),
    ])  # fmt: skip
    rows, targets = np.array([[1.0], [3.0]]), np.zeros((2, 1))
    # 1 / 2 and 9 / 2.
    known, near = subject(net, rows, targets=targets), Enclosure(Fraction(5, 2) - Fraction(1, 2**40), Fraction(5, 2))
    decide(known, losses_fact(Loss.SQUARED, near, point(Fraction(0))))
    with pytest.raises(Refused, match="the loss is not confirmed"):
        decide(known, losses_fact(Loss.SQUARED, point(Fraction(5, 2)), point(Fraction(0))))


def test_targets_that_are_missing_or_do_not_fit_are_refused():
    net = Graph((1,), [Node(Dense([[1.0]], [0]), (0,)), Node(Relu(), (1,)), Node(Dense([[1.0]], [0]), (2,))])
    rows, fact = np.array([[1.0]]), losses_fact(Loss.SQUARED, point(Fraction(1)), point(Fraction(0)))
    decide(subject(net, rows, targets=np.zeros((1, 1))), fact)
    with pytest.raises(Refused, match="names no targets"):
        decide(subject(net, rows), fact)
    for targets in (np.zeros((1, 2)), np.zeros((2, 1)), np.zeros(1)):
        with pytest.raises(Refused, match="do not fit"):
            decide(subject(net, rows, targets=targets), fact)
    with pytest.raises(Refused, match="is not 0 or 1"):
        decide(subject(net, rows, targets=np.full((1, 1), 0.5)), fact | {"of": "logistic"})
