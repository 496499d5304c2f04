"""Cross-entropies of C17: what is so is accepted; each thing that can be wrong is refused, with its reason."""

from fractions import Fraction

import pytest

from proof_of_absence.proofs import c17_other_losses
from tests.checker.changed import refused

CLASSES = c17_other_losses.class_descent(
    c17_other_losses.CLASSES_NET, c17_other_losses.CLASSES_CIRCUIT, c17_other_losses.CLASSES
).fact
EVERY = c17_other_losses.class_descent(
    c17_other_losses.EVERY_CLASS_NET, c17_other_losses.EVERY_CLASS_CIRCUIT, c17_other_losses.EVERY_CLASS
).fact


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (CLASSES, "not lower by that much", [(["over"], str(Fraction(CLASSES["over"]) * 2))]),
        (CLASSES, "not lower by that much", [(["after"], CLASSES["before"])]),
        (CLASSES, "not positive", [(["over"], "-1")]),
        (CLASSES, "not probabilities", [(["data", "targets", 0, 0], "1/2")]),
        (CLASSES, "not probabilities", [(["data", "targets", 0], ["2", "-1", "0"])]),
        (CLASSES, "not a shallow net for these classes", [(["data", "targets"], [["1"]] * 6)]),
        (CLASSES, r"the bias of unit \(1, 0\) differs", [(["after", 0, "bias", 0], "7")]),
        (CLASSES, "not idle", [(["before", 1, "weights", 0, 2], "2")]),
        (EVERY, "do not sum to 0", [(["net", 1, "bias", 0], "1/1000000000000000000000000000000000000")]),
        (EVERY, "do not sum to 0", [(["data", "targets", 0], ["0", "1", "0"])]),
        (EVERY, "not idle", [(["circuit"], [[1, 0]])]),
        (EVERY, "circuit is empty", [(["circuit"], [])]),
    ],
)
def test_a_descent_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)
