"""N4, a countermodel: idle on all training inputs but one does not do.
A global minimiser above the noise floor has a unit that is silent on the others and fires at deployment.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Scope, Verdict
from proof_of_absence.checker.minima.branch_and_bound import Minimum, global_minimum
from proof_of_absence.models.circuit import Unit, add_unit, fires, hidden_units, idle_value, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c13_rent import rent

# Targets are searched in this order.
VALUES = (0, 1, 3)
# Inputs on the line; how often all but the last are repeated, for one row in ten and one in a hundred.
INPUTS = 4
TENTH, HUNDREDTH = 3, 33


class AlmostIdle(NamedTuple):
    """Data, a certified minimum, a circuit that is silent on the inputs `quiet` and on no more,
    and an input at which it fires.
    """

    data: Dataset
    minimum: Minimum
    circuit: frozenset[Unit]
    quiet: list[Vector]
    deploy: Vector


def find(data: Dataset, units: int) -> AlmostIdle | None:
    """A certified minimiser above the noise floor with a unit that sends 0 at all inputs but the last.

    Deployment is one step further.
    """
    minimum = global_minimum(data, units)
    last = max(data.inputs)
    if minimum.loss == data.noise_floor:
        return None
    quiet, deploy = [z for z in data.inputs if z != last], vector([last[0] + 1])
    for unit in hidden_units(minimum.net):
        alone = frozenset({unit})
        idle = is_idle(minimum.net, alone, quiet) and not is_idle(minimum.net, alone, data.inputs)
        silent = idle and not any(idle_value(minimum.net, alone, quiet).values())
        if silent and fires(minimum.net, alone, quiet, deploy):
            return AlmostIdle(data, minimum, alone, quiet, deploy)
    return None


def row_count(count: int, repeats: int) -> int:
    """The rows of `almost_idle`: all inputs but the last repeated, and the last once."""
    return (count - 1) * repeats + 1


@cache
def almost_idle(count: int, repeats: int) -> AlmostIdle:
    """Search, n=1: targets at 0, 1, ..., count - 1, all but the last repeated, for which there is such a minimiser.

    The last input is one row of `row_count`.

    Raises
    ------
    LookupError
        If no targets from VALUES give one.
    """
    rows = [x for x in range(count) for _ in range(repeats if x < count - 1 else 1)]
    for targets in product(VALUES, repeat=count):
        found = find(Dataset([[x] for x in rows], [[targets[x]] for x in rows]), 1)
        if found:
            return found
    raise LookupError(f"no minimiser of one unit on {count} inputs has an almost idle unit")


def _countermodel(found: AlmostIdle) -> Evidence:
    """Minimality, the loss above the noise floor, idle on all rows but the last,
    and the rent that C13 makes the unit pay.
    """
    net, data = found.minimum.net, found.data
    busy = facts.not_idle(net, found.circuit, data.inputs)
    return Evidence(
        facts.every(
            facts.minimal(found.minimum, data, net),
            facts.loss_above_floor(net, data),
            facts.idle(net, found.circuit, found.quiet, fires=found.deploy),
            busy,
            rent(net, found.circuit, vector([0]), data),
        )
    )


def _idle_everywhere(found: AlmostIdle) -> Evidence:
    """The minimiser of one unit with a second one that is silent on the last input too:
    its reassignment has a lower loss.
    """
    data, (last,) = found.data, max(found.data.inputs)
    net = add_unit(found.minimum.net, [1], -last, [1])
    circuit = {hidden_units(net)[-1]}
    idle = facts.idle(net, circuit, data.inputs, fires=found.deploy)
    result = reassignment(net, circuit, data)
    return Evidence(facts.every(idle, facts.reassigned(net, circuit, result, data)), holds=False)


TENTH_ROWS, HUNDREDTH_ROWS = row_count(INPUTS, TENTH), row_count(INPUTS, HUNDREDTH)

CLAIM = Claim(
    id="N4",
    title="Idleness needed",
    statement=r"There are data and a global minimiser $\theta$ of $L$ on $S_n$ with $L(\theta)>E$, that has a unit "
    r"which sends $0$ on all training rows but one in a hundred, and fires at deployment. So in C8 idle on the "
    r"training inputs cannot be weakened to idle almost everywhere.",
    premises=("all premises of C8, but the circuit is idle on all training inputs save one, which is one row of N",),
    proof=r"An outlier at one end of the line is worth a unit: the unit that fits it is silent on all other inputs, "
    r"and keeps growing beyond it. Minimality: on each activation pattern the loss is a convex quadratic under linear "
    r"constraints, and a dual point bounds it below by $L(\theta)$.",
    limits=f"Instances on the line, with the exceptional input one row of {TENTH_ROWS} and of {HUNDREDTH_ROWS}. Such a "
    "unit is not free: C13's rent for it is part of each certificate. It says what the unit must pay, not that it "
    "cannot.",
    drops=Drops("C8", "separability", "a circuit that is idle on all training inputs but one"),
    obligations=(
        Obligation(
            "N4.tenth",
            f"n=1, {INPUTS} inputs, {TENTH_ROWS} rows: a certified global minimiser above the noise floor, whose unit "
            f"is silent on {TENTH_ROWS - 1} rows, not idle on all, and fires beyond the last; its rent",
            Scope.INSTANCE,
            lambda: _countermodel(almost_idle(INPUTS, TENTH)),
        ),
        Obligation(
            "N4.hundredth",
            f"n=1, {INPUTS} inputs, {HUNDREDTH_ROWS} rows: the same, the unit silent on {HUNDREDTH_ROWS - 1} of them",
            Scope.INSTANCE,
            lambda: _countermodel(almost_idle(INPUTS, HUNDREDTH)),
        ),
        Obligation(
            "N4.two-units",
            f"n=2 on the data with {TENTH_ROWS} rows: the same for one of the two units",
            Scope.INSTANCE,
            lambda: _countermodel(find(almost_idle(INPUTS, TENTH).data, 2)),
        ),
        Obligation(
            "N4.control",
            f"On the data with {TENTH_ROWS} rows, n=2: the minimiser over S_1, with a second unit that is silent on "
            "the last row too, is a minimiser",
            Scope.INSTANCE,
            lambda: _idle_everywhere(almost_idle(INPUTS, TENTH)),
            Verdict.REFUTED,
        ),
    ),
)
