"""What it costs to move the answer at one input by the output layer: evidence for C21 from nets and data.

At certified minimisers, in the world, with ridge; and nets that show what is not so.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

from proof_of_absence.checker.construct.leverage import FreeMove, Leverage, leverage
from proof_of_absence.checker.kernel.obligation import Evidence
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.checker.minima.ridge import minimum_norm
from proof_of_absence.checker.minima.ridge import ridge as ridge_solution
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR, IMITATOR, WORLD
from proof_of_absence.models.rational import Numbers, vector
from proof_of_absence.models.world import IS_DIAMOND_THERE, NONE, State, encode
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c8_contradiction import ZIGZAG
from proof_of_absence.proofs.c9_full_rank import DEPLOYED, ENTWINED
from proof_of_absence.proofs.c19_analytical import AFTER, PENALTY
from proof_of_absence.proofs.facts.written import Fact
from proof_of_absence.proofs.n1_separability import INPUTS, entangled

__all__ = [
    "AT_HOURS",
    "HOURS",
    "IN_THE_PLANE",
    "MOVES",
    "ON_THE_LINE",
    "WITH_CLOCK",
    "at_minimiser",
    "by_hour",
    "cheaper",
    "free",
    "free_in_row_space",
    "free_without_idle",
    "planted",
    "priced",
    "ridge_moves",
]

# Inputs whose answer is moved at certified minimisers, and by how much.
ON_THE_LINE = (["5/2"], [-1], [6])
IN_THE_PLANE = (["1/2", "1/2"], [4, 4])
MOVES = (Fraction(1), Fraction(-3, 2))

# What the imitator reads, and the clock. On the clock alone training and deployment differ.
WITH_CLOCK = shallow(
    [*((w, b, [0]) for w, b in list(zip(IMITATOR.layers[0].weights, IMITATOR.layers[0].bias, strict=True))[:2]),
     ([0, 0, 0, 0, 1, 0], 0, [0])],
    [0],
)  # fmt: skip
HOURS = (max(WORLD.train_hours), *WORLD.deploy_hours)
# The diamond is there, nobody has tampered, at each of these hours.
AT_HOURS = [vector(encode(State(1, NONE, hour), IS_DIAMOND_THERE)) for hour in HOURS]


def priced(net: MLP, inputs: Sequence[Numbers], point: Numbers, penalty: Fraction | int = 0) -> Leverage:
    """The leverage of a point that has one.

    Raises
    ------
    LookupError
        If moves are free there.
    """
    found = leverage(net, inputs, point, penalty)
    if isinstance(found, FreeMove):
        raise LookupError(f"a move is free at {point}")
    return found


def free(net: MLP, inputs: Sequence[Numbers], point: Numbers) -> FreeMove:
    """The free direction of a point that has one.

    Raises
    ------
    LookupError
        If it has a leverage instead.
    """
    found = leverage(net, inputs, point)
    if isinstance(found, Leverage):
        raise LookupError(f"the leverage at {point} is {found.value}")
    return found


def _moves(net: MLP, data: Dataset, points: Sequence[Numbers], penalty: Fraction | int = 0) -> list[Fact]:
    """At each point each move, by the net of least cost: the bound is attained."""
    shown = []
    for point, by in product(map(vector, points), MOVES):
        found = priced(net, data.inputs, point, penalty)
        moved = found.moved(net, [by] * net.widths[-1])
        shown.append(facts.readout_price(net, moved, data, point, found, penalty))
    return shown


def at_minimiser(data: Dataset, units: int, points: Sequence[Numbers]) -> Evidence:
    """A certified minimiser above the noise floor, and nets of its class that move its answers at the price."""
    minimum = global_minimum(data, units)
    above = facts.loss_above_floor(minimum.net, data)
    moves = _moves(minimum.net, data, points)
    proved = facts.every(facts.minimal(minimum, data), above, *moves)
    return Evidence(proved, holds=all(move["attained"] for move in moves))


def planted() -> Evidence:
    """The planted detector fires after training: another answer there, at no price, with the same training outputs."""
    data = WORLD.dataset()
    found = free(DECEPTIVE, data.inputs, AFTER)
    moved = found.moved(DECEPTIVE, [1])
    return Evidence(
        facts.every(
            facts.idle(DECEPTIVE, DEPLOYMENT_DETECTOR, data.inputs, fires=AFTER),
            facts.free_readout(DECEPTIVE, data.inputs, AFTER, found),
            facts.same_outputs(DECEPTIVE, moved, data.inputs),
            facts.different_outputs(DECEPTIVE, moved, AFTER),
        )
    )


def by_hour() -> Evidence:
    """Least squares on the imitator's features and the clock: the leverage grows with the hour of deployment."""
    data = WORLD.dataset()
    net = minimum_norm(WITH_CLOCK, data, intercept=True).net
    found = [priced(net, data.inputs, point) for point in AT_HOURS]
    rises = [((1, k, "leverage"), "<", (1, k + 1, "leverage")) for k in range(len(found) - 1)]
    shown = [facts.leverage_at(net, data.inputs, point, at) for point, at in zip(AT_HOURS, found, strict=True)]
    return Evidence(facts.every(*shown, *_moves(net, data, AT_HOURS[-1:]), compared=rises))


def ridge_moves() -> Evidence:
    """Ridge on the features with the detector: its input has a price, a move attains it, another net stays below."""
    data = WORLD.dataset()
    net = ridge_solution(DECEPTIVE, data, PENALTY, intercept=True)
    found = priced(net, data.inputs, AFTER, PENALTY)
    other = found.moved(ridge_solution(DECEPTIVE, data, 2 * PENALTY, intercept=True), [1])
    near = facts.readout_price(net, other, data, AFTER, found, PENALTY)
    return Evidence(facts.every(*_moves(net, data, [AFTER], PENALTY), near), holds=not near["attained"])


def free_in_row_space() -> Evidence:
    """A leverage: the input is in the row space, and no move is free there."""
    minimum, point = global_minimum(ZIGZAG, 2), vector(ON_THE_LINE[0])
    found = priced(minimum.net, ZIGZAG.inputs, point)
    shown = facts.leverage_at(minimum.net, ZIGZAG.inputs, point, found)
    return Evidence(facts.every(shown, *_moves(minimum.net, ZIGZAG, [point])), holds=False)


def free_without_idle() -> Evidence:
    """The detector entwined with useful units: no circuit is idle, and a move is free at an input of deployment."""
    data, point = WORLD.dataset(), vector(DEPLOYED)
    found = free(ENTWINED, data.inputs, point)
    moved = found.moved(ENTWINED, [1])
    return Evidence(
        facts.every(
            facts.no_idle_circuit(ENTWINED, data),
            facts.free_readout(ENTWINED, data.inputs, point, found),
            facts.same_outputs(ENTWINED, moved, data.inputs),
            facts.different_outputs(ENTWINED, moved, point),
        ),
        holds=False,
    )


def cheaper() -> Evidence:
    """Two minimisers of other features differ where the first has a leverage: that move costs nothing."""
    data, minimum, g, f, point = entangled(1, INPUTS)
    return Evidence(
        facts.every(
            facts.minimal(minimum, data, f),
            facts.same_outputs(f, g, data.inputs),
            facts.different_outputs(f, g, point),
            *_moves(g, data, [point]),
        ),
        holds=False,
    )
