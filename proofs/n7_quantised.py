"""N7, a countermodel: drop real parameters and the claim fails.
On a coarse grid a net of least loss, above the noise floor, keeps an idle circuit that fires.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from math import lcm
from typing import NamedTuple

from proof_of_absence.checker.construct.reassignment import reassignment
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Scope, Verdict
from proof_of_absence.models.circuit import Unit, fires, hidden_units, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.net import MLP
from proof_of_absence.models.posterior import members_of
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import facts

INPUTS = ((0,), (1,), (2,), (3,))
DEPLOY = vector([-2])
# Targets are searched in this order.
VALUES = (0, 1, 2)
TERNARY, BINARY = (-1, 0, 1), (-1, 1)
# The ternary grid with the halves.
FINER = (-1, Fraction(-1, 2), 0, Fraction(1, 2), 1)


# Units of the countermodels on the two grids.
TERNARY_UNITS, BINARY_UNITS = 1, 2


def _family(grid: tuple, units: int) -> Family:
    """The nets of so many units on the grid."""
    return Family(Architecture((1, units, 1)), Grid(grid))


class Coarse(NamedTuple):
    """Data, a net of least loss on the grid, its idle circuit, and a wider net on the grid with a lower loss."""

    grid: tuple
    data: Dataset
    net: MLP
    circuit: tuple[Unit, ...]
    wider: MLP


def least(grid: tuple, units: int, data: Dataset) -> list[MLP]:
    """Every net of least loss; the targets are integers."""
    best, found = None, []
    nets, scale = _outputs(grid, units)
    targets = [int(y * scale) for (y,) in data.targets]
    for net, outputs in nets:
        error = sum((f - y) ** 2 for f, y in zip(outputs, targets, strict=True))
        if best is None or error < best:
            best, found = error, []
        if error == best:
            found.append(net)
    return found


@cache
def _outputs(grid: tuple, units: int) -> tuple[list[tuple[MLP, list[int]]], int]:
    """The nets of the class, with their outputs on INPUTS times a number that makes them integers, and that number."""
    found = [(net, [row[0] for row in net.outputs(INPUTS)]) for net in members_of(_family(grid, units))]
    scale = lcm(*(f.denominator for _, outputs in found for f in outputs))
    return [(net, [int(f * scale) for f in outputs]) for net, outputs in found], scale


def _firing(net: MLP) -> Iterator[tuple[Unit, ...]]:
    """The train-idle circuits that fire at deployment."""
    units = hidden_units(net)
    for circuit in (c for size in range(1, len(units) + 1) for c in combinations(units, size)):
        if is_idle(net, circuit, INPUTS) and fires(net, circuit, INPUTS, DEPLOY):
            yield circuit


@cache
def coarse(grid: tuple, units: int) -> Coarse:
    """Search: targets at INPUTS for which a net of least loss on the grid has an idle circuit that fires.

    Raises
    ------
    LookupError
        If no targets from VALUES give one.
    """
    for targets in product(VALUES, repeat=len(INPUTS)):
        data = Dataset(INPUTS, [[y] for y in targets])
        best = least(grid, units, data)
        wider = least(grid, units + 1, data)[0]
        if data.loss(wider) >= data.loss(best[0]):
            continue
        for net in best:
            for circuit in _firing(net):
                return Coarse(grid, data, net, circuit, wider)
    raise LookupError(f"no net of least loss of {units} units on {grid} has an idle circuit that fires")


def least_in_class(net: MLP, data: Dataset, grid: tuple) -> dict:
    """The fact that the net's parameters are on the grid, and no net of its architecture there has a lower loss."""
    return facts.least_in_class(net, data, grid)


def _countermodel(grid: tuple, units: int) -> Evidence:
    found = coarse(grid, units)
    return Evidence(
        facts.every(
            least_in_class(found.net, found.data, grid),
            facts.loss_above_floor(found.net, found.data),
            facts.idle(found.net, found.circuit, found.data.inputs, fires=DEPLOY),
            # P1 on the grid: lower than the least is lower than every net of the class.
            least_in_class(found.wider, found.data, grid),
            facts.lower_loss(found.net, found.wider, found.data, wider=True),
        )
    )


def _over_the_reals() -> Evidence:
    """C7's reassignment of the same circuit, with parameters that are not on the grid, lowers the loss."""
    net, circuit, data = (found := coarse(TERNARY, TERNARY_UNITS)).net, found.circuit, found.data
    return Evidence(facts.reassigned(net, circuit, reassignment(net, circuit, data), data), holds=False)


def _on_the_finer_grid() -> Evidence:
    """The best net on the grid with the halves has a lower loss."""
    net, data = (found := coarse(TERNARY, TERNARY_UNITS)).net, found.data
    better = least(FINER, TERNARY_UNITS, data)[0]
    lower = facts.lower_loss(net, better, data)
    return Evidence(facts.every(least_in_class(better, data, FINER), lower), holds=False)


CLAIM = Claim(
    id="N7",
    title="Real parameters needed",
    statement=r"There are a finite grid, data, and a net of least loss among all nets of $S_n$ with parameters on the "
    r"grid, that has a train-idle circuit which fires at deployment, although $L(\theta)>E$ and some wider net on the "
    r"grid has lower loss.",
    premises=("all premises of C8, P1 within the grid, but real parameters: they are confined to a finite grid",),
    proof=r"C7's reassignment needs an output weight near $s/\langle\varphi,\varphi\rangle$; on a coarse grid it may "
    r"be missing, and the weights that are there overshoot. All nets of the class are tried, and no other is better.",
    limits="Instances, on grids of two and three values with n=1 and n=2. How fine a grid must be for C7 to work is "
    "not addressed: it depends on the data, and the control shows one that is fine enough to better this net.",
    drops=Drops("C8", "real parameters", "parameters on a finite grid"),
    obligations=(
        Obligation(
            "N7.ternary",
            f"{_family(TERNARY, TERNARY_UNITS).size} nets of {TERNARY_UNITS} unit with parameters "
            f"{', '.join(map(str, TERNARY))} on {len(INPUTS)} inputs: one of least loss, above the noise floor, has an "
            f"idle circuit that fires at {DEPLOY[0]}; a net of one unit more on the grid is better",
            Scope.INSTANCE,
            lambda: _countermodel(TERNARY, TERNARY_UNITS),
        ),
        Obligation(
            "N7.binary",
            f"{_family(BINARY, BINARY_UNITS).size} nets of {BINARY_UNITS} units with parameters "
            f"{', '.join(map(str, BINARY))}: the same",
            Scope.INSTANCE,
            lambda: _countermodel(BINARY, BINARY_UNITS),
        ),
        Obligation(
            "N7.control",
            "No reassignment of the ternary net's circuit lowers the loss, over the reals",
            Scope.INSTANCE,
            _over_the_reals,
            Verdict.REFUTED,
        ),
        Obligation(
            "N7.control-finer",
            "The ternary net is of least loss on the grid with the halves too",
            Scope.INSTANCE,
            _on_the_finer_grid,
            Verdict.REFUTED,
        ),
    ),
)
