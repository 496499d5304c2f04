"""Facts of C14: what is so is accepted; each thing that can be wrong is refused, with its reason."""

from fractions import Fraction

import pytest

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.proofs.c14_posterior import COARSE, FIRING, crossover, posterior
from tests.checker.changed import refused

MASS, CROSSING = posterior(FIRING, 1, above=Fraction(3, 4)), crossover(FIRING, Fraction(1, 2))


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        *((f"the count of {key}: stated 7, recomputed", [([key], 7)]) for key in ("nets", "best", "members")),
        ("the gap: stated 1/3, recomputed 1", [(["gap"], "1/3")]),
        ("the mass: stated .*, recomputed about 0", [(["mass"], "3/4")]),
        ("the bound: stated 3/4, recomputed 576/25", [(["bound"], "3/4")]),
        ("the mass: stated .*, recomputed about 0", [(["power"], 2)]),
        ("the mass: stated .*, recomputed about 0", [(["ratio"], "1/2")]),
        ("not below that", [(["below"], "3/4")]),
        ("not above that", [(["above"], "7/8")]),
    ],
)
def test_a_mass_that_is_not_so(match, changes):
    refused(MASS, match, *changes)


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("below that one power earlier", [(["power"], CROSSING["power"] + 1)]),
        ("the mass is not below that", [(["power"], CROSSING["power"] - 1)]),
        ("the bound is not below that", [(["certain"], CROSSING["certain"] - 1)]),
        ("nothing bounds the mass between", [(["power"], CROSSING["certain"] + 1)]),
        ("the bound is not below that", [(["delta"], "1/100")]),
    ],
)
def test_a_crossover_that_is_not_so(match, changes):
    refused(CROSSING, match, *changes)


def test_a_class_without_a_gap_has_no_crossover():
    fact = {key: posterior(COARSE, 1)[key] for key in ("widths", "grid", "data", "fires", "unit", "ratio")}
    with pytest.raises(Refused, match="the gap is 0"):
        check_fact(fact | {"kind": "crossover", "delta": "2", "power": 0, "certain": 1})


@pytest.mark.parametrize("fact", [MASS, CROSSING])
@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("a loss is no multiple of the unit", [(["unit"], "1")]),
        ("the data do not fit", [(["unit"], "-1/3")]),
        ("the data do not fit", [(["widths"], [2, 1, 1])]),
        ("the data do not fit", [(["widths"], [1, 1, 2])]),
        ("not an architecture", [(["widths"], [1, 0, 1])]),
        ("not an architecture", [(["widths"], [1, "1", 1])]),
        ("too many nets", [(["widths"], [1, 10**9, 1])]),
        ("too many nets", [(["grid"], [str(k) for k in range(11)])]),
        ("lists a value twice", [(["grid"], ["1", "2/2"])]),
        ("no net of the class is in the set", [(["fires"], ["-3"])]),
        ("does not fit", [(["fires"], ["1", "2"])]),
        ("the ratio is not between 0 and 1", [(["ratio"], "1")]),
        ("the ratio is not between 0 and 1", [(["ratio"], "-1/2")]),
        ("the ratio is too long", [(["ratio"], "9999/10001")]),
        ("the weights are too long to compare", [(["data", "targets", 0, 0], str(10**20))]),
        *(("not a power between 0 and 1000", [(["power"], power)]) for power in (-1, 1001, True, "1", 1.0, None)),
    ],
)
def test_a_class_that_cannot_be_is_refused(fact, match, changes):
    refused(fact, match, *changes)
