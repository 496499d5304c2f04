"""Facts of C18: what is so is accepted; each thing that can be wrong is refused, with its reason."""

import pytest

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs.c18_local_optimisation import DEAD_PLANE, DECAYED, MOSTLY_DEAD, PLAIN, gradient_steps, run
from proof_of_absence.proofs.examples import LINE, LINE_CIRCUIT, LINE_NET, TWO_OUTPUTS
from tests.checker.changed import refused

STEPS = gradient_steps(LINE_NET, LINE_CIRCUIT, LINE, PLAIN)
SHRUNK = gradient_steps(DEAD_PLANE, {Unit(1, 2)}, TWO_OUTPUTS, DECAYED)


@pytest.mark.parametrize("fact", [STEPS, SHRUNK])
@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("the net after the steps, entry 1, entry 1, entry 0: stated 7, recomputed", [(["after", 1, "bias", 0], "7")]),
        ("the net after the steps, .*: stated .*, recomputed", [(["steps", 0, 1], "1/9")]),
        ("not positive", [(["steps", 0, 0], "0")]),
        ("not positive", [(["steps", 0, 0], "-1")]),
        ("unit 0 is not dead", [(["circuit"], [[1, 0]])]),
        ("not between 1 and 12 steps", [(["steps"], [])]),
        ("not between 1 and 12 steps", [(["steps"], [["1", "0"]] * 13)]),
        ("the circuit is empty", [(["circuit"], [])]),
        ("is not a hidden unit", [(["circuit"], [[2, 0]])]),
    ],
)
def test_steps_that_are_not_so(fact, match, changes):
    refused(fact, match, *changes)


def test_a_unit_that_is_dead_but_for_one_input_is_refused():
    # relu(z - 3) is 0 at the largest input, where its pre-activation is not negative.
    net = shallow([([1], -2, ["1/2"]), ([1], -3, [1])], [0])
    with pytest.raises(Refused, match="unit 1 is not dead"):
        check_fact(gradient_steps(net, LINE_CIRCUIT, LINE, PLAIN))


def test_a_step_from_elsewhere_is_refused():
    other = run(MOSTLY_DEAD, LINE, PLAIN)
    fact = gradient_steps(MOSTLY_DEAD, {Unit(1, 1)}, LINE, PLAIN)
    check_fact(fact)
    refused(STEPS, "not shallow nets of one architecture", (["after"], fact["after"]))
    assert other != MOSTLY_DEAD
