"""N9, a countermodel: another loss in place of the squared one.
Counting the rows on the wrong side has no slope: a freed unit may be of no use, and a minimiser keeps it idle.
"""

from collections.abc import Sequence

from proof_of_absence.checker.encode.nets import forward, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, all_of, le, lt
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import matrix, vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.universal import universal
from proof_of_absence.proofs.words import listed

INPUTS = matrix([[0], [1], [2]])
# True: the output is to be positive.
SIDES = (True, False, True)
# These a net of one unit has.
OTHER_SIDES = (True, False, False)
DEPLOY = vector([7])
# The constant 1 is wrong at 1 only; its unit is silent in training, and at 7 the output is -4.
KEEPER = shallow([([1], -2, [-1])], [1])
# Two units put every row on its side: 1, -1, 1.
SORTED = shallow([([1], 0, [-2]), ([1], -1, [4])], [1])


def zero_one(net: MLP, wrong: int) -> dict:
    """The fact that so many of the rows are on the wrong side."""
    return facts.zero_one_loss(net, INPUTS, SIDES, wrong)


def some_row_is_wrong(sides: Sequence[bool] = SIDES) -> Query:
    """No net of S_1 has all rows on their sides, all parameters unknown."""
    script = Script("QF_NRA", "S_1 on the inputs 0, 1, 2: all parameters unknown")
    net = unknown_parameters(script, (1, 1, 1))
    outputs = [forward(script, net, z, f"f{i}")[Unit(2, 0)] for i, z in enumerate(INPUTS)]
    script.decide("claim_fails", all_of(lt(0, f) if side else le(f, 0) for f, side in zip(outputs, sides, strict=True)))
    return Query(script)


def _keeper() -> Evidence:
    """One row of three wrong, an idle unit that fires at deployment, and a wider net with none wrong."""
    idle = facts.idle(KEEPER, {Unit(1, 0)}, INPUTS, fires=DEPLOY)
    return Evidence(facts.every(zero_one(KEEPER, 1), idle, zero_one(SORTED, 0)))


def _signs(sides: Sequence[bool]) -> str:
    return ", ".join("+" if side else "-" for side in sides)


CLAIM = Claim(
    id="N9",
    title="Loss with a slope needed",
    statement=r"Let the loss be the part of the rows that are on the wrong side of $0$. There are data and a minimiser "
    r"$\theta$ on $S_n$ that has a train-idle circuit which fires at deployment, although for every net of $S_n$ some "
    r"wider net has lower loss.",
    premises=("all premises of C8, but the zero-one loss in place of the squared loss",),
    proof=r"A net of one unit on the line is monotone in its input, so on the rows $+,-,+$ it is wrong at one at least "
    r"(a query over all its parameters); a constant is wrong at no more. Two units are wrong at none. No single unit "
    r"lowers the loss of the constant, although it is not least among wider nets: C6's step from some wider net to one "
    r"more unit is what fails.",
    limits="One data set, n=1, zero-one loss. Convex losses with a gradient will do in place of the squared loss: C17.",
    drops=Drops("C8", "squared loss", "the zero-one loss, which has no slope"),
    obligations=(
        Obligation(
            "N9.one-unit",
            f"Whatever w, b, a, c: some of the outputs at {listed(INPUTS)} is on the wrong side, the sides being "
            f"{_signs(SIDES)} (+: above 0)",
            Scope.BOUNDED,
            some_row_is_wrong,
        ),
        Obligation(
            "N9.keeper",
            f"A net of one unit with one row of {len(INPUTS)} wrong, its unit idle in training and firing at "
            f"{DEPLOY[0]}; a net of two units with none wrong",
            Scope.INSTANCE,
            _keeper,
        ),
        universal(
            "A checker of Boolean functions on lists of rational numbers: what it accepts as the number of answers on "
            "the wrong side of 0 is that",
            "check_separation",
            "N9_check_wrong",
            name="universal-checker",
        ),
        Obligation(
            "N9.control",
            "No net of two units has all rows on their sides either",
            Scope.INSTANCE,
            lambda: Evidence(zero_one(SORTED, 0), holds=False),
            Verdict.REFUTED,
        ),
        Obligation(
            "N9.control-one-unit",
            f"The same as N9.one-unit for the sides {_signs(OTHER_SIDES)}",
            Scope.BOUNDED,
            lambda: some_row_is_wrong(OTHER_SIDES),
            Verdict.REFUTED,
        ),
    ),
)
